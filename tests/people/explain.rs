//! `kbisect explain`.

use super::*;

/// A text for a terminal: no line is longer than 80 columns.
fn fits(text: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
    }
}

#[test]
fn a_run_and_its_commits() {
    let (world, ids) = short_run();
    let whole = said(&world, &["explain", "run"]);
    fits(&whole);
    insta::assert_snapshot!(whole, @r#"
    --- stdout
    Cause of exit status 1
    seen at d1b19def845b ("change 7")

    The way: what each commit's trials showed, how likely it has the bug, and how
    much is open (bits: about how many perfect tests are left).
      #  commit        why         hit clean void other  P(has it)  bits       is
      1  d1b19def845b  start         3     0    0     0     -→1.00     -→-     bad
      2  947b274159d0  good end      0     1    0     0     -→0.00     -→2.8   open
      3  bc37bc1f07e6                0     1    0     0  0.43→0.03   2.8→2.2   open
      4  8a285923961c                1     0    0     0  0.51→0.99   2.2→1.3   bad
      5  3db1e3895b2c                1     0    0     0  0.52→0.99   1.3→0.5   bad
      6  bc37bc1f07e6                0     1    0     0  0.06→0.01   0.5→0.2   good
      7  3db1e3895b2c                1     0    0     0  0.99→1.00   0.2→0.1   bad
      8  bc37bc1f07e6                0     1    0     0  0.01→0.00   0.1→0.0   good

    Now: 7 commits, 0 left, 0.0 bits; the culprit is 3db1e3895b2c

      99.6 %  3db1e3895b2c ("change 4")
              for      6 of 6 trials at 3 tested commits that contain it: crashed
                       4 of 4 trials at 2 tested commits without it: clean
              against  nothing
              parent   bc37bc1f07e6: 3 clean

       0.1 %  b9148b0faeaa ("change 1")
              for      6 of 9 trials at 4 tested commits that contain it: crashed
                       1 of 1 trial at 1 tested commit without it: clean
              against  3 of 9 trials at 4 tested commits that contain it: clean
              parent   947b274159d0: 1 clean

       0.1 %  39180e8fcc86 ("change 2")
              for      6 of 9 trials at 4 tested commits that contain it: crashed
                       1 of 1 trial at 1 tested commit without it: clean
              against  3 of 9 trials at 4 tested commits that contain it: clean
              parent   b9148b0faeaa: no trial

       0.1 %  bc37bc1f07e6 ("change 3")
              for      6 of 9 trials at 4 tested commits that contain it: crashed
                       1 of 1 trial at 1 tested commit without it: clean
              against  3 of 9 trials at 4 tested commits that contain it: clean
              parent   39180e8fcc86: no trial

    What the answer rests on, and what would change it
      99.6 %  the crash begins to show at 3db1e3895b2c
                99.7 %  one more trial there (3db1e3895b2c) crashes
                  93 %  one more trial there (3db1e3895b2c) is clean
                  81 %  one more trial at its parent (bc37bc1f07e6) crashes
                99.7 %  one more trial at its parent (bc37bc1f07e6) is clean
     < 0.1 %  the good end is bad after all, and the crash is older
                 0.3 %  one more trial at 947b274159d0 crashes
    > 99.9 %  the crashes are read right: which are the same bug, and which another
    --- exit status 0
    "#);
    let parent = said(&world, &["explain", "run", &ids[3]]);
    fits(&parent);
    insta::assert_snapshot!(parent, @r#"
    --- stdout
    bc37bc1f07e6 ("change 3")

    #3       tested because it told most of what was left: 6 commits more, and its
             trials split the likelihood 43 : 57
    before   7 commits, 6 left, 2.8 bits, P(has the bug) 0.429
    trial 5    clean                              LR 0.04        P 0.026  2.2 bits
    after    7 commits, 5 left, 2.2 bits, P(has the bug) 0.026

    #6       tested because it told most of what was left: 3 commits more, and its
             trials split the likelihood 6 : 94
    before   7 commits, 3 left, 0.5 bits, P(has the bug) 0.060
    trial 8    clean                              LR 0.02        P 0.014  0.2 bits
    after    7 commits, 3 left, 0.2 bits, P(has the bug) 0.014

    #8       tested because it told most of what was left: 1 commit more, and its
             trials split the likelihood 1 : 99
    before   7 commits, 1 left, 0.1 bits, P(has the bug) 0.011
    trial 10   clean                              LR 0.02        P 0.004  0.0 bits
    after    7 commits, 0 left, 0.0 bits, P(has the bug) 0.004
    (LR: how many times likelier at a commit with the bug than at one without)

    verdict  good by sequential: 0 of 3 crashed: log-likelihood ratio -4.8 of -7.0
    now      7 commits, 0 left, 0.0 bits, P(has the bug) 0.004
             0.1 % that it is the one
              for      6 of 9 trials at 4 tested commits that contain it: crashed
                       1 of 1 trial at 1 tested commit without it: clean
              against  3 of 9 trials at 4 tested commits that contain it: clean
              parent   39180e8fcc86: no trial
    --- exit status 0
    "#);
    insta::assert_snapshot!(said(&world, &["explain", "run", &ids[6]]), @r#"
    --- stdout
    8589313df443 ("change 6")
    No trial has ended here.

    now      7 commits, 0 left, 0.0 bits, P(has the bug) 1.000
             < 0.1 % that it is the one
              for      3 of 3 trials at 1 tested commit that contains it: crashed
                       4 of 7 trials at 4 tested commits without it: clean
              against  3 of 7 trials at 4 tested commits without it: crashed
              parent   8a285923961c: 1 crashed
    --- exit status 0
    "#);
    insta::assert_snapshot!(said(&world, &["explain", "run", "v9.9"]), @r"
    --- stderr
    error: `v9.9` names no commit in `[DIR]/repo/`
    hint: fetch the tag: git -C [DIR]/repo/ fetch https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git tag v9.9
    --- exit status 2
    ");
    insta::assert_snapshot!(said(&world, &["explain", "nowhere"]), @r"
    --- stderr
    error: `nowhere` holds no run: there is no journal.jsonl in it
    --- exit status 2
    ");
}

#[test]
fn what_was_taken_back_and_assumed() {
    let (world, ids) = short_run();
    // Trials first, as nothing is assumed there.
    world.succeed(&["undo", "run", &ids[3]]);
    let assume = format!("good={}", ids[3]);
    world.succeed(&["resume", "--quiet", "--assume", &assume, "run"]);
    let whole = said(&world, &["explain", "run"]);
    fits(&whole);
    insta::assert_snapshot!(whole, @r#"
    --- stdout
    Cause of exit status 1
    seen at d1b19def845b ("change 7")
    assumed good bc37bc1f07e6 ("change 3")

    The way: what each commit's trials showed, how likely it has the bug, and how
    much is open (bits: about how many perfect tests are left).
      #  commit        why         hit clean void other  P(has it)  bits       is
      1  d1b19def845b  start         3     0    0     0     -→1.00     -→-     bad
      2  947b274159d0  good end      0     1    0     0     -→0.00     -→2.8   open
      3  bc37bc1f07e6                0     1    0     0  0.43→0.03   2.8→2.2   open
      4  8a285923961c                1     0    0     0  0.51→0.99   2.2→1.3   bad
      5  3db1e3895b2c                1     0    0     0  0.52→0.99   1.3→0.5   bad
      6  bc37bc1f07e6                0     1    0     0  0.06→0.01   0.5→0.2   good
      7  3db1e3895b2c                1     0    0     0  0.99→1.00   0.2→0.1   bad
      8  bc37bc1f07e6                0     1    0     0  0.01→0.00   0.1→0.0   open
    Taken back: 3 trials or assumptions (still in the counts above).

    Now: 7 commits, 0 left, 0.0 bits; the culprit is 3db1e3895b2c

    > 99.9 %  3db1e3895b2c ("change 4")
              for      6 of 6 trials at 3 tested commits that contain it: crashed
                       1 of 1 trial at 1 tested commit without it: clean
              against  nothing
              parent   bc37bc1f07e6: assumed good, no trial

    What the answer rests on, and what would change it
    > 99.9 %  the crash begins to show at 3db1e3895b2c
              > 99.9 %  one more trial there (3db1e3895b2c) crashes
                  97 %  one more trial there (3db1e3895b2c) is clean
              as it is  one more trial at its parent (bc37bc1f07e6) crashes
              as it is  one more trial at its parent (bc37bc1f07e6) is clean
     < 0.1 %  the good end is bad after all, and the crash is older
               < 0.1 %  one more trial at 947b274159d0 crashes
    > 99.9 %  the crashes are read right: which are the same bug, and which another
    --- exit status 0
    "#);
    let commit = said(&world, &["explain", "run", &ids[3]]);
    fits(&commit);
    insta::assert_snapshot!(commit, @r#"
    --- stdout
    bc37bc1f07e6 ("change 3")
    assumed  good

    #3       tested because it told most of what was left: 6 commits more, and its
             trials split the likelihood 43 : 57
    before   7 commits, 6 left, 2.8 bits, P(has the bug) 0.429
    trial 5    clean                              taken back     P 0.026  2.2 bits
    after    7 commits, 5 left, 2.2 bits, P(has the bug) 0.026

    #6       tested because it told most of what was left: 3 commits more, and its
             trials split the likelihood 6 : 94
    before   7 commits, 3 left, 0.5 bits, P(has the bug) 0.060
    trial 8    clean                              taken back     P 0.014  0.2 bits
    after    7 commits, 3 left, 0.2 bits, P(has the bug) 0.014

    #8       tested because it told most of what was left: 1 commit more, and its
             trials split the likelihood 1 : 99
    before   7 commits, 1 left, 0.1 bits, P(has the bug) 0.011
    trial 10   clean                              taken back     P 0.004  0.0 bits
    after    7 commits, 0 left, 0.0 bits, P(has the bug) 0.000
    (LR: how many times likelier at a commit with the bug than at one without)

    verdict  good by sequential: 0 of 3 crashed: log-likelihood ratio -4.8 of -7.0
    now      7 commits, 0 left, 0.0 bits, P(has the bug) 0.000
             < 0.1 % that it is the one
              for      6 of 6 trials at 3 tested commits that contain it: crashed
                       1 of 1 trial at 1 tested commit without it: clean
              against  nothing
              assumed  good
              parent   39180e8fcc86: no trial
    --- exit status 0
    "#);
}

#[test]
fn a_run_that_has_hardly_begun() {
    let world = World::new();
    let ids = line(&world, "repo", 8, 4, "exit 1");
    world.cut_short(&seeded_run_words(&ids[0], "run", &[]), 1);
    insta::assert_snapshot!(said(&world, &["explain", "run"]), @r#"
    --- stdout
    Cause of a crash that is not known yet
    seen at d1b19def845b ("change 7")

    No trial has ended yet.

    Now: the range is not known yet; no answer yet
    --- exit status 0
    "#);
}

#[test]
fn a_flaky_run_by_either_strategy_is_explained_within_the_screen() {
    let world = World::new();
    let ids = line(&world, "repo", 60, 37, FLAKY);
    for (run, more) in [("posterior", &[][..]), ("git", &["--strategy", "git"][..])] {
        let output = world.kbisect(&seeded_run_words(&ids[0], run, more)).output().unwrap();
        assert!(matches!(output.status.code(), Some(0 | 3)), "{}", world.shown(&output));
        fits(&said(&world, &["explain", run]));
        for id in tested(&world, run) {
            fits(&said(&world, &["explain", run, &id]));
        }
    }
}

#[test]
fn an_explanation_as_json_says_the_same() {
    let (world, ids) = short_run();
    let output = world.kbisect(&["explain", "--json", "run", &ids[4]]).output().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["schema"], 1);
    assert_eq!(told["commit"]["commit"]["commit"], ids[4].as_str());
    let candidate = &told["candidates"][0];
    assert_eq!(candidate["commit"]["commit"], ids[4].as_str());
    assert_eq!(candidate["probability"], crate::support::report(&world.path("run"))["named"]["probability"]);
    assert_eq!(candidate["parents"][0]["commit"], ids[3].as_str());
    // Every trial of the run is in its stays, and those of the commit are told one by one.
    let stays = told["stays"].as_array().unwrap();
    let ended = |stay: &serde_json::Value| {
        ["hits", "clean", "void", "other"].map(|how| stay["counts"][how].as_u64().unwrap()).iter().sum::<u64>()
    };
    assert_eq!(stays.iter().map(ended).sum::<u64>(), events(&world, "run", "trial-ended").len() as u64);
    let here = events(&world, "run", "trial-ended").into_iter().filter(|entry| entry["commit"] == ids[4].as_str());
    let numbers: Vec<serde_json::Value> = here.map(|entry| entry["trial"].clone()).collect();
    let told: Vec<serde_json::Value> =
        told["commit"]["trials"].as_array().unwrap().iter().map(|trial| trial["trial"].clone()).collect();
    assert_eq!(told, numbers);
}

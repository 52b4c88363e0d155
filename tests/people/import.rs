//! `kbisect import`: what cannot be read, and logs of syzbot's.

use std::fs;

use super::*;
use crate::support::named;

fn refused(world: &World, log: impl AsRef<[u8]>) -> String {
    fs::write(world.path("log"), log).unwrap();
    let said = said(world, &["import", "log", "--repo", "repo", "--out", "run", "--", "./test.sh"]);
    assert!(!world.path("run").exists(), "{said}");
    said
}

#[test]
fn what_is_no_log_is_told_so() {
    let world = World::new();
    let ids = line(&world, "repo", 8, 4, "exit 1");
    let (good, bad) = (&ids[0], &ids[7]);
    insta::assert_snapshot!(refused(&world, ""), @r"
    --- stderr
    error: log: the log is empty
    --- exit status 2
    ");
    insta::assert_snapshot!(refused(&world, "hello\nworld\n"), @r"
    --- stderr
    error: log: neither a log of `git bisect` nor one of syzbot's bisections; the first line is `hello`
    hint: git's is printed by `git bisect log`; syzbot's begins with `bisecting cause commit starting from …`
    --- exit status 2
    ");
    insta::assert_snapshot!(refused(&world, "\0\u{1}\u{2}"), @r"
    --- stderr
    error: log: no bisection log: it is not text
    --- exit status 2
    ");
    insta::assert_snapshot!(refused(&world, format!("git bisect start '{bad}' '{good}'\ngit bisect frob {bad}\n")), @r"
    --- stderr
    error: log: line 2: `git bisect frob` is nothing that git replays
    --- exit status 2
    ");
    insta::assert_snapshot!(refused(&world, format!("git bisect start '{bad}' '{good}'\ngit bisect good {}\n", "1".repeat(40))), @r"
    --- stderr
    error: log: line 2: `1111111111111111111111111111111111111111` names no commit in `[DIR]/repo/`
    hint: fetch the commit: git -C [DIR]/repo/ fetch origin 1111111111111111111111111111111111111111
    hint: if the commit was rebased, give its title (the first line of its message) instead of the hash
    --- exit status 2
    ");
    insta::assert_snapshot!(refused(&world, format!("git bisect start '{bad}' '{good}'\ngit bisect bad {good}\n")), @r"
    --- stderr
    error: log: line 2: `947b274159d01b8fb8442fd766d6bcb01e11bcb9` was marked good in line 1, and is bad here
    --- exit status 2
    ");
    insta::assert_snapshot!(refused(&world, format!("git bisect start '{bad}' '{good}'\ngit bisect bad {}\ngit bisect good {}\n", ids[3], ids[5])), @r"
    --- stderr
    error: good commit 8a285923961c012bd41c6cfdc9b649b979a802c3 contains bad commit bc37bc1f07e61cb98ca902d90b73ebdc5f88c120: the crash would have been fixed between them
    hint: an assumption of an earlier command is taken back with: kbisect undo DIR COMMIT
    --- exit status 2
    ");
    insta::assert_snapshot!(refused(&world, format!("git bisect start\ngit bisect good {good}\n")), @r"
    --- stderr
    error: log: no commit is marked bad: there is nothing to bisect yet
    --- exit status 2
    ");
    insta::assert_snapshot!(refused(&world, "# bad\n".repeat(6 << 20)), @r"
    --- stderr
    error: log: 36 MiB are no bisection log: at most 16 are read
    --- exit status 2
    ");
    insta::assert_snapshot!(said(&world, &["import", "nothing", "--repo", "repo", "--", "./test.sh"]), @r"
    --- stderr
    error: cannot read nothing: No such file or directory (os error 2)
    --- exit status 2
    ");
    insta::assert_snapshot!(said(&world, &["import", "log", "--repo", "repo"]), @r"
    --- stderr
    error: the following required arguments were not provided:
      <CMD>...

    Usage: kbisect import --repo <DIR> <LOG> -- <CMD>...

    For more information, try '--help'.
    --- exit status 2
    ");
}

#[test]
fn terminal_codes_and_names_are_read() {
    let world = World::new();
    let ids = line(&world, "repo", 8, 4, "exit 1");
    world.git("repo", &["tag", "v1.0", &ids[0]]);
    let log = format!(
        "\u{1b}[33mgit bisect start 'main' 'v1.0'\u{1b}[m\r\n# good: [{0}] t\r\n\u{1b}[1mgit bisect good {0}\u{1b}[0m\r\n",
        ids[2]
    );
    fs::write(world.path("log"), log).unwrap();
    insta::assert_snapshot!(said(&world, &["import", "log", "--repo", "repo", "--out", "run", "--", "./test.sh"]), @r"
    --- stdout
    imported a log of git bisect: 2 good, 1 bad, 0 skipped, taken for granted
    start   d1b19def845b
    range   7 commits, 4 left
    to go on: kbisect resume run
    --- exit status 0
    ");
    insta::assert_snapshot!(said(&world, &["status", "run"]), @r"
    --- stdout
    range   7 commits, 4 left
    no trial has ended yet
      39180e8fcc86  assumed     change 2                              no trial                             good
      947b274159d0  assumed     change 0                              no trial                             good
      d1b19def845b  assumed     change 7                              no trial                             bad
    likeliest
          20 %  bc37bc1f07e6
          20 %  3db1e3895b2c
          20 %  8a285923961c
          20 %  8589313df443
          20 %  d1b19def845b
       < 0.1 %  b9148b0faeaa
       < 0.1 %  39180e8fcc86
    state   stopped: imported; nothing was tested
    to go on: kbisect resume run
    --- exit status 0
    ");
    world.succeed(&["resume", "--quiet", "run"]);
    assert_eq!(named(&world.path("run")), Some(ids[4].clone()));
}

#[test]
fn the_trials_of_a_log_of_syzbots_are_evidence() {
    let world = World::new();
    let ids = line(&world, "repo", 16, 9, "exit 1");
    world.git("repo", &["tag", "v1.0", &ids[0]]);
    let run = |times: usize, said: &str| (0..times).map(|n| format!("run #{n}: {said}\n")).collect::<String>();
    let crash = "crashed: KASAN: use-after-free Read in ring_take";
    let log = format!(
        "bisecting cause commit starting from {start}\nbuilding syzkaller on {start}\ntesting commit {start} with gcc (GCC) 8.1.0\n{all}\
         testing release v1.0\ntesting commit {good} with gcc (GCC) 8.1.0\n{ok}# git bisect start {start} {good}\n\
         Bisecting: 7 revisions left to test after this (roughly 3 steps)\n[{mid}] change 8\ntesting commit {mid} with gcc (GCC) 8.1.0\n\
         {ok}# git bisect good {mid}\n",
        start = ids[15],
        good = ids[0],
        mid = ids[8],
        all = run(8, crash) + "run #8: crashed: WARNING in slot_put\nrun #9: OK\n",
        ok = run(9, "OK") + "run #9: boot failed: can't ssh into the instance\n",
    );
    fs::write(world.path("log"), log).unwrap();
    insta::assert_snapshot!(said(&world, &["import", "log", "--repo", "repo", "--out", "run", "--", "./test.sh"]), @r"
    --- stdout
    imported a log of syzbot: 30 trials in 3 tests of commits, taken over as evidence
    warning line 40: the log ends here, before its answer
    start   1a68eecfc590
    range   15 commits, 6 left
    to go on: kbisect resume run
    --- exit status 0
    ");
    insta::assert_snapshot!(said(&world, &["status", "run"]), @r"
    --- stdout
    face    KASAN: use-after-free Read in ring_take   (8 of 10 trials at the start commit)
    range   15 commits, 6 left
      commit        why         subject                               hit/clean/void/other   P(has the bug)  verdict
      1a68eecfc590  start       change 15                               8     1    0     1        1.000      bad
      947b274159d0  release     change 0                                0     9    1     0        0.000      good
      11fa1186c563              change 8                                0     9    1     0        0.001      good
    likeliest
          14 %  a576894446d0
          14 %  a5e493eff4a4
          14 %  357b13b7f7c8
          14 %  269d5c9086ec
          14 %  ad480a06b240
          14 %  50173a388ca5
          14 %  1a68eecfc590
       < 0.1 %  b9148b0faeaa
       < 0.1 %  39180e8fcc86
       < 0.1 %  bc37bc1f07e6
    so far  30 trials in [TIME]
    state   stopped: imported; nothing was tested
    to go on: kbisect resume run
    --- exit status 0
    ");
    insta::assert_snapshot!(said(&world, &["explain", "run", &ids[15]]), @r#"
    --- stdout
    1a68eecfc590 ("change 15")

    #1       tested as the start commit: its trials say which crash it is, and how
             often it shows
    before   the range is not known yet, P(has the bug) -
    trial 1    crashed: KASAN: use-after-free R…  -              P -
               s = .98, look 0: the same in all that is known of it: KASAN:
               use-after-free Read in ring_take
    trial 2    crashed: KASAN: use-after-free R…  -              P -
               s = .98, look 0
    trial 3    crashed: KASAN: use-after-free R…  -              P -
               s = .98, look 0
    trial 4    crashed: KASAN: use-after-free R…  -              P -
               s = .98, look 0
    trial 5    crashed: KASAN: use-after-free R…  -              P -
               s = .98, look 0
    trial 6    crashed: KASAN: use-after-free R…  -              P -
               s = .98, look 0
    trial 7    crashed: KASAN: use-after-free R…  -              P -
               s = .98, look 0
    trial 8    crashed: KASAN: use-after-free R…  -              P -
               s = .98, look 0
    trial 9    crashed: WARNING in slot_put       -              P -
               s = .01, look 1: unlike KASAN: use-after-free Read in ring_take: it
               is in fs/gfs2, the target in kernel/trace/ring_buffer, nothing
               connects slot_put and ring_take
    trial 10   clean                              -              P -
    after    the range is not known yet, P(has the bug) 1.000

    verdict  bad by sequential: 8 of 9 crashed, 1 other crash at the start commit
    now      15 commits, 6 left, 2.8 bits, P(has the bug) 1.000
             14 % that it is the one
              for      8 of 10 trials at 1 tested commit that contains it: crashed
                       18 of 18 trials at 2 tested commits without it: clean
              against  1 of 10 trials at 1 tested commit that contains it: clean
              parent   50173a388ca5: no trial
    --- exit status 0
    "#);
}

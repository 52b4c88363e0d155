//! `--assume` on run and resume.

use std::fs;

use super::*;
use crate::support::Planned;
use crate::support::named;
use crate::support::write_history;

#[test]
fn what_is_assumed_is_not_tested_and_shown_as_assumed() {
    let world = World::new();
    let ids = line(&world, "repo", 40, 23, "exit 1");
    let (good, bad, skip) = (format!("good={}", ids[20]), format!("bad={}", ids[30]), format!("skip={}", ids[25]));
    let more = ["--assume", "bad=main", "--assume", &good, "--assume", &bad, "--assume", &skip];
    world.succeed(&seeded_run_words(&ids[0], "run", &more));
    assert_eq!(named(&world.path("run")), Some(ids[23].clone()));
    let tested = tested(&world, "run");
    for (place, id) in ids.iter().enumerate().filter(|(place, _)| *place > 0 && *place <= 20 || *place >= 30 || *place == 25) {
        assert!(!tested.contains(id), "{place} was tested");
    }
    insta::assert_snapshot!(said(&world, &["status", "run"]), @r#"
    --- stdout
    range   39 commits, 0 left
      commit        why         subject                               hit/clean/void/other   P(has the bug)  verdict
      947b274159d0  good end    change 0                                0     1    0     0        0.000      open
      3bcacbd7edd7              change 24                               1     0    0     0        1.000      open
      7e2c1719d038              change 22                               0     5    0     0        0.003      open
      0cad0091aca4              change 23                               2     0    0     0        1.000      bad
      146cf7c1e526  assumed     change 30                             no trial                             bad
      33938fcbc5c1  assumed     change 20                             no trial                             good
      59aa3c73d0be  assumed     change 39                             no trial                             bad
      cef520a241d3  assumed     change 25                             no trial                             skip

    Culprit, 99.7 %:

      commit 0cad0091aca4 ("change 23")
      Author: A U Thor <author@example.org>

     number  | 2 +-
     test.sh | 2 +-
     2 files changed, 2 insertions(+), 2 deletions(-)

    Crash: exit status 1
      (in 3 trials, reported at 59aa3c73d0be ("change 39"), which is NOT the
        culprit)
    Assumed: 146cf7c1e526 is bad
    Assumed: 33938fcbc5c1 is good
    Assumed: 59aa3c73d0be is bad
    Assumed: cef520a241d3 is untestable
    Evidence (same configuration, same compiler):
      culprit    0cad0091aca4    2 of 2 trials crash with it
      parent     7e2c1719d038    0 of 5 trials crash with it
    Mended already? None of 16 newer commits says so
    Not counted: nothing
    Checks: parent PASS
    Machine: a process on the host
    Test: ./test.sh {trial_seed}, for at most 5m
    Reproduce: sh reproduce.sh
    Files: git-bisect.log
    To: A U Thor <author@example.org>  (author of the culprit)
    No person has checked this result.

    If you fix it, please add as appropriate:
    | Fixes: 0cad0091aca4 ("change 23")

    Details of the bisection:
    Effort: 9 trials on 4 commits in [TIME]
    --- exit status 0
    "#);
}

#[test]
fn a_strategy_of_git_takes_assumptions_for_verdicts() {
    let world = World::new();
    let ids = line(&world, "repo", 40, 23, "exit 1");
    let (good, bad) = (format!("good={}", ids[20]), format!("bad={}", ids[24]));
    let more = ["--strategy", "git", "--assume", &good, "--assume", &bad];
    world.succeed(&seeded_run_words(&ids[0], "run", &more));
    assert_eq!(named(&world.path("run")), Some(ids[23].clone()));
    assert!(tested(&world, "run").iter().all(|id| *id != ids[20] && *id != ids[24]));
}

#[test]
fn a_run_that_was_stopped_goes_on_with_an_assumption() {
    let world = World::new();
    let ids = line(&world, "repo", 40, 23, "exit 1");
    world.cut_short(&seeded_run_words(&ids[0], "run", &[]), 14);
    let before = tested(&world, "run");
    let (good, bad) = (format!("good={}", ids[22]), format!("bad={}", ids[24]));
    world.succeed(&["resume", "--quiet", "--assume", &good, "--assume", &bad, "run"]);
    assert_eq!(named(&world.path("run")), Some(ids[23].clone()));
    let after = &tested(&world, "run")[before.len()..];
    assert!(after.contains(&ids[23]) && after.iter().all(|id| *id == ids[23] || *id == ids[0]), "{after:?}");
    // An answer that was given is given up for an assumption, and found again when it is taken back.
    let other = format!("good={}", ids[23]);
    insta::assert_snapshot!(said(&world, &["resume", "--quiet", "--assume", &other, "run"]), @r#"
    --- stdout

    Culprit, > 99.9 %:

      commit 3bcacbd7edd7 ("change 24")
      Author: A U Thor <author@example.org>

     number | 2 +-
     1 file changed, 1 insertion(+), 1 deletion(-)

    Crash: exit status 1
      (in 5 trials, seen on 59aa3c73d0be ("change 39"), which is NOT the
        culprit)
    Assumed: 0cad0091aca4 is good
    Assumed: 3bcacbd7edd7 is bad
    Assumed: 7e2c1719d038 is good
    Evidence (same configuration, same compiler):
      parent     0cad0091aca4    2 of 2 trials crash with it
      start      59aa3c73d0be    3 of 3 trials crash with it
    Mended already? None of 15 newer commits says so
    Not counted: nothing
    Checks: parent FAIL
    Machine: a process on the host
    Test: ./test.sh {trial_seed}, for at most 5m
    Reproduce: sh reproduce.sh
    Files: git-bisect.log
    To: A U Thor <author@example.org>  (author of the culprit)
    No person has checked this result.

    Details of the bisection:
    Effort: 6 trials on 3 commits in [TIME]
    --- exit status 0
    "#);
    insta::assert_snapshot!(said(&world, &["undo", "run", &ids[23]]), @r#"
    --- stdout
    undone  at 0cad0091aca4 ("change 23")
            assumed     good
    verdict bad, was good
    P(bad)  1.000, was 0.000
    range   39 commits, 0 left, 0.0 bits, was 39 commits, 0 left, 0.0 bits
            > 99.9 %  0cad0091aca4
             < 0.1 %  3bcacbd7edd7
             < 0.1 %  b9148b0faeaa
    answer  the one that was given no longer stands
    to go on: kbisect resume run
    --- exit status 0
    "#);
}

#[test]
fn contradictions_are_errors_before_any_work() {
    let world = World::new();
    let ids = line(&world, "repo", 8, 4, "exit 1");
    let refused = |assume: &[String]| {
        let more: Vec<&str> = assume.iter().flat_map(|one| ["--assume", one.as_str()]).collect();
        let said = said(&world, &seeded_run_words(&ids[0], "run", &more));
        assert!(!world.path("run").exists(), "{said}");
        said
    };
    insta::assert_snapshot!(refused(&[format!("good={}", ids[5]), format!("bad={}", ids[5])]), @r"
    --- stderr
    error: commit 8a285923961c012bd41c6cfdc9b649b979a802c3 is assumed to be good and bad
    hint: an assumption of an earlier command is taken back with: kbisect undo DIR COMMIT
    --- exit status 2
    ");
    insta::assert_snapshot!(refused(&[format!("good={}", ids[6]), format!("bad={}", ids[3])]), @r"
    --- stderr
    error: good commit 8589313df4433524086e2982753733cc56dc86a4 contains bad commit bc37bc1f07e61cb98ca902d90b73ebdc5f88c120: the crash would have been fixed between them
    hint: an assumption of an earlier command is taken back with: kbisect undo DIR COMMIT
    --- exit status 2
    ");
    insta::assert_snapshot!(refused(&["good=main".to_owned()]), @r"
    --- stderr
    error: the start commit d1b19def845b89f29c698301551218b1575efe50 is where the crash was seen: it cannot be assumed to be anything but bad
    --- exit status 2
    ");
    insta::assert_snapshot!(refused(&[format!("bad={}", ids[0])]), @r"
    --- stderr
    error: good commit 947b274159d01b8fb8442fd766d6bcb01e11bcb9 contains bad commit 947b274159d01b8fb8442fd766d6bcb01e11bcb9: the crash would have been fixed between them
    hint: an assumption of an earlier command is taken back with: kbisect undo DIR COMMIT
    --- exit status 2
    ");
    insta::assert_snapshot!(refused(&["bad=v9.9".to_owned()]), @r"
    --- stderr
    error: `v9.9` names no commit in `[DIR]/repo/`
    hint: fetch the tag: git -C [DIR]/repo/ fetch https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git tag v9.9
    --- exit status 2
    ");
    insta::assert_snapshot!(refused(&["fine=main".to_owned()]), @r"
    --- stderr
    error: invalid value 'fine=main' for '--assume <VERDICT=COMMIT>': `fine` is no verdict: write good=, bad= or skip=

    For more information, try '--help'.
    --- exit status 2
    ");

    world.succeed(&seeded_run_words(&ids[0], "run", &["--assume", &format!("bad={}", ids[5])]));
    let journal = fs::read(world.path("run/journal.jsonl")).unwrap();
    insta::assert_snapshot!(said(&world, &["resume", "--assume", &format!("good={}", ids[6]), "run"]), @r"
    --- stderr
    error: good commit 8589313df4433524086e2982753733cc56dc86a4 contains bad commit 8a285923961c012bd41c6cfdc9b649b979a802c3: the crash would have been fixed between them
    hint: an assumption of an earlier command is taken back with: kbisect undo DIR COMMIT
    --- exit status 2
    ");
    insta::assert_snapshot!(said(&world, &["resume", "--assume", &format!("skip={}", ids[5]), "run"]), @r"
    --- stderr
    error: commit 8a285923961c012bd41c6cfdc9b649b979a802c3 is assumed to be bad and skip
    hint: an assumption of an earlier command is taken back with: kbisect undo DIR COMMIT
    --- exit status 2
    ");
    assert_eq!(fs::read(world.path("run/journal.jsonl")).unwrap(), journal);
}

#[test]
fn a_start_commit_that_is_not_tested_cannot_show_which_crash_is_looked_for() {
    let world = World::new();
    let ids = line(&world, "repo", 4, 2, "echo 'BUG: bad' ; exit 0");
    let job = format!(
        "repo = \"repo\"\nbad = \"main\"\ngood = \"{}\"\n[machine]\nkind = \"process\"\n\
         [trial]\ncommand = [\"./test.sh\"]\nexpect = \"crash\"\n",
        ids[0]
    );
    fs::write(world.path("job.toml"), job).unwrap();
    insta::assert_snapshot!(said(&world, &["run", "--quiet", "job.toml", "--assume", "bad=main", "--out", "run"]), @r#"
    --- stderr
    error: the start commit 7fab3070b1f1 is assumed to be bad: without a trial there nothing says which crash is looked for
    hint: name the crash in the job file: title = "…", or crash = "console.txt"
    hint: or leave the assumption out: the trials at the start commit show the crash
    --- exit status 2
    "#);
}

#[test]
fn a_merge_base_that_is_assumed_good_is_not_tested() {
    let world = World::new();
    // 0 is the fork; 1 to 3 are the good branch, 4 to 9 the bad one.
    let script = |bad: bool| format!("#!/bin/sh\nexit {}\n", u8::from(bad));
    let commits: Vec<Planned> = (0..10)
        .map(|place| {
            let parents: &[usize] = if place == 0 {
                &[]
            } else if place == 4 {
                &[0]
            } else {
                &[place - 1]
            };
            Planned::on(parents, format!("change {place}"))
                .file("number", place.to_string())
                .script("test.sh", script(place >= 7))
        })
        .collect();
    let ids = write_history(&world, "repo", &commits, &[]);
    let assume = format!("good={}", ids[0]);
    world.succeed(&seeded_run_words(&ids[3], "run", &["--assume", &assume]));
    assert_eq!(named(&world.path("run")), Some(ids[7].clone()));
    assert!(!tested(&world, "run").contains(&ids[0]));
}

//! `kbisect trial`.

use super::*;
use crate::support::named;

#[test]
fn trials_by_hand_are_evidence_like_any_other() {
    let (world, ids) = short_run();
    let before = events(&world, "run", "trial-ended").len();
    insta::assert_snapshot!(said(&world, &["trial", "run", &ids[2], "-n", "5", "--quiet"]), @r#"
    --- stdout

    Culprit, 99.8 %:

      commit 3db1e3895b2c ("change 4")
      Author: A U Thor <author@example.org>

     number  | 2 +-
     test.sh | 2 +-
     2 files changed, 2 insertions(+), 2 deletions(-)

    Crash: exit status 1
      (in 6 trials, seen on d1b19def845b ("change 7"), which is NOT the
        culprit)
    Evidence (same configuration, same compiler):
      culprit    3db1e3895b2c    2 of 2 trials crash with it
      parent     bc37bc1f07e6    0 of 3 trials crash with it
      start      d1b19def845b    3 of 3 trials crash with it
    Mended already? None of 3 newer commits says so
    Not counted: nothing
    Checks: parent PASS
    Machine: a process on the host
    Test: ./test.sh {trial_seed}, for at most 5m
    Reproduce: sh reproduce.sh
    Files: git-bisect.log
    To: A U Thor <author@example.org>  (author of the culprit)
    No person has checked this result.

    If you fix it, please add as appropriate:
    | Fixes: 3db1e3895b2c ("change 4")

    Details of the bisection:
    Effort: 15 trials on 6 commits in [TIME]
    --- exit status 0
    "#);
    let trials = events(&world, "run", "trial-ended");
    assert_eq!(trials.len(), before + 5);
    assert!(trials[before..].iter().all(|entry| entry["commit"] == ids[2].as_str() && entry["outcome"] == "clean"));
    assert_eq!(named(&world.path("run")), Some(ids[4].clone()), "the answer is given anew");
    insta::assert_snapshot!(said(&world, &["trial", "run", "v9.9"]), @r"
    --- stderr
    error: `v9.9` names no commit in `[DIR]/repo/`
    hint: fetch the tag: git -C [DIR]/repo/ fetch https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git tag v9.9
    --- exit status 2
    ");
    insta::assert_snapshot!(said(&world, &["trial", "run", &ids[2], "-n", "0"]), @r"
    --- stderr
    error: invalid value '0' for '--trials <N>': 0 is not in 1..=1000

    For more information, try '--help'.
    --- exit status 2
    ");
}

#[test]
fn trials_by_hand_in_a_run_without_an_answer() {
    let world = World::new();
    let ids = line(&world, "repo", 40, 23, "exit 1");
    world.cut_short(&seeded_run_words(&ids[0], "run", &[]), 14);
    insta::assert_snapshot!(said(&world, &["trial", "run", &ids[24], "-n", "2"]), @r#"
    --- stdout
    range   not known yet
      commit        why         subject                               hit/clean/void/other   P(has the bug)  verdict
      59aa3c73d0be  start       change 39                               3     0    0     0        1.000      bad
      3bcacbd7edd7              change 24                               2     0    0     0        1.000      bad
    so far  5 trials in [TIME]
    state   stopped: the trials that were asked for are made
    to go on: kbisect resume run
    --- stderr
    start   59aa3c73d0be ("change 39"), good at 947b274159d0
    target  exit status 1   (start commit)
    face    exit status 1   (3 of 3 trials at the start commit)
    resumed; what was done before is kept, and counted below
    by hand 2 trials at 3bcacbd7edd7 ("change 24")
      #  commit        why          subject                                   hit/clean/void/other   P(has the bug)
      1  59aa3c73d0be  start        change 39                                   3     0    0     0     1.000
      2  3bcacbd7edd7               change 24                                   2     0    0     0     1.000
    stopped: the trials that were asked for are made
    --- exit status 0
    "#);
    world.succeed(&["resume", "--quiet", "run"]);
    assert_eq!(named(&world.path("run")), Some(ids[23].clone()));
}

#[test]
fn a_commit_outside_of_the_history_is_refused() {
    let (world, ids) = short_run();
    world.git("repo", &["-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-q", "--allow-empty", "-m", "later"]);
    let later = world.git("repo", &["rev-parse", "HEAD"]);
    assert_ne!(later, ids[7]);
    let said = said(&world, &["trial", "run", "HEAD"]).replace(&later[..12], "[LATER]");
    insta::assert_snapshot!(said, @r"
    --- stderr
    error: commit [LATER] is not in the history at hand
    hint: a trial tells something at commits that the start commit or a good end contains
    --- exit status 2
    ");
}

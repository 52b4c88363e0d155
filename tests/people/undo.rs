//! `kbisect undo`.

use std::fs;

use super::*;
use crate::support::WAITS;
use crate::support::named;
use crate::support::until_it_waits;

#[test]
fn a_trial_is_taken_back_and_the_run_goes_on() {
    let (world, ids) = short_run();
    insta::assert_snapshot!(said(&world, &["undo", "run"]), @r#"
    --- stdout
    undone  at bc37bc1f07e6 ("change 3")
            trial 10    clean
    verdict open, was good
    P(bad)  0.011, was 0.004
    range   7 commits, 1 left, 0.1 bits, was 7 commits, 0 left, 0.0 bits
                99 %  3db1e3895b2c
               0.4 %  b9148b0faeaa
               0.4 %  39180e8fcc86
    answer  the one that was given no longer stands
    to go on: kbisect resume run
    --- exit status 0
    "#);
    assert!(!world.path("run/report.txt").exists(), "the answer no longer stands");
    assert!(!fs::read_to_string(world.path("run/bisect.log")).unwrap().contains("first bad commit"));
    world.succeed(&["resume", "--quiet", "run"]);
    assert_eq!(named(&world.path("run")), Some(ids[4].clone()));
    // Another trial took its place, with a console of its own.
    let trials = events(&world, "run", "trial-ended");
    let last = trials.last().unwrap();
    let gone = &events(&world, "run", "retracted")[0]["trials"][0];
    let before = trials.iter().find(|entry| entry["trial"] == *gone).unwrap();
    assert_eq!(last["commit"], before["commit"]);
    assert_ne!(last["n"], before["n"]);
}

#[test]
fn a_commits_trials_are_taken_back_together() {
    let (world, ids) = short_run();
    insta::assert_snapshot!(said(&world, &["undo", "run", &ids[4]]), @r#"
    --- stdout
    undone  at 3db1e3895b2c ("change 4")
            trial 7     crashed: exit status 1
            trial 9     crashed: exit status 1
    verdict open, was bad
    P(bad)  -, was 1.000
    range   7 commits, 2 left, 1.1 bits, was 7 commits, 0 left, 0.0 bits
                49 %  3db1e3895b2c
                49 %  8a285923961c
               0.4 %  8589313df443
    answer  the one that was given no longer stands
    to go on: kbisect resume run
    --- exit status 0
    "#);
    insta::assert_snapshot!(said(&world, &["undo", "run", &ids[4]]), @r"
    --- stderr
    error: there is nothing to undo at 3db1e3895b2c: no trial and no assumption
    --- exit status 2
    ");
    insta::assert_snapshot!(said(&world, &["undo", "run", "2"]), @r#"
    --- stdout
    undone  at d1b19def845b ("change 7")
            trial 2     crashed: exit status 1
    verdict open, was bad
    P(bad)  0.500, was 1.000
    range   not known, was 7 commits, 2 left, 1.1 bits
    to go on: kbisect resume run
    --- exit status 0
    "#);
    insta::assert_snapshot!(said(&world, &["undo", "run", "2"]), @r"
    --- stderr
    error: there is no trial 2, or it was taken back: those that stand are between 1 and 10
    hint: kbisect explain DIR COMMIT lists the trials of a commit with their numbers
    --- exit status 2
    ");
    insta::assert_snapshot!(said(&world, &["undo", "run", "v1.0"]), @r"
    --- stderr
    error: `v1.0` names no commit in `[DIR]/repo/`
    hint: fetch the tag: git -C [DIR]/repo/ fetch https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git tag v1.0
    --- exit status 2
    ");
    insta::assert_snapshot!(said(&world, &["undo", "nowhere"]), @r"
    --- stderr
    error: `nowhere` holds no run: there is no journal.jsonl in it
    --- exit status 2
    ");
    world.succeed(&["resume", "--quiet", "run"]);
    assert_eq!(named(&world.path("run")), Some(ids[4].clone()));
}

#[test]
fn undo_is_refused_while_the_run_goes_on() {
    let world = World::new();
    let ids = line(&world, "repo", 8, 4, &format!("{WAITS}; exit 1"));
    let mut run = until_it_waits(&world, &seeded_run_words(&ids[0], "run", &[]));
    let output = world.kbisect(&["undo", "run"]).output().unwrap();
    fs::write(world.path("go"), "").unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(0));
    let said = world.shown(&output).replace(&format!("process {} on", run.id()), "process [ID] on");
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    insta::assert_snapshot!(said.replace(&host, "[HOST]"), @r"
    --- stderr
    error: `[DIR]/run` is in use by kbisect, process [ID] on [HOST]
    --- exit status 2
    ");
}

#[test]
fn an_undo_that_is_killed_happened_or_did_not() {
    let (world, ids) = short_run();
    let run = world.path("run");
    let before = fs::read(run.join("journal.jsonl")).unwrap();
    let undo = ["undo", "run", &ids[4]];
    world.cut_short(&undo, 1);
    let after = fs::read(run.join("journal.jsonl")).unwrap();
    assert!(after.starts_with(&before), "what was journalled before is there");
    // Killed behind its event: it happened, whatever the result's files say.
    assert!(run.join("report.txt").exists());
    assert!(said(&world, &["status", "run"]).contains("to go on: kbisect resume run"));
    // Killed while it wrote: it did not, wherever the line tore.
    for cut in [before.len() + 1, (before.len() + after.len()) / 2, after.len() - 1] {
        fs::write(run.join("journal.jsonl"), &after[..cut]).unwrap();
        assert!(said(&world, &["status", "run"]).contains("Culprit"), "cut at {cut}");
    }
    world.succeed(&undo);
    world.succeed(&["resume", "--quiet", "run"]);
    assert_eq!(named(&run), Some(ids[4].clone()));
}

#[test]
fn a_run_resumed_after_an_undo_and_killed_after_every_event_ends_the_same() {
    let world = World::new();
    let ids = line(&world, "repo", 24, 15, FLAKY);
    for run in ["whole", "cut"] {
        world.succeed(&seeded_run_words(&ids[0], run, &[]));
        world.succeed(&["undo", run, &ids[15]]);
    }
    world.succeed(&["resume", "--quiet", "whole"]);
    loop {
        let output = world.kbisect(&["resume", "--quiet", "cut"]).env("KBISECT_TEST_ABORT_AFTER", "2").output().unwrap();
        match output.status.code() {
            None => {}
            code => {
                assert_eq!(code, Some(0), "{}", world.shown(&output));
                break;
            }
        }
    }
    assert_eq!(crate::support::evidence(&world.path("cut")), crate::support::evidence(&world.path("whole")));
    assert_eq!(named(&world.path("cut")), Some(ids[15].clone()));
}

//! Runs that are stopped: by a signal, the deadline, or a broken host; each goes on afterwards and comes to its answer.

use std::fs;

use rustix::process::Signal;

use super::RESUME;
use super::RUN;
use super::RUN_JOB;
use super::project;
use super::said;
use super::shown;
use super::signal;
use super::spawn;
use super::until;
use super::wait;
use super::write_job;
use crate::support::World;
use crate::support::journal;
use crate::support::named;

/// Fails once `$GO` is there, and says in `$THERE` that it waits.
const WAITS: &str = "touch \"$THERE\"; while [ ! -e \"$GO\" ]; do sleep .02; done; exit 1";

/// Resumes a run and sees that it finds the culprit.
fn goes_on(world: &World, ids: &[String]) {
    fs::write(world.path("go"), "").unwrap();
    let resumed = wait(spawn(world.kbisect(&RESUME).env("THERE", world.path("there")).env("GO", world.path("go"))));
    assert_eq!(resumed.status.code(), Some(0), "{}", world.shown(&resumed));
    assert_eq!(named(&world.path("run")), Some(ids[4].clone()));
}

#[test]
fn one_signal_waits_for_what_runs() {
    for stop in [Signal::INT, Signal::TERM, Signal::HUP] {
        let (world, ids) = project(WAITS);
        let (there, go) = (world.path("there"), world.path("go"));
        let run = spawn(world.kbisect(&RUN).env("THERE", &there).env("GO", &go));
        until("the first trial", || there.exists());
        signal(run.id(), stop);
        until("the signal is taken in", || fs::read_to_string(world.path("run/journal.jsonl")).unwrap().contains("\"stopping\""));
        fs::write(&go, "").unwrap();
        let said = world.shown(&wait(run));
        insta::allow_duplicates! { insta::assert_snapshot!(said, @r"
        --- stderr
        stopped: by a signal
        to go on: kbisect resume run
        --- exit status 130
        "); }
        goes_on(&world, &ids);
    }
}

#[test]
fn two_signals_kill_what_runs() {
    let (world, ids) = project(WAITS);
    let (there, go) = (world.path("there"), world.path("go"));
    let run = spawn(world.kbisect(&RUN).env("THERE", &there).env("GO", &go));
    until("the first trial", || there.exists());
    signal(run.id(), Signal::INT);
    until("the signal is taken in", || fs::read_to_string(world.path("run/journal.jsonl")).unwrap().contains("\"stopping\""));
    signal(run.id(), Signal::INT);
    insta::assert_snapshot!(world.shown(&wait(run)), @r"
    --- stderr
    stopped: by a signal
    to go on: kbisect resume run
    --- exit status 130
    ");
    goes_on(&world, &ids);
}

#[test]
fn the_deadline() {
    let (world, ids) = project(WAITS);
    write_job(&world, "[limits]\ndeadline = \"1s\"\n");
    let (there, go) = (world.path("there"), world.path("go"));
    insta::assert_snapshot!(shown(&world, world.kbisect(&RUN_JOB).env("THERE", &there).env("GO", &go)), @r"
    --- stderr
    stopped: the deadline was reached
    to go on: kbisect resume run
    --- exit status 7
    ");
    assert!(there.exists(), "it had begun");
    insta::assert_snapshot!(said(&world, &["status", "run"]), @r"
    --- stdout
    range   not known yet
    no trial has ended yet
    state   stopped: the deadline was reached
    to go on: kbisect resume run
    --- exit status 0
    ");
    let frozen = world.path("run/job.toml");
    let longer = fs::read_to_string(&frozen).unwrap().replace("deadline = \"1s\"", "deadline = \"1h\"");
    fs::write(&frozen, longer).unwrap();
    goes_on(&world, &ids);
}

#[test]
fn five_failures_of_the_host_in_a_row() {
    // The trial at the start commit takes the repository away; the next checkout needs it.
    let (world, ids) = project("[ -e \"$AWAY\" ] || mv \"$REPO\" \"$AWAY\"; exit 1");
    let mut command = world.kbisect(&RUN);
    insta::assert_snapshot!(shown(&world, command.env("REPO", world.path("repo")).env("AWAY", world.path("away"))), @r"
    --- stderr
    error: 5 infrastructure failures in a row; the last: `[DIR]/repo` is not a git repository, nor inside one
    hint: to go on: kbisect resume run
    --- exit status 6
    ");
    fs::rename(world.path("away"), world.path("repo")).unwrap();
    fs::write(world.path("away"), "").unwrap();
    let resumed = wait(spawn(world.kbisect(&RESUME).env("AWAY", world.path("away"))));
    assert_eq!(resumed.status.code(), Some(0), "{}", world.shown(&resumed));
    assert_eq!(named(&world.path("run")), Some(ids[4].clone()));
}

#[test]
fn an_end_right_after_the_first_event_keeps_the_stated_target() {
    let (world, ids) = project("exit 1");
    write_job(&world, "title = \"exit status 1\"\n");
    let killed = wait(spawn(world.kbisect(&RUN_JOB).env("KBISECT_TEST_ABORT_AFTER", "1")));
    assert_eq!(killed.status.code(), None, "{}", world.shown(&killed));
    goes_on(&world, &ids);
    // Stated once, before the start commit's trials add what they showed of it.
    let stated = |entry: &serde_json::Value| {
        entry["event"] == "target" && entry["origin"] == "title" && entry["faces"].as_array().unwrap().len() == 1
    };
    assert_eq!(journal(&world.path("run")).iter().filter(|entry| stated(entry)).count(), 1);
}

//! `kbisect run JOB.toml` on small projects: what only job files can say.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use support::World;
use support::journal;
use support::line;
use support::named;

/// Writes a program of the test's own.
fn script(world: &World, name: &str, body: &str) {
    let path = world.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The project's ends, as a job's first lines.
fn job(rest: &str) -> String {
    format!("repo = \"repo\"\nbad = \"v1.1\"\ngood = \"v1.0\"\n{rest}")
}

#[test]
fn a_failure_to_build_is_the_target_on_every_machine() {
    let world = World::new();
    let ids = line(&world, "repo", 12, 7, "exit 1");
    world.git("repo", &["tag", "v1.0", &ids[0]]);
    world.git("repo", &["tag", "v1.1", &ids[11]]);
    let build = "[target]\nstage = \"build\"\n[build]\ncommand = [\"./test.sh\"]\n";
    let kernel = "[target]\nstage = \"build\"\n[build]\ncommand = [\"sh\", \"-c\", \"cp number {out}/kernel && ./test.sh\"]\n";
    for (run, text) in [("process", format!("{build}[machine]\nkind = \"process\"\n")), ("qemu", kernel.to_owned())] {
        fs::write(world.path("job.toml"), job(&text)).unwrap();
        world.succeed(&["run", "--quiet", "job.toml", "--out", run]);
        assert_eq!(named(&world.path(run)), Some(ids[7].clone()));
    }
}

#[test]
fn a_reproducer_on_the_host_runs_beside_its_neighbours_while_it_is_unchanged() {
    let world = World::new();
    let ids = line(&world, "repo", 12, 7, "exit 1");
    world.git("repo", &["tag", "v1.0", &ids[0]]);
    world.git("repo", &["tag", "v1.1", &ids[11]]);
    script(&world, "mine/repro", ". \"$(dirname \"$0\")/limit\" && [ \"$(cat number)\" -lt \"$limit\" ]");
    fs::write(world.path("mine/limit"), "limit=7\n").unwrap();
    fs::write(world.path("job.toml"), job("repro = \"mine/repro\"\n[machine]\nkind = \"process\"\n")).unwrap();
    world.succeed(&["run", "--quiet", "job.toml", "--out", "run"]);
    assert_eq!(named(&world.path("run")), Some(ids[7].clone()));

    // Once it is another file, the copy runs.
    script(&world, "mine/repro", "[ \"$(cat number)\" -lt 7 ]");
    let killed = world.kbisect(&["run", "--quiet", "job.toml", "--out", "copied"]).env("KBISECT_TEST_ABORT_AFTER", "8").output();
    assert_eq!(killed.unwrap().status.code(), None);
    assert!(!journal(&world.path("copied")).iter().any(|entry| entry["event"] == "concluded"));
    script(&world, "mine/repro", "exit 0");
    world.succeed(&["resume", "--quiet", "copied"]);
    assert_eq!(named(&world.path("copied")), Some(ids[7].clone()));
}

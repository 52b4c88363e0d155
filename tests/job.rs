//! `kbisect run JOB.toml` on small projects: what only job files can say.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::World;
use crate::support::journal;
use crate::support::line;
use crate::support::named;

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

#[test]
fn c_source_is_compiled_once_and_the_program_is_kept() {
    let world = World::new();
    let ids = line(&world, "repo", 12, 7, "exit 1");
    world.git("repo", &["tag", "v1.0", &ids[0]]);
    world.git("repo", &["tag", "v1.1", &ids[11]]);
    fs::create_dir(world.path("mine")).unwrap();
    fs::write(world.path("mine/limit.h"), "#define LIMIT 7\n").unwrap();
    let source = "#include <stdio.h>\n#include \"limit.h\"\n\
        int main(void) { int n = -1; FILE *f = fopen(\"number\", \"r\"); fscanf(f, \"%d\", &n); return n < LIMIT ? 0 : 1; }\n";
    fs::write(world.path("mine/repro.c"), source).unwrap();
    let text = job("[machine]\nkind = \"process\"\n[repro]\nfile = \"mine/repro.c\"\n");
    fs::write(world.path("job.toml"), &text).unwrap();
    let killed = world.kbisect(&["run", "--quiet", "job.toml", "--out", "run"]).env("KBISECT_TEST_ABORT_AFTER", "8").output();
    assert_eq!(killed.unwrap().status.code(), None);
    // What becomes of the source does not matter to the run, which names source and program.
    fs::write(world.path("mine/repro.c"), "no C").unwrap();
    world.succeed(&["resume", "--quiet", "run"]);
    assert_eq!(named(&world.path("run")), Some(ids[7].clone()));
    let frozen: toml::Table = fs::read_to_string(world.path("run/job.toml")).unwrap().parse().unwrap();
    let kept = |key: &str| fs::read(world.path("run").join(frozen["repro"][key].as_str().unwrap())).unwrap();
    assert_eq!(kept("source"), source.as_bytes());
    assert!(kept("file").starts_with(b"\x7fELF"));

    // Source that does not compile is one error, before anything is run.
    let refused = world.kbisect(&["run", "--quiet", "job.toml", "--out", "other"]).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("gcc cannot compile repro.c:\nerror:   repro.c:1:1: error: "), "{said}");
    assert!(!world.path("other/journal.jsonl").exists());
}

#[test]
fn of_a_folder_its_entry_is_run() {
    let world = World::new();
    let ids = line(&world, "repo", 12, 7, "exit 1");
    world.git("repo", &["tag", "v1.0", &ids[0]]);
    world.git("repo", &["tag", "v1.1", &ids[11]]);
    script(&world, "mine/bin/run", "exec \"$(dirname \"$0\")/../check\" \"$(cat number)\"");
    script(&world, "mine/check", "[ \"$1\" -lt 7 ]");
    let text = |entry: &str| job(&format!("[machine]\nkind = \"process\"\n[repro]\nfile = \"mine\"\n{entry}\n"));
    fs::write(world.path("job.toml"), text("entry = \"bin/run\"")).unwrap();
    world.succeed(&["run", "--quiet", "job.toml", "--out", "run"]);
    assert_eq!(named(&world.path("run")), Some(ids[7].clone()));
    for (entry, expected) in [
        ("", "mine is a folder; `entry` says what is run of it"),
        ("entry = \"none\"", "[repro] `entry`: there is no file none in "),
        ("entry = \"../job.toml\"", "must be a path inside the folder, such as \"run.sh\""),
    ] {
        fs::write(world.path("job.toml"), text(entry)).unwrap();
        let said = String::from_utf8(world.kbisect(&["check", "job.toml"]).output().unwrap().stderr).unwrap();
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn what_a_suite_skips_says_nothing() {
    let world = World::new();
    let ids = line(&world, "repo", 12, 7, "exit 1");
    world.git("repo", &["tag", "v1.0", &ids[0]]);
    world.git("repo", &["tag", "v1.1", &ids[11]]);
    // Two commits are not for this configuration: one says so by its status, one in its output.
    script(&world, "repro", "n=$(cat number)\n[ $n = 5 ] && exit 4\n[ $n = 6 ] && echo 'ok 1 a # SKIP no'\n[ $n -lt 7 ]");
    let text = job("[machine]\nkind = \"process\"\n[repro]\nfile = \"repro\"\nsuite = \"kselftest\"\n");
    fs::write(world.path("job.toml"), text).unwrap();
    let output = world.kbisect(&["run", "--quiet", "job.toml", "--out", "run"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stdout));
    let voids: Vec<String> = journal(&world.path("run"))
        .iter()
        .filter_map(|entry| Some(entry["outcome"]["void"]["reason"].as_str()?.to_owned()))
        .collect();
    for reason in ["exit status 4: the selftest was skipped (KSFT_SKIP)", "the selftest skipped all that it tests: no"] {
        assert!(voids.iter().any(|void| void == reason), "{voids:?}");
    }
}

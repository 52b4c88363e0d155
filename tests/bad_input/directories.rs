//! Run directories that are full, foreign, damaged, in use or elsewhere; and repositories that have moved.

use std::fs;
use std::process::Command;

use super::RESUME;
use super::RUN;
use super::guests;
use super::project;
use super::said;
use super::script;
use super::shown;
use super::spawn;
use super::until;
use super::wait;
use crate::support::World;
use crate::support::named;

/// A run in `run` that was killed after its sixth event.
fn killed_run() -> (World, Vec<String>) {
    let (world, ids) = project("exit 1");
    let killed = wait(spawn(world.kbisect(&RUN).env("KBISECT_TEST_ABORT_AFTER", "6")));
    assert_eq!(killed.status.code(), None, "{}", world.shown(&killed));
    (world, ids)
}

#[test]
fn a_directory_that_holds_no_run() {
    let (world, _) = project("exit 1");
    insta::assert_snapshot!(said(&world, &["resume", "home"]), @r"
    --- stderr
    error: `home` holds no run: there is no journal.jsonl in it
    --- exit status 2
    ");
    insta::assert_snapshot!(said(&world, &["resume", "nowhere"]), @r"
    --- stderr
    error: `nowhere` holds no run: there is no journal.jsonl in it
    --- exit status 2
    ");
    insta::assert_snapshot!(said(&world, &["status", "home"]), @r"
    --- stderr
    error: `home` holds no run: there is no journal.jsonl in it
    --- exit status 2
    ");
    insta::assert_snapshot!(said(&world, &["log", "home"]), @r"
    --- stderr
    error: `home` holds no run: there is no journal.jsonl in it
    --- exit status 2
    ");
}

#[test]
fn a_directory_that_holds_something_else() {
    let (world, _) = project("exit 1");
    fs::create_dir(world.path("run")).unwrap();
    fs::write(world.path("run/mine"), "").unwrap();
    insta::assert_snapshot!(said(&world, &RUN), @r"
    --- stderr
    error: `[DIR]/run` is not empty: it holds `mine`
    hint: name a new or empty directory with --out
    --- exit status 2
    ");
    assert_eq!(fs::read_dir(world.path("run")).unwrap().count(), 1, "what is not ours is left alone");
}

#[test]
fn a_directory_that_is_a_file() {
    let (world, _) = project("exit 1");
    fs::write(world.path("run"), "").unwrap();
    insta::assert_snapshot!(said(&world, &RUN), @r"
    --- stderr
    error: cannot create `run`: File exists (os error 17)
    --- exit status 2
    ");
}

#[test]
fn a_directory_where_none_can_be_made() {
    let (world, ids) = project("exit 1");
    let args = ["run", "--repo", "repo", "--bad", "main", "--good", &ids[0], "--out", "/proc/run", "--", "./test.sh"];
    insta::assert_snapshot!(said(&world, &args), @r"
    --- stderr
    error: cannot create `/proc/run`: no directory can be made there
    hint: name another directory with --out
    --- exit status 2
    ");
}

#[test]
fn a_run_of_another_version() {
    let (world, _) = killed_run();
    let journal = world.path("run/journal.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    let other = text.replacen("\"format\":1", "\"format\":2", 1);
    assert_ne!(other, text);
    fs::write(&journal, &other).unwrap();
    insta::assert_snapshot!(said(&world, &RESUME), @r"
    --- stderr
    error: [DIR]/run/journal.jsonl: written in format 2; this kbisect reads format 1
    hint: go on with the kbisect that began the run
    --- exit status 2
    ");
    assert_eq!(said(&world, &["status", world.path("run").to_str().unwrap()]), said(&world, &RESUME));
    assert_eq!(fs::read_to_string(&journal).unwrap(), other, "the journal is as it was");
}

#[test]
fn a_damaged_journal() {
    let (world, _) = killed_run();
    let journal = world.path("run/journal.jsonl");
    let lines: Vec<String> = fs::read_to_string(&journal).unwrap().lines().map(str::to_owned).collect();
    let damaged = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = lines.clone();
        change(&mut lines);
        let text = lines.join("\n") + "\n";
        fs::write(&journal, &text).unwrap();
        let resumed = said(&world, &RESUME);
        assert_eq!(said(&world, &["status", world.path("run").to_str().unwrap()]), resumed);
        assert_eq!(fs::read_to_string(&journal).unwrap(), text, "the journal is as it was");
        resumed
    };
    insta::assert_snapshot!(damaged(&|lines| lines[3].insert(20, '\u{0}')), @r"
    --- stderr
    error: [DIR]/run/journal.jsonl:4: not a journal entry: control character (\u0000-\u001F) found while parsing a string at line 1 column 21
    hint: the file was changed by hand or damaged; begin a new run
    --- exit status 2
    ");
    insta::assert_snapshot!(damaged(&|lines| _ = lines.remove(2)), @r"
    --- stderr
    error: [DIR]/run/journal.jsonl:3: entry 4 where 3 was to come
    hint: the file was changed by hand or damaged; begin a new run
    --- exit status 2
    ");
    insta::assert_snapshot!(damaged(&|lines| _ = lines.remove(0)), @r"
    --- stderr
    error: [DIR]/run/journal.jsonl:1: entry 2 where 1 was to come
    hint: the file was changed by hand or damaged; begin a new run
    --- exit status 2
    ");
    insta::assert_snapshot!(damaged(&|lines| lines.clear()), @r"
    --- stderr
    error: [DIR]/run/journal.jsonl:1: not a journal entry: EOF while parsing a value at line 2 column 0
    hint: the file was changed by hand or damaged; begin a new run
    --- exit status 2
    ");
}

#[test]
fn a_damaged_job() {
    let (world, _) = killed_run();
    fs::remove_file(world.path("run/job.toml")).unwrap();
    insta::assert_snapshot!(said(&world, &RESUME), @r"
    --- stderr
    error: [DIR]/run/job.toml: cannot read the job file: No such file or directory (os error 2)
    --- exit status 2
    ");
}

#[test]
fn two_runs_in_one_directory() {
    let (world, ids) = project("[ -e \"$GO\" ] || { touch \"$THERE\"; while [ ! -e \"$GO\" ]; do sleep .02; done; }\nexit 1");
    let (there, go) = (world.path("there"), world.path("go"));
    let first = spawn(world.kbisect(&RUN).env("THERE", &there).env("GO", &go));
    until("the first trial", || there.exists());
    let holder = format!("process {} on {}", first.id(), host());
    let second = said(&world, &RUN).replace(&holder, "process [ID] on [HOST]");
    insta::assert_snapshot!(second, @r"
    --- stderr
    error: `[DIR]/run` is in use by kbisect, process [ID] on [HOST]
    --- exit status 2
    ");
    assert_eq!(said(&world, &RESUME).replace(&holder, "process [ID] on [HOST]"), second);
    assert!(said(&world, &["status", "run"]).contains("running"));
    fs::write(&go, "").unwrap();
    let first = wait(first);
    assert_eq!(first.status.code(), Some(0), "{}", world.shown(&first));
    assert_eq!(named(&world.path("run")), Some(ids[4].clone()));
    insta::assert_snapshot!(said(&world, &RUN), @r"
    --- stderr
    error: `[DIR]/run` already holds a run
    hint: go on with it: kbisect resume [DIR]/run
    hint: or name another directory with --out
    --- exit status 2
    ");
}

fn host() -> String {
    let name = Command::new("uname").arg("-n").output().unwrap();
    String::from_utf8(name.stdout).unwrap().trim_end().to_owned()
}

#[test]
fn a_repository_that_has_moved() {
    let (world, ids) = killed_run();
    fs::rename(world.path("repo"), world.path("elsewhere")).unwrap();
    insta::assert_snapshot!(said(&world, &RESUME), @r"
    --- stderr
    error: `[DIR]/repo` is not a git repository, nor inside one
    hint: give the path of a clone, or `git clone` one
    hint: if the repository has moved, name its new place: kbisect resume DIR --repo PATH
    --- exit status 2
    ");
    // Another repository is not taken for it.
    assert!(Command::new("git").args(["init", "-q"]).arg(world.path("other")).status().unwrap().success());
    insta::assert_snapshot!(said(&world, &["resume", "--quiet", "run", "--repo", "other"]), @r"
    --- stderr
    error: the repository `[DIR]/other/` lacks object 947b274159d01b8fb8442fd766d6bcb01e11bcb9
    hint: see what is missing: git -C [DIR]/other/ fsck --connectivity-only
    hint: fetch everything again: git -C [DIR]/other/ fetch --refetch --tags
    hint: if the repository has moved, name its new place: kbisect resume DIR --repo PATH
    --- exit status 2
    ");
    let there = ["resume", "--quiet", "run", "--repo", "elsewhere"];
    let killed = wait(spawn(world.kbisect(&there).env("KBISECT_TEST_ABORT_AFTER", "2")));
    assert_eq!(killed.status.code(), None, "{}", world.shown(&killed));
    // Where it is now is remembered.
    assert!(said(&world, &["status", "run"]).ends_with("exit status 0\n"));
    let resumed = wait(spawn(&mut world.kbisect(&RESUME)));
    assert_eq!(resumed.status.code(), Some(0), "{}", world.shown(&resumed));
    assert_eq!(named(&world.path("run")), Some(ids[4].clone()));
}

#[test]
fn a_reproducer_and_a_console_that_changed_or_are_gone() {
    let (world, ids) = project("exit 1");
    let crash = "cat <<END\n\
        [    1.000000] BUG: kernel NULL pointer dereference, address: 0000000000000000\n\
        [    1.000001] RIP: 0010:alpha_one+0x10/0x20\n\
        [    1.000002] Call Trace:\n\
        [    1.000003]  alpha_two+0x30/0x40\n\
        END\n";
    script(&world, "mine/repro", &format!("[ \"$(cat number)\" -ge 4 ] || exit 0\n{crash}exit 1"));
    let console = Command::new(world.path("mine/repro")).current_dir(world.path("repo")).output().unwrap();
    fs::write(world.path("mine/console"), console.stdout).unwrap();
    let text = "repo = \"repo\"\nbad = \"v1.1\"\ngood = \"v1.0\"\nrepro = \"mine/repro\"\ncrash = \"mine/console\"\n\
                [machine]\nkind = \"process\"\n";
    fs::write(world.path("job.toml"), text).unwrap();
    let killed = |args: &[&str]| {
        let output = wait(spawn(world.kbisect(args).env("KBISECT_TEST_ABORT_AFTER", "6")));
        assert_eq!(output.status.code(), None, "{}", world.shown(&output));
    };
    killed(&["run", "--quiet", "job.toml", "--out", "first"]);
    fs::write(world.path("mine/repro"), "#!/bin/sh\nexit 0\n").unwrap();
    fs::write(world.path("mine/console"), "").unwrap();
    killed(&["resume", "--quiet", "first"]);
    // Nor does it matter where the run's own directory lies.
    fs::remove_dir_all(world.path("mine")).unwrap();
    fs::rename(world.path("first"), world.path("run")).unwrap();
    let resumed = wait(spawn(&mut world.kbisect(&RESUME)));
    assert_eq!(resumed.status.code(), Some(0), "{}", world.shown(&resumed));
    assert_eq!(named(&world.path("run")), Some(ids[4].clone()));

    let inputs = fs::read_dir(world.path("run/inputs")).unwrap().map(|entry| entry.unwrap().path());
    let copy = inputs.map(|folder| folder.join("console")).find(|copy| copy.exists()).unwrap();
    fs::write(&copy, "changed").unwrap();
    insta::assert_snapshot!(said(&world, &RESUME), @r"
    --- stderr
    error: `[DIR]/run/inputs/502d7f61a86d2ba8bcaf567244d6dd10c74d14feccbfd5903adfa62b8059851c/console` was changed since the run began
    hint: begin a new run
    --- exit status 2
    ");
}

#[test]
fn a_finished_run_says_its_result_again() {
    // What fails, the commit that is called good, and how that ends.
    for (failing, good, exit) in [("exit 1", 0, 0), ("exit 125", 0, 3), ("exit 0", 0, 4), ("exit 1", 6, 5)] {
        let (world, ids) = project(failing);
        world.git("repo", &["tag", "-f", "v1.0", &ids[good]]);
        let first = wait(spawn(&mut world.kbisect(&RUN)));
        assert_eq!(first.status.code(), Some(exit), "{}", world.shown(&first));
        let journal = fs::read(world.path("run/journal.jsonl")).unwrap();
        let again = wait(spawn(&mut world.kbisect(&RESUME)));
        assert_eq!(world.shown(&again), world.shown(&first));
        assert_eq!(fs::read(world.path("run/journal.jsonl")).unwrap(), journal);
    }
}

/// A command that runs another where mounts are its own; says so and is none where that is not permitted.
fn own_mounts(world: &World) -> Option<Command> {
    let permitted = |how: &&str| {
        let tried = Command::new("unshare").args([how, "sh", "-c", "mount -t tmpfs none /tmp"]).output();
        tried.is_ok_and(|output| output.status.success())
    };
    let Some(how) = ["-m", "-rm"].into_iter().find(permitted) else {
        eprintln!("skipped: mounts are not permitted here");
        return None;
    };
    let mut command = world.command("unshare");
    command.arg(how);
    Some(command)
}

#[test]
fn a_build_that_fills_the_disk() {
    let (clean, crashed) = guests::clean_and_crashed();
    let Some((world, ids)) = guests::world(&clean, &crashed) else { return };
    let Some(mut command) = own_mounts(&world) else { return };
    let build = fs::read_to_string(world.path("build.sh")).unwrap();
    let fills = "[ -e \"${0%/*}/roomy\" ] || yes > \"$1/big\" || exit 1";
    fs::write(world.path("build.sh"), build.replacen('\n', &format!("\n{fills}\n"), 1)).unwrap();
    fs::create_dir(world.path("disk")).unwrap();
    let script = "mount -t tmpfs -o size=48M none disk || exit 99\n\
                  \"$KBISECT\" run --quiet job.toml --out disk/run\necho \"exit status $?\" >&2\ntouch roomy\n\
                  head -c 40M /dev/zero > disk/other\n\"$KBISECT\" resume --quiet disk/run\necho \"exit status $?\" >&2\n\
                  rm disk/other\n\"$KBISECT\" resume --quiet disk/run > /dev/null\necho \"exit status $?\" >&2\n\
                  cp disk/run/report.json .\n";
    command.args(["sh", "-c", script]).env("KBISECT", env!("CARGO_BIN_EXE_kbisect"));
    let said = shown(&world, &mut command);
    let free = said.split("the disk is full: ").nth(2).and_then(|rest| rest.split(' ').next()).unwrap_or("nothing");
    insta::assert_snapshot!(said.replace(free, "[SIZE]"), @r"
    --- stderr
    error: the disk is full: the build ended with exit status 1
    error: yes: standard output: No space left on device
    hint: to go on: kbisect resume disk/run
    exit status 6
    error: the disk is full: [SIZE] are free in `[DIR]/disk/run`
    hint: to go on: kbisect resume disk/run
    exit status 6
    exit status 0
    --- exit status 0
    ");
    assert_eq!(named(&world.path("")), Some(ids[4].clone()));
}

#[test]
fn a_full_disk() {
    let (world, ids) = project("[ -e \"$FULL\" ] || { touch \"$FULL\"; head -c 1G /dev/zero > \"$FILL\" 2> /dev/null; }\nexit 1");
    let Some(mut command) = own_mounts(&world) else { return };
    fs::create_dir(world.path("disk")).unwrap();
    // The mount is this shell's own, and gone with it.
    let script = "mount -t tmpfs -o size=8M none disk || exit 99\n\
                  \"$KBISECT\" run --quiet --repo repo --bad v1.1 --good v1.0 --out disk/run -- ./test.sh\n\
                  echo \"exit status $?\" >&2\nrm \"$FILL\"\n\
                  \"$KBISECT\" resume --quiet disk/run > /dev/null\necho \"exit status $?\" >&2\ncp disk/run/report.json .\n";
    command.args(["sh", "-c", script]).env("KBISECT", env!("CARGO_BIN_EXE_kbisect"));
    command.env("FILL", world.path("disk/fill")).env("FULL", world.path("full"));
    insta::assert_snapshot!(shown(&world, &mut command), @r"
    --- stderr
    error: cannot write `[DIR]/disk/run/trials/95744a2bb0e8a750b18ce48db8f144a3eb243930/1`: No space left on device (os error 28)
    hint: make room on the disk
    hint: to go on: kbisect resume disk/run
    exit status 6
    exit status 0
    --- exit status 0
    ");
    assert_eq!(named(&world.path("")), Some(ids[4].clone()));
}

//! Builds that hang or fail, and emulators that are missing, die or hang.

use std::fs;
use std::process::Command;

use super::RUN_JOB;
use super::project;
use super::script;
use super::shown;
use super::timeless;
use crate::support::World;

/// A project with a job whose builds run this shell text, and whose kernels are booted; a boot may take a second.
fn kernel_project(build: &str) -> World {
    let (world, _) = project("exit 1");
    let build = script(&world, "build.sh", build);
    let text = format!(
        "repo = \"repo\"\nbad = \"v1.1\"\ngood = \"v1.0\"\n[build]\ncommand = [\"{build}\", \"{{out}}\"]\n\
         time_limit = \"1s\"\n[machine]\nmemory = \"32M\"\ncpus = 1\nown_init = true\nboot_limit = \"1s\"\n\
         [limits]\ncpus = 1\nmemory = \"64M\"\n"
    );
    fs::write(world.path("job.toml"), text).unwrap();
    world
}

/// What a run of the job says; programs in `bin` come before others.
fn run(world: &World) -> String {
    let path = format!("{}:{}", world.path("bin").display(), std::env::var("PATH").unwrap());
    timeless(&shown(world, world.kbisect(&RUN_JOB).env("PATH", path)))
}

/// An emulator that tells its version and fails the probe for KVM at once; machines are this shell text.
fn emulator(world: &World, machine: &str) {
    let others = "case \"$*\" in --version) echo 'QEMU emulator version 7.2.0'; exit;; *-bios*) exit 1;; esac";
    script(world, "bin/qemu-system-x86_64", &format!("{others}\n{machine}"));
}

#[test]
fn a_build_that_hangs() {
    let world = kernel_project("sleep 1000");
    emulator(&world, "exit 1");
    insta::assert_snapshot!(run(&world), @r#"
    --- stdout

    No answer: the start commit d1b19def845b cannot be tested: does not build:
      the build ran longer than 1 s.

    Mend that and begin a new run; the consoles of all trials are kept with
      this one.

    Crash: not seen in any trial
      (reported at d1b19def845b ("change 7"))
    Evidence:
      start      d1b19def845b  no trial had a result
    Not counted: 1 void trial (does not build: 1)
    Build: build.sh {out}
    Machine: QEMU (pc), 1 CPU, 32M
    Test: what the kernel does itself, for at most 5m
    Files: git-bisect.log
    No person has checked this result.

    Details of the bisection:
    Effort: 1 trial on 1 commit in [TIME]
    --- exit status 3
    "#);
}

#[test]
fn a_build_that_fails_everywhere() {
    let world = kernel_project("echo \"main.c:7: error: no such thing\" >&2; exit 2");
    emulator(&world, "exit 1");
    insta::assert_snapshot!(run(&world), @r#"
    --- stdout

    No answer: the start commit d1b19def845b cannot be tested: does not build:
      main.c:7: error: no such thing.

    Mend that and begin a new run; the consoles of all trials are kept with
      this one.

    Crash: not seen in any trial
      (reported at d1b19def845b ("change 7"))
    Evidence:
      start      d1b19def845b  no trial had a result
    Not counted: 1 void trial (does not build: 1)
    Build: build.sh {out}
    Machine: QEMU (pc), 1 CPU, 32M
    Test: what the kernel does itself, for at most 5m
    Files: git-bisect.log
    No person has checked this result.

    Details of the bisection:
    Effort: 1 trial on 1 commit in [TIME]
    --- exit status 3
    "#);
}

#[test]
fn a_build_that_leaves_nothing() {
    let world = kernel_project("true");
    emulator(&world, "exit 1");
    insta::assert_snapshot!(run(&world), @r#"
    --- stdout

    No answer: the start commit d1b19def845b cannot be tested: does not build:
      the build ended well but left no file `kernel` in {out}.

    Mend that and begin a new run; the consoles of all trials are kept with
      this one.

    Crash: not seen in any trial
      (reported at d1b19def845b ("change 7"))
    Evidence:
      start      d1b19def845b  no trial had a result
    Not counted: 1 void trial (does not build: 1)
    Build: build.sh {out}
    Machine: QEMU (pc), 1 CPU, 32M
    Test: what the kernel does itself, for at most 5m
    Files: git-bisect.log
    No person has checked this result.

    Details of the bisection:
    Effort: 1 trial on 1 commit in [TIME]
    --- exit status 3
    "#);
}

#[test]
fn a_build_that_takes_more_disk_than_the_run_may_have() {
    let world = kernel_project("yes > \"$1/kernel\"");
    let job = fs::read_to_string(world.path("job.toml")).unwrap().replace("time_limit = \"1s\"", "time_limit = \"100s\"");
    fs::write(world.path("job.toml"), format!("{job}disk = \"8M\"\n")).unwrap();
    emulator(&world, "exit 1");
    insta::assert_snapshot!(run(&world), @r#"
    --- stdout

    No answer: the start commit d1b19def845b cannot be tested: does not build:
      the build takes the run directory beyond [limits] `disk` = 8M.

    Mend that and begin a new run; the consoles of all trials are kept with
      this one.

    Crash: not seen in any trial
      (reported at d1b19def845b ("change 7"))
    Evidence:
      start      d1b19def845b  no trial had a result
    Not counted: 1 void trial (does not build: 1)
    Build: build.sh {out}
    Machine: QEMU (pc), 1 CPU, 32M
    Test: what the kernel does itself, for at most 5m
    Files: git-bisect.log
    No person has checked this result.

    Details of the bisection:
    Effort: 1 trial on 1 commit in [TIME]
    --- exit status 3
    "#);
}

#[test]
fn a_build_whose_compiler_says_that_the_disk_is_full() {
    let world = kernel_project("echo 'cc: fatal error: cannot write: No space left on device' >&2; exit 1");
    emulator(&world, "exit 1");
    insta::assert_snapshot!(run(&world), @r"
    --- stderr
    error: the disk is full: the build ended with exit status 1
    error: cc: fatal error: cannot write: No space left on device
    hint: to go on: kbisect resume run
    --- exit status 6
    ");
}

#[test]
fn an_emulator_that_is_missing() {
    let world = kernel_project("touch \"$1/kernel\"");
    let said = shown(&world, world.kbisect(&RUN_JOB).env("PATH", world.path("home")));
    insta::assert_snapshot!(said, @r"
    --- stderr
    error: qemu-system-x86_64: not in PATH (boots kernels)
    hint: apt-get install --no-install-recommends qemu-system-x86
    --- exit status 8
    ");
    assert!(!world.path("run").exists(), "nothing was done, so nothing is kept");
}

#[test]
fn an_emulator_that_does_not_even_tell_its_version() {
    let world = kernel_project("touch \"$1/kernel\"");
    script(&world, "bin/qemu-system-x86_64", "echo 'libpixman-1.so.0: cannot open shared object file' >&2; exit 127");
    insta::assert_snapshot!(run(&world), @r"
    --- stderr
    error: qemu-system-x86_64: does not tell its version: it ended with exit status 127: libpixman-1.so.0: cannot open shared object file (boots kernels)
    hint: apt-get install --no-install-recommends qemu-system-x86
    --- exit status 8
    ");
    assert!(!world.path("run").exists(), "nothing was done, so nothing is kept");
}

#[test]
fn an_emulator_that_dies_at_once() {
    let world = kernel_project("touch \"$1/kernel\"");
    emulator(&world, "echo 'cannot set up guest memory' >&2; exit 1");
    insta::assert_snapshot!(run(&world), @r"
    --- stderr
    error: 5 infrastructure failures in a row; the last: qemu-system-x86_64 ended with exit status 1: cannot set up guest memory
    hint: to go on: kbisect resume run
    --- exit status 6
    ");
}

#[test]
fn an_emulator_that_hangs() {
    let world = kernel_project("touch \"$1/kernel\"");
    emulator(&world, "exec sleep 1000");
    insta::assert_snapshot!(run(&world), @r"
    --- stderr
    error: 5 infrastructure failures in a row; the last: qemu-system-x86_64 does not start
    hint: to go on: kbisect resume run
    --- exit status 6
    ");
}

#[test]
fn a_kernel_that_hangs_at_boot() {
    let Ok(path) = Command::new("sh").args(["-c", "command -v qemu-system-x86_64"]).output() else { return };
    let path = String::from_utf8(path.stdout).unwrap();
    if path.is_empty() {
        eprintln!("skipped: there is no qemu-system-x86_64");
        return;
    }
    // A multiboot header (magic, flags, checksum; header, load, load end, end of bss, entry) and `hlt; jmp .-1`.
    let world = kernel_project(
        "printf '\\002\\260\\255\\033\\000\\000\\001\\000\\376\\117\\121\\344' > \"$1/kernel\"\n\
         printf '\\000\\000\\020\\000\\000\\000\\020\\000\\043\\000\\020\\000\\043\\000\\020\\000' >> \"$1/kernel\"\n\
         printf '\\040\\000\\020\\000\\364\\353\\375' >> \"$1/kernel\"",
    );
    emulator(&world, &format!("exec {} \"$@\"", path.trim_end()));
    insta::assert_snapshot!(run(&world), @r#"
    --- stdout

    No answer: the start commit d1b19def845b cannot be tested: three trials in
      a row ended without a result: no word on the control port within 1 s.

    Mend that and begin a new run; the consoles of all trials are kept with
      this one.

    Crash: not seen in any trial
      (reported at d1b19def845b ("change 7"))
    Evidence:
      start      d1b19def845b  no trial had a result
    Not counted: 3 void trials (does not boot: 3)
    Build: build.sh {out}
    Machine: QEMU (pc), 1 CPU, 32M
    Test: what the kernel does itself, for at most 5m
    Files: git-bisect.log
    No person has checked this result.

    Details of the bisection:
    Effort: 3 trials on 1 commit in [TIME]
    --- exit status 3
    "#);
}

//! `kbisect check` and `kbisect doctor` as users see them: whole outputs with their exit status.

use std::fs;
use std::process::Command;

use crate::support::Planned;
use crate::support::World;
use crate::support::write_history;

/// A repository `src` with tags v1.0 and v1.1, five commits, and `job.toml` next to it.
fn world(job: &str) -> World {
    let world = World::new();
    let change = |number: usize| {
        let parents: Vec<usize> = number.checked_sub(1).into_iter().collect();
        Planned::on(&parents, format!("Change {number}")).file("file", format!("{number}\n"))
    };
    let commits: Vec<Planned> = (0..5).map(change).collect();
    write_history(&world, "src", &commits, &[("v1.0", 0), ("v1.1", 1)]);
    fs::write(world.path("job.toml"), job).unwrap();
    fs::write(world.path("repro.sh"), "#!/bin/sh\n").unwrap();
    world
}

/// The output of a command, without what is only so on this machine.
fn shown(world: &World, command: &mut Command) -> String {
    let shown = world.shown(&command.output().unwrap());
    // Columns depend on the folder's name.
    let narrow = |line: &str| line.split_once("  # ").map(|(value, origin)| format!("{}  # {origin}", value.trim_end()));
    let lines = shown.lines().map(|line| narrow(line).unwrap_or_else(|| line.to_owned()));
    lines.collect::<Vec<_>>().join("\n").replace("sudo ", "") + "\n"
}

/// A job whose values owe nothing to this machine.
const PROCESS: &str = r#"repo = "src"
bad = "main"
good = "v1.0"
repro = "repro.sh"

[machine]
kind = "process"
cpus = 1
memory = "1G"

[trial]
time_limit = "30s"

[limits]
cpus = 4
memory = "4G"
"#;

#[test]
fn a_process_job_is_shown_with_all_that_will_be_used() {
    let world = world(PROCESS);
    let shown = shown(&world, &mut world.kbisect(&["check", "job.toml"]));
    let (values, rest) = shown.split_once("disk  ").unwrap();
    insta::assert_snapshot!(values, @r#"
    --- stdout
    repo = "[DIR]/src"  # job
    bad = "main"  # job
    good = "v1.0"  # job
    kind = "cause"  # guess: most look for a cause
    repro = "[DIR]/repro.sh"  # job

    [machine]
    kind = "process"  # job
    memory = "1G"  # job
    cpus = 1  # job
    network = false  # guess: tests need none

    [target]
    stage = "run"  # guess: most crashes show while the reproducer runs

    [trial]
    command = ["[DIR]/repro.sh"]  # guess: the reproducer alone
    time_limit = "30s"  # job
    repeat = false  # guess: once is enough
    expect = "crash"  # guess: a reproducer runs until it crashes
    clean = false  # guess: as under git bisect run

    [search]
    strategy = "posterior"  # guess: knows that tests are flaky
    delta = 0.01  # guess: one wrong name in a hundred
    seed = 0  # guess: any will do
    trust_good = false  # guess: good ends are tested first
    suspicion = 0.7  # guess: the rest is the same for every commit
    single_trials = false  # guess: as many trials as it takes
    revert = false  # guess: costs a build and some trials
    tip = "none"  # guess: as git bisect
    reach = false  # guess: for causes in QEMU
    eras = []  # guess: one compiler and one configuration for all

    [limits]
    cpus = 4  # job
    memory = "4G"  # job
    disk = "20G"  # guess: some forty kernels

    start     4aaa5450de76 ("Change 4")
    good      c70d08cdc17e ("Change 0")
    range     4 commits
    work      about 6 commits and 27 trials, 4 at once; about 4m if every trial takes its whole time
    "#);
    let (free, commands) = rest.split_once('\n').unwrap();
    assert!(free.contains("of the 20G allowed"), "{free}");
    let (commands, missing) = commands.split_once("missing").unwrap();
    insta::assert_snapshot!(commands, @r#"
    trial     [DIR]/repro.sh
    route     classifier: linux-crash
    route     flake-policy: sequential
    route     recipients: maintainers
    "#);
    assert!(missing.ends_with("--- exit status 0\n"), "{missing}");
}

#[test]
fn a_kernel_job_shows_its_commands_and_the_walk() {
    let world = world(&format!(
        "{}\n[build]\ncommand = [\"sh\", \"-c\", \"cp a {{out}}/kernel\", \"{{commit}}\"]\n",
        PROCESS.replace("good = \"v1.0\"\n", "").replace("process", "qemu").replace("repro.sh\"", "repro.sh\"\nsearch.seed = 7")
    ));
    let shown = shown(&world, &mut world.kbisect(&["check", "job.toml"]));
    let line = |name: &str| shown.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{shown}"));
    let commit = world.git("src", &["rev-parse", "main"]);
    assert_eq!(line("range"), "range     back through 2 releases, v1.1 (after it: 3 commits) to v1.0");
    assert_eq!(line("build  "), format!("build     sh -c 'cp a {{out}}/kernel' {commit}"));
    assert!(line("machine ").contains(" -m 1024M -smp 1 ") && line("machine ").contains(" -kernel {out}/kernel "));
    assert_eq!(line("trial "), "trial     /repro");
    assert!(line("work ").contains("builds"));
}

#[test]
fn wrong_commits_are_shown_all_at_once() {
    let world = world(&PROCESS.replace("\"main\"", "\"v6.99\"").replace("\"v1.0\"", "[\"v1.0\", \"mian\", \"nothing\"]"));
    insta::assert_snapshot!(shown(&world, &mut world.kbisect(&["check", "job.toml"])), @r#"
    --- stderr
    error: `v6.99` names no commit in `[DIR]/src/`
    error: `mian` names no commit in `[DIR]/src/`
    error: `nothing` names no commit in `[DIR]/src/`
    hint: fetch the tag: git -C [DIR]/src/ fetch https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git tag v6.99
    hint: names that look alike: main
    hint: fetch what is new: git -C [DIR]/src/ fetch --all --tags
    --- exit status 2
    "#);
}

#[test]
fn ends_that_do_not_fit_are_refused() {
    let world = world(&PROCESS.replace("\"main\"", "\"v1.0\"").replace("\"v1.0\"\nrepro", "[\"v1.1\", \"v1.0\"]\nrepro"));
    insta::assert_snapshot!(shown(&world, &mut world.kbisect(&["check", "job.toml"])), @r#"
    --- stderr
    error: the good commit d07ccdde5888 is newer than the bad one c70d08cdc17e
    error: c70d08cdc17e is stated to be bad and good
    hint: state `kind = "fix"` to look for the commit that mended it
    --- exit status 2
    "#);
    let fix = PROCESS.replace("good = \"v1.0\"", "good = \"v1.0\"\nkind = \"fix\"");
    fs::write(world.path("job.toml"), fix).unwrap();
    insta::assert_snapshot!(shown(&world, &mut world.kbisect(&["check", "job.toml"])), @r#"
    --- stderr
    error: the good commit c70d08cdc17e is older than the bad one 4aaa5450de76: it cannot hold the fix
    hint: state `kind = "cause"` to look for the commit that introduced the crash
    --- exit status 2
    "#);
}

#[test]
fn a_console_without_a_crash_is_refused() {
    let world = world(&PROCESS.replace("repro =", "crash = \"job.toml\"\nrepro ="));
    insta::assert_snapshot!(shown(&world, &mut world.kbisect(&["check", "job.toml"])), @r#"
    --- stderr
    error: crash: no classifier sees a crash in [DIR]/job.toml
    hint: give the console as the kernel printed it, or leave `crash` out: the start commit is tested first
    --- exit status 2
    "#);
}

#[test]
fn a_job_file_with_problems_is_refused_with_all_of_them() {
    let world = world("repo = \"nowhere\"\nbda = \"v2\"\ngood = 1\n\n[machin]\nkind = \"process\"\n\n[trial]\ntime_limit = 5\n");
    insta::assert_snapshot!(shown(&world, &mut world.kbisect(&["check", "job.toml"])), @r#"
    --- stderr
    error: job.toml:1:8: `repo`: cannot use [DIR]/nowhere: No such file or directory (os error 2)
    error: job.toml:2:1: unknown key `bda`; did you mean `bad`?
    error: job.toml:3:8: `good`: expected a commit or a list of commits, found an integer
    error: job.toml:5:2: unknown key `machin`; did you mean `machine`?
    error: job.toml:9:14: [trial] `time_limit`: expected a duration such as "90s", "5m" or "8h", found an integer
    error: job.toml: missing `bad`: the commit where the crash was seen
    error: job.toml: missing `repro` or [trial] `command`: what a trial runs
    error: job.toml: missing [build] `command`: the kernel that it puts into {out} is booted; without it, use [machine] kind = "process"
    --- exit status 2
    "#);
    insta::assert_snapshot!(shown(&world, &mut world.kbisect(&["check", "none.toml"])), @r#"
    --- stderr
    error: none.toml: cannot read the job file: No such file or directory (os error 2)
    --- exit status 2
    "#);
}

#[test]
fn a_missing_program_is_named_with_what_mends_it() {
    let world = world(&PROCESS.replace("[trial]", "[trial]\ncommand = [\"no-such-program\"]"));
    let shown = shown(&world, &mut world.kbisect(&["check", "job.toml"]));
    let (_, errors) = shown.split_once("--- stderr\n").unwrap();
    insta::assert_snapshot!(errors, @r#"
    error: no-such-program: the program of [trial] `command` is not in PATH
    hint: install no-such-program, or give its path
    --- exit status 2
    "#);
}

#[test]
fn doctor_names_what_mends_a_machine_without_anything() {
    let world = World::new();
    let shown = shown(&world, world.kbisect(&["doctor"]).env("PATH", ""));
    // Disk, memory, busybox and headers are this machine's.
    let own = ["disk ", "memory ", "busybox ", "larger disk", "state less", "busybox-static", "libelf", "openssl", "libssl"];
    let lines = shown.lines().filter(|line| !own.iter().any(|own| line.contains(own)));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
    --- stdout
    MISSING qemu-system-x86_64  not in PATH (boots kernels)
                                to mend it: apt-get install --no-install-recommends qemu-system-x86
    poor    kvm                 not tried, as QEMU is missing
    MISSING ssh                 not in PATH (reaches machines of kind "image")
                                to mend it: apt-get install --no-install-recommends openssh-client
    MISSING gcc                 not in PATH (compiles kernels)
                                to mend it: apt-get install --no-install-recommends gcc
    poor    clang               not in PATH (compiles kernels whose config says so)
                                to mend it: apt-get install --no-install-recommends clang
    MISSING ld                  not in PATH (links kernels)
                                to mend it: apt-get install --no-install-recommends binutils
    MISSING make                not in PATH (builds kernels)
                                to mend it: apt-get install --no-install-recommends make
    poor    flex                not in PATH (Linux builds need it)
                                to mend it: apt-get install --no-install-recommends flex
    poor    bison               not in PATH (Linux builds need it)
                                to mend it: apt-get install --no-install-recommends bison
    poor    bc                  not in PATH (Linux builds need it)
                                to mend it: apt-get install --no-install-recommends bc
    poor    perl                not in PATH (Linux builds need it)
                                to mend it: apt-get install --no-install-recommends perl
    poor    ccache              not in PATH (builds compile again what another commit compiled already)
                                to mend it: apt-get install --no-install-recommends ccache
    poor    image               no image where jobs of [machine] kind "image" look for one
                                to mend it: ./x image in kbisect's sources makes one, or name yours in [machine] `image`
    poor    bwrap               bwrap does not work here (No such file or directory (os error 2)): builds reach the network, and processes may outlive kbisect when it is killed (`resume` ends those)
                                to mend it: apt-get install --no-install-recommends bubblewrap
    ok      git                 not needed: repositories are read without it

    poor: bisections work, but slower or with less. MISSING: some bisections are impossible.
    --- exit status 8
    "#);
}

#[test]
fn doctor_looks_at_a_repository() {
    let world = world("");
    let state = |repo: &str| {
        let output = world.kbisect(&["doctor", "--repo", repo]).output().unwrap();
        let shown = world.shown(&output);
        let (_, repository) = shown.split_once("repository").unwrap_or_else(|| panic!("{shown}"));
        let (findings, _) = repository.split_once("\npoor: ").or_else(|| repository.split_once("---")).unwrap();
        findings.trim().to_owned() + "\n"
    };
    assert_eq!(state("src"), "src can be read\n");
    insta::assert_snapshot!(state("home"), @r#"
    `home` is not a git repository, nor inside one
                                to mend it: give the path of a clone, or `git clone` one
    "#);
}

#[test]
fn a_reproducer_that_needs_a_loader_is_pointed_out() {
    let world = world("");
    let job = |repro: &str, more: &str| {
        let text = format!(
            "repo = \"src\"\nbad = \"main\"\ngood = \"v1.0\"\nrepro = \"{repro}\"\n[build]\ncommand = [\"true\", \"{{out}}\"]\n{more}"
        );
        fs::write(world.path("job.toml"), text).unwrap();
        world.shown(&world.kbisect(&["check", "job.toml"]).output().unwrap())
    };
    let program = |flags: &[&str], name: &str| {
        fs::write(world.path("repro.c"), "int main(void) { return 0; }\n").unwrap();
        let mut cc = world.command("cc");
        assert!(cc.args(flags).args(["-o", name, "repro.c"]).status().unwrap().success());
    };
    program(&[], "dynamic");
    program(&["-static"], "static");
    let told = "dynamic is linked dynamically, and nothing puts /lib64/ld-linux-x86-64.so.2 into the machine";
    let shown = job("dynamic", "");
    assert!(shown.contains(told) && shown.contains("link it with -static"), "{shown}");
    for (repro, more) in [
        ("static", ""),
        ("dynamic", "[machine]\nown_init = true\n[trial]\ncommand = [\"race\"]\n"),
        ("dynamic", "[trial]\nfiles = [{ from = \"static\", to = \"/lib64/ld-linux-x86-64.so.2\" }]\n"),
    ] {
        let shown = job(repro, more);
        assert!(!shown.contains("dynamically"), "{repro} {more}: {shown}");
    }
}

#[test]
fn what_keeps_the_target_from_showing_is_said_before_anything_is_built() {
    let world = World::new();
    let makefile = "VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 0\nEXTRAVERSION =\n";
    let commits = [Planned::on(&[], "One").file("Makefile", makefile), Planned::on(&[0], "Two").file("Makefile", makefile)];
    write_history(&world, "src", &commits, &[("v1.0", 0)]);
    fs::write(world.path("repro.sh"), "#!/bin/sh\n").unwrap();
    fs::write(world.path("config"), "CONFIG_X86_64=y\n").unwrap();
    fs::write(world.path("console"), "[    1.0] BUG: KASAN: slab-out-of-bounds in one_thing+0x1/0x2\n[    1.0] Read of size 8 at addr ffff888000000000 by task repro/1\n").unwrap();
    let checked = |target: &str, set: &str| {
        let build = format!("[build]\nkind = \"linux\"\nconfig = \"config\"\nset = [{set}]\n");
        let job = PROCESS.replace("process", "qemu").replace("repro =", &format!("{target}\nrepro =")) + &build;
        fs::write(world.path("job.toml"), job).unwrap();
        shown(&world, &mut world.kbisect(&["check", "job.toml"]))
    };
    let lack = "lacks CONFIG_KASAN, by which the target is told: it would hardly show";
    let without = checked("crash = \"console\"", "");
    assert!(without.contains(lack) && without.contains("set = [\"KASAN=y\"]"), "{without}");
    assert!(!checked("crash = \"console\"", "\"KASAN=y\"").contains(lack));
    let strange = "`my computer is broken` is no title that a classifier gives";
    let odd = checked("title = \"my computer is broken\"", "");
    assert!(odd.contains(strange) && odd.contains("\ntarget    my computer is broken\n"), "{odd}");
    let usual = checked("title = \"KASAN: use-after-free Read in one_thing\"", "");
    assert!(!usual.contains("is no title") && usual.contains("\ntarget    KASAN: use-after-free Read in one_thing\n"), "{usual}");
}

#[test]
fn a_commit_s_subject_does_not_steer_a_terminal() {
    let world = World::new();
    let commits = [Planned::on(&[], "One"), Planned::on(&[0], "Two \u{1b}]0;mine\u{7}\u{1b}[2J")];
    write_history(&world, "src", &commits, &[("v1.0", 0)]);
    fs::write(world.path("repro.sh"), "#!/bin/sh\n").unwrap();
    fs::write(world.path("job.toml"), PROCESS).unwrap();
    // util-linux's script(1) gives it a terminal.
    let line = format!("{} check job.toml", env!("CARGO_BIN_EXE_kbisect"));
    let output = world.command("script").args(["-qec", &line, "/dev/null"]).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("(\"Two ?]0;mine??[2J\")"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
    let file = world.kbisect(&["check", "job.toml"]).output().unwrap();
    assert!(String::from_utf8(file.stdout).unwrap().contains('\u{1b}'), "what goes elsewhere is left as it is");
}

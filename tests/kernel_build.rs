//! `[build] kind = "linux"` in whole runs, on a tree that is built as Linux is.

use crate::support;
use std::fs;
use std::path::Path;

use crate::support::Planned;
use crate::support::World;
use crate::support::journal;
use crate::support::named;
use crate::support::write_history;

/// The tree's files, for a history's first commit.
fn tree(commit: Planned) -> Planned {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/kernel_tree");
    let files =
        ["Makefile", "Kconfig", "scripts/conf.sh", "scripts/cmd.sh", "kernel/main.c", "kernel/record.c", "include/common.h"];
    files.into_iter().fold(commit, |commit, file| commit.file(file, fs::read_to_string(root.join(file)).unwrap()))
}

/// Commits in a line, each of which changes what is compiled; `changes` adds to some of them.
fn history(world: &World, count: usize, changes: impl Fn(usize, Planned) -> Planned) -> Vec<String> {
    let commits: Vec<Planned> = (0..count)
        .map(|place| {
            let parents: Vec<usize> = place.checked_sub(1).into_iter().collect();
            let commit = Planned::on(&parents, format!("change {place}"));
            let commit = if place == 0 { tree(commit) } else { commit };
            let header = format!("#define NUMBER {place}\nvoid record(int number, const char *where);\n");
            changes(place, commit.file("include/common.h", header))
        })
        .collect();
    write_history(world, "src", &commits, &[("v6.0", 0), ("v6.1", count - 1)])
}

fn job(world: &World, rest: &str) {
    fs::write(world.path("job.toml"), format!("repo = \"src\"\nbad = \"v6.1\"\ngood = \"v6.0\"\n{rest}")).unwrap();
}

const BUILD: &str = "[build]\nkind = \"linux\"\nbase = \"defconfig\"\narch = \"x86_64\"\n";

#[test]
fn a_build_failure_is_found_and_the_log_names_the_compiler() {
    let world = World::new();
    let ids = history(&world, 12, |place, commit| match place {
        7 => commit.file("kernel/late.c", "int late(void)\n{\n\treturn missing;\n}\n"),
        _ => commit,
    });
    job(
        &world,
        &format!(
            "[target]\nstage = \"build\"\n[machine]\nown_init = true\n{BUILD}set = [\"KASAN=y\", \"KASAN_EXTRA=y\"]\nrequire = [\"KASAN\"]\n"
        ),
    );
    world.succeed(&["run", "--quiet", "job.toml", "--out", "run"]);
    assert_eq!(named(&world.path("run")), Some(ids[7].clone()));
    let log = fs::read_to_string(world.path("run/bisect.log")).unwrap();
    assert!(log.contains("\ncompiler: gcc ("), "{log}");
    let report = fs::read_to_string(world.path("run/report.txt")).unwrap();
    assert!(report.contains("build error: 'missing' undeclared"), "{report}");
    // Where it lies it can be read: what every commit was configured from.
    assert!(fs::read_to_string(world.path("run/baseline.config")).unwrap().contains("CONFIG_X86_64=y"));
}

#[test]
fn what_is_not_compiled_is_never_the_sole_answer() {
    let world = World::new();
    let ids = history(&world, 12, |place, commit| match place {
        0 => commit.script("test.sh", "#!/bin/sh\n! [ -e drivers/net/tun.c ]\n"),
        _ => commit,
    });
    // Only this one changes nothing else.
    let lone = world.git("src", &["rev-parse", "main"]);
    assert_eq!(lone, ids[11]);
    fs::create_dir_all(world.path("src/drivers/net")).unwrap();
    world.git("src", &["checkout", "-q", "-f", "main"]);
    fs::create_dir_all(world.path("src/drivers/net")).unwrap();
    fs::write(world.path("src/drivers/net/tun.c"), "int tun;\n").unwrap();
    world.git("src", &["add", "drivers"]);
    world.git("src", &["-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-q", "-m", "net: add tun"]);
    world.git("src", &["tag", "-f", "v6.1"]);
    job(&world, &format!("[machine]\nkind = \"process\"\n[trial]\ncommand = [\"./test.sh\"]\nexpect = \"exit\"\n{BUILD}"));
    let output = world.kbisect(&["run", "--quiet", "job.toml", "--out", "run"]).output().unwrap();
    let shown = world.shown(&output);
    assert_eq!(output.status.code(), Some(3), "{shown}");
    let told = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        told.contains(
            "it changes only files that are not compiled into the kernels that were tested (drivers/net/tun.c): nothing of it"
        ),
        "{shown}"
    );
}

#[test]
fn two_builders_share_the_work_and_a_killed_run_goes_on() {
    let world = World::new();
    let ids = history(&world, 12, |place, commit| match place {
        5 => commit.file("kernel/late.c", "int late(void)\n{\n\treturn missing;\n}\n"),
        _ => commit,
    });
    job(&world, &format!("[target]\nstage = \"build\"\n[machine]\nown_init = true\n{BUILD}builders = 2\n"));
    world.cut_short(&["run", "--quiet", "job.toml", "--out", "run"], 6);
    assert!(!journal(&world.path("run")).iter().any(|entry| entry["event"] == "concluded"));
    world.succeed(&["resume", "--quiet", "run"]);
    assert_eq!(named(&world.path("run")), Some(ids[5].clone()));
}

/// What one commit dates in the future would be up to date for make at all others: the kernels of 9 to 11 were that of 8, and the
/// culprit 11.
#[test]
fn what_one_commit_dates_in_the_future_is_not_in_the_kernels_of_others() {
    let world = World::new();
    let touches = "touch -d 2035-01-01 $(O)/kernel/late.o\n\tmkdir -p $(O)/arch/x86/boot\n";
    let makefile = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/kernel_tree/Makefile")).unwrap();
    let ids = history(&world, 12, |place, commit| {
        let commit = match place {
            3 => commit.file("Makefile", makefile.replace("mkdir -p $(O)/arch/x86/boot\n", touches)),
            6 => commit.file("Makefile", makefile.clone()),
            _ => commit,
        };
        let body = if place >= 7 { "return missing;" } else { "return 1;" };
        commit.file("kernel/late.c", format!("int late(void);\nint late(void)\n{{\n\t{body}\n}}\n"))
    });
    job(&world, &format!("[target]\nstage = \"build\"\n[machine]\nown_init = true\n{BUILD}"));
    world.succeed(&["run", "--quiet", "job.toml", "--out", "run"]);
    assert_eq!(named(&world.path("run")), Some(ids[7].clone()));
}

/// The first minutes of a run on Linux go into its configuration, and the tree may hang there.
#[test]
fn a_signal_ends_a_run_that_is_being_configured() {
    let world = World::new();
    let makefile = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/kernel_tree/Makefile")).unwrap();
    let hangs = makefile.replace("defconfig tinyconfig:\n", "defconfig tinyconfig:\n\tsleep 1000\n");
    history(&world, 3, |place, commit| if place == 2 { commit.file("Makefile", hangs.clone()) } else { commit });
    job(&world, &format!("[target]\nstage = \"build\"\n[machine]\nown_init = true\n{BUILD}"));
    let mut child = world.kbisect(&["run", "--quiet", "job.toml", "--out", "run"]).spawn().unwrap();
    let began = || world.path("run/work/linux/tree.building").exists() || world.path("run/work/linux/tree").is_dir();
    support::until("the configuration", began);
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(child.try_wait().unwrap().is_none());
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let began = std::time::Instant::now();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(began.elapsed().as_secs() < 10);
}

#[test]
fn check_shows_configuration_compiler_and_what_is_left_out() {
    let world = World::new();
    history(&world, 2, |_, commit| commit);
    fs::write(
        world.path("own.config"),
        "CONFIG_X86_64=y\nCONFIG_SND=m\nCONFIG_CC_VERSION_TEXT=\"gcc (Own) 4.2\"\nCONFIG_CMDLINE_BOOL=y\nCONFIG_CMDLINE=\"root=/dev/sda\"\n",
    )
    .unwrap();
    fs::write(world.path("part.config"), "CONFIG_KASAN=y\n").unwrap();
    let build = "config = \"own.config\"\nfragments = [\"part.config\"]\nset = [\"SMP=n\"]\narch = \"x86_64\"\nccache = false\n\
                 compiler = [{ before = \"v6.1\", program = \"cc\" }]\nkcflags = \"-DA -DB\"\nmake = [\"V=1\"]\n";
    job(
        &world,
        &format!(
            "[target]\nstage = \"build\"\n[limits]\ncpus = 4\n[machine]\nown_init = true\n[build]\nkind = \"linux\"\n{build}"
        ),
    );
    let mut check = world.kbisect(&["check", "job.toml"]);
    let shown = world.shown(&check.env("KCFLAGS", "-O1").env("KBUILD_OUTPUT", "/tmp/o").output().unwrap());
    let version = world.command("gcc").arg("--version").output().unwrap().stdout;
    let version = String::from_utf8(version).unwrap().lines().next().unwrap().to_owned();
    let wanted = ["config", "compiler", "era", "build", "poor    config", "poor    environment"];
    let lines =
        shown.lines().filter(|line| wanted.iter().any(|wanted| line.starts_with(&format!("{wanted} "))) && !line.contains('#'));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n").replace(&version, "[GCC]"), @r"
    compiler  gcc: [GCC]
    era       cc before v6.1, gcc from there on
    build     make -C {src} O={tree} -j4 ARCH=x86_64 CC=gcc 'KCFLAGS=-DA -DB' V=1 bzImage
    poor    config              the configuration was made with `gcc (Own) 4.2`, and kernels are built with `[GCC]`
    poor    config              the configuration brings a command line of its own: root=/dev/sda
    poor    config              1 symbols are modules, which are not built: state [build] `modules` = true, or build in what the reproducer needs
    poor    environment         KCFLAGS=-O1 is set here and not used; state it with [build] `kcflags` if it is meant
    poor    environment         KBUILD_OUTPUT=/tmp/o is set here and not used
    ");
}

#[test]
fn bad_jobs_are_refused_with_reasons() {
    let world = World::new();
    history(&world, 2, |_, commit| commit);
    fs::write(world.path("bad.config"), "CONFIG_A=y\nCONFIG_B\n").unwrap();
    fs::write(world.path("empty.config"), "# nothing\n").unwrap();
    let refused = |rest: &str| {
        job(&world, &format!("[target]\nstage = \"build\"\n[machine]\nown_init = true\n[build]\nkind = \"linux\"\n{rest}"));
        world.shown(&world.kbisect(&["run", "--quiet", "job.toml", "--out", "run"]).output().unwrap())
    };
    insta::assert_snapshot!(refused(""), @r#"
    --- stderr
    error: job.toml:8:1: missing [build] `config`: a file, or [build] `base` with targets such as ["defconfig", "kvm_guest.config"]
    --- exit status 2
    "#);
    insta::assert_snapshot!(refused("base = \"defconfig\"\nconfig = \"bad.config\"\ncommand = [\"make\"]\nfragments = [\"none.config\", \"empty.config\"]\nset = [\"KASAN\"]\narch = \"vax\"\nmake = [\"O=/tmp\", \"ARCH=x86\", \"x\"]\n"), @r#"
    --- stderr
    error: job.toml:10:1: [build] `base` and `config` exclude each other
    error: job.toml:11:10: [build] `config`: [DIR]/bad.config:2: neither CONFIG_X=… nor `# CONFIG_X is not set` nor a comment
    error: job.toml:12:1: [build] `command` is for kind = "command"; kbisect knows how to build Linux
    error: job.toml:13:14: [build] `fragments`: cannot use [DIR]/none.config: No such file or directory (os error 2)
    error: job.toml:13:29: [build] `fragments`: [DIR]/empty.config says nothing of any symbol
    error: job.toml:14:8: [build] `set`: must be such as "KASAN=y", "NR_CPUS=8" or "KCOV=n"
    error: job.toml:15:8: [build] `arch`: must be "x86_64" or "i386" or "arm64" or "arm" or "riscv" or "loongarch" or "powerpc" or "s390" or "mips", not "vax"
    error: job.toml:16:9: [build] `make`: `O` is kbisect's to set: object trees are its own
    error: job.toml:16:19: [build] `make`: state `ARCH` with [build] `arch`
    error: job.toml:16:31: [build] `make`: must be such as "LLVM_IAS=0"
    --- exit status 2
    "#);
    insta::assert_snapshot!(refused("base = [\"defconfig\"]\narch = \"x86_64\"\ncompiler = [{ before = \"v6.2\", program = \"gcc-99\" }]\n"), @r"
    --- stderr
    error: gcc-99: [build] `compiler` names it, and it is not in PATH
    hint: install it
    --- exit status 8
    ");
    insta::assert_snapshot!(refused("base = [\"defconfig\"]\narch = \"x86_64\"\nrequire = [\"KASAN\"]\n"), @r#"
    --- stderr
    error: the configuration lacks CONFIG_KASAN, which [build] `require` asks for
    hint: add to [build]: set = ["KASAN=y"]
    --- exit status 2
    "#);
    insta::assert_snapshot!(refused("base = [\"kvm_guest.config\"]\narch = \"x86_64\"\n"), @r"
    --- stderr
    error: the start commit cannot be configured: make kvm_guest.config ended with exit status 2
    error: make: *** No rule to make target 'kvm_guest.config'.  Stop.
    hint: [build] `base` names make targets of the start commit; is `kvm_guest.config` one?
    --- exit status 2
    ");
    fs::write(world.path("arm.config"), "CONFIG_ARM64=y\n").unwrap();
    insta::assert_snapshot!(refused("config = \"arm.config\"\narch = \"x86_64\"\n"), @r#"
    --- stderr
    error: config: [DIR]/arm.config is for arm64, and [build] `arch` is x86_64
    hint: state [build] `arch` = "arm64"
    --- exit status 2
    "#);
    assert!(!world.path("run").exists(), "nothing is left of a run that did not begin");
}

//! The distribution's own Linux on every kind of machine that boots. Slow, and needs Debian's package archive: `./x test-linux`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use kbisect::config::job;
use kbisect::config::job::MachineKind;
use kbisect::machine::Ended;
use kbisect::machine::command;
use kbisect::machine::command::CommandPool;
use kbisect::machine::identity::Identity;
use kbisect::machine::image;
use kbisect::machine::image::ImagePool;
use kbisect::symbols::Symbols;
use kbisect::trial;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Stage;

use crate::guests::cloud_kernel;
use crate::guests::plan;
use crate::guests::reproducer;
use crate::guests::run;
use crate::guests::run_in;

#[tokio::test]
#[ignore = "slow: ./x test-linux"]
async fn linux_crash_is_titled_as_by_syzkaller() {
    let (kernel, dir) = (cloud_kernel(), tempfile::tempdir().expect("a folder"));
    let crash = "int fd = open(\"/proc/sysrq-trigger\", O_WRONLY); write(fd, \"c\", 1); sleep(60); return 0;";
    let plan = plan(reproducer(dir.path(), crash), &[], 60);
    for board in ["pc", "microvm"] {
        let finished = run(board, &kernel, &plan).await;
        let Outcome::Crashed(sighting) = finished.outcome else { panic!("{board}: {:?}", finished.outcome) };
        assert_eq!(sighting.report.title, "kernel panic: sysrq triggered crash");
        let console = String::from_utf8_lossy(&finished.console);
        assert!(console.contains("Linux version ") && !console.contains('\r'));
        places_are_told(&kernel, &finished.console);
    }
}

/// Each boot has another address for every function (KASLR). Needs the kernel's debug package, which is too large to be fetched.
fn places_are_told(kernel: &Path, console: &[u8]) {
    let package = kernel.file_name().expect("a folder of its own").to_string_lossy().into_owned();
    let release = package.trim_start_matches("linux-image-");
    let stated = std::env::var_os("KBISECT_TEST_VMLINUX").map(PathBuf::from);
    let vmlinux = stated.unwrap_or_else(|| Path::new("/usr/lib/debug/boot").join(format!("vmlinux-{release}")));
    if !(vmlinux.is_file() && vmlinux.to_string_lossy().ends_with(release)) {
        println!("skipped: places of frames; {package}-dbg is not installed");
        return;
    }
    let text = Symbols::new(vmlinux, None).annotate(console, usize::MAX).text;
    let text = String::from_utf8_lossy(&text);
    let frames: Vec<&str> = text.lines().skip_while(|line| !line.ends_with("Call Trace:")).skip(2).take(5).collect();
    println!("{}", frames.join("\n"));
    assert!(frames.iter().all(|frame| frame.contains(".c:")), "{text}");
    assert!(
        frames.iter().any(|frame| frame.contains(" sysrq_handle_crash+") && frame.contains("drivers/tty/sysrq.c:")),
        "{text}"
    );
}

#[tokio::test]
#[ignore = "slow: ./x test-linux"]
async fn linux_another_kernel_than_the_one_that_was_built_is_no_evidence() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::copy(cloud_kernel().join("kernel"), dir.path().join("kernel")).expect("a copy");
    let plan = plan(reproducer(dir.path(), "return 0;"), &[], 60);
    let finished = run("pc", dir.path(), &plan).await;
    let why = "the build leaves no vmlinux with a build id".to_owned();
    assert_eq!((finished.outcome, finished.identity), (Outcome::Clean, Identity::Unknown(why)));
    fs::write(dir.path().join("build-id"), "00c0ffee").expect("a file");
    let Outcome::Void(failure) = run("pc", dir.path(), &plan).await.outcome else { panic!("that is another kernel") };
    assert_eq!(failure.stage, Stage::Infra);
    let id = failure.reason.split("build id ").nth(1).and_then(|rest| rest.strip_suffix(", not 00c0ffee"));
    assert!(id.is_some_and(|id| id.len() == 40), "{}", failure.reason);
}

#[tokio::test]
#[ignore = "slow: ./x test-linux"]
async fn linux_reproducer_gets_its_arguments_and_its_status_is_known() {
    let (kernel, dir) = (cloud_kernel(), tempfile::tempdir().expect("a folder"));
    let body = "for (int i = 1; i < argc; i++) printf(\"argument <%s>\\n\", argv[i]); fflush(stdout);
        if (argc == 2) kill(getpid(), SIGSEGV); return argc + 2;";
    let reproducer = reproducer(dir.path(), body);
    let finished = run("pc", &kernel, &plan(reproducer.clone(), &["/repro", "two words", "", "100%"], 60)).await;
    assert_eq!((finished.outcome, finished.ended), (Outcome::Clean, Some(Ended::Code(6))));
    let printed = String::from_utf8_lossy(&finished.printed);
    assert_eq!(printed, "argument <two words>\nargument <>\nargument <100%>\n");
    let finished = run("pc", &kernel, &plan(reproducer, &["one"], 60)).await;
    assert_eq!((finished.outcome, finished.ended), (Outcome::Clean, Some(Ended::Signal(11))));
}

#[tokio::test]
#[ignore = "slow: ./x test-linux"]
async fn linux_time_limit_is_clean_while_the_guest_lives_and_repeats_are_one_trial() {
    let (kernel, dir) = (cloud_kernel(), tempfile::tempdir().expect("a folder"));
    let endless = reproducer(dir.path(), "for (;;) fork();");
    let finished = run("pc", &kernel, &plan(endless, &[], 3)).await;
    assert_eq!((finished.outcome, finished.ended), (Outcome::Clean, Some(Ended::TimeLimit)));
    let short = reproducer(dir.path(), "puts(\"once more\"); return 0;");
    let mut plan = plan(short, &[], 3);
    plan.repeat = true;
    let finished = run("pc", &kernel, &plan).await;
    assert_eq!(finished.outcome, Outcome::Clean);
    assert!(String::from_utf8_lossy(&finished.printed).matches("once more\n").count() > 3);
}

#[tokio::test]
#[ignore = "slow: ./x test-linux"]
async fn linux_two_reproducers_get_half_of_the_time_each() {
    let (kernel, dir) = (cloud_kernel(), tempfile::tempdir().expect("a folder"));
    let [first, second] = ["first", "second"].map(|name| {
        fs::create_dir(dir.path().join(name)).expect("a folder");
        dir.path().join(name)
    });
    let hangs = reproducer(&first, "puts(\"first\"); fflush(stdout); for (;;) pause();");
    let crash = "puts(\"second\"); fflush(stdout); int fd = open(\"/proc/sysrq-trigger\", O_WRONLY); write(fd, \"c\", 1); sleep(60); return 0;";
    let crashes = reproducer(&second, crash);
    let job = "repo = \".\"\nbad = \"HEAD\"\ngood = \"HEAD\"\nrepro = { file = \"first/repro\", then = \"second/repro\" }\n\
               [build]\ncommand = [\"true\", \"{out}\"]\n[trial]\ntime_limit = \"8s\"\n";
    fs::write(dir.path().join("job.toml"), job).expect("a file");
    assert!(Command::new("git").arg("init").arg("-q").current_dir(dir.path()).status().expect("git").success());
    let job = kbisect::config::read(&dir.path().join("job.toml")).expect("a job").job;
    let places = [job::Repro::PLACE, job::Repro::THEN].map(str::to_owned);
    for (files, printed, crashed) in [
        ([&hangs, &crashes], "first\nKilled\nsecond\n", true),
        // The second one is run for its half alone.
        ([&hangs, &hangs], "first\nKilled\nfirst\n", false),
    ] {
        let command: Vec<&str> = job.trial.command.iter().map(String::as_str).collect();
        let files = files.into_iter().cloned().zip(places.clone()).collect();
        let plan = trial::Plan { files, ..plan(hangs.clone(), &command, job.trial.time_limit.as_secs()) };
        let finished = run("pc", &kernel, &plan).await;
        assert_eq!(matches!(finished.outcome, Outcome::Crashed(_)), crashed, "{:?}", finished.outcome);
        assert_eq!(String::from_utf8_lossy(&finished.printed), printed);
    }
}

/// Machines with the disk image that `./x image` makes, for the distribution's kernel with its modules; the folder lives as long.
struct Disk {
    dir: tempfile::TempDir,
    pool: ImagePool,
}

impl Disk {
    fn new() -> Self {
        Self::with(kbisect::config::default_image().expect("a cache folder"))
    }

    fn with(image: PathBuf) -> Self {
        assert!(image.is_file(), "there is no {}: run ./x image", image.display());
        let dir = tempfile::tempdir().expect("a folder");
        let kernel = cloud_kernel();
        let modules = PathBuf::from(format!("{}.modules", kernel.display()));
        assert!(modules.is_dir(), "{}", modules.display());
        fs::create_dir(dir.path().join("kernel")).expect("a folder");
        fs::copy(kernel.join("kernel"), dir.path().join("kernel/kernel")).expect("a copy");
        symlink(modules, dir.path().join("kernel/modules")).expect("a link");
        let pool = ImagePool::new(image::Settings {
            dir: dir.path().join("machines"),
            slots: 1,
            memory: 512 << 20,
            cpus: 1,
            cmdline: String::new(),
            network: false,
            boot_limit: Duration::from_secs(240),
            disk: job::Disk { image, root: "/dev/vda".to_owned(), user: "root".to_owned(), key: None },
            init: kbisect::embedded::GUEST_INIT,
        });
        Self { dir, pool }
    }

    async fn run(&self, name: &str, plan: &trial::Plan) -> trial::Finished {
        let plan = trial::Plan { kind: MachineKind::Image, ..plan.clone() };
        run_in(&self.pool, name, &self.dir.path().join("kernel"), &plan).await
    }
}

#[tokio::test]
#[ignore = "slow: ./x test-linux"]
async fn linux_disk_image_runs_programs_and_shows_crashes() {
    let disk = Disk::new();
    let program = reproducer(disk.dir.path(), "printf(\"hello <%s>\\n\", argv[1]); return argc == 2 ? 255 : 3;");
    let finished = disk.run("status", &plan(program.clone(), &["two words", "b"], 60)).await;
    assert_eq!((finished.outcome, finished.ended), (Outcome::Clean, Some(Ended::Code(3))));
    let (console, printed) = (String::from_utf8_lossy(&finished.console), String::from_utf8_lossy(&finished.printed));
    assert!(printed == "hello <two words>\n" && console.contains("Linux version "), "{printed}\n{console}");
    let finished = disk.run("255 is ssh's", &plan(program, &["one"], 60)).await;
    assert_eq!((finished.outcome, finished.ended), (Outcome::Clean, Some(Ended::Code(254))));

    let crash = "int fd = open(\"/proc/sysrq-trigger\", O_WRONLY); write(fd, \"c\", 1); sleep(60); return 0;";
    let finished = disk.run("crash", &plan(reproducer(disk.dir.path(), crash), &[], 60)).await;
    let Outcome::Crashed(sighting) = finished.outcome else { panic!("{:?}", finished.outcome) };
    assert_eq!(sighting.report.title, "kernel panic: sysrq triggered crash");

    let endless = reproducer(disk.dir.path(), "for (;;) sleep(1);");
    let finished = disk.run("limit", &plan(endless, &[], 3)).await;
    assert_eq!((finished.outcome, finished.ended), (Outcome::Clean, Some(Ended::TimeLimit)));
    let left = fs::read_dir(disk.dir.path().join("machines")).expect("a folder").flatten();
    let left: Vec<_> = left.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert!(left.len() == 1 && left[0].starts_with("key-"), "machines leave nothing: {left:?}");
}

#[tokio::test]
#[ignore = "slow: ./x test-linux"]
async fn linux_disk_image_lost_connections_and_full_disks_are_void() {
    let disk = Disk::new();
    let void = |finished: trial::Finished| match finished.outcome {
        Outcome::Void(failure) => (failure.stage, failure.reason),
        other => panic!("{other:?}"),
    };
    // Every sshd goes, and the guest lives.
    let cut = "system(\"pkill -9 sshd\"); sleep(60); return 0;";
    let (stage, reason) = void(disk.run("no sshd", &plan(reproducer(disk.dir.path(), cut), &[], 60)).await);
    assert_eq!(stage, Stage::Reproducer);
    assert_eq!(reason, "lost connection to the machine while the reproducer ran: ssh's broke, and it does not answer on another");
    // An image with 4 MiB free: enough to boot, and too little for what is brought. Ext4 keeps 4,096 blocks for itself.
    let full = disk.dir.path().join("full.img");
    let image = kbisect::config::default_image().expect("a cache folder");
    let fill = "set -e; cp --sparse=always \"$0\" \"$1\"
        told() { dumpe2fs -h \"$0\" 2>&1 | sed -n \"s/^$1: *//p\"; }
        left=$(( $(told 'Free blocks') - 4096 - (4 << 20) / $(told 'Block size') ))
        debugfs -w -R 'write /etc/hostname big' \"$1\"; debugfs -w -R \"fallocate big 0 $left\" \"$1\"";
    let status = Command::new("sh").args(["-c", fill]).args([&image, &full]).status().expect("a shell");
    assert!(status.success());
    let large = disk.dir.path().join("large");
    fs::write(&large, vec![b'x'; 8 << 20]).expect("a file");
    let disk = Disk::with(full);
    let mut plan = plan(reproducer(disk.dir.path(), "return 0;"), &[], 60);
    plan.files.push((large, "/large".to_owned()));
    let (stage, reason) = void(disk.run("full disk", &plan).await);
    assert_eq!(stage, Stage::Copy);
    // How tar says it depends on where the last block ends.
    assert!(["No space left on device", "Wrote only"].iter().any(|words| reason.contains(words)), "{reason}");
}

/// What `vng` does, with nothing but QEMU and busybox: boots the kernel `$1` and runs the command `$2` in it.
const LIKE_VNG: &str = r#"#!/bin/sh
mkdir -p root/bin root/dev root/proc root/sys root/tmp
cp /bin/busybox root/bin
for name in cat echo kill mount od reboot rm sh sleep test tr; do ln -s busybox root/bin/$name; done
printf '%s\n' "$2" >root/command
cat >root/init <<'END'
#!/bin/sh
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs devtmpfs /dev
{ sh /command; echo "status $?"; } >/dev/console 2>&1
reboot -f
END
chmod 755 root/init
(cd root && find . | busybox cpio -o -H newc 2>/dev/null) >initrd
qemu-system-x86_64 -nodefaults -display none -no-reboot -accel tcg -cpu max,la57=off -m "$3" -serial stdio \
    -kernel "$1" -initrd initrd -append "console=ttyS0 panic=-1" </dev/null | tee output
status=$(sed -n 's/^status \([0-9]*\).*/\1/p' output)
exit "${status:-255}"
"#;

#[tokio::test]
#[ignore = "slow: ./x test-linux"]
async fn linux_command_like_vng_runs_programs_and_shows_crashes() {
    let dir = tempfile::tempdir().expect("a folder");
    let fake = dir.path().join("like-vng");
    fs::write(&fake, LIKE_VNG).expect("a script");
    fs::set_permissions(&fake, fs::Permissions::from_mode(0o755)).expect("a script that can be executed");
    let pool = CommandPool::new(command::Settings {
        dir: dir.path().join("machines"),
        slots: 1,
        memory: 512 << 20,
        cpus: 1,
        boot_limit: Duration::from_secs(120),
        command: [&fake.display().to_string(), "{kernel}", "{command}", "{memory}M"].map(str::to_owned).into(),
    });
    let trial = |script: &str| trial::Plan {
        kind: MachineKind::Command,
        files: Vec::new(),
        ..plan(PathBuf::new(), &["sh", "-c", script, "sh", "two words"], 60)
    };
    let finished = run_in(&pool, "status", &cloud_kernel(), &trial("echo \"<$1>\"; exit 7")).await;
    assert_eq!((finished.outcome, finished.ended), (Outcome::Clean, Some(Ended::Code(7))));
    let console = String::from_utf8_lossy(&finished.console);
    assert!(
        console.contains("<two words>\n") && console.contains("Linux version ") && !console.contains("kbisect "),
        "{console}"
    );
    let finished = run_in(&pool, "crash", &cloud_kernel(), &trial("echo c >/proc/sysrq-trigger")).await;
    let Outcome::Crashed(sighting) = finished.outcome else { panic!("{:?}", finished.outcome) };
    assert_eq!(sighting.report.title, "kernel panic: sysrq triggered crash");
    let finished =
        run_in(&pool, "limit", &cloud_kernel(), &trial::Plan { time_limit: Duration::from_secs(3), ..trial("sleep 99") }).await;
    assert_eq!((finished.outcome, finished.ended), (Outcome::Clean, Some(Ended::TimeLimit)));
}

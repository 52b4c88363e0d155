//! Builds of the distribution's own Linux sources. Slow, and needs Debian's package archive: `./x test-linux`.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use kbisect::build;
use kbisect::build::Recipe;
use kbisect::build::linux;
use kbisect::build::linux::needs;
use kbisect::build::linux::objects::Sources;
use kbisect::build::room::Room;
use kbisect::build::store::Store;
use kbisect::config::job;
use kbisect::config::job::CompilerCache;
use kbisect::config::job::CompilerRule;
use kbisect::config::job::CountAs;
use kbisect::config::job::Expect;
use kbisect::config::job::MachineKind;
use kbisect::config::job::TargetStage;
use kbisect::config::job::Toolchain;
use kbisect::git::Checkout;
use kbisect::git::Repository;
use kbisect::machine::Pool;
use kbisect::machine::Setup;
use kbisect::machine::identity::Identity;
use kbisect::machine::qemu;
use kbisect::plugin::Engine;
use kbisect::plugin::facts::NoFacts;
use kbisect::policy::Policies;
use kbisect::record::event::BuildResult;
use kbisect::repro::made;
use kbisect::trial;
use kbisect_core::commit::CommitId;
use kbisect_core::policy::Outcome;

use crate::folders::cache;
use crate::folders::downloads;

/// What was compiled by other histories, which are all made by these tests.
fn compiled() -> PathBuf {
    let dir = cache().join("ccache/demo");
    fs::create_dir_all(&dir).expect("a cache folder");
    dir
}

/// A repository with one commit, the distribution's Linux sources; made once. `KBISECT_TEST_LINUX_TREE` names another one.
fn sources() -> PathBuf {
    if let Some(tree) = std::env::var_os("KBISECT_TEST_LINUX_TREE") {
        return PathBuf::from(tree);
    }
    let dir = downloads();
    let script = "set -e
        [ ! -d sources.git ] || exit 0
        new=$(mktemp -d new.XXXXXX) && cd \"$new\"
        package=$(apt-cache depends linux-source | sed -n 's/^ *Depends: //p' | head -1)
        apt-get -q download \"$package\" >&2
        dpkg-deb --fsys-tarfile ./*.deb | tar -x --wildcards './usr/src/*.tar.xz'
        mkdir tree && tar -xJf usr/src/*.tar.xz -C tree --strip-components=1 --exclude='*/drivers/gpu/drm/amd/*.h'
        cd tree && git init -q && git add -A --force
        git -c user.name=kbisect -c user.email=kbisect@localhost commit -q -m Linux
        [ -d ../../sources.git ] || mv -T .git ../../sources.git
        cd ../.. && rm -rf \"$new\"";
    let output = Command::new("sh").args(["-c", script]).current_dir(&dir).output().expect("a shell");
    assert!(output.status.success(), "no sources: {}", String::from_utf8_lossy(&output.stderr));
    dir.join("sources.git")
}

/// The symbols without which our init does not run, and a console that says more.
const SMALL: [&str; 20] = [
    "64BIT",
    "PRINTK",
    "TTY",
    "SERIAL_8250",
    "SERIAL_8250_CONSOLE",
    "BLK_DEV_INITRD",
    "BINFMT_ELF",
    "BINFMT_SCRIPT",
    "PROC_FS",
    "SYSFS",
    "DEVTMPFS",
    "SHMEM",
    "TMPFS",
    "FUTEX",
    "POSIX_TIMERS",
    "MULTIUSER",
    "UNIX98_PTYS",
    "BUG",
    "KERNEL_GZIP",
    "KALLSYMS",
];

fn job() -> job::Linux {
    job::Linux {
        config: None,
        base: vec!["tinyconfig".to_owned()],
        fragments: Vec::new(),
        set: SMALL.map(|symbol| format!("{symbol}=y")).into(),
        require: Vec::new(),
        edits: true,
        arch: "x86_64".to_owned(),
        cross_compile: String::new(),
        toolchain: Toolchain::Gcc,
        compiler: Vec::new(),
        kcflags: String::new(),
        make: Vec::new(),
        targets: Vec::new(),
        modules: false,
        ccache: CompilerCache::Off,
        minimize: None,
    }
}

/// A clone with a history of its own, and builders.
struct World {
    dir: tempfile::TempDir,
    repository: Repository,
}

/// One builder: a checkout and an object tree.
struct Builder<'a> {
    world: &'a World,
    checkout: Checkout,
    settings: build::Settings,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        // What no x86 kernel of this size is made of stays away, but for what Kconfig reads: it is a lot of disk.
        let script = r#"set -e
            git clone -q --shared --no-checkout "$1" linux && cd linux && git read-tree HEAD
            git ls-files | grep -E '^(drivers/(gpu|net/[^/]+|media|staging|scsi|infiniband|iio)|sound|Documentation|tools/(testing|perf)|samples|arch/[^xu][^/]*|fs/(xfs|btrfs|ocfs2|nfs|nfsd|ext4|f2fs|ceph|cifs|ntfs3|gfs2))/.*\.(c|h|S|dts|dtsi|rst|yaml|json|txt|svg)$' |
                git update-index --force-remove --stdin
            tree=$(git write-tree)
            commit=$(git -c user.name=A -c user.email=a@example.org commit-tree -m Linux "$tree")
            git reset -q --hard "$commit""#;
        let git = Command::new("sh").args(["-c", script, "sh"]).arg(sources()).current_dir(dir.path()).status();
        assert!(git.expect("sh").success());
        let repository = Repository::open(&dir.path().join("linux")).expect("a repository");
        Self { dir, repository }
    }

    /// Commits a change of one file.
    fn change(&self, path: &str, change: impl Fn(&str) -> String) -> CommitId {
        let repo = self.dir.path().join("linux");
        let text = fs::read_to_string(repo.join(path)).expect("a source");
        fs::write(repo.join(path), change(&text)).expect("a source");
        let commit = ["-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-q", "-a", "-m", "change"];
        assert!(Command::new("git").arg("-C").arg(&repo).args(commit).status().expect("git").success());
        self.repository.resolve("HEAD").expect("a commit")
    }

    fn builder(&self, name: &str, job: job::Linux) -> Builder<'_> {
        let own = self.dir.path().join(name);
        let recipe = linux::Recipe {
            job,
            needs: needs::of_machine(false, false, "x86_64"),
            tree: own.join("tree"),
            baseline: self.dir.path().join("baseline.config"),
            merged: false,
            known: Arc::default(),
        };
        let settings = build::Settings {
            recipe: Recipe::Linux(Box::new(recipe)),
            time_limit: Duration::from_secs(3600),
            jobs: std::thread::available_parallelism().map_or(2, |cpus| cpus.get() as u32),
            store: self.dir.path().join("kernels"),
            work: own.join("work"),
            room: Room { dir: self.dir.path().to_owned(), work: own.join("work"), limit: 8 << 30 },
            cache: Some(compiled()),
        };
        let checkout = Checkout::create(&self.dir.path().join("linux"), &own.join("src")).expect("a checkout");
        Builder { world: self, checkout, settings }
    }
}

impl Builder<'_> {
    async fn prepare(&mut self, commit: &CommitId) -> Result<Vec<String>, kbisect::error::Error> {
        self.checkout.switch(commit).expect("a checkout");
        let recipe = self.settings.recipe.linux().expect("Linux");
        linux::prepare::prepare(&self.settings, recipe, self.checkout.path()).await
    }

    async fn build(&mut self, commit: &CommitId) -> BuildResult {
        self.checkout.switch(commit).expect("a checkout");
        let began = Instant::now();
        let changed = |before: &CommitId| self.world.repository.differing_files(before, commit).ok();
        let finished = build::run(&self.settings, self.checkout.path(), commit, changed).await;
        println!("{} in {:.1} s: {:?}", commit.short(), began.elapsed().as_secs_f64(), finished.result);
        finished.result
    }

    async fn kernel(&mut self, commit: &CommitId) -> (PathBuf, String, String) {
        match self.build(commit).await {
            BuildResult::Built { kernel: Some(kernel), signature: Some(signature), compiler: Some(compiler), lost } => {
                assert_eq!(lost, [""; 0]);
                (Store::new(self.settings.store.clone()).find(&kernel).expect("a kernel"), signature, compiler)
            }
            other => panic!("not built: {other:?}"),
        }
    }
}

/// Boots a kernel and runs a shell in it.
async fn boots(kernel: &Path, commit: CommitId) {
    let printed = says(kernel, commit, None, "uname -r", Vec::new()).await;
    assert!(printed.starts_with("6.") || printed.starts_with("7."), "{printed}");
}

/// What a shell in a machine prints, with a folder as the machine's root or without.
async fn says(kernel: &Path, commit: CommitId, root: Option<&Path>, script: &str, files: Vec<(PathBuf, String)>) -> String {
    let dir = tempfile::tempdir().expect("a folder");
    let plan = trial::Plan {
        commit,
        kind: MachineKind::Qemu,
        stage: TargetStage::Run,
        command: ["/bin/sh", "-c", &format!("{script}; exit 7")].map(str::to_owned).into(),
        files,
        time_limit: Duration::from_secs(60),
        repeat: false,
        expect: Expect::Crash,
        on_timeout: CountAs::Void,
        on_signal: CountAs::Void,
        suite: None,
        exposure: 1.0,
    };
    let pool = qemu::QemuPool::new(qemu::Settings {
        dir: dir.path().to_owned(),
        slots: 1,
        memory: 256 << 20,
        cpus: 1,
        board: "pc".to_owned(),
        cmdline: String::new(),
        network: false,
        boot_limit: Duration::from_secs(120),
        init: Some(kbisect::embedded::GUEST_INIT),
        root_dir: root.map(Path::to_owned),
    });
    let engine = Engine::new(None).expect("an engine");
    let policies = Policies::load_with(&engine, &[], Arc::new(NoFacts), Arc::new(|_| {})).expect("the bundled plugins");
    let setup = Setup { trial: 1, commit, kernel: Some(kernel.to_owned()), slot: 0, command: Vec::new() };
    let machine = pool.create(&setup).await.expect("a machine");
    let (_go_on, stop) = tokio::sync::watch::channel(false);
    let finished = trial::run(machine, &plan, Arc::new(policies), stop).await;
    let console = String::from_utf8_lossy(&finished.console).into_owned();
    assert_eq!(finished.outcome, Outcome::Clean, "{console}");
    assert_eq!(finished.ended, Some(kbisect::machine::Ended::Code(7)), "{console}");
    assert_eq!(finished.identity, Identity::Same);
    String::from_utf8_lossy(&finished.printed).into_owned()
}

#[tokio::test]
#[ignore = "slow: ./x test-linux"]
async fn linux_root_is_a_folder_of_the_host_that_stays_as_it_is() {
    let world = World::new();
    let start = world.repository.resolve("HEAD").expect("a commit");
    let mut job = job();
    let more = ["NET", "INET", "NETWORK_FILESYSTEMS", "PCI", "VIRTIO_MENU", "BLOCK", "MULTIUSER"];
    job.set.extend(more.iter().map(|symbol| format!("{symbol}=y")));
    job.set.extend(needs::of_folder("pc").map(|(symbol, _)| format!("{symbol}=y")));
    let mut builder = world.builder("one", job);
    builder.prepare(&start).await.expect("the start commit can be configured");
    let (kernel, ..) = builder.kernel(&start).await;

    // A root as distributions have it: /bin is a link. The shell is all that is in it.
    let root = world.dir.path().join("root, of a guest");
    fs::create_dir_all(root.join("usr/bin")).expect("a folder");
    std::os::unix::fs::symlink("usr/bin", root.join("bin")).expect("a link");
    fs::copy("/bin/busybox", root.join("usr/bin/busybox")).expect("a busybox");
    for name in ["sh", "cat", "ls", "rm", "readlink"] {
        std::os::unix::fs::symlink("busybox", root.join("usr/bin").join(name)).expect("a link");
    }
    fs::write(root.join("marker"), "of the host\n").expect("a file");
    let brought = world.dir.path().join("brought");
    fs::write(&brought, "of the trial\n").expect("a file");
    let files = ["/bin/brought", "/new/brought"].map(|to| (brought.clone(), to.to_owned()));
    let script = "cat /marker /usr/bin/brought /new/brought; readlink /bin; echo changed > /marker; cat /marker; rm /bin/ls; \
                  [ -e /usr/bin/ls ] || echo gone; [ -e /proc/self/comm ] && echo there > /dev/null && echo proc and dev";
    let printed = says(&kernel, start, Some(&root), script, files.into()).await;
    assert_eq!(printed, "of the host\nof the trial\nof the trial\nusr/bin\nchanged\ngone\nproc and dev\n");
    assert_eq!(fs::read_to_string(root.join("marker")).expect("a file"), "of the host\n");
    assert!(root.join("usr/bin/ls").is_symlink() && !root.join("new").exists() && !root.join("proc").exists());
}

#[tokio::test]
#[ignore = "slow: ./x test-linux"]
async fn linux_two_warm_trees_and_two_compilers() {
    let world = World::new();
    let first = world.repository.resolve("HEAD").expect("a commit");
    let leaf = world.change("kernel/fork.c", |text| format!("{text}\nint kbisect_leaf = 5;\n"));
    let header = world.change("include/linux/pid.h", |text| text.replacen("struct pid\n", "struct kbisect;\nstruct pid\n", 1));
    let broken = world.change("kernel/exit.c", |text| format!("{text}\nint kbisect_leaf = unknown;\n"));
    let unlinked = world.change("kernel/exit.c", |text| text.replace("kbisect_leaf = unknown", "kbisect_leaf = 6"));

    let mut one = world.builder("one", job());
    let notes = one.prepare(&first).await.expect("the start commit can be configured");
    println!("{}", notes.join("\n"));
    let (kernel, signature, compiler) = one.kernel(&first).await;
    assert!(compiler.starts_with("gcc ("), "{compiler}");
    boots(&kernel, first).await;
    let sources = Sources::of_kernel(&kernel).expect("a list of sources");
    let built = |path: &str| sources.is_built(&[path.to_owned()]);
    assert!(built("kernel/fork.c") && built("include/linux/pid.h") && built("arch/x86/entry/entry_64.S"));
    assert!(!built("drivers/net/tun.c") && !built("arch/um/kernel/process.c") && !built("include/linux/if_tun.h"));
    let (leaf_kernel, leaf_signature, _) = one.kernel(&leaf).await;
    assert!(leaf_signature != signature && leaf_kernel != kernel);
    one.kernel(&header).await;
    match one.build(&broken).await {
        BuildResult::Failed(why) => {
            assert!(why.contains("ended with exit status 2 at kernel/exit.c\nkernel/exit.c:"), "{why}");
            assert!(why.contains(": error: 'unknown' undeclared here"), "{why}");
        }
        other => panic!("{other:?}"),
    }
    match one.build(&unlinked).await {
        BuildResult::Failed(why) => assert!(why.contains("multiple definition of `kbisect_leaf'"), "{why}"),
        other => panic!("{other:?}"),
    }
    let again = one.kernel(&first).await;
    assert_eq!((again.0, again.1.as_str()), (kernel.clone(), signature.as_str()));

    // Another builder comes to the same commit from elsewhere.
    let mut two = world.builder("two", job());
    two.kernel(&header).await;
    let other = two.kernel(&first).await;
    assert_eq!((other.0, other.1), (kernel, signature.clone()));

    let mut old = job();
    old.compiler = vec![CompilerRule { before: Some("v7.99".to_owned()), program: "gcc-11".to_owned() }];
    if !linux::toolchain::is_in_path("gcc-11") {
        println!("skipped: another compiler; gcc-11 is not installed");
        return;
    }
    let mut three = world.builder("three", old);
    let (kernel, by_another, compiler) = three.kernel(&first).await;
    assert!(compiler.contains("11.") && by_another != signature, "{compiler}");
    boots(&kernel, first).await;
}

#[tokio::test]
#[ignore = "slow: ./x test-linux"]
async fn linux_configuration_without_a_console_is_refused() {
    let world = World::new();
    let start = world.repository.resolve("HEAD").expect("a commit");
    let mut job = job();
    job.set.retain(|line| !line.starts_with("TTY") && !line.starts_with("SERIAL"));
    job.set.push("SERIAL_8250_CONSOLE=y".to_owned());
    let error = world.builder("one", job).prepare(&start).await.expect_err("no console");
    assert!(error.message.contains("the configuration lacks CONFIG_SERIAL_8250_CONSOLE, which the console needs"), "{error}");
    assert!(error.hints.iter().any(|hint| hint.starts_with("SERIAL_8250_CONSOLE did not stick")), "{:?}", error.hints);
}

/// Calls what the bug is in: the kernel's own names of queues begin without a slash.
const OPENS_A_QUEUE: &str = "#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	syscall(SYS_mq_open, \"queue\", O_CREAT | O_RDWR, 0600, 0);
	return 0;
}
";

/// Options of the whole configuration, of which the crash needs one, which needs another.
const MORE: [&str; 14] = [
    "NET",
    "INET",
    "POSIX_MQUEUE",
    "AIO",
    "EVENTFD",
    "SIGNALFD",
    "TIMERFD",
    "EPOLL",
    "IO_URING",
    "FHANDLE",
    "MEMBARRIER",
    "SYSVIPC",
    "DETECT_HUNG_TASK",
    "DEBUG_LIST",
];

#[test]
#[ignore = "slow: ./x test-linux"]
fn linux_configuration_becomes_small_and_the_culprit_is_found_with_it() {
    let world = World::new();
    let good = world.repository.resolve("HEAD").expect("a commit");
    world.change("kernel/pid.c", |text| format!("{text}\n"));
    let culprit = world.change("ipc/mqueue.c", |text| {
        let before =
            "static int do_mq_open(const char __user *u_name, int oflag, umode_t mode,\n\t\t      struct mq_attr *attr)\n{\n";
        assert!(text.contains(before), "{text}");
        text.replace(before, &format!("static int *mq_last_flags;\n\n{before}")).replace(
            "\taudit_mq_open(oflag, mode, attr);\n",
            "\tWRITE_ONCE(*mq_last_flags, oflag);\n\taudit_mq_open(oflag, mode, attr);\n",
        )
    });
    world.change("kernel/user.c", |text| format!("{text}\n"));
    let dir = world.dir.path();
    fs::write(dir.join("repro.c"), OPENS_A_QUEUE).expect("a reproducer");
    let compiled = compiled().display().to_string();
    let set = SMALL.iter().chain(&MORE).map(|symbol| format!("\"{symbol}=y\"")).collect::<Vec<_>>().join(", ");
    let job = format!(
        "repo = \"linux\"\nbad = \"HEAD\"\ngood = \"{good}\"\nrepro = \"repro.c\"\n\
         [build]\nkind = \"linux\"\narch = \"x86_64\"\nbase = \"tinyconfig\"\nset = [{set}]\nminimize = true\nccache = \"{compiled}\"\n\
         [machine]\nkind = \"qemu\"\nmemory = \"256M\"\ncpus = 1\nboot_limit = \"120s\"\n\
         [trial]\ntime_limit = \"20s\"\n[limits]\nslots = 1\n"
    );
    fs::write(dir.join("job.toml"), job).expect("a job");
    let started = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_kbisect")).args(["run", "job.toml", "--out", "run"]).current_dir(dir).output();
    let output = output.expect("kbisect");
    let shown = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    println!("{shown}\n{:.0} s", started.elapsed().as_secs_f64());
    assert_eq!(output.status.code(), Some(0), "{shown}");
    let report: serde_json::Value =
        serde_json::from_slice(&fs::read(dir.join("run/report.json")).expect("a report")).expect("a report");
    assert_eq!(report["named"]["commit"], culprit.to_string(), "{shown}");
    let small = kconfig(&dir.join("run/config-minimized"));
    assert!(["POSIX_MQUEUE", "NET"].iter().all(|symbol| small.is_on(symbol)), "{shown}");
    for symbol in ["INET", "AIO", "EPOLL", "IO_URING", "SYSVIPC", "DETECT_HUNG_TASK", "DEBUG_LIST"] {
        assert!(!small.is_on(symbol), "{symbol} is left\n{shown}");
    }
    // The stack's functions are found in the kernel, whose names for them have more to them than the report's.
    assert!(!shown.contains("none of the stack was seen to run"), "{shown}");
}

fn kconfig(path: &Path) -> linux::kconfig::Config {
    linux::kconfig::Config::parse(&fs::read_to_string(path).expect("a configuration")).expect("a configuration")
}

#[tokio::test]
#[ignore = "slow: ./x test-linux"]
async fn linux_selftests_are_built_by_name() {
    let dir = tempfile::tempdir().expect("a folder");
    let repository = Repository::open(&sources()).expect("a repository");
    let mut checkout = Checkout::create(&sources(), &dir.path().join("src")).expect("a checkout");
    checkout.switch(&repository.resolve("HEAD").expect("a commit")).expect("its files");
    let test = |test: &str| job::Selftest { collection: "timers".to_owned(), test: test.to_owned() };
    let built = made::selftest(checkout.path(), &test("posix_timers"), 2).await.expect("it builds");
    let program = fs::read(built.folder.join("timers/posix_timers")).expect("a program");
    assert_eq!(qemu::initramfs::loader(&program), None, "it is static");
    // Its own clock_adjtime() and the C library's do not go together in a static program.
    let error = made::selftest(checkout.path(), &test("valid-adjtimex"), 2).await.expect_err("it does not build").to_string();
    assert!(error.starts_with("repro: the selftest timers:valid-adjtimex does not build:\n"), "{error}");
}

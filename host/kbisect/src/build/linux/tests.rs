//! Builds of a tree that is made as Linux is, with real make and gcc.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::build::Recipe as AnyRecipe;
use crate::build::room::Room as Disk;
use crate::build::store::Store;
use crate::config::job::CompilerCache;
use crate::config::job::CompilerRule;
use crate::config::job::Toolchain;
use crate::error::Error;

/// The tree's sources, a builder's folders, and a store.
struct Room {
    dir: TempDir,
    settings: Settings,
}

/// What a job says where it says little.
pub(super) fn job() -> Linux {
    Linux {
        config: None,
        base: vec!["defconfig".to_owned()],
        fragments: Vec::new(),
        set: Vec::new(),
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

impl Room {
    fn new() -> Self {
        Self::with(job())
    }

    fn with(job: Linux) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/kernel_tree");
        let copied = Command::new("cp").arg("-r").arg(tree).arg(dir.path().join("src")).status().unwrap();
        assert!(copied.success());
        let settings = Self::settings(dir.path(), dir.path(), job);
        Self { dir, settings }
    }

    fn settings(dir: &Path, run: &Path, job: Linux) -> Settings {
        let recipe = Recipe {
            job,
            needs: vec![("64BIT", "the test")],
            tree: dir.join("tree"),
            baseline: run.join("baseline.config"),
            merged: false,
            known: Arc::default(),
        };
        Settings {
            recipe: AnyRecipe::Linux(Box::new(recipe)),
            time_limit: Duration::from_secs(120),
            jobs: 2,
            store: run.join("kernels"),
            work: dir.join("work"),
            room: Disk { dir: run.to_owned(), work: dir.join("work"), limit: 1 << 30 },
            cache: None,
        }
    }

    fn recipe(&mut self) -> &mut Recipe {
        match &mut self.settings.recipe {
            AnyRecipe::Linux(recipe) => recipe,
            AnyRecipe::Command(_) => panic!("no Linux"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Changes a source as a checkout does.
    fn change(&self, name: &str, from: &str, to: &str) {
        let path = self.path(name);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    async fn prepare(&self) -> Result<Vec<String>, Error> {
        let recipe = self.settings.recipe.linux().unwrap();
        prepare::prepare(&self.settings, recipe, &self.path("src")).await
    }

    async fn run(&self, number: u8, changed: &[&str]) -> Finished {
        let changed: Vec<String> = changed.iter().map(|path| (*path).to_owned()).collect();
        let commit = CommitId::from_bytes([number; 20]);
        let finished = super::super::run(&self.settings, &self.path("src"), &commit, |_| Some(changed.clone())).await;
        assert_eq!(fs::read_dir(&self.settings.work).unwrap().count(), 0, "no folder is left behind");
        finished
    }

    async fn build(&self, number: u8, changed: &[&str]) -> Built {
        match self.run(number, changed).await.result {
            BuildResult::Built { kernel, signature, compiler, lost } => {
                let folder = Store::new(self.settings.store.clone()).find(&kernel.unwrap()).unwrap();
                Built { folder, signature: signature.unwrap(), compiler: compiler.unwrap(), lost }
            }
            other => panic!("not built: {other:?}"),
        }
    }

    async fn failure(&self, number: u8) -> (String, bool) {
        let finished = self.run(number, &["kernel/main.c"]).await;
        match finished.result {
            BuildResult::Failed(why) => (why, finished.odd),
            other => panic!("not a failure: {other:?}"),
        }
    }

    fn time(&self, name: &str) -> std::time::SystemTime {
        fs::metadata(self.path(name)).unwrap().modified().unwrap()
    }

    /// A compiler of this name that is gcc, but for what the script does before.
    fn compiler(&mut self, script: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        fs::create_dir_all(self.path("tools/bin")).unwrap();
        let program = self.path("tools/bin/mycc");
        fs::write(&program, format!("#!/bin/sh\ncase \"$*\" in *' -c '*) {script} ;; esac\nexec gcc \"$@\"\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let program = program.to_string_lossy().into_owned();
        self.recipe().job.compiler = vec![CompilerRule { before: None, program }];
    }
}

struct Built {
    folder: PathBuf,
    signature: String,
    compiler: String,
    lost: Vec<String>,
}

#[tokio::test]
async fn a_kernel_comes_with_its_configuration_and_sources() {
    let room = Room::new();
    assert_eq!(room.prepare().await.unwrap(), environment::left_out());
    let built = room.build(1, &[]).await;
    assert!(built.compiler.starts_with("gcc ("), "{}", built.compiler);
    assert!(fs::read_to_string(built.folder.join("config")).unwrap().contains("CONFIG_SMP=y\n"));
    for name in ["kernel", "vmlinux"] {
        assert!(built.folder.join(name).is_file());
    }
    let sources = Sources::of_kernel(&built.folder).unwrap();
    let built = |paths: &[&str]| sources.is_built(&paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>());
    assert!(built(&["kernel/main.c"]) && built(&["include/common.h"]) && !built(&["mm/slab.c"]));
    let recipe = room.settings.recipe.linux().unwrap();
    assert_eq!(recipe.cost(&["include/common.h".to_owned()]), 2);
    assert_eq!(recipe.built_last(), Some(CommitId::from_bytes([1; 20])));
}

#[tokio::test]
async fn only_what_changed_is_made_anew() {
    let room = Room::new();
    room.prepare().await.unwrap();
    let first = room.build(1, &[]).await;
    let (config, other) = (room.time("tree/.config"), room.time("tree/kernel/record.o"));
    room.change("src/kernel/main.c", "for (;;)", "record(7, 0); for (;;)");
    let second = room.build(2, &["kernel/main.c"]).await;
    assert_ne!(first.signature, second.signature);
    assert_eq!((room.time("tree/.config"), room.time("tree/kernel/record.o")), (config, other));
    room.change("src/kernel/main.c", "record(7, 0); for (;;)", "for (;;)");
    assert_eq!(room.build(1, &["kernel/main.c"]).await.signature, first.signature);
    room.change("src/Kconfig", "SMP y", "SMP n");
    let built = room.build(3, &["Kconfig"]).await;
    assert!(fs::read_to_string(built.folder.join("config")).unwrap().contains("CONFIG_SMP=y\n"), "the baseline says so");
}

#[tokio::test]
async fn two_trees_give_equal_kernels() {
    let one = Room::new();
    one.prepare().await.unwrap();
    let built = one.build(1, &[]).await;
    one.change("src/kernel/main.c", "for (;;)", "record(7, 0); for (;;)");
    one.build(2, &["kernel/main.c"]).await;

    let mut two = Room::new();
    two.settings = Room::settings(two.dir.path(), one.dir.path(), job());
    two.change("src/include/common.h", "NUMBER 1", "NUMBER 2");
    two.build(3, &[]).await;
    two.change("src/include/common.h", "NUMBER 2", "NUMBER 1");
    let again = two.build(1, &["include/common.h"]).await;
    assert_eq!((again.signature, again.folder), (built.signature, built.folder));
}

#[tokio::test]
async fn fragments_and_lines_are_merged_and_what_does_not_stick_is_told() {
    let mut room = Room::new();
    room.write("part", "CONFIG_KASAN=y\n# CONFIG_SMP is not set\nCONFIG_NO_SUCH=y\n");
    let part = room.path("part");
    room.recipe().job.fragments = vec![part];
    room.recipe().job.set = vec!["CONFIG_SMP=y".to_owned()];
    let notes = room.prepare().await.unwrap();
    assert!(notes.contains(&"asked for and not in the configuration: CONFIG_NO_SUCH=y".to_owned()), "{notes:?}");
    let built = room.build(1, &[]).await;
    let config = fs::read_to_string(built.folder.join("config")).unwrap();
    assert!(config.contains("CONFIG_KASAN=y\n") && config.contains("CONFIG_SMP=y\n"), "{config}");
    assert_eq!(built.lost, ["NO_SUCH"]);
    // Another release knows no KASAN.
    room.change("src/Kconfig", "KASAN n\n", "");
    assert_eq!(room.build(2, &["lib/Kconfig.kasan"]).await.lost, ["KASAN", "NO_SUCH"]);
}

#[tokio::test]
async fn symbols_that_are_needed_are_missed_before_anything_is_compiled() {
    let mut room = Room::new();
    room.recipe().needs = vec![("64BIT", "the init"), ("SERIAL_8250_CONSOLE", "the console")];
    room.recipe().job.require = vec!["KASAN_EXTRA".to_owned()];
    room.recipe().job.set = vec!["CONFIG_KASAN_EXTRA=y".to_owned()];
    let error = room.prepare().await.unwrap_err();
    assert_eq!(
        error.message,
        "the configuration lacks CONFIG_SERIAL_8250_CONSOLE, which the console needs\n\
         the configuration lacks CONFIG_KASAN_EXTRA, which [build] `require` asks for"
    );
    assert_eq!(error.hints[0], "add to [build]: set = [\"SERIAL_8250_CONSOLE=y\"]");
    assert!(error.hints[1].starts_with("KASAN_EXTRA did not stick"), "{:?}", error.hints);
    assert!(!room.path("tree/kernel").exists() && !room.path("baseline.config").exists());
}

#[tokio::test]
async fn what_cannot_be_configured_is_the_users_to_mend() {
    let message = async |room: &Room| room.prepare().await.unwrap_err().message;
    let mut room = Room::new();
    room.recipe().job.base = vec!["kvm_guest.config".to_owned()];
    assert!(message(&room).await.contains("No rule to make target 'kvm_guest.config'"));

    room.write("arm", "CONFIG_ARM64=y\n");
    let path = room.path("arm");
    room.recipe().job.config = Some(path);
    assert!(message(&room).await.contains("is for arm64, and [build] `arch` is x86_64"));

    let mut room = Room::new();
    room.recipe().job.compiler = vec![CompilerRule { before: None, program: "gcc-99".to_owned() }];
    let error = room.prepare().await.unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (crate::error::ErrorKind::ToolsMissing, "the compiler `gcc-99` is not in PATH")
    );

    let room = Room::new();
    room.write("src/Makefile", "all:\n\ttrue\n");
    assert!(message(&room).await.contains("this is no Linux"));
}

#[tokio::test]
async fn another_compiler_than_the_configurations_is_told() {
    let mut room = Room::new();
    room.write(
        "own",
        "CONFIG_X86_64=y\nCONFIG_CC_VERSION_TEXT=\"gcc (Own) 4.2\"\nCONFIG_CMDLINE_BOOL=y\nCONFIG_CMDLINE=\"root=/dev/sda\"\n",
    );
    let path = room.path("own");
    room.recipe().job.config = Some(path);
    let notes = room.prepare().await.unwrap();
    assert!(notes.iter().any(|note| note.starts_with("the configuration was made with `gcc (Own) 4.2`, and")), "{notes:?}");
    let told = prepare::command_line(&Config::parse("CMDLINE_BOOL=y\nCMDLINE=\"root=/dev/sda\"\n").unwrap());
    assert_eq!(told.unwrap(), "the configuration brings a command line of its own: root=/dev/sda");
}

#[tokio::test]
async fn failures_name_file_and_cause() {
    let room = Room::new();
    room.prepare().await.unwrap();
    room.build(1, &[]).await;
    room.change("src/kernel/main.c", "record(", "recrod(");
    let (why, odd) = room.failure(2).await;
    assert!(why.starts_with("make bzImage ended with exit status 2 at kernel/main.c\nkernel/main.c:5:"), "{why}");
    assert!(!odd, "a clean build would say the same");
    room.change("src/kernel/main.c", "recrod(", "record(");
    room.change("src/kernel/record.c", "void record(", "void recorded(");
    let (why, odd) = room.failure(3).await;
    assert!(why.contains("undefined reference to `record'") && odd, "{why}");
}

#[tokio::test]
async fn a_build_that_is_cut_short_leaves_nothing_that_is_trusted() {
    let mut room = Room::new();
    room.prepare().await.unwrap();
    let whole = room.build(1, &[]).await;
    // A compiler that is killed in the middle of its output.
    let asleep = room.path("tools/asleep");
    room.compiler(&format!(
        "[ -e {0} ] && {{ for o; do case $o in *.o) echo half > $o ;; esac; done; sleep 1000; }}",
        asleep.display()
    ));
    fs::write(&asleep, "").unwrap();
    room.change("src/include/common.h", "NUMBER 1", "NUMBER 2");
    {
        let mut running = std::pin::pin!(room.run(2, &["include/common.h"]));
        let begun = async {
            while fs::read(room.path("tree/kernel/main.o")).is_ok_and(|object| object != b"half\n") {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::select! {
            finished = &mut running => panic!("{finished:?}"),
            () = begun => {}
        }
    }
    fs::remove_file(&asleep).unwrap();
    room.recipe().job.compiler.clear();
    room.change("src/include/common.h", "NUMBER 2", "NUMBER 1");
    // The half object is newer than everything that it depends on.
    let again = room.build(1, &["include/common.h"]).await;
    assert_eq!(again.signature, whole.signature);
}

#[tokio::test]
async fn a_compiler_that_crashes_or_is_killed_once_is_tried_again() {
    for says in ["x.c:1:1: internal compiler error: in reload", "gcc: fatal error: Killed signal terminated program cc1"] {
        let mut room = Room::new();
        room.compiler(&format!("[ -e $TMPDIR/once ] || {{ : > $TMPDIR/once; echo '{says}' >&2; exit 1; }}"));
        room.prepare().await.unwrap();
        room.build(1, &[]).await;
    }
    let mut room = Room::new();
    room.compiler("echo 'gcc: fatal error: Killed signal terminated program cc1' >&2; exit 1");
    room.prepare().await.unwrap();
    match room.run(1, &[]).await.result {
        BuildResult::Infra(why) => assert!(why.starts_with("something killed the build"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_tree_can_neither_reach_out_nor_write_elsewhere() {
    let room = Room::new();
    let (outside, inside) = (room.path("outside"), room.path("src/inside"));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let rule = format!(
        "bzImage: mischief\nmischief:\n\t(: > {}) || true\n\t(: > $(CURDIR)/inside) || echo inside: no\n\t\
         bash -c ': > /dev/tcp/127.0.0.1/{port}' || echo network: no\n\tfalse\n",
        outside.display()
    );
    room.change("src/Makefile", "bzImage: $(O)/vmlinux", &format!("{rule}\nbzImage: $(O)/vmlinux"));
    room.prepare().await.unwrap();
    let finished = room.run(1, &[]).await;
    let output = String::from_utf8_lossy(&finished.output);
    if jail::bwrap().is_none() {
        println!("skipped: no bwrap here");
        return;
    }
    // What lies outside is not even seen: a file of that name is one of the jail's own.
    for said in ["inside: no", "network: no"] {
        assert!(output.lines().any(|line| line == said), "{output}");
    }
    assert!(!outside.exists() && !inside.exists());
}

/// Nobody may write into the pipe, ever.
#[tokio::test]
async fn a_makefile_that_is_a_link_out_of_the_tree_is_none() {
    for target in ["pipe", "/dev/stdin", "src/Kconfig"] {
        let room = Room::new();
        room.prepare().await.unwrap();
        fs::remove_file(room.path("src/Makefile")).unwrap();
        assert!(Command::new("mkfifo").arg(room.path("pipe")).status().unwrap().success());
        std::os::unix::fs::symlink(room.path(target), room.path("src/Makefile")).unwrap();
        let (why, _) = room.failure(1).await;
        assert!(why.starts_with("this is no Linux"), "{target}: {why}");
    }
}

/// One commit would end the builds of all others, or have its half-made objects trusted.
#[tokio::test]
async fn a_build_cannot_reach_what_says_whether_its_tree_is_trusted() {
    let room = Room::new();
    room.change(
        "src/Makefile",
        "mkdir -p $(O)/arch/x86/boot\n",
        "rm -rf $(O)/.kbisect*; mkdir -p $(O)/.kbisect-building $(O)/.kbisect-configured $(O)/.config.new; ls -a $(O)/.. >&2; rm -f $(O)/../*.building\n\tmkdir -p $(O)/arch/x86/boot\n",
    );
    room.prepare().await.unwrap();
    room.build(1, &[]).await;
    room.change("src/kernel/main.c", "record(", "record (");
    room.build(2, &["kernel/main.c"]).await;
}

#[tokio::test]
async fn a_link_out_of_the_object_tree_is_not_followed() {
    let room = Room::new();
    room.write("secret", "secret");
    room.change(
        "src/Makefile",
        "cp $(O)/vmlinux $(O)/arch/x86/boot/bzImage",
        &format!("ln -s {} $(O)/arch/x86/boot/bzImage", room.path("secret").display()),
    );
    room.prepare().await.unwrap();
    let (why, _) = room.failure(1).await;
    assert_eq!(why, "the build ended well but made no arch/x86/boot/bzImage");
}

#[tokio::test]
async fn the_callers_environment_does_not_reach_the_build() {
    let mut room = Room::new();
    room.recipe().job.kcflags = "-DSTATED=3".to_owned();
    room.change(
        "src/Makefile",
        "mkdir -p $(O)/arch/x86/boot",
        "env | sort; git config --get user.name; mkdir -p $(O)/arch/x86/boot; echo flags $(KCFLAGS); false",
    );
    room.prepare().await.unwrap();
    let finished = room.run(1, &[]).await;
    let output = String::from_utf8_lossy(&finished.output);
    assert!(output.contains("\nflags -DSTATED=3\n") && output.contains("\nKBUILD_BUILD_USER=kbisect\n"), "{output}");
    assert!(!output.contains("\nCARGO_"), "{output}");
    let home = output.lines().find_map(|line| line.strip_prefix("HOME=")).unwrap();
    assert!(home.starts_with(&*room.path("work").to_string_lossy()), "{home}");
}

#[tokio::test]
async fn a_build_ends_at_its_time_limit_and_the_next_one_is_whole() {
    let mut room = Room::new();
    room.prepare().await.unwrap();
    room.settings.time_limit = Duration::from_millis(1500);
    room.change(
        "src/Makefile",
        "bzImage: $(O)/vmlinux",
        "bzImage: $(O)/vmlinux\n\tif [ -e $(CURDIR)/slow ]; then sleep 1000; fi",
    );
    room.write("src/slow", "");
    assert_eq!(room.failure(1).await, ("the build ran longer than 1.5 s".to_owned(), false));
    room.settings.time_limit = Duration::from_secs(60);
    fs::remove_file(room.path("src/slow")).unwrap();
    room.build(1, &[]).await;
}

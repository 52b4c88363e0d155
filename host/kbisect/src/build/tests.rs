#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::process::Command;

use super::*;

/// A checkout, and where builds go.
struct Room {
    dir: TempDir,
    settings: Settings,
}

impl Room {
    fn new(script: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("src")).unwrap();
        let command = ["sh", "-c", script, "sh", "{src}", "{out}", "{jobs}", "{commit}"].map(str::to_owned).to_vec();
        let (store, work) = (dir.path().join("kernels"), dir.path().join("work"));
        let room = room::Room { dir: dir.path().to_owned(), work: work.clone(), limit: 1 << 30 };
        let recipe = Recipe::Command(command);
        let settings = Settings { recipe, time_limit: Duration::from_secs(60), jobs: 3, store, work, room, cache: None };
        Self { dir, settings }
    }

    fn src(&self) -> PathBuf {
        self.dir.path().join("src")
    }

    async fn build(&self) -> Finished {
        let finished = run(&self.settings, &self.src(), &CommitId::from_bytes([0xab; 20]), |_| None).await;
        assert_eq!(fs::read_dir(&self.settings.work).unwrap().count(), 0, "no folder is left behind");
        finished
    }

    async fn failure(&self) -> String {
        match self.build().await.result {
            BuildResult::Failed(why) => why,
            other => panic!("not a failure: {other:?}"),
        }
    }

    async fn kernel(&self) -> (String, PathBuf) {
        match self.build().await.result {
            BuildResult::Built { kernel: Some(name), .. } => {
                let folder = Store::new(self.settings.store.clone()).find(&name).unwrap();
                (name, folder)
            }
            other => panic!("not built: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_build_gets_its_words_and_what_it_makes_is_kept() {
    let script = "pwd > $2/config; echo $1 $3 $4 > $2/kernel; mkdir $2/modules; echo m > $2/modules/m.ko; ln -s kernel $2/link
        echo $KBUILD_BUILD_USER@$KBUILD_BUILD_HOST $KBUILD_BUILD_TIMESTAMP > $2/other; : > $TMPDIR/t; : > left-in-checkout; echo done";
    let room = Room::new(script);
    let (name, folder) = room.kernel().await;
    assert_eq!(name.len(), 64);
    let src = room.src();
    assert_eq!(fs::read_to_string(folder.join("kernel")).unwrap(), format!("{} 3 {}\n", src.display(), "ab".repeat(20)));
    assert_eq!(fs::read_to_string(folder.join("config")).unwrap(), format!("{}\n", src.display()));
    assert_eq!(fs::read_to_string(folder.join("other")).unwrap(), "kbisect@kbisect @0\n");
    assert_eq!(fs::read_to_string(folder.join("modules/m.ko")).unwrap(), "m\n");
    assert!(src.join("left-in-checkout").exists());
    assert_eq!(room.build().await.output, b"done\n");
}

#[tokio::test]
async fn equal_builds_are_one_kernel_and_others_are_not() {
    let one = Room::new("mkdir $2/d; echo a > $2/d/x; echo kernel > $2/kernel");
    let names = [one.kernel().await.0, one.kernel().await.0];
    assert_eq!(names[0], names[1]);
    assert_eq!(fs::read_dir(&one.settings.store).unwrap().count(), 1);
    for script in
        ["mkdir $2/d; echo b > $2/d/x", "mkdir $2/d; echo a > $2/d/y", "mkdir $2/dx; echo a > $2/dx/x", "ln -s kernel $2/d"]
    {
        let other = Room::new(&format!("{script}; echo kernel > $2/kernel"));
        assert_ne!(other.kernel().await.0, names[0], "{script}");
    }
}

#[tokio::test]
async fn failures_are_told_with_the_last_lines() {
    let script = "for i in $(seq 100); do echo line $i; done; echo 'drivers/x.c:1: error: no' >&2; echo; exit 2";
    let why = Room::new(script).failure().await;
    assert!(why.starts_with("the build ended with exit status 2\nline 90\n"), "{why}");
    assert!(why.ends_with("line 100\ndrivers/x.c:1: error: no"), "{why}");
    assert_eq!(Room::new("true").failure().await, "the build ended well but left no file `kernel` in {out}");
    let mut missing = Room::new("");
    missing.settings.recipe = Recipe::Command(vec!["no-such-maker".to_owned()]);
    assert!(missing.failure().await.contains("exit status 127"));
}

#[tokio::test]
async fn what_a_build_leaves_leads_nowhere_else_and_is_not_waited_for() {
    let link = |name: &str| format!("the build ended well, but `{name}` in {{out}} is a link that leads out of it, or nowhere");
    let pipe = |name: &str| format!("the build ended well, but `{name}` in {{out}} is neither a file nor a folder nor a link");
    for (script, told) in [
        ("ln -s /etc/passwd $2/kernel", link("kernel")),
        ("echo k > $2/kernel; ln -s / $2/modules", link("modules")),
        ("echo k > $2/kernel; ln -s ../../src/initrd $2/initrd; echo i > initrd", link("initrd")),
        ("echo k > $2/kernel; ln -s nothing $2/config", link("config")),
        ("echo k > $2/kernel; ln -s /dev/zero $2/vmlinux", link("vmlinux")),
        ("echo k > $2/kernel; mkfifo $2/vmlinux", pipe("vmlinux")),
        ("echo k > $2/kernel; mkdir $2/d; mkfifo $2/d/vmlinux; ln -s d/vmlinux $2/vmlinux", pipe("d/vmlinux")),
    ] {
        assert_eq!(Room::new(script).failure().await, told, "{script}");
    }
    let room = Room::new("echo k > $2/bzImage; ln -s bzImage $2/kernel; mkdir $2/modules; ln -s / $2/modules/build");
    let (_, folder) = room.kernel().await;
    assert_eq!(fs::read_to_string(folder.join("kernel")).unwrap(), "k\n");
}

/// A file of nothing but holes takes no disk, until somebody copies it.
#[tokio::test]
async fn a_file_that_is_too_long_is_not_kept() {
    let room = Room::new("echo k > $2/kernel; truncate -s 5G $2/vmlinux");
    assert_eq!(room.failure().await, "the build ended well, but `vmlinux` is longer than 4 GiB");
}

#[tokio::test]
async fn a_build_is_not_blamed_for_what_others_have_left_where_they_build() {
    let mut room = Room::new("head -c 5M /dev/zero > $2/kernel");
    room.settings.room.limit = 8 << 20;
    room.settings.room.work = room.dir.path().join("work");
    room.settings.work = room.dir.path().join("work/build");
    let other = room.dir.path().join("work/linux-2/tree");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("vmlinux.o"), vec![1; 5 << 20]).unwrap();
    match room.build().await.result {
        BuildResult::Infra(why) => assert_eq!(
            why,
            "what several builds leave takes the run directory beyond [limits] `disk` = 8M; object trees that nobody builds in were \
             removed"
        ),
        other => panic!("{other:?}"),
    }
    assert!(!other.exists());
    room.kernel().await;
}

#[tokio::test]
async fn what_a_build_caches_is_not_the_users() {
    let cache = tempfile::tempdir().unwrap();
    let mut room = Room::new(
        "echo \"$CCACHE_DIR $CCACHE_CONFIGPATH\" > $2/kernel; touch $CCACHE_DIR/x; ! touch ~/.cache/ccache/x ~/.ccache/x",
    );
    room.settings.cache = Some(cache.path().to_owned());
    let (_, folder) = room.kernel().await;
    assert_eq!(fs::read_to_string(folder.join("kernel")).unwrap(), format!("{} /dev/null\n", cache.path().display()));
    assert!(cache.path().join("x").is_file());
}

#[tokio::test]
async fn a_build_that_hangs_is_ended_at_its_time_limit() {
    let mut room = Room::new("sleep 1000 & sleep 1000");
    room.settings.time_limit = Duration::from_millis(1500);
    assert_eq!(room.failure().await, "the build ran longer than 1.5 s");
}

#[test]
fn a_directory_holds_what_du_says() {
    let dir = tempfile::tempdir().unwrap();
    let script = "mkdir -p a/b/c; head -c 100000 /dev/zero > a/b/c/x; echo y > a/y; ln a/y a/z; ln -s a/b/c l; ln -s /usr m
        head -c 5M /dev/zero > big; truncate -s 1G sparse; i=0; while [ $i -lt 500 ]; do mkdir d && cd d; i=$((i + 1)); done";
    assert!(Command::new("sh").args(["-c", script]).current_dir(dir.path()).status().unwrap().success());
    let said = Command::new("du").args(["-s", "-l", "--block-size=1"]).arg(dir.path()).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let room = room::Room { dir: dir.path().to_owned(), work: PathBuf::new(), limit: 0 };
    assert_eq!(room.used().to_string(), said.split_whitespace().next().unwrap());
}

#[tokio::test]
async fn a_build_beyond_its_disk_is_ended_and_fails() {
    let told = "the build takes the run directory beyond [limits] `disk` = 8M";
    for script in [
        // The first three go on until they are ended, the last is through at once.
        "yes > $2/big",
        "yes > $TMPDIR/big",
        "mkdir $2/deep; yes > $2/deep/big",
        "head -c 10M /dev/zero > $2/kernel",
    ] {
        let mut room = Room::new(script);
        room.settings.room.limit = 8 << 20;
        assert_eq!(room.failure().await, told, "{script}");
    }
}

#[tokio::test]
async fn no_build_begins_where_there_is_no_room() {
    let mut room = Room::new("echo kernel > $2/kernel");
    room.settings.room.limit = 1 << 20;
    fs::write(room.dir.path().join("big"), vec![1; 2 << 20]).unwrap();
    fs::create_dir(&room.settings.work).unwrap();
    match room.build().await.result {
        BuildResult::Infra(why) => {
            assert_eq!(why, "the run directory holds 2.0M, and [limits] `disk` in its job.toml allows 1M");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_build_is_not_blamed_for_what_the_run_has_kept() {
    let mut room = Room::new("yes > $2/kernel");
    room.settings.room.limit = 8 << 20;
    fs::write(room.dir.path().join("kept"), vec![1; 5 << 20]).unwrap();
    match room.build().await.result {
        BuildResult::Infra(why) => {
            assert_eq!(why, "the run has kept 5.0M, and [limits] `disk` in its job.toml allows 8M in all");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_host_is_to_blame_for_a_full_disk_and_for_a_kill() {
    for (script, told) in [
        (
            "echo 'cc: x.o: No space left on device' >&2; exit 1",
            "the disk is full: the build ended with exit status 1\ncc: x.o: ",
        ),
        ("kill -9 $$", "something killed the build"),
    ] {
        match Room::new(script).build().await.result {
            BuildResult::Infra(why) => assert!(why.starts_with(told), "{why}"),
            other => panic!("{other:?}"),
        }
    }
    let mut room = Room::new("echo kernel > $2/kernel");
    room.settings.work = PathBuf::from("/proc/nowhere");
    let finished = run(&room.settings, &room.src(), &CommitId::from_bytes([1; 20]), |_| None).await;
    assert!(matches!(finished.result, BuildResult::Infra(_)), "{finished:?}");
}

/// Compiles a function into a file that stands for a `vmlinux`.
fn vmlinux(dir: &Path, name: &str, source: &str, flags: &[&str]) -> PathBuf {
    let (input, output) = (dir.join(format!("{name}.c")), dir.join(name));
    fs::write(&input, source).unwrap();
    let always = ["-O1", "-nostdlib", "-static", "-Wl,-e,f", "-o"];
    let status = Command::new("cc").args(always).arg(&output).args(flags).arg(&input).status().unwrap();
    assert!(status.success());
    output
}

#[test]
fn signatures_know_loaded_contents_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let code = "int zero[1000]; int f(int x) { return x + 1; }";
    let of = |name: &str, source: &str, flags: &[&str]| signature::of_vmlinux(&vmlinux(dir.path(), name, source, flags)).unwrap();
    let plain = of("plain", code, &["-Wl,--build-id=none"]);
    assert_eq!(of("noted", code, &["-Wl,--build-id=0x1234"]), of("renoted", code, &["-Wl,--build-id=0xabcd"]));
    assert_eq!(of("debug", code, &["-Wl,--build-id=none", "-g"]), plain);
    assert_ne!(of("code", &code.replace("+ 1", "+ 2"), &["-Wl,--build-id=none"]), plain);
    assert_ne!(of("data", &format!("{code} int one = 1;"), &["-Wl,--build-id=none"]), plain);
    fs::write(dir.path().join("text"), "no ELF file").unwrap();
    assert_eq!(signature::of_vmlinux(&dir.path().join("text")), None);
    assert_eq!(signature::of_vmlinux(&dir.path().join("missing")), None);
}

#[test]
fn build_ids_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let source = "int f(void) { return 0; }";
    let id = |name: &str, flag: &str| signature::build_id(&vmlinux(dir.path(), name, source, &[flag]));
    assert_eq!(id("with", "-Wl,--build-id=0x12abcd"), Some("12abcd".to_owned()));
    assert_eq!(id("without", "-Wl,--build-id=none"), None);
    assert_eq!(signature::build_id(Path::new("/nowhere")), None);
}

#[tokio::test]
async fn where_room_is_short_the_oldest_symbols_go_and_build_ids_stay() {
    let script = "n=$(cat n); echo $n > $2/kernel; echo \"int zero = $n; int f(void) { return zero; }\" > x.c
        cc -nostdlib -static -Wl,-e,f -Wl,--build-id=0x$n -o $2/vmlinux x.c; head -c 3M /dev/zero >> $2/vmlinux; rm x.c";
    let mut room = Room::new(script);
    room.settings.room.limit = 100 << 20;
    let mut kernels = Vec::new();
    for number in ["aa01", "aa02", "aa03", "aa04", "aa05", "aa06"] {
        fs::write(room.src().join("n"), number.replace("aa", "10")).unwrap();
        kernels.push(room.kernel().await);
        std::thread::sleep(Duration::from_millis(20));
    }
    let store = Store::new(room.settings.store.clone());
    store.touch(&kernels[0].0);
    // A little more than 18 MiB are held: the next build finds the directory too full by about four.
    room.settings.room.limit = 18 << 20;
    fs::write(room.src().join("n"), "1007").unwrap();
    kernels.push(room.kernel().await);
    let there: Vec<bool> = kernels.iter().map(|(_, folder)| folder.join("vmlinux").exists()).collect();
    assert_eq!(there, [true, false, false, true, true, true, true]);
    let id = |place: usize| store::build_id(&kernels[place].1);
    assert_eq!([id(1), id(3)], [Some("1002".to_owned()), Some("1004".to_owned())]);
    assert!(kernels.iter().all(|(name, _)| store.find(name).is_some()), "all can be booted");
}

#[tokio::test]
async fn where_symbols_are_not_enough_kernels_go_that_were_not_used_for_long_and_can_be_built_again() {
    let script = "head -c 3M /dev/zero >$2/kernel; cat n >>$2/kernel; mkdir $2/modules; head -c 1M /dev/zero >$2/modules/m; cp n $2/config";
    let mut room = Room::new(script);
    room.settings.room.limit = 100 << 20;
    let mut kernels = Vec::new();
    for number in 0..6 {
        fs::write(room.src().join("n"), number.to_string()).unwrap();
        kernels.push(room.kernel().await);
    }
    let store = Store::new(room.settings.store.clone());
    let long_ago = |place: usize, minutes: u64| {
        let used = std::time::SystemTime::now() - Duration::from_secs(60 * minutes);
        fs::File::open(&kernels[place].1).and_then(|folder| folder.set_modified(used)).unwrap();
    };
    for (place, minutes) in [(0, 1), (1, 60), (2, 50), (3, 40), (4, 30), (5, 20)] {
        long_ago(place, minutes);
    }
    let there = || kernels.iter().map(|(name, _)| store.find(name).is_some()).collect::<Vec<_>>();
    store.make_room(5 << 20).unwrap();
    assert_eq!(there(), [true, false, false, true, true, true]);
    // However much is wanted, those that were used last stay.
    store.make_room(1 << 40).unwrap();
    assert_eq!(there(), [true, false, false, false, true, true]);
    assert_eq!(fs::read_to_string(kernels[1].1.join("config")).unwrap(), "1");
    assert!(!kernels[1].1.join("modules").exists());
    fs::write(room.src().join("n"), "1").unwrap();
    assert_eq!(room.kernel().await.0, kernels[1].0, "it is built again under its name");
    assert!(store.find(&kernels[1].0).is_some() && kernels[1].1.join("modules/m").is_file());
}

#[test]
fn placeholders_are_words_or_parts_of_words() {
    let places =
        Placeholders { src: Path::new("/a {out} b"), out: Path::new("/o"), jobs: 4, commit: &CommitId::from_bytes([1; 20]) };
    let filled = |word: &str| places.fill(&[word.to_owned()])[0].to_string_lossy().into_owned();
    assert_eq!(filled("O={out}"), "O=/o");
    assert_eq!(filled("{src}/{jobs}{jobs}"), "/a {out} b/44", "what was put in is not looked at again");
    assert_eq!(filled("{commit}"), "01".repeat(20));
    assert_eq!(filled("{nothing} {{jobs} {"), "{nothing} {4 {");
}

#[test]
fn the_last_lines_are_told_in_one() {
    assert_eq!(last_lines(b"a\n\n b \n\xff c\n\n", 2), " b | \u{fffd} c");
    assert_eq!(last_lines(b"", 2), "");
}

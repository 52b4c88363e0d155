#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;
use std::process::Command as StdCommand;

use super::*;

fn shell(script: &str, cwd: &Path, jail: Jail) -> Task {
    Task::new(["sh", "-c", script], cwd, jail)
}

const LONG: Duration = Duration::from_secs(60);

/// Ends and outputs of a script in a trial's jail.
async fn run_script(script: &str, limit: Duration) -> (Finish, String) {
    let (finish, said) = run(&shell(script, Path::new("/"), Jail::trial()), limit, 1000).await.unwrap();
    (finish, String::from_utf8_lossy(&said).into_owned())
}

/// Process ids of everything on this host whose environment has `mark`.
fn marked(mark: &str) -> Vec<String> {
    let carries = |entry: &fs::DirEntry| {
        fs::read(entry.path().join("environ")).is_ok_and(|vars| vars.windows(mark.len()).any(|part| part == mark.as_bytes()))
    };
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(carries)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

#[tokio::test]
async fn ends_are_told_apart_and_output_is_in_order() {
    let exit = |code| Finish::Exit(Exit::Code(code));
    assert_eq!(run_script("echo a; echo b >&2; echo c; exit 3", LONG).await, (exit(3), "a\nb\nc\n".to_owned()));
    assert_eq!(run_script("cat", LONG).await, (exit(0), String::new()), "there is nothing on standard input");
    let (finish, said) = run(&Task::new(["no-such-program"], "/", Jail::trial()), LONG, 1000).await.unwrap();
    assert_eq!(finish, exit(127));
    assert!(String::from_utf8_lossy(&said).contains("no-such-program: not found"));
    let (finish, _) = run(&Task::new(["/etc/passwd"], "/", Jail::trial()), LONG, 1000).await.unwrap();
    assert_eq!(finish, exit(126));
    let killed = run_script("kill -SEGV $$", LONG).await.0;
    assert!([exit(139), Finish::Exit(Exit::Signal(11))].contains(&killed), "{killed:?}");
}

#[tokio::test]
async fn directory_and_variables_are_set_on_top_of_the_callers() {
    let dir = tempfile::tempdir().unwrap();
    let task = shell("pwd; echo $KBISECT_A; echo $PATH", dir.path(), Jail::trial()).env("KBISECT_A", "two words");
    let (_, said) = run(&task, LONG, 1000).await.unwrap();
    let path = std::env::var("PATH").unwrap();
    assert_eq!(String::from_utf8_lossy(&said), format!("{}\ntwo words\n{path}\n", dir.path().display()));
}

#[tokio::test]
async fn what_outlives_its_program_is_ended_with_it() {
    let mark = format!("KBISECT_MARK=end-{}", std::process::id());
    let script = "sleep 1000 & (setsid sleep 1000 &) & exit 0";
    let task = shell(script, Path::new("/"), Jail::trial()).env("KBISECT_MARK", mark.split_once('=').unwrap().1);
    let started = std::time::Instant::now();
    let (finish, _) = run(&task, LONG, 1000).await.unwrap();
    assert_eq!(finish, Finish::Exit(Exit::Code(0)));
    assert!(started.elapsed() < LONG, "it did not wait for them");
    while !marked(&mark).is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn the_time_limit_ends_the_whole_tree() {
    let mark = format!("KBISECT_MARK=limit-{}", std::process::id());
    let script = "trap '' TERM INT; setsid sleep 1000 & echo begun; sleep 1000";
    let task = shell(script, Path::new("/"), Jail::trial()).env("KBISECT_MARK", mark.split_once('=').unwrap().1);
    let (finish, said) = run(&task, Duration::from_millis(500), 1000).await.unwrap();
    assert_eq!((finish, said), (Finish::TimeLimit, b"begun\n".to_vec()));
    while !marked(&mark).is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn much_output_is_bounded_and_its_end_is_kept() {
    let script = "head -c 100000000 /dev/zero | tr '\\0' x; echo; echo the end";
    let (finish, said) = run_script(script, LONG).await;
    assert_eq!(finish, Finish::Exit(Exit::Code(0)));
    assert_eq!(said.len(), 1000);
    assert!(said.ends_with("x\nthe end\n"));
}

#[tokio::test]
async fn a_reader_that_stops_does_not_stop_the_time_limit() {
    let (sink, _unread) = mpsc::channel(1);
    let task = shell("yes", Path::new("/"), Jail::trial());
    // The channel is never read: only the limit ends this, and what is left of the output has to be given up.
    let ended = tokio::time::timeout(LONG, stream(&task, Duration::from_millis(300), &sink)).await;
    assert_eq!(ended.map(Result::unwrap), Ok(Finish::TimeLimit));
}

#[tokio::test]
async fn a_build_writes_only_where_it_may_and_reaches_no_network() {
    assert!(jail::bwrap().is_some(), "{:?}", jail::warning());
    let (mine, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let script = "echo yes > here; echo no > \"$OTHER/there\"; wc -l < /proc/net/dev; [ -e /dev/kvm ] || echo bare; echo $$";
    let task = shell(script, mine.path(), Jail::build(vec![mine.path().to_owned()])).env("OTHER", other.path());
    let (_, said) = run(&task, LONG, 1000).await.unwrap();
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("Read-only file system"), "{said}");
    // Two lines of heading, and the loopback device.
    assert!(said.contains("\n3\nbare\n"), "{said}");
    assert!(said.lines().last().unwrap().parse::<u32>().unwrap() < 10, "process ids are its own: {said}");
    assert_eq!(fs::read_to_string(mine.path().join("here")).unwrap(), "yes\n");
    assert!(!other.path().join("there").exists());
}

/// Nothing that limits a run counts it.
#[tokio::test]
async fn a_build_leaves_no_shared_memory_and_sees_none() {
    assert!(jail::bwrap().is_some(), "{:?}", jail::warning());
    let segments = || fs::read_to_string("/proc/sysvipc/shm").unwrap();
    let before = segments();
    let mine = tempfile::tempdir().unwrap();
    let script = "ipcmk -M 4096 > /dev/null && wc -l < /proc/sysvipc/shm";
    let (_, said) = run(&shell(script, mine.path(), Jail::build(vec![mine.path().to_owned()])), LONG, 1000).await.unwrap();
    // A line of heading, and its own.
    assert_eq!((String::from_utf8_lossy(&said).as_ref(), segments()), ("2\n", before));
}

#[tokio::test]
async fn a_build_is_no_root_and_sees_neither_services_nor_the_terminal() {
    assert!(jail::bwrap().is_some(), "{:?}", jail::warning());
    let mine = tempfile::tempdir().unwrap();
    let script = "mount -o remount,rw / 2>/dev/null && echo remounted; mount -t tmpfs none /mnt 2>/dev/null && echo mounted
        (: </dev/tty) && [ /dev/tty -ef /dev/null ] && echo null
        find /run -type s; sed -n 's/^CapEff:[^0-9a-f]*//p' /proc/self/status
        touch mine && chmod 600 mine && echo owner";
    let (_, said) = run(&shell(script, mine.path(), Jail::build(vec![mine.path().to_owned()])), LONG, 1000).await.unwrap();
    let effective = if rustix::process::geteuid().is_root() { 0b1011 } else { 0 };
    assert_eq!(String::from_utf8_lossy(&said), format!("null\n{effective:016x}\nowner\n"));
}

#[tokio::test]
async fn streams_can_be_read_apart_and_a_dropped_child_is_dead() {
    let mark = format!("KBISECT_MARK=drop-{}", std::process::id());
    let task = shell("echo out; echo err >&2; sleep 1000", Path::new("/"), Jail::trial());
    let task = task.env("KBISECT_MARK", mark.split_once('=').unwrap().1);
    let mut child = spawn(&task, Streams::Apart).await.unwrap();
    let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    assert_eq!(read(&mut stdout).await, Some(b"out\n".to_vec()));
    assert_eq!(read(&mut stderr).await, Some(b"err\n".to_vec()));
    drop(child);
    assert_eq!(read(&mut stdout).await, None);
    while !marked(&mark).is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Not a test: `nothing_lives_on_after_a_kill` runs it as a process of its own.
#[tokio::test]
#[ignore = "helper of another test"]
async fn helper_with_a_sleeping_tree() {
    if std::env::var_os("KBISECT_MARK").is_none() {
        return;
    }
    let script = "setsid sleep 1000 & (trap '' TERM; sleep 1000) & echo begun; sleep 1000";
    let trial = shell(script, Path::new("/"), Jail::trial());
    let build = shell(script, Path::new("/"), Jail::build(Vec::new()));
    let children = [spawn(&trial, Streams::Merged).await.unwrap(), spawn(&build, Streams::Merged).await.unwrap()];
    for mut child in children {
        assert_eq!(read(child.stdout.as_mut().unwrap()).await, Some(b"begun\n".to_vec()));
        std::mem::forget(child);
    }
    // tokio's blocking threads come and go; the children must stay.
    tokio::task::spawn_blocking(|| ()).await.unwrap();
    println!("ready");
    tokio::time::sleep(Duration::from_secs(1000)).await;
}

#[test]
fn nothing_lives_on_after_a_kill() {
    use std::io::BufRead as _;
    let mark = format!("KBISECT_MARK=kill-{}", std::process::id());
    let mut helper = StdCommand::new(std::env::current_exe().unwrap())
        .args(["--exact", "process::tests::helper_with_a_sleeping_tree", "--ignored", "--nocapture"])
        .env("KBISECT_MARK", mark.split_once('=').unwrap().1)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = io::BufReader::new(helper.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line.ends_with("ready")));
    assert!(marked(&mark).len() >= 7, "the helper and its two trees");
    helper.kill().unwrap();
    helper.wait().unwrap();
    // Two seconds are promised; a machine under load gets more.
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while !marked(&mark).is_empty() {
        assert!(std::time::Instant::now() < deadline, "still there: {:?}", marked(&mark));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Not a test: `nothing_that_was_just_starting_lives_on_after_a_kill` runs it as a process of its own.
#[tokio::test]
#[ignore = "helper of another test"]
async fn helper_that_starts_children_all_the_time() {
    if std::env::var_os("KBISECT_MARK").is_none() {
        return;
    }
    println!("ready");
    let task = shell("sleep 1000", Path::new("/"), Jail::build(Vec::new()));
    loop {
        let child = spawn(&task, Streams::Merged).await.unwrap();
        tokio::time::sleep(Duration::from_millis(4)).await;
        drop(child);
    }
}

#[test]
fn nothing_that_was_just_starting_lives_on_after_a_kill() {
    use std::io::BufRead as _;
    let mark = format!("KBISECT_MARK=starting-{}", std::process::id());
    for round in 0..30 {
        let mut helper = StdCommand::new(std::env::current_exe().unwrap())
            .args(["--exact", "process::tests::helper_that_starts_children_all_the_time", "--ignored", "--nocapture"])
            .env("KBISECT_MARK", mark.split_once('=').unwrap().1)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = io::BufReader::new(helper.stdout.take().unwrap()).lines();
        assert!(lines.map_while(Result::ok).any(|line| line.ends_with("ready")));
        std::thread::sleep(Duration::from_micros(30_000 + 370 * round));
        helper.kill().unwrap();
        helper.wait().unwrap();
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while !marked(&mark).is_empty() {
            assert!(std::time::Instant::now() < deadline, "round {round}, still there: {:?}", marked(&mark));
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn leftovers_are_ended_but_not_others_with_their_process_id() {
    use std::os::unix::process::CommandExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("children");
    let mut sleepers = [(); 2].map(|()| StdCommand::new("sleep").arg("1000").process_group(0).spawn().unwrap());
    ledger::keep_in(path.clone());
    ledger::note(Pid::from_child(&sleepers[0]));
    let mut text = fs::read_to_string(&path).unwrap();
    // An earlier process had the second one's id.
    text.push_str(&format!("{} 1\nnonsense\n", sleepers[1].id()));
    fs::write(&path, text).unwrap();
    assert_eq!(ledger::end_leftovers(&path).unwrap(), 1);
    assert_eq!(sleepers[0].wait().unwrap().signal(), Some(9));
    assert_eq!(sleepers[1].try_wait().unwrap(), None);
    sleepers[1].kill().unwrap();
    sleepers[1].wait().unwrap();
    assert_eq!(ledger::end_leftovers(&path).unwrap(), 0, "the file is gone");
}

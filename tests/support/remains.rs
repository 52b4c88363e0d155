//! What a killed process may leave behind: processes, mounts and locks.

use std::fs;
use std::fs::File;
use std::path::Path;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;
use std::time::Instant;

/// A process of this machine, as `/proc` shows it.
#[derive(Debug)]
pub(crate) struct Process {
    /// Program and arguments, separated by spaces.
    pub(crate) command: String,
    /// Its working directory.
    pub(crate) cwd: PathBuf,
}

/// The processes, other than this one, that have `mark` on their command line or work below it.
pub(crate) fn processes(mark: &Path) -> Vec<Process> {
    let own = std::process::id().to_string();
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok() && entry.file_name() != *own)
        .map(|entry| Process {
            command: String::from_utf8_lossy(&fs::read(entry.path().join("cmdline")).unwrap_or_default()).replace('\0', " "),
            cwd: fs::read_link(entry.path().join("cwd")).unwrap_or_default(),
        })
        .filter(|process| process.command.contains(mark.to_str().unwrap()) || process.cwd.starts_with(mark))
        .collect()
}

/// Waits until no process, mount or lock of the run in `run` is there; fails after two seconds.
pub(crate) fn assert_nothing_left(run: &Path) {
    let deadline = Instant::now() + Duration::from_secs(2);
    loop {
        let left = processes(run);
        // A child that had not begun its program yet shows as kbisect itself, and has its open files.
        let locked = File::open(run.join("lock")).is_ok_and(|lock| lock.try_lock().is_err());
        if left.is_empty() && !locked {
            break;
        }
        assert!(Instant::now() < deadline, "left two seconds after the kill: {left:?}, the lock is held: {locked}");
        sleep(Duration::from_millis(20));
    }
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains(run.to_str().unwrap()), "a mount is left: {mounts}");
}

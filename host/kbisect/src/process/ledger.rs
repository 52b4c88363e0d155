//! Which children may outlive a killed kbisect, where bwrap does not work: process id and start time, one a line.
//!
//! Owns the file's format. With bwrap nothing is written.

use std::fs;
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;

use rustix::process::Pid;
use rustix::process::Signal;

static LEDGER: Mutex<Option<PathBuf>> = Mutex::new(None);

/// From here on, children that could outlive this process are noted in `path`.
pub fn keep_in(path: PathBuf) {
    *LEDGER.lock().unwrap_or_else(PoisonError::into_inner) = Some(path);
}

/// Notes a child's process group.
pub(super) fn note(group: Pid) {
    let ledger = LEDGER.lock().unwrap_or_else(PoisonError::into_inner);
    let (Some(path), Some(start)) = (ledger.as_ref(), start_time(group)) else { return };
    let line = format!("{} {start}\n", group.as_raw_nonzero());
    // Best effort: what cannot be noted cannot be ended later, and the user was warned.
    let _ = fs::OpenOptions::new().append(true).create(true).open(path).and_then(|mut file| file.write_all(line.as_bytes()));
}

/// Kills the process groups noted in `path` that still live, and removes the file; says how many there were.
///
/// # Errors
///
/// The file cannot be read or removed; a missing one is none.
pub fn end_leftovers(path: &Path) -> io::Result<usize> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        text => text?,
    };
    let mut ended = 0;
    for line in text.lines() {
        let Some((pid, start)) = line.split_once(' ') else { continue };
        let Some(pid) = pid.parse().ok().and_then(Pid::from_raw) else { continue };
        // The start time tells our child from a later process with the same id.
        if start_time(pid).as_deref() == Some(start) && rustix::process::kill_process_group(pid, Signal::KILL).is_ok() {
            ended += 1;
        }
    }
    fs::remove_file(path)?;
    Ok(ended)
}

/// Field 22 of `/proc/PID/stat`: start time in clock ticks since boot.
fn start_time(pid: Pid) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    // The second field, the name in parentheses, may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19).map(str::to_owned)
}

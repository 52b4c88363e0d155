#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Command;
use std::thread;

use super::*;

/// A directory whose lock is held, by whoever the text names.
fn held(named: &str) -> (tempfile::TempDir, File) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lock");
    fs::write(&path, named).unwrap();
    let file = File::open(path).unwrap();
    file.lock().unwrap();
    (directory, file)
}

/// The number of a process that is no more.
fn dead() -> u32 {
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    child.id()
}

#[test]
fn the_lock_of_a_dead_process_is_waited_for() {
    let (directory, file) = held(&holder(dead()));
    let freed = thread::spawn(move || {
        sleep(Duration::from_millis(200));
        drop(file);
    });
    assert!(lock(directory.path()).is_ok());
    freed.join().unwrap();
}

#[test]
fn a_lock_that_stays_is_refused() {
    for named in [holder(std::process::id()), holder(dead()), "kbisect, process 1 on another machine\n".to_owned(), String::new()]
    {
        let (directory, _file) = held(&named);
        let error = lock(directory.path()).unwrap_err();
        let named = if named.is_empty() { "another process" } else { named.trim() };
        assert_eq!(error.message, format!("`{}` is in use by {named}", directory.path().display()));
    }
}

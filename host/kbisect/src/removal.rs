//! Removes what builds and checkouts leave, whatever its depth and its modes: programs that nobody trusts have made it.

use std::fs;
use std::fs::Permissions;
use std::io;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Removes whatever is at the path, with all that is in it, links not followed, write-protected folders included. What is not there
/// is removed already.
///
/// # Errors
/// Those of the file system.
pub(crate) fn remove(full: &Path) -> io::Result<()> {
    match unlocked(full, || fs::symlink_metadata(full)) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => return unlocked(full, || fs::remove_file(full)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(()),
        Err(error) => return Err(error),
    }
    let removed = fs::remove_dir_all(full).or_else(|error| {
        if error.kind() != ErrorKind::PermissionDenied {
            return Err(error);
        }
        unlock_all(full)?;
        unlocked(full, || fs::remove_dir_all(full))
    });
    // So many folders in one another take too many open files, or too long a path.
    removed.or_else(|_| remove_deep(full))
}

/// Removes a folder of any depth: what lies deep in it moves up first.
fn remove_deep(full: &Path) -> io::Result<()> {
    let mut names = 0..u64::MAX;
    let mut free = || names.by_ref().map(|number| full.join(number.to_string())).find(|path| fs::symlink_metadata(path).is_err());
    unlock(full)?;
    loop {
        let mut moved = false;
        for entry in fs::read_dir(full)? {
            let entry = entry?;
            if !entry.file_type()?.is_dir() {
                fs::remove_file(entry.path())?;
                continue;
            }
            unlock(&entry.path())?;
            for inner in fs::read_dir(entry.path())? {
                let inner = inner?;
                if inner.file_type()?.is_dir() {
                    unlock(&inner.path())?;
                    fs::rename(inner.path(), free().ok_or(ErrorKind::Other)?)?;
                    moved = true;
                } else {
                    fs::remove_file(inner.path())?;
                }
            }
            fs::remove_dir(entry.path())?;
        }
        if !moved {
            return unlocked(full, || fs::remove_dir(full));
        }
    }
}

/// Does something in the folder that holds `full`; where that is denied, makes the folder writable and tries once more.
pub(crate) fn unlocked<T>(full: &Path, act: impl Fn() -> io::Result<T>) -> io::Result<T> {
    match full.parent() {
        Some(folder) => unlocked_folder(folder, act),
        None => act(),
    }
}

pub(crate) fn unlocked_folder<T>(folder: &Path, act: impl Fn() -> io::Result<T>) -> io::Result<T> {
    act().or_else(|error| {
        if error.kind() != ErrorKind::PermissionDenied {
            return Err(error);
        }
        unlock(folder)?;
        act()
    })
}

fn unlock(folder: &Path) -> io::Result<()> {
    let mode = fs::symlink_metadata(folder)?.permissions().mode() & 0o7777;
    fs::set_permissions(folder, Permissions::from_mode(mode | 0o700))
}

fn unlock_all(folder: &Path) -> io::Result<()> {
    unlock(folder)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            unlock_all(&entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use rustix::fs::Mode;
    use rustix::fs::OFlags;
    use rustix::fs::mkdirat;
    use rustix::fs::open;
    use rustix::fs::openat;

    use super::*;

    #[test]
    fn folders_of_any_depth_are_removed() {
        /// Nearly three times as long a path as system calls take.
        const DEEP: usize = 1000;
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().join("top");
        fs::create_dir(&top).unwrap();
        let mut at = open(&top, OFlags::DIRECTORY, Mode::empty()).unwrap();
        for _ in 0..DEEP {
            for name in ["abcdefghij", "0"] {
                mkdirat(&at, name, Mode::RWXU).unwrap();
            }
            openat(&at, "file", OFlags::CREATE | OFlags::WRONLY, Mode::RUSR).unwrap();
            at = openat(&at, "abcdefghij", OFlags::DIRECTORY, Mode::empty()).unwrap();
        }
        // As where few files can be open: the way that std takes needs one for each folder.
        remove_deep(&top).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        remove(&top).unwrap();
    }
}

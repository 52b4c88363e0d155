//! Lays a job and what goes beside it in place: all of it, or nothing.

use std::fs;
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use tempfile::NamedTempFile;

use crate::bounded;
use crate::error::Error;

/// Writes files, the last one last. What is there already with the same content stays; anything else stops everything before it
/// begins, unless `force` is given.
///
/// # Errors
/// Files that are there, all at once; or what keeps one from being written, and then none is.
pub fn put(files: &[(PathBuf, Vec<u8>)], force: bool) -> Result<(), Error> {
    let folders: Vec<Error> = files.iter().filter(|(path, _)| path.is_dir()).map(|(path, _)| is_folder(path)).collect();
    if !folders.is_empty() {
        return Err(Error::all(folders).hint("give another place with --out"));
    }
    let odd = |path: &Path| fs::metadata(path).is_ok_and(|there| !there.is_file());
    let devices: Vec<Error> = files.iter().filter(|(path, _)| odd(path)).map(|(path, _)| is_no_file(path)).collect();
    if !devices.is_empty() {
        return Err(Error::all(devices).hint("give the place of a file with --out; `cat` shows it"));
    }
    let is_the_same = |path: &Path, bytes: &Vec<u8>| bounded::read(path, bytes.len() as u64).is_ok_and(|there| there == *bytes);
    let there: Vec<Error> = files
        .iter()
        .filter(|(path, bytes)| !force && fs::symlink_metadata(path).is_ok() && !is_the_same(path, bytes))
        .map(|(path, _)| Error::user(format!("`{}` is there already, and something else", path.display())))
        .collect();
    if !there.is_empty() {
        return Err(Error::all(there).hint("give another place with --out, or --force to write over it"));
    }
    let mut parts = Vec::new();
    for (path, bytes) in files {
        let failed = |error: &io::Error| failed(path, error);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut part = NamedTempFile::new_in(folder).map_err(|error| failed(&error))?;
        part.write_all(bytes).and_then(|()| part.as_file().sync_all()).map_err(|error| failed(&error))?;
        let mode = if bytes.starts_with(b"#!") || bytes.starts_with(b"\x7fELF") { 0o755 } else { 0o644 };
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
        part.as_file().set_permissions(permissions).map_err(|error| failed(&error))?;
        parts.push((part, path));
    }
    let mut new: Vec<&Path> = Vec::new();
    for (part, path) in parts {
        let was_there = fs::symlink_metadata(path).is_ok();
        if let Err(error) = part.persist(path) {
            for path in new {
                let _ = fs::remove_file(path);
            }
            return Err(failed(path, &error.error));
        }
        if !was_there {
            new.push(path);
        }
    }
    Ok(())
}

/// A pipe, a terminal or another device: reading it to compare may wait for ever, and a file must not take its place.
fn is_no_file(path: &Path) -> Error {
    Error::user(format!("`{}` is no place for a file, but a pipe or a device", path.display()))
}

fn is_folder(path: &Path) -> Error {
    Error::user(format!("`{}` is a folder, not a place for a file", path.display()))
}

/// Why a file cannot be written. The error's own words would name the part that waits to become it.
fn failed(path: &Path, error: &io::Error) -> Error {
    let place = path.display();
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            let folder = path.parent().unwrap_or(Path::new("."));
            Error::user(format!("cannot write `{place}`: there is no folder `{}`", folder.display()))
        }
        io::ErrorKind::IsADirectory => is_folder(path),
        kind @ (io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::InvalidFilename) => {
            Error::user(format!("cannot write `{place}`: {kind}"))
        }
        kind => Error::infrastructure(format!("cannot write `{place}`: {kind}")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_pipe_or_a_device_is_neither_read_nor_replaced() {
        let dir = tempfile::Builder::new().prefix("put").tempdir().unwrap();
        let pipe = dir.path().join("job.toml");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let device = dir.path().join("console.txt");
        std::os::unix::fs::symlink("/dev/zero", &device).unwrap();
        for (path, force) in [(&pipe, false), (&pipe, true), (&device, false), (&device, true)] {
            let error = put(&[(path.clone(), b"x".to_vec())], force).unwrap_err();
            assert!(error.kind == ErrorKind::User && error.to_string().contains("a pipe or a device"), "{error}");
        }
        assert!(!fs::metadata(&pipe).unwrap().is_file() && fs::symlink_metadata(&device).unwrap().is_symlink());
    }

    #[test]
    fn what_cannot_be_written_is_named_and_nothing_is_left() {
        let dir = tempfile::Builder::new().prefix("put").tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("job.toml")).unwrap();
        fs::write(at("file"), "mine").unwrap();
        for (job, said) in [
            (at("job.toml"), "job.toml` is a folder, not a place for a file"),
            (at("none/job.toml"), "none`"),
            (at("file/job.toml"), "file`"),
            (at(&"x".repeat(300)), "filename"),
        ] {
            let error = put(&[(at("console.txt"), b"x".to_vec()), (job, b"y".to_vec())], true).unwrap_err();
            assert_eq!(error.kind, ErrorKind::User, "{error}");
            assert!(error.to_string().contains(said) && !error.to_string().contains(".tmp"), "{error}");
            let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            assert_eq!(left.len(), 2, "{left:?}");
        }
    }
}

//! Lays a job and what goes beside it in place: all of it, or nothing.

use std::fs;
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use tempfile::NamedTempFile;

use crate::error::Error;

/// Writes files, the last one last. What is there already with the same content stays; anything else stops everything before it
/// begins, unless `force` is given.
///
/// # Errors
/// Files that are there, all at once; or what keeps one from being written, and then none is.
pub fn put(files: &[(PathBuf, Vec<u8>)], force: bool) -> Result<(), Error> {
    let there: Vec<Error> = files
        .iter()
        .filter(|(path, bytes)| !force && fs::symlink_metadata(path).is_ok() && fs::read(path).ok().as_ref() != Some(bytes))
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
    for (part, path) in parts {
        part.persist(path).map_err(|error| failed(path, &error.error))?;
    }
    Ok(())
}

fn failed(path: &Path, error: &io::Error) -> Error {
    Error::infrastructure(format!("cannot write `{}`: {error}", path.display()))
}

//! Paths of a job file: relative ones start at the file's folder, and what they name must be there.

use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::DeValue;

use super::value;
use super::value::Read;

/// The file at a path.
pub(super) fn file(value: &Spanned<DeValue<'_>>, base: &Path) -> Read<PathBuf> {
    let path = resolve(value, base)?;
    match path.metadata() {
        Ok(found) if found.is_dir() => value::complain(value, format!("{} is a folder, not a file", path.display())),
        Ok(_) => Ok(path),
        Err(error) => value::complain(value, format!("cannot use {}: {error}", path.display())),
    }
}

/// The folder at a path.
pub(super) fn folder(value: &Spanned<DeValue<'_>>, base: &Path) -> Read<PathBuf> {
    let path = resolve(value, base)?;
    match path.metadata() {
        Ok(found) if !found.is_dir() => value::complain(value, format!("{} is a file, not a folder", path.display())),
        Ok(_) => Ok(path),
        Err(error) => value::complain(value, format!("cannot use {}: {error}", path.display())),
    }
}

/// A path, whether anything is there or not.
pub(super) fn resolve(value: &Spanned<DeValue<'_>>, base: &Path) -> Read<PathBuf> {
    let text = value::line(value)?;
    let path = tidy(&base.join(text));
    if path.to_str().is_none() {
        return value::complain(value, format!("{} is not UTF-8, which job files are", path.display()));
    }
    Ok(path)
}

/// The path without `.` and, where no symbolic link can be meant, without `..`.
pub(super) fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if tidy.file_name().is_some() && !tidy.is_symlink() => {
                tidy.pop();
            }
            other => tidy.push(other),
        }
    }
    tidy
}

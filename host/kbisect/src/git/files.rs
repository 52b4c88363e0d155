//! Files of a checkout on disk. Owns that nothing outside the checkout's root is ever touched: no write and no removal passes
//! through a symbolic link, whatever a build has left behind.

use std::collections::HashSet;
use std::fs;
use std::fs::Metadata;
use std::fs::OpenOptions;
use std::fs::Permissions;
use std::io::ErrorKind;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;

use super::Error;
use crate::removal;
use crate::removal::unlocked;
use crate::removal::unlocked_folder;

/// A checkout's root, and the folders below it that are known to be real ones.
pub(super) struct Files<'a> {
    root: &'a Path,
    folders: HashSet<PathBuf>,
}

impl<'a> Files<'a> {
    pub(super) fn new(root: &'a Path) -> Self {
        Self { root, folders: HashSet::new() }
    }

    /// What is at the path, not following a link; `None` if nothing is, or a component above is no real folder.
    pub(super) fn look(&mut self, path: &Path) -> Result<Option<Metadata>, Error> {
        if !self.parents_are_real(path)? {
            return Ok(None);
        }
        look(&self.root.join(path))
    }

    fn parents_are_real(&mut self, path: &Path) -> Result<bool, Error> {
        for folder in parents(path) {
            if !self.is_real(folder)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a path, whose parents are real, is a folder and no link to one.
    fn is_real(&mut self, folder: &Path) -> Result<bool, Error> {
        if self.folders.contains(folder) {
            return Ok(true);
        }
        let real = look(&self.root.join(folder))?.is_some_and(|found| found.is_dir());
        if real {
            self.folders.insert(folder.to_owned());
        }
        Ok(real)
    }

    /// Makes real folders of everything above the path; what is in the way goes.
    pub(super) fn make_parents(&mut self, path: &Path) -> Result<(), Error> {
        for folder in parents(path) {
            if !self.folders.contains(folder) {
                self.make_folder(folder)?;
            }
        }
        Ok(())
    }

    /// Makes a real folder of the path itself, whose parents are real; what is in the way goes, a folder stays as it is.
    pub(super) fn make_folder(&mut self, folder: &Path) -> Result<(), Error> {
        let full = self.root.join(folder);
        match look(&full)? {
            Some(found) if found.is_dir() => {}
            found => {
                if found.is_some() {
                    remove(&full)?;
                }
                unlocked(&full, || fs::create_dir(&full)).map_err(|error| Error::io("make the folder", &full, error))?;
            }
        }
        self.folders.insert(folder.to_owned());
        Ok(())
    }

    /// Removes the file or link at the path, and the folders above that this leaves empty, also where a kill left them. A folder
    /// at the path stays: it is something that a build has made.
    pub(super) fn remove_file(&mut self, path: &Path) -> Result<(), Error> {
        match self.look(path)? {
            Some(found) if found.is_dir() => return Ok(()),
            Some(_) => remove(&self.root.join(path))?,
            None => {}
        }
        self.remove_empty_parents(path)
    }

    /// Removes the folder at the path if it is empty (a submodule's), and the folders above that this leaves empty.
    pub(super) fn remove_folder_if_empty(&mut self, path: &Path) -> Result<(), Error> {
        if self.look(path)?.is_some_and(|found| found.is_dir()) {
            let full = self.root.join(path);
            if unlocked(&full, || fs::remove_dir(&full)).is_err() {
                return Ok(());
            }
            self.folders.remove(path);
        }
        self.remove_empty_parents(path)
    }

    fn remove_empty_parents(&mut self, path: &Path) -> Result<(), Error> {
        let mut real = Vec::new();
        for folder in parents(path) {
            if !self.is_real(folder)? {
                break;
            }
            real.push(folder);
        }
        for folder in real.into_iter().rev() {
            let full = self.root.join(folder);
            if unlocked(&full, || fs::remove_dir(&full)).is_err() {
                break;
            }
            self.folders.remove(folder);
        }
        Ok(())
    }

    /// Puts a new file at the path, whose parents are real. A file there before is unlinked first, so that hard links that a
    /// build has made keep their content.
    pub(super) fn write_file(&self, path: &Path, content: &[u8], executable: bool) -> Result<(), Error> {
        let full = self.root.join(path);
        self.clear(&full)?;
        let mode = if executable { 0o777 } else { 0o666 };
        let write = || OpenOptions::new().write(true).create_new(true).mode(mode).open(&full)?.write_all(content);
        unlocked(&full, write).map_err(|error| Error::io("write", &full, error))
    }

    /// Puts a new symbolic link at the path, whose parents are real.
    pub(super) fn write_link(&self, path: &Path, target: &[u8]) -> Result<(), Error> {
        let full = self.root.join(path);
        self.clear(&full)?;
        let link = || std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(target), &full);
        unlocked(&full, link).map_err(|error| Error::io("make the link", &full, error))
    }

    fn clear(&self, full: &Path) -> Result<(), Error> {
        if look(full)?.is_some() { remove(full) } else { Ok(()) }
    }

    /// Sets or clears the executable bits of a regular file, as the readable ones are.
    pub(super) fn set_executable(&self, path: &Path, found: &Metadata, executable: bool) -> Result<(), Error> {
        let full = self.root.join(path);
        let mode = found.permissions().mode() & 0o7777;
        let mode = if executable { mode | ((mode & 0o444) >> 2) | 0o100 } else { mode & !0o111 };
        fs::set_permissions(&full, Permissions::from_mode(mode)).map_err(|error| Error::io("change the mode of", &full, error))
    }

    /// Removes everything below `folder` that `keep` does not hold. `keep` answers for paths from the root: keep it, look inside,
    /// or remove it.
    pub(super) fn sweep(&self, folder: &Path, keep: &impl Fn(&Path) -> Keep) -> Result<(), Error> {
        let full = self.root.join(folder);
        let read = |error| Error::io("read the folder", &full, error);
        for entry in unlocked_folder(&full, || fs::read_dir(&full)).map_err(read)? {
            let entry = entry.map_err(read)?;
            let path = folder.join(entry.file_name());
            match keep(&path) {
                Keep::All => {}
                Keep::Inside if entry.file_type().map_err(read)?.is_dir() => self.sweep(&path, keep)?,
                Keep::Inside | Keep::Nothing => remove(&self.root.join(&path))?,
            }
        }
        Ok(())
    }
}

/// What [`Files::sweep`] does with a path.
pub(super) enum Keep {
    /// Leave it alone.
    All,
    /// It is a folder that holds things to keep.
    Inside,
    /// Remove it.
    Nothing,
}

/// The folders above a path, outermost first, without the root.
fn parents(path: &Path) -> impl Iterator<Item = &Path> {
    let mut folders: Vec<&Path> = path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()).collect();
    folders.reverse();
    folders.into_iter()
}

fn look(full: &Path) -> Result<Option<Metadata>, Error> {
    match unlocked(full, || fs::symlink_metadata(full)) {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(Error::io("look at", full, error)),
    }
}

/// Removes whatever is at the path, with all that is in it.
pub(super) fn remove(full: &Path) -> Result<(), Error> {
    removal::remove(full).map_err(|error| Error::io("remove", full, error))
}

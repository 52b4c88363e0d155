//! The store of built kernels: one folder for each distinct set of files, named by its digest. Owns the digest's definition.

use std::fs;
use std::io;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::path::PathBuf;

use sha2::Digest as _;
use sha2::Sha256;
use tempfile::TempDir;

use super::signature::hex;

/// Folders of kernels.
#[derive(Debug, Clone)]
pub struct Store {
    dir: PathBuf,
}

impl Store {
    /// The store in `dir`, which need not be there yet.
    pub fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Where the kernel of this name is; none where it was lost.
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        let folder = self.dir.join(name);
        folder.join("kernel").is_file().then_some(folder)
    }

    /// Keeps a folder under its digest, in one step; an equal one that is there already stands.
    ///
    /// # Errors
    ///
    /// Something cannot be read, or the folder cannot be moved.
    pub fn keep(&self, built: TempDir) -> io::Result<String> {
        let name = digest(built.path())?;
        if self.find(&name).is_none() {
            fs::create_dir_all(&self.dir)?;
            let target = self.dir.join(&name);
            match fs::rename(built.path(), &target) {
                Ok(()) => drop(built.keep()),
                // Somebody else kept the same at the same time.
                Err(_) if self.find(&name).is_some() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(name)
    }
}

/// SHA-256 over all entries in the order of their paths, 64 hexadecimal digits: for each, its relative path, a zero byte, `f` and
/// the SHA-256 of its bytes, or `l`, a link's target and a zero byte, or `d` for a folder.
fn digest(dir: &Path) -> io::Result<String> {
    let mut all = Sha256::new();
    add(&mut all, dir, Path::new(""))?;
    Ok(hex(&all.finalize()))
}

fn add(all: &mut Sha256, dir: &Path, inside: &Path) -> io::Result<()> {
    let mut names: Vec<_> =
        fs::read_dir(dir.join(inside))?.map(|entry| entry.map(|entry| entry.file_name())).collect::<io::Result<_>>()?;
    names.sort();
    for name in names {
        let path = inside.join(name);
        let full = dir.join(&path);
        all.update(path.as_os_str().as_bytes());
        let kind = fs::symlink_metadata(&full)?.file_type();
        if kind.is_symlink() {
            all.update(b"\0l");
            all.update(fs::read_link(&full)?.as_os_str().as_bytes());
            all.update(b"\0");
        } else if kind.is_dir() {
            all.update(b"\0d");
            add(all, dir, &path)?;
        } else if kind.is_file() {
            all.update(b"\0f");
            all.update(digest_of_file(&full)?);
        } else {
            return Err(io::Error::other(format!("`{}` is neither a file nor a folder nor a link", path.display())));
        }
    }
    Ok(())
}

/// SHA-256 of a file's bytes.
pub(crate) fn digest_of_file(path: &Path) -> io::Result<[u8; 32]> {
    let mut file = fs::File::open(path)?;
    let mut content = Sha256::new();
    let mut piece = vec![0; 64 << 10];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(content.finalize().into()),
            count => content.update(&piece[..count]),
        }
    }
}

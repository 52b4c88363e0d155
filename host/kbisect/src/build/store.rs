//! The store of built kernels: one folder for each distinct set of files, named by its digest. Owns the digest's definition.

use std::fs;
use std::io;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::SystemTime;

use sha2::Digest as _;
use sha2::Sha256;
use tempfile::TempDir;

use super::room;
use super::signature;
use super::signature::hex;

/// So many kernels that were used last are kept whatever they take.
const SPARED: usize = 3;
/// One that was used within this time may be booting.
const IN_USE: Duration = Duration::from_secs(120);

/// What a kernel is booted with. What else is kept of it is small, and tells how it was built.
const BOOTED: [&str; 3] = ["kernel", "initrd", "modules"];

/// The build id of a kernel whose `vmlinux` is gone.
const BUILD_ID: &str = "build-id";

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

    /// Where the kernel of this name is; none where it was lost, or removed for others.
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        let folder = self.dir.join(name);
        folder.join("kernel").is_file().then_some(folder)
    }

    /// Notes that a kernel is used now.
    pub fn touch(&self, name: &str) {
        // Where it fails, the kernel only counts as older than it is.
        let _ = fs::File::open(self.dir.join(name)).and_then(|folder| folder.set_modified(SystemTime::now()));
    }

    /// Removes what kernels can be booted without, their `vmlinux` (symbols, most of a debug kernel's size), from those that were used
    /// longest ago, but for the last few, until so many bytes were freed; where that is not enough, then what they are booted with, too:
    /// who needs one again builds it again. Their build ids and how they were built stay.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn make_room(&self, bytes: u64) -> io::Result<()> {
        let mut kernels: Vec<(SystemTime, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            if entry.path().join(BOOTED[0]).exists() {
                kernels.push((entry.metadata()?.modified()?, entry.path()));
            }
        }
        kernels.sort();
        let last = kernels.len().saturating_sub(SPARED);
        let mut freed = 0;
        for (used, folder) in &kernels[..last] {
            if freed >= bytes {
                break;
            }
            let vmlinux = folder.join("vmlinux");
            let Ok(found) = fs::symlink_metadata(&vmlinux) else { continue };
            fs::write(folder.join(BUILD_ID), signature::build_id(&vmlinux).unwrap_or_default())?;
            fs::remove_file(&vmlinux)?;
            freed += found.blocks() * 512;
            // It was not used for this.
            fs::File::open(folder)?.set_modified(*used)?;
        }
        let idle = |used: &SystemTime| used.elapsed().is_ok_and(|since| since > IN_USE);
        for (_, folder) in kernels[..last].iter().filter(|(used, _)| idle(used)) {
            if freed >= bytes {
                break;
            }
            // The kernel goes first: without it nobody takes the rest for whole.
            for path in BOOTED.map(|name| folder.join(name)) {
                let Ok(found) = fs::symlink_metadata(&path) else { continue };
                freed += room::used(&path);
                if found.is_dir() { fs::remove_dir_all(&path)? } else { fs::remove_file(&path)? }
            }
        }
        Ok(())
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
            if target.exists() && self.find(&name).is_none() {
                // What was left of it when others needed its room.
                fs::remove_dir_all(&target)?;
            }
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

/// Bytes of one file of a build's, at most: no kernel has so many, however large its symbols, but a file of nothing but holes may.
const LARGEST: u64 = 4 << 30;

/// Why a file is too large to be kept, if it is.
///
/// # Errors
/// Those of the file system.
pub(crate) fn too_large(file: &Path, name: &str) -> io::Result<Option<String>> {
    Ok((fs::metadata(file)?.len() > LARGEST).then(|| format!("`{name}` is longer than 4 GiB")))
}

/// What of a build's output cannot be kept, in words: what is neither a file nor a folder nor a link, or too large, and a link beside
/// the kernel that leads out of the folder. What is below may link to where it was built, as modules do; nobody follows that.
///
/// # Errors
/// Those of the file system.
pub(crate) fn strange(built: &Path) -> io::Result<Option<String>> {
    let root = built.canonicalize()?;
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let (entry, kind) = entry.and_then(|entry| entry.file_type().map(|kind| (entry.path(), kind)))?;
            let name = entry.strip_prefix(&root).unwrap_or(&entry).display().to_string();
            if kind.is_dir() {
                folders.push(entry);
            } else if kind.is_symlink() {
                let inside = folder != root || entry.canonicalize().is_ok_and(|target| target.starts_with(&root));
                if !inside {
                    return Ok(Some(format!("`{name}` in {{out}} is a link that leads out of it, or nowhere")));
                }
            } else if !kind.is_file() {
                return Ok(Some(format!("`{name}` in {{out}} is neither a file nor a folder nor a link")));
            } else if let Some(why) = too_large(&entry, &name)? {
                return Ok(Some(why));
            }
        }
    }
    Ok(None)
}

/// The build id of a kernel in its folder, in hexadecimal; none where it has none or nobody knows it.
pub fn build_id(kernel: &Path) -> Option<String> {
    let kept = || fs::read_to_string(kernel.join(BUILD_ID)).ok().filter(|id| !id.is_empty());
    signature::build_id(&kernel.join("vmlinux")).or_else(kept)
}

/// 64 hexadecimal digits: SHA-256 of a file's bytes; of a folder that over all entries in the order of their paths: for each, its
/// relative path, a zero byte, `f` and the SHA-256 of its bytes, or `l`, a link's target and a zero byte, or `d` for a folder.
pub(crate) fn digest(path: &Path) -> io::Result<String> {
    if !path.is_dir() {
        return Ok(hex(&digest_of_file(path)?));
    }
    let mut all = Sha256::new();
    add(&mut all, path, Path::new(""))?;
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
fn digest_of_file(path: &Path) -> io::Result<[u8; 32]> {
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

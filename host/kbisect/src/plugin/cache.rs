//! Compiled components on disk, by digest of the component and hash of the engine.
//!
//! A compiled component is native code: whoever can write it runs as us. So it is read only from a directory that belongs to us
//! and that nobody else may enter, and only if it still has the digest that it was written with. Anything else is a miss.

use std::fs::File;
use std::hash::Hash;
use std::hash::Hasher;
use std::io;
use std::io::Read;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::path::PathBuf;
use std::process;

use rustix::fs::AtFlags;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use sha2::Digest;
use sha2::Sha256;
use wasmtime::component::Component;

use crate::caches;

/// Length of the digest that stands before the compiled code in a file.
const DIGEST: usize = 32;

/// A directory of compiled components.
#[derive(Debug)]
pub struct Cache {
    directory: OwnedFd,
}

impl Cache {
    /// Opens (or makes) the directory, and makes sure that it is ours alone.
    pub fn open(path: &Path) -> io::Result<Self> {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        match rustix::fs::mkdir(path, Mode::RWXU) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
        let directory = rustix::fs::open(path, flags, Mode::empty())?;
        let stat = rustix::fs::fstat(&directory)?;
        if stat.st_uid != rustix::process::geteuid().as_raw() || stat.st_mode & 0o077 != 0 {
            let message = format!("{} is not private: it must belong to you and have mode 700", path.display());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
        }
        Ok(Self { directory })
    }

    /// The compiled form of a component, if it is here.
    pub(super) fn load(&self, engine: &wasmtime::Engine, digest: &str) -> Option<Component> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.directory, name(engine, digest), flags, Mode::empty()).ok()?;
        let mut bytes = Vec::new();
        File::from(file).read_to_end(&mut bytes).ok()?;
        let (expected, code) = bytes.split_at_checked(DIGEST)?;
        if Sha256::digest(code).as_slice() != expected {
            return None;
        }
        #[allow(unsafe_code, reason = "wasmtime marks running native code from disk so; the module says why it may be trusted")]
        // SAFETY: only we can write in the directory, and these are the bytes that `store` got from this kind of engine.
        let component = unsafe { Component::deserialize(engine, code) };
        component.ok()
    }

    /// Keeps the compiled form of a component.
    pub(super) fn store(&self, engine: &wasmtime::Engine, digest: &str, component: &Component) -> io::Result<()> {
        let code = component.serialize().map_err(io::Error::other)?;
        let name = name(engine, digest);
        let draft = format!("{name}.{}.{:?}", process::id(), std::thread::current().id());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(rustix::fs::openat(&self.directory, &draft, flags, Mode::RUSR | Mode::WUSR)?);
        let written = file.write_all(&Sha256::digest(&code)).and_then(|()| file.write_all(&code));
        let kept = written.and_then(|()| Ok(rustix::fs::renameat(&self.directory, &draft, &self.directory, &name)?));
        if kept.is_err() {
            // Leaving the draft behind would only cost space.
            let _ = rustix::fs::unlinkat(&self.directory, &draft, AtFlags::empty());
        }
        kept
    }
}

/// Name of the file for a component and an engine.
fn name(engine: &wasmtime::Engine, digest: &str) -> String {
    let mut hasher = Sha256Hasher(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{digest}-{:016x}.cwasm", hasher.finish())
}

/// A hasher whose result is the same in every build of Rust's library.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        self.0.clone().finalize().iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
    }
}

/// Where compiled components are kept: `components` in kbisect's cache folder.
pub fn default_directory() -> Option<PathBuf> {
    Some(caches::root()?.join("components"))
}

#[cfg(test)]
mod tests;

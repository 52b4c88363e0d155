//! What is kept from run to run: where, and who shares it.

use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use sha2::Digest as _;
use sha2::Sha256;

use crate::build::signature::hex;

/// The folder: `$KBISECT_CACHE_DIR`, `$XDG_CACHE_HOME/kbisect` or `~/.cache/kbisect`; none where nothing says where homes are.
pub(crate) fn root() -> Option<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("KBISECT_CACHE_DIR")
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("kbisect")))
        .or_else(|| Some(set("HOME")?.join(".cache/kbisect")))
}

/// The compiler cache of a repository's builds, made if it is not there; none where it cannot be made.
///
/// Builds can write whatever they like into it, so it is nobody else's: not that of another repository, whose kernels it would decide,
/// and not the one that the user has for everything else.
pub(crate) fn of_compilers(repo: &Path) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    let repo = repo.canonicalize().ok()?;
    let name = hex(&Sha256::digest(repo.as_os_str().as_bytes()))[..16].to_owned();
    made(&root()?.join("ccache").join(name))
}

/// A folder that is there or can be made, as an absolute path.
pub(crate) fn made(dir: &Path) -> Option<PathBuf> {
    fs::create_dir_all(dir).ok()?;
    dir.canonicalize().ok()
}

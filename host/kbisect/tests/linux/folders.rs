//! Where the tests on real Linux find its sources, and where they keep what they download.

use std::fs;
use std::path::PathBuf;

/// kbisect's cache folder.
pub(crate) fn cache() -> PathBuf {
    std::env::var_os("KBISECT_CACHE_DIR")
        .map_or_else(|| PathBuf::from(std::env::var_os("HOME").expect("a home")).join(".cache/kbisect"), PathBuf::from)
}

/// The folder in it for what tests download.
pub(crate) fn downloads() -> PathBuf {
    let dir = cache().join("test-linux");
    fs::create_dir_all(&dir).expect("a cache folder");
    dir
}

/// The sources that the demo takes, or those that the tests have: `KBISECT_TEST_LINUX_TREE`, a folder or an archive.
pub(crate) fn tree() -> PathBuf {
    let stated = std::env::var_os("KBISECT_TEST_LINUX_TREE").map(PathBuf::from);
    // Other tests take a bare repository, too.
    let tree = stated.filter(|tree| tree.is_file() || tree.join("Makefile").is_file()).or_else(linux_demo::installed);
    tree.expect("no sources of Linux: apt-get install linux-source, or set KBISECT_TEST_LINUX_TREE")
}

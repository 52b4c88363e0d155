#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::*;
use crate::plugin::testing::EMPTY;
use crate::plugin::testing::ENGINE;

const DIGEST_TEXT: &str = "0123";

/// A cache with one component, and the one file it is kept in.
fn cache() -> (TempDir, Cache, PathBuf) {
    let temporary = TempDir::new().unwrap();
    let directory = temporary.path().join("a/b");
    let cache = Cache::open(&directory).unwrap();
    let component = Component::from_binary(&ENGINE.wasmtime, &EMPTY).unwrap();
    cache.store(&ENGINE.wasmtime, DIGEST_TEXT, &component).unwrap();
    let files: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "no draft is left: {files:?}");
    (temporary, cache, files[0].clone())
}

#[test]
fn what_was_kept_is_found() {
    let (_temporary, cache, file) = cache();
    assert!(cache.load(&ENGINE.wasmtime, DIGEST_TEXT).is_some());
    assert!(cache.load(&ENGINE.wasmtime, "4567").is_none());
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_changed_file_is_a_miss() {
    let (_temporary, cache, file) = cache();
    let good = fs::read(&file).unwrap();
    for bytes in [&good[..good.len() - 1], &good[..10], &[]] {
        fs::write(&file, bytes).unwrap();
        assert!(cache.load(&ENGINE.wasmtime, DIGEST_TEXT).is_none(), "{} bytes", bytes.len());
    }
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    fs::write(&file, flipped).unwrap();
    assert!(cache.load(&ENGINE.wasmtime, DIGEST_TEXT).is_none());
    fs::write(&file, good).unwrap();
    assert!(cache.load(&ENGINE.wasmtime, DIGEST_TEXT).is_some());
}

#[test]
fn directories_that_others_may_enter_are_not_used() {
    let temporary = TempDir::new().unwrap();
    let open = temporary.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
    let error = Cache::open(&open).unwrap_err().to_string();
    assert_eq!(error, format!("{} is not private: it must belong to you and have mode 700", open.display()));
    let link = temporary.path().join("link");
    std::os::unix::fs::symlink(temporary.path(), &link).unwrap();
    Cache::open(&link).unwrap_err();
}

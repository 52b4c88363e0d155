//! Plugins for tests, built from `tests/guests/` when the first test needs them. They are never part of kbisect.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use super::Engine;
use super::cache::Cache;

/// A plugin that does what its settings say, bad things included; see its source for the keys.
pub(crate) static SCRIPTED: LazyLock<Vec<u8>> = LazyLock::new(|| build("scripted-guest"));
/// A classifier that does nothing.
pub(crate) static EMPTY: LazyLock<Vec<u8>> = LazyLock::new(|| build("empty-guest"));
/// One engine for all tests; what it compiles stays beside what the build script built.
pub(crate) static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let cache = Cache::open(&Path::new(env!("OUT_DIR")).join("test-components")).expect("OUT_DIR can be written");
    Engine::new(Some(cache)).expect("the engine starts")
});

fn build(package: &str) -> Vec<u8> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace is there");
    let guests = Path::new(env!("KBISECT_GUESTS"));
    let components = guest_build::plugins(&workspace, guests, &[package]).unwrap_or_else(|error| panic!("{error}"));
    fs::read(&components[0]).expect("cargo said that it built it")
}

/// A component in which a text is overwritten by another of the same length, wherever it stands.
pub(crate) fn patched(component: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len(), "sizes in a component must not change");
    let mut bytes = component.to_vec();
    let places: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(from)).collect();
    assert!(!places.is_empty(), "{} does not occur", String::from_utf8_lossy(from));
    for place in places {
        bytes[place..place + to.len()].copy_from_slice(to);
    }
    bytes
}

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

/// An entry as the kernel would read it.
#[derive(Debug, PartialEq)]
struct Entry {
    path: String,
    mode: u32,
    device: (u32, u32),
    content: Vec<u8>,
}

/// Reads an archive by the letter of the format's description, up to its trailer.
fn read(mut bytes: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    loop {
        assert_eq!(&bytes[..6], b"070701");
        let field = |number: usize| {
            let digits = std::str::from_utf8(&bytes[6 + 8 * number..14 + 8 * number]).unwrap();
            u32::from_str_radix(digits, 16).unwrap()
        };
        let (mode, size, name_size) = (field(1), field(6) as usize, field(11) as usize);
        let device = (field(9), field(10));
        let name = &bytes[110..110 + name_size];
        assert_eq!(name.last(), Some(&0));
        let path = String::from_utf8(name[..name_size - 1].to_vec()).unwrap();
        let start = (110 + name_size).next_multiple_of(4);
        let content = bytes[start..start + size].to_vec();
        bytes = &bytes[(start + size).next_multiple_of(4)..];
        if path == "TRAILER!!!" {
            assert!(bytes.iter().all(|byte| *byte == 0));
            return entries;
        }
        entries.push(Entry { path, mode, device, content });
    }
}

fn entry(path: &str, mode: u32, content: &[u8]) -> Entry {
    Entry { path: path.to_owned(), mode, device: (0, 0), content: content.to_vec() }
}

#[test]
fn every_guest_has_init_and_a_console() {
    let bytes = Archive::base(b"the init").finish();
    assert_eq!(bytes.len() % 512, 0);
    let entries = read(&bytes);
    assert!(entries.contains(&entry("init", 0o100_755, b"the init")));
    assert!(entries.contains(&entry("control", 0o120_777, b"/init")));
    let console = entries.iter().find(|entry| entry.path == "dev/console").unwrap();
    assert_eq!((console.mode, console.device), (0o020_666, (5, 1)));
    let port = entries.iter().find(|entry| entry.path == "dev/ttyS1").unwrap();
    assert_eq!((port.mode, port.device), (0o020_666, (4, 65)));
    let folder = entries.iter().position(|entry| entry.path == "dev").unwrap();
    assert!(folder < entries.iter().position(|entry| entry.path == "dev/console").unwrap(), "folders come first");
}

#[test]
fn files_and_folders_of_the_host_are_packed() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("lib/deep")).unwrap();
    fs::write(dir.path().join("lib/deep/file"), "12345").unwrap();
    fs::set_permissions(dir.path().join("lib/deep/file"), fs::Permissions::from_mode(0o750)).unwrap();
    std::os::unix::fs::symlink("deep/file", dir.path().join("lib/link")).unwrap();
    let mut archive = Archive::default();
    archive.host_path(&dir.path().join("lib/deep/file"), "/repro").unwrap();
    archive.host_path(&dir.path().join("lib"), "/usr/lib").unwrap();
    archive.host_path(&dir.path().join("lib"), "/").unwrap();
    archive.file("/a/b/c", 0o644, b"");
    let mut entries = read(&archive.finish());
    // A folder may come more than once.
    let mut known = std::collections::HashSet::new();
    entries.retain(|entry| entry.mode != 0o040_755 || known.insert(entry.path.clone()));
    let folder = |path| entry(path, 0o040_755, b"");
    let file = |path| entry(path, 0o100_750, b"12345");
    let link = |path| entry(path, 0o120_777, b"deep/file");
    let expected = [
        file("repro"),
        folder("usr"),
        folder("usr/lib"),
        folder("usr/lib/deep"),
        file("usr/lib/deep/file"),
        link("usr/lib/link"),
        folder("deep"),
        file("deep/file"),
        link("link"),
        folder("a"),
        folder("a/b"),
        entry("a/b/c", 0o100_644, b""),
    ];
    assert_eq!(entries, expected);
    let error = Archive::default().host_path(Path::new("/nowhere"), "/x").unwrap_err();
    assert_eq!(error.to_string(), "/nowhere: No such file or directory (os error 2)");
    assert!(Archive::default().host_path(Path::new("/dev/null"), "/x").is_err());
}

#[test]
fn programs_that_need_a_loader_are_known() {
    let own = loader(&fs::read(std::env::current_exe().unwrap()).unwrap());
    assert!(own.as_ref().is_some_and(|path| path.starts_with('/') && path.contains("ld-")), "{own:?}");
    for program in [crate::embedded::GUEST_INIT, b"#!/bin/sh\n", b"", b"\x7fELF\x02\x01\x01"] {
        assert_eq!(loader(program), None);
    }
}

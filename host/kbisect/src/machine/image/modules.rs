//! The kernel's modules that a machine needs before it has its disk and its network: which they are, and in which order they are loaded.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::bounded;

/// What finds a disk, a file system on it, and a network card, where they are modules.
const WANTED: [&str; 11] = [
    "virtio_pci",
    "virtio_blk",
    "ata_piix",
    "ata_generic",
    "sd_mod",
    "ext4",
    "btrfs",
    "xfs",
    "virtio_net",
    "virtio_rng",
    "crc32c_generic",
];

/// Of these, what an ext4 disk does not need. They take a second or two to load: they try how fast they are.
const OTHER_FILE_SYSTEMS: [&str; 2] = ["btrfs", "xfs"];

/// Bytes of a `modules.dep`, at most: a distribution's has less than one MiB.
const LONGEST: u64 = 64 << 20;

/// Files of modules below `modules` (a folder that holds `lib/modules/RELEASE`), in the order of loading: what one depends on stands
/// before it. Where the disk `is_ext4`, other file systems are left out. Paths are relative to `modules`. Compressed ones are left out: only some kernels load them.
///
/// # Errors
/// Those of the file system.
pub(super) fn to_load(modules: &Path, is_ext4: bool) -> io::Result<Vec<String>> {
    let mut files = Vec::new();
    for release in fs::read_dir(modules.join("lib/modules"))? {
        let release = release?;
        let (folder, list) = (release.path(), release.path().join("modules.dep"));
        // A release without the file has no modules; and what a build has left in its place may have no end, or be the host's.
        let is_own = release.file_type()?.is_dir() && fs::symlink_metadata(&list).is_ok_and(|found| found.is_file());
        let text = is_own.then(|| bounded::read(&list, LONGEST).ok()).flatten().and_then(|bytes| String::from_utf8(bytes).ok());
        let Some(text) = text else { continue };
        let below: PathBuf = folder.strip_prefix(modules).unwrap_or(&folder).to_owned();
        files.extend(order(&text, is_ext4).into_iter().map(|file| below.join(file).to_string_lossy().into_owned()));
    }
    Ok(files)
}

/// The wanted modules of a `modules.dep` (`FILE: FILES IT NEEDS, THE DEEPEST LAST`), in the order of loading.
fn order(text: &str, is_ext4: bool) -> Vec<&str> {
    let rows: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once(':')).collect();
    let mut done = HashSet::new();
    let mut files = Vec::new();
    for wanted in WANTED.into_iter().filter(|wanted| !is_ext4 || !OTHER_FILE_SYSTEMS.contains(wanted)) {
        let Some((file, needed)) = rows.iter().find(|(file, _)| name(file) == wanted) else { continue };
        for file in needed.split_whitespace().rev().chain([*file]) {
            if file.ends_with(".ko") && !file.contains("..") && done.insert(file) {
                files.push(file);
            }
        }
    }
    files
}

/// A module's name as the kernel has it.
fn name(file: &str) -> String {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.split('.').next().unwrap_or(name).replace('-', "_")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_list_that_is_no_file_of_the_build_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let release = dir.path().join("lib/modules/6.1.0");
        fs::create_dir_all(&release).unwrap();
        for odd in ["/dev/zero", "/dev/stdin", "elsewhere"] {
            let _ = fs::remove_file(release.join("modules.dep"));
            std::os::unix::fs::symlink(odd, release.join("modules.dep")).unwrap();
            assert_eq!(to_load(dir.path(), false).unwrap(), [""; 0], "{odd}");
        }
        fs::remove_file(release.join("modules.dep")).unwrap();
        fs::write(release.join("modules.dep"), "kernel/virtio_blk.ko: ../../../x.ko\n").unwrap();
        std::os::unix::fs::symlink("6.1.0", dir.path().join("lib/modules/linked")).unwrap();
        assert_eq!(to_load(dir.path(), false).unwrap(), ["lib/modules/6.1.0/kernel/virtio_blk.ko"]);
    }

    #[test]
    fn what_is_needed_comes_first_and_once() {
        let text = "kernel/drivers/block/virtio_blk.ko:\nkernel/fs/ext4/ext4.ko: kernel/lib/crc16.ko kernel/fs/mbcache.ko kernel/fs/jbd2/jbd2.ko\n\
                    kernel/drivers/net/virtio_net.ko: kernel/net/core/net_failover.ko kernel/net/core/failover.ko\n\
                    kernel/drivers/net/e1000.ko:\nkernel/fs/xfs/xfs.ko.xz: kernel/lib/crc16.ko\n";
        let expected = [
            "kernel/drivers/block/virtio_blk.ko",
            "kernel/fs/jbd2/jbd2.ko",
            "kernel/fs/mbcache.ko",
            "kernel/lib/crc16.ko",
            "kernel/fs/ext4/ext4.ko",
            "kernel/net/core/failover.ko",
            "kernel/net/core/net_failover.ko",
            "kernel/drivers/net/virtio_net.ko",
        ];
        assert_eq!(order(text, false), expected);
    }
}

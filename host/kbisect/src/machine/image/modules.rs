//! The kernel's modules that a machine needs before it has its disk and its network: which they are, and in which order they are loaded.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

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

/// Files of modules below `modules` (a folder that holds `lib/modules/RELEASE`), in the order of loading: what one depends on stands
/// before it. Where the disk `is_ext4`, other file systems are left out. Paths are relative to `modules`. Compressed ones are left out: only some kernels load them.
///
/// # Errors
/// Those of the file system.
pub(super) fn to_load(modules: &Path, is_ext4: bool) -> io::Result<Vec<String>> {
    let mut files = Vec::new();
    for release in fs::read_dir(modules.join("lib/modules"))? {
        let folder = release?.path();
        // A release without the file has no modules.
        let Ok(text) = fs::read_to_string(folder.join("modules.dep")) else { continue };
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
            if file.ends_with(".ko") && done.insert(file) {
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
    use super::*;

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

//! What filesystems print when they meet corruption. One row is one form; a new one is a row and a golden case.

use std::cell::OnceCell;

use regex_lite::Captures;
use regex_lite::Regex;

/// One form of message.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Text that every such message has, and that the host looks for.
    pub marker: &'static str,
    /// The whole message. Groups: `dev` the device; `fn` the function; `what` words; `file` the source file.
    pub pattern: &'static str,
    /// The title; `{fn}` and `{what}` stand for groups.
    pub title: &'static str,
    /// What the filesystem is called.
    pub filesystem: &'static str,
    /// The file to blame where the message names none: where the filesystem is mounted.
    pub file: &'static str,
}

const fn row(
    marker: &'static str,
    pattern: &'static str,
    title: &'static str,
    filesystem: &'static str,
    file: &'static str,
) -> Row {
    Row { marker, pattern, title, filesystem, file }
}

const EXT2: (&str, &str) = ("ext2", "fs/ext2/super.c");
const EXT4: (&str, &str) = ("ext4", "fs/ext4/super.c");
const XFS: (&str, &str) = ("xfs", "fs/xfs/xfs_super.c");
const BTRFS: (&str, &str) = ("btrfs", "fs/btrfs/super.c");
const F2FS: (&str, &str) = ("f2fs", "fs/f2fs/super.c");
const JFS: (&str, &str) = ("jfs", "fs/jfs/super.c");
const FAT: (&str, &str) = ("fat", "fs/fat/inode.c");
const EXFAT: (&str, &str) = ("exfat", "fs/exfat/super.c");
const NILFS: (&str, &str) = ("nilfs2", "fs/nilfs2/super.c");

/// All forms, from the kernel's own printk formats. The first that matches counts.
pub const ROWS: &[Row] = &[
    // __ext4_error, __ext4_error_inode, ext4_grp_locked_error; and __ext4_std_error with "in".
    row(
        "EXT4-fs error (device ",
        r"^EXT4-fs error \(device (?<dev>[^)]+)\)(?:: | in )(?<fn>\w+):\d+: ",
        "EXT4-fs error in {fn}",
        EXT4.0,
        EXT4.1,
    ),
    row("EXT4-fs (", r"^EXT4-fs \((?<dev>[^)]+)\): (?<fn>ext4_check_descriptors): ", "EXT4-fs error in {fn}", EXT4.0, EXT4.1),
    row(
        "EXT4-fs (",
        r"^EXT4-fs \((?<dev>[^)]+)\): (?:Found ext4 filesystem with )?(?<what>group descriptors corrupted|corrupt root inode|invalid superblock checksum)",
        "EXT4-fs error: {what}",
        EXT4.0,
        EXT4.1,
    ),
    row("EXT2-fs (", r"^EXT2-fs \((?<dev>[^)]+)\): error: (?<fn>\w+): ", "EXT2-fs error in {fn}", EXT2.0, EXT2.1),
    // Verifiers: corruption, and a checksum that is wrong.
    row(
        "XFS (",
        r"^XFS \((?<dev>[^)]+)\): Metadata (?:corruption|CRC error) detected at (?<fn>\w+)\+",
        "XFS corruption in {fn}",
        XFS.0,
        XFS.1,
    ),
    row(
        "XFS (",
        r"^XFS \((?<dev>[^)]+)\): Internal error .* at line \d+ of file (?<file>\S+\.[ch])\. +Caller (?<fn>\w+)\+",
        "XFS corruption in {fn}",
        XFS.0,
        XFS.1,
    ),
    row(
        "XFS (",
        r"^XFS \((?<dev>[^)]+)\): Corruption of in-memory data \(\S+\) detected at (?<fn>\w+)\+\S+ \((?<file>[^):]+)",
        "XFS corruption of in-memory data in {fn}",
        XFS.0,
        XFS.1,
    ),
    // The device of btrfs may be followed by the filesystem's state: `vda: state EA`, `vda state EA`.
    row(
        "BTRFS",
        r"^BTRFS(?::)? (?:critical|error) \(device (?<dev>[^):\s]+)[^)]*\) in (?<fn>\w+):\d+: errno=",
        "BTRFS error in {fn}",
        BTRFS.0,
        BTRFS.1,
    ),
    row(
        "BTRFS",
        r"^BTRFS (?:critical|error|warning) \(device (?<dev>[^):\s]+)[^)]*\): (?<what>corrupt (?:leaf|node|superblock)|bad tree block \w+|parent transid verify failed|checksum verify failed)",
        "BTRFS {what}",
        BTRFS.0,
        BTRFS.1,
    ),
    row(
        "F2FS-fs (",
        r"^F2FS-fs \((?<dev>[^)]+)\): (?<fn>sanity_check_\w+|do_read_inode|f2fs_\w+): ",
        "F2FS-fs error in {fn}",
        F2FS.0,
        F2FS.1,
    ),
    row(
        "F2FS-fs (",
        r"^F2FS-fs \((?<dev>[^)]+)\): (?<what>invalid crc value|access invalid blkaddr|inconsistent node block|Failed to get valid F2FS checkpoint)",
        "F2FS-fs error: {what}",
        F2FS.0,
        F2FS.1,
    ),
    row("ERROR: (device ", r"^ERROR: \(device (?<dev>[^)]+)\): (?<fn>\w+): ", "JFS error in {fn}", JFS.0, JFS.1),
    row("FAT-fs (", r"^FAT-fs \((?<dev>[^)]+)\): error, (?<fn>fat_\w+): ", "FAT-fs error in {fn}", FAT.0, FAT.1),
    row("FAT-fs (", r"^FAT-fs \((?<dev>[^)]+)\): error, (?<what>[^(]+)", "FAT-fs error: {what}", FAT.0, FAT.1),
    row("exFAT-fs (", r"^exFAT-fs \((?<dev>[^)]+)\): error, (?<what>[^(]+)", "exFAT-fs error: {what}", EXFAT.0, EXFAT.1),
    row("NILFS error (device ", r"^NILFS error \(device (?<dev>[^)]+)\): (?<fn>\w+): ", "NILFS error in {fn}", NILFS.0, NILFS.1),
];

/// Whether a line has a marker: a first look that costs next to nothing.
#[must_use]
pub fn may_be_one(line: &str) -> bool {
    ROWS.iter().any(|row| line.contains(row.marker))
}

/// A filesystem's words on corruption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The device, such as `vda1`.
    pub device: String,
    /// What the crash is called.
    pub title: String,
    /// Who noticed.
    pub function: Option<String>,
    /// The file to blame.
    pub file: String,
    /// The filesystem.
    pub filesystem: &'static str,
    /// The row's marker.
    pub rule: &'static str,
}

/// What says where and what stands in front; patterns cost hundreds of instructions a byte.
const LONGEST: usize = 256;

/// Reads lines. A call starts from nothing, and most lines have no marker: a pattern is compiled when a line first needs it.
#[derive(Debug)]
pub struct Reader {
    patterns: Vec<OnceCell<Regex>>,
    number: OnceCell<Regex>,
}

impl Default for Reader {
    fn default() -> Self {
        Self { patterns: ROWS.iter().map(|_| OnceCell::new()).collect(), number: OnceCell::new() }
    }
}

impl Reader {
    /// Reads one line, printk's prefix off; none where it is no such message.
    #[must_use]
    pub fn read(&self, line: &str) -> Option<Message> {
        let line = &line[..line.floor_char_boundary(LONGEST)];
        ROWS.iter().zip(&self.patterns).filter(|(row, _)| line.contains(row.marker)).find_map(|(row, pattern)| {
            let pattern = pattern.get_or_init(|| Regex::new(row.pattern).expect("a test compiles every pattern"));
            let found = pattern.captures(line)?;
            let group = |name: &str| found.name(name).map(|found| found.as_str().trim().to_owned());
            Some(Message {
                device: group("dev")?,
                title: self.title(row, &found),
                function: group("fn"),
                file: group("file").unwrap_or_else(|| row.file.to_owned()),
                filesystem: row.filesystem,
                rule: row.marker,
            })
        })
    }

    /// The row's title with its groups, without numbers: they differ from trial to trial.
    fn title(&self, row: &Row, found: &Captures<'_>) -> String {
        let group = |name: &str| found.name(name).map_or("", |found| found.as_str().trim());
        let number = self.number.get_or_init(|| Regex::new(r"\b(?:0x[0-9a-f]+|\d+)\b").expect("a test uses it"));
        let what = number.replace_all(group("what"), "NUM");
        row.title.replace("{fn}", group("fn")).replace("{what}", &what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_sound() {
        for row in ROWS {
            let pattern = Regex::new(row.pattern).expect(row.pattern);
            let groups: Vec<&str> = pattern.capture_names().flatten().collect();
            assert!(groups.contains(&"dev"), "{row:?}");
            for name in ["fn", "what"] {
                assert!(!row.title.contains(&format!("{{{name}}}")) || groups.contains(&name), "{row:?}");
            }
        }
    }

    #[test]
    fn numbers_do_not_split_a_bug_into_many() {
        let one = Reader::default().read("FAT-fs (vda): error, invalid access to FAT entry 0x0fffff12 of 7").expect("a message");
        assert_eq!(one.title, "FAT-fs error: invalid access to FAT entry NUM of NUM");
    }
}

//! A commit's tree as a flat list of files. Owns which trees are refused: names that must never reach a disk, and trees without
//! end.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use git2::Oid;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A regular file.
    File {
        /// Whether its owner may execute it.
        executable: bool,
    },
    /// A symbolic link; the blob is its target.
    Link,
    /// A submodule: shown as an empty folder.
    Submodule,
}

impl Kind {
    /// The kind of an entry with this mode; none for a folder, and for modes that git does not know.
    pub(super) fn of(mode: i32) -> Option<Self> {
        match mode & 0o170_000 {
            0o100_000 => Some(Self::File { executable: mode & 0o100 != 0 }),
            0o120_000 => Some(Self::Link),
            0o160_000 => Some(Self::Submodule),
            _ => None,
        }
    }

    /// The mode as git's index records it.
    pub(super) fn mode(self) -> u32 {
        match self {
            Self::File { executable: false } => 0o100_644,
            Self::File { executable: true } => 0o100_755,
            Self::Link => 0o120_000,
            Self::Submodule => 0o160_000,
        }
    }
}

/// A file, link or submodule of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Path from the root, as bytes.
    pub(super) path: Vec<u8>,
    /// What it is.
    pub(super) kind: Kind,
    /// The blob, or the submodule's commit.
    pub(super) id: Oid,
}

impl Entry {
    pub(super) fn path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.path))
    }
}

/// Why a tree could not be listed.
pub(super) enum Failure {
    /// It is not fit for a disk; the text says what is wrong.
    Refused(String),
    /// An object could not be read.
    Git(Oid, git2::Error),
}

/// The kernel has 90,000 files and 6,000 folders; a tree with more than this many of both is a trap (few objects can make a tree
/// of any size).
const MOST_NAMES: usize = 2_000_000;

/// Bytes of a name that file systems take, and of a path in a checkout, which has a place of its own.
const LONGEST_NAME: usize = 255;
const LONGEST_PATH: usize = 3_500;

/// Folders in folders, at most.
pub(super) const DEEPEST: usize = 200;

/// All entries of the tree in the order of git's index (bytewise by path).
pub(super) fn entries(git: &git2::Repository, tree: Oid) -> Result<Vec<Entry>, Failure> {
    let mut listing = Listing { git, names: 0, entries: Vec::new() };
    listing.add(tree, &mut Vec::new(), 0)?;
    // A tree that is not sorted can be read, too.
    listing.entries.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    Ok(listing.entries)
}

struct Listing<'a> {
    git: &'a git2::Repository,
    names: usize,
    entries: Vec<Entry>,
}

impl Listing<'_> {
    fn add(&mut self, tree: Oid, prefix: &mut Vec<u8>, depth: usize) -> Result<(), Failure> {
        let refused = |what: &str, path: &[u8]| Err(Failure::Refused(format!("{what} `{}`", String::from_utf8_lossy(path))));
        let tree = self.git.find_tree(tree).map_err(|error| Failure::Git(tree, error))?;
        self.names += tree.len();
        if self.names > MOST_NAMES {
            return Err(Failure::Refused(format!("it holds more than {MOST_NAMES} files and folders")));
        }
        if depth > DEEPEST {
            return refused("folders are too deep in one another at", prefix);
        }
        let mut names = HashSet::with_capacity(tree.len());
        for entry in &tree {
            let at = prefix.len();
            prefix.extend_from_slice(entry.name_bytes());
            let link = Kind::of(entry.filemode_raw()) == Some(Kind::Link);
            if entry.name_bytes().len() > LONGEST_NAME || prefix.len() > LONGEST_PATH {
                return refused("it holds a path too long for a file system:", prefix);
            }
            // Git reads that file, and never through a link.
            if forbidden(entry.name_bytes()) || link && entry.name_bytes().eq_ignore_ascii_case(b".gitmodules") {
                return refused("it holds the path", prefix);
            }
            if !names.insert(entry.name_bytes().to_vec()) {
                return refused("it holds twice the path", prefix);
            }
            let mode = entry.filemode_raw();
            if mode & 0o170_000 == 0o040_000 {
                prefix.push(b'/');
                self.add(entry.id(), prefix, depth + 1)?;
            } else if let Some(kind) = Kind::of(mode) {
                self.entries.push(Entry { path: prefix.clone(), kind, id: entry.id() });
            } else {
                return refused(&format!("it holds an entry of unknown mode {mode:o}"), prefix);
            }
            prefix.truncate(at);
        }
        Ok(())
    }
}

/// Whether a name may not be a component of a path: it would leave the checkout or reach its repository, on the file systems that git
/// looks out for wherever it runs (`core.protectNTFS`). What git refuses, its index cannot hold.
fn forbidden(name: &[u8]) -> bool {
    let parts = || name.split(|byte| *byte == b'\\');
    name.is_empty() || name == b"." || name == b".." || name.contains(&b'/') || parts().any(is_git_folder)
}

/// Whether NTFS takes a name for `.git`: it minds neither case nor blanks and dots at the end nor a stream's name, and `git~1` is its
/// short name.
fn is_git_folder(name: &[u8]) -> bool {
    let name = name.split(|byte| *byte == b':').next().unwrap_or_default();
    let end = name.iter().rposition(|byte| !b" .".contains(byte)).map_or(0, |last| last + 1);
    [&b".git"[..], b"git~1"].iter().any(|git| name[..end].eq_ignore_ascii_case(git))
}

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

/// Folders in folders, at most.
pub(super) const DEEPEST: usize = 200;

/// All entries of the tree in the order of git's index (bytewise by path).
pub(super) fn entries(git: &git2::Repository, tree: Oid) -> Result<Vec<Entry>, Failure> {
    let mut listing = Listing { git, names: 0, entries: Vec::new() };
    listing.add(tree, &mut Vec::new(), 0)?;
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
            if forbidden(entry.name_bytes()) {
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

/// Whether a name may not be a component of a path: it would leave the checkout or reach its repository.
fn forbidden(name: &[u8]) -> bool {
    name.is_empty() || name == b"." || name == b".." || name.contains(&b'/') || name.eq_ignore_ascii_case(b".git")
}

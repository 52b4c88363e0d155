//! Which paths a commit changed. Owns the walk over trees that tells: only what differs is read, so that the commits of a whole range
//! take seconds (libgit2's own comparison reads both trees whole, and takes a hundred times as long on the kernel's).

use std::cmp::Ordering;

use git2::Odb;
use git2::Oid;
use kbisect_core::commit::CommitId;

use super::Error;
use super::Repository;
use super::repository::malformed;
use super::repository::to_oid;
use super::tree::DEEPEST;
use super::tree::Kind;

/// Paths that are listed of one commit at most; a root commit of the kernel's has 90,000.
const MOST_PATHS: usize = 200_000;

/// Folders that are looked into for one commit at most; the kernel has 6,000, and a few objects can make a tree of any size in which
/// there is no file.
const MOST_FOLDERS: usize = 200_000;

impl Repository {
    /// Paths that differ from the first parent, in git's order; of a root commit all paths. Bytes that are not UTF-8 are replaced.
    pub fn changed_files(&self, commit: &CommitId) -> Result<Vec<String>, Error> {
        let parents = self.parents(commit)?;
        self.changes(commit, &parents[..parents.len().min(1)], MOST_PATHS)
    }

    /// Paths that differ from every parent, in git's order, at most `most` of them: of a merge, only what it changed by itself.
    pub fn own_changes(&self, commit: &CommitId, most: usize) -> Result<Vec<String>, Error> {
        self.changes(commit, &self.parents(commit)?, most)
    }

    /// Paths at which two commits differ, in git's order.
    pub fn differing_files(&self, one: &CommitId, other: &CommitId) -> Result<Vec<String>, Error> {
        self.changes(other, &[*one], MOST_PATHS)
    }

    fn changes(&self, commit: &CommitId, from: &[CommitId], most: usize) -> Result<Vec<String>, Error> {
        let git = self.git();
        let tree = |id: &CommitId| {
            let found = git.find_commit(to_oid(id)).map(|commit| commit.tree_id());
            found.map_err(|error| self.read_error(&id.to_string(), error))
        };
        let old = from.iter().map(|parent| Ok(Some(tree(parent)?))).collect::<Result<Vec<_>, Error>>()?;
        let new = tree(commit)?;
        let odb = git.odb().map_err(|error| Error::git("open the object store", error))?;
        let mut walk = Walk { repository: self, commit, odb: &odb, path: Vec::new(), paths: Vec::new(), most, folders: 0 };
        walk.compare(&old, Some(new), 0)?;
        Ok(walk.paths)
    }
}

/// A comparison of trees under way.
struct Walk<'a> {
    repository: &'a Repository,
    commit: &'a CommitId,
    odb: &'a Odb<'a>,
    /// Where the walk is.
    path: Vec<u8>,
    paths: Vec<String>,
    most: usize,
    /// Folders that were looked into.
    folders: usize,
}

impl Walk<'_> {
    /// Adds the paths at which the new tree is like none of the old ones.
    fn compare(&mut self, old: &[Option<Oid>], new: Option<Oid>, depth: usize) -> Result<(), Error> {
        self.folders += 1;
        if old.contains(&new) || depth > DEEPEST || self.folders > MOST_FOLDERS {
            return Ok(());
        }
        let trees = old.iter().chain([&new]).map(|tree| self.read(*tree)).collect::<Result<Vec<_>, Error>>()?;
        let mut rest: Vec<&[u8]> = trees.iter().map(Vec::as_slice).collect();
        loop {
            let heads = rest.iter().map(|bytes| self.head(bytes)).collect::<Result<Vec<_>, Error>>()?;
            let Some(least) = heads.iter().flatten().map(|(entry, _)| *entry).min_by(|one, other| one.order(*other)) else {
                return Ok(());
            };
            let mut here = Vec::with_capacity(heads.len());
            for (head, bytes) in heads.into_iter().zip(&mut rest) {
                let taken = head.filter(|(entry, _)| entry.order(least) == Ordering::Equal);
                here.push(taken.map(|(entry, _)| entry.content()));
                *bytes = taken.map_or(*bytes, |(_, behind)| behind);
            }
            let new = here.pop().flatten();
            if here.contains(&new) {
                continue;
            }
            if self.paths.len() >= self.most {
                return Ok(());
            }
            let length = self.path.len();
            self.path.extend_from_slice(least.name);
            if least.is_folder() {
                self.path.push(b'/');
                let id = |content: Option<(Option<Kind>, Oid)>| content.map(|(_, id)| id);
                self.compare(&here.into_iter().map(id).collect::<Vec<_>>(), id(new), depth + 1)?;
            } else {
                self.paths.push(String::from_utf8_lossy(&self.path).into_owned());
            }
            self.path.truncate(length);
        }
    }

    /// The bytes of a tree; none where there is no tree.
    fn read(&self, tree: Option<Oid>) -> Result<Vec<u8>, Error> {
        let Some(id) = tree else { return Ok(Vec::new()) };
        let object = self.odb.read(id).map_err(|error| self.repository.read_error(&id.to_string(), error))?;
        Ok(object.data().to_owned())
    }

    fn head<'t>(&self, bytes: &'t [u8]) -> Result<Option<(Entry<'t>, &'t [u8])>, Error> {
        if bytes.is_empty() { Ok(None) } else { first(bytes).map(Some).ok_or_else(|| malformed(self.commit)) }
    }
}

/// An entry of a tree.
#[derive(Clone, Copy)]
struct Entry<'a> {
    mode: i32,
    name: &'a [u8],
    id: Oid,
}

impl Entry<'_> {
    fn is_folder(self) -> bool {
        self.mode & 0o170_000 == 0o040_000
    }

    /// Git's order within a tree, in which folders end with a slash.
    fn order(self, other: Self) -> Ordering {
        let key = |entry: Self| entry.name.iter().chain(entry.is_folder().then_some(&b'/'));
        key(self).cmp(key(other))
    }

    /// What two trees that have the same entry agree in. A folder is of no kind.
    fn content(self) -> (Option<Kind>, Oid) {
        (Kind::of(self.mode), self.id)
    }
}

/// Takes the first entry off a tree's bytes: `MODE NAME`, a zero byte and the 20 of an id; none where it is malformed.
fn first(bytes: &[u8]) -> Option<(Entry<'_>, &[u8])> {
    let blank = bytes.iter().position(|&byte| byte == b' ')?;
    let mode = i32::from_str_radix(std::str::from_utf8(&bytes[..blank]).ok()?, 8).ok()?;
    let rest = &bytes[blank + 1..];
    let end = rest.iter().position(|&byte| byte == 0)?;
    let (id, behind) = rest[end + 1..].split_at_checked(20)?;
    Some((Entry { mode, name: &rest[..end], id: Oid::from_bytes(id).ok()? }, behind))
}

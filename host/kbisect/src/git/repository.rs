//! The user's repository: opening it, and finding commits in it. Never writes.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::OnceLock;
use std::sync::PoisonError;

use git2::ErrorCode;
use git2::ObjectType;
use git2::Oid;
use kbisect_core::commit::CommitId;

use super::Error;
use super::commit;
use super::commit::Header;
use super::commit_graph::CommitGraph;
use super::soundness;
use super::soundness::object_stores;
use crate::policy::Signature;

/// A user's repository, opened to read.
pub struct Repository {
    git: Mutex<git2::Repository>,
    path: PathBuf,
    commit_graphs: OnceLock<Vec<CommitGraph>>,
}

pub(super) fn to_oid(id: &CommitId) -> Oid {
    Oid::from_bytes(id.as_bytes()).expect("an id has 20 bytes")
}

pub(super) fn to_id(oid: Oid) -> CommitId {
    CommitId::from_bytes(oid.as_bytes().try_into().expect("an object id has 20 bytes"))
}

impl Repository {
    /// Opens the repository at or above `path`: a work tree, a linked one, a bare repository or a folder inside.
    ///
    /// # Errors
    ///
    /// [`Error::NotARepository`], [`Error::ForeignOwner`] and [`Error::Unsupported`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        let git = soundness::open(path)?;
        let path = git.workdir().unwrap_or_else(|| git.path()).to_owned();
        Ok(Self { git: Mutex::new(git), path, commit_graphs: OnceLock::new() })
    }

    /// The work tree's root, or the repository itself where it is bare.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn git(&self) -> MutexGuard<'_, git2::Repository> {
        self.git.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether history ends where a clone was told to.
    pub fn is_shallow(&self) -> bool {
        self.git().is_shallow()
    }

    /// The repository once more; what is made in it stays in memory.
    pub(super) fn without_trace(&self) -> Result<git2::Repository, Error> {
        /// Before the stores on disk.
        const FIRST: i32 = 1000;
        let git = soundness::open(&self.path)?;
        let memory = git.odb().and_then(|odb| odb.add_new_mempack_backend(FIRST).map(drop));
        memory.map_err(|error| Error::git("make a store of objects in memory", error))?;
        Ok(git)
    }

    /// The commit that `name` means: hash, abbreviated hash, tag, branch, `HEAD~3` and other names of git's; the kernel's way to
    /// write a commit, `c50eb518e262 ("bpf: Use separate …")`; or a title.
    ///
    /// A title is looked for where no name fits and it has several words, in all that branches, tags and HEAD contain; so a
    /// commit that was rebased is found again by the kernel's way to write it.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownName`] (its hints say what to fetch), [`Error::Ambiguous`], [`Error::NotACommit`].
    pub fn resolve(&self, name: &str) -> Result<CommitId, Error> {
        let name = name.trim();
        let (hash, title) = split_citation(name);
        match self.resolve_name(hash) {
            Err(Error::UnknownName { .. }) => {}
            other => return other,
        }
        let title = title.or_else(|| name.contains(char::is_whitespace).then_some(name));
        if let Some(title) = title
            && let Some(commit) = self.find_by_title(title, &self.all_tips()?)?
        {
            return Ok(commit);
        }
        Err(self.unknown(name))
    }

    fn resolve_name(&self, name: &str) -> Result<CommitId, Error> {
        let git = self.git();
        let object = match git.revparse_single(name) {
            Ok(object) => object,
            Err(error) if error.code() == ErrorCode::Ambiguous => return Err(Error::Ambiguous { name: name.to_owned() }),
            Err(_) => return Err(Error::UnknownName { repo: self.path.clone(), name: name.to_owned(), similar: Vec::new() }),
        };
        match object.peel(ObjectType::Commit) {
            Ok(commit) => Ok(to_id(commit.id())),
            Err(_) => Err(Error::NotACommit { name: name.to_owned() }),
        }
    }

    fn unknown(&self, name: &str) -> Error {
        Error::UnknownName { repo: self.path.clone(), name: name.to_owned(), similar: self.similar_names(name) }
    }

    /// At most three names of branches and tags that look like `name`, best first.
    fn similar_names(&self, name: &str) -> Vec<String> {
        let git = self.git();
        let Ok(references) = git.references() else { return Vec::new() };
        let mut scored: Vec<(f64, String)> = references
            .flatten()
            .filter_map(|reference| Some(reference.shorthand().ok()?.to_owned()))
            .map(|known| (strsim::jaro_winkler(name, &known), known))
            .filter(|(score, _)| *score > 0.9)
            .collect();
        scored.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| other.1.cmp(&one.1)));
        scored.into_iter().take(3).map(|(_, known)| known).collect()
    }

    /// What HEAD, the branches, the remotes' branches and the tags point at.
    pub(super) fn all_tips(&self) -> Result<Vec<CommitId>, Error> {
        let git = self.git();
        let references = git.references().map_err(|error| Error::git("list references", error))?;
        let mut tips: Vec<CommitId> =
            references.flatten().filter_map(|reference| Some(to_id(reference.peel_to_commit().ok()?.id()))).collect();
        tips.extend(git.head().ok().and_then(|head| Some(to_id(head.peel_to_commit().ok()?.id()))));
        tips.sort_unstable();
        tips.dedup();
        Ok(tips)
    }

    /// The raw text of a commit object.
    pub(super) fn raw_commit(&self, commit: &CommitId) -> Result<Vec<u8>, Error> {
        let git = self.git();
        let odb = git.odb().map_err(|error| Error::git("open the object store", error))?;
        match odb.read(to_oid(commit)) {
            Ok(object) if object.kind() == ObjectType::Commit => Ok(object.data().to_owned()),
            Ok(_) => Err(Error::NotACommit { name: commit.to_string() }),
            Err(error) => Err(self.read_error(&commit.to_string(), error)),
        }
    }

    pub(super) fn read_error(&self, id: &str, error: git2::Error) -> Error {
        if error.code() == ErrorCode::NotFound {
            Error::MissingObject { repo: self.path.clone(), id: id.to_owned() }
        } else {
            Error::git(format!("read object {id}"), error)
        }
    }

    /// The whole commit message; bytes that are not UTF-8 are replaced.
    pub fn message(&self, commit: &CommitId) -> Result<String, Error> {
        Ok(commit::message(&self.raw_commit(commit)?))
    }

    /// The message's first paragraph on one line, as git's `%s`.
    pub fn subject(&self, commit: &CommitId) -> Result<String, Error> {
        Ok(commit::subject(&self.message(commit)?))
    }

    /// The author.
    pub fn author(&self, commit: &CommitId) -> Result<Signature, Error> {
        commit::author(&self.raw_commit(commit)?).ok_or_else(|| malformed(commit))
    }

    /// When it was written, in its author's time zone, as git prints dates: `Thu Oct 29 00:19:25 2020 -0700`.
    pub fn author_date(&self, commit: &CommitId) -> Result<String, Error> {
        commit::author_date(&self.raw_commit(commit)?).ok_or_else(|| malformed(commit))
    }

    /// Whether a file of the work tree is the user's own: neither tracked nor ignored. Files elsewhere are too.
    pub fn is_untracked(&self, path: &Path) -> bool {
        let git = self.git();
        let (Some(root), Ok(path)) = (git.workdir().and_then(|root| root.canonicalize().ok()), path.canonicalize()) else {
            return true;
        };
        let Ok(path) = path.strip_prefix(&root) else {
            return true;
        };
        let tracked = git.index().is_ok_and(|index| index.get_path(path, 0).is_some());
        !tracked && !git.is_path_ignored(path).unwrap_or(false)
    }

    /// The committer time, in seconds since the epoch.
    pub fn time(&self, commit: &CommitId) -> Result<i64, Error> {
        Ok(self.header(commit)?.time)
    }

    /// The parents, in git's order.
    pub fn parents(&self, commit: &CommitId) -> Result<Vec<CommitId>, Error> {
        Ok(self.header(commit)?.parents)
    }

    /// Parents and time of a commit, from git's commit-graph files where they hold it.
    pub(super) fn header(&self, commit: &CommitId) -> Result<Header, Error> {
        let graphs = self.commit_graphs.get_or_init(|| {
            object_stores(&self.git().commondir().join("objects")).iter().filter_map(|store| CommitGraph::read(store)).collect()
        });
        if let Some(header) = graphs.iter().find_map(|graph| graph.header(commit)) {
            return Ok(header);
        }
        commit::header(&self.raw_commit(commit)?).ok_or_else(|| malformed(commit))
    }
}

pub(super) fn malformed(commit: &CommitId) -> Error {
    Error::git(format!("read commit {commit}"), git2::Error::from_str("its header is malformed"))
}

/// Splits `[commit] HASH ("title")` into hash and title; anything else is all name.
fn split_citation(text: &str) -> (&str, Option<&str>) {
    let citation = text.strip_prefix("commit ").or_else(|| text.strip_prefix("Fixes: ")).unwrap_or(text).trim_start();
    if let Some((hash, rest)) = citation.split_once(" (\"")
        && let Some(title) = rest.strip_suffix("\")")
        && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        (hash, Some(title))
    } else {
        (text, None)
    }
}

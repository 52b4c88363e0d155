//! What plugins may ask of the repository: read-only and bounded.

use std::collections::HashMap;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use git2::ErrorCode;
use git2::ObjectType;
use git2::Oid;
use kbisect_core::commit::CommitId;

use super::Error;
use super::Repository;
use super::commit;
use super::history::Walk;
use super::repository::to_oid;
use crate::policy;
use crate::policy::FactError;
use crate::policy::Signature;
use crate::policy::Signer;

/// Largest file that plugins may read, in bytes.
const LARGEST_FILE: u64 = 4 << 20;

/// Commits that one `signers` question looks at, at most: more than a year of the kernel.
const MOST_COMMITS: usize = 100_000;

/// Paths in one `signers` question, at most.
const MOST_PATHS: usize = 256;

/// Answers plugins' questions from a repository.
pub struct Facts {
    repository: Arc<Repository>,
}

impl Facts {
    /// Facts about this repository.
    pub fn new(repository: Arc<Repository>) -> Self {
        Self { repository }
    }
}

impl From<Error> for FactError {
    fn from(error: Error) -> Self {
        match error {
            Error::MissingObject { id, .. } => Self::NotFound(id),
            Error::UnknownName { name, .. } | Error::NotACommit { name } => Self::NotFound(name),
            other => Self::Other(other.to_string()),
        }
    }
}

impl policy::Facts for Facts {
    fn changed_files(&self, commit: &CommitId) -> Result<Vec<String>, FactError> {
        Ok(self.repository.changed_files(commit)?)
    }

    fn message(&self, commit: &CommitId) -> Result<String, FactError> {
        Ok(self.repository.message(commit)?)
    }

    fn author(&self, commit: &CommitId) -> Result<Signature, FactError> {
        Ok(self.repository.author(commit)?)
    }

    fn parents(&self, commit: &CommitId) -> Result<Vec<CommitId>, FactError> {
        Ok(self.repository.parents(commit)?)
    }

    fn read_file(&self, commit: &CommitId, path: &str) -> Result<String, FactError> {
        self.repository.read_file(commit, path)
    }

    fn is_ancestor(&self, ancestor: &CommitId, descendant: &CommitId) -> Result<bool, FactError> {
        Ok(self.repository.is_ancestor(ancestor, descendant)?)
    }

    fn signers(&self, commit: &CommitId, paths: &[String], days: u32) -> Result<Vec<Signer>, FactError> {
        if paths.len() > MOST_PATHS {
            return Err(FactError::TooLarge(paths.len() as u64));
        }
        Ok(self.repository.signers(commit, paths, days)?)
    }
}

impl Repository {
    /// Whether `ancestor` is reachable from `descendant`; a commit is its own ancestor.
    ///
    /// # Errors
    ///
    /// [`Error::MissingObject`]; [`Error::Shallow`] where a shallow clone cannot tell.
    pub fn is_ancestor(&self, ancestor: &CommitId, descendant: &CommitId) -> Result<bool, Error> {
        for commit in [ancestor, descendant] {
            self.raw_commit(commit)?;
        }
        if ancestor == descendant {
            return Ok(true);
        }
        let reachable = self
            .git()
            .graph_descendant_of(to_oid(descendant), to_oid(ancestor))
            .map_err(|error| Error::git(format!("compare {descendant} with {ancestor}"), error))?;
        match self.shallow()?.into_iter().next() {
            Some(at) if !reachable => Err(Error::Shallow { repo: self.path().to_owned(), at }),
            _ => Ok(reachable),
        }
    }

    fn read_file(&self, commit: &CommitId, path: &str) -> Result<String, FactError> {
        self.raw_commit(commit)?;
        let git = self.git();
        let fail = |error: git2::Error| {
            if error.code() == ErrorCode::NotFound {
                FactError::NotFound(path.to_owned())
            } else {
                FactError::Other(error.message().to_owned())
            }
        };
        if path.is_empty() || path.contains('\0') {
            return Err(FactError::NotFound(path.to_owned()));
        }
        let tree = git.find_commit(to_oid(commit)).and_then(|commit| commit.tree()).map_err(fail)?;
        let entry = tree.get_path(Path::new(path)).map_err(fail)?;
        if entry.kind() != Some(ObjectType::Blob) || entry.filemode_raw() & 0o170_000 != 0o100_000 {
            return Err(FactError::Other(format!("{path} is not a regular file")));
        }
        let odb = git.odb().map_err(fail)?;
        let (size, _) = odb.read_header(entry.id()).map_err(fail)?;
        if size as u64 > LARGEST_FILE {
            return Err(FactError::TooLarge(size as u64));
        }
        let object = odb.read(entry.id()).map_err(fail)?;
        String::from_utf8(object.data().to_owned()).map_err(|_| FactError::Other(format!("{path} is not UTF-8")))
    }

    /// Who signed off commits that touch `paths` (files or folders; none: everything) and are at most `days` older than
    /// `commit`, itself included, most active first. Merges do not count; an address counts once a commit. The walk ends after
    /// 100,000 commits.
    pub fn signers(&self, commit: &CommitId, paths: &[String], days: u32) -> Result<Vec<Signer>, Error> {
        let oldest = self.time(commit)? - i64::from(days) * 24 * 3600;
        let mut walk = Walk::new(self, &[*commit])?;
        let mut signers: HashMap<String, Signer> = HashMap::new();
        let paths: Vec<&str> = paths.iter().map(|path| path.trim_end_matches('/')).collect();
        for _ in 0..MOST_COMMITS {
            let Some(visit) = walk.next(self)? else { break };
            if visit.time < oldest {
                break;
            }
            if visit.parents.len() > 1 || !self.touches(&visit.id, visit.parents.first(), &paths)? {
                continue;
            }
            let message = self.message(&visit.id)?;
            let mut counted = HashSet::new();
            for who in commit::signed_off_by(&message) {
                let key = who.email.to_lowercase();
                if counted.insert(key.clone()) {
                    signers.entry(key).or_insert(Signer { who, commits: 0 }).commits += 1;
                }
            }
        }
        let mut signers: Vec<Signer> = signers.into_values().collect();
        signers.sort_by(|one, other| other.commits.cmp(&one.commits).then_with(|| one.who.email.cmp(&other.who.email)));
        Ok(signers)
    }

    fn touches(&self, commit: &CommitId, parent: Option<&CommitId>, paths: &[&str]) -> Result<bool, Error> {
        let git = self.git();
        let root = |id: &CommitId| {
            git.find_commit(to_oid(id)).map(|commit| commit.tree_id()).map_err(|error| self.read_error(&id.to_string(), error))
        };
        let (old, new) = (parent.map(root).transpose()?, root(commit)?);
        if paths.is_empty() {
            return Ok(old != Some(new));
        }
        let fail = |error| Error::git(format!("compare {commit} with its parent"), error);
        paths.iter().try_fold(false, |found, path| Ok(found || differs(&git, old, Some(new), path).map_err(fail)?))
    }
}

/// Whether the path is not the same in two trees; folders that are equal are not looked into.
fn differs(git: &git2::Repository, old: Option<Oid>, new: Option<Oid>, path: &str) -> Result<bool, git2::Error> {
    if old == new {
        return Ok(false);
    }
    let (name, rest) = path.split_once('/').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let entry = |tree: Option<Oid>| -> Result<Option<(Oid, i32)>, git2::Error> {
        let Some(tree) = tree else { return Ok(None) };
        Ok(git.find_tree(tree)?.get_name(name).map(|entry| (entry.id(), entry.filemode_raw())))
    };
    let (old, new) = (entry(old)?, entry(new)?);
    let Some(rest) = rest else { return Ok(old != new) };
    let folder = |entry: Option<(Oid, i32)>| entry.filter(|(_, mode)| mode & 0o170_000 == 0o040_000).map(|(id, _)| id);
    differs(git, folder(old), folder(new), rest)
}

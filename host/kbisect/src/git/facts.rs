//! What plugins may ask of the repository: read-only and bounded.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use git2::ErrorCode;
use git2::ObjectType;
use kbisect_core::commit::CommitId;

use super::Error;
use super::Repository;
use super::repository::to_oid;
use crate::policy;
use crate::policy::FactError;
use crate::policy::Signature;
use crate::policy::Signer;

/// Largest file that plugins may read, in bytes.
const LARGEST_FILE: u64 = 4 << 20;

/// Bytes of one of them: what a system call takes.
const LONGEST_PATH: usize = 4096;

/// How long one `signers` question takes at most: a plugin's call has five seconds for all that it does.
const LONGEST: Duration = Duration::from_secs(2);

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
        if let Some(path) = paths.iter().find(|path| path.len() > LONGEST_PATH) {
            return Err(FactError::TooLarge(path.len() as u64));
        }
        Ok(self.repository.signers(commit, paths, days, Instant::now() + LONGEST)?)
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
}

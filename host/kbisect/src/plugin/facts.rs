//! What plugins may ask the host about: the repository and the bisection under way. Plain types; answers come from outside.

use std::collections::BTreeMap;
use std::sync::Arc;

use kbisect_core::commit::CommitId;
use kbisect_core::crash::Face;
use kbisect_core::policy::Past;
use kbisect_core::policy::Rates;

/// A name and an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
}

/// Somebody who signed commits, and how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// Who.
    pub who: Signature,
    /// How many commits.
    pub commits: u32,
}

/// Why a question about the repository has no answer; the cases are those of `git-error` in `wit/host.wit`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FactError {
    /// No such commit or file.
    #[error("{0} was not found")]
    NotFound(String),
    /// The file has this many bytes, more than may be read.
    #[error("{0} bytes are too many")]
    TooLarge(u64),
    /// Something else.
    #[error("{0}")]
    Other(String),
}

/// What plugins may ask of git: read-only and bounded. The git room implements it.
pub trait Facts: Send + Sync {
    /// Paths that differ from the first parent.
    fn changed_files(&self, commit: &CommitId) -> Result<Vec<String>, FactError>;
    /// The whole commit message.
    fn message(&self, commit: &CommitId) -> Result<String, FactError>;
    /// The author.
    fn author(&self, commit: &CommitId) -> Result<Signature, FactError>;
    /// The parents, in git's order.
    fn parents(&self, commit: &CommitId) -> Result<Vec<CommitId>, FactError>;
    /// UTF-8 text of a file, at most 4 MiB.
    fn read_file(&self, commit: &CommitId, path: &str) -> Result<String, FactError>;
    /// Whether `ancestor` is reachable from `descendant`.
    fn is_ancestor(&self, ancestor: &CommitId, descendant: &CommitId) -> Result<bool, FactError>;
    /// Who signed commits that touch `paths`, in the `days` before `commit`, most active first.
    fn signers(&self, commit: &CommitId, paths: &[String], days: u32) -> Result<Vec<Signer>, FactError>;
}

/// Outside a bisection: nothing is found.
#[derive(Debug, Clone, Copy)]
pub struct NoFacts;

impl Facts for NoFacts {
    fn changed_files(&self, commit: &CommitId) -> Result<Vec<String>, FactError> {
        Err(unknown(commit))
    }

    fn message(&self, commit: &CommitId) -> Result<String, FactError> {
        Err(unknown(commit))
    }

    fn author(&self, commit: &CommitId) -> Result<Signature, FactError> {
        Err(unknown(commit))
    }

    fn parents(&self, commit: &CommitId) -> Result<Vec<CommitId>, FactError> {
        Err(unknown(commit))
    }

    fn read_file(&self, commit: &CommitId, _path: &str) -> Result<String, FactError> {
        Err(unknown(commit))
    }

    fn is_ancestor(&self, ancestor: &CommitId, _descendant: &CommitId) -> Result<bool, FactError> {
        Err(unknown(ancestor))
    }

    fn signers(&self, commit: &CommitId, _paths: &[String], _days: u32) -> Result<Vec<Signer>, FactError> {
        Err(unknown(commit))
    }
}

fn unknown(commit: &CommitId) -> FactError {
    FactError::NotFound(commit.to_string())
}

/// The bisection under way, as plugins see it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BisectionState {
    /// The target's faces, most frequent first.
    pub faces: Vec<Face>,
    /// Per-trial rates; none until the start commit was tested.
    pub rates: Option<Rates>,
    /// Commits tested so far, oldest test first.
    pub history: Arc<Vec<Past>>,
    /// Open data by key; the keys are those of [`property`].
    pub properties: BTreeMap<String, String>,
}

/// Keys of [`BisectionState::properties`]; `wit/README.md` says what their values look like.
pub mod property {
    /// `cause` or `fix`.
    pub const KIND: &str = "kind";
    /// Where the crash was seen, as a full hexadecimal id.
    pub const START_COMMIT: &str = "start-commit";
    /// The newest commit known, as a full hexadecimal id: its MAINTAINERS file is the one that counts.
    pub const NEWEST_COMMIT: &str = "newest-commit";
    /// Chance of a wrong name that is put up with, as a decimal number.
    pub const DELTA: &str = "delta";
    /// The architecture of the kernels under test, as `uname -m` names it.
    pub const ARCH: &str = "arch";
    /// Number of commits between the ends of the range, as a decimal number.
    pub const RANGE_SIZE: &str = "range-size";
}

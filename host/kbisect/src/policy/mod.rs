//! Policies: chains and routes over plugins, and the traits through which the other rooms ask them.
//!
//! Owns which plugin answers what, and what happens when one fails; the calls themselves are `plugin`'s.

use kbisect_core::commit::CommitId;
use kbisect_core::crash::CrashReport;
use kbisect_core::policy::Failure;

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
    /// Who signed commits that touch `paths` in the `days` before `commit`, most active first.
    fn signers(&self, commit: &CommitId, paths: &[String], days: u32) -> Result<Vec<Signer>, FactError>;
}

/// How likely a crash is the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Relation {
    /// Chance of "same bug", were both equally likely beforehand.
    pub same: f64,
    /// Why, in one line.
    pub reason: String,
}

/// What a trial asks of the policies.
pub trait Watch: Send + Sync {
    /// Byte strings whose presence means "a crash may have started".
    fn markers(&self) -> Vec<Vec<u8>>;
    /// The crashes on a console of at most 1 MiB, in console order. Fails, as `infra`, only when the bundled plugin does: then
    /// nobody can say what the console shows, and the trial is void.
    fn classify(&self, console: &[u8]) -> Result<Vec<CrashReport>, Failure>;
    /// How likely `seen`, at commit `at`, is the target. Without a target yet, everything is (1). Fails as [`Self::classify`] does.
    fn relate(&self, seen: &CrashReport, at: &CommitId) -> Result<Relation, Failure>;
}

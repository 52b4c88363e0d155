//! What a plugin may ask of the host: the trait [`Host`], and [`Live`], the host itself.
//!
//! Hooks take `&impl Host`, so that tests may answer instead of the host ([`crate::fake`] does). A component imports only the
//! functions that it really calls: what it may do can be read off the finished file.

use crate::Face;
use crate::GitError;
use crate::Level;
use crate::Past;
use crate::Rates;
use crate::Signature;
use crate::Signer;
use crate::bindings::base::kbisect::plugin;

/// The host's side of a call. Every method answers as outside a bisection unless it is overridden, so a test double states
/// only what its test is about.
pub trait Host {
    /// Puts a message into the bisection's record; at most 64 KB a call, the rest is cut and marked.
    fn log(&self, level: Level, message: &str) {
        let _ = (level, message);
    }

    /// The plugin's settings as JSON text: always an object, `{}` when the job has none.
    fn settings(&self) -> String {
        "{}".to_owned()
    }

    /// The target's faces, most frequent first; none before the start commit was tested, unless the job states the target.
    fn faces(&self) -> Vec<Face> {
        Vec::new()
    }

    /// Per-trial rates; none until the start commit was tested.
    fn estimate(&self) -> Option<Rates> {
        None
    }

    /// Commits tested so far, oldest test first.
    fn history(&self) -> Vec<Past> {
        Vec::new()
    }

    /// Open data about the bisection; the keys are listed in `wit/README.md`.
    fn property(&self, key: &str) -> Option<String> {
        let _ = key;
        None
    }

    /// Paths that differ from the first parent.
    fn changed_files(&self, commit: &str) -> Result<Vec<String>, GitError> {
        Err(unknown(commit))
    }

    /// The whole commit message.
    fn message(&self, commit: &str) -> Result<String, GitError> {
        Err(unknown(commit))
    }

    /// The author.
    fn author(&self, commit: &str) -> Result<Signature, GitError> {
        Err(unknown(commit))
    }

    /// The parents, in git's order.
    fn parents(&self, commit: &str) -> Result<Vec<String>, GitError> {
        Err(unknown(commit))
    }

    /// UTF-8 text of a file, at most 4 MiB.
    fn read_file(&self, commit: &str, path: &str) -> Result<String, GitError> {
        let _ = path;
        Err(unknown(commit))
    }

    /// Whether `ancestor` can be reached from `descendant`.
    fn is_ancestor(&self, ancestor: &str, descendant: &str) -> Result<bool, GitError> {
        let _ = ancestor;
        Err(unknown(descendant))
    }

    /// Who signed commits that touch `paths`, in the `days` before `commit`, most active first.
    fn signers(&self, commit: &str, paths: &[String], days: u32) -> Result<Vec<Signer>, GitError> {
        let _ = (paths, days);
        Err(unknown(commit))
    }
}

fn unknown(commit: &str) -> GitError {
    GitError::NotFound(commit.to_owned())
}

/// The host that runs this component. Its methods work inside a component only: natively they panic.
#[derive(Debug, Clone, Copy)]
pub struct Live;

impl Host for Live {
    fn log(&self, level: Level, message: &str) {
        plugin::log::log(level, message);
    }

    fn settings(&self) -> String {
        plugin::settings::json()
    }

    fn faces(&self) -> Vec<Face> {
        plugin::bisection::faces()
    }

    fn estimate(&self) -> Option<Rates> {
        plugin::bisection::estimate()
    }

    fn history(&self) -> Vec<Past> {
        plugin::bisection::history()
    }

    fn property(&self, key: &str) -> Option<String> {
        plugin::bisection::property(key)
    }

    fn changed_files(&self, commit: &str) -> Result<Vec<String>, GitError> {
        plugin::git::changed_files(commit)
    }

    fn message(&self, commit: &str) -> Result<String, GitError> {
        plugin::git::message(commit)
    }

    fn author(&self, commit: &str) -> Result<Signature, GitError> {
        plugin::git::author(commit)
    }

    fn parents(&self, commit: &str) -> Result<Vec<String>, GitError> {
        plugin::git::parents(commit)
    }

    fn read_file(&self, commit: &str, path: &str) -> Result<String, GitError> {
        plugin::git::read_file(commit, path)
    }

    fn is_ancestor(&self, ancestor: &str, descendant: &str) -> Result<bool, GitError> {
        plugin::git::is_ancestor(ancestor, descendant)
    }

    fn signers(&self, commit: &str, paths: &[String], days: u32) -> Result<Vec<Signer>, GitError> {
        plugin::git::signers(commit, paths, days)
    }
}

/// Makes a panic's text reach the bisection's record, where the host shows it with the failed call. [`crate::export!`] calls
/// this at the start of every call.
#[doc(hidden)]
pub fn report_panics() {
    std::panic::set_hook(Box::new(|panic| Live.log(Level::Error, &panic.to_string())));
}

//! A host made of plain values, for native unit tests of plugins.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::Face;
use crate::GitError;
use crate::Host;
use crate::Level;
use crate::Past;
use crate::Rates;
use crate::Signature;
use crate::Signer;

/// Answers what its fields say. [`FakeHost::default`] is the host outside a bisection.
#[derive(Debug, Default)]
pub struct FakeHost {
    /// Settings as JSON text; an empty text stands for `{}`.
    pub settings: String,
    /// The target's faces.
    pub faces: Vec<Face>,
    /// Per-trial rates.
    pub estimate: Option<Rates>,
    /// Commits tested.
    pub history: Vec<Past>,
    /// Open data.
    pub properties: BTreeMap<String, String>,
    /// The repository, by commit id.
    pub commits: BTreeMap<String, FakeCommit>,
    /// The answer to every `signers` question.
    pub signers: Vec<Signer>,
    /// What the plugin logged.
    pub logged: RefCell<Vec<(Level, String)>>,
}

/// One commit of a [`FakeHost`].
#[derive(Debug, Clone, Default)]
pub struct FakeCommit {
    /// The whole message.
    pub message: String,
    /// Author's name.
    pub author_name: String,
    /// Author's address.
    pub author_email: String,
    /// Parents.
    pub parents: Vec<String>,
    /// Paths that differ from the first parent.
    pub changed_files: Vec<String>,
    /// Text of the files in its tree, by path.
    pub files: BTreeMap<String, String>,
}

impl FakeHost {
    fn commit(&self, commit: &str) -> Result<&FakeCommit, GitError> {
        self.commits.get(commit).ok_or_else(|| GitError::NotFound(commit.to_owned()))
    }
}

impl Host for FakeHost {
    fn log(&self, level: Level, message: &str) {
        self.logged.borrow_mut().push((level, message.to_owned()));
    }

    fn settings(&self) -> String {
        if self.settings.is_empty() { "{}".to_owned() } else { self.settings.clone() }
    }

    fn faces(&self) -> Vec<Face> {
        self.faces.clone()
    }

    fn estimate(&self) -> Option<Rates> {
        self.estimate
    }

    fn history(&self) -> Vec<Past> {
        self.history.clone()
    }

    fn property(&self, key: &str) -> Option<String> {
        self.properties.get(key).cloned()
    }

    fn changed_files(&self, commit: &str) -> Result<Vec<String>, GitError> {
        Ok(self.commit(commit)?.changed_files.clone())
    }

    fn message(&self, commit: &str) -> Result<String, GitError> {
        Ok(self.commit(commit)?.message.clone())
    }

    fn author(&self, commit: &str) -> Result<Signature, GitError> {
        let commit = self.commit(commit)?;
        Ok(Signature { name: commit.author_name.clone(), email: commit.author_email.clone() })
    }

    fn parents(&self, commit: &str) -> Result<Vec<String>, GitError> {
        Ok(self.commit(commit)?.parents.clone())
    }

    fn read_file(&self, commit: &str, path: &str) -> Result<String, GitError> {
        self.commit(commit)?.files.get(path).cloned().ok_or_else(|| GitError::NotFound(path.to_owned()))
    }

    fn is_ancestor(&self, ancestor: &str, descendant: &str) -> Result<bool, GitError> {
        self.commit(ancestor)?;
        let mut seen = BTreeSet::new();
        let mut open = vec![descendant];
        while let Some(commit) = open.pop() {
            if commit == ancestor {
                return Ok(true);
            }
            if seen.insert(commit) {
                open.extend(self.commit(commit)?.parents.iter().map(String::as_str));
            }
        }
        Ok(false)
    }

    fn signers(&self, commit: &str, _paths: &[String], _days: u32) -> Result<Vec<Signer>, GitError> {
        self.commit(commit)?;
        Ok(self.signers.clone())
    }
}

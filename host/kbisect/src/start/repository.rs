//! The user's clone for a new job: which one it is, and what its history says.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use kbisect_core::commit::CommitId;

use super::decide::History;
use super::decide::Subject;
use super::draft::Standing;
use crate::build::linux::version::Version;
use crate::error::Error;
use crate::git::Facts;
use crate::git::Repository;
use crate::policy::Facts as _;

/// Where clones of the kernel lie, seen from where people work.
const NEAR: [&str; 4] = [".", "linux", "../linux", "../../linux"];

/// Names that people give to the branch of linux-next that follows mainline.
const STABLE: [&str; 3] = ["next/stable", "linux-next/stable", "origin/stable"];

/// A clone that was found.
pub struct Found {
    /// Its work tree, or the repository where it is bare; absolute.
    pub path: PathBuf,
    /// Why it is this one.
    pub standing: (Standing, String),
    /// Its history.
    pub history: OfRepository,
}

/// The stated clone, or one that lies near and is Linux.
///
/// # Errors
/// The stated one cannot be read.
pub fn find(stated: Option<&Path>) -> Result<Option<Found>, Error> {
    let open = |path: &Path, standing: Standing, why: String| {
        let repository = Arc::new(Repository::open(path)?);
        // Git ends the paths of folders with a slash.
        let path = repository.path().components().collect::<PathBuf>();
        Ok::<_, crate::git::Error>(Found { path, standing: (standing, why), history: OfRepository { repository } })
    };
    if let Some(path) = stated {
        return Ok(Some(open(path, Standing::Found, "--repo".to_owned())?));
    }
    let near =
        NEAR.iter().filter_map(|path| open(Path::new(path), Standing::Guessed, format!("a clone of Linux at {path}")).ok());
    Ok(near.into_iter().find(|found| found.history.is_linux("HEAD")))
}

/// What a repository says.
pub struct OfRepository {
    repository: Arc<Repository>,
}

impl OfRepository {
    fn subject(&self, commit: CommitId) -> Option<Subject> {
        let title = self.repository.subject(&commit).ok()?;
        Some(Subject { short: commit.short(), title })
    }
}

impl History for OfRepository {
    fn find(&self, name: &str) -> Result<Subject, Vec<String>> {
        let commit = self.repository.resolve(name).map_err(|error| error.hints())?;
        self.subject(commit).ok_or_else(Vec::new)
    }

    fn parents(&self, name: &str) -> usize {
        let parents = self.repository.resolve(name).and_then(|commit| self.repository.parents(&commit));
        parents.map_or(0, |parents| parents.len())
    }

    fn is_linux(&self, name: &str) -> bool {
        let Ok(commit) = self.repository.resolve(name) else { return false };
        let makefile = Facts::new(Arc::clone(&self.repository)).read_file(&commit, "Makefile").unwrap_or_default();
        Version::of_makefile(&makefile).is_some()
    }

    fn next_base(&self, name: &str) -> Option<Subject> {
        let commit = self.repository.resolve(name).ok()?;
        let stable = STABLE.iter().find_map(|stable| self.repository.resolve(stable).ok())?;
        let base = self.repository.merge_bases(&commit, &stable).ok()?.into_iter().next()?;
        if base == commit { None } else { self.subject(base) }
    }
}

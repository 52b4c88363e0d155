//! How much there is: commits in a range, bytes in a checkout. Owns estimates that must be quick on large repositories.

use git2::ErrorCode;
use kbisect_core::commit::CommitId;

use super::Error;
use super::Repository;
use super::repository::to_id;
use super::repository::to_oid;

/// Bytes of an average file of the kernel, where a checkout is too large to be measured.
const AVERAGE_FILE: u64 = 16 << 10;

/// Files that are measured before the rest is estimated.
const MEASURED: usize = 20_000;

impl Repository {
    /// How many commits `include` contains that none of `exclude` does. Walks only these, and a few more.
    pub fn count(&self, include: &CommitId, exclude: &[CommitId]) -> Result<usize, Error> {
        let git = self.git();
        let failed = |error| Error::git("count commits", error);
        let mut walk = git.revwalk().map_err(failed)?;
        walk.push(to_oid(include)).map_err(failed)?;
        for commit in exclude {
            walk.hide(to_oid(commit)).map_err(failed)?;
        }
        let mut count = 0;
        for commit in walk {
            commit.map_err(failed)?;
            count += 1;
        }
        Ok(count)
    }

    /// The best common ancestors of two commits; empty where their histories have nothing in common.
    pub fn merge_bases(&self, one: &CommitId, other: &CommitId) -> Result<Vec<CommitId>, Error> {
        match self.git().merge_bases(to_oid(one), to_oid(other)) {
            Ok(bases) => Ok(bases.iter().map(|base| to_id(*base)).collect()),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(Vec::new()),
            Err(error) => Err(Error::git("find merge bases", error)),
        }
    }

    /// About how many bytes a checkout of a commit has.
    pub fn checkout_size(&self, commit: &CommitId) -> Result<u64, Error> {
        let git = self.git();
        let failed = |error| Error::git(format!("measure the checkout of {commit}"), error);
        let tree = git.find_commit(to_oid(commit)).and_then(|commit| commit.tree()).map_err(failed)?;
        let odb = git.odb().map_err(failed)?;
        let (mut files, mut bytes) = (0, 0);
        let walked = tree.walk(git2::TreeWalkMode::PreOrder, |_, entry| {
            if entry.kind() == Some(git2::ObjectType::Blob) {
                files += 1;
                let size = if files <= MEASURED { odb.read_header(entry.id()).ok().map(|header| header.0 as u64) } else { None };
                bytes += size.unwrap_or(AVERAGE_FILE);
            }
            git2::TreeWalkResult::Ok
        });
        walked.map_err(failed)?;
        Ok(bytes)
    }
}

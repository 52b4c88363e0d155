//! How much there is: commits in a range, bytes in a checkout. Owns estimates that must be quick on large repositories.

use git2::ErrorCode;
use kbisect_core::commit::CommitId;

use super::Error;
use super::Repository;
use super::repository::to_id;
use super::repository::to_oid;
use super::tree;
use super::tree::Kind;

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
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for a tree that is never checked out, [`Error::Git`].
    pub fn checkout_size(&self, commit: &CommitId) -> Result<u64, Error> {
        let git = self.git();
        let failed = |error| Error::git(format!("measure the checkout of {commit}"), error);
        let tree = git.find_commit(to_oid(commit)).map_err(failed)?.tree_id();
        let odb = git.odb().map_err(failed)?;
        let entries = tree::entries(&git, tree).map_err(|failure| match failure {
            tree::Failure::Refused(why) => Error::Refused { commit: *commit, why },
            tree::Failure::Git(_, error) => failed(error),
        })?;
        let files = entries.iter().filter(|entry| entry.kind != Kind::Submodule);
        let measured =
            files.clone().take(MEASURED).map(|entry| odb.read_header(entry.id).map_or(AVERAGE_FILE, |header| header.0 as u64));
        let others = files.count().saturating_sub(MEASURED) as u64 * AVERAGE_FILE;
        Ok(measured.sum::<u64>() + others)
    }
}

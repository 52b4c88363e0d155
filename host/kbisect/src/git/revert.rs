//! A commit without the changes of an older one, as `git revert` makes it. Owns the merge; writes into a checkout's own repository alone.

use kbisect_core::commit::CommitId;
use serde::Deserialize;
use serde::Serialize;

use super::Checkout;
use super::Error;
use super::made;
use super::repository::to_id;
use super::repository::to_oid;

/// What became of taking a commit back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reverted {
    /// This commit has everything but its changes.
    Made(CommitId),
    /// Later changes are in the way, in these files.
    Conflicts(Vec<String>),
}

impl Checkout {
    /// Makes the commit `at` without what `commit` changed; of a merge, without what it brought to its first parent. The new commit's
    /// only parent is `at`, and it is found by whoever borrows this checkout's objects.
    ///
    /// # Errors
    ///
    /// [`Error::MissingObject`], [`Error::Git`].
    pub fn revert(&self, commit: &CommitId, at: &CommitId) -> Result<Reverted, Error> {
        let git = self.repository();
        let failed = |error| Error::git(format!("take back {} at {}", commit.short(), at.short()), error);
        let find = |id: &CommitId| git.find_commit(to_oid(id)).map_err(|error| self.read_error(to_oid(id), error));
        let (culprit, base) = (find(commit)?, find(at)?);
        let mainline = u32::from(culprit.parent_count() > 1);
        let mut index = git.revert_commit(&culprit, &base, mainline, None).map_err(failed)?;
        let files = made::conflicting(&index).map_err(failed)?;
        if !files.is_empty() {
            return Ok(Reverted::Conflicts(files));
        }
        let tree = made::tree(git, &mut index).map_err(failed)?;
        let message = format!("Revert {commit}\n\nMade by kbisect to test {at} without it.\n");
        made::commit(git, &base, &tree, &message).map(|id| Reverted::Made(to_id(id))).map_err(failed)
    }
}

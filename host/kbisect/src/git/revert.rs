//! A commit without the changes of an older one, as `git revert` makes it. Owns the merge; writes into a checkout's own repository alone.

use git2::Index;
use git2::Signature;
use kbisect_core::commit::CommitId;
use serde::Deserialize;
use serde::Serialize;

use super::Checkout;
use super::Error;
use super::repository::to_id;
use super::repository::to_oid;

/// Who the made commits are by: equal reverts have equal ids.
const BY: (&str, &str) = ("kbisect", "kbisect@localhost");

/// What became of taking a commit back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reverted {
    /// This commit has everything but its changes.
    Made(CommitId),
    /// Later changes are in the way, in these files.
    Conflicts(Vec<String>),
}

/// The files of a merge that are in conflict, sorted.
pub(super) fn conflicting(index: &Index) -> Result<Vec<String>, git2::Error> {
    if !index.has_conflicts() {
        return Ok(Vec::new());
    }
    let mut files: Vec<String> = index
        .conflicts()?
        .flatten()
        .filter_map(|conflict| conflict.our.or(conflict.their).or(conflict.ancestor))
        .map(|entry| String::from_utf8_lossy(&entry.path).into_owned())
        .collect();
    files.sort();
    files.dedup();
    Ok(files)
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
        let files = conflicting(&index).map_err(failed)?;
        if !files.is_empty() {
            return Ok(Reverted::Conflicts(files));
        }
        let tree = index.write_tree_to(git).and_then(|tree| git.find_tree(tree)).map_err(failed)?;
        let by = Signature::new(BY.0, BY.1, &base.time()).map_err(failed)?;
        let message = format!("Revert {commit}\n\nMade by kbisect to test {at} without it.\n");
        git.commit(None, &by, &by, &message, &tree, &[&base]).map(|id| Reverted::Made(to_id(id))).map_err(failed)
    }
}

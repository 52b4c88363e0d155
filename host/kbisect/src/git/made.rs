//! Commits that a checkout's own repository gets so that they can be tested: what a merge came to, as a commit or as files in conflict.

use git2::Commit;
use git2::Index;
use git2::Oid;
use git2::Repository;
use git2::Signature;
use git2::Tree;

/// Who they are by: equal changes of equal commits have equal ids.
const BY: (&str, &str) = ("kbisect", "kbisect@localhost");

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

/// Writes a merge's files as a tree.
pub(super) fn tree<'r>(git: &'r Repository, index: &mut Index) -> Result<Tree<'r>, git2::Error> {
    git.find_tree(index.write_tree_to(git)?)
}

/// Writes the commit on top of `base` that has this tree.
pub(super) fn commit(git: &Repository, base: &Commit<'_>, tree: &Tree<'_>, message: &str) -> Result<Oid, git2::Error> {
    let by = Signature::new(BY.0, BY.1, &base.time())?;
    git.commit(None, &by, &by, message, tree, &[base])
}

use super::*;
use crate::git::Checkout;
use crate::git::Reverted;

/// What git itself makes of a revert, in a clone of its own: the tree, or the files in conflict.
fn by_git(sandbox: &Sandbox, commit: &CommitId, at: &CommitId, is_merge: bool) -> Result<String, Vec<String>> {
    let clone = sandbox.oracle(at);
    let mut git = git_command(&clone);
    git.args(["-c", "merge.conflictStyle=merge", "revert", "--no-commit"])
        .args(is_merge.then_some("-m1"))
        .arg(commit.to_string());
    let done = git.output().unwrap();
    let unmerged = git_in(&clone, &["diff", "--name-only", "--diff-filter=U"]);
    if unmerged.is_empty() {
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        return Ok(git_in(&clone, &["write-tree"]).trim().to_owned());
    }
    Err(unmerged.lines().map(str::to_owned).collect())
}

/// A history in which commits change lines of a few files, some of them twice, with a branch that is merged.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_a_merge();
    sandbox.commit("a", &lines(&[5, 15]).replace("line 5 changed", "line 5 changed again"), "the line again", 5);
    sandbox.git(&["mv", "b", "c"]);
    sandbox.commit("d", "last\n", "a file moves", 6);
    sandbox
}

#[test]
fn commits_are_taken_back_as_git_does() {
    let sandbox = sandbox();
    let checkout = Checkout::create(&sandbox.path(), &sandbox.beside("checkout")).unwrap();
    let at = sandbox.id("HEAD");
    let (mut made, mut conflicts) = (0, 0);
    for commit in sandbox.ids(&["rev-list", "HEAD~1", "--min-parents=1"]) {
        let with_parents = sandbox.git(&["rev-list", "--parents", "-n1", &commit.to_string()]);
        let is_merge = with_parents.split_whitespace().count() > 2;
        match (checkout.revert(&commit, &at).unwrap(), by_git(&sandbox, &commit, &at, is_merge)) {
            (Reverted::Made(reverted), Ok(tree)) => {
                assert_eq!(git_in(checkout.path(), &["rev-parse", &format!("{reverted}^{{tree}}")]).trim(), tree);
                assert_eq!(git_in(checkout.path(), &["rev-parse", &format!("{reverted}^")]).trim(), at.to_string());
                made += 1;
            }
            (Reverted::Conflicts(files), Err(unmerged)) => {
                // The old name of a file that has moved may be told, too.
                assert!(unmerged.iter().all(|file| files.contains(file)), "{commit}: {files:?} and {unmerged:?}");
                conflicts += 1;
            }
            (ours, gits) => panic!("{commit}: {ours:?}, git {gits:?}"),
        }
    }
    assert!(made >= 3 && conflicts >= 1, "{made} made, {conflicts} in conflict");
}

#[test]
fn a_revert_made_twice_is_one_commit_and_the_users_repository_has_none_of_it() {
    let sandbox = sandbox();
    let (commit, at) = (sandbox.id("HEAD~2^2"), sandbox.id("HEAD"));
    let make = |name: &str| {
        let checkout = Checkout::create(&sandbox.path(), &sandbox.beside(name)).unwrap();
        checkout.revert(&commit, &at).unwrap()
    };
    let first = make("one");
    assert_eq!(first, make("two"));
    let Reverted::Made(made) = first else { panic!("{first:?}") };
    let known = git_command(&sandbox.path()).args(["cat-file", "-e", &made.to_string()]).status().unwrap();
    assert!(!known.success());
    // Whoever borrows from the checkout has it.
    let mut borrower = Checkout::create(&sandbox.beside("one"), &sandbox.beside("three")).unwrap();
    borrower.switch(&made).unwrap();
    assert_eq!(borrower.commit(), Some(made));
}

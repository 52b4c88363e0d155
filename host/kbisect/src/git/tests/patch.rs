use super::*;
use crate::git::Change;
use crate::git::Checkout;
use crate::git::Error;
use crate::git::Patch;

/// A history in which lines of two files change, a file comes, goes and moves, and a branch is merged.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_a_merge();
    sandbox.commit("a", lines(&[5, 15]).trim_end(), "without a last line end", 5);
    sandbox.git(&["rm", "-q", "b"]);
    sandbox.commit("d", "last\n", "a file goes, another comes", 6);
    sandbox
}

/// What git itself makes of it, in a clone of its own: the tree. None where it does not fit.
fn by_git(sandbox: &Sandbox, at: &CommitId, words: &[&str]) -> Option<String> {
    let clone = sandbox.oracle(at);
    let done = git_command(&clone).args(words).output().unwrap();
    done.status.success().then(|| git_in(&clone, &["write-tree"]).trim().to_owned())
}

fn tree(checkout: &Checkout, commit: &CommitId) -> String {
    git_in(checkout.path(), &["rev-parse", &format!("{commit}^{{tree}}")]).trim().to_owned()
}

fn text(sandbox: &Sandbox, commit: &CommitId, words: &[&str]) -> Patch {
    let commit = commit.to_string();
    let words: Vec<&str> = words.iter().copied().chain([commit.as_str()]).collect();
    Patch::of_text("a.patch".to_owned(), &git_bytes(&sandbox.path(), &words)).unwrap()
}

#[test]
fn texts_apply_where_git_applies_them_and_are_there_where_git_takes_them_back() {
    let sandbox = sandbox();
    let checkout = Checkout::create(&sandbox.path(), &sandbox.beside("checkout")).unwrap();
    let file = sandbox.beside("a.patch").display().to_string();
    let (mut applied, mut there, mut refused) = (0, 0, 0);
    for of in sandbox.ids(&["rev-list", "HEAD", "--no-merges", "--min-parents=1"]) {
        for words in
            [&["format-patch", "--stdout", "-1"][..], &["show", "--format=", "--no-prefix", "--dst-prefix=b/", "--src-prefix=a/"]]
        {
            let patch = text(&sandbox, &of, words);
            let Change::Text(bytes) = &patch.change else { panic!("it is a text") };
            fs::write(&file, bytes).unwrap();
            for at in sandbox.ids(&["rev-list", "HEAD"]) {
                let forth = by_git(&sandbox, &at, &["apply", "--index", &file]);
                let back = by_git(&sandbox, &at, &["apply", "--index", "--reverse", &file]);
                match (checkout.patched(&at, std::slice::from_ref(&patch)), forth, back) {
                    (Ok(made), Some(tree), _) => {
                        assert_eq!(self::tree(&checkout, &made), tree, "{of} at {at}");
                        applied += 1;
                    }
                    (Ok(made), None, Some(_)) => {
                        assert_eq!(made, at, "{of} is in {at}");
                        there += 1;
                    }
                    (Err(Error::Unpatchable { files, .. }), None, None) => {
                        assert!(files.iter().all(|file| ["a", "b", "d"].contains(&file.as_str())), "{files:?}");
                        refused += 1;
                    }
                    (ours, forth, back) => panic!("{of} at {at}: {ours:?}, git {forth:?}, {back:?}"),
                }
            }
        }
    }
    assert!(applied >= 8 && there >= 8 && refused >= 4, "{applied} {there} {refused}");
}

#[test]
fn texts_without_gits_headings_are_patches_too() {
    let sandbox = Sandbox::new();
    let at = sandbox.commit("dir/a", "one\n-- two\n", "begin", 0);
    let checkout = Checkout::create(&sandbox.path(), &sandbox.beside("checkout")).unwrap();
    let plain = "Said in a mail.\n--- old/dir/a\t2020-01-01\n+++ new/dir/a\t2020-01-02\n@@ -1,2 +1,2 @@\n one\n--- two\n+++ three\n\
                 --- /dev/null\n+++ b/dir/b\n@@ -0,0 +1 @@\n+new\n";
    let patch = Patch::of_text("a.patch".to_owned(), plain.as_bytes()).unwrap();
    let made = checkout.patched(&at, &[patch]).unwrap();
    let show = |file: &str| git_in(checkout.path(), &["show", &format!("{made}:dir/{file}")]);
    assert_eq!((show("a").as_str(), show("b").as_str()), ("one\n++ three\n", "new\n"));
    for text in ["", "no patch", "diff --git a/x b/x\n", "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n"] {
        assert!(matches!(Patch::of_text("it".to_owned(), text.as_bytes()), Err(Error::NoPatch { .. })), "{text}");
    }
}

#[test]
fn commits_are_picked_as_git_picks_them_where_they_are_missing() {
    let sandbox = sandbox();
    let checkout = Checkout::create(&sandbox.path(), &sandbox.beside("checkout")).unwrap();
    let repository = sandbox.open();
    for of in sandbox.ids(&["rev-list", "HEAD", "--min-parents=1"]) {
        let pick = Patch { name: "it".to_owned(), change: Change::Commit(of), since: None, until: None };
        let merge = sandbox.git(&["rev-list", "--parents", "-n1", &of.to_string()]).split_whitespace().count() > 2;
        for at in sandbox.ids(&["rev-list", "HEAD"]) {
            let made = checkout.patched(&at, std::slice::from_ref(&pick));
            if repository.contains(&at, &of).unwrap() {
                assert_eq!(made.unwrap(), at);
                continue;
            }
            let hash = of.to_string();
            let mut words = vec!["cherry-pick", "--no-commit"];
            words.extend(merge.then_some("-m1"));
            words.push(&hash);
            match (made, by_git(&sandbox, &at, &words)) {
                (Ok(made), Some(tree)) => assert_eq!(self::tree(&checkout, &made), tree, "{of} at {at}"),
                (Err(Error::Unpatchable { .. }), None) => {}
                (ours, gits) => panic!("{of} at {at}: {ours:?}, git {gits:?}"),
            }
        }
    }
}

#[test]
fn patches_follow_one_another_and_leave_the_users_repository_alone() {
    let sandbox = sandbox();
    let checkout = Checkout::create(&sandbox.path(), &sandbox.beside("checkout")).unwrap();
    let at = sandbox.id("HEAD~6");
    let (one, other) = (sandbox.id("HEAD~2^"), sandbox.id("HEAD~1"));
    let patch = |of: CommitId| Patch { name: "it".to_owned(), change: Change::Commit(of), since: None, until: None };
    let all = [patch(one), text(&sandbox, &other, &["show", "--format="])];
    let made = checkout.patched(&at, &all).unwrap();
    assert_eq!(made, checkout.patched(&at, &all).unwrap(), "equal changes are one commit");
    assert_eq!(git_in(checkout.path(), &["rev-list", "--count", &format!("{at}..{made}")]).trim(), "2");
    assert!(!git_command(&sandbox.path()).args(["cat-file", "-e", &made.to_string()]).output().unwrap().status.success());
    // Only where they are wanted.
    let bounded = |since: Option<CommitId>, until: Option<CommitId>| [Patch { since, until, ..patch(one) }];
    assert_ne!(checkout.patched(&at, &bounded(Some(at), None)).unwrap(), at);
    assert_eq!(checkout.patched(&at, &bounded(Some(other), None)).unwrap(), at);
    assert_eq!(checkout.patched(&at, &bounded(None, Some(at))).unwrap(), at);
    assert_ne!(checkout.patched(&at, &bounded(None, Some(other))).unwrap(), at);
}

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

/// Lines are added to and taken from two files again and again, so that a patch's lines are elsewhere in most commits.
fn shifting(seed: u64) -> Sandbox {
    let mut dice = Dice(seed);
    let sandbox = Sandbox::new();
    let mut files = [(); 2].map(|()| (0..30).map(|line| format!("{}\n", line % 7)).collect::<Vec<_>>());
    for round in 0..16 {
        let place = dice.roll(2) as usize;
        for _ in 0..=dice.roll(2) {
            let lines = &mut files[place];
            let at = dice.roll(lines.len() as u64 + 1) as usize;
            match dice.roll(3) {
                0 => lines.insert(at, format!("new {}\n", dice.roll(3))),
                1 if at < lines.len() => drop(lines.remove(at)),
                _ => lines.splice(at..at, [0, 1, 2].map(|line| format!("{line}\n"))).for_each(drop),
            }
        }
        sandbox.commit(["a", "b"][place], &files[place].concat(), "change", round);
    }
    sandbox
}

#[test]
fn hunks_are_found_where_git_finds_them() {
    let (mut applied, mut refused) = (0, 0);
    for seed in 1..=6 {
        let sandbox = shifting(seed);
        let checkout = Checkout::create(&sandbox.path(), &sandbox.beside("checkout")).unwrap();
        let file = sandbox.beside("a.patch").display().to_string();
        for of in sandbox.ids(&["rev-list", "HEAD", "--min-parents=1", "--max-count=8"]) {
            // Two commits' changes have several hunks.
            for words in [
                &["diff", "-U1", &format!("{of}^"), &of.to_string()][..],
                &["diff", &format!("{of}^"), &sandbox.id("HEAD").to_string()],
            ] {
                fs::write(&file, git_bytes(&sandbox.path(), words)).unwrap();
                let Ok(patch) = Patch::of_text("a.patch".to_owned(), &fs::read(&file).unwrap()) else { continue };
                for at in sandbox.ids(&["rev-list", "HEAD"]).into_iter().step_by(3) {
                    let forth = by_git(&sandbox, &at, &["apply", "--index", &file]);
                    let back = by_git(&sandbox, &at, &["apply", "--index", "--reverse", &file]);
                    match (checkout.patched(&at, std::slice::from_ref(&patch)), forth, back) {
                        (Ok(made), Some(tree), _) => {
                            assert_eq!(self::tree(&checkout, &made), tree, "{seed}: {words:?} at {at}");
                            applied += 1;
                        }
                        (Ok(made), None, Some(_)) => assert_eq!(made, at),
                        (Err(Error::Unpatchable { .. }), None, None) => refused += 1,
                        (ours, forth, back) => panic!("{seed}: {words:?} at {at}: {ours:?}, git {forth:?}, {back:?}"),
                    }
                }
            }
        }
    }
    assert!(applied > 50 && refused > 20, "{applied} {refused}");
}

#[test]
fn a_series_a_move_and_other_bytes_are_there_where_git_takes_them_back() {
    let sandbox = Sandbox::new();
    let begin = sandbox.commit("f", &lines(&[]), "begin", 0);
    let top = sandbox.commit("f", &format!("new\nnewer\nnewest\n{}", lines(&[])), "three lines on top", 1);
    let below = sandbox.commit("f", &format!("new\nnewer\nnewest\n{}", lines(&[20])), "a line below", 2);
    sandbox.git(&["mv", "f", "g"]);
    fs::write(sandbox.path().join("g"), format!("new\nnewer\nnewest\n{}", lines(&[20, 25]))).unwrap();
    let moved = sandbox.commit("h", "x\n", "a move and a change", 3);
    sandbox.git(&["update-index", "--chmod=+x", "h"]);
    fs::write(sandbox.path().join("h"), b"caf\xe9\ny\n").unwrap();
    let latin = sandbox.commit("other", "o", "Latin-1", 4);
    sandbox.git(&["update-index", "--chmod=+x", "h"]);
    fs::write(sandbox.path().join("h"), b"caf\xe9\nz\n").unwrap();
    let again = sandbox.commit("other", "p", "with Latin-1 around it, and a mode", 5);
    let checkout = Checkout::create(&sandbox.path(), &sandbox.beside("checkout")).unwrap();
    // One patch after the other; git takes a file that holds a series for one patch, and loses what was moved.
    let by_git = |at: &CommitId, files: &[String], back: bool| -> Option<String> {
        let clone = sandbox.oracle(at);
        let apply = |file: &String| {
            let words: &[&str] = if back { &["apply", "--index", "--reverse", file] } else { &["apply", "--index", file] };
            git_command(&clone).args(words).output().unwrap().status.success()
        };
        let done = if back { files.iter().rev().all(apply) } else { files.iter().all(apply) };
        done.then(|| git_in(&clone, &["write-tree"]).trim().to_owned())
    };
    let (mut applied, mut there) = (0, 0);
    let ranges = [(begin, below), (begin, moved), (top, again), (below, moved), (moved, latin), (latin, again)];
    for (from, to) in ranges {
        let series = git_bytes(&sandbox.path(), &["format-patch", "--stdout", "-M", &format!("{from}..{to}")]);
        let folder = sandbox.beside(&format!("{}-{}", from.short(), to.short()));
        let listed = sandbox.git(&["format-patch", "-M", "-o", &folder.display().to_string(), &format!("{from}..{to}")]);
        let files: Vec<String> = listed.lines().map(ToOwned::to_owned).collect();
        let patch = Patch::of_text("series".to_owned(), &series).unwrap();
        for at in [begin, top, below, moved, latin, again] {
            let (forth, back) = (by_git(&at, &files, false), by_git(&at, &files, true));
            match (checkout.patched(&at, std::slice::from_ref(&patch)), forth, back) {
                (Ok(made), Some(tree), _) => {
                    assert_eq!(self::tree(&checkout, &made), tree, "{from}..{to} at {at}");
                    applied += 1;
                }
                (Ok(made), None, Some(_)) => {
                    assert_eq!(made, at);
                    there += 1;
                }
                (Err(Error::Unpatchable { .. }), None, None) => {}
                (ours, forth, back) => panic!("{from}..{to} at {at}: {ours:?}, git {forth:?}, {back:?}"),
            }
        }
    }
    assert!(applied >= 5 && there >= 5, "{applied} {there}");
}

#[test]
fn seeing_whether_a_patch_fits_makes_nothing() {
    let sandbox = sandbox();
    let other = sandbox.id("HEAD~1");
    let pick = Patch { name: "it".to_owned(), change: Change::Commit(other), since: None, until: None };
    let patches = [text(&sandbox, &other, &["show", "--format="]), pick];
    let repository = sandbox.open();
    let before = contents(&sandbox.path());
    for at in sandbox.ids(&["rev-list", "HEAD"]) {
        for patch in &patches {
            let _ = repository.takes(&at, patch);
        }
    }
    assert_eq!(contents(&sandbox.path()), before);
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

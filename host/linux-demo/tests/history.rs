//! Histories on top of small trees that have the places of all changes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use git2::Repository;
use linux_demo::Error;
use linux_demo::Options;
use linux_demo::Planted;
use tempfile::TempDir;

/// A tree with just the lines that the changes in `history/` look for, and some that they must not touch.
fn tree(dir: &Path) -> PathBuf {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    files.insert(
        "Makefile".to_owned(),
        "VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 7\nEXTRAVERSION =\nNAME = Fixture\n\nall:\n".to_owned(),
    );
    for name in ["Documentation/index.rst", "arch/arm/kernel/setup.c", "arch/x86/kernel/setup.c", "drivers/gpu/Kconfig"] {
        files.insert(name.to_owned(), format!("{name}\n"));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("history");
    for entry in fs::read_dir(folder).expect("the series") {
        let path = entry.expect("a series").path();
        if path.extension().is_none_or(|end| end != "txt") {
            continue;
        }
        let (mut file, mut in_hunk, mut mends) = (None, false, false);
        for line in fs::read_to_string(path).expect("text").lines() {
            if let Some(id) = line.strip_prefix("== ") {
                (file, in_hunk, mends) = (None, false, id == "mend");
            } else if let Some(path) = line.strip_prefix("--- ") {
                file = Some(path.to_owned());
            } else if let (Some(path), false) = (&file, mends) {
                let text = files.entry(path.clone()).or_default();
                in_hunk |= line == "@@";
                match line.split_at_checked(1) {
                    _ if line == "@@" => text.push_str("/* between the places */\n"),
                    Some((" " | "-", old)) if in_hunk => *text += &format!("{old}\n"),
                    _ => {}
                }
            }
        }
    }
    let root = dir.join("linux");
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    root
}

fn write(tree: &Path, dir: &Path, name: &str, seed: u64, commits: usize) -> Result<Planted, Error> {
    linux_demo::write(tree, &dir.join(name), &Options { seed, commits, wide: false, cache: dir.join("cache") })
}

fn git(dir: &Path, args: &[&str]) -> String {
    let output = Command::new("git").arg("-C").arg(dir).args(args).output().expect("git");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn a_history_holds_what_it_says() {
    let dir = TempDir::new().expect("a folder");
    let tree = tree(dir.path());
    for seed in 1..6 {
        let name = format!("seed-{seed}");
        let planted = write(&tree, dir.path(), &name, seed, 60).expect("it is written");
        let repo = dir.path().join(name);
        assert_eq!(planted.left_out, Vec::<String>::new());
        assert_eq!(git(&repo, &["rev-list", "--count", "master"]), planted.commits.len().to_string());
        assert!(git(&repo, &["rev-list", "--merges", "--count", "master"]).parse::<u32>().expect("a number") >= 2);
        assert_eq!(git(&repo, &["tag"]), "v6.1\nv6.2");
        assert_eq!(git(&repo, &["rev-parse", "v6.1^{commit}"]), planted.commits[0]);
        assert_eq!(git(&repo, &["log", "-1", "--format=%s", &planted.culprit]), planted.culprit_subject);
        assert_eq!(git(&repo, &["show", "v6.2:Makefile"]).lines().take(3).last(), Some("SUBLEVEL = 0"));
        assert!(git(&repo, &["show", "v6.2:Makefile"]).contains("PATCHLEVEL = 2"));
        // The lines of the culprit are there from the culprit on, and nowhere else.
        for (commit, there) in
            planted.parents.iter().map(|parent| (parent, false)).chain([(&planted.start, true), (&planted.culprit, true)])
        {
            let text = git(&repo, &["show", &format!("{commit}:fs/proc/fd.c")]);
            assert_eq!((text.contains("pos = file->f_pos;"), text.contains("get_file(file);")), (there, !there));
        }
        // Every commit but merges and releases says what it changes and changes it.
        for commit in git(&repo, &["rev-list", "--no-merges", "v6.1..master"]).lines() {
            assert_ne!(git(&repo, &["diff-tree", "-r", "--name-only", "--no-commit-id", commit]), "", "{commit}");
        }
        for merge in git(&repo, &["rev-list", "--merges", "master"]).lines() {
            assert!(!git(&repo, &["diff", "--name-only", &format!("{merge}^1"), merge]).is_empty());
            assert!(!git(&repo, &["diff", "--name-only", &format!("{merge}^2"), merge]).is_empty());
        }
        assert_eq!(git(&repo, &["fsck", "--strict", "--no-dangling"]), "");
        assert_eq!(git(&repo, &["ls-tree", "-r", "--name-only", "master", "arch", "Documentation"]), "arch/x86/kernel/setup.c");
    }
}

#[test]
fn a_wide_history_changes_the_widest_header_at_every_step() {
    let dir = TempDir::new().expect("a folder");
    let tree = tree(dir.path());
    let header = "include/linux/list.h";
    let list = "static inline void INIT_LIST_HEAD(struct list_head *list)\n";
    fs::create_dir_all(tree.join("include/linux")).expect("a folder");
    fs::write(tree.join(header), list).expect("a file");
    let repo = dir.path().join("wide");
    let planted = linux_demo::write(&tree, &repo, &Options { seed: 1, commits: 40, wide: true, cache: dir.path().join("cache") })
        .expect("it is written");
    let changing = git(&repo, &["log", "--no-merges", "--format=%H", "--", header]).lines().count();
    // All but the releases and what is planted.
    let all = git(&repo, &["rev-list", "--no-merges", "--count", "master"]).parse::<usize>().expect("a number");
    assert_eq!(changing, all - 7, "of {all}");
    let text = git(&repo, &["show", &format!("{}:{header}", planted.start)]);
    assert_eq!(text.matches("struct list_user_").count(), changing - 1, "{text}");
    assert!(text.contains(list.trim()));
}

#[test]
fn equal_options_give_equal_hashes_whether_the_cache_is_warm_or_the_tree_an_archive() {
    let dir = TempDir::new().expect("a folder");
    let tree = tree(dir.path());
    let archive = dir.path().join("linux.tar.gz");
    let status = Command::new("tar").arg("-czf").arg(&archive).arg("-C").arg(dir.path()).arg("linux").status();
    assert!(status.expect("tar").success());
    let first = write(&tree, dir.path(), "first", 3, 30).expect("it is written");
    let entries = || fs::read_dir(dir.path().join("cache/linux-demo")).expect("a cache").count();
    assert_eq!(entries(), 1);
    assert_eq!(write(&tree, dir.path(), "again", 3, 30).expect("it is written"), first);
    assert_eq!(entries(), 1);
    assert_eq!(write(&archive, dir.path(), "archive", 3, 30).expect("it is written"), first);
    assert_eq!(entries(), 2);
    assert_ne!(write(&tree, dir.path(), "other", 4, 30).expect("it is written").start, first.start);
    // A file that changes makes another tree of it.
    fs::write(tree.join("kernel/added.c"), "int added;\n").expect("a file");
    assert_ne!(write(&tree, dir.path(), "changed", 3, 30).expect("it is written").start, first.start);
    assert_eq!(entries(), 3);
}

#[test]
fn a_history_stands_alone() {
    let dir = TempDir::new().expect("a folder");
    let planted = write(&tree(dir.path()), dir.path(), "repo", 1, 20).expect("it is written");
    fs::remove_dir_all(dir.path().join("cache")).expect("the cache");
    let repo = Repository::open(dir.path().join("repo")).expect("a repository");
    let commit = repo.find_commit(planted.start.parse().expect("a hash")).expect("the commit");
    let tree = commit.tree().expect("its tree");
    assert!(repo.find_blob(tree.get_path(Path::new("fs/pipe.c")).expect("a file").id()).is_ok());
}

#[test]
fn trees_that_will_not_do_are_named() {
    let dir = TempDir::new().expect("a folder");
    let tree = tree(dir.path());
    let said =
        |name: &str, tree: &Path, commits| write(tree, dir.path(), name, 1, commits).expect_err("it cannot be").to_string();
    assert_eq!(said("few", &tree, 3), "the number of commits must be from 20 to 90, not 3");
    assert!(said("none", &dir.path().join("none"), 30).ends_with("none: No such file or directory (os error 2)"));
    let no_archive = dir.path().join("text.tar");
    fs::write(&no_archive, "no archive").expect("a file");
    assert!(said("archive", &no_archive, 30).contains("text.tar: tar cannot unpack it: "));
    let change = |path: &str, from: &str, to: &str| {
        let path = tree.join(path);
        let text = fs::read_to_string(&path).expect("a file");
        assert!(text.contains(from));
        fs::write(path, text.replace(from, to)).expect("a file");
    };
    change("fs/async.c".replace("fs", "kernel").as_str(), "MAX_WORK", "MOST_WORK");
    let planted = write(&tree, dir.path(), "async", 1, 30).expect("one change less does not matter");
    assert_eq!(planted.left_out, ["async: halve the number of queued calls"]);
    change("fs/proc/fd.c", "get_file(file);", "file_get(file);");
    let said_of_place = said("place", &tree, 30);
    assert!(said_of_place.contains("fs/proc/fd.c has no place for \"proc: show in fdinfo"), "{said_of_place}");
    change("Makefile", "VERSION = 6", "VERSION = 5");
    assert!(said("old", &tree, 30).ends_with("linux: is no Linux 6.1 or later"));
    fs::write(tree.join("Makefile"), "all:\n").expect("a file");
    assert!(said("other", &tree, 30).ends_with("linux: is no Linux 6.1 or later"));
}

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::git::Checkout;
use crate::git::Error;

/// A clone of git's own that shows what a checkout must look like.
struct Oracle {
    path: PathBuf,
}

impl Oracle {
    fn new(sandbox: &Sandbox) -> Self {
        let path = sandbox.beside("oracle");
        git_in(sandbox.folder.path(), &["clone", "-q", "--shared", "--no-checkout", "repo", "oracle"]);
        // As a checkout: bytes as they are in the commit.
        fs::write(path.join(".git/info/attributes"), "* -text !eol -ident -filter -working-tree-encoding\n").unwrap();
        Self { path }
    }

    fn tree(&self, commit: &CommitId) -> BTreeMap<PathBuf, String> {
        git_in(&self.path, &["checkout", "-q", "-f", "--detach", &commit.to_string()]);
        git_in(&self.path, &["clean", "-q", "-ffdx"]);
        tree_on_disk(&self.path)
    }

    /// Checks that every tracked file of the commit is on disk as it must be, and that git sees no change.
    fn check_tracked(&self, checkout: &Checkout, commit: &CommitId, context: &str) {
        let disk = tree_on_disk(checkout.path());
        for (path, line) in self.tree(commit) {
            assert_eq!(disk.get(&path), Some(&line), "{context}: {}", path.display());
        }
        assert_eq!(checkout.commit(), Some(*commit), "{context}");
        assert_eq!(git_in(checkout.path(), &["rev-parse", "HEAD"]).trim(), commit.to_string(), "{context}");
        let status = git_in(checkout.path(), &["status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all"]);
        assert_eq!(status, "", "{context}");
    }
}

/// Does to a checkout what builds, tests and their authors do. What write-protected folders forbid is not done.
fn disturb(dice: &mut Dice, checkout: &Path, outside: &Path) -> std::io::Result<()> {
    let nested = |path: &PathBuf| path.components().any(|part| part.as_os_str() == ".git");
    let mut paths: Vec<PathBuf> = tree_on_disk(checkout).into_keys().filter(|path| !nested(path)).collect();
    paths.push(PathBuf::from("a"));
    let path = checkout.join(dice.pick(&paths));
    let is_file = fs::symlink_metadata(&path).is_ok_and(|found| found.is_file());
    match dice.roll(10) {
        0 if is_file => fs::write(&path, format!("changed {}", dice.roll(5)))?,
        1 if is_file => fs::set_permissions(&path, PermissionsExt::from_mode(*dice.pick(&[0o755, 0o644, 0o444])))?,
        // The same bytes in a new file: nothing to do but to record it.
        2 if is_file => {
            let bytes = fs::read(&path)?;
            fs::remove_file(&path)?;
            fs::write(&path, bytes)?;
        }
        3 | 4 => {
            remove(&path)?;
            match dice.roll(4) {
                0 => std::os::unix::fs::symlink(outside, &path)?,
                1 => std::os::unix::fs::symlink("dangling", &path)?,
                2 => fs::create_dir_all(path.join("b/deep"))?,
                _ => {}
            }
        }
        5 => {
            remove(&path)?;
            fs::create_dir(&path)?;
            git_in(&path, &["init", "-q"]);
            fs::write(path.join("b"), "of another repository")?;
        }
        6 => fs::write(checkout.join(dice.pick(&["a.o", "x", "d"])), "product")?,
        7 => _ = git_command(checkout).args(["add", "-A", "--ignore-errors"]).output()?,
        8 => _ = git_command(checkout).args(["checkout", "-q", "-f", "HEAD~1"]).output()?,
        _ => {
            let folder = checkout.join(dice.pick(&["out", "x", "a"]));
            if !folder.is_symlink() {
                fs::create_dir_all(&folder)?;
                fs::write(folder.join("built.o"), "product")?;
                fs::set_permissions(&folder, PermissionsExt::from_mode(0o555))?;
            }
        }
    }
    Ok(())
}

fn remove(path: &Path) -> std::io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(_) => Ok(()),
    }
}

#[test]
fn checkouts_are_gits_whatever_happened_to_them() {
    for seed in 60..64 {
        let sandbox = Sandbox::import(random_history(seed, 40).as_bytes());
        let outside = sandbox.beside("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("b"), "not ours").unwrap();
        fs::write(outside.join("z"), "not ours").unwrap();
        let oracle = Oracle::new(&sandbox);
        let ids = sandbox.ids(&["rev-list", "--all"]);
        let (before, outside_before) = (contents(&sandbox.path()), listing(&outside));
        let mut dice = Dice(seed);
        let mut checkout = Checkout::create(&sandbox.path(), &sandbox.beside("slot")).unwrap();
        for step in 0..40 {
            let context = format!("seed {seed}, step {step}");
            let mut commit = *dice.pick(&ids);
            match dice.roll(4) {
                0 if checkout.commit().is_some() => {
                    commit = checkout.commit().unwrap();
                    checkout.reset_tracked().unwrap();
                }
                1 if checkout.commit().is_some() => {
                    commit = checkout.commit().unwrap();
                    checkout.clean().unwrap();
                    assert_eq!(tree_on_disk(checkout.path()), oracle.tree(&commit), "{context}");
                }
                2 => {
                    checkout = Checkout::create(&sandbox.path(), &sandbox.beside("slot")).unwrap();
                    checkout.switch(&commit).unwrap();
                }
                _ => checkout.switch(&commit).unwrap(),
            }
            oracle.check_tracked(&checkout, &commit, &context);
            for _ in 0..dice.roll(5) {
                let _ = disturb(&mut dice, checkout.path(), &outside);
            }
        }
        assert_eq!(contents(&sandbox.path()), before, "seed {seed}: the user's repository");
        assert_eq!(listing(&outside), outside_before, "seed {seed}: a folder outside");
    }
}

#[test]
fn switching_there_and_back_leaves_no_file_of_another_commit() {
    let sandbox = Sandbox::import(random_history(70, 40).as_bytes());
    let oracle = Oracle::new(&sandbox);
    let ids = sandbox.ids(&["rev-list", "--all"]);
    let mut checkout = Checkout::create(&sandbox.path(), &sandbox.beside("slot")).unwrap();
    let mut dice = Dice(70);
    for _ in 0..60 {
        let commit = *dice.pick(&ids);
        checkout.switch(&commit).unwrap();
        assert_eq!(tree_on_disk(checkout.path()), oracle.tree(&commit));
    }
}

#[test]
fn what_does_not_differ_is_not_touched() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path().join("lib")).unwrap();
    fs::write(sandbox.path().join("lib/same.c"), "same").unwrap();
    let one = sandbox.commit("changes.c", "1", "one", 0);
    let two = sandbox.commit("changes.c", "2", "two", 1);
    let mut checkout = Checkout::create(&sandbox.path(), &sandbox.beside("slot")).unwrap();
    checkout.switch(&one).unwrap();
    fs::write(checkout.path().join("lib/same.o"), "product").unwrap();
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(EPOCH as u64);
    // As if checked out and built long ago; the file was touched, so its record no longer fits, but its content does.
    for name in ["lib/same.c", "changes.c"] {
        fs::File::options().write(true).open(checkout.path().join(name)).unwrap().set_modified(old).unwrap();
    }
    let before = tree_on_disk(checkout.path());
    let time = |name: &str| fs::metadata(checkout.path().join(name)).unwrap().modified().unwrap();
    let mut other = Checkout::create(&sandbox.path(), checkout.path()).unwrap();
    for commit in [two, one, one] {
        other.switch(&commit).unwrap();
        other.reset_tracked().unwrap();
        assert_eq!(time("lib/same.c"), old);
        assert_ne!(time("changes.c"), old);
    }
    assert_eq!(tree_on_disk(checkout.path()), before, "build products stay");
    other.clean().unwrap();
    assert_eq!(time("lib/same.c"), old);
    assert!(!checkout.path().join("lib/same.o").exists());
}

#[test]
fn same_size_changes_within_a_clock_tick_are_seen() {
    let sandbox = Sandbox::new();
    let one = sandbox.commit("f", "one", "one", 0);
    let mut checkout = Checkout::create(&sandbox.path(), &sandbox.beside("slot")).unwrap();
    for _ in 0..50 {
        checkout.switch(&one).unwrap();
        fs::write(checkout.path().join("f"), "bad").unwrap();
        checkout.reset_tracked().unwrap();
        assert_eq!(fs::read_to_string(checkout.path().join("f")).unwrap(), "one");
    }
}

#[test]
fn hard_links_of_builds_keep_their_content() {
    let sandbox = Sandbox::new();
    let one = sandbox.commit("f", "one", "one", 0);
    let two = sandbox.commit("f", "two", "two", 1);
    let mut checkout = Checkout::create(&sandbox.path(), &sandbox.beside("slot")).unwrap();
    checkout.switch(&one).unwrap();
    fs::hard_link(checkout.path().join("f"), sandbox.beside("installed")).unwrap();
    checkout.switch(&two).unwrap();
    assert_eq!(fs::read_to_string(sandbox.beside("installed")).unwrap(), "one");
}

#[test]
fn attributes_filters_hooks_and_settings_do_not_run() {
    let sandbox = Sandbox::new();
    let ran = sandbox.beside("ran");
    fs::write(sandbox.path().join(".gitattributes"), "* filter=evil text eol=crlf\n*.id ident\n").unwrap();
    fs::write(sandbox.path().join("x.id"), "$Id$\n").unwrap();
    let one = sandbox.commit("f", "a\nb\n", "one", 0);
    sandbox.git(&["config", "filter.evil.smudge", &format!("touch {}; cat", ran.display())]);
    sandbox.git(&["config", "core.autocrlf", "true"]);
    let hook = sandbox.path().join(".git/hooks/post-checkout");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, format!("#!/bin/sh\ntouch {}\n", ran.display())).unwrap();
    fs::set_permissions(&hook, PermissionsExt::from_mode(0o755)).unwrap();
    let mut checkout = Checkout::create(&sandbox.path(), &sandbox.beside("slot")).unwrap();
    checkout.switch(&one).unwrap();
    assert_eq!(fs::read_to_string(checkout.path().join("f")).unwrap(), "a\nb\n");
    assert_eq!(fs::read_to_string(checkout.path().join("x.id")).unwrap(), "$Id$\n");
    assert!(!ran.exists());
    assert_eq!(git_in(checkout.path(), &["status", "--porcelain"]), "");
}

/// A commit whose root tree holds one entry with a name that git itself would not make.
fn hostile(sandbox: &Sandbox, entries: &[(&str, &str)]) -> CommitId {
    let blob = |text: &str| hash(sandbox, "blob", text.as_bytes());
    let mut tree = Vec::new();
    for (mode, name) in entries {
        let id = if *mode == "40000" { hostile_tree(sandbox) } else { blob("evil") };
        tree.extend_from_slice(format!("{mode} {name}\0").as_bytes());
        tree.extend_from_slice(id.parse::<CommitId>().unwrap().as_bytes());
    }
    let tree = hash(sandbox, "tree", &tree);
    sandbox.git(&["commit-tree", "-m", "hostile", &tree]).trim().parse().unwrap()
}

fn hostile_tree(sandbox: &Sandbox) -> String {
    let blob: CommitId = hash(sandbox, "blob", b"evil").parse().unwrap();
    hash(sandbox, "tree", &[b"100755 config\0", &blob.as_bytes()[..]].concat())
}

fn hash(sandbox: &Sandbox, kind: &str, content: &[u8]) -> String {
    let file = sandbox.beside("object");
    fs::write(&file, content).unwrap();
    sandbox.git(&["hash-object", "-w", "--literally", "-t", kind, &file.to_string_lossy()]).trim().to_owned()
}

#[test]
fn hostile_trees_are_refused_before_anything_is_touched() {
    let sandbox = Sandbox::new();
    let sound = sandbox.commit("f", "x", "one", 0);
    let mut checkout = Checkout::create(&sandbox.path(), &sandbox.beside("slot")).unwrap();
    checkout.switch(&sound).unwrap();
    let cases: [&[(&str, &str)]; 10] = [
        &[("40000", ".git")],
        &[("40000", ".GIT")],
        &[("40000", ".."), ("100644", "z")],
        &[("100644", ".")],
        &[("100644", "..")],
        &[("100644", "../escaped")],
        &[("100644", "/tmp/escaped")],
        &[("100644", ".git/hooks/post-checkout")],
        &[("120000", "a"), ("40000", "a")],
        &[("10000", "fifo")],
    ];
    for entries in cases {
        let commit = hostile(&sandbox, entries);
        let before = listing(&sandbox.folder.path().join("slot"));
        let error = checkout.switch(&commit).unwrap_err();
        assert!(matches!(error, Error::Refused { .. } | Error::Git { .. }), "{entries:?}: {error}");
        assert_eq!(listing(&sandbox.folder.path().join("slot")), before, "{entries:?}");
        assert!(!sandbox.beside("escaped").exists());
    }
}

#[test]
fn names_too_long_for_a_file_system_are_refused() {
    let sandbox = Sandbox::new();
    let mut checkout = Checkout::create(&sandbox.path(), &sandbox.beside("slot")).unwrap();
    checkout.switch(&hostile(&sandbox, &[("100644", &"z".repeat(255))])).unwrap();
    for mode in ["100644", "40000", "120000"] {
        let commit = hostile(&sandbox, &[(mode, &"z".repeat(256))]);
        assert!(matches!(checkout.switch(&commit), Err(Error::Refused { .. })), "{mode}");
    }
}

#[test]
fn trees_that_are_not_sorted_keep_their_files() {
    let sandbox = Sandbox::new();
    let commit = hostile(&sandbox, &[("100644", "n"), ("100644", "z"), ("100644", "a"), ("40000", "b"), ("100644", "c")]);
    let mut checkout = Checkout::create(&sandbox.path(), &sandbox.beside("slot")).unwrap();
    checkout.switch(&commit).unwrap();
    let files = tree_on_disk(checkout.path());
    checkout.clean().unwrap();
    assert_eq!((tree_on_disk(checkout.path()), files.len()), (files, 6));
}

#[test]
fn what_cannot_be_gone_on_with_is_made_anew() {
    let sandbox = Sandbox::new();
    let one = sandbox.commit("f", "1", "one", 0);
    let two = sandbox.commit("f", "2", "two", 1);
    let slot = sandbox.beside("slot");
    for script in [
        "rm -rf .git",
        "rm -rf .git; ln -s /nowhere .git",
        "rm -rf .git; git init -q",
        "mkdir -p .git/index.lock/x",
        "rm .git/index; mkdir .git/index",
        "ulimit -n 100; i=0; while [ $i -lt 3000 ]; do mkdir a && cd a; i=$((i + 1)); done; touch b; chmod 0 .",
    ] {
        Checkout::anew(&sandbox.path(), &slot).unwrap().switch(&one).unwrap();
        assert!(Command::new("sh").args(["-c", script]).current_dir(&slot).status().unwrap().success(), "{script}");
        let again = Checkout::create(&sandbox.path(), &slot).and_then(|mut checkout| {
            checkout.switch(&two)?;
            checkout.clean()
        });
        if let Err(error) = again {
            assert!(error.is_of_the_checkout(), "{script}: {error}");
            let mut checkout = Checkout::anew(&sandbox.path(), &slot).unwrap();
            checkout.switch(&two).unwrap();
            checkout.clean().unwrap();
        }
        assert_eq!(fs::read_to_string(slot.join("f")).unwrap(), "2", "{script}");
        assert_eq!(fs::read_dir(&slot).unwrap().count(), 2, "{script}");
    }
}

#[test]
fn names_are_refused_that_git_refuses() {
    let sandbox = Sandbox::new();
    let sound = sandbox.commit("f", "x", "one", 0);
    let mut checkout = Checkout::create(&sandbox.path(), &sandbox.beside("slot")).unwrap();
    let names = [
        "git~1",
        "GIT~1",
        "Git~1",
        "git~2",
        ".git ",
        ".git.",
        ".git. .",
        ".git...x",
        ".git::$INDEX_ALLOCATION",
        ".git:x",
        ".gitx",
        ".git\\x",
        "git~1\\x",
        "a\\b",
        "a\\.git",
        "a\\git~1\\b",
        "..\\x",
        ".gi\u{200c}t",
        ".g\u{feff}it",
        ".gitmodules",
        ".gitattributes",
        "con",
        "aux.c",
        "a:b",
        "a ",
        "a.",
        "lpt1",
        "...",
        ".GIT.",
        "git~1 ",
        "git~1.",
        "git~1:x",
    ];
    let mut refused = 0;
    for name in names {
        for entries in [&[("100644", name)][..], &[("40000", name)], &[("120000", name)]] {
            let commit = hostile(&sandbox, entries);
            let by_git = git_command(&sandbox.path())
                .args(["read-tree", "--index-output=../by-git", &commit.to_string()])
                .output()
                .unwrap();
            match checkout.switch(&commit) {
                Ok(()) => assert!(by_git.status.success(), "{entries:?}: {}", String::from_utf8_lossy(&by_git.stderr)),
                Err(Error::Refused { .. }) => {
                    assert!(!by_git.status.success(), "{entries:?}");
                    refused += 1;
                }
                Err(error) => panic!("{entries:?}: {error}"),
            }
            checkout.switch(&sound).unwrap();
        }
    }
    assert!(refused > 20, "{refused}");
}

#[test]
fn trees_without_end_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.commit("f", "x", "one", 0);
    let blob: CommitId = hash(&sandbox, "blob", b"x").parse().unwrap();
    let mut below = [b"100644 f\0", &blob.as_bytes()[..]].concat();
    let mut tree = hash(&sandbox, "tree", &below);
    for _ in 0..12 {
        let id: CommitId = tree.parse().unwrap();
        below = (0..8).flat_map(|name| [format!("40000 {name}\0").as_bytes(), &id.as_bytes()[..]].concat()).collect();
        tree = hash(&sandbox, "tree", &below);
    }
    let bomb = sandbox.git(&["commit-tree", "-m", "bomb", &tree]).trim().parse().unwrap();
    // The same without a file in it.
    let mut tree = hash(&sandbox, "tree", b"");
    for _ in 0..20 {
        let id: CommitId = tree.parse().unwrap();
        below = (0..8).flat_map(|name| [format!("40000 {name}\0").as_bytes(), &id.as_bytes()[..]].concat()).collect();
        tree = hash(&sandbox, "tree", &below);
    }
    let empty_bomb = sandbox.git(&["commit-tree", "-m", "bomb", &tree]).trim().parse().unwrap();
    let mut deep = hash(&sandbox, "tree", &[b"100644 f\0", &blob.as_bytes()[..]].concat());
    for _ in 0..3000 {
        let id = git2::Oid::from_str(&deep).unwrap();
        deep = sandbox_tree(&sandbox, id);
    }
    let deep = sandbox.git(&["commit-tree", "-m", "deep", &deep]).trim().parse().unwrap();
    let mut checkout = Checkout::create(&sandbox.path(), &sandbox.beside("slot")).unwrap();
    let repository = sandbox.open();
    for commit in [bomb, empty_bomb, deep] {
        assert!(matches!(checkout.switch(&commit), Err(Error::Refused { .. })));
        assert!(matches!(repository.checkout_size(&commit), Err(Error::Refused { .. })));
        assert!(repository.changed_files(&commit).unwrap().len() <= 200_000);
        assert!(repository.differing_files(&sandbox.id("HEAD"), &commit).unwrap().len() <= 200_000);
    }
    assert_eq!(tree_on_disk(checkout.path()), BTreeMap::new());
}

/// Writes a tree that holds only the tree `id`, without starting git.
fn sandbox_tree(sandbox: &Sandbox, id: git2::Oid) -> String {
    let repository = git2::Repository::open(sandbox.path()).unwrap();
    let content = [b"40000 d\0", id.as_bytes()].concat();
    repository.odb().unwrap().write(git2::ObjectType::Tree, &content).unwrap().to_string()
}

#[test]
fn only_its_own_folders_become_checkouts() {
    let sandbox = Sandbox::new();
    sandbox.commit("f", "x", "one", 0);
    fs::create_dir(sandbox.beside("taken")).unwrap();
    fs::write(sandbox.beside("taken/file"), "x").unwrap();
    for name in ["taken", "repo"] {
        let before = listing(&sandbox.beside(name));
        assert!(matches!(Checkout::create(&sandbox.path(), &sandbox.beside(name)), Err(Error::Occupied { .. })), "{name}");
        assert_eq!(listing(&sandbox.beside(name)), before);
    }
    fs::create_dir(sandbox.beside("empty")).unwrap();
    Checkout::create(&sandbox.path(), &sandbox.beside("empty")).unwrap();
    Checkout::create(&sandbox.path(), &sandbox.beside("deep/er/slot")).unwrap();
    // As a kill leaves it before the mark is there.
    fs::create_dir_all(sandbox.beside("begun/.git")).unwrap();
    Checkout::create(&sandbox.path(), &sandbox.beside("begun")).unwrap();
    fs::create_dir_all(sandbox.beside("begun-too/.git")).unwrap();
    fs::write(sandbox.beside("begun-too/.git/kbisect.new"), "").unwrap();
    Checkout::create(&sandbox.path(), &sandbox.beside("begun-too")).unwrap();
    // A `.git` that leads elsewhere is not followed, whatever it holds.
    fs::create_dir(sandbox.beside("link")).unwrap();
    std::os::unix::fs::symlink(sandbox.beside("empty/.git"), sandbox.beside("link/.git")).unwrap();
    assert!(matches!(Checkout::create(&sandbox.path(), &sandbox.beside("link")), Err(Error::Occupied { .. })));
    assert!(matches!(Checkout::create(&sandbox.beside("taken"), &sandbox.beside("x")), Err(Error::NotARepository { .. })));
    assert!(!sandbox.beside("x").exists());
}

#[test]
fn a_checkout_outlives_a_move_of_the_users_repository() {
    let sandbox = Sandbox::new();
    let one = sandbox.commit("f", "1", "one", 0);
    let two = sandbox.commit("f", "2", "two", 1);
    let slot = sandbox.beside("slot");
    Checkout::create(&sandbox.path(), &slot).unwrap().switch(&one).unwrap();
    fs::rename(sandbox.path(), sandbox.beside("moved")).unwrap();
    let mut checkout = Checkout::create(&sandbox.beside("moved"), &slot).unwrap();
    checkout.switch(&two).unwrap();
    assert_eq!(fs::read_to_string(slot.join("f")).unwrap(), "2");
}

#[test]
fn checkouts_borrow_from_all_kinds_of_repository_and_know_the_tags() {
    let sandbox = Sandbox::new();
    sandbox.commit("f", "1", "one", 0);
    sandbox.git(&["tag", "-m", "first", "v1.0"]);
    let two = sandbox.commit("f", "2", "two", 1);
    sandbox.git(&["worktree", "add", "-q", "../linked", "HEAD"]);
    git_in(sandbox.folder.path(), &["clone", "-q", "--bare", "repo", "bare.git"]);
    git_in(sandbox.folder.path(), &["clone", "-q", "--shared", "repo", "borrowing"]);
    git_in(sandbox.folder.path(), &["clone", "-q", "--shared", "borrowing", "borrowing-twice"]);
    for name in ["repo", "linked", "bare.git", "borrowing", "borrowing-twice"] {
        let before = listing(&sandbox.beside(name));
        let mut checkout = Checkout::create(&sandbox.beside(name), &sandbox.beside("slots").join(name)).unwrap();
        checkout.switch(&two).unwrap();
        assert_eq!(fs::read_to_string(checkout.path().join("f")).unwrap(), "2", "{name}");
        let described = git_in(checkout.path(), &["describe", "--abbrev=12"]);
        assert_eq!(described.trim(), format!("v1.0-1-g{}", two.short()), "{name}");
        git_in(checkout.path(), &["fsck", "--strict"]);
        assert_eq!(listing(&sandbox.beside(name)), before, "{name}");
    }
}

#[test]
fn broken_index_and_stale_locks_are_mended() {
    let sandbox = Sandbox::import(random_history(71, 20).as_bytes());
    let oracle = Oracle::new(&sandbox);
    let slot = sandbox.beside("slot");
    let ids = sandbox.ids(&["rev-list", "--all"]);
    let mut dice = Dice(71);
    for round in 0..30 {
        let mut checkout = Checkout::create(&sandbox.path(), &slot).unwrap();
        let commit = *dice.pick(&ids);
        checkout.switch(&commit).unwrap();
        assert_eq!(tree_on_disk(&slot), oracle.tree(&commit), "round {round}");
        let git_dir = slot.join(".git");
        match dice.roll(6) {
            0 => fs::write(git_dir.join("index"), "DIRC rubbish").unwrap(),
            1 => fs::remove_file(git_dir.join("index")).unwrap(),
            2 => {
                fs::write(git_dir.join("index.lock"), "").unwrap();
                checkout.reset_tracked().unwrap();
            }
            3 => fs::write(git_dir.join("HEAD.lock"), "").unwrap(),
            4 => fs::remove_file(git_dir.join("config")).unwrap(),
            _ => fs::write(git_dir.join("HEAD"), "rubbish").unwrap(),
        }
    }
}

#[test]
fn nothing_is_written_or_waited_for_where_a_build_has_put_links_and_pipes() {
    let sandbox = Sandbox::new();
    let one = sandbox.commit("f", "1", "one", 0);
    let two = sandbox.commit("g", "2", "two", 1);
    let slot = sandbox.beside("slot");
    let (outside, git_dir) = (sandbox.beside("outside"), slot.join(".git"));
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), "precious").unwrap();
    let before = listing(&outside);
    let mut checkout = Checkout::create(&sandbox.path(), &slot).unwrap();
    let link = |target: &str, name: &str| {
        let _ = fs::rename(git_dir.join(name), git_dir.join(format!("{name}.away")));
        std::os::unix::fs::symlink(outside.join(target), git_dir.join(name)).unwrap();
    };
    let names = [
        "kbisect",
        "kbisect.new",
        "kbisect-switching",
        "kbisect-switching.new",
        "HEAD.new",
        "config",
        "config.new",
        "index",
        "index.lock",
    ];
    for (round, commit) in [one, two, one, two, one, two].iter().enumerate() {
        checkout.switch(commit).unwrap();
        assert_eq!((checkout.commit(), slot.join("g").exists()), (Some(*commit), *commit == two), "round {round}");
        git_in(&slot, &["fsck"]);
        // One of the two that know what was checked out is left.
        let left = ["index", "kbisect"][round % 4 / 2];
        for name in names.into_iter().filter(|name| *name != left) {
            match round % 2 {
                0 => link("file", name),
                _ => {
                    let _ = fs::remove_file(git_dir.join(name));
                    assert!(Command::new("mkfifo").arg(git_dir.join(name)).status().unwrap().success());
                }
            }
        }
        if round % 2 == 0 {
            link("", "objects/ab");
            fs::remove_file(git_dir.join("config")).unwrap();
            fs::write(git_dir.join("config"), "[include]\n\tpath = /dev/zero\n").unwrap();
        }
        if round > 2 {
            checkout.clean().unwrap();
        }
    }
    assert_eq!(listing(&outside), before);
    fs::rename(&git_dir, sandbox.beside("git")).unwrap();
    std::os::unix::fs::symlink(sandbox.beside("git"), &git_dir).unwrap();
    assert!(matches!(checkout.switch(&one), Err(Error::Occupied { .. })));
}

#[test]
fn missing_objects_are_an_error_and_mended_later() {
    let sandbox = Sandbox::new();
    let one = sandbox.commit("f", "1", "one", 0);
    let two = sandbox.commit("g", "2", "two", 1);
    let mut checkout = Checkout::create(&sandbox.path(), &sandbox.beside("slot")).unwrap();
    assert_eq!(checkout.commit(), None, "nothing yet");
    checkout.reset_tracked().unwrap();
    checkout.switch(&one).unwrap();
    let blob = sandbox.git(&["rev-parse", "HEAD:g"]);
    let object = sandbox.path().join(".git/objects").join(&blob[..2]).join(blob[2..].trim());
    fs::rename(&object, sandbox.beside("kept")).unwrap();
    let error = checkout.switch(&two).unwrap_err();
    assert!(matches!(&error, Error::MissingObject { id, .. } if *id == blob.trim()), "{error}");
    assert_eq!(checkout.commit(), None, "cut short");
    fs::rename(sandbox.beside("kept"), &object).unwrap();
    Checkout::create(&sandbox.path(), &sandbox.beside("slot")).unwrap().switch(&two).unwrap();
    assert_eq!(fs::read_to_string(checkout.path().join("g")).unwrap(), "2");
    assert!(matches!(checkout.switch(&CommitId::from_bytes([9; 20])), Err(Error::MissingObject { .. })));
}

#[test]
fn reading_leaves_the_users_repository_as_it_was() {
    let sandbox = Sandbox::import(random_history(72, 30).as_bytes());
    sandbox.git(&["tag", "v1.0", "b0~5"]);
    sandbox.git(&["checkout", "-q", "-f", "b0"]);
    fs::write(sandbox.path().join("untracked"), "x").unwrap();
    let before = listing(&sandbox.path());
    let repository = sandbox.open();
    let tip = repository.resolve("b0").unwrap();
    repository.graph(&[tip]).unwrap();
    repository.releases(&tip).unwrap();
    repository.first_release_with(&sandbox.id("b0~6")).unwrap();
    repository.diffstat(&tip).unwrap();
    repository.find_by_title("none", &[tip]).unwrap();
    repository.signers(&tip, &["a".to_owned()], 100, std::time::Instant::now() + std::time::Duration::from_secs(60)).unwrap();
    crate::git::problems(&sandbox.path());
    let slots: Vec<_> = (0..4).map(|slot| sandbox.beside(&format!("slot{slot}"))).collect();
    let ids = sandbox.ids(&["rev-list", "--all"]);
    let after_ids = listing(&sandbox.path());
    std::thread::scope(|scope| {
        for (number, slot) in slots.iter().enumerate() {
            let (ids, user) = (&ids, sandbox.path());
            scope.spawn(move || {
                let mut checkout = Checkout::create(&user, slot).unwrap();
                for id in ids.iter().skip(number).step_by(3) {
                    checkout.switch(id).unwrap();
                }
                checkout.clean().unwrap();
            });
        }
    });
    assert_eq!(after_ids, before);
    assert_eq!(listing(&sandbox.path()), before);
}

use super::*;
use crate::git::Error;
use crate::git::Unsupported;
use crate::git::problems;

fn kind(path: &Path) -> Unsupported {
    match Repository::open(path) {
        Err(Error::Unsupported { kind, .. }) => kind,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("opened"),
    }
}

fn messages(path: &Path) -> String {
    problems(path).into_iter().map(|problem| format!("{} {}\n", problem.fatal, problem.message)).collect()
}

#[test]
fn sound_repositories_of_all_shapes_open() {
    let sandbox = Sandbox::new();
    let tip = sandbox.commit("sub/f", "x", "one", 0);
    sandbox.git(&["worktree", "add", "-q", "../linked", "HEAD"]);
    git_in(sandbox.folder.path(), &["clone", "-q", "--bare", "repo", "bare.git"]);
    git_in(sandbox.folder.path(), &["clone", "-q", "--shared", "repo", "borrowing"]);
    git_in(sandbox.folder.path(), &["clone", "-q", "--shared", "borrowing", "borrowing-twice"]);
    for name in ["repo", "repo/sub", "repo/.git", "linked", "linked/sub", "bare.git", "borrowing", "borrowing-twice"] {
        let path = sandbox.beside(name);
        assert_eq!(Repository::open(&path).unwrap().resolve("HEAD").unwrap(), tip, "{name}");
        assert_eq!(messages(&path), "", "{name}");
    }
}

#[test]
fn other_folders_are_no_repositories() {
    let sandbox = Sandbox::new();
    for name in ["", "nothing"] {
        let path = sandbox.beside(name);
        assert!(matches!(Repository::open(&path), Err(Error::NotARepository { .. })), "{name}");
        assert!(messages(&path).starts_with("true "));
    }
    fs::write(sandbox.beside("file"), "x").unwrap();
    assert!(Repository::open(&sandbox.beside("file")).is_err());
}

#[test]
fn sha256_objects_are_named() {
    let sandbox = Sandbox::new();
    git_in(sandbox.folder.path(), &["init", "-q", "--object-format=sha256", "other"]);
    let path = sandbox.beside("other");
    assert_eq!(kind(&path), Unsupported::Sha256);
    fs::create_dir(path.join("sub")).unwrap();
    assert_eq!(kind(&path.join("sub")), Unsupported::Sha256);
    assert!(messages(&path).contains("SHA-256"));
}

#[test]
fn reftables_are_named_and_can_be_cloned() {
    let sandbox = Sandbox::new();
    let made = git_command(sandbox.folder.path()).args(["init", "-q", "--ref-format=reftable", "other"]).output().unwrap();
    if !made.status.success() {
        eprintln!("skipped: this git knows no reftables");
        return;
    }
    let path = sandbox.beside("other");
    git_in(&path, &["commit", "-q", "--allow-empty", "-m", "one"]);
    assert_eq!(kind(&path), Unsupported::Reftable);
    let hints = Repository::open(&path).err().unwrap().hints();
    let clone = sandbox.beside("clone");
    let command = hints[0].split_once("git ").unwrap().1.replace("FOLDER", &clone.to_string_lossy());
    git_in(&path, &command.split(' ').collect::<Vec<_>>());
    assert!(Repository::open(&clone).unwrap().resolve("HEAD").is_ok());
}

#[test]
fn partial_clones_are_named() {
    let sandbox = Sandbox::new();
    sandbox.commit("f", "x", "one", 0);
    sandbox.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", sandbox.path().display());
    git_in(sandbox.folder.path(), &["clone", "-q", "--no-checkout", "--filter=blob:none", &url, "partial"]);
    assert_eq!(kind(&sandbox.beside("partial")), Unsupported::Partial);
}

#[test]
fn unknown_extensions_are_named() {
    let sandbox = Sandbox::new();
    sandbox.git(&["config", "core.repositoryFormatVersion", "1"]);
    sandbox.git(&["config", "extensions.fromTheFuture", "1"]);
    assert_eq!(kind(&sandbox.path()), Unsupported::Extension("fromthefuture".to_owned()));
}

#[test]
fn what_may_surprise_is_told() {
    let sandbox = Sandbox::new();
    assert!(messages(&sandbox.path()).contains("true") && messages(&sandbox.path()).contains("no commit yet"));
    sandbox.commit("f", "x", "one", 0);
    sandbox.commit("f", "y", "two", 1);
    sandbox.commit("f", "z", "three", 2);
    fs::write(sandbox.path().join("f"), "changed").unwrap();
    assert!(messages(&sandbox.path()).contains("uncommitted changes"));
    sandbox.git(&["checkout", "-q", "-f", "HEAD"]);
    fs::write(sandbox.path().join("untracked"), "x").unwrap();
    assert_eq!(messages(&sandbox.path()), "");
    sandbox.git(&["bisect", "start", "HEAD", "HEAD~2"]);
    assert!(messages(&sandbox.path()).contains("bisection of git's own"));
    sandbox.git(&["bisect", "reset"]);
    sandbox.git(&["replace", "HEAD", "HEAD~1"]);
    assert!(messages(&sandbox.path()).contains("replacement objects"));
    sandbox.git(&["replace", "-d", "HEAD"]);
    fs::write(sandbox.path().join(".git/info/grafts"), "# none\n").unwrap();
    assert!(!messages(&sandbox.path()).contains("grafts"));
    fs::write(sandbox.path().join(".git/info/grafts"), format!("{} {}\n", sandbox.id("HEAD"), sandbox.id("HEAD~2"))).unwrap();
    assert!(messages(&sandbox.path()).contains("has grafts"));
    let fatal = problems(&sandbox.path()).into_iter().find(|problem| problem.fatal).unwrap();
    assert!(fatal.hints[0].ends_with("replace --convert-graft-file"));
    sandbox.git(&["-c", "core.commitGraph=false", "replace", "--convert-graft-file"]);
    assert!(!messages(&sandbox.path()).contains("has grafts"));
}

#[test]
fn lost_alternates_and_objects_are_told() {
    let sandbox = Sandbox::new();
    sandbox.commit("f", "x", "one", 0);
    let lost = sandbox.commit("f", "y", "two", 1);
    git_in(sandbox.folder.path(), &["clone", "-q", "--shared", "repo", "borrowing"]);
    let object = lost.to_string();
    fs::remove_file(sandbox.path().join(".git/objects").join(&object[..2]).join(&object[2..])).unwrap();
    let error = sandbox.open().graph(&[lost]).unwrap_err();
    assert!(matches!(&error, Error::MissingObject { id, .. } if *id == object), "{error}");
    fs::rename(sandbox.path(), sandbox.beside("moved")).unwrap();
    assert!(messages(&sandbox.beside("borrowing")).contains("which is gone"));
}

#[test]
fn foreign_repositories_are_told_with_the_command_that_trusts_them() {
    let sandbox = Sandbox::new();
    sandbox.commit("f", "x", "one", 0);
    for name in ["", ".git"] {
        if std::os::unix::fs::chown(sandbox.path().join(name), Some(12345), None).is_err() {
            println!("skipped: only root can give files away");
            return;
        }
    }
    let error = Repository::open(&sandbox.path()).err().unwrap();
    assert!(matches!(error, Error::ForeignOwner { .. }), "{error}");
    // The command of the hint, obeyed with a home of our own; libgit2 reads the home of the process.
    let home = sandbox.beside("home");
    fs::create_dir(&home).unwrap();
    let command = error.hints()[0].split_once("git ").unwrap().1.to_owned();
    let mut git = git_command(&home);
    assert!(git.env_remove("GIT_CONFIG_GLOBAL").env("HOME", &home).args(command.split(' ')).status().unwrap().success());
    let opened = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "git::tests::soundness::opener", "--ignored"])
        .env("HOME", &home)
        .env(OPENER, sandbox.path())
        .output()
        .unwrap();
    assert!(opened.status.success(), "{}", String::from_utf8_lossy(&opened.stdout));
}

const OPENER: &str = "KBISECT_TEST_OPENER";

/// Opens a repository in a process with a home of its own.
#[test]
#[ignore = "not a test of its own"]
fn opener() {
    let path = PathBuf::from(std::env::var_os(OPENER).unwrap());
    Repository::open(&path).unwrap().resolve("HEAD").unwrap();
}

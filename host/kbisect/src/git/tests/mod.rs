//! Tests on real repositories, made by git itself in temporary folders, and compared with what git itself says of them.

#![allow(clippy::unwrap_used, reason = "tests")]

mod checkout;
mod commit;
mod diffstat;
mod facts;
mod history;
mod kill;
mod newer;
mod patch;
mod releases;
mod revert;
mod soundness;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use kbisect_core::commit::CommitId;
use sha2::Digest as _;
use tempfile::TempDir;

use super::Repository;

/// Time of the first commit of generated histories.
const EPOCH: i64 = 1_600_000_000;

/// A git that reads no configuration but the repository's own.
fn git_command(folder: &Path) -> Command {
    let mut git = Command::new("git");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            git.env_remove(name);
        }
    }
    git.current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .args(["-c", "user.name=A U Thor", "-c", "user.email=author@example.org", "-c", "protocol.file.allow=always"]);
    git
}

/// Runs git and returns what it printed; it must succeed.
fn git_in(folder: &Path, args: &[impl AsRef<OsStr>]) -> String {
    String::from_utf8(git_bytes(folder, args)).unwrap()
}

fn git_bytes(folder: &Path, args: &[impl AsRef<OsStr>]) -> Vec<u8> {
    let output = git_command(folder).args(args).output().unwrap();
    assert!(output.status.success(), "git failed: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A repository in a temporary folder.
struct Sandbox {
    folder: TempDir,
}

impl Sandbox {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        git_in(folder.path(), &["init", "-q", "-b", "main", "repo"]);
        Self { folder }
    }

    /// A repository made of a `git fast-import` stream.
    fn import(stream: &[u8]) -> Self {
        let sandbox = Self::new();
        let mut git = git_command(&sandbox.path());
        let mut import = git.args(["fast-import", "--quiet"]).stdin(Stdio::piped()).spawn().unwrap();
        import.stdin.take().unwrap().write_all(stream).unwrap();
        assert!(import.wait().unwrap().success());
        sandbox
    }

    /// A history in which lines of two files change, and a branch is merged.
    fn with_a_merge() -> Self {
        let sandbox = Self::new();
        sandbox.commit("a", &lines(&[]), "begin", 0);
        sandbox.commit("b", &lines(&[3]), "a new file", 1);
        sandbox.commit("a", &lines(&[5]), "one line", 2);
        sandbox.git(&["checkout", "-q", "-b", "side"]);
        sandbox.commit("b", &lines(&[3, 20]), "on a branch", 3);
        sandbox.git(&["checkout", "-q", "main"]);
        sandbox.commit("a", &lines(&[5, 15]), "another line", 4);
        sandbox.git(&["merge", "-q", "--no-ff", "-m", "merge", "side"]);
        sandbox
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    /// A folder beside the repository.
    fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn git(&self, args: &[impl AsRef<OsStr>]) -> String {
        git_in(&self.path(), args)
    }

    fn id(&self, name: &str) -> CommitId {
        self.git(&["rev-parse", "--verify", &format!("{name}^{{commit}}")]).trim().parse().unwrap()
    }

    fn ids(&self, args: &[&str]) -> Vec<CommitId> {
        self.git(args).lines().map(|line| line.parse().unwrap()).collect()
    }

    fn open(&self) -> Repository {
        Repository::open(&self.path()).unwrap()
    }

    /// A clone for git to work in, clean and at a commit.
    fn oracle(&self, at: &CommitId) -> PathBuf {
        let clone = self.beside("oracle");
        if !clone.exists() {
            git_in(self.folder.path(), &["clone", "-q", "--shared", "repo", "oracle"]);
        }
        git_in(&clone, &["reset", "-q", "--hard", &at.to_string()]);
        git_in(&clone, &["clean", "-qfd"]);
        clone
    }

    /// Commits one file on the current branch at a time counted in seconds from [`EPOCH`].
    fn commit(&self, file: &str, content: &str, message: &str, time: i64) -> CommitId {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self.git(&["add", "-A"]);
        let date = format!("{} +0000", EPOCH + time);
        let mut git = git_command(&self.path());
        git.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date);
        let output = git.args(["commit", "-q", "--allow-empty", "-m", message]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.id("HEAD")
    }
}

/// Thirty lines, these of them changed.
fn lines(changed: &[usize]) -> String {
    (0..30).map(|line| format!("line {line}{}\n", if changed.contains(&line) { " changed" } else { "" })).collect()
}

/// A small deterministic generator (Steele, Lea and Flood's SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % sides
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len() as u64) as usize]
    }
}

/// A fast-import stream of `commits` commits with merges, octopuses, equal and backward dates, several roots, and trees in which
/// files, links, folders and submodules take one another's place.
fn random_history(seed: u64, commits: u64) -> String {
    const NAMES: [&str; 9] = ["a", "a/b", "a/b/c", "a.c", "d/e f", "d/é", "x/y/z", "x/y.c", "Makefile"];
    let mut dice = Dice(seed);
    let mut stream = String::new();
    let mut time = EPOCH;
    for number in 1..=commits {
        time += dice.roll(4) as i64 * 50 - 30;
        let message = format!(
            "subsystem{}: change number {number}\n\nBody of {number}.\n\nSigned-off-by: Some Body <some@example.org>\n",
            number % 3
        );
        let _ = write!(stream, "commit refs/heads/b{}\nmark :{number}\n", if number == commits { 0 } else { dice.roll(3) });
        let _ = writeln!(stream, "author Ann Author <ann@example.org> {} +0200", time - 7);
        let _ = writeln!(stream, "committer Carl Committer <carl@example.org> {time} -0330");
        let _ = writeln!(stream, "data {}\n{message}", message.len());
        if number > 1 {
            let first = if dice.roll(12) == 0 { 1 + dice.roll(number - 1) } else { number - 1 };
            let _ = writeln!(stream, "from :{first}");
            let mut parents = vec![first];
            for _ in 0..[0, 0, 0, 1, 2][dice.roll(5) as usize] {
                let other = 1 + dice.roll(number - 1);
                if !parents.contains(&other) {
                    parents.push(other);
                    let _ = writeln!(stream, "merge :{other}");
                }
            }
        }
        for _ in 0..=dice.roll(4) {
            let name = *dice.pick(&NAMES);
            match dice.roll(9) {
                0 => _ = writeln!(stream, "D {name}"),
                1 => _ = writeln!(stream, "M 160000 {:040x} {name}", 1 + dice.roll(9)),
                2 => {
                    let target = *dice.pick(&["a", "../outside", "/etc/passwd", "no/where"]);
                    let _ = writeln!(stream, "M 120000 inline {name}\ndata {}\n{target}", target.len());
                }
                kind => {
                    let content = match dice.roll(5) {
                        0 => String::new(),
                        1 => "one line\r\nanother\r\n".to_owned(),
                        2 => "no line feed at the end".to_owned(),
                        3 => "binary\0bytes".to_owned(),
                        lines => (0..lines + dice.roll(60)).map(|line| format!("line {line} {}\n", dice.roll(3))).collect(),
                    };
                    let mode = if kind == 3 { "100755" } else { "100644" };
                    let _ = writeln!(stream, "M {mode} inline {name}\ndata {}\n{content}", content.len());
                }
            }
        }
        if dice.roll(10) == 0 {
            let _ = writeln!(stream, "M 100644 inline .gitattributes\ndata 25\n* text eol=crlf\n*.c ident\n");
        }
    }
    stream
}

/// Everything below a folder: path, and kind, mode, times, size and digest of each, so that any change shows.
fn listing(folder: &Path) -> BTreeMap<PathBuf, String> {
    walk(folder, &|path, found| {
        let times = format!("{}.{:09} {}.{:09}", found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec());
        Some(format!("{:o} {times} {} {}", found.mode(), found.ino(), content(path, found)))
    })
}

/// Everything below a folder without times: for where git itself was used in a checkout, which may renew the times of the packs
/// that it borrows.
fn contents(folder: &Path) -> BTreeMap<PathBuf, String> {
    walk(folder, &|path, found| Some(format!("{:o} {} {}", found.mode(), found.ino(), content(path, found))))
}

/// Everything below a checkout but `.git`: path, kind, executable bit and content.
fn tree_on_disk(folder: &Path) -> BTreeMap<PathBuf, String> {
    walk(folder, &|path, found| {
        if path == folder.join(".git") {
            return None;
        }
        Some(format!("{:o} {}", found.mode() & 0o170_100, content(path, found)))
    })
}

fn content(path: &Path, found: &fs::Metadata) -> String {
    if found.is_symlink() {
        format!("-> {}", fs::read_link(path).unwrap().display())
    } else if found.is_file() {
        format!("{:x?}", sha2::Sha256::digest(fs::read(path).unwrap()))
    } else {
        String::new()
    }
}

fn walk(folder: &Path, show: &dyn Fn(&Path, &fs::Metadata) -> Option<String>) -> BTreeMap<PathBuf, String> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let found = fs::symlink_metadata(&path).unwrap();
            if let Some(line) = show(&path, &found) {
                if found.is_dir() {
                    folders.push(path.clone());
                }
                all.insert(path, line);
            }
        }
    }
    all.into_iter().map(|(path, line)| (path.strip_prefix(folder).unwrap().to_owned(), line)).collect()
}

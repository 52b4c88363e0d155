//! What the black-box tests share: a clean environment for the built binary, and small projects with a known history.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "tests")]

pub(crate) mod remains;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;
use std::time::Instant;

/// What a kernel prints of a use after free.
pub(crate) const USE_AFTER_FREE: &str = "\
BUG: KASAN: slab-use-after-free in queue_release+0x1f/0x40 drivers/queue/main.c:41
Read of size 8 at addr ffff888012345678 by task close/12
CPU: 0 PID: 12 Comm: close Not tainted 6.1.0 #1
Call Trace:
 <TASK>
 dump_stack_lvl+0x34/0x48 lib/dump_stack.c:106
 print_report+0x170/0x473 mm/kasan/report.c:395
 kasan_report+0xbb/0x1f0 mm/kasan/report.c:495
 queue_release+0x1f/0x40 drivers/queue/main.c:41
 queue_close+0x22/0x90 drivers/queue/main.c:90
 </TASK>
==================================================================";

/// Files by path.
pub(crate) type Tree = BTreeMap<String, String>;

/// A temporary folder, and commands that see nothing of the machine's own settings.
pub(crate) struct World {
    dir: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::inside(&std::env::temp_dir())
    }

    /// The same in a folder that lies in nobody's cargo workspace: a `Cargo.toml` that others left in `/tmp` makes one of all of it.
    pub(crate) fn outside_workspaces() -> Self {
        let free = |folder: &PathBuf| folder.is_dir() && !folder.ancestors().any(|folder| folder.join("Cargo.toml").exists());
        let folders = [std::env::temp_dir(), "/var/tmp".into(), "/dev/shm".into()];
        let folder = folders.into_iter().find(free).expect("a folder for temporary files outside workspaces");
        Self::inside(&folder)
    }

    fn inside(folder: &Path) -> Self {
        let dir = tempfile::tempdir_in(folder).unwrap();
        fs::create_dir(dir.path().join("home")).unwrap();
        Self { dir }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A command in the folder, with its own home.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.path("home"))
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env("KBISECT_CACHE_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
        command
    }

    /// The built `kbisect`.
    pub(crate) fn kbisect(&self, args: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_kbisect"));
        command.args(args);
        command
    }

    /// Runs `kbisect` to its end, which must be a success.
    pub(crate) fn succeed(&self, args: &[&str]) {
        let output = self.kbisect(args).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}\n{}", self.shown(&output));
    }

    /// Runs `kbisect` until it aborts behind its event of this number.
    pub(crate) fn cut_short(&self, args: &[&str], events: u32) {
        let output = self.kbisect(args).env("KBISECT_TEST_ABORT_AFTER", events.to_string()).output().unwrap();
        assert_eq!(output.status.code(), None, "{args:?}\n{}", self.shown(&output));
    }

    /// Writes a job file for the repository `repo` from `main` back to a good commit, whose `test.sh` says by its exit status how it
    /// went; `more` comes last.
    pub(crate) fn job(&self, name: &str, good: &str, more: &str) {
        let text = format!(
            "repo = \"repo\"\nbad = \"main\"\ngood = \"{good}\"\n[machine]\nkind = \"process\"\n\
             [trial]\ncommand = [\"./test.sh\"]\nexpect = \"exit\"\n{more}"
        );
        fs::write(self.path(name), text).unwrap();
    }

    /// Runs git in a repository of the folder and returns what it printed.
    pub(crate) fn git(&self, repo: &str, args: &[&str]) -> String {
        let output = self.command("git").arg("-C").arg(self.path(repo)).args(args).output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// A whole output with its exit status, without what differs from run to run.
    pub(crate) fn shown(&self, output: &Output) -> String {
        let mut text = String::new();
        for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            if !bytes.is_empty() {
                let _ = write!(text, "--- {name}\n{}", String::from_utf8_lossy(bytes));
                if !text.ends_with('\n') {
                    text.push('\n');
                }
            }
        }
        let _ = match output.status.code() {
            Some(code) => writeln!(text, "--- exit status {code}"),
            None => writeln!(text, "--- {}", output.status),
        };
        let real = self.dir.path().canonicalize().unwrap();
        text.replace(real.to_str().unwrap(), "[DIR]").replace(self.dir.path().to_str().unwrap(), "[DIR]")
    }
}

/// A shown output without how long things took or will take.
pub(crate) fn timeless(shown: &str) -> String {
    let line = |line: &str| {
        let cut = |at: &str| line.split_once(at).map(|(before, _)| format!("{before}{at}"));
        match line {
            _ if line.starts_with("Effort: ") || line.starts_with("so far ") => cut(" in ").map(|before| before + "[TIME]"),
            _ if line.starts_with("range ") => cut(" to test"),
            _ => None,
        }
        .unwrap_or_else(|| line.to_owned())
            + "\n"
    };
    shown.lines().map(line).collect()
}

/// The words of a quiet run on [`line`]'s repository, with more words before the command.
pub(crate) fn run_words<'a>(good: &'a str, run: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut words = vec!["run", "--quiet", "--repo", "repo", "--bad", "main", "--good", good, "--out", run];
    words.extend(more);
    words.extend(["--", "./test.sh"]);
    words
}

/// The same, where the command gets the trial's seed.
pub(crate) fn seeded_run_words<'a>(good: &'a str, run: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut words = run_words(good, run, more);
    words.push("{trial_seed}");
    words
}

/// Shell text of a trial that says that it is there, and waits for [`World::path`] `go`.
pub(crate) const WAITS: &str = "touch \"$THERE\"; while [ ! -e \"$GO\" ]; do sleep .02; done";

/// `kbisect` where trials may do [`WAITS`].
pub(crate) fn waiting(world: &World, args: &[&str]) -> Command {
    let mut command = world.kbisect(args);
    command.env("THERE", world.path("there")).env("GO", world.path("go")).stdin(Stdio::null());
    command
}

/// Starts a command and returns once the first trial waits.
pub(crate) fn until_it_waits(world: &World, args: &[&str]) -> Child {
    let child = waiting(world, args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("the trial that waits", || world.path("there").exists());
    child
}

/// No step of a test takes longer, on however slow a machine: what does hangs.
pub(crate) const HANGS: Duration = Duration::from_secs(120);

/// Waits until something is so; fails where it never is.
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < HANGS, "{what}: never");
        sleep(Duration::from_millis(5));
    }
}

/// A commit to write: its parents are places of earlier ones.
pub(crate) struct Planned {
    pub(crate) parents: Vec<usize>,
    pub(crate) subject: String,
    pub(crate) files: Vec<(String, String)>,
    pub(crate) executable: Vec<String>,
    /// When it was made, where that is not a minute after the one planned before.
    pub(crate) time: Option<usize>,
}

impl Planned {
    pub(crate) fn on(parents: &[usize], subject: impl Into<String>) -> Self {
        Self { parents: parents.to_vec(), subject: subject.into(), files: Vec::new(), executable: Vec::new(), time: None }
    }

    pub(crate) fn file(mut self, path: impl Into<String>, text: impl Into<String>) -> Self {
        self.files.push((path.into(), text.into()));
        self
    }

    pub(crate) fn script(mut self, path: impl Into<String>, text: impl Into<String>) -> Self {
        let path = path.into();
        self.executable.push(path.clone());
        self.files.push((path, text.into()));
        self
    }
}

/// Writes a history into a new repository and returns the ids, in the order planned; the last one is `main`.
pub(crate) fn write_history(world: &World, repo: &str, commits: &[Planned], tags: &[(&str, usize)]) -> Vec<String> {
    let path = world.path(repo);
    assert!(world.command("git").args(["init", "-q", "-b", "main"]).arg(&path).status().unwrap().success());
    let mut stream = String::new();
    for (place, commit) in commits.iter().enumerate() {
        let time = commit.time.unwrap_or(1_600_000_000 + place * 60);
        let who = format!("A U Thor <author@example.org> {time} +0000");
        let message = format!("{}\n", commit.subject);
        if commit.parents.is_empty() {
            // Else git would put it on what is there.
            stream.push_str("reset refs/heads/main\n\n");
        }
        let _ = write!(stream, "commit refs/heads/main\nmark :{}\nauthor {who}\ncommitter {who}\n", place + 1);
        let _ = write!(stream, "data {}\n{message}", message.len());
        for (index, parent) in commit.parents.iter().enumerate() {
            let _ = writeln!(stream, "{} :{}", if index == 0 { "from" } else { "merge" }, parent + 1);
        }
        if commit.parents.is_empty() {
            stream.push_str("deleteall\n");
        }
        for (file, text) in &commit.files {
            let mode = if commit.executable.contains(file) { "100755" } else { "100644" };
            let _ = write!(stream, "M {mode} inline {file}\ndata {}\n{text}\n", text.len());
        }
        stream.push('\n');
    }
    for (tag, place) in tags {
        let _ = write!(stream, "reset refs/tags/{tag}\nfrom :{}\n\n", place + 1);
    }
    let marks = world.path("marks");
    let mut child = world
        .command("git")
        .arg("-C")
        .arg(&path)
        .args(["fast-import", "--quiet"])
        .arg(format!("--export-marks={}", marks.display()))
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stream.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    let mut ids = vec![String::new(); commits.len()];
    for line in fs::read_to_string(marks).unwrap().lines() {
        let (mark, id) = line.split_once(' ').unwrap();
        ids[mark[1..].parse::<usize>().unwrap() - 1] = id.to_owned();
    }
    world.git(repo, &["checkout", "-q", "main"]);
    ids
}

/// A line of `count` commits whose `test.sh` fails from commit `culprit` on. `failing` is the shell text that runs there; commits
/// before exit with 0.
pub(crate) fn line(world: &World, repo: &str, count: usize, culprit: usize, failing: &str) -> Vec<String> {
    let commits: Vec<Planned> = (0..count)
        .map(|place| {
            let parents: Vec<usize> = place.checked_sub(1).into_iter().collect();
            let body = if place >= culprit { failing } else { "exit 0" };
            Planned::on(&parents, format!("change {place}"))
                .file("number", place.to_string())
                .script("test.sh", format!("#!/bin/sh\n{body}\n"))
        })
        .collect();
    write_history(world, repo, &commits, &[])
}

/// A short history of the pocket kernel in which every schedule shows the culprit's bug and none shows another.
pub(crate) fn sure_pocket() -> pocket::Options {
    pocket::Options { seed: 3, commits: 60, repro_rate: 1.0, stray_rate: 0.0, second_rate: 0.0, ..pocket::Options::default() }
}

/// The pocket kernel's sources as they are at a release without planted bugs.
pub(crate) fn pocket_sources(world: &World, options: &pocket::Options) -> Tree {
    let planted = pocket::write(&world.path("pocket"), options).unwrap();
    world.git("pocket", &["checkout", "-q", planted.good.last().unwrap()]);
    let paths = world.git("pocket", &["ls-files"]);
    paths.lines().map(|path| (path.to_owned(), fs::read_to_string(world.path("pocket").join(path)).unwrap())).collect()
}

/// Everything below a folder: path, kind, permissions, time and content, to see that nothing was touched.
pub(crate) fn fingerprint(root: &Path) -> Vec<String> {
    use std::os::unix::fs::MetadataExt as _;
    let mut lines = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let content = if metadata.is_file() { format!("{:?}", fs::read(&path).unwrap()) } else { String::new() };
            lines.push(format!(
                "{} {:o} {}.{} {content}",
                path.display(),
                metadata.mode(),
                metadata.mtime(),
                metadata.mtime_nsec()
            ));
            if metadata.is_dir() {
                folders.push(path);
            }
        }
    }
    lines.sort();
    lines
}

/// The parsed `report.json` of a run.
pub(crate) fn report(run: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(run.join("report.json")).unwrap()).unwrap()
}

/// The journal's entries.
pub(crate) fn journal(run: &Path) -> Vec<serde_json::Value> {
    fs::read_to_string(run.join("journal.jsonl")).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The named commit of a run.
pub(crate) fn named(run: &Path) -> Option<String> {
    report(run)["named"]["commit"].as_str().map(str::to_owned)
}

/// What the trials of a run were and how they ended, in order; fails if a number occurs twice.
pub(crate) fn evidence(run: &Path) -> Vec<(String, u64, String)> {
    let entries = journal(run);
    let ended: Vec<&serde_json::Value> = entries.iter().filter(|entry| entry["event"] == "trial-ended").collect();
    let mut numbers: Vec<u64> = ended.iter().map(|entry| entry["trial"].as_u64().unwrap()).collect();
    numbers.sort_unstable();
    let all = numbers.len();
    numbers.dedup();
    assert_eq!(numbers.len(), all, "a trial number occurs twice");
    ended
        .iter()
        .map(|entry| {
            let kind = match &entry["outcome"] {
                serde_json::Value::String(word) => word.clone(),
                other => other.as_object().unwrap().keys().next().unwrap().clone(),
            };
            (entry["commit"].as_str().unwrap().to_owned(), entry["n"].as_u64().unwrap(), kind)
        })
        .collect()
}

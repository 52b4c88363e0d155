//! Builds of commits: runs the job's build command, or builds Linux by itself (`linux`), and keeps what comes of it.
//!
//! Owns the command's placeholders and surroundings, the disk it may use, the store of kernels and their signatures. Checkouts are
//! `git`'s; which commit is built when, and how often, the session decides.

pub mod linux;
pub mod patches;
pub mod placeholders;
pub mod room;
pub mod signature;
pub mod store;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use kbisect_core::commit::CommitId;
use tempfile::TempDir;

use self::placeholders::Placeholders;
use self::room::Beyond;
use self::room::Room;
use self::store::Store;
use crate::process;
use crate::process::Exit;
use crate::process::Finish;
use crate::process::Task;
use crate::process::jail::Jail;
use crate::record::event::BuildResult;

/// What is kept of a build's output.
const OUTPUT: usize = 1 << 20;
/// Lines of it that a failure is told with.
const LINES: usize = 12;
/// With less than this left, a failed build is the disk's fault.
const FULL: u64 = 1 << 20;

/// How commits are built.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What is done.
    pub recipe: Recipe,
    /// A build that runs longer has failed.
    pub time_limit: Duration,
    /// CPUs that one build may use.
    pub jobs: u32,
    /// Where kernels are kept: `kernels/` of the run directory.
    pub store: PathBuf,
    /// For output folders and temporary files, on the store's file system.
    pub work: PathBuf,
    /// The disk that may be used.
    pub room: Room,
    /// The folder of a compiler cache that builds may write into; none: no ccache is used.
    pub cache: Option<PathBuf>,
}

/// What builds a commit.
#[derive(Debug, Clone)]
pub enum Recipe {
    /// Program and arguments; `{src} {out} {jobs} {commit}` are filled in; no shell.
    Command(Vec<String>),
    /// The commits are of Linux.
    Linux(Box<linux::Recipe>),
}

impl Recipe {
    /// How Linux is built; none where the job has a command of its own.
    pub fn linux(&self) -> Option<&linux::Recipe> {
        match self {
            Self::Command(_) => None,
            Self::Linux(linux) => Some(linux),
        }
    }
}

/// A build that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// How it ended.
    pub result: BuildResult,
    /// The end of what it said.
    pub output: Vec<u8>,
    /// It failed, and what earlier builds have left may be to blame: a clean build may do better.
    pub odd: bool,
}

impl Settings {
    /// Runs a build's program within the disk's limit. It writes into some folders of its `own`, and for output and temporary files.
    async fn execute(&self, task: &Task, limit: Duration, own: &[&Path]) -> Result<(Finish, Vec<u8>), BuildResult> {
        let own = [own, &[&self.work]].concat();
        match self.room.within(&own, process::run(task, limit, OUTPUT)).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err(BuildResult::Infra(error.to_string())),
            Err(Beyond::Run(why)) => Err(BuildResult::Infra(why)),
            Err(Beyond::Build(why)) => Err(BuildResult::Failed(why)),
            Err(Beyond::Others(why)) => {
                let removed = linux::tree::remove_idle(&self.room.work);
                let more = if removed { "; object trees that nobody builds in were removed" } else { "" };
                Err(BuildResult::Infra(format!("{why}{more}")))
            }
        }
    }
}

/// Builds `commit`, which is checked out at `src`: no network, and nothing but `src`, `{out}` and temporary files (and a ccache,
/// where there is one) can be written; a build of Linux writes into its object tree instead of `src`. `changed` tells what differs
/// between another commit and this one, where that can be told. Dropping the future ends the build.
pub async fn run(
    settings: &Settings,
    src: &Path,
    commit: &CommitId,
    changed: impl Fn(&CommitId) -> Option<Vec<String>>,
) -> Finished {
    let mut used = settings.room.used();
    let excess = settings.room.excess(used);
    if excess > 0 {
        // Where nothing can be removed, what follows says so.
        let _ = Store::new(settings.store.clone()).make_room(excess);
        used = settings.room.used();
    }
    if let Some(lack) = settings.room.lack_with(used) {
        return Finished { result: BuildResult::Infra(lack), output: Vec::new(), odd: false };
    }
    match &settings.recipe {
        Recipe::Command(command) => run_command(settings, command, src, commit).await,
        Recipe::Linux(recipe) => linux::run(settings, recipe, src, commit, changed).await,
    }
}

async fn run_command(settings: &Settings, command: &[String], src: &Path, commit: &CommitId) -> Finished {
    let ended = |result: BuildResult, output: Vec<u8>| {
        let odd = matches!(result, BuildResult::Failed(_));
        Finished { result, output, odd }
    };
    let (out, tmp) = match folders(&settings.work) {
        Ok(folders) => folders,
        Err(error) => {
            let why = format!("cannot make a folder in `{}`: {error}", settings.work.display());
            return ended(BuildResult::Infra(why), Vec::new());
        }
    };
    let places = Placeholders { src, out: out.path(), jobs: settings.jobs, commit };
    let mut writable = vec![src.to_owned(), out.path().to_owned(), tmp.path().to_owned()];
    writable.extend(settings.cache.clone());
    let mut task = Task::new(places.fill(command), src, Jail::build(writable)).env("TMPDIR", tmp.path());
    if let Some(cache) = &settings.cache {
        // The caller's own cache and its settings are for what the caller trusts.
        task = task.env("CCACHE_DIR", cache).env("CCACHE_CONFIGPATH", "/dev/null");
    }
    // Kernels of equal code are equal then. The caller's own choice wins.
    for (key, value) in [("TIMESTAMP", "@0"), ("USER", "kbisect"), ("HOST", "kbisect")] {
        let key = format!("KBUILD_BUILD_{key}");
        if std::env::var_os(&key).is_none() {
            task = task.env(key, value);
        }
    }
    let (finish, output) = match settings.execute(&task, settings.time_limit, &[src]).await {
        Ok(done) => done,
        Err(result) => return ended(result, Vec::new()),
    };
    let result = match finish {
        Finish::Exit(Exit::Code(0)) => kept(settings, out, None, Vec::new()).await,
        Finish::TimeLimit => BuildResult::Failed(format!("the build ran longer than {} s", settings.time_limit.as_secs_f64())),
        Finish::Exit(exit) => {
            let told = format!("the build ended with {exit}\n{}", last(&output, LINES).join("\n"));
            if is_full(out.path()) || linux::failure::says_disk_full(&String::from_utf8_lossy(&output)) {
                BuildResult::Infra(format!("the disk is full: {told}"))
            } else if matches!(exit, Exit::Signal(9) | Exit::Code(137)) {
                BuildResult::Infra(format!("something killed the build, as the kernel does when memory runs out: {told}"))
            } else {
                BuildResult::Failed(told)
            }
        }
    };
    ended(result, output)
}

/// Folders for output and temporary files of one build.
fn folders(work: &Path) -> io::Result<(TempDir, TempDir)> {
    std::fs::create_dir_all(work)?;
    // Absolute, since the build runs elsewhere.
    let work = work.canonicalize()?;
    let make = |prefix| tempfile::Builder::new().prefix(prefix).tempdir_in(&work);
    Ok((make("out-")?, make("tmp-")?))
}

/// Moves what a compiler built into the store; `lost` are symbols that its configuration should have.
async fn kept(settings: &Settings, out: TempDir, compiler: Option<String>, lost: Vec<String>) -> BuildResult {
    if !out.path().join("kernel").is_file() {
        return BuildResult::Failed("the build ended well but left no file `kernel` in {out}".to_owned());
    }
    let store = Store::new(settings.store.clone());
    let kept = tokio::task::spawn_blocking(move || {
        if let Some(strange) = store::strange(out.path())? {
            return Ok(Err(strange));
        }
        let signature = signature::of_vmlinux(&out.path().join("vmlinux"));
        store.keep(out).map(|name| Ok((name, signature)))
    });
    match kept.await {
        Ok(Ok(Ok((kernel, signature)))) => BuildResult::Built { kernel: Some(kernel), signature, compiler, lost },
        Ok(Ok(Err(strange))) => BuildResult::Failed(format!("the build ended well, but {strange}")),
        Ok(Err(error)) => BuildResult::Infra(format!("cannot keep what was built: {error}")),
        Err(error) => BuildResult::Infra(format!("keeping what was built broke off: {error}")),
    }
}

/// Whether next to nothing is free where a folder is.
fn is_full(out: &Path) -> bool {
    rustix::fs::statvfs(out).is_ok_and(|found| found.f_bavail.saturating_mul(found.f_frsize) < FULL)
}

/// The last lines of some output that are not empty.
fn last(output: &[u8], count: usize) -> Vec<String> {
    let text = String::from_utf8_lossy(output);
    let lines: Vec<String> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    lines[lines.len().saturating_sub(count)..].to_vec()
}

/// What a failed build is called where it is the target: the first error's text, out of what was said.
pub fn failure_title(why: &str) -> String {
    let error =
        why.lines().find(|line| line.contains("error:")).or_else(|| why.lines().rev().find(|line| !line.trim().is_empty()));
    // The place (`file:line:column:`) moves from commit to commit; the words after it do not.
    let words = error.unwrap_or("unknown error").trim();
    let words = words.split_once("error:").map_or(words, |(_, words)| words.trim());
    format!("build error: {words}")
}

/// The last `count` lines of some output that are not empty, as one line for people.
pub fn last_lines(output: &[u8], count: usize) -> String {
    last(output, count).join(" | ")
}

//! Builds of commits: runs the job's build command and keeps what it makes.
//!
//! Owns the command's placeholders and surroundings, the disk it may use, the store of kernels and their signatures. Checkouts are
//! `git`'s; which commit is built when, and how often, the session decides.

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
    /// Program and arguments; `{src} {out} {jobs} {commit}` are filled in; no shell.
    pub command: Vec<String>,
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
}

/// A build that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// How it ended.
    pub result: BuildResult,
    /// The end of what it said.
    pub output: Vec<u8>,
}

/// Builds `commit`, which is checked out at `src`: no network, and nothing but `src`, `{out}` and temporary files (and a ccache,
/// where there is one) can be written. Dropping the future ends the build.
pub async fn run(settings: &Settings, src: &Path, commit: &CommitId) -> Finished {
    let infra = |reason: String| Finished { result: BuildResult::Infra(reason), output: Vec::new() };
    if let Some(lack) = settings.room.lack() {
        return infra(lack);
    }
    let (out, tmp) = match folders(&settings.work) {
        Ok(folders) => folders,
        Err(error) => return infra(format!("cannot make a folder in `{}`: {error}", settings.work.display())),
    };
    let places = Placeholders { src, out: out.path(), jobs: settings.jobs, commit };
    let mut writable = vec![src.to_owned(), out.path().to_owned(), tmp.path().to_owned()];
    writable.extend(ccache());
    let mut task = Task::new(places.fill(&settings.command), src, Jail::build(writable)).env("TMPDIR", tmp.path());
    // Kernels of equal code are equal then. The caller's own choice wins.
    for (key, value) in [("TIMESTAMP", "@0"), ("USER", "kbisect"), ("HOST", "kbisect")] {
        let key = format!("KBUILD_BUILD_{key}");
        if std::env::var_os(&key).is_none() {
            task = task.env(key, value);
        }
    }
    let (finish, output) = match settings.room.within(process::run(&task, settings.time_limit, OUTPUT)).await {
        Ok(Ok(done)) => done,
        Ok(Err(error)) => return infra(error.to_string()),
        Err(Beyond::Run(why)) => return infra(why),
        Err(Beyond::Build(why)) => return Finished { result: BuildResult::Failed(why), output: Vec::new() },
    };
    let result = match finish {
        Finish::Exit(Exit::Code(0)) => keep(settings, out).await,
        Finish::TimeLimit => BuildResult::Failed(format!("the build ran longer than {} s", settings.time_limit.as_secs_f64())),
        Finish::Exit(exit) => {
            let told = format!("the build ended with {exit}\n{}", last(&output, LINES).join("\n"));
            if disk_full(&output, out.path()) {
                BuildResult::Infra(format!("the disk is full: {told}"))
            } else if matches!(exit, Exit::Signal(9) | Exit::Code(137)) {
                BuildResult::Infra(format!("something killed the build, as the kernel does when memory runs out: {told}"))
            } else {
                BuildResult::Failed(told)
            }
        }
    };
    Finished { result, output }
}

/// Folders for output and temporary files of one build.
fn folders(work: &Path) -> io::Result<(TempDir, TempDir)> {
    std::fs::create_dir_all(work)?;
    // Absolute, since the build runs elsewhere.
    let work = work.canonicalize()?;
    let make = |prefix| tempfile::Builder::new().prefix(prefix).tempdir_in(&work);
    Ok((make("out-")?, make("tmp-")?))
}

/// Moves what was built into the store.
async fn keep(settings: &Settings, out: TempDir) -> BuildResult {
    if !out.path().join("kernel").is_file() {
        return BuildResult::Failed("the build ended well but left no file `kernel` in {out}".to_owned());
    }
    let store = Store::new(settings.store.clone());
    let kept = tokio::task::spawn_blocking(move || {
        let signature = signature::of_vmlinux(&out.path().join("vmlinux"));
        store.keep(out).map(|name| (name, signature))
    });
    match kept.await {
        Ok(Ok((kernel, signature))) => BuildResult::Built { kernel: Some(kernel), signature },
        Ok(Err(error)) => BuildResult::Infra(format!("cannot keep what was built: {error}")),
        Err(error) => BuildResult::Infra(format!("keeping what was built broke off: {error}")),
    }
}

/// Compiler caches may be written: what they hold is checked by what goes in.
fn ccache() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = set("HOME")?;
    [set("CCACHE_DIR"), Some(home.join(".cache/ccache")), Some(home.join(".ccache"))]
        .into_iter()
        .flatten()
        .find(|path| path.is_dir())
}

fn disk_full(output: &[u8], out: &Path) -> bool {
    let free = rustix::fs::statvfs(out).map_or(u64::MAX, |found| found.f_bavail.saturating_mul(found.f_frsize));
    free < FULL || String::from_utf8_lossy(output).contains("No space left on device")
}

/// The last lines of some output that are not empty.
fn last(output: &[u8], count: usize) -> Vec<String> {
    let text = String::from_utf8_lossy(output);
    let lines: Vec<String> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    lines[lines.len().saturating_sub(count)..].to_vec()
}

/// The last `count` lines of some output that are not empty, as one line for people.
pub fn last_lines(output: &[u8], count: usize) -> String {
    last(output, count).join(" | ")
}

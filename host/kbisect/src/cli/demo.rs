//! `kbisect demo`: writes a history with a planted bug, and bisects it for real.
//!
//! Owns what is said at the end. The histories are `pocket`'s and `linux_demo`'s.

mod linux;
mod pocket;

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::time::Instant;

use super::run::Show;
use crate::config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::exit::Exit;
use crate::record::duration;
use crate::session;

/// Write a kernel's history with a planted bug, and bisect it with real git, cc, QEMU and plugins
///
/// The history has about 400 commits of a kernel that boots in a tenth of a second: merges, releases, one culprit whose bug shows
/// only under some schedules, a stretch that does not build, one that does not boot, and two bugs that have nothing to do with the
/// culprit: one shows now and then, the other every second time on part of the history. The exit status is 0 only if the commit that
/// is named is the one that was planted.
///
/// With --linux it is a history of real Linux: small changes, headers among them, on top of the distribution's sources, with a race
/// that crashes in most trials, a warning now and then, and a stretch that does not build. The kernel is built and booted as anybody's.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Chooses the history: which bug, where, and everything around it
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Bisect a real Linux, of the distribution's package linux-source or of --tree. Ten minutes on two CPUs
    #[arg(long, conflicts_with_all = ["repro_rate", "stray_rate", "second_rate"])]
    linux: bool,

    /// The sources of Linux 6.1 or later, a folder or an archive; only read. Default: the newest /usr/src/linux-source-*
    #[arg(long, value_name = "PATH", requires = "linux")]
    tree: Option<PathBuf>,

    /// How many commits the history of Linux has, from 20 to 90
    #[arg(long, value_name = "N", requires = "linux", default_value_t = 60)]
    commits: usize,

    /// How commits are chosen; `git` makes git's choices, with as many trials as the flake policy wants
    #[arg(long, value_name = "posterior|git", value_parser = ["posterior", "git"], default_value = "posterior")]
    strategy: String,

    /// The flake policy, which says when a commit had enough trials
    #[arg(long, value_name = "sequential|syzkaller-rule", value_parser = ["sequential", "syzkaller-rule"], default_value = "sequential")]
    policy: String,

    /// Share of the kernel's schedules that show the bug: how flaky it is, 1 is always
    #[arg(long, value_name = "R", default_value_t = 0.7)]
    repro_rate: f64,

    /// Share of the kernel's schedules that show another, unrelated bug
    #[arg(long, value_name = "Q", default_value_t = 0.05)]
    stray_rate: f64,

    /// Share of the kernel's schedules that show a second unrelated bug, which commits on both sides of the culprit have
    #[arg(long, value_name = "Q", default_value_t = 0.5)]
    second_rate: f64,

    /// Keep the history and the run in this new directory, as `linux` and `run`; `kbisect log DIR/run` then shows the run
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,

    #[command(flatten)]
    show: Show,
}

/// A history that was written.
struct Written {
    /// The job's file.
    job: PathBuf,
    /// The planted commit and its subject.
    culprit: (String, String),
    /// How many commits there are.
    commits: usize,
}

/// Writes a history, bisects it, and compares.
pub fn run(args: &Args) -> Result<Exit, Error> {
    let scratch;
    let place = if let Some(keep) = &args.keep {
        fs::create_dir_all(keep).map_err(|error| Error::user(format!("cannot create `{}`: {error}", keep.display())))?;
        keep.clone()
    } else {
        scratch =
            tempfile::tempdir().map_err(|error| Error::infrastructure(format!("cannot make a temporary folder: {error}")))?;
        scratch.path().to_owned()
    };
    let place = std::path::absolute(&place).map_err(|error| Error::user(format!("`{}`: {error}", place.display())))?;
    let started = Instant::now();
    let written = if args.linux { linux::write(&place, args)? } else { pocket::write(&place, args)? };
    let job = config::read(&written.job).map_err(|problems| Error::internal(problems.to_string()))?;
    let finished = session::begin(job, &[], &place.join("run"), args.show.display())?;
    if args.keep.is_some() {
        args.show.files(&finished);
    }
    let named = finished.report.as_ref().and_then(|report| report.named.as_ref());
    let (culprit, subject) = &written.culprit;
    let right = named.is_some_and(|named| named.text.commit.to_string() == *culprit);
    let verdict = format!(
        "planted {} (\"{subject}\"): {}   {} commits, {}\n",
        &culprit[..12],
        match (right, named) {
            (true, _) => "found",
            (false, Some(_)) => "NOT found: another commit was named",
            (false, None) => "NOT found: no commit was named",
        },
        written.commits,
        duration::short(started.elapsed().as_secs_f64()),
    );
    args.show.tell(&verdict)?;
    match (right, finished.exit) {
        (true, exit) => Ok(exit),
        (false, Exit::Success) => Err(Error::new(ErrorKind::Internal, "the commit that was named is not the planted one")
            .hint("to see why: the same with --keep DIR, then kbisect log DIR/run")),
        (false, exit) => Ok(exit),
    }
}

/// Writes a file of the demo.
fn put(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(|error| Error::infrastructure(format!("cannot write `{}`: {error}", path.display())))
}

//! `kbisect run`: a bisection, from a job file or from a command line like `git bisect run`'s.

use std::io;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use kbisect_core::bisector::Strategy;

use crate::config;
use crate::config::CommandLine;
use crate::config::Host;
use crate::config::Settled;
use crate::config::job::CountAs;
use crate::error::Error;
use crate::exit::Exit;
use crate::git::Repository;
use crate::session;
use crate::session::Assume;
use crate::session::Display;
use crate::session::Finished;

const EXAMPLES: &str = "\
Examples:
  kbisect run job.toml
      build, boot and test kernels as the job file says
  kbisect run --bad HEAD --good v6.10 -- ./test.sh
      like: git bisect start HEAD v6.10 && git bisect run ./test.sh
  kbisect run --bad HEAD --good v6.10 --build 'make -j8' --slots 2 -- ./test.sh arg
      build once for each commit and checkout, test two at a time
  kbisect run --bad v6.12 --time-limit 30s --on-timeout bad -- ./test.sh
      no good commit known: go back through the release tags; a hang is bad

The script may lie outside of the history: untracked, or with its whole path.
After it: kbisect status DIR, kbisect log DIR, and less DIR/report.txt.";

/// Find the commit that broke something, also where it breaks only now and then
///
/// With a job file, kernels are built and booted as the file says (`kbisect check JOB.toml` shows what that comes to). With
/// `-- CMD`, CMD is run at each commit in a checkout of its own, as `git bisect run CMD` would: exit status 0 is good, 125 says
/// nothing, 1 to 127 else is bad. Unlike git, kbisect tests flaky commits again, says how sure it is, and leaves your repository and
/// work tree alone.
///
/// Everything is kept in one directory (--out): the report, the log, every console. Ctrl-C stops, `kbisect resume` goes on.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The job file (README lists its keys)
    #[arg(value_name = "JOB.toml", required_unless_present_any = ["bad", "good", "command"], conflicts_with_all = ["bad", "command"])]
    job: Option<PathBuf>,

    /// Where to keep the run; a new directory. Default: `bisect-` and the bad commit or the job file's name
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// A commit that is bad: hash, tag, branch, HEAD, or the title of a commit
    #[arg(long, value_name = "COMMIT", requires = "command")]
    bad: Option<String>,

    /// A commit that is good; may be given several times. Default: the release tags are tried, newest first, until one is good
    #[arg(long, value_name = "COMMIT", requires = "bad")]
    good: Vec<String>,

    /// The repository; it is only read. Default: the one you are in
    #[arg(long, value_name = "DIR", requires = "bad")]
    repo: Option<PathBuf>,

    /// End CMD after this long, such as 90s or 5m. Default: 5m
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "bad")]
    time_limit: Option<Duration>,

    /// How many trials run side by side, each in a checkout of its own. Default: 1
    #[arg(long, value_name = "N", requires = "bad")]
    slots: Option<u32>,

    /// A shell command that builds a commit, run once for each commit and checkout. If it fails, the commit is skipped
    #[arg(long, value_name = "CMD", requires = "bad")]
    build: Option<String>,

    /// Remove untracked files, build products too, before every trial. Default: they stay, as under git bisect
    #[arg(long, requires = "bad")]
    clean: bool,

    /// What it means that CMD ran into the time limit; `void` says nothing. Default: void
    #[arg(long, value_name = "good|bad|void", value_parser = count_as, requires = "bad")]
    on_timeout: Option<CountAs>,

    /// What it means that CMD died of a signal, or exited with 128 or more; `void` says nothing. Default: void
    #[arg(long, value_name = "good|bad|void", value_parser = count_as, requires = "bad")]
    on_signal: Option<CountAs>,

    /// How to choose commits: `posterior` knows that tests are flaky; `git` is git's own way, one trial each, the ends untested. Default: posterior
    #[arg(long, value_name = "posterior|git", value_parser = strategy, requires = "bad")]
    strategy: Option<Strategy>,

    #[command(flatten)]
    assume: Assumptions,

    #[command(flatten)]
    show: Show,

    /// The command and its arguments; no shell is put between
    #[arg(last = true, value_name = "CMD", requires = "bad")]
    command: Vec<String>,
}

/// Verdicts that need no trial.
#[derive(Debug, clap::Args)]
pub struct Assumptions {
    /// Take a verdict for granted: `good=COMMIT`, `bad=COMMIT` or `skip=COMMIT`; may be given several times. The commit is not
    /// tested; `kbisect undo DIR COMMIT` takes it back
    #[arg(long = "assume", value_name = "VERDICT=COMMIT", value_parser = Assume::parse)]
    pub assume: Vec<Assume>,
}

/// What is shown while a run goes on.
#[derive(Debug, clap::Args)]
pub struct Show {
    /// Show nothing but the result
    #[arg(long, conflicts_with = "json")]
    quiet: bool,

    /// Write every event as a line of JSON to standard output, and nothing else there; the one value is `-`
    #[arg(long, value_name = "-", value_parser = ["-"], hide_possible_values = true)]
    json: Option<String>,
}

impl Show {
    /// The choice.
    pub fn display(&self) -> Display {
        match (&self.json, self.quiet) {
            (Some(_), _) => Display::Json,
            (None, true) => Display::Quiet,
            (None, false) => Display::Lines,
        }
    }

    /// Says where a run that has its answer is kept.
    pub fn files(&self, finished: &Finished) {
        if self.display() == Display::Lines && finished.report.is_some() {
            // Nothing is left to say where standard error is gone.
            let _ = writeln!(io::stderr(), "files   {}", session::shown(&finished.directory));
        }
    }

    /// Says something beside the run's own output, where that does not disturb.
    pub fn tell(&self, text: &str) -> Result<(), Error> {
        if self.display() == Display::Json { Ok(()) } else { super::print(text) }
    }
}

/// Runs a bisection.
pub fn run(args: &Args) -> Result<Exit, Error> {
    let (settled, name) = match &args.job {
        Some(path) => {
            (from_file(path)?, path.file_stem().map_or_else(|| "job".to_owned(), |stem| stem.to_string_lossy().into_owned()))
        }
        None => {
            let settled = from_command_line(args)?;
            let name = settled
                .job
                .bad
                .chars()
                .map(|letter| if letter.is_ascii_alphanumeric() || "._-".contains(letter) { letter } else { '-' })
                .collect();
            (settled, name)
        }
    };
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("bisect-{name}")));
    let finished = session::begin(settled, &args.assume.assume, &out, args.show.display())?;
    args.show.files(&finished);
    Ok(finished.exit)
}

fn from_file(path: &Path) -> Result<Settled, Error> {
    config::read(path).map_err(|problems| Error::user(problems.to_string()))
}

fn from_command_line(args: &Args) -> Result<Settled, Error> {
    let line = CommandLine {
        repo: args.repo.clone(),
        bad: args.bad.clone().unwrap_or_default(),
        good: args.good.clone(),
        time_limit: args.time_limit,
        slots: args.slots,
        build: args.build.clone(),
        clean: args.clean,
        on_timeout: args.on_timeout,
        on_signal: args.on_signal,
        strategy: args.strategy,
        command: args.command.clone(),
    };
    settle(&line)
}

/// The job of a command that tests what a log of another bisection has left.
pub(super) fn command_job(repo: Option<PathBuf>, bad: &str, good: &[String], command: &[String]) -> Result<Settled, Error> {
    settle(&CommandLine { repo, bad: bad.to_owned(), good: good.to_vec(), command: command.to_vec(), ..CommandLine::default() })
}

fn settle(line: &CommandLine) -> Result<Settled, Error> {
    let repository = Repository::open(line.repo.as_deref().unwrap_or(Path::new(".")))?;
    let own = |path: &Path| repository.is_untracked(path);
    line.job(&Host::here(), &own).map_err(|problems| Error::user(problems.to_string()))
}

fn duration(text: &str) -> Result<Duration, String> {
    config::duration::parse(text)
}

fn count_as(text: &str) -> Result<CountAs, String> {
    match text {
        "good" => Ok(CountAs::Good),
        "bad" => Ok(CountAs::Bad),
        "void" => Ok(CountAs::Void),
        _ => Err("expected `good`, `bad` or `void`".to_owned()),
    }
}

fn strategy(text: &str) -> Result<Strategy, String> {
    match text {
        "posterior" => Ok(Strategy::Posterior),
        "git" => Ok(Strategy::Git),
        _ => Err("expected `posterior` or `git`".to_owned()),
    }
}

//! `kbisect import`: a run made of a bisection log, of git's own or of syzbot's.

use std::fmt::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Strategy;
use kbisect_core::crash::CrashReport;
use kbisect_core::policy::Failure;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Role;
use kbisect_core::policy::Stage;
use kbisect_core::policy::Verdict;

use super::run;
use crate::config;
use crate::config::Settled;
use crate::config::job::Expect;
use crate::error::Error;
use crate::exit::Exit;
use crate::git::Repository;
use crate::gitlog;
use crate::gitlog::Mark;
use crate::plugin::facts::NoFacts;
use crate::policy::Notice;
use crate::policy::Policies;
use crate::record::counted;
use crate::replay;
use crate::replay::Account;
use crate::replay::History;
use crate::session;
use crate::session::Assume;
use crate::session::Elsewhere;
use crate::session::Seen;
use crate::syzbot;
use crate::syzbot::Log;

/// So many warnings are told one by one.
const WARNINGS: usize = 5;

const EXAMPLES: &str = "\
Examples:
  kbisect import bisect.txt
      one of syzbot's logs, without the kernel: its trials, and what they come to today
  kbisect import bisect.txt --job job.toml --out run
      the same as the beginning of a run; job.toml names the repository and says how to
      build and test
  git bisect log > log; kbisect import log --repo . -- ./test.sh
      take the verdicts of a git bisection for granted, and go on with ./test.sh
Then: kbisect explain DIR, kbisect log DIR, kbisect replay DIR;
with a repository also kbisect undo DIR COMMIT, kbisect resume DIR.";

/// Make a run out of a bisection log, to look into it or to go on from there
///
/// Of syzbot's logs the trials are taken over as evidence, their titles related to the start commit's by today's classifiers. Without a
/// repository the run is the record of the log, to look into; what lies between the tested commits is not known then. Of git's own log
/// (`git bisect log`, or .git/BISECT_LOG) the verdicts are taken for granted: nothing of it is tested again unless you take it back. The
/// commits come from the log; how to build and test comes from the job file or from `-- CMD`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The log, or a run that was made of one of syzbot's
    #[arg(value_name = "LOG")]
    log: PathBuf,

    /// A job file that says how to build and test; its `bad` and `good` give way to the log's
    #[arg(long, value_name = "JOB.toml", conflicts_with_all = ["repo", "command"])]
    job: Option<PathBuf>,

    /// The repository, where there is no job file; it is only read
    #[arg(long, value_name = "DIR", requires = "command")]
    repo: Option<PathBuf>,

    /// Where to keep the run; a new directory. Default: `bisect-` and the log's name
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// The command that tests a commit, as for `kbisect run`
    #[arg(last = true, value_name = "CMD", requires = "repo")]
    command: Vec<String>,
}

/// Makes the run and says what it is.
pub fn run(args: &Args) -> Result<Exit, Error> {
    let out = args.out.clone().unwrap_or_else(|| {
        let name = args.log.file_stem().map_or_else(|| "log".to_owned(), |stem| stem.to_string_lossy().into_owned());
        PathBuf::from(format!("bisect-{name}"))
    });
    if args.log.is_dir() {
        return from_syzbot(args, session::imported_log(&args.log)?, &out);
    }
    let bytes = syzbot::bytes_of(&args.log)?;
    let of_syzbot = match syzbot::of_bytes(&bytes) {
        Ok(log) => return from_syzbot(args, log, &out),
        Err(error @ syzbot::Error::Binary) => return Err(refused(args, &error.to_string())),
        Err(error) => error,
    };
    match (gitlog::read(&String::from_utf8_lossy(&bytes)), of_syzbot) {
        (Err(gitlog::Error::NotALog { first }), syzbot::Error::NoAim { .. }) => Err(refused(
            args,
            &format!("neither a log of `git bisect` nor one of syzbot's bisections; the first line is `{first}`"),
        )
        .hint("git's is printed by `git bisect log`; syzbot's begins with `bisecting cause commit starting from …`")),
        (Err(gitlog::Error::Empty), of_syzbot) => Err(refused(args, &of_syzbot.to_string())),
        (Err(error), _) => Err(refused(args, &error.to_string())),
        (Ok(log), _) => from_git(args, &log, &out),
    }
}

fn refused(args: &Args, what: &str) -> Error {
    Error::user(format!("{}: {what}", args.log.display()))
}

/// The job with the log's commits.
fn job(args: &Args, bad: &str, good: &[String], kind: Kind) -> Result<Settled, Error> {
    let mut settled = match &args.job {
        Some(path) => config::read(path).map_err(|problems| Error::user(problems.to_string()))?,
        None => run::command_job(args.repo.clone(), bad, good, &args.command)?,
    };
    settled.job.bad = bad.to_owned();
    settled.job.good = good.to_vec();
    settled.job.kind = kind;
    Ok(settled)
}

fn repository(args: &Args) -> Result<Repository, Error> {
    let path = match &args.job {
        Some(path) => config::read(path).map_err(|problems| Error::user(problems.to_string()))?.job.repo,
        None => args.repo.clone().unwrap_or_else(|| PathBuf::from(".")),
    };
    Ok(Repository::open(&path)?)
}

fn from_git(args: &Args, log: &gitlog::Log, out: &Path) -> Result<Exit, Error> {
    if args.job.is_none() && args.repo.is_none() {
        return Err(refused(args, "git's log tells verdicts and no trials: without the repository nothing follows from them")
            .hint(format!("kbisect import {0} --repo DIR -- CMD, or kbisect import {0} --job JOB.toml", args.log.display())));
    }
    let repository = repository(args)?;
    let marks = marks(args, log, &repository)?;
    let kind = if log.looks_for_a_fix() { Kind::Fix } else { Kind::Cause };
    let of = |mark: Mark| marks.iter().filter(move |(one, _)| *one == mark).map(|(_, commit)| commit.clone());
    // To git a fix is what its bad side has: that is our good end, and what crashes is where its good side begins.
    let first = |mark: Mark| of(mark).next();
    let nothing_crashes = || refused(args, &format!("no commit is marked {}: nothing says where it crashes", log.terms.0));
    let (bad, good) = match kind {
        Kind::Cause => {
            let at_start: Vec<String> = of(Mark::Good).take(log.good_at_start.max(1)).collect();
            (first(Mark::Bad).ok_or_else(nothing_crashes)?, at_start)
        }
        Kind::Fix => (first(Mark::Good).ok_or_else(nothing_crashes)?, first(Mark::Bad).into_iter().collect()),
    };
    let settled = job(args, &bad, &good, kind)?;
    // Where nothing says which crash it is, the start commit's trials must.
    let learns = settled.job.trial.expect == Expect::Crash && settled.job.title.is_none() && settled.job.crash.is_none();
    let verdict = |mark: Mark| match mark.turned(kind) {
        Mark::Good => Verdict::Good,
        Mark::Bad => Verdict::Bad,
        Mark::Skip => Verdict::Skip("git was told to skip it".to_owned()),
    };
    let assume: Vec<Assume> = marks
        .iter()
        .filter(|(_, commit)| !(learns && *commit == bad))
        .map(|(mark, commit)| Assume { name: commit.clone(), verdict: verdict(*mark) })
        .collect();
    let imported = session::import_verdicts(settled, &assume, out)?;
    let mut text = format!("imported a log of git bisect: {}\n", said(&marks, &log.terms));
    if kind == Kind::Fix {
        let _ = writeln!(
            text,
            "terms   `{}` is read as crashing, `{}` as no longer crashing: a fix is looked for",
            log.terms.0, log.terms.1
        );
    }
    if log.first_parent {
        text.push_str("note    the log followed first parents only; kbisect looks at side branches, too\n");
    }
    if !log.paths.is_empty() {
        let _ = writeln!(text, "note    the log looked only at {}; kbisect looks at every commit", log.paths.join(" "));
    }
    if learns {
        text.push_str("note    the start commit is tested first: nothing else says which crash it is\n");
    }
    if let Some(first_bad) = &log.first_bad {
        let _ = writeln!(text, "answer  of the log: {}", &first_bad[..first_bad.len().min(12)]);
    }
    finish(&text, &imported, out)
}

/// The log's marks with the commits that they mean, each once: to git a verdict counts more than a skip, whatever names were used.
fn marks(args: &Args, log: &gitlog::Log, repository: &Repository) -> Result<Vec<(Mark, String)>, Error> {
    let mut marks = gitlog::Marks::default();
    for marked in &log.marks {
        let commit = repository.resolve(&marked.name).map_err(|error| {
            let error = Error::from(error);
            let mut located = refused(args, &format!("line {}: {}", marked.line, error.message));
            located.hints = error.hints;
            located
        })?;
        marks.add(commit.to_string(), marked.clone()).map_err(|error| refused(args, &error.to_string()))?;
    }
    Ok(marks.into_marked().map(|(commit, marked)| (marked.mark, commit)).collect())
}

fn said(marks: &[(Mark, String)], terms: &(String, String)) -> String {
    let count = |mark: Mark| marks.iter().filter(|(one, _)| *one == mark).count();
    let (good, bad, skip) = (count(Mark::Good), count(Mark::Bad), count(Mark::Skip));
    format!("{good} {}, {bad} {}, {skip} skipped, taken for granted", terms.0, terms.1)
}

fn from_syzbot(args: &Args, log: Log, out: &Path) -> Result<Exit, Error> {
    if args.job.is_none() && args.repo.is_none() {
        return recorded(&log, out);
    }
    let repository = repository(args)?;
    let tests: Vec<Elsewhere> = log.tests().iter().filter_map(elsewhere).collect();
    for test in &tests {
        repository.resolve(&test.commit.to_string())?;
    }
    let settled = job(args, &log.start.to_string(), &[], log.kind)?;
    let text = taken_over(&log);
    let imported = session::import_trials(settled, log, &tests, out)?;
    finish(&text, &imported, out)
}

/// What was found in the log.
fn taken_over(log: &Log) -> String {
    let tests = log.tests();
    let trials: usize = tests.iter().map(|test| test.runs.len()).sum();
    let run = tests.iter().filter(|test| !test.runs.is_empty() || test.build_failed.is_some()).count();
    let (trials, commits) = (counted(trials as u64, "trial"), counted(run as u64, "test"));
    let mut text = format!("imported a log of syzbot: {trials} in {commits} of commits, taken over as evidence\n");
    for warning in log.warnings.iter().take(WARNINGS) {
        let _ = writeln!(text, "warning {warning}");
    }
    if log.warnings.len() > WARNINGS {
        let _ = writeln!(text, "warning and {} more; kbisect log DIR --format json has all", log.warnings.len() - WARNINGS);
    }
    text
}

/// Keeps a log as it is, with what today's plugins make of it: nobody has the repository.
fn recorded(log: &Log, out: &Path) -> Result<Exit, Error> {
    let notices: Arc<Mutex<Vec<String>>> = Arc::default();
    let sink = Arc::clone(&notices);
    let tell = move |notice: Notice| {
        let told = match notice {
            Notice::Failed { plugin, hook, error, .. } => format!("plugin `{plugin}` failed in {hook}: {error}"),
            Notice::Warned { message } => message,
            Notice::Log { .. } => return,
        };
        sink.lock().unwrap_or_else(PoisonError::into_inner).push(told);
    };
    let policies = Policies::load(&[], Arc::new(NoFacts), Arc::new(tell))?;
    let replay = replay::replay(log, &policies, &History::of_log(log), Strategy::Posterior, Vec::new())?;
    let account = Account::new(&policies, log, &replay, false)?;
    let mut record = account.record(&policies)?;
    record.warnings.append(&mut notices.lock().unwrap_or_else(PoisonError::into_inner));
    session::keep_record(record, out)?;
    let mut text = taken_over(log);
    let _ = writeln!(text, "start   {}", log.start.short());
    text += "range   not known: that takes the repository, and there is only the log\n";
    text += &replay::in_brief(&account);
    let out = out.display();
    let _ = writeln!(text, "to look into it: kbisect explain {out}, kbisect replay {out}, kbisect log {out}");
    super::print(&text)?;
    Ok(Exit::Success)
}

/// What a test of syzbot's says to a run; none where nothing was run.
fn elsewhere(test: &syzbot::Tested) -> Option<Elsewhere> {
    let (role, release) = match &test.place {
        syzbot::Place::Start => (Role::Start, None),
        syzbot::Place::Config => (Role::BaselineConfig, None),
        syzbot::Place::Release(tag) => (Role::Release, Some(tag.clone())),
        syzbot::Place::Head => (Role::GoodEnd, None),
        syzbot::Place::MergeBase => (Role::MergeBase, None),
        syzbot::Place::Step => (Role::Candidate, None),
        syzbot::Place::Parent => return None,
    };
    let crashed = |title: &String| Seen::Crashed(CrashReport::titled(title));
    let mut trials: Vec<Seen> = test
        .runs
        .iter()
        .map(|run| match run {
            syzbot::Run::Ok => Seen::Ended(Outcome::Clean),
            syzbot::Run::Crashed(title) | syzbot::Run::Ignored(title) => crashed(title),
            syzbot::Run::Void(failure) => Seen::Ended(Outcome::Void(failure.clone())),
        })
        .collect();
    if let Some(why) = &test.build_failed {
        let reason = why.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("the build failed").trim().to_owned();
        trials.push(Seen::Ended(Outcome::Void(Failure { stage: Stage::Build, reason })));
    }
    (!trials.is_empty()).then_some(Elsewhere { commit: test.commit, role, release, trials })
}

fn finish(told: &str, imported: &session::Imported, out: &Path) -> Result<Exit, Error> {
    let mut text = told.to_owned();
    let _ = writeln!(text, "start   {}", imported.start.short());
    let summary = &imported.summary;
    match summary.range {
        Some(range) => {
            let _ = writeln!(text, "range   {}, {} left", counted(range as u64, "commit"), summary.left);
        }
        None => text.push_str("range   not known yet\n"),
    }
    let _ = writeln!(text, "to go on: kbisect resume {}", out.display());
    super::print(&text)?;
    Ok(Exit::Success)
}

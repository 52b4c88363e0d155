//! The driver: takes a job from its first trial to its report.
//!
//! Owns the run directory, the loop (`dispatcher`) and what runs under it (`executor`). Decides nothing: the next action is the
//! core's, judgements are the plugins', texts are `record`'s.

mod builder;
mod directory;
mod dispatcher;
mod executor;
mod finish;
mod looks;
mod parts;
mod prepare;
mod signals;
mod state;
mod target;

use std::io::IsTerminal as _;
use std::path::Path;
use std::path::PathBuf;

use kbisect_core::bisector::Conclusion;
use kbisect_core::bisector::Summary;

use self::directory::RunDirectory;
use self::dispatcher::Dispatcher;
use self::dispatcher::Ending;
use self::executor::Executor;
use self::parts::Parts;
use self::parts::journal_error;
use self::signals::Signals;
use self::state::State;
use crate::check;
use crate::config::Settled;
use crate::error::Error;
use crate::exit::Exit;
use crate::process::jail;
use crate::process::ledger;
use crate::record::event::Entry;
use crate::record::event::Event;
use crate::record::journal;
use crate::record::journal::Journal;
use crate::record::json::JsonStream;
use crate::record::recorder::Recorder;
use crate::record::report::Report;
use crate::record::syzlog::SyzLog;
use crate::record::terminal::Terminal;

pub use self::finish::shown;
pub use self::prepare::settle_ends;

/// What is shown while a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Display {
    /// Lines, and on a terminal what is going on, on standard error; the report on standard output.
    Lines,
    /// Only the report.
    Quiet,
    /// Durable events as JSON lines on standard output, and nothing else there.
    Json,
}

/// How a run ended.
#[derive(Debug)]
pub struct Finished {
    /// The exit code that says so.
    pub exit: Exit,
    /// The result, when there is an answer.
    pub report: Option<Report>,
}

/// Begins a run in a new directory and takes it as far as it goes. The job is checked first, as `kbisect check` does.
pub fn begin(settled: Settled, out: &Path, display: Display) -> Result<Finished, Error> {
    let runtime = runtime()?;
    let _inside = runtime.enter();
    let checked = runtime.block_on(check::check(settled, out))?;
    if let Some(error) = checked.obstacle() {
        return Err(error);
    }
    let job = checked.settled.job;
    let settled = prepare::settle(&job)?;
    let directory = RunDirectory::create(out)?;
    let (parts, bisector) = settled.with(job, directory)?;
    parts.freeze()?;
    let journal = Journal::create(&parts.directory.journal()).map_err(|error| journal_error(&error))?;
    let mut recorder = Recorder::new(journal);
    attach(&mut recorder, &parts, display, &[])?;
    let mut state = State::new(bisector);
    ledger::keep_in(parts.directory.children());
    let finished = prepare::first_events(&parts).and_then(|mut events| {
        events.extend(jail::warning().map(|message| Event::Warned { message }));
        events.into_iter().try_for_each(|event| record(&mut recorder, &mut state, event))?;
        runtime.block_on(drive(&parts, &mut state, &mut recorder, display))
    });
    if finished.is_err() && state.trials.is_empty() && state.builds.is_empty() {
        parts.directory.remove();
    }
    finished
}

/// Goes on with a run; `repo` where the repository has moved.
pub fn resume(directory: &Path, repo: Option<PathBuf>, display: Display) -> Result<Finished, Error> {
    let runtime = runtime()?;
    let _inside = runtime.enter();
    let directory = RunDirectory::open(directory)?;
    directory.tidy();
    ledger::keep_in(directory.children());
    let (journal, entries) = Journal::open(&directory.journal()).map_err(|error| journal_error(&error))?;
    let mut job = crate::config::read(&directory.job()).map_err(|problems| Error::user(problems.to_string()))?.job;
    if let Some(repo) = repo {
        job.repo = repo;
    }
    let settled = prepare::settle_again(&job, &entries)?;
    let (parts, bisector) = settled.with(job, directory)?;
    let mut recorder = Recorder::new(journal);
    attach(&mut recorder, &parts, display, &entries)?;
    let mut state = State::new(bisector);
    for entry in &entries {
        state.apply(&entry.event);
    }
    if entries.is_empty() {
        for event in prepare::first_events(&parts)? {
            record(&mut recorder, &mut state, event)?;
        }
    }
    parts.restore(&state, &entries)?;
    if state.concluded.is_none() {
        record(&mut recorder, &mut state, Event::Resumed { version: env!("CARGO_PKG_VERSION").to_owned() })?;
    }
    runtime.block_on(drive(&parts, &mut state, &mut recorder, display))
}

/// A run as its journal tells it, without touching it.
pub struct Past {
    /// Its events.
    pub entries: Vec<Entry>,
    /// Where it stands.
    pub summary: Summary,
    /// The answer, when there is one.
    pub conclusion: Option<Conclusion>,
    /// Whether some process works on it now.
    pub in_use: bool,
}

/// Reads a run; other processes may be working on it.
pub fn look(directory: &Path) -> Result<Past, Error> {
    let entries = entries(directory)?;
    let job = crate::config::read(&directory.join("job.toml")).map_err(|problems| Error::user(problems.to_string()))?.job;
    let settled = prepare::settle_again(&job, &entries)?;
    let mut state = State::new(settled.bisector(&job)?);
    for entry in &entries {
        state.apply(&entry.event);
    }
    Ok(Past {
        entries,
        summary: state.bisector.summary(),
        conclusion: state.concluded.clone(),
        in_use: directory::in_use(directory),
    })
}

/// The events of a run.
pub fn entries(directory: &Path) -> Result<Vec<Entry>, Error> {
    let path = directory.join("journal.jsonl");
    if !path.is_file() {
        return Err(Error::user(format!("`{}` holds no run: there is no journal.jsonl in it", directory.display())));
    }
    journal::read(&path).map_err(|error| journal_error(&error))
}

/// Journals an event, then applies it.
fn record(recorder: &mut Recorder, state: &mut State, event: Event) -> Result<(), Error> {
    let entry = recorder.record(event).map_err(|error| journal_error(&error))?;
    state.apply(&entry.event);
    Ok(())
}

fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .map_err(|error| Error::infrastructure(format!("cannot start threads: {error}")))
}

/// Adds the renderers, and shows them what an earlier process recorded.
fn attach(recorder: &mut Recorder, parts: &Parts, display: Display, past: &[Entry]) -> Result<(), Error> {
    let path = parts.directory.log();
    let log = std::fs::File::create(&path).map_err(|error| directory::failed("create", &path, &error))?;
    recorder.attach(Box::new(SyzLog::new(log)), past);
    match display {
        Display::Lines => recorder.attach(Box::new(Terminal::new(std::io::stderr().is_terminal())), past),
        Display::Quiet => {}
        Display::Json => recorder.attach(Box::new(JsonStream::new(std::io::stdout())), past),
    }
    Ok(())
}

/// Takes a run from where it stands to its end.
async fn drive(parts: &Parts, state: &mut State, recorder: &mut Recorder, display: Display) -> Result<Finished, Error> {
    let mut signals = Signals::listen().map_err(|error| Error::infrastructure(format!("cannot listen for signals: {error}")))?;
    let ending = match &state.concluded {
        Some(conclusion) => Ending::Concluded(conclusion.clone()),
        None => {
            let executor = Executor::new(parts);
            Dispatcher::new(parts, state, recorder, executor).run(&mut signals).await?
        }
    };
    let go_on = format!("to go on: kbisect resume {}", shown(parts.directory.path()));
    let stopped =
        |recorder: &mut Recorder, state: &mut State, why: &str| record(recorder, state, Event::Stopped { why: why.to_owned() });
    let exit = match ending {
        Ending::Concluded(conclusion) => {
            let exit = exit_of(&conclusion);
            finish::conclude(parts, state, recorder, conclusion)?;
            exit
        }
        Ending::Signal => {
            stopped(recorder, state, "by a signal")?;
            Exit::Stopped
        }
        Ending::Deadline => {
            stopped(recorder, state, "the deadline was reached")?;
            Exit::Deadline
        }
        Ending::Infrastructure(why) => {
            stopped(recorder, state, &why)?;
            return Err(Error::infrastructure(why).hint(go_on));
        }
    };
    let entries = journal::read(&parts.directory.journal()).map_err(|error| journal_error(&error))?;
    let result = finish::write_results(&parts.directory, parts.job.link.as_deref(), &entries)?;
    match &result {
        Some((_, text)) if display != Display::Json => {
            crate::cli::print(&format!("\n{text}"))?;
            if display == Display::Lines {
                eprint_line(&format!("files   {}", shown(parts.directory.path())));
            }
        }
        None => eprint_line(&go_on),
        _ => {}
    }
    Ok(Finished { exit, report: result.map(|(report, _)| report) })
}

/// The exit code of an answer.
fn exit_of(conclusion: &Conclusion) -> Exit {
    match conclusion {
        Conclusion::Found { .. } => Exit::Success,
        Conclusion::Inconclusive { .. } | Conclusion::CannotSearch { .. } => Exit::Inconclusive,
        Conclusion::NotReproduced => Exit::NotReproduced,
        Conclusion::OldestStillBad { .. } | Conclusion::NewestStillBad { .. } => Exit::EndStillCrashes,
    }
}

fn eprint_line(text: &str) {
    use std::io::Write as _;
    // Nothing is left to say where standard error is gone.
    let _ = writeln!(std::io::stderr(), "{text}");
}

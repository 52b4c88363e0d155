//! The driver: takes a job from its first trial to its report.
//!
//! Owns the run directory, the loop (`dispatcher`) and what runs under it (`executor`). Decides nothing: the next action is the
//! core's, judgements are the plugins', texts are `record`'s.

mod again;
mod alone;
mod assumed;
mod builder;
mod by_hand;
mod directory;
mod dispatcher;
mod executor;
mod explain;
mod finish;
mod git_log;
mod import;
mod inputs;
pub(crate) mod looks;
mod made;
mod materials;
mod minimizing;
mod others;
mod pace;
mod parts;
mod prepare;
mod reaching;
mod recorded;
mod repro;
mod reread;
mod reverting;
mod signals;
mod state;
mod stop;
pub(crate) mod target;
mod undo;
mod weighing;

use std::io::IsTerminal as _;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use kbisect_core::bisector::Conclusion;
use kbisect_core::bisector::Summary;
use tokio::runtime::Runtime;

use self::again::Again;
use self::directory::RunDirectory;
use self::dispatcher::Ending;
use self::parts::Parts;
use self::parts::journal_error;
use self::reread::Reread;
use self::signals::Signals;
use self::state::State;
use crate::check;
use crate::config::Settled;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::exit::Exit;
use crate::process::jail;
use crate::process::ledger;
use crate::record::event::Assumed;
use crate::record::event::Entry;
use crate::record::event::Event;
use crate::record::journal;
use crate::record::journal::Journal;
use crate::record::json::JsonStream;
use crate::record::progress::Progress;
use crate::record::recorder::Recorder;
use crate::record::report::Report;
use crate::record::syzlog::SyzLog;
use crate::record::terminal::Terminal;
use crate::syzbot::Log;

pub use self::assumed::Assume;
pub use self::by_hand::by_hand;
pub use self::explain::explain;
pub use self::finish::shown;
pub use self::git_log::git_session;
pub use self::import::Elsewhere;
pub use self::import::Imported;
pub use self::import::Seen;
pub use self::import::import_trials;
pub use self::import::import_verdicts;
pub use self::prepare::settle_ends;
pub use self::recorded::Record;
pub use self::recorded::RecordedAnswer;
pub use self::recorded::RecordedTest;
pub use self::recorded::keep_record;
pub use self::repro::Shot;
pub use self::repro::repro;
pub use self::repro::shell;
pub use self::undo::Undo;
pub use self::undo::Undone;
pub use self::undo::undo;

/// How long threads that compute are waited for at the end of a run.
const AFTER_END: Duration = Duration::from_millis(200);

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
    /// Where it is kept.
    pub directory: PathBuf,
    /// The result, when there is an answer.
    pub report: Option<Report>,
}

/// Begins a run in a new directory and takes it as far as it goes. The job is checked first, as `kbisect check` does.
pub fn begin(settled: Settled, assume: &[Assume], out: &Path, display: Display) -> Result<Finished, Error> {
    on_threads(|runtime| {
        let (mut parts, mut state, assumed) = lay_out(settled, assume, &[], out, runtime)?;
        start(&mut parts, &mut state, assumed, display, runtime).map_err(|error| {
            let begun = !state.trials.is_empty() || !state.builds.is_empty();
            // What shows a defect is kept, too.
            let kept = matches!(error.kind, ErrorKind::Infrastructure | ErrorKind::Internal);
            let resumable = kept && parts.directory.journal().exists();
            if !begun && !resumable {
                parts.directory.remove();
                return error;
            }
            with_way_on(error, &parts)
        })
    })
}

/// Checks a job, and makes the directory of its run; nothing is tested yet.
fn lay_out(
    settled: Settled,
    assume: &[Assume],
    elsewhere: &[Elsewhere],
    out: &Path,
    runtime: &Runtime,
) -> Result<(Parts, State, Vec<Assumed>), Error> {
    let checked = runtime.block_on(check::check(settled, out))?;
    if let Some(error) = checked.obstacle() {
        return Err(error);
    }
    let job = checked.settled.job;
    let settled = prepare::settle(&job, assume, elsewhere)?;
    let state = settled.state(&job, &[])?;
    let assumed = settled.assume(&job, &state)?;
    Ok((settled.with(job, RunDirectory::create(out)?), state, assumed))
}

/// The first process of a run, from the frozen job on.
fn start(
    parts: &mut Parts,
    state: &mut State,
    assumed: Vec<Assumed>,
    display: Display,
    runtime: &Runtime,
) -> Result<Finished, Error> {
    let mut recorder = begin_journal(parts, state, assumed, None, display)?;
    runtime.block_on(drive(parts, state, &mut recorder, display))
}

/// Freezes the job and records the first events.
fn begin_journal(
    parts: &mut Parts,
    state: &mut State,
    assumed: Vec<Assumed>,
    imported: Option<Box<Log>>,
    display: Display,
) -> Result<Recorder, Error> {
    if let Some(lack) = parts.job.build.as_ref().and_then(|_| parts.room().lack()) {
        return Err(Error::infrastructure(lack).hint(directory::MAKE_ROOM));
    }
    parts.freeze()?;
    let journal = Journal::create(&parts.directory.journal()).map_err(|error| journal_error(&error))?;
    let mut recorder = Recorder::new(journal);
    attach(&mut recorder, parts, display, &[])?;
    ledger::keep_in(parts.directory.children());
    let warning = jail::warning().map(|message| Event::Warned { message });
    for event in prepare::first_events(parts, assumed, imported)?.into_iter().chain(warning) {
        record(&mut recorder, state, event)?;
    }
    Ok(recorder)
}

/// Goes on with a run, with what is assumed from here on; `repo` where the repository has moved, which is remembered.
pub fn resume(directory: &Path, repo: Option<PathBuf>, assume: &[Assume], display: Display) -> Result<Finished, Error> {
    on_threads(|runtime| {
        let (parts, mut state, recorder) = Again::open(directory, repo, assume)?.go_on(display);
        let driven = recorder.and_then(|mut recorder| runtime.block_on(drive(&parts, &mut state, &mut recorder, display)));
        driven.map_err(|error| with_way_on(error, &parts))
    })
}

/// An error of the host's with the command that goes on once it is mended.
fn with_way_on(error: Error, parts: &Parts) -> Error {
    if error.kind == ErrorKind::Infrastructure { error.hint(way_on(parts)) } else { error }
}

fn way_on(parts: &Parts) -> String {
    format!("to go on: kbisect resume {}", shown(parts.directory.path()))
}

/// A run as its journal tells it, without touching it.
pub struct Recorded {
    /// Its events.
    pub entries: Vec<Entry>,
    /// Where it stands.
    pub summary: Summary,
    /// The answer, when there is one.
    pub conclusion: Option<Conclusion>,
    /// The report, when there is an answer.
    pub report: Option<Report>,
    /// Whether some process works on it now.
    pub in_use: bool,
    /// Whether it is no more than the record of a log.
    pub is_record: bool,
}

/// Reads a run; other processes may be working on it.
pub fn look(directory: &Path) -> Result<Recorded, Error> {
    let entries = entries(directory)?;
    let reread = Reread::at_end(directory, &entries)?;
    let report = Report::from_entries(&entries).map(|report| finish::in_setting(report, directory, reread.job.as_ref()));
    Ok(Recorded {
        report,
        summary: reread.summary(),
        conclusion: reread.state.concluded.clone(),
        in_use: directory::in_use(directory),
        is_record: reread.names.are_of_a_log(),
        entries,
    })
}

/// The log of syzbot's that a run was made of.
pub fn imported_log(directory: &Path) -> Result<Log, Error> {
    let log = recorded::log(&entries(directory)?).cloned();
    log.ok_or_else(|| Error::user(format!("`{}` holds a run that was not made of a log of syzbot's", directory.display())))
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

/// Does `work` with threads that are there for it alone. A checkout or a plugin call that is still at it then is not waited for.
fn on_threads<T>(work: impl FnOnce(&Runtime) -> Result<T, Error>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .map_err(|error| Error::infrastructure(format!("cannot start threads: {error}")))?;
    let done = {
        let _inside = runtime.enter();
        work(&runtime)
    };
    runtime.shutdown_timeout(AFTER_END);
    done
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
    let mut signals = Signals::of_a_run(parts.job.limits.deadline)?;
    let ending = match &state.concluded {
        Some(conclusion) => Ending::Concluded(conclusion.clone()),
        None => {
            match signals.during(builder::prepare(parts)).await {
                Ok(messages) => {
                    for message in messages? {
                        record(recorder, state, Event::Warned { message })?;
                    }
                }
                Err(ending) => return end(parts, state, recorder, display, ending),
            }
            reverting::prepare(parts)?;
            let ending = minimizing::search(parts, state, recorder, &mut signals).await?;
            recorder.progress(&Progress::Standing(state.bisector.summary()));
            let broken_off = match &ending {
                Ending::Concluded(conclusion) => reverting::confirm(parts, state, recorder, &mut signals, conclusion).await?,
                _ => None,
            };
            broken_off.unwrap_or(ending)
        }
    };
    end(parts, state, recorder, display, ending)
}

/// Records how a run ended, and writes what came of it.
fn end(parts: &Parts, state: &mut State, recorder: &mut Recorder, display: Display, ending: Ending) -> Result<Finished, Error> {
    let exit = match ending {
        Ending::Concluded(conclusion) => exit_of(&finish::conclude(parts, state, recorder, conclusion)?),
        Ending::Signal => {
            stopped(state, recorder, display, "by a signal")?;
            Exit::Stopped
        }
        Ending::Deadline => {
            stopped(state, recorder, display, "the deadline was reached")?;
            Exit::Deadline
        }
        Ending::Infrastructure(why) => {
            record(recorder, state, Event::Stopped { why: why.clone() })?;
            write_results(parts)?;
            return Err(Error::infrastructure(why));
        }
    };
    let result = write_results(parts)?;
    match &result {
        Some((_, text)) if display != Display::Json => {
            crate::cli::print(&format!("\n{text}"))?;
        }
        None => eprint_line(&way_on(parts)),
        _ => {}
    }
    Ok(Finished { exit, directory: parts.directory.path().to_owned(), report: result.map(|(report, _)| report) })
}

/// Brings the run directory's results to what the journal says; what no longer stands goes.
fn write_results(parts: &Parts) -> Result<Option<(Report, String)>, Error> {
    let entries = journal::read(&parts.directory.journal()).map_err(|error| journal_error(&error))?;
    finish::write_results(&parts.directory, Some(&parts.job), &entries)
}

/// Records why a run stops, and says it where no renderer does.
fn stopped(state: &mut State, recorder: &mut Recorder, display: Display, why: &str) -> Result<(), Error> {
    record(recorder, state, Event::Stopped { why: why.to_owned() })?;
    if display != Display::Lines {
        eprint_line(&format!("stopped: {why}"));
    }
    Ok(())
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
    let _ = writeln!(std::io::stderr(), "{}", crate::harmless::harmless(text));
}

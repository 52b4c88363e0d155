//! Taking evidence back: trials and assumptions that should not count.
//!
//! The journal keeps them; an event says that they no longer stand. One undo is one event, so that it happened or did not.

use std::path::Path;

use kbisect_core::bisector::Assumption;
use kbisect_core::bisector::Summary;
use kbisect_core::bisector::TrialNumber;
use kbisect_core::commit::CommitId;
use kbisect_core::policy::Outcome;

use super::directory::RunDirectory;
use super::finish;
use super::inputs;
use super::parts::journal_error;
use super::prepare;
use super::prepare::Settled;
use super::recorded;
use super::state::State;
use crate::error::Error;
use crate::record::event::Event;
use crate::record::journal::Journal;
use crate::record::report;

/// What to take back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// The trial that ended last.
    Last,
    /// The trial with this number.
    Trial(TrialNumber),
    /// What is assumed of a commit, else all its trials.
    Commit(String),
}

impl Undo {
    /// Reads `12` or `#12` as a trial, anything else as a commit. No run has a million trials: seven digits are a hash.
    pub fn parse(text: &str) -> Self {
        let digits = text.strip_prefix('#').unwrap_or(text);
        match digits.parse() {
            Ok(number) if digits.len() < 7 => Self::Trial(TrialNumber(number)),
            _ => Self::Commit(text.to_owned()),
        }
    }
}

/// What was taken back, and what that changed.
#[derive(Debug)]
pub struct Undone {
    /// The commit.
    pub commit: CommitId,
    /// First line of its message.
    pub subject: String,
    /// The trials, with how they had ended.
    pub trials: Vec<(TrialNumber, Outcome)>,
    /// What was assumed of the commit.
    pub assumed: Option<Assumption>,
    /// Where the run stood.
    pub before: Summary,
    /// Where it stands now.
    pub after: Summary,
    /// There was an answer, which no longer stands.
    pub overturned: bool,
}

/// Takes evidence back; refused while a process works on the run.
pub fn undo(directory: &Path, what: &Undo) -> Result<Undone, Error> {
    let directory = RunDirectory::open(directory)?;
    let (mut journal, mut entries) = Journal::open(&directory.journal()).map_err(|error| journal_error(&error))?;
    recorded::refuse(directory.path(), &entries)?;
    let mut job = crate::config::read_frozen(&directory.job())?.job;
    inputs::find(&mut job, &directory)?;
    let settled = prepare::settle_again(&job, &entries, &[])?;
    let mut state = settled.state(&job, &entries)?;
    let before = state.bisector.summary();
    let (commit, numbers) = find(what, &state, &before, &settled)?;
    let assumed = match what {
        Undo::Commit(_) => before.assumed.iter().find(|one| one.commit == commit).cloned(),
        Undo::Last | Undo::Trial(_) => None,
    };
    refuse_the_targets(&state, &settled, commit, &numbers)?;
    let trials: Vec<(TrialNumber, Outcome)> =
        numbers.iter().map(|number| (*number, state.trials[number].outcome.clone())).collect();
    let overturned = state.concluded.is_some();
    let event = Event::Retracted { trials: numbers, assumed: assumed.iter().map(|one| one.commit).collect() };
    let entry = journal.append(event).map_err(|error| journal_error(&error))?;
    state.apply(&entry.event);
    entries.push(entry);
    finish::write_results(&directory, Some(&job), &entries)?;
    let subject = report::subjects(&entries).remove(&commit).unwrap_or_default();
    Ok(Undone { commit, subject, trials, assumed, before, after: state.bisector.summary(), overturned })
}

/// Refuses to take back all that the target was learnt from: every other crash of the run was compared with it.
fn refuse_the_targets(state: &State, settled: &Settled, commit: CommitId, numbers: &[TrialNumber]) -> Result<(), Error> {
    let shows = |number: &TrialNumber| {
        state.trials.get(number).is_some_and(|past| matches!(&past.outcome, Outcome::Crashed(seen) if seen.is_target()))
    };
    let learnt = !state.stated() && state.routed && commit == settled.ends().start;
    let shown = state.hits(commit) as usize;
    if !learnt || shown == 0 || numbers.iter().filter(|number| shows(number)).count() < shown {
        return Ok(());
    }
    let title = state.faces.first().map_or_else(String::new, |face| format!(", {},", face.title));
    Err(Error::user(format!("the target{title} was learnt from these trials, and all that was seen since was compared with it"))
        .hint("where another crash is meant, begin a new run, with `title = \"…\"` in the job file"))
}

/// The commit in question, and which of its trials are taken back.
fn find(what: &Undo, state: &State, standing: &Summary, settled: &Settled) -> Result<(CommitId, Vec<TrialNumber>), Error> {
    match what {
        Undo::Last => {
            let last = state.last_ended().ok_or_else(|| Error::user("there is nothing to undo: no trial stands"))?;
            Ok((state.trials[&last].commit, vec![last]))
        }
        Undo::Trial(number) => match state.trials.get(number) {
            Some(past) => Ok((past.commit, vec![*number])),
            None => {
                let stand = match (state.trials.keys().next(), state.trials.keys().next_back()) {
                    (Some(first), Some(last)) => format!("those that stand are between {} and {}", first.0, last.0),
                    _ => "none stands".to_owned(),
                };
                Err(Error::user(format!("there is no trial {}, or it was taken back: {stand}", number.0))
                    .hint("kbisect explain DIR COMMIT lists the trials of a commit with their numbers"))
            }
        },
        Undo::Commit(name) => {
            let commit = settled.repository().resolve(name)?;
            // The assumption overrode the trials; without it they count again.
            if standing.assumed.iter().any(|one| one.commit == commit) {
                return Ok((commit, Vec::new()));
            }
            let numbers: Vec<TrialNumber> =
                state.trials.iter().filter(|(_, past)| past.commit == commit).map(|(number, _)| *number).collect();
            if numbers.is_empty() {
                return Err(Error::user(format!("there is nothing to undo at {}: no trial and no assumption", commit.short())));
            }
            Ok((commit, numbers))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers_are_trials() {
        let trial = |number| Undo::Trial(TrialNumber(number));
        assert_eq!(Undo::parse("12"), trial(12));
        assert_eq!(Undo::parse("#7"), trial(7));
        for commit in ["1234567", "v6.1", "12ab", "HEAD~3", ""] {
            assert_eq!(Undo::parse(commit), Undo::Commit(commit.to_owned()));
        }
    }
}

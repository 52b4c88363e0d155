//! A run that goes on: opened, locked, and brought to where its journal ends.

use std::path::Path;
use std::path::PathBuf;

use super::Display;
use super::assumed::Assume;
use super::directory;
use super::directory::RunDirectory;
use super::inputs;
use super::parts;
use super::parts::Parts;
use super::parts::journal_error;
use super::prepare;
use super::recorded;
use super::state::State;
use crate::error::Error;
use crate::process::ledger;
use crate::record::event::Assumed;
use crate::record::event::Entry;
use crate::record::event::Event;
use crate::record::journal::Journal;
use crate::record::recorder::Recorder;

/// A run that was begun by an earlier process, opened and locked by this one.
pub(super) struct Again {
    pub parts: Parts,
    pub state: State,
    journal: Journal,
    entries: Vec<Entry>,
    /// What is assumed from here on.
    assumed: Vec<Assumed>,
}

impl Again {
    /// Opens a run, with what is assumed from here on; `repo` where the repository has moved, which is remembered.
    pub(super) fn open(directory: &Path, repo: Option<PathBuf>, assume: &[Assume]) -> Result<Self, Error> {
        let directory = RunDirectory::open(directory)?;
        directory.tidy();
        ledger::keep_in(directory.children());
        let (journal, entries) = Journal::open(&directory.journal()).map_err(|error| journal_error(&error))?;
        if entries.is_empty() {
            let what = format!("`{}` holds no run: it was ended before its first event", directory.path().display());
            return Err(Error::user(what).hint("give the command that began it once more"));
        }
        recorded::refuse(directory.path(), &entries)?;
        let mut job = crate::config::read_frozen(&directory.job())?.job;
        inputs::find(&mut job, &directory)?;
        let moved = repo.is_some();
        if let Some(repo) = repo {
            job.repo = std::path::absolute(&repo).map_err(|error| directory::failed("find", &repo, &error))?;
        }
        let settled = prepare::settle_again(&job, &entries, assume)?;
        let state = settled.state(&job, &entries)?;
        let assumed = settled.assume(&job, &state)?;
        if moved {
            parts::write_job(&job, &directory)?;
        }
        Ok(Self { parts: settled.with(job, directory), state, journal, entries, assumed })
    }

    /// The run as it is, for what leaves no trace in it.
    pub(super) fn at_rest(self) -> Result<(Parts, State), Error> {
        let Self { parts, state, entries, .. } = self;
        parts.restore(&state, &entries)?;
        Ok((parts, state))
    }

    /// Goes on with the journal from where it ends.
    pub(super) fn go_on(self, display: Display) -> (Parts, State, Result<Recorder, Error>) {
        let Self { parts, mut state, journal, entries, assumed } = self;
        let recorder = recorder(&parts, &mut state, (journal, &entries), assumed, display);
        (parts, state, recorder)
    }
}

/// A later process's recorder, when it has recorded that it goes on, and what is assumed from here on.
fn recorder(
    parts: &Parts,
    state: &mut State,
    (journal, entries): (Journal, &[Entry]),
    assumed: Vec<Assumed>,
    display: Display,
) -> Result<Recorder, Error> {
    let mut recorder = Recorder::new(journal);
    super::attach(&mut recorder, parts, display, entries)?;
    if entries.len() < prepare::MOST_FIRST_EVENTS {
        for event in prepare::first_events(parts, Vec::new(), None)?.into_iter().skip(entries.len()) {
            super::record(&mut recorder, state, event)?;
        }
    }
    parts.restore(state, entries)?;
    if !assumed.is_empty() {
        super::record(&mut recorder, state, Event::Assumed { assumed })?;
    }
    if state.concluded.is_none() {
        super::record(&mut recorder, state, Event::Resumed { version: env!("CARGO_PKG_VERSION").to_owned() })?;
    }
    Ok(recorder)
}

//! A run that is only looked at: its search before the first event, and what its commits are called.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use kbisect_core::bisector::Summary;
use kbisect_core::commit::CommitId;

use super::prepare;
use super::recorded;
use super::state::State;
use crate::config;
use crate::config::job::Job;
use crate::error::Error;
use crate::git::Repository;
use crate::record::event::Ends;
use crate::record::event::Entry;

/// A run to be gone through again, event by event.
pub(super) struct Reread {
    /// Nothing known yet.
    pub(super) state: State,
    /// What its commits are called.
    pub(super) names: Names,
    /// The ends of the history in question.
    pub(super) ends: Ends,
    /// Chance of a wrong name that is put up with.
    pub(super) delta: f64,
    /// The job; none of the record of a log.
    pub(super) job: Option<Job>,
}

/// Where commits' names come from.
pub(super) enum Names {
    /// The user's repository.
    Repository(Arc<Repository>),
    /// The log that the run is the record of.
    Log(HashMap<CommitId, String>),
}

impl Reread {
    /// Opens the run in a directory whose journal holds these entries; touches nothing.
    pub(super) fn open(directory: &Path, entries: &[Entry]) -> Result<Self, Error> {
        if let Some(log) = recorded::only_log(entries) {
            let state = State::of_record(recorded::search(log)?);
            let (names, ends) = (Names::Log(recorded::subjects(entries)), recorded::ends(log));
            return Ok(Self { state, names, ends, delta: config::DELTA, job: None });
        }
        let job = config::read_frozen(&directory.join("job.toml"))?.job;
        let settled = prepare::settle_again(&job, entries, &[])?;
        let (state, ends) = (settled.state(&job, &[])?, settled.ends().clone());
        Ok(Self { state, names: Names::Repository(settled.into_repository()), ends, delta: job.search.delta, job: Some(job) })
    }

    /// The same where the journal ends.
    pub(super) fn at_end(directory: &Path, entries: &[Entry]) -> Result<Self, Error> {
        let mut reread = Self::open(directory, entries)?;
        entries.iter().for_each(|entry| reread.state.apply(&entry.event));
        Ok(reread)
    }

    /// Where the search stands, as far as the history at hand tells it.
    pub(super) fn summary(&self) -> Summary {
        self.names.summary(&self.state)
    }
}

impl Names {
    /// Whether there is no history at hand but the log's.
    pub(super) fn are_of_a_log(&self) -> bool {
        matches!(self, Self::Log(_))
    }

    /// The first line of a commit's message; empty where nobody knows it.
    pub(super) fn subject(&self, commit: &CommitId) -> String {
        match self {
            Self::Repository(repository) => repository.subject(commit).unwrap_or_default(),
            Self::Log(subjects) => subjects.get(commit).cloned().unwrap_or_default(),
        }
    }

    /// The commit that somebody means.
    pub(super) fn resolve(&self, name: &str, entries: &[Entry]) -> Result<CommitId, Error> {
        match self {
            Self::Repository(repository) => Ok(repository.resolve(name)?),
            Self::Log(_) => recorded::resolve(name, entries),
        }
    }

    /// Where a search stands, without what only a history could tell.
    pub(super) fn summary(&self, state: &State) -> Summary {
        let summary = state.bisector.summary();
        if self.are_of_a_log() { recorded::without_history(summary) } else { summary }
    }
}

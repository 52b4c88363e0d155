//! What a run is made of once its job is settled: repository, policies, machines. Owns nothing that changes.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Summary;
use kbisect_core::commit::CommitId;

use super::directory;
use super::directory::RunDirectory;
use super::inputs;
use super::state::State;
use crate::build::patches;
use crate::build::room::Room;
use crate::config::job::Job;
use crate::error::Error;
use crate::git;
use crate::git::Patch;
use crate::git::Repository;
use crate::policy::Policies;
use crate::policy::state::Situation;
use crate::record::event::Ends;
use crate::record::event::Entry;
use crate::record::event::Event;

/// Everything a run works with.
pub(super) struct Parts {
    /// The job.
    pub job: Job,
    /// Its directory.
    pub directory: RunDirectory,
    /// The ends in question.
    pub ends: Ends,
    /// The user's repository.
    pub repository: Arc<Repository>,
    /// What tested commits are changed by.
    pub patches: Arc<[Patch]>,
    /// What plugins may ask of it.
    pub facts: Arc<git::Facts>,
    /// The policies.
    pub policies: Policies,
    /// What plugins said, until it is journalled.
    pub notices: Arc<Notices>,
}

/// Events from plugins that wait to be journalled: calls happen on many threads, the journal has one writer.
#[derive(Debug, Default)]
pub(super) struct Notices {
    waiting: Mutex<Vec<Event>>,
}

impl Notices {
    /// Adds one.
    pub(super) fn add(&self, event: Event) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }

    /// Takes all of them, oldest first.
    pub(super) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Parts {
    /// Keeps what the run depends on in its directory: the components it uses, what the job brings, and the job as it is now.
    pub(super) fn freeze(&mut self) -> Result<(), Error> {
        let plugins = self.directory.plugins();
        self.policies.copy_components(&plugins).map_err(|error| directory::failed("write", &plugins, &error))?;
        let used = self.policies.describe();
        for plugin in self.job.plugins.iter_mut().filter(|plugin| plugin.path.is_some()) {
            if let Some(used) = used.iter().find(|used| used.id == plugin.id) {
                plugin.path = Some(plugins.join(format!("{}.wasm", used.digest)));
                plugin.sha256 = Some(used.digest.clone());
            }
        }
        patches::pin(&mut self.job, &self.patches);
        inputs::keep(&mut self.job, &self.directory, &self.ends.start)?;
        write_job(&self.job, &self.directory)
    }

    /// Brings the policies to where an earlier process left them: their state, their routes and how often they failed.
    pub(super) fn restore(&self, state: &State, past: &[Entry]) -> Result<(), Error> {
        self.tell_policies(state);
        for entry in past {
            if let Event::PluginFailed { plugin, .. } = &entry.event {
                self.policies.recall_failure(plugin);
            }
        }
        if state.routed {
            self.policies.resolve_routes(&state.faces()).map_err(|error| Error::user(error.to_string()))?;
        }
        Ok(())
    }

    /// The disk that the run may use.
    pub(super) fn room(&self) -> Room {
        Room { dir: self.directory.path().to_owned(), work: self.directory.work(), limit: self.job.limits.disk }
    }

    /// A commit's subject; empty where it cannot be read.
    pub(super) fn subject(&self, commit: &CommitId) -> String {
        self.repository.subject(commit).unwrap_or_default()
    }

    /// Tells the plugins where the bisection stands.
    pub(super) fn tell_policies(&self, state: &State) {
        self.tell_policies_at(state, &self.ends.start);
    }

    /// The same, with the rates in the era of this commit.
    pub(super) fn tell_policies_at(&self, state: &State, commit: &CommitId) {
        let situation = Situation {
            kind: self.ends.kind,
            start: self.ends.start,
            newest: self.newest_commit(),
            delta: self.job.search.delta,
            arch: self.job.machine.kind.boots().then_some(std::env::consts::ARCH),
        };
        let summary = Summary { rates: state.bisector.rates_at(commit), ..state.bisector.summary() };
        self.policies.set_state(situation.state(state.faces(), summary));
    }

    /// The newest commit known: HEAD where there is one, else the newer end.
    fn newest_commit(&self) -> CommitId {
        let newer_end = match self.ends.kind {
            Kind::Cause => self.ends.start,
            Kind::Fix => self.ends.good.first().copied().unwrap_or(self.ends.start),
        };
        self.repository.resolve("HEAD").unwrap_or(newer_end)
    }
}

/// Writes the frozen job.
pub(super) fn write_job(job: &Job, directory: &RunDirectory) -> Result<(), Error> {
    write_job_as("job.toml", job, directory)
}

/// Writes a job file into the run directory. What lies in there is named relative to it, so that the directory may move.
pub(super) fn write_job_as(name: &str, job: &Job, directory: &RunDirectory) -> Result<(), Error> {
    let mut job = job.clone();
    let name_from_there = |path: &mut PathBuf| {
        if let Ok(inside) = path.strip_prefix(directory.path()) {
            *path = inside.to_owned();
        }
    };
    inputs::named(&mut job).for_each(name_from_there);
    job.plugins.iter_mut().filter_map(|plugin| plugin.path.as_mut()).for_each(name_from_there);
    directory.write(name, &crate::config::write(&job))
}

/// A message for a journal that cannot be written.
pub(super) fn journal_error(error: &crate::record::journal::JournalError) -> Error {
    use crate::record::journal::JournalError;
    match error {
        JournalError::Io { .. } if error.is_full() => Error::infrastructure(error.to_string()).hint(directory::MAKE_ROOM),
        JournalError::Io { .. } => Error::infrastructure(error.to_string()),
        JournalError::Format { .. } => Error::user(error.to_string()).hint("go on with the kbisect that began the run"),
        JournalError::Broken { .. } | JournalError::Gap { .. } => {
            Error::user(error.to_string()).hint("the file was changed by hand or damaged; begin a new run")
        }
    }
}

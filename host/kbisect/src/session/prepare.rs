//! Before the first trial: what the job names is looked up in the repository, and everything that can be wrong is said.

use std::sync::Arc;

use kbisect_core::bisector::Bisector;
use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Settings;
use kbisect_core::commit::CommitId;
use kbisect_core::crash::CrashReport;
use kbisect_core::graph::Graph;

use super::assumed;
use super::assumed::Assume;
use super::builder;
use super::directory;
use super::directory::RunDirectory;
use super::import;
use super::import::Elsewhere;
use super::parts::Notices;
use super::parts::Parts;
use super::state::State;
use crate::build::patches;
use crate::config::job::Job;
use crate::config::job::Made;
use crate::error::Error;
use crate::git;
use crate::git::Patch;
use crate::git::Repository;
use crate::policy::Notice;
use crate::policy::Policies;
use crate::policy::console;
use crate::record::event::Assumed;
use crate::record::event::Ends;
use crate::record::event::Entry;
use crate::record::event::Event;
use crate::record::event::HarnessAt;
use crate::record::journal;
use crate::syzbot::Log;

/// A job with its commits found.
pub(super) struct Settled {
    repository: Arc<Repository>,
    patches: Vec<Patch>,
    ends: Ends,
    graph: Arc<Graph>,
    policies: Policies,
    facts: Arc<git::Facts>,
    notices: Arc<Notices>,
    assumed: Vec<Assumed>,
}

/// Looks up what a new job names, what is assumed beside it, and the releases that were tested elsewhere.
pub(super) fn settle(job: &Job, assume: &[Assume], elsewhere: &[Elsewhere]) -> Result<Settled, Error> {
    let repository = Repository::open(&job.repo)?;
    let ends = import::ends(job, &repository, elsewhere)?;
    let assumed = assumed::look_up(assume, &repository)?;
    settled(job, repository, ends, assumed, &[])
}

/// Looks up what a run's journal names, and what is assumed anew.
pub(super) fn settle_again(job: &Job, entries: &[Entry], assume: &[Assume]) -> Result<Settled, Error> {
    let moved = |error: git::Error| {
        Error::from(error).hint("if the repository has moved, name its new place: kbisect resume DIR --repo PATH")
    };
    let repository = Repository::open(&job.repo).map_err(moved)?;
    let recorded = entries.iter().find_map(|entry| match &entry.event {
        Event::Started { ends, .. } => Some(ends.clone()),
        _ => None,
    });
    let ends = match recorded {
        Some(ends) => ends,
        None => settle_ends(job, &repository)?,
    };
    for commit in ends.good.iter().chain([&ends.start]) {
        repository.subject(commit).map_err(moved)?;
    }
    let assumed = assumed::look_up(assume, &repository)?;
    let before: Vec<CommitId> = entries.iter().flat_map(|entry| entry.event.assumed()).map(|one| one.assumption.commit).collect();
    settled(job, repository, ends, assumed, &before)
}

fn settled(job: &Job, repository: Repository, ends: Ends, assumed: Vec<Assumed>, before: &[CommitId]) -> Result<Settled, Error> {
    let repository = Arc::new(repository);
    let patches = patches::settle(&job.patches, &repository)?;
    let mut tips: Vec<CommitId> =
        ends.good.iter().copied().chain([ends.start]).chain(ends.releases.iter().map(|release| release.commit)).collect();
    tips.extend(assumed.iter().map(|one| one.assumption.commit).chain(before.iter().copied()));
    let graph = Arc::new(repository.graph(&tips)?);
    let facts = Arc::new(git::Facts::new(Arc::clone(&repository)));
    let notices = Arc::new(Notices::default());
    let sink = Arc::clone(&notices);
    let policies = Policies::load(
        &job.plugins,
        Arc::clone(&facts) as Arc<dyn crate::policy::Facts>,
        Arc::new(move |notice: Notice| sink.add(notice.into())),
    )?;
    Ok(Settled { repository, patches, ends, graph, policies, facts, notices, assumed })
}

impl Settled {
    /// The run after these entries.
    pub(super) fn state(&self, job: &Job, entries: &[Entry]) -> Result<State, Error> {
        let mut state = State::new(self.bisector(job)?, job);
        entries.iter().for_each(|entry| state.apply(&entry.event));
        Ok(state)
    }

    /// The search over what was found.
    fn bisector(&self, job: &Job) -> Result<Bisector, Error> {
        let settings = Settings {
            strategy: job.search.strategy,
            delta: job.search.delta,
            trust_good: job.search.trust_good,
            single_trials: job.search.single_trials,
        };
        let bisector = Bisector::new(Arc::clone(&self.graph), self.ends.clone().into(), settings);
        let mut bisector = bisector.map_err(|error| Error::user(error.to_string()))?;
        bisector.know_eras(&self.ends.eras);
        Ok(bisector)
    }

    /// The ends: those of the journal, where it has begun.
    pub(super) fn ends(&self) -> &Ends {
        &self.ends
    }

    /// The user's repository.
    pub(super) fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The user's repository, for those who need no more.
    pub(super) fn into_repository(self) -> Arc<Repository> {
        self.repository
    }

    /// What is to be assumed beside what the search knows; said before any work where it cannot be.
    pub(super) fn assume(&self, job: &Job, state: &State) -> Result<Vec<Assumed>, Error> {
        assumed::check(&self.assumed, job, &self.ends, state)?;
        Ok(self.assumed.clone())
    }

    /// The parts of a run in `directory`.
    pub(super) fn with(self, job: Job, directory: RunDirectory) -> Parts {
        let Self { repository, patches, ends, policies, facts, notices, .. } = self;
        Parts { job, directory, ends, repository, patches: patches.into(), facts, policies, notices }
    }
}

/// The ends that a job names, as commits.
pub fn settle_ends(job: &Job, repository: &Repository) -> Result<Ends, Error> {
    let start = repository.resolve(&job.bad)?;
    let good = job.good.iter().map(|name| repository.resolve(name)).collect::<Result<Vec<CommitId>, git::Error>>()?;
    let mut eras = job.search.eras.iter().map(|name| repository.resolve(name)).collect::<Result<Vec<CommitId>, git::Error>>()?;
    eras.extend(builder::eras(job, repository));
    eras.sort_unstable();
    eras.dedup();
    Ok(match job.kind {
        Kind::Cause => {
            let releases = if good.is_empty() { repository.releases_to_walk(&start)? } else { Vec::new() };
            if good.is_empty() && releases.is_empty() {
                return Err(Error::user(format!("no release tag is an ancestor of {}", start.short()))
                    .hint("name a good commit: good = \"…\" in the job file, or --good")
                    .hint("or fetch the tags: git fetch --tags"));
            }
            Ends { kind: job.kind, start, good, releases, head: false, eras }
        }
        Kind::Fix => {
            let head = good.is_empty();
            let good = if head { vec![repository.resolve("HEAD")?] } else { good };
            Ends { kind: job.kind, start, good, releases: Vec::new(), head, eras }
        }
    })
}

/// No run has more first events.
pub(super) const MOST_FIRST_EVENTS: usize = 2;

/// The first entries of a new run: what is bisected, from which log its first trials come, and the target where the job states it.
pub(super) fn first_events(parts: &Parts, assumed: Vec<Assumed>, imported: Option<Box<Log>>) -> Result<Vec<Event>, Error> {
    let started = Event::Started {
        format: journal::FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: directory::host(),
        repo: Some(parts.repository.path().display().to_string()),
        ends: parts.ends.clone(),
        strategy: parts.job.search.strategy,
        subject: parts.subject(&parts.ends.start),
        assumed,
        imported,
        harness: harness(&parts.job),
    };
    let mut events = vec![started];
    if let Some((faces, origin)) = stated_target(parts)? {
        events.push(Event::Target { faces, origin: origin.to_owned() });
    }
    Ok(events)
}

/// Which commit of another repository built the reproducer.
fn harness(job: &Job) -> Option<HarnessAt> {
    let Some(Made::Harness(harness)) = &job.repro.as_ref()?.made else { return None };
    let name = harness.repository.file_name()?.to_string_lossy().into_owned();
    Some(HarnessAt { name, commit: harness.commit.clone() })
}

/// The target that the job states, by a console or by a title.
fn stated_target(parts: &Parts) -> Result<Option<(Vec<CrashReport>, &'static str)>, Error> {
    if let Some(path) = &parts.job.crash {
        let console = console::read(path).map_err(|error| directory::failed("read", path, &error))?;
        let reports = console::classify(&parts.policies, &console, None)?.reports;
        let wanted = |report: &CrashReport| {
            parts.job.title.as_ref().is_none_or(|title| report.title == *title || report.alt_titles.contains(title))
        };
        let Some(report) = reports.iter().find(|report| wanted(report)) else {
            let message = match (&parts.job.title, reports.first()) {
                (Some(title), Some(first)) => format!("`{}` shows `{}`, not `{title}`", path.display(), first.title),
                _ => format!("no crash was found in `{}`", path.display()),
            };
            return Err(Error::user(message).hint("`crash` must be a kernel console that shows the target"));
        };
        return Ok(Some((vec![report.clone()], "crash file")));
    }
    Ok(parts.job.title.as_ref().map(|title| (vec![CrashReport::titled(title)], "title")))
}

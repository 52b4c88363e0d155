//! A run made of somebody else's log: verdicts that are taken for granted, or trials that were made elsewhere.

use std::path::Path;

use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Release;
use kbisect_core::bisector::Summary;
use kbisect_core::commit::CommitId;
use kbisect_core::crash::CrashReport;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Role;
use kbisect_core::range::ReleaseTag;

use super::Display;
use super::assumed::Assume;
use super::dispatcher::Dispatcher;
use super::executor::Executor;
use super::prepare;
use crate::config::Settled;
use crate::config::job::Job;
use crate::error::Error;
use crate::git::Repository;
use crate::record::event::Ends;
use crate::record::event::Event;
use crate::syzbot::Log;

/// Why a run is not at work when it was imported.
pub(super) const IMPORTED: &str = "imported; nothing was tested";

/// A commit that was tested elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Elsewhere {
    /// The commit.
    pub commit: CommitId,
    /// Why it was tested.
    pub role: Role,
    /// A release's tag.
    pub release: Option<String>,
    /// How its trials ended; of a crash what was seen.
    pub trials: Vec<Seen>,
}

/// How a trial ended elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// It ended clean or void.
    Ended(Outcome),
    /// It crashed; whether with the target is for the classifiers to say.
    Crashed(CrashReport),
}

/// A run that was imported.
#[derive(Debug)]
pub struct Imported {
    /// Where it stands.
    pub summary: Summary,
    /// Where the crash was seen.
    pub start: CommitId,
}

/// Makes a run in a new directory out of verdicts that are taken for granted.
pub fn import_verdicts(settled: Settled, assume: &[Assume], out: &Path) -> Result<Imported, Error> {
    import(settled, assume, &[], None, out)
}

/// Makes a run in a new directory out of a log's trials.
pub fn import_trials(settled: Settled, log: Log, tests: &[Elsewhere], out: &Path) -> Result<Imported, Error> {
    import(settled, &[], tests, Some(Box::new(log)), out)
}

fn import(
    settled: Settled,
    assume: &[Assume],
    tests: &[Elsewhere],
    log: Option<Box<Log>>,
    out: &Path,
) -> Result<Imported, Error> {
    super::on_threads(|runtime| {
        let (mut parts, mut state, assumed) = super::lay_out(settled, assume, tests, out, runtime)?;
        let recorder = super::begin_journal(&mut parts, &mut state, assumed, log, Display::Quiet);
        let imported = recorder.and_then(|mut recorder| {
            if !tests.is_empty() {
                let executor = Executor::new(&parts);
                Dispatcher::new(&parts, &mut state, &mut recorder, executor).take_over(tests)?;
            }
            super::record(&mut recorder, &mut state, Event::Stopped { why: IMPORTED.to_owned() })
        });
        if let Err(error) = imported {
            parts.directory.remove();
            return Err(error);
        }
        let entries = super::entries(parts.directory.path())?;
        super::finish::write_results(&parts.directory, Some(&parts.job), &entries)?;
        Ok(Imported { summary: state.bisector.summary(), start: parts.ends.start })
    })
}

/// The releases that were tested elsewhere, newest first as there, then the older ones that a walk would try.
fn with_releases(mut ends: Ends, tests: &[Elsewhere]) -> Ends {
    let tested: Vec<Release> = tests
        .iter()
        .filter_map(|test| Some(Release { name: test.release.clone()?, commit: test.commit }))
        .filter(|release| release.commit != ends.start)
        .collect();
    let Some(oldest) = tested.last().filter(|_| ends.kind == Kind::Cause && ends.good.is_empty()) else {
        return ends;
    };
    let older = match ends.releases.iter().position(|release| release.commit == oldest.commit) {
        Some(place) => ends.releases.split_off(place + 1),
        None => {
            let version = |name: &str| ReleaseTag::parse(name);
            let last = version(&oldest.name);
            ends.releases.into_iter().filter(|release| version(&release.name) < last).collect()
        }
    };
    ends.releases = tested.into_iter().chain(older).collect();
    ends
}

/// The ends of a job, with the releases that were tested elsewhere.
pub(super) fn ends(job: &Job, repository: &Repository, tests: &[Elsewhere]) -> Result<Ends, Error> {
    Ok(with_releases(prepare::settle_ends(job, repository)?, tests))
}

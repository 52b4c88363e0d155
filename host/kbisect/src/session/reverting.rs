//! The named commit taken back at the newest commit, or at the start commit, and tested there: does the crash go with it? Owns when that
//! is done, where, and the repository in which it is made; what it says is the report's.

use std::path::Path;
use std::path::PathBuf;

use kbisect_core::bisector::Conclusion;
use kbisect_core::commit::CommitId;
use kbisect_core::policy::Role;

use super::dispatcher::Dispatcher;
use super::dispatcher::Ending;
use super::dispatcher::Errand;
use super::executor::Executor;
use super::parts::Parts;
use super::signals::Signals;
use super::state::State;
use crate::error::Error;
use crate::git;
use crate::git::Checkout;
use crate::git::Repository;
use crate::git::Reverted;
use crate::record::event::Event;
use crate::record::recorder::Recorder;

/// A commit that was taken back.
#[derive(Debug, Clone)]
pub(super) struct TakenBack {
    /// The commit.
    pub(super) commit: CommitId,
    /// Where: the newest commit. None: the start commit.
    pub(super) at: Option<CommitId>,
    /// What became of it.
    pub(super) reverted: Reverted,
}

/// The repository from which checkouts are made: the user's, or one that borrows from it and has commits of our own, too.
pub(super) fn source(parts: &Parts) -> PathBuf {
    if parts.job.search.revert { folder(parts) } else { parts.job.repo.clone() }
}

fn folder(parts: &Parts) -> PathBuf {
    parts.directory.work().join("reverted")
}

/// Sees to it that [`source`] is there.
pub(super) fn prepare(parts: &Parts) -> Result<(), Error> {
    if parts.job.search.revert {
        Checkout::create(&parts.job.repo, &folder(parts))?;
    }
    Ok(())
}

/// Tests the newest commit without the commit that is to be named, where the job asks for it: that is where a revert would be applied. Where
/// the newest does not show the crash, or later changes are in the way, it is the start commit. An ending where that was broken off.
pub(super) async fn confirm(
    parts: &Parts,
    state: &mut State,
    recorder: &mut Recorder,
    signals: &mut Signals,
    conclusion: &Conclusion,
) -> Result<Option<Ending>, Error> {
    let (true, Conclusion::Found { suspects }) = (parts.job.search.revert, conclusion) else { return Ok(None) };
    let (Some(named), start) = (suspects.first(), parts.ends.start) else { return Ok(None) };
    if named.commit == start {
        return Ok(None);
    }
    let there = |taken: &TakenBack| match taken.reverted {
        // Who removes the scratch between two processes removes it, too.
        Reverted::Made(made) => Repository::open(&folder(parts)).is_ok_and(|repository| repository.message(&made).is_ok()),
        _ => true,
    };
    if state.reverted.as_ref().is_none_or(|taken| taken.commit != named.commit || !there(taken)) {
        let (repo, folder, commit) = (parts.job.repo.clone(), folder(parts), named.commit);
        let newest = state.tip.map(|(tip, _)| tip).filter(|tip| state.hits(*tip) > 0);
        let taken = tokio::task::spawn_blocking(move || take_back(&repo, &folder, &commit, newest, &start));
        let TakenBack { at, reverted, .. } = taken.await.map_err(|error| Error::internal(error.to_string()))??;
        super::record(recorder, state, Event::Reverted { commit, at, reverted })?;
    }
    let Some(TakenBack { at, reverted: Reverted::Made(made), .. }) = state.reverted else { return Ok(None) };
    let trials = state.bisector.clean_enough(&start);
    if state.done(made) >= trials {
        return Ok(None);
    }
    let subject = format!("{} without {}", at.unwrap_or(start).short(), named.commit.short());
    let errand = Errand { commit: made, role: Role::Verification, subject, total: trials, until_hit: false };
    Dispatcher::new(parts, state, recorder, Executor::new(parts)).exactly(signals, errand).await
}

/// Takes a commit back at the newest commit that is given, or at the start commit.
fn take_back(
    repo: &Path,
    folder: &Path,
    commit: &CommitId,
    newest: Option<CommitId>,
    start: &CommitId,
) -> Result<TakenBack, git::Error> {
    let checkout = Checkout::create(repo, folder)?;
    if let Some(newest) = newest {
        let reverted = checkout.revert(commit, &newest)?;
        if matches!(reverted, Reverted::Made(_)) {
            return Ok(TakenBack { commit: *commit, at: Some(newest), reverted });
        }
    }
    Ok(TakenBack { commit: *commit, at: None, reverted: checkout.revert(commit, start)? })
}

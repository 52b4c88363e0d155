//! The named commit taken back at the start commit, and tested there: does the crash go with it? Owns when that is done and the
//! repository in which it is made; what it says is the report's.

use std::path::PathBuf;

use kbisect_core::bisector::Conclusion;
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
use crate::git::Reverted;
use crate::record::event::Event;
use crate::record::recorder::Recorder;

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

/// Tests the start commit without the commit that is to be named, where the job asks for it. An ending where that was broken off.
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
    if state.reverted.as_ref().is_none_or(|(commit, _)| *commit != named.commit) {
        let (repo, folder, commit) = (parts.job.repo.clone(), folder(parts), named.commit);
        let reverted = tokio::task::spawn_blocking(move || -> Result<Reverted, git::Error> {
            Checkout::create(&repo, &folder)?.revert(&commit, &start)
        });
        let reverted = reverted.await.map_err(|error| Error::internal(error.to_string()))??;
        super::record(recorder, state, Event::Reverted { commit, reverted })?;
    }
    let Some((_, Reverted::Made(made))) = state.reverted else { return Ok(None) };
    let trials = state.bisector.clean_enough(&start);
    if state.done(made) >= trials {
        return Ok(None);
    }
    let subject = format!("{} without {}", start.short(), named.commit.short());
    let errand = Errand { commit: made, role: Role::Verification, subject, total: trials, until_hit: false };
    Dispatcher::new(parts, state, recorder, Executor::new(parts)).exactly(signals, errand).await
}

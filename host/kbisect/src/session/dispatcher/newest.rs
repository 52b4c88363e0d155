//! The newest commit of the history, tested once when the start commit is known to be bad: nobody should look long for what is mended.
//! Owns which commit that is and when it is its turn; what its trials say is the report's.

use kbisect_core::commit::CommitId;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Role;
use kbisect_core::policy::Stage;

use super::Dispatcher;
use super::Errand;
use crate::config::job::Tip;
use crate::error::Error;
use crate::git;
use crate::record::event::Event;

impl Dispatcher<'_> {
    /// The trials that the newest commit still needs, when it is their turn.
    pub(super) fn newest(&mut self) -> Result<Option<Errand>, Error> {
        if self.newest_done || !self.state.routed || self.stopping.is_some() {
            return Ok(None);
        }
        self.newest_done = true;
        let known = match self.state.tip {
            Some(known) => Some(known),
            None => self.choose_newest()?,
        };
        let Some((commit, total)) = known else { return Ok(None) };
        let failed = self
            .state
            .past_at(commit)
            .any(|past| matches!(&past.outcome, Outcome::Void(failure) if failure.stage == Stage::Build));
        if failed || self.state.done(commit) >= total || self.state.hits(commit) > 0 {
            return Ok(None);
        }
        let subject = self.parts.subject(&commit);
        Ok(Some(Errand { commit, role: Role::Verification, subject, total, until_hit: true }))
    }

    /// Looks for the newest commit, and records how often it is tried: as often as a commit must be clean to be good.
    fn choose_newest(&mut self) -> Result<Option<(CommitId, u32)>, Error> {
        let (repository, start) = (&self.parts.repository, self.parts.ends.start);
        let tip = match &self.parts.job.search.tip {
            Tip::None => None,
            Tip::Newest => tokio::task::block_in_place(|| repository.newest_tip(&start))?,
            Tip::At(name) => Some(git::Tip { name: name.clone(), commit: repository.resolve(name)? }),
        };
        let Some(git::Tip { name, commit }) = tip.filter(|tip| tip.commit != start) else { return Ok(None) };
        let trials = self.state.bisector.clean_enough(&start);
        self.record(Event::Tip { name, commit, subject: self.parts.subject(&commit), trials })?;
        Ok(Some((commit, trials)))
    }
}

//! Trials that somebody asks for, whatever the search would do next.

use kbisect_core::commit::CommitId;
use kbisect_core::policy::Role;

use super::Dispatcher;
use super::Ending;
use super::Served;
use crate::error::Error;
use crate::session::signals::Signals;

impl Dispatcher<'_> {
    /// Makes so many more trials at the commit. None when they were made, or when the commit does not build.
    pub(in crate::session) async fn by_hand(
        mut self,
        signals: &mut Signals,
        commit: CommitId,
        role: Role,
        trials: u32,
    ) -> Result<Option<Ending>, Error> {
        let deadline = self.deadline();
        let total = self.state.done(commit) + trials;
        self.choose(commit, role)?;
        loop {
            let made = self.stopping.is_none() && self.fill_by_hand(commit, role, total)?;
            if self.running.is_empty() && self.building.is_empty() && (made || self.stopping.is_some()) {
                return Ok(self.stopping.take());
            }
            self.wait(signals, deadline).await?;
        }
    }

    /// Starts what fits; whether there is nothing more to start.
    fn fill_by_hand(&mut self, commit: CommitId, role: Role, total: u32) -> Result<bool, Error> {
        let at_work = self.running.len() as u32;
        let missing = total.saturating_sub(self.state.done(commit) + at_work);
        if missing == 0 {
            return Ok(true);
        }
        match self.serve_kernel(commit, role, 1)? {
            Some(Served::Started) => return Ok(false),
            // It does not build: that is recorded, and more of the same says nothing.
            Some(Served::Changed | Served::End(_)) => return Ok(true),
            None => {}
        }
        for _ in 0..missing {
            let Some(slot) = self.free_slots.pop() else {
                break;
            };
            self.start_trial(commit, role, 1, slot, total, 1.0);
        }
        Ok(false)
    }
}

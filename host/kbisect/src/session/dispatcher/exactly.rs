//! Trials at one commit, whatever the search would do next: those that somebody asks for, and those of a reverted culprit.

use kbisect_core::commit::CommitId;
use kbisect_core::policy::Role;

use super::Dispatcher;
use super::Ending;
use super::Served;
use crate::error::Error;
use crate::session::signals::Signals;

impl Dispatcher<'_> {
    /// Makes as many trials at the commit as are missing to so many. None when they were made, or when the commit does not build.
    pub(in crate::session) async fn exactly(
        mut self,
        signals: &mut Signals,
        commit: CommitId,
        role: Role,
        subject: String,
        total: u32,
    ) -> Result<Option<Ending>, Error> {
        let deadline = self.deadline();
        self.turn_to(commit, role, subject)?;
        loop {
            let made = self.stopping.is_none() && self.fill(commit, role, total)?;
            if self.running.is_empty() && self.building.is_empty() && (made || self.stopping.is_some()) {
                return Ok(self.stopping.take());
            }
            self.wait(signals, deadline).await?;
        }
    }

    /// Starts what fits; whether there is nothing more to start.
    fn fill(&mut self, commit: CommitId, role: Role, total: u32) -> Result<bool, Error> {
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

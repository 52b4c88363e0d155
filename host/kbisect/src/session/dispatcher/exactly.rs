//! Trials at one commit, whatever the search would do next: those that somebody asks for, those of a reverted culprit, and those of the
//! newest commit.

use kbisect_core::commit::CommitId;
use kbisect_core::policy::Role;

use super::Dispatcher;
use super::Ending;
use super::Served;
use crate::error::Error;
use crate::session::signals::Signals;

/// Trials that are wanted at a commit.
pub(in crate::session) struct Errand {
    /// The commit.
    pub commit: CommitId,
    /// What it is tested for.
    pub role: Role,
    /// What it is called.
    pub subject: String,
    /// Trials in all, those that were made before included.
    pub total: u32,
    /// The first that shows the target is the last.
    pub until_hit: bool,
}

impl Dispatcher<'_> {
    /// Makes the trials that are missing. None when they were made, or when the commit does not build. What runs for the search goes on.
    pub(in crate::session) async fn exactly(&mut self, signals: &mut Signals, errand: Errand) -> Result<Option<Ending>, Error> {
        let deadline = signals.deadline();
        let Errand { commit, role, subject, total, until_hit } = errand;
        self.turn_to(commit, role, subject)?;
        loop {
            let hit = until_hit && self.state.hits(commit) > 0;
            if hit {
                self.cancel_trials_at(commit);
            }
            let made = hit || self.stopping.is_none() && self.fill(commit, role, total)?;
            let idle = match self.stopping {
                Some(_) => self.running.is_empty() && self.building.is_empty(),
                None => !self.running.values().any(|running| running.commit == commit),
            };
            if idle && (made || self.stopping.is_some()) {
                return Ok(self.stopping.take());
            }
            self.wait(signals, deadline).await?;
        }
    }

    fn cancel_trials_at(&mut self, commit: CommitId) {
        for (number, running) in self.running.iter_mut().filter(|(_, running)| running.commit == commit && !running.cancelled) {
            running.cancelled = true;
            self.executor.cancel_trial(*number);
        }
    }

    /// Starts what fits; whether there is nothing more to start.
    fn fill(&mut self, commit: CommitId, role: Role, total: u32) -> Result<bool, Error> {
        let at_work = self.running.values().filter(|running| running.commit == commit).count() as u32;
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

//! How far the reproducer gets, looked at where much depends on a clean trial: one more run, watched, that is no evidence. Owns when it is
//! its turn; where it is worth it, and what follows, is the core's.

use kbisect_core::bisector::Conclusion;
use kbisect_core::commit::CommitId;
use kbisect_core::policy::Outcome;
use kbisect_core::reach;
use kbisect_core::reach::Reach;

use super::Dispatcher;
use super::Ending;
use crate::error::Error;
use crate::record::event::BuildResult;
use crate::record::event::Event;
use crate::record::progress::Progress;
use crate::session::executor::Probing;
use crate::session::reaching;
use crate::session::signals::Signals;

impl Dispatcher<'_> {
    /// The commit at which it is to be looked next how far the reproducer gets.
    pub(super) fn to_probe(&self, conclusion: Option<&Conclusion>) -> Option<CommitId> {
        if !self.parts.job.search.reach || !self.state.routed || self.stopping.is_some() {
            return None;
        }
        self.state.bisector.worth_probing(conclusion).into_iter().next()
    }

    /// Looks there, as soon as a machine is free. An ending where that was broken off.
    pub(super) async fn probe(&mut self, signals: &mut Signals, commit: CommitId) -> Result<Option<Ending>, Error> {
        let deadline = signals.deadline();
        let (kernel, lost) = match self.state.builds.get(&(commit, 1)) {
            Some(BuildResult::Built { kernel: Some(kernel), lost, .. }) if self.executor.has(kernel) => {
                (kernel.clone(), lost.clone())
            }
            _ => {
                let found = Reach { functions_unknown: Some("its kernel had to make room".to_owned()), ..Reach::default() };
                self.record(Event::Reached { commit, found, seconds: 0.0 })?;
                return Ok(None);
            }
        };
        let start = self.parts.ends.start;
        let clean = |commit| self.state.past_at(commit).filter(|past| past.outcome == Outcome::Clean);
        let exposure = clean(commit).map(|past| past.exposure).fold(0.0, f64::max);
        let probing = Probing {
            commit,
            kernel,
            lost,
            functions: reaching::functions(&self.state.faces()),
            runs: reach::runs(self.state.hits(start), clean(start).count() as u32),
            exposure: if exposure > 0.0 { exposure } else { 1.0 },
        };
        let mut probing = Some(probing);
        loop {
            if self.stopping.is_none()
                && let Some(slot) = self.free_slots.pop_if(|_| probing.is_some())
                && let Some(probing) = probing.take()
            {
                self.recorder.progress(&Progress::Probing { commit });
                self.executor.start_probe(self.parts, slot, probing);
            }
            let idle = !self.executor.is_probing() && (probing.is_none() || self.stopping.is_some());
            let over = self.stopping.is_none() || self.running.is_empty() && self.building.is_empty();
            if idle && over {
                return Ok(self.stopping.take());
            }
            self.wait(signals, deadline).await?;
        }
    }
}

//! What is done before the search leaves the start commit, where something is to be done there first.

use kbisect_core::bisector::Action;
use kbisect_core::bisector::Plan;

use super::Dispatcher;
use super::Ending;
use crate::error::Error;
use crate::session::signals::Signals;

impl Dispatcher<'_> {
    /// Tests the start commit, and nothing is built or tried for any other. None when the search would leave it.
    pub(in crate::session) async fn at_start(mut self, signals: &mut Signals) -> Result<Option<Ending>, Error> {
        let deadline = signals.deadline();
        let start = self.parts.ends.start;
        self.only = Some(start);
        self.catch_up()?;
        let mut done = self.start_is_assumed();
        loop {
            if self.stopping.is_none() && !done {
                let here = |action: &Action| matches!(action, Action::Try { commit, .. } if *commit == start);
                done = match self.state.bisector.plan(&self.pending()) {
                    Plan::Do(actions) => !actions.iter().any(here),
                    Plan::Done(conclusion) => return Ok(Some(Ending::Concluded(conclusion))),
                };
                if !done {
                    self.stopping = self.advance()?;
                }
                if done || self.stopping.is_some() {
                    self.executor.cancel_all();
                }
            }
            if (done || self.stopping.is_some()) && self.running.is_empty() && self.building.is_empty() {
                return Ok(self.stopping.take());
            }
            self.wait(signals, deadline).await?;
        }
    }
}

//! Before the search among the commits between the ends begins, a suspicion plugin says how guilty they look.

use kbisect_core::bisector::Strategy;

use super::Dispatcher;
use crate::error::Error;
use crate::record::event::Event;
use crate::record::progress::Progress;
use crate::session::weighing;
use crate::session::weighing::Weighed;

impl Dispatcher<'_> {
    /// Whether the search has to wait until it is known how guilty the commits between its ends look.
    pub(super) fn weighs_commits(&mut self) -> bool {
        let search = &self.parts.job.search;
        let asks = search.strategy == Strategy::Posterior && search.suspicion > 0.0;
        if self.weighing || !asks || self.parts.policies.suspicion().is_none() {
            return self.weighing;
        }
        if let Some(stretch) = self.state.bisector.unweighed() {
            let commits = self.state.bisector.commits(&stretch);
            self.parts.tell_policies(self.state);
            self.recorder.progress(&Progress::Weighing { commits: commits.len() });
            self.executor.start_weighing(self.parts, stretch, commits);
            self.weighing = true;
        }
        self.weighing
    }

    /// Records what the suspicion plugin said, and what it cost.
    pub(super) fn take_weights(&mut self, mut weighed: Weighed) -> Result<(), Error> {
        self.weighing = false;
        self.record_policy_notices()?;
        if let Some(trouble) = weighed.trouble.take() {
            self.record(Event::Warned { message: format!("no commit looks guiltier than another: {trouble}") })?;
        }
        let commits = self.state.bisector.commits(&weighed.stretch);
        let plugin = self.parts.policies.suspicion().unwrap_or_default();
        self.record(weighing::event(weighed, &commits, plugin, self.parts.job.search.suspicion))
    }
}

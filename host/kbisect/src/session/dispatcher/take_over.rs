//! Trials that were made elsewhere, taken over as evidence: today's classifiers and policy judge them.

use kbisect_core::policy::Outcome;
use kbisect_core::policy::Sighting;

use super::Dispatcher;
use crate::error::Error;
use crate::policy::Watch as _;
use crate::record::event::Event;
use crate::session::import::Elsewhere;
use crate::session::import::Seen;

impl Dispatcher<'_> {
    /// Records the trials commit by commit, in their order, and asks the policy about each.
    pub(in crate::session) fn take_over(mut self, tests: &[Elsewhere]) -> Result<(), Error> {
        for test in tests {
            let Elsewhere { commit, role, release, trials } = test;
            let summary = self.state.bisector.summary();
            self.record(Event::Chosen {
                commit: *commit,
                role: *role,
                release: release.clone(),
                subject: self.parts.subject(commit),
                left: summary.left,
                steps: summary.steps,
            })?;
            for seen in trials {
                self.take_over_one(test, seen)?;
            }
            if !trials.is_empty() {
                let done = self.state.done(*commit);
                self.judge(*commit, *role, 0, done)?;
            }
        }
        Ok(())
    }

    fn take_over_one(&mut self, test: &Elsewhere, seen: &Seen) -> Result<(), Error> {
        let commit = test.commit;
        let (outcome, reason, reports) = match seen {
            Seen::Ended(outcome) => (outcome.clone(), String::new(), Vec::new()),
            Seen::Crashed(report) => match self.parts.policies.relate(report, &commit) {
                Ok(relation) => {
                    let sighting = Sighting { report: report.clone(), same: relation.same, look: self.look(report) };
                    (Outcome::Crashed(sighting), relation.reason, vec![report.clone()])
                }
                Err(failure) => (Outcome::Void(failure), String::new(), vec![report.clone()]),
            },
        };
        self.record_policy_notices()?;
        let number = self.state.next_number();
        let n = self.free_index(commit);
        self.record(Event::TrialEnded {
            trial: number,
            commit,
            role: test.role,
            build: 1,
            n,
            outcome,
            reason,
            reports,
            uncounted: 0,
            weight: None,
            exposure: 1.0,
            boot: None,
            seconds: 0.0,
        })?;
        if commit == self.parts.ends.start {
            self.settle_target()?;
        }
        Ok(())
    }
}

//! How long builds and trials take: whether it pays to build ahead of need, and to end trials early.

use kbisect_core::bisector::Pace;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Trial;

use crate::config::job::Expect;
use crate::config::job::Job;
use crate::config::job::TargetStage;

/// Seconds of a build from which on nobody wants to wait for it: quicker ones are not worth a detour in the search.
const WORTH_BUILDING_AHEAD: f64 = 3.0;

/// Times seen so far, in seconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Durations {
    builds: Mean,
    trials: Mean,
    /// Of the time before the reproducer runs.
    boots: Mean,
    /// The reproducer's time limit; none where its end says something, and no trial can be cut short.
    time_limit: Option<f64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    count: u32,
    sum: f64,
}

impl Durations {
    /// Nothing was seen yet.
    pub(super) fn new(job: &Job) -> Self {
        let timed = job.stage == TargetStage::Run && job.trial.expect == Expect::Crash;
        Self { time_limit: timed.then_some(job.trial.time_limit.as_secs_f64()), ..Self::default() }
    }

    pub(super) fn build_took(&mut self, seconds: f64) {
        self.builds.add(seconds);
    }

    pub(super) fn trial_took(&mut self, seconds: f64, trial: &Trial) {
        self.trials.add(seconds);
        let Some(limit) = self.time_limit else { return };
        let ran = trial.exposure * limit;
        match trial.outcome {
            Outcome::Void(_) => {}
            // The reproducer ended by itself.
            Outcome::Clean if seconds < ran => self.time_limit = None,
            Outcome::Clean => self.boots.add(seconds - ran),
            // When it crashed is not always known.
            Outcome::Crashed(_) if trial.exposure < 1.0 => self.boots.add((seconds - ran).max(0.0)),
            Outcome::Crashed(_) => {}
        }
    }

    /// Seconds that a trial takes.
    pub(super) fn trial(&self) -> f64 {
        self.trials.mean()
    }

    /// What the search is told: nothing of builds while they are quick.
    pub(super) fn pace(&self, builders: u32) -> Pace {
        let (build, trial) = (self.builds.mean(), self.trials.mean());
        let timed = Pace { boot: self.boots.mean(), full: self.time_limit.unwrap_or(0.0), ..Pace::default() };
        if builders == 0 || build < WORTH_BUILDING_AHEAD {
            return timed;
        }
        Pace { builders, build, trial, ..timed }
    }
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.count += 1;
        self.sum += value;
    }

    fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum / f64::from(self.count) }
    }
}

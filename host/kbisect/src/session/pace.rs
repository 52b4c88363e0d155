//! How long builds and trials take, and whether it pays to build ahead of need.

use kbisect_core::bisector::Pace;

/// Seconds of a build from which on nobody wants to wait for it: quicker ones are not worth a detour in the search.
const WORTH_BUILDING_AHEAD: f64 = 3.0;

/// Times seen so far, in seconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Durations {
    builds: Mean,
    trials: Mean,
}

#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    count: u32,
    sum: f64,
}

impl Durations {
    pub(super) fn build_took(&mut self, seconds: f64) {
        self.builds.add(seconds);
    }

    pub(super) fn trial_took(&mut self, seconds: f64) {
        self.trials.add(seconds);
    }

    /// Seconds that a trial takes.
    pub(super) fn trial(&self) -> f64 {
        self.trials.mean()
    }

    /// What the search is told: nothing while builds are quick.
    pub(super) fn pace(&self, builders: u32) -> Pace {
        let (build, trial) = (self.builds.mean(), self.trials.mean());
        if builders == 0 || build < WORTH_BUILDING_AHEAD {
            return Pace::default();
        }
        Pace { builders, build, trial }
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

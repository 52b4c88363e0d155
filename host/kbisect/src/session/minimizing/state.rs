//! Where a minimization stands, as a fold over durable events.

use std::collections::HashMap;

use kbisect_core::policy::Trial;

use crate::record::event::BuildResult;
use crate::record::event::Event;
use crate::record::minimized::ConfigTest;
use crate::record::minimized::Minimized;

/// What is known of it so far.
#[derive(Debug, Default)]
pub(in crate::session) struct Minimization {
    begun: Option<String>,
    tests: Vec<ConfigTest>,
    /// The kernel of the test that is under way.
    built: Option<BuildResult>,
    /// The kernels of tests that are over, by their configurations' digests.
    kernels: HashMap<String, BuildResult>,
    /// Its trials.
    trials: Vec<Trial>,
    builds: u32,
    trials_made: u32,
    done: Option<Minimized>,
}

impl Minimization {
    /// Takes in a durable event.
    pub(in crate::session) fn take(&mut self, event: &Event) {
        match event {
            Event::Minimizing { digest, .. } => self.begun = Some(digest.clone()),
            Event::ConfigBuilt { result, .. } => {
                self.built = Some(result.clone());
                self.builds += 1;
            }
            Event::ConfigTried { outcome, exposure, .. } => {
                self.trials.push(Trial { outcome: outcome.clone(), exposure: *exposure });
                self.trials_made += 1;
            }
            Event::ConfigTested { tested } => {
                self.tests.push(tested.clone());
                if let Some(built) = self.built.take() {
                    self.kernels.insert(tested.digest.clone(), built);
                }
                self.trials.clear();
            }
            Event::Minimized { minimized, .. } => self.done = Some(minimized.clone()),
            _ => {}
        }
    }

    /// The digest of what may go, where it has begun.
    pub(in crate::session) fn begun(&self) -> Option<&String> {
        self.begun.as_ref()
    }

    /// What was tested, in order.
    pub(in crate::session) fn tests(&self) -> &[ConfigTest] {
        &self.tests
    }

    /// How the build ended of the test that is under way, where it has.
    pub(in crate::session) fn built(&self) -> Option<&BuildResult> {
        self.built.as_ref()
    }

    /// The kernel that was built with the configuration of this digest.
    pub(in crate::session) fn kernel(&self, digest: &str) -> Option<&BuildResult> {
        self.kernels.get(digest)
    }

    /// The trials of the test that is under way, in the order in which they ended.
    pub(in crate::session) fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// Kernels that were built for it.
    pub(in crate::session) fn builds(&self) -> u32 {
        self.builds
    }

    /// Trials that were made for it.
    pub(in crate::session) fn trials_made(&self) -> u32 {
        self.trials_made
    }

    /// What came of it.
    pub(in crate::session) fn done(&self) -> Option<&Minimized> {
        self.done.as_ref()
    }

    /// The name of the smaller configuration that kernels are built with.
    pub(in crate::session) fn config(&self) -> Option<&String> {
        self.done.as_ref()?.config.as_ref()
    }
}

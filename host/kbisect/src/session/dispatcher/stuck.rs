//! A run that makes no progress: a defect, told with what the search asks for and what runs.

use kbisect_core::bisector::Action;

use super::Dispatcher;
use crate::error::Error;

impl Dispatcher<'_> {
    /// The error for a run that would spin or wait for ever.
    pub(super) fn stuck(&self, how: &str, actions: &[Action]) -> Error {
        let asked = actions.iter().map(|action| match action {
            Action::Build(commit) => format!("build {}", commit.short()),
            Action::Try { commit, role, trials, rebuild, .. } => {
                let again = if *rebuild { ", built from clean" } else { "" };
                format!("try {} ({role:?}, {trials} trials{again})", commit.short())
            }
        });
        let builds = self.building.iter().map(|(commit, build)| format!("build {build} of {}", commit.short()));
        let trials = self.running.iter().map(|(number, running)| format!("trial {} at {}", number.0, running.commit.short()));
        Error::internal(format!(
            "{how}: the plan is to {}; at work: {}; machines that are free: {}",
            list(asked),
            list(builds.chain(trials)),
            self.free_slots.len()
        ))
        .hint("this is a defect in kbisect: please report it with the run's journal.jsonl")
    }
}

fn list(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
}

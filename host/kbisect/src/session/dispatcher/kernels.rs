//! Kernels for trials: when one is built, what makes room for it, and what a build that ended means.

use kbisect_core::commit::CommitId;
use kbisect_core::policy::Failure;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Role;
use kbisect_core::policy::Sighting;
use kbisect_core::policy::Stage;

use super::Dispatcher;
use super::Ending;
use super::Served;
use super::last_line;
use crate::config::job::TargetStage;
use crate::error::Error;
use crate::policy::Watch as _;
use crate::record::event::BuildResult;
use crate::record::event::Event;
use crate::record::progress::Progress;
use crate::session::builder;

impl Dispatcher<'_> {
    /// Sees to it that trials of this build can start: none when they can. A build that failed is a trial's outcome.
    pub(super) fn serve_kernel(&mut self, commit: CommitId, role: Role, build: u32) -> Result<Option<Served>, Error> {
        if !self.parts.job.builds_kernels() {
            return Ok(None);
        }
        let failure = match self.state.builds.get(&(commit, build)) {
            Some(BuildResult::Built { kernel, .. }) if kernel.as_ref().is_none_or(|kernel| self.executor.has(kernel)) => {
                return Ok(None);
            }
            Some(BuildResult::Failed(why)) => why.clone(),
            // It was never built, or what was built had to make room.
            Some(BuildResult::Built { .. } | BuildResult::Infra(_)) | None => {
                self.build_now(commit, build);
                return Ok(Some(Served::Started));
            }
        };
        let number = self.state.next_number();
        let outcome = self.build_failure(&commit, &failure);
        self.record(Event::TrialEnded {
            trial: number,
            commit,
            role,
            build,
            n: self.free_index(commit),
            outcome,
            reason: String::new(),
            reports: Vec::new(),
            uncounted: 0,
            weight: None,
            exposure: 1.0,
            boot: None,
            seconds: 0.0,
        })?;
        let running = self.running.values().filter(|running| running.commit == commit).count() as u32;
        self.judge(commit, role, running, 1).map(Some)
    }

    /// A build failure is a void trial, or the crash itself where the target is one.
    pub(super) fn build_failure(&self, commit: &CommitId, why: &str) -> Outcome {
        if self.parts.job.stage != TargetStage::Build {
            return Outcome::Void(Failure {
                stage: Stage::Build,
                reason: last_line(why).unwrap_or("the build failed").to_owned(),
            });
        }
        let report = builder::failure_report(why);
        let same = match self.parts.policies.relate(&report, commit) {
            Ok(relation) => relation.same,
            Err(failure) => return Outcome::Void(failure),
        };
        Outcome::Crashed(Sighting { look: self.look(&report), report, same })
    }

    pub(super) fn start_build(&mut self, commit: CommitId, build: u32) {
        if !self.building.contains(&(commit, build)) && self.executor.start_build(commit, build) {
            self.building.insert((commit, build));
            self.recorder.progress(&Progress::Building { commit, build });
        }
    }

    /// Builds what a trial waits for: where no builder is free, the least likely of the builds ahead of need makes room.
    pub(super) fn build_now(&mut self, commit: CommitId, build: u32) {
        self.start_build(commit, build);
        if !self.building.contains(&(commit, build))
            && let Some(ahead) = self.ahead.iter().rev().find(|ahead| self.building.contains(&(**ahead, 1)))
        {
            self.executor.cancel_build(*ahead, 1);
        }
    }

    /// Takes in a build that ended; none: it was cancelled.
    pub(super) fn take_build(
        &mut self,
        commit: CommitId,
        build: u32,
        result: Option<BuildResult>,
        seconds: f64,
    ) -> Result<(), Error> {
        self.building.remove(&(commit, build));
        // A cancelled build said nothing.
        let Some(result) = result else { return Ok(()) };
        match &result {
            BuildResult::Infra(why) => self.stopping = Some(Ending::Infrastructure(why.clone())),
            _ => self.infra_streak = 0,
        }
        let failed = matches!(result, BuildResult::Failed(_));
        self.record(Event::BuildEnded { commit, build, result, seconds })?;
        // What a trial waits for is told at once: by the next plan the search may have turned to another commit.
        if failed
            && let Some(role) = self.state.under_test(&commit)
            && let Some(Served::End(ending)) = self.serve_kernel(commit, role, build)?
        {
            self.stopping = Some(ending);
        }
        Ok(())
    }
}

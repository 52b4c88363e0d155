//! What a trial's end is to the search: the number of a crash's look, builds in slots, and kernels that could not have told.

use kbisect_core::policy::Failure;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Stage;

use super::Dispatcher;
use super::Running;
use crate::build::linux::needs;
use crate::record::event::BuildResult;

impl Dispatcher<'_> {
    /// The outcome that is recorded of a trial that ended so.
    pub(super) fn outcome_of(&self, running: &Running, ended: Outcome) -> Outcome {
        match ended {
            // Built in the slot.
            Outcome::Void(failure) if failure.stage == Stage::Build => self.build_failure(&running.commit, &failure.reason),
            Outcome::Crashed(mut sighting) => {
                sighting.look = self.look(&sighting.report);
                Outcome::Crashed(sighting)
            }
            Outcome::Clean => self.mute(running).map_or(Outcome::Clean, Outcome::Void),
            void @ Outcome::Void(_) => void,
        }
    }

    /// Why a clean trial says nothing: the kernel's configuration lost what the target is told by, or what the job requires.
    pub(super) fn mute(&self, running: &Running) -> Option<Failure> {
        let built = self.state.builds.get(&(running.commit, running.build));
        let Some(BuildResult::Built { lost, .. }) = built else { return None };
        let required = self.parts.job.build.as_ref().and_then(|build| build.linux()).map_or(&[][..], |linux| &linux.require);
        let tells = |symbol: &String| {
            let types = self.state.faces.iter().map(|face| face.crash_type.as_str());
            required.contains(symbol) || needs::tells_only(symbol, types)
        };
        let symbol = lost.iter().find(|symbol| tells(symbol))?;
        let reason = format!("clean, but the kernel lacks CONFIG_{symbol}, without which the target would hardly show");
        Some(Failure { stage: Stage::Control, reason })
    }
}

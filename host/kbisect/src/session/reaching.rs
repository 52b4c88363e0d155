//! The run that looks how far the reproducer gets: a trial on a machine that is watched. Owns which functions are watched, and how often;
//! nothing of it is evidence.

use std::path::PathBuf;
use std::sync::Arc;

use kbisect_core::crash::Face;
use kbisect_core::policy::Outcome;
use kbisect_core::reach::Reach;
use tokio::sync::watch;

use crate::machine::Pool as _;
use crate::machine::Setup;
use crate::machine::qemu;
use crate::machine::qemu::QemuPool;
use crate::machine::qemu::probe::Probe;
use crate::policy::Watch;
use crate::symbols::functions::Located;
use crate::symbols::functions::locate;
use crate::trial;
use crate::trial::Plan;

/// So many functions are watched, the innermost of the stack.
const FUNCTIONS: usize = 24;
/// In names and in the rest of what a trial is made of, these runs come behind all trials.
const BEHIND: u64 = 1 << 32;

/// The functions of the target's stack, the one to blame first and then outwards: what lies within it runs only when it crashes.
pub(super) fn functions(faces: &[Face]) -> Vec<String> {
    let Some(Face { report, .. }) = faces.first() else { return Vec::new() };
    let from = report.frame.as_ref().and_then(|frame| report.trace.iter().position(|name| name == frame));
    let stack = report.trace.get(from.unwrap_or(0)..).unwrap_or_default();
    let blamed = report.frame.iter().filter(|_| from.is_none());
    let mut functions: Vec<String> = Vec::new();
    for name in blamed.chain(stack) {
        if !functions.contains(name) {
            functions.push(name.clone());
        }
    }
    functions.truncate(FUNCTIONS);
    functions
}

/// A kernel to be watched.
pub(super) struct Watched {
    /// What its machine is made of.
    pub(super) settings: qemu::Settings,
    /// Its folder.
    pub(super) kernel: PathBuf,
    /// What is watched.
    pub(super) functions: Vec<String>,
    /// Runs at most: the first that reaches everything is the last.
    pub(super) runs: u32,
}

impl Watched {
    /// Runs the reproducer as `plan` says, with the command that `command` gives for the run; none where it was cancelled.
    pub(super) async fn probe(
        self,
        plan: &Plan,
        command: impl Fn(u64) -> Vec<String>,
        judge: &Arc<dyn Watch>,
        slot: u32,
        stopped: watch::Receiver<bool>,
    ) -> Option<Reach> {
        let (vmlinux, names) = (self.kernel.join("vmlinux"), self.functions.clone());
        let located = tokio::task::spawn_blocking(move || locate(&vmlinux, &names)).await;
        let located = located.unwrap_or_else(|error| Err(error.to_string()));
        let mut found = Reach::default();
        for run in 1..=u64::from(self.runs) {
            let command = command(BEHIND + run);
            let probe = Arc::new(Probe::new(located.clone().unwrap_or_default()));
            let setup = Setup {
                trial: BEHIND + run,
                commit: plan.commit,
                kernel: Some(self.kernel.clone()),
                slot,
                command: command.clone(),
            };
            let plan = Plan { command, ..plan.clone() };
            let pool = QemuPool::new(self.settings.clone()).watched(Arc::clone(&probe));
            let trouble = match pool.create(&setup).await {
                Ok(machine) => {
                    let finished = trial::run(machine, &plan, Arc::clone(judge), stopped.clone()).await;
                    if finished.cancelled {
                        return None;
                    }
                    if let Outcome::Void(failure) = finished.outcome { Some(failure.reason) } else { None }
                }
                Err(failure) => Some(failure.reason),
            };
            found.merge(what_is_known(probe.found(), trouble.as_deref(), &located));
            if probe.has_seen_all() {
                break;
            }
        }
        Some(found)
    }
}

/// What a run found, without what it cannot know.
fn what_is_known(found: Reach, trouble: Option<&str>, located: &Result<Vec<Located>, String>) -> Reach {
    let functions_unknown = match (located, trouble) {
        (Err(why), _) => Some(why.clone()),
        (Ok(located), _) if located.is_empty() => Some("the crash has no stack".to_owned()),
        (Ok(_), Some(trouble)) => Some(trouble.to_owned()),
        (Ok(_), None) => found.functions_unknown.clone(),
    };
    let functions = if functions_unknown.is_some() { Vec::new() } else { found.functions };
    Reach { functions, functions_unknown, ..found }
}

#[cfg(test)]
mod tests {
    use kbisect_core::crash::CrashReport;

    use super::*;

    fn of(frame: Option<&str>, trace: &str) -> String {
        let report = CrashReport {
            frame: frame.map(str::to_owned),
            trace: trace.split_whitespace().map(str::to_owned).collect(),
            ..CrashReport::default()
        };
        functions(&[Face { report, trials: 1 }]).join(" ")
    }

    #[test]
    fn the_stack_is_watched_from_the_function_to_blame_outwards() {
        assert_eq!(of(Some("f"), "dump_stack print_report f g f h"), "f g h");
        assert_eq!(of(Some("melted"), "f g"), "melted f g", "it was inlined");
        assert_eq!(of(None, "f g"), "f g");
        assert_eq!(of(None, ""), "");
        assert!(functions(&[]).is_empty());
        let long: Vec<String> = (0..40).map(|number| format!("f{number}")).collect();
        assert_eq!(of(None, &long.join(" ")).split(' ').count(), FUNCTIONS);
    }

    #[test]
    fn what_cannot_be_known_is_said_first() {
        let told = |located, trouble: Option<&str>| what_is_known(Reach::default(), trouble, &located).functions_unknown;
        let one = || vec![Located { name: "f".to_owned(), place: crate::symbols::functions::Place::Absent }];
        assert_eq!(told(Err("no symbols".to_owned()), Some("no boot")).as_deref(), Some("no symbols"));
        assert_eq!(told(Ok(Vec::new()), None).as_deref(), Some("the crash has no stack"));
        assert_eq!(told(Ok(one()), Some("no boot")).as_deref(), Some("no boot"));
        assert_eq!(told(Ok(one()), None), None);
    }
}

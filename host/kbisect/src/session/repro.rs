//! A commit's kernel booted once more for somebody who wants to look: with the reproducer, or with a shell. Nothing of it is recorded, and
//! nothing of it is evidence.

use std::path::Path;

use kbisect_core::bisector::TrialNumber;
use kbisect_core::commit::CommitId;
use kbisect_core::policy::Outcome;

use super::again::Again;
use super::builder;
use super::executor::Ended;
use super::executor::Executor;
use super::executor::files;
use super::executor::qemu_settings;
use super::parts::Parts;
use super::reverting;
use super::state::State;
use crate::build::store::Store;
use crate::config::job::MachineKind;
use crate::error::Error;
use crate::machine::qemu;
use crate::record::cited;
use crate::record::event::BuildResult;

/// How a trial ended that nobody counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Shot {
    /// How.
    pub outcome: Outcome,
    /// Why a crash was or was not taken for the target.
    pub reason: String,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// Runs the reproducer so many times at a commit, one after the other, with the consoles on standard output; `tell` is told of each.
pub fn repro(directory: &Path, name: &str, times: u32, mut tell: impl FnMut(&Shot) -> Result<(), Error>) -> Result<(), Error> {
    super::on_threads(|runtime| {
        let (parts, state, commit) = open(directory, name)?;
        runtime.block_on(async {
            let mut executor = Executor::new(&parts).showing_consoles();
            let kernel = kernel(&parts, &state, &mut executor, commit).await?;
            for n in 1..=times {
                executor.start_trial(TrialNumber(u64::from(n)), commit, n, 0, kernel.clone(), 1.0);
                let end = loop {
                    if let Ended::Trial { end, .. } = executor.next().await {
                        break end;
                    }
                };
                let end = end.ok_or_else(|| Error::internal("a trial was cancelled that nobody cancelled"))?;
                tell(&Shot { outcome: end.outcome, reason: end.reason, seconds: end.seconds })?;
            }
            Ok(())
        })
    })
}

/// Boots a commit's kernel with a shell on this terminal, the reproducer at its place.
pub fn shell(directory: &Path, name: &str) -> Result<(), Error> {
    super::on_threads(|runtime| {
        let (parts, state, commit) = open(directory, name)?;
        let machine = &parts.job.machine;
        if machine.kind != MachineKind::Qemu || machine.own_init {
            return Err(Error::user("there is no shell in this run's machines")
                .hint("--shell is for [machine] kind = \"qemu\" without own_init"));
        }
        runtime.block_on(async {
            let mut executor = Executor::new(&parts);
            let kernel = kernel(&parts, &state, &mut executor, commit).await?;
            let kernel = kernel.map(|name| parts.directory.kernels().join(name));
            let kernel = kernel.ok_or_else(|| Error::internal("a build left no kernel"))?;
            qemu::shell::run(&qemu_settings(&parts, 1), &kernel, &files(&parts)).await.map_err(Error::infrastructure)
        })
    })
}

fn open(directory: &Path, name: &str) -> Result<(Parts, State, CommitId), Error> {
    let (parts, state) = Again::open(directory, None, &[])?.at_rest()?;
    let commit = parts.repository.resolve(name)?;
    Ok((parts, state, commit))
}

/// The name of the commit's kernel; it is built where it is not there. None where nothing is built before a trial.
async fn kernel(parts: &Parts, state: &State, executor: &mut Executor, commit: CommitId) -> Result<Option<String>, Error> {
    if !parts.job.builds_kernels() {
        return Ok(None);
    }
    let store = Store::new(parts.directory.kernels());
    if let Some(BuildResult::Built { kernel: Some(kernel), .. }) = state.builds.get(&(commit, 1))
        && store.find(kernel).is_some()
    {
        return Ok(Some(kernel.clone()));
    }
    super::eprint_line(&format!("building {}", cited(&commit, &parts.subject(&commit))));
    builder::prepare(parts).await?;
    reverting::prepare(parts)?;
    if !executor.start_build(commit, 1) {
        return Err(Error::internal("no builder is free though nothing runs"));
    }
    loop {
        let Ended::Build { result, .. } = executor.next().await else { continue };
        return match result {
            Some(BuildResult::Built { kernel, .. }) => Ok(kernel),
            Some(BuildResult::Failed(why)) => Err(Error::user(format!("commit {} does not build:\n{why}", commit.short()))),
            Some(BuildResult::Infra(why)) => Err(Error::infrastructure(why)),
            None => Err(Error::internal("a build was stopped that nobody stopped")),
        };
    }
}

//! Process machines: a trial is a process on the host, in a checkout that it has to itself.
//!
//! A slot has its own checkout, temporary folder and PID namespace. Before every trial tracked files are as in the commit; what is
//! untracked (build products) stays, as under `git bisect run`, unless `clean` is set. Network, HOME and environment are the
//! caller's. Owns the slots; checkouts are `git`'s, spawning is `process`'s.

use std::fs;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kbisect_core::commit::CommitId;
use kbisect_core::policy::Failure;
use kbisect_core::policy::Stage;
use tokio::sync::Mutex;
use tokio::sync::OwnedMutexGuard;
use tokio::sync::mpsc;

use super::Ended;
use super::Machine;
use super::Pool;
use super::Program;
use super::Setup;
use super::identity::Identity;
use crate::build::last_lines;
use crate::build::placeholders::Placeholders;
use crate::build::room::Beyond;
use crate::build::room::Room;
use crate::git;
use crate::git::Checkout;
use crate::git::Patch;
use crate::process;
use crate::process::Exit;
use crate::process::Finish;
use crate::process::Task;
use crate::process::jail::Jail;

/// Pieces of console under way: a reproducer that writes faster than it is read waits.
const CONSOLE_PIECES: usize = 16;

/// What a pool of process machines is made from.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The user's repository; only read.
    pub repo: PathBuf,
    /// What commits are changed by before they are tested.
    pub patches: Arc<[Patch]>,
    /// Folder for the slots' checkouts and temporary files.
    pub dir: PathBuf,
    /// How many trials may run at once.
    pub slots: u32,
    /// Remove untracked files too before every trial.
    pub clean: bool,
    /// A build to run in the checkout, once for each commit and slot (after every cleaning, with `clean`).
    pub build: Option<SlotBuild>,
}

/// A build inside a slot.
#[derive(Debug, Clone)]
pub struct SlotBuild {
    /// Program and arguments; `{src} {out} {jobs} {commit}` are filled in; `{out}` is the slot's own folder.
    pub command: Vec<String>,
    /// A build that runs longer has failed.
    pub time_limit: Duration,
    /// CPUs that it may use.
    pub jobs: u32,
    /// The disk that the run may use.
    pub room: Room,
}

/// A pool of slots.
pub struct ProcessPool {
    settings: Settings,
    slots: Vec<Arc<Mutex<Slot>>>,
}

/// What is known of one slot.
#[derive(Default)]
struct Slot {
    /// The commit that was built in it.
    built: Option<CommitId>,
}

impl ProcessPool {
    /// A pool; touches nothing yet.
    pub fn new(settings: Settings) -> Self {
        let slots = (0..settings.slots.max(1)).map(|_| Arc::default()).collect();
        Self { settings, slots }
    }

    fn folder(&self, slot: u32, name: &str) -> PathBuf {
        let folder = self.settings.dir.join(slot.to_string()).join(name);
        // Programs run elsewhere. Only an empty path has no absolute form.
        std::path::absolute(&folder).unwrap_or(folder)
    }
}

#[async_trait]
impl Pool for ProcessPool {
    fn slots(&self) -> u32 {
        self.settings.slots.max(1)
    }

    async fn create(&self, setup: &Setup) -> Result<Box<dyn Machine>, Failure> {
        let slot = self.slots.get(setup.slot as usize).ok_or_else(|| infra(format!("there is no slot {}", setup.slot)))?;
        let mut slot = Arc::clone(slot).lock_owned().await;
        let (commit, clean, repo) = (setup.commit, self.settings.clean, self.settings.repo.clone());
        let patches = Arc::clone(&self.settings.patches);
        let (src, out, tmp) = (self.folder(setup.slot, "src"), self.folder(setup.slot, "out"), self.folder(setup.slot, "tmp"));
        let folders = [tmp.clone(), out.clone()];
        let builds = self.settings.build.is_some();
        let (mut slot, path) = tokio::task::spawn_blocking(move || {
            let path = slot.prepare(&repo, &src, (&commit, &patches), clean)?;
            // What was built stays for the trials that need no other build.
            let kept = usize::from(builds && slot.built == Some(commit));
            folders[..2 - kept].iter().try_for_each(|folder| empty_folder(folder))?;
            Ok((slot, path))
        })
        .await
        .map_err(|error| infra(error.to_string()))??;
        if let Some(build) = self.settings.build.as_ref().filter(|_| slot.built != Some(commit)) {
            slot.built = None;
            run_build(build, &path, &out, &tmp, &commit).await?;
            slot.built = Some(commit);
        }
        let (sender, receiver) = mpsc::channel(CONSOLE_PIECES);
        Ok(Box::new(ProcessMachine { checkout: path, tmp, _slot: slot, sender, receiver: Some(receiver) }))
    }
}

impl Slot {
    /// Brings the checkout to `commit`, as a trial must find it.
    fn prepare(
        &mut self,
        repo: &Path,
        dir: &Path,
        (commit, patches): (&CommitId, &[Patch]),
        clean: bool,
    ) -> Result<PathBuf, Failure> {
        let git = |error: git::Error| match error {
            git::Error::Unpatchable { .. } | git::Error::Refused { .. } => {
                Failure { stage: Stage::Build, reason: error.to_string() }
            }
            error => infra(error.to_string()),
        };
        // Opened anew for every trial: whatever the last one did to it is mended, or all of it made again.
        let ready = Checkout::create(repo, dir).and_then(|checkout| self.show(checkout, (commit, patches), clean));
        let ready = match ready {
            Err(error) if error.is_of_the_checkout() => {
                tracing::info!(%error, dir = %dir.display(), "made anew");
                Checkout::anew(repo, dir).and_then(|checkout| self.show(checkout, (commit, patches), clean))
            }
            ready => ready,
        };
        ready.map_err(git)
    }

    /// Brings a checkout to `commit`, and returns where it is.
    fn show(
        &mut self,
        mut checkout: Checkout,
        (commit, patches): (&CommitId, &[Patch]),
        clean: bool,
    ) -> Result<PathBuf, git::Error> {
        let commit = checkout.patched(commit, patches)?;
        if checkout.commit() != Some(commit) {
            self.built = None;
            checkout.switch(&commit)?;
        } else if !clean {
            checkout.reset_tracked()?;
        }
        if clean {
            self.built = None;
            checkout.clean()?;
        }
        Ok(checkout.path().to_owned())
    }
}

async fn run_build(build: &SlotBuild, src: &Path, out: &Path, tmp: &Path, commit: &CommitId) -> Result<(), Failure> {
    let places = Placeholders { src, out, jobs: build.jobs, commit };
    let task = Task::new(places.fill(&build.command), src, Jail::trial()).env("TMPDIR", tmp);
    let failed = |reason: String| Failure { stage: Stage::Build, reason };
    if let Some(lack) = build.room.lack() {
        return Err(infra(lack));
    }
    let done =
        build.room.within(&[src, out, tmp], process::run(&task, build.time_limit, 64 << 10)).await.map_err(
            |beyond| match beyond {
                Beyond::Build(why) => failed(why),
                Beyond::Run(why) | Beyond::Others(why) => infra(why),
            },
        )?;
    match done.map_err(|error| infra(error.to_string()))? {
        (Finish::Exit(Exit::Code(0)), _) => Ok(()),
        (Finish::Exit(exit), said) => Err(failed(format!("the build ended with {exit}: {}", last_lines(&said, 3)))),
        (Finish::TimeLimit, _) => Err(failed(format!("the build ran longer than {} s", build.time_limit.as_secs_f64()))),
    }
}

/// One trial's hold on a slot.
struct ProcessMachine {
    checkout: PathBuf,
    tmp: PathBuf,
    _slot: OwnedMutexGuard<Slot>,
    sender: mpsc::Sender<Vec<u8>>,
    receiver: Option<mpsc::Receiver<Vec<u8>>>,
}

#[async_trait]
impl Machine for ProcessMachine {
    fn console(&mut self) -> mpsc::Receiver<Vec<u8>> {
        self.receiver.take().expect("the console is taken once")
    }

    fn lag(&self) -> Duration {
        Duration::ZERO
    }

    async fn boot(&mut self) -> Result<Identity, Failure> {
        Ok(Identity::NotAsked)
    }

    /// Copies into the checkout; `to` is relative to it, a leading `/` is ignored.
    async fn copy(&mut self, from: &Path, to: &str) -> Result<(), Failure> {
        let failed = |reason: String| Failure { stage: Stage::Copy, reason };
        let inside = Path::new(to.trim_start_matches('/'));
        if inside.as_os_str().is_empty() || !inside.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(failed(format!("`{to}` is no path inside the checkout")));
        }
        let target = self.checkout.join(inside);
        if let Some(folder) = target.parent() {
            tokio::fs::create_dir_all(folder).await.map_err(|error| failed(format!("{}: {error}", folder.display())))?;
        }
        tokio::fs::copy(from, &target).await.map_err(|error| failed(format!("{}: {error}", from.display())))?;
        Ok(())
    }

    async fn exec(&self, program: &Program, limit: Duration) -> Result<Ended, Failure> {
        let Program::Reproducer { argv, .. } = program else {
            return Ok(Ended::Code(0)); // The host's kernel is not under test.
        };
        let task = Task::new(argv, &self.checkout, Jail::trial()).env("TMPDIR", &self.tmp);
        let finish = process::stream(&task, limit, &self.sender).await.map_err(|error| infra(error.to_string()))?;
        Ok(match finish {
            Finish::Exit(Exit::Code(code)) => Ended::Code(code),
            Finish::Exit(Exit::Signal(signal)) => Ended::Signal(signal),
            Finish::TimeLimit => Ended::TimeLimit,
        })
    }

    async fn alive(&self) -> bool {
        true
    }

    async fn destroy(self: Box<Self>) {
        // What ran was killed when its `exec` ended; the slot is free once this is dropped.
        let tmp = self.tmp.clone();
        let _ = tokio::task::spawn_blocking(move || empty_folder(&tmp)).await;
    }
}

/// Makes `folder` exist and hold nothing.
fn empty_folder(folder: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| infra(format!("cannot empty `{}`: {error}", folder.display()));
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    fs::create_dir_all(folder).map_err(failed)
}

fn infra(reason: String) -> Failure {
    Failure { stage: Stage::Infra, reason }
}

#[cfg(test)]
mod tests;

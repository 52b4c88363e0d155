//! The builder: kernels from commits, in one private checkout. Owns the checkout and the second try; the build itself is `build`'s.

use std::path::PathBuf;
use std::sync::Arc;

use kbisect_core::commit::CommitId;
use kbisect_core::crash::CrashReport;
use tokio::sync::Mutex;
use tokio::sync::watch;

use super::parts::Parts;
use crate::build;
use crate::git;
use crate::git::Checkout;
use crate::record::event::BuildResult;

/// Builds kernels, one at a time, in a checkout of its own.
pub(super) struct Builder {
    settings: build::Settings,
    repo: PathBuf,
    dir: PathBuf,
    /// Made when it is first needed.
    checkout: Arc<Mutex<Option<Checkout>>>,
}

impl Builder {
    /// The builders that the job asks for; none where there is nothing to build.
    pub(super) fn all(parts: &Parts) -> Vec<Self> {
        (1..=parts.job.builders()).filter_map(|number| Self::new(parts, number)).collect()
    }

    fn new(parts: &Parts, number: u32) -> Option<Self> {
        let job = &parts.job;
        let command = job.build.as_ref().filter(|build| !build.in_slot)?;
        let named = |name: &str| if number == 1 { name.to_owned() } else { format!("{name}-{number}") };
        Some(Self {
            settings: build::Settings {
                command: command.command.clone(),
                time_limit: command.time_limit,
                jobs: (job.limits.cpus / command.builders.max(1)).max(1),
                store: parts.directory.kernels(),
                work: parts.directory.work().join(named("build")),
                room: parts.room(),
            },
            repo: job.repo.clone(),
            dir: parts.directory.work().join(named("src")),
            checkout: Arc::default(),
        })
    }

    /// Builds a commit: as the checkout is, and from clean if that fails; the second build of a commit from clean at once. None
    /// where it was stopped.
    pub(super) async fn build(&self, commit: &CommitId, build: u32, mut stopped: watch::Receiver<bool>) -> Option<BuildResult> {
        tokio::select! {
            result = self.build_twice(commit, build >= 2) => Some(result),
            _ = stopped.wait_for(|stop| *stop) => None,
        }
    }

    async fn build_twice(&self, commit: &CommitId, clean: bool) -> BuildResult {
        let first = self.build_once(commit, clean).await;
        match first {
            BuildResult::Failed(_) if !clean => self.build_once(commit, true).await,
            other => other,
        }
    }

    async fn build_once(&self, commit: &CommitId, clean: bool) -> BuildResult {
        match self.check_out(*commit, clean).await {
            Ok(src) => build::run(&self.settings, &src, commit).await.result,
            Err(why) => BuildResult::Infra(why),
        }
    }

    /// Brings the checkout to the commit and returns where it is.
    async fn check_out(&self, commit: CommitId, clean: bool) -> Result<PathBuf, String> {
        let mut checkout = Arc::clone(&self.checkout).lock_owned().await;
        let (repo, dir, room) = (self.repo.clone(), self.dir.clone(), self.settings.room.clone());
        let switched = tokio::task::spawn_blocking(move || -> Result<PathBuf, git::Error> {
            let checkout = match &mut *checkout {
                Some(checkout) => checkout,
                none => none.insert(Checkout::create(&repo, &dir)?),
            };
            // What earlier builds left in the checkout goes before it keeps others from running.
            if clean || room.used() > room.limit {
                checkout.clean()?;
            }
            checkout.switch(&commit)?;
            Ok(checkout.path().to_owned())
        });
        switched.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }
}

/// A build failure as a crash, where the target is one: the first error's text is its title.
pub(super) fn failure_report(why: &str) -> CrashReport {
    let error =
        why.lines().find(|line| line.contains("error:")).or_else(|| why.lines().rev().find(|line| !line.trim().is_empty()));
    // The place (`file:line:column:`) moves from commit to commit; the words after it do not.
    let words = error.unwrap_or("unknown error").trim();
    let words = words.split_once("error:").map_or(words, |(_, words)| words.trim());
    CrashReport { title: format!("build error: {words}"), crash_type: "BUILD".to_owned(), ..CrashReport::default() }
}

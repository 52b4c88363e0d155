//! The builder: kernels from commits, in one private checkout. Owns the checkout and the second try; the build itself is `build`'s.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex as StdMutex;

use kbisect_core::commit::CommitId;
use kbisect_core::crash::CrashReport;
use tokio::sync::Mutex;
use tokio::sync::watch;

use super::parts::Parts;
use super::reverting;
use super::stop::unless_stopped;
use crate::build;
use crate::build::Finished;
use crate::build::Recipe;
use crate::build::linux;
use crate::build::linux::needs;
use crate::build::linux::toolchain::Choice;
use crate::build::linux::toolchain::is_in_path;
use crate::caches;
use crate::config::job;
use crate::config::job::CompilerCache;
use crate::config::job::Job;
use crate::config::job::MachineKind;
use crate::config::job::Repro;
use crate::config::job::ReproArch;
use crate::error::Error;
use crate::git;
use crate::git::Checkout;
use crate::git::Patch;
use crate::git::Repository;
use crate::machine::image;
use crate::record::event::BuildResult;
use crate::repro;

/// Builds kernels, one at a time, in a checkout of its own.
pub(super) struct Builder {
    settings: build::Settings,
    repository: Arc<Repository>,
    repo: PathBuf,
    patches: Arc<[Patch]>,
    dir: PathBuf,
    /// Made when it is first needed.
    checkout: Arc<Mutex<Option<Checkout>>>,
}

impl Builder {
    /// The builders that the job asks for; none where there is nothing to build.
    pub(super) fn all(parts: &Parts) -> Vec<Self> {
        (1..=parts.job.builders()).filter_map(|number| Self::new(parts, number)).collect()
    }

    /// A builder with the run's configuration, as it is now.
    fn new(parts: &Parts, number: u32) -> Option<Self> {
        let minimized = parts.directory.minimized();
        if minimized.is_file() {
            return Self::configured(parts, number, minimized, true);
        }
        Self::configured(parts, number, parts.directory.baseline(), false)
    }

    /// The first builder, where it builds Linux, with a configuration that what the job merges is in already.
    pub(super) fn with(parts: &Parts, configuration: PathBuf) -> Option<Self> {
        Self::configured(parts, 1, configuration, true).filter(|builder| builder.settings.recipe.linux().is_some())
    }

    /// What it builds by, and how Linux is built.
    pub(super) fn linux(&self) -> Option<(&build::Settings, &linux::Recipe)> {
        Some((&self.settings, self.settings.recipe.linux()?))
    }

    fn configured(parts: &Parts, number: u32, configuration: PathBuf, merged: bool) -> Option<Self> {
        let job = &parts.job;
        let build = job.build.as_ref().filter(|build| !build.in_slot)?;
        let named = |name: &str| if number == 1 { name.to_owned() } else { format!("{name}-{number}") };
        let work = parts.directory.work();
        let (recipe, dir) = match &build.recipe {
            job::Recipe::Command(command) => (Recipe::Command(command.clone()), work.join(named("src"))),
            job::Recipe::Linux(linux) => {
                // Builders' folders look alike from inside, so that what one compiles serves the others from a cache.
                let own = work.join(named("linux"));
                let recipe = linux::Recipe {
                    job: (**linux).clone(),
                    needs: needs(job, &linux.arch),
                    tree: own.join("tree"),
                    baseline: configuration,
                    merged,
                    known: Arc::new(StdMutex::default()),
                };
                (Recipe::Linux(Box::new(recipe)), own.join("src"))
            }
        };
        Some(Self {
            settings: build::Settings {
                recipe,
                time_limit: build.time_limit,
                jobs: (job.limits.cpus / build.builders.max(1)).max(1),
                store: parts.directory.kernels(),
                work: work.join(named("build")),
                room: parts.room(),
                cache: cache(job, &build.recipe),
            },
            repository: Arc::clone(&parts.repository),
            repo: reverting::source(parts),
            patches: Arc::clone(&parts.patches),
            dir,
            checkout: Arc::default(),
        })
    }

    /// Builds a commit: as the checkout is, and from clean if that fails oddly; the second build of a commit from clean at once. None
    /// where it was stopped.
    pub(super) async fn build(&self, commit: &CommitId, build: u32, mut stopped: watch::Receiver<bool>) -> Option<BuildResult> {
        unless_stopped(&mut stopped, self.build_twice(commit, build >= 2)).await
    }

    async fn build_twice(&self, commit: &CommitId, clean: bool) -> BuildResult {
        if clean {
            return self.build_afresh(commit, false).await;
        }
        let first = self.build_as_it_is(commit, false).await;
        match &self.settings.recipe {
            _ if !first.odd => first.result,
            Recipe::Command(_) => self.build_as_it_is(commit, true).await.result,
            Recipe::Linux(_) => self.build_afresh(commit, true).await,
        }
    }

    /// Builds in the checkout, which is cleaned before or not.
    async fn build_as_it_is(&self, commit: &CommitId, clean: bool) -> Finished {
        match self.check_out(*commit, clean).await {
            Ok(src) => self.build_at(&self.settings, &src, commit).await,
            Err(result) => Finished { result, output: Vec::new(), odd: false },
        }
    }

    /// Builds from clean. Linux gets another object tree for that, which replaces the old one where its objects are `doubted`.
    async fn build_afresh(&self, commit: &CommitId, doubted: bool) -> BuildResult {
        let Recipe::Linux(linux) = &self.settings.recipe else { return self.build_as_it_is(commit, true).await.result };
        let cannot = |error: io::Error| BuildResult::Infra(format!("cannot make an object tree anew: {error}"));
        let fresh = match linux.afresh() {
            Ok(fresh) => fresh,
            Err(error) => return cannot(error),
        };
        let settings = build::Settings { recipe: Recipe::Linux(Box::new(fresh.clone())), ..self.settings.clone() };
        let result = match self.check_out(*commit, true).await {
            Ok(src) => self.build_at(&settings, &src, commit).await.result,
            Err(result) => result,
        };
        let take = doubted && matches!(result, BuildResult::Built { .. });
        match linux.give_up(&fresh, take) {
            Ok(()) => result,
            Err(error) => cannot(error),
        }
    }

    async fn build_at(&self, settings: &build::Settings, src: &Path, commit: &CommitId) -> Finished {
        let changed = |before: &CommitId| self.repository.differing_files(before, commit).ok();
        build::run(settings, src, commit, changed).await
    }

    /// Brings the checkout to the commit, with what the job changes in it, and returns where it is; else why there is nothing to build.
    pub(super) async fn check_out(&self, commit: CommitId, clean: bool) -> Result<PathBuf, BuildResult> {
        let mut checkout = Arc::clone(&self.checkout).lock_owned().await;
        let (repo, dir, room) = (self.repo.clone(), self.dir.clone(), self.settings.room.clone());
        let (recipe, patches) = (self.settings.recipe.clone(), Arc::clone(&self.patches));
        let mut ready = move |anew: bool| -> Result<PathBuf, git::Error> {
            let checkout = match &mut *checkout {
                Some(checkout) if !anew => checkout,
                none if anew => none.insert(Checkout::anew(&repo, &dir)?),
                none => none.insert(Checkout::create(&repo, &dir)?),
            };
            // What earlier builds left in the checkout goes before it keeps others from running.
            let full = room.used() > room.limit;
            if clean || full {
                checkout.clean()?;
            }
            if let Some(linux) = recipe.linux().filter(|_| full) {
                linux.wipe().map_err(|error| git::Error::io("remove", &linux.tree, error))?;
            }
            let commit = checkout.patched(&commit, &patches)?;
            checkout.switch(&commit)?;
            Ok(checkout.path().to_owned())
        };
        let switched = tokio::task::spawn_blocking(move || match ready(false) {
            Err(error) if error.is_of_the_checkout() => {
                tracing::info!(%error, "the checkout is made anew");
                ready(true)
            }
            switched => switched,
        });
        switched.await.map_err(|error| BuildResult::Infra(error.to_string()))?.map_err(|error| match error {
            git::Error::Unpatchable { .. } | git::Error::Refused { .. } => BuildResult::Failed(error.to_string()),
            error => BuildResult::Infra(error.to_string()),
        })
    }

    /// About how much of a commit would have to be made anew here; none where everything.
    fn cost(&self, repository: &Repository, commit: &CommitId) -> Option<u64> {
        let linux = self.settings.recipe.linux()?;
        let changed = repository.differing_files(&linux.built_last()?, commit).ok()?;
        Some(linux.cost(&changed))
    }
}

/// Takes the idle builder that has the least to make anew for a commit.
pub(super) fn nearest(idle: &mut Vec<Arc<Builder>>, repository: &Repository, commit: &CommitId) -> Option<Arc<Builder>> {
    if idle.len() < 2 {
        return idle.pop();
    }
    if idle[0].settings.recipe.linux().is_none() {
        return idle.pop();
    }
    let costs = tokio::task::block_in_place(|| idle.iter().map(|builder| builder.cost(repository, commit)).collect::<Vec<_>>());
    let (nearest, _) = costs.iter().enumerate().min_by_key(|(_, cost)| cost.unwrap_or(u64::MAX))?;
    Some(idle.remove(nearest))
}

/// Configures the start commit of a run that builds Linux, unless an earlier process has: what makes the run pointless is said before
/// anything is compiled. Gives what people should know, one line each.
pub(super) async fn prepare(parts: &Parts) -> Result<Vec<String>, Error> {
    let Some(builder) = Builder::new(parts, 1) else { return Ok(Vec::new()) };
    let Some(linux) = builder.settings.recipe.linux().filter(|_| !parts.directory.baseline().exists()) else {
        return Ok(Vec::new());
    };
    let src = builder.check_out(parts.ends.start, false).await.map_err(|result| unready(&result))?;
    linux::prepare::prepare(&builder.settings, linux, &src).await
}

/// Why the start commit cannot be checked out.
pub(super) fn unready(result: &BuildResult) -> Error {
    match result {
        BuildResult::Failed(why) => Error::user(why.clone()),
        BuildResult::Infra(why) => Error::infrastructure(why.clone()),
        BuildResult::Built { .. } => Error::internal("nothing was built"),
    }
}

/// The releases of a repository from which on Linux is built with another compiler than before.
pub(super) fn eras(job: &Job, repository: &Repository) -> Vec<CommitId> {
    let Some(linux) = job.build.as_ref().and_then(job::Build::linux) else { return Vec::new() };
    Choice::of(linux).eras().iter().filter_map(|(release, ..)| repository.resolve(&release.to_string()).ok()).collect()
}

/// The symbols that the job's machine and its reproducer need.
fn needs(job: &Job, arch: &str) -> Vec<needs::Need> {
    let machine = &job.machine;
    let of_machine = match (machine.kind, &machine.disk) {
        // What a command of the job's own needs is known to those who wrote it.
        (MachineKind::Process | MachineKind::Command, _) => return Vec::new(),
        (MachineKind::Image, Some(disk)) => needs::of_disk(&disk.root, image::is_ext4(&disk.image)),
        (MachineKind::Qemu | MachineKind::Image, _) => needs::of_machine(machine.own_init, machine.network, arch),
    };
    let of_root = machine.root_dir.iter().flat_map(|_| needs::of_folder(&machine.board));
    let of_reproducer = job.repro.iter().flat_map(Repro::each).flat_map(|repro| {
        let program = repro.program(&repro.file);
        let is_script = matches!(repro::kind(&program), Ok(repro::Kind::Script(_)));
        needs::of_reproducer(is_script, repro.arch == ReproArch::I386 && arch == "x86_64")
    });
    of_machine.into_iter().chain(of_root).chain(of_reproducer).collect()
}

/// The compiler cache of a job's builds; none where there is no ccache, or none is wanted.
fn cache(job: &Job, recipe: &job::Recipe) -> Option<PathBuf> {
    if !is_in_path("ccache") {
        return None;
    }
    let wanted = match recipe {
        job::Recipe::Command(_) => &CompilerCache::OfRepository,
        job::Recipe::Linux(linux) => &linux.ccache,
    };
    match wanted {
        CompilerCache::Off => None,
        CompilerCache::OfRepository => caches::of_compilers(&job.repo),
        CompilerCache::In(folder) => caches::made(folder),
    }
}

/// The type of a crash that is a build failure.
pub(super) const FAILED: &str = "BUILD";

/// A build failure as a crash, where the target is one.
pub(super) fn failure_report(why: &str) -> CrashReport {
    CrashReport { title: build::failure_title(why), crash_type: FAILED.to_owned(), ..CrashReport::default() }
}

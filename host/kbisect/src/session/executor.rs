//! What runs: builds and trials, each a task. Owns their cancelling and the retries of infrastructure failures; judges nothing.

use std::collections::HashMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use kbisect_core::bisector::Stretch;
use kbisect_core::bisector::TrialNumber;
use kbisect_core::commit::CommitId;
use kbisect_core::policy::Failure;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Stage;
use kbisect_core::reach::Reach;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::alone;
use super::alone::Bustle;
use super::builder;
use super::builder::Builder;
use super::inputs;
use super::parts::Parts;
use super::reaching::Watched;
use super::reverting;
use super::stop::unless_stopped;
use super::weighing;
use super::weighing::Weighed;
use crate::build::store::Store;
use crate::config::job::MachineKind;
use crate::config::job::Repro;
use crate::git::Repository;
use crate::machine::Pool;
use crate::machine::Setup;
use crate::machine::command;
use crate::machine::command::CommandPool;
use crate::machine::identity::Identity;
use crate::machine::image;
use crate::machine::image::ImagePool;
use crate::machine::process;
use crate::machine::process::ProcessPool;
use crate::machine::process::SlotBuild;
use crate::machine::qemu;
use crate::machine::qemu::QemuPool;
use crate::machine::shown::Shown;
use crate::policy::Symbolized;
use crate::policy::Watch;
use crate::record::event::BuildResult;
use crate::symbols::Symbols;
use crate::trial;
use crate::trial::Finished;
use crate::trial::Plan;

/// How often a trial is tried when the host is to blame.
const INFRA_TRIES: u32 = 3;

/// Something that ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// A trial failed for infrastructure's sake, and is tried again.
    Retrying(Failure),
    /// A build ended; none: it was cancelled.
    Build {
        /// The commit.
        commit: CommitId,
        /// Which build, from 1.
        build: u32,
        /// How.
        result: Option<BuildResult>,
        /// How long, in seconds.
        seconds: f64,
    },
    /// A trial ended; none: it was cancelled and says nothing.
    Trial {
        /// Its number.
        number: TrialNumber,
        /// The slot it had.
        slot: u32,
        /// How.
        end: Option<Box<Finished>>,
    },
    /// Commits were weighed.
    Weighed(Weighed),
    /// It was looked how far the reproducer gets; none: that was cancelled.
    Probed {
        /// The commit.
        commit: CommitId,
        /// The slot it had.
        slot: u32,
        /// What was found.
        found: Option<Box<Reach>>,
        /// How long it took, in seconds.
        seconds: f64,
    },
}

/// Where it is to be looked how far the reproducer gets, and for what.
pub(super) struct Probing {
    /// The commit.
    pub(super) commit: CommitId,
    /// Its kernel in the run directory's store.
    pub(super) kernel: String,
    /// Symbols that its configuration lacks.
    pub(super) lost: Vec<String>,
    /// The functions to watch, the most telling first.
    pub(super) functions: Vec<String>,
    /// Runs at most.
    pub(super) runs: u32,
    /// The share of the time limit that a run gets.
    pub(super) exposure: f64,
}

/// A build that runs.
struct Building {
    builder: Arc<Builder>,
    stop: watch::Sender<bool>,
}

/// Starts and cancels tasks.
pub(super) struct Executor {
    pool: Arc<dyn Pool>,
    watch: Arc<dyn Watch>,
    plan: Plan,
    command: Vec<String>,
    seed: u64,
    kernels: PathBuf,
    /// The symbols of the kernel that was last started, and its name.
    symbols: Option<(String, Arc<Symbols>)>,
    repository: Arc<Repository>,
    /// Builders that have nothing to do.
    builders: Vec<Arc<Builder>>,
    bustle: Arc<Bustle>,
    stops: HashMap<TrialNumber, watch::Sender<bool>>,
    builds: HashMap<(CommitId, u32), Building>,
    probe: Option<watch::Sender<bool>>,
    sender: mpsc::UnboundedSender<Ended>,
    receiver: mpsc::UnboundedReceiver<Ended>,
    /// Dropping it ends every task, and the machines with them.
    tasks: JoinSet<()>,
}

impl Executor {
    /// Machines and a builder as the job says; nothing runs yet.
    pub(super) fn new(parts: &Parts) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let job = &parts.job;
        Self {
            pool: pool(parts),
            watch: Arc::new(parts.policies.clone()),
            plan: Plan {
                commit: parts.ends.start,
                kind: job.machine.kind,
                stage: job.stage,
                command: Vec::new(),
                files: files(parts),
                time_limit: job.trial.time_limit,
                repeat: job.trial.repeat,
                expect: job.trial.expect,
                on_timeout: job.trial.on_timeout,
                on_signal: job.trial.on_signal,
                suite: job.repro.as_ref().and_then(|repro| repro.suite),
                exposure: 1.0,
            },
            command: job.trial.command.clone(),
            seed: job.search.seed,
            kernels: parts.directory.kernels(),
            symbols: None,
            repository: Arc::clone(&parts.repository),
            builders: Builder::all(parts).into_iter().map(Arc::new).collect(),
            bustle: Arc::default(),
            stops: HashMap::new(),
            builds: HashMap::new(),
            probe: None,
            sender,
            receiver,
            tasks: JoinSet::new(),
        }
    }

    /// The same with every machine's console on standard output.
    pub(super) fn showing_consoles(self) -> Self {
        Self { pool: Arc::new(Shown(Arc::clone(&self.pool))), ..self }
    }

    /// How many trials may run at once.
    pub(super) fn slots(&self) -> u32 {
        self.pool.slots()
    }

    /// Waits for something to end.
    pub(super) async fn next(&mut self) -> Ended {
        let ended = self.receiver.recv().await.expect("the executor holds a sender itself");
        match &ended {
            Ended::Trial { number, .. } => {
                self.stops.remove(number);
            }
            Ended::Build { commit, build, .. } => {
                self.builders.extend(self.builds.remove(&(*commit, *build)).map(|building| building.builder));
            }
            Ended::Probed { .. } => self.probe = None,
            Ended::Retrying(_) | Ended::Weighed(_) => {}
        }
        // Tasks that are over need no more room.
        while self.tasks.try_join_next().is_some() {}
        ended
    }

    /// Whether a kernel can be booted.
    pub(super) fn has(&self, kernel: &str) -> bool {
        Store::new(self.kernels.clone()).find(kernel).is_some()
    }

    /// Builds a commit, from clean if it is build 2 or later, where the least is to be made anew; false if every builder is busy.
    pub(super) fn start_build(&mut self, commit: CommitId, build: u32) -> bool {
        let Some(builder) = builder::nearest(&mut self.builders, &self.repository, &commit) else {
            return false;
        };
        let (stop, mut stopped) = watch::channel(false);
        self.builds.insert((commit, build), Building { builder: Arc::clone(&builder), stop });
        let (sender, bustle) = (self.sender.clone(), Arc::clone(&self.bustle));
        self.tasks.spawn(async move {
            let presence = unless_stopped(&mut stopped, bustle.enter()).await;
            let started = tokio::time::Instant::now();
            let result = if presence.is_some() { builder.build(&commit, build, stopped).await } else { None };
            drop(presence);
            // The receiver goes only when the run is over.
            let _ = sender.send(Ended::Build { commit, build, result, seconds: started.elapsed().as_secs_f64() });
        });
        true
    }

    /// Asks the suspicion plugin about the commits of a stretch.
    pub(super) fn start_weighing(&mut self, parts: &Parts, stretch: Stretch, commits: Vec<CommitId>) {
        let (repository, policies, sender) = (Arc::clone(&parts.repository), parts.policies.clone(), self.sender.clone());
        // Not a task of ours: it cannot be ended, and need not be waited for.
        tokio::task::spawn_blocking(move || {
            let started = std::time::Instant::now();
            let ((weights, because), trouble) = match weighing::weigh(&repository, &policies, &commits) {
                Ok(answer) => (answer, None),
                Err(error) => ((None, Vec::new()), Some(error.to_string())),
            };
            let seconds = started.elapsed().as_secs_f64();
            // The receiver goes only when the run is over.
            let _ = sender.send(Ended::Weighed(Weighed { stretch, weights, because, trouble, seconds }));
        });
    }

    /// Runs a trial for this share of the full time: the commit's `n`-th, in a slot, on a kernel of the run directory's store.
    pub(super) fn start_trial(
        &mut self,
        number: TrialNumber,
        commit: CommitId,
        n: u32,
        slot: u32,
        kernel: Option<String>,
        exposure: f64,
    ) {
        let (stop, stopped) = watch::channel(false);
        self.stops.insert(number, stop);
        let seed = trial::seed::trial_seed(self.seed, &commit, u64::from(n));
        let mut command = trial::seed::fill(&self.command, seed, &commit);
        if let Some(program) = command.first_mut()
            && let Some(original) = inputs::original(Path::new(program.as_str()))
        {
            *program = original.to_string_lossy().into_owned();
        }
        let plan = Plan { commit, command, exposure, ..self.plan.clone() };
        if let Some(kernel) = &kernel {
            Store::new(self.kernels.clone()).touch(kernel);
        }
        let judge = self.judge(kernel.as_deref());
        let kernel = kernel.map(|name| self.kernels.join(name));
        let setup = Setup { trial: number.0, commit, kernel, slot, command: plan.command.clone() };
        let (pool, sender, bustle) = (Arc::clone(&self.pool), self.sender.clone(), Arc::clone(&self.bustle));
        self.tasks.spawn(async move {
            let attempt = Attempt { pool: &*pool, setup: &setup, plan: &plan, judge, sender: &sender };
            let end = attempt.beside_others(&bustle, stopped).await.map(Box::new);
            let _ = sender.send(Ended::Trial { number, slot, end });
        });
    }

    /// Looks how far the reproducer gets, in a slot.
    pub(super) fn start_probe(&mut self, parts: &Parts, slot: u32, probing: Probing) {
        let (stop, mut stopped) = watch::channel(false);
        self.probe = Some(stop);
        let Probing { commit, kernel, lost, functions, runs, exposure } = probing;
        Store::new(self.kernels.clone()).touch(&kernel);
        let judge = self.judge(Some(&kernel));
        let watched = Watched { settings: qemu_settings(parts, 1), kernel: self.kernels.join(kernel), functions, runs };
        let plan = Plan { commit, exposure, ..self.plan.clone() };
        let (seed, words) = (self.seed, self.command.clone());
        let (sender, bustle) = (self.sender.clone(), Arc::clone(&self.bustle));
        self.tasks.spawn(async move {
            let presence = unless_stopped(&mut stopped, bustle.enter()).await;
            let started = tokio::time::Instant::now();
            let command = |run| trial::seed::fill(&words, trial::seed::trial_seed(seed, &commit, run), &commit);
            let found = match presence {
                Some(_) => watched.probe(&plan, command, &judge, slot, stopped).await,
                None => None,
            };
            let found = found.map(|found| Box::new(Reach { lost, ..found }));
            drop(presence);
            // The receiver goes only when the run is over.
            let _ = sender.send(Ended::Probed { commit, slot, found, seconds: started.elapsed().as_secs_f64() });
        });
    }

    /// Whether it is looked how far the reproducer gets.
    pub(super) fn is_probing(&self) -> bool {
        self.probe.is_some()
    }

    /// Who judges the console of a kernel of this name: frames get their places where its debug information was kept.
    fn judge(&mut self, kernel: Option<&str>) -> Arc<dyn Watch> {
        let watch = Arc::clone(&self.watch);
        let Some(name) = kernel.filter(|name| self.kernels.join(name).join("vmlinux").is_file()) else { return watch };
        let symbols = match &self.symbols {
            Some((known, symbols)) if known == name => Arc::clone(symbols),
            _ => {
                let folder = self.kernels.join(name);
                Arc::new(Symbols::new(folder.join("vmlinux"), Some(folder.join("modules"))))
            }
        };
        self.symbols = Some((name.to_owned(), Arc::clone(&symbols)));
        Arc::new(Symbolized::new(watch, symbols))
    }

    /// Ends a trial that nothing depends on any more.
    pub(super) fn cancel_trial(&mut self, number: TrialNumber) {
        if let Some(stop) = self.stops.get(&number) {
            // It may just have ended.
            let _ = stop.send(true);
        }
    }

    /// Ends a build that nothing depends on any more.
    pub(super) fn cancel_build(&mut self, commit: CommitId, build: u32) {
        if let Some(building) = self.builds.get(&(commit, build)) {
            let _ = building.stop.send(true);
        }
    }

    /// Ends the builds that run.
    pub(super) fn cancel_builds(&mut self) {
        for building in self.builds.values() {
            let _ = building.stop.send(true);
        }
    }

    /// Ends everything that runs.
    pub(super) fn cancel_all(&mut self) {
        self.cancel_builds();
        for stop in self.stops.values().chain(&self.probe) {
            let _ = stop.send(true);
        }
    }
}

/// One trial, which may take several tries.
struct Attempt<'a> {
    pool: &'a dyn Pool,
    setup: &'a Setup,
    plan: &'a Plan,
    judge: Arc<dyn Watch>,
    sender: &'a mpsc::UnboundedSender<Ended>,
}

impl Attempt<'_> {
    /// Runs it beside whatever else runs, and once more alone where its end may be the others' fault. None where it was cancelled
    /// without result.
    async fn beside_others(&self, bustle: &Arc<Bustle>, mut stopped: watch::Receiver<bool>) -> Option<Finished> {
        let presence = unless_stopped(&mut stopped, bustle.enter()).await?;
        let first = self.run(stopped.clone()).await?;
        let doubted = presence.had_company() && alone::may_be_slow(&first);
        drop(presence);
        if !doubted {
            return Some(first);
        }
        tracing::info!(trial = self.setup.trial, outcome = ?first.outcome, "made again alone");
        let _alone = unless_stopped(&mut stopped, bustle.alone()).await?;
        let second = self.run(stopped).await?;
        let before = match &first.outcome {
            Outcome::Crashed(sighting) => &sighting.report.title,
            Outcome::Void(failure) => &failure.reason,
            Outcome::Clean => return Some(second),
        };
        let reason = format!("made again alone, after `{before}` beside other work");
        let reason = if second.reason.is_empty() { reason } else { format!("{}; {reason}", second.reason) };
        Some(Finished { reason, seconds: first.seconds + second.seconds, ..second })
    }

    /// Runs it, and again where the host was to blame; none where it was cancelled without result.
    async fn run(&self, mut stopped: watch::Receiver<bool>) -> Option<Finished> {
        for attempt in 1.. {
            let started = tokio::time::Instant::now();
            let finished = match unless_stopped(&mut stopped, self.pool.create(self.setup)).await? {
                Ok(machine) => trial::run(machine, self.plan, Arc::clone(&self.judge), stopped.clone()).await,
                Err(failure) => void(failure, started.elapsed().as_secs_f64()),
            };
            match &finished.outcome {
                Outcome::Void(failure) if failure.stage == Stage::Infra && !finished.cancelled && attempt < INFRA_TRIES => {
                    let _ = self.sender.send(Ended::Retrying(failure.clone()));
                }
                Outcome::Void(_) if finished.cancelled => return None,
                _ => return Some(finished),
            }
        }
        None
    }
}

/// A trial for which no machine could be had.
pub(super) fn void(failure: Failure, seconds: f64) -> Finished {
    Finished {
        outcome: Outcome::Void(failure),
        reason: String::new(),
        reports: Vec::new(),
        uncounted: 0,
        console: Vec::new(),
        printed: Vec::new(),
        exposure: 0.0,
        boot: None,
        seconds,
        cancelled: false,
        ended: None,
        identity: Identity::NotAsked,
    }
}

/// Files for every machine: the reproducer, and what the job adds.
pub(super) fn files(parts: &Parts) -> Vec<(PathBuf, String)> {
    let copied = parts.job.repro.iter().filter(|_| parts.job.machine.kind.has_own_files());
    let repro = copied.flat_map(Repro::files).map(|(file, place)| (file.to_owned(), place.to_owned()));
    repro.chain(parts.job.trial.files.iter().cloned()).collect()
}

/// As many machines as the job's budget of CPUs and memory allows.
fn pool(parts: &Parts) -> Arc<dyn Pool> {
    let job = &parts.job;
    let limits = &job.limits;
    let slots = limits.slots.unwrap_or_else(|| {
        let by_memory = u32::try_from(limits.memory / job.machine.memory.max(1)).unwrap_or(u32::MAX);
        (limits.cpus / job.machine.cpus.max(1)).min(by_memory).max(1)
    });
    let machine = &job.machine;
    let dir = parts.directory.work().join("machines");
    match machine.kind {
        MachineKind::Process => {
            let build = job.build.as_ref().filter(|build| build.in_slot).and_then(|build| {
                Some(SlotBuild {
                    command: build.command()?.to_vec(),
                    time_limit: build.time_limit,
                    jobs: (limits.cpus / slots).max(1),
                    room: parts.room(),
                })
            });
            Arc::new(ProcessPool::new(process::Settings {
                repo: reverting::source(parts),
                patches: Arc::clone(&parts.patches),
                dir: parts.directory.work().join("slots"),
                slots,
                clean: job.trial.clean,
                build,
            }))
        }
        MachineKind::Qemu => Arc::new(QemuPool::new(qemu_settings(parts, slots))),
        MachineKind::Image => Arc::new(ImagePool::new(image::Settings {
            dir,
            slots,
            memory: machine.memory,
            cpus: machine.cpus,
            cmdline: machine.cmdline.clone(),
            network: machine.network,
            boot_limit: machine.boot_limit,
            disk: machine.disk.clone().expect("the reader gives every machine of this kind one"),
            init: crate::embedded::GUEST_INIT,
        })),
        MachineKind::Command => Arc::new(CommandPool::new(command::Settings {
            dir,
            slots,
            memory: machine.memory,
            cpus: machine.cpus,
            boot_limit: machine.boot_limit,
            command: machine.command.clone(),
        })),
    }
}

/// The virtual machines that the job asks for.
pub(super) fn qemu_settings(parts: &Parts, slots: u32) -> qemu::Settings {
    let machine = &parts.job.machine;
    qemu::Settings {
        dir: parts.directory.work().join("machines"),
        slots,
        memory: machine.memory,
        cpus: machine.cpus,
        board: machine.board.clone(),
        cmdline: machine.cmdline.clone(),
        network: machine.network,
        boot_limit: machine.boot_limit,
        init: (!machine.own_init).then_some(crate::embedded::GUEST_INIT),
        root_dir: machine.root_dir.clone(),
    }
}

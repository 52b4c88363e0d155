//! `kbisect run --bad B … -- CMD`: the job that a command line stands for.

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Strategy;

use super::Settled;
use super::command;
use super::command::Place;
use super::host::Host;
use super::job::Build;
use super::job::CountAs;
use super::job::Expect;
use super::job::Job;
use super::job::Machine;
use super::job::MachineKind;
use super::job::Recipe;
use super::job::Search;
use super::job::TargetStage;
use super::job::Tip;
use super::job::Trial;
use super::limits;
use super::machine;
use super::origin::Origin;
use super::origin::Origins;
use super::path;
use super::problem::Problem;
use super::problem::Problems;
use super::reader;
use super::search;
use super::trial;

/// What `kbisect run` takes instead of a job file. Absent values have the job file's defaults.
#[derive(Debug, Clone, Default)]
pub struct CommandLine {
    /// The repository; default: the working directory.
    pub repo: Option<PathBuf>,
    /// The bad commit.
    pub bad: String,
    /// Good commits; none: back through the releases.
    pub good: Vec<String>,
    /// How long the command may run.
    pub time_limit: Option<Duration>,
    /// Checkouts side by side; default: one.
    pub slots: Option<u32>,
    /// A shell command that builds a commit in its checkout.
    pub build: Option<String>,
    /// Remove untracked files too before every trial.
    pub clean: bool,
    /// What a time limit reached counts as.
    pub on_timeout: Option<CountAs>,
    /// What an end by a signal counts as.
    pub on_signal: Option<CountAs>,
    /// How to choose the next commit; `git` is git's own way, one trial a commit.
    pub strategy: Option<Strategy>,
    /// The program and its arguments. It runs in a checkout of the commit under test.
    pub command: Vec<String>,
}

impl CommandLine {
    /// The job. `own` says whether a file is the caller's own (neither tracked nor ignored by git): such a script is in no
    /// checkout, so where the command names one, its absolute path is used.
    ///
    /// # Errors
    /// Everything that is wrong with the command line.
    pub fn job(&self, host: &Host, own: &dyn Fn(&Path) -> bool) -> Result<Settled, Problems> {
        let mut problems = Vec::new();
        let repo = folder(self.repo.as_deref().unwrap_or(Path::new(".")), &mut problems);
        self.check_words(&mut problems);
        if !problems.is_empty() {
            let list = problems.into_iter().map(|text| Problem { place: None, text }).collect();
            return Err(Problems { file: None, list });
        }
        let job = Job {
            repo,
            bad: self.bad.clone(),
            good: self.good.clone(),
            kind: Kind::Cause,
            repro: None,
            crash: None,
            title: None,
            link: None,
            patches: Vec::new(),
            build: self.build.as_ref().map(|shell| Build {
                recipe: Recipe::Command(["sh", "-c", shell].map(str::to_owned).to_vec()),
                time_limit: super::build::TIME_LIMIT,
                in_slot: true,
                builders: 1,
            }),
            machine: machine(host),
            stage: TargetStage::Run,
            trial: Trial {
                command: self.command.iter().map(|word| absolute(word, own)).collect(),
                time_limit: self.time_limit.unwrap_or(trial::TIME_LIMIT),
                repeat: false,
                files: Vec::new(),
                expect: Expect::Exit,
                on_timeout: self.on_timeout.unwrap_or(CountAs::Void),
                on_signal: self.on_signal.unwrap_or(CountAs::Void),
                clean: self.clean,
            },
            search: Search {
                strategy: self.strategy.unwrap_or(Strategy::Posterior),
                delta: search::DELTA,
                seed: 0,
                trust_good: false,
                suspicion: search::SUSPICION,
                single_trials: self.strategy == Some(Strategy::Git),
                revert: false,
                tip: Tip::None,
                reach: false,
                eras: Vec::new(),
            },
            limits: super::job::Limits { slots: Some(self.slots.unwrap_or(1)), ..limits::of_host(host) },
            plugins: Vec::new(),
        };
        let origins = self.origins(&job, host);
        Ok(Settled { job, origins })
    }

    fn check_words(&self, problems: &mut Vec<String>) {
        for (name, commit) in std::iter::once(("--bad", &self.bad)).chain(self.good.iter().map(|good| ("--good", good))) {
            if commit.trim().is_empty() || commit.contains(['\n', '\0']) {
                problems.push(format!("{name}: `{}` is no commit", commit.escape_debug()));
            }
        }
        match self.command.first().map(String::as_str) {
            None => problems.push("missing command: write `-- CMD` last".to_owned()),
            Some("") => problems.push("the command must not be empty".to_owned()),
            Some(_) => {}
        }
        problems.extend(self.command.iter().filter_map(|word| command::misplaced(word, Place::Trial)));
        problems.extend(self.build.iter().filter_map(|word| command::misplaced(word, Place::Build)));
        if self.slots == Some(0) {
            problems.push("--slots: at least 1".to_owned());
        }
    }

    fn origins(&self, job: &Job, host: &Host) -> Origins {
        let mut origins = Origins::default();
        let mut note = |key: &str, stated: bool, otherwise: Origin| {
            origins.set(key, if stated { Origin::CommandLine } else { otherwise });
        };
        let as_git = || Origin::guess("as git bisect run");
        let [cpus, memory] = limits::origins(host);
        note("repo", self.repo.is_some(), Origin::Environment("the working directory".to_owned()));
        note("bad", true, as_git());
        note("good", !self.good.is_empty(), Origin::guess(reader::no_good(job.kind)));
        note("kind", false, as_git());
        note("build.command", self.build.is_some(), as_git());
        note("build.time_limit", false, Origin::guess("more than any kernel needs"));
        note("build.in_slot", false, as_git());
        for key in ["kind", "memory", "cpus", "network"] {
            note(&format!("machine.{key}"), false, as_git());
        }
        note("target.stage", false, as_git());
        note("trial.command", true, as_git());
        note("trial.time_limit", self.time_limit.is_some(), Origin::guess("as syzbot"));
        note("trial.repeat", false, as_git());
        note("trial.expect", false, as_git());
        note("trial.on_timeout", self.on_timeout.is_some(), Origin::guess("says nothing of the commit"));
        note("trial.on_signal", self.on_signal.is_some(), Origin::guess("says nothing of the commit"));
        note("trial.clean", self.clean, as_git());
        note("search.strategy", self.strategy.is_some(), Origin::guess("knows that tests are flaky"));
        note("search.single_trials", false, Origin::guess("follows the strategy"));
        note("search.delta", false, Origin::guess("one wrong name in a hundred"));
        note("search.seed", false, Origin::guess("any will do"));
        note("search.trust_good", false, Origin::guess("good ends are tested first"));
        note("search.revert", false, Origin::guess("costs a build and some trials"));
        note("search.tip", false, as_git());
        note("search.reach", false, as_git());
        note("search.eras", false, Origin::guess("one compiler and one configuration for all"));
        note("search.suspicion", false, Origin::guess("the rest is the same for every commit"));
        note("limits.cpus", false, cpus);
        note("limits.memory", false, memory);
        note("limits.disk", false, limits::disk_origin());
        note("limits.slots", self.slots.is_some(), Origin::guess("one checkout, as under git"));
        origins
    }
}

/// The caller's own machine, network and all; what a QEMU machine has besides is as in a job file that says nothing.
fn machine(host: &Host) -> Machine {
    let limits = limits::of_host(host);
    Machine { kind: MachineKind::Process, network: true, ..machine::usual(host, &limits) }
}

fn folder(path: &Path, problems: &mut Vec<String>) -> PathBuf {
    let whole = std::path::absolute(path).map(|path| path::tidy(&path));
    match whole {
        Ok(path) if path.to_str().is_none() => problems.push(format!("--repo: {} is not UTF-8", path.display())),
        Ok(path) if path.is_dir() => return path,
        Ok(path) => problems.push(format!("--repo: {} is not a folder", path.display())),
        Err(error) => problems.push(format!("--repo: {error}")),
    }
    PathBuf::new()
}

/// The word, or the absolute path of the caller's own file that it names.
fn absolute(word: &str, own: &dyn Fn(&Path) -> bool) -> String {
    let path = Path::new(word);
    if path.is_absolute() || word.starts_with('-') || !path.is_file() || !own(path) {
        return word.to_owned();
    }
    let whole = std::path::absolute(path).map(|path| path::tidy(&path));
    whole.ok().and_then(|path| path.to_str().map(str::to_owned)).unwrap_or_else(|| word.to_owned())
}

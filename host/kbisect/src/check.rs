//! A job held against its repository and this machine before any work: what will be done, about how much it is, and what is
//! missing. Builds nothing and writes nothing.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Release;
use kbisect_core::bisector::Strategy;
use kbisect_core::commit::CommitId;
use kbisect_core::crash::CrashReport;
use kbisect_core::crash::Face;

use crate::build::patches;
use crate::build::placeholders::Placeholders;
use crate::config::Settled;
use crate::config::job::Build;
use crate::config::job::Job;
use crate::config::job::MachineKind;
use crate::config::job::Made;
use crate::config::job::Repro;
use crate::config::job::Tip;
use crate::config::size;
use crate::doctor;
use crate::doctor::Finding;
use crate::doctor::Level;
use crate::doctor::Need;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::git::Facts;
use crate::git::Repository;
use crate::machine::command;
use crate::machine::image;
use crate::machine::qemu;
use crate::machine::qemu::accel;
use crate::machine::qemu::initramfs;
use crate::policy::Description;
use crate::policy::Facts as _;
use crate::policy::Policies;
use crate::policy::console;
use crate::process::shell::quoted;
use crate::repro;
use crate::repro::made;
use crate::trial::seed;

mod linux;
#[cfg(test)]
mod tests;

/// A job that can be run, as far as can be told without running it.
#[derive(Debug)]
pub struct Checked {
    /// The job and where its values come from.
    pub settled: Settled,
    /// Where the crash was seen.
    pub start: Subject,
    /// What is searched.
    pub range: Range,
    /// The crashes that the job's console shows; empty without one.
    pub target: Vec<CrashReport>,
    /// Every plugin that is loaded.
    pub plugins: Vec<Description>,
    /// Hooks and the plugins that serve them, in order of asking, as far as the target is known.
    pub routes: Vec<(String, Vec<String>)>,
    /// About how much there is to do.
    pub work: Work,
    /// What is run, each with its name.
    pub commands: Vec<(&'static str, String)>,
    /// What of the machine is not as it should be, for this job.
    pub machine: Vec<Finding>,
    /// What of the repository and the job's commands is not as it should be.
    pub inputs: Vec<Finding>,
}

/// A commit with its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The commit.
    pub commit: CommitId,
    /// First line of its message.
    pub subject: String,
}

/// What is searched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Range {
    /// Between stated ends.
    Stated {
        /// The good ends.
        good: Vec<Subject>,
        /// Commits between them and the start.
        commits: usize,
    },
    /// Back through the releases.
    Walk {
        /// The releases, newest first.
        releases: Vec<Release>,
        /// Commits from the newest release to the start.
        commits: usize,
    },
}

/// About how much there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// Commits that are built (where something is) and tested.
    pub builds: u32,
    /// Trials in all.
    pub trials: u32,
    /// Trials at once.
    pub slots: u32,
    /// How long it takes if builds take as long as a kernel's usually do, and trials as long as they may.
    pub time: Duration,
    /// Bytes of disk.
    pub disk: u64,
}

/// CPU time of a kernel's build.
const KERNEL_BUILD: Duration = Duration::from_secs(40 * 60);
/// Time of another build.
const OTHER_BUILD: Duration = Duration::from_secs(60);
/// What a kernel's build leaves on disk, and one kernel that is kept.
const KERNEL_TREE: u64 = 5 << 30;
const KERNEL: u64 = 100 << 20;
/// Trials of one commit: two where it crashes, seven where it does not (δ = .01 at r = .5), each at half of the commits.
const TRIALS: f64 = 4.5;

impl Checked {
    /// What keeps this job from being run here.
    pub fn obstacle(&self) -> Option<Error> {
        let missing: Vec<&Finding> =
            self.machine.iter().chain(&self.inputs).filter(|finding| finding.level == Level::Missing).collect();
        if missing.is_empty() {
            return None;
        }
        let tools = self.machine.iter().any(|finding| finding.level == Level::Missing);
        let kind = if tools { ErrorKind::ToolsMissing } else { ErrorKind::User };
        let lines: Vec<String> = missing.iter().map(ToString::to_string).collect();
        let error = Error::new(kind, lines.join("\n"));
        Some(missing.iter().flat_map(|finding| &finding.mend).fold(error, Error::hint))
    }
}

/// Holds a job against its repository and this machine; the run would be kept in `out`.
///
/// # Errors
/// Everything that is wrong with commits, plugins and the console at once: none of it can be mended by going on.
pub async fn check(settled: Settled, out: &Path) -> Result<Checked, Error> {
    let job = &settled.job;
    let repository = Arc::new(Repository::open(&job.repo)?);
    let mut errors = Vec::new();
    let ends = ends(job, &repository).map_err(|error| errors.extend(error)).ok();
    let policies = Policies::load(&job.plugins, Arc::new(Facts::new(repository.clone())), Arc::new(|_| ()));
    let policies = policies.map_err(|error| errors.push(error.into())).ok();
    let target = policies.as_ref().map(|policies| target(job, policies).map_err(|error| errors.push(error)));
    let (Some((start, range)), Some(policies), Some(Ok(target))) = (ends, policies, target) else {
        return Err(Error::all(errors));
    };
    let faces: Vec<Face> = target.iter().map(|report| Face { report: report.clone(), trials: 1 }).collect();
    let routes = policies.resolve_routes(&faces).map_err(|conflict| Error::user(conflict.to_string()))?;
    let checkout = repository.checkout_size(&start.commit)?;
    let work = work(job, &range, checkout);
    let (mut machine, mut inputs) = (machine(job, &work, out).await, inputs(job).await);
    inputs.extend(job.repro.as_ref().and_then(|repro| unmade(repro, &repository, &start.commit)));
    inputs.extend(strange_title(job, &policies));
    let mut commands = commands(job, &start.commit).await;
    if let Some(recipe) = job.build.as_ref().and_then(Build::linux) {
        let look = linux::look(job, recipe, &repository, &start.commit, &target).await;
        machine.extend(look.machine);
        inputs.extend(look.inputs);
        commands.splice(0..0, look.commands);
    }
    Ok(Checked { start, range, target, plugins: policies.describe(), routes, work, commands, machine, inputs, settled })
}

/// The start and what is searched, or every commit that is wrong.
fn ends(job: &Job, repository: &Repository) -> Result<(Subject, Range), Vec<Error>> {
    let mut errors = Vec::new();
    let mut find = |name: &str| match subject(repository, name) {
        Ok(subject) => Some(subject),
        Err(error) => {
            errors.push(error);
            None
        }
    };
    let start = find(&job.bad);
    let stated: Vec<String> = match job.kind {
        Kind::Fix if job.good.is_empty() => vec!["HEAD".to_owned()],
        _ => job.good.clone(),
    };
    let good: Vec<Subject> = stated.iter().filter_map(|name| find(name)).collect();
    for era in &job.search.eras {
        find(era);
    }
    let newest = if let Tip::At(name) = &job.search.tip { find(name) } else { None };
    let patches = patches::settle(&job.patches, repository).map_err(|error| errors.push(error));
    let (Some(start), true) = (start, errors.is_empty()) else { return Err(errors) };
    errors.extend(good.iter().filter_map(|good| unfit(job.kind, repository, &start, good)));
    // The start commit must be tested in any case.
    errors.extend(patches.iter().flatten().filter_map(|patch| repository.takes(&start.commit, patch).err().map(Error::from)));
    errors.extend(newest.and_then(|newest| not_newer(repository, &start, &newest)));
    if errors.is_empty() && repository.is_shallow() {
        let tips: Vec<CommitId> = good.iter().map(|good| good.commit).chain([start.commit]).collect();
        errors.extend(repository.graph(&tips).err().map(Error::from));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let range = range(job.kind, repository, &start, good).map_err(|error| vec![error])?;
    Ok((start, range))
}

fn subject(repository: &Repository, name: &str) -> Result<Subject, Error> {
    let commit = repository.resolve(name)?;
    Ok(Subject { commit, subject: repository.subject(&commit)? })
}

/// Why a commit does not do as the newest one, if it does not.
fn not_newer(repository: &Repository, start: &Subject, newest: &Subject) -> Option<Error> {
    let (newest_one, start_one) = (newest.commit.short(), start.commit.short());
    match repository.contains(&newest.commit, &start.commit) {
        Ok(true) => None,
        Ok(false) => Some(
            Error::user(format!("[search] `tip`: {newest_one} does not contain the start commit {start_one}"))
                .hint("what is mended since is seen at a commit that the start commit was merged into"),
        ),
        Err(error) => Some(error.into()),
    }
}

/// Why a good end does not go with the start, if it does not.
fn unfit(kind: Kind, repository: &Repository, start: &Subject, good: &Subject) -> Option<Error> {
    let (one, other) = (start.commit.short(), good.commit.short());
    if start.commit == good.commit {
        let error = Error::user(format!("{one} is stated to be bad and good"));
        return Some(match kind {
            Kind::Cause => error,
            Kind::Fix => error.hint("name a later commit with `good`: without it, HEAD is taken to hold the fix"),
        });
    }
    let bases = match repository.merge_bases(&start.commit, &good.commit) {
        Ok(bases) => bases,
        Err(error) => return Some(error.into()),
    };
    match kind {
        _ if bases.is_empty() => {
            let error = Error::user(format!("the good commit {other} and the bad one {one} have no history in common"));
            Some(error.hint("state a good commit of the same tree"))
        }
        Kind::Cause if bases.contains(&start.commit) => {
            let error = Error::user(format!("the good commit {other} is newer than the bad one {one}"));
            Some(error.hint("state `kind = \"fix\"` to look for the commit that mended it"))
        }
        Kind::Fix if bases.contains(&good.commit) => {
            let error = Error::user(format!("the good commit {other} is older than the bad one {one}: it cannot hold the fix"));
            Some(error.hint("state `kind = \"cause\"` to look for the commit that introduced the crash"))
        }
        Kind::Cause | Kind::Fix => None,
    }
}

fn range(kind: Kind, repository: &Repository, start: &Subject, good: Vec<Subject>) -> Result<Range, Error> {
    if good.is_empty() {
        let releases = repository.releases_to_walk(&start.commit)?;
        let Some(newest) = releases.first() else {
            let error = Error::user(format!("{} contains no release (tags such as v6.5) to go back to", start.commit.short()));
            let fetch = format!("fetch the tags: git -C {} fetch --tags", job_path(repository.path()));
            return Err(error.hint("state a good commit with `good` or --good").hint(fetch));
        };
        let commits = repository.count(&start.commit, &[newest.commit])?;
        return Ok(Range::Walk { releases, commits });
    }
    let commits: Vec<CommitId> = good.iter().map(|good| good.commit).collect();
    let commits = match kind {
        Kind::Cause => repository.count(&start.commit, &commits)?,
        Kind::Fix => repository.count(&commits[0], &[start.commit])?,
    };
    Ok(Range::Stated { good, commits })
}

/// The crashes on the job's console; that it shows none is an error.
fn target(job: &Job, policies: &Policies) -> Result<Vec<CrashReport>, Error> {
    let Some(path) = &job.crash else { return Ok(Vec::new()) };
    let console = console::read(path).map_err(|error| Error::user(format!("crash: cannot read {}: {error}", path.display())))?;
    let reports = console::classify(policies, &console, None)?.reports;
    if reports.is_empty() {
        let error = Error::user(format!("crash: no classifier sees a crash in {}", path.display()));
        return Err(
            error.hint("give the console as the kernel printed it, or leave `crash` out: the start commit is tested first")
        );
    }
    Ok(reports)
}

fn work(job: &Job, range: &Range, checkout: u64) -> Work {
    let (commits, ends) = match range {
        Range::Stated { good, commits } => (*commits, 1 + good.len()),
        // The walk doubles its steps.
        Range::Walk { releases, commits } => (*commits, 1 + releases.len().min(4)),
    };
    let halvings = usize::BITS - commits.leading_zeros();
    let single = job.search.strategy == Strategy::Git && job.search.single_trials;
    // Verification: the culprit's parent once more, from clean.
    let builds = halvings + if single { 0 } else { u32::try_from(ends).unwrap_or(u32::MAX).saturating_add(1) };
    let trials = if single { builds } else { (f64::from(builds) * TRIALS).ceil() as u32 };
    let fitting = (job.limits.cpus / job.machine.cpus.max(1)).min((job.limits.memory / job.machine.memory.max(1)) as u32);
    let slots = job.limits.slots.unwrap_or(fitting).max(1);
    let qemu = job.machine.kind.boots();
    let build = match &job.build {
        Some(_) if qemu => KERNEL_BUILD / job.limits.cpus.max(1),
        Some(_) => OTHER_BUILD,
        None => Duration::ZERO,
    };
    // Objects stay from commit to commit.
    let later = if job.build.as_ref().is_some_and(|build| build.linux().is_some()) { build / 4 } else { build };
    let products = if qemu { KERNEL_TREE + u64::from(builds) * KERNEL } else { 0 };
    let checkouts = if qemu { 1 } else { u64::from(slots) };
    Work {
        builds,
        trials,
        slots,
        time: build + later * builds.saturating_sub(1) + job.trial.time_limit * trials.div_ceil(slots),
        disk: checkout * checkouts * if job.build.is_some() && !qemu { 2 } else { 1 } + products,
    }
}

/// What of the machine is not as it should be, and matters for this job.
async fn machine(job: &Job, work: &Work, out: &Path) -> Vec<Finding> {
    let kind = job.machine.kind;
    let mut findings = doctor::machine(&[Need::Always], out).await;
    if kind.has_own_files() {
        findings.extend(doctor::machine(&[Need::Qemu], out).await);
    }
    if kind == MachineKind::Image {
        findings.extend(doctor::machine(&[Need::Image], out).await);
        // The job may name another image, and has said so if there is none.
        findings.retain(|finding| finding.what != doctor::IMAGE);
    }
    // What a build of Linux needs is looked at with its configuration in mind.
    let own_way = job.build.as_ref().is_some_and(|build| build.linux().is_none());
    if kind.boots() && own_way && !job.machine.own_init {
        // A build may bring its own tools.
        let tools = doctor::machine(&[Need::Linux], out).await;
        findings.extend(tools.into_iter().map(|tool| Finding { level: tool.level.min(Level::Poor), ..tool }));
    }
    findings.extend(doctor::free_disk(out).and_then(|free| little_disk(work.disk, free, job.limits.disk)));
    findings.retain(|finding| finding.level != Level::Fine);
    findings
}

/// What of the repository and of the job's commands is not as it should be.
async fn inputs(job: &Job) -> Vec<Finding> {
    let build = job.build.as_ref().and_then(|build| build.command()?.first());
    let trial = if job.machine.kind == MachineKind::Process { job.trial.command.first() } else { None };
    let programs = [(build, "[build]"), (trial, "[trial]")];
    let programs = programs.into_iter().filter_map(|(program, section)| Finding::of_program(program?, section));
    let repro = match &job.repro {
        Some(repro) if !repro.file.as_os_str().is_empty() => reproducers(job, repro).await,
        _ => None,
    };
    let machine = job.machine.command.first().and_then(|program| Finding::of_program(program, "[machine]"));
    let mute = (job.machine.kind == MachineKind::Command).then(|| mute(&job.machine.command)).flatten();
    let findings = programs.chain(machine).chain(mute).chain(doctor::repository(&job.repo)).chain(repro);
    findings.filter(|finding| finding.level != Level::Fine).collect()
}

/// What is said of a target that is named by a title alone, where no kernel prints such a one.
fn strange_title(job: &Job, policies: &Policies) -> Option<Finding> {
    let title = job.title.as_ref().filter(|_| job.crash.is_none() && job.machine.kind != MachineKind::Process)?;
    (!console::is_title(policies, title)).then(|| Finding {
        what: "title".to_owned(),
        level: Level::Poor,
        found: format!("`{title}` is no title that a classifier gives: no crash will be taken for it"),
        mend: vec![
            "name a console with `crash`, or leave `title` out: the most frequent crash of the start commit is looked for"
                .to_owned(),
        ],
    })
}

/// What is said of a `vng` that keeps the console to itself.
fn mute(command: &[String]) -> Option<Finding> {
    let program = Path::new(command.first()?).file_name()?;
    let loud = ["--verbose", "-v"];
    if !["vng", "virtme-ng"].iter().any(|name| program == *name) || command.iter().any(|word| loud.contains(&word.as_str())) {
        return None;
    }
    Some(Finding {
        what: "vng".to_owned(),
        level: Level::Missing,
        found: "without --verbose it shows no console: no crash would be seen".to_owned(),
        mend: vec!["add \"--verbose\" to [machine] `command`".to_owned()],
    })
}

/// Why a reproducer that the run builds cannot be built, as far as can be told without building.
fn unmade(repro: &Repro, repository: &Arc<Repository>, start: &CommitId) -> Option<Finding> {
    let made = repro.made.as_ref().filter(|_| repro.file.as_os_str().is_empty())?;
    let missing = |found: String, mend: Vec<String>| Finding { what: "repro".to_owned(), level: Level::Missing, found, mend };
    match made {
        Made::Selftest(test) => {
            let makefile = format!("{}/{}/Makefile", made::SELFTESTS, test.collection);
            let there = Facts::new(Arc::clone(repository)).read_file(start, &makefile).is_ok();
            let found = format!("{} has no selftests `{}`", start.short(), test.collection);
            (!there).then(|| missing(found, vec![format!("collections are the folders of {}", made::SELFTESTS)]))
        }
        Made::Harness(harness) => {
            let error = Repository::open(&harness.repository).and_then(|found| found.resolve(&harness.commit)).err()?;
            let error = Error::from(error);
            Some(missing(format!("[repro] `commit`: {error}"), error.hints))
        }
    }
}

/// What is wrong with a reproducer, or with the one behind it.
async fn reproducers(job: &Job, repro: &Repro) -> Option<Finding> {
    for one in repro.each() {
        if let Some(finding) = reproducer(job, one).await {
            return Some(finding);
        }
    }
    (repro.then.is_some() && in_guest(job) && !has_program(job, "/bin/sh")).then(|| Finding {
        what: "repro".to_owned(),
        level: Level::Missing,
        found: "two reproducers are run in turn by a shell, and machines have none".to_owned(),
        mend: vec![SHELL.to_owned()],
    })
}

/// What gives machines a shell.
const SHELL: &str = "busybox-static gives machines /bin/sh (apt-get install busybox-static)";

/// Whether trials run in machines whose files are ours and the job's alone.
fn in_guest(job: &Job) -> bool {
    job.machine.kind == MachineKind::Qemu && !job.machine.own_init
}

/// Whether such machines have a program: in the folder that is their root, of their own where there is none, or brought by the job.
fn has_program(job: &Job, path: &str) -> bool {
    let own = match &job.machine.root_dir {
        Some(root) => root.join(path.trim_start_matches('/')).exists(),
        None => initramfs::has_program(path),
    };
    own || job.trial.files.iter().any(|(_, to)| to == path)
}

/// What is wrong with a reproducer: source that does not compile, and what cannot be started in a machine with our init.
async fn reproducer(job: &Job, repro: &Repro) -> Option<Finding> {
    let program = repro.program(&repro.file);
    let finding =
        |level, found: String, mend: &str| Finding { what: "repro".to_owned(), level, found, mend: vec![mend.to_owned()] };
    match repro::kind(&program) {
        Ok(repro::Kind::C) => uncompiled(repro).await,
        Ok(repro::Kind::Script(reader)) if in_guest(job) => (!has_program(job, &reader)).then(|| {
            let found = format!("{} is read by {reader}, which is not in the machine", program.display());
            finding(Level::Poor, found, SHELL)
        }),
        Ok(repro::Kind::Program) if in_guest(job) => {
            let loader = initramfs::loader(&std::fs::read(&program).ok()?)?;
            if has_program(job, &loader) {
                return None;
            }
            let found = format!("{} is linked dynamically, and nothing puts {loader} into the machine", program.display());
            let mend = "link it with -static, let a folder that has the libraries be the root ([machine] `root_dir`), or add the \
                        loader and the libraries to [trial] `files` or the build's `initrd`";
            Some(finding(Level::Poor, found, mend))
        }
        Ok(_) => None,
        Err(error) => Some(finding(Level::Missing, format!("{}: {error}", program.display()), "")),
    }
}

/// What the compiler says of a reproducer.
async fn uncompiled(repro: &Repro) -> Option<Finding> {
    let error = match tempfile::tempdir() {
        Ok(folder) => repro::compile(&repro.file, repro.arch, &folder.path().join("repro")).await.err()?,
        Err(error) => Error::infrastructure(error.to_string()),
    };
    let found = error.to_string();
    let found = found.strip_prefix("repro: ").unwrap_or(&found).to_owned();
    Some(Finding { what: "repro".to_owned(), level: Level::Missing, found, mend: error.hints })
}

fn little_disk(needed: u64, free: u64, allowed: u64) -> Option<Finding> {
    let (bound, name) = if free < allowed { (free, "are free") } else { (allowed, "[limits] `disk` allows") };
    (needed > bound).then(|| Finding {
        what: "disk".to_owned(),
        level: Level::Poor,
        found: format!("about {} are needed, {} {name}", size::rounded(needed), size::rounded(bound)),
        mend: vec!["use --out on a larger disk, or raise [limits] `disk`".to_owned()],
    })
}

/// What is run; folders that a run makes are shown as `{src}` and `{out}`.
async fn commands(job: &Job, start: &CommitId) -> Vec<(&'static str, String)> {
    let mut commands = Vec::new();
    if let Some(build) = &job.build {
        let (src, out) = (Path::new("{src}"), Path::new("{out}"));
        let places = Placeholders { src, out, jobs: job.limits.cpus, commit: start };
        commands.extend(build.command().map(|command| ("build", quoted(&places.fill(command)))));
    }
    commands.extend(machine_command(job, start).await.map(|command| ("machine", command)));
    let first = seed::fill(&job.trial.command, seed::trial_seed(job.search.seed, start, 1), start);
    commands.push(("trial", quoted(&first)));
    commands
}

/// What a machine is started with; none where nothing is booted.
async fn machine_command(job: &Job, start: &CommitId) -> Option<String> {
    let machine = &job.machine;
    let (out, run) = (Path::new("{out}"), Path::new("{run}"));
    Some(match (machine.kind, &machine.disk) {
        (MachineKind::Process, _) => return None,
        (MachineKind::Command, _) => {
            let settings = command::Settings {
                dir: run.to_owned(),
                slots: 1,
                memory: machine.memory,
                cpus: machine.cpus,
                boot_limit: machine.boot_limit,
                command: machine.command.clone(),
            };
            let first = seed::fill(&job.trial.command, seed::trial_seed(job.search.seed, start, 1), start);
            quoted(&command::fill(&settings, out, &quoted(&first)))
        }
        (MachineKind::Image, Some(disk)) => {
            let settings = image::Settings {
                dir: run.to_owned(),
                slots: 1,
                memory: machine.memory,
                cpus: machine.cpus,
                cmdline: machine.cmdline.clone(),
                network: machine.network,
                boot_limit: machine.boot_limit,
                disk: disk.clone(),
                init: &[],
            };
            quoted(&image::shown(&settings, accel::probe().await, out))
        }
        (MachineKind::Qemu | MachineKind::Image, _) => {
            let settings = qemu::Settings {
                dir: run.to_owned(),
                slots: 1,
                memory: machine.memory,
                cpus: machine.cpus,
                board: machine.board.clone(),
                cmdline: machine.cmdline.clone(),
                network: machine.network,
                boot_limit: machine.boot_limit,
                init: None,
                root_dir: machine.root_dir.clone(),
            };
            let initrd = (!machine.own_init).then_some(Path::new("initramfs"));
            quoted(&qemu::command::arguments(qemu::PROGRAM, &settings, accel::probe().await, out, initrd))
        }
    })
}

fn job_path(path: &Path) -> String {
    quoted(&[path.as_os_str()])
}

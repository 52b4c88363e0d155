//! What can be told of a build of Linux without building: the start commit's release and compiler, the configuration as it stands, tools.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use kbisect_core::commit::CommitId;
use kbisect_core::crash::CrashReport;

use crate::build::linux::environment;
use crate::build::linux::kconfig::Config;
use crate::build::linux::kconfig::Entry;
use crate::build::linux::make::Arch;
use crate::build::linux::make::Make;
use crate::build::linux::needs;
use crate::build::linux::prepare;
use crate::build::linux::toolchain::Choice;
use crate::build::linux::toolchain::Compiler;
use crate::build::linux::toolchain::is_in_path;
use crate::build::linux::version::Version;
use crate::config::job::Baseline;
use crate::config::job::CompilerCache;
use crate::config::job::Job;
use crate::config::job::Linux;
use crate::doctor::Finding;
use crate::doctor::Level;
use crate::git::Facts;
use crate::git::Repository;
use crate::policy::Facts as _;
use crate::process::shell::quoted;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Look {
    pub(super) machine: Vec<Finding>,
    pub(super) inputs: Vec<Finding>,
    pub(super) commands: Vec<(&'static str, String)>,
}

/// Looks at the start commit, where the target shows these crashes.
pub(super) async fn look(
    job: &Job,
    recipe: &Linux,
    repository: &Arc<Repository>,
    start: &CommitId,
    target: &[CrashReport],
) -> Look {
    let mut look = Look::default();
    let facts = Facts::new(Arc::clone(repository));
    let makefile = facts.read_file(start, "Makefile").unwrap_or_default();
    let Some(version) = Version::of_makefile(&makefile) else {
        let found = format!("{} has no Makefile with VERSION, PATCHLEVEL and SUBLEVEL: it is no Linux", start.short());
        look.inputs.push(finding("repo", Level::Missing, found, "[build] kind = \"command\" builds anything else"));
        return look;
    };
    let choice = Choice::of(recipe);
    for program in choice.named().filter(|program| !is_in_path(program)) {
        look.machine.push(finding(program, Level::Missing, "[build] `compiler` names it, and it is not in PATH", "install it"));
    }
    let compiler = match choice.compiler(version).await {
        Ok(compiler) => Some(compiler),
        Err(lack) if look.machine.is_empty() => {
            look.machine.push(finding("compiler", Level::Missing, lack.to_string(), "install it"));
            None
        }
        Err(_) => None,
    };
    look.configuration(recipe, compiler.as_ref(), target);
    for (tool, package) in needs::missing_tools(None, recipe.modules) {
        let mend = format!("apt-get install --no-install-recommends {package}");
        look.machine.push(finding(tool, Level::Missing, "every build of Linux needs it", &mend));
    }
    for left_out in environment::left_out() {
        look.inputs.push(Finding { what: "environment".to_owned(), level: Level::Poor, found: left_out, mend: Vec::new() });
    }
    if let (Some(compiler), Some(arch)) = (&compiler, Arch::find(&recipe.arch)) {
        look.commands(job, recipe, compiler, arch);
    }
    look
}

impl Look {
    /// A configuration that the job brings: what is wrong with it already. What `olddefconfig` makes of it the run sees.
    fn configuration(&mut self, recipe: &Linux, compiler: Option<&Compiler>, target: &[CrashReport]) {
        if let Some(Baseline::File(path)) = recipe.minimize.as_ref().map(|minimize| &minimize.baseline)
            && let Some(baseline) = fs::read_to_string(path).ok().and_then(|text| Config::parse(&text).ok())
            && let Some(other) = prepare::other_arch(&baseline, &recipe.arch)
        {
            let found = format!("{} is for {other}, and [build] `arch` is {}", path.display(), recipe.arch);
            self.inputs.push(finding("baseline", Level::Missing, found, &format!("give a baseline for {}", recipe.arch)));
        }
        let Some(path) = &recipe.config else { return };
        let Some(config) = fs::read_to_string(path).ok().and_then(|text| Config::parse(&text).ok()) else { return };
        if let Some(other) = prepare::other_arch(&config, &recipe.arch) {
            let found = format!("{} is for {other}, and [build] `arch` is {}", path.display(), recipe.arch);
            self.inputs.push(finding("config", Level::Missing, found, &format!("state [build] `arch` = \"{other}\"")));
        }
        let fragments = recipe.fragments.iter().filter_map(|path| Config::parse(&fs::read_to_string(path).ok()?).ok());
        let asked: Vec<Entry> = fragments
            .flat_map(|fragment| fragment.entries())
            .chain(recipe.set.iter().filter_map(|line| Entry::parse(line)))
            .collect();
        let added = |symbol: &str| asked.iter().any(|entry| entry.symbol == symbol);
        let types = || target.iter().map(|report| report.crash_type.as_str());
        for symbol in needs::of_types(types).filter(|symbol| !config.is_on(symbol) && !added(symbol)) {
            let found = format!("{} lacks CONFIG_{symbol}, by which the target is told: it would hardly show", path.display());
            self.inputs.push(finding("config", Level::Poor, found, &format!("add to [build]: set = [\"{symbol}=y\"]")));
        }
        let told = [
            compiler.and_then(|compiler| prepare::other_compiler(&config, &compiler.identity)),
            prepare::command_line(&config),
            prepare::modules(recipe, &config),
        ];
        for found in told.into_iter().flatten() {
            self.inputs.push(Finding { what: "config".to_owned(), level: Level::Poor, found, mend: Vec::new() });
        }
    }

    fn commands(&mut self, job: &Job, recipe: &Linux, compiler: &Compiler, arch: Arch) {
        let source = match &recipe.config {
            Some(path) => path.display().to_string(),
            None => recipe.base.join(" + "),
        };
        let merged: Vec<String> =
            recipe.fragments.iter().map(|path| path.display().to_string()).chain(recipe.set.iter().cloned()).collect();
        let merged = if merged.is_empty() { String::new() } else { format!(" + {}", merged.join(" + ")) };
        self.commands.push(("config", format!("{source}{merged}, then olddefconfig")));
        if let Some(minimize) = &recipe.minimize {
            let against = match &minimize.baseline {
                Baseline::File(path) => path.display().to_string(),
                Baseline::Targets(targets) => targets.join(" + "),
            };
            self.commands
                .push(("smaller", format!("against {against}, with at most {} kernels of the start commit", minimize.most)));
        }
        self.commands.push(("compiler", format!("{}: {}", compiler.program, compiler.identity)));
        for (release, before, after) in Choice::of(recipe).eras() {
            self.commands.push(("era", format!("{before} before {release}, {after} from there on")));
        }
        let jobs = (job.limits.cpus / job.builders().max(1)).max(1);
        let cached = recipe.ccache != CompilerCache::Off && is_in_path("ccache");
        let make = Make { job: recipe, compiler, cached, jobs, src: Path::new("{src}"), tree: Path::new("{tree}") };
        let targets: Vec<&str> = [arch.target].into_iter().chain(recipe.targets.iter().map(String::as_str)).collect();
        self.commands.push(("build", quoted(&make.words(&targets))));
    }
}

fn finding(what: &str, level: Level, found: impl Into<String>, mend: &str) -> Finding {
    Finding { what: what.to_owned(), level, found: found.into(), mend: vec![mend.to_owned()] }
}

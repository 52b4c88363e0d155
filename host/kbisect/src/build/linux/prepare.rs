//! The first thing in a run that builds Linux: the start commit is configured, and whatever makes the run pointless is said before
//! anything is compiled. Owns the baseline configuration.

use std::fs;
use std::path::Path;

use super::Bench;
use super::Recipe;
use super::Stop;
use super::edits;
use super::environment;
use super::kconfig::Config;
use super::kconfig::Entry;
use super::kconfig::Value;
use super::make::ARCHES;
use super::matters;
use super::minimize;
use super::needs;
use super::read;
use crate::build::Settings;
use crate::config::job::Linux;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::record::event::BuildResult;

/// Symbols that are named in a message; more are counted.
const NAMED: usize = 8;

/// Makes the baseline from the sources of the start commit at `src`. Gives what people should know about it, one line each.
///
/// # Errors
/// The tree is no Linux, its configuration cannot be made, lacks what the machine or the job needs, or tools are missing.
pub async fn prepare(settings: &Settings, recipe: &Recipe, src: &Path) -> Result<Vec<String>, Error> {
    let bench = Bench::new(settings, recipe, src).await.map_err(error)?;
    if let Some(lack) = settings.room.lack() {
        return Err(Error::infrastructure(lack));
    }
    let mut notes = environment::left_out();
    if let Some(wanted) = &bench.compiler.instead_of {
        notes.push(format!("{wanted} is not installed: {} is used for releases of that age", bench.compiler.program));
    }
    tools(None, recipe)?;
    bench.begin().map_err(error)?;
    let baseline = baseline(&bench, &mut notes).await?;
    if let Some(wanted) = &recipe.job.minimize {
        minimize::prepare(&bench, wanted).await?;
    }
    let wishes = bench.wishes(&baseline).map_err(error)?;
    bench.old_defconfig(&wishes.whole.to_string()).await.map_err(error)?;
    let config = bench.config(".config").map_err(error)?;
    bench.end().map_err(error)?;
    needed(recipe, &config)?;
    tools(Some(&config), recipe)?;
    notes.extend(changed_by_table(&bench, &baseline));
    notes.extend(not_stuck(&config.lacks(&wishes.watched)));
    notes.extend(modules(&recipe.job, &config));
    notes.extend(command_line(&config));
    let text = baseline.to_string();
    write_whole(&recipe.baseline, &text)
        .map_err(|error| Error::infrastructure(format!("cannot write `{}`: {error}", recipe.baseline.display())))?;
    Ok(notes)
}

/// The configuration that every commit starts from: the job's file, or what the start commit's targets make.
async fn baseline(bench: &Bench<'_>, notes: &mut Vec<String>) -> Result<Config, Error> {
    let job = &bench.recipe.job;
    let Some(path) = &job.config else { return made(bench, "base", &job.base).await };
    let text = read(path).map_err(|error| Error::user(format!("cannot read `{}`: {error}", path.display())))?;
    let config = Config::parse(&text)
        .map_err(|line| Error::user(format!("{}:{line}: this is no line of a configuration", path.display())))?;
    if let Some(other) = other_arch(&config, &job.arch) {
        return Err(Error::user(format!("config: {} is for {other}, and [build] `arch` is {}", path.display(), job.arch))
            .hint(format!("state [build] `arch` = \"{other}\", or a configuration for {}", job.arch)));
    }
    notes.extend(other_compiler(&config, &bench.compiler.identity));
    Ok(config)
}

/// The configuration that targets of the start commit make of nothing; `key` is where the job names them. They work on `.config` itself:
/// scripts/kconfig/Makefile merges fragments (`tinyconfig`, `kvm_guest.config`) into the file of that name whatever `KCONFIG_CONFIG` says.
pub(super) async fn made(bench: &Bench<'_>, key: &str, targets: &[String]) -> Result<Config, Error> {
    bench.tree.write(".config", "").map_err(|cause| error(Stop::infra("cannot write into the object tree", cause)))?;
    for target in targets {
        bench.make_with(&[target], &[], 1).await.map_err(|stop| {
            error(stop).hint(format!("[build] `{key}` names make targets of the start commit; is `{target}` one?"))
        })?;
    }
    bench.config(".config").map_err(error)
}

/// The architecture of a configuration, if it is surely not this one.
pub fn other_arch(config: &Config, arch: &str) -> Option<&'static str> {
    let on: Vec<_> = ARCHES.iter().filter(|other| config.is_on(other.symbol)).collect();
    if on.iter().any(|other| other.name == arch) { None } else { on.first().map(|other| other.name) }
}

/// What is said of a configuration that another compiler made.
pub fn other_compiler(config: &Config, identity: &str) -> Option<String> {
    let text = config.text("CC_VERSION_TEXT").filter(|text| *text != identity)?;
    Some(format!("the configuration was made with `{text}`, and kernels are built with `{identity}`"))
}

/// What is said of a command line in the kernel: it stands before or instead of what the machine says.
pub fn command_line(config: &Config) -> Option<String> {
    let text = config.text("CMDLINE").filter(|text| !text.is_empty() && config.is_on("CMDLINE_BOOL"))?;
    let all = if config.is_on("CMDLINE_OVERRIDE") { " (CMDLINE_OVERRIDE: nothing else counts)" } else { "" };
    Some(format!("the configuration brings a command line of its own{all}: {text}"))
}

/// What the machine and the job need and is not there.
fn needed(recipe: &Recipe, config: &Config) -> Result<(), Error> {
    let lacks = |symbol: &str| !config.is_on(symbol);
    // A module that nobody builds is no driver.
    let unbuilt = |symbol: &str| !recipe.job.modules && config.get(symbol) == Some(&Value::Set("m".to_owned()));
    let of_machine: Vec<_> = recipe.needs.iter().filter(|(symbol, _)| lacks(symbol) || unbuilt(symbol)).collect();
    let of_job: Vec<&String> = recipe.job.require.iter().filter(|symbol| lacks(symbol)).collect();
    if of_machine.is_empty() && of_job.is_empty() {
        return Ok(());
    }
    let mut lines: Vec<String> =
        of_machine.iter().map(|(symbol, why)| format!("the configuration lacks CONFIG_{symbol}, which {why} needs")).collect();
    lines
        .extend(of_job.iter().map(|symbol| format!("the configuration lacks CONFIG_{symbol}, which [build] `require` asks for")));
    let missing = of_machine.iter().map(|(symbol, _)| *symbol).chain(of_job.iter().map(|symbol| symbol.as_str()));
    let asked = |symbol: &str| recipe.job.set.iter().filter_map(|line| Entry::parse(line)).any(|entry| entry.symbol == symbol);
    let (asked, unasked): (Vec<&str>, Vec<&str>) = missing.partition(|symbol| asked(symbol));
    let mut error = Error::user(lines.join("\n"));
    if !unasked.is_empty() {
        let set = unasked.iter().map(|symbol| format!("\"{symbol}=y\"")).collect::<Vec<_>>().join(", ");
        error = error.hint(format!("add to [build]: set = [{set}]"));
    }
    if !asked.is_empty() {
        let names = asked.join(", ");
        error = error.hint(format!("{names} did not stick: it depends on something that is off (make menuconfig, then /)"));
    }
    Err(error)
}

/// Tools that are missing for a configuration; none: for any.
fn tools(config: Option<&Config>, recipe: &Recipe) -> Result<(), Error> {
    let missing = needs::missing_tools(config, recipe.job.modules);
    if missing.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> =
        missing.iter().map(|(tool, _)| format!("building this configuration needs {tool}, which is not installed")).collect();
    let packages: Vec<&str> = missing.iter().map(|(_, package)| *package).collect();
    Err(Error::new(ErrorKind::ToolsMissing, lines.join("\n"))
        .hint(format!("on Debian: apt-get install --no-install-recommends {}", packages.join(" "))))
}

/// What the table by release takes from the configuration.
fn changed_by_table(bench: &Bench<'_>, baseline: &Config) -> Option<String> {
    let job = &bench.recipe.job;
    let gone: Vec<String> = edits::of(bench.version)
        .into_iter()
        .filter(|entry| job.edits && entry.value == Value::Unset && matters(baseline, entry))
        .map(|entry| entry.symbol)
        .collect();
    (!gone.is_empty()).then(|| format!("switched off in every configuration ([build] `edits`): {}", named(&gone)))
}

fn not_stuck(lacks: &[Entry]) -> Option<String> {
    let lines: Vec<String> = lacks.iter().map(ToString::to_string).collect();
    (!lines.is_empty()).then(|| format!("asked for and not in the configuration: {}", named(&lines)))
}

/// What is said of modules that nobody builds.
pub fn modules(job: &Linux, config: &Config) -> Option<String> {
    let count = config.modules();
    (count > 0 && !job.modules).then(|| {
        format!("{count} symbols are modules, which are not built: state [build] `modules` = true, or build in what the reproducer needs")
    })
}

/// A list that stays short.
fn named(names: &[String]) -> String {
    let mut text = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > NAMED {
        text += &format!(" and {} more", names.len() - NAMED);
    }
    text
}

/// The baseline stands whole or not at all: its being there says that the start commit was looked at.
pub(super) fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let new = path.with_extension("new");
    fs::write(&new, text)?;
    fs::rename(new, path)
}

/// What stops a build, before one has begun.
pub(super) fn error(stop: Stop) -> Error {
    match stop.0.result {
        BuildResult::Infra(why) if why.starts_with("the compiler ") => {
            Error::new(ErrorKind::ToolsMissing, why).hint("install it, or name another with [build] `compiler`")
        }
        BuildResult::Infra(why) => Error::infrastructure(why),
        BuildResult::Failed(why) => Error::user(format!("the start commit cannot be configured: {why}")),
        BuildResult::Built { .. } => Error::internal("a build that was stopped has built"),
    }
}

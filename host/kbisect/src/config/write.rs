//! A job as the file that gives it back: every value is stated, so that it means the same on every machine.

use std::fmt::Write as _;
use std::path::Path;

use toml::Value;

use super::duration;
use super::job::Baseline;
use super::job::Change;
use super::job::CompilerCache;
use super::job::CompilerRule;
use super::job::Expect;
use super::job::Job;
use super::job::Linux;
use super::job::MachineKind;
use super::job::Made;
use super::job::Patch;
use super::job::Plugin;
use super::job::PluginLimits;
use super::job::Recipe;
use super::job::Repro;
use super::plugin::HOOKS;
use super::size;

/// One value of a job file.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The section it stands in; empty: the top of the file.
    pub section: String,
    /// Its key.
    pub key: String,
    /// Its value as TOML.
    pub value: String,
    /// Its key in [`super::Origins`].
    pub origin: String,
}

/// The job file of a job. [`super::read`] gives an equal job, if the files that it names are still there.
pub fn write(job: &Job) -> String {
    let mut text = String::new();
    let mut section = String::new();
    for line in lines(job) {
        let first_key = match line.section.as_str() {
            PLUGIN => line.key == "id",
            PATCH => ["file", "commit"].contains(&line.key.as_str()),
            _ => false,
        };
        if line.section != section || first_key {
            let (open, close) = if [PLUGIN, PATCH].contains(&line.section.as_str()) { ("[[", "]]") } else { ("[", "]") };
            let _ = writeln!(text, "\n{open}{}{close}", line.section);
            section = line.section;
        }
        let _ = writeln!(text, "{} = {}", line.key, line.value);
    }
    text
}

const PLUGIN: &str = "plugin";
const PATCH: &str = "patch";

/// The values of a job in the order of its file.
pub fn lines(job: &Job) -> Vec<Line> {
    let mut out = Lines::default();
    top(job, &mut out);
    repro(job, &mut out);
    for (index, patch) in job.patches.iter().enumerate() {
        out.section = PATCH;
        out.prefix = format!("{PATCH}.{index}.");
        self::patch(patch, &mut out);
    }
    build(job, &mut out);
    machine(job, &mut out);
    out.open("target");
    out.text("stage", name(&super::target::STAGES, &job.stage));
    trial(job, &mut out);
    search(job, &mut out);
    limits(job, &mut out);
    for (index, plugin) in job.plugins.iter().enumerate() {
        out.section = PLUGIN;
        out.prefix = format!("{PLUGIN}.{index}.");
        self::plugin(plugin, &mut out);
    }
    out.lines
}

#[derive(Default)]
struct Lines {
    lines: Vec<Line>,
    section: &'static str,
    prefix: String,
}

impl Lines {
    fn open(&mut self, section: &'static str) {
        self.section = section;
        self.prefix = format!("{section}.");
    }

    fn raw(&mut self, key: &str, value: &impl ToString) {
        let origin = format!("{}{key}", self.prefix);
        self.lines.push(Line { section: self.section.to_owned(), key: key.to_owned(), value: value.to_string(), origin });
    }

    fn text(&mut self, key: &str, text: &str) {
        self.raw(key, &Value::from(text));
    }

    fn path(&mut self, key: &str, path: &Path) {
        self.raw(key, &path_value(path));
    }

    fn list(&mut self, key: &str, list: &[String]) {
        self.raw(key, &Value::from(list.to_vec()));
    }

    fn duration(&mut self, key: &str, duration: std::time::Duration) {
        self.text(key, &duration::format(duration));
    }

    fn size(&mut self, key: &str, size: u64) {
        self.text(key, &size::format(size));
    }
}

/// Readers refuse paths that are not UTF-8.
fn path_value(path: &Path) -> Value {
    Value::from(path.to_string_lossy().into_owned())
}

fn name<T: PartialEq>(words: &[(&'static str, T)], meaning: &T) -> &'static str {
    words.iter().find(|(_, other)| other == meaning).map(|(word, _)| *word).expect("every meaning has a word")
}

fn top(job: &Job, out: &mut Lines) {
    out.path("repo", &job.repo);
    out.text("bad", &job.bad);
    match job.good.as_slice() {
        [] => {}
        [one] => out.text("good", one),
        more => out.list("good", more),
    }
    out.text("kind", name(&super::reader::KINDS, &job.kind));
    if let Some(repro) = job.repro.as_ref().filter(|repro| **repro == Repro::of(repro.file.clone())) {
        out.path("repro", &repro.file);
    }
    if let Some(crash) = &job.crash {
        out.path("crash", crash);
    }
    if let Some(title) = &job.title {
        out.text("title", title);
    }
    if let Some(link) = &job.link {
        out.text("link", link);
    }
}

/// A reproducer of which more is to be said than where it is.
fn repro(job: &Job, out: &mut Lines) {
    let Some(repro) = job.repro.as_ref().filter(|repro| **repro != Repro::of(repro.file.clone())) else { return };
    out.open("repro");
    if !repro.file.as_os_str().is_empty() {
        out.path("file", &repro.file);
    }
    match &repro.made {
        Some(Made::Selftest(test)) => out.text("kselftest", &format!("{}:{}", test.collection, test.test)),
        Some(Made::Harness(harness)) => {
            out.path("repository", &harness.repository);
            out.text("commit", &harness.commit);
            out.list("build", &harness.build);
            out.text("take", &harness.take);
        }
        None => {}
    }
    out.text("arch", name(&super::repro::ARCHES, &repro.arch));
    if let Some(entry) = &repro.entry {
        out.text("entry", entry);
    }
    if let Some(suite) = &repro.suite {
        out.text("suite", name(&super::repro::SUITES, suite));
    }
    if let Some(source) = &repro.source {
        out.path("source", source);
    }
    if let Some(then) = &repro.then {
        out.path("then", &then.file);
        if let Some(source) = &then.source {
            out.path("then_source", source);
        }
    }
}

fn patch(patch: &Patch, out: &mut Lines) {
    match &patch.change {
        Change::File(file) => out.path("file", file),
        Change::Commit(commit) => out.text("commit", commit),
    }
    if let Some(since) = &patch.since {
        out.text("since", since);
    }
    if let Some(until) = &patch.until {
        out.text("until", until);
    }
}

fn build(job: &Job, out: &mut Lines) {
    let Some(build) = &job.build else { return };
    out.open("build");
    match &build.recipe {
        Recipe::Command(command) => out.list("command", command),
        Recipe::Linux(recipe) => linux(recipe, out),
    }
    out.duration("time_limit", build.time_limit);
    if build.linux().is_none() {
        out.raw("in_slot", &build.in_slot);
    }
    if !build.in_slot {
        out.raw("builders", &build.builders);
    }
}

fn linux(recipe: &Linux, out: &mut Lines) {
    out.text("kind", "linux");
    match &recipe.config {
        Some(config) => out.path("config", config),
        None => out.list("base", &recipe.base),
    }
    out.raw("fragments", &Value::Array(recipe.fragments.iter().map(|path| path_value(path)).collect()));
    out.list("set", &recipe.set);
    out.list("require", &recipe.require);
    out.raw("edits", &recipe.edits);
    out.text("arch", &recipe.arch);
    out.text("cross_compile", &recipe.cross_compile);
    out.text("toolchain", name(&super::build::TOOLCHAINS, &recipe.toolchain));
    match recipe.compiler.as_slice() {
        [] => {}
        [CompilerRule { before: None, program }] => out.text("compiler", program),
        rules => out.raw("compiler", &Value::Array(rules.iter().map(compiler_rule).collect())),
    }
    out.text("kcflags", &recipe.kcflags);
    out.list("make", &recipe.make);
    out.list("targets", &recipe.targets);
    out.raw("modules", &recipe.modules);
    match &recipe.ccache {
        CompilerCache::Off => out.raw("ccache", &false),
        CompilerCache::OfRepository => out.raw("ccache", &true),
        CompilerCache::In(folder) => out.path("ccache", folder),
    }
    match &recipe.minimize {
        None => out.raw("minimize", &false),
        Some(minimize) => {
            out.raw("minimize", &minimize.most);
            match &minimize.baseline {
                Baseline::File(path) => out.path("baseline", path),
                Baseline::Targets(targets) => out.list("baseline", targets),
            }
        }
    }
}

fn compiler_rule(rule: &CompilerRule) -> Value {
    let before = rule.before.iter().map(|before| ("before".to_owned(), Value::from(before.as_str())));
    Value::Table(before.chain([("program".to_owned(), Value::from(rule.program.as_str()))]).collect())
}

fn machine(job: &Job, out: &mut Lines) {
    let machine = &job.machine;
    out.open("machine");
    out.text("kind", name(&super::machine::KINDS, &machine.kind));
    out.size("memory", machine.memory);
    out.raw("cpus", &machine.cpus);
    out.raw("network", &machine.network);
    if machine.kind.has_own_files() {
        out.text("cmdline", &machine.cmdline);
    }
    if machine.kind == MachineKind::Qemu {
        out.text("board", &machine.board);
        out.raw("own_init", &machine.own_init);
        if let Some(root) = &machine.root_dir {
            out.path("root_dir", root);
        }
    }
    if let Some(disk) = &machine.disk {
        out.path("image", &disk.image);
        out.text("root", &disk.root);
        out.text("user", &disk.user);
        if let Some(key) = &disk.key {
            out.path("key", key);
        }
    }
    if machine.kind == MachineKind::Command {
        out.list("command", &machine.command);
    }
    if machine.kind.boots() {
        out.duration("boot_limit", machine.boot_limit);
    }
}

fn trial(job: &Job, out: &mut Lines) {
    let trial = &job.trial;
    out.open("trial");
    if !trial.command.is_empty() {
        out.list("command", &trial.command);
    }
    out.duration("time_limit", trial.time_limit);
    out.raw("repeat", &trial.repeat);
    if !trial.files.is_empty() {
        let files = trial.files.iter().map(|(from, to)| {
            let pair = [("from".to_owned(), path_value(from)), ("to".to_owned(), Value::from(to.as_str()))];
            Value::Table(pair.into_iter().collect())
        });
        out.raw("files", &Value::Array(files.collect()));
    }
    out.text("expect", name(&super::trial::EXPECT, &trial.expect));
    if trial.expect == Expect::Exit {
        out.text("on_timeout", name(&super::trial::COUNT_AS, &trial.on_timeout));
        out.text("on_signal", name(&super::trial::COUNT_AS, &trial.on_signal));
    }
    out.raw("clean", &trial.clean);
}

fn search(job: &Job, out: &mut Lines) {
    out.open("search");
    out.text("strategy", name(&super::search::STRATEGIES, &job.search.strategy));
    out.raw("delta", &Value::from(job.search.delta));
    out.raw("seed", &job.search.seed);
    out.raw("trust_good", &job.search.trust_good);
    out.raw("suspicion", &Value::from(job.search.suspicion));
    out.raw("single_trials", &job.search.single_trials);
    out.raw("revert", &job.search.revert);
    out.text("tip", super::search::tip_text(&job.search.tip));
    out.raw("reach", &job.search.reach);
    out.raw("eras", &Value::Array(job.search.eras.iter().map(|era| Value::from(era.as_str())).collect()));
}

fn limits(job: &Job, out: &mut Lines) {
    out.open("limits");
    out.raw("cpus", &job.limits.cpus);
    out.size("memory", job.limits.memory);
    out.size("disk", job.limits.disk);
    if let Some(deadline) = job.limits.deadline {
        out.duration("deadline", deadline);
    }
    if let Some(slots) = job.limits.slots {
        out.raw("slots", &slots);
    }
}

fn plugin(plugin: &Plugin, out: &mut Lines) {
    out.text("id", &plugin.id);
    if let Some(path) = &plugin.path {
        out.path("path", path);
    }
    if let Some(sha256) = &plugin.sha256 {
        out.text("sha256", sha256);
    }
    if !plugin.hooks.is_empty() {
        let hooks: Vec<String> = plugin.hooks.iter().map(|hook| name(&HOOKS, hook).to_owned()).collect();
        out.list("hooks", &hooks);
    }
    let lists = [("paths", &plugin.when.paths), ("titles", &plugin.when.titles)];
    let when: toml::Table = lists
        .into_iter()
        .filter(|(_, globs)| !globs.is_empty())
        .map(|(key, globs)| (key.to_owned(), Value::from(globs.clone())))
        .collect();
    if !when.is_empty() {
        out.raw("when", &Value::Table(when));
    }
    out.raw("priority", &plugin.priority);
    out.raw("settings", &json_value(&plugin.settings));
    out.raw("limits", &plugin_limits(&plugin.limits));
}

fn plugin_limits(limits: &PluginLimits) -> String {
    let PluginLimits { fuel, fuel_per_byte, wall, memory, output, log, host_calls } = limits;
    let (wall, log) = (duration::format(*wall), size::format(*log as u64));
    let (memory, output) = (size::format(*memory), size::format(*output));
    format!(
        "{{ fuel = {fuel}, fuel_per_byte = {fuel_per_byte}, wall = \"{wall}\", memory = \"{memory}\", output = \"{output}\", \
         log = \"{log}\", host_calls = {host_calls} }}"
    )
}

/// JSON as TOML. What TOML cannot say (null, integers past 63 bits) no job file can have brought.
fn json_value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::from(""),
        serde_json::Value::Bool(switch) => Value::from(*switch),
        serde_json::Value::Number(number) => {
            number.as_i64().map_or_else(|| Value::from(number.as_f64().unwrap_or_default()), Value::from)
        }
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(items) => Value::Array(items.iter().map(json_value).collect()),
        serde_json::Value::Object(map) => Value::Table(map.iter().map(|(key, value)| (key.clone(), json_value(value))).collect()),
    }
}

//! `[build]`: how a commit is built.

use std::path::Path;
use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::command;
use super::command::Place;
use super::document::Section;
use super::duration;
use super::job::Baseline;
use super::job::Build;
use super::job::CompilerCache;
use super::job::CompilerRule;
use super::job::Linux;
use super::job::MachineKind;
use super::job::Minimize;
use super::job::Recipe;
use super::job::Toolchain;
use super::origin::Origin;
use super::path;
use super::value;
use super::value::Read;
use crate::build::linux::kconfig;
use crate::build::linux::make::ARCHES;
use crate::build::linux::version::Release;

/// A build that takes longer has failed: a debug kernel takes about half an hour on four cores.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(3 * 60 * 60);

/// Kernels that are built at most to make a configuration smaller: with so many a thousand options become about twenty where one is
/// needed, and 60 where two are.
const MINIMIZING: u32 = 10;

/// Kinds of build by name.
const KINDS: [(&str, Kind); 2] = [("command", Kind::Command), ("linux", Kind::Linux)];

/// Toolchains by name.
pub(super) const TOOLCHAINS: [(&str, Toolchain); 2] = [("gcc", Toolchain::Gcc), ("llvm", Toolchain::Llvm)];

/// Variables of make that have a key of their own, or that kbisect sets itself.
const TAKEN: [(&str, &str); 8] = [
    ("ARCH", "arch"),
    ("CROSS_COMPILE", "cross_compile"),
    ("CC", "compiler"),
    ("LLVM", "toolchain"),
    ("KCFLAGS", "kcflags"),
    ("KCONFIG_CONFIG", "config"),
    ("O", ""),
    ("KBUILD_OUTPUT", ""),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Command,
    Linux,
}

/// The section, if there is one.
pub(super) fn read(section: Section<'_, '_>, machine: MachineKind) -> Option<Build> {
    let there = section.is_there();
    let kind = section.get("kind", |value| value::word(value, &KINDS)).unwrap_or(Kind::Command);
    let recipe = match kind {
        Kind::Command => Recipe::Command(own_command(&section)),
        Kind::Linux => Recipe::Linux(Box::new(linux(&section))),
    };
    let in_slot = kind == Kind::Command && machine == MachineKind::Process;
    let build = Build {
        time_limit: section.get_or("time_limit", duration::read, TIME_LIMIT, Origin::guess("more than any kernel needs")),
        in_slot: if kind == Kind::Command {
            section.get_or("in_slot", value::switch, in_slot, Origin::guess("follows [machine] kind"))
        } else {
            false
        },
        builders: section.get_or("builders", value::count, 1, Origin::guess("all CPUs for one kernel")),
        recipe,
    };
    if build.in_slot && build.builders > 1 {
        section.complain(
            Some("builders"),
            "[build] `builders` is for kernels that are booted; with `in_slot`, every slot builds for itself",
        );
    }
    if build.in_slot && machine.boots() {
        section.complain(Some("in_slot"), "[build] `in_slot` is for process machines; what is put into {out} is booted");
    }
    section.close();
    there.then_some(build)
}

fn own_command(section: &Section<'_, '_>) -> Vec<String> {
    let what = "program and arguments that build a commit";
    let command = if section.is_there() {
        section.required("command", what, |value| command::read(value, Place::Build))
    } else {
        section.get("command", |_| Ok(Vec::new()))
    };
    command.unwrap_or_default()
}

fn linux(section: &Section<'_, '_>) -> Linux {
    let guess = Origin::guess;
    let base = section.document().base.clone();
    let arch = std::env::consts::ARCH;
    let arch = if arch == "aarch64" { "arm64" } else { arch };
    let words = |key, item: fn(&Spanned<DeValue<'_>>) -> Read<String>, why: &'static str| {
        section.get_or(key, |value| value::list(value, item), Vec::new(), guess(why))
    };
    let linux = Linux {
        config: section.get("config", |value| config_file(value, &base)),
        base: section.get("base", one_or_more).unwrap_or_default(),
        fragments: section.get_or(
            "fragments",
            |value| value::list(value, |item| config_file(item, &base)),
            Vec::new(),
            guess("none"),
        ),
        set: words("set", set, "nothing more"),
        require: words("require", symbol, "what the machine needs"),
        edits: section.get_or("edits", value::switch, true, guess("what old releases do not build with")),
        arch: section.get_or("arch", self::arch, arch.to_owned(), Origin::Environment(format!("this is {arch}"))),
        cross_compile: section.get_or("cross_compile", text, String::new(), guess("tools of this machine")),
        toolchain: section.get_or("toolchain", |value| value::word(value, &TOOLCHAINS), Toolchain::Gcc, guess("as most do")),
        compiler: section.get_or("compiler", compilers, Vec::new(), guess("one for each era of releases")),
        kcflags: section.get_or("kcflags", text, String::new(), guess("none")),
        make: words("make", variable, "none"),
        targets: words("targets", word, "none"),
        modules: section.get_or("modules", value::switch, false, guess("what is needed is built in")),
        ccache: section.get_or(
            "ccache",
            |value| compiler_cache(value, &base),
            CompilerCache::OfRepository,
            guess("where there is one"),
        ),
        minimize: None,
    };
    let linux = Linux { minimize: minimize(section, &linux), ..linux };
    if section.has("command") {
        section.complain(Some("command"), "[build] `command` is for kind = \"command\"; kbisect knows how to build Linux");
    }
    section.get("command", |_| Ok(()));
    match (linux.config.is_some() || section.has("config"), section.has("base")) {
        (true, true) => section.complain(Some("base"), "[build] `base` and `config` exclude each other"),
        (false, false) => {
            let what = "a file, or [build] `base` with targets such as [\"defconfig\", \"kvm_guest.config\"]";
            section.complain(None, format!("missing [build] `config`: {what}"));
        }
        _ => {}
    }
    linux
}

fn compiler_cache(value: &Spanned<DeValue<'_>>, base: &Path) -> Read<CompilerCache> {
    match value.get_ref() {
        DeValue::Boolean(true) => Ok(CompilerCache::OfRepository),
        DeValue::Boolean(false) => Ok(CompilerCache::Off),
        DeValue::String(folder) if !folder.is_empty() => Ok(CompilerCache::In(base.join(folder.as_ref()))),
        _ => value::complain(value, "expected true, false or a folder"),
    }
}

/// Whether the configuration is made smaller, with how many builds at most, and against which baseline.
fn minimize(section: &Section<'_, '_>, linux: &Linux) -> Option<Minimize> {
    let off = Origin::guess("costs builds at the start commit");
    let most = section.get_or("minimize", most_builds, None, off);
    let base = section.document().base.clone();
    let Some(most) = most else {
        if section.has("baseline") && !section.has("minimize") {
            section.complain(
                Some("baseline"),
                "[build] `baseline` is for `minimize`: options beyond it are left out where they can be",
            );
        }
        section.get("baseline", |_| Ok(()));
        return None;
    };
    let (targets, why) = match linux.base.as_slice() {
        [] => (vec!["defconfig".to_owned()], "the least that is usual"),
        base => (base.to_vec(), "without `fragments` and `set`"),
    };
    let read = |value: &Spanned<DeValue<'_>>| match value.get_ref() {
        DeValue::Array(_) => one_or_more(value).map(Baseline::Targets),
        DeValue::String(name) if name.ends_with("config") && !base.join(name.as_ref()).exists() => {
            value::complain(value, format!("there is no file {name}; targets are given as a list: baseline = [\"{name}\"]"))
        }
        _ => config_file(value, &base).map(Baseline::File),
    };
    let baseline = section.get_or("baseline", read, Baseline::Targets(targets), Origin::guess(why));
    Some(Minimize { most, baseline })
}

/// `true`, or the most kernels to build for it.
fn most_builds(value: &Spanned<DeValue<'_>>) -> Read<Option<u32>> {
    match value.get_ref() {
        DeValue::Boolean(on) => Ok(on.then_some(MINIMIZING)),
        DeValue::Integer(_) => value::count(value).map(Some),
        _ => value::mistyped(value, "true, false or the most kernels to build for it"),
    }
}

/// A file that is a configuration or part of one.
fn config_file(value: &Spanned<DeValue<'_>>, base: &Path) -> Read<std::path::PathBuf> {
    let path = path::file(value, base)?;
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => return value::complain(value, format!("cannot read {}: {error}", path.display())),
    };
    match kconfig::Config::parse(&text) {
        Ok(config) if !config.entries().is_empty() => Ok(path),
        Ok(_) => value::complain(value, format!("{} says nothing of any symbol", path.display())),
        Err(line) => {
            let text = format!("{}:{line}: neither CONFIG_X=… nor `# CONFIG_X is not set` nor a comment", path.display());
            value::complain(value, text)
        }
    }
}

/// Targets that make a configuration: one or a list.
fn one_or_more(value: &Spanned<DeValue<'_>>) -> Read<Vec<String>> {
    let target = |value: &Spanned<DeValue<'_>>| {
        let target = word(value)?;
        if target.ends_with("config") {
            Ok(target)
        } else {
            value::complain(value, "must be a target such as defconfig or kvm_guest.config; files go into `fragments`")
        }
    };
    let targets = if value.get_ref().is_str() { vec![target(value)?] } else { value::list(value, target)? };
    if targets.is_empty() { value::complain(value, "must not be empty") } else { Ok(targets) }
}

fn set(value: &Spanned<DeValue<'_>>) -> Read<String> {
    let line = value::line(value)?;
    match kconfig::Entry::parse(&line) {
        Some(entry) => Ok(entry.to_string()),
        None => value::complain(value, "must be such as \"KASAN=y\", \"NR_CPUS=8\" or \"KCOV=n\""),
    }
}

fn symbol(value: &Spanned<DeValue<'_>>) -> Read<String> {
    let line = value::line(value)?;
    let symbol = kconfig::symbol(&line);
    if kconfig::is_symbol(symbol) { Ok(symbol.to_owned()) } else { value::complain(value, "must be a symbol such as \"KASAN\"") }
}

fn arch(value: &Spanned<DeValue<'_>>) -> Read<String> {
    let names = ARCHES.map(|arch| (arch.name, arch.name));
    value::word(value, &names).map(str::to_owned)
}

/// One compiler for all commits, or a list of tables `{ before = "v5.16", program = "gcc-10" }`.
fn compilers(value: &Spanned<DeValue<'_>>) -> Read<Vec<CompilerRule>> {
    if value.get_ref().is_str() {
        return Ok(vec![CompilerRule { before: None, program: word(value)? }]);
    }
    value::list(value, |item| {
        let expected = "expected { before = \"v5.16\", program = \"gcc-10\" }";
        let Some(table) = item.get_ref().as_table() else { return value::complain(item, expected) };
        let before = table.get("before");
        let (Some(program), true) = (table.get("program"), table.len() == 1 + usize::from(before.is_some())) else {
            return value::complain(item, expected);
        };
        let release = |value: &Spanned<DeValue<'_>>| {
            let text = value::line(value)?;
            let release = Release::parse(&text).map(|release| release.to_string());
            release.map_or_else(|| value::complain(value, "must be a release such as \"v5.16\""), Ok)
        };
        Ok(CompilerRule { before: before.map(release).transpose()?, program: word(program)? })
    })
}

/// A word without blanks.
fn word(value: &Spanned<DeValue<'_>>) -> Read<String> {
    let line = value::line(value)?;
    if line.contains(char::is_whitespace) || line.starts_with('-') || line.contains('=') {
        return value::complain(value, "must be one word");
    }
    Ok(line)
}

/// A line that may be empty.
fn text(value: &Spanned<DeValue<'_>>) -> Read<String> {
    if value.get_ref().as_str() == Some("") { Ok(String::new()) } else { value::line(value) }
}

/// `NAME=VALUE` for make.
fn variable(value: &Spanned<DeValue<'_>>) -> Read<String> {
    let line = value::line(value)?;
    let name = line.split_once('=').map_or("", |(name, _)| name);
    if !kconfig::is_symbol(name) {
        return value::complain(value, "must be such as \"LLVM_IAS=0\"");
    }
    match TAKEN.iter().find(|(taken, _)| *taken == name) {
        Some((_, "")) => value::complain(value, format!("`{name}` is kbisect's to set: object trees are its own")),
        Some((_, key)) => value::complain(value, format!("state `{name}` with [build] `{key}`")),
        None => Ok(line),
    }
}

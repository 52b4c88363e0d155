//! `[trial]`: what one trial does.

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::command;
use super::command::Place;
use super::document::Section;
use super::duration;
use super::job::CountAs;
use super::job::Expect;
use super::job::Machine;
use super::job::MachineKind;
use super::job::Made;
use super::job::Repro;
use super::job::TargetStage;
use super::job::Trial;
use super::origin::Origin;
use super::path;
use super::value;
use super::value::Read;
use crate::process::shell;

/// Readings of an exit status by name.
pub(super) const EXPECT: [(&str, Expect); 2] = [("exit", Expect::Exit), ("crash", Expect::Crash)];

/// Readings of a time limit or signal by name.
pub(super) const COUNT_AS: [(&str, CountAs); 3] = [("good", CountAs::Good), ("bad", CountAs::Bad), ("void", CountAs::Void)];

/// How long a reproducer runs; syzbot's usual time.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(5 * 60);

/// The section; the default command runs `repro`.
pub(super) fn read(section: Section<'_, '_>, machine: &Machine, stage: TargetStage, repro: Option<&Repro>) -> Trial {
    let base = &section.document().base;
    let void = || Origin::guess("says nothing of the commit");
    let (expected, why) = match repro.and_then(|repro| repro.made.as_ref()) {
        Some(Made::Selftest(_)) => (Expect::Exit, "a selftest says by its status whether it failed"),
        _ => (Expect::Crash, "a reproducer runs until it crashes"),
    };
    let time_limit = section.get_or("time_limit", duration::read, TIME_LIMIT, Origin::guess("as syzbot"));
    let trial = Trial {
        command: section.get("command", |value| command::read(value, Place::Trial)).unwrap_or_else(|| {
            section.set_origin("command", Origin::guess("the reproducer alone"));
            run(machine.kind, repro, time_limit)
        }),
        time_limit,
        repeat: section.get_or("repeat", value::switch, false, Origin::guess("once is enough")),
        files: section.get_or(
            "files",
            |value| value::list(value, |item| file(item, base)),
            Vec::new(),
            Origin::guess("no more files"),
        ),
        expect: section.get_or("expect", |value| value::word(value, &EXPECT), expected, Origin::guess(why)),
        on_timeout: section.get_or("on_timeout", |value| value::word(value, &COUNT_AS), CountAs::Void, void()),
        on_signal: section.get_or("on_signal", |value| value::word(value, &COUNT_AS), CountAs::Void, void()),
        clean: section.get_or("clean", value::switch, false, Origin::guess("as under git bisect run")),
    };
    check(&section, &trial, machine, stage, repro);
    section.close();
    trial
}

/// The command that runs the reproducer, or two of them in turn.
fn run(machine: MachineKind, repro: Option<&Repro>, time_limit: Duration) -> Vec<String> {
    let path = repro.map(|repro| {
        let place = match machine.has_own_files() {
            true => Path::new(Repro::PLACE),
            // What is made when the run begins has no place yet.
            false if repro.file.as_os_str().is_empty() => Path::new("."),
            false => repro.file.as_path(),
        };
        repro.program(place).display().to_string()
    });
    match path {
        Some(path) if repro.is_some_and(|repro| repro.then.is_some()) => {
            let half = (time_limit.as_secs() / 2).max(1);
            let script = format!("timeout -s KILL {half} {}; exec {}", shell::quoted(&[&path]), Repro::THEN);
            ["/bin/sh".to_owned(), "-c".to_owned(), script].to_vec()
        }
        path => path.into_iter().collect(),
    }
}

/// What does not go together.
fn check(section: &Section<'_, '_>, trial: &Trial, machine: &Machine, stage: TargetStage, repro: Option<&Repro>) {
    if stage == TargetStage::Run && repro.is_none() && !section.has("command") && !machine.own_init {
        section.document().complain_whole("missing `repro` or [trial] `command`: what a trial runs");
    }
    if repro.is_some_and(|repro| repro.then.is_some()) {
        let complain = |text: &str| section.document().complain_whole(format!("[repro] `then`: {text}"));
        if !machine.kind.has_own_files() {
            complain("two reproducers in turn are for machines with files of their own");
        }
        if trial.expect == Expect::Exit {
            complain("only a crash counts of two reproducers, and [trial] `expect` is \"exit\"");
        }
    }
    for key in ["on_timeout", "on_signal"] {
        if trial.expect == Expect::Crash && section.has(key) {
            let text = format!("[trial] `{key}` is for expect = \"exit\"; with expect = \"crash\" only a crash counts");
            section.complain(Some(key), text);
        }
    }
    if machine.kind.boots() && trial.clean {
        section.complain(Some("clean"), "[trial] `clean` is for process machines; every machine that boots is fresh");
    }
    if !machine.kind.has_own_files() && section.has("files") {
        let who = if machine.kind == MachineKind::Process { "a process" } else { "the command's machine" };
        section
            .complain(Some("files"), format!("[trial] `files` is for machines with files of their own; {who} sees the host's"));
    }
    if machine.kind == MachineKind::Command && trial.repeat {
        section.complain(Some("repeat"), "[trial] `repeat`: a machine of kind \"command\" runs one command in each boot");
    }
}

/// A file for the machine: `"data.bin"` (put into `/`) or `{ from = "data.bin", to = "/tmp/data.bin" }`.
fn file(value: &Spanned<DeValue<'_>>, base: &Path) -> Read<(PathBuf, String)> {
    let Some(table) = value.get_ref().as_table() else {
        let from = path::file(value, base)?;
        let name = from.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        return Ok((from, format!("/{name}")));
    };
    let keys = table.keys().map(|key| key.get_ref().as_ref()).collect::<Vec<_>>();
    let (Some(from), Some(to), 2) = (table.get("from"), table.get("to"), keys.len()) else {
        return value::complain(value, "expected a path or { from = \"…\", to = \"/…\" }");
    };
    let (from, to) = (path::file(from, base)?, (value::line(to)?, to));
    if !to.0.starts_with('/') || to.0.ends_with('/') || to.0.split('/').any(|part| part == "..") {
        return value::complain(to.1, "must be an absolute path of a file in the machine");
    }
    Ok((from, to.0))
}

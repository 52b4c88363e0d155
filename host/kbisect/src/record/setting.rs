//! With what a run tested, in words for people who were not there. Owns what of a job a report tells.

use std::path::Path;

use serde::Deserialize;
use serde::Serialize;

use crate::build::patches;
use crate::config::job::Build;
use crate::config::job::Job;
use crate::config::job::MachineKind;
use crate::config::job::Patch;
use crate::config::job::Recipe;
use crate::config::job::Repro;
use crate::config::job::Toolchain;
use crate::config::size;

/// Builds, machines and tests of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// The public page of the crash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// How commits were built; none where nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// What commits were changed by before they were built, each in some words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<String>,
    /// What trials ran on.
    pub machine: String,
    /// What one trial did.
    pub test: String,
}

impl Setting {
    /// What a job says.
    pub fn of(job: &Job) -> Self {
        let machine = &job.machine;
        let room = || format!("{}, {}", super::counted(u64::from(machine.cpus), "CPU"), size::rounded(machine.memory));
        Self {
            link: job.link.clone(),
            build: job.build.as_ref().map(build),
            patches: job.patches.iter().map(patch).collect(),
            machine: match machine.kind {
                MachineKind::Process => "a process on the host".to_owned(),
                MachineKind::Qemu => format!("QEMU ({}), {}", machine.board, room()),
                MachineKind::Image => format!("QEMU with a disk image, {}", room()),
                MachineKind::Command => words(&machine.command),
            },
            test: test(job),
        }
    }
}

fn patch(patch: &Patch) -> String {
    let short = |commit: &String| commit.chars().take(12).collect::<String>();
    let since = patch.since.as_ref().map(|commit| format!(" since {}", short(commit))).unwrap_or_default();
    let until = patch.until.as_ref().map(|commit| format!(" until {}", short(commit))).unwrap_or_default();
    format!("{}{since}{until}", patches::name(&patch.change))
}

fn build(build: &Build) -> String {
    match &build.recipe {
        Recipe::Command(command) => words(command),
        Recipe::Linux(linux) => {
            let tools = match linux.toolchain {
                Toolchain::Gcc => "",
                Toolchain::Llvm => ", LLVM=1",
            };
            format!("Linux for {}{tools}", linux.arch)
        }
    }
}

fn test(job: &Job) -> String {
    let name = |repro: &Repro| {
        let shown = repro.source.as_ref().unwrap_or(&repro.file);
        shown.file_name().map_or_else(|| shown.display().to_string(), |name| name.to_string_lossy().into_owned())
    };
    let name = job.repro.as_ref().map(|repro| repro.each().map(name).collect::<Vec<_>>().join(", then "));
    let again = if job.trial.repeat { ", again and again" } else { "" };
    let command = if job.trial.command.is_empty() { "what the kernel does itself".to_owned() } else { words(&job.trial.command) };
    let what = name.unwrap_or(command);
    format!("{what}{again}, for at most {}", crate::config::duration::format(job.trial.time_limit))
}

/// A command in a line. Of files of this machine the name alone: others have them elsewhere, and it is nobody's business where.
fn words(command: &[String]) -> String {
    let word = |word: &String| match Path::new(word) {
        path if path.is_absolute() => path.file_name().map_or_else(|| word.clone(), |name| name.to_string_lossy().into_owned()),
        _ => word.clone(),
    };
    command.iter().map(word).collect::<Vec<_>>().join(" ")
}

//! `[build]`: how a commit is built.

use std::time::Duration;

use super::command;
use super::command::Place;
use super::document::Section;
use super::duration;
use super::job::Build;
use super::job::MachineKind;
use super::origin::Origin;
use super::value;

/// A build that takes longer has failed: a debug kernel takes about half an hour on four cores.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(3 * 60 * 60);

/// The section, if there is one.
pub(super) fn read(section: Section<'_, '_>, machine: MachineKind) -> Option<Build> {
    let there = section.is_there();
    let what = "program and arguments that build a commit";
    let command = if there {
        section.required("command", what, |value| command::read(value, Place::Build))
    } else {
        section.get("command", |_| Ok(Vec::new()))
    };
    let in_slot = machine == MachineKind::Process;
    let build = Build {
        command: command.unwrap_or_default(),
        time_limit: section.get_or("time_limit", duration::read, TIME_LIMIT, Origin::guess("more than any kernel needs")),
        in_slot: section.get_or("in_slot", value::switch, in_slot, Origin::guess("follows [machine] kind")),
        builders: section.get_or("builders", value::count, 1, Origin::guess("all CPUs for one kernel")),
    };
    if build.in_slot && build.builders > 1 {
        section.complain(
            Some("builders"),
            "[build] `builders` is for kernels that are booted; with `in_slot`, every slot builds for itself",
        );
    }
    if build.in_slot && machine == MachineKind::Qemu {
        section.complain(Some("in_slot"), "[build] `in_slot` is for process machines; QEMU boots what is put into {out}");
    }
    section.close();
    there.then_some(build)
}

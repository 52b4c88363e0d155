//! `[limits]`: what may be used.

use super::document::Section;
use super::duration;
use super::host::Host;
use super::job::Limits;
use super::origin::Origin;
use super::size;
use super::value;

/// Disk for a run: some forty kernels.
const DISK: u64 = 20 << 30;

/// The limits that a machine gives by itself: all its CPUs and three quarters of its free memory.
pub(super) fn of_host(host: &Host) -> Limits {
    let memory = (host.memory / 4 * 3) >> 20 << 20;
    Limits { cpus: host.cpus.max(1), memory: memory.max(64 << 20), disk: DISK, deadline: None, slots: None }
}

/// Where [`of_host`] has its CPUs and memory from.
pub(super) fn origins(host: &Host) -> [Origin; 2] {
    let memory = format!("three quarters of {} free", size::rounded(host.memory));
    [Origin::Environment(format!("{} CPUs here", host.cpus)), Origin::Environment(memory)]
}

/// Why [`of_host`] has its disk.
pub(super) fn disk_origin() -> Origin {
    Origin::guess("some forty kernels")
}

/// The section.
pub(super) fn read(section: Section<'_, '_>, host: &Host) -> Limits {
    let usual = of_host(host);
    let [cpus, memory] = origins(host);
    let limits = Limits {
        cpus: section.get_or("cpus", value::count, usual.cpus, cpus),
        memory: section.get_or("memory", size::read, usual.memory, memory),
        disk: section.get_or("disk", size::read, usual.disk, disk_origin()),
        deadline: section.get("deadline", duration::read),
        slots: section.get("slots", value::count),
    };
    section.close();
    limits
}

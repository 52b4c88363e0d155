//! `[machine]`: what trials run on.

use std::time::Duration;

use super::document::Section;
use super::duration;
use super::host::Host;
use super::job::Limits;
use super::job::Machine;
use super::job::MachineKind;
use super::origin::Origin;
use super::size;
use super::value;

/// Kinds of machine by name.
pub(super) const KINDS: [(&str, MachineKind); 2] = [("qemu", MachineKind::Qemu), ("process", MachineKind::Process)];

/// QEMU's boards that work; `microvm` boots faster, `pc` boots more kernels.
const BOARDS: [(&str, &str); 2] = [("pc", "pc"), ("microvm", "microvm")];

/// Memory and CPUs as in syzkaller's documentation (`-m 2G -smp 2`).
const MEMORY: u64 = 2 << 30;
const CPUS: u32 = 2;

/// A boot that takes longer has failed: a debug kernel under an emulator takes a few minutes.
const BOOT_LIMIT: Duration = Duration::from_secs(10 * 60);

/// Keys that only QEMU machines have.
const QEMU_ONLY: [&str; 4] = ["board", "cmdline", "own_init", "boot_limit"];

/// The machine where nothing is stated; `host` and `limits` bound it.
pub(super) fn usual(host: &Host, limits: &Limits) -> Machine {
    Machine {
        kind: MachineKind::Qemu,
        memory: MEMORY.min(limits.memory),
        cpus: CPUS.min(host.cpus).min(limits.cpus),
        network: false,
        cmdline: String::new(),
        board: "pc".to_owned(),
        own_init: false,
        boot_limit: BOOT_LIMIT,
    }
}

/// The section.
pub(super) fn read(section: Section<'_, '_>, host: &Host, limits: &Limits) -> Machine {
    let guess = Origin::guess;
    let usual = usual(host, limits);
    let board = |value: &_| value::word(value, &BOARDS).map(str::to_owned);
    let machine = Machine {
        kind: section.get_or("kind", |value| value::word(value, &KINDS), usual.kind, guess("kernels are booted")),
        memory: section.get_or("memory", size::read, usual.memory, guess("usual for kernel tests")),
        cpus: section.get_or("cpus", value::count, usual.cpus, guess("usual for kernel tests")),
        network: section.get_or("network", value::switch, usual.network, guess("tests need none")),
        cmdline: section.get_or("cmdline", cmdline, usual.cmdline, guess("nothing to add")),
        board: section.get_or("board", board, usual.board, guess("boots most kernels")),
        own_init: section.get_or("own_init", value::switch, usual.own_init, guess("Linux gets an init from kbisect")),
        boot_limit: section.get_or("boot_limit", duration::read, usual.boot_limit, guess("more than any boot needs")),
    };
    if machine.kind == MachineKind::Process {
        for key in QEMU_ONLY.into_iter().filter(|key| section.has(key)) {
            section.complain(Some(key), format!("[machine] `{key}` is for kind = \"qemu\"; this machine is a process"));
        }
    }
    if section.has("cpus") && machine.cpus > limits.cpus {
        let text = format!("[machine] `cpus` is {}, more than the {} of [limits] `cpus`", machine.cpus, limits.cpus);
        section.complain(Some("cpus"), text);
    }
    if section.has("memory") && machine.memory > limits.memory {
        let (one, all) = (size::format(machine.memory), size::rounded(limits.memory));
        section.complain(Some("memory"), format!("[machine] `memory` is {one}, more than the {all} of [limits] `memory`"));
    }
    section.close();
    machine
}

/// Words for a kernel's command line; may be empty.
fn cmdline(value: &toml::Spanned<toml::de::DeValue<'_>>) -> value::Read<String> {
    if value.get_ref().as_str() == Some("") { Ok(String::new()) } else { value::line(value) }
}

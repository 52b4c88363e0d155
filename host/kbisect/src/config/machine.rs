//! `[machine]`: what trials run on.

use std::path::PathBuf;
use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::command;
use super::command::Place;
use super::document::Section;
use super::duration;
use super::host::Host;
use super::job::Disk;
use super::job::Limits;
use super::job::Machine;
use super::job::MachineKind;
use super::origin::Origin;
use super::path;
use super::size;
use super::value;
use super::value::Read;

/// Kinds of machine by name.
pub(super) const KINDS: [(&str, MachineKind); 4] = [
    ("qemu", MachineKind::Qemu),
    ("image", MachineKind::Image),
    ("command", MachineKind::Command),
    ("process", MachineKind::Process),
];

/// QEMU's boards that work; `microvm` boots faster, `pc` boots more kernels.
const BOARDS: [(&str, &str); 2] = [("pc", "pc"), ("microvm", "microvm")];

/// Memory and CPUs as in syzkaller's documentation (`-m 2G -smp 2`).
const MEMORY: u64 = 2 << 30;
const CPUS: u32 = 2;

/// A boot that takes longer has failed: a debug kernel under an emulator takes a few minutes.
const BOOT_LIMIT: Duration = Duration::from_secs(10 * 60);

/// Keys that not every kind of machine has, and the kinds that have them.
const NOT_OF_ALL: [(&str, &[MachineKind]); 10] = [
    ("board", &[MachineKind::Qemu]),
    ("own_init", &[MachineKind::Qemu]),
    ("root_dir", &[MachineKind::Qemu]),
    ("cmdline", &[MachineKind::Qemu, MachineKind::Image]),
    ("boot_limit", &[MachineKind::Qemu, MachineKind::Image, MachineKind::Command]),
    ("image", &[MachineKind::Image]),
    ("root", &[MachineKind::Image]),
    ("user", &[MachineKind::Image]),
    ("key", &[MachineKind::Image]),
    ("command", &[MachineKind::Command]),
];

/// Where a root file system lies: a disk of virtio's, or one on the board's own controller.
const ROOTS: [&str; 2] = ["/dev/vda", "/dev/sda"];

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
        root_dir: None,
        boot_limit: BOOT_LIMIT,
        disk: None,
        command: Vec::new(),
    }
}

/// The section.
pub(super) fn read(section: Section<'_, '_>, host: &Host, limits: &Limits) -> Machine {
    let guess = Origin::guess;
    let usual = usual(host, limits);
    let board = |value: &_| value::word(value, &BOARDS).map(str::to_owned);
    let kind = section.get_or("kind", |value| value::word(value, &KINDS), usual.kind, guess("kernels are booted"));
    let machine = Machine {
        kind,
        memory: section.get_or("memory", size::read, usual.memory, guess("usual for kernel tests")),
        cpus: section.get_or("cpus", value::count, usual.cpus, guess("usual for kernel tests")),
        network: section.get_or("network", value::switch, usual.network, guess("tests need none")),
        cmdline: section.get_or("cmdline", cmdline, usual.cmdline, guess("nothing to add")),
        board: section.get_or("board", board, usual.board, guess("boots most kernels")),
        own_init: section.get_or("own_init", value::switch, usual.own_init, guess("Linux gets an init from kbisect")),
        root_dir: section.get("root_dir", |value| path::folder(value, &section.document().base)),
        boot_limit: section.get_or("boot_limit", duration::read, usual.boot_limit, guess("more than any boot needs")),
        disk: (kind == MachineKind::Image).then(|| disk(&section)),
        command: if kind == MachineKind::Command { own_command(&section) } else { Vec::new() },
    };
    for (key, kinds) in NOT_OF_ALL.into_iter().filter(|(key, kinds)| section.has(key) && !kinds.contains(&kind)) {
        let name = |kind: &MachineKind| KINDS.iter().find(|(_, other)| other == kind).map_or("", |(name, _)| *name);
        let kinds: Vec<String> = kinds.iter().map(|kind| format!("\"{}\"", name(kind))).collect();
        let text = format!("[machine] `{key}` is for kind = {}; this machine is of kind \"{}\"", kinds.join(" or "), name(&kind));
        section.complain(Some(key), text);
    }
    if machine.root_dir.is_some() && machine.own_init {
        section.complain(Some("root_dir"), "[machine] `root_dir` is for Linux: with `own_init` nobody mounts it");
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

/// A disk, and how it is reached.
fn disk(section: &Section<'_, '_>) -> Disk {
    let base = &section.document().base;
    let guess = Origin::guess;
    let usual = || default_image().unwrap_or_default();
    let image = section.get_or("image", |value| path::file(value, base), usual(), guess("what ./x image makes"));
    if !section.has("image") && !image.is_file() {
        let why = format!("[machine] `image`: there is no {}; make one with ./x image, or name another", image.display());
        section.complain(None, why);
    }
    Disk {
        image,
        root: section.get_or("root", root, ROOTS[0].to_owned(), guess("the image is one file system")),
        user: section.get_or("user", user, "root".to_owned(), guess("tests need root")),
        key: section.get("key", |value| path::file(value, base)),
    }
}

/// The image that `./x image` makes.
pub fn default_image() -> Option<PathBuf> {
    Some(crate::caches::root()?.join("image/debian.img"))
}

fn root(value: &Spanned<DeValue<'_>>) -> Read<String> {
    let root = value::line(value)?;
    let is_partition =
        |disk: &str| root.strip_prefix(disk).is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    if ROOTS.iter().any(|disk| is_partition(disk)) {
        Ok(root)
    } else {
        value::complain(value, format!("must be {} or {}, or a partition of one, such as /dev/vda1", ROOTS[0], ROOTS[1]))
    }
}

fn user(value: &Spanned<DeValue<'_>>) -> Read<String> {
    let user = value::line(value)?;
    let is_name = user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)) && !user.starts_with('-');
    if is_name { Ok(user) } else { value::complain(value, "must be a user's name") }
}

/// The command that is a machine.
fn own_command(section: &Section<'_, '_>) -> Vec<String> {
    let what = "program and arguments that boot {kernel} and run {command} in it";
    let command = section.required("command", what, |value| command::read(value, Place::Machine)).unwrap_or_default();
    let has = |names: &[&str]| command.iter().any(|word| names.iter().any(|name| word.contains(name)));
    if !command.is_empty() && !has(&["{kernel}", "{kernel_dir}"]) {
        section.complain(Some("command"), "[machine] `command` does not say {kernel}: it would not boot what was built");
    }
    if !command.is_empty() && !has(&["{command}"]) {
        section.complain(Some("command"), "[machine] `command` does not say {command}: what a trial runs has no place in it");
    }
    command
}

/// Words for a kernel's command line; may be empty.
fn cmdline(value: &Spanned<DeValue<'_>>) -> Read<String> {
    if value.get_ref().as_str() == Some("") { Ok(String::new()) } else { value::line(value) }
}

//! QEMU's command line. Pure; owns the choice of devices and the kernel's command line.

use std::ffi::OsString;
use std::path::Path;

use super::Settings;
use super::accel::Accel;

/// The control port's socket, in the machine's folder.
pub(super) const CONTROL: &str = "control.sock";
/// The socket of QEMU's machine protocol.
pub(super) const QMP: &str = "qmp.sock";
/// The socket of QEMU's debugger.
pub(super) const GDB: &str = "gdb.sock";
/// What a folder of the host is called on the bus.
const SHARE: &str = "kbisect";
/// The kernel lies where its file says.
pub(super) const NO_KASLR: &str = "nokaslr";

/// More arguments for a machine that somebody watches: it waits for nobody.
pub(super) fn watched() -> impl Iterator<Item = OsString> {
    let words = [
        "-chardev".to_owned(),
        format!("socket,id=gdb,path={GDB},server=on,wait=off"),
        "-gdb".to_owned(),
        "chardev:gdb".to_owned(),
    ];
    words.into_iter().map(OsString::from)
}

/// Program and arguments for a machine that boots `kernel` (a folder); the working directory is the machine's own.
pub fn arguments(program: &str, settings: &Settings, accel: &Accel, kernel: &Path, initrd: Option<&Path>) -> Vec<OsString> {
    let mut args = board(program, settings, accel);
    let mut add = |words: &str| args.extend(words.split(' ').map(OsString::from));
    add("-chardev stdio,id=console,signal=off -serial chardev:console");
    // A second `-serial` would be dropped without a word by microvm.
    add(&format!("-chardev socket,id=control,path={CONTROL} -device isa-serial,chardev=control,index=1"));
    add(&format!("-chardev socket,id=qmp,path={QMP} -mon chardev=qmp,mode=control"));
    boot(&mut args, kernel, initrd, &kernel_command_line(&settings.cmdline));
    args
}

/// The same for somebody at a terminal, where `first` is all that runs: no control port; Ctrl-A X ends it.
pub fn for_a_person(
    program: &str,
    settings: &Settings,
    accel: &Accel,
    kernel: &Path,
    initrd: &Path,
    first: &str,
) -> Vec<OsString> {
    let mut args = board(program, settings, accel);
    let terminal = "-chardev stdio,id=console,signal=off,mux=on -serial chardev:console -mon chardev=console";
    args.extend(terminal.split(' ').map(OsString::from));
    boot(&mut args, kernel, Some(initrd), &kernel_command_line(&format!("{} rdinit={first}", settings.cmdline)));
    args
}

/// The emulator with everything but its ports and what it boots.
fn board(program: &str, settings: &Settings, accel: &Accel) -> Vec<OsString> {
    // With ACPI, Linux finds no clock on a microvm that the translator runs.
    let kind = if settings.board == "microvm" { "microvm,acpi=off" } else { "pc" };
    let mut args = emulator(program, kind, accel, settings.memory, settings.cpus);
    let mut add = |words: &str| args.extend(words.split(' ').map(OsString::from));
    if settings.network {
        let device = if settings.board == "microvm" { "virtio-net-device" } else { "virtio-net-pci" };
        add(&format!("-netdev user,id=net -device {device},netdev=net"));
    }
    if let Some(dir) = &settings.root_dir {
        let device = if settings.board == "microvm" { "virtio-9p-device" } else { "virtio-9p-pci" };
        let mut folder = OsString::from("local,id=root,security_model=none,readonly=on,multidevs=remap,path=");
        folder.push(doubled(dir));
        let device = format!("{device},fsdev=root,mount_tag={SHARE}").into();
        args.extend(["-fsdev".into(), folder, "-device".into(), device]);
    }
    args
}

/// A path in QEMU's options, where a comma is written twice.
fn doubled(path: &Path) -> String {
    path.to_string_lossy().replace(',', ",,")
}

/// The emulator with processors and memory, and nothing else.
fn emulator(program: &str, kind: &str, accel: &Accel, memory: u64, cpus: u32) -> Vec<OsString> {
    let mut args: Vec<OsString> = vec![program.into()];
    let mut add = |words: &str| args.extend(words.split(' ').map(OsString::from));
    add("-nodefaults -no-user-config -display none -no-reboot -M");
    add(kind);
    add(&format!("-accel {}", accel.name()));
    // Five-level paging doubles the translator's work for nothing.
    add(if *accel == Accel::Kvm { "-cpu host" } else { "-cpu max,la57=off" });
    add(&format!("-m {}M -smp {}", (memory >> 20).max(1), cpus.max(1)));
    args
}

/// What is booted, and what it is told.
fn boot(args: &mut Vec<OsString>, kernel: &Path, initrd: Option<&Path>, cmdline: &str) {
    args.extend(["-kernel".into(), kernel.join("kernel").into_os_string()]);
    if let Some(initrd) = initrd {
        args.extend(["-initrd".into(), initrd.as_os_str().to_owned()]);
    }
    args.extend(["-append".into(), cmdline.into()]);
}

/// A machine with a disk.
#[derive(Debug, Clone, Copy)]
pub struct Guest<'a> {
    /// Memory, in bytes.
    pub memory: u64,
    /// CPUs.
    pub cpus: u32,
    /// Whether it reaches a network beyond the host.
    pub network: bool,
    /// The disk's image, and how QEMU reads it.
    pub image: &'a Path,
    /// `raw` or `qcow2`.
    pub format: &'static str,
    /// The device with the root file system: it says how the disk is attached.
    pub root: &'a str,
    /// The port of this host that leads to the guest's port 22.
    pub port: &'a str,
}

/// Program and arguments for a machine that boots `kernel` (a folder) with a disk. What it writes to the disk goes with it.
pub fn with_disk(
    program: &str,
    guest: &Guest<'_>,
    accel: &Accel,
    kernel: &Path,
    initrd: Option<&Path>,
    cmdline: &str,
) -> Vec<OsString> {
    let mut args = emulator(program, "pc", accel, guest.memory, guest.cpus);
    let mut add = |words: &str| args.extend(words.split(' ').map(OsString::from));
    add("-chardev stdio,id=console,signal=off -serial chardev:console");
    add(&format!("-chardev socket,id=qmp,path={QMP} -mon chardev=qmp,mode=control"));
    let restrict = if guest.network { "off" } else { "on" };
    add(&format!("-netdev user,id=net,restrict={restrict},hostfwd=tcp:127.0.0.1:{}-:22", guest.port));
    // Old kernels wait for entropy before they make keys.
    add("-device virtio-net-pci,netdev=net -device virtio-rng-pci");
    let mut drive = OsString::from(format!("id=disk,if=none,snapshot=on,format={},file=", guest.format));
    drive.push(doubled(guest.image));
    let device = if guest.root.starts_with("/dev/vd") { "virtio-blk-pci,drive=disk" } else { "ide-hd,drive=disk" };
    args.extend(["-drive".into(), drive, "-device".into(), device.into()]);
    boot(&mut args, kernel, initrd, cmdline);
    args
}

/// What every kernel is told, and then the job's own words: of two, the later wins.
pub fn kernel_command_line(more: &str) -> String {
    // A panic ends the machine at once: everything was printed by then.
    format!("console=ttyS0,115200 panic=-1 loglevel=7 {more}").trim_end().to_owned()
}

//! What a configuration must hold for its kernel to be of use, and what this machine must have to build it. Owns both lists.

use std::path::Path;

use super::kconfig::Config;
use super::toolchain::is_in_path;

/// A symbol that must be on, and for what.
pub type Need = (&'static str, &'static str);

/// Symbols without which our init does not run in a machine with two serial ports and an initramfs.
const OF_GUESTS: [Need; 10] = [
    ("PRINTK", "the console"),
    ("TTY", "the console"),
    ("SERIAL_8250", "the console"),
    ("SERIAL_8250_CONSOLE", "the console"),
    ("BLK_DEV_INITRD", "the initramfs"),
    ("BINFMT_ELF", "programs"),
    ("FUTEX", "kbisect's init"),
    ("POSIX_TIMERS", "kbisect's init"),
    ("PROC_FS", "the control test"),
    ("SYSFS", "the build id of the running kernel"),
];

/// Our init is a program of 64 bits.
const OF_X86: Need = ("64BIT", "kbisect's init");

/// Needed where the machine reaches a network.
const OF_NETWORKS: [Need; 2] = [("INET", "[machine] `network`"), ("VIRTIO_NET", "[machine] `network`")];

/// Needed where a folder of the host is the root.
const OF_FOLDERS: [&str; 6] = ["NET_9P", "NET_9P_VIRTIO", "9P_FS", "OVERLAY_FS", "TMPFS", "DEVTMPFS"];

/// The symbols that a machine on this board needs to have a folder of the host as its root.
pub fn of_folder(board: &str) -> impl Iterator<Item = Need> + use<> {
    let bus: &[&str] = if board == "microvm" { &["VIRTIO_MMIO", "VIRTIO_MMIO_CMDLINE_DEVICES"] } else { &["VIRTIO_PCI"] };
    OF_FOLDERS.iter().chain(bus).map(|symbol| (*symbol, "[machine] `root_dir`"))
}

/// The symbols that a machine needs.
pub fn of_machine(own_init: bool, network: bool, arch: &str) -> Vec<Need> {
    let mut needs = Vec::new();
    if !own_init {
        needs.extend(OF_GUESTS);
        if arch == "x86_64" || arch == "i386" {
            needs.push(OF_X86);
        }
    }
    if network {
        needs.extend(OF_NETWORKS);
    }
    needs
}

/// Symbols without which no userspace on a disk comes so far that one can log in.
const OF_DISKS: [Need; 13] = [
    ("PRINTK", "the console"),
    ("TTY", "the console"),
    ("SERIAL_8250_CONSOLE", "the console"),
    ("BLOCK", "the disk"),
    ("BINFMT_ELF", "programs"),
    ("BINFMT_SCRIPT", "the image's init"),
    ("DEVTMPFS", "the image's init"),
    ("PROC_FS", "the image's init"),
    ("SYSFS", "the build id of the running kernel"),
    ("TMPFS", "sshd"),
    ("UNIX", "sshd"),
    ("INET", "ssh"),
    ("VIRTIO_NET", "ssh"),
];

/// The symbols that a machine with a disk needs; `root` is the device with its root file system.
pub fn of_disk(root: &str, is_ext4: bool) -> Vec<Need> {
    let controller: &[Need] = if root.starts_with("/dev/vd") {
        &[("VIRTIO_PCI", "the disk"), ("VIRTIO_BLK", "the disk")]
    } else {
        &[("ATA_PIIX", "the disk"), ("BLK_DEV_SD", "the disk")]
    };
    let file_system = is_ext4.then_some(("EXT4_FS", "the image"));
    OF_DISKS.into_iter().chain(controller.iter().copied()).chain(file_system).collect()
}

/// What a reproducer needs beside the machine's own.
pub fn of_reproducer(is_script: bool, is_32_bit: bool) -> Vec<Need> {
    let script = is_script.then_some(("BINFMT_SCRIPT", "a script as `repro`"));
    let narrow = is_32_bit.then_some(("IA32_EMULATION", "[repro] `arch` = \"386\""));
    script.into_iter().chain(narrow).collect()
}

/// Detectors: a kernel that loses one of these on the way back through history stays silent where it would have told.
const DETECTORS: [&str; 17] = [
    "KASAN",
    "KCSAN",
    "KMSAN",
    "KFENCE",
    "UBSAN",
    "PROVE_LOCKING",
    "DEBUG_ATOMIC_SLEEP",
    "DEBUG_KMEMLEAK",
    "DEBUG_LIST",
    "DEBUG_OBJECTS",
    "DEBUG_PAGEALLOC",
    "DEBUG_VM",
    "DETECT_HUNG_TASK",
    "REFCOUNT_FULL",
    "SLUB_DEBUG_ON",
    "SOFTLOCKUP_DETECTOR",
    "VMAP_STACK",
];

/// Detectors, and how the types of the crashes begin that they alone tell (syzkaller's names).
const TELLS_ONLY: [(&str, &str); 9] = [
    ("KASAN", "KASAN"),
    ("KCSAN", "KCSAN"),
    ("KMSAN", "KMSAN"),
    ("KFENCE", "KFENCE"),
    ("UBSAN", "UBSAN"),
    ("PROVE_LOCKING", "LOCKDEP"),
    ("DEBUG_ATOMIC_SLEEP", "ATOMIC_SLEEP"),
    ("DEBUG_KMEMLEAK", "LEAK"),
    ("DEBUG_OBJECTS", "ODEBUG"),
];

/// Whether crashes of all these types, of which there must be one, are told by this symbol's detector alone.
pub fn tells_only<'a>(symbol: &str, types: impl Iterator<Item = &'a str>) -> bool {
    let Some((_, head)) = TELLS_ONLY.iter().find(|(detector, _)| *detector == symbol) else { return false };
    let mut types = types.peekable();
    types.peek().is_some() && types.all(|kind| kind.starts_with(head))
}

/// The detectors that alone tell crashes of all these types.
pub fn of_types<'a, T: Iterator<Item = &'a str>>(types: impl Fn() -> T) -> impl Iterator<Item = &'static str> {
    TELLS_ONLY.into_iter().map(|(symbol, _)| symbol).filter(move |symbol| tells_only(symbol, types()))
}

/// The detectors that a configuration has.
pub fn detectors(config: &Config) -> impl Iterator<Item = &'static str> + use<'_> {
    DETECTORS.into_iter().filter(|symbol| config.is_on(symbol))
}

/// The detector of this name, if it is one.
pub fn detector(name: &str) -> Option<&'static str> {
    DETECTORS.into_iter().find(|symbol| *symbol == name)
}

/// How it shows that something is installed.
#[derive(Debug, Clone, Copy)]
enum Sign {
    Program(&'static str),
    Header(&'static str),
}

/// Symbols (none: every kernel) whose build needs something, and the Debian package that has it.
const TOOLS: [(&[&str], Sign, &str); 14] = [
    (&[], Sign::Program("make"), "make"),
    (&[], Sign::Program("ld"), "binutils"),
    (&[], Sign::Program("bc"), "bc"),
    (&[], Sign::Program("flex"), "flex"),
    (&[], Sign::Program("bison"), "bison"),
    (&[], Sign::Program("perl"), "perl"),
    (&["OBJTOOL", "STACK_VALIDATION", "UNWINDER_ORC"], Sign::Header("libelf.h"), "libelf-dev"),
    (&["SYSTEM_TRUSTED_KEYRING", "MODULE_SIG"], Sign::Header("openssl/opensslv.h"), "libssl-dev"),
    (&["DEBUG_INFO_BTF"], Sign::Program("pahole"), "dwarves"),
    (&["KERNEL_XZ"], Sign::Program("xz"), "xz-utils"),
    (&["KERNEL_ZSTD"], Sign::Program("zstd"), "zstd"),
    (&["KERNEL_LZ4"], Sign::Program("lz4"), "lz4"),
    (&["KERNEL_LZO"], Sign::Program("lzop"), "lzop"),
    (&["MODULES"], Sign::Program("depmod"), "kmod"),
];

/// The headers that some kernels' builds need, and the Debian packages that have them: all, or those that are missing here.
pub fn headers(missing: bool) -> impl Iterator<Item = (&'static str, &'static str)> {
    TOOLS.iter().filter_map(move |(_, sign, package)| match sign {
        Sign::Header(name) if !missing || !is_there(*sign) => Some((*name, *package)),
        Sign::Header(_) | Sign::Program(_) => None,
    })
}

/// What is missing here to build a configuration: what it is, and its Debian package. Where no configuration is at hand, what every
/// kernel needs.
pub fn missing_tools(config: Option<&Config>, modules: bool) -> Vec<(&'static str, &'static str)> {
    let wanted =
        |symbols: &[&str]| symbols.is_empty() || config.is_some_and(|config| symbols.iter().any(|symbol| config.is_on(symbol)));
    let missing = TOOLS.iter().filter(|(symbols, sign, _)| {
        let used = wanted(symbols) && (modules || !symbols.contains(&"MODULES"));
        used && !is_there(*sign)
    });
    missing.map(|(_, sign, package)| (name(*sign), *package)).collect()
}

fn name(sign: Sign) -> &'static str {
    match sign {
        Sign::Program(name) | Sign::Header(name) => name,
    }
}

fn is_there(sign: Sign) -> bool {
    match sign {
        Sign::Program("depmod") => is_in_path("depmod") || Path::new("/sbin/depmod").exists(),
        Sign::Program(program) => is_in_path(program),
        // Headers of a library lie there, or in a folder of the architecture's; elsewhere the compiler finds them by itself.
        Sign::Header(header) => {
            let usual = Path::new("/usr/include");
            usual.join(header).exists()
                || usual.join(format!("{}-linux-gnu", std::env::consts::ARCH)).join(header).exists()
                || Path::new("/usr/local/include").join(header).exists()
                || std::env::var_os("C_INCLUDE_PATH").is_some()
        }
    }
}

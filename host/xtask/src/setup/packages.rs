//! Programs from the distribution.

use std::path::Path;

use super::apt;
use super::is_installed;
use super::is_root;
use crate::step::Failure;
use crate::step::step;

/// What shows that something is installed.
enum Sign {
    /// A program in `PATH`.
    Program(&'static str),
    /// A file.
    File(&'static str),
}

/// What is needed, and the Debian package that has it.
const NEEDED: [(Sign, &str); 13] = [
    (Sign::Program("gcc"), "gcc"),
    (Sign::File("/usr/include/stdlib.h"), "libc6-dev"),
    (Sign::Program("make"), "make"),
    (Sign::Program("git"), "git"),
    (Sign::Program("qemu-system-x86_64"), "qemu-system-x86"),
    (Sign::Program("bwrap"), "bubblewrap"),
    (Sign::Program("busybox"), "busybox-static"),
    (Sign::Program("xz"), "xz-utils"),
    (Sign::Program("flex"), "flex"),
    (Sign::Program("bison"), "bison"),
    (Sign::Program("bc"), "bc"),
    (Sign::File("/usr/include/libelf.h"), "libelf-dev"),
    (Sign::File("/etc/ssl/certs/ca-certificates.crt"), "ca-certificates"),
];

/// What only the tests on real kernels need: a compiler of another era, a cache, what larger configurations are built with.
const FOR_LINUX: [(Sign, &str); 4] = [
    (Sign::Program("gcc-11"), "gcc-11"),
    (Sign::Program("ccache"), "ccache"),
    (Sign::Program("depmod"), "kmod"),
    (Sign::File("/usr/include/openssl/opensslv.h"), "libssl-dev"),
];

/// Installs the packages that are missing.
pub(super) fn install() -> Result<(), Failure> {
    install_missing(&NEEDED)
}

/// Installs what the tests on real kernels need beside.
pub(super) fn install_for_linux() -> Result<(), Failure> {
    install_missing(&FOR_LINUX)
}

/// What a disk image is made with, and machines that boot one are reached with.
const FOR_IMAGE: [(Sign, &str); 3] = [
    (Sign::Program("debootstrap"), "debootstrap"),
    (Sign::Program("mke2fs"), "e2fsprogs"),
    (Sign::Program("ssh"), "openssh-client"),
];

/// Installs what a disk image is made with.
pub(super) fn install_for_image() -> Result<(), Failure> {
    install_missing(&FOR_IMAGE)
}

/// Where `linux-source` packages put what they have, and how it is called.
const SOURCES: (&str, &str) = ("/usr/src", "linux-source-");

/// Installs the sources of the distribution's Linux, unless some are there.
pub(super) fn install_sources() -> Result<(), Failure> {
    let (folder, name) = SOURCES;
    let there = std::fs::read_dir(folder).is_ok_and(|mut entries| {
        entries.any(|entry| entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with(name)))
    });
    if there { Ok(()) } else { install_packages(&["linux-source"]) }
}

fn install_missing(needed: &[(Sign, &'static str)]) -> Result<(), Failure> {
    let missing: Vec<&str> = needed.iter().filter(|(sign, _)| !is_there(sign)).map(|(_, package)| *package).collect();
    if missing.is_empty() { Ok(()) } else { install_packages(&missing) }
}

fn install_packages(missing: &[&str]) -> Result<(), Failure> {
    let list = missing.join(" ");
    if !is_root() || !is_installed("apt-get") {
        return Err(Failure::missing(format!("missing; on Debian: sudo apt-get install --no-install-recommends {list}")));
    }
    step(&format!("installing {list}"), || apt::install(missing))
}

fn is_there(sign: &Sign) -> bool {
    match sign {
        Sign::Program(program) => is_installed(program),
        Sign::File(file) => Path::new(file).exists(),
    }
}

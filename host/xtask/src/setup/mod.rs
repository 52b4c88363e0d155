//! `./x setup`: what the project needs on this machine. Does nothing where everything is there.

mod apt;
mod packages;
mod wasm_std;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::cargo::cargo;
use crate::step::Failure;
use crate::step::read;
use crate::step::step;

/// Installs what is missing, fetches crates, and gets the wasm std.
pub(crate) fn all(root: &Path) -> Result<(), Failure> {
    let start = Instant::now();
    packages::install()?;
    crates(root)?;
    wasm_std::get(root)?;
    println!("x: setup: everything is there ({:.1} s)", start.elapsed().as_secs_f64());
    Ok(())
}

/// Installs what the tests on real kernels need beside.
pub(crate) fn for_linux() -> Result<(), Failure> {
    package_lists()?;
    packages::install_for_linux()?;
    packages::install_sources()
}

/// Installs what a disk image is made with.
pub(crate) fn for_image() -> Result<(), Failure> {
    packages::install_for_image()?;
    if is_root() { Ok(()) } else { Err(Failure::missing("a disk image's files must belong to root; run: sudo ./x image")) }
}

/// The distribution's code name, and a mirror that has it.
pub(crate) fn distribution() -> Result<(String, String), Failure> {
    let name = apt::codename().ok_or_else(|| Failure::missing("/etc/os-release names no VERSION_CODENAME"))?;
    let mirror = apt::mirrors()?.into_iter().next();
    Ok((name, mirror.ok_or_else(|| Failure::missing("apt-get knows no mirror"))?))
}

/// What `kbisect demo --linux` takes where no tree is named.
pub(crate) fn for_linux_demo() -> Result<(), Failure> {
    packages::install_sources()
}

/// Makes sure that the distribution's package lists are there: a container's are often removed.
fn package_lists() -> Result<(), Failure> {
    if read(Command::new("apt-cache").args(["show", "--no-all-versions", "linux-image-cloud-amd64"])).is_ok() {
        return Ok(());
    }
    step("fetching package lists", || read(Command::new("apt-get").args(["--quiet", "update"])).map(drop))
}

/// Fetches the crates of all targets: guests are built offline, for targets of their own.
fn crates(root: &Path) -> Result<(), Failure> {
    if read(&mut cargo(root, &["fetch", "--locked", "--offline"])).is_ok() {
        return Ok(());
    }
    step("fetching crates", || read(&mut cargo(root, &["fetch", "--locked"])).map(drop))
}

/// Whether a program is in `PATH`.
fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Where apt-get puts emulators and jails, also when the caller's PATH is short.
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Whether this process may install packages.
fn is_root() -> bool {
    read(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

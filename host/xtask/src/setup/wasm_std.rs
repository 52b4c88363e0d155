//! Rust's std for WebAssembly, which bundled plugins are built with.
//!
//! rustup is asked first. Where it cannot help, the std is built from Debian's package of exactly this compiler's sources, into a
//! private sysroot: files placed in rustup's own sysroot would break a later `rustup target add` (E0464).

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use guest_build::BuildError;
use guest_build::Rustc;
use guest_build::WASM_TARGET;
use guest_build::private_sysroot;

use super::apt;
use super::apt::Suite;
use super::is_installed;
use crate::step::Failure;
use crate::step::read;
use crate::step::step;

/// How long rustup may take: it downloads 20 MB.
const RUSTUP_SECONDS: &str = "60";

/// The package of std's sources.
const SOURCES: &str = "rust-src";

/// Suites that have compilers newer than a Debian release's own, most likely first.
const SUITES: [&str; 6] = ["trixie-backports", "sid", "forky", "trixie", "bookworm-backports", "experimental"];

/// Gets the std if neither the toolchain nor the private sysroot has it.
pub(super) fn get(root: &Path) -> Result<(), Failure> {
    let rustc = Rustc::find(root).map_err(Failure::step)?;
    match rustc.wasm_sysroot() {
        Ok(_) => return Ok(()),
        Err(BuildError::NoWasmStd { .. }) => {}
        Err(error) => return Err(Failure::step(error)),
    }
    if is_installed("rustup") {
        let added = step(&format!("asking rustup for {WASM_TARGET} (at most {RUSTUP_SECONDS} s)"), || rustup(root));
        match added {
            // rustup may look after another toolchain than the one in PATH.
            Ok(()) if rustc.wasm_sysroot().is_ok() => return Ok(()),
            Ok(()) => println!("x: rustup looks after another toolchain than {}", rustc.sysroot.display()),
            Err(failure) => println!("x: {}", failure.message.unwrap_or_default()),
        }
    }
    step(&format!("building std for {WASM_TARGET} from Debian's sources of Rust {}", rustc.release), || from_debian(&rustc))
}

/// Adds the target to rustup's toolchain.
fn rustup(root: &Path) -> Result<(), Failure> {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", RUSTUP_SECONDS, "rustup", "target", "add", WASM_TARGET]);
    read(command.current_dir(root)).map(drop)
}

/// Builds the std into the private sysroot, which appears as a whole or not at all.
fn from_debian(rustc: &Rustc) -> Result<(), Failure> {
    let sysroot = private_sysroot(&rustc.release);
    let parent = sysroot.parent().expect("the sysroot has a parent by construction");
    let work = parent.join(format!("{}.work-{}", rustc.release, std::process::id()));
    fs::create_dir_all(&work).map_err(|error| Failure::step(format!("cannot create {}: {error}", work.display())))?;
    let built = build(rustc, &work).and_then(|built| {
        // Another setup may have been faster; its sysroot is as good.
        match fs::rename(&built, &sysroot) {
            Err(error) if !sysroot.is_dir() => Err(Failure::step(format!("cannot move {}: {error}", built.display()))),
            _ => Ok(()),
        }
    });
    // What is left is only rubbish.
    let _ = fs::remove_dir_all(&work);
    built
}

/// Fetches the sources and builds them; gives the folder with the new sysroot.
fn build(rustc: &Rustc, work: &Path) -> Result<PathBuf, Failure> {
    let library = sources(rustc, work)?;
    let crate_dir = work.join("probe");
    fs::create_dir_all(crate_dir.join("src")).map_err(Failure::step)?;
    // Cargo builds std only as part of something. An own workspace: this folder may lie inside another.
    let manifest = "[package]\nname = \"probe\"\nedition = \"2024\"\n\n[workspace]\n";
    fs::write(crate_dir.join("Cargo.toml"), manifest).map_err(Failure::step)?;
    fs::write(crate_dir.join("src/lib.rs"), "").map_err(Failure::step)?;
    let flags = format!("-Cembed-bitcode=yes -Zforce-unstable-if-unmarked --remap-path-prefix={}=/std", work.display());
    let mut command = Command::new("cargo");
    command
        .args(["build", "--release", "--offline", "--target", WASM_TARGET, "-Zbuild-std=std,panic_abort,proc_macro"])
        // std's own dependencies come with its sources.
        .args(["--config", "source.crates-io.replace-with='vendored'", "--config"])
        .arg(format!("source.vendored.directory='{}'", library.join("vendor").display()))
        .current_dir(&crate_dir)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("__CARGO_TESTS_ONLY_SRC_ROOT", library)
        .env("RUSTFLAGS", flags)
        .env("CARGO_TARGET_DIR", crate_dir.join("target"));
    for name in ["CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_TARGET"] {
        command.env_remove(name);
    }
    read(&mut command)?;
    let sysroot = work.join("sysroot");
    let to = sysroot.join("lib/rustlib").join(WASM_TARGET).join("lib");
    fs::create_dir_all(&to).map_err(Failure::step)?;
    let built = crate_dir.join("target").join(WASM_TARGET).join("release/deps");
    for entry in fs::read_dir(&built).map_err(Failure::step)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".rlib") && !name.starts_with("libprobe-") {
            fs::copy(entry.path(), to.join(name)).map_err(Failure::step)?;
        }
    }
    Ok(sysroot)
}

/// Unpacks std's sources of exactly this compiler; gives their `library` folder.
fn sources(rustc: &Rustc, work: &Path) -> Result<PathBuf, Failure> {
    let wanted = format!("{}+", rustc.release);
    for mirror in apt::mirrors()? {
        for name in SUITES {
            let Ok(suite) = Suite::fetch(&work.join("apt").join(name), &mirror, name) else { continue };
            let versions = suite.versions(SOURCES)?;
            let Some(version) = versions.iter().find(|version| version.starts_with(&wanted)) else { continue };
            println!("x: {SOURCES} {version} from {name}");
            let unpacked = work.join("unpacked");
            suite.unpack(SOURCES, version, &unpacked)?;
            let library = unpacked.join(format!("usr/src/rustc-{}/library", rustc.release));
            return if library.is_dir() {
                Ok(library)
            } else {
                Err(Failure::step(format!("{SOURCES} {version} has no library folder")))
            };
        }
    }
    Err(Failure::missing(format!(
        "no Debian suite at hand has the sources of Rust {}; `rustup target add {WASM_TARGET}` where there is a network helps too",
        rustc.release
    )))
}

//! Builds what runs inside: plugins as WebAssembly components, and the guest's static init.
//!
//! Used by kbisect's build script and by tests that need plugins of their own. Owns where the wasm std is looked for and how
//! cargo is called for guests; never touches the network or a sysroot.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// The target that plugins are built for.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";
/// The target that the guest's init is built for.
pub const INIT_TARGET: &str = "x86_64-unknown-linux-gnu";

/// Why a guest could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Neither the toolchain nor the private sysroot has the std library of the target.
    #[error(
        "the Rust std library for {WASM_TARGET} is missing: it is neither in the toolchain ({}) nor in {}; run `./x setup`",
        toolchain.display(),
        private.display()
    )]
    NoWasmStd {
        /// The toolchain's folder for the target.
        toolchain: PathBuf,
        /// The private sysroot.
        private: PathBuf,
    },
    /// A program could not be started.
    #[error("could not run {program}: {source}")]
    Start {
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// cargo failed.
    #[error("building {what} failed (if crates are missing, `./x setup` fetches them):\n{output}")]
    Cargo {
        /// The packages.
        what: String,
        /// What cargo said.
        output: String,
    },
    /// `rustc -vV` printed no release.
    #[error("`rustc -vV` names no release")]
    NoRelease,
}

/// kbisect's cache directory: `$KBISECT_CACHE_DIR`, else `$XDG_CACHE_HOME/kbisect`, else `~/.cache/kbisect`.
pub fn cache_dir() -> PathBuf {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("KBISECT_CACHE_DIR").or_else(|| Some(set("XDG_CACHE_HOME")?.join("kbisect"))).unwrap_or_else(|| {
        let home = set("HOME").unwrap_or_else(|| PathBuf::from("/"));
        home.join(".cache/kbisect")
    })
}

/// The private sysroot for guests of a rustc release such as `1.95.0`: a folder that holds the wasm std and nothing else.
/// `./x setup` fills it; rustup's own sysroot is left alone, as files placed there break a later `rustup target add`.
pub fn private_sysroot(release: &str) -> PathBuf {
    cache_dir().join("wasm-sysroot").join(release)
}

/// The rustc that cargo uses in `workspace`, and what it says about itself.
#[derive(Debug)]
pub struct Rustc {
    /// Its release, such as `1.95.0`.
    pub release: String,
    /// Its own sysroot.
    pub sysroot: PathBuf,
}

impl Rustc {
    /// Asks `$RUSTC`, or `rustc`.
    pub fn find(workspace: &Path) -> Result<Self, BuildError> {
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let ask = |args: &[&str]| {
            let output = Command::new(&rustc).args(args).current_dir(workspace).output();
            let output = output.map_err(|source| BuildError::Start { program: rustc.to_string_lossy().into_owned(), source })?;
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        };
        let about = ask(&["-vV"])?;
        let release = about.lines().find_map(|line| line.strip_prefix("release: ")).ok_or(BuildError::NoRelease)?;
        Ok(Self { release: release.trim().to_owned(), sysroot: PathBuf::from(ask(&["--print", "sysroot"])?.trim()) })
    }

    /// Where the wasm std is: none for the toolchain's own sysroot, else the private one.
    pub fn wasm_sysroot(&self) -> Result<Option<PathBuf>, BuildError> {
        let private = private_sysroot(&self.release);
        if has_std(&self.sysroot) {
            Ok(None)
        } else if has_std(&private) {
            Ok(Some(private))
        } else {
            Err(BuildError::NoWasmStd { toolchain: target_dir(&self.sysroot), private })
        }
    }
}

fn target_dir(sysroot: &Path) -> PathBuf {
    sysroot.join("lib/rustlib").join(WASM_TARGET)
}

fn has_std(sysroot: &Path) -> bool {
    let Ok(entries) = target_dir(sysroot).join("lib").read_dir() else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
}

/// Builds packages of `workspace` as components; the files are in the order of `packages`.
pub fn plugins(workspace: &Path, target_dir: &Path, packages: &[&str]) -> Result<Vec<PathBuf>, BuildError> {
    let mut flags = Vec::new();
    if let Some(sysroot) = Rustc::find(workspace)?.wasm_sysroot()? {
        flags.extend(["--sysroot".to_owned(), sysroot.to_string_lossy().into_owned()]);
    }
    cargo(workspace, target_dir, WASM_TARGET, &flags, packages, "--lib")?;
    let folder = target_dir.join(WASM_TARGET).join("plugin");
    Ok(packages.iter().map(|package| folder.join(format!("{}.wasm", package.replace('-', "_")))).collect())
}

/// Builds a package of `workspace` as a program that needs no libraries.
pub fn static_program(workspace: &Path, target_dir: &Path, package: &str) -> Result<PathBuf, BuildError> {
    let flags = ["-C".to_owned(), "target-feature=+crt-static".to_owned()];
    cargo(workspace, target_dir, INIT_TARGET, &flags, &[package], "--bins")?;
    Ok(target_dir.join(INIT_TARGET).join("plugin").join(package))
}

fn cargo(
    workspace: &Path,
    target_dir: &Path,
    target: &str,
    flags: &[String],
    packages: &[&str],
    kind: &str,
) -> Result<(), BuildError> {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&program);
    command.args(["build", "--offline", "--locked", "--profile", "plugin", kind, "--target", target, "--target-dir"]);
    command.arg(target_dir).current_dir(workspace);
    for package in packages {
        command.args(["--package", package]);
    }
    // Flags of the outer build, such as coverage or a clippy driver, are not meant for guests.
    for name in env::vars_os().map(|(name, _)| name).filter(is_of_outer_build) {
        command.env_remove(name);
    }
    // Paths of this machine in panic messages would make the digest of a component depend on where it was built.
    let mut flags = flags.to_vec();
    flags.push(format!("--remap-path-prefix={}=.", workspace.display()));
    if let Some(home) = cargo_home() {
        flags.push(format!("--remap-path-prefix={}=cargo", home.display()));
    }
    command.arg("--config").arg(format!("target.{target}.rustflags={flags:?}"));
    let output = command.output();
    let output = output.map_err(|source| BuildError::Start { program: program.to_string_lossy().into_owned(), source })?;
    if output.status.success() {
        return Ok(());
    }
    Err(BuildError::Cargo { what: packages.join(", "), output: String::from_utf8_lossy(&output.stderr).into_owned() })
}

fn is_of_outer_build(name: &OsString) -> bool {
    const NAMES: [&str; 9] = [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_BUILD_RUSTFLAGS",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "CARGO_BUILD_RUSTC_WRAPPER",
        "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
        "CARGO_BUILD_TARGET",
        "CARGO_INCREMENTAL",
    ];
    let name = name.to_string_lossy();
    NAMES.contains(&name.as_ref()) || name.starts_with("CARGO_PROFILE_") || name.starts_with("CARGO_TARGET_")
}

fn cargo_home() -> Option<PathBuf> {
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_wasm_std_names_both_places_and_the_remedy() {
        let rustc = Rustc { release: "0.0.0-none".to_owned(), sysroot: PathBuf::from("/nonexistent/sysroot") };
        let error = rustc.wasm_sysroot().expect_err("there is no such release").to_string();
        let private = private_sysroot("0.0.0-none");
        let expected = format!(
            "the Rust std library for wasm32-unknown-unknown is missing: it is neither in the toolchain \
             (/nonexistent/sysroot/lib/rustlib/wasm32-unknown-unknown) nor in {}; run `./x setup`",
            private.display()
        );
        assert_eq!(error, expected);
    }

    #[test]
    fn variables_of_the_outer_build_are_left_out() {
        for name in ["RUSTFLAGS", "RUSTC_WORKSPACE_WRAPPER", "CARGO_TARGET_DIR", "CARGO_PROFILE_DEV_DEBUG"] {
            assert!(is_of_outer_build(&name.into()), "{name}");
        }
        for name in ["PATH", "RUSTC", "CARGO_HOME", "CARGO_MAKEFLAGS", "RUSTUP_HOME"] {
            assert!(!is_of_outer_build(&name.into()), "{name}");
        }
    }
}

//! Builds the bundled plugins and the guest's init, and writes the table through which `src/embedded.rs` includes them.

use std::env;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// The plugins in `plugins/` that kbisect carries.
const BUNDLED: [&str; 5] = ["linux-crash", "maintainers", "sequential", "stack-prior", "syzkaller-rule"];

fn main() {
    if let Err(error) = build() {
        println!("cargo::error={}", error.to_string().replace('\n', "\ncargo::error="));
    }
}

fn build() -> Result<(), Box<dyn Error>> {
    // Where the checkout is now: this program may have been compiled before it was moved.
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo sets CARGO_MANIFEST_DIR")?);
    let workspace = package.join("../..").canonicalize()?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    rerun_when_changed(&workspace);

    // OUT_DIR is `target/debug/build/kbisect-…/out`, one for clippy and one for what is run; guests are the same for both.
    let guests = out.ancestors().nth(3).unwrap_or(&out).join("guests");
    println!("cargo::rustc-env=KBISECT_GUESTS={}", guests.display());
    let components = guest_build::plugins(&workspace, &guests, &BUNDLED)?;
    let init = guest_build::static_program(&workspace, &guests, "kbisect-guest")?;

    let mut table = String::from("/// The bundled plugins.\npub static PLUGINS: &[Bundled] = &[\n");
    for (id, component) in BUNDLED.iter().zip(&components) {
        writeln!(table, "    Bundled {{ id: {id:?}, component: include_bytes!({component:?}) }},")?;
    }
    writeln!(
        table,
        "];\n\n/// The guest's init, a static x86-64 program.\npub static GUEST_INIT: &[u8] = include_bytes!({init:?});"
    )?;
    fs::write(out.join("embedded.rs"), table)?;
    Ok(())
}

/// Names what guests are made of, so that a change elsewhere does not build them again.
fn rerun_when_changed(workspace: &Path) {
    let plugins = BUNDLED.iter().map(|id| format!("plugins/{id}"));
    let shared = ["plugins/sdk", "wit", "host/guest", "Cargo.toml", "Cargo.lock", ".cargo/config.toml"];
    for path in plugins.chain(shared.map(str::to_owned)) {
        println!("cargo::rerun-if-changed={}", workspace.join(path).display());
    }
    for name in ["KBISECT_CACHE_DIR", "XDG_CACHE_HOME"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
}

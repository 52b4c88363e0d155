//! Chores that are mostly cargo: demo, test, ci, bench. All use one profile and one target folder.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use crate::step::Failure;
use crate::step::read;
use crate::step::show;
use crate::step::step;

/// `cargo ARGS` in the project's folder.
pub(crate) fn cargo(root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root);
    // Set for xtask itself by `cargo run`; cargo would take them for the user's wishes, and build scripts would run again.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}

/// Builds kbisect and runs its demo.
pub(crate) fn demo(root: &Path, args: &[String]) -> Result<(), Failure> {
    let kbisect = build(root)?;
    show(Command::new(kbisect).arg("demo").args(args))
}

/// Builds kbisect; gives the program.
///
/// What is selected here has the features of `cargo test --workspace`: `cargo run` would unify them over fewer crates, and so
/// compile wasmtime twice.
pub(crate) fn build(root: &Path) -> Result<PathBuf, Failure> {
    let args = ["build", "--locked", "--workspace", "--bins", "--examples"];
    step("building kbisect (some minutes the first time)", || show(&mut cargo(root, &args)))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |target| root.join(target));
    Ok(target.join("debug/kbisect"))
}

/// All tests but the ignored ones. Prints nothing after them.
pub(crate) fn test(root: &Path, args: &[String]) -> Result<(), Failure> {
    let build = ["test", "--locked", "--workspace", "--no-run", "--quiet"];
    step("building the tests (some minutes the first time)", || show(&mut cargo(root, &build)))?;
    show(cargo(root, &["test", "--locked", "--workspace"]).args(args))
}

/// The tests that are called `linux_…` and ignored otherwise.
pub(crate) fn test_linux(root: &Path, args: &[String]) -> Result<(), Failure> {
    let mut command = cargo(root, &["test", "--locked", "--workspace", "--lib", "--tests", "--no-fail-fast", "--"]);
    command.args(["linux_", "--ignored", "--nocapture", "--test-threads=1"]).args(args).env("KBISECT_TEST_LINUX", "1");
    step("testing on the distribution's Linux", || show(&mut command))
}

/// Formatting, lints and tests; a failure of one does not hide those of the others.
pub(crate) fn ci(root: &Path) -> Result<(), Failure> {
    for component in ["fmt", "clippy"] {
        if read(&mut cargo(root, &[component, "--version"])).is_err() {
            step(&format!("adding {component} to the toolchain"), || add_component(component))?;
        }
    }
    let clippy = ["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
    let checks = [
        step("checking the formatting", || show(&mut cargo(root, &["fmt", "--all", "--check"]))),
        step("linting", || show(&mut cargo(root, &clippy))),
        test(root, &[]),
    ];
    checks.into_iter().collect()
}

fn add_component(component: &str) -> Result<(), Failure> {
    let component = if component == "fmt" { "rustfmt" } else { component };
    read(Command::new("timeout").args(["120", "rustup", "component", "add", component])).map(drop)
}

/// The benchmarks, in the profile that people use: nothing is compiled for them alone. Without a name the one with criterion.
pub(crate) fn bench(root: &Path, args: &[String]) -> Result<(), Failure> {
    let (name, rest) = match args.split_first() {
        Some((name, rest)) if ["classify", "linux", "real", "relate", "search", "select"].contains(&name.as_str()) => {
            (name.as_str(), rest)
        }
        _ => ("plugin_call", args),
    };
    let bench = ["bench", "--locked", "--workspace", "--profile", "dev", "--bench", name, "--"];
    show(cargo(root, &bench).args(rest))
}

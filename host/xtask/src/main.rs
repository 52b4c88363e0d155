//! The project's own chores: `./x setup | demo | test | test-linux | image | ci | seeds | bench`.
//!
//! Each says what it does and how long it took. Owns no knowledge of bisections; only `setup` touches the machine.

mod cargo;
mod image;
mod seeds;
mod setup;
mod step;

use std::env;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::step::Failure;

const HELP: &str = "\
The project's chores. Each sets up first what it needs, which takes no time once it is there.

Usage: ./x CHORE [ARGS]

  setup            Install what is missing (apt-get, as root) and get Rust's std for WebAssembly
  demo [ARGS]      Bisect a crash of a small kernel in QEMU; ARGS are those of `kbisect demo`.
                   With --linux a crash of real Linux, whose sources are installed first (linux-source, 130 MB)
  test [ARGS]      Run all tests but the slow ones; ARGS are those of `cargo test`
  test-linux       Run the slow tests, on the distribution's Linux kernel
  image [--fresh]  Make a disk image from Debian's packages, for machines that have one (as root, once)
  ci               What every change must pass: formatting, lints, tests
  seeds [A-B …]    Run the demo with many seeds (default 1-20) and show how often it is right;
                   what follows `--` goes to `kbisect demo`
  bench [ARGS]     What a call of a plugin costs; ARGS are criterion's
  bench classify [DIR]  How fast consoles are read, in the sandbox and without, hostile ones too
  bench real [DIR] [--json]  What kbisect makes of real bisections whose culprit is known
  bench relate [DIR]  How often another bug's crash is told apart, on real bisections
  bench select     How long it takes to choose the next commit
  bench linux [ARGS]  What finding a culprit in real Linux takes, beside `git bisect run`; hours
  bench search [--quick]  How often each strategy names the right commit in simulations, and what it costs
";

fn main() -> ExitCode {
    let mut args = env::args().skip(1);
    let chore = args.next();
    let rest: Vec<String> = args.collect();
    match run(chore.as_deref(), &rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(message) = failure.message {
                eprintln!("x: {message}");
            }
            ExitCode::from(failure.code)
        }
    }
}

fn run(chore: Option<&str>, rest: &[String]) -> Result<(), Failure> {
    let root = root();
    match chore {
        Some("setup") => setup::all(&root),
        Some("demo") => {
            setup::all(&root)?;
            if rest.iter().any(|arg| arg == "--linux") && !rest.iter().any(|arg| arg.starts_with("--tree")) {
                setup::for_linux_demo()?;
            }
            cargo::demo(&root, rest)
        }
        Some("test") => {
            setup::all(&root)?;
            cargo::test(&root, rest)
        }
        Some("test-linux") => {
            setup::all(&root)?;
            setup::for_linux()?;
            image::make(&[])?;
            cargo::test_linux(&root, rest)
        }
        Some("image") => image::make(rest),
        Some("ci") => {
            setup::all(&root)?;
            cargo::ci(&root)
        }
        Some("seeds") => {
            setup::all(&root)?;
            seeds::run(&root, rest)
        }
        Some("bench") => {
            setup::all(&root)?;
            if rest.first().is_some_and(|name| name == "linux") {
                setup::for_linux_demo()?;
            }
            cargo::bench(&root, rest)
        }
        None | Some("help" | "--help" | "-h") => {
            print!("{HELP}");
            Ok(())
        }
        Some(other) => Err(Failure::usage(format!("there is no chore `{other}`; see `./x help`"))),
    }
}

/// The project's folder.
fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.ancestors().nth(2).expect("xtask lies two folders down").to_owned()
}

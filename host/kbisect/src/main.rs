//! The `kbisect` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    kbisect::cli::main(std::env::args_os())
}

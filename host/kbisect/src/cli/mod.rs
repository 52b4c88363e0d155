//! The command line: one file per command, each with its `Args` and `run`.
//!
//! Owns arguments, help texts, and how errors reach the user: `error: …` and `hint: …` lines on stderr, and an exit code. Decides
//! nothing about bisections.

use std::ffi::OsString;
use std::io;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use clap::Subcommand;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::exit::Exit;

/// Find the commit that introduced (or fixed) a crash, also where the crash shows only now and then.
#[derive(Debug, Parser)]
#[command(name = "kbisect", version, after_help = exit_codes(), max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {}

impl Command {
    fn run(self) -> Result<Exit, Error> {
        match self {}
    }
}

/// Runs the command line, program name first, and says how the process ends.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let exit = cli.command.run().unwrap_or_else(|error| {
        report(&error);
        error.exit()
    });
    exit.into()
}

/// Prints clap's message, which is help when that was asked for.
fn refuse(error: &clap::Error) -> ExitCode {
    // Nothing is left to say where stderr is gone.
    let _ = error.print();
    if error.use_stderr() { Exit::User.into() } else { Exit::Success.into() }
}

/// Prints an error and what can be done about it.
fn report(error: &Error) {
    let mut text: String = error.message.lines().map(|line| format!("error: {line}\n")).collect();
    text.extend(error.hints.iter().map(|hint| format!("hint: {hint}\n")));
    // Nothing is left to say where stderr is gone.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Writes to standard output. A reader that has gone away, as `head` does, is no error.
///
/// # Errors
///
/// When the text cannot be written for another reason, such as a full disk.
pub fn print(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::new(ErrorKind::Infrastructure, format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// The table of exit codes for `--help`.
fn exit_codes() -> String {
    let rows = Exit::ALL.map(|(exit, meaning)| format!("  {:>3}  {meaning}\n", exit as u8));
    format!("Exit status:\n{}", rows.concat())
}

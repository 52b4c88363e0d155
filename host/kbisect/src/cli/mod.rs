//! The command line: one file per command, each with its `Args` and `run`.
//!
//! Owns arguments, help texts, and how errors reach the user: `error: …` and `hint: …` lines on stderr, and an exit code. Decides
//! nothing about bisections.

use std::ffi::OsString;
use std::io;
use std::io::IsTerminal as _;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use clap::Subcommand;

use crate::config::job::Hook;
use crate::config::job::Plugin;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::exit::Exit;
use crate::harmless::harmless;
use crate::policy::Notice;

pub mod check;
pub mod classifiers;
pub mod classify;
pub mod demo;
pub mod doctor;
pub mod explain;
pub mod import;
pub mod log;
pub mod next;
pub mod relate;
pub mod replay;
pub mod report;
pub mod repro;
pub mod resume;
pub mod run;
pub mod simulate;
pub mod start;
pub mod status;
pub mod trial;
pub mod undo;

const ABOUT: &str = "Find the commit that introduced (or fixed) a crash, also where the crash shows only now and then";

const LONG_ABOUT: &str = "\
Find the commit that introduced (or fixed) a crash, also where the crash shows only now and then

Begin with `kbisect doctor`, which says what this machine lacks, `kbisect demo`, which takes a
minute, or, where you would have typed `git bisect run ./test.sh`:

    kbisect run --bad HEAD --good v6.10 -- ./test.sh

From a report by mail, a console or a reproducer, `kbisect start` makes a job.

`kbisect help COMMAND` says more.";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "kbisect", version, about = ABOUT, long_about = LONG_ABOUT, after_help = exit_codes(), max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Start(start::Args),
    Run(Box<run::Args>),
    Check(check::Args),
    Resume(resume::Args),
    Status(status::Args),
    Report(report::Args),
    Log(log::Args),
    Explain(explain::Args),
    Import(Box<import::Args>),
    Undo(undo::Args),
    Trial(trial::Args),
    Repro(repro::Args),
    Doctor(doctor::Args),
    Classify(classify::Args),
    Relate(relate::Args),
    Replay(replay::Args),
    Demo(demo::Args),
    Next(next::Args),
    Simulate(Box<simulate::Args>),
}

impl Command {
    fn run(self) -> ExitCode {
        match self {
            Self::Start(args) => ended(start::run(&args), |error| error.exit().into()),
            Self::Run(args) => ended(run::run(&args), |error| error.exit().into()),
            Self::Check(args) => ended(check::run(&args), |error| error.exit().into()),
            Self::Resume(args) => ended(resume::run(args), |error| error.exit().into()),
            Self::Status(args) => ended(status::run(&args), |error| error.exit().into()),
            Self::Report(args) => ended(report::run(&args), |error| error.exit().into()),
            Self::Log(args) => ended(log::run(&args), |error| error.exit().into()),
            Self::Explain(args) => ended(explain::run(&args), |error| error.exit().into()),
            Self::Import(args) => ended(import::run(&args), |error| error.exit().into()),
            Self::Undo(args) => ended(undo::run(&args), |error| error.exit().into()),
            Self::Trial(args) => ended(trial::run(&args), |error| error.exit().into()),
            Self::Repro(args) => ended(repro::run(&args), |error| error.exit().into()),
            Self::Doctor(args) => ended(doctor::run(&args), |error| error.exit().into()),
            Self::Classify(args) => ended(classify::run(&args), |error| error.exit().into()),
            Self::Relate(args) => ended(relate::run(&args), |error| error.exit().into()),
            Self::Replay(args) => ended(replay::run(&args), |error| error.exit().into()),
            Self::Demo(args) => ended(demo::run(&args), |error| error.exit().into()),
            Self::Simulate(args) => ended(simulate::run(&args), |error| error.exit().into()),
            Self::Next(args) => ended(next::run(&args), |_| next::FATAL.into()),
        }
    }
}

/// Runs the command line, program name first, and says how the process ends.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    match Cli::try_parse_from(&args) {
        Ok(cli) => cli.command.run(),
        Err(error) => refuse(&error, &args),
    }
}

/// The exit code of a command that came to an end of its own, or the one for its error, which is printed.
fn ended<T: Into<ExitCode>>(result: Result<T, Error>, failed: impl FnOnce(&Error) -> ExitCode) -> ExitCode {
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            report(&error);
            failed(&error)
        }
    }
}

/// Prints clap's message, which is help when that was asked for.
fn refuse(error: &clap::Error, args: &[OsString]) -> ExitCode {
    // Nothing is left to say where stderr is gone.
    let _ = error.print();
    if !error.use_stderr() {
        return Exit::Success.into();
    }
    // A script that reads git's codes must not take a misspelt option for one of them.
    if args.get(1).is_some_and(|command| command == "next") { next::USAGE.into() } else { Exit::User.into() }
}

/// Prints an error and what can be done about it.
fn report(error: &Error) {
    let mut text: String = error.message.lines().map(|line| format!("error: {line}\n")).collect();
    text.extend(error.hints.iter().map(|hint| format!("hint: {hint}\n")));
    // Nothing is left to say where stderr is gone.
    let _ = io::stderr().lock().write_all(harmless(&text).as_bytes());
}

/// Writes to standard output, to a terminal without what would steer it. A reader that has gone away, as `head` does, is no error.
///
/// # Errors
///
/// When the text cannot be written for another reason, such as a full disk.
pub fn print(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    let text = if stdout.is_terminal() { harmless(text) } else { text.into() };
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::new(ErrorKind::Infrastructure, format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Says on standard error what people should know.
fn say(text: &str) {
    // Nothing is left to say where it is gone.
    let _ = writeln!(io::stderr(), "{}", harmless(text));
}

/// Says on standard error what went wrong with plugins; what they log is left out.
fn warn(notice: Notice) {
    match notice {
        Notice::Log { .. } => {}
        Notice::Failed { plugin, hook, error, .. } => say(&format!("warning: plugin {plugin} failed in {hook}: {error}")),
        Notice::Warned { message } => say(&format!("warning: {message}")),
    }
}

/// Waits for work that talks to other processes.
fn wait<T>(work: impl Future<Output = T>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Ok(runtime.map_err(|error| Error::infrastructure(format!("cannot start: {error}")))?.block_on(work))
}

/// The flake policy that an argument names: a bundled plugin, or a component's file.
fn flake_policy(argument: &Path) -> Plugin {
    let bundled = argument.extension().is_none() && argument.components().count() == 1;
    let (id, path) = match argument.file_stem() {
        Some(stem) if !bundled => (stem, Some(argument.to_owned())),
        _ => (argument.as_os_str(), None),
    };
    // Above whatever else would judge.
    Plugin { path, hooks: vec![Hook::FlakePolicy], priority: i64::MAX, ..Plugin::bundled(&id.to_string_lossy()) }
}

/// The table of exit codes for `--help`.
fn exit_codes() -> String {
    let rows = Exit::ALL.map(|(exit, meaning)| format!("  {:>3}  {meaning}\n", exit as u8));
    format!("Exit status:\n{}\n`kbisect next` has git's exit status instead; see `kbisect next --help`.", rows.concat())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_names_every_exit_code() {
        let help = Cli::command().render_help().to_string();
        for (exit, meaning) in Exit::ALL {
            assert!(help.contains(&format!("{:>3}  {meaning}", exit as u8)), "{exit:?} is missing from\n{help}");
        }
    }
}

//! Steps of a chore: what is done, how long it took, and what it means when it fails.

use std::fmt::Display;
use std::process::Command;
use std::process::ExitStatus;
use std::process::Stdio;
use std::time::Instant;

/// Why a chore ends early.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What to print; none when a program has said it already.
    pub(crate) message: Option<String>,
    /// The exit status.
    pub(crate) code: u8,
}

impl Failure {
    /// Something that the user must change.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), code: 2 }
    }

    /// Something that this machine lacks.
    pub(crate) fn missing(message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), code: 8 }
    }

    /// A step that failed.
    pub(crate) fn step(message: impl Display) -> Self {
        Self { message: Some(message.to_string()), code: 1 }
    }

    /// A program that failed and has said why; its exit status is passed on.
    pub(crate) fn of(status: ExitStatus) -> Self {
        Self { message: None, code: status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1) }
    }
}

/// Does one step, says what it is and how long it took.
pub(crate) fn step<T>(what: &str, act: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    println!("x: {what} …");
    let start = Instant::now();
    let result = act();
    let end = if result.is_ok() { "done" } else { "failed" };
    println!("x: {what}: {end} in {:.1} s", start.elapsed().as_secs_f64());
    result
}

/// Runs a program whose output is the user's.
pub(crate) fn show(command: &mut Command) -> Result<(), Failure> {
    let status = command.stdin(Stdio::null()).status().map_err(|error| cannot_start(command, &error))?;
    if status.success() { Ok(()) } else { Err(Failure::of(status)) }
}

/// Runs a program and gives what it printed. When it fails, its last words are the message.
pub(crate) fn read(command: &mut Command) -> Result<String, Failure> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| cannot_start(command, &error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().collect();
    let last = lines[lines.len().saturating_sub(12)..].join("\n   ");
    Err(Failure::step(format!("{} failed ({})\n   {last}", program(command), output.status)))
}

fn cannot_start(command: &Command, error: &std::io::Error) -> Failure {
    Failure::missing(format!("cannot run {}: {error}", program(command)))
}

fn program(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

//! Child processes: one way to spawn them, with limits and with the least rights that work.
//!
//! Every child runs under `bwrap --die-with-parent --unshare-pid`, in a process group of its own, and is spawned from one OS thread
//! that lives as long as the process: a parent-death signal belongs to the *thread* that forked, and tokio's blocking threads end
//! after ten idle seconds. A small shell closes the gaps that these leave ([`warden`]). So two seconds after kbisect is killed
//! nothing of it lives. Where bwrap does not work (see
//! [`jail::warning`]) children are only in process groups, and a ledger of them lets a later process end what was left
//! ([`ledger`]).
//!
//! Owns spawning, reading output and killing; knows nothing of builds, machines or trials.

pub mod jail;
pub mod ledger;
pub mod load;
pub mod shell;
mod spawner;
#[cfg(test)]
mod tests;
mod warden;

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Pid;
use rustix::process::Signal;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::pipe;
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio::time::timeout_at;

use self::jail::Jail;

/// How long output is still read after a child ended: something that escaped it may hold the pipe.
const AFTER_EXIT: Duration = Duration::from_secs(1);

/// Bytes read at once.
const CHUNK: usize = 64 << 10;

/// What to run and with which rights.
#[derive(Debug, Clone)]
pub struct Task {
    /// Program and arguments; the program is looked up in `PATH`.
    pub argv: Vec<OsString>,
    /// Working directory.
    pub cwd: PathBuf,
    /// Variables set on top of the caller's environment.
    pub env: Vec<(OsString, OsString)>,
    /// No variables but these: the caller's environment is left out.
    pub own_env: bool,
    /// What it may touch.
    pub jail: Jail,
}

impl Task {
    /// A task with the caller's environment.
    pub fn new<I: IntoIterator<Item = S>, S: Into<OsString>>(argv: I, cwd: impl Into<PathBuf>, jail: Jail) -> Self {
        Self { argv: argv.into_iter().map(Into::into).collect(), cwd: cwd.into(), env: Vec::new(), own_env: false, jail }
    }

    /// The program's name, for messages.
    pub fn program(&self) -> String {
        self.argv.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((key.into(), value.into()));
        self
    }

    /// Sets all variables there are; `PATH` must be among them.
    #[must_use]
    pub fn only_env(mut self, env: Vec<(OsString, OsString)>) -> Self {
        (self.env, self.own_env) = (env, true);
        self
    }
}

/// How a child ended.
///
/// Under bwrap a death by signal S shows as code 128 + S, as in a shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// With this status.
    Code(i32),
    /// Killed by this signal.
    Signal(i32),
}

impl Exit {
    fn of(status: std::process::ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Code(code),
            (None, signal) => Self::Signal(signal.unwrap_or_default()),
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit status {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
}

/// A child that could not be started: the host is to blame.
#[derive(Debug, thiserror::Error)]
#[error("cannot start `{program}`: {source}")]
pub struct SpawnError {
    /// The program.
    pub program: String,
    /// Why.
    pub source: io::Error,
}

/// Where the two output streams go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streams {
    /// Both into [`Child::stdout`], in the order written.
    Merged,
    /// Each into its own.
    Apart,
}

/// A running child. Dropping it kills it and all that it started.
#[derive(Debug)]
pub struct Child {
    inner: tokio::process::Child,
    group: Option<Pid>,
    /// What it writes to standard output; taken by the reader.
    pub stdout: Option<pipe::Receiver>,
    /// What it writes to standard error, unless merged.
    pub stderr: Option<pipe::Receiver>,
}

impl Child {
    /// Waits until it ends.
    ///
    /// # Errors
    ///
    /// Those of `waitpid`.
    pub async fn wait(&mut self) -> io::Result<Exit> {
        let status = self.inner.wait().await?;
        // Without bwrap, what it left behind is still in its group.
        self.end_group();
        Ok(Exit::of(status))
    }

    /// Kills the whole tree and waits for its end.
    pub async fn kill(&mut self) {
        self.end_group();
        // An error here means that it is gone already.
        let _ = self.inner.kill().await;
    }

    fn end_group(&mut self) {
        if let Some(group) = self.group.take() {
            // Fails only where the group is gone.
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
            warden::forget(group);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end_group();
    }
}

/// Starts a child with nothing on its standard input.
///
/// # Errors
///
/// The program (or bwrap) cannot be executed, or pipes and processes have run out. A program that is missing *inside* the jail
/// is no error here: the child ends with 127, or 126 where it is not executable, and says so on standard error.
pub async fn spawn(task: &Task, streams: Streams) -> Result<Child, SpawnError> {
    let attempt = async {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", warden::GATE, "sh"]);
        if let Some(bwrap) = jail::bwrap() {
            command.arg(bwrap).args(task.jail.arguments(&task.cwd));
            // A shell gives 126 and 127 the meaning that everybody knows; bwrap would end with 1.
            command.args(["/bin/sh", "-c", "exec \"$@\"", "sh"]);
        }
        command.args(&task.argv);
        if task.own_env {
            command.env_clear();
        }
        command.current_dir(&task.cwd).envs(task.env.iter().map(|(key, value)| (key, value)));
        command.stdin(Stdio::piped()).process_group(0).kill_on_drop(true);
        let (stdout, writer) = io::pipe()?;
        let stdout = pipe::Receiver::from_owned_fd(OwnedFd::from(stdout))?;
        let stderr = match streams {
            Streams::Merged => {
                command.stderr(writer.try_clone()?);
                None
            }
            Streams::Apart => {
                let (stderr, writer) = io::pipe()?;
                command.stderr(writer);
                Some(pipe::Receiver::from_owned_fd(OwnedFd::from(stderr))?)
            }
        };
        command.stdout(writer);
        let mut inner = spawner::spawn(command).await?;
        let group = inner.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        if let Some(group) = group {
            warden::watch(group);
        }
        if let Some(mut gate) = inner.stdin.take() {
            // A child that is gone already shows when it is waited for.
            let _ = gate.write_all(b"go\n").await;
        }
        if let (None, Some(group)) = (jail::bwrap(), group) {
            ledger::note(group);
        }
        Ok(Child { inner, group, stdout: Some(stdout), stderr })
    };
    attempt.await.map_err(|source| SpawnError { program: task.program(), source })
}

/// Runs a child to its end with this terminal for its own, whose keys are the child's.
///
/// # Errors
///
/// As [`spawn`], and those of `waitpid`.
pub fn attended(task: &Task) -> Result<Exit, SpawnError> {
    let mut words: Vec<OsString> = match jail::bwrap() {
        Some(bwrap) => [OsString::from(bwrap)].into_iter().chain(task.jail.arguments(&task.cwd)).collect(),
        None => Vec::new(),
    };
    words.extend(task.argv.iter().cloned());
    let mut command = std::process::Command::new(&words[0]);
    command.args(&words[1..]).current_dir(&task.cwd);
    let status = command.status().map_err(|source| SpawnError { program: task.program(), source })?;
    Ok(Exit::of(status))
}

/// How a bounded run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finish {
    /// By itself.
    Exit(Exit),
    /// It was killed at the time limit.
    TimeLimit,
}

/// Runs a child to its end or to the time limit, and sends its merged output in pieces to `sink`.
///
/// The child waits while the receiver does: memory stays bounded however much it writes. What comes after the receiver is gone
/// is dropped. Dropping the future kills the child.
///
/// # Errors
///
/// As [`spawn`], and those of `waitpid`.
pub async fn stream(task: &Task, limit: Duration, sink: &mpsc::Sender<Vec<u8>>) -> Result<Finish, SpawnError> {
    let mut child = spawn(task, Streams::Merged).await?;
    let mut output = child.stdout.take().expect("the output of a fresh child was not taken");
    let deadline = Instant::now() + limit;
    let mut open = true;
    let finish = loop {
        tokio::select! {
            piece = read(&mut output), if open => match piece {
                Some(piece) => if timeout_at(deadline, sink.send(piece)).await.is_err() { break Finish::TimeLimit },
                None => open = false,
            },
            exit = child.wait() => {
                break Finish::Exit(exit.map_err(|source| SpawnError { program: task.program(), source })?);
            }
            () = tokio::time::sleep_until(deadline) => break Finish::TimeLimit,
        }
    };
    if finish == Finish::TimeLimit {
        child.kill().await;
    }
    let grace = Instant::now() + AFTER_EXIT;
    while open && let Ok(Some(piece)) = timeout_at(grace, read(&mut output)).await {
        if timeout_at(grace, sink.send(piece)).await.is_err() {
            break;
        }
    }
    Ok(finish)
}

/// Runs a child as [`stream`] does and keeps the last `keep` bytes of its output.
///
/// # Errors
///
/// As [`stream`].
pub async fn run(task: &Task, limit: Duration, keep: usize) -> Result<(Finish, Vec<u8>), SpawnError> {
    let (sink, mut pieces) = mpsc::channel(4);
    let running = async move { stream(task, limit, &sink).await };
    let keeping = async {
        let mut tail = VecDeque::new();
        while let Some(piece) = pieces.recv().await {
            tail.extend(&piece);
            tail.drain(..tail.len().saturating_sub(keep));
        }
        Vec::from(tail)
    };
    let (finish, tail) = tokio::join!(running, keeping);
    Ok((finish?, tail))
}

/// The next piece of output; none at its end.
pub async fn read(output: &mut pipe::Receiver) -> Option<Vec<u8>> {
    let mut chunk = Vec::with_capacity(CHUNK);
    match output.read_buf(&mut chunk).await {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(chunk),
    }
}

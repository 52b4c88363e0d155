//! QEMU as a process: started, listened to and ended. Owns its sockets and what its own end means; what the guest says is not known
//! here.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use kbisect_core::policy::Failure;
use kbisect_core::policy::Stage;
use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::command;
use super::qmp;
use crate::machine::infra;
use crate::process;
use crate::process::Child;
use crate::process::Exit;
use crate::process::Streams;
use crate::process::Task;
use crate::process::jail::Jail;

/// What QEMU itself says is kept up to this many bytes.
const SAID: usize = 4 << 10;
/// Once its ports close, QEMU is gone this soon.
const EXIT_LIMIT: Duration = Duration::from_secs(5);
/// What QEMU says of a file that it cannot boot.
const REFUSALS: [&str; 4] = ["PVH ELF Note", "could not load kernel", "linux kernel too old", "invalid kernel header"];

/// The sockets that QEMU connects to, beside that of its machine protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::machine) enum Sockets {
    /// The control port's.
    WithControl,
    /// None.
    QmpAlone,
}

/// How QEMU is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Qemu {
    Running,
    Ended(Option<Exit>),
}

/// One QEMU, and its folder. Its tasks end, and QEMU with them, when it is dropped.
pub(in crate::machine) struct Emulator {
    program: String,
    dir: TempDir,
    qemu: watch::Sender<Qemu>,
    /// The end of what QEMU itself said.
    said: Arc<Mutex<VecDeque<u8>>>,
    qmp: Option<UnixStream>,
    tasks: JoinSet<()>,
}

impl Emulator {
    /// Not started yet; it will run in `dir`.
    pub(in crate::machine) fn new(program: &str, dir: TempDir) -> Self {
        let qemu = watch::Sender::new(Qemu::Running);
        Self { program: program.to_owned(), dir, qemu, said: Arc::default(), qmp: None, tasks: JoinSet::new() }
    }

    /// Its folder.
    pub(in crate::machine) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The emulator, by name or path.
    pub(in crate::machine) fn program(&self) -> &str {
        &self.program
    }

    /// Starts it and waits until its sockets are connected; the control port's stream where it has one. What comes on its standard
    /// output is the machine's console.
    pub(in crate::machine) async fn start(
        &mut self,
        argv: Vec<OsString>,
        jail: Jail,
        limit: Duration,
        console: mpsc::Sender<Vec<u8>>,
        sockets: Sockets,
    ) -> Result<Option<UnixStream>, Failure> {
        let dir = self.dir.path().to_owned();
        let bind =
            |name: &str| listen(&dir, name).map_err(|error| infra(format!("cannot listen in `{}`: {error}", dir.display())));
        let control = if sockets == Sockets::WithControl { Some(bind(command::CONTROL)?) } else { None };
        let qmp = bind(command::QMP)?;
        // There it puts what a guest writes to its disk.
        let task = Task::new(argv, &dir, jail).env("TMPDIR", &dir);
        let mut child = process::spawn(&task, Streams::Apart).await.map_err(|error| infra(error.to_string()))?;
        self.qemu.send_replace(Qemu::Running);
        self.tasks.spawn(forward(child.stdout.take(), console));
        self.tasks.spawn(keep(child.stderr.take(), Arc::clone(&self.said)));
        self.tasks.spawn(attend(child, self.qemu.clone()));

        let mut qemu = self.qemu.subscribe();
        let accept = async {
            let control = match &control {
                Some(control) => Some(control.accept().await?.0),
                None => None,
            };
            Ok::<_, io::Error>((control, qmp.accept().await?.0))
        };
        let connected = tokio::select! {
            both = accept => Some(both),
            _ = qemu.wait_for(|qemu| *qemu != Qemu::Running) => None,
            () = tokio::time::sleep(limit) => return Err(infra(format!("{} does not start", self.program))),
        };
        let Some(connected) = connected else {
            self.exit_status().await?;
            return Err(infra(format!("{} ended at once", self.program)));
        };
        let (control, qmp) = connected.map_err(|error| infra(format!("{} cannot be reached: {error}", self.program)))?;
        self.qmp = Some(qmp);
        Ok(control)
    }

    /// Runs a task for as long as the emulator is there.
    pub(in crate::machine) fn attend(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Whether it runs.
    pub(in crate::machine) fn runs(&self) -> bool {
        *self.qemu.borrow() == Qemu::Running
    }

    /// Waits until it has ended.
    pub(in crate::machine) async fn ended(&self) {
        let _ = self.qemu.subscribe().wait_for(|qemu| *qemu != Qemu::Running).await;
    }

    /// After a port closed: fails where QEMU rather than the guest is to blame.
    pub(in crate::machine) async fn exit_status(&self) -> Result<(), Failure> {
        let mut qemu = self.qemu.subscribe();
        let ended = timeout(EXIT_LIMIT, async { qemu.wait_for(|qemu| *qemu != Qemu::Running).await.map(|ended| *ended) }).await;
        let program = &self.program;
        let Ok(Ok(exit)) = ended else { return Err(infra(format!("{program} closed its ports but runs on"))) };
        if exit == Qemu::Ended(Some(Exit::Code(0))) {
            return Ok(());
        }
        // Its last words may still be under way.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let said: Vec<u8> = self.said.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        let said = crate::build::last_lines(&said, 2);
        Err(match exit {
            Qemu::Ended(Some(Exit::Code(127))) => infra(format!("{program} is not installed ({said})")),
            Qemu::Ended(Some(Exit::Code(1))) if REFUSALS.iter().any(|refusal| said.contains(refusal)) => {
                Failure { stage: Stage::Boot, reason: format!("{program} refuses the kernel: {said}") }
            }
            Qemu::Ended(Some(exit)) => infra(format!("{program} ended with {exit}: {said}")),
            _ => infra(format!("{program} was lost: {said}")),
        })
    }

    /// Ends it in an orderly way.
    pub(in crate::machine) async fn end(mut self) {
        if let Some(qmp) = self.qmp.take()
            && self.runs()
            && qmp::quit(qmp).await
        {
            let _ = timeout(EXIT_LIMIT, self.ended()).await;
        }
        // What still runs is killed with the task that holds it.
        self.tasks.shutdown().await;
    }
}

/// Binds a socket in `dir`, however long its path is: sockets' own limit is 107 bytes.
fn listen(dir: &Path, name: &str) -> io::Result<UnixListener> {
    // One of an earlier start.
    let _ = fs::remove_file(dir.join(name));
    let folder = fs::File::open(dir)?;
    UnixListener::bind(format!("/proc/self/fd/{}/{name}", folder.as_raw_fd()))
}

/// Hands a console on, piece by piece.
async fn forward(output: Option<pipe::Receiver>, console: mpsc::Sender<Vec<u8>>) {
    let Some(mut output) = output else { return };
    while let Some(piece) = process::read(&mut output).await {
        // A trial that listens no more does not stop the guest.
        let _ = console.send(piece).await;
    }
}

/// Keeps the end of what QEMU says.
async fn keep(output: Option<pipe::Receiver>, said: Arc<Mutex<VecDeque<u8>>>) {
    let Some(mut output) = output else { return };
    while let Some(piece) = process::read(&mut output).await {
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend(piece);
        let over = said.len().saturating_sub(SAID);
        said.drain(..over);
    }
}

/// Holds QEMU until it ends.
async fn attend(mut child: Child, qemu: watch::Sender<Qemu>) {
    let exit = child.wait().await.ok();
    qemu.send_replace(Qemu::Ended(exit));
}

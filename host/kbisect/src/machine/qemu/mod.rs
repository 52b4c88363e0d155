//! Virtual machines in QEMU: a kernel booted directly, its console on the first serial port, control on the second.
//!
//! Owns QEMU's command line, a machine's folder and life. The control protocol is [`super::control`]'s, the initramfs is
//! [`initramfs`]'s, spawning is `process`'s.

pub mod accel;
pub mod command;
pub mod initramfs;
mod port;
mod qmp;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use async_trait::async_trait;
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

use self::initramfs::Archive;
use self::port::Heard;
use self::port::Port;
use super::Ended;
use super::Machine;
use super::Pool;
use super::Program;
use super::Setup;
use super::control::Command;
use crate::process;
use crate::process::Child;
use crate::process::Exit;
use crate::process::Streams;
use crate::process::Task;
use crate::process::jail::Jail;

/// The emulator's name.
pub const PROGRAM: &str = "qemu-system-x86_64";

/// Pieces of console under way: the guest waits while nobody reads.
const CONSOLE_PIECES: usize = 16;
/// What QEMU itself says is kept up to this many bytes.
const SAID: usize = 4 << 10;
/// A guest that does not answer within this time hangs. Init runs at the highest priority.
const ALIVE_LIMIT: Duration = Duration::from_secs(10);
/// QEMU writes a console before the answer that comes after it; only our own tasks lie in between.
const LAG: Duration = Duration::from_millis(30);
/// What QEMU says of a file that it cannot boot.
const REFUSALS: [&str; 4] = ["PVH ELF Note", "could not load kernel", "linux kernel too old", "invalid kernel header"];
/// Once a serial port closes, QEMU is gone this soon.
const EXIT_LIMIT: Duration = Duration::from_secs(5);

/// What a pool of virtual machines is made from.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Folder for the machines' own folders.
    pub dir: PathBuf,
    /// How many machines may live at once.
    pub slots: u32,
    /// Memory of one, in bytes.
    pub memory: u64,
    /// CPUs of one.
    pub cpus: u32,
    /// `microvm` or `pc`.
    pub board: String,
    /// More words for the kernel's command line.
    pub cmdline: String,
    /// A network behind the host's, instead of none.
    pub network: bool,
    /// How long a boot may take.
    pub boot_limit: Duration,
    /// The init to pack; none where the kernel speaks the control protocol itself.
    pub init: Option<&'static [u8]>,
}

/// A pool of virtual machines.
#[derive(Debug)]
pub struct QemuPool {
    settings: Arc<Settings>,
    /// The emulator, by name or path.
    program: String,
    /// What every Linux guest gets, before the trial's own files.
    base: Option<Archive>,
}

impl QemuPool {
    /// A pool; reads what is to be packed, starts nothing.
    pub fn new(settings: Settings) -> Self {
        let base = settings.init.map(|init| {
            let mut base = Archive::base(init);
            if let Some((program, applets)) = initramfs::static_busybox() {
                base.busybox(&program, &applets);
            }
            base
        });
        Self { settings: Arc::new(settings), program: PROGRAM.to_owned(), base }
    }

    /// Uses another emulator than [`PROGRAM`].
    #[must_use]
    pub fn with_program(self, program: impl Into<String>) -> Self {
        Self { program: program.into(), ..self }
    }
}

#[async_trait]
impl Pool for QemuPool {
    fn slots(&self) -> u32 {
        self.settings.slots.max(1)
    }

    async fn create(&self, setup: &Setup) -> Result<Box<dyn Machine>, Failure> {
        let kernel = setup.kernel.clone().ok_or_else(|| infra("there is no kernel to boot".to_owned()))?;
        if !kernel.join("kernel").is_file() {
            return Err(infra(format!("`{}` holds no kernel", kernel.display())));
        }
        // Absolute: QEMU runs in the machine's own folder.
        let kernel = kernel.canonicalize().map_err(|error| infra(format!("`{}`: {error}", kernel.display())))?;
        let make = || {
            fs::create_dir_all(&self.settings.dir)?;
            tempfile::Builder::new().prefix(&format!("trial-{}-", setup.trial)).tempdir_in(self.settings.dir.canonicalize()?)
        };
        let dir = make().map_err(|error| infra(format!("cannot make a folder in `{}`: {error}", self.settings.dir.display())))?;
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| infra(format!("no random numbers: {error}")))?;
        let nonce = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let (console, pieces) = mpsc::channel(CONSOLE_PIECES);
        Ok(Box::new(QemuMachine {
            settings: Arc::clone(&self.settings),
            program: self.program.clone(),
            kernel,
            dir,
            archive: self.base.clone(),
            console: Some(console),
            pieces: Some(pieces),
            port: Arc::new(Port::new(nonce)),
            qemu: watch::Sender::new(Qemu::Running),
            said: Arc::default(),
            qmp: None,
            tasks: JoinSet::new(),
        }))
    }
}

/// How QEMU is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Qemu {
    Running,
    Ended(Option<Exit>),
}

/// One virtual machine. Its tasks end, and QEMU with them, when it is dropped.
struct QemuMachine {
    settings: Arc<Settings>,
    program: String,
    kernel: PathBuf,
    dir: TempDir,
    archive: Option<Archive>,
    console: Option<mpsc::Sender<Vec<u8>>>,
    pieces: Option<mpsc::Receiver<Vec<u8>>>,
    port: Arc<Port>,
    qemu: watch::Sender<Qemu>,
    /// The end of what QEMU itself said.
    said: Arc<Mutex<VecDeque<u8>>>,
    qmp: Option<UnixStream>,
    tasks: JoinSet<()>,
}

#[async_trait]
impl Machine for QemuMachine {
    fn console(&mut self) -> mpsc::Receiver<Vec<u8>> {
        self.pieces.take().expect("the console is taken once")
    }

    fn lag(&self) -> Duration {
        LAG
    }

    async fn copy(&mut self, from: &Path, to: &str) -> Result<(), Failure> {
        let Some(archive) = &mut self.archive else {
            return Err(Failure {
                stage: Stage::Copy,
                reason: format!("`{to}`: a kernel with an init of its own takes no files"),
            });
        };
        archive.host_path(from, to).map_err(|error| Failure { stage: Stage::Copy, reason: error.to_string() })
    }

    async fn boot(&mut self) -> Result<(), Failure> {
        self.start().await?;
        let limit = self.settings.boot_limit;
        let boot = |reason: String| Failure { stage: Stage::Boot, reason };
        match self.port.wait(limit, |talk| talk.hello.is_some()).await {
            None => Err(boot(format!("no word on the control port within {} s", limit.as_secs_f64()))),
            Some(Heard { talk, .. }) if talk.hello.is_some() => self.check_build_id(talk.hello.flatten()),
            Some(Heard { broken: Some(broken), .. }) => Err(boot(broken.to_string())),
            Some(_) => {
                self.exit_status().await?;
                Err(boot("the machine ended while it booted".to_owned()))
            }
        }
    }

    async fn exec(&self, program: &Program, limit: Duration) -> Result<Ended, Failure> {
        let (stage, command) = match program {
            Program::Control => (Stage::Control, Command::Control),
            Program::Reproducer { run, argv } => (Stage::Reproducer, Command::Exec(*run, argv.clone())),
        };
        if command.to_string().len() > super::control::MAX_LINE {
            return Err(Failure { stage, reason: "the command is too long for the control port".to_owned() });
        }
        self.port.send(&command).await;
        let answered = |talk: &super::control::Conversation| match program {
            Program::Control => talk.control.clone().map(|result| result.map_or_else(Ended::ControlFailed, |()| Ended::Code(0))),
            Program::Reproducer { run, .. } => talk
                .ended
                .filter(|(ended, _)| ended == run)
                .map(|(_, code)| if code < 0 { Ended::Signal(-code) } else { Ended::Code(code) }),
        };
        let Some(heard) = self.port.wait(limit, |talk| answered(talk).is_some()).await else { return Ok(Ended::TimeLimit) };
        if let Some(ended) = answered(&heard.talk) {
            return Ok(ended);
        }
        if let Some(broken) = heard.broken {
            return Err(Failure { stage, reason: broken.to_string() });
        }
        self.exit_status().await?;
        Ok(Ended::MachineGone)
    }

    async fn alive(&self) -> bool {
        let notes = self.port.notes();
        self.port.send(&Command::Ping).await
            && self.port.wait(ALIVE_LIMIT, |talk| talk.notes > notes).await.is_some_and(|heard| heard.talk.notes > notes)
    }

    async fn destroy(mut self: Box<Self>) {
        if let Some(qmp) = self.qmp.take()
            && *self.qemu.borrow() == Qemu::Running
            && qmp::quit(qmp).await
        {
            let mut qemu = self.qemu.subscribe();
            let _ = timeout(EXIT_LIMIT, qemu.wait_for(|qemu| *qemu != Qemu::Running)).await;
        }
        // What still runs is killed with the task that holds it.
        self.tasks.shutdown().await;
    }
}

impl QemuMachine {
    /// Starts QEMU and everything that listens to it.
    async fn start(&mut self) -> Result<(), Failure> {
        let dir = self.dir.path().to_owned();
        let initrd = self.write_initrd().map_err(|error| infra(format!("cannot write the initramfs: {error}")))?;
        let accel = accel::probe().await;
        let bind =
            |name: &str| listen(&dir, name).map_err(|error| infra(format!("cannot listen in `{}`: {error}", dir.display())));
        let (control, qmp) = (bind(command::CONTROL)?, bind(command::QMP)?);
        let argv = command::arguments(&self.program, &self.settings, accel, &self.kernel, initrd.as_deref());
        let mut jail = Jail::qemu(dir.clone(), *accel == accel::Accel::Kvm);
        jail.network = self.settings.network;
        let task = Task::new(argv, &dir, jail);
        let mut child = process::spawn(&task, Streams::Apart).await.map_err(|error| infra(error.to_string()))?;

        let console = self.console.take().expect("a machine boots once");
        self.tasks.spawn(forward(child.stdout.take(), console));
        self.tasks.spawn(keep(child.stderr.take(), Arc::clone(&self.said)));
        self.tasks.spawn(attend(child, self.qemu.clone()));

        let mut qemu = self.qemu.subscribe();
        let connected = tokio::select! {
            both = async { tokio::try_join!(control.accept(), qmp.accept()) } => Some(both),
            _ = qemu.wait_for(|qemu| *qemu != Qemu::Running) => None,
            () = tokio::time::sleep(self.settings.boot_limit) => return Err(infra(format!("{} does not start", self.program))),
        };
        let Some(connected) = connected else {
            self.exit_status().await?;
            return Err(infra(format!("{} ended at once", self.program)));
        };
        let ((control, _), (qmp, _)) =
            connected.map_err(|error| infra(format!("{} cannot be reached: {error}", self.program)))?;
        self.qmp = Some(qmp);
        let port = Arc::clone(&self.port);
        self.tasks.spawn(async move { port.serve(control).await });
        Ok(())
    }

    /// The kernel's own initrd, then ours: later files win.
    fn write_initrd(&mut self) -> io::Result<Option<PathBuf>> {
        let own = self.kernel.join("initrd");
        let Some(mut archive) = self.archive.take() else { return Ok(own.is_file().then_some(own)) };
        let modules = self.kernel.join("modules");
        if modules.is_dir() {
            archive.host_path(&modules, "/")?;
        }
        let mut bytes = if own.is_file() { fs::read(own)? } else { Vec::new() };
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes.extend(archive.finish());
        let path = self.dir.path().join("initramfs");
        fs::write(&path, bytes)?;
        Ok(Some(path))
    }

    /// Refuses a machine that runs another kernel than the one that was built (an image may hold its own).
    fn check_build_id(&self, running: Option<String>) -> Result<(), Failure> {
        let built = crate::build::store::build_id(&self.kernel);
        match (running, built) {
            (Some(running), Some(built)) if running != built => {
                let reason = format!("the machine runs another kernel: build id {running}, not {built}");
                Err(Failure { stage: Stage::Boot, reason })
            }
            _ => Ok(()),
        }
    }

    /// After a port closed: fails where QEMU rather than the guest is to blame.
    async fn exit_status(&self) -> Result<(), Failure> {
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
}

/// Binds a socket in `dir`, however long its path is: sockets' own limit is 107 bytes.
fn listen(dir: &Path, name: &str) -> io::Result<UnixListener> {
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

fn infra(reason: String) -> Failure {
    Failure { stage: Stage::Infra, reason }
}

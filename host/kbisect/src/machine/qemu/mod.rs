//! Virtual machines in QEMU: a kernel booted directly, its console on the first serial port, control on the second.
//!
//! Owns QEMU's command line and a machine's life; the emulator's own is [`emulator`]'s, what is seen of a kernel that is watched
//! [`probe`]'s. The control protocol is [`super::control`]'s, the initramfs is [`initramfs`]'s, spawning is `process`'s.

pub mod accel;
pub mod command;
pub(in crate::machine) mod emulator;
mod gdb;
pub mod initramfs;
mod port;
pub mod probe;
mod qmp;
pub mod shell;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use async_trait::async_trait;
use kbisect_core::policy::Failure;
use kbisect_core::policy::Stage;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use self::emulator::Emulator;
use self::emulator::Sockets;
use self::initramfs::Archive;
use self::port::Heard;
use self::port::Port;
use self::probe::Probe;
use super::Ended;
use super::Machine;
use super::Pool;
use super::Program;
use super::Setup;
use super::control::Command;
use super::identity;
use super::identity::Identity;
use super::infra;
use crate::process::jail::Jail;
use crate::process::load;

/// The emulator's name.
pub const PROGRAM: &str = "qemu-system-x86_64";

/// Pieces of console under way: the guest waits while nobody reads.
const CONSOLE_PIECES: usize = 16;
/// A guest that does not answer within this time hangs. Init runs at the highest priority.
const ALIVE_LIMIT: Duration = Duration::from_secs(10);
/// The file that asks init for the host's folder as the root, and the folder with what goes to its place once everything is mounted;
/// see the guest's `share.rs`.
const SHARE: &str = "kbisect-share";
const FILES: &str = "kbisect-files";
/// QEMU writes a console before the answer that comes after it; only our own tasks lie in between.
const LAG: Duration = Duration::from_millis(30);

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
    /// A folder of the host that guests have as their root, under a layer that is theirs; none: they have the initramfs alone.
    pub root_dir: Option<PathBuf>,
}

impl Settings {
    /// Where in the initramfs a file lies that the guest is to find at this place: what init mounts would hide it there.
    fn placed(place: &str) -> String {
        format!("{FILES}/{}", place.trim_start_matches('/'))
    }

    /// Where in the initramfs the kernel's modules lie. Nothing is mounted over them but the host's folder.
    fn modules(&self) -> &'static str {
        if self.root_dir.is_some() { FILES } else { "/" }
    }
}

/// A pool of virtual machines.
#[derive(Debug)]
pub struct QemuPool {
    settings: Arc<Settings>,
    /// The emulator, by name or path.
    program: String,
    /// What every Linux guest gets, before the trial's own files.
    base: Option<Archive>,
    /// What is to be seen in the next machine.
    probe: Option<Arc<Probe>>,
}

impl QemuPool {
    /// A pool; reads what is to be packed, starts nothing.
    pub fn new(settings: Settings) -> Self {
        let base = settings.init.map(|init| {
            let mut base = Archive::base(init);
            if settings.root_dir.is_some() {
                base.file(SHARE, 0o644, &[]);
            } else if let Some((program, applets)) = initramfs::static_busybox() {
                base.busybox(&program, &applets);
            }
            base
        });
        Self { settings: Arc::new(settings), program: PROGRAM.to_owned(), base, probe: None }
    }

    /// What runs in the machine that is made is watched; for one machine.
    #[must_use]
    pub fn watched(self, probe: Arc<Probe>) -> Self {
        let mut settings = (*self.settings).clone();
        settings.cmdline = format!("{} {}", settings.cmdline, command::NO_KASLR).trim_start().to_owned();
        Self { settings: Arc::new(settings), probe: Some(probe), ..self }
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
        let kernel = super::kernel_folder(setup)?;
        let dir = super::folder_of_trial(&self.settings.dir, setup)?;
        let nonce = super::nonce()?;
        let (console, pieces) = mpsc::channel(CONSOLE_PIECES);
        Ok(Box::new(QemuMachine {
            settings: Arc::clone(&self.settings),
            kernel,
            archive: self.base.clone(),
            console: Some(console),
            pieces: Some(pieces),
            port: Arc::new(Port::new(nonce)),
            emulator: Emulator::new(&self.program, dir),
            probe: self.probe.clone(),
            followed: Mutex::default(),
        }))
    }
}

/// One virtual machine. Its tasks end, and QEMU with them, when it is dropped.
struct QemuMachine {
    settings: Arc<Settings>,
    kernel: PathBuf,
    archive: Option<Archive>,
    console: Option<mpsc::Sender<Vec<u8>>>,
    pieces: Option<mpsc::Receiver<Vec<u8>>>,
    port: Arc<Port>,
    emulator: Emulator,
    probe: Option<Arc<Probe>>,
    /// Follows what runs; it ends with the machine.
    followed: Mutex<JoinSet<()>>,
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
        archive.host_path(from, &Settings::placed(to)).map_err(|error| Failure { stage: Stage::Copy, reason: error.to_string() })
    }

    async fn boot(&mut self) -> Result<Identity, Failure> {
        self.start().await?;
        let limit = self.settings.boot_limit;
        let boot = |reason: String| Failure { stage: Stage::Boot, reason };
        match self.port.wait(limit, |talk| talk.hello.is_some()).await {
            None => Err(boot(format!("no word on the control port within {} s", limit.as_secs_f64()))),
            Some(Heard { talk, .. }) if talk.hello.is_some() => self.identify(talk.hello.flatten()),
            Some(Heard { broken: Some(broken), .. }) => Err(boot(broken.to_string())),
            Some(_) => {
                self.emulator.exit_status().await?;
                Err(boot("the machine ended while it booted".to_owned()))
            }
        }
    }

    async fn exec(&self, program: &Program, limit: Duration) -> Result<Ended, Failure> {
        let (stage, command) = match program {
            Program::Control => (Stage::Control, Command::Control),
            Program::Reproducer { run, argv } if self.traces(*run) => (Stage::Reproducer, Command::Trace(*run, argv.clone())),
            Program::Reproducer { run, argv } => (Stage::Reproducer, Command::Exec(*run, argv.clone())),
        };
        if command.to_string().len() > super::control::MAX_LINE {
            return Err(Failure { stage, reason: "the command is too long for the control port".to_owned() });
        }
        if let (Program::Reproducer { run: 1, .. }, Some(probe)) = (program, &self.probe) {
            self.watch(probe).await;
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
        self.emulator.exit_status().await?;
        Ok(Ended::MachineGone)
    }

    fn printed(&self) -> Vec<u8> {
        self.port.printed()
    }

    async fn alive(&self) -> bool {
        let notes = self.port.notes();
        self.port.send(&Command::Ping).await
            && self
                .port
                .wait(load::patient(ALIVE_LIMIT), |talk| talk.notes > notes)
                .await
                .is_some_and(|heard| heard.talk.notes > notes)
    }

    async fn destroy(self: Box<Self>) {
        // A crash ends a trial before the program does.
        if let (Some(probe), Some(traced)) = (&self.probe, self.port.traced()) {
            probe.take_calls(traced);
        }
        self.emulator.end().await;
    }
}

impl QemuMachine {
    /// Whether the system calls of a run are to be told: of the first, by an init that can.
    fn traces(&self, run: u32) -> bool {
        self.probe.is_some() && run == 1 && self.settings.init.is_some()
    }

    /// Looks from here on at what runs.
    async fn watch(&self, probe: &Arc<Probe>) {
        let Some(watching) = probe.attach(self.emulator.dir()).await else { return };
        let probe = Arc::clone(probe);
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        followed.spawn(async move { watching.follow(&probe).await });
    }

    /// Starts QEMU and everything that listens to it.
    async fn start(&mut self) -> Result<(), Failure> {
        let dir = self.emulator.dir().to_owned();
        let initrd = self.write_initrd().map_err(|error| infra(format!("cannot write the initramfs: {error}")))?;
        let accel = accel::probe().await;
        let program = self.emulator.program().to_owned();
        let argv = command::arguments(&program, &self.settings, accel, &self.kernel, initrd.as_deref());
        let argv = argv.into_iter().chain(self.probe.iter().flat_map(|_| command::watched())).collect();
        let mut jail = Jail::qemu(dir, *accel == accel::Accel::Kvm);
        jail.network = self.settings.network;
        let console = self.console.take().expect("a machine boots once");
        let control = self.emulator.start(argv, jail, self.settings.boot_limit, console, Sockets::WithControl).await?;
        let port = Arc::clone(&self.port);
        self.emulator.attend(async move {
            if let Some(control) = control {
                port.serve(control).await;
            }
        });
        Ok(())
    }

    /// The kernel's own initrd, then ours: later files win.
    fn write_initrd(&mut self) -> io::Result<Option<PathBuf>> {
        let own = self.kernel.join("initrd");
        let Some(mut archive) = self.archive.take() else { return Ok(own.is_file().then_some(own)) };
        let modules = self.kernel.join("modules");
        if modules.is_dir() {
            archive.host_path(&modules, self.settings.modules())?;
        }
        let mut bytes = if own.is_file() { fs::read(own)? } else { Vec::new() };
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes.extend(archive.finish());
        let path = self.emulator.dir().join("initramfs");
        fs::write(&path, bytes)?;
        Ok(Some(path))
    }

    /// Whether what runs is what was built. Of a kernel that speaks the protocol itself nobody expects a build id.
    fn identify(&self, running: Option<String>) -> Result<Identity, Failure> {
        match identity::of(&self.kernel, running)? {
            Identity::Unknown(_) if self.settings.init.is_none() => Ok(Identity::NotAsked),
            identity => Ok(identity),
        }
    }
}

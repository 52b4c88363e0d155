//! Virtual machines in QEMU with a disk image, reached by ssh: whole userspaces, and images that others made.
//!
//! The built kernel is booted directly, the disk is a snapshot that dies with the machine, and the guest's console is the first serial
//! port. What a program writes comes by ssh and is put between the console's lines. Where the kernel comes with modules, an initramfs of
//! ours loads what the disk needs and goes on with the disk's own init. Owns such a machine's life; the emulator's process is `qemu`'s.
//!
//! A connection that fails or breaks says nothing of the kernel: the trial is void, whatever the program did until then.

mod modules;
mod ssh;
mod tar;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::SystemTime;

use async_trait::async_trait;
use kbisect_core::policy::Failure;
use kbisect_core::policy::Stage;
use tokio::sync::OnceCell;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio::time::timeout;

use self::ssh::Key;
use self::ssh::Way;
use super::Ended;
use super::Machine;
use super::Pool;
use super::Program;
use super::Setup;
use super::identity;
use super::identity::Identity;
use super::infra;
use super::lines;
use super::qemu::accel;
use super::qemu::command;
use super::qemu::emulator::Emulator;
use super::qemu::emulator::Sockets;
use super::qemu::initramfs::Archive;
use crate::build::last_lines;
use crate::build::signature;
use crate::config::job::Disk;
use crate::process;
use crate::process::Child;
use crate::process::Exit;
use crate::process::Finish;
use crate::process::Streams;
use crate::process::jail::Jail;
use crate::process::load;
use crate::process::shell::quoted;

/// Pieces of console under way: the guest waits while nobody reads.
const CONSOLE_PIECES: usize = 16;
/// A console's line comes by the serial port, a program's end by the network: they may overtake one another by this much.
const LAG: Duration = Duration::from_millis(200);
/// A guest that does not answer within this time hangs.
const ALIVE_LIMIT: Duration = Duration::from_secs(10);
/// Between two tries to reach a machine that boots.
const BETWEEN: Duration = Duration::from_millis(300);
/// How long an sshd that refuses our key may go on doing so: the machine may not have got so far yet.
const REFUSED_LIMIT: Duration = Duration::from_secs(60);
/// Small requests to a machine that is up.
const REQUEST_LIMIT: Duration = Duration::from_secs(60);
/// Files that are copied take longer.
const COPY_LIMIT: Duration = Duration::from_secs(10 * 60);
/// Once the connection breaks because the emulator ended, that is known this soon.
const EXIT_LIMIT: Duration = Duration::from_secs(2);
/// Another program may take a free port before QEMU does.
const PORT_TRIES: u32 = 20;
/// What QEMU says then.
const PORT_TAKEN: &str = "Could not set up host forwarding rule";

/// The four basics, as the control test of our own init.
const CONTROL: &str = "test -r /proc/self/stat || { echo cannot read /proc; exit 1; }; (exit 0) && /bin/true || { echo cannot fork and \
execute; exit 1; }; dd if=/dev/zero of=/dev/null bs=1M count=1 2>/dev/null || { echo cannot map memory; exit 1; }; echo kbisect \
>/tmp/kbisect-control && grep -q kbisect /tmp/kbisect-control && rm /tmp/kbisect-control || { echo cannot write a file; exit 1; }";

/// What a pool of machines with a disk is made from.
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
    /// More words for the kernel's command line.
    pub cmdline: String,
    /// Whether guests reach a network beyond the host.
    pub network: bool,
    /// How long a boot may take, until a login.
    pub boot_limit: Duration,
    /// The disk, and how it is reached.
    pub disk: Disk,
    /// The init of the initramfs that is used where the kernel has modules.
    pub init: &'static [u8],
}

/// A pool of machines with a disk.
#[derive(Debug)]
pub struct ImagePool {
    settings: Arc<Settings>,
    /// Made when it is first needed.
    key: OnceCell<Arc<Key>>,
    /// Size and time of the image when the pool was made; none where it was not there.
    image: Option<(u64, SystemTime)>,
}

impl ImagePool {
    /// A pool; starts nothing.
    pub fn new(settings: Settings) -> Self {
        let image = state_of(&settings.disk.image).ok();
        Self { settings: Arc::new(settings), key: OnceCell::new(), image }
    }
}

#[async_trait]
impl Pool for ImagePool {
    fn slots(&self) -> u32 {
        self.settings.slots.max(1)
    }

    async fn create(&self, setup: &Setup) -> Result<Box<dyn Machine>, Failure> {
        let kernel = super::kernel_folder(setup)?;
        let settings = Arc::clone(&self.settings);
        let image = settings.disk.image.display();
        let now = state_of(&settings.disk.image).map_err(|error| infra(format!("[machine] `image`: {image}: {error}")))?;
        if self.image.is_some_and(|before| before != now) {
            return Err(infra(format!("{image} was changed while the run went on: trials before and after cannot be compared")));
        }
        let dir = super::folder_of_trial(&settings.dir, setup)?;
        let key =
            self.key.get_or_try_init(|| async { Key::get(settings.disk.key.as_deref(), &settings.dir).await.map(Arc::new) });
        let key = Arc::clone(key.await?);
        let (console, pieces) = mpsc::channel(CONSOLE_PIECES);
        Ok(Box::new(ImageMachine {
            settings: Arc::clone(&self.settings),
            kernel,
            key,
            files: Vec::new(),
            console,
            printed: Arc::default(),
            pieces: Some(pieces),
            way: None,
            master: None,
            emulator: Emulator::new(super::qemu::PROGRAM, dir),
        }))
    }
}

/// What changes when somebody writes to a file.
fn state_of(file: &Path) -> io::Result<(u64, SystemTime)> {
    let found = fs::metadata(file)?;
    Ok((found.len(), found.modified()?))
}

/// One machine with a disk.
struct ImageMachine {
    settings: Arc<Settings>,
    kernel: PathBuf,
    key: Arc<Key>,
    files: Vec<(PathBuf, String)>,
    console: mpsc::Sender<Vec<u8>>,
    /// What programs printed, its beginning where that is much.
    printed: Arc<Mutex<Vec<u8>>>,
    pieces: Option<mpsc::Receiver<Vec<u8>>>,
    way: Option<Way>,
    /// The connection that all commands share.
    master: Option<Child>,
    emulator: Emulator,
}

#[async_trait]
impl Machine for ImageMachine {
    fn console(&mut self) -> mpsc::Receiver<Vec<u8>> {
        self.pieces.take().expect("the console is taken once")
    }

    fn lag(&self) -> Duration {
        LAG
    }

    async fn copy(&mut self, from: &Path, to: &str) -> Result<(), Failure> {
        self.files.push((from.to_owned(), to.to_owned()));
        Ok(())
    }

    async fn boot(&mut self) -> Result<Identity, Failure> {
        let deadline = Instant::now() + self.settings.boot_limit;
        self.start().await?;
        self.connect(deadline).await?;
        let notes = self.ask(Stage::Boot, "cat /sys/kernel/notes").await?;
        let identity = identity::of(&self.kernel, signature::build_id_of_notes(&notes))?;
        self.bring_files().await?;
        Ok(identity)
    }

    async fn exec(&self, program: &Program, limit: Duration) -> Result<Ended, Failure> {
        let argv = match program {
            Program::Control => return self.control().await,
            Program::Reproducer { argv, .. } => argv,
        };
        let own = argv.first().is_some_and(|first| first.starts_with('/'));
        let words: Vec<&str> = (!own).then_some("/repro").into_iter().chain(argv.iter().map(String::as_str)).collect();
        let (sender, pieces) = mpsc::channel(CONSOLE_PIECES);
        let task = self.way()?.command(self.emulator.dir(), &ssh::told_apart(&quoted(&words)));
        let running = async move { process::stream(&task, limit, &sender).await };
        let both = async { tokio::join!(running, keep_all(pieces, Arc::clone(&self.printed))).0 };
        let finish = tokio::select! {
            finish = both => finish.map_err(|error| infra(error.to_string()))?,
            () = self.emulator.ended() => return self.gone().await,
        };
        match finish {
            Finish::TimeLimit => Ok(Ended::TimeLimit),
            Finish::Exit(Exit::Code(ssh::BROKEN)) => self.broken(Stage::Reproducer, "the reproducer ran").await,
            Finish::Exit(Exit::Code(code @ 129..160)) => Ok(Ended::Signal(code - 128)),
            Finish::Exit(Exit::Code(code)) => Ok(Ended::Code(code)),
            Finish::Exit(Exit::Signal(signal)) => Err(infra(format!("ssh was killed by signal {signal}"))),
        }
    }

    fn printed(&self) -> Vec<u8> {
        self.printed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn alive(&self) -> bool {
        let Ok(way) = self.way() else { return false };
        let dir = self.emulator.dir();
        // The shared connection may be gone, or stuck in what the reproducer writes.
        for task in [way.command(dir, "true"), way.command_apart(dir, "true")] {
            if let Ok((Finish::Exit(Exit::Code(0)), _)) = process::run(&task, load::patient(ALIVE_LIMIT / 2), 1 << 10).await {
                return true;
            }
        }
        false
    }

    async fn destroy(mut self: Box<Self>) {
        if let Some(mut master) = self.master.take() {
            master.kill().await;
        }
        self.emulator.end().await;
    }
}

/// Keeps what a program prints, and lets it print on where that is too much.
async fn keep_all(mut pieces: mpsc::Receiver<Vec<u8>>, printed: Arc<Mutex<Vec<u8>>>) {
    while let Some(piece) = pieces.recv().await {
        super::keep(&mut printed.lock().unwrap_or_else(PoisonError::into_inner), &piece);
    }
}

impl ImageMachine {
    fn way(&self) -> Result<&Way, Failure> {
        self.way.as_ref().ok_or_else(|| infra("the machine was not booted".to_owned()))
    }

    /// Starts QEMU with a port of this host that leads to the guest's sshd.
    async fn start(&mut self) -> Result<(), Failure> {
        let dir = self.emulator.dir().to_owned();
        let initrd = self.initrd().map_err(|error| infra(format!("cannot write the initramfs: {error}")))?;
        let format = format_of(&self.settings.disk.image)
            .map_err(|error| infra(format!("[machine] `image`: {}: {error}", self.settings.disk.image.display())))?;
        let accel = accel::probe().await;
        let (sender, pieces) = mpsc::channel(CONSOLE_PIECES);
        self.emulator.attend(lines::forward(pieces, self.console.clone()));
        for attempt in 1.. {
            let port = free_port().map_err(|error| infra(format!("no free port: {error}")))?;
            let name = port.to_string();
            let guest = guest(&self.settings, format, &name);
            let cmdline = kernel_command_line(&self.settings, self.key.public.as_deref());
            let argv = command::with_disk(super::qemu::PROGRAM, &guest, accel, &self.kernel, initrd.as_deref(), &cmdline);
            let mut jail = Jail::qemu(dir.clone(), *accel == accel::Accel::Kvm);
            // The port must be reached from here. What the guest reaches is another matter (`restrict`).
            jail.network = true;
            let limit = self.settings.boot_limit;
            match self.emulator.start(argv, jail, limit, sender.clone(), Sockets::QmpAlone).await {
                Err(failure) if failure.reason.contains(PORT_TAKEN) && attempt < PORT_TRIES => {}
                Err(failure) => return Err(failure),
                Ok(_) => {
                    self.way = Some(Way::new(port, &self.settings.disk.user, &self.key));
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The kernel's own initrd; else, where it has modules, ours.
    fn initrd(&self) -> io::Result<Option<PathBuf>> {
        let own = self.kernel.join("initrd");
        if own.is_file() {
            return Ok(Some(own));
        }
        let modules = self.kernel.join("modules");
        if !modules.join("lib/modules").is_dir() {
            return Ok(None);
        }
        let mut archive = Archive::base(self.settings.init);
        archive.host_path(&modules, "/")?;
        archive.file("kbisect-root", 0o644, self.settings.disk.root.as_bytes());
        archive.file(
            "kbisect-modules",
            0o644,
            modules::to_load(&modules, is_ext4(&self.settings.disk.image))?.join("\n").as_bytes(),
        );
        let path = self.emulator.dir().join("initramfs");
        fs::write(&path, archive.finish())?;
        Ok(Some(path))
    }

    /// Waits until somebody can log in.
    async fn connect(&mut self, deadline: Instant) -> Result<(), Failure> {
        let limit = self.settings.boot_limit.as_secs_f64();
        let way = self.way()?.clone();
        let mut refused: Option<Instant> = None;
        let mut last = String::new();
        loop {
            let attempt = attempt(&way, self.emulator.dir());
            let attempted = tokio::select! {
                attempted = attempt => attempted?,
                () = self.emulator.ended() => {
                    self.emulator.exit_status().await?;
                    return Err(Failure { stage: Stage::Boot, reason: "the machine ended while it booted".to_owned() });
                }
                () = tokio::time::sleep_until(deadline) => {
                    let told = if last.is_empty() { String::new() } else { format!(": {last}") };
                    return Err(Failure { stage: Stage::Boot, reason: format!("no login by ssh within {limit} s{told}") });
                }
            };
            match attempted {
                Ok(master) => {
                    self.master = Some(master);
                    return Ok(());
                }
                Err(said) => last = said,
            }
            if last.contains("Permission denied") {
                let since = *refused.get_or_insert_with(Instant::now);
                if since.elapsed() > REFUSED_LIMIT {
                    let hint = "does the image know the key ([machine] `key`, or systemd 252 for a key of the run's own)?";
                    return Err(infra(format!("the machine's sshd refuses the key: {last}; {hint}")));
                }
            }
            tokio::time::sleep(BETWEEN).await;
        }
    }

    /// Runs a small command and gives what it writes.
    async fn ask(&self, stage: Stage, command: &str) -> Result<Vec<u8>, Failure> {
        let task = self.way()?.command(self.emulator.dir(), command);
        let done = tokio::select! {
            done = process::run(&task, REQUEST_LIMIT, 1 << 20) => done,
            () = self.emulator.ended() => return Err(Failure { stage, reason: "the machine ended".to_owned() }),
        };
        match done.map_err(|error| infra(error.to_string()))? {
            (Finish::Exit(Exit::Code(ssh::BROKEN)), said) => {
                Err(Failure { stage, reason: format!("lost connection to the machine: {}", last_lines(&said, 2)) })
            }
            (Finish::Exit(_), said) => Ok(said),
            (Finish::TimeLimit, _) => {
                Err(Failure { stage, reason: format!("the machine does not answer within {} s", REQUEST_LIMIT.as_secs()) })
            }
        }
    }

    /// Unpacks the trial's files in the guest.
    async fn bring_files(&self) -> Result<(), Failure> {
        if self.files.is_empty() {
            return Ok(());
        }
        let failed = |reason: String| Failure { stage: Stage::Copy, reason };
        let bytes = tar::pack(&self.files).map_err(|error| failed(error.to_string()))?;
        let dir = self.emulator.dir();
        fs::write(dir.join("files.tar"), bytes)
            .map_err(|error| infra(format!("cannot write into {}: {error}", dir.display())))?;
        let task = self.way()?.command_with_input(dir, "files.tar", "tar -C / -xf -");
        let done = tokio::select! {
            done = process::run(&task, COPY_LIMIT, 4 << 10) => done,
            () = self.emulator.ended() => return Err(failed("the machine ended while files were copied".to_owned())),
        };
        match done.map_err(|error| infra(error.to_string()))? {
            (Finish::Exit(Exit::Code(0)), _) => Ok(()),
            (Finish::Exit(Exit::Code(ssh::BROKEN)), said) => {
                Err(failed(format!("lost connection to the machine while files were copied: {}", last_lines(&said, 2))))
            }
            (Finish::Exit(_), said) => Err(failed(format!("files cannot be copied into the machine: {}", last_lines(&said, 3)))),
            (Finish::TimeLimit, _) => Err(failed(format!("files were not copied within {} s", COPY_LIMIT.as_secs()))),
        }
    }

    async fn control(&self) -> Result<Ended, Failure> {
        let task = self.way()?.command(self.emulator.dir(), CONTROL);
        let done = tokio::select! {
            done = process::run(&task, REQUEST_LIMIT, 4 << 10) => done,
            () = self.emulator.ended() => return self.gone().await,
        };
        Ok(match done.map_err(|error| infra(error.to_string()))? {
            (Finish::Exit(Exit::Code(0)), _) => Ended::Code(0),
            (Finish::Exit(Exit::Code(ssh::BROKEN)), _) => return self.broken(Stage::Control, "the control test ran").await,
            (Finish::Exit(_), said) => Ended::ControlFailed(last_lines(&said, 2)),
            (Finish::TimeLimit, _) => Ended::TimeLimit,
        })
    }

    /// QEMU ended while something ran.
    async fn gone(&self) -> Result<Ended, Failure> {
        self.emulator.exit_status().await?;
        Ok(Ended::MachineGone)
    }

    /// The connection broke while something ran.
    async fn broken(&self, stage: Stage, when: &str) -> Result<Ended, Failure> {
        if timeout(EXIT_LIMIT, self.emulator.ended()).await.is_ok() {
            return self.gone().await;
        }
        let state = if self.alive().await { "it answers on another" } else { "it does not answer on another" };
        Err(Failure { stage, reason: format!("lost connection to the machine while {when}: ssh's broke, and {state}") })
    }
}

/// Tries to log in once. The inner error is what ssh says; the outer one is the host's.
async fn attempt(way: &Way, dir: &Path) -> Result<Result<Child, String>, Failure> {
    let socket = dir.join(ssh::MASTER);
    // One that was killed leaves it.
    let _ = fs::remove_file(&socket);
    let mut master = process::spawn(&way.master(dir), Streams::Merged).await.map_err(|error| infra(error.to_string()))?;
    let mut output = master.stdout.take().expect("the output of a fresh child was not taken");
    let mut said = Vec::new();
    let exit = loop {
        tokio::select! {
            exit = master.wait() => break exit,
            Some(piece) = process::read(&mut output) => said.extend(piece),
            () = tokio::time::sleep(Duration::from_millis(20)), if socket.exists() => {
                master.stdout = Some(output);
                return Ok(Ok(master));
            }
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
        }
    };
    while let Ok(Some(piece)) = timeout(Duration::from_millis(100), process::read(&mut output)).await {
        said.extend(piece);
    }
    match exit {
        Ok(Exit::Code(126 | 127)) => Err(infra(format!("ssh cannot be started: {}", last_lines(&said, 1)))),
        _ => Ok(Err(last_lines(&said, 1))),
    }
}

/// A port of this host that nobody uses at this moment, by the kernel's choice.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// How QEMU is to read an image: qcow2 by its magic, anything else byte by byte. QEMU's own guess could be led by what a guest writes.
fn format_of(image: &Path) -> io::Result<&'static str> {
    let mut magic = [0; 4];
    let count = fs::File::open(image)?.read(&mut magic)?;
    Ok(if &magic[..count] == b"QFI\xfb" { "qcow2" } else { "raw" })
}

/// Whether a whole disk is one file system of ext4's: its superblock begins at 1024, the magic at 56 of it.
pub fn is_ext4(image: &Path) -> bool {
    let mut magic = [0; 2];
    let read = fs::File::open(image).and_then(|file| file.read_exact_at(&mut magic, 1024 + 56));
    read.is_ok() && u16::from_le_bytes(magic) == 0xef53
}

/// How QEMU would be started, for people: the port and the key are chosen for each machine.
pub fn shown(settings: &Settings, accel: &accel::Accel, kernel: &Path) -> Vec<std::ffi::OsString> {
    let image = &settings.disk.image;
    let guest = guest(settings, format_of(image).unwrap_or("raw"), "{port}");
    let key = settings.disk.key.is_none().then_some("{key}");
    command::with_disk(super::qemu::PROGRAM, &guest, accel, kernel, None, &kernel_command_line(settings, key))
}

fn guest<'a>(settings: &'a Settings, format: &'static str, port: &'a str) -> command::Guest<'a> {
    command::Guest {
        memory: settings.memory,
        cpus: settings.cpus,
        network: settings.network,
        image: &settings.disk.image,
        format,
        root: &settings.disk.root,
        port,
    }
}

/// What the kernel is told: as without a disk, and where its root is. A key of the run's own is a credential as systemd takes it (since
/// 252), which our own image reads, too; it is a public one.
fn kernel_command_line(settings: &Settings, key: Option<&str>) -> String {
    let key = key.map_or_else(String::new, |key| format!("\"systemd.set_credential=ssh.authorized_keys.root:{key}\" "));
    command::kernel_command_line(&format!("root={} rw net.ifnames=0 {key}{}", settings.disk.root, settings.cmdline))
}

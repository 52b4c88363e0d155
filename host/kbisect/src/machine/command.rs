//! Machines that are a command of the job's own: `vng` and its like, which boot a kernel and run a command in it.
//!
//! Everything that the command writes is the console. Around the reproducer stands a line of shell that speaks to us on the guest's
//! standard output: which kernel runs, how the control test ended, that the guest lives, and the reproducer's exit status; these lines
//! are taken out of the console. So one boot is one program, and a control test in every boot. Owns that line and its reading.
//!
//! Nobody tells the guest to start the reproducer: what is on the console behind the control test is held back until the trial turns to
//! the reproducer, so that it is not taken for the boot's.
//!
//! The guest must have a shell, and see the host's files where the reproducer is one of them; `vng`'s does.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kbisect_core::policy::Failure;
use kbisect_core::policy::Stage;
use tempfile::TempDir;
use tokio::net::unix::pipe;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Ended;
use super::Machine;
use super::Pool;
use super::Program;
use super::Setup;
use super::identity;
use super::identity::Identity;
use super::infra;
use super::lines::WholeLines;
use crate::build::last_lines;
use crate::build::signature;
use crate::process;
use crate::process::Child;
use crate::process::Exit;
use crate::process::Streams;
use crate::process::Task;
use crate::process::jail::Jail;
use crate::process::load;
use crate::process::shell::quoted;

#[cfg(test)]
mod tests;

/// Pieces of console under way: the command waits while nobody reads.
const CONSOLE_PIECES: usize = 16;
/// The console and the lines to us are one stream.
const LAG: Duration = Duration::from_millis(30);
/// The guest says every three seconds that it lives; on a busy host it may be late.
const ALIVE_LIMIT: Duration = Duration::from_secs(12);
/// Of a reproducer's console, this much is held back; then the command waits.
const HELD: usize = 16 << 20;
/// Of what the command says, this much is kept for a failure's reason.
const SAID: usize = 4 << 10;

/// What a pool of such machines is made from.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Folder for the machines' own folders, in which the command runs.
    pub dir: PathBuf,
    /// How many machines may live at once.
    pub slots: u32,
    /// Memory of one, in bytes; the command is told it in MiB.
    pub memory: u64,
    /// CPUs of one.
    pub cpus: u32,
    /// How long a boot may take.
    pub boot_limit: Duration,
    /// Program and arguments; `{kernel} {kernel_dir} {command} {memory} {cpus}` are filled in.
    pub command: Vec<String>,
}

/// A pool of machines that are commands.
#[derive(Debug)]
pub struct CommandPool {
    settings: Arc<Settings>,
}

impl CommandPool {
    /// A pool; starts nothing.
    pub fn new(settings: Settings) -> Self {
        Self { settings: Arc::new(settings) }
    }
}

#[async_trait]
impl Pool for CommandPool {
    fn slots(&self) -> u32 {
        self.settings.slots.max(1)
    }

    async fn create(&self, setup: &Setup) -> Result<Box<dyn Machine>, Failure> {
        let kernel = super::kernel_folder(setup)?;
        let dir = super::folder_of_trial(&self.settings.dir, setup)?;
        // Half of the digits: the command may travel on a kernel's command line, which is short.
        let nonce = super::nonce()?.split_off(16);
        let (console, pieces) = mpsc::channel(CONSOLE_PIECES);
        Ok(Box::new(CommandMachine {
            argv: fill(&self.settings, &kernel, &guarded(&nonce, &setup.command)),
            settings: Arc::clone(&self.settings),
            kernel,
            dir,
            nonce,
            console: Some(console),
            pieces: Some(pieces),
            heard: watch::Sender::new(Heard::default()),
            turned: watch::Sender::new(setup.command.is_empty()),
            tasks: JoinSet::new(),
        }))
    }
}

/// The command with its placeholders filled in.
pub fn fill(settings: &Settings, kernel: &std::path::Path, command: &str) -> Vec<OsString> {
    let image = kernel.join("kernel").display().to_string();
    let folder = kernel.display().to_string();
    let (memory, cpus) = ((settings.memory >> 20).max(1).to_string(), settings.cpus.to_string());
    // The reproducer's own words may look like placeholders: it is filled in last.
    let places = [
        ("{kernel}", image.as_str()),
        ("{kernel_dir}", &folder),
        ("{memory}", &memory),
        ("{cpus}", &cpus),
        ("{command}", command),
    ];
    let filled = |word: &String| places.iter().fold(word.clone(), |word, (place, value)| word.replace(place, value));
    settings.command.iter().map(|word| filled(word).into()).collect()
}

/// The reproducer with what stands around it, as one line of shell. It is short, since commands travel on kernels' command lines.
pub fn guarded(nonce: &str, command: &[String]) -> String {
    let script = format!(
        "k(){{ echo \"kbisect {nonce} $*\";}};k hello `od -An -vtx1 /sys/kernel/notes|tr -d \" \\n\"`;\
         (test -r /proc/self/stat&&:>/tmp/k$$&&rm /tmp/k$$)&&k control||k fail;\
         while sleep 3;do k lives;done&\"$@\";c=$?;kill $!;k end $c;exit $c"
    );
    let words: Vec<&str> = ["sh", "-c", &script, "sh"].into_iter().chain(command.iter().map(String::as_str)).collect();
    quoted(&words)
}

/// What was heard of the guest.
#[derive(Debug, Clone, Default)]
struct Heard {
    /// The notes of the running kernel; empty where it does not tell them.
    hello: Option<Vec<u8>>,
    control: Option<bool>,
    /// The reproducer's exit status.
    end: Option<i32>,
    /// How often it said that it lives.
    beats: u64,
    /// What was held back is with the trial.
    shown: bool,
    /// The command ended; none within: it was lost.
    exit: Option<Option<Exit>>,
    /// The last of what it said.
    said: Vec<u8>,
}

impl Heard {
    /// Takes whole lines; what of them is console, up to the end of the control test and behind it.
    fn take(&mut self, lines: &[u8], nonce: &str) -> [Vec<u8>; 2] {
        let mark = format!("kbisect {nonce} ");
        let mut console = [Vec::new(), Vec::new()];
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let part = &mut console[usize::from(self.control == Some(true))];
            let at = line.windows(mark.len()).position(|window| window == mark.as_bytes());
            let Some(at) = at else {
                part.extend_from_slice(line);
                continue;
            };
            // A line of the kernel's that was not ended may stand before it.
            part.extend_from_slice(&line[..at]);
            let text = String::from_utf8_lossy(&line[at + mark.len()..]);
            self.hear(text.trim_end());
        }
        self.said.extend_from_slice(&console.concat());
        self.said.drain(..self.said.len().saturating_sub(SAID));
        console
    }

    fn hear(&mut self, text: &str) {
        match text.split_once(' ').unwrap_or((text, "")) {
            ("hello", notes) if self.hello.is_none() => self.hello = Some(unhex(notes)),
            ("control", _) => self.control = Some(true),
            ("fail", _) => self.control = Some(false),
            ("end", code) if self.end.is_none() => self.end = code.parse().ok(),
            ("lives", _) => self.beats += 1,
            _ => {}
        }
    }
}

/// Bytes of hexadecimal digits, as far as they are some.
fn unhex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks_exact(2).map(|pair| std::str::from_utf8(pair).ok());
    pairs.map_while(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

/// A command under way.
struct CommandMachine {
    settings: Arc<Settings>,
    argv: Vec<OsString>,
    kernel: PathBuf,
    dir: TempDir,
    nonce: String,
    console: Option<mpsc::Sender<Vec<u8>>>,
    pieces: Option<mpsc::Receiver<Vec<u8>>>,
    heard: watch::Sender<Heard>,
    /// Whether the trial has turned to the reproducer.
    turned: watch::Sender<bool>,
    /// Dropping them kills the command.
    tasks: JoinSet<()>,
}

#[async_trait]
impl Machine for CommandMachine {
    fn console(&mut self) -> mpsc::Receiver<Vec<u8>> {
        self.pieces.take().expect("the console is taken once")
    }

    fn lag(&self) -> Duration {
        LAG
    }

    async fn copy(&mut self, _from: &std::path::Path, to: &str) -> Result<(), Failure> {
        Err(Failure { stage: Stage::Copy, reason: format!("`{to}`: a machine that is a command sees the host's own files") })
    }

    async fn boot(&mut self) -> Result<Identity, Failure> {
        let task = Task::new(self.argv.clone(), self.dir.path(), Jail::trial()).env("TMPDIR", self.dir.path());
        let mut child = process::spawn(&task, Streams::Merged).await.map_err(|error| infra(error.to_string()))?;
        let output = child.stdout.take().expect("the output of a fresh child was not taken");
        let console = self.console.take().expect("a machine boots once");
        let guest = Guest {
            console,
            nonce: self.nonce.clone(),
            heard: self.heard.clone(),
            turned: self.turned.subscribe(),
            held: Vec::new(),
        };
        self.tasks.spawn(guest.listen(child, output));
        let limit = self.settings.boot_limit;
        let Some(heard) = self.wait(limit, |heard| heard.hello.is_some()).await else {
            let reason = format!("no word of the guest within {} s", limit.as_secs_f64());
            return Err(Failure { stage: Stage::Boot, reason });
        };
        match heard.hello {
            Some(notes) => identity::of(&self.kernel, signature::build_id_of_notes(&notes)),
            None => Err(self.not_booted(&heard)),
        }
    }

    async fn exec(&self, program: &Program, limit: Duration) -> Result<Ended, Failure> {
        let run = match program {
            Program::Control => None,
            Program::Reproducer { run, .. } => Some(*run),
        };
        let heard = match run {
            None => self.wait(limit, |heard| heard.control.is_some()).await,
            Some(1) => {
                self.turned.send_replace(true);
                self.wait(limit, |heard| heard.end.is_some() && heard.shown).await
            }
            Some(run) => return Err(infra(format!("run {run}: a machine that is a command runs one program"))),
        };
        let Some(heard) = heard else { return Ok(Ended::TimeLimit) };
        Ok(match (run, heard) {
            (None, Heard { control: Some(true), .. }) => Ended::Code(0),
            (None, Heard { control: Some(false), .. }) => Ended::ControlFailed("cannot read /proc or write a file".to_owned()),
            (Some(_), Heard { end: Some(code @ 129..160), .. }) => Ended::Signal(code - 128),
            (Some(_), Heard { end: Some(code), .. }) => Ended::Code(code),
            // Whatever it ended with: the guest never said that the program did. vng ends with 255 when its guest panics.
            _ => Ended::MachineGone,
        })
    }

    async fn alive(&self) -> bool {
        let beats = self.heard.borrow().beats;
        self.wait(load::patient(ALIVE_LIMIT), |heard| heard.beats > beats).await.is_some_and(|heard| heard.beats > beats)
    }

    async fn destroy(mut self: Box<Self>) {
        self.tasks.shutdown().await;
    }
}

impl CommandMachine {
    /// Waits until `test` holds or nothing more can come; none at the limit.
    async fn wait(&self, limit: Duration, mut test: impl FnMut(&Heard) -> bool) -> Option<Heard> {
        let mut heard = self.heard.subscribe();
        timeout(limit, heard.wait_for(|heard| heard.exit.is_some() || test(heard))).await.ok()?.ok().map(|heard| heard.clone())
    }

    /// Why a command ended before the guest said a word.
    fn not_booted(&self, heard: &Heard) -> Failure {
        let program = self.argv.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
        let said = last_lines(&heard.said, 2);
        let boot = |what: String| Failure {
            stage: Stage::Boot,
            reason: format!("{program} ended with {what} before its guest said a word: {said}"),
        };
        match heard.exit.flatten() {
            Some(Exit::Code(127)) => infra(format!("{program} is not installed ({said})")),
            Some(Exit::Code(126)) => infra(format!("{program} cannot be executed ({said})")),
            Some(Exit::Code(255)) => boot("exit status 255, which is vng's when its guest panicked,".to_owned()),
            Some(exit @ Exit::Code(_)) => boot(exit.to_string()),
            Some(exit @ Exit::Signal(_)) => infra(format!("{program} was ended by {exit}: {said}")),
            None => infra(format!("{program} was lost: {said}")),
        }
    }
}

/// The reading end of a command.
struct Guest {
    console: mpsc::Sender<Vec<u8>>,
    nonce: String,
    heard: watch::Sender<Heard>,
    turned: watch::Receiver<bool>,
    /// What came behind the control test before the trial turned to the reproducer.
    held: Vec<u8>,
}

impl Guest {
    /// Reads what a command writes until it ends.
    async fn listen(mut self, mut child: Child, mut output: pipe::Receiver) {
        let mut lines = WholeLines::default();
        let mut exit = None;
        let mut turned = self.turned.clone();
        loop {
            let waits = !self.heard.borrow().shown;
            tokio::select! {
                piece = process::read(&mut output), if self.held.len() < HELD => match piece {
                    Some(piece) => self.take(&lines.feed(&piece)).await,
                    None => break,
                },
                Ok(()) = async { turned.wait_for(|turned| *turned).await.map(drop) }, if waits => self.show().await,
                ended = child.wait(), if exit.is_none() => exit = Some(ended.ok()),
            }
            if exit.is_some() {
                // What escaped it may hold the pipe.
                while let Ok(Some(piece)) = timeout(Duration::from_secs(1), process::read(&mut output)).await {
                    self.take(&lines.feed(&piece)).await;
                }
                break;
            }
        }
        self.take(&lines.rest()).await;
        let exit = match exit {
            Some(exit) => exit,
            None => child.wait().await.ok(),
        };
        let is_held_back = self.heard.borrow().control == Some(true);
        if is_held_back && turned.wait_for(|turned| *turned).await.map(drop).is_ok() {
            self.show().await;
        }
        self.heard.send_modify(|heard| heard.exit = Some(exit));
    }

    async fn take(&mut self, lines: &[u8]) {
        let mut parts = [Vec::new(), Vec::new()];
        self.heard.send_modify(|heard| parts = heard.take(lines, &self.nonce));
        let [before, behind] = parts;
        self.send(before).await;
        if self.heard.borrow().shown {
            self.send(behind).await;
        } else {
            self.held.extend_from_slice(&behind);
        }
    }

    /// The trial has turned to the reproducer.
    async fn show(&mut self) {
        let held = std::mem::take(&mut self.held);
        self.send(held).await;
        self.heard.send_modify(|heard| heard.shown = true);
    }

    async fn send(&self, console: Vec<u8>) {
        if !console.is_empty() {
            // A trial that listens no more does not stop the guest.
            let _ = self.console.send(console).await;
        }
    }
}

//! Machines that trials run on: what every kind can do. Owns booting, consoles and control; knows nothing of crashes.
//!
//! A trial's life: [`Pool::create`] → [`Machine::copy`] → [`Machine::boot`] → [`Machine::exec`] (control test, then the
//! reproducer, perhaps many times) → [`Machine::destroy`]. Every step may fail, with [`Stage::Infra`] where the host rather than
//! the kernel is to blame, so that the same trait serves a cloud.
//!
//! [`Stage::Infra`]: kbisect_core::policy::Stage::Infra

pub mod calls;
#[cfg(test)]
mod cloud_tests;
pub mod command;
pub mod control;
pub mod identity;
pub mod image;
mod lines;
pub mod process;
pub mod qemu;
pub mod shown;

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use kbisect_core::commit::CommitId;
use kbisect_core::policy::Failure;
use kbisect_core::policy::Stage;
use tempfile::TempDir;
use tokio::sync::mpsc;

use self::identity::Identity;

/// What a machine is made for.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Number of the trial, for names and logs.
    pub trial: u64,
    /// The commit under test.
    pub commit: CommitId,
    /// Folder with the built kernel (`kernel`, perhaps `initrd`); none for kinds that boot nothing.
    pub kernel: Option<PathBuf>,
    /// Which of the pool's slots to use, from 0; each is used by one trial at a time.
    pub slot: u32,
    /// The reproducer and its arguments, for kinds that must know them before they boot.
    pub command: Vec<String>,
}

/// A program to run in a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// The control test: can this kernel do the basics?
    Control,
    /// The reproducer with its arguments, the `run`-th time in this boot, from 1.
    Reproducer {
        /// Which run.
        run: u32,
        /// Program and arguments, placeholders filled in.
        argv: Vec<String>,
    },
}

/// Most that is kept of what programs print in one boot, in bytes.
const MOST_PRINTED: usize = 256 << 10;

/// How a program in a machine ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// With this exit status.
    Code(i32),
    /// Killed by this signal.
    Signal(i32),
    /// It ran until the time limit and was ended.
    TimeLimit,
    /// The control test failed, and how.
    ControlFailed(String),
    /// The machine ended (reset, power off, emulator gone) before the program did.
    MachineGone,
}

/// Makes machines of one kind.
#[async_trait]
pub trait Pool: Send + Sync {
    /// How many machines may live at once.
    fn slots(&self) -> u32;

    /// Makes a fresh machine; nothing of an earlier trial is in it.
    async fn create(&self, setup: &Setup) -> Result<Box<dyn Machine>, Failure>;
}

/// One fresh machine. Dropping it kills it; [`Machine::destroy`] does so in an orderly way.
#[async_trait]
pub trait Machine: Send + Sync {
    /// The console's bytes as they come; the channel ends when the machine does. Taken once, before [`Machine::boot`].
    fn console(&mut self) -> mpsc::Receiver<Vec<u8>>;

    /// How far the console may lag behind the end of a program; zero where everything is in the channel by then.
    fn lag(&self) -> Duration;

    /// Starts the machine and waits until it takes commands. Says whether it runs the kernel that was built; another one fails the
    /// boot.
    async fn boot(&mut self) -> Result<Identity, Failure>;

    /// Brings a file into the machine; called before [`Machine::boot`]. Kinds that can only copy into a running machine do it at
    /// the end of the boot. Fails with stage `copy`.
    async fn copy(&mut self, from: &Path, to: &str) -> Result<(), Failure>;

    /// Runs a program until it ends or `limit` has passed; after [`Ended::TimeLimit`] the machine runs nothing more. What the
    /// kernel said meanwhile is on the console within [`Machine::lag`] of this.
    async fn exec(&self, program: &Program, limit: Duration) -> Result<Ended, Failure>;

    /// What programs printed so far, bounded, on kinds that tell it from the console. On others it is on the console.
    fn printed(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Whether the machine still answers, also while a program runs; false when it crashed, hangs or is gone.
    async fn alive(&self) -> bool;

    /// Ends the machine and frees what it held.
    async fn destroy(self: Box<Self>);
}

/// The folder of a trial's kernel, absolute: emulators run in folders of their own.
fn kernel_folder(setup: &Setup) -> Result<PathBuf, Failure> {
    let kernel = setup.kernel.as_ref().ok_or_else(|| infra("there is no kernel to boot".to_owned()))?;
    if !kernel.join("kernel").is_file() {
        return Err(infra(format!("`{}` holds no kernel", kernel.display())));
    }
    kernel.canonicalize().map_err(|error| infra(format!("`{}`: {error}", kernel.display())))
}

/// A fresh folder for a trial's machine in `dir`, which need not be there yet.
fn folder_of_trial(dir: &Path, setup: &Setup) -> Result<TempDir, Failure> {
    let make = || {
        fs::create_dir_all(dir)?;
        tempfile::Builder::new().prefix(&format!("trial-{}-", setup.trial)).tempdir_in(dir.canonicalize()?)
    };
    make().map_err(|error| infra(format!("cannot make a folder in `{}`: {error}", dir.display())))
}

/// 32 hexadecimal digits that nobody can know.
fn nonce() -> Result<String, Failure> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| infra(format!("no random numbers: {error}")))?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Keeps what a program printed, as far as there is room for it.
fn keep(printed: &mut Vec<u8>, piece: &[u8]) {
    let fits = piece.len().min(MOST_PRINTED - printed.len());
    printed.extend_from_slice(&piece[..fits]);
}

fn infra(reason: String) -> Failure {
    Failure { stage: Stage::Infra, reason }
}

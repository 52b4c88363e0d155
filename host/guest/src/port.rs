//! The control port's line discipline: a raw serial port, written by whole lines.

use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::BufReader;
use std::io::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;

use rustix::termios::OptionalActions;

/// The writing side of the control port.
#[derive(Debug)]
pub(crate) struct Port {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    /// This boot's nonce; only ever in memory.
    nonce: String,
}

impl Port {
    /// Opens the port, for reading lines and for writing.
    pub(crate) fn open(path: &Path) -> io::Result<(BufReader<File>, Self)> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let mut modes = rustix::termios::tcgetattr(&file)?;
        modes.make_raw();
        // An emulator takes any speed for infinite, but the driver waits as if it were real.
        let _ = modes.set_speed(115_200);
        rustix::termios::tcsetattr(&file, OptionalActions::Now, &modes)?;
        let reader = BufReader::new(file.try_clone()?);
        Ok((reader, Self { state: Mutex::new(State { file, nonce: String::new() }) }))
    }

    /// Says that the boot is over.
    pub(crate) fn send_bare_hello(&self) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.file.write_all(b"kbisect hello\n")
    }

    /// Keeps the nonce for all later lines.
    pub(crate) fn set_nonce(&self, nonce: &str) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).nonce = nonce.to_owned();
    }

    /// Sends `VERB ARGS` with the nonce, in one write.
    pub(crate) fn send(&self, words: &str) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let line = format!("kbisect {} {words}\n", state.nonce);
        state.file.write_all(line.as_bytes())
    }
}

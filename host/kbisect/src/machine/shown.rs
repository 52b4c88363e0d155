//! Machines whose consoles are shown while they run, and what programs print once they have ended. Owns no more than that: everything
//! else is the machine's own.

use std::io::IsTerminal as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kbisect_core::policy::Failure;
use tokio::sync::mpsc;

use super::Ended;
use super::Machine;
use super::Pool;
use super::Program;
use super::Setup;
use super::identity::Identity;
use crate::harmless::harmless;

/// Pieces of console under way, as between a machine and its trial.
const PIECES: usize = 16;

/// A pool whose machines write what is on their consoles to standard output, too.
pub struct Shown(pub Arc<dyn Pool>);

#[async_trait]
impl Pool for Shown {
    fn slots(&self) -> u32 {
        self.0.slots()
    }

    async fn create(&self, setup: &Setup) -> Result<Box<dyn Machine>, Failure> {
        Ok(Box::new(ShownMachine(self.0.create(setup).await?)))
    }
}

struct ShownMachine(Box<dyn Machine>);

#[async_trait]
impl Machine for ShownMachine {
    fn console(&mut self) -> mpsc::Receiver<Vec<u8>> {
        let mut pieces = self.0.console();
        let (sender, shown) = mpsc::channel(PIECES);
        tokio::spawn(async move {
            while let Some(piece) = pieces.recv().await {
                show(&piece);
                if sender.send(piece).await.is_err() {
                    return;
                }
            }
        });
        shown
    }

    fn lag(&self) -> Duration {
        self.0.lag()
    }

    async fn boot(&mut self) -> Result<Identity, Failure> {
        self.0.boot().await
    }

    async fn copy(&mut self, from: &Path, to: &str) -> Result<(), Failure> {
        self.0.copy(from, to).await
    }

    async fn exec(&self, program: &Program, limit: Duration) -> Result<Ended, Failure> {
        let before = self.0.printed().len();
        let ended = self.0.exec(program, limit).await;
        show(&self.0.printed()[before..]);
        ended
    }

    fn printed(&self) -> Vec<u8> {
        self.0.printed()
    }

    async fn alive(&self) -> bool {
        self.0.alive().await
    }

    async fn destroy(self: Box<Self>) {
        self.0.destroy().await;
    }
}

/// Nobody may be looking any more; the trial goes on. Files get what was printed as it is.
fn show(piece: &[u8]) {
    let mut output = std::io::stdout().lock();
    let written = if output.is_terminal() { output.write_all(tame(piece).as_bytes()) } else { output.write_all(piece) };
    let _ = written.and_then(|()| output.flush());
}

/// What of a console cannot steer the user's terminal.
fn tame(piece: &[u8]) -> String {
    harmless(&String::from_utf8_lossy(piece).replace('\r', "")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_does_not_steer_the_terminal() {
        assert_eq!(
            tame(b"[ 1.0] x\r\n\x1b]52;c;ZXZpbA==\x07\x1b[2Jhello\xff\n"),
            "[ 1.0] x\n?]52;c;ZXZpbA==??[2Jhello\u{fffd}\n"
        );
    }
}

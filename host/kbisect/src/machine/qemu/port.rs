//! The host's side of a control port: carries lines between a socket and a [`Conversation`]. Owns the waiting.

use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::Mutex;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::machine::control::BadLine;
use crate::machine::control::Command;
use crate::machine::control::Conversation;
use crate::machine::control::Lines;
use crate::machine::control::Traced;

/// A guest that takes this long to read a line hangs.
const WRITE_LIMIT: Duration = Duration::from_secs(10);

/// Everything heard on a port.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    /// What was said according to the protocol.
    pub(super) talk: Conversation,
    /// The first line that was not.
    pub(super) broken: Option<BadLine>,
    /// The other side is gone.
    pub(super) closed: bool,
}

impl Heard {
    /// Nothing more can come that would count.
    pub(super) fn over(&self) -> bool {
        self.closed || self.broken.is_some()
    }
}

/// A control port.
#[derive(Debug)]
pub(super) struct Port {
    heard: watch::Sender<Heard>,
    writer: Mutex<Option<OwnedWriteHalf>>,
}

impl Port {
    /// A port that is not connected yet.
    pub(super) fn new(nonce: String) -> Self {
        let heard = Heard { talk: Conversation::new(nonce), broken: None, closed: false };
        Self { heard: watch::Sender::new(heard), writer: Mutex::new(None) }
    }

    /// Listens until the other side closes or breaks the protocol.
    pub(super) async fn serve(&self, stream: UnixStream) {
        let (reader, writer) = stream.into_split();
        *self.writer.lock().await = Some(writer);
        if let Err(broken) = self.listen(reader).await {
            self.heard.send_modify(|heard| heard.broken = Some(broken));
        }
        self.heard.send_modify(|heard| heard.closed = true);
    }

    async fn listen(&self, mut reader: OwnedReadHalf) -> Result<(), BadLine> {
        let mut lines = Lines::default();
        let mut piece = vec![0; 4096];
        while let Ok(count @ 1..) = reader.read(&mut piece).await {
            for line in lines.feed(&piece[..count])? {
                let mut answer = Ok(None);
                self.heard.send_modify(|heard| answer = heard.talk.hear(&line));
                if let Some(command) = answer? {
                    self.send(&command).await;
                }
            }
        }
        Ok(())
    }

    /// Sends a command; false where nobody reads it.
    pub(super) async fn send(&self, command: &Command) -> bool {
        self.heard.send_modify(|heard| heard.talk.ask(command));
        let line = format!("{command}\n");
        let mut writer = self.writer.lock().await;
        let Some(writer) = writer.as_mut() else { return false };
        matches!(timeout(WRITE_LIMIT, writer.write_all(line.as_bytes())).await, Ok(Ok(())))
    }

    /// Waits until `test` holds or nothing more can come, but no longer than `limit`; none at the limit.
    pub(super) async fn wait(&self, limit: Duration, mut test: impl FnMut(&Conversation) -> bool) -> Option<Heard> {
        let mut heard = self.heard.subscribe();
        timeout(limit, heard.wait_for(|heard| heard.over() || test(&heard.talk))).await.ok()?.ok().map(|heard| heard.clone())
    }

    /// What programs printed so far.
    pub(super) fn printed(&self) -> Vec<u8> {
        self.heard.borrow().talk.printed.clone()
    }

    /// How the system calls of the run that was traced end so far.
    pub(super) fn traced(&self) -> Option<Traced> {
        self.heard.borrow().talk.traced.clone()
    }

    /// Notes so far.
    pub(super) fn notes(&self) -> u64 {
        self.heard.borrow().talk.notes
    }
}

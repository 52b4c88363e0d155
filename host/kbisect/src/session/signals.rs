//! What breaks a run off from outside: Ctrl-C and its like, and the deadline.

use std::io;
use std::time::Duration;
use std::time::Instant;

use tokio::signal::unix::Signal;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;

use super::dispatcher::Ending;
use crate::error::Error;

/// Signals that ask the run to stop: interrupt, terminate, hang-up.
#[derive(Debug)]
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    /// When this process has had its time for the run.
    deadline: Option<Instant>,
}

impl Signals {
    /// As [`Self::listen`], with the error that a run ends with; `limit` is the time that it has from now on.
    pub(super) fn of_a_run(limit: Option<Duration>) -> Result<Self, Error> {
        let signals = Self::listen().map_err(|error| Error::infrastructure(format!("cannot listen for signals: {error}")))?;
        // What a clock cannot count to is never reached.
        Ok(Self { deadline: limit.and_then(|limit| Instant::now().checked_add(limit)), ..signals })
    }

    /// Listens from now on; the signals no longer end the process by themselves.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            deadline: None,
        })
    }

    /// When the run's time is over; none where it has no end.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Does some work, unless a signal or the deadline comes before its end; it is dropped then.
    pub(super) async fn during<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Ending> {
        let deadline = self.deadline.map(Into::into);
        tokio::select! {
            done = work => Ok(done),
            () = self.next() => Err(Ending::Signal),
            () = until(deadline) => Err(Ending::Deadline),
        }
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}

/// Waits for a time; for ever where there is none.
async fn until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

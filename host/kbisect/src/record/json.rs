//! Durable events as JSON, one a line, for programs: the journal's own lines.

use std::io::Write;

use super::Renderer;
use super::event::Notice;

/// Writes every durable event to `out` as it happens.
pub struct JsonStream<W> {
    out: W,
}

impl<W: Write> JsonStream<W> {
    /// A stream to `out`.
    pub fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Write + Send> Renderer for JsonStream<W> {
    fn show(&mut self, notice: Notice<'_>) {
        if let Notice::Durable(entry) = notice {
            // A reader that went away is no reason to end the run.
            let line = serde_json::to_string(entry).expect("events are plain data");
            let _ = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
        }
    }
}

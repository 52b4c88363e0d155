//! The one way events are told: journal first, then every renderer.

use super::Renderer;
use super::event::Entry;
use super::event::Event;
use super::event::Notice;
use super::journal::Journal;
use super::journal::JournalError;
use super::progress::Progress;

/// A journal and the renderers that follow it.
pub struct Recorder {
    journal: Journal,
    renderers: Vec<Box<dyn Renderer>>,
}

impl Recorder {
    /// A recorder without renderers.
    pub fn new(journal: Journal) -> Self {
        Self { journal, renderers: Vec::new() }
    }

    /// Adds a renderer and shows it what an earlier process recorded.
    pub fn attach(&mut self, mut renderer: Box<dyn Renderer>, past: &[Entry]) {
        for entry in past {
            renderer.show(Notice::Durable(entry));
        }
        self.renderers.push(renderer);
    }

    /// Journals a durable event, then shows it.
    pub fn record(&mut self, event: Event) -> Result<Entry, JournalError> {
        let entry = self.journal.append(event)?;
        self.show(Notice::Durable(&entry));
        Ok(entry)
    }

    /// Shows progress, which is kept nowhere.
    pub fn progress(&mut self, progress: &Progress) {
        self.show(Notice::Progress(progress));
    }

    fn show(&mut self, notice: Notice<'_>) {
        for renderer in &mut self.renderers {
            renderer.show(notice);
        }
    }
}

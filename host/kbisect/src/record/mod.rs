//! What happened: typed events, the journal that keeps them, and the renderers that show them.
//!
//! Owns every text a run prints or writes. Decides nothing.

pub mod duration;
pub mod event;
pub mod journal;
pub mod json;
pub mod recorder;
pub mod report;
pub mod report_text;
pub mod syzbot_log;
pub mod syzlog;
pub mod terminal;

use event::Notice;

/// Shows or writes what happens. Renderers come after the journal: what they are told is already kept.
pub trait Renderer: Send {
    /// Takes note of one happening.
    fn show(&mut self, notice: Notice<'_>);
}

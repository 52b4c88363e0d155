//! What happened: typed events, the journal that keeps them, and the renderers that show them.
//!
//! Owns every text a run prints or writes. Decides nothing.

pub mod duration;
pub mod event;
pub mod explanation;
pub mod explanation_text;
pub mod faces;
pub mod journal;
pub mod json;
pub mod mentions;
pub mod minimized;
pub mod pace;
pub mod priors;
pub mod progress;
pub mod reaches;
pub mod recorder;
pub mod report;
pub mod report_text;
pub mod reproduce;
pub mod rows;
pub mod setting;
pub mod standing;
pub mod stays;
pub mod syzlog;
pub mod terminal;
pub mod timeline;

use event::Notice;
use kbisect_core::commit::CommitId;

/// Shows or writes what happens. Renderers come after the journal: what they are told is already kept.
pub trait Renderer: Send {
    /// Takes note of one happening.
    fn show(&mut self, notice: Notice<'_>);
}

/// A number of things in words: `1 trial`, `2 trials`; from the word for one of them.
pub fn counted(count: u64, one: &str) -> String {
    let ending = match count {
        1 => "",
        _ if one.ends_with('s') || one.ends_with("sh") => "es",
        _ => "s",
    };
    format!("{count} {one}{ending}")
}

/// A commit in the kernel's way: 12 digits and the subject.
pub fn cited(commit: &CommitId, subject: &str) -> String {
    format!("{} (\"{subject}\")", commit.short())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_singular() {
        for (count, one, text) in
            [(0, "trial", "0 trials"), (1, "trial", "1 trial"), (2, "crash", "2 crashes"), (1, "crash", "1 crash")]
        {
            assert_eq!(counted(count, one), text);
        }
    }
}

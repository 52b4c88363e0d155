//! syzbot's bisection logs, of every dialect from 2018 to 2026: read into plain types, and written back.
//!
//! Owns the format: what each line looks like and what it says. A log is a list of [`Item`]s; [`Log::tests`], [`Log::answer`] and the
//! [`Line`] of its commits are what they amount to. Writing the items gives the text back. Not here: what kbisect makes of a log (`cli::replay`), and when a
//! run of kbisect writes which line (`record::syzlog`).
//!
//! Sources of the format: the line table of syzkaller's `pkg/bisect` over the years, and published logs.

use kbisect_core::bisector::Kind;
use kbisect_core::commit::CommitId;
use serde::Deserialize;
use serde::Serialize;

mod answer;
mod commit_text;
mod confidence;
mod item;
mod line;
mod read;
mod recognize;
mod tested;
mod write;

pub use answer::Answer;
pub use answer::Crash;
pub use answer::Found;
pub use answer::Totals;
pub use commit_text::Change;
pub use commit_text::CommitText;
pub use commit_text::Extent;
pub use item::Compiler;
pub use item::End;
pub use item::Item;
pub use item::List;
pub use line::Left;
pub use line::Line;
pub use line::Spot;
pub use read::Error;
pub use read::FileError;
pub use read::MAX_BYTES;
pub use read::Oddity;
pub use read::Warning;
pub use read::bytes_of;
pub use read::of_bytes;
pub use read::read;
pub use read::read_file;
pub use tested::Place;
pub use tested::Run;
pub use tested::Tested;

/// A bisection log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Log {
    /// What is looked for.
    pub kind: Kind,
    /// Where the crash was seen.
    pub start: CommitId,
    /// The log's elements, in its order.
    pub items: Vec<Item>,
    /// Whether the text ends with a line end.
    pub final_newline: bool,
    /// What could not be understood, or looks wrong.
    pub warnings: Vec<Warning>,
}

#[cfg(test)]
pub(crate) mod tests;

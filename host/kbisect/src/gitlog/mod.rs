//! git's own bisection log, as `git bisect log` prints it and `git bisect replay` reads it: BISECT_LOG.
//!
//! Owns the format, old spellings included. What a log's verdicts mean to a run is not known here (`cli::import`, `cli::log`).

mod read;
mod write;

pub use read::Error;
pub use read::Log;
pub use read::MAX_BYTES;
pub use read::Marked;
pub use read::read;
pub use write::Session;
pub use write::Told;
pub use write::render;

/// What git was told of a commit. Bad is the side that is looked for: what the first of it is, is the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mark {
    /// `good`, `old`, or the term for it.
    Good,
    /// `bad`, `new`, or the term for it.
    Bad,
    /// `skip`.
    Skip,
}

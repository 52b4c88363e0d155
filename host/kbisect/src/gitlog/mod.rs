//! git's own bisection log, as `git bisect log` prints it and `git bisect replay` reads it: BISECT_LOG.
//!
//! Owns the format, old spellings included. What a log's verdicts mean to a run is not known here (`cli::import`, `cli::log`).

mod mark;
mod marks;
mod read;
mod write;

pub use mark::Mark;
pub use marks::Marks;
pub use read::Error;
pub use read::Log;
pub use read::Marked;
pub use read::read;
pub use write::Session;
pub use write::Told;
pub use write::render;

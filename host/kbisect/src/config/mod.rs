//! The job: what is to be bisected and how. Owns the file format and the defaults; starts nothing.
//!
//! [`read`] makes a [`job::Job`] of a job file and [`CommandLine`] makes one of `kbisect run -- CMD`; [`write()`] is the way back.
//! Each element of the file has a file of its own here. Whether commits exist or plugins load is for the rooms that own these.

mod build;
mod command;
mod command_line;
mod document;
pub mod duration;
mod host;
pub mod job;
mod json;
mod limits;
mod machine;
mod origin;
mod patch;
mod path;
mod plugin;
mod problem;
mod reader;
mod repro;
mod search;
pub mod size;
mod target;
mod trial;
mod value;
mod write;

#[cfg(test)]
mod tests;

pub use command_line::CommandLine;
pub use host::Host;
pub use machine::default_image;
pub use origin::Origin;
pub use origin::Origins;
pub use problem::Place;
pub use problem::Problem;
pub use problem::Problems;
pub use reader::read;
pub use reader::read_frozen;
pub use reader::read_on;
pub use search::DELTA;
pub use write::Line;
pub use write::lines;
pub use write::write;

/// A job with every value settled, and where each came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// The job.
    pub job: job::Job,
    /// Where its values came from.
    pub origins: Origins,
}

//! The job: what is to be bisected and how. Owns the file format; starts nothing.

pub mod job;

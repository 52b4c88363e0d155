//! Builds of commits: runs the job's build command and keeps what it makes.
//!
//! Owns the command's placeholders, the store of kernels and their signatures. Checkouts are `git`'s; which commit is built when,
//! and how often, the session decides.

pub mod placeholders;
pub mod signature;

/// The last `count` lines of some output that are not empty, as one line for people.
pub fn last_lines(output: &[u8], count: usize) -> String {
    let text = String::from_utf8_lossy(output);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join(" | ")
}

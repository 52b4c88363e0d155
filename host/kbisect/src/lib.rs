//! Finds the commit that introduced (or fixed) a Linux kernel crash: the part that acts.
//!
//! Arrows: `cli` → `session` → {`kbisect_core`, `git`, `build`, `machine`, `trial`, `policy`}; `policy` → `plugin`; everyone →
//! `record`'s event types. `kbisect_core` decides and imports none of these. The words (trial, outcome, verdict, culprit, …) are
//! those of [`kbisect_core`].

mod bounded;
pub mod build;
mod caches;
pub mod check;
pub mod cli;
pub mod config;
pub mod corpus;
pub mod credence;
pub mod doctor;
pub mod embedded;
pub mod error;
pub mod exit;
pub mod git;
pub mod gitlog;
mod harmless;
mod log_text;
pub mod machine;
pub mod plugin;
pub mod policy;
pub mod process;
pub mod record;
mod removal;
pub mod replay;
pub mod repro;
pub mod session;
pub mod simulate;
pub mod start;
pub mod symbols;
pub mod syzbot;
pub mod trial;

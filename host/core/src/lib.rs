//! Decides what to test next, and says what the evidence so far means.
//!
//! # Terminology
//!
//! * *start commit*: where the crash was seen. *Target*: the crash being bisected; its *faces* are the looks it has shown.
//! * *Trial*: one fresh machine that runs the reproducer. *Outcome* of a trial: clean, crashed or void. *Verdict* on a commit:
//!   good, bad or skip. *Culprit*: the first bad commit (cause) or the first good one (fix).
//! * *r*: chance that a trial at a bad commit shows the target. *f*: chance that a trial at a good commit ends in a crash taken
//!   for the target (a false alarm). *u*: chance that a trial ends in a crash that is not the target (a stray).
//! * *Look*: crashes that `relate` takes for one another. *Boundary*: the first commit at which the target shows.
//!
//! This crate is pure: no clock, files, network, threads or printing. The same calls give the same answers.

pub mod bisector;
pub mod caveat;
pub mod commit;
pub mod crash;
pub mod credence;
pub mod git_compat;
pub mod graph;
pub mod minimize;
pub mod policy;
pub mod posterior;
pub mod prior;
pub mod range;
pub mod reach;
pub mod select;
pub mod simulate;
mod strands;

#[cfg(test)]
mod testing;

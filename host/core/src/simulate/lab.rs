//! The clock: machines and builders, and what they are at. Owns time; decides nothing.

use crate::commit::CommitId;

/// What a bisection has to work with, and how long things take, in minutes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lab {
    /// Trials that can run at once.
    pub machines: usize,
    /// Kernels that can be built at once.
    pub builders: usize,
    /// To build a kernel.
    pub build: f64,
    /// To set up a machine and boot it.
    pub boot: f64,
    /// A clean trial, behind the boot.
    pub trial: f64,
}

impl Default for Lab {
    fn default() -> Self {
        Self { machines: 10, builders: 2, build: 6.0, boot: 2.0, trial: 5.0 }
    }
}

/// A kernel that is being built.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Build {
    pub(super) commit: CommitId,
    pub(super) number: u32,
    pub(super) ends: f64,
}

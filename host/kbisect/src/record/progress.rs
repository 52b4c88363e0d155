//! What is going on in a bisection right now, as data. None of it is journalled.

use kbisect_core::bisector::Summary;
use kbisect_core::bisector::TrialNumber;
use kbisect_core::commit::CommitId;
use kbisect_core::policy::Failure;

/// What is going on right now; shown, never kept.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// A build started.
    Building {
        /// The commit.
        commit: CommitId,
        /// Which build, from 1.
        build: u32,
    },
    /// Commits are being weighed.
    Weighing {
        /// How many.
        commits: usize,
    },
    /// A trial started.
    Trying {
        /// Its number.
        trial: TrialNumber,
        /// The commit.
        commit: CommitId,
        /// The slot it runs in.
        slot: u32,
    },
    /// A trial was ended early because nothing it could still say matters.
    Cancelled {
        /// Its number.
        trial: TrialNumber,
    },
    /// It is looked how far the reproducer gets.
    Probing {
        /// Where.
        commit: CommitId,
    },
    /// Where the search stands.
    Standing(Summary),
    /// An infrastructure failure is tried again.
    Retrying {
        /// What failed.
        failure: Failure,
    },
}

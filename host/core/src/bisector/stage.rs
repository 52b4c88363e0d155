//! Where a bisection stands, and the border between the two strategies and the rest.

use std::sync::Arc;

use super::Bisector;
use super::Conclusion;
use super::Pending;
use super::Plan;
use super::known::Known;
use super::range::Range;
use crate::graph::Node;
use crate::policy::Role;

/// Where a bisection stands.
#[derive(Debug, Clone)]
pub(super) enum Stage {
    /// An end of the range, or a merge base, must be tested (more).
    Test(Node, Role),
    /// Candidates are told apart.
    Search(Arc<Range>),
    /// There is nothing to search.
    End(Conclusion),
}

/// A way to choose commits. Its answers are functions of what is known.
pub(super) trait Choose {
    /// Where the bisection stands.
    fn stage(&self, bisector: &Bisector, known: &Known) -> Stage;
    /// What to do inside the range.
    fn plan(&self, bisector: &Bisector, known: &Known, range: &Range, pending: &[Pending]) -> Plan;
    /// Revisions left after the commit under test, and git's estimate of steps.
    fn left(&self, bisector: &Bisector, known: &Known, range: &Range) -> (usize, usize);
}

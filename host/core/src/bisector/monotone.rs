//! Histories in which the crash came, went and came again: no single boundary explains what was seen.

use super::Bisector;
use super::View;
use super::search::Search;
use super::stage::Stage;
use crate::graph::Node;
use crate::posterior::Belief;

/// One boundary that explains the trials less well than freely chosen good and bad commits, by this factor (as a logarithm), does not
/// explain them. A kernel that cannot show the bug for reasons of its own costs up to 7.6.
const CANNOT_BE: f64 = 6.9;
/// A commit must have shown the target so often to stand against another one.
const SHOWN: u32 = 2;

/// Two commits of which one has the bug and the other does not, although one boundary allows only the reverse.
pub(super) struct Conflict {
    /// Shows the crash.
    pub(super) bad: Node,
    /// Does not.
    pub(super) good: Node,
}

impl Bisector {
    /// Why there is no single boundary, if the trials say so.
    pub fn not_monotone(&self) -> Option<String> {
        let View { known, stage: Stage::Search(range) } = self.view() else { return None };
        let search = self.search(known, range);
        search.conflict(&range.posterior.beliefs[0]).map(|conflict| search.not_monotone(&conflict))
    }
}

impl Search<'_> {
    /// The two commits that say most clearly that there is no single boundary, if that is so.
    pub(super) fn conflict(&self, belief: &Belief) -> Option<Conflict> {
        if belief.misfit < CANNOT_BE {
            return None;
        }
        let sites = || self.range.posterior.sites.iter().zip(&belief.sites);
        let bad = || sites().filter(|(_, belief)| belief.hits >= SHOWN && belief.alone > 0.0);
        let good = || sites().filter(|(site, belief)| site.clean_counts && belief.clean > 0.0 && belief.alone < 0.0);
        // Looking for a cause, what contains a bad commit is bad; looking for a fix, what a bad commit contains.
        let conflict = |bad: Node, good: Node| match self.range.begins {
            true => self.graph.is_ancestor(bad, good),
            false => self.graph.is_ancestor(good, bad),
        };
        let pairs = bad().flat_map(|(bad, shows)| {
            good().map(move |(good, is_clean)| (bad.node, good.node, f64::min(shows.alone, -is_clean.alone)))
        });
        pairs
            .filter(|&(bad, good, _)| conflict(bad, good))
            .max_by(|(_, _, one), (_, _, other)| one.total_cmp(other))
            .map(|(bad, good, _)| Conflict { bad, good })
    }

    /// Why there is no single boundary, with the two commits that say so.
    pub(super) fn not_monotone(&self, conflict: &Conflict) -> String {
        let posterior = &self.range.posterior;
        let seen = |node: Node| posterior.seen(&posterior.beliefs[0], node).expect("what is in conflict was tested");
        let (bad, good) = (self.graph.id(conflict.bad).short(), self.graph.id(conflict.good).short());
        let relation = if self.range.begins { "contains" } else { "is contained in" };
        format!(
            "the history is not monotone: {bad} shows the crash ({} trials), but {good}, which {relation} it, does not ({:.0} clean trials)",
            seen(conflict.bad).hits,
            seen(conflict.good).clean
        )
    }
}

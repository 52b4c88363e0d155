//! Histories in which the crash came, went and came again: no single boundary explains what was seen.

use super::Bisector;
use super::View;
use super::search::HITS;
use super::search::Search;
use super::stage::Stage;
use crate::graph::Node;
use crate::posterior::Belief;

/// One boundary that explains the trials less well than freely chosen good and bad commits, by this factor (as a logarithm), does not
/// explain them. A kernel that cannot show the bug for reasons of its own costs up to 7.6.
const CANNOT_BE: f64 = 6.9;

impl Bisector {
    /// Why there is no single boundary, if the trials say so.
    pub fn not_monotone(&self) -> Option<String> {
        let View { known, stage: Stage::Search(range) } = self.view() else { return None };
        self.search(known, range).not_monotone(&range.posterior.beliefs[0])
    }
}

impl Search<'_> {
    /// Why there is no single boundary, with the two commits that say so.
    pub(super) fn not_monotone(&self, belief: &Belief) -> Option<String> {
        if belief.misfit < CANNOT_BE {
            return None;
        }
        let sites = || self.range.posterior.sites.iter().zip(&belief.sites);
        let shows: Vec<_> = sites().filter(|(_, belief)| belief.hits >= HITS).collect();
        let mut clean: Vec<_> =
            sites().filter(|(site, belief)| site.clean_counts && belief.hits == 0 && belief.clean > 0.0).collect();
        clean.sort_by(|(_, one), (_, other)| other.clean.total_cmp(&one.clean));
        // Looking for a cause, what contains a bad commit is bad; looking for a fix, what a bad commit contains.
        let conflict = |bad: Node, good: Node| match self.range.begins {
            true => self.graph.is_ancestor(bad, good),
            false => self.graph.is_ancestor(good, bad),
        };
        let pairs = clean.iter().flat_map(|clean| shows.iter().map(move |shows| (shows, clean)));
        let ((bad, showed), (good, was)) = pairs.into_iter().find(|((bad, _), (good, _))| conflict(bad.node, good.node))?;
        let (bad, good) = (self.graph.id(bad.node).short(), self.graph.id(good.node).short());
        let relation = if self.range.begins { "contains" } else { "is contained in" };
        Some(format!(
            "the history is not monotone: {bad} shows the crash ({} trials), but {good}, which {relation} it, does not ({:.0} clean trials)",
            showed.hits, was.clean
        ))
    }
}

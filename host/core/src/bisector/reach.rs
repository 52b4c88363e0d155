//! Where it is worth looking how far the reproducer gets, and what the search makes of it.
//!
//! A commit where it does not get to the crash still tells where the crash begins to *show*: clean is clean. But the walk through the
//! releases goes on behind it, since it does not tell that the bug came in later; and where an older commit shows the crash, its clean
//! trials no longer contradict that.

use super::Bisector;
use super::Conclusion;
use super::Kind;
use super::Strategy;
use super::known::Known;
use super::stage::Stage;
use crate::commit::CommitId;
use crate::graph::Node;
use crate::policy::Verdict;
use crate::reach::Reached;

impl Bisector {
    /// Takes into account whether the reproducer gets at a commit where it gets at the start commit. Of the start commit itself it says
    /// whether anything can be compared with it.
    pub fn record_reach(&mut self, commit: CommitId, reached: Reached) {
        self.recorded.reach(commit, reached);
        self.evidence_changed();
    }

    /// Where the crash was seen.
    pub fn start(&self) -> CommitId {
        self.graph.id(self.places.start)
    }

    /// Whether the reproducer gets at a commit where it gets at the start commit; none where nobody looked.
    pub fn reached(&self, commit: &CommitId) -> Option<Reached> {
        self.recorded.reached(commit)
    }

    /// The commits at which it should be looked how far the reproducer gets: clean ends of the range and, where a commit is to be named,
    /// its clean parents; before them the start commit, with which they are compared. None where the start commit did not show the
    /// crash, or told nothing.
    pub fn worth_probing(&self, conclusion: Option<&Conclusion>) -> Vec<CommitId> {
        let start = self.places.start;
        let known = &self.view().known;
        let clean = |node: &Node| known.tally(*node).is_some_and(|tally| tally.clean > 0 && tally.hits == 0);
        let shown = known.tally(start).is_some_and(|tally| tally.hits > 0);
        let told = self.reached(&self.graph.id(start));
        if self.places.kind != Kind::Cause || self.settings.strategy == Strategy::Git || !shown || told == Some(Reached::Unknown)
        {
            return Vec::new();
        }
        let mut nodes: Vec<Node> = match &self.view().stage {
            Stage::Search(range) => range.ends.iter().map(|end| end.node).collect(),
            Stage::Test(..) | Stage::End(_) => Vec::new(),
        };
        if let Some(Conclusion::Found { suspects }) = conclusion
            && let Some(named) = suspects.first().and_then(|first| self.graph.node(&first.commit))
        {
            nodes.extend_from_slice(self.graph.parents(named));
        }
        nodes.retain(clean);
        let mut commits: Vec<CommitId> = Vec::new();
        for commit in nodes.into_iter().map(|node| self.graph.id(node)) {
            if self.reached(&commit).is_none() && !commits.contains(&commit) {
                commits.push(commit);
            }
        }
        if !commits.is_empty() && told.is_none() {
            commits.insert(0, self.graph.id(start));
        }
        commits
    }

    /// Whether a commit that shows the crash is contained in this one.
    pub(super) fn contains_bad(&self, known: &Known, node: Node) -> bool {
        let shows = |&node: &Node| known.verdict(node) == Some(Verdict::Bad);
        known.nodes().filter(shows).any(|bad| bad != node && self.graph.is_ancestor(bad, node))
    }
}

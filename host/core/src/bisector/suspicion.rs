//! How guilty commits look before any trial, as far as a suspicion plugin was asked. Owns which commits were; what weights are worth
//! as a prior is [`crate::prior`]'s.

use std::collections::HashMap;

use super::Bisector;
use super::ends::Kind;
use super::stage::Stage;
use crate::commit::CommitId;
use crate::graph::Graph;
use crate::graph::Node;
use crate::prior;

/// The weights, by commit.
#[derive(Debug, Clone, Default)]
pub(super) struct Suspicion {
    of: HashMap<Node, Weight>,
}

#[derive(Debug, Clone, Copy)]
struct Weight {
    /// Over the mean of those that it came with.
    relative: f64,
    /// Mixed with the uniform prior.
    prior: f64,
}

impl Suspicion {
    /// Takes in weights; they replace what was known of the same commits.
    pub(super) fn weigh(&mut self, graph: &Graph, weights: &[(CommitId, f64)], share: f64) {
        let relative = prior::relative(&weights.iter().map(|&(_, weight)| weight).collect::<Vec<_>>());
        for ((commit, _), relative) in weights.iter().zip(relative) {
            if let Some(node) = graph.node(commit) {
                self.of.insert(node, Weight { relative, prior: prior::mixed(relative, share) });
            }
        }
    }

    /// The commit's prior probability over the mean; 1 where nobody has an opinion.
    pub(super) fn prior(&self, node: Node) -> f64 {
        self.of.get(&node).map_or(1.0, |weight| weight.prior)
    }
}

impl Bisector {
    /// Takes a suspicion plugin's weights into account: of 0 or more, one for each of some commits, of which only the ratios count.
    /// They are believed with this share; the rest of the prior is the same for every commit.
    pub fn weigh(&mut self, weights: &[(CommitId, f64)], share: f64) {
        self.suspicion.weigh(&self.graph, weights, share);
        self.forget_view();
    }

    /// How guilty a commit looked before any trial: its weight over the mean of those that were weighed with it, unmixed; none where
    /// it was not weighed.
    pub fn suspicion(&self, commit: &CommitId) -> Option<f64> {
        Some(self.suspicion.of.get(&self.graph.node(commit)?)?.relative)
    }

    /// The commits between the ends that nobody has weighed, oldest first; none before the ends are settled.
    pub fn unweighed(&self) -> Vec<CommitId> {
        let Stage::Search(range) = &self.view().stage else {
            return Vec::new();
        };
        let between = match self.places.kind {
            Kind::Cause => {
                let ends: Vec<Node> = range.ends.iter().map(|end| end.node).collect();
                self.graph.range(range.bad, &ends)
            }
            Kind::Fix => (0..range.candidates.len()).map(|rank| range.candidates.node(rank)).collect(),
        };
        between.into_iter().filter(|node| !self.suspicion.of.contains_key(node)).map(|node| self.graph.id(node)).collect()
    }
}

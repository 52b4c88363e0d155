//! How guilty commits look before any trial, as far as a suspicion plugin was asked. Owns which commits were; what weights are worth
//! as a prior is [`crate::prior`]'s.

use std::collections::HashMap;

use serde::Deserialize;
use serde::Serialize;

use super::Bisector;
use super::ends::Kind;
use super::stage::Stage;
use crate::commit::CommitId;
use crate::graph::Node;
use crate::prior;

/// The commits that `newest` contains and none of `oldest` does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// The commit that contains the others.
    pub newest: CommitId,
    /// Commits that are not among them, nor is what they contain.
    pub oldest: Vec<CommitId>,
}

/// The weights, by commit.
#[derive(Debug, Clone, Default)]
pub(super) struct Suspicion {
    of: HashMap<Node, Weight>,
    weighed: Vec<Stretch>,
}

#[derive(Debug, Clone, Copy)]
struct Weight {
    /// Over the mean of those that it came with.
    relative: f64,
    /// Mixed with the uniform prior.
    prior: f64,
}

impl Suspicion {
    /// The commit's prior probability over the mean; 1 where nobody has an opinion.
    pub(super) fn prior(&self, node: Node) -> f64 {
        self.of.get(&node).map_or(1.0, |weight| weight.prior)
    }
}

impl Bisector {
    /// The commits between the ends, if nobody has weighed them yet; none before the ends are settled.
    pub fn unweighed(&self) -> Option<Stretch> {
        let Stage::Search(range) = &self.view().stage else {
            return None;
        };
        let ends = || range.ends.iter().map(|end| end.node).collect::<Vec<Node>>();
        let (newest, oldest) = match self.places.kind {
            Kind::Cause => (range.bad, ends()),
            Kind::Fix => (self.places.good[0], vec![self.places.start]),
        };
        let oldest = oldest.into_iter().map(|node| self.graph.id(node)).collect();
        let stretch = Stretch { newest: self.graph.id(newest), oldest };
        (!self.suspicion.weighed.contains(&stretch)).then_some(stretch)
    }

    /// The commits of a stretch, oldest first; none where the history at hand does not hold its ends.
    pub fn commits(&self, stretch: &Stretch) -> Vec<CommitId> {
        let oldest: Option<Vec<Node>> = stretch.oldest.iter().map(|id| self.graph.node(id)).collect();
        let (Some(newest), Some(oldest)) = (self.graph.node(&stretch.newest), oldest) else {
            return Vec::new();
        };
        self.graph.range(newest, &oldest).into_iter().map(|node| self.graph.id(node)).collect()
    }

    /// Takes a suspicion plugin's weights into account: one of 0 or more for each commit of the stretch, in the order of
    /// [`Bisector::commits`], of which only the ratios count. They are believed with this share; the rest of the prior is the same for
    /// every commit. They replace what was known of the same commits.
    pub fn weigh(&mut self, stretch: Stretch, weights: &[f64], share: f64) {
        let relative = prior::relative(weights);
        let mixed = prior::mixed(&relative, share);
        for (commit, (relative, prior)) in self.commits(&stretch).iter().zip(relative.into_iter().zip(mixed)) {
            let node = self.graph.node(commit).expect("the graph holds the stretch");
            self.suspicion.of.insert(node, Weight { relative, prior });
        }
        self.suspicion.weighed.push(stretch);
        self.forget_view();
    }

    /// How guilty a commit looked before any trial: its weight over the mean of those that were weighed with it, unmixed; none where
    /// it was not weighed.
    pub fn suspicion(&self, commit: &CommitId) -> Option<f64> {
        Some(self.suspicion.of.get(&self.graph.node(commit)?)?.relative)
    }
}

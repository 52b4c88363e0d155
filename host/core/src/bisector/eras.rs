//! Eras: stretches of history whose kernels are built, or run, in an environment of their own. Owns which commit is of which.

use std::sync::Arc;

use super::Bisector;
use crate::commit::CommitId;
use crate::graph::Graph;
use crate::graph::Node;

/// Which era each commit is of. The start commit's is 0.
#[derive(Debug, Default)]
pub(super) struct Eras {
    /// By node; empty where there is one era only.
    of: Vec<u8>,
    count: usize,
}

impl Eras {
    /// A commit's era is how many of these it contains.
    fn new(graph: &Graph, start: Node, firsts: &[CommitId]) -> Self {
        let mut of = vec![0_u8; graph.len()];
        for first in firsts.iter().filter_map(|first| graph.node(first)) {
            let newer = graph.descendants(&[first]);
            for (_, era) in (0_u32..).zip(&mut of).filter(|(node, _)| newer.contains(Node(*node))) {
                *era = era.saturating_add(1);
            }
        }
        // Numbered anew, so that none is empty and the start commit's is the first.
        let mut met = vec![of[start.0 as usize]];
        for era in &of {
            if !met.contains(era) {
                met.push(*era);
            }
        }
        let number = |era: &u8| met.iter().position(|met| met == era).expect("all were met") as u8;
        Self { of: of.iter().map(number).collect(), count: met.len() }
    }

    pub(super) fn of(&self, node: Node) -> usize {
        self.of.get(node.0 as usize).copied().map_or(0, usize::from)
    }

    pub(super) fn count(&self) -> usize {
        self.count.max(1)
    }
}

impl Bisector {
    /// From each of these commits on kernels are built, or run, in another environment: with another compiler, or another
    /// configuration. A trial may then show the bug with another chance, or not at all. Commits that the history lacks change nothing.
    pub fn know_eras(&mut self, firsts: &[CommitId]) {
        self.eras = Arc::new(Eras::new(&self.graph, self.places.start, firsts));
        self.forget_view();
    }
}

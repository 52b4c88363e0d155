//! Candidates grouped by which tested commits contain them: trials cannot tell the members of a group apart.

use super::Candidates;
use super::Ranks;
use crate::graph::Graph;
use crate::graph::Node;

/// The groups. They are numbered by their first members' ranks.
#[derive(Debug, Clone)]
pub(crate) struct Groups {
    /// The tested commits, in the graph's order.
    pub(super) sites: Vec<Node>,
    /// Each candidate's group, by rank.
    of: Vec<u32>,
    /// Each candidate's share of its group's probability, by rank: trials cannot tell the members apart, but some looked guiltier
    /// beforehand.
    share: Vec<f64>,
    /// Each group's prior weight: the sum of its members'.
    pub(super) weights: Vec<f64>,
    /// For each group, which of the tested commits contain it.
    pub(super) containing: Vec<Vec<bool>>,
}

impl Groups {
    /// The groups that these tested commits, given in the graph's order, make.
    pub(crate) fn new(graph: &Graph, candidates: &Candidates, sites: Vec<Node>) -> Self {
        let mut of = vec![0; candidates.len()];
        let mut containing = vec![Vec::new()];
        for &site in &sites {
            (of, containing) = split(&of, &containing, &candidates.contained(graph, site));
        }
        let mut weights = vec![0.0; containing.len()];
        for (&group, weight) in of.iter().zip(candidates.weights()) {
            weights[group as usize] += weight;
        }
        let share = of.iter().zip(candidates.weights()).map(|(&group, weight)| weight / weights[group as usize]).collect();
        Self { sites, of, share, weights, containing }
    }

    /// Whether these tested commits made them.
    pub(crate) fn by(&self, sites: &[Node]) -> bool {
        self.sites == sites
    }

    pub(crate) fn len(&self) -> usize {
        self.weights.len()
    }

    /// A value for each candidate, by rank, made of its group and of its share in it.
    pub(crate) fn spread<T>(&self, value: impl Fn(usize, f64) -> T) -> Vec<T> {
        self.of.iter().zip(&self.share).map(|(&group, &share)| value(group as usize, share)).collect()
    }
}

/// Splits each group into what the next tested commit contains and what it does not.
fn split(of: &[u32], containing: &[Vec<bool>], contained: &Ranks) -> (Vec<u32>, Vec<Vec<bool>>) {
    // The new numbers of each group's two parts, where there are any.
    let mut parts = vec![[None; 2]; containing.len()];
    let mut split = Vec::with_capacity(containing.len() + 1);
    let of = of
        .iter()
        .zip(contained)
        .map(|(&group, &inside)| {
            *parts[group as usize][usize::from(inside)].get_or_insert_with(|| {
                let mut sites = containing[group as usize].clone();
                sites.push(inside);
                split.push(sites);
                split.len() as u32 - 1
            })
        })
        .collect();
    (of, split)
}

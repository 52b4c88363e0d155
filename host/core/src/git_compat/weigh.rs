//! Weights: how many candidates a candidate contains, itself included.

use super::order::followed;
use crate::graph::Graph;
use crate::graph::Node;
use crate::strands::Strands;

/// A candidate list with each commit's weight and its parents inside the list. Everything is indexed by place in the list.
#[derive(Debug)]
pub(super) struct Weights {
    /// Candidates contained in the commit, itself included.
    pub(super) weight: Vec<usize>,
    /// The places of the commit's followed parents that are candidates.
    pub(super) parents: Vec<Vec<usize>>,
    /// Places with parents before children.
    pub(super) topological: Vec<usize>,
}

impl Weights {
    /// Weighs the commits of `list`, following only first parents if so told.
    ///
    /// Merges decide how long it takes: see [`Strands::contained_sums`].
    pub(super) fn new(graph: &Graph, list: &[Node], first_parent: bool) -> Self {
        // The graph numbers parents before children, so ranks by number are a topological order of the list.
        let mut topological: Vec<usize> = (0..list.len()).collect();
        topological.sort_unstable_by_key(|&place| list[place]);
        let rank_of = |node: Node| topological.binary_search_by_key(&node, |&place| list[place]).ok().map(|rank| rank as u32);
        let parents_of = |&place: &usize| -> Vec<u32> {
            followed(graph, list[place], first_parent).iter().filter_map(|&parent| rank_of(parent)).collect()
        };
        let parent_ranks: Vec<Vec<u32>> = topological.iter().map(parents_of).collect();

        let by_rank = Strands::new(&parent_ranks).contained_sums(&vec![[1.0]; list.len()]);
        let mut weight = vec![0; list.len()];
        let mut parents = vec![Vec::new(); list.len()];
        for (rank, ranks) in parent_ranks.into_iter().enumerate() {
            weight[topological[rank]] = by_rank[rank][0] as usize;
            parents[topological[rank]] = ranks.into_iter().map(|rank| topological[rank as usize]).collect();
        }
        Self { weight, parents, topological }
    }
}

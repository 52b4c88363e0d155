//! Weights: how many candidates a candidate contains, itself included.

use super::order::followed;
use crate::graph::Graph;
use crate::graph::Node;

/// Commits whose reach is worked out in one pass, as words of 64.
const BLOCK_WORDS: usize = 4;
const BLOCK: usize = BLOCK_WORDS * 64;

/// A candidate list with each commit's weight and its parents inside the list. Everything is indexed by place in the list.
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
    /// A block of commits at a time is sent up from parents to children, one bit each; so it takes n²/512 word operations and no
    /// memory beyond O(n).
    pub(super) fn new(graph: &Graph, list: &[Node], first_parent: bool) -> Self {
        // The graph numbers parents before children, so ranks by number are a topological order of the list.
        let mut topological: Vec<usize> = (0..list.len()).collect();
        topological.sort_unstable_by_key(|&place| list[place]);
        let rank_of = |node: Node| topological.binary_search_by_key(&node, |&place| list[place]).ok();
        let parents_of = |&place: &usize| -> Vec<usize> {
            followed(graph, list[place], first_parent).iter().filter_map(|&parent| rank_of(parent)).collect()
        };
        let parent_ranks: Vec<Vec<usize>> = topological.iter().map(parents_of).collect();

        let mut by_rank = vec![0; list.len()];
        let mut reach = vec![[0_u64; BLOCK_WORDS]; list.len()];
        for block in (0..list.len()).step_by(BLOCK) {
            // Commits below the block cannot contain any of it: they are older.
            for rank in block..list.len() {
                let mut bits = [0; BLOCK_WORDS];
                if rank < block + BLOCK {
                    bits[(rank - block) / 64] |= 1 << (rank % 64);
                }
                for &parent in parent_ranks[rank].iter().filter(|&&parent| parent >= block) {
                    for (word, more) in bits.iter_mut().zip(reach[parent]) {
                        *word |= more;
                    }
                }
                reach[rank] = bits;
                by_rank[rank] += bits.iter().map(|word| word.count_ones() as usize).sum::<usize>();
            }
        }

        let mut weight = vec![0; list.len()];
        let mut parents = vec![Vec::new(); list.len()];
        for (rank, ranks) in parent_ranks.into_iter().enumerate() {
            weight[topological[rank]] = by_rank[rank];
            parents[topological[rank]] = ranks.into_iter().map(|rank| topological[rank]).collect();
        }
        Self { weight, parents, topological }
    }
}

//! Weights: how many candidates a candidate contains, itself included.

use super::order::followed;
use crate::graph::Graph;
use crate::graph::Node;

/// Strands whose reach is worked out in one pass, as words of 64.
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
    /// Merges decide how long it takes: see [`Strands::contained`].
    pub(super) fn new(graph: &Graph, list: &[Node], first_parent: bool) -> Self {
        // The graph numbers parents before children, so ranks by number are a topological order of the list.
        let mut topological: Vec<usize> = (0..list.len()).collect();
        topological.sort_unstable_by_key(|&place| list[place]);
        let rank_of = |node: Node| topological.binary_search_by_key(&node, |&place| list[place]).ok();
        let parents_of = |&place: &usize| -> Vec<usize> {
            followed(graph, list[place], first_parent).iter().filter_map(|&parent| rank_of(parent)).collect()
        };
        let parent_ranks: Vec<Vec<usize>> = topological.iter().map(parents_of).collect();

        let by_rank = Strands::new(&parent_ranks).contained();
        let mut weight = vec![0; list.len()];
        let mut parents = vec![Vec::new(); list.len()];
        for (rank, ranks) in parent_ranks.into_iter().enumerate() {
            weight[topological[rank]] = by_rank[rank];
            parents[topological[rank]] = ranks.into_iter().map(|rank| topological[rank]).collect();
        }
        Self { weight, parents, topological }
    }
}

/// Commits in runs in which each has one parent, the one before, and is that one's only child: what contains one from outside of
/// the run contains all of it. Parents come before children.
struct Strands {
    /// The strand of each commit, by rank.
    of: Vec<usize>,
    /// How many commits each strand has.
    len: Vec<usize>,
    /// The strands of the parents of each strand's first commit.
    parents: Vec<Vec<usize>>,
}

impl Strands {
    fn new(parent_ranks: &[Vec<usize>]) -> Self {
        let mut children = vec![0_usize; parent_ranks.len()];
        for &parent in parent_ranks.iter().flatten() {
            children[parent] += 1;
        }
        let mut strands = Self { of: Vec::with_capacity(parent_ranks.len()), len: Vec::new(), parents: Vec::new() };
        for parents in parent_ranks {
            match parents[..] {
                [parent] if children[parent] == 1 => {
                    let strand = strands.of[parent];
                    strands.len[strand] += 1;
                    strands.of.push(strand);
                }
                _ => {
                    strands.of.push(strands.len.len());
                    strands.len.push(1);
                    strands.parents.push(parents.iter().map(|&parent| strands.of[parent]).collect());
                }
            }
        }
        strands
    }

    /// How many commits each commit contains, itself included, by rank.
    fn contained(&self) -> Vec<usize> {
        let mut below = self.below_merges();
        for strand in 0..self.len.len() {
            if let [parent] = self.parents[strand][..] {
                below[strand] = below[parent] + self.len[parent];
            }
        }
        // From here on: with the commits of the strand that were met.
        let met = self.of.iter().map(|&strand| {
            below[strand] += 1;
            below[strand]
        });
        met.collect()
    }

    /// How many commits lie below each strand that begins with a merge.
    ///
    /// A block of strands at a time is sent up from parents to children, one bit each: for s strands, m of them beginning with a
    /// merge, s²/512 + s·m/16 operations, and no memory beyond O(s).
    fn below_merges(&self) -> Vec<usize> {
        let all = self.len.len();
        let mut below = vec![0; all];
        let end = self.parents.iter().rposition(|parents| parents.len() > 1).map_or(0, |last| last + 1);
        let mut reach = vec![[0_u64; BLOCK_WORDS]; end];
        for block in (0..end).step_by(BLOCK) {
            let commits = subset_sums(&self.len[block..all.min(block + BLOCK)]);
            // Strands below the block cannot contain any of it: they are older.
            for strand in block..end {
                let mut bits = [0; BLOCK_WORDS];
                let parents = &self.parents[strand];
                for &parent in parents.iter().filter(|&&parent| parent >= block) {
                    for (word, more) in bits.iter_mut().zip(reach[parent]) {
                        *word |= more;
                    }
                }
                if parents.len() > 1 {
                    let bytes = bits.iter().flat_map(|word| word.to_le_bytes());
                    below[strand] += bytes.zip(&commits).map(|(byte, sums)| sums[usize::from(byte)]).sum::<usize>();
                }
                if strand < block + BLOCK {
                    bits[(strand - block) / 64] |= 1 << (strand % 64);
                }
                reach[strand] = bits;
            }
        }
        below
    }
}

/// For each eight lengths, the sums over every subset of them.
fn subset_sums(lengths: &[usize]) -> Vec<[usize; 256]> {
    let of_eight = |eight: &[usize]| {
        let mut sums = [0; 256];
        for subset in 1..256_usize {
            let lowest = eight.get(subset.trailing_zeros() as usize).unwrap_or(&0);
            sums[subset] = sums[subset & (subset - 1)] + lowest;
        }
        sums
    };
    lengths.chunks(8).map(of_eight).collect()
}

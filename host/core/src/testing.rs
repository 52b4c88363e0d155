//! Small histories for property tests.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::commit::CommitId;
use crate::graph::Commit;
use crate::graph::Graph;
use crate::graph::Node;

/// An id made of a number, so that order by id differs from order by number.
pub(crate) fn id(number: usize) -> CommitId {
    let mut bytes = [0; 20];
    bytes[..8].copy_from_slice(&(number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    CommitId::from_bytes(bytes)
}

/// The node of the commit with that number.
pub(crate) fn node(graph: &Graph, number: usize) -> Node {
    graph.node(&id(number)).expect("the history holds the number")
}

/// Histories of up to `most` commits, parents before children, with merges, several roots, equal times and skewed clocks.
pub(crate) fn histories(most: usize) -> impl Strategy<Value = Vec<Commit>> {
    let parents = prop_oneof![
        1 => vec(any::<Index>(), 0..1),
        8 => vec(any::<Index>(), 1..2),
        5 => vec(any::<Index>(), 2..3),
        1 => vec(any::<Index>(), 3..5),
    ];
    // Near parents make long lines, far ones make bushes.
    let commit = (parents, 1..12_usize, -3..4_i64);
    vec(commit, 1..=most).prop_map(|commits| {
        let shape = |(number, (parents, reach, skew)): (usize, (Vec<Index>, usize, i64))| {
            let near = number.saturating_sub(reach)..number;
            let mut parents: Vec<usize> = match near.len() {
                0 => Vec::new(),
                len => parents.iter().map(|parent| near.start + parent.index(len)).collect(),
            };
            let mut seen = Vec::new();
            parents.retain(|parent| {
                !seen.contains(parent) && {
                    seen.push(*parent);
                    true
                }
            });
            Commit { id: id(number), time: 1000 + number as i64 / 2 + skew, parents: parents.into_iter().map(id).collect() }
        };
        commits.into_iter().enumerate().map(shape).collect()
    })
}

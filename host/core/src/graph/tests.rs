#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::testing::histories;
use crate::testing::id;

/// Which commits each commit contains, from the definition: itself and what its parents contain.
fn closure(graph: &Graph) -> Vec<BTreeSet<Node>> {
    let mut sets: Vec<BTreeSet<Node>> = Vec::new();
    for node in (0..graph.len() as u32).map(Node) {
        let mut set: BTreeSet<Node> = graph.parents(node).iter().flat_map(|parent| sets[parent.index()].clone()).collect();
        set.insert(node);
        sets.push(set);
    }
    sets
}

fn shuffled(most: usize) -> impl Strategy<Value = (Vec<Commit>, Vec<Commit>)> {
    histories(most).prop_flat_map(|history| (Just(history.clone()), Just(history).prop_shuffle()))
}

proptest! {
    #[test]
    fn commits_keep_what_they_have_in_any_order((history, shuffled) in shuffled(40)) {
        let graph = Graph::new(shuffled);
        prop_assert_eq!(graph.len(), history.len());
        for commit in history {
            let node = graph.node(&commit.id).unwrap();
            prop_assert_eq!(graph.id(node), commit.id);
            prop_assert_eq!(graph.time(node), commit.time);
            let parents: Vec<CommitId> = graph.parents(node).iter().map(|&parent| graph.id(parent)).collect();
            prop_assert_eq!(parents, commit.parents);
            prop_assert!(graph.parents(node).iter().all(|&parent| parent < node), "parents come first");
        }
    }

    #[test]
    fn parents_outside_are_left_out(history in histories(20), gone in any::<Index>()) {
        let gone = history[gone.index(history.len())].id;
        let graph = Graph::new(history.iter().filter(|commit| commit.id != gone).cloned());
        prop_assert_eq!(graph.node(&gone), None);
        for commit in history.iter().filter(|commit| commit.id != gone) {
            let parents: Vec<CommitId> =
                graph.parents(graph.node(&commit.id).unwrap()).iter().map(|&parent| graph.id(parent)).collect();
            let left: Vec<CommitId> = commit.parents.iter().copied().filter(|&parent| parent != gone).collect();
            prop_assert_eq!(parents, left);
        }
    }

    #[test]
    fn ancestry_is_the_transitive_closure(history in histories(40), tips in prop::collection::vec(any::<Index>(), 1..4)) {
        let graph = Graph::new(history);
        let closure = closure(&graph);
        let tips: Vec<Node> = tips.iter().map(|tip| Node(tip.index(graph.len()) as u32)).collect();
        let union: BTreeSet<Node> = tips.iter().flat_map(|tip| closure[tip.index()].clone()).collect();
        prop_assert_eq!(graph.ancestors(&tips).iter().collect::<BTreeSet<_>>(), union);
        for node in (0..graph.len() as u32).map(Node) {
            prop_assert_eq!(graph.is_ancestor(node, tips[0]), closure[tips[0].index()].contains(&node));
        }
    }

    #[test]
    fn a_range_is_what_bad_has_and_good_lacks(history in histories(40), bad in any::<Index>(), good in any::<Index>()) {
        let graph = Graph::new(history);
        let closure = closure(&graph);
        let (bad, good) = (bad.index(graph.len()), good.index(graph.len()));
        let expected: Vec<Node> = closure[bad].difference(&closure[good]).copied().collect();
        prop_assert_eq!(graph.range(Node(bad as u32), &[Node(good as u32)]), expected);
    }

    #[test]
    fn merge_bases_are_the_common_ancestors_that_no_other_contains(
        history in histories(40),
        one in any::<Index>(),
        others in prop::collection::vec(any::<Index>(), 0..3),
    ) {
        let graph = Graph::new(history);
        let closure = closure(&graph);
        let one = one.index(graph.len());
        let others: Vec<Node> = others.iter().map(|other| Node(other.index(graph.len()) as u32)).collect();
        let right: BTreeSet<Node> = others.iter().flat_map(|other| closure[other.index()].clone()).collect();
        let common: BTreeSet<Node> = closure[one].intersection(&right).copied().collect();
        let best: BTreeSet<Node> = common
            .iter()
            .copied()
            .filter(|base| !common.iter().any(|other| other != base && closure[other.index()].contains(base)))
            .collect();
        prop_assert_eq!(graph.merge_bases(Node(one as u32), &others).into_iter().collect::<BTreeSet<_>>(), best);
    }

    #[test]
    fn a_node_set_is_a_set(nodes in prop::collection::vec(0..200_u32, 0..40)) {
        let mut set = NodeSet::new(200);
        let mut model = BTreeSet::new();
        prop_assert!(set.is_empty());
        for node in nodes.into_iter().map(Node) {
            prop_assert_eq!(set.insert(node), model.insert(node));
            prop_assert!(set.contains(node));
        }
        prop_assert_eq!(set.len(), model.len());
        prop_assert_eq!(set.is_empty(), model.is_empty());
        prop_assert!((0..200).map(Node).all(|node| set.contains(node) == model.contains(&node)));
        prop_assert!(set.iter().eq(model), "in the graph's order");
    }
}

#[test]
fn a_commit_given_twice_counts_once() {
    let commit = |number, parents: &[usize]| Commit {
        id: id(number),
        time: number as i64,
        parents: parents.iter().copied().map(id).collect(),
    };
    let graph = Graph::new([commit(1, &[0]), commit(0, &[]), commit(1, &[0]), commit(0, &[])]);
    assert_eq!(graph.len(), 2);
    assert_eq!(graph.parents(graph.node(&id(1)).unwrap()), [graph.node(&id(0)).unwrap()]);
}

#[test]
fn a_parent_named_twice_stays_so() {
    let commits =
        [Commit { id: id(1), time: 1, parents: vec![id(0), id(0)] }, Commit { id: id(0), time: 0, parents: Vec::new() }];
    let graph = Graph::new(commits);
    assert_eq!(graph.parents(Node(1)), [Node(0), Node(0)]);
}

#[test]
#[should_panic(expected = "commits hold a cycle")]
fn a_cycle_is_refused() {
    Graph::new([Commit { id: id(0), time: 0, parents: vec![id(1)] }, Commit { id: id(1), time: 0, parents: vec![id(0)] }]);
}

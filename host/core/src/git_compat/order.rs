//! The list that git chooses from, in its order. With equal weights the order decides, so ties must fall as git's do.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::graph::Graph;
use crate::graph::Node;
use crate::graph::NodeSet;

/// A queue that gives the newest committer time first, and of equal ones the first that was put in.
#[derive(Default)]
pub(super) struct Queue {
    heap: BinaryHeap<(i64, Reverse<usize>, Node)>,
    put: usize,
}

impl Queue {
    pub(super) fn put(&mut self, graph: &Graph, node: Node) {
        self.heap.push((graph.time(node), Reverse(self.put), node));
        self.put += 1;
    }

    pub(super) fn take(&mut self) -> Option<Node> {
        self.heap.pop().map(|(_, _, node)| node)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Node> + '_ {
        self.heap.iter().map(|&(_, _, node)| node)
    }
}

/// The parents that a walk follows.
pub(super) fn followed(graph: &Graph, node: Node, first_parent: bool) -> &[Node] {
    let parents = graph.parents(node);
    if first_parent { &parents[..parents.len().min(1)] } else { parents }
}

/// The commits reachable from `bad` and not in `outside`, in the reverse of the order in which git's walk by date meets them.
/// Oldest first but for clock skew: a child may come before its parent.
pub(super) fn candidates(graph: &Graph, bad: Node, outside: &NodeSet, first_parent: bool) -> Vec<Node> {
    let mut list = Vec::new();
    let mut seen = outside.clone();
    let mut queue = Queue::default();
    if seen.insert(bad) {
        queue.put(graph, bad);
    }
    while let Some(node) = queue.take() {
        list.push(node);
        for &parent in followed(graph, node, first_parent) {
            if seen.insert(parent) {
                queue.put(graph, parent);
            }
        }
    }
    list.reverse();
    list
}

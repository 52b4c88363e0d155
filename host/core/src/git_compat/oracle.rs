//! git's rules written down literally, without regard to speed: §§2-4 of what is known of `do_find_bisection` and
//! `managed_skipped`. Shares no code with what it judges.

use std::collections::BTreeSet;

use super::Version;
use crate::graph::Graph;
use crate::graph::Node;

/// What is chosen: the commit, the candidates in all, and the weight that "revisions left" is worked out from.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) commit: Node,
    pub(super) all: usize,
    pub(super) reaches: usize,
}

pub(super) struct Oracle<'a> {
    pub(super) graph: &'a Graph,
    pub(super) version: Version,
    pub(super) first_parent: bool,
}

impl Oracle<'_> {
    fn parents(&self, node: Node) -> &[Node] {
        let parents = self.graph.parents(node);
        if self.first_parent && !parents.is_empty() { &parents[..1] } else { parents }
    }

    fn reach(&self, from: &[Node], parents: impl Fn(Node) -> Vec<Node>) -> BTreeSet<Node> {
        let mut seen = BTreeSet::new();
        let mut stack = from.to_vec();
        while let Some(node) = stack.pop() {
            if seen.insert(node) {
                stack.extend(parents(node));
            }
        }
        seen
    }

    /// The list: newest first from a sorted list in which a commit goes behind its equals; then reversed.
    fn list(&self, bad: Node, good: &[Node]) -> Vec<Node> {
        let outside = self.reach(good, |node| self.graph.parents(node).to_vec());
        let mut queue = vec![bad];
        let mut seen = BTreeSet::from([bad]);
        let mut list = Vec::new();
        while !queue.is_empty() {
            let node = queue.remove(0);
            if outside.contains(&node) {
                continue;
            }
            list.push(node);
            for &parent in self.parents(node) {
                if seen.insert(parent) {
                    let older = |other: &Node| self.graph.time(*other) < self.graph.time(parent);
                    let place = queue.iter().position(older).unwrap_or(queue.len());
                    queue.insert(place, parent);
                }
            }
        }
        list.reverse();
        list
    }

    fn approx_halfway(&self, weight: usize, all: usize) -> bool {
        let difference = (2 * weight as i64 - all as i64).abs();
        difference <= 1 || (self.version == Version::V2_30 && difference < all as i64 / 1024)
    }

    /// Weights in git's order of work; the index of the commit at which git stops early, if it does.
    fn weigh(&self, list: &[Node], skipping: bool) -> (Vec<i64>, Option<usize>) {
        let inside: BTreeSet<Node> = list.iter().copied().collect();
        let place = |node: Node| list.iter().position(|&other| other == node).expect("it is inside");
        let interesting =
            |node: Node| -> Vec<Node> { self.parents(node).iter().copied().filter(|parent| inside.contains(parent)).collect() };
        let mut weight: Vec<i64> = list
            .iter()
            .map(|&node| match interesting(node).len() {
                0 => 1,
                1 => -1,
                _ => -2,
            })
            .collect();
        for at in 0..list.len() {
            if weight[at] == -2 {
                weight[at] = self.reach(&[list[at]], interesting).len() as i64;
                if !skipping && self.approx_halfway(weight[at] as usize, list.len()) {
                    return (weight, Some(at));
                }
            }
        }
        while weight.contains(&-1) {
            for at in 0..list.len() {
                if weight[at] != -1 {
                    continue;
                }
                let Some(&parent) = interesting(list[at]).iter().find(|&&parent| weight[place(parent)] >= 0) else { continue };
                weight[at] = weight[place(parent)] + 1;
                if !skipping && self.approx_halfway(weight[at] as usize, list.len()) {
                    return (weight, Some(at));
                }
            }
        }
        (weight, None)
    }

    /// The choice; `None` if no candidate is left or only skipped ones are. The bad commit itself may be chosen.
    pub(super) fn choose(&self, bad: Node, good: &[Node], skipped: &[Node]) -> Option<Choice> {
        let list = self.list(bad, good);
        if list.is_empty() {
            return None;
        }
        let all = list.len();
        let (weight, early) = self.weigh(&list, !skipped.is_empty());
        let distance = |at: usize| weight[at].min(all as i64 - weight[at]);
        let choice = |commit, at: usize| Some(Choice { commit, all, reaches: weight[at] as usize });
        if skipped.is_empty() {
            let mut best = 0;
            for at in 0..all {
                if distance(at) > distance(best) {
                    best = at;
                }
            }
            let at = early.unwrap_or(best);
            return choice(list[at], at);
        }
        let mut sorted: Vec<usize> = (0..all).collect();
        sorted.sort_by_key(|&at| (-distance(at), self.graph.id(list[at]).to_string()));
        let head = sorted[0];
        if !skipped.contains(&list[head]) {
            return choice(list[head], head);
        }
        let left: Vec<Node> = sorted.iter().map(|&at| list[at]).filter(|node| !skipped.contains(node)).collect();
        let mut index = dice(left.len());
        if index >= left.len() {
            index = 0;
        }
        if left.get(index) == Some(&bad) {
            index = index.saturating_sub(1);
        }
        left.get(index).filter(|&&node| node != bad).and_then(|&node| choice(node, head))
    }
}

fn dice(count: usize) -> usize {
    let prn = (count * 1_103_515_245 + 12345) % (1 << 32) / 65536 % 32768;
    let root = |value: usize| {
        let mut x = value as f32;
        let mut change = f32::INFINITY;
        while value > 0 && change >= 0.5 {
            let y = (x + value as f32 / x) / 2.0;
            change = (x - y).abs();
            x = y;
        }
        x as usize
    };
    (count * prn / 32768) * root(prn) / root(32768)
}

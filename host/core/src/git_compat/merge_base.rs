//! Before it bisects, git makes sure that the good commits lead to the bad one, by way of their merge bases.

use super::Next;
use super::order::Queue;
use crate::graph::Graph;
use crate::graph::Node;
use crate::graph::NodeSet;

/// What came of looking at the merge bases.
pub(super) struct Check {
    /// Merge bases passed over because they are marked skip.
    pub(super) skipped: Vec<Node>,
    /// What git does instead of bisecting; `None` if all is well.
    pub(super) stop: Option<Next>,
}

/// Looks at the merge bases of bad and good, in git's order, if some good commit is not an ancestor of the bad one.
pub(super) fn check(graph: &Graph, bad: Node, good: &[Node], skipped: &NodeSet) -> Check {
    let mut check = Check { skipped: Vec::new(), stop: None };
    if fit(graph, bad, good) {
        return check;
    }
    for base in in_order(graph, bad, good) {
        if base == bad {
            check.stop = Some(Next::MergeBaseBad);
            break;
        }
        if good.contains(&base) {
            continue;
        }
        if !skipped.contains(base) {
            check.stop = Some(Next::TestMergeBase(base));
            break;
        }
        check.skipped.push(base);
    }
    check
}

/// Whether git takes all good commits for ancestors of the bad one.
fn fit(graph: &Graph, bad: Node, good: &[Node]) -> bool {
    if good.contains(&bad) {
        return !meets_a_good_one_first(graph, bad, good);
    }
    // Here it makes no difference that git may be wrong: the merge bases of ancestors are good commits, which it passes over.
    let below_bad = graph.ancestors(&[bad]);
    good.iter().all(|&node| below_bad.contains(node))
}

/// Whether git's walk by date from `bad` and `good` comes to a commit before it knows that `bad` contains it.
///
/// That happens to true ancestors too if they are not older than what lies between. A commit that the walk comes to tells its
/// parents and their parents; and one that was read before, as the good ones were, passes the word on at once.
fn meets_a_good_one_first(graph: &Graph, bad: Node, good: &[Node]) -> bool {
    let mut read = graph.set(good);
    let mut below = graph.set(&[bad]);
    let mut queued = read.clone();
    let mut queue = Queue::default();
    let tell = |parents: &[Node], read: &NodeSet, below: &mut NodeSet| {
        let mut told = parents.to_vec();
        while let Some(node) = told.pop() {
            if below.insert(node) && read.contains(node) {
                told.extend_from_slice(graph.parents(node));
            }
        }
    };
    tell(graph.parents(bad), &read, &mut below);
    queue.put(graph, bad);
    good.iter().filter(|&&node| node != bad).for_each(|&node| queue.put(graph, node));
    while let Some(node) = queue.take() {
        if !below.contains(node) {
            return true;
        }
        for &parent in graph.parents(node) {
            below.insert(parent);
            read.insert(parent);
            tell(graph.parents(parent), &read, &mut below);
            if queued.insert(parent) {
                queue.put(graph, parent);
            }
        }
    }
    false
}

/// The merge bases newest first; of equally old ones first the one that git's walk finds first.
fn in_order(graph: &Graph, bad: Node, good: &[Node]) -> Vec<Node> {
    let mut bases = graph.merge_bases(bad, good);
    if bases.len() > 1 {
        let found = walk(graph, bad, good);
        let place = |base: &Node| found.iter().position(|node| node == base);
        bases.sort_by_key(|base| (std::cmp::Reverse(graph.time(*base)), place(base)));
    }
    bases
}

/// The commits that git's walk finds to be common to both sides, in the order in which it finds them.
///
/// Both sides are walked at once by date. A commit goes into the queue whenever it turns out to be reached from one more side or
/// to lie below a common commit; that decides which of two commits of one time comes out first.
fn walk(graph: &Graph, bad: Node, good: &[Node]) -> Vec<Node> {
    const FROM_BAD: u8 = 1;
    const FROM_GOOD: u8 = 2;
    const BELOW: u8 = 4;
    let mut marks = vec![0_u8; graph.len()];
    let mut queue = Queue::default();
    let mut found = Vec::new();
    // Queue entries that do not lie below a common commit; the walk ends with the last.
    marks[bad.0 as usize] = FROM_BAD;
    queue.put(graph, bad);
    for &node in good {
        marks[node.0 as usize] |= FROM_GOOD;
        queue.put(graph, node);
    }
    let mut seen = NodeSet::new(graph.len());
    while queue.iter().any(|node| marks[node.0 as usize] & BELOW == 0) {
        let Some(node) = queue.take() else { break };
        let mut pass_on = marks[node.0 as usize];
        if pass_on == FROM_BAD | FROM_GOOD {
            if seen.insert(node) {
                found.push(node);
            }
            pass_on |= BELOW;
        }
        for &parent in graph.parents(node) {
            let mark = &mut marks[parent.0 as usize];
            if *mark | pass_on != *mark {
                *mark |= pass_on;
                queue.put(graph, parent);
            }
        }
    }
    found
}

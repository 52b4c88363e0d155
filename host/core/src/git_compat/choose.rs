//! The choice among the candidates: halfway, or best, or away from what is skipped.

use std::cmp::Reverse;
use std::sync::OnceLock;

use super::Next;
use super::Options;
use super::Version;
use super::order;
use super::steps;
use super::weigh::Weights;
use crate::graph::Graph;
use crate::graph::Node;
use crate::graph::NodeSet;

/// What lies between two ends, and how well each commit divides it.
#[derive(Debug)]
pub(crate) struct Between {
    bad: Node,
    outside: NodeSet,
    list: Vec<Node>,
    weights: Weights,
    version: Version,
    /// Places in the list, the best division first; worked out when first asked for.
    sorted: OnceLock<Vec<usize>>,
}

impl Between {
    /// Time and order as with [`next`](super::next); `good` as git's refs list them.
    pub(crate) fn new(graph: &Graph, bad: Node, good: &[Node], options: Options) -> Self {
        let outside = graph.ancestors(good);
        let list = order::candidates(graph, bad, &outside, options.first_parent);
        let weights = Weights::new(graph, &list, options.first_parent);
        Self { bad, outside, list, weights, version: options.version, sorted: OnceLock::new() }
    }

    /// What git does once the merge bases are out of the way and these commits were skipped.
    pub(crate) fn next(&self, graph: &Graph, skipped: &NodeSet) -> Next {
        let Self { bad, outside, list, weights, version, sorted } = self;
        if list.is_empty() {
            return Next::GoodAndBad;
        }
        // The revisions left are always those of the commit that git likes best, also when that one is skipped.
        let (commit, best) = if skipped.is_empty() {
            let place = near_halfway(weights, *version).unwrap_or_else(|| farthest(weights));
            (list[place], place)
        } else {
            let sorted = sorted.get_or_init(|| by_distance(graph, list, weights));
            let ranked: Vec<Node> = sorted.iter().map(|&place| list[place]).collect();
            match away_from_skipped(&ranked, *bad, skipped) {
                Ok(commit) => (commit, sorted[0]),
                Err(could_be) => {
                    // The log names every commit between good and bad, also with `--first-parent`.
                    let mut possible = order::candidates(graph, *bad, outside, false);
                    possible.reverse();
                    return Next::OnlySkipped { could_be, possible };
                }
            }
        };
        if commit == *bad {
            return Next::FirstBad(*bad);
        }
        Next::Test { commit, left: list.len() - weights.weight[best] - 1, steps: steps(list.len()) }
    }
}

/// The first commit that git finds near enough to halfway to look no further.
///
/// Git weighs merges first, in list order. Then it goes through the list again and again, weighing each commit whose one parent
/// has a weight by then. Commits without a parent in the list are weighed without a look.
fn near_halfway(weights: &Weights, version: Version) -> Option<usize> {
    let all = weights.weight.len();
    let near_enough = match version {
        Version::V2_29 => 1,
        // |2w − n| < n/1024, in whole numbers.
        Version::V2_30 => (all / 1024).saturating_sub(1).max(1),
    };
    let halfway = |&place: &usize| (2 * weights.weight[place]).abs_diff(all) <= near_enough;
    let rounds = rounds(weights);
    (0..all).filter(|&place| !weights.parents[place].is_empty()).filter(halfway).min_by_key(|&place| (rounds[place], place))
}

/// In which of git's rounds through the list each commit gets its weight: merges in round 0, the others one after their parent's
/// round, or in the same one if the parent comes earlier in the list.
fn rounds(weights: &Weights) -> Vec<usize> {
    let mut rounds = vec![0; weights.weight.len()];
    for &place in &weights.topological {
        if let [parent] = weights.parents[place][..] {
            rounds[place] = if parent < place { rounds[parent].max(1) } else { rounds[parent] + 1 };
        }
    }
    rounds
}

/// How well a commit divides the candidates: the smaller of the two parts.
fn distance(weights: &Weights, place: usize) -> usize {
    weights.weight[place].min(weights.weight.len() - weights.weight[place])
}

/// The first commit of the list that divides it best.
fn farthest(weights: &Weights) -> usize {
    (0..weights.weight.len()).min_by_key(|&place| Reverse(distance(weights, place))).expect("there are candidates")
}

/// All places, the best division first, equal ones by commit id.
fn by_distance(graph: &Graph, list: &[Node], weights: &Weights) -> Vec<usize> {
    let mut places: Vec<usize> = (0..list.len()).collect();
    places.sort_unstable_by_key(|&place| (Reverse(distance(weights, place)), graph.id(list[place])));
    places
}

/// The best commit if it is not skipped; otherwise one that git's dice find among those that are not. `Err` with the commits that
/// git names if only skipped ones could be told from the bad one.
fn away_from_skipped(ranked: &[Node], bad: Node, skipped: &NodeSet) -> Result<Node, Vec<Node>> {
    if !skipped.contains(ranked[0]) {
        return Ok(ranked[0]);
    }
    let (mut tried, left): (Vec<Node>, Vec<Node>) = ranked.iter().partition(|&&node| skipped.contains(node));
    let Some(&first) = left.first() else {
        return Err(tried);
    };
    let index = dice(left.len() as u32);
    let pick = match left.get(index) {
        Some(&node) if node != bad => node,
        Some(_) if index > 0 => left[index - 1],
        _ => first,
    };
    if pick == bad {
        tried.push(bad);
        return Err(tried);
    }
    Ok(pick)
}

/// Git's place in a list of `count` commits: pseudo-random, nearer to the head than to the tail, and a function of the count
/// alone. In C's 32-bit arithmetic, which overflows beyond 65,535 commits.
fn dice(count: u32) -> usize {
    const MODULUS: i32 = 32768;
    let prn = (count.wrapping_mul(1_103_515_245).wrapping_add(12345) / 65536) as i32 % MODULUS;
    let scaled = (count as i32).wrapping_mul(prn) / MODULUS;
    let index = scaled.wrapping_mul(square_root(prn)) / square_root(MODULUS);
    // A negative place is never met on the way through the list, and nor is one beyond its end: git then takes the head.
    usize::try_from(index).unwrap_or(usize::MAX)
}

/// Git's whole-number square root: Newton's method in single precision.
fn square_root(value: i32) -> i32 {
    if value == 0 {
        return 0;
    }
    let value = value as f32;
    let mut x = value;
    loop {
        let y = (x + value / x) / 2.0;
        let change = (y - x).abs();
        x = y;
        if change < 0.5 {
            return x as i32;
        }
    }
}

//! The commits that may be the boundary, and which of them a commit contains.

use std::cmp::Reverse;
use std::sync::OnceLock;

use crate::git_compat::list_order;
use crate::graph::Graph;
use crate::graph::Node;
use crate::graph::NodeSet;
use crate::strands::Strands;

/// The commits between the ends, by *rank*: their place in the graph's order, parents first.
#[derive(Debug)]
pub(crate) struct Candidates {
    nodes: Vec<Node>,
    /// Ranks of each candidate's parents that are candidates.
    parents: Vec<Vec<u32>>,
    pub(super) strands: Strands,
    /// The ranks strand by strand, oldest first: segments are parts of this order.
    pub(super) in_order: Vec<u32>,
    /// Each candidate's place in that order, by rank.
    pub(super) places: Vec<u32>,
    /// Each candidate's place in git's list.
    listed: Vec<u32>,
    /// Each candidate's prior probability, but for a factor that all share.
    weights: Vec<f64>,
    /// Sums of the weights before each place in the order, and at last of all.
    pub(super) weight_before: Vec<f64>,
    /// How many candidates each contains, itself included; worked out when first asked for.
    depths: OnceLock<Vec<u32>>,
    /// All that the newest end contains: a commit in here that is no candidate contains none.
    newest: NodeSet,
}

/// A set of candidates, a bit for each rank.
pub(crate) type Ranks = Vec<bool>;

impl Candidates {
    /// The commits that `newest` contains and none of `oldest` does.
    pub(crate) fn new(graph: &Graph, newest: Node, oldest: &[Node]) -> Self {
        let outside = graph.ancestors(oldest);
        let list = list_order(graph, newest, &outside);
        let mut nodes = list.clone();
        nodes.sort_unstable();
        let rank = |node: Node| nodes.binary_search(&node).ok().map(|rank| rank as u32);
        let parents: Vec<Vec<u32>> =
            nodes.iter().map(|&node| graph.parents(node).iter().filter_map(|&parent| rank(parent)).collect()).collect();
        let mut listed = vec![0; nodes.len()];
        for (place, &node) in list.iter().enumerate() {
            listed[rank(node).expect("the list holds the candidates") as usize] = place as u32;
        }
        let (strands, newest) = (Strands::new(&parents), graph.ancestors(&[newest]));
        let mut in_order: Vec<u32> = (0..nodes.len() as u32).collect();
        in_order.sort_by_key(|&rank| strands.of()[rank as usize]);
        let mut places = vec![0; nodes.len()];
        for (place, &rank) in in_order.iter().enumerate() {
            places[rank as usize] = place as u32;
        }
        let depths = OnceLock::new();
        let candidates = Self {
            nodes,
            parents,
            strands,
            in_order,
            places,
            listed,
            weights: Vec::new(),
            weight_before: Vec::new(),
            depths,
            newest,
        };
        candidates.weighed(|_| 1.0)
    }

    /// The same with these prior weights, which must be above 0; only their ratios count.
    pub(crate) fn weighed(self, weight: impl Fn(Node) -> f64) -> Self {
        let weights: Vec<f64> = self.nodes.iter().map(|&node| weight(node)).collect();
        let mut weight_before = vec![0.0];
        let mut sum = 0.0;
        weight_before.extend(self.in_order.iter().map(|&rank| {
            sum += weights[rank as usize];
            sum
        }));
        Self { weights, weight_before, ..self }
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn node(&self, rank: usize) -> Node {
        self.nodes[rank]
    }

    pub(crate) fn rank(&self, node: Node) -> Option<usize> {
        self.nodes.binary_search(&node).ok()
    }

    /// The candidates' prior weights, by rank.
    pub(crate) fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The candidates among the commit's parents, given and named by rank.
    pub(crate) fn parents(&self, rank: usize) -> &[u32] {
        &self.parents[rank]
    }

    /// How many candidates each contains, itself included, by rank: how far along the range it is.
    pub(crate) fn depths(&self) -> &[u32] {
        self.depths.get_or_init(|| {
            let ones = vec![[1.0]; self.len()];
            self.contained_sums(&ones).into_iter().map(|[depth]| depth as u32).collect()
        })
    }

    /// The candidate's place in git's list, for ties.
    pub(crate) fn listed(&self, rank: usize) -> u32 {
        self.listed[rank]
    }

    /// The likeliest of some candidates, given by rank with their probabilities; the first in git's list of equal ones.
    pub(crate) fn leader(&self, some: impl Iterator<Item = (usize, f64)>) -> (usize, f64) {
        let listed = |rank: usize| Reverse(self.listed(rank));
        let likelier =
            |one: &(usize, f64), other: &(usize, f64)| one.1.total_cmp(&other.1).then(listed(one.0).cmp(&listed(other.0)));
        some.max_by(likelier).expect("a range holds at least its newest commit")
    }

    /// The candidates that the commit contains, itself included.
    pub(crate) fn contained(&self, graph: &Graph, node: Node) -> Ranks {
        let mut contained = vec![false; self.len()];
        if let Some(rank) = self.rank(node) {
            contained[rank] = true;
            self.spread_down(&mut contained);
        } else if !self.newest.contains(node) {
            // It lies beside or beyond the newest end.
            let older = graph.ancestors(&[node]);
            for (rank, &candidate) in self.nodes.iter().enumerate() {
                contained[rank] = older.contains(candidate);
            }
        }
        contained
    }

    /// Adds what the members contain.
    pub(crate) fn spread_down(&self, members: &mut Ranks) {
        for rank in (0..self.len()).rev() {
            if members[rank] {
                for &parent in &self.parents[rank] {
                    members[parent as usize] = true;
                }
            }
        }
    }

    /// Adds the candidates that contain a member.
    pub(crate) fn spread_up(&self, members: &mut Ranks) {
        for rank in 0..self.len() {
            members[rank] = members[rank] || self.parents[rank].iter().any(|&parent| members[parent as usize]);
        }
    }

    /// The members that contain no other member.
    pub(crate) fn minimal(&self, members: &Ranks) -> Vec<usize> {
        let mut above = vec![false; self.len()];
        let mut minimal = Vec::new();
        for rank in 0..self.len() {
            above[rank] = self.parents[rank].iter().any(|&parent| above[parent as usize] || members[parent as usize]);
            if members[rank] && !above[rank] {
                minimal.push(rank);
            }
        }
        minimal
    }

    /// For each candidate the sums of some quantities over the candidates that it contains, itself included.
    pub(crate) fn contained_sums<const N: usize>(&self, quantities: &[[f64; N]]) -> Vec<[f64; N]> {
        self.strands.contained_sums(quantities)
    }
}

//! Candidates grouped by which tested commits contain them: trials cannot tell the members of a group apart.

use super::Candidates;
use super::segments::Segment;
use super::segments::cut;
use crate::graph::Graph;
use crate::graph::Node;

/// The groups. They are numbered as their first segments lie.
#[derive(Debug, Clone)]
pub(crate) struct Groups {
    /// The tested commits, in the graph's order.
    pub(super) sites: Vec<Node>,
    /// What lies between the tested commits.
    pub(crate) segments: Vec<Segment>,
    /// Each segment's group.
    of: Vec<u32>,
    /// Each segment's share of its group's probability: trials cannot tell the members apart, but some looked guiltier beforehand.
    share: Vec<f64>,
    /// Each segment's likeliest member, the first in git's list of equal ones, by rank.
    likeliest: Vec<usize>,
    /// Each candidate's group, by rank, and its share of that.
    by_rank: Vec<(u32, f64)>,
    /// Each group's prior weight: the sum of its members'.
    pub(super) weights: Vec<f64>,
    /// For each group, which of the tested commits contain it.
    pub(super) containing: Vec<Vec<bool>>,
}

impl Groups {
    /// The groups that these tested commits, given in the graph's order, make.
    pub(crate) fn new(graph: &Graph, candidates: &Candidates, sites: Vec<Node>) -> Self {
        let mut segments = candidates.segments();
        let (mut of, mut containing) = (vec![0; segments.len()], vec![Vec::new()]);
        for &site in &sites {
            let parts = cut(&segments, &candidates.contained_of(graph, site, &segments));
            segments = parts.iter().map(|part| part.segment).collect();
            (of, containing) = split(parts.iter().map(|part| (of[part.of], part.contained)), &containing);
        }
        let mut weights = vec![0.0; containing.len()];
        for (&group, &segment) in of.iter().zip(&segments) {
            weights[group as usize] += candidates.weight(segment);
        }
        let share =
            of.iter().zip(&segments).map(|(&group, &segment)| candidates.weight(segment) / weights[group as usize]).collect();
        let mut by_rank = vec![(0, 0.0); candidates.len()];
        for (&group, segment) in of.iter().zip(&segments) {
            for rank in (segment.from..segment.to).map(|place| candidates.at(place)) {
                by_rank[rank] = (group, candidates.weights()[rank] / weights[group as usize]);
            }
        }
        let likeliest = segments.iter().map(|&segment| candidates.likeliest(segment)).collect();
        Self { sites, segments, of, share, likeliest, by_rank, weights, containing }
    }

    /// Whether these tested commits made them.
    pub(crate) fn by(&self, sites: &[Node]) -> bool {
        self.sites == sites
    }

    pub(crate) fn len(&self) -> usize {
        self.weights.len()
    }

    /// A value for each candidate, by rank, made of its group and of its share in it.
    pub(crate) fn spread<T>(&self, value: impl Fn(usize, f64) -> T) -> Vec<T> {
        self.by_rank.iter().map(|&(group, share)| value(group as usize, share)).collect()
    }

    /// A value for each segment, made of its group and of its share in it.
    pub(crate) fn spread_segments<T>(&self, value: impl Fn(usize, f64) -> T) -> Vec<T> {
        self.of.iter().zip(&self.share).map(|(&group, &share)| value(group as usize, share)).collect()
    }

    /// The likeliest candidate where the groups have these probabilities, the first in git's list of equal ones, by rank; and its own.
    pub(crate) fn leader(&self, candidates: &Candidates, probabilities: &[f64]) -> (usize, f64) {
        candidates.leader(self.likeliest.iter().map(|&rank| {
            let (group, share) = self.by_rank[rank];
            (rank, probabilities[group as usize] * share)
        }))
    }
}

/// Splits each group into what the next tested commit contains and what it does not: for each segment comes the group that it was of,
/// and whether it is contained.
fn split(segments: impl Iterator<Item = (u32, bool)>, containing: &[Vec<bool>]) -> (Vec<u32>, Vec<Vec<bool>>) {
    // The new numbers of each group's two parts, where there are any.
    let mut parts = vec![[None; 2]; containing.len()];
    let mut split = Vec::with_capacity(containing.len() + 1);
    let of = segments
        .map(|(group, inside)| {
            *parts[group as usize][usize::from(inside)].get_or_insert_with(|| {
                let mut sites = containing[group as usize].clone();
                sites.push(inside);
                split.push(sites);
                split.len() as u32 - 1
            })
        })
        .collect();
    (of, split)
}

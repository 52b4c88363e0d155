//! What trials say of commits: the posterior over the commit DAG.
//!
//! Owns the probabilities: of each candidate being the boundary, of the good end being bad after all, of r and f, of the readings
//! of unsure looks. Everything is computed anew from the set of evidence; nothing is kept or updated. Does not choose what to
//! test ([`crate::select`]) and does not know phases or verdicts ([`crate::bisector`]).
//!
//! Candidates are grouped by which tested commits contain them, since trials cannot tell the members of a group apart; each
//! group is then one hypothesis, and each good end that may be bad after all is another.

mod belief;
mod candidates;
mod eras;
mod groups;
mod looks;
mod rates;
mod segments;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub(crate) use belief::Belief;
use belief::Case;
pub(crate) use belief::Hit;
use belief::SiteBelief;
pub(crate) use candidates::Candidates;
pub(crate) use candidates::Ranks;
pub(crate) use eras::Rates;
pub(crate) use groups::Groups;
pub(crate) use looks::STRAY_FLOOR;
pub(crate) use rates::Grid;
pub(crate) use rates::at_least;
pub(crate) use segments::Part;
pub(crate) use segments::Segment;
pub(crate) use segments::cut;

use crate::graph::Graph;
use crate::graph::Node;

/// How likely one of two equal kernels is bad and the other good, against what it would be were they not equal: something about them
/// may differ after all.
const EQUAL_KERNELS: f64 = 1e-4;

/// A crash or its absence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Sight {
    /// No crash in this share of the full exposure.
    Clean {
        /// From 0 to 1.
        exposure: f64,
    },
    /// A crash.
    Crash {
        /// Chance that it is the target.
        same: f64,
        /// Its look.
        look: u32,
    },
}

/// A tested commit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Site {
    pub(crate) node: Node,
    /// The valid trials of each of its builds.
    pub(crate) kernels: Vec<Vec<Sight>>,
    /// Which kernel it is: sites of one number have equal kernels. None: not known.
    pub(crate) kernel: Option<usize>,
    /// Its era: 0 is the start commit's.
    pub(crate) era: usize,
    /// Clean trials count: the commit is known to contain what introduced the crash. Always so when looking for a cause.
    pub(crate) clean_counts: bool,
    /// Taken for granted: it is bad, or it is good. What contradicts that has no prior.
    pub(crate) assumed: Option<bool>,
}

/// A good end of the range that may be bad after all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct GoodEnd {
    pub(crate) node: Node,
    /// How likely that is before any trial.
    pub(crate) prior: f64,
}

/// What the posterior is asked.
pub(crate) struct Question<'a> {
    pub(crate) graph: &'a Graph,
    /// The candidates' groups by the tested commits.
    pub(crate) groups: Arc<Groups>,
    /// The boundary is where the crash begins (cause) rather than ends (fix).
    pub(crate) begins: bool,
    pub(crate) ends: &'a [GoodEnd],
    /// Tested commits, each once, in the graph's order.
    pub(crate) sites: Vec<Site>,
    /// Chance that a built kernel cannot show the bug for reasons of its own.
    pub(crate) mute: f64,
    /// How many eras there are.
    pub(crate) eras: usize,
}

/// The posterior: one belief for each reading that stands.
#[derive(Debug, Clone)]
pub(crate) struct Posterior {
    pub(crate) grid: Grid,
    pub(crate) groups: Arc<Groups>,
    /// The readings that stand, the weightiest first. Never empty; their weights add up to 1.
    pub(crate) beliefs: Vec<Belief>,
    /// The tested commits, in the order of [`Belief::sites`].
    pub(crate) sites: Vec<Site>,
}

impl Posterior {
    pub(crate) fn new(grid: Grid, question: Question<'_>) -> Self {
        let Question { graph, groups, begins, ends, sites, mute, eras } = question;
        // Which hypotheses make which tested commit bad: the groups first, then the ends.
        let bad: Vec<Vec<bool>> = sites
            .iter()
            .enumerate()
            .map(|(place, site)| {
                let groups = groups.containing.iter().map(|sites| sites[place] == begins);
                groups.chain(ends.iter().map(|end| bad_with_end(graph, ends, *end, site.node))).collect()
            })
            .collect();
        let prior = pooled(hypotheses(&groups.weights, ends), &sites, &bad);
        let prior = given(prior, &sites, &bad);
        let case = Case { sites: &sites, bad: &bad, prior: &prior, groups: groups.len(), mute, eras };
        let mut beliefs: Vec<Belief> =
            looks::readings(&sites).into_iter().map(|reading| Belief::new(&grid, reading, &case)).collect();
        belief::weigh(&mut beliefs);
        Self { grid, groups, beliefs, sites }
    }

    /// Each candidate's probability under a belief, by rank.
    pub(crate) fn mass(&self, belief: &Belief) -> Vec<f64> {
        self.groups.spread(|group, share| belief.groups[group] * share)
    }

    /// How many times likelier the sight is at a bad commit of an era than at a good one, under the weightiest reading; 1 where it
    /// says nothing.
    pub(crate) fn ratio(&self, sight: Sight, era: usize) -> f64 {
        let belief = &self.beliefs[0];
        let Some(likelihood) = belief.reading.likelihood(sight) else {
            return 1.0;
        };
        let (mut if_good, mut if_bad) = (0.0, 0.0);
        for (point, weight) in self.grid.points.iter().zip(&belief.eras[era].points) {
            let (good, bad) = likelihood(point.r, point.f);
            if_good += weight * good;
            if_bad += weight * bad;
        }
        if_bad / if_good
    }

    /// What a belief makes of the commit's own trials; none where it had none.
    pub(crate) fn seen(&self, belief: &Belief, node: Node) -> Option<SiteBelief> {
        self.site(node).map(|site| belief.sites[site])
    }

    /// The place of the commit among the tested ones.
    pub(crate) fn site(&self, node: Node) -> Option<usize> {
        self.sites.binary_search_by_key(&node, |site| site.node).ok()
    }
}

/// Prior probabilities: the groups' by their share of the candidates' weight, then the ends'.
fn hypotheses(weights: &[f64], ends: &[GoodEnd]) -> Vec<f64> {
    let between = 1.0 - ends.iter().map(|end| end.prior).sum::<f64>();
    let all: f64 = weights.iter().sum();
    let groups = weights.iter().map(|weight| between * weight / all);
    groups.chain(ends.iter().map(|end| end.prior)).collect()
}

/// The prior with less for the hypotheses that make one of two equal kernels bad and the other good.
fn pooled(mut prior: Vec<f64>, sites: &[Site], bad: &[Vec<bool>]) -> Vec<f64> {
    let kernels = sites.iter().filter_map(|site| site.kernel).max().map_or(0, |last| last + 1);
    for (hypothesis, prior) in prior.iter_mut().enumerate() {
        let mut seen = vec![None; kernels];
        let mut of_kernels = sites.iter().zip(bad).filter_map(|(site, bad)| Some((site.kernel?, bad[hypothesis])));
        if of_kernels.any(|(kernel, bad)| *seen[kernel].get_or_insert(bad) != bad) {
            *prior *= EQUAL_KERNELS;
        }
    }
    prior
}

/// The prior without the hypotheses that contradict what is assumed of a commit; as it was if none is left.
fn given(prior: Vec<f64>, sites: &[Site], bad: &[Vec<bool>]) -> Vec<f64> {
    let holds = |hypothesis: usize| {
        sites.iter().zip(bad).all(|(site, bad)| site.assumed.is_none_or(|assumed| bad[hypothesis] == assumed))
    };
    let left: Vec<f64> =
        prior.iter().enumerate().map(|(hypothesis, &prior)| if holds(hypothesis) { prior } else { 0.0 }).collect();
    if left.iter().any(|&prior| prior > 0.0) { left } else { prior }
}

/// Whether the commit is bad when `end` is: then the boundary is out of sight, and everything is bad but the other good ends and
/// what they contain.
fn bad_with_end(graph: &Graph, ends: &[GoodEnd], end: GoodEnd, node: Node) -> bool {
    let mut others = ends.iter().filter(|other| other.node != end.node);
    !others.any(|other| graph.is_ancestor(node, other.node)) || graph.is_ancestor(end.node, node)
}

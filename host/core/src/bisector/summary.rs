//! What a bisection shows of itself.

use std::sync::Arc;

use super::Bisector;
use super::Summary;
use super::Tested;
use super::View;
use super::ends::Kind;
use super::evidence::Tally;
use super::known::Known;
use super::range::Range;
use super::search::NAMED;
use super::stage::Stage;
use crate::commit::CommitId;
use crate::graph::Graph;
use crate::graph::Node;
use crate::policy::Rates;
use crate::policy::Verdict;
use crate::posterior::STRAY_FLOOR;

impl Bisector {
    /// Where the bisection stands.
    pub fn summary(&self) -> Summary {
        let View { known, stage } = self.view();
        let settled = if let Stage::Search(range) = stage { Some(&**range) } else { None };
        let range = self.any_range();
        let range = range.as_deref();
        let (left, steps) = settled.map_or((0, 0), |range| self.strategy().left(self, known, range));
        Summary {
            range: settled.map(|range| self.length(range)),
            left,
            steps,
            bits: settled.map_or(0.0, Range::entropy),
            suspects: settled.map_or_else(Vec::new, |range| range.suspects(&self.graph, &range.mass(), 1.0, NAMED)),
            good_end_bad: settled.map_or(0.0, Range::end_bad),
            assumed: self.recorded.assumed().cloned().collect(),
            rates: range.map(|range| rates(known, range, 0)),
            tested: known
                .tallies()
                .iter()
                .map(|(node, tally)| {
                    let bad = range.and_then(|range| range.bad_at(&self.graph, *node));
                    tested(known, *node, tally, bad)
                })
                .collect(),
        }
    }

    /// Per-trial rates in this commit's era, once the start commit was tested; in the start commit's they are those of
    /// [`Self::summary`].
    pub fn rates_at(&self, commit: &CommitId) -> Option<Rates> {
        let era = self.graph.node(commit).map_or(0, |node| self.eras.of(node));
        self.any_range().map(|range| rates(&self.view().known, &range, era))
    }

    /// How many clean trials in the era of this commit show that a commit is good: as many as a parent of the culprit takes. 1 before
    /// the start commit was tested.
    pub fn clean_enough(&self, at: &CommitId) -> u32 {
        let (Some(range), Some(node)) = (self.any_range(), self.graph.node(at)) else { return 1 };
        self.search(&self.view().known, &range).clean_enough(&range.posterior.beliefs[0], node)
    }

    /// The range; before it is settled, once the start commit is bad, one by any ends: rates and weights are of use then, too.
    pub(super) fn any_range(&self) -> Option<Arc<Range>> {
        let View { known, stage } = self.view();
        if let Stage::Search(range) = stage {
            return Some(Arc::clone(range));
        }
        (known.verdict(self.places.start) == Some(Verdict::Bad)).then(|| {
            let walked = self.places.good.is_empty();
            let good = if walked { &self.places.releases[..1] } else { &self.places.good[..] };
            self.range(known, self.places.start, good, walked)
        })
    }

    /// Commits between the ends as they are known by verdicts.
    fn length(&self, range: &Range) -> usize {
        let ends: Vec<Node> = range.ends.iter().map(|end| end.node).collect();
        match self.places.kind {
            Kind::Cause => self.graph.range(range.bad, &ends).len(),
            Kind::Fix => range.candidates.len(),
        }
    }
}

impl Range {
    /// Entropy over the candidates and the good end that may be bad after all, in bits.
    fn entropy(&self) -> f64 {
        let shares = self.mass().into_iter().chain([self.end_bad()]);
        // A sum of nothing, or of what is certain, is a negative zero.
        shares.filter(|&share| share > 0.0).map(|share| -share * share.log2()).sum::<f64>() + 0.0
    }

    /// Probability that a good end is bad after all, over all readings.
    fn end_bad(&self) -> f64 {
        self.posterior.beliefs.iter().map(|belief| belief.weight * belief.end_bad()).sum()
    }

    /// Probability that the commit is bad, over all readings; none for commits beyond the range that have no valid trial.
    pub(super) fn bad_at(&self, graph: &Graph, node: Node) -> Option<f64> {
        if let Some(site) = self.posterior.site(node) {
            return Some(self.posterior.beliefs.iter().map(|belief| belief.weight * belief.sites[site].bad).sum());
        }
        self.candidates.rank(node)?;
        let contained = self.candidates.contained(graph, node);
        let inside: f64 = self.mass().into_iter().zip(contained).filter(|(_, inside)| *inside).map(|(mass, _)| mass).sum();
        Some(if self.begins { inside + self.end_bad() } else { 1.0 - inside })
    }
}

fn tested(known: &Known, node: Node, tally: &Tally, bad: Option<f64>) -> Tested {
    let verdict = known.verdict(node);
    let by_verdict = match verdict {
        Some(Verdict::Bad) => 1.0,
        Some(Verdict::Good) => 0.0,
        Some(Verdict::Skip(_)) | None => 0.5,
    };
    Tested {
        commit: tally.commit,
        role: tally.role,
        hits: tally.hits,
        clean: tally.clean,
        void: tally.void(),
        other: tally.other,
        verdict,
        bad: bad.unwrap_or(by_verdict),
    }
}

/// The rates in an era, if it does not hide the bug, under the weightiest reading.
fn rates(known: &Known, range: &Range, era: usize) -> Rates {
    let belief = &range.posterior.beliefs[0];
    let (grid, points) = (&range.posterior.grid, &belief.eras[era].points);
    let quantile = |share| grid.quantile(points, share);
    let (valid, strays) = known
        .tallies()
        .iter()
        .fold((0.0, 0.0), |(valid, strays), (_, tally)| (valid + f64::from(tally.valid()), strays + f64::from(tally.other)));
    let u = if valid > 0.0 { f64::max(strays / valid, STRAY_FLOOR) } else { STRAY_FLOOR };
    Rates { r: grid.mean_r(points), r_low: quantile(0.025), r_high: quantile(0.975), f: belief.f, u }
}

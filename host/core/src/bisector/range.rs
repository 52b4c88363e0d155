//! A settled range: its candidates, and what is probable among them.

use std::sync::Arc;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use super::Bisector;
use super::ends::Kind;
use super::known::Known;
use crate::git_compat::Steps;
use crate::graph::Node;
use crate::graph::NodeSet;
use crate::policy::Role;
use crate::policy::Verdict;
use crate::posterior::Candidates;
use crate::posterior::GoodEnd;
use crate::posterior::Grid;
use crate::posterior::Groups;
use crate::posterior::Posterior;
use crate::posterior::Question;
use crate::posterior::Site;

/// Probability before any trial that a good end is bad after all: one that the user states, and one found by the walk.
pub(crate) const STATED_BAD: f64 = 0.02;
const WALKED_BAD: f64 = 0.10;
/// The chance that a built kernel cannot show the bug for reasons of its own, as a share of δ.
pub(crate) const MUTE_SHARE: f64 = 1.0 / 20.0;

/// A settled range and what is probable in it.
#[derive(Debug, Clone)]
pub(super) struct Range {
    pub(super) candidates: Arc<Candidates>,
    /// The good ends (fix: the newest commit).
    pub(super) ends: Vec<GoodEnd>,
    /// The oldest end known to be bad (fix: the start commit).
    pub(super) bad: Node,
    /// The boundary is where the crash begins (cause) rather than ends (fix).
    pub(super) begins: bool,
    pub(super) posterior: Posterior,
    /// Fix: commits that contain one which has shown the target. A clean trial says something only there.
    pub(super) counts: Option<NodeSet>,
    /// Chance that a built kernel cannot show the bug for reasons of its own.
    pub(super) mute: f64,
}

/// What is kept between plans because it takes long: each a function of what stands beside it.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The candidates last asked for: they change less often than the evidence.
    between: Option<Between>,
    /// The ranges made of the evidence at hand.
    ranges: Vec<(Asked, Arc<Range>)>,
    /// The steps of git's session.
    pub(super) steps: Steps,
}

impl Kept {
    /// Forgets what depends on the evidence.
    pub(super) fn evidence_changed(&mut self) {
        self.ranges.clear();
    }
}

/// Candidates with the ends that they lie between, and their groups by the commits tested last.
#[derive(Debug)]
struct Between {
    newest: Node,
    oldest: Vec<Node>,
    candidates: Arc<Candidates>,
    groups: Option<Arc<Groups>>,
}

/// What a range was asked for with.
#[derive(Debug, PartialEq)]
struct Asked {
    bad: Node,
    good: Vec<Node>,
    walked: bool,
}

impl Bisector {
    pub(super) fn range(&self, known: &Known, bad: Node, good: &[Node], walked: bool) -> Arc<Range> {
        let asked = Asked { bad, good: good.to_vec(), walked };
        let found = self.kept().ranges.iter().find(|(earlier, _)| *earlier == asked).map(|(_, range)| Arc::clone(range));
        if let Some(range) = found {
            return range;
        }
        let range = Arc::new(self.make_range(known, &asked));
        // What counts in a search for a fix depends on verdicts, too.
        if self.places.kind == Kind::Cause {
            self.kept().ranges.push((asked, Arc::clone(&range)));
        }
        range
    }

    fn make_range(&self, known: &Known, asked: &Asked) -> Range {
        let Asked { bad, ref good, walked } = *asked;
        let cause = self.places.kind == Kind::Cause;
        let (newest, oldest) = if cause { (self.places.start, &good[..]) } else { (good[0], &[self.places.start][..]) };
        let candidates = self.candidates(newest, oldest);
        let prior = if walked { WALKED_BAD } else { STATED_BAD } / good.len() as f64;
        let ends: Vec<GoodEnd> = good.iter().map(|&node| GoodEnd { node, prior }).collect();
        let counts = (!cause).then(|| self.shown(known));
        let hides = |node: Node| cause && known.is_not_exercised(node) && self.contains_bad(known, node);
        let clean_counts = |node: Node| counts.as_ref().is_none_or(|counts| counts.contains(node)) && !hides(node);
        // Without the bug's introduction a commit is good for another reason than the fix.
        let assumed = |node: Node| match known.assumed(node)? {
            Verdict::Bad => Some(true),
            Verdict::Good if clean_counts(node) => Some(false),
            Verdict::Good | Verdict::Skip(_) => None,
        };
        let tested = known.tallies().iter().filter(|(_, tally)| tally.valid() > 0).map(|(node, tally)| Site {
            node: *node,
            kernel: known.kernel(*node),
            kernels: tally.kernels.values().cloned().collect(),
            era: self.eras.of(*node),
            clean_counts: clean_counts(*node),
            assumed: assumed(*node),
        });
        let vouched_for =
            known.all_assumed().filter(|&(node, _)| known.valid(node) == 0 && assumed(node).is_some()).map(|(node, _)| Site {
                node,
                kernel: known.kernel(node),
                kernels: Vec::new(),
                era: self.eras.of(node),
                clean_counts: clean_counts(node),
                assumed: assumed(node),
            });
        let mut sites: Vec<Site> = tested.chain(vouched_for).collect();
        sites.sort_by_key(|site| site.node);
        let groups = self.groups(&candidates, sites.iter().map(|site| site.node).collect());
        let mute = self.settings.delta * MUTE_SHARE;
        let posterior = Posterior::new(
            Grid::prior(self.places.good.is_empty()),
            Question { graph: &self.graph, groups, begins: cause, ends: &ends, sites, mute, eras: self.eras.count() },
        );
        Range { candidates, ends, bad, begins: cause, posterior, counts, mute }
    }

    /// The candidates between these ends.
    fn candidates(&self, newest: Node, oldest: &[Node]) -> Arc<Candidates> {
        let mut kept = self.kept();
        if let Some(between) = kept.between.as_ref().filter(|between| between.newest == newest && between.oldest == oldest) {
            return Arc::clone(&between.candidates);
        }
        let candidates = Candidates::new(&self.graph, newest, oldest).weighed(|node| self.suspicion.prior(node));
        let candidates = Arc::new(candidates);
        kept.between = Some(Between { newest, oldest: oldest.to_vec(), candidates: Arc::clone(&candidates), groups: None });
        candidates
    }

    /// The groups of these candidates, the ones last asked for, by these tested commits.
    fn groups(&self, candidates: &Arc<Candidates>, sites: Vec<Node>) -> Arc<Groups> {
        let mut kept = self.kept();
        let between = kept.between.as_mut().filter(|between| Arc::ptr_eq(&between.candidates, candidates));
        if let Some(groups) = between.as_ref().and_then(|between| between.groups.as_ref()).filter(|groups| groups.by(&sites)) {
            return Arc::clone(groups);
        }
        let groups = Arc::new(Groups::new(&self.graph, candidates, sites));
        if let Some(between) = between {
            between.groups = Some(Arc::clone(&groups));
        }
        groups
    }

    pub(super) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The commits that contain the start commit, a merge base which has shown the target, or a commit that is assumed to.
    fn shown(&self, known: &Known) -> NodeSet {
        let bases = known.tallies().iter().filter(|(_, tally)| tally.role == Role::MergeBase).map(|&(node, _)| node);
        let vouched_for = known.all_assumed().filter(|&(_, verdict)| *verdict == Verdict::Bad).map(|(node, _)| node);
        let showing: Vec<Node> = bases
            .filter(|&base| known.verdict(base) == Some(Verdict::Bad))
            .chain(vouched_for)
            .chain([self.places.start])
            .collect();
        self.graph.descendants(&showing)
    }
}

impl Range {
    /// A good end that is more likely bad than good, under the weightiest reading.
    pub(super) fn fallen(&self) -> Option<Node> {
        let belief = &self.posterior.beliefs[0];
        self.ends.iter().zip(&belief.ends).find(|&(_, &bad)| bad > 0.5).map(|(end, _)| end.node)
    }
}

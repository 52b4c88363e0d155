//! Strategy `posterior`: the flake policy is a gate, the trials' probabilities decide.

use super::Bisector;
use super::Conclusion;
use super::Pending;
use super::Plan;
use super::ends::Kind;
use super::far_end::FarEnd;
use super::far_end::Standing;
use super::known::Known;
use super::known::TRIALS;
use super::range::Range;
use super::search::Search;
use super::search::holding;
use super::stage::Choose;
use super::stage::Stage;
use crate::git_compat::steps;
use crate::graph::Node;
use crate::policy::Role;
use crate::policy::Verdict;

/// How many times better another commit must be for the search to leave one before the policy has concluded.
pub(super) const WORTH_LEAVING: f64 = 2.0;
/// The share of the probability that counts as "what is left".
const NEARLY_ALL: f64 = 0.99;

/// Strategy `posterior`.
pub(super) struct ByPosterior;

impl Choose for ByPosterior {
    fn stage(&self, bisector: &Bisector, known: &Known) -> Stage {
        let (mut fallen, mut passed): (Vec<Node>, Vec<Node>) = (Vec::new(), Vec::new());
        loop {
            let standing = |end| {
                if fallen.contains(&end) {
                    return Standing::Bad;
                }
                let standing = match known.verdict(end) {
                    None if passed.contains(&end) => Standing::Good,
                    // The policy cannot tell, but its trials say what they say: whether the end is bad is a hypothesis.
                    Some(Verdict::Skip(_)) if known.tally(end).is_some_and(|tally| tally.clean > 0) => Standing::Good,
                    verdict => Standing::from(verdict),
                };
                match standing {
                    Standing::Good if known.is_not_exercised(end) => Standing::Hidden,
                    standing => standing,
                }
            };
            match bisector.far_end(known, standing) {
                FarEnd::End(conclusion) => return bisector.last_end(known, &conclusion).unwrap_or(Stage::End(conclusion)),
                FarEnd::Test(end, role) => {
                    if !matches!(role, Role::GoodEnd | Role::Release) || !bisector.may_leave(known, end, role, &fallen) {
                        return Stage::Test(end, role);
                    }
                    passed.push(end);
                }
                FarEnd::Settled { bad, good, walked } => {
                    if let Some(stage) = bisector.merge_bases(known, &good) {
                        return stage;
                    }
                    let range = bisector.range(known, bad, &good, walked);
                    match range.fallen() {
                        Some(end) => fallen.push(end),
                        None => return Stage::Search(range),
                    }
                }
            }
        }
    }

    fn plan(&self, bisector: &Bisector, known: &Known, range: &Range, pending: &[Pending]) -> Plan {
        bisector.search(known, range).plan(pending)
    }

    /// The commits that hold 99 % of the probability, less the one under test.
    fn left(&self, _: &Bisector, _: &Known, range: &Range) -> (usize, usize) {
        let holding = holding(&range.mass(), NEARLY_ALL);
        (holding - 1, steps(holding) as usize)
    }
}

impl Bisector {
    /// Whether the search may begin although the policy has not judged the good end yet: it has had a trial and is good with
    /// probability 1 − δ. The end stays among the commits that the search may test.
    fn may_leave(&self, known: &Known, end: Node, role: Role, fallen: &[Node]) -> bool {
        if known.valid(end) == 0 {
            return false;
        }
        let good: Vec<Node> = match role {
            Role::Release => vec![end],
            _ => {
                let lost = |end| matches!(known.verdict(end), Some(Verdict::Bad | Verdict::Skip(_))) || fallen.contains(&end);
                self.places.good.iter().copied().filter(|&end| !lost(end)).collect()
            }
        };
        let range = self.range(known, self.places.start, &good, role == Role::Release);
        let belief = &range.posterior.beliefs[0];
        let place = range.ends.iter().position(|good| good.node == end).expect("the end is among the good ones");
        belief.ends[place] < self.settings.delta
    }

    /// A bisection does not end over one crash at its last end, which may be a false alarm: the end is tested on until it is bad with
    /// probability 1 − δ.
    fn last_end(&self, known: &Known, conclusion: &Conclusion) -> Option<Stage> {
        let end = match conclusion {
            Conclusion::OldestStillBad { oldest } => self.graph.node(oldest)?,
            Conclusion::NewestStillBad { newest } => self.graph.node(newest)?,
            _ => return None,
        };
        let role = if self.places.good.contains(&end) { Role::GoodEnd } else { Role::Release };
        let range = self.range(known, self.places.start, &[end], role == Role::Release);
        let sure = range.posterior.beliefs[0].ends[0] >= 1.0 - self.settings.delta;
        (!sure && known.trials(end) < TRIALS).then_some(Stage::Test(end, role))
    }

    /// Cause: where a good end is no ancestor of the start commit, their merge bases must not be bad: else the history between
    /// them holds a fix, not only the culprit. Fix: the merge bases must be bad.
    fn merge_bases(&self, known: &Known, good: &[Node]) -> Option<Stage> {
        let start = self.places.start;
        let astray = match self.places.kind {
            Kind::Cause => good.iter().any(|&good| !self.graph.is_ancestor(good, start)),
            Kind::Fix => !self.graph.is_ancestor(start, good[0]),
        };
        if !astray {
            return None;
        }
        let mut shown = false;
        for base in self.graph.merge_bases(start, good) {
            if good.contains(&base) {
                continue;
            }
            match (known.verdict(base), self.places.kind) {
                (None, _) => return Some(Stage::Test(base, Role::MergeBase)),
                (Some(Verdict::Bad), Kind::Cause) => {
                    let base = self.graph.id(base).short();
                    let why = format!("the merge base {base} is bad: between it and the good commit the crash was fixed");
                    return Some(Stage::End(Conclusion::CannotSearch { why }));
                }
                (Some(Verdict::Bad), Kind::Fix) => shown = true,
                (Some(Verdict::Good | Verdict::Skip(_)), _) => {}
            }
        }
        if self.places.kind == Kind::Fix && !shown {
            let why = "no merge base of the start commit and the newest one shows the crash: it came in after they parted";
            return Some(Stage::End(Conclusion::CannotSearch { why: why.to_owned() }));
        }
        None
    }

    pub(super) fn search<'a>(&'a self, known: &'a Known, range: &'a Range) -> Search<'a> {
        Search {
            graph: &self.graph,
            known,
            range,
            delta: self.settings.delta,
            start: self.places.start,
            eras: &self.eras,
            pace: self.pace,
        }
    }
}

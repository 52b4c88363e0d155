//! Strategy `git`: git's own choices, driven by verdicts.

use super::Bisector;
use super::Conclusion;
use super::Pending;
use super::Plan;
use super::Suspect;
use super::ends::Kind;
use super::far_end::FarEnd;
use super::far_end::Standing;
use super::known::Known;
use super::range::Range;
use super::stage::Choose;
use super::stage::Stage;
use crate::git_compat::Mark;
use crate::git_compat::Next;
use crate::git_compat::Options;
use crate::git_compat::steps;
use crate::graph::Node;
use crate::policy::Role;
use crate::policy::Verdict;

/// Strategy `git`.
pub(super) struct ByGit;

impl Choose for ByGit {
    fn stage(&self, bisector: &Bisector, known: &Known) -> Stage {
        match bisector.far_end(known, |end| Standing::from(known.verdict(end))) {
            FarEnd::Test(node, role) => Stage::Test(node, role),
            FarEnd::Settled { bad, good, walked } => Stage::Search(bisector.range(known, bad, &good, walked)),
            FarEnd::End(conclusion) => Stage::End(conclusion),
        }
    }

    fn plan(&self, bisector: &Bisector, known: &Known, range: &Range, _: &[Pending]) -> Plan {
        let session = bisector.session(known, range);
        if let Some(base) = session.missing_base {
            return bisector.once_more(known, base, Role::MergeBase);
        }
        match session.next {
            Next::Test { commit, .. } => bisector.once_more(known, commit, Role::Candidate),
            Next::TestMergeBase(commit) => bisector.once_more(known, commit, Role::MergeBase),
            Next::FirstBad(commit) => bisector.verify_or_name(known, range, commit),
            Next::OnlySkipped { possible, .. } => {
                let mass = range.mass();
                let suspect = |&node: &Node| {
                    let probability = range.candidates.rank(node).map_or(0.0, |rank| mass[rank]);
                    Suspect { commit: bisector.graph.id(node), probability }
                };
                let mut suspects: Vec<Suspect> = possible.iter().map(suspect).collect();
                suspects.sort_by(|one, other| other.probability.total_cmp(&one.probability));
                let why = "only skipped commits are left to test".to_owned();
                Plan::Done(Conclusion::Inconclusive { suspects, why, readings: Vec::new() })
            }
            Next::MergeBaseBad => cannot_search(match bisector.places.kind {
                Kind::Cause => {
                    "a merge base of the good and the bad commit is bad: between it and the good commit the crash was fixed"
                }
                Kind::Fix => "a merge base of the start commit and the newest one does not crash: it came in after they parted",
            }),
            Next::GoodAndBad => cannot_search("a good commit contains the bad one"),
        }
    }

    fn left(&self, bisector: &Bisector, known: &Known, range: &Range) -> (usize, usize) {
        match bisector.session(known, range).next {
            Next::Test { left, steps, .. } => (left, steps as usize),
            Next::OnlySkipped { possible, .. } => (possible.len() - 1, steps(possible.len()) as usize),
            _ => (0, 0),
        }
    }
}

/// Where git's session stands.
struct Session {
    next: Next,
    /// Fix: a merge base that must be tested before the commit that git wants says anything.
    missing_base: Option<Node>,
}

impl Bisector {
    /// Git's session, gone through from its start with the verdicts at hand.
    fn session(&self, known: &Known, range: &Range) -> Session {
        let good: Vec<Node> = range.ends.iter().map(|end| end.node).collect();
        let mut missing_base = None;
        let mut steps = std::mem::take(&mut self.kept().steps);
        let next = match self.places.kind {
            Kind::Cause => steps.replay(&self.graph, range.bad, &good, Options::default(), |node| {
                Some(match known.verdict(node)? {
                    Verdict::Good => Mark::Good,
                    Verdict::Bad => Mark::Bad,
                    Verdict::Skip(_) => Mark::Skip,
                })
            }),
            // To git a fix is what turns "good" (it still crashes) into "bad" (it does not any more).
            Kind::Fix => steps.replay(&self.graph, good[0], &[range.bad], Options::default(), |node| {
                self.fix_mark(known, range, node).unwrap_or_else(|base| {
                    missing_base = Some(base);
                    None
                })
            }),
        };
        self.kept().steps = steps;
        Session { next: next.next, missing_base }
    }

    /// How git is told of a commit in a search for a fix; `Err` with a merge base that must be tested first. A commit on a branch
    /// that the bug never reached is told as if it crashed: the fix is not in it.
    fn fix_mark(&self, known: &Known, range: &Range, node: Node) -> Result<Option<Mark>, Node> {
        let reached = self.settings.single_trials || range.counts.as_ref().is_none_or(|counts| counts.contains(node));
        if !reached {
            let bases = self.graph.merge_bases(node, &[self.places.start]);
            // The merge base of the whole session is tested as such, and its verdict stands.
            if !bases.contains(&node) {
                if let Some(&base) = bases.iter().find(|&&base| known.verdict(base).is_none()) {
                    return Err(base);
                }
                let skipped = bases.iter().all(|&base| matches!(known.verdict(base), Some(Verdict::Skip(_))));
                return Ok(Some(if skipped { Mark::Skip } else { Mark::Good }));
            }
        }
        Ok(known.verdict(node).map(|verdict| match verdict {
            Verdict::Good => Mark::Bad,
            Verdict::Bad => Mark::Good,
            Verdict::Skip(_) => Mark::Skip,
        }))
    }

    /// The name, once it is verified.
    fn verify_or_name(&self, known: &Known, range: &Range, commit: Node) -> Plan {
        if !self.settings.single_trials
            && let Some(rank) = range.candidates.rank(commit)
            && let Some(action) = self.search(known, range).unverified(&range.posterior.beliefs[0], rank).into_iter().next()
        {
            return Plan::Do(vec![action]);
        }
        Plan::Done(Conclusion::Found { suspects: range.named(&self.graph, commit) })
    }
}

fn cannot_search(why: &str) -> Plan {
    Plan::Done(Conclusion::CannotSearch { why: why.to_owned() })
}

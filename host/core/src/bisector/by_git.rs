//! Strategy `git`: git's own choices, driven by verdicts.

use super::Bisector;
use super::Conclusion;
use super::Known;
use super::Plan;
use super::Summary;
use super::Suspect;
use super::Tested;
use super::ends::Kind;
use super::far_end::FarEnd;
use super::far_end::Standing;
use crate::git_compat::Mark;
use crate::git_compat::Next;
use crate::git_compat::Options;
use crate::git_compat::Step;
use crate::git_compat::replay;
use crate::git_compat::steps;
use crate::graph::Node;
use crate::policy::Role;
use crate::policy::Verdict;

impl Bisector {
    pub(super) fn plan_by_git(&self, known: &Known<'_>) -> Plan {
        let (bad, good) = match self.far_end(known, |end| Standing::from(known.verdict(end))) {
            FarEnd::Test(node, role) => return self.try_once_more(known, node, role),
            FarEnd::Settled { bad, good, .. } => (bad, good),
            FarEnd::End(conclusion) => return Plan::Done(conclusion),
        };
        match self.git_step(known, bad, &good).next {
            Next::Test { commit, .. } => self.try_once_more(known, commit, Role::Candidate),
            Next::TestMergeBase(commit) => self.try_once_more(known, commit, Role::MergeBase),
            Next::FirstBad(commit) => Plan::Done(Conclusion::Found { suspects: vec![self.suspect(commit, 1.0)] }),
            Next::OnlySkipped { possible, .. } => {
                let share = 1.0 / possible.len() as f64;
                let suspects = possible.iter().map(|&node| self.suspect(node, share)).collect();
                let why = "only skipped commits are left to test".to_owned();
                Plan::Done(Conclusion::Inconclusive { suspects, why, readings: Vec::new() })
            }
            Next::MergeBaseBad => {
                Plan::Done(Conclusion::CannotSearch { why: "the merge base of the good and the bad commit is bad".to_owned() })
            }
            Next::GoodAndBad => Plan::Done(Conclusion::CannotSearch { why: "a good commit contains the bad one".to_owned() }),
        }
    }

    fn git_step(&self, known: &Known<'_>, bad: Node, good: &[Node]) -> Step {
        // To git a fix is what turns `good` (it still crashes) into `bad` (it does not any more).
        let (bad, good) = match self.places.kind {
            Kind::Cause => (bad, good.to_vec()),
            Kind::Fix => (good[0], vec![bad]),
        };
        replay(&self.graph, bad, &good, Options::default(), |node| {
            Some(match (known.verdict(node)?, self.places.kind) {
                (Verdict::Good, Kind::Cause) | (Verdict::Bad, Kind::Fix) => Mark::Good,
                (Verdict::Bad, Kind::Cause) | (Verdict::Good, Kind::Fix) => Mark::Bad,
                (Verdict::Skip(_), _) => Mark::Skip,
            })
        })
    }

    pub(super) fn summary_by_git(&self, known: &Known<'_>) -> Summary {
        let mut summary = Summary {
            range: None,
            left: 0,
            steps: 0,
            suspects: Vec::new(),
            good_end_bad: 0.0,
            rates: None,
            tested: known
                .tallies
                .iter()
                .map(|tally| Tested {
                    commit: tally.commit,
                    role: tally.role,
                    hits: tally.hits,
                    clean: tally.clean,
                    void: tally.void(),
                    other: tally.other,
                    verdict: tally.verdict.clone(),
                    bad: 0.5,
                })
                .collect(),
        };
        if let FarEnd::Settled { bad, good, .. } = self.far_end(known, |end| Standing::from(known.verdict(end))) {
            summary.range = Some(self.graph.range(bad, &good).len());
            if let Next::Test { left, .. } = self.git_step(known, bad, &good).next {
                (summary.left, summary.steps) = (left, steps(left) as usize);
            }
        }
        summary
    }

    pub(super) fn suspect(&self, node: Node, probability: f64) -> Suspect {
        Suspect { commit: self.graph.id(node), probability }
    }
}

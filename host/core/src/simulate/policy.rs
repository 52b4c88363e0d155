//! When a commit has had trials enough: the border to the plugins that say so, and the simplest rules.

use crate::bisector::Kind;
use crate::commit::CommitId;
use crate::policy::Ask;
use crate::policy::Decision;
use crate::policy::Judgement;
use crate::policy::Outcome;
use crate::policy::Rates;
use crate::policy::Role;
use crate::policy::Stage;
use crate::policy::Trial;
use crate::policy::Verdict;

/// What is known outside of the commit in question.
#[derive(Debug, Clone, PartialEq)]
pub struct Situation {
    /// What is looked for.
    pub kind: Kind,
    /// Where the crash was seen.
    pub start: CommitId,
    /// Chance of a wrong name that is put up with.
    pub delta: f64,
    /// Commits between the ends.
    pub range: usize,
    /// Rates of the target; none until the start commit was tested.
    pub rates: Option<Rates>,
    /// The commits tested so far, oldest test first.
    pub history: Vec<Past>,
}

/// What is known of a commit tested earlier.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// The commit.
    pub commit: CommitId,
    /// Why it was tested.
    pub role: Role,
    /// Clean trials.
    pub clean: u32,
    /// Crashed trials, whatever the crash.
    pub crashed: u32,
    /// Void trials.
    pub void: u32,
    /// The verdict, when one stands.
    pub verdict: Option<Verdict>,
}

impl Past {
    /// Counts a commit's trials; the verdict is that of the policy's last answer.
    pub(super) fn new(commit: CommitId, role: Role, trials: &[Trial], decision: Option<&Decision>) -> Self {
        let verdict = if let Some(Decision::Conclude(verdict)) = decision { Some(verdict.clone()) } else { None };
        let mut past = Self { commit, role, clean: 0, crashed: 0, void: 0, verdict };
        for trial in trials {
            match trial.outcome {
                Outcome::Clean => past.clean += 1,
                Outcome::Crashed(_) => past.crashed += 1,
                Outcome::Void(_) => past.void += 1,
            }
        }
        past
    }
}

/// Says when a commit has had trials enough, and what they mean.
pub trait FlakePolicy {
    /// Answers one question. Equal questions must have equal answers.
    fn judge(&mut self, ask: &Ask, situation: &Situation) -> Judgement;
}

/// A loop around `git bisect run`: so many trials a commit, and any crash at all is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnyCrash {
    /// Trials of a commit.
    pub trials: u32,
}

impl FlakePolicy for AnyCrash {
    fn judge(&mut self, ask: &Ask, _: &Situation) -> Judgement {
        let crashed = ask.trials.iter().any(|trial| matches!(trial.outcome, Outcome::Crashed(_)));
        let clean = ask.trials.iter().filter(|trial| trial.outcome == Outcome::Clean).count() as u32;
        let void = ask.trials.len() as u32 - clean;
        let unbuilt =
            ask.trials.iter().any(|trial| matches!(&trial.outcome, Outcome::Void(failure) if failure.stage == Stage::Build));
        let decision = if crashed {
            Decision::Conclude(Verdict::Bad)
        } else if unbuilt || void > 2 * self.trials {
            Decision::Conclude(Verdict::Skip("it cannot be tested".to_owned()))
        } else if clean >= self.trials {
            Decision::Conclude(Verdict::Good)
        } else {
            Decision::Want(self.trials + void)
        };
        Judgement { decision, confidence: 1.0, reason: String::new() }
    }
}

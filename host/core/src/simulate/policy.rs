//! When a commit has had trials enough: the border to the plugins that say so, and the simplest rules.

use std::sync::Arc;

use crate::bisector::Kind;
use crate::commit::CommitId;
use crate::policy::Ask;
use crate::policy::Decision;
use crate::policy::Judgement;
use crate::policy::Outcome;
use crate::policy::Past;
use crate::policy::Rates;
use crate::policy::Stage;
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
    pub history: Arc<Vec<Past>>,
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

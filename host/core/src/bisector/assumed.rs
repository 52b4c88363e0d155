//! Verdicts that a person vouches for: taken as they are, without a trial, and checked only against one another.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use super::Bisector;
use super::ends::Kind;
use crate::commit::CommitId;
use crate::graph::Node;
use crate::policy::Verdict;

/// A verdict that is taken for granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assumption {
    /// The commit.
    pub commit: CommitId,
    /// What is assumed of it.
    pub verdict: Verdict,
}

/// Why assumptions cannot hold together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAssumption {
    /// The graph does not hold the commit.
    #[error("commit {0} is not in the history at hand")]
    UnknownCommit(CommitId),
    /// Two verdicts on one commit.
    #[error("commit {commit} is assumed to be {} and {}", word(.one), word(.other))]
    Twice {
        /// The commit.
        commit: CommitId,
        /// What was assumed first.
        one: Verdict,
        /// What was assumed then.
        other: Verdict,
    },
    /// The start commit is where the crash was seen.
    #[error("the start commit {0} is where the crash was seen: it cannot be assumed to be anything but bad")]
    Start(CommitId),
    /// Cause: the good commit contains the bad one.
    #[error("good commit {good} contains bad commit {bad}: the crash would have been fixed between them")]
    GoodContainsBad {
        /// The one that contains the other.
        good: CommitId,
        /// The one contained, or the same one.
        bad: CommitId,
    },
    /// Fix: the commit that still crashes contains the fixed one.
    #[error("commit {bad} still crashes and contains commit {good}, which is fixed")]
    BadContainsFixed {
        /// The one that contains the other.
        bad: CommitId,
        /// The one contained, or the same one.
        good: CommitId,
    },
}

/// The verdict in a word.
fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Good => "good",
        Verdict::Bad => "bad",
        Verdict::Skip(_) => "skip",
    }
}

impl Bisector {
    /// Takes a verdict for granted; an earlier assumption on the same commit is replaced. A policy's verdict on the commit does not
    /// count while it is assumed; its trials go on to say what they say of r and f.
    pub fn assume(&mut self, assumption: Assumption) {
        self.recorded.assume(assumption);
        self.evidence_changed();
    }

    /// Takes an assumption back.
    pub fn forget_assumption(&mut self, commit: &CommitId) {
        self.recorded.forget_assumption(commit);
        self.evidence_changed();
    }

    /// Whether these verdicts can be assumed beside what is assumed already, the start commit and the stated good ends.
    ///
    /// # Errors
    ///
    /// The first contradiction.
    pub fn check_assumptions(&self, more: &[Assumption]) -> Result<(), BadAssumption> {
        let mut assumed: BTreeMap<Node, &Assumption> = BTreeMap::new();
        for assumption in self.recorded.assumed().chain(more) {
            let node = self.graph.node(&assumption.commit).ok_or(BadAssumption::UnknownCommit(assumption.commit))?;
            if node == self.places.start && assumption.verdict != Verdict::Bad {
                return Err(BadAssumption::Start(assumption.commit));
            }
            let before = assumed.insert(node, assumption).map_or(&assumption.verdict, |before| &before.verdict);
            if word(before) != word(&assumption.verdict) {
                let (one, other) = (before.clone(), assumption.verdict.clone());
                return Err(BadAssumption::Twice { commit: assumption.commit, one, other });
            }
        }
        let of = |verdict: Verdict| assumed.iter().filter(move |(_, one)| one.verdict == verdict).map(|(node, _)| *node);
        // A stated good end that is assumed to be untestable is no longer called good.
        let stated = self.places.good.iter().copied().filter(|end| !assumed.contains_key(end));
        let bad_good_end = of(Verdict::Bad).find(|bad| self.places.good.contains(bad));
        let good: Vec<Node> = of(Verdict::Good).chain(stated).chain(bad_good_end).collect();
        let bad: Vec<Node> = of(Verdict::Bad).chain([self.places.start]).collect();
        match self.places.kind {
            Kind::Cause => {
                let contained = self.graph.ancestors(&good);
                let Some(&bad) = bad.iter().find(|&&bad| contained.contains(bad)) else { return Ok(()) };
                let good = good.into_iter().find(|&good| self.graph.is_ancestor(bad, good)).expect("one of them contains it");
                Err(BadAssumption::GoodContainsBad { good: self.graph.id(good), bad: self.graph.id(bad) })
            }
            Kind::Fix => {
                // Where the bug has not come in yet, commits are good and what comes after them may be bad.
                let after_start = self.graph.descendants(&[self.places.start]);
                let fixed: Vec<Node> = good.into_iter().filter(|&good| after_start.contains(good)).collect();
                let contain = self.graph.descendants(&fixed);
                let Some(&bad) = bad.iter().find(|&&bad| contain.contains(bad)) else { return Ok(()) };
                let good = fixed.into_iter().find(|&good| self.graph.is_ancestor(good, bad)).expect("it contains one of them");
                Err(BadAssumption::BadContainsFixed { bad: self.graph.id(bad), good: self.graph.id(good) })
            }
        }
    }
}

//! What a bisection is told and what it answers, as plain data.

use serde::Deserialize;
use serde::Serialize;

use super::Assumption;
use crate::commit::CommitId;
use crate::policy::Rates;
use crate::policy::Role;
use crate::policy::Verdict;

/// How to choose the next commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// As git does, driven by the flake policy's verdicts.
    Git,
    /// By the posterior over the commit DAG.
    Posterior,
}

/// What the user may set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// How to choose.
    pub strategy: Strategy,
    /// Chance of a wrong name that is put up with: the search stops at a posterior of 1 − δ.
    pub delta: f64,
    /// Do not test the stated good end first.
    pub trust_good: bool,
    /// One trial a commit and no verification: `git bisect run`'s own way (strategy `git` only).
    pub single_trials: bool,
}

/// How long things take, and how many kernels may be built at once.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pace {
    /// Builders; with none, kernels are built with their trials, and never ahead of need.
    pub builders: u32,
    /// Seconds that a build takes.
    pub build: f64,
    /// Seconds that a trial takes, boot included; 0: not known.
    pub trial: f64,
    /// Seconds of that until the reproducer runs.
    pub boot: f64,
    /// Seconds that the reproducer runs in a clean trial if nothing cuts it short; 0: not known, or it ends by itself.
    pub full: f64,
}

/// A trial or build that the driver has under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// The commit.
    pub commit: CommitId,
    /// Trials under way there; 0 while only the build runs.
    pub trials: u32,
}

/// Something worth doing now.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Build this commit's kernel ahead of need.
    Build(CommitId),
    /// Test this commit (building it first).
    Try {
        /// The commit.
        commit: CommitId,
        /// Why.
        role: Role,
        /// Trials in all that the search proposes here, finished and running ones included.
        trials: u32,
        /// Use a second build, made from clean, for these trials.
        rebuild: bool,
        /// Share of the full time that trials get which start now.
        exposure: f64,
    },
}

impl Action {
    /// The commit that it is about.
    pub fn commit(&self) -> CommitId {
        match *self {
            Self::Build(commit) | Self::Try { commit, .. } => commit,
        }
    }
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// What is worth doing, best first. Never empty. What runs and is not in it may be cancelled.
    Do(Vec<Action>),
    /// Nothing more: the answer.
    Done(Conclusion),
}

/// A commit and its share of the probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Suspect {
    /// The commit.
    pub commit: CommitId,
    /// Probability that it is the boundary (or the fix).
    pub probability: f64,
}

/// One way to read the looks that are neither surely the target nor surely not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Looks read as the target.
    pub as_target: Vec<u32>,
    /// Looks read as strays.
    pub as_stray: Vec<u32>,
    /// The reading's weight among those that stand, 0 to 1.
    pub weight: f64,
    /// Its likeliest commits, best first.
    pub suspects: Vec<Suspect>,
    /// Probability that the good end is bad after all: then none of these is the boundary.
    #[serde(default)]
    pub end_bad: f64,
}

impl Reading {
    /// The likeliest commit; none where the boundary rather lies beyond the good end.
    pub fn best(&self) -> Option<&Suspect> {
        self.suspects.first().filter(|best| best.probability >= self.end_bad)
    }
}

/// How a bisection ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "kebab-case")]
pub enum Conclusion {
    /// The boundary is known.
    Found {
        /// The culprit or fix first, then the runners-up.
        suspects: Vec<Suspect>,
    },
    /// Several commits remain, best first.
    Inconclusive {
        /// What is left.
        suspects: Vec<Suspect>,
        /// Why no more can be said, in one line.
        why: String,
        /// More than one when the answer depends on which looks are the target.
        readings: Vec<Reading>,
    },
    /// The start commit did not show the target.
    NotReproduced,
    /// The crash is already there at the oldest release or good end tried.
    OldestStillBad {
        /// The oldest commit that crashed.
        oldest: CommitId,
    },
    /// Fix: the newest commit still crashes.
    NewestStillBad {
        /// The newest commit.
        newest: CommitId,
    },
    /// An end of the range cannot be tested, or history does not fit together.
    CannotSearch {
        /// Why, in one line.
        why: String,
    },
}

/// What is known of a commit that was tested.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tested {
    /// The commit.
    pub commit: CommitId,
    /// Why it was tested first.
    pub role: Role,
    /// Trials that crashed with the target (`same` ≥ .5).
    pub hits: u32,
    /// Clean trials.
    pub clean: u32,
    /// Void trials.
    pub void: u32,
    /// Trials that crashed with something else.
    pub other: u32,
    /// The assumed verdict, or the policy's if it has concluded.
    pub verdict: Option<Verdict>,
    /// Probability that the commit has the bug, as the search sees it.
    pub bad: f64,
}

/// Where the bisection stands, for people and plugins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Commits in the range, once it is known.
    pub range: Option<usize>,
    /// Commits that hold 99 % of the probability, less the one under test: git's "revisions left".
    pub left: usize,
    /// Git's estimate of steps for that many.
    pub steps: usize,
    /// Entropy of where the boundary lies, in bits: about how many perfect tests are left. 0 until the range is known.
    #[serde(default)]
    pub bits: f64,
    /// The likeliest commits, best first, at most ten.
    pub suspects: Vec<Suspect>,
    /// Probability that the good end is bad after all.
    pub good_end_bad: f64,
    /// Verdicts that are taken for granted, by commit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<Assumption>,
    /// Rates, once the start commit was tested.
    pub rates: Option<Rates>,
    /// Commits tested, oldest test first.
    pub tested: Vec<Tested>,
}

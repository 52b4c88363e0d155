//! The words of trials and verdicts, and what a flake policy is. Owns no policy: those are plugins.

use serde::Deserialize;
use serde::Serialize;

use crate::commit::CommitId;
use crate::crash::CrashReport;

/// Where a void trial failed: a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// The kernel did not build.
    Build,
    /// The machine did not come up.
    Boot,
    /// The control test failed: the kernel cannot do the basics.
    Control,
    /// Files could not be brought into the machine.
    Copy,
    /// The reproducer itself failed, or said that it cannot tell.
    Reproducer,
    /// The host, not the kernel, is to blame.
    Infra,
}

/// A trial that says nothing of the kernel under test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Where it failed.
    pub stage: Stage,
    /// How, in one line for people.
    pub reason: String,
}

/// The look of the target itself.
pub const TARGET_LOOK: u32 = 0;

/// From this chance on a crash is rather the target than not, and is counted so.
pub const RATHER: f64 = 0.5;

/// A crash, and the chance that it is the target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sighting {
    /// The trial's report: of all it made, the one with the greatest `same`.
    pub report: CrashReport,
    /// Chance of "same bug" at even prior odds, 0 to 1; users clamp it to [.001, .999].
    pub same: f64,
    /// Which look the crash has: crashes with one number are taken for one another. [`TARGET_LOOK`] is for what surely is the
    /// target; a crash that only may be has another number.
    pub look: u32,
}

impl Sighting {
    /// Whether the crash is rather the target than not.
    pub fn is_target(&self) -> bool {
        self.same >= RATHER
    }
}

/// How a trial ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(clippy::large_enum_variant, reason = "most trials that are kept crashed, or are few")]
pub enum Outcome {
    /// Nothing was seen until the end.
    Clean,
    /// The kernel crashed.
    Crashed(Sighting),
    /// The trial says nothing.
    Void(Failure),
}

/// A trial that was cut short with a smaller share of its exposure, and was clean until then, is as if it had not been to people and to
/// policies, which would count a miss. To the search it is evidence: left out, r would be taken for too large.
pub const SAYS_SOMETHING: f64 = 0.05;

/// A finished trial as policies see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// How it ended.
    pub outcome: Outcome,
    /// Share of the full time that the trial had, 0 to 1. A clean one that was cut short counts less (a flake policy is told how much:
    /// `Bisector::told`); of a crash it says when it came, where that is known (else 1).
    pub exposure: f64,
}

impl Trial {
    /// Whether people and policies hear of it: not of one that was cut short before it could say much, see [`SAYS_SOMETHING`].
    pub fn says_something(&self) -> bool {
        self.outcome != Outcome::Clean || self.exposure >= SAYS_SOMETHING
    }
}

/// Verdict on one commit, in git-bisect's terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The target does not show here.
    Good,
    /// The target shows here.
    Bad,
    /// This commit cannot be judged, and why.
    Skip(String),
}

/// Why a commit is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Where the crash was seen.
    Start,
    /// The end of the range that the user calls good.
    GoodEnd,
    /// A release on the walk back.
    Release,
    /// Inside the range.
    Candidate,
    /// A merge base of the two ends.
    MergeBase,
    /// The start commit with a smaller configuration.
    BaselineConfig,
    /// The named culprit or one of its parents, once more.
    Verification,
}

/// What a flake policy wants next for a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Trials wanted in all, finished and running ones included.
    Want(u32),
    /// Enough: this is the verdict.
    Conclude(Verdict),
    /// End the whole bisection: the infrastructure is broken.
    Abort(String),
}

/// A flake policy's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// What it wants.
    pub decision: Decision,
    /// Chance that the verdict is right, as the policy sees it; 1 while it wants more.
    pub confidence: f64,
    /// Why, in one line for people.
    pub reason: String,
}

/// What a flake policy is told of one commit.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The commit.
    pub commit: CommitId,
    /// Why it is tested.
    pub role: Role,
    /// Trials finished at this commit, in the order they ended.
    pub trials: Vec<Trial>,
    /// Trials under way.
    pub running: u32,
    /// Trials in all that the search proposes for this commit.
    pub proposed: u32,
}

/// What is known of a commit tested earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    pub(crate) fn new(commit: CommitId, role: Role, trials: &[Trial], decision: Option<&Decision>) -> Self {
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

/// Per-trial rates, with the 95 % credible interval of `r`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// Chance that a trial at a bad commit shows the target.
    pub r: f64,
    /// Its 2.5 % quantile.
    pub r_low: f64,
    /// Its 97.5 % quantile.
    pub r_high: f64,
    /// Chance that a trial at a good commit ends in a crash taken for the target.
    pub f: f64,
    /// Chance that a trial ends in a crash that is not the target.
    pub u: f64,
}

//! What `kbisect explain` tells, as plain data: why commits were tested, what each trial said, and what speaks for whom.
//!
//! Everything here is worked out anew from the journal; nothing of it is kept.

use kbisect_core::bisector::Conclusion;
use kbisect_core::bisector::Kind;
use kbisect_core::bisector::TrialNumber;
use kbisect_core::caveat::Caveat;
use kbisect_core::commit::CommitId;
use kbisect_core::policy::Judgement;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Role;
use kbisect_core::policy::Verdict;
use serde::Serialize;

use super::event::Assumed;
use super::priors::Prior;
use super::reaches::ReachedAt;
use super::report::Subject;

/// Version of the explanation's shape.
pub const SCHEMA: u32 = 1;

/// A run, explained.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// [`SCHEMA`].
    pub schema: u32,
    /// What is looked for.
    pub kind: Kind,
    /// Where the crash was seen.
    pub start: Subject,
    /// The target's titles.
    pub titles: Vec<String>,
    /// What is taken for granted.
    pub assumed: Vec<Assumed>,
    /// Trials and assumptions that were taken back.
    pub retracted: usize,
    /// Nothing is known but a log: of the history only the commits that it tested.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub of_a_log: bool,
    /// The commit that this log named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_named: Option<Subject>,
    /// The search's way, from the first commit that was tested on.
    pub stays: Vec<Stay>,
    /// The commit that was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<Asked>,
    /// Where the search stands now.
    pub now: Standing,
    /// The answer that stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conclusion: Option<Conclusion>,
    /// What must be said of the commit that the trials led to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caveat: Option<Caveat>,
    /// How far the reproducer got where much depends on a clean trial, the start commit first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reach: Vec<ReachedAt>,
    /// The likeliest commits, best first.
    pub candidates: Vec<Candidate>,
    /// What the answer rests on, and what would change it.
    pub numbers: Vec<Number>,
}

/// Where a search stands.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Standing {
    /// Commits in the range, once it is known.
    pub range: Option<usize>,
    /// Revisions left.
    pub left: usize,
    /// Entropy of where the boundary lies, in bits.
    pub bits: f64,
    /// Probability that the commit in question has the bug; none before the start commit is bad.
    pub bad: Option<f64>,
}

/// Trials, by how they ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// At so many commits.
    pub commits: u32,
    /// Crashed with the target, rather than not.
    pub hits: u32,
    /// Clean.
    pub clean: u32,
    /// Void.
    pub void: u32,
    /// Crashed with something else.
    pub other: u32,
}

impl Counts {
    /// Trials that ended clean or with a crash.
    pub fn valid(&self) -> u32 {
        self.hits + self.clean + self.other
    }
}

/// The search at one commit, from when it turned to it until it turned away.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stay {
    /// Counted from 1.
    pub number: usize,
    /// The commit.
    pub commit: Subject,
    /// Why.
    pub role: Role,
    /// A release's tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Somebody asked for it.
    pub by_hand: bool,
    /// The trials that ended in the meantime at the commit, those that were taken back included.
    pub counts: Counts,
    /// Where the search stood.
    pub before: Standing,
    /// Where it stood then.
    pub after: Standing,
    /// The policy's verdict at the end of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

/// A trial and what it weighed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrialTold {
    /// Its number, as `undo` takes it.
    pub trial: TrialNumber,
    /// Which trial of the commit: its folder.
    pub n: u32,
    /// Which build of the commit.
    pub build: u32,
    /// The stay, by number, in which it ended.
    pub stay: usize,
    /// How it ended, by what is known now.
    pub outcome: Outcome,
    /// Why a crash was or was not taken for the target.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Share of the full exposure.
    pub exposure: f64,
    /// How many times likelier it is at a bad commit than at a good one, by what was known then; none where the search weighed
    /// nothing yet, and of void trials.
    pub ratio: Option<f64>,
    /// Where the search stood after it.
    pub after: Standing,
    /// It was taken back.
    pub retracted: bool,
}

/// A commit that was asked about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Asked {
    /// The commit.
    pub commit: Subject,
    /// What is assumed of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assumed: Option<Verdict>,
    /// The trials there.
    pub trials: Vec<TrialTold>,
    /// The flake policy's last answer, and who gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judged: Option<(String, Judgement)>,
    /// Where the search stands now.
    pub now: Standing,
    /// What it is as a candidate; none outside of the range.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidate: Option<Candidate>,
}

/// A commit that may be the one, with what speaks for and against it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidate {
    /// The commit.
    pub commit: Subject,
    /// Probability that the crash begins (cause) or ends (fix) to show here.
    pub probability: f64,
    /// The commit's own trials.
    pub own: Counts,
    /// What is assumed of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assumed: Option<Verdict>,
    /// What a suspicion plugin gave it before the trials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prior: Option<Prior>,
    /// Trials at tested commits that contain it, its own included.
    pub with: Counts,
    /// Trials at tested commits that do not contain it.
    pub without: Counts,
    /// Its parents.
    pub parents: Vec<Parent>,
}

/// A candidate's parent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parent {
    /// The commit.
    pub commit: CommitId,
    /// Its own trials.
    pub own: Counts,
    /// What is assumed of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assumed: Option<Verdict>,
}

/// One of the numbers that an answer rests on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Number {
    /// Of what it is the probability.
    pub what: String,
    /// The probability; none where nothing was measured that it could rest on.
    pub probability: Option<f64>,
    /// Why, in one line, where that is not in the trials alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it would be, were this so.
    pub if_so: Vec<IfSo>,
}

/// What would change a number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IfSo {
    /// What would have to happen.
    pub what: String,
    /// What the number would be then; none where that cannot be reckoned.
    pub probability: Option<f64>,
}

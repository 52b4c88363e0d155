//! What a log found.

use std::collections::HashMap;

use kbisect_core::commit::CommitId;

use super::CommitText;
use super::End;
use super::Item;
use super::List;
use super::Log;
use super::commit_text;

/// How a bisection ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What was found.
    pub found: Found,
    /// What it took; none in a log that was cut.
    pub totals: Option<Totals>,
    /// Digest of the named commit's kernel.
    pub culprit_signature: Option<String>,
    /// Digest of its parent's kernel.
    pub parent_signature: Option<String>,
    /// The chance that something is wrong, as the log states it; since 2023.
    pub error_probability: Option<f64>,
    /// Who is to be told; `cc` of the oldest logs too, which have one list.
    pub to: Vec<String>,
    /// Who gets a copy.
    pub cc: Vec<String>,
    /// The crash at the named commit, or at the last revision tested.
    pub crash: Option<Crash>,
}

/// What a bisection found.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// One commit.
    One {
        /// The commit.
        commit: CommitId,
        /// The first line of its message.
        subject: String,
        /// What git showed of it; nothing where it is a merge that changes nothing of its own, in old logs.
        text: Option<CommitText>,
    },
    /// One of several commits.
    Several(Vec<CommitId>),
    /// The last revision still crashes, or could not be tested.
    End {
        /// Which.
        end: End,
        /// The first line of its commit's message.
        subject: Option<String>,
    },
    /// The bisection failed.
    Error(String),
    /// The log ends before it.
    Nothing,
}

/// What a bisection took; times in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Totals {
    /// Revisions tested, as the log counts.
    pub revisions: u64,
    /// From begin to end.
    pub total: Option<f64>,
    /// Building.
    pub build: Option<f64>,
    /// Testing.
    pub test: Option<f64>,
}

/// A crash and its report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crash {
    /// The title.
    pub title: String,
    /// The report, symbolized.
    pub report: String,
}

impl Log {
    /// First lines of commits' messages, as far as the log tells them.
    pub fn subjects(&self) -> HashMap<CommitId, String> {
        let told = |item: &Item| match item {
            Item::CheckedOut { commit, subject } | Item::First { commit, subject, .. } => Some((*commit, subject.clone())),
            _ => None,
        };
        self.items.iter().filter_map(told).collect()
    }

    /// What the log found.
    pub fn answer(&self) -> Answer {
        let mut answer = Answer {
            found: Found::Nothing,
            totals: None,
            culprit_signature: None,
            parent_signature: None,
            error_probability: None,
            to: Vec::new(),
            cc: Vec::new(),
            crash: None,
        };
        let mut shown: Option<CommitText> = None;
        for item in &self.items {
            match item {
                Item::Shown(text) => shown = Some(commit_text::read(text)),
                Item::ErrorProbability(chance) => answer.error_probability = chance.parse().ok(),
                Item::CulpritSignature { signature, .. } => answer.culprit_signature = Some(signature.clone()),
                Item::ParentSignature { signature, .. } => answer.parent_signature = Some(signature.clone()),
                Item::Totals { revisions, total, build, test } => {
                    let [total, build, test] = [total, build, test].map(|text| go_seconds(text));
                    answer.totals = Some(Totals { revisions: *revisions, total, build, test });
                }
                Item::Error(why) => answer.found = Found::Error(why.trim_end().to_owned()),
                Item::First { commit, subject, .. } => {
                    answer.found = Found::One { commit: *commit, subject: subject.clone(), text: shown.take() };
                }
                Item::AnyOf { commits, .. } => answer.found = Found::Several(commits.clone()),
                Item::End(end) => answer.found = Found::End { end: *end, subject: None },
                Item::EndSubject(text) => {
                    if let Found::End { subject, .. } = &mut answer.found {
                        *subject = Some(text.clone());
                    }
                }
                Item::Recipients { list: List::Cc, emails } => answer.cc.clone_from(emails),
                Item::Recipients { list: List::To | List::All, emails } => answer.to.clone_from(emails),
                Item::Crash { title, report } => {
                    answer.crash = Some(Crash { title: title.clone(), report: report.clone() });
                }
                _ => {}
            }
        }
        answer
    }
}

/// Seconds of a duration as Go prints it, such as `4h15m51.08s`, `312ms`.
fn go_seconds(text: &str) -> Option<f64> {
    let mut seconds = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|char: char| !char.is_ascii_digit() && char != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let (unit, length) = [("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9), ("h", 3600.0), ("m", 60.0), ("s", 1.0)]
            .into_iter()
            .find(|(unit, _)| rest.starts_with(unit))?;
        seconds += number * length;
        rest = &rest[unit.len()..];
    }
    (!text.is_empty()).then_some(seconds)
}

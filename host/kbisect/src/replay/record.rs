//! A replay as a run to be kept: every trial with what it is taken for today, and what the trials come to.

use std::collections::HashMap;

use kbisect_core::bisector::Conclusion;
use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Suspect;
use kbisect_core::commit::CommitId;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Verdict;

use super::Account;
use super::Rejudged;
use super::role;
use super::trials::Reader;
use super::with;
use crate::error::Error;
use crate::policy::Policies;
use crate::record::event::CommitText;
use crate::record::event::Recipient;
use crate::session::Record;
use crate::session::RecordedAnswer;
use crate::session::RecordedTest;
use crate::syzbot::Found;
use crate::syzbot::Item;
use crate::syzbot::Left;
use crate::syzbot::Place;

/// Most lines of a report that are quoted.
const SPLAT_LINES: usize = 60;

impl Account<'_> {
    /// The run to be kept.
    ///
    /// # Errors
    ///
    /// When the bundled classifier fails.
    pub fn record(&self, policies: &Policies) -> Result<Record, Error> {
        let mut reader = Reader::new(policies, self.replay.faces.clone());
        let tests: Vec<_> = self.log.tests().into_iter().filter(|test| test.place != Place::Parent).collect();
        // A commit that is tested again is judged by all of its trials.
        let last: HashMap<CommitId, usize> = tests.iter().enumerate().map(|(place, test)| (test.commit, place)).collect();
        let mut recorded = Vec::new();
        for (place, test) in tests.iter().enumerate() {
            let (trials, seen) = reader.read(test)?;
            let reason = |outcome: &Outcome| match outcome {
                Outcome::Crashed(sighting) => {
                    seen.iter().find(|seen| seen.title == sighting.report.title).map(|seen| seen.reason.clone())
                }
                Outcome::Clean | Outcome::Void(_) => None,
            };
            let judged = self.replay.commits.iter().find(|one| one.tested.commit == test.commit && last[&test.commit] == place);
            recorded.push(RecordedTest {
                commit: test.commit,
                subject: self.subject(&test.commit).to_owned(),
                role: role(&test.place),
                release: if let Place::Release(tag) = &test.place { Some(tag.clone()) } else { None },
                trials: trials.into_iter().map(|one| (one.outcome.clone(), reason(&one.outcome).unwrap_or_default())).collect(),
                judged: judged.map(|one| (one.policy.clone(), with(&one.judgement, one.verdict.as_ref()))),
            });
        }
        Ok(Record {
            log: self.log.clone(),
            faces: self.replay.faces.iter().map(|face| face.report.clone()).collect(),
            tests: recorded,
            warnings: self.log.warnings.iter().map(|warning| format!("the log, {warning}")).collect(),
            answer: self.recorded_answer(),
        })
    }

    /// What the trials come to, where the log has an end.
    fn recorded_answer(&self) -> Option<RecordedAnswer> {
        if self.answer.found == Found::Nothing {
            return None;
        }
        let conclusion = self.conclusion();
        let commit = match &conclusion {
            Conclusion::Found { suspects } => suspects.first().map(|first| first.commit),
            Conclusion::OldestStillBad { oldest: commit } | Conclusion::NewestStillBad { newest: commit } => Some(*commit),
            Conclusion::Inconclusive { .. } | Conclusion::NotReproduced | Conclusion::CannotSearch { .. } => None,
        };
        let is_logs = |found: &Found| matches!(found, Found::One { commit: named, .. } if commit == Some(*named));
        let agreed = matches!(conclusion, Conclusion::Found { .. }) && is_logs(&self.answer.found);
        let to = self.answer.to.iter().map(|email| (email, true)).chain(self.answer.cc.iter().map(|email| (email, false)));
        let recipients =
            to.map(|(email, to)| Recipient { name: None, email: email.clone(), to, reason: "named in the log".to_owned() });
        // The log ends with the crash at the commit that it names, which may be another bug's.
        let of_target =
            self.answer.crash.as_ref().filter(|crash| self.replay.faces.iter().any(|face| face.report.title == crash.title));
        let report = of_target.map_or("", |crash| &crash.report);
        Some(RecordedAnswer {
            conclusion,
            commit: commit.map(|commit| self.commit_text(commit)),
            credence: self.credence.clone().filter(|_| agreed && self.log.kind == Kind::Cause),
            splat: report.lines().take(SPLAT_LINES).map(|line| format!("{line}\n")).collect(),
            recipients: recipients.filter(|_| agreed).collect(),
        })
    }

    fn conclusion(&self) -> Conclusion {
        let inconclusive = |why: String| Conclusion::Inconclusive { suspects: Vec::new(), why, readings: Vec::new() };
        let bad = |one: &Rejudged| one.verdict == Some(Verdict::Bad);
        let start = self.replay.commits.first();
        match &self.left {
            Left::One(commit) => {
                let stated = match (&self.answer.found, &self.credence) {
                    (Found::One { commit: named, .. }, Some(credence)) if named == commit => Some(credence.boundary.chance),
                    _ => None,
                };
                let probability = stated.unwrap_or_else(|| self.replay.boundary(commit));
                Conclusion::Found { suspects: vec![Suspect { commit: *commit, probability }] }
            }
            Left::Several { commits, exact, between: (without, with) } => inconclusive(format!(
                "the log leaves {}{commits} commits between {} and {}",
                if *exact { "" } else { "about " },
                without.short(),
                with.short()
            )),
            Left::Contradiction { with, without } => {
                inconclusive(format!("{} is good, and the older {} bad", without.short(), with.short()))
            }
            Left::Open if start.is_some_and(|start| !start.tested.runs.is_empty() && start.tally()[0] == 0) => {
                Conclusion::NotReproduced
            }
            Left::Open => match (&self.answer.found, self.replay.commits.iter().rfind(|one| is_far_end(one))) {
                (Found::End { .. }, Some(end)) if bad(end) && self.log.kind == Kind::Cause => {
                    Conclusion::OldestStillBad { oldest: end.tested.commit }
                }
                (Found::End { .. }, Some(end)) if bad(end) => Conclusion::NewestStillBad { newest: end.tested.commit },
                (Found::Error(why), _) => {
                    inconclusive(format!("the log's bisection failed: {}", why.lines().next().unwrap_or_default()))
                }
                _ => inconclusive("the verdicts leave the range open".to_owned()),
            },
        }
    }

    /// A commit, as far as the log shows it.
    fn commit_text(&self, commit: CommitId) -> CommitText {
        let mut told = CommitText {
            commit,
            subject: self.subject(&commit).to_owned(),
            author: String::new(),
            date: String::new(),
            parents: Vec::new(),
            message: String::new(),
            diffstat: String::new(),
            first_release: None,
            equals_parent: false,
            release: None,
            upstream: None,
            newer: None,
        };
        if let Found::One { commit: named, text: Some(text), .. } = &self.answer.found
            && *named == commit
        {
            let signature = &self.answer.culprit_signature;
            told.equals_parent = signature.is_some() && *signature == self.answer.parent_signature;
            told.author.clone_from(&text.author);
            told.date.clone_from(&text.date);
            told.message.clone_from(&text.message);
            let shown = self.log.items.iter().rev().find_map(|item| if let Item::Shown(text) = item { Some(text) } else { None });
            let counts = |line: &&str| line.starts_with(' ') && !line.starts_with("    ");
            told.diffstat = shown.map_or("", String::as_str).lines().filter(counts).map(|line| format!("{line}\n")).collect();
        }
        if let Found::End { subject: Some(subject), .. } = &self.answer.found {
            told.subject.clone_from(subject);
        }
        told
    }
}

/// Whether a commit was tested as the range's far end.
fn is_far_end(one: &Rejudged) -> bool {
    matches!(one.tested.place, Place::Release(_) | Place::Head)
}

//! Crashes of other bugs, as they are told while a run goes on: the first of a title in full, later ones counted.
//!
//! Owns the words; whether and where they are shown is the renderers'.

use std::collections::HashMap;
use std::collections::HashSet;

use kbisect_core::bisector::TrialNumber;
use kbisect_core::commit::CommitId;
use kbisect_core::policy::Outcome;

use super::event::Event;

/// Below this chance of being the target a crash is called unrelated, from there on unsure.
const UNRELATED: f64 = 0.1;

/// A crash that is rather not the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Mention {
    /// The crash's title.
    pub title: String,
    /// Chance of being the target.
    pub same: f64,
    /// Why so small, in one line.
    pub reason: String,
    /// What it weighed in the search, as in [`Event::TrialEnded`].
    pub weight: Option<f64>,
    /// The commit.
    pub commit: CommitId,
    /// Which trial of the commit, from 1.
    pub n: u32,
    /// How many trials ended with this title so far.
    pub times: usize,
    /// At how many commits.
    pub commits: usize,
}

impl Mention {
    /// What it is and why it is told: `unrelated: TITLE (s = .02): REASON`.
    pub fn in_full(&self) -> String {
        let reason = if self.reason.is_empty() { String::new() } else { format!(": {}", self.reason) };
        format!("{}{reason}", self.in_brief())
    }

    /// What it weighed: `weight 1.0, no vote`; none where the search weighs no crashes.
    pub fn weighed(&self) -> Option<String> {
        Some(match self.weight? {
            // What a vote would have to exceed to be seen in a figure of one decimal.
            weight if weight < 1.05 => "weight 1.0, no vote".to_owned(),
            weight => format!("weight {weight:.1}"),
        })
    }

    /// Which crash it is: `unrelated: TITLE (s = .02)`.
    pub fn in_brief(&self) -> String {
        format!("{}: {} ({})", self.word(), self.title, chance(self.same))
    }

    /// How often it came: `unrelated: TITLE: 10 times so far, at 3 commits`.
    pub fn counted(&self) -> String {
        let commits = super::counted(self.commits as u64, "commit");
        format!("{}: {}: {} so far, at {commits}", self.word(), self.title, super::counted(self.times as u64, "time"))
    }

    /// Whether no trial has ended with this title before.
    pub fn is_first(&self) -> bool {
        self.times == 1
    }

    /// Whether it is worth a line although it is known: the tenth time, the hundredth, and so on.
    pub fn is_round(&self) -> bool {
        let decade = (1..=9).map(|digits| 10_usize.pow(digits)).find(|decade| *decade >= self.times);
        decade == Some(self.times)
    }

    /// Whether it is something else, as far as can be told; else it may be the target.
    pub fn is_unrelated(&self) -> bool {
        self.same < UNRELATED
    }

    fn word(&self) -> &'static str {
        if self.is_unrelated() { "unrelated" } else { "unsure" }
    }
}

/// A chance of being the target as people read it: `s = .02`.
pub fn chance(same: f64) -> String {
    match (same * 100.0).round() {
        percent if percent < 1.0 => "s < .01".to_owned(),
        percent if percent > 99.0 => "s > .99".to_owned(),
        percent => format!("s = .{percent:02}"),
    }
}

/// A fold over events that finds what is to be mentioned.
#[derive(Debug, Default)]
pub struct Mentions {
    /// Commit, number at it and weight of every trial that crashed.
    crashed: HashMap<TrialNumber, (CommitId, u32, Option<f64>)>,
    /// Trials and commits by title.
    seen: HashMap<String, (HashSet<TrialNumber>, HashSet<CommitId>)>,
}

impl Mentions {
    /// Takes in an event: a crash that is rather not the target, or one that turns out to be so.
    pub fn take(&mut self, event: &Event) -> Option<Mention> {
        let (trial, outcome, reason) = match event {
            Event::TrialEnded { trial, commit, n, outcome, reason, weight, .. } => {
                if matches!(outcome, Outcome::Crashed(_)) {
                    self.crashed.insert(*trial, (*commit, *n, *weight));
                }
                (*trial, outcome, reason)
            }
            Event::Related { trial, outcome, reason } => (*trial, outcome, reason),
            _ => return None,
        };
        let Outcome::Crashed(sighting) = outcome else {
            return None;
        };
        let &(commit, n, weight) = self.crashed.get(&trial)?;
        if sighting.is_target() {
            return None;
        }
        let title = &sighting.report.title;
        let (trials, commits) = self.seen.entry(title.clone()).or_default();
        let new = trials.insert(trial);
        commits.insert(commit);
        new.then(|| Mention {
            title: title.clone(),
            same: sighting.same,
            reason: reason.clone(),
            weight,
            commit,
            n,
            times: trials.len(),
            commits: commits.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use kbisect_core::crash::CrashReport;
    use kbisect_core::policy::Role;
    use kbisect_core::policy::Sighting;

    use super::*;

    fn crash(title: &str, same: f64) -> Outcome {
        let report = CrashReport::titled(title);
        Outcome::Crashed(Sighting { report, same, look: 1 })
    }

    fn ended(trial: u64, outcome: Outcome, weight: Option<f64>) -> Event {
        Event::TrialEnded {
            trial: TrialNumber(trial),
            commit: format!("{:02x}", trial / 4).repeat(20).parse().expect("40 digits"),
            role: Role::Candidate,
            build: 1,
            n: 1,
            outcome,
            reason: "another subsystem".to_owned(),
            reports: Vec::new(),
            uncounted: 0,
            weight,
            exposure: 1.0,
            boot: None,
            seconds: 1.0,
        }
    }

    #[test]
    fn the_first_is_told_in_full_and_the_others_are_counted() {
        let mut mentions = Mentions::default();
        let mut told = Vec::new();
        for trial in 1..=100 {
            let mention = mentions.take(&ended(trial, crash("BUG: b", 0.02), Some(1.0))).expect("it is another bug's");
            if mention.is_first() {
                told.push(mention.in_full());
                told.extend(mention.weighed());
            } else if mention.is_round() {
                told.push(mention.counted());
            }
        }
        let expected = [
            "unrelated: BUG: b (s = .02): another subsystem",
            "weight 1.0, no vote",
            "unrelated: BUG: b: 10 times so far, at 3 commits",
            "unrelated: BUG: b: 100 times so far, at 26 commits",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn what_may_be_the_target_is_called_unsure_and_the_target_is_not_mentioned() {
        let mut mentions = Mentions::default();
        let unsure = mentions.take(&ended(1, crash("BUG: b", 0.2), Some(3.21))).expect("it is no target");
        assert_eq!(unsure.in_full(), "unsure: BUG: b (s = .20): another subsystem");
        assert_eq!(unsure.weighed().as_deref(), Some("weight 3.2"));
        assert_eq!(mentions.take(&ended(2, crash("BUG: a", 0.5), None)), None);
        assert_eq!(mentions.take(&ended(3, Outcome::Clean, None)), None);
    }

    #[test]
    fn a_crash_that_turns_out_to_be_another_is_mentioned_once() {
        let mut mentions = Mentions::default();
        assert_eq!(mentions.take(&ended(1, crash("BUG: b", 1.0), None)), None);
        let again = |same| Event::Related { trial: TrialNumber(1), outcome: crash("BUG: b", same), reason: String::new() };
        let mention = mentions.take(&again(0.001)).expect("it is another bug's");
        assert_eq!(mention.in_full(), "unrelated: BUG: b (s < .01)");
        assert_eq!(mentions.take(&again(0.01)), None);
    }
}

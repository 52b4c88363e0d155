//! The rows of the run's table: which stays of the search at a commit are worth one, and what they are called.
//!
//! Owns numbers and words; what trials say is where the search stands, the drawing is the terminal's.

use std::collections::HashMap;

use kbisect_core::bisector::Summary;
use kbisect_core::bisector::Tested;
use kbisect_core::commit::CommitId;
use kbisect_core::policy::Role;
use kbisect_core::policy::Verdict;

use super::event::Event;
use super::report::Counts;
use super::stays::Stay;
use super::stays::Stays;
use super::stays::Turn;
use crate::git::Reverted;

/// A row that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Counted from 1.
    pub number: usize,
    /// The commit that the search was at.
    pub commit: CommitId,
    /// Why it was tested, in a word or two; empty for commits that the search itself chose.
    pub why: String,
    /// Its subject, after the tag for a release.
    pub subject: String,
    /// How its trials ended so far.
    pub counts: Counts,
}

/// A fold over events that says when a row is due.
#[derive(Debug, Default)]
pub struct Rows {
    number: usize,
    stays: Stays,
    /// How trials ended at each commit, and the last row it had with how many of them there were.
    trials: HashMap<CommitId, (Counts, Option<(usize, u32)>)>,
    /// Commits that are tested beside the search, and why.
    beside: HashMap<CommitId, &'static str>,
}

impl Rows {
    /// Takes in an event; a row when the search has left a commit, or stops there, and a trial ended there since its last row.
    pub fn take(&mut self, event: &Event) -> Option<Row> {
        let left = match (self.stays.take(event), event) {
            (Turn::From(left), _) => left,
            (
                Turn::None,
                Event::Tip { .. }
                | Event::Reached { .. }
                | Event::Reverted { .. }
                | Event::Concluded { .. }
                | Event::Stopped { .. },
            ) => self.stays.current().cloned(),
            (Turn::None, _) => None,
        };
        let row = left.and_then(|stay| self.row(stay));
        match event {
            Event::TrialEnded { commit, outcome, .. } => self.trials.entry(*commit).or_default().0.add(outcome),
            Event::Tip { commit, .. } => _ = self.beside.insert(*commit, "newest"),
            Event::Reverted { reverted: Reverted::Made(made), .. } => _ = self.beside.insert(*made, "reverted"),
            _ => {}
        }
        row
    }

    fn row(&mut self, stay: Stay) -> Option<Row> {
        let (counts, shown) = self.trials.get_mut(&stay.commit)?;
        let ended = counts.ended();
        let before = match shown {
            Some((_, trials)) if *trials == ended => return None,
            Some((row, _)) => Some(*row),
            None => None,
        };
        self.number += 1;
        *shown = Some((self.number, ended));
        let why = match (before, stay.role) {
            (Some(row), Role::Verification) => format!("verify #{row}"),
            (Some(row), _) => format!("again #{row}"),
            (None, role) => self.beside.get(&stay.commit).map_or_else(|| word(role), |why| *why).to_owned(),
        };
        let subject = match stay.release {
            Some(release) => format!("{release}: {}", stay.subject),
            None => stay.subject,
        };
        Some(Row { number: self.number, commit: stay.commit, why, subject, counts: *counts })
    }
}

/// The probability that a commit has the bug, with three decimals; a dash where the start commit had no trial and nobody vouches for
/// a bad commit, for then nothing was measured that such a figure could rest on.
pub fn probability(summary: &Summary, tested: &Tested) -> String {
    let vouched_for = || summary.assumed.iter().any(|one| one.verdict == Verdict::Bad);
    if summary.tested.iter().any(|one| one.role == Role::Start) || vouched_for() {
        format!("{:.3}", tested.bad)
    } else {
        "-".to_owned()
    }
}

/// A verdict, and whether its clean trials say that the bug is not there.
pub fn verdict_of(tested: &Tested, not_exercised: bool) -> String {
    let word = verdict(tested.verdict.as_ref());
    if not_exercised { format!("{word}, not exercised") } else { word.to_owned() }
}

/// A verdict in a word; a commit without one is open.
pub fn verdict(verdict: Option<&Verdict>) -> &'static str {
    match verdict {
        None => "open",
        Some(Verdict::Good) => "good",
        Some(Verdict::Bad) => "bad",
        Some(Verdict::Skip(_)) => "skip",
    }
}

/// Why a commit is tested, in a word.
pub fn word(role: Role) -> &'static str {
    match role {
        Role::Start => "start",
        Role::GoodEnd => "good end",
        Role::Release => "release",
        Role::MergeBase => "merge base",
        Role::Verification => "verify",
        Role::BaselineConfig => "config",
        Role::Candidate => "",
    }
}

#[cfg(test)]
mod tests {
    use kbisect_core::bisector::TrialNumber;
    use kbisect_core::policy::Outcome;

    use super::*;

    fn commit(number: u8) -> CommitId {
        format!("{number:02x}").repeat(20).parse().expect("40 digits")
    }

    fn chosen(number: u8, role: Role) -> Event {
        let release = (role == Role::Release).then(|| "v1.2".to_owned());
        Event::Chosen { commit: commit(number), role, release, subject: format!("change {number}"), left: 0, steps: 0 }
    }

    fn ended(number: u8) -> Event {
        Event::TrialEnded {
            trial: TrialNumber(1),
            commit: commit(number),
            role: Role::Candidate,
            build: 1,
            n: 1,
            outcome: Outcome::Clean,
            reason: String::new(),
            reports: Vec::new(),
            uncounted: 0,
            weight: None,
            exposure: 1.0,
            boot: None,
            seconds: 1.0,
        }
    }

    fn rows(events: &[Event]) -> Vec<String> {
        let mut rows = Rows::default();
        let text =
            |row: Row| format!("{} {} {} {}", row.number, row.commit.to_string().get(..2).expect("long"), row.why, row.subject);
        events.iter().filter_map(|event| rows.take(event)).map(text).collect()
    }

    #[test]
    fn a_commit_that_comes_back_names_its_row() {
        let stopped = Event::Stopped { why: String::new() };
        let events = [
            chosen(1, Role::Start),
            ended(1),
            chosen(2, Role::Release),
            ended(2),
            chosen(3, Role::Candidate),
            ended(3),
            chosen(2, Role::Release),
            ended(2),
            chosen(3, Role::Verification),
            ended(3),
            stopped,
        ];
        let expected = [
            "1 01 start change 1",
            "2 02 release v1.2: change 2",
            "3 03  change 3",
            "4 02 again #2 v1.2: change 2",
            "5 03 verify #3 change 3",
        ];
        assert_eq!(rows(&events), expected);
    }

    #[test]
    fn a_turn_that_comes_to_nothing_is_no_stay() {
        let events = [
            chosen(1, Role::Start),
            chosen(2, Role::Candidate),
            ended(2),
            // The search turns away, a trial that still ran ends, and it comes back.
            chosen(3, Role::Candidate),
            ended(2),
            chosen(2, Role::Candidate),
            ended(2),
            // Another reason for the same commit is the same stay.
            chosen(2, Role::Verification),
            ended(2),
            Event::Stopped { why: String::new() },
        ];
        assert_eq!(rows(&events), ["1 02  change 2"]);
    }

    #[test]
    fn a_run_that_stops_and_goes_on_shows_a_commit_again_only_for_new_trials() {
        let stopped = || Event::Stopped { why: String::new() };
        let events = [chosen(1, Role::Start), ended(1), stopped(), stopped(), ended(1), stopped()];
        assert_eq!(rows(&events), ["1 01 start change 1", "2 01 again #1 change 1"]);
    }
}

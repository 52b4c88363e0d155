//! The target's faces: the titles it showed, and how often.
//!
//! Owns the counts and their words; which crash is the target is not known here.

use std::collections::BTreeMap;

use kbisect_core::commit::CommitId;
use kbisect_core::policy::Outcome;
use serde::Deserialize;
use serde::Serialize;

use super::counted;
use super::event::Entry;
use super::event::Event;

/// A title of the target, and how often it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaceCount {
    /// The title.
    pub title: String,
    /// Trials of the start commit that showed it.
    pub at_start: u32,
    /// Trials of all commits that showed it.
    pub trials: u32,
}

/// A fold over events that counts what the trials showed of the target.
#[derive(Debug, Default)]
pub struct Faces {
    start: Option<CommitId>,
    /// Titles of the target as it stands.
    target: Vec<String>,
    /// What each trial that still counts ended with, by number: the commit, and the title where it was the target.
    ended: BTreeMap<u64, (CommitId, Option<String>)>,
}

impl Faces {
    /// Counts what these events say.
    pub fn of(entries: &[Entry]) -> Self {
        let mut faces = Self::default();
        entries.iter().for_each(|entry| faces.take(&entry.event));
        faces
    }

    /// Takes in an event.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::Started { ends, .. } => self.start = Some(ends.start),
            Event::Target { faces, .. } => {
                self.target.clear();
                for face in faces {
                    if !self.target.contains(&face.title) {
                        self.target.push(face.title.clone());
                    }
                }
            }
            Event::TrialEnded { trial, commit, outcome, .. } if !matches!(outcome, Outcome::Void(_)) => {
                self.ended.insert(trial.0, (*commit, shown(outcome)));
            }
            Event::Related { trial, outcome, .. } => {
                if let Some((_, title)) = self.ended.get_mut(&trial.0) {
                    *title = shown(outcome);
                }
            }
            Event::Retracted { .. } | Event::Minimized { .. } => event.taken_back().iter().for_each(|trial| {
                self.ended.remove(&trial.0);
            }),
            _ => {}
        }
    }

    /// The target's titles, then those of other crashes taken for it, both the most frequent first.
    pub fn counts(&self) -> Vec<FaceCount> {
        let none = |title: &String| FaceCount { title: title.clone(), at_start: 0, trials: 0 };
        let mut stated: Vec<FaceCount> = self.target.iter().map(none).collect();
        let mut others: Vec<FaceCount> = Vec::new();
        for (commit, title) in self.ended.values() {
            let Some(title) = title else { continue };
            let known = stated.iter_mut().chain(&mut others).find(|face| face.title == *title);
            let at_start = u32::from(self.start == Some(*commit));
            match known {
                Some(face) => {
                    face.trials += 1;
                    face.at_start += at_start;
                }
                None => others.push(FaceCount { at_start, trials: 1, ..none(title) }),
            }
        }
        for faces in [&mut stated, &mut others] {
            faces.sort_by_key(|face| std::cmp::Reverse(face.trials));
        }
        stated.append(&mut others);
        stated
    }

    /// A line for each face that the start commit showed: its title and in how many of the trials there.
    pub fn at_start(&self) -> Vec<String> {
        let trials = self.ended.values().filter(|(commit, _)| self.start == Some(*commit)).count();
        let trials = counted(trials as u64, "trial");
        let line = |face: FaceCount| format!("{}   ({} of {trials} at the start commit)", face.title, face.at_start);
        self.counts().into_iter().filter(|face| face.at_start > 0).map(line).collect()
    }
}

/// The title of a crash that is rather the target than not.
fn shown(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Crashed(sighting) if sighting.is_target() => Some(sighting.report.title.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use kbisect_core::bisector::TrialNumber;
    use kbisect_core::crash::CrashReport;
    use kbisect_core::policy::Role;
    use kbisect_core::policy::Sighting;

    use super::*;

    fn crash(title: &str, same: f64) -> Outcome {
        let report = CrashReport::titled(title);
        Outcome::Crashed(Sighting { report, same, look: 0 })
    }

    #[test]
    fn faces_are_counted_by_what_stands() {
        let commit = |number: u8| -> CommitId { format!("{number:02x}").repeat(20).parse().expect("40 digits") };
        let mut faces = Faces { start: Some(commit(1)), ..Faces::default() };
        let mut number = 0;
        let mut ended = |faces: &mut Faces, at: u8, outcome: Outcome| {
            number += 1;
            faces.take(&Event::TrialEnded {
                trial: TrialNumber(number),
                commit: commit(at),
                role: Role::Start,
                build: 1,
                n: 1,
                outcome,
                reason: String::new(),
                reports: Vec::new(),
                uncounted: 0,
                weight: None,
                exposure: 1.0,
                boot: None,
                seconds: 1.0,
            });
        };
        for (at, outcome) in [
            (1, crash("stray", 1.0)),
            (1, crash("a", 1.0)),
            (1, Outcome::Clean),
            (1, crash("b", 0.9)),
            (1, crash("b", 0.9)),
            (2, crash("drifted", 0.6)),
            (2, crash("a", 0.98)),
            (2, crash("a", 0.98)),
        ] {
            ended(&mut faces, at, outcome);
        }
        let face = |title: &str| CrashReport::titled(title);
        faces.take(&Event::Target { faces: vec![face("b"), face("a")], origin: "start commit".to_owned() });
        faces.take(&Event::Related { trial: TrialNumber(1), outcome: crash("stray", 0.01), reason: String::new() });
        let counts: Vec<(String, u32, u32)> =
            faces.counts().into_iter().map(|face| (face.title, face.at_start, face.trials)).collect();
        let expected = [("a", 1, 3), ("b", 2, 2), ("drifted", 0, 1)].map(|(title, start, all)| (title.to_owned(), start, all));
        assert_eq!(counts, expected);
        assert_eq!(faces.at_start(), ["a   (1 of 5 trials at the start commit)", "b   (2 of 5 trials at the start commit)"]);
        faces.take(&Event::Retracted { trials: vec![TrialNumber(2)], assumed: Vec::new() });
        assert_eq!(faces.counts()[0].trials, 2);
    }
}

//! How long a run still takes, as far as its own builds and trials tell.

use kbisect_core::bisector::Strategy;
use kbisect_core::bisector::Summary;
use kbisect_core::commit::CommitId;

use super::event::Entry;
use super::event::Event;

/// How many commits the search turns to for each bit that it lacks where every bad trial crashes; else, the rarer crashes are the
/// more often it comes back. Measured on small histories and on the demo's.
const TURNS_PER_BIT: f64 = 1.2;
/// How many more it takes to verify the answer.
const VERIFYING: f64 = 2.0;

/// What the run's commits took so far: a fold over its events.
#[derive(Debug, Clone, Default)]
pub struct Pace {
    last: Option<jiff::Timestamp>,
    /// Time that processes worked on the run, in seconds.
    spent: f64,
    /// Stays at commits at which a trial ended.
    turns: u32,
    current: Option<CommitId>,
    strategy: Option<Strategy>,
}

impl Pace {
    /// Takes in an event.
    pub fn take(&mut self, entry: &Entry) {
        let since = self.last.map_or(0.0, |last| entry.time.duration_since(last).as_secs_f64());
        match &entry.event {
            // Nobody worked on the run.
            Event::Resumed { .. } => {}
            _ => self.spent += since.max(0.0),
        }
        self.last = Some(entry.time);
        match &entry.event {
            Event::Started { strategy, .. } => self.strategy = Some(*strategy),
            Event::TrialEnded { commit, .. } if self.current != Some(*commit) => {
                self.current = Some(*commit);
                self.turns += 1;
            }
            _ => {}
        }
    }

    /// Time that processes worked on the run up to its last event, in seconds.
    pub fn spent(&self) -> f64 {
        self.spent
    }

    /// A guess of what is left from the last event on, in seconds: the commits that the search will turn to, each as long as those
    /// before took on average. None while the range is not known, or nothing was measured.
    pub fn left(&self, standing: &Summary) -> Option<f64> {
        standing.range?;
        if self.turns == 0 {
            return None;
        }
        let turns = match self.strategy? {
            Strategy::Git => standing.steps as f64 + 1.0,
            Strategy::Posterior => {
                let r = standing.rates.map_or(1.0, |rates| rates.r.max(0.1));
                standing.bits * TURNS_PER_BIT / r + VERIFYING
            }
        };
        Some(turns * self.spent / f64::from(self.turns))
    }
}

#[cfg(test)]
mod tests {
    use kbisect_core::bisector::Kind;
    use kbisect_core::bisector::TrialNumber;
    use kbisect_core::policy::Outcome;
    use kbisect_core::policy::Role;

    use super::super::event::Ends;
    use super::*;

    fn standing(range: Option<usize>, bits: f64, steps: usize) -> Summary {
        Summary {
            range,
            left: 0,
            steps,
            bits,
            suspects: Vec::new(),
            good_end_bad: 0.0,
            assumed: Vec::new(),
            rates: None,
            tested: Vec::new(),
        }
    }

    fn started(strategy: Strategy) -> Event {
        let start = "09".repeat(20).parse().expect("40 digits");
        Event::Started {
            format: 1,
            version: String::new(),
            host: String::new(),
            repo: None,
            ends: Ends { kind: Kind::Cause, start, good: Vec::new(), releases: Vec::new(), head: false, eras: Vec::new() },
            strategy,
            subject: String::new(),
            assumed: Vec::new(),
            imported: None,
            harness: None,
        }
    }

    fn trial(number: u8) -> Event {
        Event::TrialEnded {
            trial: TrialNumber(1),
            commit: format!("{number:02x}").repeat(20).parse().expect("40 digits"),
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

    /// The pace after these events, each with its second.
    fn pace(events: Vec<(i64, Event)>) -> Pace {
        let mut pace = Pace::default();
        for (second, event) in events {
            let time = jiff::Timestamp::from_second(second).expect("a small number");
            pace.take(&Entry { seq: 1, time, event });
        }
        pace
    }

    #[test]
    fn nothing_is_said_before_something_is_known() {
        let begun = pace(vec![(0, started(Strategy::Posterior))]);
        assert_eq!(begun.left(&standing(Some(8), 3.0, 3)), None);
        let tried = pace(vec![(0, started(Strategy::Posterior)), (10, trial(1))]);
        assert_eq!(tried.left(&standing(None, 0.0, 0)), None);
    }

    #[test]
    fn commits_to_come_take_as_long_as_those_before() {
        let events = |strategy| vec![(0, started(strategy)), (30, trial(1)), (31, trial(1)), (40, trial(2))];
        assert_eq!(pace(events(Strategy::Posterior)).left(&standing(Some(8), 0.0, 3)), Some(VERIFYING * 20.0));
        assert_eq!(pace(events(Strategy::Git)).left(&standing(Some(8), 3.0, 3)), Some(80.0));
        // Less to find takes less time.
        let pace = pace(events(Strategy::Posterior));
        assert!(pace.left(&standing(Some(8), 1.0, 3)) < pace.left(&standing(Some(8), 3.0, 3)));
    }

    #[test]
    fn time_in_which_nobody_worked_is_not_counted() {
        let resumed = Event::Resumed { version: String::new() };
        let events = vec![(0, started(Strategy::Git)), (10, trial(1)), (5000, resumed), (5010, trial(2))];
        assert_eq!(pace(events).spent(), 20.0);
    }
}

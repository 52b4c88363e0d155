//! How soon the target shows, and so what a trial says that was cut short.

use std::collections::BTreeMap;

use super::Evidence;
use crate::commit::CommitId;
use crate::policy::Outcome;
use crate::policy::RATHER;
use crate::policy::Trial;
use crate::posterior::Sight;

/// Shares of the full time before which no crash comes, with how likely each is beforehand: detectors of hangs wait for minutes.
const DELAYS: [(f64, f64); 4] = [(0.0, 0.7), (0.2, 0.1), (0.5, 0.1), (0.8, 0.1)];
/// Mean times from then to the crash, as shares of the full time, each as likely beforehand as another; the last is a crash that comes
/// at any time alike.
const SCALES: [f64; 6] = [0.003, 0.01, 0.03, 0.1, 0.3, f64::INFINITY];
/// The share of crashes that come at any time alike, whatever the others do.
const UNTIMELY: f64 = 0.05;
/// Chances that a trial of one commit shows the target, each as likely beforehand.
const RATES: [f64; 8] = [0.03, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 1.0];

/// How soon the target shows, learned from the trials that showed it.
///
/// Trials that are cut short are most often so because another one crashed early. Were they worth the share of the time that they had,
/// where most crashes come in its first tenth, r would be taken for far too large. So crash times are taken for exponentially
/// distributed behind a delay, and delay and mean are learned from all trials of commits that showed the target. Each of these
/// commits may have a rate of its own there: one false alarm beside nine trials that were cut short by it must not say that the target
/// is slow.
#[derive(Debug, Clone)]
pub(super) struct Course {
    /// The courses that crashes may take, with how likely each is. None: no crash's time is known, and it may come at any time alike.
    shapes: Vec<(Shape, f64)>,
}

/// When crashes come.
#[derive(Debug, Clone, Copy)]
struct Shape {
    delay: f64,
    /// Mean time behind the delay, before it is cut off at the full time.
    scale: f64,
}

/// The trials of one commit, by when each ended.
#[derive(Default)]
struct Ends {
    /// Those that showed the target: a share of 1 is not known to be the time of the crash.
    shown: Vec<f64>,
    /// The others.
    quiet: Vec<f64>,
}

impl Course {
    pub(super) fn of<'a>(trials: impl Iterator<Item = &'a Evidence>) -> Self {
        let mut by_commit: BTreeMap<CommitId, Ends> = BTreeMap::new();
        for evidence in trials {
            let ends = by_commit.entry(evidence.commit).or_default();
            let at = evidence.trial.exposure.clamp(0.0, 1.0);
            match &evidence.trial.outcome {
                Outcome::Void(_) => {}
                Outcome::Crashed(seen) if seen.is_target() => ends.shown.push(at),
                Outcome::Clean | Outcome::Crashed(_) => ends.quiet.push(at),
            }
        }
        by_commit.retain(|_, ends| ends.shown.iter().any(|&at| at < 1.0));
        if by_commit.is_empty() {
            return Self { shapes: Vec::new() };
        }
        let shapes = DELAYS.iter().flat_map(|&(delay, prior)| SCALES.map(|scale| (Shape { delay, scale }, prior)));
        let logs: Vec<(Shape, f64)> = shapes
            .map(|(shape, prior)| (shape, prior.ln() + by_commit.values().map(|ends| ends.log_likelihood(shape)).sum::<f64>()))
            .collect();
        let all = log_of_sum(logs.iter().map(|&(_, log)| log));
        Self { shapes: logs.into_iter().map(|(shape, log)| (shape, (log - all).exp())).collect() }
    }

    /// What a trial says to the search; none if it is void.
    pub(super) fn sight(&self, trial: &Trial) -> Option<Sight> {
        match &trial.outcome {
            Outcome::Clean => Some(Sight::Clean { exposure: self.shown_by(trial.exposure.clamp(0.0, 1.0)) }),
            Outcome::Crashed(sighting) => {
                let same = if sighting.same.is_nan() { RATHER } else { sighting.same };
                Some(Sight::Crash { same, look: sighting.look })
            }
            Outcome::Void(_) => None,
        }
    }

    /// The share of the trials showing the target that have done so by then.
    pub(super) fn shown_by(&self, at: f64) -> f64 {
        if self.shapes.is_empty() || at >= 1.0 {
            return at;
        }
        self.shapes.iter().map(|(shape, weight)| weight * shape.shown_by(at)).sum()
    }
}

impl Ends {
    /// Of the trials when crashes come like this, the rate being any of [`RATES`].
    fn log_likelihood(&self, shape: Shape) -> f64 {
        let times: f64 = self.shown.iter().filter(|&&at| at < 1.0).map(|&at| shape.density(at).ln()).sum();
        let quiet: Vec<f64> = self.quiet.iter().map(|&at| shape.shown_by(at)).collect();
        // Trials are cut short together.
        let quiet: Vec<(f64, f64)> = quiet.chunk_by(f64::eq).map(|equal| (equal[0], equal.len() as f64)).collect();
        let with_rate = RATES.map(|rate| {
            let quiet: f64 = quiet.iter().map(|(share, count)| count * (1.0 - rate * share).ln()).sum();
            self.shown.len() as f64 * rate.ln() + quiet
        });
        times + log_of_sum(with_rate.into_iter())
    }
}

impl Shape {
    /// The share of crashes that have come by then.
    fn shown_by(self, at: f64) -> f64 {
        let (behind, left) = ((at - self.delay).max(0.0), 1.0 - self.delay);
        let timely =
            if self.scale.is_finite() { (-behind / self.scale).exp_m1() / (-left / self.scale).exp_m1() } else { behind / left };
        UNTIMELY * at + (1.0 - UNTIMELY) * timely
    }

    fn density(self, at: f64) -> f64 {
        let (behind, left) = (at - self.delay, 1.0 - self.delay);
        let timely = if behind < 0.0 {
            0.0
        } else if self.scale.is_finite() {
            (-behind / self.scale).exp() / (self.scale * -(-left / self.scale).exp_m1())
        } else {
            1.0 / left
        };
        UNTIMELY + (1.0 - UNTIMELY) * timely
    }
}

fn log_of_sum(logs: impl Iterator<Item = f64> + Clone) -> f64 {
    let best = logs.clone().fold(f64::NEG_INFINITY, f64::max);
    best + logs.map(|log| (log - best).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bisector::TrialNumber;
    use crate::crash::CrashReport;
    use crate::policy::Role;
    use crate::policy::Sighting;
    use crate::policy::TARGET_LOOK;

    fn trial(commit: u8, outcome: Outcome, exposure: f64) -> Evidence {
        let commit = CommitId::from_bytes([commit; 20]);
        Evidence { number: TrialNumber(1), commit, role: Role::Candidate, build: 1, trial: Trial { outcome, exposure } }
    }

    fn hit() -> Outcome {
        Outcome::Crashed(Sighting { report: CrashReport::default(), same: 0.99, look: TARGET_LOOK })
    }

    #[test]
    fn a_trial_cut_short_is_worth_what_it_would_have_shown() {
        let course = |trials: &[Evidence]| Course::of(trials.iter());
        let unknown = course(&[trial(1, hit(), 1.0), trial(1, Outcome::Clean, 0.5)]);
        assert_eq!([unknown.shown_by(0.25), unknown.shown_by(1.0)], [0.25, 1.0]);
        let early = course(&[trial(1, hit(), 0.05), trial(1, hit(), 0.1), trial(1, hit(), 0.2), trial(1, Outcome::Clean, 1.0)]);
        let by = [0.01, 0.1, 0.5].map(|at| early.shown_by(at));
        assert!(by[0] < 0.15 && (0.4..0.8).contains(&by[1]) && by[2] > 0.85 && early.shown_by(1.0) == 1.0, "{by:?}");
        // The first crash of a batch that was cut short by it says little of how soon the others would have come.
        let mut batch = vec![trial(1, hit(), 0.02), trial(1, hit(), 0.3)];
        batch.extend((3..10).map(|_| trial(1, Outcome::Clean, 0.03)));
        assert!(course(&batch).shown_by(0.05) < 0.3);
    }

    #[test]
    fn one_crash_of_many_trials_does_not_make_the_target_slow() {
        let mut trials: Vec<Evidence> = [0.02, 0.05, 0.1, 0.04, 0.15].into_iter().map(|at| trial(1, hit(), at)).collect();
        trials.extend((0..3).map(|_| trial(1, Outcome::Clean, 1.0)));
        let alone = Course::of(trials.iter()).shown_by(0.1);
        for (commit, at) in [(2, 0.12), (3, 0.03), (4, 0.2), (5, 0.07)] {
            trials.push(trial(commit, hit(), at));
            trials.extend((0..9).map(|_| trial(commit, Outcome::Clean, at)));
        }
        let among_false_alarms = Course::of(trials.iter()).shown_by(0.1);
        assert!(alone > 0.5 && among_false_alarms > 0.4, "{alone} {among_false_alarms}");
    }
}

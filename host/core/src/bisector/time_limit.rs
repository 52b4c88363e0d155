//! How long trials run: as long as it pays.

use super::Action;
use super::Bisector;
use super::Pace;
use super::Plan;
use super::Strategy;
use super::course::Course;
use super::known::Known;
use crate::policy::Outcome;
use crate::policy::Role;
use crate::policy::Trial;
use crate::select;

/// Time limits that are weighed against each other, in equal steps up to the full time, but for the first ones: what keeps a crash waiting
/// on a busy machine is in no model.
const LIMITS: u32 = 20;
const SHORTEST: u32 = 4;
/// A trial shows no smaller share of what it would show in the full time.
const SHOWN: f64 = 0.9;

impl Bisector {
    /// The plan with time limits for its trials. Those of the start commit run to their end: they tell how soon the target shows.
    pub(super) fn in_time(&self, known: &Known, mut plan: Plan) -> Plan {
        if let (Plan::Do(actions), Strategy::Posterior) = (&mut plan, self.settings.strategy)
            && self.pace.full > 0.0
        {
            let r = self.rates_at(&self.graph.id(self.places.start)).map_or(1.0, |rates| rates.r);
            let limit = time_limit(&known.course, r, self.pace);
            for action in actions {
                if let Action::Try { role, exposure, .. } = action
                    && *role != Role::Start
                {
                    *exposure = limit;
                }
            }
        }
        plan
    }

    /// The trial as a flake policy is told of it: a clean one with the share of the target's crashes that come by its end, rather than the
    /// share of the time.
    pub fn told(&self, mut trial: Trial) -> Trial {
        if trial.outcome == Outcome::Clean && self.settings.strategy == Strategy::Posterior {
            trial.exposure = self.view().known.course.shown_by(trial.exposure.clamp(0.0, 1.0));
        }
        trial
    }
}

/// The share of the full time at which a trial of a commit that is as likely bad as good says most per minute; the build that most
/// trials wait for is part of the time.
fn time_limit(course: &Course, r: f64, pace: Pace) -> f64 {
    let waits = pace.boot + pace.build / f64::from(pace.builders.max(1));
    let per_minute = |limit: f64| {
        let hit = r * course.shown_by(limit);
        select::bits(hit / 2.0, select::entropy(hit) / 2.0) / (waits + limit * pace.full)
    };
    let limits = (SHORTEST..=LIMITS).map(|step| f64::from(step) / f64::from(LIMITS));
    let long_enough = limits.filter(|&limit| course.shown_by(limit) >= SHOWN);
    long_enough.max_by(|&one, &other| per_minute(one).total_cmp(&per_minute(other))).unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bisector::Evidence;
    use crate::bisector::TrialNumber;
    use crate::commit::CommitId;
    use crate::crash::CrashReport;
    use crate::policy::Sighting;
    use crate::policy::TARGET_LOOK;

    const PACE: Pace = Pace { builders: 2, build: 360.0, trial: 420.0, boot: 120.0, full: 300.0 };

    fn crashes(at: &[f64]) -> Course {
        let evidence = |&exposure: &f64| Evidence {
            number: TrialNumber(1),
            commit: CommitId::from_bytes([1; 20]),
            role: Role::Start,
            build: 1,
            trial: Trial {
                outcome: Outcome::Crashed(Sighting { report: CrashReport::default(), same: 0.99, look: TARGET_LOOK }),
                exposure,
            },
        };
        Course::of(at.iter().map(evidence).collect::<Vec<Evidence>>().iter())
    }

    #[test]
    fn trials_are_shortened_where_crashes_come_soon_and_that_is_known() {
        let soon = [0.02, 0.15, 0.07, 0.11, 0.3, 0.04, 0.09, 0.2, 0.05, 0.1];
        assert_eq!(time_limit(&crashes(&[]), 0.9, PACE), 1.0);
        assert_eq!(time_limit(&crashes(&[1.0; 10]), 0.9, PACE), 1.0, "when they came is not known");
        assert!(time_limit(&crashes(&[0.6, 0.95, 0.7, 0.8, 0.99]), 0.9, PACE) > 0.9);
        let known = time_limit(&crashes(&soon), 0.9, PACE);
        assert!((0.3..0.6).contains(&known), "{known}");
        assert!(time_limit(&crashes(&soon[..2]), 0.9, PACE) > known, "two crashes say less");
    }

    #[test]
    fn a_trial_that_takes_long_to_begin_runs_longer() {
        let soon = crashes(&[0.02, 0.15, 0.07, 0.11, 0.3, 0.04, 0.09, 0.2, 0.05, 0.1]);
        let of = |boot: f64| time_limit(&soon, 0.9, Pace { boot, ..PACE });
        assert!(of(3600.0) > of(1.0));
    }
}

//! How soon the target shows, and so what a trial says that was cut short.

use std::collections::BTreeMap;

use super::Evidence;
use crate::commit::CommitId;
use crate::policy::Outcome;
use crate::policy::RATHER;
use crate::policy::Trial;
use crate::posterior::Sight;

/// How soon the target shows in a trial that shows it: what a trial is worth that was cut short while it was clean.
///
/// Trials are cut short when another has crashed, which is early. Were they worth the share of the time that they had, where most
/// crashes come in its first tenth, r would be taken for far too large: of names at r = .3 that stated .998 a quarter was wrong. Nor
/// can crash times alone tell, of which only the first of each batch are seen. So the estimate is Kaplan and Meier's ("Nonparametric
/// estimation from incomplete observations", 1958) over all trials at commits that have shown the target.
pub(super) struct Course {
    /// Shares of the full time at which trials crashed with the target, in order, and what share of those that do so has done so then.
    shown: Vec<(f64, f64)>,
}

impl Course {
    pub(super) fn of<'a>(trials: impl Iterator<Item = &'a Evidence>) -> Self {
        let is_hit = |evidence: &Evidence| matches!(&evidence.trial.outcome, Outcome::Crashed(seen) if seen.is_target());
        let mut by_commit: BTreeMap<CommitId, Vec<&Evidence>> = BTreeMap::new();
        for evidence in trials.filter(|evidence| !matches!(evidence.trial.outcome, Outcome::Void(_))) {
            by_commit.entry(evidence.commit).or_default().push(evidence);
        }
        // When each trial ended, and whether with the target. Of one that crashed at a share of 1 nobody knows when it did.
        let mut ends: Vec<(f64, bool)> = by_commit
            .values()
            .filter(|trials| trials.iter().any(|evidence| is_hit(evidence)))
            .flatten()
            .map(|evidence| (evidence.trial.exposure.clamp(0.0, 1.0), is_hit(evidence)))
            .filter(|&(at, hit)| !(hit && at >= 1.0))
            .collect();
        ends.sort_unstable_by(|one, other| one.0.total_cmp(&other.0).then(other.1.cmp(&one.1)));
        let (mut quiet, mut shown) = (1.0, Vec::new());
        for (place, &(at, hit)) in ends.iter().enumerate() {
            if hit {
                quiet *= 1.0 - 1.0 / (ends.len() - place) as f64;
                shown.push((at, 1.0 - quiet));
            }
        }
        let all = 1.0 - quiet;
        shown.iter_mut().for_each(|(_, share)| *share /= all);
        Self { shown }
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

    /// The share of the trials showing the target that have done so by then, with one trial's weight on "at any time alike".
    fn shown_by(&self, share: f64) -> f64 {
        if share >= 1.0 {
            return 1.0;
        }
        let hits = self.shown.len() as f64;
        let before = self.shown.partition_point(|&(at, _)| at <= share);
        let seen = before.checked_sub(1).map_or(0.0, |last| self.shown[last].1);
        (hits * seen + share) / (hits + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bisector::TrialNumber;
    use crate::crash::CrashReport;
    use crate::policy::Role;
    use crate::policy::Sighting;
    use crate::policy::TARGET_LOOK;

    #[test]
    fn a_trial_cut_short_is_worth_what_it_would_have_shown() {
        let trial = |number: u64, outcome: Outcome, exposure: f64| Evidence {
            number: TrialNumber(number),
            commit: CommitId::from_bytes([1; 20]),
            role: Role::Candidate,
            build: 1,
            trial: Trial { outcome, exposure },
        };
        let hit = || Outcome::Crashed(Sighting { report: CrashReport::default(), same: 0.99, look: TARGET_LOOK });
        let course = |trials: &[Evidence]| Course::of(trials.iter());
        let unknown = course(&[trial(1, hit(), 1.0), trial(2, Outcome::Clean, 0.5)]);
        assert_eq!([unknown.shown_by(0.25), unknown.shown_by(1.0)], [0.25, 1.0]);
        let early = course(&[trial(1, hit(), 0.05), trial(2, hit(), 0.1), trial(3, hit(), 0.2), trial(4, Outcome::Clean, 1.0)]);
        assert_eq!([early.shown_by(0.01), early.shown_by(0.5), early.shown_by(1.0)], [0.01 / 4.0, 3.5 / 4.0, 1.0]);
        // The first crash of a batch that was cut short by it says little of how soon the others would have come.
        let mut batch = vec![trial(1, hit(), 0.02), trial(2, hit(), 0.3)];
        batch.extend((3..10).map(|number| trial(number, Outcome::Clean, 0.03)));
        assert!(course(&batch).shown_by(0.05) < 0.2);
    }
}

//! What is known: finished trials and the flake policy's answers. A set, so that the order of recording does not matter.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;

use serde::Deserialize;
use serde::Serialize;

use super::Assumption;
use crate::commit::CommitId;
use crate::policy::Decision;
use crate::policy::Judgement;
use crate::policy::Outcome;
use crate::policy::RATHER;
use crate::policy::Role;
use crate::policy::SAYS_SOMETHING;
use crate::policy::Stage;
use crate::policy::Trial;
use crate::policy::Verdict;
use crate::posterior::Sight;

/// Number of a trial, unique in a bisection, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrialNumber(pub u64);

/// One finished trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Its number.
    pub number: TrialNumber,
    /// The commit under test.
    pub commit: CommitId,
    /// Why it was tested.
    pub role: Role,
    /// Which build of the commit: a second, clean build counts as a new kernel. Counted from 1.
    pub build: u32,
    /// How it ended.
    pub trial: Trial,
}

/// A kernel that was built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Built {
    /// Its commit.
    pub commit: CommitId,
    /// Which build of the commit, counted from 1.
    pub build: u32,
    /// Digest of all that a trial depends on: kernel, modules, configuration, command line, root image, reproducer. Kernels with equal
    /// digests are one kernel to the search; none: not known.
    pub digest: Option<String>,
}

/// A flake policy's standing answer for a commit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The commit.
    pub commit: CommitId,
    /// Valid and void trials the policy had seen when it answered.
    pub trials: u32,
    /// Its answer.
    pub judgement: Judgement,
}

/// Everything recorded and not retracted.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Recorded {
    trials: BTreeMap<TrialNumber, Evidence>,
    built: BTreeMap<(CommitId, u32), Built>,
    unbuildable: BTreeSet<CommitId>,
    judged: HashMap<CommitId, Judged>,
    assumed: BTreeMap<CommitId, Assumption>,
}

impl Recorded {
    pub(super) fn record(&mut self, evidence: Evidence) {
        self.trials.insert(evidence.number, evidence);
    }

    pub(super) fn record_build(&mut self, built: Built) {
        self.built.insert((built.commit, built.build), built);
    }

    pub(super) fn record_failed_build(&mut self, commit: CommitId) {
        self.unbuildable.insert(commit);
    }

    /// The commits of which a build failed.
    pub(super) fn unbuildable(&self) -> impl Iterator<Item = &CommitId> {
        self.unbuildable.iter()
    }

    /// The kernels that were built.
    pub(super) fn built(&self) -> impl Iterator<Item = &Built> {
        self.built.values()
    }

    /// Forgets the trial, and the policy's answer if it had seen more trials than are left.
    pub(super) fn retract(&mut self, number: TrialNumber) {
        let Some(gone) = self.trials.remove(&number) else {
            return;
        };
        let left = self.trials.values().filter(|evidence| evidence.commit == gone.commit).count();
        if self.judged.get(&gone.commit).is_some_and(|judged| judged.trials as usize > left) {
            self.judged.remove(&gone.commit);
        }
    }

    /// Keeps the answer that has seen most trials, the latest of equal ones.
    pub(super) fn judge(&mut self, judged: Judged) {
        let newer = self.judged.get(&judged.commit).is_none_or(|standing| standing.trials <= judged.trials);
        if newer {
            self.judged.insert(judged.commit, judged);
        }
    }

    pub(super) fn assume(&mut self, assumption: Assumption) {
        self.assumed.insert(assumption.commit, assumption);
    }

    pub(super) fn forget_assumption(&mut self, commit: &CommitId) {
        self.assumed.remove(commit);
    }

    /// What is taken for granted, by commit.
    pub(super) fn assumed(&self) -> impl Iterator<Item = &Assumption> {
        self.assumed.values()
    }

    /// All trials in the order of their numbers, but those with a smaller configuration: they say nothing of the configuration that
    /// the search uses.
    pub(super) fn trials(&self) -> impl Iterator<Item = &Evidence> {
        self.trials.values().filter(|evidence| evidence.role != Role::BaselineConfig)
    }

    /// What was seen at each commit, the commit tested first in front.
    pub(super) fn tallies(&self) -> Vec<Tally> {
        let mut tallies: Vec<Tally> = Vec::new();
        let mut places: HashMap<CommitId, usize> = HashMap::new();
        let course = Course::of(self.trials());
        for evidence in self.trials() {
            let place = *places.entry(evidence.commit).or_insert_with(|| {
                tallies.push(Tally::new(evidence.commit, evidence.role));
                tallies.len() - 1
            });
            tallies[place].add(evidence, &course);
        }
        tallies
    }

    /// The policy's verdicts, where it has concluded.
    pub(super) fn verdicts(&self) -> impl Iterator<Item = (CommitId, Verdict)> + '_ {
        self.judged.values().filter_map(|judged| match &judged.judgement.decision {
            Decision::Conclude(verdict) => Some((judged.commit, verdict.clone())),
            Decision::Want(_) | Decision::Abort(_) => None,
        })
    }
}

/// How soon the target shows in a trial that shows it: what a trial is worth that was cut short while it was clean.
///
/// Trials are cut short when another has crashed, which is early. Were they worth the share of the time that they had, where most
/// crashes come in its first tenth, r would be taken for far too large: of names at r = .3 that stated .998 a quarter was wrong. Nor
/// can crash times alone tell, of which only the first of each batch are seen. So the estimate is Kaplan and Meier's ("Nonparametric
/// estimation from incomplete observations", 1958) over all trials at commits that have shown the target.
struct Course {
    /// Shares of the full time at which trials crashed with the target, in order, and what share of those that do so has done so then.
    shown: Vec<(f64, f64)>,
}

impl Course {
    fn of<'a>(trials: impl Iterator<Item = &'a Evidence>) -> Self {
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

/// What was seen at one commit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tally {
    pub(super) commit: CommitId,
    /// Why it was tested first.
    pub(super) role: Role,
    /// Valid trials by build, in the order of their numbers.
    pub(super) kernels: BTreeMap<u32, Vec<Sight>>,
    /// Crashes that are rather the target than not.
    pub(super) hits: u32,
    /// Clean trials, but those cut short before they could say much.
    pub(super) clean: u32,
    /// Crashes that are rather something else.
    pub(super) other: u32,
    /// Void trials by stage.
    pub(super) voids: BTreeMap<Stage, u32>,
    /// Void trials on the second build and later ones.
    pub(super) rebuilt_voids: u32,
    /// Number of the last build that made a valid trial.
    pub(super) builds: u32,
}

impl Tally {
    fn new(commit: CommitId, role: Role) -> Self {
        Self {
            commit,
            role,
            kernels: BTreeMap::new(),
            hits: 0,
            clean: 0,
            other: 0,
            voids: BTreeMap::new(),
            rebuilt_voids: 0,
            builds: 0,
        }
    }

    fn add(&mut self, evidence: &Evidence, course: &Course) {
        match &evidence.trial.outcome {
            Outcome::Clean => {
                self.clean += u32::from(evidence.trial.exposure >= SAYS_SOMETHING);
                self.see(evidence.build, Sight::Clean { exposure: course.shown_by(evidence.trial.exposure.clamp(0.0, 1.0)) });
            }
            Outcome::Crashed(sighting) => {
                let same = if sighting.same.is_nan() { RATHER } else { sighting.same };
                if same >= RATHER {
                    self.hits += 1;
                } else {
                    self.other += 1;
                }
                self.see(evidence.build, Sight::Crash { same, look: sighting.look });
            }
            Outcome::Void(failure) => {
                *self.voids.entry(failure.stage).or_default() += 1;
                self.rebuilt_voids += u32::from(evidence.build > 1);
            }
        }
    }

    fn see(&mut self, build: u32, sight: Sight) {
        self.builds = self.builds.max(build);
        self.kernels.entry(build).or_default().push(sight);
    }

    /// Trials that ended clean or with a crash.
    pub(super) fn valid(&self) -> u32 {
        self.hits + self.clean + self.other
    }

    /// Trials of any end.
    pub(super) fn trials(&self) -> u32 {
        self.valid() + self.void()
    }

    /// Trials that said nothing.
    pub(super) fn void(&self) -> u32 {
        self.voids.values().sum()
    }

    /// The stage at which most trials failed, the host's own troubles aside, and how many did.
    pub(super) fn commonest_void(&self) -> Option<(Stage, u32)> {
        let own = self.voids.iter().filter(|&(&stage, _)| stage != Stage::Infra);
        own.max_by_key(|&(_, &voids)| voids).map(|(&stage, &voids)| (stage, voids))
    }

    /// Void trials for which the commit, not the host, is to blame.
    pub(super) fn own_voids(&self) -> u32 {
        self.voids.iter().filter(|&(&stage, _)| stage != Stage::Infra).map(|(_, &count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crash::CrashReport;
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

//! What is known: finished trials and the flake policy's answers. A set, so that the order of recording does not matter.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;

use serde::Deserialize;
use serde::Serialize;

use super::Assumption;
use super::course::Course;
use crate::commit::CommitId;
use crate::policy::Decision;
use crate::policy::Judgement;
use crate::policy::Outcome;
use crate::policy::RATHER;
use crate::policy::Role;
use crate::policy::Stage;
use crate::policy::Trial;
use crate::policy::Verdict;
use crate::posterior::Sight;
use crate::reach::Reached;

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
    reached: BTreeMap<CommitId, Reached>,
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

    pub(super) fn forget_failed_build(&mut self, commit: &CommitId) {
        self.unbuildable.remove(commit);
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
        let seen = |evidence: &&Evidence| evidence.commit == gone.commit && evidence.trial.says_something();
        let left = self.trials.values().filter(seen).count();
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

    pub(super) fn reach(&mut self, commit: CommitId, reached: Reached) {
        self.reached.insert(commit, reached);
    }

    /// Whether the reproducer got at a commit where it gets at the start commit; none where nobody looked.
    pub(super) fn reached(&self, commit: &CommitId) -> Option<Reached> {
        self.reached.get(commit).copied()
    }

    /// The commits at which the reproducer does not get where it gets at the start commit.
    pub(super) fn not_exercised(&self) -> impl Iterator<Item = &CommitId> {
        self.reached.iter().filter(|(_, reached)| **reached == Reached::No).map(|(commit, _)| commit)
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

    /// How soon the target shows.
    pub(super) fn course(&self) -> Course {
        Course::of(self.trials())
    }

    /// What was seen at each commit, the commit tested first in front.
    pub(super) fn tallies(&self, course: &Course) -> Vec<Tally> {
        let mut tallies: Vec<Tally> = Vec::new();
        let mut places: HashMap<CommitId, usize> = HashMap::new();
        for evidence in self.trials() {
            let place = *places.entry(evidence.commit).or_insert_with(|| {
                tallies.push(Tally::new(evidence.commit, evidence.role));
                tallies.len() - 1
            });
            tallies[place].add(evidence, course);
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
            Outcome::Clean => self.clean += u32::from(evidence.trial.says_something()),
            Outcome::Crashed(sighting) if sighting.same < RATHER => self.other += 1,
            Outcome::Crashed(_) => self.hits += 1,
            Outcome::Void(failure) => {
                *self.voids.entry(failure.stage).or_default() += 1;
                self.rebuilt_voids += u32::from(evidence.build > 1);
            }
        }
        if let Some(sight) = course.sight(&evidence.trial) {
            self.builds = self.builds.max(evidence.build);
            self.kernels.entry(evidence.build).or_default().push(sight);
        }
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

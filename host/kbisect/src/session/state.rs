//! What the driver knows, as a fold over durable events. Owns no decision; resuming is replaying.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;

use kbisect_core::bisector::Bisector;
use kbisect_core::bisector::Built;
use kbisect_core::bisector::Conclusion;
use kbisect_core::bisector::Evidence;
use kbisect_core::bisector::Judged;
use kbisect_core::bisector::TrialNumber;
use kbisect_core::commit::CommitId;
use kbisect_core::crash::CrashReport;
use kbisect_core::crash::Face;
use kbisect_core::policy::Failure;
use kbisect_core::policy::Judgement;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Role;
use kbisect_core::policy::Stage;
use kbisect_core::policy::Trial;
use kbisect_core::reach;
use kbisect_core::reach::Reach;
use kbisect_core::reach::Reached;

use super::builder;
use super::looks::Looks;
use super::minimizing::Minimization;
use super::pace::Durations;
use super::reverting::TakenBack;
use super::weighing;
use crate::config::job::Job;
use crate::config::job::TargetStage;
use crate::record::event::BuildResult;
use crate::record::event::Event;

/// A trial that ended and still counts.
#[derive(Debug, Clone)]
pub(super) struct PastTrial {
    /// The commit.
    pub commit: CommitId,
    /// Why it was tested.
    pub role: Role,
    /// Which build, from 1.
    pub build: u32,
    /// Which trial of the commit, from 1.
    pub n: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// The reports on its console that could be the outcome's.
    pub reports: Vec<CrashReport>,
    /// Share of the full exposure.
    pub exposure: f64,
}

/// Everything known, and the search that is fed with it.
pub(super) struct State {
    /// The search.
    pub bisector: Bisector,
    /// Faces of the target; empty while it is not settled.
    pub faces: Vec<CrashReport>,
    /// Where the target comes from, as in [`Event::Target`].
    pub origin: String,
    /// Looks seen so far.
    pub looks: Looks,
    /// Trials by number.
    pub trials: BTreeMap<TrialNumber, PastTrial>,
    /// Numbers of a commit's trials in the order they ended.
    ended: HashMap<CommitId, Vec<TrialNumber>>,
    /// Numbers of all trials in the order they ended.
    order: Vec<TrialNumber>,
    /// How each build ended, by commit and number.
    pub builds: HashMap<(CommitId, u32), BuildResult>,
    /// The policy's latest answer for each commit, and how many trials it had seen.
    pub judged: HashMap<CommitId, (u32, Judgement)>,
    /// The commit the search turned to last.
    pub current: Option<(CommitId, Role)>,
    /// Whether the routes were settled.
    pub routed: bool,
    /// The answer.
    pub concluded: Option<Conclusion>,
    /// The commit that was taken back last.
    pub(super) reverted: Option<TakenBack>,
    /// Where making the configuration smaller stands.
    pub(super) minimization: Minimization,
    /// The newest commit of the history, and how many trials it gets.
    pub(super) tip: Option<(CommitId, u32)>,
    /// How far the reproducer gets at the start commit.
    reach: Option<Reach>,
    /// Whether the recipients were settled.
    pub addressed: bool,
    /// Commits and indices of trials that were taken back: their consoles stay where they are.
    pub retracted: HashSet<(CommitId, u32)>,
    /// Largest trial number given out.
    last: u64,
    /// Numbers of a commit's trials that were cut short before they could say much.
    cut_short: HashMap<CommitId, Vec<TrialNumber>>,
    /// How long things took.
    pub durations: Durations,
    build_failures_are_void: bool,
    /// Builders of kernels; 0: kernels are built with their trials, or not at all.
    builders: u32,
}

impl State {
    /// Nothing known yet.
    pub(super) fn new(bisector: Bisector, job: &Job) -> Self {
        Self {
            build_failures_are_void: job.stage != TargetStage::Build,
            builders: job.builders(),
            durations: Durations::new(job),
            ..Self::of_record(bisector)
        }
    }

    /// Nothing known yet of a run that is the record of a log.
    pub(super) fn of_record(bisector: Bisector) -> Self {
        Self {
            bisector,
            faces: Vec::new(),
            origin: super::target::FOUND.to_owned(),
            looks: Looks::default(),
            trials: BTreeMap::new(),
            ended: HashMap::new(),
            order: Vec::new(),
            builds: HashMap::new(),
            judged: HashMap::new(),
            current: None,
            routed: false,
            concluded: None,
            reverted: None,
            minimization: Minimization::default(),
            tip: None,
            reach: None,
            addressed: false,
            retracted: HashSet::new(),
            last: 0,
            cut_short: HashMap::new(),
            durations: Durations::default(),
            build_failures_are_void: true,
            builders: 0,
        }
    }

    /// Takes in a durable event.
    pub(super) fn apply(&mut self, event: &Event) {
        for assumed in event.assumed() {
            self.bisector.assume(assumed.assumption.clone());
        }
        if event.reopens() {
            self.concluded = None;
            self.addressed = false;
            self.current = None;
        }
        match event {
            Event::Target { faces, origin } => {
                self.faces.clone_from(faces);
                self.origin.clone_from(origin);
                self.looks.set_target(faces);
            }
            Event::Routed { .. } => self.routed = true,
            Event::Weighed { stretch, share, usual, weights, .. } => {
                let commits = self.bisector.commits(stretch);
                self.bisector.weigh(stretch.clone(), &weighing::recorded(&commits, *usual, weights), *share);
            }
            Event::Chosen { commit, role, .. } => self.current = Some((*commit, *role)),
            Event::BuildEnded { commit, build, result, seconds } => {
                self.builds.insert((*commit, *build), result.clone());
                match result {
                    BuildResult::Built { kernel, .. } => {
                        self.bisector.record_build(Built { commit: *commit, build: *build, digest: kernel.clone() });
                    }
                    // Ahead of need. Of the commit under test its void trial tells, and where a build failure is the crash, any trial.
                    BuildResult::Failed(_) if self.build_failures_are_void && self.under_test(commit).is_none() => {
                        self.bisector.record_failed_build(*commit);
                    }
                    BuildResult::Failed(_) | BuildResult::Infra(_) => {}
                }
                if *seconds > 0.0 {
                    self.durations.build_took(*seconds);
                }
                self.bisector.keep_pace(self.durations.pace(self.builders));
            }
            Event::TrialEnded { trial, commit, role, build, n, outcome, reports, uncounted, exposure, seconds, .. } => {
                self.last = self.last.max(trial.0);
                if let Outcome::Crashed(sighting) = outcome {
                    self.looks.learn(sighting.look, &sighting.report);
                }
                let past = PastTrial {
                    commit: *commit,
                    role: *role,
                    build: *build,
                    n: *n,
                    outcome: outcome.clone(),
                    reports: reports[..reports.len().saturating_sub(*uncounted as usize)].to_vec(),
                    exposure: *exposure,
                };
                self.durations.trial_took(*seconds, &past.trial());
                self.bisector.record(past.evidence(*trial));
                self.ended.entry(*commit).or_default().push(*trial);
                self.order.push(*trial);
                self.trials.insert(*trial, past);
                self.bisector.keep_pace(self.durations.pace(self.builders));
            }
            Event::CutShort { trial, commit, role, build, exposure } => {
                self.last = self.last.max(trial.0);
                self.cut_short.entry(*commit).or_default().push(*trial);
                let cut = Trial { outcome: Outcome::Clean, exposure: *exposure };
                self.bisector.record(Evidence { number: *trial, commit: *commit, role: *role, build: *build, trial: cut });
            }
            Event::Related { trial, outcome, .. } => {
                if let Outcome::Crashed(sighting) = outcome {
                    self.looks.learn(sighting.look, &sighting.report);
                }
                if let Some(past) = self.trials.get_mut(trial) {
                    past.outcome = outcome.clone();
                    self.bisector.record(past.evidence(*trial));
                    self.judged.remove(&past.commit);
                }
            }
            Event::Retracted { trials, assumed } => {
                trials.iter().for_each(|trial| self.retract(*trial));
                assumed.iter().for_each(|commit| self.bisector.forget_assumption(commit));
            }
            Event::Judged { commit, trials, judgement, .. } => {
                self.judged.insert(*commit, (*trials, judgement.clone()));
                self.bisector.judge(Judged { commit: *commit, trials: *trials, judgement: judgement.clone() });
            }
            Event::ConfigTried { trial, commit, n, outcome, .. } => {
                self.last = self.last.max(trial.0);
                if let Outcome::Crashed(sighting) = outcome {
                    self.looks.learn(sighting.look, &sighting.report);
                }
                // Its console stays where it is.
                self.retracted.insert((*commit, *n));
            }
            Event::Minimized { minimized, retracted } => {
                retracted.iter().for_each(|trial| self.retract(*trial));
                if self.minimization.config() != minimized.config.as_ref() {
                    self.builds.clear();
                }
            }
            Event::Reached { commit, found, .. } => self.reached(*commit, found),
            Event::Tip { commit, trials, .. } => self.tip = Some((*commit, *trials)),
            Event::Reverted { commit, at, reverted } => {
                self.reverted = Some(TakenBack { commit: *commit, at: *at, reverted: reverted.clone() });
            }
            Event::Concluded { conclusion, .. } => self.concluded = Some(conclusion.clone()),
            Event::Addressed { .. } => self.addressed = true,
            Event::Started { .. }
            | Event::Assumed { .. }
            | Event::ByHand { .. }
            | Event::Minimizing { .. }
            | Event::ConfigBuilt { .. }
            | Event::ConfigTested { .. }
            | Event::Resumed { .. }
            | Event::PluginLog { .. }
            | Event::PluginFailed { .. }
            | Event::Warned { .. }
            | Event::Stopping
            | Event::Stopped { .. } => {}
        }
        self.minimization.take(event);
    }

    fn reached(&mut self, commit: CommitId, found: &Reach) {
        let reached = match &self.reach {
            Some(start) if commit != self.bisector.start() => reach::compare(found, start).reached,
            _ if commit == self.bisector.start() && found.says_something() => Reached::Yes,
            _ => Reached::Unknown,
        };
        if commit == self.bisector.start() {
            self.reach = Some(found.clone());
        }
        self.bisector.record_reach(commit, reached);
    }

    fn retract(&mut self, trial: TrialNumber) {
        let Some(past) = self.trials.remove(&trial) else {
            return;
        };
        self.bisector.retract(trial);
        self.judged.remove(&past.commit);
        if past.is_of_the_build() {
            // Who takes that back wants to see the commit built again.
            self.builds.retain(|(commit, _), built| *commit != past.commit || !matches!(built, BuildResult::Failed(_)));
            self.bisector.forget_failed_build(&past.commit);
        }
        if let Some(ended) = self.ended.get_mut(&past.commit) {
            ended.retain(|number| *number != trial);
            if ended.is_empty() {
                // What was cut short there goes with the last trial that people see.
                self.cut_short.remove(&past.commit).into_iter().flatten().for_each(|number| self.bisector.retract(number));
            }
        }
        self.retracted.insert((past.commit, past.n));
    }

    /// Whether the target was stated, rather than found at the start commit.
    pub(super) fn stated(&self) -> bool {
        self.origin != super::target::FOUND
    }

    /// Trials of a commit as policies see them, in the order they ended.
    pub(super) fn trials_at(&self, commit: CommitId) -> Vec<Trial> {
        self.past_at(commit).map(|past| self.bisector.told(past.trial())).collect()
    }

    /// Why the commit is under test, if it is.
    pub(super) fn under_test(&self, commit: &CommitId) -> Option<Role> {
        self.current.filter(|(current, _)| current == commit).map(|(_, role)| role)
    }

    /// Trials of a commit, in the order they ended.
    pub(super) fn past_at(&self, commit: CommitId) -> impl Iterator<Item = &PastTrial> {
        self.ended.get(&commit).into_iter().flatten().filter_map(|number| self.trials.get(number))
    }

    /// The trial that ended last, of those that stand.
    pub(super) fn last_ended(&self) -> Option<TrialNumber> {
        self.order.iter().rev().copied().find(|number| self.trials.contains_key(number))
    }

    /// How many trials of a commit ended.
    pub(super) fn done(&self, commit: CommitId) -> u32 {
        self.past_at(commit).count() as u32
    }

    /// How many trials of a commit showed the target.
    pub(super) fn hits(&self, commit: CommitId) -> u32 {
        self.past_at(commit).filter(|past| matches!(&past.outcome, Outcome::Crashed(seen) if seen.is_target())).count() as u32
    }

    /// The policy's answer for a commit, if it has seen all trials that ended there.
    pub(super) fn standing_judgement(&self, commit: CommitId) -> Option<&Judgement> {
        self.judged.get(&commit).filter(|(seen, _)| *seen == self.done(commit)).map(|(_, judgement)| judgement)
    }

    /// The stage of a commit's three voids, when it has no other trial: the host's own cap.
    pub(super) fn only_voids(&self, commit: CommitId) -> Option<&Failure> {
        let mut counts: HashMap<Stage, (u32, &Failure)> = HashMap::new();
        for past in self.past_at(commit) {
            let Outcome::Void(failure) = &past.outcome else {
                return None;
            };
            counts.entry(failure.stage).or_insert((0, failure)).0 += 1;
        }
        counts.into_values().find(|(count, failure)| *count >= 3 && failure.stage != Stage::Infra).map(|(_, failure)| failure)
    }

    /// Whether the two commits' kernels are known to have the same loadable sections.
    pub(super) fn same_kernel(&self, one: CommitId, other: CommitId) -> bool {
        let signature = |commit| match self.builds.get(&(commit, 1)) {
            Some(BuildResult::Built { signature, .. }) => signature.as_ref(),
            _ => None,
        };
        signature(one).is_some() && signature(one) == signature(other)
    }

    /// A number that no trial has.
    pub(super) fn next_number(&mut self) -> TrialNumber {
        self.last += 1;
        TrialNumber(self.last)
    }

    /// The target's faces with how many trials showed each, most frequent first.
    pub(super) fn faces(&self) -> Vec<Face> {
        let mut faces: Vec<Face> = self
            .faces
            .iter()
            .map(|report| {
                let shows = |past: &&PastTrial| matches!(&past.outcome, Outcome::Crashed(seen) if seen.is_target() && seen.report.title == report.title);
                Face { report: report.clone(), trials: self.trials.values().filter(shows).count() as u32 }
            })
            .collect();
        faces.sort_by_key(|face| std::cmp::Reverse(face.trials));
        faces
    }
}

impl PastTrial {
    /// As policies see it.
    pub(super) fn trial(&self) -> Trial {
        Trial { outcome: self.outcome.clone(), exposure: self.exposure }
    }

    /// Whether it says no more than that the commit does not build.
    fn is_of_the_build(&self) -> bool {
        match &self.outcome {
            Outcome::Void(failure) => failure.stage == Stage::Build,
            Outcome::Crashed(sighting) => sighting.report.crash_type == builder::FAILED,
            Outcome::Clean => false,
        }
    }

    /// As the search takes it.
    fn evidence(&self, number: TrialNumber) -> Evidence {
        Evidence { number, commit: self.commit, role: self.role, build: self.build, trial: self.trial() }
    }
}

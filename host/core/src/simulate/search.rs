//! A bisection by the real [`Bisector`] on the simulated clock. Does what the session's dispatcher does; decides nothing itself.

use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;

use super::history::History;
use super::lab::Build;
use super::lab::Lab;
use super::policy::FlakePolicy;
use super::policy::Situation;
use super::world::Shown;
use super::world::World;
use crate::bisector::Action;
use crate::bisector::BadEnds;
use crate::bisector::Bisector;
use crate::bisector::Built;
use crate::bisector::Conclusion;
use crate::bisector::Ends;
use crate::bisector::Evidence;
use crate::bisector::Judged;
use crate::bisector::Kind;
use crate::bisector::Pace;
use crate::bisector::Pending;
use crate::bisector::Plan;
use crate::bisector::Settings;
use crate::bisector::TrialNumber;
use crate::commit::CommitId;
use crate::credence;
use crate::credence::Credence;
use crate::credence::Credit;
use crate::credence::Findings;
use crate::credence::Trials;
use crate::graph::Node;
use crate::policy::Ask;
use crate::policy::Decision;
use crate::policy::Failure;
use crate::policy::Outcome;
use crate::policy::Past;
use crate::policy::Role;
use crate::policy::Stage;
use crate::policy::Trial;
use crate::prior;

/// How often the host repeats a trial that the infrastructure spoilt, as in the session.
const RETRIES: u32 = 2;
/// In seconds.
const MINUTE: f64 = 60.0;
/// Rounds of planning at one moment after which the search goes round in circles.
const ROUNDS: u32 = 1000;

/// What a bisection came to, and what it cost.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ended {
    /// The answer.
    pub conclusion: Conclusion,
    /// Trials that were started.
    pub trials: u32,
    /// Commits with a trial or a build that failed.
    pub tested: Vec<Node>,
    /// Kernels whose build was begun.
    pub builds: u32,
    /// Minutes on the clock.
    pub minutes: f64,
    /// The answer says that no single boundary explains what was seen.
    pub not_monotone: bool,
    /// How sure a name is that it introduced the bug; none without a name, or where nothing is known of that.
    pub credence: Option<Credence>,
}

/// A bisection that cannot be driven to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stuck {
    /// The ends do not make sense.
    #[error(transparent)]
    Ends(#[from] BadEnds),
    /// The plan asks for nothing that can be done, or never for the same twice.
    #[error("the search makes no progress after {trials} trials: {plan}")]
    Circles {
        /// Trials made.
        trials: u32,
        /// What it asks for.
        plan: String,
    },
    /// The flake policy ended the bisection.
    #[error("the flake policy ended it: {0}")]
    Aborted(String),
}

/// Runs one bisection to its end.
///
/// # Errors
///
/// If it does not come to one.
pub(super) fn run(
    history: &History,
    world: &mut World,
    policy: &mut dyn FlakePolicy,
    settings: Settings,
    lab: &Lab,
) -> Result<Ended, Stuck> {
    run_watched(history, world, policy, settings, lab, &mut |_| {})
}

/// As [`run`]; whenever the search has made a plan, it is shown.
pub(super) fn run_watched(
    history: &History,
    world: &mut World,
    policy: &mut dyn FlakePolicy,
    settings: Settings,
    lab: &Lab,
    watch: &mut dyn FnMut(&Bisector),
) -> Result<Ended, Stuck> {
    let ends = Ends {
        kind: Kind::Cause,
        start: history.graph.id(history.start),
        good: vec![history.graph.id(history.good)],
        releases: Vec::new(),
    };
    let mut bisector = Bisector::new(Arc::clone(&history.graph), ends, settings)?;
    bisector.know_eras(&world.eras.iter().map(|&first| history.graph.id(first)).collect::<Vec<CommitId>>());
    let (build, trial) = (lab.build * MINUTE, (lab.boot + lab.trial) * MINUTE);
    bisector.keep_pace(Pace { builders: lab.builders as u32, build, trial, boot: lab.boot * MINUTE, full: lab.trial * MINUTE });
    let run = Run {
        history,
        world,
        policy,
        watch,
        lab,
        delta: settings.delta,
        bisector,
        now: 0.0,
        running: Vec::new(),
        building: Vec::new(),
        kernels: HashMap::new(),
        wanted: None,
        commits: Vec::new(),
        places: HashMap::new(),
        numbers: 0,
        trials: 0,
        builds: 0,
    };
    run.finish()
}

/// A trial under way.
struct Running {
    number: u64,
    commit: CommitId,
    role: Role,
    build: u32,
    proposed: u32,
    /// The share of the full time that it gets.
    exposure: f64,
    shown: Shown,
    /// When its boot began, and when it ends.
    began: f64,
    ends: f64,
    /// How often the infrastructure has spoilt it.
    spoilt: u32,
}

/// A commit with trials.
struct Commit {
    id: CommitId,
    role: Role,
    trials: Vec<Trial>,
    /// The policy's answer, and how many trials it had seen.
    judged: Option<(usize, Decision)>,
}

struct Run<'a> {
    history: &'a History,
    world: &'a mut World,
    policy: &'a mut dyn FlakePolicy,
    watch: &'a mut dyn FnMut(&Bisector),
    lab: &'a Lab,
    delta: f64,
    bisector: Bisector,
    now: f64,
    running: Vec<Running>,
    building: Vec<Build>,
    /// Builds that ended, and whether there is a kernel.
    kernels: HashMap<(CommitId, u32), bool>,
    /// The commit that a trial was asked for last, and why.
    wanted: Option<(CommitId, Role)>,
    commits: Vec<Commit>,
    places: HashMap<CommitId, usize>,
    numbers: u64,
    trials: u32,
    builds: u32,
}

impl Run<'_> {
    fn finish(mut self) -> Result<Ended, Stuck> {
        loop {
            if let Some(conclusion) = self.advance()? {
                let node = |commit: &Commit| self.history.graph.node(&commit.id).expect("only commits of the history are tested");
                return Ok(Ended {
                    trials: self.trials,
                    tested: self.commits.iter().map(node).collect(),
                    builds: self.builds,
                    minutes: self.now,
                    not_monotone: self.not_monotone(&conclusion),
                    credence: self.credence(&conclusion),
                    conclusion,
                });
            }
            self.wait()?;
        }
    }

    fn not_monotone(&self, conclusion: &Conclusion) -> bool {
        matches!(conclusion, Conclusion::Inconclusive { why, .. } if self.bisector.not_monotone().as_ref() == Some(why))
    }

    /// As the session has it.
    fn credence(&self, conclusion: &Conclusion) -> Option<Credence> {
        let Conclusion::Found { suspects } = conclusion else { return None };
        let named = suspects.first()?;
        let odds = self.bisector.suspicion(&named.commit);
        let credit = odds.map(|odds| Credit { odds, reason: String::new() });
        if credit.is_none() && self.world.releases == 0 {
            return None;
        }
        let tests = &self.commits[*self.places.get(&named.commit)?].trials;
        let (same, shown) = credence::shown(tests.iter().map(|trial| &trial.outcome)).unwrap_or_default();
        Some(Credence::of(&Findings {
            boundary: named.probability,
            trials: Trials::Search,
            same,
            shown,
            equal_kernels: false,
            releases: self.world.releases,
            reached: None,
            credit,
        }))
    }

    /// Tells the search how guilty the commits look, once it knows which they are.
    fn weigh(&mut self) {
        let Some(weights) = &self.world.suspicion else { return };
        while let Some(stretch) = self.bisector.unweighed() {
            let range = &self.history.range;
            let weight = |commit: &CommitId| {
                let place = range.binary_search(&self.history.graph.node(commit)?).ok()?;
                weights.get(place).copied()
            };
            let weights: Vec<f64> = self.bisector.commits(&stretch).iter().map(|commit| weight(commit).unwrap_or(1.0)).collect();
            self.bisector.weigh(stretch, &weights, prior::SHARE);
        }
    }

    /// Starts what the plan asks for and what fits.
    fn advance(&mut self) -> Result<Option<Conclusion>, Stuck> {
        let mut actions = Vec::new();
        for _ in 0..ROUNDS {
            self.weigh();
            actions = match self.bisector.plan(&self.pending()) {
                Plan::Done(conclusion) => return Ok(Some(conclusion)),
                Plan::Do(actions) => actions,
            };
            let mut changed = self.cancel_what_left(&actions)?;
            for action in &actions {
                if changed {
                    break;
                }
                changed = self.serve(action)?;
            }
            if !changed {
                let idle = self.running.is_empty() && self.building.is_empty();
                (self.watch)(&self.bisector);
                return if idle { Err(self.circles(&actions)) } else { Ok(None) };
            }
        }
        Err(self.circles(&actions))
    }

    fn circles(&self, actions: &[Action]) -> Stuck {
        Stuck::Circles { trials: self.trials, plan: format!("{actions:?}") }
    }

    fn pending(&self) -> Vec<Pending> {
        let mut pending: Vec<Pending> = self.building.iter().map(|build| Pending { commit: build.commit, trials: 0 }).collect();
        for running in &self.running {
            match pending.iter_mut().find(|pending| pending.commit == running.commit) {
                Some(pending) => pending.trials += 1,
                None => pending.push(Pending { commit: running.commit, trials: 1 }),
            }
        }
        pending
    }

    /// True if that brought evidence.
    fn cancel_what_left(&mut self, actions: &[Action]) -> Result<bool, Stuck> {
        let wanted: HashSet<CommitId> = actions.iter().map(Action::commit).collect();
        self.building.retain(|build| wanted.contains(&build.commit));
        let (kept, left): (Vec<Running>, Vec<Running>) =
            std::mem::take(&mut self.running).into_iter().partition(|running| wanted.contains(&running.commit));
        self.running = kept;
        let mut brought = Vec::new();
        for mut trial in left {
            let exposure = (self.now - trial.began - self.lab.boot) / self.lab.trial;
            if exposure > 0.0 {
                trial.shown.outcome = Outcome::Clean;
                brought.push((trial, exposure));
            }
        }
        self.take(brought)
    }

    /// Does what can be done now for one action; true if the plan may have changed by it.
    fn serve(&mut self, action: &Action) -> Result<bool, Stuck> {
        match *action {
            Action::Build(commit) => {
                self.start_build(commit, 1);
                Ok(false)
            }
            Action::Try { commit, role, trials, rebuild, exposure } => {
                self.wanted = Some((commit, role));
                let build = if rebuild { 2 } else { 1 };
                match self.kernels.get(&(commit, build)) {
                    None => {
                        self.start_build(commit, build);
                        Ok(false)
                    }
                    Some(false) => self.fail_to_build(commit, role, build),
                    Some(true) => self.try_commit(commit, role, build, trials, exposure),
                }
            }
        }
    }

    fn start_build(&mut self, commit: CommitId, number: u32) {
        let known = self.kernels.contains_key(&(commit, number))
            || self.building.iter().any(|build| (build.commit, build.number) == (commit, number));
        if !known && self.building.len() < self.lab.builders {
            self.builds += 1;
            self.building.push(Build { commit, number, ends: self.now + self.lab.build });
        }
    }

    fn fail_to_build(&mut self, commit: CommitId, role: Role, build: u32) -> Result<bool, Stuck> {
        let outcome = Outcome::Void(Failure { stage: Stage::Build, reason: "the build failed".to_owned() });
        let (shown, began) = (Shown { outcome, after: 0.0 }, self.now);
        let number = self.number();
        let trial = Running { number, commit, role, build, proposed: 1, exposure: 1.0, shown, began, ends: began, spoilt: 0 };
        self.take(vec![(trial, 1.0)])?;
        Ok(true)
    }

    fn try_commit(&mut self, commit: CommitId, role: Role, build: u32, proposed: u32, exposure: f64) -> Result<bool, Stuck> {
        let place = self.place(commit, role);
        let done = self.commits[place].trials.len() as u32;
        let running = self.running.iter().filter(|running| running.commit == commit).count() as u32;
        let wanted = match &self.commits[place].judged {
            Some((seen, decision)) if *seen == done as usize => {
                if let Decision::Want(total) = decision {
                    *total
                } else {
                    0
                }
            }
            _ => {
                self.judge(place, role, proposed)?;
                return Ok(true);
            }
        };
        let mut total = wanted.max(proposed);
        if total <= done + running && running == 0 {
            total = done + 1;
        }
        for _ in (done + running)..total {
            if self.running.len() >= self.lab.machines {
                break;
            }
            self.start_trial(commit, role, build, proposed, exposure);
        }
        Ok(false)
    }

    fn start_trial(&mut self, commit: CommitId, role: Role, build: u32, proposed: u32, exposure: f64) {
        if self.world.host_fails() {
            for running in &mut self.running {
                running.shown = Shown { outcome: infra(), after: 0.0 };
                running.ends = self.now;
            }
        }
        self.trials += 1;
        let (shown, ends) = self.draw(commit, build, exposure);
        let (number, began) = (self.number(), self.now);
        self.running.push(Running { number, commit, role, build, proposed, exposure, shown, began, ends, spoilt: 0 });
    }

    fn draw(&mut self, commit: CommitId, build: u32, exposure: f64) -> (Shown, f64) {
        let node = self.history.graph.node(&commit).expect("the plan keeps to the history");
        let shown = self.world.trial(node, build);
        // A crash that comes after the time is up is not seen.
        let limit = exposure * self.lab.trial;
        let shown = if shown.after > limit { Shown { outcome: Outcome::Clean, ..shown } } else { shown };
        let ends = self.now + self.lab.boot + shown.after.min(limit);
        (shown, ends)
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn place(&mut self, commit: CommitId, role: Role) -> usize {
        *self.places.entry(commit).or_insert_with(|| {
            self.commits.push(Commit { id: commit, role, trials: Vec::new(), judged: None });
            self.commits.len() - 1
        })
    }

    /// Lets time pass until something ends, and takes it in.
    fn wait(&mut self) -> Result<(), Stuck> {
        let ends = self.running.iter().map(|running| running.ends).chain(self.building.iter().map(|build| build.ends));
        self.now = ends.fold(f64::INFINITY, f64::min);
        let now = self.now;
        let (built, building): (Vec<Build>, Vec<Build>) =
            std::mem::take(&mut self.building).into_iter().partition(|build| build.ends <= now);
        self.building = building;
        for build in built {
            let node = self.history.graph.node(&build.commit).expect("the plan keeps to the history");
            let works = self.world.builds(node);
            self.kernels.insert((build.commit, build.number), works);
            if works {
                self.bisector.record_build(Built { commit: build.commit, build: build.number, digest: None });
            } else if let Some((commit, role)) = self.wanted.filter(|&(commit, _)| commit == build.commit) {
                // As in the session: of what a trial waits for, its void trial tells.
                self.fail_to_build(commit, role, build.number)?;
            } else {
                self.bisector.record_failed_build(build.commit);
            }
        }
        let (ended, running): (Vec<Running>, Vec<Running>) =
            std::mem::take(&mut self.running).into_iter().partition(|running| running.ends <= now);
        self.running = running;
        let mut brought = Vec::new();
        for mut trial in ended {
            let spoilt = matches!(&trial.shown.outcome, Outcome::Void(failure) if failure.stage == Stage::Infra);
            if spoilt && trial.spoilt < RETRIES {
                trial.spoilt += 1;
                trial.began = now;
                (trial.shown, trial.ends) = self.draw(trial.commit, trial.build, trial.exposure);
                self.running.push(trial);
            } else {
                let at = trial.shown.after / self.lab.trial;
                let exposure = if matches!(trial.shown.outcome, Outcome::Crashed(_)) { at } else { trial.exposure };
                brought.push((trial, exposure));
            }
        }
        self.take(brought).map(drop)
    }

    /// Records trials that ended, with their exposures, and asks the policy about their commits. True if there were any.
    fn take(&mut self, ended: Vec<(Running, f64)>) -> Result<bool, Stuck> {
        let mut asked: Vec<(usize, Role, u32)> = Vec::new();
        for (running, exposure) in ended {
            let trial = Trial { outcome: running.shown.outcome, exposure };
            let place = self.place(running.commit, running.role);
            if trial.says_something() {
                self.commits[place].trials.push(trial.clone());
            }
            let (number, commit) = (TrialNumber(running.number), running.commit);
            self.bisector.record(Evidence { number, commit, role: running.role, build: running.build, trial });
            asked.retain(|(other, ..)| *other != place);
            asked.push((place, running.role, running.proposed));
        }
        let any = !asked.is_empty();
        for (place, role, proposed) in asked {
            self.judge(place, role, proposed)?;
        }
        Ok(any)
    }

    fn judge(&mut self, place: usize, role: Role, proposed: u32) -> Result<(), Stuck> {
        let commit = self.commits[place].id;
        let running = self.running.iter().filter(|running| running.commit == commit).count() as u32;
        let seen = self.commits[place].trials.len();
        let trials = self.commits[place].trials.iter().map(|trial| self.bisector.told(trial.clone())).collect();
        let situation = self.situation(&commit);
        let judgement = self.policy.judge(&Ask { commit, role, trials, running, proposed }, &situation);
        self.commits[place].judged = Some((seen, judgement.decision.clone()));
        if let Decision::Abort(why) = &judgement.decision {
            return Err(Stuck::Aborted(why.clone()));
        }
        self.bisector.judge(Judged { commit, trials: seen as u32, judgement });
        Ok(())
    }

    fn situation(&self, commit: &CommitId) -> Situation {
        Situation {
            kind: Kind::Cause,
            start: self.history.graph.id(self.history.start),
            delta: self.delta,
            range: self.history.range.len(),
            rates: self.bisector.rates_at(commit),
            history: Arc::new(self.commits.iter().map(Commit::past).collect()),
        }
    }
}

impl Commit {
    fn past(&self) -> Past {
        let decision = self.judged.as_ref().map(|(_, decision)| decision);
        Past::new(self.id, self.role, &self.trials, decision)
    }
}

pub(super) fn infra() -> Outcome {
    Outcome::Void(Failure { stage: Stage::Infra, reason: "the host of the machines failed".to_owned() })
}

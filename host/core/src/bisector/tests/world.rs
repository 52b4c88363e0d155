//! A driver and an oracle for tests: histories with a planted culprit, trials by chance, and a flake policy like the bundled one.

use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;

use crate::bisector::*;
use crate::commit::CommitId;
use crate::crash::CrashReport;
use crate::graph::Commit;
use crate::graph::Graph;
use crate::graph::Node;
use crate::policy::Decision;
use crate::policy::Failure;
use crate::policy::Judgement;
use crate::policy::Outcome;
use crate::policy::Rates;
use crate::policy::Role;
use crate::policy::Sighting;
use crate::policy::Stage;
use crate::policy::Trial;
use crate::policy::Verdict;

/// A small random-number generator (splitmix64), so that tests need no crate and no seed file.
#[derive(Clone)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub(super) fn chance(&mut self, chance: f64) -> bool {
        ((self.next() >> 11) as f64 / (1_u64 << 53) as f64) < chance
    }
}

/// The id of the commit with this number.
pub(super) fn id(number: usize) -> CommitId {
    let mut bytes = [0; 20];
    // Not in numeric order, as real ids are not.
    bytes[..8].copy_from_slice(&Dice(number as u64).next().to_be_bytes());
    bytes[12..].copy_from_slice(&(number as u64).to_be_bytes());
    CommitId::from_bytes(bytes)
}

pub(super) fn graph(parents: &[Vec<usize>]) -> Graph {
    Graph::new(parents.iter().enumerate().map(|(number, parents)| Commit {
        id: id(number),
        time: number as i64,
        parents: parents.iter().map(|&parent| id(parent)).collect(),
    }))
}

/// Commits 0 to `len`, one after the other.
pub(super) fn line(len: usize) -> Vec<Vec<usize>> {
    (0..=len).map(|number| if number == 0 { Vec::new() } else { vec![number - 1] }).collect()
}

/// A mainline with side branches that are merged after a while, as in kernel history: commit 0 is the root and the last one the
/// newest.
pub(super) fn merges(len: usize, dice: &mut Dice) -> Vec<Vec<usize>> {
    let mut parents: Vec<Vec<usize>> = vec![Vec::new()];
    let mut tip = 0;
    let mut branches: Vec<usize> = Vec::new();
    while parents.len() < len {
        let next = parents.len();
        match dice.below(10) {
            0 if branches.len() < 6 => {
                branches.push(next);
                parents.push(vec![tip]);
            }
            1 if !branches.is_empty() => {
                let branch = branches.swap_remove(dice.below(branches.len()));
                parents.push(vec![tip, branch]);
                tip = next;
            }
            2..=6 if !branches.is_empty() => {
                let branch = dice.below(branches.len());
                parents.push(vec![branches[branch]]);
                branches[branch] = next;
            }
            _ => {
                parents.push(vec![tip]);
                tip = next;
            }
        }
    }
    let mut last = vec![tip];
    last.extend(branches);
    parents.push(last);
    parents
}

/// How commits behave.
#[derive(Clone)]
pub(super) struct World {
    pub(super) graph: Arc<Graph>,
    /// Commits that have the bug.
    pub(super) bad: HashSet<CommitId>,
    /// Chance of a hit at a bad commit.
    pub(super) r: f64,
    /// Chance of a crash taken for the target anywhere.
    pub(super) f: f64,
    /// Chance of another crash anywhere, with this chance of being the target and look 7.
    pub(super) stray: (f64, f64),
    /// Commits whose every trial is void.
    pub(super) void: HashSet<CommitId>,
    /// Chance of a void trial anywhere.
    pub(super) voids: f64,
    /// Crashes at these commits look otherwise (look 9), with this chance of being the target.
    pub(super) drifted: (HashSet<CommitId>, f64),
    /// Bad commits at which a trial hits with this chance instead.
    pub(super) elsewhere: (HashSet<CommitId>, f64),
    pub(super) dice: Dice,
}

impl World {
    /// Everything that contains commit `culprit` is bad.
    pub(super) fn new(parents: &[Vec<usize>], culprit: usize, r: f64, seed: u64) -> Self {
        let graph = Arc::new(graph(parents));
        let bad = graph.descendants(&[graph.node(&id(culprit)).unwrap()]);
        let bad = bad.iter().map(|node| graph.id(node)).collect();
        Self {
            graph,
            bad,
            r,
            f: 0.0,
            stray: (0.0, 0.0),
            void: HashSet::new(),
            voids: 0.0,
            drifted: (HashSet::new(), 1.0),
            elsewhere: (HashSet::new(), 0.0),
            dice: Dice(seed),
        }
    }

    /// The commit that nothing contains.
    pub(super) fn newest(&self) -> CommitId {
        self.graph.id(Node(self.graph.len() as u32 - 1))
    }

    pub(super) fn trial(&mut self, commit: CommitId) -> Trial {
        let r = if self.elsewhere.0.contains(&commit) { self.elsewhere.1 } else { self.r };
        if self.void.contains(&commit) {
            void(Stage::Boot)
        } else if self.dice.chance(self.voids) {
            void([Stage::Boot, Stage::Control, Stage::Copy, Stage::Infra][self.dice.below(4)])
        } else if self.dice.chance(self.stray.0) {
            crash(self.stray.1, 7)
        } else if self.bad.contains(&commit) && self.dice.chance(r) {
            if self.drifted.0.contains(&commit) { crash(self.drifted.1, 9) } else { crash(0.999, 1) }
        } else if self.dice.chance(self.f) {
            crash(0.999, 1)
        } else {
            clean()
        }
    }
}

/// A sequential test like the bundled policy's: Wald's test on s with the low estimate of r, and a cap.
pub(super) fn policy(trials: &[Trial], rates: Option<Rates>) -> Decision {
    let r = rates.map_or(0.3, |rates| rates.r_low).clamp(0.05, 0.95);
    let bound = f64::ln(4000.0);
    let (mut sum, mut voids) = (0.0, 0);
    for trial in trials {
        match &trial.outcome {
            Outcome::Clean => sum += (1.0 - r).ln(),
            Outcome::Crashed(sighting) => {
                let s = sighting.same.clamp(0.001, 0.999);
                sum += f64::max(0.0, ((1.0 - r) + r * s / (0.001 * (1.0 - s) + 0.001 * s)).ln());
            }
            Outcome::Void(failure) => voids += u32::from(failure.stage != Stage::Infra),
        }
    }
    if sum >= bound {
        Decision::Conclude(Verdict::Bad)
    } else if sum <= -bound {
        Decision::Conclude(Verdict::Good)
    } else if voids >= 3 && voids as usize == trials.len() || trials.len() >= 120 {
        Decision::Conclude(Verdict::Skip("cannot tell".to_owned()))
    } else {
        Decision::Want(trials.len() as u32 + ((bound / -(1.0 - r).ln()).ceil() as u32).max(1))
    }
}

/// What a run came to.
pub(super) struct Ended {
    pub(super) conclusion: Conclusion,
    pub(super) trials: usize,
    pub(super) order: Vec<(CommitId, Role)>,
    /// Commits for which a second build was asked.
    pub(super) rebuilt: HashSet<CommitId>,
}

impl Ended {
    pub(super) fn named(&self) -> Option<(CommitId, f64)> {
        match &self.conclusion {
            Conclusion::Found { suspects } => Some((suspects[0].commit, suspects[0].probability)),
            _ => None,
        }
    }
}

/// Runs a bisection with one slot: one trial at a time, the policy asked after each.
pub(super) fn run(world: &mut World, bisector: &mut Bisector, limit: usize) -> Ended {
    run_watched(world, bisector, limit, |_| {})
}

/// As [`run`]; before each plan the bisection is shown.
pub(super) fn run_watched(world: &mut World, bisector: &mut Bisector, limit: usize, mut watch: impl FnMut(&Bisector)) -> Ended {
    let mut past: HashMap<CommitId, Vec<Trial>> = HashMap::new();
    let mut order = Vec::new();
    let mut rebuilt = HashSet::new();
    for number in 1..=limit {
        watch(bisector);
        let actions = match bisector.plan(&[]) {
            Plan::Done(conclusion) => return Ended { conclusion, trials: number - 1, order, rebuilt },
            Plan::Do(actions) => actions,
        };
        let Some(Action::Try { commit, role, trials, rebuild, .. }) = actions.first().cloned() else {
            panic!("a plan without a trial: {actions:?}");
        };
        let trial = world.trial(commit);
        order.push((commit, role));
        if rebuild {
            rebuilt.insert(commit);
        }
        let past = past.entry(commit).or_default();
        assert!(trials as usize > past.len(), "a plan that asks for {trials} trials where {} were made", past.len());
        past.push(trial.clone());
        let build = if rebuild { 2 } else { 1 };
        bisector.record(Evidence { number: TrialNumber(number as u64), commit, role, build, trial });
        let decision = policy(past, bisector.summary().rates);
        let judgement = Judgement { decision, confidence: 1.0, reason: String::new() };
        bisector.judge(Judged { commit, trials: past.len() as u32, judgement });
    }
    panic!("no end after {limit} trials; last {:?}", &order[order.len().saturating_sub(10)..]);
}

pub(super) fn settings(strategy: Strategy) -> Settings {
    Settings { strategy, delta: 0.01, trust_good: false, single_trials: false }
}

/// A search for the cause between commit 0 and the newest one.
pub(super) fn cause_of(world: &World, strategy: Strategy) -> Bisector {
    let ends = Ends { kind: Kind::Cause, start: world.newest(), good: vec![id(0)], releases: Vec::new() };
    Bisector::new(Arc::clone(&world.graph), ends, settings(strategy)).unwrap()
}

/// A trial's evidence on the first build.
pub(super) fn evidence(number: u64, commit: CommitId, role: Role, trial: Trial) -> Evidence {
    Evidence { number: TrialNumber(number), commit, role, build: 1, trial }
}

pub(super) fn verdict(commit: CommitId, trials: u32, verdict: Verdict) -> Judged {
    let judgement = Judgement { decision: Decision::Conclude(verdict), confidence: 1.0, reason: String::new() };
    Judged { commit, trials, judgement }
}

pub(super) fn clean() -> Trial {
    Trial { outcome: Outcome::Clean, exposure: 1.0 }
}

pub(super) fn crash(same: f64, look: u32) -> Trial {
    Trial { outcome: Outcome::Crashed(Sighting { report: CrashReport::default(), same, look }), exposure: 1.0 }
}

pub(super) fn void(stage: Stage) -> Trial {
    Trial { outcome: Outcome::Void(Failure { stage, reason: "a reason".to_owned() }), exposure: 1.0 }
}

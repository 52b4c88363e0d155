//! The benchmark of robust-git-bisect (G. Price, 2020): every answer is wrong with one and the same chance, and costs the same.
//!
//! Owns the loop alone: what answers say, and how much one more would, is [`crate::posterior`]'s and [`crate::select`]'s. There are no
//! ends to test, no flake policy, no builds and no verification.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use super::dice::Dice;
use super::history::History;
use crate::graph::Node;
use crate::policy::TARGET_LOOK;
use crate::posterior::Belief;
use crate::posterior::Candidates;
use crate::posterior::Grid;
use crate::posterior::Groups;
use crate::posterior::Posterior;
use crate::posterior::Question;
use crate::posterior::Segment;
use crate::posterior::Sight;
use crate::posterior::Site;
use crate::select;
use crate::strands::add;

/// No search takes more trials.
const MOST_TRIALS: usize = 120;
/// The least likely segments, which together have no more than this of what the likeliest has not, are left out where the best question
/// is looked for: it takes long for many.
const LEFT_OUT: f64 = 0.01;
/// Searches share their first steps, which take longest: those after so many answers.
const SHARED: usize = 18;

/// What is known of the rates beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rates {
    /// Answers about bad and good commits are wrong equally often; how often, nobody knows.
    One,
    /// What the search believes of r and f, which have nothing to do with each other.
    Two,
}

/// How a search stands when its leader is sure enough for a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// Answers so far.
    pub trials: u32,
    /// Whether the leader is the culprit.
    pub right: bool,
}

/// Searches in one history.
#[derive(Debug)]
pub struct Flips<'a> {
    history: &'a History,
    candidates: Candidates,
    grid: Grid,
    /// The chance that an answer is wrong.
    wrong: f64,
    steps: Mutex<HashMap<Answers, Step>>,
}

/// The answers so far, a bit for each below the highest one: the commits that they are about follow from them.
type Answers = u128;

/// Where a search stands.
#[derive(Debug, Clone, Copy)]
struct Step {
    leader: Node,
    probability: f64,
    /// What to test next.
    next: Node,
}

impl<'a> Flips<'a> {
    /// Searches in this history with answers that are wrong so often.
    pub fn new(history: &'a History, wrong: f64, rates: Rates) -> Self {
        let grid = match rates {
            Rates::One => Grid::symmetric(),
            Rates::Two => Grid::prior(false),
        };
        let candidates = Candidates::new(&history.graph, history.start, &[history.good]);
        Self { history, candidates, grid, wrong, steps: Mutex::default() }
    }

    /// Makes run number `run` of those of `seed`: how the search stands when its leader has probability 1 − δ, for each of these δ,
    /// the largest first.
    pub fn run(&self, seed: u64, run: u64, deltas: &[f64]) -> Vec<Stop> {
        let mut dice = Dice::of_run(seed, run);
        let culprit = self.history.range[dice.below(self.history.range.len())];
        let bad = self.history.graph.descendants(&[culprit]);
        let (mut seen, mut answers, mut stops) = (Vec::new(), 1, Vec::new());
        loop {
            let step = self.step(answers, &seen);
            while stops.len() < deltas.len() && (step.probability >= 1.0 - deltas[stops.len()] || seen.len() == MOST_TRIALS) {
                stops.push(Stop { trials: seen.len() as u32, right: step.leader == culprit });
            }
            if stops.len() == deltas.len() {
                return stops;
            }
            let hit = bad.contains(step.next) != dice.chance(self.wrong);
            seen.push((step.next, hit));
            answers = answers << 1 | Answers::from(hit);
        }
    }

    fn step(&self, answers: Answers, seen: &[(Node, bool)]) -> Step {
        if seen.len() > SHARED {
            return self.think(seen);
        }
        let steps = || self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let found = steps().get(&answers).copied();
        found.unwrap_or_else(|| {
            let step = self.think(seen);
            steps().insert(answers, step);
            step
        })
    }

    fn think(&self, seen: &[(Node, bool)]) -> Step {
        let mut sights: BTreeMap<Node, Vec<Sight>> = BTreeMap::new();
        for &(node, hit) in seen {
            let sight = if hit { Sight::Crash { same: 1.0, look: TARGET_LOOK } } else { Sight::Clean { exposure: 1.0 } };
            sights.entry(node).or_default().push(sight);
        }
        let graph = &self.history.graph;
        let groups = Arc::new(Groups::new(graph, &self.candidates, sights.keys().copied().collect()));
        let site = |(node, sights)| Site { node, kernels: vec![sights], kernel: None, era: 0, clean_counts: true, assumed: None };
        let sites = sights.into_iter().map(site).collect();
        let question = Question { graph, groups, begins: true, ends: &[], sites, mute: 0.0, eras: 1 };
        let posterior = Posterior::new(self.grid.clone(), question);
        let belief = &posterior.beliefs[0];
        let (leader, probability) = posterior.groups.leader(&self.candidates, &belief.groups);
        Step { leader: self.candidates.node(leader), probability, next: self.next(&posterior, belief) }
    }

    /// The commit about which an answer says most.
    fn next(&self, posterior: &Posterior, belief: &Belief) -> Node {
        // The probability of each segment, that times the chance of a hit if it has the culprit, and times the outcome's entropy.
        let hit = |r: f64| r + (1.0 - r) * belief.f;
        let by_group: Vec<[f64; 3]> =
            belief.eras[0].group_r.iter().map(|&r| hit(r)).map(|hit| [1.0, hit, select::entropy(hit)]).collect();
        let groups = &posterior.groups;
        let least = least(groups.spread_segments(|group, share| share * belief.groups[group]));
        let places = groups.spread_segments(|group, share| {
            let probability = share * belief.groups[group];
            if probability < least { [0.0; 3] } else { by_group[group].map(|part| part * probability) }
        });
        let below = self.candidates.sums_below(&groups.segments, &places);
        let unsure_if_good = select::entropy(belief.f);
        let node = |place: u32| self.candidates.node(self.candidates.at(place));
        let tested = posterior.sites.iter().zip(&belief.sites).map(|(site, belief)| (belief.again.bits, site.node));
        let untested = groups.segments.iter().zip(below.iter().zip(&places)).filter_map(|(&segment, (below, inside))| {
            // What is tested ends a segment.
            let to = segment.to - u32::from(posterior.site(node(segment.to - 1)).is_some());
            let bits = |place: u32| {
                let share = self.candidates.share(Segment { to: place + 1, ..segment }, segment);
                let [bad, hit, unsure] = add(*below, &inside.map(|sum| sum * share));
                select::bits(hit + (1.0 - bad) * belief.f, unsure + (1.0 - bad) * unsure_if_good)
            };
            let peak = (segment.from < to).then(|| select::peak(segment.from..to, bits))?;
            Some((bits(peak), node(peak)))
        });
        let better = |one: &(f64, Node), other: &(f64, Node)| one.0.total_cmp(&other.0).then(other.1.cmp(&one.1));
        tested.chain(untested).max_by(better).expect("a history has commits").1
    }
}

/// The least probability that is not left out.
fn least(mut mass: Vec<f64>) -> f64 {
    mass.sort_unstable_by(f64::total_cmp);
    let unsure = 1.0 - mass.last().copied().unwrap_or(0.0);
    let mut sum = 0.0;
    let kept = mass.into_iter().find(|mass| {
        sum += mass;
        sum > LEFT_OUT * unsure
    });
    kept.unwrap_or(0.0)
}

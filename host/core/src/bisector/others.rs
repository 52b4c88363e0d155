//! Other bugs that the trials came upon, and where they were seen.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use super::Bisector;
use crate::commit::CommitId;
use crate::graph::Node;
use crate::policy::Outcome;

/// A crash that came once may be anything; one that came again is a bug of its own.
const AGAIN: u32 = 2;
/// A commit is free of a bug if one that has it would look like this with no more than this chance.
const BY_CHANCE: f64 = 0.05;

/// A crash that is rather not the target and came more than once.
#[derive(Debug, Clone, PartialEq)]
pub struct OtherBug {
    /// The crash's look.
    pub look: u32,
    /// The commits that showed it, oldest first.
    pub seen: Vec<Shown>,
    /// Trials that ended clean or with a crash, at all tested commits that lie between two that showed it: where it was possible.
    pub trials: u32,
    /// Of these, trials that ended with the target: it may have come first.
    pub hidden: u32,
    /// The newest tested commit before the first that showed it where it would have shown, were it there. None: no such commit
    /// has had trials enough.
    pub free: Option<Shown>,
    /// The oldest tested commit before the first that showed it, if it has not shown it: where it most likely is not.
    pub oldest: Option<Shown>,
}

/// What the trials at one commit showed of a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The commit.
    pub commit: CommitId,
    /// Trials that ended with it.
    pub crashes: u32,
    /// Trials that ended clean or with any crash.
    pub trials: u32,
}

impl OtherBug {
    /// Trials that showed it.
    pub fn crashes(&self) -> u32 {
        self.seen.iter().map(|shown| shown.crashes).sum()
    }
}

/// The trials of one commit that said something, by what they ended with.
#[derive(Debug, Default)]
struct Ended {
    valid: u32,
    target: u32,
    /// Crashes that are rather not the target, by look.
    other: BTreeMap<u32, u32>,
}

impl Bisector {
    /// The other bugs that came more than once, the most frequent first.
    pub fn other_bugs(&self) -> Vec<OtherBug> {
        let mut tested: BTreeMap<Node, Ended> = BTreeMap::new();
        for evidence in self.recorded.trials() {
            let (Some(node), outcome) = (self.graph.node(&evidence.commit), &evidence.trial.outcome) else {
                continue;
            };
            if matches!(outcome, Outcome::Void(_)) {
                continue;
            }
            let ended = tested.entry(node).or_default();
            ended.valid += 1;
            match outcome {
                Outcome::Crashed(sighting) if sighting.is_target() => ended.target += 1,
                Outcome::Crashed(sighting) => *ended.other.entry(sighting.look).or_default() += 1,
                Outcome::Clean | Outcome::Void(_) => {}
            }
        }
        let mut looks: Vec<u32> = tested.values().flat_map(|ended| ended.other.keys().copied()).collect();
        looks.sort_unstable();
        looks.dedup();
        let mut others: Vec<OtherBug> = looks.into_iter().filter_map(|look| self.other_bug(look, &tested)).collect();
        others.sort_by_key(|other| std::cmp::Reverse(other.crashes()));
        others
    }

    fn other_bug(&self, look: u32, tested: &BTreeMap<Node, Ended>) -> Option<OtherBug> {
        let crashes = |ended: &Ended| ended.other.get(&look).copied().unwrap_or(0);
        let shown =
            |node: Node, ended: &Ended| Shown { commit: self.graph.id(node), crashes: crashes(ended), trials: ended.valid };
        // Nodes are in the graph's order, parents first.
        let nodes: Vec<Node> = tested.iter().filter(|(_, ended)| crashes(ended) > 0).map(|(&node, _)| node).collect();
        let seen: Vec<Shown> = nodes.iter().map(|node| shown(*node, &tested[node])).collect();
        let all: u32 = seen.iter().map(|shown| shown.crashes).sum();
        if all < AGAIN {
            return None;
        }
        let (newer, older) = (self.graph.descendants(&nodes), self.graph.ancestors(&nodes));
        let between = |node: Node| newer.contains(node) && older.contains(node);
        let possible: Vec<&Ended> = tested.iter().filter(|&(&node, _)| between(node)).map(|(_, ended)| ended).collect();
        let trials: u32 = possible.iter().map(|ended| ended.valid).sum();
        let miss = 1.0 - f64::from(all) / f64::from(trials);
        let first = nodes[0];
        let before = self.graph.ancestors(&[first]);
        let without = || tested.iter().filter(|&(&node, ended)| crashes(ended) == 0 && before.contains(node));
        let free = without()
            .rev()
            .find(|(_, ended)| miss.powi(i32::try_from(ended.valid).unwrap_or(i32::MAX)) <= BY_CHANCE)
            .map(|(&node, ended)| shown(node, ended));
        let oldest = without().next().map(|(&node, ended)| shown(node, ended));
        let hidden = possible.iter().map(|ended| ended.target).sum();
        Some(OtherBug { look, seen, trials, hidden, free, oldest })
    }
}

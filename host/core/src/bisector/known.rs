//! What is known of each commit, gathered from the evidence.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;

use super::course::Course;
use super::evidence::Recorded;
use super::evidence::Tally;
use crate::graph::Graph;
use crate::graph::Node;
use crate::policy::Verdict;

/// So many voids of one stage without a valid trial, and the commit cannot be tested, whatever the policy still hopes.
const VOIDS_OF_ONE_STAGE: u32 = 3;
/// The same for voids of changing stages.
const VOIDS: u32 = 8;
/// No commit is worth more trials than this.
pub(super) const TRIALS: u32 = 400;

/// What is known, by commit. Commits that the graph does not hold are left out.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// The commit tested first in front.
    tallies: Vec<(Node, Tally)>,
    places: HashMap<Node, usize>,
    verdicts: HashMap<Node, Verdict>,
    /// Verdicts that are taken for granted.
    assumed: BTreeMap<Node, Verdict>,
    /// The commits with a kernel, and the number of the last one built, where it is known: equal kernels have one.
    built: HashMap<Node, Option<usize>>,
    /// The commits without a kernel: their builds failed.
    unbuildable: HashSet<Node>,
    /// Where the reproducer does not get to the crash: clean trials do not say that the bug is not there.
    not_exercised: HashSet<Node>,
    /// One trial decides.
    single: bool,
    /// How soon the target shows.
    pub(super) course: Course,
}

impl Known {
    pub(super) fn new(graph: &Graph, recorded: &Recorded, single: bool) -> Self {
        let course = recorded.course();
        let tallies: Vec<(Node, Tally)> =
            recorded.tallies(&course).into_iter().filter_map(|tally| Some((graph.node(&tally.commit)?, tally))).collect();
        let places = tallies.iter().enumerate().map(|(place, &(node, _))| (node, place)).collect();
        let verdicts = recorded.verdicts().filter_map(|(commit, verdict)| Some((graph.node(&commit)?, verdict))).collect();
        let assumed = recorded.assumed().filter_map(|one| Some((graph.node(&one.commit)?, one.verdict.clone()))).collect();
        let mut numbers = HashMap::new();
        let mut built = HashMap::new();
        for kernel in recorded.built() {
            if let Some(node) = graph.node(&kernel.commit) {
                let next = numbers.len();
                built.insert(node, kernel.digest.as_ref().map(|digest| *numbers.entry(digest).or_insert(next)));
            }
        }
        let unbuildable = recorded.unbuildable().filter_map(|commit| graph.node(commit));
        let unbuildable = unbuildable.filter(|node| !built.contains_key(node)).collect();
        let not_exercised = recorded.not_exercised().filter_map(|commit| graph.node(commit)).collect();
        Self { tallies, places, verdicts, assumed, built, unbuildable, not_exercised, single, course }
    }

    pub(super) fn tallies(&self) -> &[(Node, Tally)] {
        &self.tallies
    }

    /// The commits of which something is known.
    pub(super) fn nodes(&self) -> impl Iterator<Item = Node> + '_ {
        let judged = self.verdicts.keys().chain(self.assumed.keys()).chain(&self.unbuildable).copied();
        self.tallies.iter().map(|&(node, _)| node).chain(judged)
    }

    pub(super) fn tally(&self, node: Node) -> Option<&Tally> {
        self.places.get(&node).map(|&place| &self.tallies[place].1)
    }

    /// The verdict that is assumed of the commit.
    pub(super) fn assumed(&self, node: Node) -> Option<&Verdict> {
        self.assumed.get(&node)
    }

    /// All verdicts that are assumed, in the graph's order.
    pub(super) fn all_assumed(&self) -> impl Iterator<Item = (Node, &Verdict)> {
        self.assumed.iter().map(|(&node, verdict)| (node, verdict))
    }

    /// The verdict that stands: the assumed one, else the policy's, or with single trials what the one trial says. A commit that
    /// cannot be tested is skipped also while the policy still hopes.
    pub(super) fn verdict(&self, node: Node) -> Option<Verdict> {
        if let Some(verdict) = self.assumed(node) {
            return Some(verdict.clone());
        }
        if self.single {
            return single_verdict(self.tally(node)?);
        }
        self.verdicts.get(&node).cloned().or_else(|| given_up(self.tally(node)?))
    }

    /// Whether the commit has a kernel.
    pub(super) fn is_built(&self, node: Node) -> bool {
        self.built.contains_key(&node)
    }

    /// The commits with a kernel.
    pub(super) fn built(&self) -> impl Iterator<Item = Node> + '_ {
        self.built.keys().copied()
    }

    /// The commits whose builds failed.
    pub(super) fn unbuildable(&self) -> &HashSet<Node> {
        &self.unbuildable
    }

    /// The number of the commit's kernel, if it is known: equal kernels have one.
    pub(super) fn kernel(&self, node: Node) -> Option<usize> {
        self.built.get(&node).copied().flatten()
    }

    /// Whether clean trials at the commit do not say that the bug is not there.
    pub(super) fn is_not_exercised(&self, node: Node) -> bool {
        self.not_exercised.contains(&node)
    }

    /// Trials recorded at the commit.
    pub(super) fn trials(&self, node: Node) -> u32 {
        self.tally(node).map_or(0, Tally::trials)
    }

    /// Trials at the commit that ended clean or with a crash.
    pub(super) fn valid(&self, node: Node) -> u32 {
        self.tally(node).map_or(0, Tally::valid)
    }
}

fn single_verdict(tally: &Tally) -> Option<Verdict> {
    if tally.hits > 0 {
        Some(Verdict::Bad)
    } else if tally.clean > 0 {
        Some(Verdict::Good)
    } else if tally.other + tally.own_voids() > 0 {
        Some(Verdict::Skip("its trial said nothing".to_owned()))
    } else {
        None
    }
}

fn given_up(tally: &Tally) -> Option<Verdict> {
    if tally.trials() >= TRIALS {
        return Some(Verdict::Skip(format!("{TRIALS} trials have not settled it")));
    }
    if tally.valid() > 0 {
        return None;
    }
    let (stage, voids) = tally.commonest_void()?;
    let too_many = voids >= VOIDS_OF_ONE_STAGE || tally.own_voids() >= VOIDS;
    too_many.then(|| Verdict::Skip(format!("every trial was void, most at stage {stage:?}")))
}

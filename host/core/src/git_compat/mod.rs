//! `git bisect`'s own choice, bit for bit: which commit it hands out next, what it says about it, and how it ends.
//!
//! Owns git's rules: the merge bases that must be tested, the order of the list, the weights, the shortcut at halfway, the walk
//! away from skipped commits. Owns no history, no verdicts and no words: callers bring the [`Graph`] and the marks, and print.
//! Path arguments are not supported, so that every commit counts, and git's "no testable commit" cannot happen.
//!
//! One thing git does is left out: it stops its walk of history a few commits after everything left is known to be good
//! (its `SLOP`), so where committer clocks went back a long way it may take some good commits for candidates.

mod choose;
mod merge_base;
mod order;
mod weigh;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;

pub(crate) use choose::Between;

use crate::graph::Graph;
use crate::graph::Node;
use crate::graph::NodeSet;

/// Whose shortcut to take: the rule changed once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// git up to 2.29: the search for a midpoint ends early only at an exact half.
    V2_29,
    /// git 2.30 and later: within a thousandth of all candidates is near enough (seen from 3,072 candidates on).
    V2_30,
}

/// How git was told to bisect, and what it has found out before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Which git.
    pub version: Version,
    /// `--first-parent`: follow only the first parent of merges between good and bad.
    pub first_parent: bool,
    /// Merge bases were already looked at in this session and need no second look (git's `BISECT_ANCESTORS_OK`). Git forgets it
    /// when a commit is marked that it did not hand out.
    pub ancestors_ok: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { version: Version::V2_30, first_parent: false, ancestors_ok: false }
    }
}

/// What git does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Test this commit: `Bisecting: … revisions left to test after this (roughly … steps)`.
    Test {
        /// The commit.
        commit: Node,
        /// Revisions left after this test as git counts them (with skips: for the commit it would have liked best).
        left: usize,
        /// Git's estimate of further steps.
        steps: u32,
    },
    /// Some good commit does not descend into the bad one: `Bisecting: a merge base must be tested`, and it is this one.
    TestMergeBase(Node),
    /// The first bad commit.
    FirstBad(Node),
    /// Only skipped commits separate good from bad.
    OnlySkipped {
        /// The commits that git names, in its order, the bad one at the place where git prints it.
        could_be: Vec<Node>,
        /// All commits between good and bad, as the log names them: newest first, bad included.
        possible: Vec<Node>,
    },
    /// The bad commit is itself a merge base of bad and good: either it was handed out as one (the bug was fixed between it and
    /// the good commits), or good and bad were mixed up.
    MergeBaseBad,
    /// A good commit contains the bad one: nothing is left between them.
    GoodAndBad,
}

/// What git does next, and what it warns of on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it does.
    pub next: Next,
    /// Merge bases that ought to be tested but are marked skip, in git's order: git warns of each and goes on.
    pub skipped_merge_bases: Vec<Node>,
}

/// What git does when these marks are given.
///
/// The order of `good` and `skipped` and repeated commits in them do not matter, as they are refs to git. With no good commit
/// all ancestors of `bad` are candidates. The time is O(graph), and where there are merges between good and bad it grows with the square
/// of their number.
pub fn next(graph: &Graph, bad: Node, good: &[Node], skipped: &[Node], options: Options) -> Step {
    let good = as_refs(graph, good);
    let skipped = graph.set(skipped);
    let mut skipped_merge_bases = Vec::new();
    if !options.ancestors_ok {
        let check = merge_base::check(graph, bad, &good, &skipped);
        skipped_merge_bases = check.skipped;
        if let Some(next) = check.stop {
            return Step { next, skipped_merge_bases };
        }
    }
    let next = Between::new(graph, bad, &good, options).next(graph, &skipped);
    Step { next, skipped_merge_bases }
}

/// A mark on a commit, in git's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mark {
    /// `git bisect good`.
    Good,
    /// `git bisect bad`.
    Bad,
    /// `git bisect skip`.
    Skip,
}

/// The steps of one graph's session, kept because a step in a long history takes long: what was gone through before costs nothing.
#[derive(Debug, Default)]
pub struct Steps(Vec<(Marks, Step)>);

/// What [`next`] was given.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Marks {
    bad: Node,
    good: Vec<Node>,
    skipped: Vec<Node>,
    options: Options,
}

impl Steps {
    /// Goes through a session from its start, marking every commit that git hands out as `mark` says, until a commit has no mark or
    /// the session ends.
    ///
    /// This makes the state of a session a function of a *set* of marks: the order in which they became known does not matter, and
    /// marks on commits that git would not hand out are not used. `options.ancestors_ok` holds for the start; afterwards it is kept
    /// as git keeps it. Takes one [`next`] for each step that was not kept. The graph is the same in all calls.
    pub fn replay(
        &mut self,
        graph: &Graph,
        bad: Node,
        good: &[Node],
        options: Options,
        mut mark: impl FnMut(Node) -> Option<Mark>,
    ) -> Step {
        let mut marks = Marks { bad, good: good.to_vec(), skipped: Vec::new(), options };
        let mut place = 0;
        loop {
            if self.0.get(place).is_none_or(|(earlier, _)| *earlier != marks) {
                self.0.truncate(place);
                let step = next(graph, marks.bad, &marks.good, &marks.skipped, marks.options);
                self.0.push((marks.clone(), step));
            }
            let step = &self.0[place].1;
            let commit = match step.next {
                Next::Test { commit, .. } => {
                    marks.options.ancestors_ok = true;
                    commit
                }
                Next::TestMergeBase(commit) => commit,
                _ => return step.clone(),
            };
            match mark(commit) {
                Some(Mark::Good) => marks.good.push(commit),
                Some(Mark::Bad) => marks.bad = commit,
                Some(Mark::Skip) => marks.skipped.push(commit),
                None => return step.clone(),
            }
            place += 1;
        }
    }
}

/// Git's list of the commits that `bad` contains and that are not in `outside`: the order that decides between equals.
pub(crate) fn list_order(graph: &Graph, bad: Node, outside: &NodeSet) -> Vec<Node> {
    order::candidates(graph, bad, outside, false)
}

/// The commits as git's refs list them: by id, each once.
fn as_refs(graph: &Graph, commits: &[Node]) -> Vec<Node> {
    let mut refs = commits.to_vec();
    refs.sort_unstable_by_key(|&node| graph.id(node));
    refs.dedup();
    refs
}

/// Git's estimate of the steps that `all` candidates take, the test of the commit handed out not counted.
pub fn steps(all: usize) -> u32 {
    if all < 3 {
        return 0;
    }
    let log = all.ilog2();
    let power = 1 << log;
    if power < 3 * (all - power) { log } else { log - 1 }
}

//! Histories to search: lines, made-up merge histories, and real ones. Owns their shape and their two ends.

use std::collections::HashSet;
use std::str::FromStr;
use std::sync::Arc;

use super::dice::Dice;
use crate::commit::CommitId;
use crate::graph::Commit;
use crate::graph::Graph;
use crate::graph::Node;

/// The most commits that a made-up history may have.
pub const MOST: usize = 2_000_000;

/// A commit graph with the two ends that a search is given.
#[derive(Debug, Clone)]
pub struct History {
    /// The commits.
    pub graph: Arc<Graph>,
    /// Where the crash was seen.
    pub start: Node,
    /// The commit that is said to be good.
    pub good: Node,
    /// What lies between the ends, parents first; the start commit is the last.
    pub range: Vec<Node>,
    /// The part of [`Self::range`] that lies on the first-parent line, oldest first.
    pub mainline: Vec<Node>,
}

/// Why there is no such history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadHistory {
    /// Not a number of commits that can be.
    #[error("a history of {0} commits cannot be searched: give 1 to {MOST}")]
    Size(usize),
    /// A line of a graph that is none.
    #[error("line {line}: {why}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// The named commit is not there.
    #[error("the graph holds no commit `{0}`")]
    NoCommit(String),
    /// Commits that are their own ancestors.
    #[error("the graph holds a cycle")]
    Cycle,
    /// A graph without commits.
    #[error("the graph holds no commit")]
    Empty,
}

/// How a history with merges is made: measured on a real one.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// The share of merges on the first-parent line.
    pub merges: f64,
    /// Branches as they were merged: how many commits, and how many commits of the first-parent line came in meanwhile.
    pub branches: Vec<(u32, u32)>,
}

/// The shape of git's own history (81,966 commits up to 2026-08): 64 % of the first-parent line are merges. 32 of the 15,432 branches,
/// at equal steps of their length.
const OF_GIT: [(u32, u32); 32] = [
    (1, 3),
    (1, 24),
    (1, 38),
    (1, 50),
    (1, 65),
    (1, 68),
    (1, 93),
    (1, 114),
    (1, 150),
    (1, 188),
    (1, 209),
    (1, 252),
    (1, 341),
    (1, 428),
    (1, 733),
    (1, 884),
    (2, 4),
    (2, 49),
    (2, 69),
    (2, 226),
    (2, 836),
    (3, 27),
    (3, 82),
    (3, 297),
    (4, 93),
    (4, 358),
    (5, 2),
    (6, 152),
    (7, 80),
    (9, 60),
    (12, 142),
    (21, 219),
];

impl Default for Shape {
    fn default() -> Self {
        Self { merges: 0.64, branches: OF_GIT.to_vec() }
    }
}

impl Shape {
    /// Measures a real history along the first-parent line of `tip`. A line without merges has no branches.
    pub fn of(graph: &Graph, tip: Node) -> Self {
        let line = mainline(graph, tip);
        let mut place = vec![None; graph.len()];
        for (number, &node) in line.iter().enumerate() {
            place[node.0 as usize] = Some(number);
        }
        let mut seen = graph.set(&line);
        let (mut merges, mut branches) = (0, Vec::new());
        for (number, &node) in line.iter().enumerate() {
            let parents = graph.parents(node);
            merges += usize::from(parents.len() > 1);
            for &parent in parents.iter().skip(1) {
                let (mut at, mut length) = (parent, 0);
                while seen.insert(at) {
                    length += 1;
                    match graph.parents(at).first() {
                        Some(&next) => at = next,
                        None => break,
                    }
                }
                while place[at.0 as usize].is_none() {
                    match graph.parents(at).first() {
                        Some(&next) => at = next,
                        None => break,
                    }
                }
                if let (1.., Some(fork)) = (length, place[at.0 as usize]) {
                    branches.push((length, (number - fork) as u32));
                }
            }
        }
        Self { merges: if branches.is_empty() { 0.0 } else { merges as f64 / line.len() as f64 }, branches }
    }
}

impl History {
    /// A line of so many commits, and a good one before them.
    ///
    /// # Errors
    ///
    /// If there are none or too many.
    pub fn linear(commits: usize) -> Result<Self, BadHistory> {
        check(commits)?;
        Ok(Self::made((0..=commits).map(|number| if number == 0 { Vec::new() } else { vec![number - 1] })))
    }

    /// A history with about so many commits and merges as in the given shape, and a good commit before them.
    ///
    /// # Errors
    ///
    /// If there are none or too many.
    pub fn dag(commits: usize, shape: &Shape, dice: &mut Dice) -> Result<Self, BadHistory> {
        check(commits)?;
        let mut parents: Vec<Vec<usize>> = vec![Vec::new()];
        let mut line = vec![0];
        while parents.len() <= commits {
            let tip = line[line.len() - 1];
            let (length, back) = match shape.branches.len() {
                0 => (0, 0),
                _ if !dice.chance(shape.merges) => (0, 0),
                count => shape.branches[dice.below(count)],
            };
            // The last commit is the start commit, which is on the first-parent line.
            let room = commits - parents.len();
            let mut merged = vec![tip];
            if length > 0 && room > 0 {
                let mut branch = line[line.len().saturating_sub(1 + back as usize)];
                for _ in 0..(length as usize).min(room) {
                    parents.push(vec![branch]);
                    branch = parents.len() - 1;
                }
                merged.push(branch);
            }
            parents.push(merged);
            line.push(parents.len() - 1);
        }
        Ok(Self::made(parents))
    }

    /// The commits up to `tip` (default: the first of the text); of these as many as come next to `range`, where that is given.
    ///
    /// The text has one line a commit: its id (up to 40 hexadecimal digits), its committer time, its parents. Parents that have no line
    /// are left out. With no `range`, the good end is a made-up parent of all roots.
    ///
    /// # Errors
    ///
    /// If a line cannot be read, or the commit is not there.
    pub fn from_text(text: &str, tip: Option<&str>, range: Option<usize>) -> Result<Self, BadHistory> {
        let mut commits = parse(text)?;
        let first = commits.first().ok_or(BadHistory::Empty)?.id;
        let told: HashSet<CommitId> = commits.iter().map(|commit| commit.id).collect();
        for commit in &mut commits {
            commit.parents.retain(|parent| told.contains(parent));
            if commit.parents.is_empty() {
                commit.parents.push(BEFORE_ALL);
            }
        }
        let end = match tip {
            Some(name) => padded(name).filter(|id| told.contains(id)).ok_or_else(|| BadHistory::NoCommit(name.to_owned()))?,
            None => first,
        };
        commits.push(Commit { id: BEFORE_ALL, time: 0, parents: Vec::new() });
        let graph = Arc::new(Graph::acyclic(commits).ok_or(BadHistory::Cycle)?);
        let start = graph.node(&end).expect("the commit was just put in");
        let line = mainline(&graph, start);
        let length = |&good: &Node| graph.range(start, &[good]).len();
        let good = match range {
            None => 0,
            Some(0) => return Err(BadHistory::Size(0)),
            // Older good ends leave longer ranges.
            Some(wanted) => {
                let long = line.partition_point(|good| length(good) >= wanted).max(1);
                if long < line.len() - 1 && length(&line[long]).abs_diff(wanted) < length(&line[long - 1]).abs_diff(wanted) {
                    long
                } else {
                    long - 1
                }
            }
        };
        let good = line[good.min(line.len().saturating_sub(2))];
        Ok(Self::between(graph, good, start))
    }

    fn made(parents: impl IntoIterator<Item = Vec<usize>>) -> Self {
        let commits = parents.into_iter().enumerate().map(|(number, parents)| Commit {
            id: id(number),
            time: number as i64,
            parents: parents.into_iter().map(id).collect(),
        });
        let commits: Vec<Commit> = commits.collect();
        let (good, start) = (commits[0].id, commits[commits.len() - 1].id);
        let graph = Arc::new(Graph::new(commits));
        let node = |id: &CommitId| graph.node(id).expect("the commit was just put in");
        let (good, start) = (node(&good), node(&start));
        Self::between(graph, good, start)
    }

    fn between(graph: Arc<Graph>, good: Node, start: Node) -> Self {
        let range = graph.range(start, &[good]);
        let inside = graph.set(&range);
        let mainline = mainline(&graph, start).into_iter().filter(|&node| inside.contains(node)).collect();
        Self { graph, start, good, range, mainline }
    }
}

/// The made-up commit before all roots.
const BEFORE_ALL: CommitId = CommitId::from_bytes([0xFF; 20]);

fn check(commits: usize) -> Result<(), BadHistory> {
    if (1..=MOST).contains(&commits) { Ok(()) } else { Err(BadHistory::Size(commits)) }
}

/// The commit and its first parents, oldest first.
fn mainline(graph: &Graph, tip: Node) -> Vec<Node> {
    let mut line: Vec<Node> = std::iter::successors(Some(tip), |&node| graph.parents(node).first().copied()).collect();
    line.reverse();
    line
}

/// An id made of a number, so that order by id differs from order by number.
fn id(number: usize) -> CommitId {
    let mut bytes = [0; 20];
    bytes[..8].copy_from_slice(&Dice::new(number as u64).word().to_be_bytes());
    bytes[12..].copy_from_slice(&(number as u64).to_be_bytes());
    CommitId::from_bytes(bytes)
}

fn parse(text: &str) -> Result<Vec<Commit>, BadHistory> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(number, line)| commit(line).map_err(|why| BadHistory::Line { line: number + 1, why })).collect()
}

fn commit(line: &str) -> Result<Commit, String> {
    let mut words = line.split_whitespace();
    let hex = |word: Option<&str>| {
        let word = word.ok_or("no commit id")?;
        padded(word).ok_or_else(|| format!("`{}` is not up to 40 hexadecimal digits", shown(word)))
    };
    let id = hex(words.next())?;
    let time = words.next().ok_or("no committer time behind the id")?;
    let time = i64::from_str(time).map_err(|_| format!("`{}` is no time in seconds", shown(time)))?;
    let mut parents = Vec::new();
    for word in words {
        let parent = hex(Some(word))?;
        if parent == id {
            return Err("the commit is its own parent".to_owned());
        }
        parents.push(parent);
    }
    Ok(Commit { id, time, parents })
}

/// The beginning of a text of any length.
fn shown(word: &str) -> String {
    word.chars().take(50).collect()
}

/// An id whose missing digits are 0.
fn padded(digits: &str) -> Option<CommitId> {
    if digits.is_empty() || digits.len() > 40 { None } else { format!("{digits:0<40}").parse().ok() }
}

//! The ends of the history in question, and whether they make sense. Owns no search.

use std::collections::HashSet;

use serde::Deserialize;
use serde::Serialize;

use crate::commit::CommitId;
use crate::graph::Graph;
use crate::graph::Node;

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The first bad commit.
    Cause,
    /// The first commit after which it no longer crashes.
    Fix,
}

/// A release on the walk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Its tag, such as `v6.5`.
    pub name: String,
    /// The tagged commit.
    pub commit: CommitId,
}

/// The ends of the history in question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ends {
    /// What is looked for.
    pub kind: Kind,
    /// Where the crash was seen.
    pub start: CommitId,
    /// Commits the user calls good. Cause: older than the start commit. Fix: the one later commit that is fixed.
    pub good: Vec<CommitId>,
    /// Cause only: the releases to walk, newest first, when no good commit is stated or the stated ones turn out bad.
    pub releases: Vec<Release>,
}

/// Why a search between these ends cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadEnds {
    /// The graph does not hold this commit.
    #[error("commit {0} is not in the history at hand")]
    UnknownCommit(CommitId),
    /// Cause: neither a good commit nor a release before the start commit.
    #[error("there is neither a good commit nor a release before {0}")]
    NoGoodEnd(CommitId),
    /// Fix: not exactly one later commit.
    #[error("a search for a fix needs one later commit that is fixed, not {0}")]
    NotOneFixed(usize),
    /// One commit is called both.
    #[error("commit {0} is called both good and bad")]
    GoodIsBad(CommitId),
    /// The good commit contains the bad one (cause), or the other way round (fix).
    #[error("commit {newer} contains {older}, so that nothing lies between them in the order asked for")]
    WrongOrder {
        /// The one that contains the other.
        newer: CommitId,
        /// The one contained.
        older: CommitId,
    },
    /// No commit is an ancestor of both.
    #[error("commits {0} and {1} have no common ancestor")]
    Unrelated(CommitId, CommitId),
    /// A release to walk is no ancestor of the start commit.
    #[error("release {name} is no ancestor of {start}")]
    ReleaseNotOlder {
        /// The release's tag.
        name: String,
        /// The start commit.
        start: CommitId,
    },
}

/// Ends whose commits were found in the graph and that leave something to search.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub(super) kind: Kind,
    pub(super) start: Node,
    pub(super) good: Vec<Node>,
    /// Newest first, as given, each commit once.
    pub(super) releases: Vec<Node>,
}

impl Places {
    pub(super) fn new(graph: &Graph, ends: &Ends) -> Result<Self, BadEnds> {
        let place = |id: &CommitId| graph.node(id).ok_or(BadEnds::UnknownCommit(*id));
        let start = place(&ends.start)?;
        let mut good = Vec::new();
        for id in &ends.good {
            let node = place(id)?;
            if !good.contains(&node) {
                good.push(node);
            }
        }
        if ends.kind == Kind::Fix && good.len() != 1 {
            return Err(BadEnds::NotOneFixed(good.len()));
        }
        let older = graph.ancestors(&[start]);
        for &node in &good {
            check_order(graph, ends.kind, start, node, older.contains(node))?;
        }
        let mut seen = HashSet::new();
        let mut releases = Vec::new();
        if ends.kind == Kind::Cause {
            for release in &ends.releases {
                let node = place(&release.commit)?;
                if !older.contains(node) || node == start {
                    return Err(BadEnds::ReleaseNotOlder { name: release.name.clone(), start: ends.start });
                }
                if seen.insert(node) {
                    releases.push(node);
                }
            }
        }
        if good.is_empty() && releases.is_empty() {
            return Err(BadEnds::NoGoodEnd(ends.start));
        }
        Ok(Self { kind: ends.kind, start, good, releases })
    }
}

fn check_order(graph: &Graph, kind: Kind, start: Node, good: Node, good_is_older: bool) -> Result<(), BadEnds> {
    let (start_id, good_id) = (graph.id(start), graph.id(good));
    if good == start {
        return Err(BadEnds::GoodIsBad(start_id));
    }
    match kind {
        Kind::Cause if !good_is_older && graph.is_ancestor(start, good) => {
            return Err(BadEnds::WrongOrder { newer: good_id, older: start_id });
        }
        Kind::Fix if good_is_older => return Err(BadEnds::WrongOrder { newer: start_id, older: good_id }),
        _ => {}
    }
    if graph.merge_bases(start, &[good]).is_empty() {
        return Err(BadEnds::Unrelated(start_id, good_id));
    }
    Ok(())
}

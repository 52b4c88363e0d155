//! A log's history as far as the log tells it: a line of tested commits, and how many lie between them.
//!
//! `git bisect` tells with each step how many commits are left if it is marked good; what is left of the range after each mark
//! follows from that. Side branches are not seen: their commits lie on the line where git's marks put them.

use kbisect_core::bisector::Ends;
use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Release;
use kbisect_core::commit::CommitId;
use kbisect_core::graph::Commit;
use kbisect_core::graph::Graph;

use super::Found;
use super::Item;
use super::Log;
use super::Place;
use super::Tested;
use crate::gitlog::Mark;

/// About how many commits lie between two releases of Linux.
const BETWEEN_RELEASES: u64 = 14_000;

/// A place on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    /// A commit that the log names.
    Commit(CommitId),
    /// Others, this many.
    Gap {
        /// How many.
        commits: u64,
        /// Whether that follows from the log, or is a guess.
        exact: bool,
    },
}

/// A line of commits, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    spots: Vec<Spot>,
}

/// What verdicts leave on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// One commit.
    One(CommitId),
    /// Several.
    Several {
        /// How many, or about so many.
        commits: u64,
        /// Whether the number is no guess.
        exact: bool,
        /// The newest commit without the change and the oldest with it.
        between: (CommitId, CommitId),
    },
    /// A commit with the change is older than one without it.
    Contradiction {
        /// The older one, with it.
        with: CommitId,
        /// The newer one, without it.
        without: CommitId,
    },
    /// No verdict says where the change begins, or none says where it ends.
    Open,
}

/// A step of `git bisect`.
struct Step {
    commit: CommitId,
    /// Commits left to test if it is marked good.
    left: u64,
    mark: Mark,
}

impl Line {
    /// The line of a log; `commits` are those that it tested.
    pub fn of(log: &Log, commits: &[Tested]) -> Self {
        let mut spots = walk(log.kind, commits);
        let Some((bad, good)) = range(log, commits) else { return Self { spots } };
        let place = |commit| spots.iter().position(|spot| *spot == Spot::Commit(commit));
        if let (Some(from), Some(to)) = (place(good), place(bad))
            && from < to
        {
            let between = searched(log);
            spots.splice(from + 1..to, between);
        }
        Self { spots }
    }

    /// The places, the oldest first.
    pub fn spots(&self) -> &[Spot] {
        &self.spots
    }

    /// The line as a history.
    pub fn graph(&self) -> Graph {
        Graph::new(self.commits())
    }

    /// The line's commits, the oldest first; those without a name have ids that no commit has.
    pub fn commits(&self) -> Vec<Commit> {
        let mut commits: Vec<Commit> = Vec::new();
        let mut add = |id| {
            let parents = commits.last().map(|parent: &Commit| parent.id).into_iter().collect();
            commits.push(Commit { id, time: commits.len() as i64, parents });
        };
        let mut number = 0_u64;
        for spot in &self.spots {
            match spot {
                Spot::Commit(commit) => add(*commit),
                Spot::Gap { commits, .. } => {
                    for _ in 0..*commits {
                        number += 1;
                        add(nameless(number));
                    }
                }
            }
        }
        commits
    }

    /// The ends of the search on the line.
    pub fn ends(&self, log: &Log, commits: &[Tested]) -> Ends {
        let on_line = |commit: CommitId| self.spots.contains(&Spot::Commit(commit));
        let start = commits.first().map_or(log.start, |first| first.commit);
        let mut ends = Ends { kind: log.kind, start, good: Vec::new(), releases: Vec::new() };
        for test in commits.iter().filter(|test| on_line(test.commit) && test.commit != start) {
            match &test.place {
                Place::Release(name) => ends.releases.push(Release { name: name.clone(), commit: test.commit }),
                Place::Head => ends.good.push(test.commit),
                _ => {}
            }
        }
        ends
    }

    /// What these verdicts, in git's words, leave.
    pub fn left(&self, mark: impl Fn(&CommitId) -> Option<Mark>) -> Left {
        let marked = |wanted| {
            let mark = &mark;
            move |spot: &Spot| matches!(spot, Spot::Commit(commit) if mark(commit) == Some(wanted))
        };
        let (Some(good), Some(bad)) =
            (self.spots.iter().rposition(marked(Mark::Good)), self.spots.iter().position(marked(Mark::Bad)))
        else {
            return Left::Open;
        };
        let (Spot::Commit(without), Spot::Commit(with)) = (self.spots[good], self.spots[bad]) else {
            return Left::Open;
        };
        if bad < good {
            return Left::Contradiction { with, without };
        }
        let (mut count, mut all_exact) = (1, true);
        for spot in &self.spots[good + 1..bad] {
            match spot {
                Spot::Commit(_) => count += 1,
                Spot::Gap { commits, exact } => {
                    count += commits;
                    all_exact &= exact;
                }
            }
        }
        if count == 1 && all_exact {
            return Left::One(with);
        }
        Left::Several { commits: count, exact: all_exact, between: (without, with) }
    }
}

/// An id that no commit has.
fn nameless(number: u64) -> CommitId {
    let mut bytes = [0xff; 20];
    bytes[12..].copy_from_slice(&number.to_be_bytes());
    CommitId::from_bytes(bytes)
}

/// The commits outside of the search: start commit and releases, or start commit and HEAD.
fn walk(kind: Kind, commits: &[Tested]) -> Vec<Spot> {
    let mut ends: Vec<CommitId> = Vec::new();
    for test in commits.iter().filter(|test| matches!(test.place, Place::Start | Place::Release(_) | Place::Head)) {
        if !ends.contains(&test.commit) {
            ends.push(test.commit);
        }
    }
    // A walk to older releases begins at the newest commit, that to HEAD at the oldest.
    if kind == Kind::Cause {
        ends.reverse();
    }
    let mut spots = Vec::new();
    for end in ends {
        if !spots.is_empty() {
            spots.push(Spot::Gap { commits: BETWEEN_RELEASES, exact: false });
        }
        spots.push(Spot::Commit(end));
    }
    spots
}

/// What `git bisect start` was told: the bad end and the good one.
fn range(log: &Log, commits: &[Tested]) -> Option<(CommitId, CommitId)> {
    let named = |end: &String| {
        let release = |test: &&Tested| test.place == Place::Release(end.clone());
        end.parse().ok().or_else(|| commits.iter().find(release).map(|test| test.commit))
    };
    log.items.iter().find_map(|item| match item {
        Item::BisectStart { bad, good } => Some((named(bad)?, named(good)?)),
        _ => None,
    })
}

/// What lies between the ends, the oldest first.
fn searched(log: &Log) -> Vec<Spot> {
    let steps = steps(log);
    // From the good end upwards, and from the bad end downwards.
    let (mut below, mut above) = (Vec::new(), Vec::new());
    // Commits in question, the newest included; a good mark tells how many are left.
    let mut all: Option<u64> = None;
    let mut newest = None;
    for step in &steps {
        let older = all.map(|all| all.saturating_sub(step.left + 2));
        let newer = Spot::Gap { commits: step.left, exact: true };
        match step.mark {
            Mark::Bad => {
                above.extend([newer, Spot::Commit(step.commit)]);
                newest = Some(step.commit);
                all = older.map(|older| older + 1);
            }
            Mark::Good => {
                // Git halves what is in question.
                below.push(Spot::Gap { commits: older.unwrap_or(step.left), exact: older.is_some() });
                below.push(Spot::Commit(step.commit));
                all = Some(step.left + 1);
            }
            // It may be anywhere.
            Mark::Skip => {}
        }
    }
    match log.answer().found {
        // No more is in question, whatever the counts say.
        Found::One { .. } => {}
        Found::Several(set) => {
            let known: Vec<CommitId> = steps.iter().map(|step| step.commit).filter(|commit| !set.contains(commit)).collect();
            let inside = |commit: &&CommitId| Some(**commit) != newest && !known.contains(commit);
            below.extend(set.iter().filter(inside).map(|commit| Spot::Commit(*commit)));
        }
        _ => match all {
            Some(all) => below.push(Spot::Gap { commits: all.saturating_sub(1), exact: true }),
            None => below.push(Spot::Gap { commits: steps.last().map_or(BETWEEN_RELEASES, |step| step.left), exact: false }),
        },
    }
    below.extend(above.into_iter().rev());
    below.retain(|spot| *spot != Spot::Gap { commits: 0, exact: true });
    below
}

fn steps(log: &Log) -> Vec<Step> {
    let mut steps = Vec::new();
    let (mut left, mut turned) = (None, None);
    for item in &log.items {
        match item {
            Item::Left { revisions, .. } => left = Some(*revisions),
            Item::MergeBaseFirst => left = None,
            Item::CheckedOut { commit, .. } => turned = left.take().map(|left| (*commit, left)),
            Item::Marked { mark, commit } => {
                if let Some((tested, left)) = turned
                    && tested == *commit
                {
                    steps.push(Step { commit: *commit, left, mark: *mark });
                }
            }
            _ => {}
        }
    }
    steps
}

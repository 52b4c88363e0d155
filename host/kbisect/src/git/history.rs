//! Walks over history: the commit graph, and commits by title. Owns how commits are read in bulk.

use std::collections::BinaryHeap;
use std::collections::HashMap;
use std::collections::HashSet;
use std::fs;

use kbisect_core::commit::CommitId;
use kbisect_core::graph::Commit;
use kbisect_core::graph::Graph;

use super::Error;
use super::Repository;

/// How far back a title is looked for: five years before the newest tip (syzkaller's `fetchCommitsMaxAgeInYears`).
const TITLE_AGE: i64 = 5 * 365 * 24 * 3600;

impl Repository {
    /// All ancestors of `tips`, the tips included, with parents and committer times.
    ///
    /// # Errors
    ///
    /// [`Error::Shallow`] where a shallow clone's history ends, [`Error::MissingObject`] where a commit is missing otherwise.
    pub fn graph(&self, tips: &[CommitId]) -> Result<Graph, Error> {
        let shallow = self.shallow()?;
        let mut seen: HashSet<CommitId> = tips.iter().copied().collect();
        let mut stack: Vec<CommitId> = seen.iter().copied().collect();
        let mut commits = Vec::new();
        while let Some(id) = stack.pop() {
            if shallow.contains(&id) {
                return Err(Error::Shallow { repo: self.path().to_owned(), at: id });
            }
            let header = self.header(&id)?;
            stack.extend(header.parents.iter().filter(|&&parent| seen.insert(parent)));
            commits.push(Commit { id, time: header.time, parents: header.parents });
        }
        let cycle = || {
            Error::git(
                "read the history",
                git2::Error::from_str("it goes round in a circle; is git's commit-graph file damaged?"),
            )
        };
        Graph::acyclic(commits).ok_or_else(cycle)
    }

    /// The newest commit with this subject, by committer time, among what `tips` contain and no more than five years older than
    /// the newest tip. Blanks at the ends do not count.
    pub fn find_by_title(&self, title: &str, tips: &[CommitId]) -> Result<Option<CommitId>, Error> {
        let title = title.trim();
        let mut walk = Walk::new(self, tips)?;
        let Some(newest) = walk.newest_time() else { return Ok(None) };
        while let Some(visit) = walk.next(self)? {
            if visit.time < newest - TITLE_AGE {
                break;
            }
            if self.subject(&visit.id)?.trim_end() == title {
                return Ok(Some(visit.id));
            }
        }
        Ok(None)
    }

    /// The commits whose parents a shallow clone has cut off.
    pub(super) fn shallow(&self) -> Result<HashSet<CommitId>, Error> {
        let path = self.git().commondir().join("shallow");
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text.lines().filter_map(|line| line.trim().parse().ok()).collect()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(HashSet::new()),
            Err(error) => Err(Error::io("read", &path, error)),
        }
    }
}

/// A commit met on a [`Walk`].
pub(super) struct Visit {
    /// Its id.
    pub(super) id: CommitId,
    /// Its committer time.
    pub(super) time: i64,
    /// Its parents; empty where a shallow clone ends.
    pub(super) parents: Vec<CommitId>,
}

/// A walk over ancestors, newest committer time first; a child with a wrong clock may come after its parents.
pub(super) struct Walk {
    heap: BinaryHeap<(i64, CommitId)>,
    waiting: HashMap<CommitId, Visit>,
    seen: HashSet<CommitId>,
    shallow: HashSet<CommitId>,
}

impl Walk {
    pub(super) fn new(repository: &Repository, tips: &[CommitId]) -> Result<Self, Error> {
        let mut walk =
            Self { heap: BinaryHeap::new(), waiting: HashMap::new(), seen: HashSet::new(), shallow: repository.shallow()? };
        for tip in tips {
            walk.push(repository, *tip)?;
        }
        Ok(walk)
    }

    /// Committer time of the commit that comes next.
    pub(super) fn newest_time(&self) -> Option<i64> {
        self.heap.peek().map(|(time, _)| *time)
    }

    pub(super) fn next(&mut self, repository: &Repository) -> Result<Option<Visit>, Error> {
        let Some((_, id)) = self.heap.pop() else { return Ok(None) };
        let visit = self.waiting.remove(&id).expect("what is on the heap waits");
        for parent in &visit.parents {
            self.push(repository, *parent)?;
        }
        Ok(Some(visit))
    }

    fn push(&mut self, repository: &Repository, id: CommitId) -> Result<(), Error> {
        if !self.seen.insert(id) {
            return Ok(());
        }
        let header = repository.header(&id)?;
        let parents = if self.shallow.contains(&id) { Vec::new() } else { header.parents };
        self.heap.push((header.time, id));
        self.waiting.insert(id, Visit { id, time: header.time, parents });
        Ok(())
    }
}

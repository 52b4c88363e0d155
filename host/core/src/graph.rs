//! The commit DAG. Owns ancestry; knows nothing of good and bad.

use std::collections::HashMap;

use crate::commit::CommitId;

#[cfg(test)]
mod tests;

/// A commit's place in a [`Graph`]. Parents have smaller numbers than their children.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(pub u32);

impl Node {
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// A commit as the graph is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: CommitId,
    /// Committer time in seconds since the epoch.
    pub time: i64,
    /// Its parents in git's order; those that the graph does not hold are left out of it.
    pub parents: Vec<CommitId>,
}

/// Commits with their parents and committer times, numbered so that parents come first.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    ids: Vec<CommitId>,
    times: Vec<i64>,
    /// All parent lists, one after the other.
    parents: Vec<Node>,
    /// Where each commit's parent list ends.
    ends: Vec<usize>,
    nodes: HashMap<CommitId, Node>,
}

impl Graph {
    /// Builds the graph of the given commits, which may come in any order; a commit that comes again is passed over.
    ///
    /// # Panics
    ///
    /// If the commits hold a cycle, which git objects cannot.
    pub fn new(commits: impl IntoIterator<Item = Commit>) -> Self {
        Self::acyclic(commits).expect("commits hold a cycle, which git's cannot")
    }

    /// As [`Self::new`], for commits that are not git's: none if they hold a cycle.
    pub fn acyclic(commits: impl IntoIterator<Item = Commit>) -> Option<Self> {
        let mut places: HashMap<CommitId, usize> = HashMap::new();
        let mut unique: Vec<Commit> = Vec::new();
        for commit in commits {
            places.entry(commit.id).or_insert_with(|| {
                unique.push(commit);
                unique.len() - 1
            });
        }
        let parents_of =
            |commit: &Commit| -> Vec<usize> { commit.parents.iter().filter_map(|id| places.get(id).copied()).collect() };
        let parents: Vec<Vec<usize>> = unique.iter().map(parents_of).collect();
        let mut children = vec![Vec::new(); unique.len()];
        for (child, parents) in parents.iter().enumerate() {
            for &parent in parents {
                children[parent].push(child);
            }
        }
        let mut waiting: Vec<usize> = parents.iter().map(Vec::len).collect();
        let mut ready: Vec<usize> = (0..unique.len()).filter(|&place| waiting[place] == 0).collect();
        let mut numbers = vec![Node(0); unique.len()];
        let mut graph = Self::default();
        while let Some(place) = ready.pop() {
            let node = Node(graph.ids.len() as u32);
            numbers[place] = node;
            graph.ids.push(unique[place].id);
            graph.times.push(unique[place].time);
            graph.parents.extend(parents[place].iter().map(|&parent| numbers[parent]));
            graph.ends.push(graph.parents.len());
            graph.nodes.insert(unique[place].id, node);
            for &child in &children[place] {
                waiting[child] -= 1;
                if waiting[child] == 0 {
                    ready.push(child);
                }
            }
        }
        (graph.len() == unique.len()).then_some(graph)
    }

    /// How many commits there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no commit.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The commit's id.
    pub fn id(&self, node: Node) -> CommitId {
        self.ids[node.index()]
    }

    /// The commit with this id, if the graph holds it.
    pub fn node(&self, id: &CommitId) -> Option<Node> {
        self.nodes.get(id).copied()
    }

    /// The commit's committer time, in seconds since the epoch.
    pub fn time(&self, node: Node) -> i64 {
        self.times[node.index()]
    }

    /// The commit's parents, in git's order.
    pub fn parents(&self, node: Node) -> &[Node] {
        let start = if node.0 == 0 { 0 } else { self.ends[node.index() - 1] };
        &self.parents[start..self.ends[node.index()]]
    }

    /// These commits as a set.
    pub fn set(&self, nodes: &[Node]) -> NodeSet {
        let mut set = NodeSet::new(self.len());
        for &node in nodes {
            set.insert(node);
        }
        set
    }

    /// All commits reachable from `tips`, the tips included.
    pub fn ancestors(&self, tips: &[Node]) -> NodeSet {
        let mut seen = NodeSet::new(self.len());
        let mut stack: Vec<Node> = tips.to_vec();
        while let Some(node) = stack.pop() {
            if seen.insert(node) {
                stack.extend_from_slice(self.parents(node));
            }
        }
        seen
    }

    /// All commits from which any of `roots` is reachable, the roots included.
    pub fn descendants(&self, roots: &[Node]) -> NodeSet {
        let mut seen = self.set(roots);
        let first = roots.iter().min().map_or(self.len(), |root| root.index());
        for node in (first as u32..self.len() as u32).map(Node) {
            if self.parents(node).iter().any(|&parent| seen.contains(parent)) {
                seen.insert(node);
            }
        }
        seen
    }

    /// Whether `ancestor` is reachable from `descendant`; a commit is its own ancestor.
    pub fn is_ancestor(&self, ancestor: Node, descendant: Node) -> bool {
        let mut seen = NodeSet::new(self.len());
        let mut stack = vec![descendant];
        while let Some(node) = stack.pop() {
            if node == ancestor {
                return true;
            }
            // A smaller number cannot have a larger one among its ancestors.
            if node > ancestor && seen.insert(node) {
                stack.extend_from_slice(self.parents(node));
            }
        }
        false
    }

    /// Commits reachable from `bad` and from no `good`, in the graph's order (oldest first); `bad` is among them unless a good
    /// one contains it.
    pub fn range(&self, bad: Node, good: &[Node]) -> Vec<Node> {
        let outside = self.ancestors(good);
        self.ancestors(&[bad]).iter().filter(|&node| !outside.contains(node)).collect()
    }

    /// The best common ancestors of `one` and any of `others`: common ancestors that no other common ancestor contains.
    pub fn merge_bases(&self, one: Node, others: &[Node]) -> Vec<Node> {
        let (left, right) = (self.ancestors(&[one]), self.ancestors(others));
        let mut covered = NodeSet::new(self.len());
        let mut bases = Vec::new();
        for node in (0..self.len() as u32).rev().map(Node) {
            if !left.contains(node) || !right.contains(node) {
                continue;
            }
            if !covered.contains(node) {
                bases.push(node);
            }
            for &parent in self.parents(node) {
                covered.insert(parent);
            }
        }
        bases
    }
}

/// A set of commits of one graph, a bit each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSet {
    words: Vec<u64>,
}

impl NodeSet {
    /// The empty set, with room for a graph of `len` commits.
    pub fn new(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(64)] }
    }

    /// Adds the commit; false if it was there.
    pub fn insert(&mut self, node: Node) -> bool {
        let (word, bit) = (node.index() / 64, 1 << (node.index() % 64));
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        new
    }

    /// Whether the commit is in the set.
    pub fn contains(&self, node: Node) -> bool {
        self.words[node.index() / 64] & (1 << (node.index() % 64)) != 0
    }

    /// How many commits are in the set.
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// The commits in the set, in the graph's order.
    pub fn iter(&self) -> impl Iterator<Item = Node> + '_ {
        self.words.iter().enumerate().flat_map(|(index, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = rest.trailing_zeros();
                if bit == 64 {
                    return None;
                }
                rest &= rest - 1;
                Some(Node(index as u32 * 64 + bit))
            })
        })
    }
}

//! The history that all cases share: commits named by numbers, one release for each hundred, two side branches that are merged, and one
//! that is not.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::support::Planned;
use crate::support::World;
use crate::support::write_history;

/// The first commit of each hundred is a release: 400 is v4.0.
const HUNDREDS: std::ops::RangeInclusive<u32> = 4..=9;
/// Parted from v5.0, and merged by 700: it is in v7.0, but has none of the 600s.
const BESIDE_V6: u32 = 650;
/// Parted from v7.0, and merged by 804.
const BESIDE_V7: [u32; 3] = [790, 791, 792];
/// Parted from v8.0, and merged nowhere.
const V8_BRANCH: [u32; 3] = [850, 851, 852];

/// The repository with its commits' names.
pub(crate) struct History {
    ids: BTreeMap<u32, String>,
    parents: BTreeMap<u32, Vec<u32>>,
}

impl History {
    /// Writes the history into a repository of the world's, with these files in every commit; HEAD is 905.
    pub(crate) fn write(world: &World, repo: &str, files: &[(&str, String)]) -> Self {
        let commits = commits();
        let place = |number: &u32| commits.iter().position(|(one, _)| one == number).unwrap();
        let planned: Vec<Planned> = commits
            .iter()
            .map(|(number, parents)| {
                let parents: Vec<usize> = parents.iter().map(place).collect();
                let commit = Planned::on(&parents, number.to_string()).file("number", format!("{number}\n"));
                let files = if parents.is_empty() { files } else { &[] };
                files.iter().fold(commit, |commit, (path, text)| commit.file(*path, text.clone()))
            })
            .collect();
        let tags: Vec<(String, usize)> = HUNDREDS.map(|hundred| (format!("v{hundred}.0"), place(&(hundred * 100)))).collect();
        let tags: Vec<(&str, usize)> = tags.iter().map(|(tag, place)| (tag.as_str(), *place)).collect();
        let ids = write_history(world, repo, &planned, &tags);
        let ids: BTreeMap<u32, String> = commits.iter().map(|(number, _)| *number).zip(ids).collect();
        world.git(repo, &["branch", "v8-branch", &ids[&V8_BRANCH[2]]]);
        Self { ids, parents: commits.into_iter().collect() }
    }

    /// All commits with their ids.
    pub(crate) fn ids(&self) -> impl Iterator<Item = (u32, &str)> {
        self.ids.iter().map(|(number, id)| (*number, id.as_str()))
    }

    /// The commit's id.
    pub(crate) fn id(&self, number: u32) -> &str {
        &self.ids[&number]
    }

    /// The commit with this id.
    pub(crate) fn number(&self, id: &str) -> u32 {
        *self.ids.iter().find(|(_, one)| *one == id).unwrap().0
    }

    /// Whether `commit` is, or descends from, `ancestor`; nothing descends from a commit that is not there.
    pub(crate) fn contains(&self, commit: u32, ancestor: u32) -> bool {
        let (mut open, mut seen) = (vec![commit], BTreeSet::new());
        while let Some(commit) = open.pop() {
            if seen.insert(commit) {
                open.extend(&self.parents[&commit]);
            }
        }
        seen.contains(&ancestor)
    }
}

/// Every commit with its parents, older ones first; the last is the newest of the main line.
fn commits() -> Vec<(u32, Vec<u32>)> {
    let mut commits: Vec<(u32, Vec<u32>)> = Vec::new();
    let mut main: Option<u32> = None;
    let line = |commits: &mut Vec<(u32, Vec<u32>)>, numbers: &[u32], mut parent: u32| {
        for &number in numbers {
            commits.push((number, vec![parent]));
            parent = number;
        }
    };
    for hundred in HUNDREDS {
        match hundred {
            7 => line(&mut commits, &[BESIDE_V6], 500),
            8 => line(&mut commits, &BESIDE_V7, 700),
            9 => line(&mut commits, &V8_BRANCH, 800),
            _ => {}
        }
        for number in hundred * 100..=hundred * 100 + 5 {
            let merged = match number {
                700 => Some(BESIDE_V6),
                804 => Some(BESIDE_V7[2]),
                _ => None,
            };
            commits.push((number, main.into_iter().chain(merged).collect()));
            main = Some(number);
        }
    }
    commits
}

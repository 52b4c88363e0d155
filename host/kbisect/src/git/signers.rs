//! Who signed off what touches some paths.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;
use std::time::Instant;

use git2::Oid;
use kbisect_core::commit::CommitId;

use super::Error;
use super::Repository;
use super::commit;
use super::history::Walk;
use super::repository::to_oid;
use crate::policy::Signer;

/// Commits that are looked at, at most: more than a year of the kernel.
const MOST_COMMITS: usize = 100_000;

impl Repository {
    /// Who signed off commits that touch `paths` (files or folders; none: everything) and are at most `days` older than
    /// `commit`, itself included, most active first. Merges do not count; an address counts once a commit. The walk ends after
    /// 100,000 commits, or at `until`: what was counted by then is the answer.
    ///
    /// # Errors
    ///
    /// [`Error::MissingObject`], and what libgit2 says of a repository that is damaged.
    pub fn signers(&self, commit: &CommitId, paths: &[String], days: u32, until: Instant) -> Result<Vec<Signer>, Error> {
        let oldest = self.time(commit)? - i64::from(days) * 24 * 3600;
        let mut walk = Walk::new(self, &[*commit])?;
        let mut signers: HashMap<String, Signer> = HashMap::new();
        let paths = Paths::of(paths);
        for _ in 0..MOST_COMMITS {
            let Some(visit) = walk.next(self)? else { break };
            if visit.time < oldest || Instant::now() >= until {
                break;
            }
            if visit.parents.len() > 1 || !self.touches(&visit.id, visit.parents.first(), &paths)? {
                continue;
            }
            let message = self.message(&visit.id)?;
            let mut counted = HashSet::new();
            for who in commit::signed_off_by(&message) {
                let key = who.email.to_lowercase();
                if counted.insert(key.clone()) {
                    signers.entry(key).or_insert(Signer { who, commits: 0 }).commits += 1;
                }
            }
        }
        let mut signers: Vec<Signer> = signers.into_values().collect();
        signers.sort_by(|one, other| other.commits.cmp(&one.commits).then_with(|| one.who.email.cmp(&other.who.email)));
        Ok(signers)
    }

    fn touches(&self, commit: &CommitId, parent: Option<&CommitId>, paths: &Paths<'_>) -> Result<bool, Error> {
        let git = self.git();
        let root = |id: &CommitId| {
            git.find_commit(to_oid(id)).map(|commit| commit.tree_id()).map_err(|error| self.read_error(&id.to_string(), error))
        };
        let (old, new) = (parent.map(root).transpose()?, root(commit)?);
        let fail = |error| Error::git(format!("compare {commit} with its parent"), error);
        if paths.whole { Ok(old != Some(new)) } else { paths.differ(&git, old, Some(new)).map_err(fail) }
    }
}

/// Paths by their parts, so that a folder that holds many of them is looked at once.
#[derive(Default)]
struct Paths<'a> {
    /// A path ends here: whatever is below counts.
    whole: bool,
    below: BTreeMap<&'a str, Paths<'a>>,
}

impl<'a> Paths<'a> {
    /// None are all there are.
    fn of(paths: &'a [String]) -> Self {
        let mut all = Self { whole: paths.is_empty(), ..Self::default() };
        for path in paths {
            let parts = path.trim_end_matches('/').split('/');
            parts.fold(&mut all, |folder, part| folder.below.entry(part).or_default()).whole = true;
        }
        all
    }

    /// Whether one of the paths is not the same in two trees; folders that are equal are not looked into.
    fn differ(&self, git: &git2::Repository, old: Option<Oid>, new: Option<Oid>) -> Result<bool, git2::Error> {
        if old == new {
            return Ok(false);
        }
        let tree = |id: Option<Oid>| id.map(|id| git.find_tree(id)).transpose();
        let (old, new) = (tree(old)?, tree(new)?);
        let entry = |tree: &Option<git2::Tree<'_>>, name: &str| {
            tree.as_ref().and_then(|tree| tree.get_name(name).map(|entry| (entry.id(), entry.filemode_raw())))
        };
        let folder = |entry: Option<(Oid, i32)>| entry.filter(|(_, mode)| mode & 0o170_000 == 0o040_000).map(|(id, _)| id);
        for (name, below) in &self.below {
            let (old, new) = (entry(&old, name), entry(&new, name));
            if old != new && (below.whole || below.differ(git, folder(old), folder(new))?) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

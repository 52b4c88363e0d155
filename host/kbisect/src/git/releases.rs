//! Releases: tags named as kernel releases, and which commits they contain.

use kbisect_core::bisector::Release;
use kbisect_core::commit::CommitId;
use kbisect_core::graph::Commit;
use kbisect_core::graph::Graph;
use kbisect_core::graph::Node;
use kbisect_core::range;
use kbisect_core::range::ReleaseTag;

use super::Error;
use super::Repository;
use super::history::Walk;
use super::repository::to_id;

/// Committers' clocks may be wrong by this much before [`Repository::first_release_with`] misses a path, in seconds.
const CLOCK_SLACK: i64 = 90 * 24 * 3600;

/// A release's version: numbers, and the candidate's number where it is one (a release comes after all its candidates).
type Version = (u32, u32, u32, u32);

/// Reads `vX.Y`, `vX.Y-rcN`, `vX.Y.Z` (syzkaller's pattern `^v(\d+).(\d+)(-rcN)?(.N)?$`).
fn version(tag: &str) -> Option<Version> {
    let number = |text: &str| (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?;
    let (major, rest) = tag.strip_prefix('v')?.split_once('.')?;
    let (rest, sub) = rest.split_once('.').map_or((rest, None), |(rest, sub)| (rest, Some(sub)));
    let (minor, candidate) = rest.split_once("-rc").map_or((rest, None), |(minor, rc)| (minor, Some(rc)));
    let candidate = match candidate {
        Some(rc) => number(rc)?,
        None => u32::MAX,
    };
    let sub = match sub {
        Some(sub) => number(sub)?,
        None => 0,
    };
    Some((number(major)?, number(minor)?, sub, candidate))
}

impl Repository {
    /// Tags named as releases with the commits they point at, oldest version first.
    fn release_tags(&self) -> Result<Vec<(Version, Release)>, Error> {
        let git = self.git();
        let references = git.references_glob("refs/tags/v*").map_err(|error| Error::git("list tags", error))?;
        let mut releases: Vec<(Version, Release)> = references
            .flatten()
            .filter_map(|reference| {
                let name = reference.name().ok()?.strip_prefix("refs/tags/")?.to_owned();
                let version = version(&name)?;
                let commit = to_id(reference.peel_to_commit().ok()?.id());
                Some((version, Release { name, commit }))
            })
            .collect();
        releases.sort_by(|one, other| one.0.cmp(&other.0).then_with(|| one.1.name.cmp(&other.1.name)));
        Ok(releases)
    }

    /// Releases that are proper ancestors of `start`, newest version first, without candidates (`git tag --merged START
    /// --no-contains START`, as syzkaller asks).
    pub fn releases(&self, start: &CommitId) -> Result<Vec<Release>, Error> {
        let mut releases = self.release_tags()?;
        releases.retain(|(version, release)| version.3 == u32::MAX && release.commit != *start);
        if releases.is_empty() {
            return Ok(Vec::new());
        }
        let graph = self.graph(&[*start])?;
        Ok(releases
            .into_iter()
            .rev()
            .map(|(_, release)| release)
            .filter(|release| graph.node(&release.commit).is_some())
            .collect())
    }

    /// The releases before `start` that a walk back tries, newest first: syzkaller's sparse picks (see [`range::pick_releases`]). Before
    /// those of a day's linux-next comes what it was made from.
    ///
    /// # Errors
    ///
    /// [`Error::Shallow`] where there is none and history was cut off.
    pub fn releases_to_walk(&self, start: &CommitId) -> Result<Vec<Release>, Error> {
        let base = self.next_base(start)?;
        let releases: Vec<Release> = base.into_iter().chain(self.picked_releases(start)?).collect();
        if releases.is_empty()
            && let Some(at) = self.shallow()?.into_iter().min()
        {
            return Err(Error::Shallow { repo: self.path().to_owned(), at });
        }
        Ok(releases)
    }

    /// What a day of linux-next was made from, as far as a branch `stable` tells it: mainline of that day
    /// (`Documentation/admin-guide/bug-bisect.rst`, "bisecting linux-next"). None of other commits.
    fn next_base(&self, start: &CommitId) -> Result<Option<Release>, Error> {
        let day = |name: &str| {
            let date = name.strip_prefix("refs/tags/next-");
            date.is_some_and(|date| date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let mut of_a_day = false;
        let mut stable = Vec::new();
        for reference in self.git().references().map_err(|error| Error::git("list references", error))?.flatten() {
            let (Ok(name), Ok(commit)) = (reference.name(), reference.peel_to_commit()) else { continue };
            let commit = to_id(commit.id());
            of_a_day |= commit == *start && day(name);
            if !reference.is_tag() && name.ends_with("/stable") {
                stable.push((reference.shorthand().unwrap_or(name).to_owned(), commit));
            }
        }
        if !of_a_day {
            return Ok(None);
        }
        for (name, commit) in stable {
            if let Some(base) = self.merge_bases(start, &commit)?.into_iter().find(|base| base != start) {
                return Ok(Some(Release { name, commit: base }));
            }
        }
        Ok(None)
    }

    fn picked_releases(&self, start: &CommitId) -> Result<Vec<Release>, Error> {
        let (tags, releases): (Vec<ReleaseTag>, Vec<Release>) =
            self.releases(start)?.into_iter().filter_map(|release| Some((ReleaseTag::parse(&release.name)?, release))).unzip();
        Ok(range::pick_releases(&tags).into_iter().map(|place| releases[place].clone()).collect())
    }

    /// The release, candidates included, whose tag the commit carries.
    pub fn release_at(&self, commit: &CommitId) -> Result<Option<Release>, Error> {
        Ok(self.release_tags()?.into_iter().map(|(_, release)| release).find(|release| release.commit == *commit))
    }

    /// The release of the lowest version that contains the commit, candidates included; `None` while it is in none.
    pub fn first_release_with(&self, commit: &CommitId) -> Result<Option<Release>, Error> {
        let oldest = self.time(commit)? - CLOCK_SLACK;
        let releases = self.release_tags()?;
        let tips: Vec<CommitId> = releases.iter().map(|(_, release)| release.commit).collect();
        let mut walk = Walk::new(self, &tips)?;
        let mut commits = Vec::new();
        while let Some(visit) = walk.next(self)? {
            if visit.time < oldest {
                break;
            }
            commits.push(Commit { id: visit.id, time: visit.time, parents: visit.parents });
        }
        let graph = Graph::new(commits);
        let Some(target) = graph.node(commit) else { return Ok(None) };
        // Parents have smaller numbers, so one pass tells for every commit whether it contains the target.
        let mut contains = vec![false; graph.len()];
        for node in (0..graph.len() as u32).map(Node) {
            contains[node.0 as usize] = node == target || graph.parents(node).iter().any(|parent| contains[parent.0 as usize]);
        }
        let first =
            releases.into_iter().find(|(_, release)| graph.node(&release.commit).is_some_and(|node| contains[node.0 as usize]));
        Ok(first.map(|(_, release)| release))
    }
}

//! What the rest of a repository says of a commit: the newest commit that contains it, and commits that mend it or take it back. Owns how
//! such commits name it.

use kbisect_core::commit::CommitId;
use serde::Deserialize;
use serde::Serialize;

use super::Error;
use super::Repository;
use super::history::Walk;
use super::repository::to_id;
use super::repository::to_oid;

/// Committers' clocks may be wrong by this much before a mention is missed, in seconds.
const CLOCK_SLACK: i64 = 24 * 3600;

/// Fewer digits of a hash name nobody in particular.
const LEAST_DIGITS: usize = 8;

/// Branches that stand for the newest state of a repository, as far as the name goes.
const MAIN: [&str; 3] = ["HEAD", "master", "main"];

/// The newest commit of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// The branch, as people type it: `origin/master`.
    pub name: String,
    /// The commit.
    pub commit: CommitId,
}

/// A commit that says something of an older one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// The commit.
    pub commit: CommitId,
    /// First line of its message.
    pub subject: String,
    /// What it says.
    pub says: Says,
    /// Whether the commit that the crash was seen on contains it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_start: bool,
}

/// What a commit says of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Says {
    /// A line `Fixes:` names it.
    Fixes,
    /// It takes it back.
    Reverts,
}

impl Repository {
    /// The newest of the main branches, here and of remotes, that contains the commit and goes beyond it, by committer time.
    ///
    /// # Errors
    ///
    /// [`Error::Git`], [`Error::MissingObject`].
    pub fn newest_tip(&self, of: &CommitId) -> Result<Option<Tip>, Error> {
        let mut newest: Option<(i64, Tip)> = None;
        for tip in self.main_tips()? {
            let time = self.time(&tip.commit)?;
            let newer = newest.as_ref().is_none_or(|(known, _)| time > *known);
            if newer && tip.commit != *of && self.contains(&tip.commit, of)? {
                newest = Some((time, tip));
            }
        }
        Ok(newest.map(|(_, tip)| tip))
    }

    /// Where the main branches are, here and of remotes, and HEAD.
    fn main_tips(&self) -> Result<Vec<Tip>, Error> {
        let git = self.git();
        let mut tips: Vec<Tip> = Vec::new();
        for reference in git.references().map_err(|error| Error::git("list references", error))?.flatten() {
            let Some(name) = reference.shorthand().ok().filter(|_| reference.is_branch() || reference.is_remote()) else {
                continue;
            };
            if MAIN.contains(&name.rsplit('/').next().unwrap_or(name))
                && let Ok(commit) = reference.peel_to_commit()
            {
                tips.push(Tip { name: name.trim_end_matches("/HEAD").to_owned(), commit: to_id(commit.id()) });
            }
        }
        if let Ok(head) = git.head().and_then(|head| head.peel_to_commit()) {
            tips.push(Tip { name: "HEAD".to_owned(), commit: to_id(head.id()) });
        }
        Ok(tips)
    }

    /// Whether `whole` has `part` among its ancestors; a commit contains itself.
    ///
    /// # Errors
    ///
    /// [`Error::Git`].
    pub fn contains(&self, whole: &CommitId, part: &CommitId) -> Result<bool, Error> {
        if whole == part {
            return Ok(true);
        }
        let related = self.git().graph_descendant_of(to_oid(whole), to_oid(part));
        related.map_err(|error| Error::git(format!("see whether {} contains {}", whole.short(), part.short()), error))
    }

    /// The commits that mend one or take it back, newest first, among all that branches, tags and HEAD contain; and how many newer ones were
    /// read for it, which merges are not. `names` are the ids that it has: its own, and that of what it was picked from.
    ///
    /// # Errors
    ///
    /// [`Error::Git`], [`Error::MissingObject`].
    pub fn mentions(&self, of: &CommitId, names: &[CommitId], start: &CommitId) -> Result<(usize, Vec<Mention>), Error> {
        let time = self.time(of)?;
        let subject = self.subject(of)?;
        let mut walk = Walk::new(self, &self.all_tips()?)?;
        let (mut read, mut found) = (0, Vec::new());
        while let Some(visit) = walk.next(self)? {
            if visit.time < time - CLOCK_SLACK {
                break;
            }
            if visit.id == *of || visit.parents.len() > 1 {
                continue;
            }
            read += usize::from(visit.time >= time);
            let message = self.message(&visit.id)?;
            if let Some(says) = said(&message, names, &subject) {
                let in_start = self.contains(start, &visit.id)?;
                found.push(Mention { commit: visit.id, subject: self.subject(&visit.id)?, says, in_start });
            }
        }
        Ok((read, found))
    }
}

/// What a message says of the commit with these ids and this subject.
fn said(message: &str, names: &[CommitId], subject: &str) -> Option<Says> {
    let names_it = |digits: &str| {
        let digits = digits.split(|letter: char| !letter.is_ascii_hexdigit()).next().unwrap_or_default().to_ascii_lowercase();
        digits.len() >= LEAST_DIGITS && names.iter().any(|name| name.to_string().starts_with(&digits))
    };
    let mut lines = message.lines();
    let first = lines.next().unwrap_or_default().trim();
    let mut reverted = None;
    for line in lines.map(str::trim) {
        if let Some(hash) = after(line, "Fixes:")
            && names_it(hash)
        {
            return Some(Says::Fixes);
        }
        if let Some(hash) = after(line, "This reverts commit ") {
            reverted = Some(names_it(hash));
        }
    }
    // A revert by hand need not name a hash; one that does means that commit, whatever its title.
    let by_title = || first.strip_prefix("Revert \"").and_then(|rest| rest.strip_suffix('"')) == Some(subject);
    reverted.unwrap_or_else(by_title).then_some(Says::Reverts)
}

/// What follows a word at the beginning of a line, in any case of letters.
fn after<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    line.get(..word.len()).filter(|head| head.eq_ignore_ascii_case(word)).map(|_| line[word.len()..].trim_start())
}

/// The commit of mainline that a stable tree's commit was picked from, as its message says: `commit HASH upstream.` or
/// `[ Upstream commit HASH ]` on a line of its own (`Documentation/process/stable-kernel-rules.rst`).
pub fn upstream(message: &str) -> Option<CommitId> {
    message.lines().map(str::trim).find_map(|line| {
        let line = line.trim_start_matches('[').trim_end_matches(']').trim().trim_end_matches('.');
        let hash =
            after(line, "Upstream commit ").or_else(|| after(line, "commit ").and_then(|rest| rest.strip_suffix(" upstream")));
        hash.and_then(|hash| hash.trim().parse().ok())
    })
}

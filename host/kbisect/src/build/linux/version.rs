//! Which release a source tree is of, by its own Makefile. Owns the order of releases.
//!
//! The Makefile says which release tags a commit contains without a walk through history or tags that were fetched: it says `5.10-rc1`
//! from v5.10-rc1 on, and `-rc` goes with the release itself.

use std::fmt;

/// A release, `v5.16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release {
    /// The first number.
    pub major: u32,
    /// The second one.
    pub minor: u32,
}

impl Release {
    /// A release by its numbers.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// Reads `v5.16` or `5.16`.
    pub fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.strip_prefix('v').unwrap_or(text).split_once('.')?;
        Some(Self { major: number(major)?, minor: number(minor)? })
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}.{}", self.major, self.minor)
    }
}

/// What a tree's Makefile says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    release: Release,
    /// On the way to that release: `-rc1` and later.
    candidate: bool,
}

impl Version {
    /// Reads the first lines of a kernel's Makefile; none where these are no kernel's.
    pub fn of_makefile(text: &str) -> Option<Self> {
        let value = |name: &str| {
            text.lines().take(30).find_map(|line| {
                let (key, value) = line.split_once('=')?;
                (key.trim() == name).then(|| value.trim())
            })
        };
        let release = Release { major: number(value("VERSION")?)?, minor: number(value("PATCHLEVEL")?)? };
        value("SUBLEVEL")?;
        Some(Self { release, candidate: value("EXTRAVERSION").is_some_and(|extra| extra.starts_with("-rc")) })
    }

    /// The version of a release itself, or of the last commit before it.
    pub fn around(release: Release, before: bool) -> Self {
        Self { release, candidate: before }
    }

    /// Whether the tree contains a release's commit.
    pub fn has(self, release: Release) -> bool {
        self.release > release || self.release == release && !self.candidate
    }
}

fn number(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn makefile(version: &str, patchlevel: &str, extra: &str) -> String {
        format!(
            "# SPDX-License-Identifier: GPL-2.0\nVERSION = {version}\nPATCHLEVEL = {patchlevel}\nSUBLEVEL = 0\nEXTRAVERSION ={extra}\n"
        )
    }

    #[test]
    fn a_candidate_has_the_release_before_and_not_its_own() {
        let version = Version::of_makefile(&makefile("5", "10", " -rc1")).expect("a version");
        let has = |text: &str| version.has(Release::parse(text).expect("a release"));
        assert!(has("v5.9") && has("4.19") && !has("v5.10") && !has("v5.16") && !has("v6.0"));
        let version = Version::of_makefile(&makefile("5", "10", "")).expect("a version");
        assert!(version.has(Release::new(5, 10)));
        let local = Version::of_makefile(&makefile("5", "10", " .17-mine")).expect("a version");
        assert!(local.has(Release::new(5, 10)));
    }

    #[test]
    fn other_makefiles_have_no_version() {
        assert_eq!(Version::of_makefile("all:\n\tcc x.c\n"), None);
        assert_eq!(Version::of_makefile("VERSION = 1.2\nPATCHLEVEL = 3\n"), None);
        for text in ["5", "v5.x", "v5.-1", "v5.10-rc1", "5.10.3", ""] {
            assert_eq!(Release::parse(text), None, "{text}");
        }
    }
}

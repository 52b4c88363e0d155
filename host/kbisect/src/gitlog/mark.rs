//! Verdicts in git's words.

use std::fmt;

use kbisect_core::bisector::Kind;
use kbisect_core::policy::Verdict;
use serde::Deserialize;
use serde::Serialize;

/// What git is told of a commit. Bad is the side that is looked for: what the first of it is, is the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// `good`, `old`, or the term for it: before the change.
    Good,
    /// `bad`, `new`, or the term for it: after the change.
    Bad,
    /// `skip`: it cannot be tested.
    Skip,
}

impl Mark {
    /// The mark with the verdict's name.
    pub fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Good => Self::Good,
            Verdict::Bad => Self::Bad,
            Verdict::Skip(_) => Self::Skip,
        }
    }

    /// From what git is told to what shows the crash, and back: where a fix is looked for, git's bad side is the one without it.
    pub fn turned(self, kind: Kind) -> Self {
        match (kind, self) {
            (Kind::Fix, Self::Good) => Self::Bad,
            (Kind::Fix, Self::Bad) => Self::Good,
            (Kind::Cause, _) | (Kind::Fix, Self::Skip) => self,
        }
    }

    /// git's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Skip => "skip",
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

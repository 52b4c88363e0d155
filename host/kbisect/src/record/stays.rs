//! Where the search stays, for those who show it commit by commit.
//!
//! Trials run side by side, so the search may turn to a commit and back again before anything has ended there. That is no stay:
//! the search has left a commit when something has ended at the next one.

use kbisect_core::commit::CommitId;
use kbisect_core::policy::Role;

use super::event::Event;

/// A stay of the search at a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// The commit.
    pub commit: CommitId,
    /// Why the search turned to it.
    pub role: Role,
    /// A release's tag.
    pub release: Option<String>,
    /// The commit's subject.
    pub subject: String,
    /// Revisions left after this one.
    pub left: usize,
    /// Rough number of steps for that many.
    pub steps: usize,
}

/// What an event says of where the search is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// It is where it was.
    None,
    /// It has left the commit that is given, if there was one.
    From(Option<Stay>),
}

/// A fold over events that follows the search.
#[derive(Debug, Default)]
pub struct Stays {
    current: Option<Stay>,
    next: Option<Stay>,
}

impl Stays {
    /// Takes in an event.
    pub fn take(&mut self, event: &Event) -> Turn {
        match event {
            Event::Chosen { commit, role, release, subject, left, steps } => {
                let here = self.current.as_ref().is_some_and(|stay| stay.commit == *commit);
                self.next = (!here).then(|| Stay {
                    commit: *commit,
                    role: *role,
                    release: release.clone(),
                    subject: subject.clone(),
                    left: *left,
                    steps: *steps,
                });
                Turn::None
            }
            Event::BuildEnded { commit, .. } | Event::TrialEnded { commit, .. } => {
                match self.next.take_if(|next| next.commit == *commit) {
                    Some(next) => Turn::From(self.current.replace(next)),
                    None => Turn::None,
                }
            }
            _ => Turn::None,
        }
    }

    /// Where the search is, once something has ended.
    pub fn current(&self) -> Option<&Stay> {
        self.current.as_ref()
    }
}

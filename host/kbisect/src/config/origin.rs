//! Where the values of a job come from.

use std::collections::BTreeMap;
use std::fmt;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The job file.
    Job,
    /// The command line.
    CommandLine,
    /// The machine that kbisect runs on; what was seen there.
    Environment(String),
    /// Nobody said anything: the reason for the value that was taken.
    Guess(String),
}

impl Origin {
    /// A guess with its reason.
    pub(super) fn guess(reason: impl Into<String>) -> Self {
        Self::Guess(reason.into())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Job => f.write_str("job"),
            Self::CommandLine => f.write_str("command line"),
            Self::Environment(what) => write!(f, "environment: {what}"),
            Self::Guess(reason) => write!(f, "guess: {reason}"),
        }
    }
}

/// The origin of every value, by key: `bad`, `machine.cpus`, `plugin.0.path`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(BTreeMap<String, Origin>);

impl Origins {
    /// Where the value of `key` comes from, if it has one.
    pub fn of(&self, key: &str) -> Option<&Origin> {
        self.0.get(key)
    }

    /// Whether somebody stated the value of `key`.
    pub fn stated(&self, key: &str) -> bool {
        matches!(self.of(key), Some(Origin::Job | Origin::CommandLine))
    }

    pub(super) fn set(&mut self, key: impl Into<String>, origin: Origin) {
        self.0.insert(key.into(), origin);
    }
}

//! Policies: chains and routes over plugins, and the traits through which the other rooms ask them.
//!
//! Owns which plugin answers what, and what happens when one fails; the calls themselves are `plugin`'s.
//!
//! * Classifiers: the bundled one first, then the others in rising priority, each editing the list of the one before. `relate`
//!   goes the other way round: the highest priority first, "none" passes on, the bundled one always answers.
//! * One flake policy: of those that match, the one with the highest priority; else the bundled `sequential`.
//! * At most one suspicion plugin: of those that match, the one with the highest priority; else the bundled `stack-prior`, where the
//!   target shows code.
//! * Recipients: the bundled `maintainers` first, then the others in rising priority.
//! * A failed call is a visible warning, and the bundled plugin answers instead. The third failure disables a plugin for this
//!   bisection. A bundled plugin that fails is a defect: then the trial is void, or the bisection stops; no verdict is made up. Where a
//!   suspicion plugin fails, no commit looks guiltier than another.

use kbisect_core::commit::CommitId;
use kbisect_core::crash::CrashReport;
use kbisect_core::policy::Failure;

use crate::record::event::Event;

pub mod console;
mod load;
mod member;
mod policies;
mod routes;
pub(crate) mod state;
mod symbolized;

pub use load::LoadErrors;
pub use load::Problem;
pub use member::Description;
pub use policies::Policies;
pub use routes::Conflict;
pub use symbolized::Symbolized;

pub use crate::plugin::answer::CommitFacts;
pub use crate::plugin::answer::Relation;
pub use crate::plugin::answer::Suspect;
pub use crate::plugin::facts::BisectionState;
pub use crate::plugin::facts::FactError;
pub use crate::plugin::facts::Facts;
pub use crate::plugin::facts::Signature;
pub use crate::plugin::facts::Signer;
pub use crate::plugin::facts::property;

/// What a trial asks of the policies.
pub trait Watch: Send + Sync {
    /// Byte strings whose presence means "a crash may have started".
    fn markers(&self) -> Vec<Vec<u8>>;
    /// The crashes on a console of at most 1 MiB, in console order. Fails, as `infra`, only when the bundled plugin does: then
    /// nobody can say what the console shows, and the trial is void.
    fn classify(&self, console: &[u8]) -> Result<Vec<CrashReport>, Failure>;
    /// How likely `seen`, at commit `at`, is the target. Without a target yet, everything is (1). Fails as [`Self::classify`] does.
    fn relate(&self, seen: &CrashReport, at: &CommitId) -> Result<Relation, Failure>;
}

/// Something that the record should hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A plugin said something.
    Log {
        /// Which.
        plugin: String,
        /// `debug`, `info`, `warn` or `error`.
        level: &'static str,
        /// What.
        message: String,
    },
    /// A call failed; the bundled plugin answers instead.
    Failed {
        /// Which.
        plugin: String,
        /// The hook.
        hook: &'static str,
        /// How.
        error: String,
        /// The plugin is not asked again.
        disabled: bool,
    },
    /// Something people should know.
    Warned {
        /// What.
        message: String,
    },
}

impl From<Notice> for Event {
    fn from(notice: Notice) -> Self {
        match notice {
            Notice::Log { plugin, level, message } => Self::PluginLog { plugin, level: level.to_owned(), message },
            Notice::Failed { plugin, hook, error, disabled } => {
                Self::PluginFailed { plugin, hook: hook.to_owned(), error, disabled }
            }
            Notice::Warned { message } => Self::Warned { message },
        }
    }
}

/// Where notices go; called from any thread.
pub type Sink = std::sync::Arc<dyn Fn(Notice) + Send + Sync>;

#[cfg(test)]
mod tests;

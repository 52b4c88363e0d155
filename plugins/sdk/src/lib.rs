//! What a plugin written in Rust starts from: the hooks as traits, the host as a trait, and the macro that makes a component.
//!
//! A plugin is a crate of type `["cdylib", "rlib"]` with one type that has some hooks:
//!
//! ```
//! use kbisect_sdk::FlakePolicy;
//! use kbisect_sdk::Host;
//! use kbisect_sdk::Plugin;
//! use kbisect_sdk::Verdict;
//! use kbisect_sdk::flake_policy::Ask;
//! use kbisect_sdk::flake_policy::Decision;
//! use kbisect_sdk::flake_policy::Judgement;
//! use kbisect_sdk::flake_policy::Outcome;
//!
//! /// Ten trials a commit; one crash is enough.
//! struct TenTrials;
//!
//! impl Plugin for TenTrials {}
//!
//! impl FlakePolicy for TenTrials {
//!     fn judge(_host: &impl Host, ask: &Ask) -> Result<Judgement, String> {
//!         let crashed = ask.trials.iter().any(|trial| matches!(&trial.outcome, Outcome::Crashed(seen) if seen.same > 0.5));
//!         let decision = match ask.trials.len() {
//!             _ if crashed => Decision::Conclude(Verdict::Bad),
//!             0..10 => Decision::Want(10),
//!             _ => Decision::Conclude(Verdict::Good),
//!         };
//!         Ok(Judgement { decision, confidence: 1.0, reason: "ten trials or one crash".to_owned() })
//!     }
//! }
//!
//! kbisect_sdk::export!(TenTrials: flake_policy);
//!
//! // A native unit test asks the hook as the host would.
//! # use kbisect_sdk::Role;
//! # use kbisect_sdk::fake::FakeHost;
//! let ask = Ask { commit: "0".repeat(40), role: Role::Start, trials: vec![], running: 0, proposed: 1 };
//! let judgement = TenTrials::judge(&FakeHost::default(), &ask).expect("an answer");
//! assert_eq!(judgement.decision, Decision::Want(10));
//! ```
//!
//! `cargo build --target wasm32-unknown-unknown` gives the component. A panic's text reaches the bisection's record. There is
//! no clock, randomness, file or network in a component; calls share no state.
//!
//! Owns the guest's side of `wit/`; the types are generated from there, and their documentation stands there.

pub mod bindings;
mod export;
pub mod fake;
pub mod host;

pub use crate::bindings::base::kbisect::plugin::bisection::Face;
pub use crate::bindings::base::kbisect::plugin::bisection::Past;
pub use crate::bindings::base::kbisect::plugin::bisection::Rates;
pub use crate::bindings::base::kbisect::plugin::git::GitError;
pub use crate::bindings::base::kbisect::plugin::git::Signature;
pub use crate::bindings::base::kbisect::plugin::git::Signer;
pub use crate::bindings::base::kbisect::plugin::log::Level;
pub use crate::bindings::base::kbisect::plugin::types::CommitId;
pub use crate::bindings::base::kbisect::plugin::types::CrashReport;
pub use crate::bindings::base::kbisect::plugin::types::Property;
pub use crate::bindings::base::kbisect::plugin::types::Role;
pub use crate::bindings::base::kbisect::plugin::types::Span;
pub use crate::bindings::base::kbisect::plugin::types::Verdict;
pub use crate::host::Host;

/// Words of the classifier hook.
pub mod classifier {
    pub use crate::bindings::classifier::exports::kbisect::plugin::classifier::Edit;
    pub use crate::bindings::classifier::exports::kbisect::plugin::classifier::Relation;
}

/// Words of the flake policy hook.
pub mod flake_policy {
    pub use crate::bindings::flake_policy::exports::kbisect::plugin::flake_policy::Ask;
    pub use crate::bindings::flake_policy::exports::kbisect::plugin::flake_policy::Decision;
    pub use crate::bindings::flake_policy::exports::kbisect::plugin::flake_policy::Failure;
    pub use crate::bindings::flake_policy::exports::kbisect::plugin::flake_policy::Judgement;
    pub use crate::bindings::flake_policy::exports::kbisect::plugin::flake_policy::Outcome;
    pub use crate::bindings::flake_policy::exports::kbisect::plugin::flake_policy::Sighting;
    pub use crate::bindings::flake_policy::exports::kbisect::plugin::flake_policy::Stage;
    pub use crate::bindings::flake_policy::exports::kbisect::plugin::flake_policy::Trial;
}

/// Words of the recipients hook.
pub mod recipients {
    pub use crate::bindings::recipients::exports::kbisect::plugin::recipients::Edit;
    pub use crate::bindings::recipients::exports::kbisect::plugin::recipients::Field;
    pub use crate::bindings::recipients::exports::kbisect::plugin::recipients::Recipient;
    pub use crate::bindings::recipients::exports::kbisect::plugin::recipients::Suspect;
}

/// Words of the suspicion hook.
pub mod suspicion {
    pub use crate::bindings::suspicion::exports::kbisect::plugin::suspicion::CommitFacts;
}

/// What every plugin has.
pub trait Plugin {
    /// Refuses settings that make no sense, one message each, before any work starts.
    fn check(host: &impl Host) -> Result<(), Vec<String>> {
        let _ = host;
        Ok(())
    }
}

/// Says what a console shows, and whether a crash is the bug being bisected.
pub trait Classifier: Plugin {
    /// Texts whose presence on a console means "a crash may have started".
    fn markers(host: &impl Host) -> Vec<String>;

    /// Edits the list of reports that the plugins before this one made of `console`; indices refer to `so_far`, each once and
    /// in rising order.
    fn classify(host: &impl Host, console: &[u8], so_far: &[CrashReport]) -> Result<Vec<classifier::Edit>, String>;

    /// Compares a crash seen at a commit with the target's faces; none: "ask the next plugin".
    fn relate(host: &impl Host, seen: &CrashReport, at: &str) -> Result<Option<classifier::Relation>, String>;
}

/// Decides when a commit has had trials enough, and for what verdict.
pub trait FlakePolicy: Plugin {
    /// Asked before the first trial and after every outcome.
    fn judge(host: &impl Host, ask: &flake_policy::Ask) -> Result<flake_policy::Judgement, String>;
}

/// Edits the list of people to tell.
pub trait Recipients: Plugin {
    /// Edits the list that the plugins before this one made.
    fn select(
        host: &impl Host,
        suspects: &[recipients::Suspect],
        so_far: &[recipients::Recipient],
    ) -> Result<Vec<recipients::Edit>, String>;
}

/// Says which commits look guilty before any of them is tested.
pub trait Suspicion: Plugin {
    /// One weight for each commit, 0 or more; 1 is no opinion.
    fn weigh(host: &impl Host, commits: &[suspicion::CommitFacts]) -> Result<Vec<f64>, String>;
}

#[allow(clippy::derivable_impls, reason = "the type is generated, where `Default` cannot be asked for it alone")]
impl Default for CrashReport {
    fn default() -> Self {
        Self {
            title: String::new(),
            alt_titles: Vec::new(),
            crash_type: String::new(),
            frame: None,
            trace: Vec::new(),
            guilty_file: None,
            corrupted: None,
            suppressed: false,
            panicked: false,
            executor: None,
            span: None,
            properties: Vec::new(),
        }
    }
}

//! What a plugin written in Rust starts from: the hooks as traits, the host as a trait, and the macro that makes a component.
//!
//! A plugin is a crate of type `["cdylib", "rlib"]` with one type that has some hooks. This one reads the words of a modem's driver:
//! the firmware's death is a crash, and the warning that a reset prints is none.
//!
//! ```
//! use kbisect_sdk::Classifier;
//! use kbisect_sdk::CrashReport;
//! use kbisect_sdk::Host;
//! use kbisect_sdk::Plugin;
//! use kbisect_sdk::classifier::Edit;
//! use kbisect_sdk::console;
//!
//! struct Modem;
//!
//! impl Plugin for Modem {}
//!
//! impl Classifier for Modem {
//!     // The host looks for these texts itself and wakes nobody without one.
//!     fn markers(_host: &impl Host) -> Vec<String> {
//!         vec!["modem: firmware died".to_owned()]
//!     }
//!
//!     // `so_far`: what the bundled classifier, and others of lower priority, found.
//!     fn classify(_host: &impl Host, console: &[u8], so_far: &[CrashReport]) -> Result<Vec<Edit>, String> {
//!         let mut edits = Vec::new();
//!         for (index, report) in (0..).zip(so_far) {
//!             if report.title == "WARNING in modem_reset" {
//!                 edits.push(Edit::Ignore((index, "a reset warns, and goes on".to_owned())));
//!             }
//!         }
//!         for line in console::lines(console) {
//!             if let Some(state) = line.text.strip_prefix("modem: firmware died in ") {
//!                 let report = CrashReport::new(format!("modem: firmware died in {state}"))
//!                     .with_type("FIRMWARE")
//!                     .with_guilty_file("drivers/modem/core.c")
//!                     .with_lines(&line, &line);
//!                 edits.push(Edit::Add(report));
//!             }
//!         }
//!         Ok(edits)
//!     }
//! }
//!
//! kbisect_sdk::export!(Modem: classifier);
//!
//! // A native unit test: `fake` does what the host does.
//! # fn main() {
//! use kbisect_sdk::fake;
//! use kbisect_sdk::fake::FakeHost;
//!
//! let console = b"[    1.250000] modem: up\n[    7.500000] modem: firmware died in handover\n";
//! let warning = CrashReport::new("WARNING in modem_reset");
//! let reports = fake::classify::<Modem>(&FakeHost::default(), console, &[warning]).expect("sound edits");
//! assert_eq!(reports.len(), 1);
//! assert_eq!(reports[0].title, "modem: firmware died in handover");
//! assert!(fake::classify::<Modem>(&FakeHost::default(), b"modem: up\n", &[]).expect("sound edits").is_empty());
//! # }
//! ```
//!
//! `cargo build --release --target wasm32-unknown-unknown` gives the component; `plugins/README.md` goes the whole way from an empty
//! folder to a bisection, and `plugins/examples/` has larger ones.
//!
//! | hook | trait | decides |
//! |---|---|---|
//! | `classifier` | [`Classifier`] | which crashes a console shows, and whether one is the bug being bisected |
//! | `flake_policy` | [`FlakePolicy`] | when a commit had trials enough, and its verdict |
//! | `recipients` | [`Recipients`] | who is told |
//! | `suspicion` | [`Suspicion`] | which commits look guilty before any is tested |
//!
//! One component may have several: `export!(Mine: classifier, recipients)`. What each hook may assume, and what limits hold, stands in
//! `wit/README.md`.
//!
//! # A call
//!
//! Each call is a fresh instance: nothing is kept from one to the next, statics included. There is no clock, randomness, file or
//! network, and standard output goes nowhere: what there is, is [`Host`]. [`Host::log`] writes into the bisection's record.
//! An `Err` is a failed call: it is shown, and the bundled plugin's answer stands. A panic is one, too; its text and place reach the
//! record through a panic hook that [`export!`] installs.
//!
//! # Settings
//!
//! `settings` of the job file come as JSON text from [`Host::settings`]. Read them with the JSON library of your choice, and refuse
//! in [`Plugin::check`] what makes no sense: its messages are shown before any work starts, all at once.
//!
//! # Tests
//!
//! Natively nothing is exported, so that plugins are tested as ordinary crates: hooks take `&impl Host`, and [`fake::FakeHost`] is
//! one made of plain values. [`fake::classify`] does with a classifier's answer what the host does. [`golden`] reads
//! consoles with the right answer written above them.
//!
//! ```
//! use kbisect_sdk::FlakePolicy;
//! use kbisect_sdk::Host;
//! use kbisect_sdk::Plugin;
//! use kbisect_sdk::Role;
//! use kbisect_sdk::Verdict;
//! use kbisect_sdk::fake::FakeHost;
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
//! # fn main() {
//! let ask = Ask { commit: "0".repeat(40), role: Role::Start, trials: vec![], running: 0, proposed: 1 };
//! let judgement = TenTrials::judge(&FakeHost::default(), &ask).expect("an answer");
//! assert_eq!(judgement.decision, Decision::Want(10));
//! # }
//! ```
//!
//! Owns the guest's side of `wit/`; the types are generated from there, and their documentation stands there.

pub mod bindings;
pub mod console;
mod export;
pub mod fake;
pub mod golden;
pub mod host;
pub mod maintainers;
mod report;

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
    pub use crate::bindings::suspicion::exports::kbisect::plugin::suspicion::Caveat;
    pub use crate::bindings::suspicion::exports::kbisect::plugin::suspicion::CommitFacts;
    pub use crate::bindings::suspicion::exports::kbisect::plugin::suspicion::Credit;
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
    /// Texts whose presence on a console means "a crash may have started". None may be empty; a plugin that only edits what others
    /// find needs none.
    fn markers(host: &impl Host) -> Vec<String>;

    /// Edits the list of reports that the plugins before this one made of `console`; indices refer to `so_far`, each once and
    /// in rising order.
    fn classify(host: &impl Host, console: &[u8], so_far: &[CrashReport]) -> Result<Vec<classifier::Edit>, String>;

    /// Compares a crash seen at a commit with the target's faces; none: "ask the next plugin", which is the answer unless a plugin
    /// has this function.
    fn relate(host: &impl Host, seen: &CrashReport, at: &str) -> Result<Option<classifier::Relation>, String> {
        let _ = (host, seen, at);
        Ok(None)
    }
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

    /// What the commit that the search ended at looks like: one that introduced the crash, or one that only exposes an older bug.
    /// `releases` were walked back to the first clean one, that one included. None, no opinion, is the answer unless a plugin has this
    /// function.
    fn attribute(host: &impl Host, commit: &suspicion::CommitFacts, releases: u32) -> Result<Option<suspicion::Credit>, String> {
        let _ = (host, commit, releases);
        Ok(None)
    }

    /// Why commits have their weights, one line each; empty where there is nothing to say, which is the answer unless a plugin has this
    /// function.
    fn because(host: &impl Host, commits: &[suspicion::CommitFacts]) -> Result<Vec<String>, String> {
        let _ = host;
        Ok(vec![String::new(); commits.len()])
    }

    /// What must be said of the commit that is named: that it is not in what is tested, or may only make an older bug show. `diff` is what
    /// it changes against its parent, as `git diff --unified=0` shows it; none of a merge, nor of much. None, nothing to say, is the answer
    /// unless a plugin has this function.
    fn qualify(
        host: &impl Host,
        commit: &suspicion::CommitFacts,
        diff: Option<&str>,
    ) -> Result<Option<suspicion::Caveat>, String> {
        let _ = (host, commit, diff);
        Ok(None)
    }
}

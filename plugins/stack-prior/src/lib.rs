//! Bundled suspicion: which commits look guilty by what the crash shows.
//!
//! [`target`] is what the crash shows, [`place`] where a commit is beside it, [`words`] what both speak of, [`weights`] what that is
//! worth to the search, and [`because`] why, in words; [`caveat`] is what must be said of a commit that is named; [`credit`] weighs the commit that the search ended at, by its files on the [`stack`] and by [`everywhere`], the
//! files that many crashes pass through. Reads the properties `newest-commit` (whose MAINTAINERS file is the one that counts) and `arch`; has no settings.

use kbisect_sdk::Host;
use kbisect_sdk::Plugin;
use kbisect_sdk::Suspicion;
use kbisect_sdk::suspicion::Caveat;
use kbisect_sdk::suspicion::CommitFacts;
use kbisect_sdk::suspicion::Credit;

pub mod because;
pub mod caveat;
pub mod credit;
pub mod everywhere;
pub mod place;
pub mod stack;
pub mod target;
pub mod weights;
pub mod words;

use stack::Stack;
use target::Target;

/// The plugin.
#[derive(Debug)]
pub struct StackPrior;

impl Plugin for StackPrior {
    fn check(host: &impl Host) -> Result<(), Vec<String>> {
        match host.settings().trim() {
            "" | "{}" => Ok(()),
            _ => Err(vec!["stack-prior has no settings".to_owned()]),
        }
    }
}

impl Suspicion for StackPrior {
    fn weigh(host: &impl Host, commits: &[CommitFacts]) -> Result<Vec<f64>, String> {
        // A crash of which nothing is known but a title, such as an exit status, makes no commit look guilty.
        let Some(target) = Target::read(host) else { return Ok(vec![1.0; commits.len()]) };
        Ok(commits.iter().map(|commit| weigh(&target, commit)).collect())
    }

    fn attribute(host: &impl Host, commit: &CommitFacts, releases: u32) -> Result<Option<Credit>, String> {
        Ok(credit::of(&Stack::read(host), commit, releases))
    }

    fn because(host: &impl Host, commits: &[CommitFacts]) -> Result<Vec<String>, String> {
        let Some(target) = Target::read(host) else { return Ok(vec![String::new(); commits.len()]) };
        Ok(commits.iter().map(|commit| because::of(&target, commit)).collect())
    }

    fn qualify(host: &impl Host, commit: &CommitFacts, diff: Option<&str>) -> Result<Option<Caveat>, String> {
        Ok(caveat::of(host, commit, diff))
    }
}

/// How many times likelier the commit is the culprit than any commit would be.
#[must_use]
pub fn weigh(target: &Target, commit: &CommitFacts) -> f64 {
    weights::of(place::of(target, &commit.files), words::in_common(target, commit))
}

kbisect_sdk::export!(StackPrior: suspicion);

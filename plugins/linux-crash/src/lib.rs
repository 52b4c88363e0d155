//! Bundled classifier for Linux consoles: what crashed, by syzkaller's naming, and whether it is the bug being bisected.
//!
//! The rules are one table, [`rules`]; everything else is how they are applied. The SDK's [`console`](kbisect_sdk::console) takes
//! printk's prefixes off, [`header`] finds where reports begin, [`report`] puts one together: [`stacks`] and [`frames`] read it,
//! [`blame`], [`skip`], [`stall`] and [`guilty`] say whom to blame, [`title`] and [`kind`] name it, [`corrupted`], [`suppressed`],
//! [`executor`] and [`circumstances`] say the rest. [`relate`] compares two crashes.

use kbisect_sdk::Classifier;
use kbisect_sdk::CrashReport;
use kbisect_sdk::Host;
use kbisect_sdk::Plugin;
use kbisect_sdk::classifier::Edit;
use kbisect_sdk::classifier::Relation;

pub mod blame;
pub mod circumstances;
pub mod corrupted;
pub mod executor;
pub mod frames;
pub mod guilty;
pub mod header;
pub mod intruder;
pub mod kind;
pub mod literals;
pub mod relate;
pub mod report;
pub mod rules;
pub mod skip;
pub mod stacks;
pub mod stall;
pub mod suppressed;
pub mod template;
pub mod title;

/// The plugin.
#[derive(Debug)]
pub struct LinuxCrash;

impl Plugin for LinuxCrash {
    fn check(host: &impl Host) -> Result<(), Vec<String>> {
        match host.settings().trim() {
            "" | "{}" => Ok(()),
            _ => Err(vec!["linux-crash has no settings".to_owned()]),
        }
    }
}

impl Classifier for LinuxCrash {
    fn markers(_host: &impl Host) -> Vec<String> {
        report::markers()
    }

    fn classify(_host: &impl Host, console: &[u8], _so_far: &[CrashReport]) -> Result<Vec<Edit>, String> {
        Ok(report::reports(console).into_iter().map(Edit::Add).collect())
    }

    fn relate(host: &impl Host, seen: &CrashReport, _at: &str) -> Result<Option<Relation>, String> {
        Ok(relate::relate(seen, &host.faces()))
    }
}

kbisect_sdk::export!(LinuxCrash: classifier);

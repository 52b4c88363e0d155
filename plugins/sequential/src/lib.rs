//! Bundled flake policy, the default: as many trials as the target's flakiness asks for, and no more.
//!
//! [`sprt`] is the statistics, [`judge`] the policy. Reads the properties `delta` (the chance of a wrong name that is put up with)
//! and `range-size` (commits between the ends of the range); has no settings.

use kbisect_sdk::FlakePolicy;
use kbisect_sdk::Host;
use kbisect_sdk::Plugin;
use kbisect_sdk::flake_policy::Ask;
use kbisect_sdk::flake_policy::Judgement;

pub mod judge;
pub mod sprt;

/// The plugin.
#[derive(Debug)]
pub struct Sequential;

impl Plugin for Sequential {
    fn check(host: &impl Host) -> Result<(), Vec<String>> {
        match host.settings().trim() {
            "" | "{}" => Ok(()),
            _ => Err(vec!["sequential has no settings".to_owned()]),
        }
    }
}

impl FlakePolicy for Sequential {
    fn judge(host: &impl Host, ask: &Ask) -> Result<Judgement, String> {
        let number = |key: &str, otherwise: f64| match host.property(key) {
            Some(text) => text.trim().parse().map_err(|_| format!("property {key} is no number: {text}")),
            None => Ok(otherwise),
        };
        let known = judge::Known {
            delta: number("delta", 0.01)?,
            range: number("range-size", 1024.0)?,
            rates: host.estimate(),
            history: host.history(),
        };
        Ok(judge::judge(ask, &known))
    }
}

kbisect_sdk::export!(Sequential: flake_policy);

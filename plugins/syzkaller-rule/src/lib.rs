//! Bundled flake policy: syzkaller's rule of 2019 or of 2024, for comparison and for those who rely on it.
//!
//! Setting `era = "2019" | "2024"` (default 2024). Any crash counts, as there: it is not compared with the target. Source:
//! `syzkaller-policy.md` §5 and §14.

use kbisect_sdk::FlakePolicy;
use kbisect_sdk::Host;
use kbisect_sdk::Plugin;
use kbisect_sdk::Verdict;
use kbisect_sdk::flake_policy::Ask;
use kbisect_sdk::flake_policy::Judgement;

pub mod chance;
pub mod representative;
pub mod rule;
pub mod settings;

/// The plugin.
#[derive(Debug)]
pub struct SyzkallerRule;

impl Plugin for SyzkallerRule {
    fn check(host: &impl Host) -> Result<(), Vec<String>> {
        settings::Settings::read(&host.settings()).map(drop)
    }
}

impl FlakePolicy for SyzkallerRule {
    fn judge(host: &impl Host, ask: &Ask) -> Result<Judgement, String> {
        let settings = settings::Settings::read(&host.settings()).map_err(|errors| errors.join("; "))?;
        // In a long stretch that does not build, handing over its history would take nearly all of the time.
        if let Some(judgement) = rule::unbuilt(ask) {
            return Ok(judgement);
        }
        let history = host.history();
        let flaky = history.iter().any(|past| past.verdict == Some(Verdict::Bad) && past.crashed < past.clean);
        let first = history.iter().all(|past| past.clean + past.crashed + past.void == 0 || past.commit == ask.commit);
        let types = representative::types(&host.faces());
        Ok(rule::judge(ask, settings.era, rule::Situation { first, flaky, types: &types, chance: chance::of(&history) }))
    }
}

kbisect_sdk::export!(SyzkallerRule: flake_policy);

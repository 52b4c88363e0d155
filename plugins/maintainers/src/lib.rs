//! Bundled recipients: whom to tell, from the culprit's own tags and the MAINTAINERS file of the newest commit known.
//!
//! [`choose`] is the policy, [`trailers`] reads what people write into commits. Reads the property
//! `newest-commit`, since today's maintainers are wanted and not those of the culprit's age; has no settings.

use kbisect_sdk::Host;
use kbisect_sdk::Plugin;
use kbisect_sdk::Recipients;
use kbisect_sdk::recipients::Edit;
use kbisect_sdk::recipients::Recipient;
use kbisect_sdk::recipients::Suspect;

pub mod choose;
pub mod trailers;

/// The plugin.
#[derive(Debug)]
pub struct Maintainers;

impl Plugin for Maintainers {
    fn check(host: &impl Host) -> Result<(), Vec<String>> {
        match host.settings().trim() {
            "" | "{}" => Ok(()),
            _ => Err(vec!["maintainers has no settings".to_owned()]),
        }
    }
}

impl Recipients for Maintainers {
    fn select(host: &impl Host, suspects: &[Suspect], so_far: &[Recipient]) -> Result<Vec<Edit>, String> {
        choose::choose(host, suspects, so_far)
    }
}

kbisect_sdk::export!(Maintainers: recipients);

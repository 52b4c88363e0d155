//! A classifier that does nothing: what is left is what the host costs.

use kbisect_sdk::Classifier;
use kbisect_sdk::CrashReport;
use kbisect_sdk::Host;
use kbisect_sdk::Plugin;
use kbisect_sdk::classifier::Edit;
use kbisect_sdk::classifier::Relation;

/// Finds nothing.
#[derive(Debug)]
pub struct Empty;

impl Plugin for Empty {}

impl Classifier for Empty {
    fn markers(_host: &impl Host) -> Vec<String> {
        vec!["empty".to_owned()]
    }

    fn classify(_host: &impl Host, _console: &[u8], _so_far: &[CrashReport]) -> Result<Vec<Edit>, String> {
        Ok(Vec::new())
    }

    fn relate(_host: &impl Host, _seen: &CrashReport, _at: &str) -> Result<Option<Relation>, String> {
        Ok(None)
    }
}

kbisect_sdk::export!(Empty: classifier);

//! The files that the target's looks show.

use kbisect_sdk::Host;

use crate::target::FILES;
use crate::target::folder_of;

/// The files of the target's most frequent look that shows any, innermost first.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Stack {
    /// Paths, each once.
    pub files: Vec<String>,
    /// The folder in `arch/` that the kernel is built from, when known.
    pub arch: Option<&'static str>,
}

impl Stack {
    /// Reads what the host knows.
    pub fn read(host: &impl Host) -> Self {
        let shown = host.faces().into_iter().find_map(|face| {
            let files = face.report.properties.into_iter().find(|property| property.key == FILES)?;
            Some(files.value.split_whitespace().map(str::to_owned).collect())
        });
        Self { files: shown.unwrap_or_default(), arch: host.property("arch").and_then(|machine| folder_of(&machine)) }
    }
}

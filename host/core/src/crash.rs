//! What a console says happened, as plain data. Made by classifier plugins; the host does not interpret it.

use serde::Deserialize;
use serde::Serialize;

/// Byte offsets into the console as handed to `classify`, end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First byte of the report.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
}

/// One crash on a console; the fields are those of `crash-report` in `wit/types.wit`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CrashReport {
    /// The crash's title in syzkaller's naming.
    pub title: String,
    /// Other titles that the same bug is known by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alt_titles: Vec<String>,
    /// Crash type in syzkaller's vocabulary; an open set.
    #[serde(rename = "type")]
    pub crash_type: String,
    /// The function to blame, when one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<String>,
    /// Frames from the innermost outwards, function names only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trace: Vec<String>,
    /// Source file to blame, relative to the kernel tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guilty_file: Option<String>,
    /// Why the report cannot be trusted, when it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrupted: Option<String>,
    /// Known noise, such as the out-of-memory killer hitting the reproducer.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub suppressed: bool,
    /// The kernel panicked.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub panicked: bool,
    /// Which executor process caused it, as syzkaller prints it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executor: Option<String>,
    /// Where the report stands in the console.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// Open data for plugins: key and value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<(String, String)>,
}

impl CrashReport {
    /// A crash of which no more is known than its title.
    pub fn titled(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }
}

/// One look of the target, and how many trials showed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Face {
    /// The first report with this look.
    pub report: CrashReport,
    /// Trials that showed it.
    pub trials: u32,
}

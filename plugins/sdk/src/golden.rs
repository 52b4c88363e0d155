//! Golden cases for tests: consoles with the right answer written above them, in the format of syzkaller's report tests.
//!
//! ```text
//! TITLE: general protection fault in widget_poll
//! TYPE: DoS
//!
//! [   37.104650] Oops: general protection fault, probably for non-canonical address …
//! ```
//!
//! `kbisect classify --corpus DIR --plugin MINE.wasm` scores a component on a folder of the same files.

use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::CrashReport;

/// One file: header lines, an empty line, the console.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Case {
    /// The file's name.
    pub name: String,
    headers: Vec<(String, String)>,
    /// The console, without carriage returns.
    pub log: Vec<u8>,
}

impl Case {
    /// Reads one file. What stands behind an empty line and `REPORT:` is left out.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn read(path: &Path) -> io::Result<Self> {
        let mut bytes = fs::read(path)?;
        bytes.retain(|&byte| byte != b'\r');
        let split = if bytes.first() == Some(&b'\n') { 0 } else { find(&bytes, b"\n\n").map_or(bytes.len(), |at| at + 1) };
        let headers = String::from_utf8_lossy(&bytes[..split])
            .lines()
            .filter_map(|line| line.split_once(": ").or_else(|| line.split_once(':')))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let mut log = bytes.get(split + 1..).unwrap_or_default().to_vec();
        if let Some(at) = find(&log, b"\n\nREPORT:\n") {
            log.truncate(at + 1);
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self { name, headers, log })
    }

    /// The values of a header that may stand several times, sorted; empty ones left out.
    #[must_use]
    pub fn all(&self, key: &str) -> Vec<String> {
        let mut values: Vec<String> = self
            .headers
            .iter()
            .filter(|(known, value)| known == key && !value.is_empty())
            .map(|(_, value)| value.clone())
            .collect();
        values.sort();
        values
    }

    /// The value of a header, empty when it is absent.
    #[must_use]
    pub fn get(&self, key: &str) -> String {
        self.all(key).pop().unwrap_or_default()
    }

    /// Whether a header is there at all.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.headers.iter().any(|(known, _)| known == key)
    }

    /// Where a report differs from the headers, one line a field: `gpf.txt title: expected | given`. No report stands for an empty
    /// one. `FRAME` and `FILE` count only where the headers have them.
    #[must_use]
    pub fn differences(&self, given: Option<&CrashReport>) -> Vec<String> {
        let empty = CrashReport::default();
        let given = given.unwrap_or(&empty);
        let yes = |condition: bool| if condition { "Y" } else { "" }.to_owned();
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let mut fields = vec![
            ("title", self.get("TITLE"), given.title.clone()),
            ("alt", self.all("ALT").join("; "), given.alt_titles.join("; ")),
            ("type", self.get("TYPE"), given.crash_type.clone()),
            ("corrupted", self.get("CORRUPTED"), yes(given.corrupted.is_some())),
            ("suppressed", self.get("SUPPRESSED"), yes(given.suppressed)),
            ("panicked", self.get("PANICKED"), yes(given.panicked)),
            ("executor", self.get("EXECUTOR"), text(&given.executor)),
        ];
        if self.has("FRAME") {
            fields.push(("frame", self.get("FRAME"), text(&given.frame)));
        }
        if self.has("FILE") {
            fields.push(("file", self.get("FILE"), text(&given.guilty_file)));
        }
        fields
            .into_iter()
            .filter(|(_, expected, given)| expected != given)
            .map(|(field, expected, given)| format!("{} {field}: {expected} | {given}", self.name))
            .collect()
    }
}

/// Reads the cases of a folder, sorted by name.
///
/// # Errors
///
/// The folder or one of its files cannot be read.
pub fn cases(folder: &Path) -> io::Result<Vec<Case>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.sort();
    paths.iter().map(|path| Case::read(path)).collect()
}

/// Offset of the first occurrence of `text`.
fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}

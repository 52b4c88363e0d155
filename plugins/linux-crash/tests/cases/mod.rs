//! Consoles with the right answer written above them: header lines such as `TITLE: …`, an empty line, the console.

#![allow(dead_code, reason = "each test uses a part")]

use std::path::Path;

/// A corpus file: header lines, and the log behind the empty line.
pub(crate) struct Case {
    /// The file's name.
    pub(crate) name: String,
    headers: Vec<(String, String)>,
    /// The console.
    pub(crate) log: Vec<u8>,
}

impl Case {
    /// Reads one file.
    pub(crate) fn read(path: &Path) -> Self {
        let mut bytes = std::fs::read(path).expect("a readable corpus file");
        bytes.retain(|&byte| byte != b'\r');
        let split = if bytes.first() == Some(&b'\n') { 0 } else { find(&bytes, b"\n\n").map_or(bytes.len(), |at| at + 1) };
        let headers = String::from_utf8_lossy(&bytes[..split]).into_owned();
        let headers = headers
            .lines()
            .filter_map(|line| line.split_once(": ").or_else(|| line.split_once(':')))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let mut log = bytes.get(split + 1..).unwrap_or_default().to_vec();
        if let Some(at) = find(&log, b"\n\nREPORT:\n") {
            log.truncate(at + 1);
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Self { name, headers, log }
    }

    /// The values of a header that may stand several times, sorted; empty ones left out.
    pub(crate) fn all(&self, key: &str) -> Vec<String> {
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
    pub(crate) fn get(&self, key: &str) -> String {
        self.all(key).pop().unwrap_or_default()
    }

    /// Whether a header is there at all.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.headers.iter().any(|(known, _)| known == key)
    }
}

/// Offset of the first occurrence of `text`.
pub(crate) fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}

/// The cases of a folder, sorted by name; none when there is no such folder.
pub(crate) fn cases(folder: &Path) -> Option<Vec<Case>> {
    let entries = std::fs::read_dir(folder).ok()?;
    let mut paths: Vec<std::path::PathBuf> = entries.map(|entry| entry.expect("a folder entry").path()).collect();
    paths.sort();
    Some(paths.iter().map(|path| Case::read(path)).collect())
}

//! Consoles with what classifiers should see on them, and how well they do.
//!
//! Owns the files' format, which is that of syzkaller's `pkg/report/testdata`: header lines (`TITLE: …`, `ALT: …`, `FILE: …`), an
//! empty line, the console, and perhaps a line `REPORT:` behind another empty line, which ends the console. Classifies nothing.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use kbisect_core::crash::CrashReport;

/// The fields that are scored, in the order shown.
pub const FIELDS: [Field; 11] = [
    Field::Found,
    Field::Title,
    Field::Type,
    Field::Alternatives,
    Field::Frame,
    Field::Corrupted,
    Field::Suppressed,
    Field::Panicked,
    Field::Executor,
    Field::Span,
    Field::File,
];

/// One field of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// Whether there is a crash at all.
    Found,
    /// The title.
    Title,
    /// The type.
    Type,
    /// The other titles, sorted.
    Alternatives,
    /// The function to blame.
    Frame,
    /// Whether the report is not to be trusted.
    Corrupted,
    /// Whether it is known noise.
    Suppressed,
    /// Whether the kernel panicked.
    Panicked,
    /// The executor.
    Executor,
    /// The first and the last line of the report.
    Span,
    /// The file to blame.
    File,
}

impl Field {
    /// Its name in scores and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Title => "title",
            Self::Type => "type",
            Self::Alternatives => "alt",
            Self::Frame => "frame",
            Self::Corrupted => "corrupted",
            Self::Suppressed => "suppressed",
            Self::Panicked => "panicked",
            Self::Executor => "executor",
            Self::Span => "span",
            Self::File => "file",
        }
    }
}

/// One file of a corpus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The file.
    pub path: PathBuf,
    /// What is expected of each field that the file speaks of; "" where nothing should be there.
    pub expected: BTreeMap<Field, String>,
    /// The console.
    pub console: Vec<u8>,
}

/// How one field did over a corpus.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Score {
    /// Expected and given, and equal.
    pub right: u32,
    /// Expected and given, and different.
    pub wrong: u32,
    /// Expected, not given.
    pub missed: u32,
    /// Given, not expected.
    pub extra: u32,
}

impl Score {
    /// Files in which the field is expected or given; a constant answer gains nothing from the others.
    pub fn counted(&self) -> u32 {
        self.right + self.wrong + self.missed + self.extra
    }

    /// Share of those that are right, in percent; 100 where there are none.
    pub fn percent(&self) -> f64 {
        if self.counted() == 0 { 100.0 } else { 100.0 * f64::from(self.right) / f64::from(self.counted()) }
    }

    /// Harmonic mean of precision and recall.
    pub fn f1(&self) -> f64 {
        let (given, expected) = (self.right + self.wrong + self.extra, self.right + self.wrong + self.missed);
        if given + expected == 0 { 1.0 } else { 2.0 * f64::from(self.right) / f64::from(given + expected) }
    }
}

/// Where a classifier differs from what a case expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// The field.
    pub field: Field,
    /// What is expected.
    pub expected: String,
    /// What was given.
    pub given: String,
}

/// The files of a folder, in the order of their names, numbers by value.
///
/// # Errors
///
/// The folder or a file cannot be read, or a file has another format; the text names it.
pub fn read(folder: &Path) -> io::Result<Vec<Case>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            paths.push(entry.path());
        }
    }
    let key = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        (name.parse::<u64>().unwrap_or(u64::MAX), name)
    };
    paths.sort_by_cached_key(key);
    paths
        .into_iter()
        .map(|path| {
            let bytes = fs::read(&path)?;
            Case::parse(path.clone(), bytes).map_err(|why| io::Error::other(format!("{}: {why}", path.display())))
        })
        .collect()
}

impl Case {
    /// Reads a file's bytes. Lines before the first empty line are headers; `#` begins a comment.
    pub fn parse(path: PathBuf, mut bytes: Vec<u8>) -> Result<Self, String> {
        bytes.retain(|byte| *byte != b'\r');
        let mut said: Vec<(String, String)> = Vec::new();
        let mut rest = &bytes[..];
        for number in 1.. {
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                return Err("there is no empty line between headers and console".to_owned());
            };
            let line = String::from_utf8_lossy(&rest[..end]).into_owned();
            rest = &rest[end + 1..];
            if line.is_empty() {
                break;
            }
            if line.starts_with('#') {
                continue;
            }
            let Some((key, value)) = line.split_once(':') else {
                return Err(format!("line {number} is no header: `{line}`"));
            };
            if !HEADERS.contains(&key) {
                return Err(format!("line {number}: unknown header `{key}`; known are {}", HEADERS.join(", ")));
            }
            said.push((key.to_owned(), value.trim().to_owned()));
        }
        let console = rest[..end_of_console(rest)].to_vec();
        Ok(Self { path, expected: expected(&said), console })
    }

    /// Compares with the first report on the console, if any, and counts each field.
    pub fn score(&self, report: Option<&CrashReport>, scores: &mut BTreeMap<Field, Score>) -> Vec<Miss> {
        let given = given(report, &self.console);
        let mut misses = Vec::new();
        for (&field, expected) in &self.expected {
            let given = given.get(&field).cloned().unwrap_or_default();
            let score = scores.entry(field).or_default();
            match (expected.is_empty(), given.is_empty()) {
                (true, true) => continue,
                (true, false) => score.extra += 1,
                (false, true) => score.missed += 1,
                (false, false) if *expected == given => score.right += 1,
                (false, false) => score.wrong += 1,
            }
            if *expected != given {
                misses.push(Miss { field, expected: expected.clone(), given });
            }
        }
        misses
    }
}

const HEADERS: [&str; 11] =
    ["TITLE", "ALT", "TYPE", "FRAME", "CORRUPTED", "SUPPRESSED", "PANICKED", "EXECUTOR", "START", "END", "FILE"];

/// Where the console ends: behind it, an empty line, which is its last one, and `REPORT:`.
fn end_of_console(rest: &[u8]) -> usize {
    const REPORT: &[u8] = b"\n\nREPORT:\n";
    rest.windows(REPORT.len()).position(|window| window == REPORT).map_or(rest.len(), |at| at + 2)
}

/// What the headers ask of each field. A file without a title and with a blamed file speaks of that alone; one that states both
/// alone (as the dashboard's reports do) is not asked for the rest.
fn expected(said: &[(String, String)]) -> BTreeMap<Field, String> {
    let all = |key: &str| said.iter().filter(|(known, _)| known == key).map(|(_, value)| value.clone()).collect::<Vec<_>>();
    let first = |key: &str| all(key).into_iter().next();
    let yes = |key: &str| if first(key).as_deref() == Some("Y") { "Y".to_owned() } else { String::new() };
    let mut expected = BTreeMap::new();
    if let Some(file) = first("FILE") {
        // `.` is the dashboard's cleaned empty path, and its reports of some trees have paths from the tree's root.
        expected.insert(Field::File, if file == "." { String::new() } else { file.trim_start_matches('/').to_owned() });
        if let Some(title) = first("TITLE") {
            expected.insert(Field::Title, shown(&title).to_owned());
        }
        return expected;
    }
    let title = first("TITLE").unwrap_or_default();
    expected.insert(Field::Found, if title.is_empty() { String::new() } else { "Y".to_owned() });
    expected.insert(Field::Title, title);
    expected.insert(Field::Type, first("TYPE").unwrap_or_default());
    let mut alternatives = all("ALT");
    alternatives.sort();
    expected.insert(Field::Alternatives, alternatives.join("; "));
    expected.insert(Field::Corrupted, yes("CORRUPTED"));
    expected.insert(Field::Suppressed, yes("SUPPRESSED"));
    expected.insert(Field::Panicked, yes("PANICKED"));
    expected.insert(Field::Executor, first("EXECUTOR").unwrap_or_default());
    // Only some files state these; the others leave them open.
    if let Some(frame) = first("FRAME") {
        expected.insert(Field::Frame, frame);
    }
    if let Some(start) = first("START") {
        let end = first("END").unwrap_or_else(|| start.clone());
        expected.insert(Field::Span, format!("{start} … {end}"));
    }
    expected
}

/// A dashboard's title without what it says of the tree and of how far the machine came: no console shows that.
fn shown(title: &str) -> &str {
    [" boot error: ", " test error: "].iter().find_map(|words| title.split_once(words)).map_or(title, |(_, title)| title)
}

/// The fields of a report as text.
fn given(report: Option<&CrashReport>, console: &[u8]) -> BTreeMap<Field, String> {
    let Some(report) = report else { return BTreeMap::new() };
    let yes = |is: bool| if is { "Y".to_owned() } else { String::new() };
    let mut alternatives = report.alt_titles.clone();
    alternatives.sort();
    BTreeMap::from([
        (Field::Found, "Y".to_owned()),
        (Field::Title, report.title.clone()),
        (Field::Type, if report.crash_type == "UNKNOWN" { String::new() } else { report.crash_type.clone() }),
        (Field::Alternatives, alternatives.join("; ")),
        // The format's word for a report that is too broken to blame a function.
        (Field::Frame, report.frame.clone().unwrap_or_else(|| report.corrupted.iter().map(|_| "corrupted").collect())),
        (Field::Corrupted, yes(report.corrupted.is_some())),
        (Field::Suppressed, yes(report.suppressed)),
        (Field::Panicked, yes(report.panicked)),
        (Field::Executor, report.executor.clone().unwrap_or_default()),
        (Field::Span, span(report, console)),
        (Field::File, report.guilty_file.clone().unwrap_or_default()),
    ])
}

/// The first line of a report and the last one that says what happened: its own last line, or where the classifier says so (property
/// `headers-end`, an offset) the last of its headers.
fn span(report: &CrashReport, console: &[u8]) -> String {
    let stated = report.properties.iter().find(|(key, _)| key == "headers-end").and_then(|(_, value)| value.parse().ok());
    let lines = report.span.and_then(|span| console.get(span.start as usize..stated.unwrap_or(span.end as usize)));
    let lines = lines.unwrap_or_default();
    let text = String::from_utf8_lossy(lines);
    let shown = |line: Option<&str>| line.unwrap_or_default().trim().to_owned();
    format!("{} … {}", shown(text.lines().next()), shown(text.lines().last()))
}

#[cfg(test)]
mod tests;

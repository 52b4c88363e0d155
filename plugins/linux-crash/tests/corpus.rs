//! Scores the classifier on the crash-report corpus, field by field; skips plainly where the corpus is absent.
//!
//! `KBISECT_TEST_DATA` says where the test data is (default: `../shared` beside the project); `KBISECT_MISSES=FIELD` prints what
//! was missed, `KBISECT_MISSES_FULL=1` too.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kbisect_sdk::CrashReport;

/// Least share right for each field, in percent: a figure may rise, never fall.
const AT_LEAST: &[(&str, f64)] = &[("title", 85.0), ("type", 98.0), ("alt", 85.0), ("panicked", 98.0), ("found", 98.0)];

/// A corpus file: header lines, and the log behind the empty line.
struct Case {
    name: String,
    headers: Vec<(String, String)>,
    log: Vec<u8>,
}

impl Case {
    fn read(path: &std::path::Path) -> Self {
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

    fn all(&self, key: &str) -> Vec<String> {
        let mut values: Vec<String> = self
            .headers
            .iter()
            .filter(|(known, value)| known == key && !value.is_empty())
            .map(|(_, value)| value.clone())
            .collect();
        values.sort();
        values
    }

    fn get(&self, key: &str) -> String {
        self.all(key).pop().unwrap_or_default()
    }

    fn says(&self, key: &str) -> bool {
        self.get(key) == "Y"
    }
}

fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}

fn data() -> PathBuf {
    std::env::var_os("KBISECT_TEST_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from)
}

fn cases(folder: &str) -> Option<Vec<Case>> {
    let folder = data().join(folder);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skipped: no test data in {}", folder.display());
        return None;
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a folder entry").path()).collect();
    paths.sort();
    Some(paths.iter().map(|path| Case::read(path)).collect())
}

/// Right and counted, per field; a field's score counts the files where it is present or predicted.
#[derive(Default)]
struct Scores(BTreeMap<&'static str, (u32, u32)>);

impl Scores {
    /// Counts one answer; says whether a miss was printed.
    fn count(&mut self, field: &'static str, name: &str, expected: &str, got: &str) -> bool {
        if expected.is_empty() && got.is_empty() {
            return false;
        }
        let score = self.0.entry(field).or_default();
        score.1 += 1;
        if expected == got {
            score.0 += 1;
        } else if std::env::var("KBISECT_MISSES").is_ok_and(|wanted| wanted == field) {
            println!("{name}\n  - {expected}\n  + {got}");
            return true;
        }
        false
    }

    fn share(&self, field: &str) -> f64 {
        self.0.get(field).map_or(0.0, |(right, all)| 100.0 * f64::from(*right) / f64::from(*all))
    }

    fn print(&self) {
        for (field, (right, all)) in &self.0 {
            println!("{field:10} {right:4} of {all:4} = {:.1} %", self.share(field));
        }
    }
}

fn yes(condition: bool) -> &'static str {
    if condition { "Y" } else { "" }
}

#[test]
fn linux_corpus() {
    let Some(cases) = cases("crash-reports/linux") else { return };
    let mut scores = Scores::default();
    for case in &cases {
        let reports = linux_crash::report::reports(&case.log);
        let none = CrashReport::default();
        let got = reports.first().unwrap_or(&none);
        scores.count("found", &case.name, yes(!case.get("TITLE").is_empty()), yes(!reports.is_empty()));
        let printed = scores.count("title", &case.name, &case.get("TITLE"), &got.title);
        if printed {
            println!("    {}", got.trace.iter().take(12).cloned().collect::<Vec<_>>().join(" "));
        }
        scores.count("type", &case.name, &case.get("TYPE"), &got.crash_type);
        scores.count("alt", &case.name, &case.all("ALT").join("; "), &got.alt_titles.join("; "));
        scores.count("corrupted", &case.name, yes(case.says("CORRUPTED")), yes(got.corrupted.is_some()));
        scores.count("panicked", &case.name, yes(case.says("PANICKED")), yes(got.panicked));
        scores.count("suppressed", &case.name, yes(case.says("SUPPRESSED")), yes(got.suppressed));
        scores.count("executor", &case.name, &case.get("EXECUTOR"), got.executor.as_deref().unwrap_or_default());
        if !case.get("FRAME").is_empty() {
            scores.count("frame", &case.name, &case.get("FRAME"), got.frame.as_deref().unwrap_or("corrupted"));
        }
    }
    scores.print();
    for (field, least) in AT_LEAST {
        assert!(scores.share(field) >= *least, "{field}: {:.1} %, at least {least} %", scores.share(field));
    }
}

#[test]
fn guilty_files() {
    let Some(cases) = cases("crash-reports/guilty") else { return };
    let mut scores = Scores::default();
    for case in &cases {
        let reports = linux_crash::report::reports(&case.log);
        let got = reports.first().and_then(|report| report.guilty_file.clone()).unwrap_or_default();
        scores.count("guilty", &case.name, &case.get("FILE"), &got);
    }
    scores.print();
}

#[test]
fn real_reports() {
    let Some(cases) = cases("real-bisections/reports") else { return };
    let mut scores = Scores::default();
    for case in &cases {
        let reports = linux_crash::report::reports(&case.log);
        let none = CrashReport::default();
        let got = reports.first().unwrap_or(&none);
        scores.count("real-title", &case.name, &case.get("TITLE"), &got.title);
        scores.count("real-file", &case.name, &case.get("FILE"), got.guilty_file.as_deref().unwrap_or_default());
    }
    scores.print();
}

//! Scores the classifier on consoles whose right answer is known, field by field; skips plainly where they are absent.
//!
//! `KBISECT_TEST_DATA` says where the test data is (default: `../shared` beside the project). The figures of `corpus.ratchet` may
//! rise, never fall: `KBISECT_RATCHET=write` writes them anew. `KBISECT_MISSES=FIELD` (or `all`) prints what was missed, of the part
//! of the files that rules are tuned on; a third of them, chosen by a hash of the name, is held out and only counted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::path::PathBuf;

use kbisect_sdk::CrashReport;
use kbisect_sdk::golden;
use kbisect_sdk::golden::Case;
use linux_crash::report;

/// Whether the file is among those that no rule was tuned on.
fn held_out(case: &Case) -> bool {
    let hash =
        case.name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    (hash >> 32).is_multiple_of(3)
}

/// First and past-the-last byte of the report, as `START` and `END` say; nothing where they do not.
fn expected_span(case: &Case) -> String {
    let (start, end) = (case.get("START"), case.get("END"));
    if start.is_empty() {
        return String::new();
    }
    let end = if end.is_empty() { &start } else { &end };
    let find = |line: &[u8]| case.log.windows(line.len()).position(|window| window == line);
    let place = |line: &str| find(line.as_bytes()).expect("the line is in the log");
    format!("{} to {}", place(&start), place(end) + end.len())
}

fn corpus(folder: &str) -> Option<Vec<Case>> {
    let data = std::env::var_os("KBISECT_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let folder = data.join(folder);
    if !folder.exists() {
        println!("skipped: no test data in {}", folder.display());
        return None;
    }
    Some(golden::cases(&folder).expect("a readable corpus"))
}

/// How often a field was right, said wrongly, and missed. One that is neither present nor predicted is not counted.
#[derive(Debug, Default, Clone, Copy)]
struct Score {
    right: u32,
    wrong: u32,
}

impl Score {
    fn share(self) -> f64 {
        if self.right + self.wrong == 0 { 1.0 } else { f64::from(self.right) / f64::from(self.right + self.wrong) }
    }

    /// For fields that are yes or no: harmonic mean of precision and recall.
    fn f1(self) -> f64 {
        2.0 * self.share() / (1.0 + self.share())
    }
}

/// Scores of one corpus by field: of the tuned and the held-out part.
struct Scores {
    corpus: &'static str,
    fields: BTreeMap<&'static str, [Score; 2]>,
    misses: String,
}

impl Scores {
    fn new(corpus: &'static str) -> Self {
        Self { corpus, fields: BTreeMap::new(), misses: std::env::var("KBISECT_MISSES").unwrap_or_default() }
    }

    /// Counts one answer; says whether it was right.
    fn count(&mut self, field: &'static str, case: &Case, expected: &str, got: &str) -> bool {
        if expected.is_empty() && got.is_empty() {
            return true;
        }
        let score = &mut self.fields.entry(field).or_default()[usize::from(held_out(case))];
        if expected == got {
            score.right += 1;
            return true;
        }
        score.wrong += 1;
        if !held_out(case) && (self.misses == field || self.misses == "all") {
            println!("{}/{} {field}: {expected} | {got}", self.corpus, case.name);
        }
        false
    }

    /// Prints the scores and holds them against the ratchet.
    fn settle(&self) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus.ratchet");
        let known = std::fs::read_to_string(&path).unwrap_or_default();
        let mut lines = String::new();
        let mut fallen = Vec::new();
        for (field, [tuned, held]) in &self.fields {
            let all = Score { right: tuned.right + held.right, wrong: tuned.wrong + held.wrong };
            let key = format!("{}.{field}", self.corpus);
            println!(
                "{key:18} {:4} of {:4} = {:5.1} %  F1 {:.3}  tuned {:5.1} %  held out {:5.1} %",
                all.right,
                all.right + all.wrong,
                100.0 * all.share(),
                all.f1(),
                100.0 * tuned.share(),
                100.0 * held.share()
            );
            writeln!(lines, "{key} {} {}", all.right, all.right + all.wrong).expect("a string");
            let before = known.lines().find_map(|line| line.strip_prefix(&format!("{key} ")));
            let before: Vec<f64> =
                before.into_iter().flat_map(|line| line.split(' ')).map(|n| n.parse().expect("a count")).collect();
            if let [right, counted] = before[..]
                && all.share() < right / counted - 1e-9
            {
                fallen.push(format!("{key}: {} of {} right, was {right} of {counted}", all.right, all.right + all.wrong));
            }
        }
        if std::env::var("KBISECT_RATCHET").is_ok_and(|mode| mode == "write") {
            let others: String = known
                .lines()
                .filter(|line| !line.starts_with(&format!("{}.", self.corpus)))
                .map(|line| format!("{line}\n"))
                .collect();
            let mut all: Vec<&str> = others.lines().chain(lines.lines()).collect();
            all.sort_unstable();
            std::fs::write(&path, all.join("\n") + "\n").expect("a writable ratchet");
        } else {
            assert!(fallen.is_empty(), "worse than before: {fallen:#?}");
        }
    }
}

fn yes(condition: bool) -> &'static str {
    if condition { "Y" } else { "" }
}

fn span(report: &CrashReport) -> String {
    let end = report.properties.iter().find(|property| property.key == "headers-end").map_or("", |property| &property.value);
    report.span.map_or(String::new(), |span| format!("{} to {end}", span.start))
}

#[test]
fn consoles() {
    let Some(cases) = corpus("crash-reports/linux") else { return };
    let mut scores = Scores::new("linux");
    for case in &cases {
        let reports = report::reports(&case.log);
        let none = CrashReport::default();
        let got = reports.first().unwrap_or(&none);
        let crashed = !case.get("TITLE").is_empty();
        let mut right = scores.count("found", case, yes(crashed), yes(!reports.is_empty()));
        right &= scores.count("title", case, &case.get("TITLE"), &got.title);
        right &= scores.count("type", case, &case.get("TYPE"), &got.crash_type);
        right &= scores.count("alt", case, &case.all("ALT").join("; "), &got.alt_titles.join("; "));
        right &= scores.count("corrupted", case, yes(case.get("CORRUPTED") == "Y"), yes(got.corrupted.is_some()));
        right &= scores.count("panicked", case, yes(case.get("PANICKED") == "Y"), yes(got.panicked));
        right &= scores.count("suppressed", case, yes(case.get("SUPPRESSED") == "Y"), yes(got.suppressed));
        right &= scores.count("executor", case, &case.get("EXECUTOR"), got.executor.as_deref().unwrap_or_default());
        if case.has("FRAME") {
            right &= scores.count("frame", case, &case.get("FRAME"), got.frame.as_deref().unwrap_or("corrupted"));
        }
        if case.has("START") {
            right &= scores.count("span", case, &expected_span(case), &span(got));
        }
        if !scores.count("whole", case, "right", if right { "right" } else { "wrong" })
            && !scores.misses.is_empty()
            && !held_out(case)
        {
            println!("    {} [{}]", got.corrupted.as_deref().unwrap_or("sound"), got.trace.join(" "));
        }
    }
    scores.settle();
}

#[test]
fn guilty_files() {
    let Some(cases) = corpus("crash-reports/guilty") else { return };
    let mut scores = Scores::new("guilty");
    for case in &cases {
        let reports = report::reports(&case.log);
        let got = reports.first().and_then(|report| report.guilty_file.clone()).unwrap_or_default();
        scores.count("file", case, &case.get("FILE"), &got);
    }
    scores.settle();
}

/// A dashboard's title without what it says of the tree and of how far the machine came: no console shows that.
fn shown(title: &str) -> &str {
    [" boot error: ", " test error: "].iter().find_map(|words| title.split_once(words)).map_or(title, |(_, title)| title)
}

#[test]
fn real_reports() {
    let Some(cases) = corpus("real-bisections/reports") else { return };
    let mut scores = Scores::new("real");
    for case in &cases {
        let reports = report::reports(&case.log);
        let none = CrashReport::default();
        let got = reports.first().unwrap_or(&none);
        scores.count("title", case, shown(&case.get("TITLE")), &got.title);
        scores.count("file", case, &case.get("FILE"), got.guilty_file.as_deref().unwrap_or_default());
    }
    scores.settle();
}

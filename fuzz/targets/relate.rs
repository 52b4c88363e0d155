//! Any two reports, written like the golden cases: a chance that is the same both ways, and sure of equal ones.

#![no_main]

use kbisect_sdk::CrashReport;
use libfuzzer_sys::fuzz_target;
use linux_crash::frames;
use linux_crash::relate::compare;

/// Reports compared at most.
const MOST: usize = 4;

/// A report for each `TITLE:`; headers fill in the fields, other lines the trace.
fn reports(text: &str) -> Vec<CrashReport> {
    let mut reports: Vec<CrashReport> = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("TITLE: ") {
            if reports.len() == MOST {
                break;
            }
            reports.push(CrashReport { title: title.to_owned(), ..CrashReport::default() });
        }
        let Some(report) = reports.last_mut() else { continue };
        if let Some(title) = line.strip_prefix("ALT: ") {
            report.alt_titles.push(title.to_owned());
        } else if let Some(kind) = line.strip_prefix("TYPE: ") {
            report.crash_type = kind.to_owned();
        } else if let Some(frame) = line.strip_prefix("FRAME: ") {
            report.frame = Some(frame.to_owned());
        } else if let Some(file) = line.strip_prefix("FILE: ") {
            report.guilty_file = Some(file.to_owned());
        } else if line.starts_with("CORRUPTED: Y") {
            report.corrupted = Some("so it says".to_owned());
        } else if let Some(frame) = line.split_once("] ").and_then(|(_, text)| frames::frame(text)) {
            report.trace.push(frame.symbol.to_owned());
        }
    }
    reports
}

fuzz_target!(|text: &[u8]| {
    let reports = reports(&String::from_utf8_lossy(text));
    for one in &reports {
        for other in &reports {
            let (there, back) = (compare(one, other), compare(other, one));
            assert!((0.001..=0.999).contains(&there.same), "{there:?}");
            assert!((there.same - back.same).abs() < 1e-9, "{there:?} and {back:?}");
            assert!(!there.reason.is_empty());
        }
        let itself = compare(one, one);
        assert!(itself.same >= 0.97, "{itself:?}");
    }
});

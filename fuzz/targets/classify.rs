//! Any bytes as a console: no panic, and reports that the host would take.

#![no_main]

use libfuzzer_sys::fuzz_target;
use linux_crash::report;

fuzz_target!(|console: &[u8]| {
    let reports = report::reports(console);
    assert!(reports.len() <= 64, "{} reports", reports.len());
    let mut last = 0;
    for report in &reports {
        let span = report.span.expect("a small console");
        let (start, end) = (span.start as usize, span.end as usize);
        assert!(last <= start && start < end && end <= console.len(), "{span:?}");
        assert!(start == 0 || console[start - 1] == b'\n', "{span:?} begins within a line");
        assert!(end == console.len() || console[end] == b'\n', "{span:?} ends within a line");
        assert!(!report.title.is_empty() && report.title.len() <= 120, "{}", report.title);
        assert!(report.title.chars().all(|c| c.is_ascii_graphic() || c == ' '), "{}", report.title);
        last = start;
    }
});

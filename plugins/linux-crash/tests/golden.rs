//! One console for each kind of oops (`golden/`), written from the kernel's own printk formats, and what the classifier says of it.

use std::path::Path;

use kbisect_sdk::CrashReport;
use kbisect_sdk::golden::Case;
use kbisect_sdk::golden::cases;
use linux_crash::report;
use linux_crash::rules;
use linux_crash::template;

fn golden() -> Vec<Case> {
    cases(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")).expect("the golden cases")
}

fn first(console: &[u8]) -> CrashReport {
    report::reports(console).into_iter().next().unwrap_or_default()
}

#[test]
fn every_field_is_right() {
    let cases = golden();
    assert!(cases.len() >= 80, "{}", cases.len());
    let wrong: Vec<String> = cases.iter().flat_map(|case| case.differences(report::reports(&case.log).first())).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_row_has_a_case() {
    let titles: Vec<String> = golden().iter().map(|case| case.get("TITLE")).collect();
    let missing: Vec<&str> = rules::all()
        .filter(|row| !row.is_noise())
        .map(|row| row.title)
        .filter(|pattern| !titles.iter().any(|title| template::starts(pattern, title, &mut Vec::new())))
        .collect();
    assert!(missing.is_empty(), "titles that no golden case has: {missing:#?}");
}

/// The text of a line without the stamp that the golden cases have.
fn bare(line: &str) -> &str {
    let stamped = line.starts_with("[ ") && line.get(1..13).is_some_and(|stamp| stamp.contains('.'));
    if stamped { line.split_once("] ").map_or("", |(_, text)| text) } else { line }
}

#[test]
fn a_prefix_changes_nothing() {
    for prefix in [
        "",
        "[   37.104650] ",
        "[   37.104650][ T4117] ",
        "[   37.104650][    C1] ",
        "<4>[   37.104650] ",
        "kern  :warn  : [   37.104650] ",
        "[Sat Nov 21 07:37:00 2026] ",
        "Nov 21 07:37:00 host kernel: ",
        "Nov 21 07:37:00 host kernel: [   37.104650] ",
        "2026-11-21T07:37:00,000000+00:00 host kernel: ",
    ] {
        // What needs its own prefix: lines of several callers, of programs, of firmware, and lines that were cut.
        let own = [
            "other-cpu",
            "message-inside",
            "reboot",
            "first-boot",
            "noise-",
            "journald-",
            "header-printed-twice",
            "go-",
            "syzf",
            "clean-boot",
            "info-alone",
            "replayed",
            "unknown-torn",
        ];
        for case in golden().iter().filter(|case| !own.iter().any(|own| case.name.starts_with(own))) {
            let console = String::from_utf8_lossy(&case.log).into_owned();
            let prefixed: String = console.lines().map(|line| format!("{prefix}{}\r\n", bare(line))).collect();
            assert_eq!(first(prefixed.as_bytes()).title, case.get("TITLE"), "{} with {prefix:?}:\n{prefixed}", case.name);
        }
    }
}

#[test]
fn what_was_printed_before_changes_nothing() {
    let before =
        "[    0.000000] Linux version 6.12.0\nprobe(0x1, &(0x7f0000000000)=\"61\", 0x3)\n[   12.000000][   T77] widget: ready\n";
    for case in golden().iter().filter(|case| !case.name.starts_with("first-boot")) {
        let console = [before.as_bytes(), &case.log].concat();
        assert_eq!(first(&console).title, case.get("TITLE"), "{}", case.name);
    }
}

#[test]
fn headers_name_the_guilty_file_where_no_frame_does() {
    for (file, console) in [
        (Some("drivers/dev.c"), "WARNING: CPU: 1 PID: 2 at drivers/dev.c:12 dev_start+0x1/0x2\nCall Trace:\n dev_open+0x1/0x2\n"),
        (Some("drivers/dev.c"), "WARNING: drivers/dev.c:12 at dev_start+0x1/0x2, CPU#1: a/1\nCall Trace:\n dev_open+0x1/0x2\n"),
        (Some("drivers/dev.c"), "kernel BUG at drivers/dev.c:12!\nRIP: 0010:dev_stop+0x1/0x2\n"),
        (Some("fs/f.c"), "kernel BUG at drivers/dev.c:12!\nRIP: 0010:f_stop+0x1/0x2 fs/f.c:3\n"),
        (None, "WARNING: CPU: 1 PID: 2 at lib/refcount.c:12 refcount_warn_saturate+0x1/0x2\nCall Trace:\n f+0x1/0x2\n"),
    ] {
        assert_eq!(first(console.as_bytes()).guilty_file.as_deref(), file, "{console}");
    }
}

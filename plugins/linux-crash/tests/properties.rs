//! Whatever a console holds, it is read: no panic, spans inside the input and on line boundaries, titles that stay the same.

use kbisect_sdk::CrashReport;
use linux_crash::report;
use proptest::prelude::*;

/// A console of our own, with most of what the table knows.
const CONSOLE: &str = "\
[    1.000000][    T1] Linux version 6.1.0
[    2.000000][   T42] ==================================================================
[    2.000001][   T42] BUG: KASAN: slab-use-after-free in tree_walk+0x1f/0x40
[    2.000002][   T42] Read of size 8 at addr ffff888012345678 by task init/42
[    2.000003][   T42] Call Trace:
[    2.000004][   T42]  <TASK>
[    2.000005][   T42]  dump_stack_lvl+0x10/0x20
[    2.000006][   T42]  kasan_report+0x10/0x20
[    2.000007][   T42]  tree_walk+0x1f/0x40 fs/tree/walk.c:12
[    2.000008][   T42]  tree_open+0x2f/0x40 fs/tree/file.c:99
[    2.000009][   T42] ==================================================================
[    3.000000][   T43] ------------[ cut here ]------------
[    3.000001][   T43] refcount_t: underflow; use-after-free.
[    3.000002][   T43] WARNING: CPU: 0 PID: 43 at lib/refcount.c:28 refcount_warn_saturate+0x10/0x20
[    3.000003][   T43] RIP: 0010:refcount_warn_saturate+0x10/0x20
[    3.000004][   T43] Call Trace:
[    3.000005][   T43]  node_put+0x10/0x20
[    3.000006][   T43] ---[ end trace 0000000000000000 ]---
[    4.000000][   T44] INFO: task worker:12 blocked for more than 120 seconds.
[    4.000001][   T44] Call Trace:
[    4.000002][   T44]  schedule+0x10/0x20
[    4.000003][   T44]  queue_drain+0x10/0x20
[    5.000000][   T45] kernel BUG at kernel/foo.c:12!
[    5.000001][   T45] RIP: 0010:foo_run+0x10/0x20
[    5.000002][   T45] Call Trace:
[    5.000003][   T45]  foo_init+0x10/0x20
[    5.000004][   T45] Kernel panic - not syncing: Fatal exception
";

fn check(console: &[u8]) -> Result<Vec<CrashReport>, TestCaseError> {
    let reports = report::reports(console);
    let mut last = 0;
    for report in &reports {
        let span = report.span.expect("a small console");
        let (start, end) = (span.start as usize, span.end as usize);
        prop_assert!(last <= start && start < end && end <= console.len());
        prop_assert!(start == 0 || console[start - 1] == b'\n');
        prop_assert!(end == console.len() || console[end] == b'\n');
        prop_assert!(!report.title.is_empty() && report.title.len() <= 120);
        prop_assert!(report.title.chars().all(|c| c.is_ascii_graphic() || c == ' '));
        last = start;
    }
    Ok(reports)
}

#[test]
fn several_oopses_are_several_reports_in_order() {
    let reports = check(CONSOLE.as_bytes()).expect("sound reports");
    let titles: Vec<&str> = reports.iter().map(|report| report.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "KASAN: slab-use-after-free Read in tree_walk",
            "WARNING: refcount bug in node_put",
            "INFO: task hung in queue_drain",
            "kernel BUG in foo_run",
        ]
    );
    assert_eq!(reports[0].guilty_file.as_deref(), Some("fs/tree/walk.c"));
    assert!(reports.iter().all(|report| report.panicked && report.corrupted.is_none()));
}

/// Consoles made to hurt: an endless line, nothing but markers, deep nesting, only NULs, bait for matchers.
fn hostile(size: usize) -> Vec<(&'static str, Vec<u8>)> {
    let repeated = |text: &str| text.repeat(size / text.len() + 1).into_bytes();
    vec![
        ("nothing but NULs", vec![0; size]),
        ("an endless line", vec![b'a'; size]),
        ("an endless line of brackets", vec![b'['; size]),
        ("an endless line of markers", repeated("BUG: ")),
        ("an endless line of stamps", repeated("[    1.000000] ")),
        ("an endless line of stamped markers", repeated("[    1.000000] BUG: x ")),
        ("nothing but markers", repeated("BUG: \n")),
        ("reports without stacks", repeated("BUG: KASAN: x in f+0x1/0x2\n")),
        ("reports with stacks", repeated("WARNING: \n f+0x1/0x2\n")),
        ("a stack without an end", repeated("general protection fault\nCall Trace:\n kasan_report+0x1/0x2\n")),
        ("stacks without a report", repeated("Call Trace:\n f+0x1/0x2\n")),
        (
            "two callers",
            repeated("[    1.000000][    T1] INFO: task a blocked for more than \n[    1.000000][    T2] Kernel panic\n"),
        ),
        (
            "every line another caller",
            (0..size / 60).flat_map(|n| format!("[    1.000000][ T{n:6}] BUG: KASAN: a in f+0x1/0x2\n").into_bytes()).collect(),
        ),
        ("replays", repeated("BUG: KASAN: x in f+0x1/0x2\n** replaying previous printk message **\n")),
        ("empty lines", repeated("\n")),
        ("short lines behind a marker", [b"BUG: \n".to_vec(), repeated("a\n")].concat()),
        ("nested marks", repeated("<IRQ>")),
        ("bait", [b"INFO: task ".to_vec(), repeated("a: blocked for mor"), b"\n".to_vec()].concat()),
        ("bait by lines", repeated("INFO: task a: blocked for mor\n")),
        ("awaited lines that never come", repeated("BUG: memory leak\nunreferenced objec\n")),
        (
            "addresses",
            repeated("WARNING: possible recursive locking detected\n(a), at: [<ff>] [<ff>] [<ff>] [<ff>] [<ff>] [<ff>] \n"),
        ),
    ]
}

#[test]
fn hostile_consoles_of_a_mebibyte_end() {
    for (name, console) in hostile(1 << 20) {
        let reports = check(&console).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(reports.len() <= 64, "{name}");
    }
}

/// `cargo test -p linux-crash --release --test properties -- --ignored --nocapture` prints how long each takes.
#[test]
#[ignore = "measures; too slow without optimization"]
fn hostile_consoles_of_ten_mebibytes_end_soon() {
    for (name, console) in hostile(10 << 20) {
        let timed = |console: &[u8]| {
            let begun = std::time::Instant::now();
            let reports = report::reports(console).len();
            (begun.elapsed().as_secs_f64() * 1e3, reports)
        };
        let (one, (ten, reports)) = (timed(&console[..1 << 20]).0, timed(&console));
        println!("{name:38} {one:6.1} ms, ten mebibytes {ten:6.1} ms, {reports} reports");
    }
    let golden = golden();
    let begun = std::time::Instant::now();
    (0..10).for_each(|_| golden.iter().for_each(|console| drop(report::reports(console))));
    println!(
        "{} golden consoles, on average {:8.3} ms",
        golden.len(),
        begun.elapsed().as_secs_f64() * 100.0 / golden.len() as f64
    );
    let line = "[   12.345678][  T417] widget 0000:00:04.0: queue 3 is ready, 128 entries, no BUG here\n";
    let clean = line.repeat((1 << 20) / line.len());
    for noise in ["", "[   12.400000][  T417] WARNING: The mand mount option has been deprecated\n"] {
        let console = format!("{noise}{clean}");
        let begun = std::time::Instant::now();
        let reports = report::reports(console.as_bytes()).len();
        println!(
            "a clean mebibyte{:22} {:6.1} ms, {reports} reports",
            if noise.is_empty() { "" } else { " with noise" },
            begun.elapsed().as_secs_f64() * 1e3
        );
    }
}

/// Where a report's headers end, as the property says.
fn headers_end(report: &CrashReport) -> usize {
    let property = report.properties.iter().find(|property| property.key == "headers-end").expect("where the headers end");
    property.value.parse().expect("an offset")
}

/// Reading on from a report finds it again, and reading on from its end does not.
fn found_again(console: &[u8]) -> Result<(), TestCaseError> {
    for report in check(console)? {
        let span = report.span.expect("a small console");
        let (start, end) = (span.start as usize, span.end as usize);
        prop_assert!(start < headers_end(&report) && headers_end(&report) <= end);
        let again = check(&console[start..])?;
        prop_assert_eq!(again.first().map(|again| &again.title), Some(&report.title));
        prop_assert_eq!(again.first().and_then(|again| again.span).map(|span| span.start), Some(0));
        let behind = check(&console[end..])?;
        let same = |other: &CrashReport| other.title == report.title && other.span.is_some_and(|span| span.start == 0);
        prop_assert!(!behind.iter().any(same));
    }
    Ok(())
}

fn golden() -> Vec<Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    kbisect_sdk::golden::cases(&folder).expect("the golden cases").into_iter().map(|case| case.log).collect()
}

#[test]
fn golden_reports_are_found_again() {
    for console in golden() {
        // A reboot is one only behind output of a system that had come up.
        let text = String::from_utf8_lossy(&console).into_owned();
        if !text.contains("Booting the kernel") {
            found_again(&console).unwrap_or_else(|error| panic!("{error}:\n{text}"));
        }
    }
}

#[test]
fn two_golden_consoles_are_two_reports_in_order() {
    let consoles = golden();
    let stamped = |console: &&Vec<u8>| console.starts_with(b"[   37") && console.windows(5).any(|text| text == b"trace");
    let stamped: Vec<&Vec<u8>> = consoles.iter().filter(stamped).collect();
    for (one, other) in stamped.iter().zip(stamped.iter().skip(1)) {
        let first = |console: &[u8]| report::reports(console).into_iter().next().map(|report| report.title);
        let both = [one.as_slice(), b"[   90.000000][    T1] ---[ end ]---\n", other.as_slice()].concat();
        let titles: Vec<String> = check(&both).expect("sound reports").into_iter().map(|report| report.title).collect();
        assert_eq!(titles.first().cloned(), first(one.as_slice()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(console in proptest::collection::vec(any::<u8>(), 0..2000)) {
        check(&console)?;
    }

    #[test]
    fn mutated_consoles(
        which in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in any::<prop::sample::Index>(),
        moved in any::<prop::sample::Index>(),
    ) {
        let consoles = golden();
        let mut console = which.get(&consoles).clone();
        for (at, byte) in changes {
            let at = at.index(console.len());
            console[at] = byte;
        }
        let moved = moved.index(console.len());
        console.rotate_left(moved);
        let cut = cut.index(console.len());
        console.truncate(cut);
        check(&console)?;
    }

    #[test]
    fn shuffled_lines(order in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..80)) {
        let consoles = golden();
        let mut console = Vec::new();
        for (which, line) in order {
            let lines: Vec<&[u8]> = which.get(&consoles).split_inclusive(|&byte| byte == b'\n').collect();
            console.extend_from_slice(lines[line.index(lines.len())]);
        }
        check(&console)?;
    }
}

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

#[test]
fn hostile_consoles_of_a_mebibyte_end() {
    const SIZE: usize = 1 << 20;
    let repeated = |text: &str| text.repeat(SIZE / text.len() + 1).into_bytes();
    for console in [
        vec![0; SIZE],
        vec![b'['; SIZE],
        repeated("BUG: "),
        repeated("BUG: KASAN: x in f+0x1/0x2\n"),
        repeated("WARNING: \n f+0x1/0x2\n"),
        repeated("Call Trace:\n f+0x1/0x2\n"),
        repeated("general protection fault\nCall Trace:\n kasan_report+0x1/0x2\n"),
        repeated("[    1.000000][    T1] INFO: task a blocked for more than \n[    1.000000][    T2] Kernel panic\n"),
        repeated("\n"),
        repeated("[1.000000] "),
    ] {
        assert!(report::reports(&console).len() <= 64);
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
        changes in proptest::collection::vec((0..CONSOLE.len(), any::<u8>()), 0..12),
        cut in 0..CONSOLE.len(),
        moved in 0..CONSOLE.len(),
    ) {
        let mut console = CONSOLE.as_bytes().to_vec();
        for (at, byte) in changes {
            console[at] = byte;
        }
        console.rotate_left(moved);
        console.truncate(cut);
        check(&console)?;
    }

    #[test]
    fn shuffled_lines(order in proptest::collection::vec(0_usize..64, 0..80)) {
        let lines: Vec<&str> = CONSOLE.lines().collect();
        let console: String = order.iter().map(|at| format!("{}\n", lines[at % lines.len()])).collect();
        check(console.as_bytes())?;
    }
}

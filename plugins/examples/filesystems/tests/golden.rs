//! What filesystems print on corruption and around it (`golden/`), read behind the bundled classifier as in a bisection.

use std::path::Path;

use filesystems::Filesystems;
use filesystems::TYPE;
use filesystems::messages::ROWS;
use kbisect_sdk::Classifier;
use kbisect_sdk::CrashReport;
use kbisect_sdk::Plugin;
use kbisect_sdk::fake;
use kbisect_sdk::fake::FakeHost;
use kbisect_sdk::golden;
use kbisect_sdk::golden::Case;
use linux_crash::LinuxCrash;

fn cases() -> Vec<Case> {
    golden::cases(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")).expect("the golden cases")
}

/// The chain's reports.
fn reports(host: &FakeHost, console: &[u8]) -> Vec<CrashReport> {
    let first = fake::classify::<LinuxCrash>(&FakeHost::default(), console, &[]).expect("the bundled classifier answers");
    fake::classify::<Filesystems>(host, console, &first).expect("sound edits")
}

#[test]
fn every_field_is_right() {
    let host = FakeHost::default();
    let wrong: Vec<String> = cases().iter().flat_map(|case| case.differences(reports(&host, &case.log).first())).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_corrupt_filesystem_is_one_crash() {
    let host = FakeHost::default();
    for case in cases() {
        let corrupt = reports(&host, &case.log).into_iter().filter(|report| report.crash_type == TYPE).count();
        assert_eq!(corrupt, usize::from(case.get("TYPE") == TYPE), "{}", case.name);
    }
}

#[test]
fn every_row_has_a_case() {
    let titles: Vec<String> = cases().iter().map(|case| case.get("TITLE")).collect();
    for row in ROWS {
        let (start, _) = row.title.split_once('{').expect("a title with a group");
        assert!(titles.iter().any(|title| title.starts_with(start)), "{row:?}");
    }
}

#[test]
fn a_report_spans_the_lines_about_its_device() {
    let case = cases().into_iter().find(|case| case.name == "ext4-error.txt").expect("the case");
    let span = reports(&FakeHost::default(), &case.log)[0].span.expect("a span");
    let text = String::from_utf8_lossy(&case.log[span.start as usize..span.end as usize]).into_owned();
    assert!(text.contains("ext4_mb_generate_buddy") && text.ends_with("Remounting filesystem read-only"), "{text}");
    assert!(!text.contains("mounted filesystem"), "{text}");
}

#[test]
fn only_the_devices_of_the_job_count() {
    let console =
        b"EXT4-fs error (device loop0): ext4_iget:1: inode #2: x\nEXT4-fs error (device vda1): ext4_lookup:2: inode #2: y\n";
    let titles = |settings: &str| -> Vec<String> {
        reports(&FakeHost::with_settings(settings), console).into_iter().map(|report| report.title).collect()
    };
    assert_eq!(titles("{}"), ["EXT4-fs error in ext4_iget", "EXT4-fs error in ext4_lookup"]);
    assert_eq!(titles(r#"{ "devices": ["vda*", "vdb"] }"#), ["EXT4-fs error in ext4_lookup"]);
    assert!(titles(r#"{ "devices": ["vda"] }"#).is_empty());
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let errors = |settings: &str| Filesystems::check(&FakeHost::with_settings(settings)).expect_err(settings);
    assert_eq!(errors(r#"{ "device": ["vda"] }"#), ["unknown setting device: there is devices"]);
    assert_eq!(errors(r#"{ "devices": [] }"#), [r#"devices is []: it must be a list such as ["vda*"]"#]);
    assert_eq!(errors(r#"{ "devices": ["*a", 3, "/dev/vda"] }"#).len(), 3);
    assert_eq!(Filesystems::check(&FakeHost::with_settings("{}")), Ok(()));
}

#[test]
fn corruption_is_related_by_filesystem() {
    let report = |line: &str| reports(&FakeHost::default(), line.as_bytes()).remove(0);
    let iget = report("EXT4-fs error (device vda): ext4_iget:1: inode #2: x");
    let lookup = report("EXT4-fs error (device vdb): ext4_lookup:1: inode #2: x");
    let xfs = report("XFS (vda): Metadata corruption detected at xfs_agf_verify+0x1/0x2, xfs_agf block 0x1");
    let same = |seen: &CrashReport, target: &CrashReport| {
        let host = FakeHost::default().with_target([target.clone()]);
        Filesystems::relate(&host, seen, "c").expect("an answer").map(|relation| relation.same)
    };
    assert_eq!(same(&iget, &iget), Some(0.98));
    assert_eq!(same(&lookup, &iget), Some(0.6));
    assert_eq!(same(&xfs, &iget), Some(0.02));
    assert_eq!(same(&iget, &CrashReport::new("WARNING in ext4_iget")), None, "for the bundled classifier");
    assert_eq!(same(&CrashReport::new("WARNING in ext4_iget"), &iget), None);
}

//! Tests of [`super`].

use super::*;

fn report(title: &str) -> CrashReport {
    CrashReport { title: title.to_owned(), ..CrashReport::default() }
}

fn same(seen: &str, face: &str) -> f64 {
    compare(&report(seen), &report(face)).same
}

#[test]
fn the_same_title_is_the_same_bug() {
    assert!(same("KASAN: use-after-free Read in foo", "KASAN: use-after-free Read in foo") >= 0.97);
    let mut drifted = report("KASAN: slab-out-of-bounds Read in foo");
    drifted.alt_titles = vec!["bad-access in foo".to_owned()];
    let mut target = report("general protection fault in foo");
    target.alt_titles = vec!["bad-access in foo".to_owned()];
    assert!(compare(&drifted, &target).same >= 0.97);
}

#[test]
fn one_function_and_family_is_likely_the_same() {
    assert!(same("KASAN: use-after-free Write in foo", "KASAN: use-after-free Read in foo") >= 0.8);
    assert!(same("KASAN: use-after-free Write in foo", "WARNING in foo") >= 0.5);
}

#[test]
fn strays_are_unrelated() {
    assert!(
        same("general protection fault in batadv_iv_ogm_schedule_buff", "KASAN: use-after-free Read in proc_kill_sb") <= 0.02
    );
    assert!(same("BUG: MAX_LOCKDEP_KEYS too low!", "INFO: task hung in xfs_setfilesize") <= 0.05);
}

#[test]
fn vague_endings_say_little() {
    let s = same("lost connection to test machine", "KASAN: use-after-free Read in foo");
    assert!((0.1..0.5).contains(&s));
}

#[test]
fn the_script_is_the_judge() {
    assert!(same("exit status 1", "exit status 3") >= 0.999);
}

#[test]
fn the_likeliest_face_counts() {
    let face = |title: &str| Face { report: report(title), trials: 1 };
    let faces = [face("WARNING in a"), face("WARNING in b")];
    assert!(relate(&report("WARNING in b"), &faces).is_some_and(|relation| relation.same >= 0.97));
    assert!(relate(&report("WARNING in b"), &[]).is_none());
}

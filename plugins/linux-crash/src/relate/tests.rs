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
fn names_drift_and_bugs_move_within_their_code() {
    assert!(same("general protection fault in btf_tag_resolve", "general protection fault in btf_decl_tag_resolve") >= 0.6);
    assert!(same("KASAN: use-after-free Read in __gfn_to_rmap", "general protection fault in gfn_to_rmap") >= 0.8);
    assert!(same("WARNING: refcount bug in io_poll_remove_double", "general protection fault in io_poll_double_wake") >= 0.4);
    let stray =
        same("general protection fault in batadv_iv_ogm_schedule_buff", "general protection fault in io_poll_double_wake");
    assert!(same("possible deadlock in vhost_chr_write_iter", "INFO: task hung in vhost_net_stop_vq") >= 5.0 * stray);
    assert!(same("memory leak in foo", "KASAN: use-after-free Read in foo") <= 0.2);
}

#[test]
fn a_title_without_a_function_says_little() {
    let one = report("general protection fault in corrupted");
    let other = CrashReport { trace: vec!["pond_fill".to_owned()], ..one.clone() };
    let s = compare(&one, &other).same;
    assert!((0.4..0.7).contains(&s), "{s}");
}

#[test]
fn stacks_speak_where_titles_do_not() {
    let with =
        |title: &str, trace: &[&str]| CrashReport { trace: trace.iter().map(|&name| name.to_owned()).collect(), ..report(title) };
    let target = with("KASAN: use-after-free Read in ring_take", &["ring_take", "ring_read", "ring_fop", "slot_step"]);
    let below = with("WARNING in slot_step", &["slot_step", "ring_read", "ring_fop", "slot_poll"]);
    let elsewhere = with("WARNING in slot_step", &["slot_step", "pond_fill", "pond_sink", "pond_end"]);
    assert!(compare(&below, &target).same > compare(&elsewhere, &target).same);
}

#[test]
fn machinery_is_another_bug() {
    assert!(same("SYZFAIL: wrong response packet", "KASAN: use-after-free Read in foo") <= 0.05);
    assert!(same("SYZFATAL: executor failed NUM times", "INFO: task hung in foo") <= 0.05);
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

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
    // Stacks differ a little from crash to crash; the search takes .98 for sure.
    let mut warned = report("WARNING in pond_fill");
    let mut again = warned.clone();
    warned.trace = ["pond_fill", "pond_ioctl", "lake_ioctl"].map(str::to_owned).to_vec();
    again.trace = ["pond_fill", "pond_step", "pond_ioctl"].map(str::to_owned).to_vec();
    assert!(compare(&warned, &again).same >= 0.98);
    let mut drifted = report("KASAN: slab-out-of-bounds Read in foo");
    drifted.alt_titles = vec!["bad-access in foo".to_owned()];
    let mut target = report("general protection fault in foo");
    target.alt_titles = vec!["bad-access in foo".to_owned()];
    assert!(compare(&drifted, &target).same >= 0.97);
}

#[test]
fn the_counter_of_a_title_hides_nothing() {
    let s = |counter: &str| {
        same("general protection fault in pond_fill", &format!("KASAN: use-after-free Read in pond_fill{counter}"))
    };
    assert_eq!(s("").to_bits(), s(" (3)").to_bits());
}

#[test]
fn one_function_and_family_is_likely_the_same() {
    assert!(same("KASAN: use-after-free Write in foo", "KASAN: use-after-free Read in foo") >= 0.8);
    assert!(same("KASAN: use-after-free Write in foo", "WARNING in foo") >= 0.5);
}

#[test]
fn strays_are_unrelated() {
    assert!(same("general protection fault in batadv_iv_ogm_schedule_buff", "KASAN: use-after-free Read in proc_kill_sb") <= 0.1);
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
fn a_stalled_cpu_may_wait_for_a_lock_that_an_interrupt_took() {
    let s = |seen: &str| same(seen, "INFO: rcu detected stall in pond_fill");
    assert!(s("inconsistent lock state in pond_sink") > 2.0 * s("WARNING: suspicious RCU usage in pond_sink"));
}

#[test]
fn a_count_that_is_wrong_at_the_end_speaks_for_a_freed_object() {
    let s = |seen: &str| same(seen, "KASAN: use-after-free Read in pond_fish_look");
    assert!(s("WARNING in pond_fish_put") > s("WARNING in pond_fish_tell"));
    assert!(same("WARNING in kfree", "KASAN: use-after-free Read in pond_fish_look") > 0.15);
}

#[test]
fn tasks_anywhere_wait_for_one_that_hangs() {
    let s = |seen: &str, target: &str| same(seen, target);
    let hung = s("INFO: task hung in fsnotify_mark_destroy_workfn", "INFO: task hung in rtnetlink_rcv_msg");
    assert!(hung > 0.05, "{hung}");
    assert!(s("KASAN: use-after-free Read in fsnotify_mark", "KASAN: use-after-free Read in tipc_sk_lookup") < 0.04);
}

#[test]
fn memory_smashed_in_two_known_subsystems_is_two_bugs() {
    for (one, other) in [
        ("KASAN: use-after-free Read in tipc_sk_lookup", "KASAN: use-after-free Read in tcf_exts_destroy"),
        ("general protection fault in xfs_iget", "KASAN: slab-out-of-bounds Write in ext4_xattr_set_entry"),
        ("general protection fault in snd_seq_poll", "KASAN: use-after-free Write in l2cap_chan_put"),
    ] {
        let s = same(one, other);
        assert!(s <= 0.04, "{s} {one} {other}");
    }
}

#[test]
fn an_old_title_says_where_behind_its_function() {
    let s = same("KASAN: slab-out-of-bounds in pond_fill at addr ADDR", "KASAN: slab-out-of-bounds Read in pond_fill");
    assert!(s >= 0.9, "{s}");
}

#[test]
fn vague_endings_say_little() {
    let out_of_memory = "kernel panic: Out of memory and no killable processes...";
    assert!((0.2..0.5).contains(&same(out_of_memory, "memory leak in pond_alloc")));
    assert!((0.05..0.2).contains(&same(out_of_memory, "KASAN: use-after-free Read in pond_fill")));
    let s = same("lost connection to test machine", "KASAN: use-after-free Read in foo");
    assert!((0.1..0.5).contains(&s));
}

#[test]
fn the_script_is_the_judge() {
    assert!(same("exit status 1", "exit status 3") >= 0.999);
}

#[test]
fn one_title_of_two_types_compares_the_same_both_ways() {
    for trace in [&[][..], &["pond_fill", "pond_ioctl"]] {
        let mut one = report("kernel panic: fault in pond_fill");
        one.crash_type = "SYZ_FAILURE".to_owned();
        one.trace = trace.iter().map(|name| (*name).to_owned()).collect();
        let other =
            CrashReport { crash_type: String::new(), alt_titles: vec!["bad-access in pond_fill".to_owned()], ..one.clone() };
        assert_eq!(compare(&one, &other).same.to_bits(), compare(&other, &one).same.to_bits());
    }
}

#[test]
fn the_likeliest_face_counts() {
    let face = |title: &str| Face { report: report(title), trials: 1 };
    let faces = [face("WARNING in a"), face("WARNING in b")];
    assert!(relate(&report("WARNING in b"), &faces).is_some_and(|relation| relation.same >= 0.97));
    assert!(relate(&report("WARNING in b"), &[]).is_none());
}

#[test]
fn a_face_without_a_function_counts_as_far_as_it_is_like_the_others() {
    let faces = |titles: &[&str]| -> Vec<Face> { titles.iter().map(|title| Face { report: report(title), trials: 1 }).collect() };
    let stall = report("INFO: rcu detected stall in corrupted");
    let s = |titles: &[&str]| relate(&stall, &faces(titles)).map_or(f64::NAN, |relation| relation.same);
    assert!(s(&["INFO: rcu detected stall in corrupted"]) >= 0.97);
    assert!(s(&["INFO: rcu detected stall in corrupted", "INFO: rcu detected stall in pond_work"]) >= 0.5);
    assert!(s(&["INFO: rcu detected stall in corrupted", "KASAN: use-after-free Read in pond_read"]) <= 0.3);
    let smashed = report("kernel panic: corrupted stack end in corrupted");
    let s = relate(
        &smashed,
        &faces(&["kernel panic: corrupted stack end in corrupted", "KASAN: slab-out-of-bounds Write in pond_fill"]),
    );
    assert!(s.is_some_and(|relation| relation.same >= 0.5));
}

#[test]
fn a_count_of_references_that_goes_wrong_shows_in_many_ways() {
    let with =
        |title: &str, trace: &[&str]| CrashReport { trace: trace.iter().map(|&name| name.to_owned()).collect(), ..report(title) };
    let target = with(
        "KASAN: use-after-free Write in refcount_sub_and_test_checked",
        &["refcount_sub_and_test_checked", "refcount_dec_and_test_checked", "vb2_vmalloc_put", "__vb2_queue_free"],
    );
    for older in [
        "KASAN: use-after-free Write in refcount_sub_and_test",
        "general protection fault in refcount_sub_and_test",
        "BUG: unable to handle kernel NULL pointer dereference in vb2_vmalloc_put",
    ] {
        let s = compare(&report(older), &target).same;
        assert!(s >= 0.65, "{s} {older}");
    }
}

#[test]
fn reasons_name_the_evidence() {
    let reason = |seen: &str, face: &str| compare(&report(seen), &report(face)).reason;
    let both = reason("general protection fault in tcf_action_destroy", "KASAN: use-after-free Read in tcindex_set_parms");
    assert!(both.contains("both are in net/sched"), "{both}");
    let far = reason("WARNING in nsim_dev_reload_destroy", "KASAN: use-after-free Read in ext4_find_extent");
    assert!(far.contains("it is in drivers/net/netdevsim, the target in fs/ext4"), "{far}");
}

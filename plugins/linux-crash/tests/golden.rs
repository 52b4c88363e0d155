//! One console for each kind of oops, written from the kernel's own printk formats, and what it is called.

use linux_crash::report;

/// Title, type and console of each case.
const CASES: &[(&str, &str, &str)] = &[
    (
        "KASAN: use-after-free Write in dev_close",
        "KASAN-USE-AFTER-FREE-WRITE",
        "BUG: KASAN: use-after-free in dev_close+0x1/0x2\nWrite of size 4 at addr 1 by task a/1\nCall Trace:\n kasan_report+0x1/0x2\n dev_close+0x1/0x2\n",
    ),
    (
        "KASAN: invalid-free in dev_free",
        "KASAN-INVALID-FREE",
        "BUG: KASAN: double-free in dev_free+0x1/0x2\nCall Trace:\n kfree+0x1/0x2\n dev_free+0x1/0x2\n",
    ),
    (
        "KFENCE: out-of-bounds read in dev_peek",
        "KFENCE-READ",
        "BUG: KFENCE: out-of-bounds read in dev_peek+0x1/0x2\n dev_peek+0x1/0x2\n",
    ),
    (
        "KMSAN: uninit-value in dev_hash",
        "KMSAN-UNINIT-VALUE",
        "BUG: KMSAN: uninit-value in dev_hash+0x1/0x2\n dev_hash+0x1/0x2\n",
    ),
    (
        "KCSAN: data-race in a_get / a_put",
        "KCSAN-DATARACE",
        "BUG: KCSAN: data-race in a_get / a_put\n\nread to 1 of 4 bytes:\n a_get+0x1/0x2\n",
    ),
    (
        "UBSAN: shift-out-of-bounds in dev_shift",
        "UBSAN",
        "UBSAN: shift-out-of-bounds in drivers/dev.c:3:4\nshift exponent 64\nCall Trace:\n ubsan_epilogue+0x1/0x2\n dev_shift+0x1/0x2\n",
    ),
    (
        "general protection fault in dev_poll",
        "DoS",
        "general protection fault, probably for non-canonical address 0xdff: 0000 [#1] SMP KASAN\nRIP: 0010:dev_poll+0x1/0x2\nCall Trace:\n <TASK>\n vfs_poll+0x1/0x2\n",
    ),
    (
        "BUG: unable to handle kernel NULL pointer dereference in dev_poll",
        "NULL-POINTER-DEREFERENCE",
        "BUG: kernel NULL pointer dereference, address: 0000000000000008\n#PF: supervisor read access in kernel mode\nRIP: 0010:dev_poll+0x1/0x2\n",
    ),
    (
        "BUG: unable to handle kernel NULL pointer dereference in dev_poll",
        "NULL-POINTER-DEREFERENCE",
        "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000008\npc : dev_poll+0x1/0x2\nCall trace:\n dev_poll+0x1/0x2\n",
    ),
    (
        "BUG: unable to handle kernel paging request in dev_poll",
        "MEMORY_SAFETY_BUG",
        "BUG: unable to handle page fault for address: ffffc90000000000\n#PF: supervisor write access in kernel mode\nRIP: 0010:dev_poll+0x1/0x2\n",
    ),
    ("divide error in dev_rate", "DoS", "divide error: 0000 [#1] SMP\nRIP: 0010:dev_rate+0x1/0x2\n"),
    (
        "kernel BUG in dev_stop",
        "BUG",
        "kernel BUG at drivers/dev.c:12!\ninvalid opcode: 0000 [#1] SMP\nRIP: 0010:dev_stop+0x1/0x2\n",
    ),
    (
        "BUG: corrupted list in dev_unlink",
        "MEMORY_SAFETY_BUG",
        "list_del corruption, 1->next is NULL\nkernel BUG at lib/list_debug.c:53!\nRIP: 0010:__list_del_entry_valid+0x1/0x2\nCall Trace:\n dev_unlink+0x1/0x2\n",
    ),
    (
        "WARNING in dev_start",
        "WARNING",
        "WARNING: CPU: 1 PID: 2 at drivers/dev.c:12 dev_start+0x1/0x2\nCall Trace:\n dev_open+0x1/0x2\n",
    ),
    (
        "WARNING in dev_start",
        "WARNING",
        "WARNING: drivers/dev.c:12 at dev_start+0x1/0x2, CPU#1: a/1\nCall Trace:\n dev_open+0x1/0x2\n",
    ),
    (
        "WARNING: refcount bug in dev_put",
        "REFCOUNT_WARNING",
        "refcount_t: underflow; use-after-free.\nWARNING: CPU: 0 PID: 1 at lib/refcount.c:28 refcount_warn_saturate+0x1/0x2\nCall Trace:\n dev_put+0x1/0x2\n",
    ),
    (
        "WARNING: ODEBUG bug in dev_free",
        "WARNING",
        "ODEBUG: free active (active state 0) object type: timer_list hint: f+0x0/0x1\nWARNING: CPU: 0 PID: 1 at lib/debugobjects.c:500 debug_print_object+0x1/0x2\nCall Trace:\n kfree+0x1/0x2\n dev_free+0x1/0x2\n",
    ),
    (
        "possible deadlock in dev_lock",
        "LOCKDEP",
        "WARNING: possible circular locking dependency detected\na/1 is trying to acquire lock:\n1 (&a){+.+.}-{3:3}, at: dev_lock+0x1/0x2\nstack backtrace:\nCall Trace:\n __lock_acquire+0x1/0x2\n mutex_lock_nested+0x1/0x2\n dev_lock+0x1/0x2\n",
    ),
    (
        "inconsistent lock state in dev_irq",
        "LOCKDEP",
        "WARNING: inconsistent lock state\nstack backtrace:\nCall Trace:\n mark_lock+0x1/0x2\n _raw_spin_lock+0x1/0x2\n dev_irq+0x1/0x2\n",
    ),
    (
        "WARNING: suspicious RCU usage in dev_find",
        "LOCKDEP",
        "WARNING: suspicious RCU usage\nstack backtrace:\nCall Trace:\n lockdep_rcu_suspicious+0x1/0x2\n dev_find+0x1/0x2\n",
    ),
    (
        "BUG: sleeping function called from invalid context in dev_wait",
        "ATOMIC_SLEEP",
        "BUG: sleeping function called from invalid context at mm/slab.h:1\nCall Trace:\n __might_resched+0x1/0x2\n dev_wait+0x1/0x2\n",
    ),
    (
        "INFO: task hung in dev_flush",
        "HANG",
        "INFO: task a:12 blocked for more than 143 seconds.\nCall Trace:\n __schedule+0x1/0x2\n schedule+0x1/0x2\n dev_flush+0x1/0x2\n",
    ),
    (
        "INFO: rcu detected stall in dev_spin",
        "HANG",
        "rcu: INFO: rcu_preempt self-detected stall on CPU\nCall Trace:\n <IRQ>\n asm_sysvec_apic_timer_interrupt+0x1/0x2\n dev_spin+0x1/0x2\n vfs_ioctl+0x1/0x2\n",
    ),
    (
        "BUG: soft lockup in dev_spin",
        "HANG",
        "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [a:1]\nRIP: 0010:cpu_relax+0x1/0x2\nCall Trace:\n dev_spin+0x1/0x2\n process_one_work+0x1/0x2\n",
    ),
    (
        "memory leak in dev_open",
        "LEAK",
        "BUG: memory leak\nunreferenced object 0x1 (size 8):\n  backtrace:\n    [<0000000012345678>] kmalloc+0x1/0x2\n    [<0000000012345678>] dev_open+0x1/0x2\n",
    ),
    ("kernel panic: sysrq triggered crash", "DoS", "sysrq: Trigger a crash\nKernel panic - not syncing: sysrq triggered crash\n"),
    (
        "unregister_netdevice: waiting for DEV to become free",
        "DoS",
        "unregister_netdevice: waiting for lo to become free. Usage count = 2\n",
    ),
];

#[test]
fn titles_and_types() {
    for (title, kind, console) in CASES {
        let reports = report::reports(console.as_bytes());
        assert_eq!(reports.len(), 1, "{title}: {reports:?}");
        assert_eq!((reports[0].title.as_str(), reports[0].crash_type.as_str()), (*title, *kind), "{console}");
    }
}

#[test]
fn a_prefix_changes_nothing() {
    for prefix in ["[    1.000000] ", "[    1.000000][    T1] ", "<4>[    1.000000] ", "Nov 21 07:37:00 host kernel: "] {
        for (title, _, console) in CASES {
            let prefixed: String = console.lines().map(|line| format!("{prefix}{line}\r\n")).collect();
            let reports = report::reports(prefixed.as_bytes());
            assert_eq!(reports.first().map(|report| report.title.as_str()), Some(*title), "{prefix}");
        }
    }
}

#[test]
fn noise_is_no_crash() {
    for line in [
        "Kernel command line: panic=1 oops=panic panic_on_warn=1",
        "Booting the kernel.",
        "lockdep: debug: BUGS are rare",
        "/usr/src/BUG: no such file",
        "DEBUG: all is well",
        "WARNING: The mand mount option is being deprecated",
        "INFO: lockdep is turned off.",
        "rcu: INFO: start of a new grace period",
    ] {
        let found = report::reports(format!("{line}\n").as_bytes());
        assert!(found.is_empty(), "{line}: {found:?}");
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
        let reports = report::reports(console.as_bytes());
        assert_eq!(reports[0].guilty_file.as_deref(), file, "{console}");
    }
}

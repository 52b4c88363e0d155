//! Crash types: syzkaller's vocabulary, read off a title.
//!
//! The type is the title's alone, so that a title without a console (from a report or a user) has one too. A new kind of title
//! needs a row here only if none of the prefixes fits.

/// Type of a crash by its title; empty when nothing is known of it.
#[must_use]
pub fn of(title: &str) -> &'static str {
    TYPES.iter().find(|(head, part, _)| title.starts_with(head) && title.contains(part)).map_or("", |(_, _, kind)| kind)
}

/// Beginning of the title, text that must be in it, type. The first row that fits counts.
const TYPES: &[(&str, &str, &str)] = &[
    ("exit status ", "", "EXIT"),
    ("KASAN: invalid-free", "", "KASAN-INVALID-FREE"),
    ("KASAN: double-free", "", "KASAN-INVALID-FREE"),
    ("KASAN: null-ptr-deref", " Write", "KASAN-NULL-POINTER-DEREFERENCE-WRITE"),
    ("KASAN: null-ptr-deref", "", "KASAN-NULL-POINTER-DEREFERENCE-READ"),
    ("KASAN: ", "use-after-free Write", "KASAN-USE-AFTER-FREE-WRITE"),
    ("KASAN: ", "use-after-free", "KASAN-USE-AFTER-FREE-READ"),
    ("KASAN: ", " Write", "KASAN-WRITE"),
    ("KASAN: ", " Read", "KASAN-READ"),
    ("KASAN: ", "-out-of-bounds", "KASAN-READ"),
    ("KASAN: ", "-access", "KASAN-READ"),
    ("KASAN: ", "", "KASAN-UNKNOWN"),
    ("KFENCE: memory corruption", "", "KFENCE-MEMORY-CORRUPTION"),
    ("KFENCE: invalid free", "", "KFENCE-INVALID-FREE"),
    ("KFENCE: use-after-free", "write", "KFENCE-USE-AFTER-FREE-WRITE"),
    ("KFENCE: use-after-free", "", "KFENCE-USE-AFTER-FREE-READ"),
    ("KFENCE: ", " write ", "KFENCE-WRITE"),
    ("KFENCE: ", " read ", "KFENCE-READ"),
    ("KFENCE: ", "", "KFENCE-UNKNOWN"),
    ("KMSAN: uninit-value", "", "KMSAN-UNINIT-VALUE"),
    ("KMSAN: kernel-", "infoleak", "KMSAN-INFO-LEAK"),
    ("KMSAN: use-after-free", "", "KMSAN-USE-AFTER-FREE-READ"),
    ("KMSAN: ", "", "KMSAN-UNKNOWN"),
    ("KCSAN: data-race", "", "KCSAN-DATARACE"),
    ("KCSAN: assert", "", "KCSAN-ASSERT"),
    ("KCSAN: ", "", "KCSAN-UNKNOWN"),
    ("UBSAN: array-index", "", "MEMORY_SAFETY_UBSAN"),
    ("UBSAN: ", "", "UBSAN"),
    ("memory leak", "", "LEAK"),
    ("WARNING: refcount bug", "", "REFCOUNT_WARNING"),
    ("BUG: unable to handle kernel NULL pointer", "", "NULL-POINTER-DEREFERENCE"),
    ("BUG: unable to handle kernel paging", "", "MEMORY_SAFETY_BUG"),
    ("BUG: corrupted list", "", "MEMORY_SAFETY_BUG"),
    ("BUG: bad usercopy", "", "BUG"),
    ("kernel BUG", "", "BUG"),
    ("BUG: scheduling while atomic", "", "ATOMIC_SLEEP"),
    ("BUG: sleeping function", "", "ATOMIC_SLEEP"),
    ("BUG: soft lockup", "", "HANG"),
    ("BUG: hard lockup", "", "HANG"),
    ("INFO: rcu detected stall", "", "HANG"),
    ("INFO: task hung", "", "HANG"),
    ("INFO: task can't die", "", "HANG"),
    ("BUG: using ", "preemptible", "LOCKDEP"),
    ("BUG: bad unlock balance", "", "LOCKDEP"),
    ("BUG: held lock freed", "", "LOCKDEP"),
    ("BUG: still has locks held", "", "LOCKDEP"),
    ("BUG: spinlock", "", "LOCKDEP"),
    ("BUG: rwlock", "", "LOCKDEP"),
    ("possible deadlock", "", "LOCKDEP"),
    ("inconsistent lock state", "", "LOCKDEP"),
    ("WARNING: locking bug", "", "LOCKDEP"),
    ("WARNING: suspicious RCU usage in", "", "LOCKDEP"),
    ("WARNING: bad unlock balance", "", "LOCKDEP"),
    ("WARNING: held lock freed", "", "LOCKDEP"),
    ("WARNING: still has locks held", "", "LOCKDEP"),
    ("WARNING: lock held when returning", "", "LOCKDEP"),
    ("WARNING: nested lock", "", "LOCKDEP"),
    ("WARNING: kernel stack", "", ""),
    ("WARNING", "", "WARNING"),
    ("unexpected kernel reboot", "", "REBOOT"),
    ("SYZFAIL", "", "SYZ_FAILURE"),
    ("SYZFATAL", "", "SYZ_FAILURE"),
    ("lost connection to test machine", "", "LOST_CONNECTION"),
    ("no output from test machine", "", "NO_OUTPUT"),
    ("BUG: Object already free", "", "DoS"),
    ("general protection fault", "", "DoS"),
    ("stack segment fault", "", "DoS"),
    ("divide error", "", "DoS"),
    ("int3", "", "DoS"),
    ("invalid opcode", "", "DoS"),
    ("PANIC: ", "", "DoS"),
    ("kernel panic", "", "DoS"),
    ("kernel stack overflow", "", "DoS"),
    ("panic: ", "", "DoS"),
    ("go runtime error", "", "DoS"),
    ("Unhandled fault", "", "DoS"),
    ("Alignment trap", "", "DoS"),
    ("Internal error", "", "DoS"),
    ("trusty: ", "", "DoS"),
    ("unregister_netdevice", "", "DoS"),
    ("VFS: ", "use-after-free", "DoS"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_types_off_titles() {
        assert_eq!(of("KASAN: slab-use-after-free Write in f"), "KASAN-USE-AFTER-FREE-WRITE");
        assert_eq!(of("WARNING in f"), "WARNING");
        assert_eq!(of("exit status 1"), "EXIT");
        assert_eq!(of("something else"), "");
    }
}

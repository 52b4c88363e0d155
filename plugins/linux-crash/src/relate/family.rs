//! Families of crashes: one bug shows in several ways, but not in any. Pure.

/// In what way something went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Memory that is not what it should be: use after free, bounds, corruption, counts of references, and the faults that follow.
    Memory,
    /// Nothing goes on: hangs, stalls, lockups.
    Stuck,
    /// Locks taken in the wrong order, place or state.
    Locks,
    /// A check in the code failed: WARNING, BUG.
    Check,
    /// Memory that nobody frees.
    Leak,
    /// Values that nobody set.
    Uninitialised,
    /// Two threads at one place.
    Race,
    /// Arithmetic out of its bounds.
    Arithmetic,
    /// Endings that say little: the machine is gone, and nobody knows why.
    Vague,
    /// The machinery of the test broke, or a detector is full.
    Machinery,
    /// Something else.
    Other,
}

/// The family of a crash, by its title and type.
#[must_use]
pub fn of(title: &str, kind: &str) -> Family {
    if let Some((_, family)) = HEADS.iter().find(|(head, _)| title.contains(head)) {
        return *family;
    }
    match kind {
        "HANG" => Family::Stuck,
        "LOCKDEP" | "ATOMIC_SLEEP" => Family::Locks,
        "LEAK" => Family::Leak,
        "WARNING" | "BUG" => Family::Check,
        "LOST_CONNECTION" | "NO_OUTPUT" | "REBOOT" => Family::Vague,
        "SYZ_FAILURE" => Family::Machinery,
        "DoS" | "MEMORY_SAFETY_BUG" | "NULL-POINTER-DEREFERENCE" | "REFCOUNT_WARNING" => Family::Memory,
        _ if kind.contains("UBSAN") => Family::Arithmetic,
        _ if kind.starts_with("KASAN") || kind.starts_with("KFENCE") => Family::Memory,
        _ if kind.starts_with("KMSAN") => Family::Uninitialised,
        _ if kind.starts_with("KCSAN") => Family::Race,
        _ => Family::Other,
    }
}

/// Parts of titles that tell more than the type does.
const HEADS: &[(&str, Family)] = &[
    ("SYZFAIL", Family::Machinery),
    ("SYZFATAL", Family::Machinery),
    ("MAX_LOCK", Family::Machinery),
    ("MAX_STACK_TRACE_ENTRIES", Family::Machinery),
    ("ssh", Family::Machinery),
    ("ut of memory", Family::Machinery),
    ("lost connection", Family::Vague),
    ("no output from test machine", Family::Vague),
    ("ODEBUG", Family::Memory),
    ("refcount bug", Family::Memory),
    ("corrupted list", Family::Memory),
    ("corruption", Family::Memory),
    ("stack is corrupted", Family::Memory),
    ("corrupted stack", Family::Memory),
    ("non-static key", Family::Memory),
    ("Bad page", Family::Memory),
    ("BUG: bad", Family::Memory),
    ("unable to handle", Family::Memory),
    ("general protection fault", Family::Memory),
    ("divide error", Family::Arithmetic),
    ("UBSAN: array-index", Family::Memory),
    ("memory leak", Family::Leak),
    ("spinlock lockup", Family::Stuck),
    ("unregister_netdevice", Family::Stuck),
    ("workqueue lockup", Family::Stuck),
];

/// How well one bug may show in both families, 0 to 1.
#[must_use]
pub fn kinship(one: Family, other: Family) -> f64 {
    use Family::Arithmetic;
    use Family::Check;
    use Family::Leak;
    use Family::Locks;
    use Family::Memory;
    use Family::Race;
    use Family::Stuck;
    use Family::Uninitialised;
    if one == other {
        return if matches!(one, Family::Other | Family::Vague | Family::Machinery) { 0.5 } else { 1.0 };
    }
    match (one, other) {
        (Memory, Check) | (Check, Memory) | (Stuck, Locks) | (Locks, Stuck) => 0.7,
        (Memory, Uninitialised | Arithmetic | Race) | (Uninitialised | Arithmetic | Race, Memory) => 0.5,
        (Check, Stuck | Locks | Race | Arithmetic) | (Stuck | Locks | Race | Arithmetic, Check) => 0.3,
        (Memory, Stuck | Locks) | (Stuck | Locks, Memory) => 0.3,
        (Leak, _) | (_, Leak) => 0.0,
        _ => 0.2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_tell_more_than_types() {
        assert_eq!(of("WARNING: ODEBUG bug in x", "WARNING"), Family::Memory);
        assert_eq!(of("WARNING in x", "WARNING"), Family::Check);
        assert_eq!(of("BUG: MAX_LOCKDEP_KEYS too low!", "BUG"), Family::Machinery);
        assert_eq!(of("KASAN: use-after-free Read in x", "KASAN-USE-AFTER-FREE-READ"), Family::Memory);
    }

    #[test]
    fn kinship_goes_both_ways() {
        use Family::*;
        let all = [Memory, Stuck, Locks, Check, Leak, Uninitialised, Race, Arithmetic, Vague, Machinery, Other];
        for one in all {
            for other in all {
                assert!((kinship(one, other) - kinship(other, one)).abs() < 1e-12, "{one:?} {other:?}");
                assert!(kinship(one, other) <= kinship(one, one).max(kinship(other, other)));
            }
        }
    }
}

//! Families of crashes: one bug shows in several ways, but not in any. Pure.

/// In what way something went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Something used after its end, or ended twice: use after free, counts of references, lists and timers of freed objects.
    Lifetime,
    /// Accesses beside an object.
    Bounds,
    /// Accesses where nothing is: a pointer that is garbage, or was.
    Wild,
    /// Accesses through a pointer that is null.
    Null,
    /// Nothing goes on: hangs, stalls, lockups.
    Stuck,
    /// Locks taken in an order that may end in a deadlock.
    Deadlock,
    /// Locks used in the wrong state or place: not held, not known, held while sleeping.
    Locking,
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
        "LOCKDEP" | "ATOMIC_SLEEP" => Family::Locking,
        "LEAK" => Family::Leak,
        "WARNING" | "BUG" => Family::Check,
        "LOST_CONNECTION" | "NO_OUTPUT" | "REBOOT" => Family::Vague,
        "SYZ_FAILURE" => Family::Machinery,
        "REFCOUNT_WARNING" => Family::Lifetime,
        "NULL-POINTER-DEREFERENCE" => Family::Null,
        "DoS" | "MEMORY_SAFETY_BUG" => Family::Wild,
        _ if kind.contains("USE-AFTER-FREE") || kind.contains("INVALID-FREE") => Family::Lifetime,
        _ if kind.contains("NULL-POINTER") => Family::Null,
        _ if kind.starts_with("KASAN") || kind.starts_with("KFENCE") => Family::Bounds,
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
    ("possible deadlock", Family::Deadlock),
    ("ODEBUG", Family::Lifetime),
    // What older kernels call a refcount bug: the warning is in the counter itself.
    ("WARNING in refcount_", Family::Lifetime),
    ("WARNING in kref_", Family::Lifetime),
    ("refcount bug", Family::Lifetime),
    ("corrupted list", Family::Lifetime),
    ("invalid-free", Family::Lifetime),
    ("double-free", Family::Lifetime),
    ("use-after-free", Family::Lifetime),
    ("stack is corrupted", Family::Bounds),
    ("corrupted stack", Family::Bounds),
    ("UBSAN: array-index", Family::Bounds),
    ("UBSAN", Family::Arithmetic),
    ("out-of-bounds", Family::Bounds),
    ("stack guard page", Family::Bounds),
    ("null-ptr-deref", Family::Null),
    ("NULL pointer dereference", Family::Null),
    ("corruption", Family::Lifetime),
    ("non-static key", Family::Locking),
    ("Bad page", Family::Lifetime),
    ("BUG: bad", Family::Wild),
    ("unable to handle", Family::Wild),
    ("general protection fault", Family::Wild),
    ("stack segment fault", Family::Wild),
    ("divide error", Family::Arithmetic),
    ("memory leak", Family::Leak),
    ("spinlock lockup", Family::Stuck),
    ("unregister_netdevice", Family::Stuck),
    ("workqueue lockup", Family::Stuck),
];

/// How well one bug may show in both families, 0 to 1.
///
/// General knowledge, held against the first half of `tests/pairs`: of two crashes in one subsystem that both are of use after free,
/// five of six were one bug; of a use after free and a WARNING, one of six.
#[must_use]
pub fn kinship(one: Family, other: Family) -> f64 {
    if one == other {
        return match one {
            Family::Other | Family::Vague | Family::Machinery | Family::Check => 0.5,
            Family::Bounds | Family::Uninitialised | Family::Race | Family::Arithmetic | Family::Locking => 0.7,
            _ => 1.0,
        };
    }
    if one == Family::Leak || other == Family::Leak {
        return 0.0;
    }
    let row = KIN.iter().find(|(these, those, _)| (*these, *those) == (one, other) || (*those, *these) == (one, other));
    row.map_or(0.1, |(_, _, kinship)| *kinship)
}

/// Families that go together; others hardly do.
const KIN: &[(Family, Family, f64)] = &[
    (Family::Lifetime, Family::Wild, 0.7),
    (Family::Lifetime, Family::Null, 0.5),
    (Family::Lifetime, Family::Bounds, 0.4),
    (Family::Lifetime, Family::Locking, 0.5),
    (Family::Lifetime, Family::Check, 0.2),
    (Family::Lifetime, Family::Race, 0.3),
    (Family::Lifetime, Family::Uninitialised, 0.3),
    (Family::Lifetime, Family::Stuck, 0.3),
    (Family::Wild, Family::Null, 0.9),
    (Family::Wild, Family::Bounds, 0.6),
    (Family::Wild, Family::Check, 0.3),
    (Family::Wild, Family::Locking, 0.4),
    (Family::Wild, Family::Uninitialised, 0.3),
    (Family::Null, Family::Bounds, 0.3),
    (Family::Null, Family::Check, 0.3),
    (Family::Null, Family::Locking, 0.4),
    (Family::Bounds, Family::Arithmetic, 0.5),
    (Family::Bounds, Family::Uninitialised, 0.3),
    (Family::Stuck, Family::Deadlock, 0.8),
    (Family::Stuck, Family::Locking, 0.2),
    (Family::Deadlock, Family::Locking, 0.4),
    (Family::Check, Family::Locking, 0.2),
    (Family::Check, Family::Stuck, 0.2),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_tell_more_than_types() {
        assert_eq!(of("WARNING: ODEBUG bug in x", "WARNING"), Family::Lifetime);
        assert_eq!(of("WARNING in x", "WARNING"), Family::Check);
        assert_eq!(of("WARNING in refcount_dec", "WARNING"), Family::Lifetime);
        assert_eq!(of("BUG: MAX_LOCKDEP_KEYS too low!", "BUG"), Family::Machinery);
        assert_eq!(of("KASAN: use-after-free Read in x", "KASAN-USE-AFTER-FREE-READ"), Family::Lifetime);
    }

    #[test]
    fn kinship_goes_both_ways() {
        use Family::*;
        let all = [
            Lifetime,
            Bounds,
            Wild,
            Null,
            Stuck,
            Deadlock,
            Locking,
            Check,
            Leak,
            Uninitialised,
            Race,
            Arithmetic,
            Vague,
            Machinery,
            Other,
        ];
        for one in all {
            for other in all {
                assert!((kinship(one, other) - kinship(other, one)).abs() < 1e-12, "{one:?} {other:?}");
                assert!((0.0..=1.0).contains(&kinship(one, other)));
            }
        }
    }
}

//! Families of crashes: one bug shows in several ways, but not in any. Pure.

use super::names;
use super::vocabulary;
use crate::skip;

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
    /// Locks in a wrong state: not held, not known, freed.
    Locking,
    /// Code that runs where it must not: sleeps in an atomic context, reads without RCU's protection.
    Context,
    /// A check in the code failed: WARNING, BUG.
    Check,
    /// A check failed where an object's life ends, or its count of users goes up or down.
    Count,
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
    if let Some(family) = guarded(title) {
        return family;
    }
    match kind {
        "HANG" => Family::Stuck,
        "ATOMIC_SLEEP" => Family::Context,
        "LOCKDEP" => Family::Locking,
        "LEAK" => Family::Leak,
        "WARNING" | "BUG" => Family::Check,
        _ if title.starts_with("kernel BUG at ") => Family::Check,
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
    ("ut of memory", Family::Vague),
    ("deadlocked on memory", Family::Vague),
    ("lost connection", Family::Vague),
    ("no output from test machine", Family::Vague),
    ("possible deadlock", Family::Deadlock),
    // An interrupt that wants the lock would wait for the one that it interrupted.
    ("inconsistent lock state", Family::Deadlock),
    ("spinlock recursion", Family::Deadlock),
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
    ("sleeping function called", Family::Context),
    ("suspicious RCU usage", Family::Context),
    ("scheduling while atomic", Family::Context),
    ("smp_processor_id() in preemptible", Family::Context),
    ("assuming atomic context", Family::Context),
    ("held when returning", Family::Context),
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

/// What a failed check of one that checks objects, not states, means.
fn guarded(title: &str) -> Option<Family> {
    let failed = ["WARNING in ", "kernel BUG in ", "kernel BUG at "].iter().find_map(|head| title.strip_prefix(head))?;
    let place = failed.split([' ', ':']).next()?;
    let says_nothing = place.contains('/') || vocabulary::is_on_the_way(place);
    let ends = || !says_nothing && names::words(place).iter().any(|word| ENDS.split_whitespace().any(|end| end == *word));
    let guards = |places: &str| places.split_whitespace().any(|pattern| skip::matches(pattern, place));
    let guard = GUARDS.iter().find(|(_, places)| guards(places));
    guard.map(|(family, _)| *family).or_else(|| ends().then_some(Family::Count))
}

/// Words for the end of an object's life, and for its count of users.
const ENDS: &str = "get put ref unref hold grab drop dec inc release free destroy destruct destructor cleanup clean exit done kill \
    fini teardown dispose purge shutdown close disconnect unlink del delete remove detach unregister uninit deactivate drain";

/// Functions and files whose checks fail where memory was misused before: an allocator that is given what it never gave, a list whose
/// neighbours are gone, an address that is none, a buffer that is too short for its header.
const GUARDS: &[(Family, &str)] = &[
    (
        Family::Lifetime,
        "kfree kfree_* kvfree vfree __vfree __vunmap kmem_cache_free* __kmem_cache_free ___cache_free cache_free* cache_from_obj \
         __slab_free free_large_kmalloc __free_slab __list_add* __list_del* ida_free ida_remove idr_remove ref_tracker_* \
         debug_print_object __put_task_struct __put_cred __invalid_creds put_page __put_page free_netdev \
         mm/slub.c mm/slab.c mm/slab.h mm/slab_common.c mm/vmalloc.c lib/list_debug.c lib/refcount.c lib/kobject.c lib/idr.c \
         lib/ref_tracker.c lib/debugobjects.c kernel/cred.c kernel/time/timer.c include/linux/mm.h include/linux/page-flags.h \
         include/linux/page_ref.h",
    ),
    (Family::Wild, "__phys_addr* __virt_to_phys* arch/x86/mm/physaddr.c arch/arm64/mm/physaddr.c"),
    (
        Family::Bounds,
        "skb_panic skb_over_panic skb_under_panic skb_put skb_push skb_pull __skb_pull pskb_expand_head usercopy_abort \
         __check_object_size __check_heap_object fortify_panic __fortify_* net/core/skbuff.c include/linux/skbuff.h mm/usercopy.c \
         lib/string.c lib/string_helpers.c",
    ),
];

/// Whether a bug that shows as this may end a run so that nothing else is seen of it: a hang in silence; what uses up memory or stack,
/// be it a leak or a recursion, when no memory is left.
#[must_use]
pub fn may_end(title: &str, family: Family, ending: &str) -> bool {
    let of_memory = ending.contains("memory");
    let of_stack = || ["corrupted stack end", "stack guard page", "stack-overflow"].iter().any(|head| title.contains(head));
    if of_memory { family == Family::Leak || of_stack() } else { family == Family::Stuck }
}

/// How well one bug may show in both families in one function, 0 to 1: one wrong access or state under several detectors.
#[must_use]
pub fn at_one_place(one: Family, other: Family) -> f64 {
    if one == other {
        return 1.0;
    }
    let row = KIN.iter().find(|(these, those, _)| (*these, *those) == (one, other) || (*those, *these) == (one, other));
    row.map_or(STRANGE, |(_, _, kinship)| *kinship)
}

/// How well one bug may show in both families in different functions, 0 to 1: an object that is freed too early is used in many places,
/// a missing check is missing in one.
#[must_use]
pub fn elsewhere(one: Family, other: Family) -> f64 {
    let spread = |family: Family| SPREAD.iter().find(|(known, _)| *known == family).map_or(0.4, |(_, spread)| *spread);
    at_one_place(one, other) * (spread(one) * spread(other)).sqrt()
}

/// Kinship of families that hardly go together.
const STRANGE: f64 = 0.1;

/// How far the crashes of one bug spread over the functions of its code: general knowledge, held against how often two crashes in one
/// module were one bug, in the first set of `tests/pairs` and in real bisections.
const SPREAD: &[(Family, f64)] = &[
    (Family::Lifetime, 1.0),
    (Family::Stuck, 0.8),
    (Family::Null, 0.75),
    (Family::Deadlock, 0.7),
    (Family::Locking, 0.7),
    (Family::Context, 0.7),
    (Family::Count, 0.6),
    (Family::Wild, 0.5),
    (Family::Uninitialised, 0.5),
    (Family::Bounds, 0.35),
    (Family::Arithmetic, 0.3),
    (Family::Check, 0.25),
    (Family::Leak, 0.2),
    (Family::Race, 0.2),
];

/// Families that go together; others hardly do.
const KIN: &[(Family, Family, f64)] = &[
    (Family::Lifetime, Family::Wild, 1.0),
    (Family::Lifetime, Family::Null, 0.9),
    (Family::Lifetime, Family::Bounds, 0.8),
    (Family::Lifetime, Family::Count, 0.6),
    (Family::Lifetime, Family::Uninitialised, 0.7),
    (Family::Lifetime, Family::Locking, 0.5),
    (Family::Lifetime, Family::Check, 0.4),
    (Family::Lifetime, Family::Stuck, 0.4),
    (Family::Lifetime, Family::Race, 0.3),
    (Family::Lifetime, Family::Leak, 0.0),
    (Family::Wild, Family::Null, 1.0),
    (Family::Wild, Family::Bounds, 0.9),
    (Family::Wild, Family::Uninitialised, 0.6),
    (Family::Wild, Family::Count, 0.5),
    (Family::Wild, Family::Check, 0.4),
    (Family::Wild, Family::Locking, 0.4),
    (Family::Wild, Family::Arithmetic, 0.2),
    (Family::Null, Family::Bounds, 0.6),
    (Family::Null, Family::Count, 0.5),
    (Family::Null, Family::Check, 0.4),
    (Family::Null, Family::Locking, 0.4),
    (Family::Null, Family::Arithmetic, 0.2),
    (Family::Bounds, Family::Arithmetic, 0.5),
    (Family::Bounds, Family::Uninitialised, 0.5),
    (Family::Bounds, Family::Check, 0.4),
    (Family::Stuck, Family::Deadlock, 0.9),
    (Family::Stuck, Family::Locking, 0.3),
    (Family::Stuck, Family::Count, 0.3),
    (Family::Stuck, Family::Check, 0.2),
    (Family::Deadlock, Family::Locking, 0.5),
    (Family::Deadlock, Family::Context, 0.3),
    (Family::Locking, Family::Context, 0.3),
    (Family::Check, Family::Count, 0.7),
    (Family::Check, Family::Locking, 0.3),
    (Family::Count, Family::Locking, 0.4),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind;

    #[test]
    fn titles_tell_more_than_types() {
        assert_eq!(of("WARNING: ODEBUG bug in x", "WARNING"), Family::Lifetime);
        assert_eq!(of("WARNING in x", "WARNING"), Family::Check);
        assert_eq!(of("WARNING in refcount_dec", "WARNING"), Family::Lifetime);
        assert_eq!(of("BUG: MAX_LOCKDEP_KEYS too low!", "BUG"), Family::Machinery);
        assert_eq!(of("KASAN: use-after-free Read in x", "KASAN-USE-AFTER-FREE-READ"), Family::Lifetime);
    }

    #[test]
    fn what_a_failed_check_guards_tells_its_family() {
        for (title, family) in [
            ("WARNING in kfree", Family::Lifetime),
            ("kernel BUG at mm/slub.c:LINE!", Family::Lifetime),
            ("kernel BUG in __list_del_entry_valid", Family::Lifetime),
            ("kernel BUG at include/linux/page-flags.h:LINE!", Family::Lifetime),
            ("kernel BUG in __phys_addr", Family::Wild),
            ("kernel BUG in skb_panic", Family::Bounds),
            ("kernel BUG at lib/string.c:LINE!", Family::Bounds),
            ("WARNING in pond_put", Family::Count),
            ("WARNING in pond_cleanup_net", Family::Count),
            ("WARNING in pond_outlet", Family::Check),
            ("kernel BUG at net/pond/fish.c:LINE!", Family::Check),
            ("kernel BUG at net/pond/release.c:LINE!", Family::Check),
        ] {
            assert_eq!(of(title, "BUG"), family, "{title}");
        }
        assert_eq!(of("kernel BUG at net/pond/fish.c:LINE!", ""), Family::Check);
    }

    #[test]
    fn a_lock_that_interrupts_take_is_a_deadlock() {
        assert_eq!(of("inconsistent lock state in pond_fill", "LOCKDEP"), Family::Deadlock);
        assert_eq!(of("BUG: spinlock recursion in pond_fill", "LOCKDEP"), Family::Deadlock);
        assert_eq!(of("WARNING: suspicious RCU usage in pond_fill", "LOCKDEP"), Family::Context);
        assert_eq!(of("WARNING: bad unlock balance in pond_fill", "LOCKDEP"), Family::Locking);
    }

    #[test]
    fn endings_go_with_what_uses_up_the_machine() {
        let ends = |title: &str, ending: &str| may_end(title, of(title, kind::of(title)), ending);
        let (memory, silence) = ("kernel panic: Out of memory and no killable processes...", "no output from test machine");
        assert!(ends("memory leak in pond_alloc", memory));
        assert!(ends("kernel panic: corrupted stack end in pond_dig", memory));
        assert!(!ends("KASAN: use-after-free Read in pond_fill", memory));
        assert!(ends("INFO: task hung in pond_fill", silence));
        assert!(!ends("memory leak in pond_alloc", silence));
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
            Context,
            Check,
            Count,
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
                for kinship in [at_one_place, elsewhere] {
                    assert!((kinship(one, other) - kinship(other, one)).abs() < 1e-12, "{one:?} {other:?}");
                    assert!((0.0..=1.0).contains(&kinship(one, other)));
                }
            }
        }
    }
}

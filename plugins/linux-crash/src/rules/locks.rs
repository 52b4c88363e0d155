//! Lock and context checkers: lockdep, RCU usage, sleeping in atomic context, spinlock debugging.

use super::HEADER;
use super::LOCKS;
use super::Row;
use super::Stack;
use super::THROUGH;
use super::TRACE_OR_LOCKS;
use super::row;

/// Work queues take locks of their own around the work.
const WORK: &str = "process_one_work process_scheduled_works";

/// A reader of RCU that does not end shows no other function.
const RCU_READER: &str = "rcu_lock_acquire";

const DEADLOCK: &str = "possible deadlock in {frame}";

/// A cycle of locks: lockdep's whole story, from where the last lock was to be taken on.
const fn cycle(header: &'static str) -> Row {
    row(header, DEADLOCK).also(&[", at: "]).kind("LOCKDEP").frame(LOCKS).skip(WORK)
}

/// The header of one, and nothing else.
const fn torn_cycle(header: &'static str, title: &'static str) -> Row {
    row(header, title).kind("WARNING").frameless().corrupted("the locks were not printed")
}

/// An order that deadlocks when an interrupt comes: where the lock came to be used in interrupts.
const fn order(became: &'static [&'static str]) -> Row {
    row("-safe -> {any}lock order detected", DEADLOCK).also(became).kind("LOCKDEP").frame(LOCKS).skip(WORK)
}

/// Something wrong with one lock, of which the report says where it was taken.
const fn taken(header: &'static str, title: &'static str) -> Row {
    row(header, title).also(&["at: {at}{fn}+0x"]).kind("LOCKDEP").frame(HEADER)
}

const fn lock(header: &'static str, title: &'static str) -> Row {
    row(header, title).kind("LOCKDEP")
}

pub(super) const ROWS: &[Row] = &[
    cycle("possible circular locking dependency detected"),
    torn_cycle("possible circular locking dependency detected", "WARNING: possible circular locking dependency detected"),
    cycle("possible recursive locking detected"),
    torn_cycle("possible recursive locking detected", "WARNING: possible recursive locking detected"),
    cycle("possible irq lock inversion dependency detected"),
    torn_cycle("possible irq lock inversion dependency detected", "WARNING: possible irq lock inversion dependency detected"),
    order(&["which became SOFTIRQ-irq-safe at:"]),
    order(&["which became HARDIRQ-irq-safe at:"]),
    order(&["which became RECLAIM_FS-irq-safe at:"]),
    order(&[", at: "]),
    lock("inconsistent lock state", "inconsistent lock state in {frame}").frame(TRACE_OR_LOCKS),
    row("suspicious RCU usage.", "INFO: suspicious RCU usage in {frame}"),
    row("suspicious RCU usage", "WARNING: suspicious RCU usage in {frame}").also(&["stack backtrace:"]).kind("LOCKDEP"),
    row("suspicious RCU usage", "WARNING: suspicious RCU usage").kind("WARNING").frameless().corrupted("no stack follows"),
    row("INFO: trying to register non-static key", "INFO: trying to register non-static key in {frame}"),
    lock("Nested lock was not taken", "WARNING: nested lock was not taken in {frame}").frame(THROUGH),
    lock("Invalid wait context", "WARNING: locking bug in {frame}"),
    lock("WARNING: bad unlock balance detected", "WARNING: bad unlock balance in {frame}")
        .also(&["is trying to release lock", "{at}{fn}+0x"])
        .frame(HEADER),
    lock("WARNING: bad unlock balance detected", "WARNING: bad unlock balance in {frame}"),
    lock("BUG: bad unlock balance detected", "BUG: bad unlock balance in {frame}")
        .also(&["is trying to release lock", "{at}{fn}+0x"])
        .frame(HEADER),
    lock("BUG: bad unlock balance detected", "BUG: bad unlock balance in {frame}"),
    taken("WARNING: held lock freed!", "WARNING: held lock freed in {frame}"),
    taken("BUG: held lock freed!", "BUG: held lock freed in {frame}"),
    lock("WARNING: held lock freed!", "WARNING: held lock freed in {frame}"),
    lock("BUG: held lock freed!", "BUG: held lock freed in {frame}"),
    taken("WARNING: lock held when returning to user space!", "WARNING: lock held when returning to user space in {frame}")
        .keep(RCU_READER)
        .stack(Stack::None),
    taken("BUG: lock held when returning to user space!", "BUG: lock held when returning to user space in {frame}")
        .keep(RCU_READER)
        .stack(Stack::None)
        .kind(""),
    taken("WARNING: {any} still has locks held!", "WARNING: still has locks held in {frame}"),
    taken("BUG: {any} still has locks held!", "BUG: still has locks held in {frame}"),
    row("BUG: scheduling while atomic", "BUG: scheduling while atomic in {frame}").kind("ATOMIC_SLEEP"),
    row("BUG: scheduling in a non-blocking section", "BUG: scheduling in a non-blocking section in {frame}").kind("ATOMIC_SLEEP"),
    row("BUG: sleeping function called from invalid context", "BUG: sleeping function called from invalid context in {frame}")
        .kind("ATOMIC_SLEEP"),
    lock("BUG: using {what:fn}() in preemptible", "BUG: using {what:fn}() in preemptible code in {frame}"),
    lock("BUG: spinlock bad magic", "BUG: spinlock bad magic in {frame}"),
    lock("BUG: spinlock recursion", "BUG: spinlock recursion in {frame}"),
    lock("BUG: spinlock lockup suspected", "BUG: spinlock lockup suspected in {frame}"),
    lock("BUG: spinlock already unlocked", "BUG: spinlock already unlocked in {frame}"),
    lock("BUG: spinlock wrong owner", "BUG: spinlock wrong owner in {frame}"),
    lock("BUG: spinlock wrong CPU", "BUG: spinlock wrong CPU in {frame}"),
    lock("BUG: rwlock bad magic", "BUG: rwlock bad magic in {frame}"),
    row("BUG: workqueue leaked atomic, lock or RCU", "BUG: workqueue leaked atomic, lock or RCU in {frame}")
        .also(&["workfn={fn}"])
        .frame(HEADER)
        .stack(Stack::None),
    row("bad: scheduling from the idle thread!", "BUG: scheduling from the idle thread in {frame}")
        .kind("ATOMIC_SLEEP")
        .skip("dequeue_task*"),
    row("BUG: workqueue leaked lock or atomic", "BUG: workqueue leaked lock or atomic in {frame}")
        .also(&["last function: {fn}"])
        .frame(HEADER)
        .stack(Stack::None),
];

//! Watchdogs: hung tasks, RCU stalls, soft and hard lockups, stuck workqueues.

use super::ANCHOR;
use super::HANG;
use super::INTERRUPTED;
use super::INTERRUPTED_OR_ANSWERING;
use super::Row;
use super::STALL;
use super::Within;
use super::row;

/// Functions a task sleeps in, whatever it waits for.
const WAITING: &str = "*sched* *wait* *mutex* *_lock* *_slowlock* __down *rwsem* *completion* *kthread* *rcu_barrier* \
     *cancel_work* *cancel_delayed_work* __flush_work* flush_work* context_switch __switch_to* __rela_dyn_start \
     ldsem_* usb_kill_*";

/// What is named whatever stands behind it: many tasks wait there when one does not go on.
const WAITED_FOR: &str = "rtnl_lock* synchronize_*";

const fn hung(header: &'static str, title: &'static str) -> Row {
    row(header, title).alt(HANG).kind("HANG").skip(WAITING).keep(WAITED_FOR)
}

const fn stalled(header: &'static str, title: &'static str) -> Row {
    row(header, title).alt(STALL).kind("HANG").frame(ANCHOR)
}

const RCU: &str = "INFO: rcu detected stall in {frame}";

pub(super) const ROWS: &[Row] = &[
    hung("INFO: task {any} blocked for more than", "INFO: task hung in {frame}"),
    // Either a report's own header, or behind its stack.
    hung("INFO: task {any} blocked on a", "INFO: task hung in {frame}").within(Within::Part),
    hung("INFO: task {any} blocked in I/O wait for more than", "INFO: task hung in {frame}"),
    hung("INFO: task {any} can't die for more than", "INFO: task can't die in {frame}"),
    hung("INFO: task ", "INFO: task hung in {frame}").also(&[" blocked for more than"]),
    // No watchdog interrupted these tasks: they are shown because they do not come to rest.
    stalled("INFO: rcu_tasks{any}detected stall", RCU),
    stalled("INFO: rcu{any}detected stall", RCU).frame(INTERRUPTED),
    stalled("INFO: rcu{any}detected expedited stalls", RCU).frame(INTERRUPTED_OR_ANSWERING),
    stalled("BUG: soft lockup", "BUG: soft lockup in {frame}"),
    stalled("Watchdog detected hard LOCKUP", "BUG: hard lockup in {frame}"),
    stalled("self-detected hard LOCKUP", "BUG: hard lockup in {frame}"),
    stalled("detected hard LOCKUP on other CPUs", "BUG: hard lockup in {frame}"),
    row("BUG: workqueue lockup", "BUG: workqueue lockup").frameless(),
    row("unregister_netdevice: waiting for", "unregister_netdevice: waiting for DEV to become free")
        .kind("DoS")
        .frameless()
        .within(Within::Part),
];

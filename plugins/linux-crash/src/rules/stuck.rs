//! Watchdogs: hung tasks, RCU stalls, soft and hard lockups, stuck workqueues.

use super::ANCHOR;
use super::HANG;
use super::Row;
use super::STALL;
use super::Within;
use super::row;

/// Functions a task sleeps in, whatever it waits for.
const WAITING: &[&str] = &[
    "*schedule*",
    "*wait_for_*",
    "*wait_on_*",
    "*mutex_lock*",
    "*down_read*",
    "*down_write*",
    "rwsem_*",
    "__down*",
    "down*",
    "*_down_*",
    "*lock_page*",
    "*folio_lock*",
    "percpu_rwsem_wait",
    "percpu_down_*",
    "__flush_work*",
    "flush_work*",
    "__flush_workqueue",
    "flush_workqueue*",
    "*cancel_work*",
    "cancel_delayed_work_sync",
    "io_wait_*",
    "bit_wait*",
    "__wait_*",
    "wait_*",
    "do_wait_*",
    "kthread_stop*",
    "__lock_sock*",
    "lock_sock_nested",
    "*rcu_barrier*",
    "context_switch",
    "__switch_to*",
    "__rela_dyn_start",
    "ldsem_*",
    "tty_ldisc_lock*",
    "console_lock*",
    "usb_start_wait_urb",
    "usb_kill_*",
    "*rtmutex*",
    "rt_mutex*",
    "__rt_mutex*",
];

const fn hung(header: &'static str, title: &'static str) -> Row {
    row(header, title).alt(HANG).kind("HANG").skip(WAITING)
}

const fn stalled(header: &'static str, title: &'static str) -> Row {
    row(header, title).alt(STALL).kind("HANG").frame(ANCHOR)
}

const RCU: &str = "INFO: rcu detected stall in {frame}";

pub(super) const ROWS: &[Row] = &[
    hung("INFO: task {any} blocked for more than", "INFO: task hung in {frame}"),
    hung("INFO: task {any} blocked on a ", "INFO: task hung in {frame}"),
    hung("INFO: task {any} blocked in I/O wait for more than", "INFO: task hung in {frame}"),
    hung("INFO: task {any} can't die for more than", "INFO: task can't die in {frame}"),
    hung("INFO: task ", "INFO: task hung in {frame}").also(&[" blocked for more than"]),
    stalled("detected stall", RCU),
    stalled("self-detected stall", RCU),
    stalled("detected expedited stalls", RCU),
    stalled("BUG: soft lockup", "BUG: soft lockup in {frame}"),
    stalled("Watchdog detected hard LOCKUP", "BUG: hard lockup in {frame}"),
    row("BUG: workqueue lockup", "BUG: workqueue lockup").kind("HANG").frameless(),
    row("unregister_netdevice: waiting for", "unregister_netdevice: waiting for DEV to become free")
        .kind("DoS")
        .frameless()
        .within(Within::Part),
];

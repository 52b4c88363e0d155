//! Watchdogs: hung tasks, RCU stalls, soft and hard lockups, stuck workqueues.

use super::ANCHOR;
use super::FORM;
use super::Form;
use super::HANG;
use super::NONE;
use super::RULE;
use super::Rule;
use super::STALL;

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
    "*cancel_work_timer",
    "__cancel_work_sync",
    "cancel_work_sync",
    "cancel_delayed_work_sync",
    "*cancel_work*",
    "io_wait_*",
    "bit_wait*",
    "__wait_*",
    "wait_*",
    "do_wait_*",
    "kthread_stop*",
    "__lock_sock",
    "*rcu_barrier*",
    "context_switch",
    "__switch_to*",
    "__rela_dyn_start",
    "ldsem_*",
    "tty_ldisc_lock*",
    "console_lock*",
    "usb_start_wait_urb",
    "usb_kill_*",
    "__lock_sock*",
    "lock_sock_nested",
    "*rtmutex*",
    "rt_mutex*",
    "__rt_mutex*",
];

const RCU: Form = Form { title: "INFO: rcu detected stall in {frame}", alt: STALL, frame: ANCHOR, ..FORM };

pub(super) const RULES: &[Rule] = &[
    Rule {
        literal: "INFO: task ",
        forms: &[
            Form {
                seen: &["INFO: task {any} blocked for more than", ""],
                title: "INFO: task hung in {frame}",
                alt: HANG,
                skip: WAITING,
                ..FORM
            },
            Form {
                seen: &["INFO: task {any} can't die for more than", ""],
                title: "INFO: task can't die in {frame}",
                alt: HANG,
                skip: WAITING,
                ..FORM
            },
            Form {
                seen: &["INFO: task ", " blocked for more than"],
                title: "INFO: task hung in {frame}",
                alt: HANG,
                skip: WAITING,
                ..FORM
            },
        ],
        ..RULE
    },
    Rule { literal: "detected stall", forms: &[Form { seen: &["detected stall"], ..RCU }], ..RULE },
    Rule { literal: "self-detected stall", forms: &[Form { seen: &["self-detected stall"], ..RCU }], ..RULE },
    Rule { literal: "detected expedited stalls", forms: &[Form { seen: &["detected expedited stalls"], ..RCU }], ..RULE },
    Rule {
        literal: "BUG: soft lockup",
        forms: &[Form { seen: &["BUG: soft lockup"], title: "BUG: soft lockup in {frame}", alt: STALL, frame: ANCHOR, ..FORM }],
        ..RULE
    },
    Rule {
        literal: "Watchdog detected hard LOCKUP",
        forms: &[Form {
            seen: &["Watchdog detected hard LOCKUP"],
            title: "BUG: hard lockup in {frame}",
            alt: STALL,
            frame: ANCHOR,
            ..FORM
        }],
        ..RULE
    },
    Rule {
        literal: "BUG: workqueue lockup",
        forms: &[Form { seen: &["BUG: workqueue lockup"], title: "BUG: workqueue lockup", frame: NONE, ..FORM }],
        ..RULE
    },
    Rule {
        literal: "unregister_netdevice: waiting for",
        forms: &[Form {
            seen: &["unregister_netdevice: waiting for"],
            title: "unregister_netdevice: waiting for DEV to become free",
            frame: NONE,
            ..FORM
        }],
        ..RULE
    },
];

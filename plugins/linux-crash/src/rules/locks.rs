//! Lock and context checkers: lockdep, RCU usage, sleeping in atomic context, spinlock debugging.

use super::FORM;
use super::Form;
use super::NONE;
use super::RULE;
use super::Rule;

/// Functions a deadlock passes through but is not about.
const LOCKING: &[&str] = &["lock_sock_nested", "console_lock*", "rtnl_lock*", "lock_page*", "folio_lock*"];

const DEADLOCK: &str = "possible deadlock in {frame}";

/// A rule with one form: the header, and a title with the first frame of the trace.
macro_rules! plain {
    ($literal:literal, $title:literal) => {
        Rule { literal: $literal, forms: &[Form { seen: &[$literal], title: $title, ..FORM }], ..RULE }
    };
}

pub(super) const RULES: &[Rule] = &[
    Rule {
        literal: "possible circular locking dependency detected",
        forms: &[Form { seen: &["possible circular locking dependency detected"], title: DEADLOCK, skip: LOCKING, ..FORM }],
        ..RULE
    },
    Rule {
        literal: "possible recursive locking detected",
        forms: &[Form { seen: &["possible recursive locking detected"], title: DEADLOCK, ..FORM }],
        ..RULE
    },
    Rule {
        literal: "possible irq lock inversion dependency detected",
        forms: &[Form { seen: &["possible irq lock inversion dependency detected"], title: DEADLOCK, ..FORM }],
        ..RULE
    },
    Rule {
        literal: "-safe -> ",
        except: &["unsafe -> safe"],
        forms: &[Form { seen: &["-safe -> {kind:word}-unsafe lock order detected"], title: DEADLOCK, ..FORM }],
        ..RULE
    },
    plain!("inconsistent lock state", "inconsistent lock state in {frame}"),
    Rule {
        literal: "suspicious RCU usage",
        forms: &[
            Form { seen: &["suspicious RCU usage.", "stack backtrace:"], title: "INFO: suspicious RCU usage in {frame}", ..FORM },
            Form { seen: &["suspicious RCU usage.", ""], title: "INFO: suspicious RCU usage in {frame}", ..FORM },
            Form {
                seen: &["suspicious RCU usage", "stack backtrace:"],
                title: "WARNING: suspicious RCU usage in {frame}",
                ..FORM
            },
            Form {
                seen: &["suspicious RCU usage"],
                title: "WARNING: suspicious RCU usage",
                frame: NONE,
                corrupted: Some("no stack follows"),
                ..FORM
            },
        ],
        ..RULE
    },
    plain!("INFO: trying to register non-static key", "INFO: trying to register non-static key in {frame}"),
    plain!("Nested lock was not taken", "WARNING: nested lock was not taken in {frame}"),
    Rule {
        literal: "Invalid wait context",
        forms: &[Form { seen: &["Invalid wait context"], title: "WARNING: locking bug in {frame}", ..FORM }],
        ..RULE
    },
    Rule {
        literal: "bad unlock balance detected",
        forms: &[Form { seen: &["bad unlock balance detected"], title: "{prefix}: bad unlock balance in {frame}", ..FORM }],
        ..RULE
    },
    Rule {
        literal: "held lock freed!",
        forms: &[Form { seen: &["held lock freed!"], title: "{prefix}: held lock freed in {frame}", ..FORM }],
        ..RULE
    },
    Rule {
        literal: "lock held when returning to user space!",
        forms: &[
            Form {
                seen: &["lock held when returning to user space!", "at: {any}] {fn}+0x"],
                title: "{prefix}: lock held when returning to user space in {frame}",
                frame: super::CAPTURED,
                ..FORM
            },
            Form {
                seen: &["lock held when returning to user space!", "at: {fn}+0x"],
                title: "{prefix}: lock held when returning to user space in {frame}",
                frame: super::CAPTURED,
                ..FORM
            },
        ],
        ..RULE
    },
    Rule {
        literal: "still has locks held!",
        forms: &[Form { seen: &["still has locks held!"], title: "{prefix}: still has locks held in {frame}", ..FORM }],
        ..RULE
    },
    plain!("BUG: scheduling while atomic", "BUG: scheduling while atomic in {frame}"),
    plain!("BUG: sleeping function called from invalid context", "BUG: sleeping function called from invalid context in {frame}"),
    Rule {
        literal: "BUG: using ",
        forms: &[Form {
            seen: &["BUG: using {what:fn}() in preemptible"],
            title: "BUG: using {what}() in preemptible code in {frame}",
            skip: &["check_preemption_disabled", "debug_smp_processor_id", "__this_cpu_preempt_check", "smp_processor_id"],
            ..FORM
        }],
        ..RULE
    },
    plain!("BUG: spinlock bad magic", "BUG: spinlock bad magic in {frame}"),
    plain!("BUG: spinlock recursion", "BUG: spinlock recursion in {frame}"),
    plain!("BUG: spinlock lockup suspected", "BUG: spinlock lockup suspected in {frame}"),
    plain!("BUG: spinlock already unlocked", "BUG: spinlock already unlocked in {frame}"),
    plain!("BUG: spinlock wrong", "BUG: spinlock wrong owner in {frame}"),
    plain!("BUG: rwlock bad magic", "BUG: rwlock bad magic in {frame}"),
    Rule {
        literal: "BUG: workqueue leaked lock or atomic",
        forms: &[Form {
            seen: &["BUG: workqueue leaked lock or atomic", "last function: {fn}"],
            title: "BUG: workqueue leaked lock or atomic in {frame}",
            frame: super::CAPTURED,
            ..FORM
        }],
        ..RULE
    },
];

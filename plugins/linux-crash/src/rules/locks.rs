//! Lock and context checkers: lockdep, RCU usage, sleeping in atomic context, spinlock debugging.

use super::FORM;
use super::Form;
use super::NAMED;
use super::NONE;
use super::RULE;
use super::Rule;
use super::TRACE_OR_NAMED;

const DEADLOCK: &str = "possible deadlock in {frame}";

/// A rule with one form: the header, and a title with the first frame of the trace.
macro_rules! plain {
    ($literal:literal, $title:literal) => {
        Rule { literal: $literal, forms: &[Form { seen: &[$literal], title: $title, ..FORM }], ..RULE }
    };
}

/// A cycle of locks: the function that tried to take the last one. Where the stack was torn off, the report itself says where.
macro_rules! deadlock {
    ($literal:literal) => {
        Rule {
            literal: $literal,
            forms: &[
                Form { seen: &[$literal, "at: [<{hex}>] {fn}+0x"], title: DEADLOCK, frame: TRACE_OR_NAMED, ..FORM },
                Form { seen: &[$literal, "at: {fn}+0x"], title: DEADLOCK, frame: TRACE_OR_NAMED, ..FORM },
                Form {
                    seen: &[$literal],
                    title: concat!("WARNING: ", $literal),
                    frame: NONE,
                    corrupted: Some("the locks were not printed"),
                    ..FORM
                },
            ],
            ..RULE
        }
    };
}

/// A lock that is held where none may be: where it was taken is to blame.
macro_rules! held {
    ($literal:literal, $title:literal) => {
        Rule {
            literal: $literal,
            forms: &[
                Form { seen: &[$literal, "at: [<{hex}>] {fn}+0x"], title: $title, frame: NAMED, ..FORM },
                Form { seen: &[$literal, "at: {fn}+0x"], title: $title, frame: NAMED, ..FORM },
                Form { seen: &[$literal], title: $title, ..FORM },
            ],
            ..RULE
        }
    };
}

pub(super) const RULES: &[Rule] = &[
    deadlock!("possible circular locking dependency detected"),
    deadlock!("possible recursive locking detected"),
    deadlock!("possible irq lock inversion dependency detected"),
    Rule {
        literal: "-safe -> ",
        forms: &[Form { seen: &["-safe -> {any}lock order detected"], title: DEADLOCK, ..FORM }],
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
        forms: &[
            Form {
                seen: &["bad unlock balance detected", "is trying to release lock", "{fn}+0x"],
                title: "{prefix}: bad unlock balance in {frame}",
                frame: NAMED,
                ..FORM
            },
            Form {
                seen: &["bad unlock balance detected", "is trying to release lock", "[<{hex}>] {fn}+0x"],
                title: "{prefix}: bad unlock balance in {frame}",
                frame: NAMED,
                ..FORM
            },
            Form { seen: &["bad unlock balance detected"], title: "{prefix}: bad unlock balance in {frame}", ..FORM },
        ],
        ..RULE
    },
    Rule {
        literal: "held lock freed!",
        forms: &[Form { seen: &["held lock freed!"], title: "{prefix}: held lock freed in {frame}", ..FORM }],
        ..RULE
    },
    held!("lock held when returning to user space!", "{prefix}: lock held when returning to user space in {frame}"),
    held!("still has locks held!", "{prefix}: still has locks held in {frame}"),
    plain!("BUG: scheduling while atomic", "BUG: scheduling while atomic in {frame}"),
    plain!("BUG: sleeping function called from invalid context", "BUG: sleeping function called from invalid context in {frame}"),
    Rule {
        literal: "BUG: using ",
        forms: &[Form {
            seen: &["BUG: using {what:fn}() in preemptible{any}"],
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
            frame: NAMED,
            ..FORM
        }],
        ..RULE
    },
];

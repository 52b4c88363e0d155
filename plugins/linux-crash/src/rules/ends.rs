//! Ends of a machine: panics, reboots, fatal errors of the reproducer's own runtime; and headers nothing else knows.

use super::ANCHOR;
use super::CAPTURED;
use super::FORM;
use super::Follows;
use super::Form;
use super::NONE;
use super::Place;
use super::RULE;
use super::Rule;
use super::STACK_OVERFLOW;

/// A panic that only says what became of the oops before it. Alone, it is a report whose cause was not printed.
macro_rules! consequence {
    ($literal:literal, $title:literal) => {
        Rule {
            literal: $literal,
            follows: Follows::Always,
            forms: &[Form {
                seen: &[$literal],
                title: $title,
                frame: NONE,
                corrupted: Some("what led to the panic is missing"),
                ..FORM
            }],
            ..RULE
        }
    };
}

pub(super) const RULES: &[Rule] = &[
    consequence!("Kernel panic - not syncing: panic_on_warn set", "kernel panic: panic_on_warn set"),
    consequence!("Kernel panic - not syncing: kernel: panic_on_warn set", "kernel panic: panic_on_warn set"),
    consequence!("Kernel panic - not syncing: Fatal exception", "kernel panic: Fatal exception"),
    consequence!("Kernel panic - not syncing: hung_task: blocked tasks", "kernel panic: hung_task: blocked tasks"),
    consequence!("Kernel panic - not syncing: softlockup: hung tasks", "kernel panic: softlockup: hung tasks"),
    consequence!("Kernel panic - not syncing: RCU Stall", "kernel panic: RCU Stall"),
    consequence!("Kernel panic - not syncing: kasan.fault", "kernel panic: kasan.fault"),
    Rule {
        literal: "Kernel panic",
        follows: Follows::WhileOpen,
        forms: &[
            Form {
                seen: &["Kernel panic - not syncing: corrupted stack end"],
                title: "kernel panic: corrupted stack end in {frame}",
                alt: STACK_OVERFLOW,
                frame: ANCHOR,
                ..FORM
            },
            Form {
                seen: &["Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: {fn}+0x"],
                title: "kernel panic: stack is corrupted in {frame}",
                frame: CAPTURED,
                ..FORM
            },
            Form {
                seen: &["Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: "],
                title: "kernel panic: stack is corrupted in {frame}",
                ..FORM
            },
            Form {
                seen: &["Kernel panic - not syncing: Attempted to kill init!"],
                title: "kernel panic: Attempted to kill init!",
                frame: NONE,
                ..FORM
            },
            Form { seen: &["Kernel panic - not syncing: {what:any}"], title: "kernel panic: {what}", frame: NONE, ..FORM },
        ],
        ..RULE
    },
    Rule {
        literal: "Booting the kernel.",
        place: Place::AfterBoot,
        forms: &[Form { seen: &["Booting the kernel."], title: "unexpected kernel reboot", frame: NONE, ..FORM }],
        ..RULE
    },
    Rule {
        literal: "SYZFAIL:",
        forms: &[Form { seen: &["SYZFAIL: {what:any}"], title: "SYZFAIL: {what}", frame: NONE, ..FORM }],
        ..RULE
    },
    Rule {
        literal: "SYZFATAL:",
        forms: &[Form { seen: &["SYZFATAL: {what:any}"], title: "SYZFATAL: {what}", alt: &["SYZFATAL"], frame: NONE, ..FORM }],
        ..RULE
    },
    Rule {
        literal: "panic: ",
        place: Place::LineStart,
        except: &["Kernel panic", "oops=panic", "trusty: panic"],
        forms: &[Form { seen: &["panic: {what:any}"], title: "panic: {what}", frame: NONE, ..FORM }],
        ..RULE
    },
    Rule {
        literal: "fatal error: ",
        place: Place::LineStart,
        forms: &[
            Form { seen: &["fatal error: ", "goroutine "], title: "go runtime error", frame: NONE, ..FORM },
            Form { seen: &["fatal error: ", "runtime stack:"], title: "go runtime error", frame: NONE, ..FORM },
        ],
        ..RULE
    },
    Rule {
        literal: "trusty: panic",
        forms: &[Form {
            seen: &["trusty: panic{any}ASSERT FAILED at {where:any}: {what:any}"],
            title: "trusty: ASSERT FAILED: {what}",
            frame: NONE,
            ..FORM
        }],
        ..RULE
    },
    Rule {
        literal: "VFS: Busy inodes after unmount",
        forms: &[Form {
            seen: &["VFS: Busy inodes after unmount"],
            title: "VFS: Busy inodes after unmount (use-after-free)",
            frame: NONE,
            ..FORM
        }],
        ..RULE
    },
    Rule {
        literal: "VFS: Close: file count is",
        forms: &[Form {
            seen: &["VFS: Close: file count is"],
            title: "VFS: Close: file count is zero (use-after-free)",
            frame: NONE,
            ..FORM
        }],
        ..RULE
    },
    Rule {
        literal: "BUG: ",
        except: NO_BUG,
        forms: &[Form { seen: &["{what:any}"], title: "{what}", frame: NONE, ..FORM }],
        ..RULE
    },
];

/// Lines with `BUG:` that no rule above wants, and that are no oops.
const NO_BUG: &[&str] = &["DEBUG:", "[ BUG:", "WARNING: ", "unable to handle", "kasan: bad access detected"];

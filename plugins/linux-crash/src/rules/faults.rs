//! Faults the processor reports: page faults, protection faults, traps, stack overflows, and `BUG()`.

use super::ANCHOR;
use super::BAD_ACCESS;
use super::FORM;
use super::Form;
use super::NONE;
use super::POINTER;
use super::RULE;
use super::Rule;
use super::STACK_OVERFLOW;
use super::TRACE;

/// x86, riscv and arm64 spell page faults differently; the titles do not.
const PAGE_FAULTS: &[Form] = &[
    Form {
        seen: &["nable to handle kernel NULL pointer dereference"],
        title: "BUG: unable to handle kernel NULL pointer dereference in {frame}",
        alt: BAD_ACCESS,
        frame: POINTER,
        ..FORM
    },
    Form {
        seen: &["nable to handle kernel paging request"],
        title: "BUG: unable to handle kernel paging request in {frame}",
        alt: BAD_ACCESS,
        frame: POINTER,
        ..FORM
    },
    Form {
        seen: &["nable to handle kernel access to user memory"],
        title: "BUG: unable to handle kernel access to user memory in {frame}",
        alt: BAD_ACCESS,
        frame: POINTER,
        ..FORM
    },
    Form {
        seen: &["nable to handle page fault for address"],
        title: "BUG: unable to handle kernel paging request in {frame}",
        alt: BAD_ACCESS,
        frame: POINTER,
        ..FORM
    },
    Form {
        seen: &["nable to handle kernel data access"],
        title: "BUG: unable to handle kernel paging request in {frame}",
        alt: BAD_ACCESS,
        frame: POINTER,
        ..FORM
    },
    Form {
        seen: &["BUG: kernel NULL pointer dereference"],
        title: "BUG: unable to handle kernel NULL pointer dereference in {frame}",
        alt: BAD_ACCESS,
        frame: POINTER,
        ..FORM
    },
    Form {
        seen: &["nable to handle kernel"],
        title: "BUG: unable to handle kernel",
        frame: NONE,
        corrupted: Some("the header was cut"),
        ..FORM
    },
];

/// Kernel pieces that call `BUG()` on behalf of somebody else.
const LIST: &[&str] = &["__list_add*", "__list_del*", "list_add*", "list_del*", "list_move*", "list_splice*"];

pub(super) const RULES: &[Rule] = &[
    Rule { literal: "nable to handle kernel", forms: PAGE_FAULTS, ..RULE },
    Rule { literal: "nable to handle page fault", forms: PAGE_FAULTS, ..RULE },
    Rule { literal: "BUG: kernel NULL pointer dereference", forms: PAGE_FAULTS, ..RULE },
    Rule {
        literal: "general protection fault",
        except: &["GPF could be caused", "traps: "],
        forms: &[Form {
            seen: &["general protection fault"],
            title: "general protection fault in {frame}",
            alt: BAD_ACCESS,
            frame: POINTER,
            ..FORM
        }],
        ..RULE
    },
    Rule {
        literal: "stack segment: ",
        forms: &[Form { seen: &["stack segment: "], title: "stack segment fault in {frame}", frame: POINTER, ..FORM }],
        ..RULE
    },
    Rule {
        literal: "divide error: ",
        forms: &[Form { seen: &["divide error: "], title: "divide error in {frame}", frame: POINTER, ..FORM }],
        ..RULE
    },
    Rule { literal: "int3: ", forms: &[Form { seen: &["int3: "], title: "int3 in {frame}", frame: POINTER, ..FORM }], ..RULE },
    Rule {
        literal: "invalid opcode: ",
        forms: &[Form { seen: &["invalid opcode: "], title: "invalid opcode in {frame}", frame: POINTER, ..FORM }],
        ..RULE
    },
    Rule {
        literal: "PANIC: double fault",
        forms: &[Form { seen: &["PANIC: double fault"], title: "PANIC: double fault in {frame}", frame: POINTER, ..FORM }],
        ..RULE
    },
    Rule {
        literal: "BUG: stack guard page was hit",
        forms: &[Form {
            seen: &["BUG: stack guard page was hit"],
            title: "BUG: stack guard page was hit in {frame}",
            alt: STACK_OVERFLOW,
            frame: ANCHOR,
            ..FORM
        }],
        ..RULE
    },
    Rule {
        literal: "BUG: TASK stack guard page was hit",
        forms: &[Form {
            seen: &["BUG: TASK stack guard page was hit"],
            title: "BUG: stack guard page was hit in {frame}",
            alt: STACK_OVERFLOW,
            frame: ANCHOR,
            ..FORM
        }],
        ..RULE
    },
    Rule {
        literal: "Insufficient stack space to handle exception",
        forms: &[Form {
            seen: &["Insufficient stack space to handle exception"],
            title: "kernel stack overflow in {frame}",
            alt: STACK_OVERFLOW,
            frame: ANCHOR,
            ..FORM
        }],
        ..RULE
    },
    Rule {
        literal: "Internal error:",
        forms: &[
            Form {
                seen: &["Internal error:{any}stack overflow"],
                title: "kernel stack overflow in {frame}",
                alt: STACK_OVERFLOW,
                frame: ANCHOR,
                ..FORM
            },
            Form { seen: &["Internal error:"], title: "Internal error in {frame}", alt: BAD_ACCESS, frame: POINTER, ..FORM },
        ],
        ..RULE
    },
    Rule {
        literal: "Unhandled fault:",
        forms: &[Form {
            seen: &["Unhandled fault:"],
            title: "Unhandled fault in {frame}",
            alt: BAD_ACCESS,
            frame: POINTER,
            ..FORM
        }],
        ..RULE
    },
    Rule {
        literal: "Alignment trap:",
        forms: &[Form { seen: &["Alignment trap:"], title: "Alignment trap in {frame}", frame: POINTER, ..FORM }],
        ..RULE
    },
    Rule {
        literal: "kernel BUG at",
        forms: &[
            Form {
                seen: &["kernel BUG at {any}lib/list_debug.c:"],
                title: "BUG: corrupted list in {frame}",
                alt: BAD_ACCESS,
                frame: POINTER,
                skip: LIST,
                ..FORM
            },
            Form {
                seen: &["kernel BUG at {any}mm/usercopy.c:"],
                title: "BUG: bad usercopy in {frame}",
                frame: TRACE,
                skip: &["usercopy_*", "__check_object_size", "check_object_size", "check_copy_size", "__check_heap_object"],
                ..FORM
            },
            Form { seen: &["kernel BUG at {path}:{line:num}"], title: "kernel BUG in {frame}", frame: POINTER, ..FORM },
        ],
        ..RULE
    },
    Rule {
        literal: "rust_kernel: panicked at",
        forms: &[Form { seen: &["rust_kernel: panicked at", "{what:any}"], title: "{what} in {frame}", frame: TRACE, ..FORM }],
        ..RULE
    },
];

//! Memory checkers: KASAN, KMSAN, KCSAN, KFENCE, UBSAN, kmemleak, slab debugging, list and page checks.

use super::BAD_ACCESS;
use super::FORM;
use super::Follows;
use super::Form;
use super::INVALID_FREE;
use super::NAMED;
use super::NONE;
use super::RULE;
use super::Rule;
use super::TRACE_OR_NAMED;

/// Why a line of a slab report cannot stand alone.
const SLAB: &str = "the slab report it belongs to is missing";

/// Functions that allocate on behalf of their callers.
const LEAKING: &[&str] = &[
    "*alloc*",
    "create_object",
    "sget*",
    "kobject_*",
    "__list_lru_init",
    "list_lru_*",
    "sk_prot_*",
    "*_init_once",
    "new_inode",
    "pcpu_*",
    "kstrdup*",
    "kasprintf",
    "device_add*",
    "device_create*",
    "device_private_init",
    "dup_*",
    "mempool_*",
    "getname*",
    "radix_tree_*",
];

/// Ciphers read every byte they are given, initialised or not.
const CIPHERS: &[&str] = &["aes*", "crypto_*", "cipher_*", "drbg_*", "xts_*", "ecb_*", "cbc_*", "rng_*", "sha*", "chacha_*"];

pub(super) const RULES: &[Rule] = &[
    Rule {
        literal: "BUG: KASAN:",
        forms: &[
            Form {
                seen: &["BUG: KASAN: double-free or invalid-free in {fn}"],
                title: "KASAN: invalid-free in {frame}",
                alt: INVALID_FREE,
                frame: TRACE_OR_NAMED,
                ..FORM
            },
            Form {
                seen: &["BUG: KASAN: invalid-free in {fn}"],
                title: "KASAN: invalid-free in {frame}",
                alt: INVALID_FREE,
                frame: TRACE_OR_NAMED,
                ..FORM
            },
            Form {
                seen: &["BUG: KASAN: double-free in {fn}"],
                title: "KASAN: invalid-free in {frame}",
                alt: INVALID_FREE,
                ..FORM
            },
            Form {
                seen: &["BUG: KASAN: {what:word} in {fn}", "{op:fn} of size {size:num} "],
                title: "KASAN: {what} {op} in {frame}",
                alt: BAD_ACCESS,
                frame: TRACE_OR_NAMED,
                ..FORM
            },
            Form {
                seen: &["BUG: KASAN: {what:word} in {fn}", "{op:fn} at addr {hex} by task"],
                title: "KASAN: {what} {op} in {frame}",
                alt: BAD_ACCESS,
                frame: TRACE_OR_NAMED,
                ..FORM
            },
            Form {
                seen: &["BUG: KASAN: {what:word} on address", "{op:fn} of size {size:num} "],
                title: "KASAN: {what} {op}",
                frame: NONE,
                corrupted: Some("no function in the header"),
                ..FORM
            },
            Form {
                seen: &["BUG: KASAN: {what:word} in {any}"],
                title: "KASAN: {what} in {any}",
                frame: NONE,
                corrupted: Some("the kind of access was not printed"),
                ..FORM
            },
        ],
        ..RULE
    },
    Rule {
        literal: "BUG: KMSAN:",
        forms: &[
            Form {
                seen: &["BUG: KMSAN: kernel-usb-infoleak in {fn}", "Uninit was created at:"],
                title: "KMSAN: kernel-usb-infoleak in {frame}",
                skip: &["usb_submit_urb", "usb_start_wait_urb", "usb_bulk_msg", "usb_interrupt_msg", "usb_control_msg*"],
                ..FORM
            },
            Form {
                seen: &["BUG: KMSAN: {what:word} in {fn}"],
                title: "KMSAN: {what} in {frame}",
                skip: CIPHERS,
                alt: BAD_ACCESS,
                ..FORM
            },
        ],
        ..RULE
    },
    Rule {
        literal: "BUG: KCSAN:",
        forms: &[
            Form {
                seen: &["BUG: KCSAN: {what:word} in {a:fn} / {b:fn}"],
                title: "KCSAN: {what} in {a} / {b}",
                frame: NAMED,
                ..FORM
            },
            Form { seen: &["BUG: KCSAN: {what:word} in {fn}"], title: "KCSAN: {what} in {frame}", frame: NAMED, ..FORM },
        ],
        ..RULE
    },
    Rule {
        literal: "BUG: KFENCE:",
        forms: &[
            Form {
                seen: &["BUG: KFENCE: invalid free in {fn}"],
                title: "KFENCE: invalid free in {frame}",
                alt: INVALID_FREE,
                frame: NAMED,
                ..FORM
            },
            Form {
                seen: &["BUG: KFENCE: memory corruption in {fn}"],
                title: "KFENCE: memory corruption in {frame}",
                frame: NAMED,
                ..FORM
            },
            Form {
                seen: &["BUG: KFENCE: {what:word} {op:fn} in {fn}"],
                title: "KFENCE: {what} {op} in {frame}",
                alt: BAD_ACCESS,
                frame: NAMED,
                ..FORM
            },
        ],
        ..RULE
    },
    Rule {
        literal: "UBSAN:",
        except: &["UBSAN: trap", "ubsan_epilogue"],
        forms: &[
            Form { seen: &["UBSAN: Undefined behaviour in {any}"], title: "UBSAN: undefined-behaviour in {frame}", ..FORM },
            Form { seen: &["UBSAN: {what:word} in {any}"], title: "UBSAN: {what} in {frame}", ..FORM },
        ],
        ..RULE
    },
    Rule {
        literal: "BUG: memory leak",
        forms: &[Form {
            seen: &["BUG: memory leak", "unreferenced object"],
            title: "memory leak in {frame}",
            skip: LEAKING,
            ..FORM
        }],
        ..RULE
    },
    Rule {
        literal: "BUG: Bad page state",
        forms: &[Form { seen: &["BUG: Bad page state"], title: "BUG: Bad page state in {frame}", ..FORM }],
        ..RULE
    },
    Rule {
        literal: "BUG: Bad page map",
        forms: &[Form { seen: &["BUG: Bad page map"], title: "BUG: Bad page map in {frame}", ..FORM }],
        ..RULE
    },
    Rule {
        literal: "BUG: Bad rss-counter state",
        forms: &[Form { seen: &["BUG: Bad rss-counter state"], title: "BUG: Bad rss-counter state", frame: NONE, ..FORM }],
        ..RULE
    },
    Rule {
        literal: "BUG: non-zero pgtables_bytes",
        forms: &[Form {
            seen: &["BUG: non-zero pgtables_bytes on freeing mm"],
            title: "BUG: non-zero pgtables_bytes on freeing mm: NUM",
            frame: NONE,
            ..FORM
        }],
        ..RULE
    },
    Rule {
        literal: "BUG: Dentry",
        forms: &[Form {
            seen: &["BUG: Dentry {any}still in use{rest:any}[unmount of {fs:any}]"],
            title: "BUG: Dentry still in use in unmount",
            alt: &["BUG: Dentry still in use [unmount of {fs}]"],
            frame: NONE,
            ..FORM
        }],
        ..RULE
    },
    Rule {
        literal: "BUG kmalloc",
        forms: &[Form {
            seen: &["BUG kmalloc{any} (Tainted: {any2:any}): {what:any}"],
            title: "BUG: {what}",
            frame: NONE,
            ..FORM
        }],
        ..RULE
    },
    Rule {
        literal: "INFO: Freed in",
        follows: Follows::WhileOpen,
        forms: &[Form { seen: &["{what:any}"], title: "{what}", frame: NONE, corrupted: Some(SLAB), ..FORM }],
        ..RULE
    },
    Rule {
        literal: "INFO: Allocated in",
        follows: Follows::WhileOpen,
        forms: &[Form { seen: &["{what:any}"], title: "{what}", frame: NONE, corrupted: Some(SLAB), ..FORM }],
        ..RULE
    },
];

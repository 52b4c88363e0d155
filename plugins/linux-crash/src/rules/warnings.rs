//! `WARN()`: most name the function themselves; some stand in a library on behalf of its caller.

use super::CAPTURED;
use super::FORM;
use super::Form;
use super::NONE;
use super::RULE;
use super::Rule;
use super::TRACE;

/// A warning in a library: the caller is to blame, so the library's own functions are skipped.
macro_rules! on_behalf {
    ($seen:literal, $title:literal, $skip:expr) => {
        Form { seen: &[$seen], title: $title, frame: TRACE, skip: $skip, ..FORM }
    };
}

pub(super) const RULES: &[Rule] = &[Rule {
    literal: "WARNING: ",
    except: &[
        "possible circular locking",
        "possible recursive locking",
        "possible irq lock inversion",
        "lock order detected",
        "inconsistent lock state",
        "suspicious RCU usage",
        "bad unlock balance",
        "held lock freed",
        "lock held when returning",
        "still has locks held",
        "Nested lock was not taken",
        "Invalid wait context",
        "WARNING: /",
        "the mand mount option",
        "unprivileged ebpf is enabled",
        "missed to adjust virtual screen size",
        "uses deprecated",
        "uses wireless extensions",
        "reset corrupted agfl",
        "spectre v2",
        "Host memory window",
    ],
    forms: &[
        on_behalf!(
            "WARNING: {any}lib/refcount.c:",
            "WARNING: refcount bug in {frame}",
            &["refcount_*", "__refcount_*", "kobject_*", "kref_*"]
        ),
        on_behalf!(
            "WARNING: {any}lib/debugobjects.c:",
            "WARNING: ODEBUG bug in {frame}",
            &["debug_*", "__debug_*", "del_timer*", "timer_*", "*cancel_work*", "init_timer*", "destroy_*"]
        ),
        on_behalf!("WARNING: {any}kernel/locking/lockdep.c:", "WARNING: locking bug in {frame}", &["lock_sock*"]),
        on_behalf!("WARNING: {any}kmalloc_slab", "WARNING: kmalloc bug in {frame}", &[]),
        on_behalf!("WARNING: {any}mm/util.c:{line:num} kvmalloc_node", "WARNING: kmalloc bug in {frame}", &[]),
        on_behalf!("WARNING: {any}mm/vmalloc.c:{line:num} __vmalloc_node_range", "WARNING: zero-size vmalloc in {frame}", &[]),
        on_behalf!(
            "WARNING: {any}mm/usercopy.c:",
            "WARNING: bad usercopy in {frame}",
            &[
                "usercopy_*",
                "__check_object_size",
                "check_object_size",
                "__check_heap_object",
                "copy_from_user*",
                "copy_to_user*",
                "check_heap_object"
            ]
        ),
        on_behalf!(
            "WARNING: {any}lib/kobject.c:",
            "WARNING: kobject bug in {frame}",
            &["kobject_*", "device_add*", "device_register", "device_create*"]
        ),
        on_behalf!(
            "WARNING: {any}fs/proc/generic.c:",
            "WARNING: proc registration bug in {frame}",
            &["proc_*", "__proc_*", "remove_proc_*", "_proc_*"]
        ),
        Form {
            seen: &["WARNING: {any}drivers/usb/core/urb.c:{rest:any}usb_submit_urb"],
            title: "WARNING in {frame}/usb_submit_urb",
            ..FORM
        },
        Form {
            seen: &["WARNING: CPU: {cpu:num} PID: {pid:num} at {path}:{line:num} {fn}+0x"],
            title: "WARNING in {frame}",
            frame: CAPTURED,
            ..FORM
        },
        Form { seen: &["WARNING: {path}:{line:num} at {fn}+0x"], title: "WARNING in {frame}", frame: CAPTURED, ..FORM },
        Form {
            seen: &["WARNING: CPU: {cpu:num} PID: {pid:num} at {path}:{line:num}"],
            title: "WARNING in {frame}",
            frame: TRACE,
            ..FORM
        },
        Form { seen: &["WARNING: {path}:{line:num} at "], title: "WARNING in {frame}", frame: TRACE, ..FORM },
        Form {
            seen: &["WARNING: [{condition:any}] {path}:{line:num} at {fn}+0x"],
            title: "WARNING in {frame}",
            frame: CAPTURED,
            ..FORM
        },
        Form { seen: &["WARNING: kernel stack regs at"], title: "WARNING: kernel stack regs has bad value", frame: NONE, ..FORM },
        Form {
            seen: &["WARNING: kernel stack frame pointer at"],
            title: "WARNING: kernel stack frame pointer has bad value",
            frame: NONE,
            ..FORM
        },
        Form { seen: &["{what:any}"], title: "{what}", frame: NONE, ..FORM },
    ],
    ..RULE
}];

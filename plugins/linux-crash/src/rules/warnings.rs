//! `WARN()`: most name the function themselves; some stand in a library on behalf of its caller.

use super::BACKED;
use super::Row;
use super::TRACE;
use super::Within;
use super::row;

/// A warning in a library: the caller is to blame, so the library's own functions are skipped.
const fn library(header: &'static str, title: &'static str, skip: &'static str) -> Row {
    row(header, title).kind("WARNING").frame(TRACE).skip(skip)
}

/// Users of debugobjects are machinery themselves.
const OBJECTS: &str = "debug_* __debug_* task_work_run *timer* *rcu* percpu_counter*";
const USERCOPY: &str = "usercopy_* __check_object_size check_object_size __check_heap_object check_heap_object";
const REFCOUNT: &str = "refcount_* __refcount_* kobject_* kref_*";
const KOBJECT: &str = "kobject_* device_add* device_register device_create*";
const PROC: &str = "*proc_*";
const LIST: &str = "__list_add* __list_del* list_add* list_del* list_move* list_splice*";

/// `debug_objects` warns here of objects in use; of objects that it was never told of, its callers are blamed like any other's.
const ODEBUG: &str = "WARNING: ODEBUG bug in {frame}";
/// What concerns a lock that somebody takes or drops; lockdep's complaints of itself are warnings like any other.
const LOCKDEP: &str = "WARNING: locking bug in {frame}";

const BUG: &str = "WARNING in {frame}";

pub(super) const ROWS: &[Row] = &[
    library("WARNING: {any}lib/refcount.c:", "WARNING: refcount bug in {frame}", REFCOUNT).kind("REFCOUNT_WARNING"),
    library("WARNING: {any}lib/debugobjects.c:{rest:any}debug_print", ODEBUG, OBJECTS),
    library("WARNING: {any}lib/debugobjects.c:{rest:any}debug_check", ODEBUG, OBJECTS),
    library("WARNING: {any}lib/debugobjects.c:{line:num} at 0x", ODEBUG, OBJECTS),
    library("WARNING: {any}kernel/locking/lockdep.c:{rest:any}lock_", LOCKDEP, "lock_sock*").kind("LOCKDEP"),
    library("WARNING: {any}kernel/locking/lockdep.c:{line:num} at 0x", LOCKDEP, "lock_sock*").kind("LOCKDEP"),
    // The line before it, which says how the list is damaged, begins the report.
    library("WARNING: {any}lib/list_debug.c:", BUG, LIST).within(Within::Part),
    library("WARNING: {any} kmalloc_slab", "WARNING: kmalloc bug in {frame}", ""),
    library("WARNING: {any} kvmalloc_node", "WARNING: kmalloc bug in {frame}", ""),
    library("WARNING: {any} __kvmalloc_node", "WARNING: kmalloc bug in {frame}", ""),
    library("WARNING: {any} __vmalloc_node_range", "WARNING: zero-size vmalloc in {frame}", ""),
    library("WARNING: {any}mm/usercopy.c:", "WARNING: bad usercopy in {frame}", USERCOPY),
    library("WARNING: {any}lib/kobject.c:", "WARNING: kobject bug in {frame}", KOBJECT),
    library("WARNING: {any}fs/proc/generic.c:{rest:any}proc_register", "WARNING: proc registration bug in {frame}", PROC),
    library("WARNING: {any}drivers/usb/core/urb.c:{rest:any}usb_submit_urb", "WARNING in {frame:fn}/usb_submit_urb", ""),
    row("WARNING: CPU: {cpu:num} PID: {pid:any} at {path}:{line:num} {fn}+0x", BUG).kind("WARNING").frame(BACKED),
    row("WARNING: {path}:{line:num} at {fn}+0x", BUG).kind("WARNING").frame(BACKED),
    row("WARNING: [{condition:any}] {path}:{line:num} at {fn}+0x", BUG).kind("WARNING").frame(BACKED),
    row("WARNING: CPU: {cpu:num} PID: {pid:any} at {path}:{line:num} {fn} (", BUG).kind("WARNING").frame(BACKED),
    row("WARNING: {path}:{line:num} at {fn} (", BUG).kind("WARNING").frame(BACKED),
    row("WARNING: at {path}:{line:num} {fn}+0x", BUG).kind("WARNING").frame(BACKED),
    row("WARNING: CPU: {cpu:num} PID: {pid:any} at {path}:{line:num}", BUG).kind("WARNING"),
    row("WARNING: CPU: {cpu:num} PID: {pid:any} at {fn}+0x", BUG).kind("WARNING").frame(BACKED),
    row("WARNING: at {fn}+0x", BUG).kind("WARNING").frame(BACKED),
    row("WARNING: {path}:{line:num} at ", BUG).kind("WARNING"),
    row("WARNING: kernel stack regs at", "WARNING: kernel stack regs has bad value").frameless().within(Within::Part),
    row("WARNING: kernel stack frame pointer at", "WARNING: kernel stack frame pointer has bad value")
        .frameless()
        .within(Within::Part),
];

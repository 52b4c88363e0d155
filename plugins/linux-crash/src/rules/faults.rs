//! Faults the processor reports: page faults, protection faults, traps, stack overflows, and `BUG()`.

use super::ANCHOR;
use super::BAD_ACCESS;
use super::HEADER;
use super::POINTER;
use super::Row;
use super::STACK_OVERFLOW;
use super::TRACE;
use super::Within;
use super::row;

/// What calls `BUG()` on behalf of somebody else.
const LIST: &str = "__list_add* __list_del* list_add* list_del* list_move* list_splice*";
const USERCOPY: &str = "usercopy_* __check_object_size check_object_size check_copy_size __check_heap_object";

/// x86, arm, arm64, riscv and powerpc spell page faults differently; the titles do not.
const NULL: &str = "BUG: unable to handle kernel NULL pointer dereference in {frame}";
const PAGING: &str = "BUG: unable to handle kernel paging request in {frame}";
const USER: &str = "BUG: unable to handle kernel access to user memory in {frame}";

const fn fault(header: &'static str, title: &'static str, kind: &'static str) -> Row {
    row(header, title).alt(BAD_ACCESS).kind(kind).frame(POINTER)
}

const fn overflow(header: &'static str, title: &'static str) -> Row {
    row(header, title).alt(STACK_OVERFLOW).frame(ANCHOR)
}

pub(super) const ROWS: &[Row] = &[
    fault("nable to handle kernel NULL pointer dereference", NULL, "NULL-POINTER-DEREFERENCE"),
    fault("BUG: kernel NULL pointer dereference", NULL, "NULL-POINTER-DEREFERENCE"),
    fault("BUG: Kernel NULL pointer dereference", NULL, "NULL-POINTER-DEREFERENCE"),
    fault("Kernel attempted to read user page (0)", NULL, "NULL-POINTER-DEREFERENCE"),
    fault("nable to handle kernel paging request", PAGING, "MEMORY_SAFETY_BUG"),
    fault("nable to handle page fault for address", PAGING, "MEMORY_SAFETY_BUG"),
    fault("nable to handle kernel data access", PAGING, "MEMORY_SAFETY_BUG"),
    fault("nable to handle kernel instruction fetch", PAGING, "MEMORY_SAFETY_BUG"),
    fault("nable to handle kernel pointer dereference", PAGING, "MEMORY_SAFETY_BUG"),
    fault("nable to handle kernel write to read-only memory", PAGING, "MEMORY_SAFETY_BUG"),
    fault("nable to handle kernel read from unreadable memory", PAGING, "MEMORY_SAFETY_BUG"),
    fault("nable to handle kernel execute from non-executable memory", PAGING, "MEMORY_SAFETY_BUG"),
    fault("nable to handle kernel execution of user memory", PAGING, "MEMORY_SAFETY_BUG"),
    fault("nable to handle kernel access to user memory", USER, ""),
    row("nable to handle kernel", "BUG: unable to handle kernel").frameless().corrupted("the header was cut"),
    fault("general protection fault", "general protection fault in {frame}", "DoS"),
    row("stack segment: ", "stack segment fault in {frame}").kind("DoS").frame(POINTER),
    row("divide error: ", "divide error in {frame}").kind("DoS").frame(POINTER),
    row("divide_error: ", "divide error in {frame}").kind("DoS").frame(POINTER),
    row("int3: ", "int3 in {frame}").kind("DoS").frame(POINTER),
    row("bounds: {code:hex} [#", "bounds in {frame}").kind("DoS").frame(POINTER),
    row("alignment check: {code:hex} [#", "alignment check in {frame}").kind("DoS").frame(POINTER),
    row("segment not present: {code:hex} [#", "segment not present in {frame}").kind("DoS").frame(POINTER),
    row("invalid TSS: {code:hex} [#", "invalid TSS in {frame}").kind("DoS").frame(POINTER),
    row("invalid opcode: ", "invalid opcode in {frame}").kind("DoS").frame(POINTER).within(Within::Part),
    row("double fault: {code:hex} [#", "PANIC: double fault in {frame}").kind("DoS").frame(POINTER).within(Within::Part),
    row("PANIC: double fault", "PANIC: double fault in {frame}").kind("DoS").frame(POINTER).within(Within::Part),
    overflow("BUG: stack guard page was hit", "BUG: stack guard page was hit in {frame}"),
    // `BUG: TASK stack guard page …`, `BUG: IRQ …`, `BUG: #DF …`
    overflow("BUG: {which:word} stack guard page was hit", "BUG: stack guard page was hit in {frame}"),
    overflow("Insufficient stack space to handle exception", "kernel stack overflow in {frame}").kind("DoS"),
    overflow("Internal error: kernel stack overflow", "kernel stack overflow in {frame}").kind("DoS"),
    fault("Internal error: ", "Internal error in {frame}", "DoS").within(Within::Part),
    fault("Unhandled fault: ", "Unhandled fault in {frame}", "DoS"),
    row("Alignment trap: ", "Alignment trap in {frame}").kind("DoS").frame(POINTER),
    row("list_add corruption", "BUG: corrupted list in {frame}")
        .also(&["kernel BUG at "])
        .alt(BAD_ACCESS)
        .kind("MEMORY_SAFETY_BUG")
        .frame(POINTER)
        .skip(LIST)
        .within(Within::Part),
    row("list_del corruption", "BUG: corrupted list in {frame}")
        .also(&["kernel BUG at "])
        .alt(BAD_ACCESS)
        .kind("MEMORY_SAFETY_BUG")
        .frame(POINTER)
        .skip(LIST)
        .within(Within::Part),
    // Where damaged lists are only warned of, what follows is a warning like any other, for its caller.
    row("list_add corruption", "WARNING in {frame}")
        .also(&["WARNING: {any}list_debug.c:"])
        .kind("WARNING")
        .frame(TRACE)
        .skip(LIST)
        .within(Within::Part),
    row("list_del corruption", "WARNING in {frame}")
        .also(&["WARNING: {any}list_debug.c:"])
        .kind("WARNING")
        .frame(TRACE)
        .skip(LIST)
        .within(Within::Part),
    row("kernel BUG at {any}list_debug.c:", "BUG: corrupted list in {frame}")
        .alt(BAD_ACCESS)
        .kind("MEMORY_SAFETY_BUG")
        .frame(POINTER)
        .skip(LIST)
        .within(Within::Part),
    row("kernel BUG at {any}usercopy.c:", "BUG: bad usercopy in {frame}")
        .kind("BUG")
        .frame(TRACE)
        .skip(USERCOPY)
        .within(Within::Part),
    row("kernel BUG at {path}:{line:num}", "kernel BUG in {frame}").kind("BUG").frame(POINTER).within(Within::Part),
    row("Kernel BUG at {fn}+0x", "kernel BUG in {frame}").kind("BUG").frame(HEADER).within(Within::Part),
    row("CFI failure at {fn}+0x", "CFI failure in {frame}").kind("DoS").frame(HEADER).within(Within::Part),
    // What else the processor complains of, and faults whose own line is lost.
    row("Oops - {what:any} [#", "Oops in {frame}").kind("DoS").frame(POINTER).within(Within::Part),
    row("Oops [#", "Oops in {frame}").kind("DoS").frame(POINTER).within(Within::Part),
    row("Oops: {code:hex} [#", "Oops in {frame}").kind("DoS").frame(POINTER).within(Within::Part),
    row("Oops: {what:any}, sig: {sig:num} [#", "Oops in {frame}").kind("DoS").frame(POINTER).within(Within::Part),
];

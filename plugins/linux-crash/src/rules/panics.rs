//! Ends of a machine: panics, reboots, fatal errors of the reproducer's own runtime.

use super::ALL;
use super::ANCHOR;
use super::HEADER;
use super::Place;
use super::Row;
use super::STACK_OVERFLOW;
use super::Stack;
use super::Within;
use super::row;

/// A panic that only says what became of the oops before it. Alone, it is a report whose cause was not printed.
const fn outcome(header: &'static str, title: &'static str) -> Row {
    row(header, title).kind("DoS").frameless().corrupted("what led to the panic is missing").within(Within::Outcome)
}

/// A panic that stands for itself.
const fn panic(header: &'static str, title: &'static str) -> Row {
    row(header, title).kind("DoS").within(Within::Part)
}

/// What a program of the fuzzer's says before it ends.
const fn program(header: &'static str, title: &'static str) -> Row {
    row(header, title).frameless()
}

pub(super) const ROWS: &[Row] = &[
    outcome("Kernel panic - not syncing: panic_on_warn set", "kernel panic: panic_on_warn set"),
    outcome("Kernel panic - not syncing: {checker:any}: panic_on_warn set", "kernel panic: panic_on_warn set"),
    outcome("Kernel panic - not syncing: kmsan.panic set", "kernel panic: kmsan.panic set"),
    outcome("Kernel panic - not syncing: Hard LOCKUP", "kernel panic: Hard LOCKUP"),
    outcome("Kernel panic - not syncing: Aiee, killing interrupt handler!", "kernel panic: Aiee, killing interrupt handler!"),
    outcome("Kernel panic - not syncing: Fatal exception", "kernel panic: Fatal exception"),
    outcome("Kernel panic - not syncing: {what:any}: Fatal exception", "kernel panic: {what:any}: Fatal exception"),
    outcome("Kernel panic - not syncing: hung_task: blocked tasks", "kernel panic: hung_task: blocked tasks"),
    outcome("Kernel panic - not syncing: softlockup: hung tasks", "kernel panic: softlockup: hung tasks"),
    outcome("Kernel panic - not syncing: RCU Stall", "kernel panic: RCU Stall"),
    outcome("Kernel panic - not syncing: kasan.fault", "kernel panic: kasan.fault"),
    panic("Kernel panic - not syncing: corrupted stack end", "kernel panic: corrupted stack end in {frame}")
        .alt(STACK_OVERFLOW)
        .frame(ANCHOR),
    panic("Kernel panic - not syncing: kernel stack overflow", "kernel stack overflow in {frame}")
        .alt(STACK_OVERFLOW)
        .frame(ANCHOR),
    panic(
        "Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: {at}{fn}+0x",
        "kernel panic: stack is corrupted in {frame}",
    )
    .frame(HEADER)
    .keep(ALL)
    .stack(Stack::None),
    panic("Kernel panic - not syncing: stack-protector: ", "kernel panic: stack is corrupted in {frame}"),
    panic("Kernel panic - not syncing: Attempted to kill init!", "kernel panic: Attempted to kill init!").frameless(),
    panic("Kernel panic - not syncing: {what:any}", "kernel panic: {what}").frameless(),
    row("Booting the kernel (entry_offset", "unexpected kernel reboot").kind("REBOOT").frameless().place(Place::AfterBoot),
    row("Booting the kernel.", "unexpected kernel reboot").kind("REBOOT").frameless().place(Place::AfterBoot),
    program("SYZFAIL: {what:any}", "SYZFAIL: {what}").kind("SYZ_FAILURE"),
    program("SYZFATAL: {what:any}", "SYZFATAL: {what}").alt(&["SYZFATAL"]).kind("SYZ_FAILURE"),
    program("panic: {what:any}", "panic: {what}").kind("DoS").place(Place::LineStart),
    program("fatal error: ", "go runtime error").also(&["goroutine "]).kind("DoS").place(Place::LineStart),
    program("fatal error: ", "go runtime error").also(&["runtime stack:"]).kind("DoS").place(Place::LineStart),
    program("trusty: panic {any}ASSERT FAILED at ({where:any}):{what:any}", "trusty: ASSERT FAILED:{what:any}").kind("DoS"),
    program("trusty: panic", "trusty: ASSERT FAILED:{what:any}").also(&["ASSERT FAILED at ({where:any}):{what:any}"]).kind("DoS"),
    program("VFS: Busy inodes after unmount", "VFS: Busy inodes after unmount (use-after-free)").kind("DoS"),
    program("VFS: Close: file count is", "VFS: Close: file count is zero (use-after-free)").kind("DoS"),
];

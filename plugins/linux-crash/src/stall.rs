//! Which function a stall is about: not where the watchdog happened to look, but what the CPU was asked to do.
//!
//! A stalled loop calls many functions, and the watchdog finds another one each time. So the title names an *anchor*: the
//! function that a generic dispatcher (a system call, a work queue, a protocol's demultiplexer) handed the job to.

use crate::frames::Frame;
use crate::skip;

/// The frames that were interrupted: those behind the last interrupt entry, or all.
#[must_use]
pub fn interrupted<'f, 'a>(trace: &'f [Frame<'a>]) -> &'f [Frame<'a>] {
    let entry = trace.iter().rposition(|frame| INTERRUPTS.iter().any(|pattern| skip::matches(pattern, frame.symbol)));
    match entry {
        Some(at) if at + 1 < trace.len() => &trace[at + 1..],
        _ => trace,
    }
}

/// The anchor among interrupted frames, innermost first: the function under the innermost dispatcher, else the system call,
/// else the first that is not machinery.
#[must_use]
pub fn anchor<'f, 'a>(frames: &'f [Frame<'a>]) -> Option<&'f Frame<'a>> {
    let bucket = frames.iter().find(|frame| BUCKETS.iter().any(|pattern| skip::matches(pattern, skip::base(frame.symbol))));
    let dispatched = frames.iter().enumerate().skip(1).find_map(|(at, frame)| {
        let under = &frames[at - 1];
        (is_dispatcher(frame) && !is_dispatcher(under) && !skip::skipped(under.symbol, &[])).then_some(under)
    });
    let first = || frames.iter().find(|frame| !skip::skipped(frame.symbol, &[]));
    bucket.or(dispatched).or_else(first)
}

fn is_dispatcher(frame: &Frame<'_>) -> bool {
    DISPATCHERS.iter().any(|pattern| skip::matches(pattern, skip::base(frame.symbol)))
}

const INTERRUPTS: &[&str] = &[
    "apic_timer_interrupt",
    "asm_sysvec_*",
    "asm_common_interrupt",
    "asm_call_*",
    "ret_from_intr",
    "reschedule_interrupt",
    "call_function_interrupt",
    "irq_work_interrupt",
    "el1_irq",
    "el1h_64_irq",
    "__irq_svc",
    "end_repeat_nmi",
    "nmi",
    "asm_exc_nmi",
    "ret_from_exception",
];

/// Functions that are the name of the matter wherever they stand.
const BUCKETS: &[&str] = &["smp_call_function*", "br_handle_frame", "kvm_vcpu_ioctl", "netlink_sendmsg"];

/// Functions that hand jobs to others.
const DISPATCHERS: &[&str] = &[
    "vfs_*",
    "do_vfs_ioctl",
    "__*_sys_*",
    "SyS_*",
    "SYSC_*",
    "sys_*",
    "ksys_*",
    "new_sync_*",
    "do_iter_*",
    "__vfs_*",
    "call_write_iter",
    "call_read_iter",
    "sock_sendmsg*",
    "sock_recvmsg*",
    "____sys_*",
    "___sys_*",
    "process_one_work",
    "kthread",
    "call_timer_fn",
    "expire_timers",
    "__run_timers",
    "__run_hrtimer",
    "__hrtimer_run_queues",
    "tasklet_action*",
    "__do_softirq",
    "handle_softirqs",
    "__netif_receive_skb*",
    "rtnetlink_rcv_msg",
    "genl_*",
    "nfnetlink_rcv_msg",
    "netlink_unicast*",
    "task_work_run",
    "__fput",
    "mmap_region",
    "call_mmap",
    "__do_fault",
    "do_softirq*",
    "smp_call_function_*",
    "do_dentry_open",
    "entry_*",
    "do_syscall_*",
    "el0_svc*",
    "invoke_syscall*",
];

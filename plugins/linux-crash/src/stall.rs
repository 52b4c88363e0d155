//! Which function a stall is about: not where the watchdog happened to look, but what the CPU was asked to do.
//!
//! A stalled loop calls many functions, and the watchdog finds another one each time. So the title names an *anchor*: the
//! function that a generic dispatcher (a system call, a work queue, a protocol's demultiplexer) handed the job to. Stack overflows
//! are named the same way.

use crate::frames::Frame;
use crate::skip;
use crate::stacks;
use crate::stacks::Event;

/// The stack that stalled, innermost frame first: of the stacks of a report the first with an anchor. A task that was found asleep
/// does not stall; where an interrupt found out (`interrupted`), only what lies below the interrupt counts.
#[must_use]
pub fn stalled<'a>(events: &[Event<'a>], interrupted: bool) -> Vec<Frame<'a>> {
    stacks::traces(events)
        .iter()
        .filter_map(|trace| if interrupted { below_interrupt(trace) } else { awake(trace) })
        .find(|frames| anchor_of(frames).is_some())
        .unwrap_or_default()
        .to_vec()
}

/// The symbol of the anchor of the stack that stalled.
#[must_use]
pub fn anchor<'a>(events: &[Event<'a>], interrupted: bool) -> Option<&'a str> {
    anchor_of(&stalled(events, interrupted)).map(|frame| frame.symbol)
}

/// The frames below the innermost interrupt, if there is one. What it interrupted may be another interrupt's work.
fn below_interrupt<'f, 'a>(trace: &'f [Frame<'a>]) -> Option<&'f [Frame<'a>]> {
    let entry = trace.iter().position(|frame| fits(INTERRUPTS, frame))?;
    let past = trace[entry..].iter().take_while(|frame| fits(INTERRUPTS, frame)).count();
    Some(&trace[entry + past..])
}

/// The frames of a stack whose task was running.
fn awake<'f, 'a>(trace: &'f [Frame<'a>]) -> Option<&'f [Frame<'a>]> {
    let asleep = trace.first().is_some_and(|frame| fits(SLEEPING, frame));
    (!asleep).then_some(trace)
}

/// The function under the innermost dispatcher, else the system call.
fn anchor_of<'f, 'a>(frames: &'f [Frame<'a>]) -> Option<&'f Frame<'a>> {
    let real = || frames.iter().filter(|frame| !frame.inlined);
    let innermost = |frame: &Frame<'_>| frames.first() == Some(frame);
    let at = |patterns: &'static str| real().find(|frame| fits(patterns, frame));
    let dispatched = real().zip(real().skip(1)).find_map(|(under, dispatcher)| {
        let last = innermost(under) || !fits(DISPATCHERS, under) || under.symbol.ends_with("_compat_ioctl");
        let named = fits(DISPATCHERS, dispatcher) && last && !skip::skipped(under.symbol, "");
        named.then_some(under)
    });
    at(MATTERS).or(dispatched).or_else(|| at(CALLS))
}

fn fits(patterns: &str, frame: &Frame<'_>) -> bool {
    skip::listed(patterns, frame.symbol)
}

/// One name for functions that wait for the same thing.
#[must_use]
pub fn bucket(function: &str) -> String {
    let known = BUCKETS.iter().find(|(pattern, _)| skip::matches(pattern, function));
    known.map_or(function, |(_, name)| name).to_owned()
}

const BUCKETS: &[(&str, &str)] = &[
    ("synchronize_*", "synchronize_rcu"),
    ("__synchronize_*", "synchronize_rcu"),
    ("smp_call_function*", "smp_call_function"),
    ("generic_exec_single", "smp_call_function"),
    ("rtnl_lock_*", "rtnl_lock"),
];

/// Innermost functions of a task that does not run: it is shown because it holds others up, or is the watchdog itself.
const SLEEPING: &str = "__schedule schedule context_switch __switch_to";

/// Entries of interrupts, and the watchdogs' own way from there.
const INTERRUPTS: &str = "*apic_timer_interrupt* *sysvec_* asm_common_interrupt asm_call_* ret_from_intr reschedule_interrupt \
     call_function_interrupt irq_work_interrupt el1_irq el1_interrupt el1h_64_irq* __irq_svc end_repeat_nmi nmi \
     asm_exc_nmi __handle_domain_irq gic_handle_irq";

/// Functions that are the name of the matter wherever they stand.
const MATTERS: &str = "smp_call_function* br_handle_frame kvm_vcpu_ioctl";

/// System calls.
const CALLS: &str = "__do_sys_* __se_sys_* __x64_sys_* __ia32_sys_* __arm64_sys_* __riscv_sys_* __do_compat_sys_* __se_compat_sys_* \
     compat_SyS_* SyS_* ksys_* sys_*";

/// Functions that hand jobs to others.
const DISPATCHERS: &str = "do_syscall_* do_fast_syscall_* sysenter_dispatch tracesys* invoke_syscall el0_svc* ret_fast_syscall \
     entry_SYSCALL* system_call_fastpath x64_sys_call ia32_sys_call syscall_handler __do_softirq handle_softirqs \
     __hrtimer_run_queues hrtimer_run_softirq rcu_do_batch netif_receive_skb* sock_do_ioctl sock_ioctl __sock_release \
     sock_release vfs_ioctl vfs_read vfs_write vfs_iter_* vfs_fsync* do_vfs_ioctl *sys_ioctl *SyS_ioctl \
     worker_thread new_sync_* do_iter_* __vfs_* call_write_iter call_read_iter sock_sendmsg* __sock_sendmsg \
     process_one_work kthread smpboot_thread_fn cpu_startup_entry start_secondary call_timer_fn expire_timers \
     __run_timers tasklet_action* __netif_receive_skb* rtnetlink_rcv_msg *_compat_ioctl netlink_dump* \
     nfnetlink_rcv_msg task_work_run __fput call_mmap mmap_region blkdev_ioctl compat_blkdev_ioctl block_ioctl \
     sock_common_setsockopt __do_fault do_dentry_open __sys_connect* __sys_setsockopt __sys_getsockopt";

#[cfg(test)]
mod tests {
    use super::*;

    fn anchor_in(stack: &str, interrupted: bool) -> Option<String> {
        let text: String = stack.split(' ').map(|name| format!(" {name}+0x1/0x2\n")).collect();
        let text = format!("Call Trace:\n{text}");
        let events = stacks::events(text.lines().map(|line| (line, false)), 0);
        anchor(&events, interrupted).map(str::to_owned)
    }

    #[test]
    fn the_job_under_the_innermost_dispatcher_is_named() {
        assert_eq!(anchor_in("spin widget_work process_one_work worker_thread kthread", false).as_deref(), Some("widget_work"));
        assert_eq!(
            anchor_in("spin widget_ioctl vfs_ioctl __x64_sys_ioctl do_syscall_64", false).as_deref(),
            Some("widget_ioctl")
        );
        assert_eq!(anchor_in("spin __x64_sys_futex do_syscall_64", false).as_deref(), Some("__x64_sys_futex"));
        assert_eq!(anchor_in("spin walk", false), None);
    }

    #[test]
    fn only_what_was_interrupted_counts() {
        let watchdog = "rcu_sched_clock_irq update_process_times process_one_work asm_sysvec_apic_timer_interrupt";
        assert_eq!(anchor_in(&format!("{watchdog} spin work process_one_work"), true).as_deref(), Some("work"));
        assert_eq!(anchor_in("spin work process_one_work", true), None);
    }

    #[test]
    fn a_task_that_sleeps_does_not_stall() {
        assert_eq!(anchor_in("__schedule schedule work process_one_work", false), None);
    }

    #[test]
    fn what_is_waited_for_has_one_name() {
        assert_eq!(bucket("synchronize_rcu_expedited"), "synchronize_rcu");
        assert_eq!(bucket("widget_drain"), "widget_drain");
    }
}

//! What of a report is compared, and the evidence for and against one bug in two reports. Pure.

use kbisect_sdk::CrashReport;

use super::family;
use super::family::Family;
use super::names;
use super::names::Nearness;
use crate::kind;
use crate::skip;
use crate::title;

/// Functions of a stack that are compared: deeper ones are the way there, not the place.
const DEEP: usize = 12;
/// Where a function that one report blames counts as being on the other's stack.
const NEAR_TOP: usize = 8;
/// Stacks of fewer telling functions than this say nothing by having none in common.
const TELLING: usize = 3;

/// What of a report is compared; gaps of a report that is only a title are filled from the title.
pub struct Look<'a> {
    /// The title, without the dashboard's counter.
    pub title: &'a str,
    /// The type, from the title where the report has none.
    pub kind: &'a str,
    /// In what way it went wrong.
    pub family: Family,
    titles: Vec<&'a str>,
    /// Functions that are blamed, as words: by the title, and by the report.
    blamed: Vec<String>,
    /// Functions of the stack that tell something, innermost first.
    trace: Vec<&'a str>,
    file: Option<&'a str>,
}

impl<'a> Look<'a> {
    /// What is compared of this report.
    pub fn of(report: &'a CrashReport) -> Self {
        let kind = if report.crash_type.is_empty() { kind::of(&report.title) } else { &report.crash_type };
        let mut blamed: Vec<String> = Vec::new();
        let by_title = title::frame_of(&report.title).map(str::to_owned).or_else(|| in_path(&report.title));
        for name in by_title.into_iter().chain(report.frame.clone()) {
            if !blamed.contains(&name) && name != "corrupted" {
                blamed.push(name);
            }
        }
        let telling = |name: &&str| !skip::skipped(name, &[]) && !ON_THE_WAY.contains(&skip::base(name));
        let trace: Vec<&str> = report.trace.iter().map(String::as_str).filter(telling).take(DEEP).collect();
        if blamed.is_empty() {
            // A report that is too broken to blame anybody may still have a stack.
            blamed.extend(trace.first().map(|name| (*name).to_owned()));
        }
        Self {
            title: bare(&report.title),
            kind,
            family: family::of(&report.title, kind),
            titles: std::iter::once(&report.title).chain(&report.alt_titles).map(|title| bare(title)).collect(),
            blamed,
            trace,
            file: report.guilty_file.as_deref(),
        }
    }

    /// Whether nothing that is compared tells the two apart.
    pub fn is_equal(&self, other: &Self) -> bool {
        self.title == other.title
            && self.kind == other.kind
            && self.blamed == other.blamed
            && self.trace == other.trace
            && self.file == other.file
    }

    /// Whether the title says whose crash it is.
    pub fn is_specific(&self) -> bool {
        !self.title.ends_with(" corrupted") && !matches!(self.family, Family::Vague | Family::Machinery)
    }
}

/// A title without the dashboard's counter: `KASAN: … in foo (2)`.
fn bare(title: &str) -> &str {
    let counter = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    match title.rsplit_once(" (") {
        Some((head, tail)) if tail.strip_suffix(')').is_some_and(counter) => head,
        _ => title,
    }
}

/// A file that a title names, as a function's name would have its words: `net/rxrpc/conn_object.c` is `rxrpc_conn_object`.
fn in_path(title: &str) -> Option<String> {
    let path = title.split_whitespace().find(|word| word.contains('/') && word.contains(".c:"))?;
    let (path, _) = path.split_once(".c:")?;
    let mut parts = path.rsplit('/');
    let file = parts.next()?;
    Some(parts.next().map_or_else(|| file.to_owned(), |folder| format!("{folder}_{file}")))
}

/// Functions on the way to the place: system calls, work queues, exits.
const ON_THE_WAY: &[&str] = &[
    "worker_thread",
    "process_one_work",
    "process_scheduled_works",
    "kthread",
    "do_syscall_64",
    "vfs_write",
    "vfs_read",
    "vfs_ioctl",
    "do_vfs_ioctl",
    "sys_ioctl",
    "sys_write",
    "sys_read",
    "ksys_write",
    "ksys_read",
    "sock_sendmsg",
    "__sock_sendmsg",
    "sock_sendmsg_nosec",
    "sock_write_iter",
    "sock_read_iter",
    "sock_recvmsg",
    "sock_ioctl",
    "sock_do_ioctl",
    "____sys_sendmsg",
    "___sys_sendmsg",
    "__sys_sendmsg",
    "sys_sendmsg",
    "__sys_sendto",
    "sys_sendto",
    "____sys_recvmsg",
    "___sys_recvmsg",
    "__sys_recvmsg",
    "sys_recvmsg",
    "__sys_recvfrom",
    "__sys_setsockopt",
    "sys_setsockopt",
    "__sys_getsockopt",
    "task_work_run",
    "__fput",
    "____fput",
    "fput",
    "filp_close",
    "__sock_release",
    "sock_release",
    "sock_close",
    "do_exit",
    "do_group_exit",
    "get_signal",
    "exit_to_user_mode_prepare",
    "exit_to_user_mode_loop",
    "smpboot_thread_fn",
    "run_ksoftirqd",
    "__do_softirq",
    "handle_softirqs",
    "do_softirq",
    "irq_exit",
    "irq_exit_rcu",
    "schedule",
    "__schedule",
    "schedule_timeout",
    "new_sync_write",
    "new_sync_read",
    "call_write_iter",
    "call_read_iter",
    "do_iter_write",
    "do_iter_readv_writev",
    "do_writev",
    "vfs_writev",
    "netlink_rcv_skb",
    "netlink_unicast",
    "netlink_unicast_kernel",
    "netlink_sendmsg",
    "netlink_dump",
    "genl_rcv",
    "genl_rcv_msg",
    "genl_family_rcv_msg",
    "genl_family_rcv_msg_doit",
    "rtnetlink_rcv_msg",
    "rtnetlink_rcv",
    "path_openat",
    "do_filp_open",
    "do_sys_open",
    "do_sys_openat2",
    "do_dentry_open",
    "vfs_open",
    "do_open",
    "do_mount",
    "path_mount",
    "vfs_get_tree",
    "do_new_mount",
    "mount_fs",
    "legacy_get_tree",
    "get_tree_bdev",
    "mount_bdev",
    "sys_mount",
    "deactivate_super",
    "deactivate_locked_super",
    "cleanup_mnt",
    "rcu_core",
    "rcu_do_batch",
    "call_timer_fn",
    "run_timer_softirq",
    "__run_timers",
    "expire_timers",
    "ret_from_fork",
    "kernel_init",
    "do_one_initcall",
    "driver_probe_device",
    "really_probe",
    "device_add",
    "bus_probe_device",
    "__device_attach",
    "__device_attach_driver",
    "bus_for_each_drv",
    "usb_probe_interface",
    "usb_probe_device",
    "hub_event",
    "usb_new_device",
    "usb_set_configuration",
    "hub_port_connect",
    "port_event",
    "notifier_call_chain",
    "raw_notifier_call_chain",
    "call_netdevice_notifiers_info",
    "iput",
    "dput",
    "__dentry_kill",
    "generic_shutdown_super",
    "kill_block_super",
    "evict",
    "process_backlog",
    "__napi_poll",
    "napi_poll",
    "net_rx_action",
    "__netif_receive_skb",
    "__netif_receive_skb_one_core",
    "__netif_receive_skb_core",
    "netif_receive_skb",
    "__dev_queue_xmit",
    "dev_queue_xmit",
    "dev_hard_start_xmit",
    "tcp_v4_rcv",
    "ip_rcv",
    "ip_local_deliver",
];

/// A kind of evidence, and what it weighs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// How much of it there is, 0 to 1.
    pub amount: [f64; KINDS],
}

/// How many kinds of evidence there are; the names stand beside the weights.
pub const KINDS: usize = 15;

/// Compares two looks; the same in both directions.
pub fn evidence(one: &Look<'_>, other: &Look<'_>) -> Evidence {
    let is = |condition: bool| f64::from(u8::from(condition));
    let equal_title = one.title == other.title;
    let shared_title = one.titles.iter().any(|title| other.titles.contains(title) && !title.ends_with(" corrupted"));
    let blamed = near(&one.blamed, &other.blamed);
    let crossed = on_stack(&one.blamed, &other.trace).max(on_stack(&other.blamed, &one.trace));
    let crossed_words = words_on_stack(&one.blamed, &other.trace).max(words_on_stack(&other.blamed, &one.trace));
    let also_on = |trace: &[&str], other: &[&str]| trace.iter().filter(|name| on(other, name)).count();
    let shared = also_on(&one.trace, &other.trace).min(also_on(&other.trace, &one.trace));
    let fewer = one.trace.len().min(other.trace.len());
    let overlap = if fewer >= 2 { shared as f64 / fewer as f64 } else { 0.0 };
    let kinship = family::kinship(one.family, other.family);
    // How far anything but the family connects the two: every other crash is of a family that fits.
    let connected = [is(blamed.same || shared_title), blamed.words, blamed.first, crossed, crossed_words, overlap].into_iter();
    let connected = connected.fold(0.0, f64::max);
    let folder = |file: &str| file.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let files = one.file.zip(other.file);
    let same_file = files.is_some_and(|(one, other)| one == other);
    let same_folder = files.is_some_and(|(one, other)| folder(one) == folder(other)) && !same_file;
    let apart = files.is_some_and(|(one, other)| top(one) != top(other));
    Evidence {
        amount: [
            1.0,
            is(equal_title),
            is(shared_title && !equal_title),
            is(blamed.same),
            if blamed.same { 0.0 } else { blamed.words },
            if blamed.same { 0.0 } else { blamed.first },
            if blamed.same { 0.0 } else { crossed },
            if blamed.same || crossed > 0.0 { 0.0 } else { crossed_words },
            overlap,
            is(fewer >= TELLING && shared == 0),
            is(one.kind == other.kind && !one.kind.is_empty()) * connected.sqrt(),
            kinship * connected.sqrt(),
            is(kinship == 0.0),
            is(same_file) + 0.5 * is(same_folder),
            is(apart),
        ],
    }
}

/// The nearest of two lists of names.
fn near(ones: &[String], others: &[String]) -> Nearness {
    let all = ones.iter().flat_map(|one| others.iter().map(move |other| names::nearness(one, other)));
    all.fold(Nearness::default(), |best, next| Nearness {
        same: best.same || next.same,
        words: best.words.max(next.words),
        first: best.first.max(next.first),
    })
}

fn on(trace: &[&str], name: &str) -> bool {
    trace.iter().any(|other| skip::base(other) == skip::base(name))
}

/// Whether a blamed function is on the other's stack: 1 at its top, less further down.
fn on_stack(blamed: &[String], trace: &[&str]) -> f64 {
    let place = trace.iter().take(NEAR_TOP).position(|frame| blamed.iter().any(|name| names::nearness(name, frame).same));
    place.map_or(0.0, |place| 1.0 - place as f64 / (2 * NEAR_TOP) as f64)
}

/// How near a blamed function comes to one at the top of the other's stack.
fn words_on_stack(blamed: &[String], trace: &[&str]) -> f64 {
    let frames = trace.iter().take(NEAR_TOP / 2);
    let near = frames.flat_map(|frame| blamed.iter().map(move |name| names::nearness(name, frame)));
    near.map(|near| near.words.max(near.first / 2.0)).fold(0.0, f64::max)
}

/// The first two folders of a path: the subsystem, roughly.
fn top(file: &str) -> Vec<&str> {
    let parts: Vec<&str> = file.split('/').collect();
    parts[..parts.len().saturating_sub(1)].iter().take(2).copied().collect()
}

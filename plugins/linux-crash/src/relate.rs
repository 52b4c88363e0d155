//! Is it the same bug? How likely a crash is one of the target's faces, at even prior odds.

use kbisect_sdk::CrashReport;
use kbisect_sdk::Face;
use kbisect_sdk::classifier::Relation;

use crate::kind;
use crate::title;

/// Compares a crash with the target's faces: the likeliest face counts. None where there is no face.
#[must_use]
pub fn relate(seen: &CrashReport, faces: &[Face]) -> Option<Relation> {
    faces.iter().map(|face| compare(seen, &face.report)).max_by(|one, other| one.same.total_cmp(&other.same))
}

/// Compares two crashes.
#[must_use]
pub fn compare(seen: &CrashReport, face: &CrashReport) -> Relation {
    let one = Look::of(seen);
    let other = Look::of(face);
    let (same, reason) = judge(&one, &other);
    Relation { same, reason }
}

/// What of a report is compared; gaps of a report that is only a title are filled from the title.
struct Look<'a> {
    title: &'a str,
    titles: Vec<&'a str>,
    kind: &'a str,
    frame: Option<&'a str>,
    trace: Vec<&'a str>,
    file: Option<&'a str>,
}

impl<'a> Look<'a> {
    fn of(report: &'a CrashReport) -> Self {
        let kind = if report.crash_type.is_empty() { kind::of(&report.title) } else { &report.crash_type };
        let skipped = |name: &&str| !crate::skip::skipped(name, &[]) && !ORDINARY.contains(name);
        Self {
            title: &report.title,
            titles: std::iter::once(&report.title).chain(&report.alt_titles).map(String::as_str).collect(),
            kind,
            frame: report.frame.as_deref().or_else(|| title::frame_of(&report.title)),
            trace: report.trace.iter().map(String::as_str).filter(skipped).collect(),
            file: report.guilty_file.as_deref(),
        }
    }

    fn family(&self) -> Family {
        family(self.kind)
    }
}

/// Frames that nearly every stack has, and that so say nothing.
const ORDINARY: &[&str] = &[
    "worker_thread",
    "process_one_work",
    "do_syscall_64",
    "vfs_write",
    "vfs_read",
    "vfs_ioctl",
    "do_vfs_ioctl",
    "sys_ioctl",
    "sys_write",
    "sys_read",
    "sock_sendmsg",
    "__sock_sendmsg",
    "sock_sendmsg_nosec",
    "____sys_sendmsg",
    "___sys_sendmsg",
    "__sys_sendmsg",
    "sys_sendmsg",
    "task_work_run",
    "__fput",
    "do_exit",
    "do_group_exit",
    "get_signal",
    "exit_to_user_mode_prepare",
    "smpboot_thread_fn",
    "run_ksoftirqd",
    "__do_softirq",
    "irq_exit",
    "schedule",
    "__schedule",
];

/// What kind of wrong a crash type is: one bug shows as several types of one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Memory,
    Stuck,
    Locks,
    Leak,
    Uninitialised,
    Race,
    Warning,
    /// Endings that say little: the machine is gone, and nobody knows why.
    Vague,
    Other,
}

fn family(kind: &str) -> Family {
    match kind {
        "HANG" => Family::Stuck,
        "LOCKDEP" | "ATOMIC_SLEEP" => Family::Locks,
        "LEAK" => Family::Leak,
        "WARNING" | "BUG" => Family::Warning,
        "LOST_CONNECTION" | "NO_OUTPUT" | "SYZ_FAILURE" | "REBOOT" => Family::Vague,
        "DoS" | "MEMORY_SAFETY_BUG" | "MEMORY_SAFETY_UBSAN" | "NULL-POINTER-DEREFERENCE" | "REFCOUNT_WARNING" => Family::Memory,
        _ if kind.starts_with("KASAN") || kind.starts_with("KFENCE") => Family::Memory,
        _ if kind.starts_with("KMSAN") => Family::Uninitialised,
        _ if kind.starts_with("KCSAN") => Family::Race,
        _ => Family::Other,
    }
}

/// The steps, surest first. The figures are the plain reading of `bisection-science.md` §8 until they are measured: titles
/// that agree are nearly always one bug, and most crashes with nothing in common are two.
fn judge(seen: &Look<'_>, face: &Look<'_>) -> (f64, String) {
    if seen.kind == "EXIT" || face.kind == "EXIT" {
        return exits(seen, face);
    }
    let unnamed = seen.frame.is_none() && seen.title.ends_with("corrupted");
    if seen.title == face.title {
        if family(seen.kind) == Family::Vague || unnamed {
            return (0.6, format!("the same title, which says little: {}", seen.title));
        }
        return (0.98, format!("the same title: {}", seen.title));
    }
    if let Some(title) = seen.titles.iter().find(|title| face.titles.contains(title) && !title.ends_with(" corrupted")) {
        return (0.98, format!("known by the same title: {title}"));
    }
    if seen.family() == Family::Vague || face.family() == Family::Vague {
        return (0.3, format!("an ending that says little: {}", seen.title));
    }
    let related =
        seen.kind == face.kind && !seen.kind.is_empty() || seen.family() == face.family() && seen.family() != Family::Other;
    if let Some(frame) = seen.frame.filter(|frame| face.frame == Some(frame)) {
        return if seen.kind == face.kind && !seen.kind.is_empty() {
            (0.9, format!("the same type in the same function: {frame}"))
        } else if related {
            (0.8, format!("the same function, a related type: {frame}"))
        } else {
            (0.6, format!("the same function: {frame}"))
        };
    }
    let shared = seen.trace.iter().filter(|name| face.trace.contains(name)).count();
    let shortest = seen.trace.len().min(face.trace.len());
    let on_stack =
        |frame: Option<&str>, trace: &[&str]| frame.is_some_and(|frame| trace.iter().take(6).any(|name| *name == frame));
    let crossed = on_stack(seen.frame, &face.trace) || on_stack(face.frame, &seen.trace);
    if related && shared >= 3 && 2 * shared >= shortest {
        return (0.6, format!("a related type, and {shared} functions of the stack in common"));
    }
    if crossed && related {
        return (0.5, "a related type, and one's function is on the other's stack".to_owned());
    }
    if shared >= 3 && 2 * shared >= shortest {
        return (0.3, format!("{shared} functions of the stack in common"));
    }
    if let Some(file) = seen.file.filter(|file| face.file == Some(file)) {
        return (if related { 0.3 } else { 0.15 }, format!("only the file in common: {file}"));
    }
    if related && seen.frame.is_none() {
        return (0.15, "a related type without a function".to_owned());
    }
    (0.01, format!("nothing in common with {}", face.title))
}

/// What a script calls failure is one thing; a kernel's own report is another, and a script may see it or not.
fn exits(seen: &Look<'_>, face: &Look<'_>) -> (f64, String) {
    if seen.kind == face.kind {
        return (0.999, "the script says that it failed".to_owned());
    }
    (0.5, "one is the script's word, the other the kernel's".to_owned())
}

#[cfg(test)]
#[path = "relate_tests.rs"]
mod tests;

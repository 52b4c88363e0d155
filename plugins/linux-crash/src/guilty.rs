//! The source file to blame: the first on the stack that is not machinery, or a more particular one below the same directory.
//!
//! Source: `syzkaller-policy.md` §11, guilty file.

use crate::frames;
use crate::frames::Frame;
use crate::rules::Kind;
use crate::rules::Row;
use crate::skip::matches;
use crate::stacks;

/// The file to blame for a report of this form: from the frames that count; else the header's; else from whatever stack the report
/// has, such as that of an allocation; and where all of that is machinery, the machinery itself. `lines` are the report's.
#[must_use]
pub fn of(row: &Row, header: &str, lines: &[&str], story: &[Frame<'_>]) -> Option<String> {
    let told = in_words(row, lines).chain(story.iter().filter_map(|frame| frame.file));
    let anywhere = || {
        let own = lines.iter().take_while(|line| !line.starts_with(OTHERS));
        own.filter(|line| frames::frame(line).is_none_or(|frame| !frame.doubtful)).filter_map(|line| named(line))
    };
    let stood = || lines.iter().filter_map(|line| frames::pointer(line)?.file);
    pick(told, ignored)
        .or_else(|| pick(named(header).into_iter(), ignored))
        .or_else(|| pick(anywhere(), ignored))
        .or_else(|| pick(stood().chain(story.iter().filter_map(|frame| frame.file)), never))
}

/// The source files that a report of this form shows: those of the frames that count, innermost first, then those of its other stacks,
/// such as that of an allocation; each once, without those that are never to blame. `lines` are the report's.
#[must_use]
pub fn shown(row: &Row, lines: &[&str], story: &[Frame<'_>]) -> Vec<String> {
    let told = in_words(row, lines).chain(story.iter().filter_map(|frame| frame.file));
    let others = lines.iter().take_while(|line| !line.starts_with(OTHERS)).filter_map(|line| named(line));
    let mut files: Vec<String> = Vec::new();
    for file in told.chain(others).map(in_tree).filter(|file| !never(file)) {
        if files.len() < MOST_FILES && !files.contains(&file) {
            files.push(file);
        }
    }
    files
}

/// Files shown of a report at most.
const MOST_FILES: usize = 32;

/// What is printed behind this is about other tasks.
const OTHERS: &str = "Showing all locks held";

/// Picks the file to blame from those of a stack, innermost first.
fn pick<'a>(files: impl Iterator<Item = &'a str>, ignored: impl Fn(&str) -> bool) -> Option<String> {
    let mut files = files.map(in_tree).filter(|file| !ignored(file));
    let first = files.next()?;
    let directory = first.rsplit_once('/').map_or("", |(directory, _)| directory);
    let deeper = files
        .find(|file| file.strip_prefix(directory).and_then(|rest| rest.strip_prefix('/')).is_some_and(|rest| rest.contains('/')));
    Some(deeper.unwrap_or(first))
}

/// The files of the places that a report of this form is about in words, before its stack: where locks were taken, where code slept,
/// which line was undefined. `lines` are the report's.
fn in_words<'a>(row: &Row, lines: &[&'a str]) -> impl Iterator<Item = &'a str> {
    let lines = match row.kind {
        Kind::Is("LOCKDEP" | "UBSAN" | "MEMORY_SAFETY_UBSAN") => lines,
        // What it says behind its header is about locks that are held and interrupts that were on.
        Kind::Is("ATOMIC_SLEEP") => &lines[..lines.len().min(1)],
        _ => &[],
    };
    lines.iter().take_while(|line| !stacks::begins(line)).filter_map(|line| named(line))
}

/// The source file that a line such as `WARNING: CPU: 0 PID: 1 at mm/slub.c:12 fn+0x1/0x2` or `kernel BUG at mm/slub.c:12!`
/// names.
#[must_use]
pub fn named(line: &str) -> Option<&str> {
    line.split_whitespace().find_map(|word| {
        let (path, line) = word.trim_start_matches('(').split_once(':')?;
        let source = [".c", ".h", ".S", ".rs"].iter().any(|end| path.ends_with(end));
        (source && line.starts_with(|c: char| c.is_ascii_digit())).then_some(path)
    })
}

/// A path below the tree, without detours: builds outside of it print `../` or where their sources lie.
fn in_tree(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/').filter(|name| !matches!(*name, "" | ".")) {
        match name {
            ".." => drop(names.pop()),
            _ => names.push(name),
        }
    }
    let top = if path.starts_with('/') { names.iter().position(|name| TOP.contains(name)).unwrap_or(0) } else { 0 };
    names.get(top..).unwrap_or_default().join("/")
}

/// The kernel tree's own folders with code.
const TOP: &[&str] = &[
    "arch", "block", "certs", "crypto", "drivers", "fs", "include", "init", "io_uring", "ipc", "kernel", "lib", "mm", "net",
    "rust", "samples", "security", "sound", "virt",
];

/// Whether a file is not to blame as long as another is on the stack.
fn ignored(file: &str) -> bool {
    never(file) || fits(MACHINERY, file)
}

/// Whether a file is never to blame.
fn never(file: &str) -> bool {
    !file.contains('/') || !(file.ends_with(".c") || file.ends_with(".rs")) || fits(NEVER, file)
}

fn fits(groups: &[(&str, &str)], file: &str) -> bool {
    groups.iter().flat_map(|(_, files)| files.split_whitespace()).any(|pattern| matches(pattern, file))
}

/// Files that only tell of crashes or are the same for all, by what they are for: patterns apart by blanks.
const NEVER: &[(&str, &str)] = &[
    ("headers, libraries, other systems", "include/* lib/* virt/lib/* rust/* trusty/*"),
    ("checkers", "mm/kasan/* mm/kmsan/* mm/kfence/* mm/fault-inject* mm/failslab.c mm/debug.c kernel/kcov.c kernel/kcsan/*"),
    (
        "printing and unwinding",
        "kernel/panic.c kernel/printk/* kernel/stacktrace.c kernel/kallsyms.c arch/x86/kernel/stacktrace.c \
         arch/x86/kernel/dumpstack* arch/riscv/kernel/stacktrace.c arch/arm/kernel/unwind.c",
    ),
    ("entries", "kernel/entry/* arch/x86/include/* arch/arm64/kernel/entry* arch/arm64/kernel/syscall.c"),
];

/// Files that are on the stack of many crashes and to blame for few, likewise.
const MACHINERY: &[(&str, &str)] = &[
    (
        "allocators",
        "mm/slab* mm/slub* mm/util.c mm/vmalloc.c mm/page_alloc.c mm/percpu* mm/memory.c mm/kmemleak.c mm/maccess.c \
         mm/folio-compat.c mm/mempool.c mm/filemap.c mm/truncate.c",
    ),
    (
        "locks, waiting, timers, work",
        "kernel/locking/* kernel/sched/* kernel/rcu/* kernel/time/timer.c kernel/workqueue.c kernel/kthread.c kernel/softirq.c \
         kernel/hung_task.c kernel/watchdog.c",
    ),
    (
        "the same before they had folders of their own (3.3 to 3.13)",
        "kernel/sched* kernel/mutex.c kernel/rwsem.c kernel/spinlock.c kernel/lockdep.c kernel/wait.c kernel/timer.c kernel/rcu*",
    ),
    (
        "traps",
        "arch/x86/kernel/traps.c arch/x86/mm/fault.c arch/x86/lib/* arch/x86/mm/physaddr.c arch/x86/kernel/unwind* arch/x86/kernel/apic/* \
         arch/arm64/kernel/* arch/arm64/mm/fault.c arch/arm64/lib/* arch/riscv/kernel/* arch/riscv/mm/fault.c arch/riscv/lib/* \
         arch/arm/kernel/* arch/arm/mm/* arch/arm/lib/*",
    ),
    (
        "what everything of a subsystem passes through",
        "net/core/dev.c net/core/sock.c net/core/skbuff.c fs/proc/generic.c fs/debugfs/* drivers/usb/core/urb.c \
         security/security.c",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machinery_is_not_to_blame() {
        let blamed = |files: &[&str]| pick(files.iter().copied(), ignored).unwrap_or_default();
        assert_eq!(blamed(&["lib/dump_stack.c", "mm/slub.c", "net/foo/a.c", "net/core/dev.c"]), "net/foo/a.c");
        assert_eq!(blamed(&["lib/dump_stack.c"]), "");
        assert_eq!(blamed(&["fs/libfs.c", "fs/ext4/a.c"]), "fs/ext4/a.c");
        assert_eq!(blamed(&["kernel/sched.c", "fs/pipe.c"]), "fs/pipe.c");
        assert_eq!(blamed(&["arch/x86/kvm/../../../virt/kvm/a.c"]), "virt/kvm/a.c");
    }

    #[test]
    fn headers_name_files() {
        assert_eq!(named("WARNING: CPU: 1 PID: 2 at fs/foo/a.c:12 foo+0x1/0x2"), Some("fs/foo/a.c"));
        assert_eq!(named("WARNING: ./fs/foo/a.h:12 at foo+0x1/0x2, CPU#1: a/1"), Some("./fs/foo/a.h"));
        assert_eq!(named("kernel BUG at nowhere"), None);
        assert_eq!(in_tree("../../fs/foo/a.c"), "fs/foo/a.c");
        assert_eq!(in_tree("/home/me/linux/fs/foo/a.c"), "fs/foo/a.c");
    }
}

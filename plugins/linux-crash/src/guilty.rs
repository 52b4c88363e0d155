//! The source file to blame: the first on the stack that is not machinery, or a more particular one below the same directory.
//!
//! Source: `syzkaller-policy.md` §11, guilty file.

use crate::skip::matches;

/// Picks the file to blame from the files on the stack, innermost first.
#[must_use]
pub fn pick<'a>(files: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut files = files.filter(|file| !ignored(file));
    let first = files.next()?;
    let directory = first.rsplit_once('/').map_or("", |(directory, _)| directory);
    let deeper =
        |file: &&str| file.strip_prefix(directory).and_then(|rest| rest.strip_prefix('/')).is_some_and(|rest| rest.contains('/'));
    if directory.is_empty() { Some(first) } else { files.find(deeper).or(Some(first)) }
}

/// The source file that a header such as `WARNING: CPU: 0 PID: 1 at mm/slub.c:12 fn+0x1/0x2` or `kernel BUG at mm/slub.c:12!`
/// names, relative to the tree, for consoles whose frames carry none.
#[must_use]
pub fn named(header: &str) -> Option<&str> {
    header.split_whitespace().find_map(|word| {
        let (path, line) = word.split_once(':')?;
        let source = [".c", ".h", ".S", ".rs"].iter().any(|end| path.ends_with(end));
        (source && line.starts_with(|c: char| c.is_ascii_digit())).then(|| in_tree(path))
    })
}

/// A path without what leads to the tree: builds outside of it print `../` or where their sources lie.
fn in_tree(path: &str) -> &str {
    let path = path.trim_start_matches("./").trim_start_matches("../");
    if !path.starts_with('/') {
        return path;
    }
    let top = path.match_indices('/').find(|(at, _)| {
        let rest = &path[at + 1..];
        rest.split_once('/').is_some_and(|(directory, _)| TOP.contains(&directory))
    });
    top.map_or(path, |(at, _)| &path[at + 1..])
}

/// The kernel tree's own folders with code.
const TOP: &[&str] = &[
    "arch", "block", "certs", "crypto", "drivers", "fs", "include", "init", "io_uring", "ipc", "kernel", "lib", "mm", "net",
    "rust", "samples", "security", "sound", "virt",
];

/// Whether a file is machinery: headers of the core, allocators, checkers, entries.
fn ignored(file: &str) -> bool {
    !file.contains('/')
        || !(file.ends_with(".c") || file.ends_with(".h") || file.ends_with(".rs"))
        || IGNORED.iter().any(|pattern| matches(pattern, file))
}

const IGNORED: &[&str] = &[
    "arch/*",
    "include/*",
    "lib/*",
    "mm/kasan/*",
    "mm/kmsan/*",
    "mm/kfence/*",
    "mm/slab*",
    "mm/slub*",
    "mm/util.c",
    "mm/vmalloc.c",
    "mm/page_alloc.c",
    "mm/mempolicy.c",
    "mm/percpu*",
    "mm/usercopy.c",
    "mm/memory.c",
    "mm/fault-inject*",
    "mm/kmemleak.c",
    "mm/debug.c",
    "mm/maccess.c",
    "kernel/panic.c",
    "kernel/printk/*",
    "kernel/locking/*",
    "kernel/sched/*",
    "kernel/rcu/*",
    "kernel/time/*",
    "kernel/workqueue.c",
    "kernel/kthread.c",
    "kernel/softirq.c",
    "kernel/exit.c",
    "kernel/fork.c",
    "kernel/stacktrace.c",
    "kernel/task_work.c",
    "kernel/entry/*",
    "kernel/irq/*",
    "kernel/smp.c",
    "kernel/kcov.c",
    "kernel/kcsan/*",
    "kernel/hung_task.c",
    "kernel/watchdog.c",
    "kernel/dma/*",
    "kernel/cpu.c",
    "net/core/dev.c",
    "net/core/sock.c",
    "net/core/skbuff.c",
    "fs/proc/generic.c",
    "fs/read_write.c",
    "fs/file_table.c",
    "fs/ioctl.c",
    "drivers/base/*",
    "virt/lib/*",
    "rust/*",
    "init/main.c",
    "block/blk-lib.c",
    "security/security.c",
    "trusty/*",
    "net/socket.c",
    "net/core/datagram.c",
    "net/core/filter.c",
    "fs/open.c",
    "fs/super.c",
    "fs/inode.c",
    "fs/namei.c",
    "fs/namespace.c",
    "fs/dcache.c",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machinery_is_not_to_blame() {
        assert_eq!(pick(["lib/dump_stack.c", "mm/slub.c", "net/foo/a.c", "net/core/dev.c"].into_iter()), Some("net/foo/a.c"));
        assert_eq!(pick(["lib/dump_stack.c"].into_iter()), None);
        assert_eq!(pick(["fs/libfs.c", "fs/ext4/a.c"].into_iter()), Some("fs/ext4/a.c"));
    }

    #[test]
    fn headers_name_files() {
        assert_eq!(named("WARNING: CPU: 1 PID: 2 at fs/foo/a.c:12 foo+0x1/0x2"), Some("fs/foo/a.c"));
        assert_eq!(named("WARNING: ./fs/foo/a.h:12 at foo+0x1/0x2, CPU#1: a/1"), Some("fs/foo/a.h"));
        assert_eq!(named("kernel BUG at ../../fs/foo/a.c:12!"), Some("fs/foo/a.c"));
        assert_eq!(named("kernel BUG at /home/me/linux/fs/foo/a.c:12!"), Some("fs/foo/a.c"));
        assert_eq!(named("kernel BUG at nowhere"), None);
    }
}

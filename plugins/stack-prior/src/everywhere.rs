//! Files through which the crashes of many bugs pass, whatever introduced them.
//!
//! Source: which files are on how many of 2,678 reports by syzbot, and what they are for.

/// Folders whose files, those below included, are on many stacks.
const FOLDERS: &str = "mm kernel/sched kernel/locking kernel/rcu kernel/time kernel/printk kernel/entry kernel/irq lib include arch init \
net/core net/netlink fs/proc fs/kernfs fs/debugfs drivers/base drivers/usb/core virt/lib";

/// Folders of which only the files directly in them are.
const TOPS: &str = "kernel block fs security";

/// Other such files.
const FILES: &str = "net/socket.c";

/// Files of these folders that are one subsystem's own.
const OWN: &str = "fs/io_uring.c fs/io-wq.c fs/aio.c fs/eventpoll.c fs/pipe.c fs/userfaultfd.c fs/signalfd.c fs/timerfd.c \
net/core/sock_map.c net/core/skmsg.c";

/// Whether the crashes of many bugs pass through a file.
#[must_use]
pub fn has(file: &str) -> bool {
    let is = |list: &str, path: &str| list.split_whitespace().any(|known| known == path);
    let below = |folder: &str| file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    !is(OWN, file) && (is(FILES, file) || is(TOPS, folder) || FOLDERS.split_whitespace().any(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_crashes_pass_through() {
        for file in ["mm/slab.c", "mm/kasan/report.c", "kernel/fork.c", "fs/namei.c", "net/socket.c", "arch/x86/entry/common.c"] {
            assert!(has(file), "{file}");
        }
        for file in ["kernel/bpf/core.c", "fs/ext4/inode.c", "fs/io_uring.c", "net/ipv4/tcp.c", "mmc.c", "drivers/net/tun.c"] {
            assert!(!has(file), "{file}");
        }
    }
}

//! How near two functions' names are: one function under two names, relatives, or strangers. Pure.
//!
//! A bug moves between the functions of its code, and functions are renamed along history; what stays are the words that their names
//! are made of, above all the first, which in the kernel is nearly always the subsystem's or the object's.

use crate::skip;

/// How near two names are.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Nearness {
    /// The same function, or one under an older or newer name.
    pub same: bool,
    /// Shared words by weight over all words, 0 to 1.
    pub words: f64,
    /// Weight of the first word where both begin with it, 0 to 1.
    pub first: f64,
}

/// Compares two names.
#[must_use]
pub fn nearness(one: &str, other: &str) -> Nearness {
    let (one, other) = (words(one), words(other));
    if one.is_empty() || other.is_empty() {
        return Nearness::default();
    }
    if one == other {
        return Nearness { same: true, words: 1.0, first: 1.0 };
    }
    let shared: f64 = one.iter().filter(|word| other.contains(word)).map(|word| weight(word)).sum();
    let only =
        |these: &[&str], those: &[&str]| these.iter().filter(|word| !those.contains(word)).map(|word| weight(word)).sum::<f64>();
    let all = shared + only(&one, &other) + only(&other, &one);
    Nearness {
        same: false,
        words: if all > 0.0 { shared / all } else { 0.0 },
        first: if one[0] == other[0] { weight(one[0]) } else { 0.0 },
    }
}

/// The words of a name, without what distinguishes one function's faces: the compiler's clones, leading underscores, and words for
/// "the inner part", "with the lock held" or "second version".
#[must_use]
pub fn words(name: &str) -> Vec<&str> {
    let name = skip::base(name);
    let all: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let kept: Vec<&str> = all.iter().copied().filter(|word| !FACES.contains(word)).collect();
    if kept.is_empty() { all } else { kept }
}

/// Words that tell one function's faces apart, not functions.
const FACES: &[&str] = &[
    "do", "sys", "ksys", "x64", "ia32", "se", "compat", "nolock", "unlocked", "locked", "rcu", "internal", "common", "inner",
    "v1", "v2", "v3", "2", "3", "impl", "one", "slow", "fast", "slowpath", "fastpath",
];

/// What a shared word says, 0 to 1.
fn weight(word: &str) -> f64 {
    if PLAIN.contains(&word) || word.len() < 2 || word.bytes().all(|byte| byte.is_ascii_digit()) {
        0.15
    } else if BROAD.contains(&word) {
        0.5
    } else {
        1.0
    }
}

/// Words that any subsystem uses.
const PLAIN: &[&str] = &[
    "get",
    "put",
    "alloc",
    "free",
    "init",
    "exit",
    "read",
    "write",
    "open",
    "close",
    "release",
    "create",
    "destroy",
    "add",
    "del",
    "remove",
    "delete",
    "insert",
    "find",
    "lookup",
    "check",
    "set",
    "clear",
    "start",
    "stop",
    "register",
    "unregister",
    "send",
    "recv",
    "recvmsg",
    "sendmsg",
    "handle",
    "handler",
    "process",
    "run",
    "work",
    "worker",
    "timer",
    "task",
    "thread",
    "list",
    "table",
    "tree",
    "queue",
    "entry",
    "info",
    "data",
    "buf",
    "buffer",
    "page",
    "pages",
    "folio",
    "range",
    "map",
    "unmap",
    "new",
    "old",
    "next",
    "all",
    "update",
    "change",
    "reset",
    "setup",
    "cleanup",
    "finish",
    "end",
    "begin",
    "event",
    "notify",
    "wait",
    "wake",
    "lock",
    "unlock",
    "mutex",
    "ref",
    "unref",
    "ioctl",
    "msg",
    "cmd",
    "ctl",
    "cb",
    "fn",
    "op",
    "ops",
    "file",
    "inode",
    "dir",
    "name",
    "node",
    "item",
    "obj",
    "object",
    "dev",
    "device",
    "user",
    "kernel",
    "from",
    "to",
    "in",
    "of",
    "for",
    "with",
    "and",
    "by",
    "at",
    "on",
    "is",
    "try",
    "poll",
    "select",
    "connect",
    "bind",
    "accept",
    "listen",
    "shutdown",
    "flush",
    "sync",
    "commit",
    "submit",
    "complete",
    "done",
    "enable",
    "disable",
    "attach",
    "detach",
    "state",
    "flags",
    "mode",
    "size",
    "len",
    "count",
    "id",
    "idx",
    "index",
    "key",
    "value",
    "link",
    "unlink",
    "rename",
    "xmit",
    "rcv",
    "input",
    "output",
    "fini",
    "probe",
    "disconnect",
    "detect",
    "dump",
    "show",
    "print",
    "parse",
    "copy",
    "move",
    "clone",
    "fill",
    "validate",
    "verify",
    "generic",
    "simple",
    "default",
    "main",
    "core",
    "mm",
    "fs",
    "net",
    "finalize",
    "prepare",
    "install",
    "uninstall",
    "load",
    "unload",
    "call",
    "exec",
    "dec",
    "inc",
    "test",
    "has",
    "can",
    "need",
    "array",
    "pool",
    "cache",
    "stat",
    "stats",
    "time",
    "group",
    "pid",
    "sk",
    "skb",
    "sock",
    "socket",
    "vm",
    "vma",
    "pte",
    "pmd",
];

/// Words that name a whole subsystem: two bugs in it are no rarity.
const BROAD: &[&str] = &[
    "tcp",
    "udp",
    "ip",
    "ipv6",
    "ipv4",
    "ip6",
    "inet",
    "inet6",
    "netlink",
    "rtnl",
    "rtnetlink",
    "netdev",
    "bpf",
    "btf",
    "io",
    "uring",
    "blk",
    "bio",
    "block",
    "bdev",
    "ext4",
    "xfs",
    "btrfs",
    "f2fs",
    "ntfs3",
    "ntfs",
    "hfs",
    "hfsplus",
    "jfs",
    "udf",
    "fuse",
    "nfs",
    "gfs2",
    "ocfs2",
    "reiserfs",
    "nilfs",
    "jbd2",
    "kvm",
    "vmx",
    "usb",
    "hid",
    "snd",
    "tty",
    "vt",
    "fb",
    "drm",
    "nf",
    "nft",
    "xt",
    "ebt",
    "sctp",
    "dccp",
    "tipc",
    "rds",
    "rxrpc",
    "xfrm",
    "tls",
    "smc",
    "mptcp",
    "bt",
    "hci",
    "l2cap",
    "sco",
    "rfcomm",
    "ieee80211",
    "cfg80211",
    "nl80211",
    "mac80211",
    "wireless",
    "can",
    "j1939",
    "vhost",
    "tun",
    "team",
    "bond",
    "bridge",
    "br",
    "batadv",
    "vlan",
    "cgroup",
    "css",
    "perf",
    "ptrace",
    "futex",
    "kernfs",
    "sysfs",
    "proc",
    "debugfs",
    "configfs",
    "input",
    "evdev",
    "v4l2",
    "vb2",
    "vfs",
    "dentry",
    "mnt",
    "super",
    "shmem",
    "hugetlb",
    "swap",
    "zram",
    "loop",
    "nbd",
    "md",
    "dm",
    "scsi",
    "ata",
    "rdma",
    "ib",
    "cma",
    "macsec",
    "qdisc",
    "tc",
    "tcf",
    "sch",
    "cls",
    "packet",
    "unix",
    "vsock",
    "x25",
    "ax25",
    "nr",
    "rose",
    "llc",
    "nfc",
    "9p",
    "p9",
    "ceph",
    "afs",
    "cifs",
    "smb",
    "keyring",
    "crypto",
    "af",
    "alg",
    "aead",
    "skcipher",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faces_of_one_function_are_one() {
        for (one, other) in [
            ("__gfn_to_rmap", "gfn_to_rmap"),
            ("refcount_sub_and_test_checked.isra.0", "refcount_sub_and_test_checked"),
            ("do_exit", "__do_exit"),
            ("__x64_sys_open", "sys_open"),
            ("foo_bar_v2", "foo_bar"),
            ("foo_locked", "foo"),
        ] {
            assert!(nearness(one, other).same, "{one} {other}");
        }
        assert!(!nearness("foo_get", "foo_put").same);
        assert!(!nearness("do_sys", "sys_do").same || words("do_sys") == words("sys_do"));
    }

    #[test]
    fn relatives_are_nearer_than_strangers() {
        let near = |one: &str, other: &str| nearness(one, other).words;
        assert!(near("btf_decl_tag_resolve", "btf_tag_resolve") > 0.6);
        assert!(near("io_poll_double_wake", "io_poll_remove_double") > near("io_poll_double_wake", "io_read"));
        assert!(near("tls_sk_proto_close", "sk_psock_unlink") < 0.1);
        assert!(nearness("vhost_net_stop_vq", "vhost_chr_write_iter").first > 0.4);
        assert!(nearness("get_foo", "get_bar").first < 0.2);
        assert_eq!(near("", "foo"), 0.0);
    }
}

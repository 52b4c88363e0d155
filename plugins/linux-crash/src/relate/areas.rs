//! Which part of the kernel a function or a file belongs to. Pure.
//!
//! Functions are named for their subsystem, not always by its folder's name: `tcindex_set_parms` is traffic control's. The table says
//! what names begin with, by the folder that MAINTAINERS lists the subsystem under. A name that is not in the table has its first
//! word for its area, which in the kernel is a driver's or an object's name.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::names;
use super::vocabulary;
use crate::skip;

/// A part of the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// Its folder, or the word that its functions begin with.
    pub name: String,
    /// Whether the name is a folder's.
    pub known: bool,
    /// Whether much runs through it whatever goes on, so that two crashes in it are no rarity.
    pub broad: bool,
}

impl Area {
    /// Whether both are one, or the one's name is part of the other's path: a driver known by its word, and by its folder.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        let within = |word: &Self, path: &Self| !word.known && path.known && path.name.contains(&word.name);
        self.name == other.name || within(self, other) || within(other, self)
    }

    /// Whether both lie below one top folder, or one of them is a word that nobody knows the place of.
    #[must_use]
    pub fn is_near(&self, other: &Self) -> bool {
        let top = |area: &Self| area.name.split('/').next().map(str::to_owned);
        !self.known || !other.known || top(self) == top(other)
    }
}

/// The area of a function, when its name tells.
#[must_use]
pub fn of_function(name: &str) -> Option<Area> {
    let words: Vec<&str> = skip::base(name).split('_').filter(|word| !word.is_empty()).collect();
    let entered = words.iter().take_while(|word| ENTRIES.contains(*word)).count();
    let words = &words[entered..];
    let verb = usize::from(words.first().is_some_and(|word| vocabulary::is_plain(word)));
    if let Some(known) = beginning(words).or_else(|| beginning(&words[verb..])) {
        return Some(known.area());
    }
    let first = names::words(name).first().copied()?;
    (first.len() > 2 && names::weight(first) == 1.0).then(|| Area { name: first.to_owned(), known: false, broad: false })
}

/// The row with the longest entry that these words begin with.
fn beginning(words: &[&str]) -> Option<Known> {
    let known = (1..=words.len().min(MOST_WORDS)).rev().find_map(|count| BY_WORDS.get(&words[..count].join("_")));
    known.or_else(|| BY_WORDS.get(&hump(words.first()?)?)).copied()
}

/// What `dbBackSplit` begins with, as the table has it: `dbX`.
fn hump(word: &str) -> Option<String> {
    let hump = word.find(|c: char| c.is_ascii_uppercase()).filter(|at| *at > 0)?;
    Some(format!("{}X", &word[..hump]))
}

/// Whether a word alone names an area of the table.
#[must_use]
pub fn is_named(word: &str) -> bool {
    BY_WORDS.contains_key(word)
}

/// The area of a source file: the nearest folder, or file, that the table knows, else its folder.
#[must_use]
pub fn of_file(path: &str) -> Option<Area> {
    if path.starts_with("arch/") && path.contains("/entry/") {
        return None;
    }
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    let ends = stem.match_indices('/').map(|(at, _)| at).chain([stem.len()]);
    let known = ends.collect::<Vec<_>>().into_iter().rev().find_map(|end| BY_FOLDER.get(&stem[..end]));
    known.map(|known| known.area()).or_else(|| {
        let folder = stem.rsplit_once('/')?.0;
        Some(Area { name: folder.to_owned(), known: true, broad: !folder.contains('/') })
    })
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
struct Known {
    folder: &'static str,
    broad: bool,
}

impl Known {
    fn area(self) -> Area {
        Area { name: self.folder.to_owned(), known: true, broad: self.broad }
    }
}

/// How names of functions begin that are an inner part, or the entry of a system call.
const ENTRIES: &[&str] = &["do", "sys", "ksys", "se", "x64", "ia32", "compat"];

/// Words that an entry of the table has at most.
const MOST_WORDS: usize = 3;

static BY_WORDS: LazyLock<HashMap<String, Known>> = LazyLock::new(|| {
    let rows = [(NARROW, false), (BROAD, true)].into_iter();
    let rows = rows.flat_map(|(rows, broad)| rows.iter().map(move |&(folder, names)| (Known { folder, broad }, names)));
    rows.flat_map(|(known, names)| names.split_whitespace().map(move |name| (name.to_owned(), known))).collect()
});

static BY_FOLDER: LazyLock<HashMap<&'static str, Known>> = LazyLock::new(|| {
    let rows = [(NARROW, false), (BROAD, true)].into_iter();
    let mut folders: HashMap<_, _> =
        rows.flat_map(|(rows, broad)| rows.iter().map(move |&(folder, _)| (folder, Known { folder, broad }))).collect();
    let elsewhere = ELSEWHERE.iter().filter_map(|(path, folder)| Some((*path, *folders.get(folder)?))).collect::<Vec<_>>();
    folders.extend(elsewhere);
    folders
});

/// Folders and files (without what their names end with) that belong to an area of another name.
const ELSEWHERE: &[(&str, &str)] = &[
    ("fs/jbd2", "fs/ext4"),
    ("fs/io_uring", "io_uring"),
    ("fs/io-wq", "io_uring"),
    ("net/9p", "fs/9p"),
    ("net/ceph", "fs/ceph"),
    ("fs/cifs", "fs/smb"),
    ("fs/hfsplus", "fs/hfs"),
    ("net/ipv4/netfilter", "net/netfilter"),
    ("net/ipv6/netfilter", "net/netfilter"),
    ("net/bridge/netfilter", "net/netfilter"),
    ("net/wireless", "net/mac80211"),
    ("drivers/net/wireless/mac80211_hwsim", "net/mac80211"),
    ("drivers/net/wireless/virtual/mac80211_hwsim", "net/mac80211"),
    ("net/mac802154", "net/ieee802154"),
    ("drivers/bluetooth", "net/bluetooth"),
    ("net/core/sock_map", "net/core/skmsg"),
    ("net/ipv4/tcp_bpf", "net/core/skmsg"),
    ("net/strparser", "net/kcm"),
    ("net/ipv4/tcp", "net/ipv4/tcp"),
    ("net/ipv4/tcp_input", "net/ipv4/tcp"),
    ("net/ipv4/tcp_output", "net/ipv4/tcp"),
    ("net/ipv4/tcp_ipv4", "net/ipv4/tcp"),
    ("net/ipv4/tcp_timer", "net/ipv4/tcp"),
    ("net/ipv6/tcp_ipv6", "net/ipv4/tcp"),
    ("net/ipv4/af_inet", "net/ipv4"),
    ("net/ipv4/ip_gre", "net/ipv4/ip_tunnel"),
    ("net/ipv6/ip6_gre", "net/ipv4/ip_tunnel"),
    ("net/ipv6/ip6_tunnel", "net/ipv4/ip_tunnel"),
    ("drivers/net/vxlan", "drivers/net/geneve"),
    ("drivers/net/vxlan/vxlan_core", "drivers/net/geneve"),
    ("drivers/nfc", "net/nfc"),
    ("drivers/net/can", "net/can"),
    ("drivers/net/ieee802154", "net/ieee802154"),
    ("drivers/net/tap", "drivers/net/tun"),
    ("drivers/net/bonding", "drivers/net/bonding"),
    ("drivers/hid/usbhid", "drivers/hid"),
    ("virt/kvm", "arch/x86/kvm"),
    ("arch/arm64/kvm", "arch/x86/kvm"),
    ("kernel/futex", "kernel/futex"),
    ("kernel/bpf", "kernel/bpf"),
    ("kernel/trace/bpf_trace", "kernel/bpf"),
    ("net/core/filter", "kernel/bpf"),
    ("net/bpf", "kernel/bpf"),
    ("net/xdp", "net/xdp"),
    ("kernel/trace", "kernel/trace"),
    ("kernel/events/uprobes", "kernel/trace"),
    ("sound", "sound/core"),
    ("fs/eventpoll", "fs/eventpoll"),
    ("fs/sysfs", "fs/kernfs"),
    ("fs/userfaultfd", "mm"),
    ("fs/hugetlbfs", "mm"),
    ("net/ipv4", "net/ipv4"),
    ("drivers/vhost", "drivers/vhost"),
    ("drivers/media/v4l2-core", "drivers/media"),
    ("drivers/gpu/drm", "drivers/gpu/drm"),
    ("drivers/video", "drivers/video/fbdev"),
    ("drivers/tty/vt", "drivers/tty/vt"),
    ("drivers/usb/core", "drivers/usb/core"),
];

/// Areas that little runs through but what is meant for them.
const NARROW: &[(&str, &str)] = &[
    ("net/core/neighbour", "neigh pneigh neighbour"),
    ("kernel/jump_label", "static_key jump_label"),
    ("kernel/printk", "console vprintk"),
    ("kernel/seccomp", "seccomp"),
    ("fs/ubifs", "ubifs ubi"),
    ("drivers/virtio", "virtio virtqueue vring"),
    ("drivers/staging/android", "ion"),
    ("drivers/net/gtp", "gtp"),
    ("drivers/isdn", "capi mISDN"),
    ("drivers/ata", "ata ahci"),
    ("drivers/char/hw_random", "hwrng add_early"),
    (
        "drivers/net/wireless",
        "ath6kl ath9k ath10k htc hif carl9170 ar5523 rtl rtl8xxxu rtw r871xu r8712 prism2sta hfa384x p54 zd \
         rt2x00 mwifiex brcmf lbs",
    ),
    ("fs/9p", "v9fs p9"),
    ("fs/afs", "afs"),
    ("fs/btrfs", "insert_state btrfs"),
    ("fs/ceph", "ceph"),
    ("fs/configfs", "configfs"),
    ("fs/crypto", "fscrypt"),
    ("fs/erofs", "z_erofs erofs"),
    ("fs/eventpoll", "ep eventpoll epoll ep_poll"),
    ("fs/exfat", "exfat"),
    ("fs/ext4", "start_this ext4 jbd2 ext2 mb"),
    ("fs/f2fs", "f2fs"),
    ("fs/fcntl", "fasync kill_fasync send_sigio send_sigurg fcntl f_setown"),
    ("fs/fat", "fat vfat msdos"),
    ("fs/fuse", "fuse cuse"),
    ("fs/gfs2", "gfs2"),
    ("fs/hfs", "hfs hfsplus"),
    ("fs/isofs", "isofs"),
    ("fs/jfs", "dbX diX dtX xtX txX lmX lbmX jfs"),
    ("fs/minix", "minix V1_minix V2_minix"),
    (
        "fs/namei",
        "namei link_path path_lookupat path_openat path_parentat path_init trailing_symlink step_into walk_component lookup_fast \
         lookup_slow lookup_open filename pick_link nd_jump_link may_lookup unlazy_walk terminate_walk set_root follow_dotdot",
    ),
    ("fs/netfs", "netfs fscache cachefiles"),
    ("fs/nfs", "nfs nfs4 nfsd rpc xprt"),
    ("fs/nilfs2", "nilfs"),
    ("fs/notify", "fsnotify inotify fanotify dnotify"),
    ("fs/ntfs3", "ntfs ntfs3 ni mi indx attr_load run_unpack"),
    ("fs/ocfs2", "ocfs2 o2cb dlm"),
    ("fs/orangefs", "orangefs"),
    ("fs/overlayfs", "ovl"),
    ("fs/quota", "dqput dquot quota"),
    ("fs/reiserfs", "open_xa reiserfs"),
    ("fs/smb", "cifs smb smb2 ksmbd"),
    ("fs/squashfs", "squashfs"),
    ("fs/sysv", "sysv"),
    ("fs/udf", "udf"),
    ("fs/ufs", "ufs"),
    ("fs/xfs", "xfs xlog"),
    ("fs/bcachefs", "bch2 bch"),
    ("fs/aio", "aio kiocb lookup_ioctx"),
    ("fs/pipe", "pipe splice iter_file_splice"),
    ("io_uring", "io io_uring"),
    ("block/bfq", "bfq"),
    ("block/blk-mq", "blk_mq"),
    ("drivers/block/loop", "loop lo"),
    ("drivers/block/nbd", "nbd"),
    ("drivers/block/floppy", "floppy setup_rw_floppy"),
    ("drivers/md", "md dm raid"),
    ("drivers/nvme", "nvme nvmet"),
    ("drivers/scsi", "scsi sg sd iscsi"),
    ("drivers/android", "binder ashmem"),
    ("drivers/infiniband", "nldev ib rdma ucma cma rxe siw uverbs iw"),
    ("drivers/vhost", "vhost"),
    ("drivers/net/tun", "tun tap"),
    ("drivers/net/bonding", "bond"),
    ("drivers/net/team", "team"),
    ("drivers/net/macvlan", "macvlan"),
    ("drivers/net/macsec", "macsec"),
    ("drivers/net/ipvlan", "ipvlan"),
    ("drivers/net/geneve", "geneve vxlan"),
    ("drivers/net/wireguard", "wg"),
    ("drivers/net/netdevsim", "nsim"),
    ("drivers/net/ppp", "ppp pppoe pptp pppol2tp"),
    ("drivers/net/slip", "sl slhc slip"),
    ("drivers/net/veth", "veth"),
    ("drivers/net/hamradio", "sixpack sp mkiss bpq"),
    ("drivers/net/usb", "qmi ax88179 usbnet hso asix ax88172a smsc lan78xx r8152 rtl8150 pegasus"),
    ("drivers/media/dvb", "dvb dvb_usb dvbdev"),
    ("drivers/media/em28xx", "em28xx"),
    ("drivers/media/usbvision", "usbvision"),
    ("drivers/media/uvc", "uvc"),
    ("drivers/media/vivid", "vivid tpg"),
    ("drivers/media/vb2", "vb2 videobuf"),
    ("drivers/hid", "hid hidraw uhid usbhid hiddev"),
    ("drivers/input", "input evdev uinput mousedev joydev"),
    ("drivers/usb/gadget", "gadget gadgetfs dummy raw usb_gadget composite"),
    ("drivers/usb/usbip", "usbip vhci stub"),
    ("drivers/usb/class", "usbtmc acm usblp wdm usb_lp"),
    ("drivers/gpu/drm", "udl udmabuf drm vkms vgem"),
    ("drivers/video/fbdev", "dlfb imageblit fb fbcon bitfill bitcpy cfb sys_imageblit vga16fb do_fb do_unregister_framebuffer"),
    ("drivers/tty/vt", "vt con vc vcs vgacon redraw_screen do_con"),
    ("drivers/tty/pty", "pty"),
    ("drivers/tty/n_gsm", "gsm gsmld"),
    ("drivers/tty/serial", "uart serial8250 serial"),
    ("drivers/thermal", "thermal"),
    ("drivers/i2c", "i2c i2cdev"),
    ("drivers/vmw_vmci", "vmci ctx_fire"),
    ("drivers/dma-buf", "dma_buf dma_resv dma_fence sync_file sw_sync sync_timeline"),
    ("arch/x86/kvm", "kvm vmx svm vcpu lapic apic gfn rmap tdp nested nested_vmx pic kvm_mmu mmu_spte x86_emulate em"),
    ("kernel/bpf", "htab array_map bpf btf bpf_prog sk_filter is_bpf prog"),
    ("kernel/cgroup", "cpuacct cgroup css cpuset cgroup1 cgroupstats psi"),
    ("kernel/futex", "futex exit_pi exit_robust"),
    ("kernel/events", "perf"),
    (
        "kernel/trace",
        "process_preds trace tracing ftrace event_trace ring_buffer rb_commit uprobe kprobe blk_trace tracepoint \
         relay",
    ),
    ("kernel/locking", "lockdep_unregister"),
    ("kernel/module", "module do_init_module load_module"),
    ("kernel/power", "snapshot hibernate swsusp"),
    ("kernel/audit", "audit kauditd"),
    ("kernel/time/posix-timers", "posix posix_timer posix_cpu timerfd alarm alarmtimer itimer"),
    ("kernel/time/tick", "tick tick_nohz tick_sched timekeeping"),
    ("ipc", "sem semctl semop msg_get mqueue mq shm ipc do_shmat freeque ksys_semctl"),
    ("security/keys", "key keyring keyctl keyrings user_preparse asymmetric"),
    ("security/selinux", "selinux avc policydb sidtab context_struct sel"),
    ("security/smack", "smack smk"),
    ("security/tomoyo", "tomoyo"),
    ("security/apparmor", "apparmor aa"),
    ("security/integrity", "ima evm integrity process_measurement"),
    (
        "crypto",
        "sha1 sha3 sha512 mpihelp hash padata crypto alg af_alg skcipher aead shash ahash scatterwalk blkcipher \
         pcrypt cryptd gcm aes salsa20 chacha ghash",
    ),
    ("mm/hugetlb", "hugetlb alloc_hugetlb restore_reserve reserve_bootmem"),
    ("mm/khugepaged", "khugepaged collapse_file hpage_collapse"),
    ("mm/memcontrol", "mem_cgroup memcg page_counter obj_cgroup"),
    ("mm/swap", "swap zswap zs zram swapin"),
    ("mm/ksm", "ksm"),
    ("mm/shmem", "shmem"),
    ("mm/percpu", "percpu_ref"),
    ("net/8021q", "vlan vlan_dev"),
    ("net/appletalk", "atalk ddp atrtr aarp"),
    ("net/atm", "atm vcc clip lec svc sigd"),
    ("net/ax25", "ax25"),
    ("net/batman-adv", "batadv"),
    ("net/bluetooth", "h5 h4 hci_uart hci l2cap sco rfcomm bt mgmt bnep hidp smp cmtp bluetooth"),
    ("net/bridge", "br bridge fdb"),
    ("net/caif", "chnl cfserl caif cfctrl cfusbl cfpkt"),
    ("net/can", "canfd mcba can j1939 bcm isotp cgw slcan"),
    ("net/can/raw", "raw_bind raw_notifier raw_enable"),
    ("net/core/skmsg", "psock sk_psock sock_map sock_hash tcp_bpf bpf_tcp smap sk_msg"),
    ("net/dccp", "dccp ccid ccid2"),
    ("net/devlink", "devlink"),
    ("net/ethtool", "ethtool ethnl dev_ethtool"),
    ("net/hsr", "hsr prp send_hsr"),
    ("net/ieee802154", "ieee802154 mac802154 nl802154 lowpan"),
    (
        "net/ipv4/ip_tunnel",
        "ip6erspan ipip6 gue gue6 fou ip_tunnel ipgre ip6gre gre erspan ip6_tnl ip6_tunnel ipip sit vti vti6 \
         gre_gro iptunnel",
    ),
    ("net/ipv4/tcp", "tcp tcp_v4 tcp_v6 tcp6 reqsk"),
    ("net/kcm", "kcm strp"),
    ("net/l2tp", "l2tp"),
    ("net/llc", "llc"),
    (
        "net/mac80211",
        "wext wdev cfg validate_beacon cfg80211 ieee80211 mac80211 nl80211 wiphy regulatory reg sta hwsim rdev \
         minstrel rate_control drv mesh get_wiphy",
    ),
    ("net/mpls", "mpls"),
    ("net/mptcp", "mptcp subflow"),
    ("net/mctp", "mctp"),
    (
        "net/netfilter",
        "hashlimit htable cttimeout ip6table iptable brnf nf_ct nft_chain nf nft nf_tables nfnetlink nfnl ipt \
         ip6t arpt xt ebt ctnetlink conntrack ip_set ipset nfqnl clusterip translate_table hash_ip hash_net mtype \
         bitmap_ip list_set ct nfulnl",
    ),
    ("net/netfilter/ipvs", "ip_vs"),
    ("net/netrom", "nr"),
    ("net/nfc", "port100 nfc nci llcp rawsock digital nfcmrvl pn533 virtual_nci st21nfca"),
    ("net/openvswitch", "ovs"),
    ("net/packet", "packet tpacket prb fanout"),
    ("net/phonet", "pn pep phonet"),
    ("net/qrtr", "qrtr"),
    ("net/rds", "rds"),
    ("net/rose", "rose"),
    ("net/rxrpc", "rxrpc"),
    (
        "net/sched",
        "sch skbprio tcf tc tca tcindex qdisc cls fl fl_change u32 route4 htb hfsc cbq codel fq_codel fq gred red \
         sfq sfb choke taprio ets netem mqprio drr qfq tbf multiq cake pie fw basic rsvp advance_sched \
         taprio_change cgroup_sk act etf",
    ),
    ("net/sctp", "sctp"),
    ("net/smc", "smc"),
    ("net/tipc", "tipc"),
    ("net/tls", "tls"),
    ("net/unix", "unix"),
    ("net/vmw_vsock", "vsock virtio_transport vhost_vsock vhost_transport"),
    ("net/x25", "x25 lapb lapbeth"),
    ("net/xdp", "xsk xdp xp"),
    ("net/xfrm", "xfrm xfrmi xfrm4 xfrm6 esp esp4 esp6 ah ah6 pfkey ipcomp af_key"),
    ("net/rfkill", "rfkill"),
    ("net/switchdev", "switchdev"),
    ("drivers/staging/comedi", "vmk80xx comedi"),
    ("sound/core", "snd pcm loopback odev dummy_hrtimer"),
    ("sound/core/seq", "snd_seq snd_virmidi snd_rawmidi"),
    ("sound/core/timer", "snd_timer"),
    ("sound/core/oss", "linear resample mulaw snd_pcm_oss snd_mixer_oss"),
];

/// Areas that much runs through, whatever goes on.
const BROAD: &[(&str, &str)] = &[
    ("fs/dcache", "d dentry dget shrink_dcache shrink_dentry"),
    ("block", "blk blkdev bdev bio submit_bio disk gendisk elv elevator part blkg blk_alloc del_gendisk add_disk"),
    ("drivers/base", "device dev_attr driver bus firmware fw_load"),
    ("drivers/media", "zr364xx hdcs gspca pvr2 smsusb shark v4l2 v4l media video cec"),
    ("drivers/tty", "tty n_tty ldsem release_tty ptmx"),
    ("drivers/usb/core", "usb hub hcd usbfs usbdev usb_hub proc_do_submiturb"),
    (
        "fs",
        "locks seq iomap mpage bdi cdev chrdev fdget mntput fs_context signalfd eventfd sync_inodes inode iget \
         evict wb path vfs lookup mnt mount umount do_mount super sget deactivate kill_block generic_file mark_buffer may_open \
         iterate_supers",
    ),
    ("fs/buffer", "buffer_head bh bread ll_rw"),
    ("fs/kernfs", "kernfs sysfs"),
    ("fs/proc", "proc pde remove_proc"),
    (
        "kernel",
        "exit fork copy_process dup mm_update signal send_signal send_sig get_signal ptrace ptrace_stop uid \
         put_cred creds",
    ),
    ("kernel/rcu", "rcu srcu call_rcu synchronize_rcu kfree_rcu"),
    (
        "kernel/sched",
        "ttwu reweight schedstat load_balance switched sched enqueue dequeue pick_next update_load update_curr \
         finish_task task_rq rq",
    ),
    ("kernel/time", "hrtimer timer run_timer expire_timers collect_expired call_timer clocksource enqueue_timer timerqueue"),
    ("kernel/workqueue", "work workqueue wq worker process_one get_work"),
    (
        "mm",
        "mpol mcopy munlock tlb populate shrink workingset userfaultfd handle_userfault memory slab mm vma vm \
         mmap unmap munmap pte pmd page pages unmap_page zap madvise mremap mprotect anon_vma gup get_user_pages \
         follow_page do_huge filemap writeback truncate find_vma mas mt oom alloc_pages handle_mm do_anonymous \
         try_grab wp_page",
    ),
    (
        "net/core",
        "dst eth gnet reuseport net_dm dropmon move_addr fib6_rules netdev netif dev dev_queue rtnl rtnetlink skb \
         sk sock net napi net_rx linkwatch fib_rules sock_free alloc_netdev register_netdevice \
         unregister_netdevice free_netdev cleanup_net",
    ),
    ("net/netlink", "netlink genl nla nlmsg"),
    (
        "net/ipv4",
        "ip4 ipmr mroute ip inet fib arp igmp icmp ip_mc inet_csk rt ipv4 ip_check devinet ping inetdev \
         rt_fibinfo raw_sendmsg udp udp4",
    ),
    ("net/ipv6", "ipv6 ip6 inet6 addrconf fib6 rt6 ndisc mld icmpv6 in6 igmp6 udpv6 rawv6 find_match l3mdev ip6_dst ip6mr"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str) -> Option<String> {
        of_function(name).map(|area| area.name)
    }

    #[test]
    fn functions_belong_to_their_subsystem() {
        for (name, area) in [
            ("tcindex_set_parms", "net/sched"),
            ("__tcf_chain_put", "net/sched"),
            ("snd_seq_kernel_client_ctl", "sound/core/seq"),
            ("snd_pcm_stop", "sound/core"),
            ("blk_mq_free_rqs", "block/blk-mq"),
            ("io_poll_double_wake", "io_uring"),
            ("do_io_getevents", "io_uring"),
            ("usbvision_release", "drivers/media/usbvision"),
            ("dbBackSplit", "fs/jfs"),
        ] {
            assert_eq!(function(name).as_deref(), Some(area), "{name}");
        }
        assert_eq!(function("zork_read").as_deref(), Some("zork"));
        assert_eq!(function("get_two"), None);
    }

    #[test]
    fn files_belong_to_the_nearest_folder_of_the_table() {
        let file = |path: &str| of_file(path).map(|area| area.name);
        assert_eq!(file("net/sched/cls_route.c").as_deref(), Some("net/sched"));
        assert_eq!(file("fs/jbd2/journal.c").as_deref(), Some("fs/ext4"));
        assert_eq!(file("net/core/sock_map.c").as_deref(), Some("net/core/skmsg"));
        assert_eq!(file("drivers/zork/zork.c").as_deref(), Some("drivers/zork"));
        assert_eq!(file("fs/namei.c").as_deref(), Some("fs/namei"));
        assert!(of_file("mm/slub.c").is_some_and(|area| area.broad));
    }
}

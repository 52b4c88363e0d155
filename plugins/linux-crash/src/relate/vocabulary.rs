//! Words and names that say little when two crashes share them.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::skip;

/// Whether a word is part of names anywhere in the kernel.
#[must_use]
pub fn is_plain(word: &str) -> bool {
    static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| PLAIN.split_whitespace().collect());
    WORDS.contains(word)
}

/// Whether a word tells one function's faces apart, not functions.
#[must_use]
pub fn is_face(word: &str) -> bool {
    static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| FACES.split_whitespace().collect());
    WORDS.contains(word)
}

/// Whether a function is on the stacks of crashes of all sorts: machinery, or on the way to the place.
#[must_use]
pub fn is_on_the_way(function: &str) -> bool {
    static NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| ON_THE_WAY.split_whitespace().collect());
    skip::skipped(function, "") || NAMES.contains(skip::base(function))
}

/// Whether a lock is taken by whatever goes on.
#[must_use]
pub fn is_plain_lock(class: &str) -> bool {
    LOCKS.split_whitespace().any(|known| class.contains(known))
}

/// Locks of whole subsystems, by parts of their names.
const LOCKS: &str = "rtnl_mutex mmap_lock mmap_sem sk_lock slock console_lock console_owner cgroup_mutex i_mutex_key i_rwsem \
    sb_writers rcu_read_lock rcu_callback tasklist_lock cpu_hotplug_lock fs_reclaim softirq rq->lock p->pi_lock f_pos_lock \
    wq_completion pernet_ops genl_mutex cb_lock s_umount";

/// "The inner part", "with the lock held", "the second version", and how system calls are entered.
const FACES: &str = "do sys ksys x64 ia32 se compat nolock unlocked locked rcu internal common inner v1 v2 v3 2 3 impl one slow \
    fast slowpath fastpath";

/// What any subsystem does, and does it to.
const PLAIN: &str = "get put alloc free init exit read write open close release create destroy add del remove delete insert find lookup \
    check set clear start stop register unregister send recv recvmsg sendmsg handle handler process run work worker timer \
    task thread list table tree queue entry info data buf buffer page pages folio range map unmap new old next all update \
    change reset setup cleanup finish end begin event notify wait wake lock unlock mutex ref unref ioctl msg cmd ctl cb fn \
    op ops file inode dir name node item obj object dev device user kernel from to in of for with and by at on is try poll \
    select connect bind accept listen shutdown flush sync commit submit complete done enable disable attach detach state \
    flags mode size len count id idx index key value link unlink rename xmit rcv input output fini probe disconnect detect \
    dump show print parse copy move clone fill validate verify generic simple default main core mm fs net finalize prepare \
    install uninstall load unload call exec dec inc test has can need array pool cache stat stats time group pid sk skb \
    sock socket vm vma pte pmd";

/// System calls, work queues, exits, mounts, probes, and packets on their way up and down.
const ON_THE_WAY: &str = "worker_thread process_one_work process_scheduled_works vfs_write vfs_read vfs_ioctl do_vfs_ioctl sys_ioctl sys_write \
    sys_read ksys_write ksys_read sock_sendmsg __sock_sendmsg sock_sendmsg_nosec sock_write_iter sock_read_iter \
    sock_recvmsg sock_ioctl sock_do_ioctl ____sys_sendmsg ___sys_sendmsg __sys_sendmsg sys_sendmsg __sys_sendto sys_sendto \
    ____sys_recvmsg ___sys_recvmsg __sys_recvmsg sys_recvmsg __sys_recvfrom __sys_setsockopt sys_setsockopt \
    __sys_getsockopt task_work_run __fput ____fput filp_close __sock_release sock_release sock_close do_exit do_group_exit \
    get_signal exit_to_user_mode_prepare exit_to_user_mode_loop smpboot_thread_fn run_ksoftirqd __do_softirq \
    handle_softirqs do_softirq irq_exit irq_exit_rcu new_sync_write new_sync_read call_write_iter call_read_iter \
    do_iter_write do_iter_readv_writev do_writev vfs_writev netlink_rcv_skb netlink_unicast netlink_unicast_kernel \
    netlink_sendmsg netlink_dump genl_rcv genl_rcv_msg genl_family_rcv_msg genl_family_rcv_msg_doit rtnetlink_rcv_msg \
    rtnetlink_rcv path_openat do_filp_open do_sys_open do_sys_openat2 do_dentry_open vfs_open do_open do_mount path_mount \
    vfs_get_tree do_new_mount mount_fs legacy_get_tree get_tree_bdev mount_bdev sys_mount deactivate_super \
    deactivate_locked_super cleanup_mnt rcu_core rcu_do_batch call_timer_fn run_timer_softirq __run_timers expire_timers \
    kernel_init do_one_initcall driver_probe_device really_probe bus_probe_device __device_attach __device_attach_driver \
    bus_for_each_drv usb_probe_interface usb_probe_device hub_event usb_new_device usb_set_configuration hub_port_connect \
    port_event notifier_call_chain raw_notifier_call_chain call_netdevice_notifiers_info __dentry_kill \
    generic_shutdown_super kill_block_super evict process_backlog __napi_poll napi_poll net_rx_action __netif_receive_skb \
    __netif_receive_skb_one_core __netif_receive_skb_core netif_receive_skb __dev_queue_xmit dev_queue_xmit \
    dev_hard_start_xmit tcp_v4_rcv ip_rcv ip_local_deliver";

//! Functions that are on the stack of many crashes and to blame for none: the machinery that detects and prints, allocators,
//! locks, copies, and entries.
//!
//! Patterns are names with `*` at either end.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Whether a symbol is machinery, by the common list or by `extra`, patterns apart by blanks.
#[must_use]
pub fn skipped(symbol: &str, extra: &str) -> bool {
    listed(extra, symbol) || TABLE.has(base(symbol))
}

/// Whether a symbol fits one of patterns apart by blanks.
#[must_use]
pub fn listed(patterns: &str, symbol: &str) -> bool {
    let name = base(symbol);
    patterns.split_whitespace().any(|pattern| matches(pattern, name))
}

/// The common list, looked up by whole names and by beginnings; few patterns are anything else.
static TABLE: LazyLock<Table> = LazyLock::new(Table::new);

#[derive(Default)]
struct Table {
    names: HashSet<&'static str>,
    beginnings: HashSet<&'static str>,
    others: Vec<&'static str>,
}

impl Table {
    fn new() -> Self {
        let mut table = Self::default();
        for pattern in COMMON.iter().flat_map(|(_, names)| names.split_whitespace()) {
            match pattern.strip_suffix('*') {
                _ if pattern.starts_with('*') => table.others.push(pattern),
                Some(beginning) => drop(table.beginnings.insert(beginning)),
                None => drop(table.names.insert(pattern)),
            }
        }
        table
    }

    fn has(&self, name: &str) -> bool {
        let beginnings = || (1..=name.len()).filter_map(|end| name.get(..end));
        self.names.contains(name)
            || beginnings().any(|beginning| self.beginnings.contains(beginning))
            || self.others.iter().any(|pattern| matches(pattern, name))
    }
}

/// Whether a name fits a pattern with `*` at its ends.
#[must_use]
pub fn matches(pattern: &str, name: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(_), Some(_)) if pattern.len() > 1 => name.contains(&pattern[1..pattern.len() - 1]),
        (Some(end), _) => name.ends_with(end),
        (None, Some(start)) => name.starts_with(start),
        (None, None) => name == pattern,
    }
}

/// A symbol without what compilers add: `foo.isra.3` is `foo`.
#[must_use]
pub fn base(symbol: &str) -> &str {
    if symbol.contains("::") {
        return symbol;
    }
    match symbol.find('.') {
        Some(0) | None => symbol,
        Some(at) => &symbol[..at],
    }
}

/// The common list, by what the machinery is for: names apart by blanks.
const COMMON: &[(&str, &str)] = &[
    (
        "printing and unwinding",
        "dump_stack* __dump_stack show_stack* dump_backtrace* unwind_backtrace walk_stackframe sched_show_task \
         _sched_show_task show_regs* dump_trace* print_* report_* save_stack* __save_stack* stack_trace_* panic* \
         nmi_panic oops_* get_taint die die_* __die* __warn* warn_slowpath* warn_bogus* add_taint end_report describe_* \
         __show_* show_trace* vpanic check_panic_on_warn arch_stack_walk",
    ),
    (
        "traps and interrupts on their way to the report",
        "do_error_trap do_invalid_op invalid_op exc_* handle_bug fixup_bug* do_trap* do_general_protection \
         general_protection async_page_fault do_async_page_fault bad_area* __bad_area* \
         no_context kernelmode_fixup* do_kern_addr_fault double_fault do_double_fault df_* \
         do_divide_error divide_error do_int3 int3 do_nmi nmi *sysvec_* apic_timer_interrupt smp_apic_timer_interrupt \
         do_undefinstr __und_svc* do_DataAbort __do_kernel_fault* do_translation_fault do_mem_abort do_sea \
         do_tag_check_fault do_bad* el1_abort el1h_64_* el1_sync* el1_da el1_dbg el1_undef do_debug_exception brk_handler \
         bug_handler call_break_hook arm64_notify_die el1_brk64 do_el1_* __irq_svc el1_irq fault_* handle_exception \
         data_access_common_virt program_check_common* program_check_exception",
    ),
    (
        "checkers",
        "kasan_* __kasan_* *_kasan_* check_memory_region* __asan_* asan_* __hwasan_* hwasan_* kcsan_* __kcsan_* __tsan_* \
         kmsan_* __msan_* kfence_* __kfence_* ubsan_* __ubsan_* handle_overflow __sanitizer_* debug_object* \
         __debug_check* debug_print_object debug_lockdep* debug_locks* kmemleak_* check_preemption_disabled \
         debug_smp_processor_id __this_cpu_preempt_check __refcount_* should_fail* fail_dump check_noncircular object_err \
         bad_page nested_bug register_lock_class assign_lock_key lockdep_* __lockdep_* *lock_acquire* __lock_acquire* \
         *lock_release* __lock_release validate_chain* check_prev* check_irq* mark_lock* mark_held_locks* valid_state \
         mark_usage check_deadlock* hlock_class lock_is_held* lock_set_* reacquire_held_locks \
         __lock_is_held* find_held_lock lock_pin_lock lock_unpin_lock look_up_lock_class \
         check_wait_context* lookup_chain* instrument_* _inline_copy_* spin_bug spin_dump* rwlock_bug* do_raw_* \
         debug_check_* rcu_lockdep_* trace_hardirqs_* trace_softirqs_* __trace_hardirqs* trace_preempt* __might_sleep \
         ___might_sleep __might_resched __might_fault might_fault check_stack* __read_once* __write_once* \
         read_word_at_a_time sanitizer_* __cfi_* rust_helper_BUG* rust_begin_unwind* core::panicking* *core::panicking* \
         *core9panicking* *rust_begin_unwind* kernel::bug*",
    ),
    (
        "locks and atomics",
        "_raw_* __raw_* raw_spin* *spin_lock* *spin_unlock* *read_lock* *write_lock* mutex_* __mutex_* __down_* down \
         *down_read* *down_write* down_* up up_read* up_write* __up_* rwsem_* __rwsem_* percpu_down* percpu_up* \
         __percpu_* queued_* native_queued_* pv_queued_* __pv_queued_* ww_mutex* atomic_* arch_atomic* raw_atomic* \
         __atomic* atomic64_* _atomic_dec_and_lock* test_bit test_and_* set_bit clear_bit arch_test_bit kref_* rtmutex_* \
         rt_mutex* __rt_mutex* local_bh_* __local_bh* seqcount_* read_seqbegin* rcu_read_* osq_lock osq_unlock bit_spin_* \
         __ww_* completion_* get_bh put_bh arch_spin_*",
    ),
    (
        "memory",
        "*kmalloc* kzalloc* kcalloc* kmemdup* kstrdup* __do_kmalloc* krealloc* __do_krealloc kfree* __kfree* kvfree* \
         kvmalloc* __kvmalloc* __kmem_cache_* kmem_* slab_* ___slab_* __slab_* do_slab_free *slab_alloc* *slab_free* \
         cache_* allocate_slab free_debug_* alloc_debug_* check_slab quarantine_* __cache_* ___cache_* poison_* \
         set_track* __alloc_pages* __free_pages_ok* free_unref_* free_pcp* prepare_alloc_pages prep_new_page post_alloc_hook \
         get_page_from_freelist __alloc_frozen* free_the_page vmalloc* __vmalloc* vzalloc* vfree* \
         __vfree* get_zeroed_page memdup_* vmemdup_* strndup_user devm_k* devm_add_action* kvasprintf* kasprintf \
         kstrndup* alloc_percpu* pcpu_mem* pcpu_block* __alloc_percpu* free_large_kmalloc *copy_from_user* *copy_to_user* copy_in_user* copy_page_to_iter* copy_page_from_iter* \
         __copy_* _copy_* copyin* copy_to_iter* copy_from_iter* copy_user_* rep_movs* csum_partial* \
         get_user get_user_arg_ptr* get_user_nocheck* *_get_user* put_user* *_put_user* probe_kernel* __asm_copy_* raw_copy_* arm_copy_* \
         __arch_copy_* __pi_* *memcpy* *strcmp* memset* memmove* memcmp* memchr* memscan __memset* __memmove* mmiocpy \
         mmioset strlen strnlen* strcpy* strncpy* strscpy* strncmp* strcat* strlcat* strnstr strstr strchr* strrchr* \
         strcasecmp* sized_strscpy* __fortify* fortify_* string* *_string vsnprintf vsprintf snprintf sprintf vscnprintf scnprintf \
         pointer hex_string hex_dump_to_buffer *printk* __virt_to_phys* __phys_addr* virt_to_* crc32* crc16 crc_*",
    ),
    (
        "containers",
        "rb_* __rb_* __xa_* xas_* hlist_* rht_* rhashtable_lookup* __rhashtable_lookup* __list_* *list_add* *list_del* list_move* \
         list_splice* list_empty* _find_* llist_* refcount_*",
    ),
    ("debug objects' callers", "del_timer* *try_to_del_timer* __timer_delete* timer_delete* __debug_object*"),
    (
        "entries",
        "entry_* do_syscall_* ret_from_* ret_fast_syscall el0_svc el0_sync* el0_svc_common* el0_svc_handler el0t_* \
         invoke_syscall* do_el0_* __invoke_syscall* system_call* tracesys* stub_clone* do_fast_syscall* \
         __do_fast_syscall* kthread kthread_worker_fn start_secondary secondary_startup* start_kernel x86_64_start* \
         common_startup* asm_* common_interrupt* retint_*",
    ),
    (
        "waiting and waking",
        "schedule schedule_timeout* schedule_preempt* schedule_hr* schedule_debug __schedule* io_schedule* __switch_to* \
         context_switch wait_for_* __wait_for_* do_wait_* *wait_on_* complete complete_all __wake_up* \
         wake_up_process __task_rq_lock task_rq_lock autoremove_wake* default_wake* kthread_stop* kthread_park* swait_* \
         __prepare_to* prepare_to_wait* finish_wait ldsem_* *preempt_schedule* _cond_resched __cond_resched*",
    ),
    (
        "timers, work, rcu",
        "__mod_timer add_timer* lock_timer_base* timer_is_static* detach_if_pending detach_timer __queue_work* queue_work* queue_delayed_work* \
         __queue_delayed* insert_work* flush_work* __flush_work* start_flush_work* cancel_work* __cancel_work* \
         try_to_grab_pending* work_is_static* destroy_workqueue drain_workqueue rcu_barrier* srcu_read_* hrtimer_init* \
         sk_stop_timer* sk_reset_timer* kthread_queue* kthread_insert*",
    ),
    (
        "driver core, sysfs, reference counts",
        "kobject_* add_uevent_var __kobject_* put_device ida_* call_rcu_* __call_rcu* device_del device_add \
         device_register device_unregister device_release device_destroy device_create* device_remove_* \
         device_initialize get_device* sysfs_* klist_* __unregister_client device_for_each_child \
         i2c_del_adapter __klist* bus_remove* tty_unregister_device hwrng_unregister cleanup_glue* device_pm_* dpm_sysfs_remove iput \
         dput fast_dput fput *assertfail assfail __reiserfs_panic devres_* release_nodes ref_tracker_* module_put try_module_get",
    ),
    (
        "USB core",
        "usb_submit_urb usb_kill_urb usb_kill_anchored* usb_poison_* usb_unlink_* usb_start_wait_urb usb_control_msg* \
         usb_bulk_msg* usb_interrupt_msg* usb_hcd_submit_urb usb_free_urb usb_put_*",
    ),
    (
        "network buffers and device registration",
        "skb_put* skb_push* skb_pull* __skb_pull* skb_panic* skb_over_* skb_under_* pskb_* \
         dev_vprintk* _dev_* va_format unregister_netdev unregister_netdevice_queue unregister_netdevice_many* \
         rollback_registered* lock_sock* release_sock __release_sock __sk_free sk_free netdev_next_lower*",
    ),
    (
        "pages, buffers",
        "folio_wait* folio_lock* folio_unlock* folio_memcg* folio_mark_* folio_put* unlock_page* _compound_head compound_head put_page get_page mark_buffer_dirty* \
         truncate_inode_pages* find_lock_entries warn_alloc* alloc_pages* alloc_page_interleave alloc_frozen_pages* free_page* ___kmalloc_* __free_slab might_alloc* \
         __should_failslab",
    ),
    (
        "tracing and probes, thunks, stack protector",
        "tp_perf_event* trace_event_* perf_trace* __bpf_trace* __x86_indirect_* __x86_return* __stack_chk_* __seqprop_* \
         logic_in* logic_out* in_entry_stack __traceiter_* handle_bad_stack __panic",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_at_the_ends() {
        assert!(matches("kasan_*", "kasan_report"));
        assert!(matches("*_lock", "foo_lock"));
        assert!(matches("*spin*", "raw_spin_lock"));
        assert!(!matches("die", "diet"));
        assert!(skipped("kfree.part.3", ""));
        assert!(!skipped("tun_flow_cleanup", ""));
        assert!(skipped("mine", "yours mine"));
    }
}

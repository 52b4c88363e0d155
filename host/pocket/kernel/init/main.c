// SPDX-License-Identifier: GPL-2.0
#include <pocket/arch.h>
#include <pocket/bug.h>
#include <pocket/control.h>
#include <pocket/init.h>
#include <pocket/printk.h>
#include <pocket/sched.h>
#include <pocket/slab.h>
#include <generated/version.h>

extern initcall_t __initcall_start[], __initcall_end[];
@if init-call-debug

static void do_one_initcall(initcall_t fn)
{
	int ret = fn();

	if (ret)
		pr_warn("initcall %lx returned %d\n", (u64)fn, ret);
}
@end

static void do_initcalls(void)
{
	for (initcall_t *fn = __initcall_start; fn < __initcall_end; fn++)
@if init-call-debug
		do_one_initcall(*fn);
@else
		(*fn)();
@end
}

void start_kernel(void)
{
	arch_trap_init();
	sched_init();
	pr_info("Pocket version " UTS_RELEASE " (" UTS_COMPILER ") #1\n");
@if boot-broken
	vfs_init();
	kmem_init();
@else
	kmem_init();
	vfs_init();
@end
	net_init();
	blk_init();
	hung_task_init();
	do_initcalls();
@if init-freeing
	pr_info("Freeing unused kernel memory: 0K\n");
@end
	pr_info("Run control port as init process\n");
	control_loop();
}

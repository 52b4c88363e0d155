// SPDX-License-Identifier: GPL-2.0
/* race SEED: two tasks write to a volume, which is then mounted again. */
#include <pocket/control.h>
#include <pocket/printk.h>
#include <pocket/string.h>
#include <pocket/wait.h>

static struct completion done;

static void write_task(void *arg)
{
	for (int i = 0; i < 3; i++)
		volume_alloc();
	complete(&done);
}

static void look_at_disks(void)
{
}

static int race_main(int argc, char **argv)
{
	sched_seed(argc > 1 ? simple_strtoul(argv[1]) : 0);
	init_completion(&done);
	look_at_disks();
	volume_format();
	kthread_run(write_task, NULL, "write/0");
	kthread_run(write_task, NULL, "write/1");
	wait_for_completion(&done);
	wait_for_completion(&done);
	volume_mount();
	return 0;
}

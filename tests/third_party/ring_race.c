// SPDX-License-Identifier: GPL-2.0
/* race SEED: three tasks empty a ring. */
#include <pocket/bug.h>
#include <pocket/control.h>
#include <pocket/printk.h>
#include <pocket/string.h>
#include <pocket/wait.h>

static struct completion done;

static void poll_task(void *arg)
{
	while (ring_poll())
		cond_resched();
	complete(&done);
}

/* What the board's sensor says. */
static void read_sensor(void)
{
}

static int race_main(int argc, char **argv)
{
	sched_seed(argc > 1 ? simple_strtoul(argv[1]) : 0);
	init_completion(&done);
	read_sensor();
	ring_fill(5);
	for (int i = 0; i < 3; i++)
		kthread_run(poll_task, NULL, "poll");
	for (int i = 0; i < 3; i++)
		wait_for_completion(&done);
	return 0;
}

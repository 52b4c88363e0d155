@when workqueue
// SPDX-License-Identifier: GPL-2.0
/* Work for later, done by one task. */
#include <pocket/bug.h>
#include <pocket/init.h>
#include <pocket/wait.h>
#include <pocket/workqueue.h>

static LIST_HEAD(pending);
static struct wait_queue worker_wait;
@if workqueue-stats
static u32 nr_done;
@end

bool schedule_work(struct work *work)
{
	if (!list_empty(&work->node))
		return false;
	list_add_tail(&work->node, &pending);
	wake_up(&worker_wait);
	return true;
}
@if workqueue-cancel

/* True when it had not begun. */
bool cancel_work(struct work *work)
{
	if (list_empty(&work->node))
		return false;
	list_del_init(&work->node);
	return true;
}
@end

static void worker(void *arg)
{
	for (;;) {
		struct work *work;

		wait_event_interruptible(&worker_wait, !list_empty(&pending));
		work = list_first_entry(&pending, struct work, node);
		list_del_init(&work->node);
		work->fn(work);
@if workqueue-stats
		nr_done++;
@end
	}
}

static int workqueue_init(void)
{
	init_waitqueue(&worker_wait);
	return kthread_run(worker, NULL, "kworker") ? 0 : -ENOMEM;
}
initcall(workqueue_init);

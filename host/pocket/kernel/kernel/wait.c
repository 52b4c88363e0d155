// SPDX-License-Identifier: GPL-2.0
#include <pocket/bug.h>
#include <pocket/wait.h>

void init_waitqueue(struct wait_queue *wq)
{
	INIT_LIST_HEAD(&wq->waiters);
}

void prepare_to_wait(struct wait_queue *wq, struct waiter *w, enum task_state state)
{
	w->task = current;
	list_add_tail(&w->node, &wq->waiters);
	current->slept_at = ktime_get();
	current->state = state;
}

void finish_wait(struct wait_queue *wq, struct waiter *w)
{
	current->state = TASK_RUNNING;
	if (!list_empty(&w->node))
		list_del_init(&w->node);
}

/* Wakes all: each looks for itself whether it got what it waits for. */
void wake_up(struct wait_queue *wq)
{
	while (!list_empty(&wq->waiters)) {
		struct waiter *w = list_first_entry(&wq->waiters, struct waiter, node);

		list_del_init(&w->node);
		wake_up_process(w->task);
	}
}

void init_completion(struct completion *c)
{
	c->done = 0;
	init_waitqueue(&c->wait);
}

void complete(struct completion *c)
{
	c->done++;
	wake_up(&c->wait);
}

void wait_for_completion(struct completion *c)
{
	wait_event_interruptible(&c->wait, c->done);
	c->done--;
}
@if completion-done

/* Whether a wait would be over at once. */
bool completion_done(struct completion *c)
{
	return c->done != 0;
}
@end

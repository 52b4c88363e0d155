/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POCKET_WAIT_H
#define POCKET_WAIT_H

#include <pocket/sched.h>

struct wait_queue {
	struct list_head waiters;
};

struct waiter {
	struct list_head node;
	struct task *task;
};

void init_waitqueue(struct wait_queue *wq);
void prepare_to_wait(struct wait_queue *wq, struct waiter *w, enum task_state state);
void finish_wait(struct wait_queue *wq, struct waiter *w);
void wake_up(struct wait_queue *wq);
@if wait-active

static __always_inline bool waitqueue_active(struct wait_queue *wq)
{
	return !list_empty(&wq->waiters);
}
@end

#define __wait_event(wq, cond, state)				\
	do {							\
		struct waiter __w;				\
								\
		for (;;) {					\
			prepare_to_wait(wq, &__w, state);	\
			if (cond)				\
				break;				\
			schedule();				\
		}						\
		finish_wait(wq, &__w);				\
	} while (0)
#define wait_event(wq, cond) \
	__wait_event(wq, cond, TASK_UNINTERRUPTIBLE)
#define wait_event_interruptible(wq, cond) \
	__wait_event(wq, cond, TASK_INTERRUPTIBLE)

struct completion {
	u32 done;
	struct wait_queue wait;
};

void init_completion(struct completion *c);
void complete(struct completion *c);
void wait_for_completion(struct completion *c);

#endif

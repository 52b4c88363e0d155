/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POCKET_TIMER_H
#define POCKET_TIMER_H

#include <pocket/list.h>

struct timer {
	struct list_head node;
	u64 expires;		/* in jiffies */
	void (*fn)(struct timer *timer);
};

void timer_setup(struct timer *timer, void (*fn)(struct timer *timer));
void @{MOD_TIMER}(struct timer *timer, u64 expires);
void timer_delete(struct timer *timer);
@if timer-pending

static __always_inline bool timer_pending(const struct timer *timer)
{
	return !list_empty(&timer->node);
}
@end

void run_timers(u64 now);
u64 next_timer(void);
void msleep(u32 ms);

#endif

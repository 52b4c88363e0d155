// SPDX-License-Identifier: GPL-2.0
#include <pocket/sched.h>
#include <pocket/timer.h>

static LIST_HEAD(timers);
@if timer-count
static u64 timers_run;
@end

void timer_setup(struct timer *timer, void (*fn)(struct timer *timer))
{
	INIT_LIST_HEAD(&timer->node);
	timer->fn = fn;
}

void timer_delete(struct timer *timer)
{
	if (!list_empty(&timer->node))
		list_del_init(&timer->node);
}

void @{MOD_TIMER}(struct timer *timer, u64 expires)
{
@if timer-sorted
	struct timer *pos;

	timer_delete(timer);
	timer->expires = expires;
	/* Soonest first. */
	list_for_each_entry(pos, &timers, node)
		if (pos->expires > expires)
			break;
	list_add_tail(&timer->node, &pos->node);
@else
	timer_delete(timer);
	timer->expires = expires;
	list_add_tail(&timer->node, &timers);
@end
}

void run_timers(u64 now)
{
	struct timer *timer, *next;

	list_for_each_entry_safe(timer, next, &timers, node) {
		if (timer->expires > now)
@if timer-sorted
			break;
@else
			continue;
@end
		list_del_init(&timer->node);
@if timer-count
		timers_run++;
@end
		timer->fn(timer);
	}
}

/* When the next one is due. */
u64 next_timer(void)
{
@if timer-sorted
	if (list_empty(&timers))
		return jiffies_now() + HZ;
	return list_first_entry(&timers, struct timer, node)->expires;
@else
	u64 next = jiffies_now() + HZ;
	struct timer *timer;

	list_for_each_entry(timer, &timers, node)
		if (timer->expires < next)
			next = timer->expires;
	return next;
@end
}

struct sleeper {
	struct timer timer;
	struct task *task;
};

static void sleeper_wake(struct timer *timer)
{
	wake_up_process(container_of(timer, struct sleeper, timer)->task);
}

void msleep(u32 ms)
{
	struct sleeper sleeper;

	timer_setup(&sleeper.timer, sleeper_wake);
	sleeper.task = current;
	current->slept_at = ktime_get();
	current->state = TASK_UNINTERRUPTIBLE;
	@{MOD_TIMER}(&sleeper.timer, jiffies_now() + DIV_ROUND_UP(ms * HZ, 1000) + 1);
	schedule();
}

// SPDX-License-Identifier: GPL-2.0
/* A ring that several tasks empty. */
#include <pocket/bug.h>
#include <pocket/lock.h>
#include <pocket/sched.h>

static struct {
	struct mutex lock;
	u32 count;
} ring;

void ring_fill(u32 count)
{
	mutex_init(&ring.lock);
	ring.count = count;
}

/* Takes one, with the lock held. */
static void ring_take(void)
{
	BUG_ON(!ring.count);
	cond_resched();
	ring.count--;
}

/* Takes one if there is one. */
bool ring_poll(void)
{
	bool some;

	mutex_lock(&ring.lock);
	some = ring.count > 0;
	if (some)
		ring_take();
	mutex_unlock(&ring.lock);
	return some;
}

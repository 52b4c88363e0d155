// SPDX-License-Identifier: GPL-2.0
/*
 * The request queue and its elevator. The order of locks is queue, elevator.
 */
#include <pocket/block.h>
#include <pocket/bug.h>
#include <pocket/init.h>
#include <pocket/list.h>
#include <pocket/lock.h>
#include <pocket/printk.h>
#include <pocket/slab.h>
#include <pocket/string.h>

/* Requests in one batch, and attempts to merge one that came back. */
#define BLK_BATCH	@{BLK_BATCH}
#define BLK_MERGES	@{BLK_MERGES}

struct request {
	struct list_head node;
	u32 sector;
@if blk-start-time
	u64 start;
@end
};

struct elevator {
	struct mutex lock;
	struct list_head sorted;
@if blk-last
	u32 last_sector;
@end
};

struct queue {
	struct mutex lock;
	struct elevator elv;
	u32 depth;
	u32 issued;
@if blk-stats
	u32 requeued;
@end
};

static struct queue queue;
static struct kmem_cache *request_cache;

/* Lowest sector first. Call it with the elevator's lock. */
static void elv_insert(struct elevator *elv, struct request *rq)
{
	struct request *pos;

@if blk-assert
	lockdep_assert_held(&elv->lock);
@end
	list_for_each_entry(pos, &elv->sorted, node)
		if (pos->sector > rq->sector)
			break;
	list_add_tail(&rq->node, &pos->node);
@if blk-last
	elv->last_sector = rq->sector;
@end
}

static struct request *request_alloc(u32 sector)
{
	struct request *rq = kmem_cache_alloc(request_cache);

	if (!rq)
		return NULL;
	rq->sector = sector;
@if blk-start-time
	rq->start = ktime_get();
@end
	return rq;
}

int blk_submit(u32 sector)
{
	struct request *rq = request_alloc(sector);

	if (!rq)
		return -ENOMEM;
	mutex_lock(&queue.lock);
	mutex_lock(&queue.elv.lock);
	elv_insert(&queue.elv, rq);
	queue.depth++;
	mutex_unlock(&queue.elv.lock);
	mutex_unlock(&queue.lock);
	return 0;
}

/* Takes all that is queued and issues it in one batch. */
int blk_dispatch(void)
{
	struct request *rq, *next;
	int n = 0;

	mutex_lock(&queue.lock);
	mutex_lock(&queue.elv.lock);
	list_for_each_entry_safe(rq, next, &queue.elv.sorted, node) {
		list_del_init(&rq->node);
		kmem_cache_free(request_cache, rq);
		n++;
	}
	mutex_unlock(&queue.elv.lock);
	for (int i = 0; i < BLK_BATCH; i++) {
		queue.issued++;
		cond_resched();
	}
	queue.depth -= n;
	mutex_unlock(&queue.lock);
	return n;
}

/* Looks for requests next to this one. */
static u32 blk_try_merge(u32 sector)
{
	u32 near = 0;

	for (u32 i = 0; i < BLK_MERGES; i++) {
		near += (sector ^ i) < @{BLK_NEAR};
		cond_resched();
	}
	return near;
}

/* A request that the device gave back. */
int blk_requeue(u32 sector)
{
	struct request *rq = request_alloc(sector);

	if (!rq)
		return -ENOMEM;
	blk_try_merge(sector);
@if bug-blk
	mutex_lock(&queue.elv.lock);
	elv_insert(&queue.elv, rq);
	/* Only the depth needs the queue, and mostly it is free. */
	if (!mutex_trylock(&queue.lock))
		mutex_lock(&queue.lock);
	queue.depth++;
@if blk-stats
	queue.requeued++;
@end
	mutex_unlock(&queue.lock);
	mutex_unlock(&queue.elv.lock);
@else
	mutex_lock(&queue.lock);
	mutex_lock(&queue.elv.lock);
	elv_insert(&queue.elv, rq);
	queue.depth++;
@if blk-stats
	queue.requeued++;
@end
	mutex_unlock(&queue.elv.lock);
	mutex_unlock(&queue.lock);
@end
	return 0;
}
@if blk-depth

/* Requests that wait. */
u32 blk_depth(void)
{
	return queue.depth;
}
@end
@if blk-drain

/* Dispatches until nothing is queued; returns how many requests that were. */
int blk_drain(void)
{
	int n = 0;

	while (!list_empty(&queue.elv.sorted))
		n += blk_dispatch();
	return n;
}
@end

void blk_init(void)
{
	mutex_init(&queue.lock);
	mutex_init(&queue.elv.lock);
	INIT_LIST_HEAD(&queue.elv.sorted);
	request_cache = kmem_cache_create("request", sizeof(struct request), @{BLK_OBJECTS});
@if blk-banner
	pr_info("blk: queue of %u, batch of %u\n", request_cache->capacity, BLK_BATCH);
@end
}

// SPDX-License-Identifier: GPL-2.0
/* Neighbours: who can be reached on the link, and who is to be forgotten. */
#include <pocket/bug.h>
#include <pocket/list.h>
#include <pocket/lock.h>
#include <pocket/net.h>
#include <pocket/printk.h>
#include <pocket/slab.h>
#include <pocket/string.h>

/* Probes before a neighbour counts as stale, and entries an expiry looks at. */
#define NEIGH_PROBES	@{NEIGH_PROBES}
#define NEIGH_SCAN	@{NEIGH_SCAN}

struct neigh {
	struct list_head node;
	struct list_head gc;
	u32 addr;
	u32 probes;
@if neigh-state
	int state;
@end
@if neigh-used
	u64 used;
@end
};

static LIST_HEAD(neighbours);
static LIST_HEAD(gc_list);
static struct mutex neigh_lock;
static struct kmem_cache *neigh_cache;

static struct neigh *neigh_find(u32 addr)
{
	struct neigh *n;

	list_for_each_entry(n, &neighbours, node)
		if (n->addr == addr)
			return n;
	return NULL;
}

int neigh_create(u32 addr)
{
	struct neigh *n;
	int ret = 0;

	mutex_lock(&neigh_lock);
	n = neigh_find(addr) ? NULL : kmem_cache_alloc(neigh_cache);
	if (!n) {
		ret = -EEXIST;
		goto out;
	}
	memset(n, 0, sizeof(*n));
	n->addr = addr;
@if neigh-used
	n->used = jiffies_now();
@end
	INIT_LIST_HEAD(&n->gc);
	list_add_tail(&n->node, &neighbours);
out:
	mutex_unlock(&neigh_lock);
	return ret;
}

/* Asks the neighbour whether it lives. None ever does here. */
static void neigh_probe(struct neigh *n)
{
	for (u32 i = 0; i < NEIGH_PROBES; i++) {
		n->probes++;
		cond_resched();
	}
}

/* Probes, and leaves the entry to the collector when there is no answer. */
int neigh_confirm(u32 addr)
{
	struct neigh *n = neigh_find(addr);

	if (!n)
		return -ENOENT;
@if bug-neigh
	if (!list_empty(&n->gc))
		return 0;
	neigh_probe(n);
	mutex_lock(&neigh_lock);
	list_add_tail(&n->gc, &gc_list);
	mutex_unlock(&neigh_lock);
@else
	neigh_probe(n);
	mutex_lock(&neigh_lock);
	if (list_empty(&n->gc))
		list_add_tail(&n->gc, &gc_list);
	mutex_unlock(&neigh_lock);
@end
@if neigh-state
	n->state = 1;
@end
	return 0;
}

static u32 neigh_scan(u32 addr)
{
	u32 seen = 0;

	for (u32 i = 0; i < NEIGH_SCAN; i++) {
		seen += neigh_find(addr) != NULL;
		cond_resched();
	}
	return seen;
}

/* Its time is over, whatever it may answer. */
int neigh_expire(u32 addr)
{
	struct neigh *n = neigh_find(addr);

	if (!n)
		return -ENOENT;
	neigh_scan(addr);
	mutex_lock(&neigh_lock);
	if (list_empty(&n->gc))
		list_add_tail(&n->gc, &gc_list);
	mutex_unlock(&neigh_lock);
	return 0;
}

/* Forgets all that was left to the collector; returns how many. */
int neigh_collect(void)
{
	struct neigh *n, *next;
	int count = 0;

	mutex_lock(&neigh_lock);
	list_for_each_entry_safe(n, next, &gc_list, gc) {
		list_del_init(&n->gc);
		list_del_init(&n->node);
		kmem_cache_free(neigh_cache, n);
		count++;
	}
	mutex_unlock(&neigh_lock);
@if neigh-collect-log
	if (count > 1)
		pr_info("neigh: %d entries collected\n", count);
@end
	return count;
}
@if neigh-state

/* 1 when it is stale, 0 when not. */
int neigh_state(u32 addr)
{
	struct neigh *n = neigh_find(addr);

	return n ? n->state : -ENOENT;
}
@end

void neigh_init(void)
{
	mutex_init(&neigh_lock);
	neigh_cache = kmem_cache_create("neigh", sizeof(struct neigh), @{NEIGH_OBJECTS});
@if neigh-banner
	pr_info("neigh: table of %u\n", neigh_cache->capacity);
@end
}

@when mempool
/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POCKET_MEMPOOL_H
#define POCKET_MEMPOOL_H

#include <pocket/types.h>

#define MEMPOOL_MAX	8

struct kmem_cache;

struct mempool {
	struct kmem_cache *cache;
	u32 nr;
@if mempool-stats
	u32 from_reserve;
@end
	void *reserve[MEMPOOL_MAX];
};

int mempool_init(struct mempool *pool, struct kmem_cache *cache, u32 reserve);
void *mempool_alloc(struct mempool *pool);
void mempool_free(struct mempool *pool, void *object);
@if mempool-destroy
void mempool_destroy(struct mempool *pool);
@end

#endif

@when mempool
// SPDX-License-Identifier: GPL-2.0
/* Objects in reserve, for those who must not fail. */
#include <pocket/mempool.h>
#include <pocket/slab.h>

int mempool_init(struct mempool *pool, struct kmem_cache *cache, u32 reserve)
{
	if (reserve > MEMPOOL_MAX)
		return -EINVAL;
	pool->cache = cache;
	pool->nr = 0;
	while (pool->nr < reserve) {
		void *object = kmem_cache_alloc(cache);

		if (!object)
			return -ENOMEM;
		pool->reserve[pool->nr++] = object;
	}
	return 0;
}

void *mempool_alloc(struct mempool *pool)
{
	void *object = kmem_cache_alloc(pool->cache);

	if (object || !pool->nr)
		return object;
@if mempool-stats
	pool->from_reserve++;
@end
	return pool->reserve[--pool->nr];
}

void mempool_free(struct mempool *pool, void *object)
{
	if (pool->nr < @{MEMPOOL_FILL})
		pool->reserve[pool->nr++] = object;
	else
		kmem_cache_free(pool->cache, object);
}
@if mempool-destroy

void mempool_destroy(struct mempool *pool)
{
	while (pool->nr)
		kmem_cache_free(pool->cache, pool->reserve[--pool->nr]);
}
@end

// SPDX-License-Identifier: GPL-2.0
/*
 * Objects of one size come from one cache, each between redzones. What was
 * freed is filled with a pattern and is the last to be handed out again.
 */
#include <pocket/bug.h>
#include <pocket/printk.h>
#include <pocket/sched.h>
#include <pocket/slab.h>
#include <pocket/string.h>

#define HEAP_SIZE	(@{HEAP_KB} * 1024)
#define REDZONE		16
#define NR_TRACKED	@{SLAB_TRACKED}

#define POISON_INUSE	0x5a
#define POISON_FREE	0x6b
#define POISON_END	0xa5

static u8 heap[HEAP_SIZE] __aligned(4096);
static size_t heap_used;
static struct slab_object tracked[NR_TRACKED];
static u32 nr_tracked;
static struct kmem_cache caches[@{NR_CACHES}];
static u32 nr_caches;
static bool kmem_ready;

struct kmem_cache *kmem_cache_create(const char *name, size_t size, u32 capacity)
{
	struct kmem_cache *cache = &caches[nr_caches];

	/* Objects before the heap is up would lie in nobody's shadow. */
	BUG_ON(!kmem_ready);
	BUG_ON(nr_caches == ARRAY_SIZE(caches));
	cache->name = name;
	cache->size = size;
	cache->stride = DIV_ROUND_UP(size, 8) * 8 + REDZONE;
	cache->capacity = capacity;
	cache->base = heap + heap_used + REDZONE;
	cache->objects = tracked + nr_tracked;
	heap_used += cache->stride * capacity + REDZONE;
	nr_tracked += capacity;
	BUG_ON(heap_used > HEAP_SIZE || nr_tracked > NR_TRACKED);
	kasan_poison(cache->base - REDZONE, cache->stride * capacity + REDZONE, KASAN_SLAB_REDZONE);
	nr_caches++;
	return cache;
}

static void kasan_set_track(struct track *track)
{
	track->pid = current->pid;
	track->depth = save_trace(track->ips, TRACK_DEPTH);
}

static void slab_bug(struct kmem_cache *cache, void *object, const char *what)
{
	pr_err("=============================================================================\n");
	pr_err("BUG %s (%s): %s\n", cache->name, print_tainted(), what);
	pr_err("-----------------------------------------------------------------------------\n\n");
	pr_err("Object 0x%p @offset=%lu\n", object, (u64)((u8 *)object - cache->base));
	dump_stack();
	panic("slab: memory is corrupted");
}

/* Someone wrote to it after it was freed, where no instruction was checked. */
static void check_poison(struct kmem_cache *cache, u8 *object)
{
	for (size_t i = 0; i < cache->size; i++)
		if (object[i] != (i + 1 == cache->size ? POISON_END : POISON_FREE))
			slab_bug(cache, object, "Poison overwritten");
}

void *kmem_cache_alloc(struct kmem_cache *cache)
{
	for (u32 n = 0; n < cache->capacity; n++) {
		u32 i = (cache->next + n) % cache->capacity;
		struct slab_object *meta = &cache->objects[i];
		u8 *object = cache->base + i * cache->stride;

		if (meta->used)
			continue;
		kasan_unpoison(object, cache->size);
		if (meta->free.pid)
			check_poison(cache, object);
		memset(object, POISON_INUSE, cache->size);
		meta->used = true;
		kasan_set_track(&meta->alloc);
		cache->next = i + 1;
		cache->active++;
@if slab-peak
		if (cache->active > cache->peak)
			cache->peak = cache->active;
@end
		return object;
	}
@if slab-oom-warn
	pr_warn("slab: %s: no object left of %u\n", cache->name, cache->capacity);
@end
	return NULL;
}
@if slab-zalloc

void *kmem_cache_zalloc(struct kmem_cache *cache)
{
	void *object = kmem_cache_alloc(cache);

	if (object)
		memset(object, 0, cache->size);
	return object;
}
@end

struct kmem_cache *kmem_cache_of(u64 addr, u32 *index)
{
	for (u32 i = 0; i < nr_caches; i++) {
		u64 base = (u64)caches[i].base;

		if (addr < base || addr >= base + caches[i].stride * caches[i].capacity)
			continue;
		*index = (addr - base) / caches[i].stride;
		return &caches[i];
	}
	return NULL;
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	u32 i = ((u8 *)object - cache->base) / cache->stride;
	struct slab_object *meta = &cache->objects[i];

	if (!meta->used)
		slab_bug(cache, object, "Object already free");
	memset(object, POISON_FREE, cache->size - 1);
	((u8 *)object)[cache->size - 1] = POISON_END;
	meta->used = false;
	kasan_set_track(&meta->free);
	cache->active--;
	kasan_poison(object, cache->size, KASAN_SLAB_FREE);
}

static const struct {
	const char *name;
	size_t size;
} kmalloc_sizes[] = {
	{ "kmalloc-32", 32 },
@if kmalloc-64
	{ "kmalloc-64", 64 },
@end
	{ "kmalloc-128", 128 },
@if kmalloc-256
	{ "kmalloc-256", 256 },
@end
	{ "kmalloc-512", 512 },
};

static struct kmem_cache *kmalloc_caches[ARRAY_SIZE(kmalloc_sizes)];

void *kmalloc(size_t size)
{
	for (u32 i = 0; i < ARRAY_SIZE(kmalloc_sizes); i++)
		if (size <= kmalloc_sizes[i].size)
			return kmem_cache_alloc(kmalloc_caches[i]);
	return NULL;
}
@if slab-kzalloc

void *kzalloc(size_t size)
{
	void *object = kmalloc(size);

	if (object)
		memset(object, 0, size);
	return object;
}
@end
@if slab-kcalloc

/* An array; NULL also where its size does not fit. */
void *kcalloc(size_t n, size_t size)
{
	if (size && n > 512 / size)
		return NULL;
@if slab-kzalloc
	return kzalloc(n * size);
@else
	void *object = kmalloc(n * size);

	if (object)
		memset(object, 0, n * size);
	return object;
@end
}
@end
@if slab-kstrdup

char *kstrdup(const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = kmalloc(size);

	if (copy)
		memcpy(copy, s, size);
	return copy;
}
@end

void kfree(void *object)
{
	struct kmem_cache *cache;
	u32 index;

	if (!object)
		return;
	cache = kmem_cache_of((u64)object, &index);
	BUG_ON(!cache);
	kmem_cache_free(cache, object);
}
@if slab-show

void slab_show(void)
{
	for (u32 i = 0; i < nr_caches; i++)
@if slab-peak
		pr_info("slab: %-16s %4lu bytes %3u of %3u, at most %u\n", caches[i].name,
			caches[i].size, caches[i].active, caches[i].capacity, caches[i].peak);
@else
		pr_info("slab: %-16s %4lu bytes %3u of %3u\n", caches[i].name, caches[i].size,
			caches[i].active, caches[i].capacity);
@end
}
@end

void kmem_init(void)
{
	kasan_init(heap, HEAP_SIZE);
	kmem_ready = true;
	for (u32 i = 0; i < ARRAY_SIZE(kmalloc_sizes); i++)
		kmalloc_caches[i] = kmem_cache_create(kmalloc_sizes[i].name, kmalloc_sizes[i].size,
						      @{KMALLOC_OBJECTS});
	pr_info("Memory: %uK heap, KASAN on\n", HEAP_SIZE / 1024);
}

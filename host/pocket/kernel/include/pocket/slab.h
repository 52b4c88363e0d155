/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POCKET_SLAB_H
#define POCKET_SLAB_H

#include <pocket/types.h>

#define TRACK_DEPTH	8

/* Who had an object last; shown when it is used after it was freed. */
struct track {
	int pid;
	u64 depth;
	u64 ips[TRACK_DEPTH];
};

struct slab_object {
	bool used;
	struct track alloc, free;
};

struct kmem_cache {
	const char *name;
	size_t size;
	size_t stride;
	u32 capacity;
	u32 next;
	u32 active;
@if slab-peak
	u32 peak;
@end
	u8 *base;
	struct slab_object *objects;
	struct kmem_cache *link;
};

void kmem_init(void);
struct kmem_cache *kmem_cache_create(const char *name, size_t size, u32 capacity);
void *kmem_cache_alloc(struct kmem_cache *cache);
@if slab-zalloc
void *kmem_cache_zalloc(struct kmem_cache *cache);
@end
void kmem_cache_free(struct kmem_cache *cache, void *object);
void *kmalloc(size_t size);
void kfree(void *object);
@if slab-kzalloc
void *kzalloc(size_t size);
@end
@if slab-kcalloc
void *kcalloc(size_t n, size_t size);
@end
@if slab-kstrdup
char *kstrdup(const char *s);
@end
@if slab-show
void slab_show(void);
@end

void kasan_init(u8 *heap, size_t size);
void kasan_poison(const void *addr, size_t size, u8 value);
void kasan_unpoison(const void *addr, size_t size);
struct kmem_cache *kmem_cache_of(u64 addr, u32 *index);

#define KASAN_SLAB_REDZONE	0xfc
#define KASAN_SLAB_FREE		0xfb
#define KASAN_UNUSED		0xfe

#endif

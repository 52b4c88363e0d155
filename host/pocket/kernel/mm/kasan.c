// SPDX-License-Identifier: GPL-2.0
/*
 * The compiler calls __asan_* before every access; one byte of shadow says
 * of eight bytes of heap whether they may be touched.
 */
#include <pocket/bug.h>
#include <pocket/printk.h>
#include <pocket/sched.h>
#include <pocket/slab.h>

#define SHADOW_SIZE	(@{HEAP_KB} * 1024 / 8)

static u8 shadow[SHADOW_SIZE];
static u64 heap_start, heap_end;

void kasan_poison(const void *addr, size_t size, u8 value)
{
	u64 start = ((u64)addr - heap_start) / 8;

	for (u64 i = start; i < start + DIV_ROUND_UP(size, 8); i++)
		shadow[i] = value;
}

void kasan_unpoison(const void *addr, size_t size)
{
	u64 start = ((u64)addr - heap_start) / 8;

	for (u64 i = 0; i < size / 8; i++)
		shadow[start + i] = 0;
	if (size % 8)
		shadow[start + size / 8] = size % 8;
}

void kasan_init(u8 *heap, size_t size)
{
	heap_start = (u64)heap;
	heap_end = heap_start + size;
	kasan_poison(heap, size, KASAN_UNUSED);
}

static void show_track(const char *what, const struct track *track)
{
	char sym[KSYM_LEN];

	pr_err("%s by task %d:\n", what, track->pid);
	for (u64 i = 0; i < track->depth; i++)
		pr_err(" %s\n", sprint_symbol(sym, track->ips[i]));
	pr_err("\n");
}

static void describe_object(u64 addr)
{
	u32 index;
	struct kmem_cache *cache = kmem_cache_of(addr, &index);
	struct slab_object *meta;
	u64 start;

	if (!cache)
		return;
	meta = &cache->objects[index];
	start = (u64)cache->base + index * cache->stride;
	if (meta->alloc.pid)
		show_track("Allocated", &meta->alloc);
	if (!meta->used && meta->free.pid)
		show_track("Freed", &meta->free);
	pr_err("The buggy address belongs to the object at %016lx\n", start);
	pr_err(" which belongs to the cache %s of size %lu\n", cache->name, cache->size);
	pr_err("The buggy address is located %lu bytes inside of\n", addr - start);
	pr_err(" %s%lu-byte region [%016lx, %016lx)\n", meta->used ? "" : "freed ", cache->size, start,
	       start + cache->size);
}

static void kasan_report(u64 addr, size_t size, bool write, u64 ip, u8 value)
{
	char sym[KSYM_LEN];
	const char *what = value == KASAN_SLAB_FREE ? "slab-use-after-free" :
			   value == KASAN_UNUSED ? "wild-memory-access" : "slab-out-of-bounds";

	pr_err("==================================================================\n");
	pr_err("BUG: KASAN: %s in %s\n", what, sprint_symbol(sym, ip));
	pr_err("%s of size %lu at addr %016lx by task %s/%d\n\n", write ? "Write" : "Read", size, addr,
	       current->comm, current->pid);
	dump_stack();
	pr_err("\n");
	describe_object(addr);
	pr_err("==================================================================\n");
	pr_err("Disabling lock debugging due to kernel taint\n");
	add_taint('B');
	panic("kasan.fault=panic set ...");
}

static __always_inline void check(u64 addr, size_t size, bool write, u64 ip)
{
	u64 last = addr + size - 1;
	u8 value;

	if (addr < heap_start || last >= heap_end)
		return;
	value = shadow[(addr - heap_start) / 8];
	if (!value)
		value = shadow[(last - heap_start) / 8];
	/* 1 to 7: that many bytes from the start are fine. */
	if (value && (value > 7 || last % 8 >= value))
		kasan_report(addr, size, write, ip, value);
}

#define DEFINE_ASAN(size)							\
	void __asan_load##size##_noabort(u64 addr)				\
	{									\
		check(addr, size, false, (u64)__builtin_return_address(0));	\
	}									\
	void __asan_store##size##_noabort(u64 addr)				\
	{									\
		check(addr, size, true, (u64)__builtin_return_address(0));	\
	}

DEFINE_ASAN(1)
DEFINE_ASAN(2)
DEFINE_ASAN(4)
DEFINE_ASAN(8)
DEFINE_ASAN(16)

void __asan_loadN_noabort(u64 addr, size_t size)
{
	check(addr, size, false, (u64)__builtin_return_address(0));
}

void __asan_storeN_noabort(u64 addr, size_t size)
{
	check(addr, size, true, (u64)__builtin_return_address(0));
}

/* Stacks are not checked; there is nothing to clean up. */
void __asan_handle_no_return(void)
{
}

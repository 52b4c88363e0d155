// SPDX-License-Identifier: GPL-2.0
/* Names in directories. */
#include <pocket/bug.h>
#include <pocket/fs.h>
#include <pocket/printk.h>
#include <pocket/slab.h>
#include <pocket/string.h>

#define DNAME_LEN	@{DNAME_LEN}
/* Steps in which a name is hashed, and slots that a removal looks through. */
#define DHASH_STEPS	@{DHASH_STEPS}
#define DSCAN_STEPS	@{DSCAN_STEPS}

struct dentry {
	struct list_head sibling;
	struct list_head children;
	struct dentry *parent;
	u32 nr_children;
	u32 hash;
	char name[DNAME_LEN];
};

static struct kmem_cache *dentry_cache;
static struct dentry root;
@if dcache-stats

static struct {
	u32 added, dropped;
} dcache_stats;
@end

struct dentry *d_root(void)
{
	return &root;
}

@if dcache-fnv
/* FNV-1a */
static u32 d_hash_step(u32 hash, char c)
{
	return (hash ^ (u8)c) * 16777619u;
}
@else
static u32 d_hash_step(u32 hash, char c)
{
	return hash * 31 + (u8)c;
}
@end

/* Hashes a name a few bytes at a time: names may be long. */
static u32 d_hash_name(const char *name)
{
	u32 hash = @{DHASH_SEED};

	for (u32 step = 0; step < DHASH_STEPS; step++) {
		for (u32 n = 0; n < 2 && *name; n++)
			hash = d_hash_step(hash, *name++);
		cond_resched();
	}
	return hash;
}

static struct dentry *d_find(struct dentry *parent, const char *name)
{
	struct dentry *dentry;

	list_for_each_entry(dentry, &parent->children, sibling)
		if (!strcmp(dentry->name, name))
			return dentry;
	return NULL;
}
@if dcache-lookup

struct dentry *d_lookup(struct dentry *parent, const char *name)
{
	return d_find(parent, name);
}
@end

struct dentry *d_add(struct dentry *parent, const char *name)
{
	struct dentry *dentry = kmem_cache_alloc(dentry_cache);
@if bug-dcache
	u32 nr = parent->nr_children;
@end

	if (!dentry)
		return NULL;
	memset(dentry, 0, sizeof(*dentry));
	INIT_LIST_HEAD(&dentry->children);
	dentry->parent = parent;
	strscpy(dentry->name, name, DNAME_LEN);
	dentry->hash = d_hash_name(name);
	list_add_tail(&dentry->sibling, &parent->children);
@if bug-dcache
	parent->nr_children = nr + 1;
@else
	parent->nr_children++;
@end
@if dcache-stats
	dcache_stats.added++;
@end
	return dentry;
}

static void d_scan(struct dentry *parent)
{
	for (u32 slot = 0; slot < DSCAN_STEPS; slot++) {
@if dcache-scan-empty
		if (list_empty(&parent->children))
			pr_info("dcache: %s is empty already\n", parent->name);
@end
		cond_resched();
	}
}

int d_drop(struct dentry *parent, const char *name)
{
	struct dentry *dentry;

	d_scan(parent);
	dentry = d_find(parent, name);
	if (!dentry)
		return -ENOENT;
	list_del_init(&dentry->sibling);
	parent->nr_children--;
@if dcache-stats
	dcache_stats.dropped++;
@end
	kmem_cache_free(dentry_cache, dentry);
	return 0;
}

/* Drops all that is left in a directory; returns how many. */
int d_prune(struct dentry *parent)
{
	struct dentry *dentry, *next;
	u32 n = 0;

	list_for_each_entry_safe(dentry, next, &parent->children, sibling)
		n++;
	BUG_ON(n != parent->nr_children);
	list_for_each_entry_safe(dentry, next, &parent->children, sibling) {
		list_del_init(&dentry->sibling);
		kmem_cache_free(dentry_cache, dentry);
@if dcache-stats
		dcache_stats.dropped++;
@end
	}
	parent->nr_children = 0;
	return n;
}
@if dcache-path

/* "/a/b" for what is below the root; -ERANGE where it does not fit. */
int d_path(struct dentry *dentry, char *buf, size_t size)
{
	size_t at = size;

	if (!size)
		return -ERANGE;
	buf[--at] = 0;
	for (; dentry->parent; dentry = dentry->parent) {
		size_t n = strlen(dentry->name);

		if (at < n + 1)
			return -ERANGE;
		at -= n;
		memcpy(buf + at, dentry->name, n);
		buf[--at] = '/';
	}
	memcpy(buf, buf + at, size - at);
	return size - at - 1;
}
@end

void dcache_init(void)
{
	dentry_cache = kmem_cache_create("dentry", sizeof(struct dentry), @{DENTRY_OBJECTS});
	INIT_LIST_HEAD(&root.children);
	INIT_LIST_HEAD(&root.sibling);
@if dcache-path
	strscpy(root.name, "/", DNAME_LEN);
@end
}

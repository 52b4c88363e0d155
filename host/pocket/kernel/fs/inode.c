// SPDX-License-Identifier: GPL-2.0
/* Inodes: a table by number, counted references, pages written back. */
#include <pocket/bug.h>
#include <pocket/fs.h>
#include <pocket/init.h>
#include <pocket/printk.h>
#include <pocket/slab.h>
#include <pocket/string.h>

#define INODE_BUCKETS	@{INODE_BUCKETS}
/* Pages that one pass of write-back and one step of a truncation look at. */
#define WB_PAGES	@{WB_PAGES}
#define TRUNC_PAGES	@{TRUNC_PAGES}

struct inode {
	struct list_head hash;
	refcount_t count;
	u32 ino;
	u32 pages;
	u32 dirty;
	u32 written;
@if inode-chmod
	u32 mode;
@end
@if inode-times
	u64 mtime;
@end
};

static struct list_head inode_hash[INODE_BUCKETS];
static struct mutex inode_lock;
static struct kmem_cache *inode_cache;
@if inode-count
static u32 nr_inodes;
@end

static struct list_head *inode_bucket(u32 ino)
{
@if inode-hash
	/* Fibonacci hashing: near numbers go to far buckets. */
	return &inode_hash[(ino * 2654435769u >> 16) % INODE_BUCKETS];
@else
	return &inode_hash[ino % INODE_BUCKETS];
@end
}

static struct inode *inode_find(u32 ino)
{
	struct inode *inode;

	list_for_each_entry(inode, inode_bucket(ino), hash)
		if (inode->ino == ino)
			return inode;
	return NULL;
}

static void iput(struct inode *inode)
{
	if (refcount_dec_and_test(&inode->count))
		kmem_cache_free(inode_cache, inode);
}

/* The inode with a reference, or NULL. */
static struct inode *iget(u32 ino)
{
	struct inode *inode;

	mutex_lock(&inode_lock);
	inode = inode_find(ino);
	if (inode)
		refcount_inc(&inode->count);
	mutex_unlock(&inode_lock);
	return inode;
}

int vfs_create(u32 ino, u32 pages)
{
	struct inode *inode;
	int ret = 0;

@if inode-create-check
	if (!pages)
		return -EINVAL;
@end
	mutex_lock(&inode_lock);
	if (inode_find(ino)) {
		ret = -EEXIST;
		goto out;
	}
@if slab-zalloc
	inode = kmem_cache_zalloc(inode_cache);
@else
	inode = kmem_cache_alloc(inode_cache);
@end
	if (!inode) {
		ret = -ENOMEM;
		goto out;
	}
@if slab-zalloc
@else
	memset(inode, 0, sizeof(*inode));
@end
	refcount_set(&inode->count, 1);
	inode->ino = ino;
	inode->pages = pages;
	inode->dirty = pages;
@if inode-chmod
	inode->mode = 0644;
@end
@if inode-times
	inode->mtime = ktime_get();
@end
@if inode-count
	nr_inodes++;
@end
	list_add(&inode->hash, inode_bucket(ino));
out:
	mutex_unlock(&inode_lock);
	return ret;
}

static void inode_write_page(struct inode *inode, u32 page)
{
	if (page < inode->pages && inode->dirty)
		inode->dirty--;
	inode->written++;
@if inode-times
	inode->mtime = ktime_get();
@end
}

/* One pass of write-back. */
static void inode_write_pages(struct inode *inode)
{
	for (u32 page = 0; page < WB_PAGES; page++) {
		inode_write_page(inode, page);
		cond_resched();
	}
	inode_write_page(inode, WB_PAGES);
}

int vfs_sync(u32 ino)
{
@if bug-inode
	struct inode *inode;

	/* The table's own reference holds the inode while we write. */
	mutex_lock(&inode_lock);
	inode = inode_find(ino);
	mutex_unlock(&inode_lock);
	if (!inode)
		return -ENOENT;
	inode_write_pages(inode);
	return 0;
@else
	struct inode *inode = iget(ino);

	if (!inode)
		return -ENOENT;
	inode_write_pages(inode);
	iput(inode);
	return 0;
@end
}

static void inode_truncate(struct inode *inode)
{
	for (u32 page = 0; page < TRUNC_PAGES; page++) {
		if (inode->pages)
			inode->pages--;
		cond_resched();
	}
}

int vfs_unlink(u32 ino)
{
	struct inode *inode = iget(ino);

	if (!inode)
		return -ENOENT;
	inode_truncate(inode);
	mutex_lock(&inode_lock);
	list_del_init(&inode->hash);
@if inode-count
	nr_inodes--;
@end
	mutex_unlock(&inode_lock);
	iput(inode);	/* the table's */
	iput(inode);
	return 0;
}
@if inode-chmod

int vfs_chmod(u32 ino, u32 mode)
{
	struct inode *inode = iget(ino);

	if (!inode)
		return -ENOENT;
	inode->mode = mode & 07777;
	iput(inode);
	return 0;
}
@end
@if inode-stat

int vfs_stat(u32 ino, struct stat *st)
{
	struct inode *inode = iget(ino);

	if (!inode)
		return -ENOENT;
	st->ino = inode->ino;
	st->pages = inode->pages;
	st->written = inode->written;
@if inode-chmod
	st->mode = inode->mode;
@end
@if inode-times
	st->mtime = inode->mtime;
@end
	iput(inode);
	return 0;
}
@end

void vfs_init(void)
{
	for (u32 i = 0; i < INODE_BUCKETS; i++)
		INIT_LIST_HEAD(&inode_hash[i]);
	mutex_init(&inode_lock);
	inode_cache = kmem_cache_create("inode_cache", sizeof(struct inode), @{INODE_OBJECTS});
	pr_info("VFS: inode cache of %u, hash of %u\n", inode_cache->capacity, INODE_BUCKETS);
	dcache_init();
	pipe_init();
}

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POCKET_FS_H
#define POCKET_FS_H

#include <pocket/list.h>
#include <pocket/lock.h>
#include <pocket/refcount.h>

/* inode.c */
int vfs_create(u32 ino, u32 pages);
int vfs_sync(u32 ino);
int vfs_unlink(u32 ino);
@if inode-chmod
int vfs_chmod(u32 ino, u32 mode);
@end
@if inode-stat
struct stat {
	u32 ino, pages, written;
@if inode-chmod
	u32 mode;
@end
@if inode-times
	u64 mtime;
@end
};

int vfs_stat(u32 ino, struct stat *st);
@end

/* dcache.c */
struct dentry;

struct dentry *d_root(void);
struct dentry *d_add(struct dentry *parent, const char *name);
int d_drop(struct dentry *parent, const char *name);
int d_prune(struct dentry *parent);
@if dcache-lookup
struct dentry *d_lookup(struct dentry *parent, const char *name);
@end
@if dcache-path
int d_path(struct dentry *dentry, char *buf, size_t size);
@end
void dcache_init(void);

/* pipe.c */
struct pipe;

struct pipe *pipe_create(void);
int pipe_write(struct pipe *pipe, u32 message);
int pipe_read(struct pipe *pipe, u32 *message);
void pipe_release(struct pipe *pipe);
@if pipe-poll
bool pipe_poll(struct pipe *pipe);
@end
@if pipe-peek
int pipe_peek(struct pipe *pipe, u32 *message);
@end
void pipe_init(void);

#endif

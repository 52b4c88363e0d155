// SPDX-License-Identifier: GPL-2.0
/*
 * race SEED: uses each subsystem from two tasks at once. The seed chooses
 * which of them runs at each yield point.
 */
#include <pocket/block.h>
#include <pocket/control.h>
#include <pocket/fs.h>
#include <pocket/net.h>
#include <pocket/printk.h>
#include <pocket/string.h>

static struct completion done;
static struct pipe *pipe;

static void sync_task(void *arg)
{
	vfs_sync(7);
	complete(&done);
}

static void unlink_task(void *arg)
{
	vfs_unlink(7);
	complete(&done);
}

static void send_task(void *arg)
{
	sock_send(80, 512);
	complete(&done);
}

static void close_task(void *arg)
{
	sock_close(80);
	complete(&done);
}

static void dispatch_task(void *arg)
{
	blk_dispatch();
	complete(&done);
}

static void requeue_task(void *arg)
{
	blk_requeue(2048);
	complete(&done);
}

static void writer_task(void *arg)
{
	pipe_write(pipe, 2);
	complete(&done);
}

static void reader_task(void *arg)
{
	u32 message;

	pipe_read(pipe, &message);
	pipe_read(pipe, &message);
	complete(&done);
}

static void confirm_task(void *arg)
{
	neigh_confirm(0x0a000001);
	complete(&done);
}

static void expire_task(void *arg)
{
	neigh_expire(0x0a000001);
	complete(&done);
}

static void mkdir_task(void *arg)
{
	d_add(d_root(), "tmp");
	complete(&done);
}

static void rmdir_task(void *arg)
{
	d_drop(d_root(), "old");
	complete(&done);
}

static const struct {
	const char *name;
	void (*fn)(void *arg);
} tasks_to_run[] = {
	{ "sync", sync_task },		{ "rm", unlink_task },
	{ "send", send_task },		{ "close", close_task },
	{ "kblockd", dispatch_task },	{ "requeue", requeue_task },
	{ "writer", writer_task },	{ "reader", reader_task },
	{ "confirm", confirm_task },	{ "expire", expire_task },
	{ "mkdir", mkdir_task },	{ "rmdir", rmdir_task },
};

static int race_main(int argc, char **argv)
{
	sched_seed(argc > 1 ? simple_strtoul(argv[1]) : 0);
	init_completion(&done);
	vfs_create(7, 64);
	sock_open(80);
	blk_submit(1024);
	pipe = pipe_create();
	pipe_write(pipe, 1);
	neigh_create(0x0a000001);
	d_add(d_root(), "old");
	for (u32 i = 0; i < ARRAY_SIZE(tasks_to_run); i++)
		kthread_run(tasks_to_run[i].fn, NULL, tasks_to_run[i].name);
	for (u32 i = 0; i < ARRAY_SIZE(tasks_to_run); i++)
		wait_for_completion(&done);
	d_prune(d_root());
	neigh_collect();
	blk_dispatch();
	pipe_release(pipe);
	pr_info("race: all tasks are through\n");
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/* Pipes: a ring of messages, one reader, one writer. */
#include <pocket/bug.h>
#include <pocket/fs.h>
#include <pocket/printk.h>
#include <pocket/slab.h>
#include <pocket/string.h>

#define PIPE_BUFS	@{PIPE_BUFS}
/* Parts in which a message is copied in and out. */
#define PIPE_COPY_IN	@{PIPE_COPY_IN}
#define PIPE_COPY_OUT	@{PIPE_COPY_OUT}

struct pipe {
	u32 bufs[PIPE_BUFS];
	u32 head, tail;
	struct wait_queue readers, writers;
@if pipe-stats
	u32 nr_read, nr_written;
@end
};

static struct kmem_cache *pipe_cache;

@if pipe-occupancy
static u32 pipe_occupancy(const struct pipe *pipe)
{
	return pipe->head - pipe->tail;
}

@end
static bool pipe_empty(const struct pipe *pipe)
{
@if pipe-occupancy
	return pipe_occupancy(pipe) == 0;
@else
	return pipe->head == pipe->tail;
@end
}

static bool pipe_full(const struct pipe *pipe)
{
@if pipe-occupancy
	return pipe_occupancy(pipe) == PIPE_BUFS;
@else
	return pipe->head - pipe->tail == PIPE_BUFS;
@end
}

struct pipe *pipe_create(void)
{
	struct pipe *pipe = kmem_cache_alloc(pipe_cache);

	if (!pipe)
		return NULL;
	memset(pipe, 0, sizeof(*pipe));
	init_waitqueue(&pipe->readers);
	init_waitqueue(&pipe->writers);
	return pipe;
}

void pipe_release(struct pipe *pipe)
{
@if pipe-release-warn
	if (!pipe_empty(pipe))
		pr_info("pipe: released with messages in it\n");
@end
	kmem_cache_free(pipe_cache, pipe);
}

/* Copies a message, a part at a time. */
static u32 pipe_copy(u32 message, u32 parts)
{
	u32 copy = 0;

	for (u32 part = 0; part < parts; part++) {
		copy |= message & (0xffu << 8 * (part % 4));
		cond_resched();
	}
	return parts < 4 ? message : copy;
}

int pipe_write(struct pipe *pipe, u32 message)
{
@if bug-pipe
	bool was_empty;

@end
	wait_event(&pipe->writers, !pipe_full(pipe));
@if bug-pipe
	/* A reader that has something to read does not sleep. */
	was_empty = pipe_empty(pipe);
@end
	message = pipe_copy(message, PIPE_COPY_IN);
	pipe->bufs[pipe->head++ % PIPE_BUFS] = message;
@if pipe-stats
	pipe->nr_written++;
@end
@if bug-pipe
	if (was_empty)
		wake_up(&pipe->readers);
@else
	wake_up(&pipe->readers);
@end
	return 0;
}

int pipe_read(struct pipe *pipe, u32 *message)
{
	wait_event(&pipe->readers, !pipe_empty(pipe));
	*message = pipe_copy(pipe->bufs[pipe->tail % PIPE_BUFS], PIPE_COPY_OUT);
	pipe->tail++;
@if pipe-stats
	pipe->nr_read++;
@end
	wake_up(&pipe->writers);
	return 0;
}
@if pipe-poll

/* Whether a read would not sleep. */
bool pipe_poll(struct pipe *pipe)
{
	return !pipe_empty(pipe);
}
@end
@if pipe-peek

/* The next message, which stays; -EAGAIN when there is none. */
int pipe_peek(struct pipe *pipe, u32 *message)
{
	if (pipe_empty(pipe))
		return -EAGAIN;
	*message = pipe->bufs[pipe->tail % PIPE_BUFS];
	return 0;
}
@end

void pipe_init(void)
{
	pipe_cache = kmem_cache_create("pipe_cache", sizeof(struct pipe), @{PIPE_OBJECTS});
@if pipe-banner
	pr_info("pipe: %u messages each\n", PIPE_BUFS);
@end
}

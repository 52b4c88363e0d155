@when fifo
// SPDX-License-Identifier: GPL-2.0
/* A ring of bytes; its size is a power of two. */
#include <pocket/bug.h>
#include <pocket/fifo.h>

void fifo_init(struct fifo *fifo, u8 *buf, u32 size)
{
	BUG_ON(size & (size - 1));
	fifo->buf = buf;
	fifo->size = size;
	fifo->in = 0;
	fifo->out = 0;
}

u32 fifo_len(const struct fifo *fifo)
{
	return fifo->in - fifo->out;
}

/* Returns how many bytes fitted. */
u32 fifo_put(struct fifo *fifo, const u8 *from, u32 len)
{
	u32 n = 0;

	while (n < len && fifo_len(fifo) < fifo->size)
		fifo->buf[fifo->in++ & (fifo->size - 1)] = from[n++];
	return n;
}

/* Returns how many bytes there were. */
u32 fifo_get(struct fifo *fifo, u8 *to, u32 len)
{
	u32 n = 0;

	while (n < len && fifo_len(fifo))
		to[n++] = fifo->buf[fifo->out++ & (fifo->size - 1)];
	return n;
}
@if fifo-peek

int fifo_peek(const struct fifo *fifo, u8 *byte)
{
	if (!fifo_len(fifo))
		return -EAGAIN;
	*byte = fifo->buf[fifo->out & (fifo->size - 1)];
	return 0;
}
@end
@if fifo-skip

void fifo_skip(struct fifo *fifo, u32 len)
{
	fifo->out += len < fifo_len(fifo) ? len : fifo_len(fifo);
}
@end

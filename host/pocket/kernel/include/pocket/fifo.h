@when fifo
/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POCKET_FIFO_H
#define POCKET_FIFO_H

#include <pocket/types.h>

struct fifo {
	u8 *buf;
	u32 size;
	u32 in, out;
};

void fifo_init(struct fifo *fifo, u8 *buf, u32 size);
u32 fifo_len(const struct fifo *fifo);
u32 fifo_put(struct fifo *fifo, const u8 *from, u32 len);
u32 fifo_get(struct fifo *fifo, u8 *to, u32 len);
@if fifo-peek
int fifo_peek(const struct fifo *fifo, u8 *byte);
@end
@if fifo-skip
void fifo_skip(struct fifo *fifo, u32 len);
@end

#endif

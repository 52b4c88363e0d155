/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POCKET_BLOCK_H
#define POCKET_BLOCK_H

#include <pocket/types.h>

int blk_submit(u32 sector);
int blk_dispatch(void);
int blk_requeue(u32 sector);
@if blk-depth
u32 blk_depth(void);
@end
@if blk-drain
int blk_drain(void);
@end
@if blk-partition

/* partition.c */
struct partition {
	u8 type;
@if blk-partition-active
	bool active;
@end
	u32 start, sectors;
};

int blk_read_partition(const u8 *sector, u32 nr, struct partition *part);
@end

#endif

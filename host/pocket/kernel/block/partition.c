@when blk-partition
// SPDX-License-Identifier: GPL-2.0
/* The table of a master boot record. */
#include <pocket/block.h>
#include <pocket/string.h>

#define MBR_ENTRIES	446
#define MBR_ENTRY_SIZE	16
#define MBR_MAGIC	510

static u32 le32(const u8 *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (u32)p[3] << 24;
}

/* Reads entry @nr of a 512 byte sector; -ENOENT where it is empty. */
int blk_read_partition(const u8 *sector, u32 nr, struct partition *part)
{
	const u8 *entry = sector + MBR_ENTRIES + nr * MBR_ENTRY_SIZE;

	if (nr > 3)
		return -EINVAL;
@if blk-partition-magic
	if (sector[MBR_MAGIC] != 0x55 || sector[MBR_MAGIC + 1] != 0xaa)
		return -EINVAL;
@end
	part->type = entry[4];
	part->start = le32(entry + 8);
	part->sectors = le32(entry + 12);
@if blk-partition-active
	part->active = entry[0] == 0x80;
@end
	return part->sectors ? 0 : -ENOENT;
}

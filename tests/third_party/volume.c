// SPDX-License-Identifier: GPL-2.0
/* A volume of one group of blocks, in memory. It complains as ext4 does. */
#include <pocket/lock.h>
#include <pocket/printk.h>
#include <pocket/sched.h>

#define GROUP_BLOCKS	64

static struct {
	struct mutex lock;
	u64 bitmap;
	u32 free;
} group;

void volume_format(void)
{
	mutex_init(&group.lock);
	group.bitmap = 0;
	group.free = GROUP_BLOCKS;
}

/* Takes the first free block. */
int volume_alloc(void)
{
	int block = 0;
	u32 free;

	mutex_lock(&group.lock);
	free = group.free;
	while (group.bitmap >> block & 1)
		block++;
	group.bitmap |= 1ul << block;
	cond_resched();
	group.free = free - 1;
	mutex_unlock(&group.lock);
	return block;
}

/* Mounts it: what is free by the bitmap is free by the descriptor. */
int volume_mount(void)
{
	u32 free = 0;

	for (int block = 0; block < GROUP_BLOCKS; block++)
		free += !(group.bitmap >> block & 1);
	if (free != group.free) {
		pr_err("EXT4-fs error (device vda): ext4_mb_generate_buddy:%d: group 0, block bitmap and bg descriptor inconsistent: %u vs %u free clusters\n",
		       __LINE__, free, group.free);
		pr_err("EXT4-fs (vda): Remounting filesystem read-only\n");
		return -EIO;
	}
	pr_info("EXT4-fs (vda): mounted filesystem r/w with ordered data mode\n");
	return 0;
}

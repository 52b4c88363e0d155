@when bitmap
// SPDX-License-Identifier: GPL-2.0
#include <pocket/bitmap.h>

void bitmap_set(u64 *map, u32 bit)
{
	map[bit / 64] |= 1ul << bit % 64;
}

void bitmap_clear(u64 *map, u32 bit)
{
	map[bit / 64] &= ~(1ul << bit % 64);
}

bool bitmap_test(const u64 *map, u32 bit)
{
	return map[bit / 64] >> bit % 64 & 1;
}
@if bitmap-find

/* The first bit that is not set, or @bits. */
u32 bitmap_find_zero(const u64 *map, u32 bits)
{
	u32 bit = 0;

	while (bit < bits && bitmap_test(map, bit))
@if bitmap-find-words
		bit += !(bit % 64) && !~map[bit / 64] ? 64 : 1;
	return bit < bits ? bit : bits;
@else
		bit++;
	return bit;
@end
}
@end
@if bitmap-weight

/* How many bits are set. */
u32 bitmap_weight(const u64 *map, u32 bits)
{
	u32 n = 0;

	for (u32 bit = 0; bit < bits; bit++)
		n += bitmap_test(map, bit);
	return n;
}
@end

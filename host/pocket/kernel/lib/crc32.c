@when crc32
// SPDX-License-Identifier: GPL-2.0
/* CRC-32 as in IEEE 802.3, bits reflected. */
#include <pocket/bug.h>
#include <pocket/crc32.h>
#include <pocket/init.h>

@if crc32-table
static u32 crc32_table[16];

static void crc32_fill_table(void)
{
	for (u32 i = 0; i < 16; i++) {
		u32 crc = i;

		for (int bit = 0; bit < 4; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
		crc32_table[i] = crc;
	}
}

@end
u32 crc32(u32 crc, const void *buf, size_t len)
{
	const u8 *p = buf;

@if crc32-table
	if (!crc32_table[1])
		crc32_fill_table();
	crc = ~crc;
	while (len--) {
		crc ^= *p++;
		crc = crc >> 4 ^ crc32_table[crc & 15];
		crc = crc >> 4 ^ crc32_table[crc & 15];
	}
@else
	crc = ~crc;
	while (len--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
@end
	return ~crc;
}
@if crc32-selftest

/* The check value of the catalogue of CRCs. */
static int crc32_selftest(void)
{
	return WARN_ON(crc32(0, "123456789", 9) != 0xcbf43926u) ? -EINVAL : 0;
}
initcall(crc32_selftest);
@end

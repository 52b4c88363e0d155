@when net-checksum
// SPDX-License-Identifier: GPL-2.0
#include <pocket/bug.h>
#include <pocket/init.h>
#include <pocket/net.h>

/* RFC 1071: the complement of the sum in ones' complement, in network order. */
u16 ip_checksum(const void *buf, size_t len)
{
	const u8 *p = buf;
	u32 sum = 0;

	for (; len > 1; len -= 2, p += 2)
		sum += p[0] << 8 | p[1];
	if (len)
		sum += p[0] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}
@if net-checksum-update

/* RFC 1624: the checksum after one word went from @old to @new. */
u16 ip_checksum_update(u16 check, u16 old, u16 new)
{
	u32 sum = (u16)~check + (u16)~old + new;

	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}
@end
@if net-checksum-selftest

/* The example of RFC 1071. */
static int ip_checksum_selftest(void)
{
	static const u8 words[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	return WARN_ON(ip_checksum(words, sizeof(words)) != (u16)~0xddf2) ? -EINVAL : 0;
}
initcall(ip_checksum_selftest);
@end

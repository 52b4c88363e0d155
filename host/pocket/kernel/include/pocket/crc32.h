@when crc32
/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POCKET_CRC32_H
#define POCKET_CRC32_H

#include <pocket/types.h>

u32 crc32(u32 crc, const void *buf, size_t len);

#endif

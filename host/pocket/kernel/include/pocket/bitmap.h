@when bitmap
/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POCKET_BITMAP_H
#define POCKET_BITMAP_H

#include <pocket/types.h>

void bitmap_set(u64 *map, u32 bit);
void bitmap_clear(u64 *map, u32 bit);
bool bitmap_test(const u64 *map, u32 bit);
@if bitmap-find
u32 bitmap_find_zero(const u64 *map, u32 bits);
@end
@if bitmap-weight
u32 bitmap_weight(const u64 *map, u32 bits);
@end

#endif

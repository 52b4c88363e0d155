// SPDX-License-Identifier: GPL-2.0
/* Names of functions, from a table that build.sh makes out of the first link. */
#include <pocket/bug.h>

struct kallsym {
	u64 addr;
	const char *name;
};

extern const struct kallsym kallsyms[] __weak;
extern const u64 kallsyms_count __weak;
extern const char _stext[], _etext[];

/* The function that holds @addr, and where in it; NULL when there is none. */
const char *kallsyms_lookup(u64 addr, u64 *offset, u64 *size)
{
	u64 low = 0, high, end;

	if (!&kallsyms_count || addr < (u64)_stext || addr >= (u64)_etext)
		return NULL;
	high = kallsyms_count;
@if kallsyms-binary
	while (high - low > 1) {
		u64 middle = (low + high) / 2;

		if (kallsyms[middle].addr <= addr)
			low = middle;
		else
			high = middle;
	}
@else
	while (low + 1 < high && kallsyms[low + 1].addr <= addr)
		low++;
@end
	end = low + 1 < kallsyms_count ? kallsyms[low + 1].addr : (u64)_etext;
	*offset = addr - kallsyms[low].addr;
	*size = end - kallsyms[low].addr;
	return kallsyms[low].name;
}

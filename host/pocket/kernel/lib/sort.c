@when sort
// SPDX-License-Identifier: GPL-2.0
#include <pocket/bug.h>
#include <pocket/init.h>
#include <pocket/sort.h>

static void swap_bytes(u8 *a, u8 *b, size_t size)
{
	while (size--) {
		u8 byte = *a;

		*a++ = *b;
		*b++ = byte;
	}
}
@if sort-heap

static void sift_down(u8 *base, size_t root, size_t n, size_t size, sort_cmp_t cmp)
{
	for (;;) {
		size_t child = 2 * root + 1;

		if (child >= n)
			return;
		if (child + 1 < n && cmp(base + child * size, base + (child + 1) * size) < 0)
			child++;
		if (cmp(base + root * size, base + child * size) >= 0)
			return;
		swap_bytes(base + root * size, base + child * size, size);
		root = child;
	}
}

/* Heap sort: n log n whatever comes, and no memory. */
void sort(void *array, size_t n, size_t size, sort_cmp_t cmp)
{
	u8 *base = array;

	for (size_t i = n / 2; i-- > 0;)
		sift_down(base, i, n, size, cmp);
	for (size_t i = n; i-- > 1;) {
		swap_bytes(base, base + i * size, size);
		sift_down(base, 0, i, size, cmp);
	}
}
@else

void sort(void *array, size_t n, size_t size, sort_cmp_t cmp)
{
	u8 *base = array;

	for (size_t i = 1; i < n; i++)
		for (size_t j = i; j && cmp(base + (j - 1) * size, base + j * size) > 0; j--)
			swap_bytes(base + (j - 1) * size, base + j * size, size);
}
@end
@if sort-selftest

static int cmp_u32(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

static int sort_selftest(void)
{
	u32 v[@{SORT_TEST}], n = 12345;

	for (u32 i = 0; i < ARRAY_SIZE(v); i++)
		v[i] = n = n * 1103515245u + 12345;
	sort(v, ARRAY_SIZE(v), sizeof(v[0]), cmp_u32);
	for (u32 i = 1; i < ARRAY_SIZE(v); i++)
		if (WARN_ON(v[i - 1] > v[i]))
			return -EINVAL;
	return 0;
}
initcall(sort_selftest);
@end

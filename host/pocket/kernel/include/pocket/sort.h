@when sort
/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POCKET_SORT_H
#define POCKET_SORT_H

#include <pocket/types.h>

typedef int (*sort_cmp_t)(const void *a, const void *b);

void sort(void *array, size_t n, size_t size, sort_cmp_t cmp);

#endif

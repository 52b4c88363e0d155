// SPDX-License-Identifier: GPL-2.0
/* Lists that lost their shape are noticed when they are next changed. */
#include <pocket/bug.h>
#include <pocket/list.h>
#include <pocket/printk.h>

bool __list_add_valid(struct list_head *new, struct list_head *prev, struct list_head *next)
{
	if (next->prev != prev) {
		pr_err("list_add corruption. next->prev should be prev (%p), but was %p. (next=%p).\n",
		       prev, next->prev, next);
		BUG();
	}
	if (prev->next != next) {
		pr_err("list_add corruption. prev->next should be next (%p), but was %p. (prev=%p).\n",
		       next, prev->next, prev);
		BUG();
	}
	if (new == prev || new == next) {
		pr_err("list_add double add: new=%p, prev=%p, next=%p.\n", new, prev, next);
		BUG();
	}
	return true;
}

bool __list_del_entry_valid(struct list_head *entry)
{
	struct list_head *prev = entry->prev, *next = entry->next;

	if (prev->next != entry) {
		pr_err("list_del corruption. prev->next should be %p, but was %p. (prev=%p)\n", entry,
		       prev->next, prev);
		BUG();
	}
	if (next->prev != entry) {
		pr_err("list_del corruption. next->prev should be %p, but was %p. (next=%p)\n", entry,
		       next->prev, next);
		BUG();
	}
	return true;
}

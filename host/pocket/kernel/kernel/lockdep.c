// SPDX-License-Identifier: GPL-2.0
/*
 * Order of locks: class B was taken while A was held makes an edge A -> B,
 * and an edge that closes a circle is reported, whether or not tasks met.
 */
#include <pocket/bug.h>
#include <pocket/lock.h>
#include <pocket/printk.h>
#include <pocket/slab.h>
#include <generated/version.h>

#define NR_CLASSES	@{NR_LOCK_CLASSES}

struct lock_edge {
	bool seen;
	u64 ips[TRACK_DEPTH];
	u64 depth;
};

static struct lock_edge edges[NR_CLASSES][NR_CLASSES];
static struct lock_class *classes[NR_CLASSES];
static int nr_classes;

static int class_id(struct lock_class *class)
{
	if (!class->id) {
		BUG_ON(nr_classes + 1 >= NR_CLASSES);
		class->id = ++nr_classes;
		classes[class->id] = class;
	}
	return class->id;
}

/* The class after @from on a way to @to, or 0. */
static int find_way(int from, int to, u32 *visited)
{
	for (int next = 1; next <= nr_classes; next++) {
		if (!edges[from][next].seen)
			continue;
		if (next == to)
			return next;
		if (*visited & (1u << next))
			continue;
		*visited |= 1u << next;
		if (find_way(next, to, visited))
			return next;
	}
	return 0;
}

static void show_lock(struct lock_class *class, void *lock, u64 ip)
{
	char sym[KSYM_LEN];

	pr_warn("%016lx (%s){+.+.}-{3:3}, at: %s\n", (u64)lock, class->name, sprint_symbol(sym, ip));
}

void debug_show_held_locks(struct task *task)
{
	pr_warn("%d lock%s held by %s/%d:\n", task->nr_held, task->nr_held == 1 ? "" : "s",
		task->comm, task->pid);
	for (int i = 0; i < task->nr_held; i++) {
		pr_warn(" #%d: ", i);
		show_lock(task->held[i].class, task->held[i].lock, task->held[i].ip);
	}
}

static void show_link(int nr, struct lock_class *class, const u64 *ips, u64 depth)
{
	char sym[KSYM_LEN];

	pr_warn("\n");
	pr_warn("-> #%d (%s){+.+.}-{3:3}:\n", nr, class->name);
	for (u64 i = 0; i < depth; i++)
		pr_warn("       %s\n", sprint_symbol(sym, ips[i]));
}

static void print_circular_bug(struct held_lock *held, struct lock_class *class, void *lock, u64 ip)
{
	int from = class->id, to = held->class->id, chain[NR_CLASSES], n = 0;
	u64 ips[TRACK_DEPTH], depth = save_trace(ips, TRACK_DEPTH);

	for (int at = from; at != to;) {
		u32 visited = 0;

		chain[n++] = at;
		at = find_way(at, to, &visited);
	}
	pr_warn("\n");
	pr_warn("======================================================\n");
	pr_warn("WARNING: possible circular locking dependency detected\n");
	pr_warn(UTS_RELEASE " #1 %s\n", print_tainted());
	pr_warn("------------------------------------------------------\n");
	pr_warn("%s/%d is trying to acquire lock:\n", current->comm, current->pid);
	show_lock(class, lock, ip);
	pr_warn("\nbut task is already holding lock:\n");
	show_lock(held->class, held->lock, held->ip);
	pr_warn("\nwhich lock already depends on the new lock.\n\n");
	pr_warn("\nthe existing dependency chain (in reverse order) is:\n");
	for (int i = n - 1; i >= 0; i--) {
		int next = i == n - 1 ? to : chain[i + 1];
		struct lock_edge *edge = &edges[chain[i]][next];

		show_link(i + 1, classes[next], edge->ips, edge->depth);
	}
	show_link(0, class, ips, depth);
	pr_warn("\nother info that might help us debug this:\n\n");
	pr_warn(" Possible unsafe locking scenario:\n\n");
	pr_warn("       CPU0                    CPU1\n");
	pr_warn("       ----                    ----\n");
	pr_warn("  lock(%s);\n", held->class->name);
	pr_warn("                               lock(%s);\n", class->name);
	pr_warn("                               lock(%s);\n", held->class->name);
	pr_warn("  lock(%s);\n", class->name);
	pr_warn("\n *** DEADLOCK ***\n\n");
	debug_show_held_locks(current);
	pr_warn("\nstack backtrace:\n");
	dump_stack();
	panic("kernel: panic_on_warn set ...");
}

/* A lock that is only tried cannot block, so it makes no edge. */
void lock_acquire(struct lock_class *class, void *lock, bool trylock, u64 ip)
{
	int id = class_id(class);
	struct held_lock *held;

	for (int i = 0; !trylock && i < current->nr_held; i++) {
		int other = class_id(current->held[i].class);
		u32 visited = 0;

		if (edges[other][id].seen)
			continue;
		if (find_way(id, other, &visited))
			print_circular_bug(&current->held[i], class, lock, ip);
		edges[other][id].seen = true;
		edges[other][id].depth = save_trace(edges[other][id].ips, TRACK_DEPTH);
	}
	BUG_ON(current->nr_held == MAX_HELD);
	held = &current->held[current->nr_held++];
	held->class = class;
	held->lock = lock;
	held->ip = ip;
}

void lock_release(struct lock_class *class, void *lock)
{
	for (int i = current->nr_held - 1; i >= 0; i--) {
		if (current->held[i].lock != lock)
			continue;
		for (; i + 1 < current->nr_held; i++)
			current->held[i] = current->held[i + 1];
		current->nr_held--;
		return;
	}
	WARN(1, "release of %s, which is not held", class->name);
}
@if lockdep-assert

bool lock_is_held(void *lock)
{
	for (int i = 0; i < current->nr_held; i++)
		if (current->held[i].lock == lock)
			return true;
	return false;
}
@end

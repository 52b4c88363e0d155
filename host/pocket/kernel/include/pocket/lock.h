/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POCKET_LOCK_H
#define POCKET_LOCK_H

#include <pocket/wait.h>

/* Locks that are taken in the same way share a class: one per DEFINE or init. */
struct lock_class {
	const char *name;
	int id;
};

struct mutex {
	struct task *owner;
	struct wait_queue wait;
	struct lock_class *class;
};

#define mutex_init(m)						\
	do {							\
		static struct lock_class __class = { #m, 0 };	\
								\
		__mutex_init(m, &__class);			\
	} while (0)

void __mutex_init(struct mutex *lock, struct lock_class *class);
void mutex_lock(struct mutex *lock);
bool mutex_trylock(struct mutex *lock);
void mutex_unlock(struct mutex *lock);
@if mutex-is-locked

static __always_inline bool mutex_is_locked(struct mutex *lock)
{
	return lock->owner != NULL;
}
@end

void lock_acquire(struct lock_class *class, void *lock, bool trylock, u64 ip);
void lock_release(struct lock_class *class, void *lock);
@if lockdep-assert

bool lock_is_held(void *lock);
#define lockdep_assert_held(l)	WARN_ON(!lock_is_held(l))
@end
void debug_show_held_locks(struct task *task);

#endif

// SPDX-License-Identifier: GPL-2.0
#include <pocket/bug.h>
#include <pocket/lock.h>

void __mutex_init(struct mutex *lock, struct lock_class *class)
{
	lock->owner = NULL;
	lock->class = class;
	init_waitqueue(&lock->wait);
}

void mutex_lock(struct mutex *lock)
{
	lock_acquire(lock->class, lock, false, (u64)__builtin_return_address(0));
	wait_event(&lock->wait, !lock->owner);
	lock->owner = current;
}

bool mutex_trylock(struct mutex *lock)
{
	if (lock->owner)
		return false;
	lock_acquire(lock->class, lock, true, (u64)__builtin_return_address(0));
	lock->owner = current;
	return true;
}

void mutex_unlock(struct mutex *lock)
{
@if mutex-owner-check
	WARN(lock->owner != current, "%s unlocks %s of another task", current->comm,
	     lock->class->name);
@end
	lock_release(lock->class, lock);
	lock->owner = NULL;
	wake_up(&lock->wait);
}

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POCKET_SCHED_H
#define POCKET_SCHED_H

#include <pocket/list.h>
#include <pocket/types.h>

#define TASK_COMM_LEN	16
#define TASK_STACK	8192
#define NR_TASKS	@{NR_TASKS}
#define MAX_HELD	8

#define HZ		100
#define NSEC_PER_SEC	1000000000ul

enum task_state {
	TASK_RUNNING,
	TASK_INTERRUPTIBLE,
	TASK_UNINTERRUPTIBLE,
	TASK_DEAD,
};

struct lock_class;

struct held_lock {
	struct lock_class *class;
	void *lock;
	u64 ip;
};

struct task {
	struct list_head node;
	char comm[TASK_COMM_LEN];
	int pid;
	enum task_state state;
	u64 sp;
	u64 slept_at;
	bool hung;
@if sched-switches
	u32 switches;
@end
	void (*fn)(void *arg);
	void *arg;
	struct held_lock held[MAX_HELD];
	int nr_held;
	u8 *stack;
};

extern struct task *current;

void sched_init(void);
void sched_seed(u64 seed);
struct task *kthread_run(void (*fn)(void *arg), void *arg, const char *name);
void schedule(void);
void cond_resched(void);
void wake_up_process(struct task *task);
void task_main(void);
@if sched-nr-running
int nr_running(void);
@end

u64 ktime_get(void);
void clock_advance(u64 nsec);
u64 jiffies_now(void);
void hung_task_init(void);

#endif

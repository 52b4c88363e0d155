// SPDX-License-Identifier: GPL-2.0
/*
 * Cooperative tasks. At each yield point the next one is drawn from all that
 * can run, so that one seed is one schedule. Time is counted in yields, and
 * jumps to the next timer when nobody can run.
 */
#include <pocket/arch.h>
#include <pocket/bug.h>
#include <pocket/control.h>
#include <pocket/lock.h>
#include <pocket/printk.h>
#include <pocket/sched.h>
#include <pocket/string.h>
#include <pocket/timer.h>
#include <generated/version.h>

#define YIELD_NSEC	@{YIELD_NSEC}
#define TICK_NSEC	(NSEC_PER_SEC / HZ)

static struct task tasks[NR_TASKS];
static u8 stacks[NR_TASKS][TASK_STACK] __aligned(16);
static u64 clock;
static u64 rng = 1;
@if sched-yields
static u64 nr_yields;
@end

struct task *current = &tasks[0];

u64 ktime_get(void)
{
	return clock;
}

u64 jiffies_now(void)
{
	return clock / TICK_NSEC;
}

/* What a line on the console costs. */
void clock_advance(u64 nsec)
{
	clock += nsec;
}

/* xorshift64* */
static u64 sched_random(void)
{
	rng ^= rng >> 12;
	rng ^= rng << 25;
	rng ^= rng >> 27;
	return rng * 0x2545f4914f6cdd1dul;
}

/* Chooses the schedule: the order of tasks, and where in a tick we are. */
void sched_seed(u64 seed)
{
	/* splitmix64, so that near seeds give far streams */
	seed += 0x9e3779b97f4a7c15ul;
	seed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9ul;
	seed = (seed ^ (seed >> 27)) * 0x94d049bb133111ebul;
	rng = (seed ^ (seed >> 31)) | 1;
	clock += sched_random() % TICK_NSEC;
}

static void tick(void)
{
	run_timers(jiffies_now());
}
@if sched-nr-running

int nr_running(void)
{
	int n = 0;

	for (int i = 0; i < NR_TASKS; i++)
		n += tasks[i].pid >= 0 && tasks[i].state == TASK_RUNNING;
	return n;
}
@end

static struct task *pick_next(void)
{
	struct task *runnable[NR_TASKS];
	u32 n = 0;

	for (int i = 0; i < NR_TASKS; i++)
		if (tasks[i].pid >= 0 && tasks[i].state == TASK_RUNNING)
			runnable[n++] = &tasks[i];
	if (!n)
		return NULL;
	return runnable[(sched_random() >> 33) % n];
}

void schedule(void)
{
	struct task *prev = current, *next;

	clock += YIELD_NSEC;
	tick();
	while (!(next = pick_next())) {
		u64 expires = next_timer();

		/* Nobody can run: skip to where something happens. */
		if (expires * TICK_NSEC > clock)
			clock = expires * TICK_NSEC;
		tick();
	}
	if (next == prev)
		return;
@if sched-switches
	next->switches++;
@end
	current = next;
	__switch_to(&prev->sp, next->sp);
}

/* A yield point. */
void cond_resched(void)
{
@if sched-yields
	nr_yields++;
@end
	control_poll();
	schedule();
}

void wake_up_process(struct task *task)
{
	if (task->state != TASK_DEAD)
		task->state = TASK_RUNNING;
}

void task_main(void)
{
	current->fn(current->arg);
	WARN(current->nr_held, "%s exits with %d locks held", current->comm, current->nr_held);
	current->state = TASK_DEAD;
	current->pid = -1;
	schedule();
	BUG();
}

struct task *kthread_run(void (*fn)(void *arg), void *arg, const char *name)
{
	static int last_pid = 1;

	for (int i = 1; i < NR_TASKS; i++) {
		struct task *task = &tasks[i];
		u64 *sp;

		if (task->pid >= 0)
			continue;
		memset(task, 0, sizeof(*task));
		task->pid = ++last_pid;
		task->fn = fn;
		task->arg = arg;
		task->stack = stacks[i];
		strscpy(task->comm, name, TASK_COMM_LEN);
		sp = (u64 *)(task->stack + TASK_STACK);
		*--sp = 0;
		*--sp = 0;
		*--sp = (u64)ret_from_fork;
		for (int reg = 0; reg < 6; reg++)
			*--sp = 0;
		task->sp = (u64)sp;
		task->state = TASK_RUNNING;
		return task;
	}
	return NULL;
}

void sched_init(void)
{
	extern u8 boot_stack[];

	for (int i = 0; i < NR_TASKS; i++)
		tasks[i].pid = -1;
	tasks[0].pid = 1;
	tasks[0].state = TASK_RUNNING;
	/* The walk of a trace looks at the last part of a boot stack. */
	tasks[0].stack = boot_stack + 16384 - TASK_STACK;
	strscpy(tasks[0].comm, "init", TASK_COMM_LEN);
}

/* Tasks that wait for something that never comes. */
static void check_hung_tasks(struct timer *timer)
{
	for (int i = 0; i < NR_TASKS; i++) {
		struct task *task = &tasks[i];
		u64 blocked;

		if (task->pid < 0 || task->state != TASK_UNINTERRUPTIBLE)
			continue;
		blocked = (clock - task->slept_at) / NSEC_PER_SEC;
		if (blocked < @{HUNG_SECS})
			continue;
		pr_err("INFO: task %s:%d blocked for more than %lu seconds.\n", task->comm,
		       task->pid, blocked);
		pr_err("      %s " UTS_RELEASE " #1\n", print_tainted());
		pr_err("\"echo 0 > /proc/sys/kernel/hung_task_timeout_secs\" disables this message.\n");
		pr_err("task:%-15s state:D stack:%-5d pid:%-5d ppid:1      flags:0x00000000\n",
		       task->comm, TASK_STACK, task->pid);
		show_task_trace(task);
@if hung-task-locks
		pr_err("\nShowing all locks held in the system:\n");
		for (int j = 0; j < NR_TASKS; j++)
			if (tasks[j].pid >= 0 && tasks[j].nr_held)
				debug_show_held_locks(&tasks[j]);
@end
		panic("hung_task: blocked tasks");
	}
	@{MOD_TIMER}(timer, jiffies_now() + 10 * HZ);
}

void hung_task_init(void)
{
	static struct timer watchdog;

	timer_setup(&watchdog, check_hung_tasks);
	@{MOD_TIMER}(&watchdog, jiffies_now() + 10 * HZ);
}

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POCKET_BUG_H
#define POCKET_BUG_H

#include <pocket/types.h>

struct task;

__noreturn void bug_at(const char *file, int line);
__printf(3, 4) void warn_at(const char *file, int line, const char *fmt, ...);
__noreturn void die(const char *what, u64 code, u64 ip, u64 frame);
__noreturn __printf(1, 2) void panic(const char *fmt, ...);

void dump_stack(void);
void show_cpu_line(void);
void show_trace(u64 ip, u64 frame);
void show_task_trace(struct task *task);
u64 save_trace(u64 *ips, u64 max);
void add_taint(char letter);
const char *print_tainted(void);

#define KSYM_LEN	96

const char *kallsyms_lookup(u64 addr, u64 *offset, u64 *size);
char *sprint_symbol(char *buf, u64 ip);

#define BUG()	bug_at(__FILE__, __LINE__)
#define BUG_ON(cond)			\
	do {				\
		if (cond)		\
			BUG();		\
	} while (0)
#define WARN(cond, fmt, ...)						\
	({								\
		bool __warn = !!(cond);					\
									\
		if (__warn)						\
			warn_at(__FILE__, __LINE__, fmt, ##__VA_ARGS__);	\
		__warn;							\
	})
#define WARN_ON(cond)	WARN(cond, "")
@if bug-warn-once
#define WARN_ON_ONCE(cond)			\
	({					\
		static bool __warned;		\
		bool __hit = !!(cond);		\
						\
		if (__hit && !__warned) {	\
			__warned = true;	\
			WARN_ON(1);		\
		}				\
		__hit;				\
	})
@end

#endif

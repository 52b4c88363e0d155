/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POCKET_PRINTK_H
#define POCKET_PRINTK_H

#include <pocket/types.h>

__printf(1, 2) void printk(const char *fmt, ...);

#ifndef pr_fmt
#define pr_fmt(fmt) fmt
#endif

#define pr_alert(fmt, ...)	printk(fmt, ##__VA_ARGS__)
#define pr_err(fmt, ...)	printk(fmt, ##__VA_ARGS__)
#define pr_warn(fmt, ...)	printk(fmt, ##__VA_ARGS__)
#define pr_info(fmt, ...)	printk(fmt, ##__VA_ARGS__)
#define pr_cont(fmt, ...)	printk(fmt, ##__VA_ARGS__)
@if printk-debug

/* Compiled, so that the arguments stay right, but never printed. */
#define pr_debug(fmt, ...)				\
	do {						\
		if (0)					\
			printk(fmt, ##__VA_ARGS__);	\
	} while (0)
@end
@if printk-once

#define pr_info_once(fmt, ...)				\
	do {						\
		static bool __done;			\
							\
		if (!__done) {				\
			__done = true;			\
			pr_info(fmt, ##__VA_ARGS__);	\
		}					\
	} while (0)
@end

#endif

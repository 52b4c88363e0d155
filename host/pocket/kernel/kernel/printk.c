// SPDX-License-Identifier: GPL-2.0
#include <pocket/arch.h>
#include <pocket/printk.h>
#include <pocket/sched.h>
#include <pocket/string.h>

/* How long a line keeps the console busy. */
#define LINE_NSEC	@{LINE_NSEC}

static bool at_line_start = true;
@if printk-lines

/* Lines since boot. */
static u32 printk_lines;

u32 printk_nr_lines(void)
{
	return printk_lines;
}
@end

static void console_put(char c)
{
	if (c == '\n')
		arch_uart_put(PORT_CONSOLE, '\r');
	arch_uart_put(PORT_CONSOLE, c);
}

static void console_write(const char *s)
{
	for (; *s; s++) {
		if (at_line_start) {
			char stamp[32];
			u64 now = ktime_get();

			snprintf(stamp, sizeof(stamp), "[%5lu.%06lu] ", now / NSEC_PER_SEC,
				 now % NSEC_PER_SEC / 1000);
			for (const char *t = stamp; *t; t++)
				console_put(*t);
			at_line_start = false;
		}
		console_put(*s);
		if (*s == '\n') {
			at_line_start = true;
			clock_advance(LINE_NSEC);
@if printk-lines
			printk_lines++;
@end
		}
	}
}

void printk(const char *fmt, ...)
{
	char buf[@{PRINTK_LINE}];
	va_list args;

	__builtin_va_start(args, fmt);
	vsnprintf(buf, sizeof(buf), fmt, args);
	__builtin_va_end(args);
	console_write(buf);
}

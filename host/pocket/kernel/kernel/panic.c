// SPDX-License-Identifier: GPL-2.0
#include <pocket/arch.h>
#include <pocket/bug.h>
#include <pocket/lock.h>
#include <pocket/printk.h>
#include <pocket/sched.h>
#include <pocket/string.h>
#include <generated/version.h>

static char tainted;
@if panic-twice
static bool panicking;
@end

void add_taint(char letter)
{
	tainted = letter;
}

const char *print_tainted(void)
{
	static char buf[16];

	if (!tainted)
		return "Not tainted";
	snprintf(buf, sizeof(buf), "Tainted: %c", tainted);
	return buf;
}

void panic(const char *fmt, ...)
{
	char buf[128];
	va_list args;

@if panic-twice
	/* A crash while we print the first one: get out. */
	if (panicking)
		arch_reboot();
	panicking = true;
@end
	__builtin_va_start(args, fmt);
	vsnprintf(buf, sizeof(buf), fmt, args);
	__builtin_va_end(args);
	pr_alert("Kernel panic - not syncing: %s\n", buf);
@if panic-uptime
	pr_alert("Kernel Offset: disabled\n");
@end
	pr_alert("Rebooting in 1 seconds..\n");
	arch_reboot();
}

void show_cpu_line(void)
{
	pr_warn("CPU: 0 PID: %d Comm: %s %s " UTS_RELEASE " #1\n", current->pid, current->comm,
		print_tainted());
	pr_warn("Hardware name: QEMU pocket board\n");
}

/* "name+0x12/0x34" for a return address, which may be the end of its function. */
char *sprint_symbol(char *buf, u64 ip)
{
	u64 offset, size;
	const char *name = kallsyms_lookup(ip - 1, &offset, &size);

	if (name)
		snprintf(buf, KSYM_LEN, "%s+0x%lx/0x%lx", name, offset + 1, size);
	else
		snprintf(buf, KSYM_LEN, "0x%lx", ip);
	return buf;
}

static void show_frame(u64 ip)
{
	char sym[KSYM_LEN];

	pr_warn(" %s\n", sprint_symbol(sym, ip));
}

static bool on_stack(struct task *task, u64 addr)
{
	u64 base = (u64)task->stack;

	return addr >= base && addr <= base + TASK_STACK - 16;
}

/* @ip, and then who called: frame pointers lead the way. */
static void walk(struct task *task, u64 ip, u64 frame, void (*each)(u64 ip))
{
	for (int depth = 0; depth < 24; depth++) {
		if (ip)
			each(ip);
		if (!on_stack(task, frame) || frame % 8)
			return;
		ip = ((u64 *)frame)[1];
		frame = ((u64 *)frame)[0];
		if (!ip)
			return;
	}
}

void show_trace(u64 ip, u64 frame)
{
	pr_warn("Call Trace:\n");
	pr_warn(" <TASK>\n");
	walk(current, ip, frame, show_frame);
	pr_warn(" </TASK>\n");
}

/* The trace of a task that sleeps: __switch_to has pushed six registers. */
void show_task_trace(struct task *task)
{
	u64 *sp = (u64 *)task->sp;

	pr_warn("Call Trace:\n");
	pr_warn(" <TASK>\n");
	walk(task, sp[6], sp[5], show_frame);
	pr_warn(" </TASK>\n");
}

void dump_stack(void)
{
	u64 *frame = __builtin_frame_address(0);

	show_cpu_line();
	show_trace((u64)dump_stack + 1, (u64)frame);
}

static u64 *trace_ips;
static u64 trace_nr, trace_max;

static void save_frame(u64 ip)
{
	if (trace_nr < trace_max)
		trace_ips[trace_nr++] = ip;
}

/* Return addresses of our callers, the innermost first; returns how many. */
u64 save_trace(u64 *ips, u64 max)
{
	u64 *frame = __builtin_frame_address(0);

	trace_ips = ips;
	trace_nr = 0;
	trace_max = max;
	walk(current, 0, (u64)frame, save_frame);
	return trace_nr;
}

static void show_ip(u64 ip)
{
	char sym[KSYM_LEN];

	pr_alert("RIP: 0010:%s\n", sprint_symbol(sym, ip));
}

void die(const char *what, u64 code, u64 ip, u64 frame)
{
	pr_alert("%s: %04lx [#1]\n", what, code);
	show_cpu_line();
	show_ip(ip + 1);
	/* The faulting function pushed its frame before ours. */
	show_trace(ip + 1, ((u64 *)frame)[0]);
	add_taint('D');
	pr_alert("---[ end trace 0000000000000000 ]---\n");
	panic("Fatal exception");
}

void bug_at(const char *file, int line)
{
	u64 *frame = __builtin_frame_address(0);

	pr_alert("------------[ cut here ]------------\n");
	pr_alert("kernel BUG at %s:%d!\n", file, line);
	pr_alert("invalid opcode: 0000 [#1]\n");
	show_cpu_line();
	show_ip(frame[1]);
	show_trace(0, (u64)frame[0]);
	add_taint('D');
	pr_alert("---[ end trace 0000000000000000 ]---\n");
	panic("Fatal exception");
}

void warn_at(const char *file, int line, const char *fmt, ...)
{
	u64 *frame = __builtin_frame_address(0);
	char buf[128], sym[KSYM_LEN];
	va_list args;

	__builtin_va_start(args, fmt);
	vsnprintf(buf, sizeof(buf), fmt, args);
	__builtin_va_end(args);
	pr_warn("------------[ cut here ]------------\n");
	if (buf[0])
		pr_warn("%s\n", buf);
	pr_warn("WARNING: CPU: 0 PID: %d at %s:%d %s\n", current->pid, file, line,
		sprint_symbol(sym, frame[1]));
	pr_warn("Modules linked in:\n");
	show_cpu_line();
	show_ip(frame[1]);
	show_trace(0, (u64)frame[0]);
@if lockdep-held-on-warn
	debug_show_held_locks(current);
@end
	pr_warn("---[ end trace 0000000000000000 ]---\n");
	panic("kernel: panic_on_warn set ...");
}

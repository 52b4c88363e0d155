// SPDX-License-Identifier: GPL-2.0
/*
 * The control port: kbisect's protocol, on the second serial port. The host
 * names a nonce after our hello, and every line of ours then carries it.
 */
#include <pocket/arch.h>
#include <pocket/control.h>
#include <pocket/sched.h>
#include <pocket/slab.h>
#include <pocket/string.h>
#include <pocket/timer.h>
#include <pocket/wait.h>

#define MAX_LINE	4096
#define MAX_ARGS	16

static char line[MAX_LINE + 1];
static u32 line_len;
static char nonce[65];

static void control_puts(const char *s)
{
	while (*s)
		arch_uart_put(PORT_CONTROL, *s++);
}

static void control_say(const char *what)
{
	control_puts("kbisect ");
	if (nonce[0]) {
		control_puts(nonce);
		control_puts(" ");
	}
	control_puts(what);
	control_puts("\n");
}

static void say_hello(void)
{
	extern const u8 __start_build_id[];
	/* An ELF note: sizes of name and content, type, "GNU", and the id. */
	u32 len = *(const u32 *)(__start_build_id + 4);
	char text[6 + 2 * 32 + 1] = "hello ";

	for (u32 i = 0; i < len && i < 32; i++)
		snprintf(text + 6 + 2 * i, 3, "%02x", __start_build_id[16 + i]);
	control_say(text);
}

static struct completion child_done;

static void child(void *arg)
{
	*(int *)arg = 1;
	complete(&child_done);
}

/* Can this kernel do the basics: memory, tasks, time? */
static const char *control_test(void)
{
	void *small = kmalloc(32), *large = kmalloc(512);
	u64 before = jiffies_now();
	int ran = 0;

	if (!small || !large)
		return "control fail no memory";
	kfree(small);
	kfree(large);
	init_completion(&child_done);
	if (!kthread_run(child, &ran, "control"))
		return "control fail no task";
	wait_for_completion(&child_done);
	if (!ran)
		return "control fail task did not run";
	msleep(20);
	if (jiffies_now() < before + 2)
		return "control fail time stands still";
	return "control ok";
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %20 and the like, in place; a lone % is the empty word. */
static void decode(char *word)
{
	char *out = word;

	if (!strcmp(word, "%"))
		*word = 0;
	while (*word) {
		if (word[0] == '%' && hex_digit(word[1]) >= 0 && hex_digit(word[2]) >= 0) {
			*out++ = hex_digit(word[1]) << 4 | hex_digit(word[2]);
			word += 3;
		} else {
			*out++ = *word++;
		}
	}
	*out = 0;
}

static int run_program(int argc, char **argv)
{
	for (const struct program *p = programs; argc && p->name; p++)
		if (!strcmp(p->name, argv[0]))
			return p->main(argc, argv);
	return 127;
}

static void exec(char *args)
{
	char *argv[MAX_ARGS + 1], text[48];
	int argc = 0;
	u64 run;

	while (*args && argc <= MAX_ARGS) {
		argv[argc++] = args;
		while (*args && *args != ' ')
			args++;
		if (*args)
			*args++ = 0;
	}
	run = argc ? simple_strtoul(argv[0]) : 0;
	for (int i = 1; i < argc; i++)
		decode(argv[i]);
	snprintf(text, sizeof(text), "start %lu", run);
	control_say(text);
	snprintf(text, sizeof(text), "end %lu %d", run, run_program(argc - 1, argv + 1));
	control_say(text);
}

/* Takes what has come in; true when a whole line is there. */
static bool read_line(void)
{
	int c;

	while ((c = arch_uart_get(PORT_CONTROL)) >= 0) {
		if (c == '\r')
			continue;
		if (c == '\n') {
			line[line_len] = 0;
			line_len = 0;
			if (line[0])
				return true;
		} else if (line_len < MAX_LINE) {
			line[line_len++] = c;
		}
	}
	return false;
}

static bool answer_ping(void)
{
	if (strcmp(line, "ping"))
		return false;
	control_say("note pong");
	return true;
}

/* Answers a ping while a program runs; nothing else may come in then. */
void control_poll(void)
{
	if (!read_line())
		return;
	if (!answer_ping() && !strcmp(line, "off"))
		arch_reboot();
}

void control_loop(void)
{
	control_say("hello");
	for (;;) {
		if (!read_line()) {
			arch_relax();
			continue;
		}
		if (!strncmp(line, "nonce ", 6)) {
			strscpy(nonce, line + 6, sizeof(nonce));
			say_hello();
		} else if (!strcmp(line, "control")) {
			control_say(control_test());
		} else if (!strncmp(line, "exec ", 5)) {
			exec(line + 5);
		} else if (!strcmp(line, "off")) {
			arch_reboot();
		} else {
			answer_ping();
		}
	}
}

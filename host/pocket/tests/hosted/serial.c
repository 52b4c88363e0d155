// SPDX-License-Identifier: GPL-2.0
/*
 * Ports of a kernel that runs as a process: all commands are on standard
 * input from the start; control goes to standard output, the console to
 * standard error.
 */
#include <pocket/arch.h>

long host_call(long nr, long a, const void *b, long c);

#define SYS_READ	0
#define SYS_WRITE	1
#define SYS_EXIT	60

static char input[8192];
static long input_len, input_at;
static bool input_read;
static char output[2][65536];
static long output_len[2];

static void host_flush(void)
{
	host_call(SYS_WRITE, 2, output[PORT_CONSOLE], output_len[PORT_CONSOLE]);
	host_call(SYS_WRITE, 1, output[PORT_CONTROL], output_len[PORT_CONTROL]);
}

void arch_uart_put(int port, char c)
{
	if (output_len[port] < (long)sizeof(output[port]))
		output[port][output_len[port]++] = c;
}

int arch_uart_get(int port)
{
	while (!input_read) {
		long n = host_call(SYS_READ, 0, input + input_len, sizeof(input) - input_len);

		input_len += n > 0 ? n : 0;
		input_read = n <= 0;
	}
	return input_at < input_len ? (unsigned char)input[input_at++] : -1;
}

u32 arch_uart_sent(int port)
{
	return output_len[port];
}

/* Nobody will say anything more. */
void arch_relax(void)
{
	host_flush();
	host_call(SYS_EXIT, 0, NULL, 0);
}

void arch_reboot(void)
{
	host_flush();
	for (;;)
		host_call(SYS_EXIT, 1, NULL, 0);
}

void arch_trap_init(void)
{
}

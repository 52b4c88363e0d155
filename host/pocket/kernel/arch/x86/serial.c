// SPDX-License-Identifier: GPL-2.0
/*
 * The two 8250 ports. The emulated ones need no set-up of the line, and they
 * take a byte whenever we have one; no interrupts are used.
 */
#include <pocket/arch.h>
#include "io.h"

#define UART_LSR	5
#define LSR_DATA	0x01
#define LSR_THRE	0x20

static const u16 uart_base[] = { 0x3f8, 0x2f8 };
@if serial-stats

/* Bytes sent on each port, for the notice at the end. */
static u32 uart_sent[2];

u32 arch_uart_sent(int port)
{
	return uart_sent[port];
}
@end

void arch_uart_put(int port, char c)
{
	u16 base = uart_base[port];
@if serial-wait

	while (!(inb(base + UART_LSR) & LSR_THRE))
		asm volatile("pause");
@end

	outb(base, c);
@if serial-stats
	uart_sent[port]++;
@end
}

/* The next byte that came in on @port, or -1. */
int arch_uart_get(int port)
{
	u16 base = uart_base[port];

	if (!(inb(base + UART_LSR) & LSR_DATA))
		return -1;
	return inb(base);
}

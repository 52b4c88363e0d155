/* SPDX-License-Identifier: GPL-2.0 */
/* What an architecture gives to the rest of the kernel. */
#ifndef POCKET_ARCH_H
#define POCKET_ARCH_H

#include <pocket/types.h>

#define PORT_CONSOLE	0
#define PORT_CONTROL	1

void arch_trap_init(void);
void arch_uart_put(int port, char c);
int arch_uart_get(int port);
@if serial-stats
u32 arch_uart_sent(int port);
@end
void arch_relax(void);
__noreturn void arch_reboot(void);

void __switch_to(u64 *save_sp, u64 next_sp);
void ret_from_fork(void);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ARCH_IO_H
#define ARCH_IO_H

#include <pocket/types.h>

static __always_inline void outb(u16 port, u8 value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static __always_inline u8 inb(u16 port)
{
	u8 value;

	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

#endif

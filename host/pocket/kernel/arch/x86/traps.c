// SPDX-License-Identifier: GPL-2.0
/* Exceptions. There are no interrupts: time is counted by the scheduler. */
#include <pocket/arch.h>
#include <pocket/bug.h>
#include <pocket/printk.h>

struct idt_gate {
	u16 low;
	u16 selector;
	u16 flags;
	u16 middle;
	u32 high;
	u32 zero;
} __packed;

struct trap_frame {
	u64 ip;
	u64 cs;
	u64 flags;
	u64 sp;
	u64 ss;
};

struct idt_ptr {
	u16 limit;
	u64 base;
} __packed;

static struct idt_gate idt[32];

static void set_gate(int vector, void *handler)
{
	u64 addr = (u64)handler;

	idt[vector].low = addr;
	idt[vector].selector = 0x08;
	idt[vector].flags = 0x8e00;
	idt[vector].middle = addr >> 16;
	idt[vector].high = addr >> 32;
}

__attribute__((interrupt)) static void trap_divide(struct trap_frame *frame)
{
	die("divide error", 0, frame->ip, (u64)__builtin_frame_address(0));
}

__attribute__((interrupt)) static void trap_invalid_op(struct trap_frame *frame)
{
	die("invalid opcode", 0, frame->ip, (u64)__builtin_frame_address(0));
}

__attribute__((interrupt)) static void trap_protection(struct trap_frame *frame, u64 code)
{
	die("general protection fault", code, frame->ip, (u64)__builtin_frame_address(0));
}

__attribute__((interrupt)) static void trap_page_fault(struct trap_frame *frame, u64 code)
{
	u64 addr;

	asm volatile("movq %%cr2, %0" : "=r"(addr));
	if (addr < 4096)
		pr_alert("BUG: kernel NULL pointer dereference, address: %016lx\n", addr);
	else
		pr_alert("BUG: unable to handle page fault for address: %016lx\n", addr);
	pr_alert("#PF: supervisor %s access in kernel mode\n", code & 2 ? "write" : "read");
	pr_alert("#PF: error_code(0x%04lx) - not-present page\n", code);
	die("Oops", code, frame->ip, (u64)__builtin_frame_address(0));
}

void arch_trap_init(void)
{
	struct idt_ptr ptr = { sizeof(idt) - 1, (u64)idt };

	set_gate(0, trap_divide);
	set_gate(6, trap_invalid_op);
	set_gate(13, trap_protection);
	set_gate(14, trap_page_fault);
	asm volatile("lidt %0" : : "m"(ptr));
}

/* No board offers a reset port that all others have too: fault three times. */
void arch_reboot(void)
{
	struct idt_ptr none = { 0, 0 };

	asm volatile("lidt %0; int3" : : "m"(none));
	for (;;)
		asm volatile("hlt");
}

void arch_relax(void)
{
	asm volatile("pause");
}

# The guest that `accel.rs` tries KVM with: 64-bit code with paging and enough work to tell a processor from its emulation, one
# line on the first serial port, then an end through isa-debug-exit. It is the whole firmware: it lies at F000:0000, and the
# reset vector jumps there.
	.code16
/* F000:0000 */
start:
	cli
	cs lgdtl gdtr
	movl %cr0, %eax
	orb $1, %al
	movl %eax, %cr0
	ljmpl $8, $(0xf0000 + pm - start)
	.code32
pm:
	movw $16, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	/* page tables: 0x1000 pml4, 0x2000 pdpt, 0x3000 pd; one 2 MiB page */
	xorl %eax, %eax
	movl $0x1000, %edi
	movl $0xc00, %ecx
	cld
	rep stosl
	movl $0x2003, 0x1000
	movl $0x3003, 0x2000
	movl $0x83, 0x3000
	movl $0x1000, %eax
	movl %eax, %cr3
	movl $0x20, %eax
	movl %eax, %cr4
	movl $0xc0000080, %ecx
	rdmsr
	orl $0x100, %eax
	wrmsr
	movl %cr0, %eax
	orl $0x80000000, %eax
	movl %eax, %cr0
	ljmp $24, $(0xf0000 + lm - start)
	.code64
lm:
	movl $0x80000, %esp
	/* a moment for a processor, minutes for a hypervisor that interprets kernel code */
	movl $20000000, %ecx
0:	loop 0b
	/* every word of 64 KiB is written and summed up again */
	movl $0x10000, %edi
	movl $0x4000, %ecx
1:	movl %ecx, (%rdi)
	addq $4, %rdi
	loop 1b
	xorl %ebx, %ebx
	movl $0x10000, %esi
	movl $0x4000, %ecx
2:	addl (%rsi), %ebx
	addq $4, %rsi
	loop 2b
	xorl %eax, %eax
	cpuid
	/* a line on the serial port */
	movl $0x3f8, %edx
	leaq text(%rip), %rsi
	movl $8, %ecx
3:	lodsb
	outb %al, %dx
	loop 3b
	movl $0xf4, %edx
	movb $0x2a, %al
	outb %al, %dx
4:	hlt
	jmp 4b
text:	.ascii "kbisect\n"
	.balign 8
gdt:	.quad 0
	.quad 0x00cf9b000000ffff
	.quad 0x00cf93000000ffff
	.quad 0x00af9b000000ffff
gdtr:	.word gdtr - gdt - 1
	.long 0xf0000 + gdt - start

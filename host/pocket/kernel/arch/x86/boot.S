/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Entry. The loader (QEMU, PVH protocol) starts us in 32-bit protected mode
 * without paging; we map 2 MiB..16 MiB one to one and go to long mode. The
 * first 2 MiB stay unmapped, so that null pointers fault.
 */
	.section .note.Xen, "a", @note
	.align	4
	.long	4, 8, 18		/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.quad	_start

	.section .head.text, "ax"
	.code32
	.globl	_start
_start:
	cld
	cli
	movl	$boot_stack_top, %esp
	movl	$(boot_pdpt + 3), boot_pml4
	movl	$(boot_pd + 3), boot_pdpt
	movl	$0x200083, %eax
	movl	$(boot_pd + 8), %edi
	movl	$7, %ecx
1:	movl	%eax, (%edi)
	addl	$0x200000, %eax
	addl	$8, %edi
	loop	1b

	movl	%cr4, %eax
	orl	$0x20, %eax		/* PAE */
	movl	%eax, %cr4
	movl	$boot_pml4, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx	/* EFER.LME */
	rdmsr
	orl	$0x100, %eax
	wrmsr
	movl	%cr0, %eax
	orl	$0x80000001, %eax	/* PG, PE */
	movl	%eax, %cr0
	lgdt	boot_gdt_ptr
	ljmp	$0x08, $start64

	.code64
start64:
	movw	$0x10, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movq	$boot_stack_top, %rsp
	xorl	%ebp, %ebp
	call	start_kernel
1:	hlt
	jmp	1b

	.data
	.align	8
boot_gdt:
	.quad	0
	.quad	0x00af9a000000ffff	/* 0x08: 64-bit code */
	.quad	0x00cf92000000ffff	/* 0x10: data */
boot_gdt_ptr:
	.word	. - boot_gdt - 1
	.long	boot_gdt

	.bss
	.align	4096
boot_pml4:	.skip	4096
boot_pdpt:	.skip	4096
boot_pd:	.skip	4096
	.globl	boot_stack, boot_stack_top
boot_stack:	.skip	16384
boot_stack_top:

	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: GPL-2.0 */
/* Entry as a Linux process: stands for arch/x86/boot.S where only schedules are of interest. */
	.text
	.globl	_start
_start:
	movq	$boot_stack_top, %rsp
	xorl	%ebp, %ebp
	call	start_kernel
	ud2

/* long host_call(long nr, long a, const void *b, long c) */
	.globl	host_call
host_call:
	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
	syscall
	ret

	.bss
	.align	4096
	.globl	boot_stack, boot_stack_top
boot_stack:	.skip	16384
boot_stack_top:

	.section .note.GNU-stack, "", @progbits

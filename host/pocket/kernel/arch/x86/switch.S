/* SPDX-License-Identifier: GPL-2.0 */
	.text
/* void __switch_to(u64 *save_sp, u64 next_sp) */
	.globl	__switch_to
	.type	__switch_to, @function
__switch_to:
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret

/* The first instruction of a new task. */
	.globl	ret_from_fork
	.type	ret_from_fork, @function
ret_from_fork:
	call	task_main
	ud2

	.section .note.GNU-stack, "", @progbits

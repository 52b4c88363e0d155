# A guest for tests: plays a script (included as `script`) of bytes, most of which it writes to the port in use.
#
#	1  use the console         2  use the control port      3  write the nonce
#	4  read a line from the control port; after `nonce ` it is the nonce
#	5  halt for ever           6  reset                     7  go back to the last 8
#
# Multiboot, 32 bit, loaded at 1 MiB.
	.code32
	.globl start
	.set flags, 0x10000
start:	.long 0x1badb002, flags, -(0x1badb002 + flags)
	.long start, start, end, bss_end, entry
entry:
	cli
	movl $stack, %esp
	movl $script, %esi
	movl %esi, %ebp
	movw $0x3f8, %bx
next:	lodsb
	cmpb $1, %al
	jne 1f
	movw $0x3f8, %bx
	jmp next
1:	cmpb $2, %al
	jne 1f
	movw $0x2f8, %bx
	jmp next
1:	cmpb $3, %al
	jne 1f
	movl $nonce, %edi
2:	movb (%edi), %al
	testb %al, %al
	jz next
	call put
	incl %edi
	jmp 2b
1:	cmpb $4, %al
	je read
	cmpb $5, %al
	jne 1f
2:	hlt
	jmp 2b
1:	cmpb $6, %al
	jne 1f
	lidtl no_idt
	int3
1:	cmpb $7, %al
	jne 1f
	movl %ebp, %esi
	jmp next
1:	cmpb $8, %al
	jne 1f
	movl %esi, %ebp
	jmp next
1:	call put
	jmp next

read:	movl $line, %edi
2:	movw $0x2fd, %dx
3:	inb %dx, %al
	testb $1, %al
	jz 3b
	movw $0x2f8, %dx
	inb %dx, %al
	cmpb $10, %al
	je 4f
	stosb
	jmp 2b
4:	movb $0, (%edi)
	cmpl $0x636e6f6e, line
	jne next
	movl $line + 6, %ecx
	movl $nonce, %edi
5:	movb (%ecx), %al
	movb %al, (%edi)
	incl %ecx
	incl %edi
	testb %al, %al
	jnz 5b
	jmp next

# Writes %al to the port %bx.
put:	movb %al, %ah
	leaw 5(%bx), %dx
6:	inb %dx, %al
	testb $0x20, %al
	jz 6b
	movb %ah, %al
	movw %bx, %dx
	outb %al, %dx
	ret

no_idt:	.word 0
	.long 0
script:	.incbin "script"
	.byte 5
end:
	.set line, end
	.set nonce, end + 8192
	.set stack, end + 16384
	.set bss_end, end + 16384

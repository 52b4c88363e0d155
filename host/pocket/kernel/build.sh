#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# build.sh SRC OUT: OUT/kernel boots with `qemu-system-x86_64 -kernel`, OUT/vmlinux has the debug information.
set -e
src=$1
mkdir -p "$2"
out=$(cd "$2" && pwd)
cd "$src"
CC=${CC:-cc}
CFLAGS="-std=gnu11 -m64 -ffreestanding -fno-pic -no-pie -mno-red-zone -mgeneral-regs-only -mcmodel=small
	-O0 -g1 -fno-omit-frame-pointer -fno-optimize-sibling-calls -fno-stack-protector
	-fcf-protection=none -fno-asynchronous-unwind-tables -fno-strict-aliasing -fno-common
	-fsanitize=kernel-address
	--param asan-instrumentation-with-call-threshold=0 --param asan-stack=0 --param asan-globals=0
	-Wall -Wno-format-zero-length -Werror=implicit-function-declaration -Wno-unused-function -Iinclude -I$out/include -I. -Iarch/x86
	-ffile-prefix-map=$PWD= -Wa,--debug-prefix-map=$PWD=. -ffile-prefix-map=$out=. -ffile-prefix-map=./="

version=$(sed -n 's/^VERSION = //p' Makefile).$(sed -n 's/^PATCHLEVEL = //p' Makefile).0$(sed -n 's/^EXTRAVERSION = //p' Makefile)
mkdir -p "$out/include/generated"
cat >"$out/include/generated/version.h" <<EOF
#define UTS_RELEASE "$version"
#define UTS_COMPILER "gcc $($CC -dumpversion)"
EOF
{
	# One unit: a small kernel compiles in the time that ten compilers take to start.
	for file in arch/x86/*.c kernel/*.c lib/*.c mm/*.c fs/*.c net/*.c block/*.c drivers/*/*.c init/*.c \
		usr/race.c usr/programs.c; do
		[ ! -f "$file" ] || echo "#include \"$file\""
	done
} >"$out/unit.c"
$CC $CFLAGS -c "$out/unit.c" -o "$out/unit.o" &
unit=$!
$CC -m64 -c arch/x86/boot.S -o "$out/boot.o"
$CC -m64 -c arch/x86/switch.S -o "$out/switch.o"
wait $unit

link() {
	$CC -m64 -nostdlib -static -no-pie -Wl,--build-id=sha1 -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack \
		-Wl,--no-warn-rwx-segments -T arch/x86/kernel.lds "$out/boot.o" "$out/switch.o" "$out/unit.o" "$@"
}

# The table of names lies behind all code, so that it moves none.
link -o "$out/vmlinux.1"
nm -n "$out/vmlinux.1" | awk '
	BEGIN { print ".section .kallsyms,\"a\"\n.globl kallsyms, kallsyms_count\n.align 8\nkallsyms:" }
	$2 ~ /^[tT]$/ && $1 != last { last = $1; names[++n] = $3; printf ".quad 0x%s, name%d\n", $1, n }
	END {
		printf "kallsyms_count: .quad %d\n.section .kallsyms.names,\"a\"\n", n
		for (i = 1; i <= n; i++) printf "name%d: .asciz \"%s\"\n", i, names[i]
		print ".section .note.GNU-stack,\"\",@progbits"
	}' >"$out/kallsyms.s"
$CC -m64 -c "$out/kallsyms.s" -o "$out/kallsyms.o"
link "$out/kallsyms.o" -o "$out/vmlinux"
objcopy --strip-all "$out/vmlinux" "$out/kernel"
rm -rf "$out/include" "$out"/unit.* "$out"/*.o "$out/vmlinux.1" "$out/kallsyms.s"

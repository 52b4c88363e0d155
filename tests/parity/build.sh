#!/bin/sh
# "Builds" the checkout $1 into $2: the case's folder $3 says in `kernels`, by the commit's number, what the kernel is. Equal lines are
# equal kernels, down to the loadable sections of vmlinux.
set -e
kernel=$(sed -n "s/^$(cat "$1/number") //p" "$3/kernels")
echo "$kernel" >"$2/kernel"
printf '.data\n.ascii "%s"\n' "$kernel" | as --64 -o "$2/vmlinux" -

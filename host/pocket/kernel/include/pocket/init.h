/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POCKET_INIT_H
#define POCKET_INIT_H

typedef int (*initcall_t)(void);

/* Run in link order once memory and the scheduler work. */
#define initcall(fn) \
	static initcall_t __initcall_##fn __attribute__((used, section(".initcall"))) = fn

void vfs_init(void);
void net_init(void);
void blk_init(void);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POCKET_CONTROL_H
#define POCKET_CONTROL_H

void control_poll(void);
void control_loop(void);

/* A program that the host can start: an exit status from 0 to 255. */
struct program {
	const char *name;
	int (*main)(int argc, char **argv);
};

extern const struct program programs[];

#endif

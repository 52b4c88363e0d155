@when notifier
/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POCKET_NOTIFIER_H
#define POCKET_NOTIFIER_H

#include <pocket/types.h>

struct notifier {
	int (*call)(struct notifier *self, u64 event, void *what);
@if notifier-priority
	int priority;
@end
	struct notifier *next;
};

void notifier_register(struct notifier **chain, struct notifier *new);
@if notifier-unregister
int notifier_unregister(struct notifier **chain, struct notifier *old);
@end
int notifier_call(struct notifier *chain, u64 event, void *what);

#endif

@when notifier
// SPDX-License-Identifier: GPL-2.0
#include <pocket/notifier.h>

@if notifier-priority
/* Higher priorities are called first. */
@end
void notifier_register(struct notifier **chain, struct notifier *new)
{
@if notifier-priority
	while (*chain && (*chain)->priority >= new->priority)
		chain = &(*chain)->next;
@end
	new->next = *chain;
	*chain = new;
}
@if notifier-unregister

int notifier_unregister(struct notifier **chain, struct notifier *old)
{
	for (; *chain; chain = &(*chain)->next) {
		if (*chain != old)
			continue;
		*chain = old->next;
		return 0;
	}
	return -ENOENT;
}
@end

/* Stops at the first that does not return 0. */
int notifier_call(struct notifier *chain, u64 event, void *what)
{
	int ret = 0;

	for (; chain && !ret; chain = chain->next)
		ret = chain->call(chain, event, what);
	return ret;
}

@when workqueue
/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POCKET_WORKQUEUE_H
#define POCKET_WORKQUEUE_H

#include <pocket/list.h>

struct work {
	struct list_head node;
	void (*fn)(struct work *work);
};

#define INIT_WORK(w, f)				\
	do {					\
		INIT_LIST_HEAD(&(w)->node);	\
		(w)->fn = (f);			\
	} while (0)

bool schedule_work(struct work *work);
@if workqueue-cancel
bool cancel_work(struct work *work);
@end

#endif

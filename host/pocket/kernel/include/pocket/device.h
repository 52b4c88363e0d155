/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POCKET_DEVICE_H
#define POCKET_DEVICE_H

#include <pocket/list.h>

struct device {
	struct list_head node;
	const char *name;
	const char *class;
@if device-suspend
	int (*suspend)(struct device *dev);
	int (*resume)(struct device *dev);
@end
@if device-show
	int (*show)(struct device *dev, char *buf, size_t size);
@end
};

int device_register(struct device *dev);
@if device-find
struct device *device_find(const char *name);
@end
@if device-suspend
int devices_suspend(void);
@end
@if device-show
void devices_show(void);
@end

#endif

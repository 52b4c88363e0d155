// SPDX-License-Identifier: GPL-2.0
/* The list of devices. */
#include <pocket/bug.h>
#include <pocket/device.h>
#include <pocket/printk.h>
#include <pocket/string.h>

static LIST_HEAD(devices);
@if device-count
static u32 nr_devices;
@end

int device_register(struct device *dev)
{
	struct device *other;

	list_for_each_entry(other, &devices, node)
		if (!strcmp(other->name, dev->name))
			return -EEXIST;
	list_add_tail(&dev->node, &devices);
@if device-count
	nr_devices++;
@end
@if device-log-class
	pr_info("%s: registered as %s\n", dev->name, dev->class);
@else
	pr_info("%s: registered\n", dev->name);
@end
	return 0;
}
@if device-find

struct device *device_find(const char *name)
{
	struct device *dev;

	list_for_each_entry(dev, &devices, node)
		if (!strcmp(dev->name, name))
			return dev;
	return NULL;
}
@end
@if device-suspend

/* Suspends all; wakes those again that were, when one refuses. */
int devices_suspend(void)
{
	struct device *dev, *undo;
	int ret;

	list_for_each_entry(dev, &devices, node) {
		ret = dev->suspend ? dev->suspend(dev) : 0;
		if (!ret)
			continue;
		list_for_each_entry(undo, &devices, node) {
			if (undo == dev)
				break;
			if (undo->resume)
				undo->resume(undo);
		}
		return ret;
	}
	return 0;
}
@end
@if device-show

void devices_show(void)
{
	struct device *dev;
	char buf[64];

	list_for_each_entry(dev, &devices, node) {
		buf[0] = 0;
		if (dev->show)
			dev->show(dev, buf, sizeof(buf));
		pr_info("%-12s %-10s %s\n", dev->name, dev->class, buf);
	}
}
@end

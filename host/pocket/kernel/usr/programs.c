// SPDX-License-Identifier: GPL-2.0
/* The programs that the host can start. Linked after all others. */
#include <pocket/control.h>
#include <pocket/types.h>
@if usr-uptime

static int uptime_main(int argc, char **argv)
{
	pr_info("up %lu jiffies\n", jiffies_now());
	return 0;
}
@end
@if usr-slabinfo

static int slabinfo_main(int argc, char **argv)
{
	slab_show();
	return 0;
}
@end
@if usr-echo

static int echo_main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		pr_cont(i > 1 ? " %s" : "%s", argv[i]);
	pr_cont("\n");
	return 0;
}
@end
@if usr-true

static int true_main(int argc, char **argv)
{
	return 0;
}

static int false_main(int argc, char **argv)
{
	return 1;
}
@end

const struct program programs[] = {
	{ "race", race_main },
@if usr-uptime
	{ "uptime", uptime_main },
@end
@if usr-slabinfo
	{ "slabinfo", slabinfo_main },
@end
@if usr-echo
	{ "echo", echo_main },
@end
@if usr-true
	{ "true", true_main },
	{ "false", false_main },
@end
	{ NULL, NULL },
};

#include <common.h>

static volatile int last;

void record(int number, const char *where)
{
	last = number + (where != 0);
#ifdef CONFIG_KASAN
	last++;
#endif
}

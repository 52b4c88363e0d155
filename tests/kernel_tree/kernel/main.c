#include <common.h>

void start(void)
{
	record(NUMBER, __FILE__);
	for (;;)
		;
}

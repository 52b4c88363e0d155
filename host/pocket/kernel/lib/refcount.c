// SPDX-License-Identifier: GPL-2.0
#include <pocket/bug.h>
#include <pocket/refcount.h>

void refcount_warn_saturate(refcount_t *r, enum refcount_error error)
{
	r->refs = REFCOUNT_SATURATED;
	switch (error) {
	case REFCOUNT_ADD_UAF:
		WARN(1, "refcount_t: addition on 0; use-after-free.");
		break;
	case REFCOUNT_SUB_UAF:
		WARN(1, "refcount_t: underflow; use-after-free.");
		break;
	case REFCOUNT_ADD_OVF:
		WARN(1, "refcount_t: saturated; leaking memory.");
		break;
	}
}

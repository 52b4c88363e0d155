/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reference counts that saturate rather than wrap: a count that was seen to
 * go wrong stays where it is, and its object is leaked.
 */
#ifndef POCKET_REFCOUNT_H
#define POCKET_REFCOUNT_H

#include <pocket/types.h>

#define REFCOUNT_SATURATED	0xc0000000u

typedef struct {
	u32 refs;
} refcount_t;

enum refcount_error {
	REFCOUNT_ADD_UAF,
	REFCOUNT_SUB_UAF,
	REFCOUNT_ADD_OVF,
};

void refcount_warn_saturate(refcount_t *r, enum refcount_error error);

static __always_inline void refcount_set(refcount_t *r, u32 n)
{
	r->refs = n;
}
@if refcount-read

static __always_inline u32 refcount_read(const refcount_t *r)
{
	return r->refs;
}
@end

static __always_inline void refcount_inc(refcount_t *r)
{
	if (r->refs == 0)
		refcount_warn_saturate(r, REFCOUNT_ADD_UAF);
	else if (r->refs >= REFCOUNT_SATURATED)
		refcount_warn_saturate(r, REFCOUNT_ADD_OVF);
	else
		r->refs++;
}

static __always_inline bool refcount_inc_not_zero(refcount_t *r)
{
	if (r->refs == 0)
		return false;
	refcount_inc(r);
	return true;
}

/* True when the last reference went. */
static __always_inline bool refcount_dec_and_test(refcount_t *r)
{
	if (r->refs >= REFCOUNT_SATURATED)
		return false;
	if (r->refs == 0) {
		refcount_warn_saturate(r, REFCOUNT_SUB_UAF);
		return false;
	}
	return --r->refs == 0;
}

#endif

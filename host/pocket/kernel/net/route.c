@when net-route
// SPDX-License-Identifier: GPL-2.0
/* Routes: the longest prefix wins. */
#include <pocket/net.h>

#define NR_ROUTES	@{NR_ROUTES}

struct route {
	u32 net;
	u32 prefix;
	u32 via;
};

static struct route routes[NR_ROUTES];
static u32 nr_routes;

static u32 prefix_mask(u32 prefix)
{
	return prefix ? ~0u << (32 - prefix) : 0;
}

int route_add(u32 net, u32 prefix, u32 via)
{
	struct route *route;

@if net-route-check
	if (prefix > 32 || net & ~prefix_mask(prefix))
		return -EINVAL;
@end
	if (nr_routes == NR_ROUTES)
		return -ENOSPC;
	route = &routes[nr_routes++];
	route->net = net;
	route->prefix = prefix;
	route->via = via;
	return 0;
}

/* The next hop, or 0. */
u32 route_lookup(u32 addr)
{
	const struct route *best = NULL;

	for (u32 i = 0; i < nr_routes; i++) {
		const struct route *route = &routes[i];

		if ((addr & prefix_mask(route->prefix)) != route->net)
			continue;
		if (!best || route->prefix > best->prefix)
			best = route;
	}
	return best ? best->via : 0;
}
@if net-route-del

int route_del(u32 net, u32 prefix)
{
	for (u32 i = 0; i < nr_routes; i++) {
		if (routes[i].net != net || routes[i].prefix != prefix)
			continue;
		routes[i] = routes[--nr_routes];
		return 0;
	}
	return -ENOENT;
}
@end

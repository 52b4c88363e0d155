/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POCKET_NET_H
#define POCKET_NET_H

#include <pocket/types.h>

/* sock.c */
int sock_open(u16 port);
int sock_send(u16 port, u32 len);
int sock_close(u16 port);
@if sock-stats
u64 sock_bytes(u16 port);
@end
@if sock-shutdown
int sock_shutdown(u16 port);
@end

/* neigh.c */
int neigh_create(u32 addr);
int neigh_confirm(u32 addr);
int neigh_expire(u32 addr);
int neigh_collect(void);
@if neigh-state
int neigh_state(u32 addr);
@end
void neigh_init(void);
@if net-checksum

/* checksum.c */
u16 ip_checksum(const void *buf, size_t len);
@if net-checksum-update
u16 ip_checksum_update(u16 check, u16 old, u16 new);
@end
@end
@if net-route

/* route.c */
int route_add(u32 net, u32 prefix, u32 via);
u32 route_lookup(u32 addr);
@if net-route-del
int route_del(u32 net, u32 prefix);
@end
@end

#endif

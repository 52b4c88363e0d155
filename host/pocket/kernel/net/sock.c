// SPDX-License-Identifier: GPL-2.0
/* Sockets: a table by port. */
#include <pocket/bug.h>
#include <pocket/init.h>
#include <pocket/list.h>
#include <pocket/lock.h>
#include <pocket/net.h>
#include <pocket/printk.h>
#include <pocket/refcount.h>
#include <pocket/slab.h>
#include <pocket/string.h>
#include <pocket/timer.h>

#define SOCK_LINGER	(@{SOCK_LINGER} * HZ)
/* Filters that a packet passes, and packets that a closing socket drops. */
#define SK_FILTERS	@{SK_FILTERS}
#define SK_BACKLOG	@{SK_BACKLOG}
@if sock-mtu
#define SOCK_MTU	@{SOCK_MTU}
@end

struct sock {
	struct list_head node;
	refcount_t refs;
	u16 port;
	bool closing;
@if sock-shutdown
	bool shut;
@end
	u32 backlog;
	u64 bytes;
@if sock-drops
	u32 drops;
@end
	struct timer linger;
};

static LIST_HEAD(sockets);
static struct mutex sock_table_lock;
static struct kmem_cache *sock_cache;

/* Memory goes a little later: packets on the wire may still name the socket. */
static void sock_free(struct timer *timer)
{
	kmem_cache_free(sock_cache, container_of(timer, struct sock, linger));
}

static void sock_put(struct sock *sk)
{
	if (refcount_dec_and_test(&sk->refs))
		@{NET_MOD_TIMER}(&sk->linger, jiffies_now() + SOCK_LINGER);
}

static struct sock *sock_find(u16 port)
{
	struct sock *sk;

	list_for_each_entry(sk, &sockets, node)
		if (sk->port == port)
			return sk;
	return NULL;
}

/* What a packet has to pass before anybody sees it. */
static u32 sk_run_filters(struct sock *sk)
{
	u32 passed = 0;

	for (u32 i = 0; i < SK_FILTERS; i++) {
		passed += !sk->closing;
		cond_resched();
	}
	return passed;
}

@if bug-sock
/* The socket of @port with a reference, unless its filters say no. */
static struct sock *sock_lookup(u16 port)
{
	struct sock *sk;

	mutex_lock(&sock_table_lock);
	sk = sock_find(port);
	mutex_unlock(&sock_table_lock);
	if (!sk || (!sk_run_filters(sk) && SK_FILTERS))
		return NULL;
	refcount_inc(&sk->refs);
	return sk;
}
@else
/* The socket of @port with a reference. */
static struct sock *sock_lookup(u16 port)
{
	struct sock *sk;

	mutex_lock(&sock_table_lock);
	sk = sock_find(port);
	if (sk)
		refcount_inc(&sk->refs);
	mutex_unlock(&sock_table_lock);
	return sk;
}
@end

int sock_open(u16 port)
{
	struct sock *sk;
	int ret = 0;

	mutex_lock(&sock_table_lock);
	if (sock_find(port)) {
		ret = -EEXIST;
		goto out;
	}
	sk = kmem_cache_alloc(sock_cache);
	if (!sk) {
		ret = -ENOMEM;
		goto out;
	}
	memset(sk, 0, sizeof(*sk));
	refcount_set(&sk->refs, 1);
	sk->port = port;
	sk->backlog = SK_BACKLOG;
	timer_setup(&sk->linger, sock_free);
	list_add_tail(&sk->node, &sockets);
out:
	mutex_unlock(&sock_table_lock);
	return ret;
}

int sock_send(u16 port, u32 len)
{
	struct sock *sk;
	int ret = 0;

@if sock-mtu
	if (len > SOCK_MTU)
		return -EINVAL;
@end
	sk = sock_lookup(port);
	if (!sk)
		return -ENOENT;
@if bug-sock
	ret = len;
@else
	if (!sk_run_filters(sk) && SK_FILTERS)
		ret = -EBUSY;
	else
		ret = len;
@end
@if sock-shutdown
	if (sk->shut)
		ret = -EINVAL;
@end
	if (ret > 0)
		sk->bytes += len;
@if sock-drops
	else
		sk->drops++;
@end
	sock_put(sk);
	return ret;
}

static void sock_flush_backlog(struct sock *sk)
{
	while (sk->backlog) {
		sk->backlog--;
		cond_resched();
	}
}

int sock_close(u16 port)
{
	struct sock *sk;

	mutex_lock(&sock_table_lock);
	sk = sock_find(port);
	mutex_unlock(&sock_table_lock);
	if (!sk)
		return -ENOENT;
	sock_flush_backlog(sk);
	mutex_lock(&sock_table_lock);
	list_del_init(&sk->node);
	mutex_unlock(&sock_table_lock);
@if sock-drops
	if (sk->drops)
		pr_info("sock: port %u dropped %u packets\n", sk->port, sk->drops);
@end
	sock_put(sk);
	return 0;
}
@if sock-stats

/* Bytes sent on @port so far. */
u64 sock_bytes(u16 port)
{
	struct sock *sk = sock_find(port);

	return sk ? sk->bytes : 0;
}
@end
@if sock-shutdown

/* Nothing more is sent; the port stays taken. */
int sock_shutdown(u16 port)
{
	struct sock *sk = sock_find(port);

	if (!sk)
		return -ENOENT;
	sk->shut = true;
	return 0;
}
@end

void net_init(void)
{
	mutex_init(&sock_table_lock);
	sock_cache = kmem_cache_create("sock", sizeof(struct sock), @{SOCK_OBJECTS});
	pr_info("NET: Registered %u sockets\n", sock_cache->capacity);
	neigh_init();
}

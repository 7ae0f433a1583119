// SPDX-License-Identifier: GPL-2.0
/*
 * Netlink sockets as owners: what a socket allocated and did not keep is freed
 * when it is closed (Q-47, F-07), and an extension that is its process goes.
 */
#include <linux/netlink.h>
#include <net/sock.h>

#include "ext_user.h"

static LIST_HEAD(vmq_owners);		/* rtnl, RCU */

/**
 * vmq_owner_find() - what a socket owns
 * @sk: the socket
 *
 * Context: Process context, rtnl held.
 * Return: the owner, or NULL if the socket owns nothing.
 */
struct vmq_owner *vmq_owner_find(const struct sock *sk)
{
	struct vmq_owner *o;

	list_for_each_entry(o, &vmq_owners, node)
		if (o->sk == sk)
			return o;
	return NULL;
}

/**
 * vmq_owner_get() - a socket as the owner of what it is about to ask for
 * @sk: the socket, bound
 * @portid: its address
 *
 * Context: Process context, rtnl held.
 * Return: the owner, for vmq_owner_put(), or NULL if there is no memory.
 */
struct vmq_owner *vmq_owner_get(struct sock *sk, u32 portid)
{
	struct vmq_owner *o = vmq_owner_find(sk);

	if (o) {
		o->users++;
		return o;
	}
	o = kzalloc(sizeof(*o), GFP_KERNEL_ACCOUNT);
	if (!o)
		return NULL;
	INIT_LIST_HEAD(&o->queues);
	INIT_LIST_HEAD(&o->exts);
	sock_hold(sk);
	o->sk = sk;
	o->portid = portid;
	o->users = 1;
	list_add_tail_rcu(&o->node, &vmq_owners);
	return o;
}

/**
 * vmq_owner_put() - one thing less that a socket owns
 * @owner: the owner, gone when it was the last one
 *
 * Context: Process context, rtnl held.
 */
void vmq_owner_put(struct vmq_owner *owner)
{
	if (--owner->users)
		return;
	list_del_rcu(&owner->node);
	sock_put(owner->sk);
	kfree_rcu(owner, rcu);
}

/* Frees all that a socket owns; the owner goes with it. */
static void vmq_owner_release(struct vmq_owner *owner)
{
	struct vmq_ext_user *u, *next;
	struct vmq_adapter *a;
	struct vmq_queue *q;
	LIST_HEAD(list);

	owner->users++;
	list_for_each_entry_safe(u, next, &owner->exts, owned)
		vmq_ext_user_remove(u, false);
	list_for_each_entry(a, &vmq_adapters, node) {
		vmq_filter_flush(a, VMQ_OWNER_SOCKET, owner);
		mutex_lock(&a->lock);
		list_for_each_entry(q, &owner->queues, owned) {
			if (q->adapter != a)
				continue;
			vmq_filter_flush_queue(q);
			list_move_tail(&q->gone, &list);
		}
		vmq_queue_free_list(&list);
		mutex_unlock(&a->lock);
	}
	vmq_owner_put(owner);
}

/* Every netlink socket that is closed comes by here, nearly all own nothing. */
static bool vmq_owner_is(const struct netlink_notify *n)
{
	const struct vmq_owner *o;
	bool found = false;

	rcu_read_lock();
	list_for_each_entry_rcu(o, &vmq_owners, node)
		if (o->portid == n->portid)
			found = true;
	rcu_read_unlock();
	return found;
}

/*
 * The address of a socket that is closed may be in use again by now, so its own
 * struct says whether it is the one.
 */
static int vmq_owner_event(struct notifier_block *nb, unsigned long event,
			   void *ptr)
{
	const struct netlink_notify *n = ptr;
	struct vmq_owner *o, *next;

	if (event != NETLINK_URELEASE || n->protocol != NETLINK_GENERIC ||
	    !vmq_owner_is(n))
		return NOTIFY_DONE;
	rtnl_lock();
	list_for_each_entry_safe(o, next, &vmq_owners, node)
		if (o->portid == n->portid && net_eq(sock_net(o->sk), n->net) &&
		    sock_flag(o->sk, SOCK_DEAD))
			vmq_owner_release(o);
	rtnl_unlock();
	return NOTIFY_OK;
}

static struct notifier_block vmq_owner_notifier = {
	.notifier_call = vmq_owner_event,
};

/**
 * vmq_owner_init() - listens to sockets that are closed
 *
 * Context: Module init.
 * Return: 0 or a negative errno.
 */
int __init vmq_owner_init(void)
{
	return netlink_register_notifier(&vmq_owner_notifier);
}

/**
 * vmq_owner_exit() - stops listening
 *
 * Context: Module exit, no adapter left, so no owner.
 */
void vmq_owner_exit(void)
{
	netlink_unregister_notifier(&vmq_owner_notifier);
	WARN_ON_ONCE(!list_empty(&vmq_owners));
}

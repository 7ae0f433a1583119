// SPDX-License-Identifier: GPL-2.0
/*
 * Queues: their ids, their life from allocation to free, and who they serve.
 */
#include <linux/etherdevice.h>

#include "vmq_priv.h"

/* Target of filters that drop; it belongs to no adapter and never runs. */
struct vmq_queue vmq_drop_queue = { .fifo.slow = VMQ_SLOW_PORT };

/* Frames that wait are dropped and counted. */
static void vmq_queue_purge(struct vmq_queue *q)
{
	struct sk_buff_head frames;
	struct sk_buff *skb;

	__skb_queue_head_init(&frames);
	vmq_fifo_purge(&q->fifo, &frames);
	local_bh_disable();
	while ((skb = __skb_dequeue(&frames))) {
		vmq_stats_drop(q->stats, VMQ_DROP_STATE);
		kfree_skb_reason(skb, SKB_DROP_REASON_DEV_READY);
	}
	local_bh_enable();
}

/**
 * vmq_queue_event() - moves a queue through its state machine
 * @q: the queue, not the default one, which has no states
 * @event: what happens to it
 *
 * Context: Process context, adapter->lock held.
 * Return: 0, or the errors of vmq_queue_next_state(), the state unchanged.
 */
int vmq_queue_event(struct vmq_queue *q, enum vmq_queue_event event)
{
	int next = vmq_queue_next_state(q->state, event);

	if (next < 0)
		return next;
	/* pairs with the data path, which reads it once per frame */
	WRITE_ONCE(q->state, next);
	/* without a filter it holds nothing */
	if (event == VMQ_QEV_CLEAR_LAST_FILTER && q->adapter)
		vmq_queue_purge(q);
	return 0;
}

/**
 * vmq_queue_setup() - prepares a queue object for frames
 * @q: the queue, all 0 but for its counters
 * @a: the adapter
 *
 * Context: Process context.
 */
void vmq_queue_setup(struct vmq_queue *q, struct vmq_adapter *a)
{
	q->adapter = a;
	vmq_fifo_init(&q->fifo, a->ring);
	q->fifo.slow = VMQ_SLOW_PORT;
}

/**
 * vmq_queue_drain() - waits until no frame of a queue is on its way
 * @q: the queue, in a state in which it takes none
 *
 * Context: Process context, sleeps; after a grace period of RCU since the state
 * changed.
 */
void vmq_queue_drain(struct vmq_queue *q)
{
	vmq_napi_release(q);
	vmq_queue_purge(q);
	/* what it took before, it delivers within itself */
	vmq_queue_unkick(q);
}

/**
 * vmq_queue_find() - the queue with an id
 * @a: the adapter
 * @id: any number
 *
 * Context: rtnl or adapter->lock held, or RCU read side.
 * Return: the queue, allocated or not, or NULL if the id was never used.
 */
struct vmq_queue *vmq_queue_find(struct vmq_adapter *a, u32 id)
{
	if (id >= a->max_queues)
		return NULL;
	return rcu_dereference_check(a->queue[id],
				     lockdep_rtnl_is_held() ||
				     lockdep_is_held(&a->lock));
}

/* The queue object of an id, made on first use and kept until the adapter goes. */
static struct vmq_queue *vmq_queue_make(struct vmq_adapter *a, u32 id)
{
	struct vmq_queue *q = vmq_queue_find(a, id);

	if (q || id >= a->max_queues)
		return q;
	q = kzalloc(sizeof(*q), GFP_KERNEL_ACCOUNT);
	if (!q)
		return NULL;
	q->stats = vmq_stats_alloc();
	if (!q->stats) {
		kfree(q);
		return NULL;
	}
	vmq_queue_setup(q, a);
	q->id = id;
	INIT_LIST_HEAD(&q->rules);
	INIT_LIST_HEAD(&q->gone);
	INIT_LIST_HEAD(&q->owned);
	rcu_assign_pointer(a->queue[id], q);
	return q;
}

static int vmq_queue_take(struct vmq_adapter *a, u32 id, const char *name,
			  struct vmq_queue **out)
{
	struct vmq_queue *q = vmq_queue_make(a, id);
	int err;

	if (!q)
		return -ENOMEM;
	err = vmq_queue_event(q, VMQ_QEV_ALLOCATE);
	if (err)
		return err;
	vmq_queue_reset_param(q);
	strscpy(q->param.name, name);
	q->implicit = false;
	q->shared = false;
	q->index = 0;
	a->n_vm_queues++;
	__set_bit(id, a->queues_used);
	*out = q;
	return 0;
}

/* Allocates the lowest free queue of those that are switched on. */
static int vmq_queue_take_lowest(struct vmq_adapter *a, const char *name,
				 struct vmq_queue **out)
{
	u32 count = a->dev->real_num_rx_queues;
	int err;
	u32 id;

	id = find_next_zero_bit(a->queues_used, count, 1);
	id = vmq_rss_claimable(a, id);
	if (id >= count)
		return -ENOSPC;
	if (test_bit(id, a->queues_used)) {
		err = vmq_rss_yield(vmq_queue_find(a, id));
		if (err)
			return err;
	}
	return vmq_queue_take(a, id, name, out);
}

/**
 * vmq_queue_alloc() - allocates the lowest free queue for a port
 * @a: the adapter
 * @port: port that the queue will serve
 * @index: of the queue among those of the port
 * @out: the queue, in state Allocated
 *
 * Context: Process context, adapter->lock held.
 * Return: 0, -ENOSPC when all queues that are switched on are in use, or
 * -ENOMEM; nothing is in use then.
 */
int vmq_queue_alloc(struct vmq_adapter *a, struct vmq_port *port, u16 index,
		    struct vmq_queue **out)
{
	int err = vmq_queue_take_lowest(a, port->dev->name, out);

	if (err)
		return err;
	vmq_queue_forget(*out);
	(*out)->index = index;
	(*out)->dev = port->dev;
	vmq_queue_set_mac(*out, port->dev->dev_addr);
	vmq_stats_own(*out);
	rcu_assign_pointer((*out)->port, port);
	return 0;
}

/**
 * vmq_queue_set_mac() - says which unicast frames of a queue are for the host
 * @q: the queue, of a port
 * @mac: address of the port's netdev
 *
 * Context: Process context, rtnl or adapter->lock held.
 */
void vmq_queue_set_mac(struct vmq_queue *q, const u8 *mac)
{
	ether_addr_copy(q->mac, mac);
}

/**
 * vmq_queue_alloc_owned() - allocates the lowest free queue on request
 * @a: the adapter
 * @owner: socket that asks for it, or NULL: the queue is the adapter's own
 * @out: the queue, in state Allocated; the frames that its filters name go to the
 *	adapter, received on it
 *
 * Context: Process context, rtnl and adapter->lock held.
 * Return: 0, -ENOSPC when all queues that are switched on are in use, or
 * -ENOMEM; nothing is in use then.
 */
int vmq_queue_alloc_owned(struct vmq_adapter *a, struct vmq_owner *owner,
			  struct vmq_queue **out)
{
	int err = vmq_queue_take_lowest(a, "", out);

	if (err)
		return err;
	vmq_queue_forget(*out);
	(*out)->kept = !owner;
	(*out)->owner = owner;
	if (owner) {
		list_add_tail(&(*out)->owned, &owner->queues);
		owner->users++;
	}
	return 0;
}

/**
 * vmq_queue_alloc_id() - allocates a queue because a rule names it
 * @a: the adapter
 * @id: id of the queue, from 1 and below the number that is switched on
 * @out: the queue, in state Allocated; it is freed with its last filter
 *
 * Context: Process context, adapter->lock held.
 * Return: 0 or -ENOMEM.
 */
int vmq_queue_alloc_id(struct vmq_adapter *a, u32 id, struct vmq_queue **out)
{
	int err = vmq_queue_take(a, id, "", out);

	if (!err)
		(*out)->implicit = true;
	return err;
}

/**
 * vmq_queue_stop() - stops a queue that has no filter any more
 * @q: the queue, in state Allocated or Paused
 *
 * Says that its DMA stopped. After a grace period, which many queues may
 * share, it is the turn of vmq_queue_give_back().
 *
 * Context: Process context, rtnl and adapter->lock held.
 * Return: true if it was stopped.
 */
bool vmq_queue_stop(struct vmq_queue *q)
{
	if (WARN_ON_ONCE(vmq_queue_event(q, VMQ_QEV_FREE)))
		return false;
	vmq_napi_unuse(q);
	vmq_notify_queue(q);
	vmq_queue_event(q, VMQ_QEV_DMA_STOPPED);
	return true;
}

/**
 * vmq_queue_give_back() - makes the id of a stopped queue free
 * @q: the queue; a grace period has passed since vmq_queue_stop(), else nothing
 *	happens
 *
 * Context: Process context, sleeps; rtnl and adapter->lock held.
 */
void vmq_queue_give_back(struct vmq_queue *q)
{
	if (vmq_queue_next_state(q->state, VMQ_QEV_GIVE_BACK_LAST) < 0)
		return;
	vmq_queue_drain(q);
	vmq_fifo_flag(&q->fifo, VMQ_SLOW_PORT, true);
	vmq_fifo_flag(&q->fifo, VMQ_SLOW_TAP, false);
	RCU_INIT_POINTER(q->port, NULL);
	q->own = false;
	vmq_queue_event(q, VMQ_QEV_GIVE_BACK_LAST);
	list_del_init(&q->owned);
	if (q->owner)
		vmq_owner_put(q->owner);
	q->owner = NULL;
	q->kept = false;
	q->adapter->n_vm_queues--;
	__clear_bit(q->id, q->adapter->queues_used);
}

/**
 * vmq_queue_free_list() - frees queues that have no filter any more
 * @list: the queues, in state Allocated or Paused, by their member gone; empty
 *	when they are free
 *
 * Stops them, says so, waits for all frames that are on their way
 * and gives the ids back.
 *
 * Context: Process context, sleeps; rtnl and adapter->lock held.
 */
void vmq_queue_free_list(struct list_head *list)
{
	struct vmq_adapter *claimed = NULL;
	struct vmq_queue *q, *next;

	if (list_empty(list))
		return;
	list_for_each_entry_safe(q, next, list, gone)
		if (!vmq_queue_stop(q))
			list_del_init(&q->gone);
	/* a direct queue holds no frame longer than its RCU section */
	synchronize_net();
	list_for_each_entry_safe(q, next, list, gone) {
		list_del_init(&q->gone);
		if (!q->implicit)
			claimed = q->adapter;
		vmq_queue_give_back(q);
	}
	if (claimed)
		vmq_rss_unclaim(claimed);
}

/**
 * vmq_queue_free() - frees queues that have no filter any more
 * @q: the queues, in state Allocated or Paused
 * @n: how many there are
 *
 * Context: Process context, sleeps; rtnl and adapter->lock held.
 */
void vmq_queue_free(struct vmq_queue **q, u32 n)
{
	LIST_HEAD(list);
	u32 i;

	for (i = 0; i < n; i++)
		list_move_tail(&q[i]->gone, &list);
	vmq_queue_free_list(&list);
}

/**
 * vmq_queues_free_all() - frees every queue that netlink clients left
 * @a: the adapter, about to go, without filters and ports
 *
 * Context: Process context, sleeps, rtnl held; takes adapter->lock.
 */
void vmq_queues_free_all(struct vmq_adapter *a)
{
	struct vmq_queue *q;
	LIST_HEAD(list);
	u32 id = 1;

	mutex_lock(&a->lock);
	for_each_set_bit_from(id, a->queues_used, a->max_queues) {
		q = vmq_queue_find(a, id);
		/* what tables hold goes with them */
		if (q && q->state != VMQ_QUEUE_STATE_UNDEFINED && !q->implicit)
			list_move_tail(&q->gone, &list);
	}
	vmq_queue_free_list(&list);
	mutex_unlock(&a->lock);
}

/**
 * vmq_queues_resize() - switches queues on or off (ethtool -L)
 * @a: the adapter
 * @count: queues that are on, 1 to the adapter's maximum, the default included
 *
 * Context: Process context, rtnl held.
 * Return: 0, -EBUSY if a queue that would go is in use, or the errors of
 * netif_set_real_num_rx_queues(); nothing changed then.
 */
int vmq_queues_resize(struct vmq_adapter *a, u32 count)
{
	u32 tx = min(count, a->dev->num_tx_queues);
	u32 old = a->dev->real_num_rx_queues;
	int err = 0;
	u32 id;

	mutex_lock(&a->lock);
	for (id = count; !err && id < a->max_queues; id++)
		if (test_bit(id, a->queues_used) &&
		    !vmq_rss_yields(vmq_queue_find(a, id)))
			err = -EBUSY;
	if (!err && count < old)
		err = vmq_queues_remember(a, count);
	if (!err && count < old)
		err = vmq_rss_resize(a, count);
	mutex_unlock(&a->lock);
	if (err)
		return err;
	err = netif_set_real_num_queues(a->dev, tx, count);
	mutex_lock(&a->lock);
	if (!err && count > old)
		err = vmq_rss_resize(a, count);
	else if (err && count < old)
		vmq_rss_resize(a, old);
	/* those that are on again, as they should be or as they were */
	if (err ? count < old : count > old)
		vmq_queues_recall(a, min(old, count), max(old, count));
	mutex_unlock(&a->lock);
	if (err && count > old)
		netif_set_real_num_queues(a->dev,
					  min(old, a->dev->num_tx_queues), old);
	return err;
}

/**
 * vmq_queues_init() - prepares an adapter's queues and makes the default one
 * @a: the adapter, max_queues set
 *
 * Context: Process context.
 * Return: 0 or -ENOMEM.
 */
int vmq_queues_init(struct vmq_adapter *a)
{
	struct vmq_queue *q;

	a->queue = kvcalloc(a->max_queues, sizeof(*a->queue),
			    GFP_KERNEL_ACCOUNT);
	a->queues_used = bitmap_zalloc(a->max_queues, GFP_KERNEL_ACCOUNT);
	if (!a->queue || !a->queues_used)
		goto err_free;
	mutex_lock(&a->lock);
	q = vmq_queue_make(a, 0);
	if (q) {
		/* it exists and runs for the adapter's whole life (Q-02, O-47) */
		q->state = VMQ_QUEUE_STATE_RUNNING;
		__set_bit(0, a->queues_used);
	}
	mutex_unlock(&a->lock);
	if (q)
		return 0;

err_free:
	bitmap_free(a->queues_used);
	kvfree(a->queue);
	a->queues_used = NULL;
	a->queue = NULL;
	return -ENOMEM;
}

/**
 * vmq_queues_stop() - waits for the last frames of an adapter
 * @a: the adapter, its netdev down and out of reach
 *
 * Context: Process context, sleeps, rtnl held.
 */
void vmq_queues_stop(struct vmq_adapter *a)
{
	struct vmq_queue *q;
	u32 id;

	for (id = 0; id < a->max_queues; id++) {
		q = rtnl_dereference(a->queue[id]);
		if (q)
			vmq_napi_unuse(q);
	}
	synchronize_net();
	for (id = 0; id < a->max_queues; id++) {
		q = rtnl_dereference(a->queue[id]);
		if (q)
			vmq_queue_drain(q);
	}
}

/**
 * vmq_queues_destroy() - frees what vmq_queues_init() and later uses made
 * @a: the adapter; no frame can reach it any more
 *
 * Context: Process context.
 */
void vmq_queues_destroy(struct vmq_adapter *a)
{
	struct vmq_queue *q;
	u32 id;

	if (!a->queue)
		return;
	for (id = 0; id < a->max_queues; id++) {
		q = rcu_dereference_protected(a->queue[id], 1);
		if (!q)
			continue;
		vmq_queue_forget(q);
		free_percpu(q->stats);
		kfree(q);
	}
	bitmap_free(a->queues_used);
	kvfree(a->queue);
	a->queues_used = NULL;
	a->queue = NULL;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The queues of a port: taken when it is made, given back when it goes, more or
 * fewer in between (ethtool -L). They are the queue pairs of its VPort; a port
 * without a queue of its own has none (S-22).
 */
#include "vmq_priv.h"

static void vmq_port_vport(struct vmq_port *port, enum vmq_vport_event event)
{
	int next = vmq_vport_next_state(VMQ_VPORT_PF, port->vport, event);

	if (!WARN_ON_ONCE(next < 0))
		port->vport = next;
}

/* Counts it in the pool of the adapter (V-34, V-36). */
static int vmq_port_take_vport(struct vmq_port *port,
			       struct netlink_ext_ack *extack)
{
	struct vmq_adapter *a = port->adapter;
	struct vmq_pool pool;
	int err;

	if (!port->n_queues)
		return 0;
	vmq_adapter_pool(a, &pool);
	err = vmq_pool_take(&pool, &a->vports, VMQ_VPORT_PF, port->n_queues);
	if (err) {
		NL_SET_ERR_MSG(extack, "no VPort or queue pair is left for it");
		return err;
	}
	vmq_port_vport(port, VMQ_VPORT_CREATE);
	return 0;
}

static void vmq_port_give_vport(struct vmq_port *port)
{
	if (port->vport == VMQ_VPORT_STATE_NONE)
		return;
	vmq_port_vport(port, VMQ_VPORT_DELETE);
	vmq_pool_give(&port->adapter->vports, VMQ_VPORT_PF, port->n_queues);
}

/* Takes queues until there are @count; those that it got are in the array. */
static int vmq_port_alloc_queues(struct vmq_port *port, u32 count, u32 *n)
{
	int err;

	for (*n = port->n_queues; *n < count; (*n)++) {
		err = vmq_queue_alloc(port->adapter, port, *n,
				      &port->queue[*n]);
		if (err)
			return err;
	}
	return 0;
}

/* Makes the first @n of its queues the port's, for all who look. */
static void vmq_port_have_queues(struct vmq_port *port, u32 n)
{
	write_seqlock_bh(&port->stats_lock);
	/* pairs with vmq_port_queue_at() */
	smp_store_release(&port->n_queues, n);
	write_sequnlock_bh(&port->stats_lock);
}

/**
 * vmq_port_tx_queues() - transmit queues that go with its receive queues
 * @port: the port
 *
 * Context: Process context, rtnl held.
 * Return: the number, 1 or more.
 */
u32 vmq_port_tx_queues(const struct vmq_port *port)
{
	return clamp(port->n_queues, 1U, port->dev->num_tx_queues);
}

/**
 * vmq_port_take_queues() - takes a queue for each receive queue of the netdev
 * @port: the port, new
 * @extack: says why not
 *
 * As many as there are. Without any it works from the default queue (S-22).
 *
 * Context: Process context, rtnl held; takes adapter->lock.
 * Return: 0, -EINVAL or -ENOSPC where the switch has no room for its VPort, or
 * -ENOMEM; no queue is taken then.
 */
int vmq_port_take_queues(struct vmq_port *port, struct netlink_ext_ack *extack)
{
	struct vmq_adapter *a = port->adapter;
	u32 n;
	int err;

	mutex_lock(&a->lock);
	err = vmq_port_alloc_queues(port, port->dev->num_rx_queues, &n);
	if (err == -ENOSPC)
		err = 0;
	if (!err) {
		vmq_port_have_queues(port, n);
		err = vmq_port_take_vport(port, extack);
		if (!err && n && port->dev->num_rx_queues > 1)
			err = vmq_rss_port_init(port);
	}
	if (err) {
		vmq_port_give_vport(port);
		vmq_queue_free(port->queue, n);
		vmq_port_have_queues(port, 0);
	}
	mutex_unlock(&a->lock);
	return err;
}

/**
 * vmq_port_complete_queues() - makes the queues of a port run
 * @port: the port
 * @first: index of the first of them
 *
 * Context: Process context, rtnl held; takes adapter->lock.
 */
void vmq_port_complete_queues(struct vmq_port *port, u32 first)
{
	u32 i;

	mutex_lock(&port->adapter->lock);
	for (i = first; i < port->n_queues; i++) {
		/* the port's own filter is the first one's, but feeds all */
		port->queue[i]->shared = i;
		if (i)
			vmq_queue_event(port->queue[i], VMQ_QEV_SET_FILTER);
		WARN_ON_ONCE(vmq_queue_event(port->queue[i],
					     VMQ_QEV_COMPLETE));
	}
	if (port->n_queues && !first)
		vmq_port_vport(port, VMQ_VPORT_ACTIVATE);
	mutex_unlock(&port->adapter->lock);
}

/**
 * vmq_port_stop_queues() - stops queues of a port, without filters by now
 * @port: the port
 * @first: index of the first of them
 *
 * Context: Process context, rtnl held; takes adapter->lock.
 */
void vmq_port_stop_queues(struct vmq_port *port, u32 first)
{
	u32 i;

	mutex_lock(&port->adapter->lock);
	for (i = first; i < port->n_queues; i++) {
		if (port->queue[i]->shared) {
			port->queue[i]->shared = false;
			vmq_queue_event(port->queue[i],
					VMQ_QEV_CLEAR_LAST_FILTER);
		}
		vmq_queue_stop(port->queue[i]);
	}
	mutex_unlock(&port->adapter->lock);
}

/**
 * vmq_port_give_back_queues() - a port has these queues no more
 * @port: the port
 * @first: index of the first of them, stopped a grace period ago
 *
 * Context: Process context, sleeps, rtnl held; takes adapter->lock.
 */
void vmq_port_give_back_queues(struct vmq_port *port, u32 first)
{
	u32 n = port->n_queues, i;

	mutex_lock(&port->adapter->lock);
	if (!first)
		vmq_port_give_vport(port);
	vmq_stats_disown(port, first);
	/* who sends may have picked one before */
	if (first)
		synchronize_net();
	for (i = first; i < n; i++)
		vmq_queue_give_back(port->queue[i]);
	if (!first)
		vmq_rss_port_destroy(port);
	vmq_rss_unclaim(port->adapter);
	mutex_unlock(&port->adapter->lock);
}

/* ---- ethtool -L ---- */

/* Does a rule, or a table that somebody set, need one of these queues? */
static bool vmq_port_needs_queues(struct vmq_port *port, u32 first)
{
	struct vmq_queue *q;
	u32 i;

	for (i = first; i < port->n_queues; i++)
		if (port->queue[i]->filters || vmq_filter_away(port->queue[i]))
			return true;
	if (!vmq_rss_port_follows(port) &&
	    vmq_rss_names(&port->soft, port, first))
		return true;
	for (i = 0; (q = vmq_rss_port_target(port, i)); i++)
		if (vmq_rss_names(q, port, first))
			return true;
	return false;
}

static int vmq_port_grow(struct vmq_port *port, u32 count)
{
	struct vmq_adapter *a = port->adapter;
	u32 old = port->n_queues, n;
	int err;

	mutex_lock(&a->lock);
	err = vmq_port_alloc_queues(port, count, &n);
	if (!err)
		err = vmq_rss_port_build(port, count);
	if (err)
		vmq_queue_free(port->queue + old, n - old);
	mutex_unlock(&a->lock);
	if (err)
		return err;
	vmq_port_have_queues(port, count);
	vmq_port_complete_queues(port, old);
	vmq_port_say(port);
	err = netif_set_real_num_queues(port->dev, vmq_port_tx_queues(port),
					count);
	if (!err) {
		mutex_lock(&a->lock);
		vmq_rss_port_publish(port);
		mutex_unlock(&a->lock);
		return 0;
	}
	/* no table has them yet */
	mutex_lock(&a->lock);
	vmq_rss_port_unbuild(port);
	mutex_unlock(&a->lock);
	vmq_port_stop_queues(port, old);
	synchronize_net();
	vmq_port_give_back_queues(port, old);
	netif_set_real_num_queues(port->dev, vmq_port_tx_queues(port), old);
	return err;
}

static int vmq_port_shrink(struct vmq_port *port, u32 count)
{
	struct vmq_adapter *a = port->adapter;
	u32 old = port->n_queues;
	int err;

	mutex_lock(&a->lock);
	err = vmq_port_needs_queues(port, count) ? -EBUSY :
						   vmq_rss_port_build(port,
								      count);
	mutex_unlock(&a->lock);
	if (err)
		return err;
	/* fewer than there are, which does not fail */
	netif_set_real_num_queues(port->dev,
				  min(count, port->dev->num_tx_queues), count);
	mutex_lock(&a->lock);
	vmq_rss_port_publish(port);
	/* frames that met the old table arrive */
	vmq_queue_settle(port->queue + count, old - count);
	mutex_unlock(&a->lock);
	vmq_port_stop_queues(port, count);
	synchronize_net();
	vmq_port_give_back_queues(port, count);
	return 0;
}

/**
 * vmq_port_resize() - gives a port more queues, or fewer (V-19, V-44 to V-46)
 * @port: the port, not on its way out
 * @count: how many, 1 to num_rx_queues of its netdev
 *
 * No frame is lost. A table that nobody set is over all of them afterwards, one
 * that somebody did stays as it is.
 *
 * Context: Process context, sleeps, rtnl held; takes adapter->lock.
 * Return: 0, -ENOSPC if there are not so many free queues, -EBUSY if a rule, a
 * context or the port's table names a queue that would go, while its state is
 * saved or restored, or where the port works from the default queue, or
 * -ENOMEM. Nothing changed then.
 */
int vmq_port_resize(struct vmq_port *port, u32 count)
{
	struct vmq_pool_use *use = &port->adapter->vports;
	u32 old = port->n_queues;
	struct vmq_pool pool;
	int err;

	if (!old || vmq_session_runs(port))
		return -EBUSY;
	vmq_adapter_pool(port->adapter, &pool);
	err = vmq_pool_resize(&pool, use, old, count);
	if (err)
		return err;
	if (count > old)
		err = vmq_port_grow(port, count);
	else if (count < old)
		err = vmq_port_shrink(port, count);
	if (err)
		vmq_pool_resize(&pool, use, count, old);
	else
		vmq_notify_port(port);
	return err;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The table of a port: over its own queues, counted from 0 (V-37).
 */
#include <linux/slab.h>

#include "vmq_priv.h"

/**
 * vmq_rss_port_init() - spreads the flows of a port over its queues (V-37)
 * @port: the port, with queues and room for several
 *
 * Context: Process context, adapter->lock held.
 * Return: 0 or -ENOMEM.
 */
int vmq_rss_port_init(struct vmq_port *port)
{
	struct vmq_rss *rss = vmq_rss_first(port->dev->num_rx_queues);
	u32 i;

	if (!rss)
		return -ENOMEM;
	for (i = 0; i < rss->size; i++)
		rss->table[i] = port->queue[i % port->n_queues];
	rss->dflt = port->queue[0];
	port->spread.soft = &port->soft;
	port->spread.follows = true;
	INIT_LIST_HEAD(&port->spread.offsets);
	rcu_assign_pointer(port->soft.rss, rss);
	return 0;
}

/**
 * vmq_rss_port_destroy() - frees what vmq_rss_port_init() made, if it was called
 * @port: the port
 *
 * Context: Process context, adapter->lock held.
 */
void vmq_rss_port_destroy(struct vmq_port *port)
{
	struct vmq_rss *rss;

	rss = rcu_replace_pointer(port->soft.rss, NULL,
				  lockdep_is_held(&port->adapter->lock));
	if (rss)
		kvfree_rcu(rss, rcu);
}

/**
 * vmq_rss_port_follows() - is the table of a port over whatever queues it has?
 * @port: the port
 *
 * Context: Process context, rtnl held.
 * Return: true unless somebody set it.
 */
bool vmq_rss_port_follows(const struct vmq_port *port)
{
	return port->spread.follows && !netif_is_rxfh_configured(port->dev);
}

/**
 * vmq_rss_names() - does a table name queues of a port?
 * @soft: what stands for the table
 * @port: the port
 * @first: index of the first of these queues; all behind it count too
 *
 * Context: Process context, adapter->lock held.
 * Return: true if it names one.
 */
bool vmq_rss_names(const struct vmq_queue *soft, const struct vmq_port *port,
		   u32 first)
{
	const struct vmq_rss *rss;
	u32 i;

	rss = rcu_dereference_protected(soft->rss,
					lockdep_is_held(&port->adapter->lock));
	for (i = 0; rss && i < rss->size; i++)
		if (rss->table[i]->index >= first)
			return true;
	return false;
}

/**
 * vmq_rss_port_build() - makes the table for another number of queues
 * @port: the port
 * @count: the number; its queues are in place
 *
 * Context: Process context, adapter->lock held.
 * Return: 0, with a next table where the port's follows, or -ENOMEM.
 */
int vmq_rss_port_build(struct vmq_port *port, u32 count)
{
	struct vmq_adapter *a = port->adapter;
	u32 *ids, size, i;
	int err;

	if (!vmq_rss_port_follows(port))
		return 0;
	size = vmq_spread_rss(a, &port->spread)->size;
	ids = kvmalloc_array(size, sizeof(*ids), GFP_KERNEL);
	if (!ids)
		return -ENOMEM;
	for (i = 0; i < size; i++)
		ids[i] = port->queue[ethtool_rxfh_indir_default(i, count)]->id;
	err = vmq_rss_build(a, &port->spread, ids, port, NULL, NULL);
	kvfree(ids);
	return err;
}

/**
 * vmq_rss_port_publish() - puts the next table in place, where there is one
 * @port: the port
 *
 * Context: Process context, sleeps; adapter->lock held.
 */
void vmq_rss_port_publish(struct vmq_port *port)
{
	if (port->spread.next)
		vmq_rss_publish(port->adapter, &port->spread);
}

/**
 * vmq_rss_port_unbuild() - frees the next table
 * @port: the port
 *
 * Context: Process context, adapter->lock held.
 */
void vmq_rss_port_unbuild(struct vmq_port *port)
{
	if (port->spread.next)
		vmq_rss_drop(port->spread.next);
	port->spread.next = NULL;
}

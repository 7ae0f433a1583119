// SPDX-License-Identifier: GPL-2.0
/*
 * How a port spreads its flows (V-37), to and from the core record; its item is
 * read and written in state_tlv_rss.c.
 */
#include <linux/slab.h>

#include "state.h"

/**
 * vmq_core_rss_save() - how a port spreads its flows
 * @port: the port
 * @out: set to that, to be freed with kfree(); NULL for a port with one queue
 *
 * Context: Process context, rtnl held; takes adapter->lock.
 * Return: 0 or -ENOMEM.
 */
int vmq_core_rss_save(struct vmq_port *port, struct vmq_core_rss **out)
{
	struct vmq_adapter *a = port->adapter;
	struct vmq_rss_hash *hash;
	struct vmq_core_rss *rss;
	u32 size;

	*out = NULL;
	if (port->n_queues < 2)
		return 0;
	size = vmq_rss_size(a, &port->spread);
	hash = kmalloc(sizeof(*hash), GFP_KERNEL);
	rss = kzalloc(struct_size(rss, table, size), GFP_KERNEL_ACCOUNT);
	if (!hash || !rss) {
		kfree(hash);
		kfree(rss);
		return -ENOMEM;
	}
	rss->size = size;
	rss->queues = port->n_queues;
	vmq_rss_get(a, &port->spread, rss->table, hash);
	memcpy(rss->key, hash->key, sizeof(rss->key));
	memcpy(rss->fields, hash->fields, sizeof(rss->fields));
	kfree(hash);
	*out = rss;
	return 0;
}

/**
 * vmq_core_rss_apply() - makes a port spread its flows like that
 * @port: the port
 * @rss: how
 * @extack: says why not
 *
 * Key and fields are those of the record. The table is too where the port has as
 * many queues as it was for; otherwise the port's own stays, for nobody knows
 * what the other would mean here. A port with one queue has nothing to spread.
 *
 * Context: Process context, rtnl held; takes adapter->lock.
 * Return: 0 or -ENOMEM, with nothing changed.
 */
int vmq_core_rss_apply(struct vmq_port *port, const struct vmq_core_rss *rss,
		       struct netlink_ext_ack *extack)
{
	struct vmq_rss_change change = {
		.key = rss->key,
		.fields = rss->fields,
	};
	u32 *table, size, i;
	int err;

	if (port->n_queues < 2)
		return 0;
	size = vmq_rss_size(port->adapter, &port->spread);
	table = kmalloc_array(size, sizeof(*table), GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	/* both sizes are powers of two: a smaller table means it repeated */
	if (rss->queues == port->n_queues && rss->size <= size) {
		for (i = 0; i < size; i++)
			table[i] = rss->table[i % rss->size];
		change.table = table;
	}
	err = vmq_rss_change(port->adapter, &port->spread, &change, extack);
	kfree(table);
	return err;
}

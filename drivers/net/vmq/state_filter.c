// SPDX-License-Identifier: GPL-2.0
/*
 * The filters of a port that move with it: those that test the destination MAC address
 * and the VLAN id, but the one for its own address, which the port makes itself (F-17).
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/slab.h>

#include "state.h"

/* ---- save ---- */

/*
 * Is this filter one that moves? Those that test more than the destination MAC
 * address and the VLAN id belong to this host's administrator.
 */
static bool vmq_core_filter_moves(const struct vmq_port *port,
				  const struct vmq_filter *f,
				  unsigned long location,
				  struct vmq_core_filter *out)
{
	struct vmq_key mask = f->rule->mask;

	if (!f->queue || rcu_access_pointer(f->queue->port) != port ||
	    location == port->mac_location || f->fs.flow_type & FLOW_RSS)
		return false;
	if (!is_broadcast_ether_addr(mask.dst))
		return false;
	if (!mask.vlan)
		out->vid = VMQ_CORE_VID_ANY;
	else if (mask.vlan == htons(VLAN_VID_MASK))
		out->vid = ntohs(f->rule->key.vlan);
	else
		return false;
	eth_zero_addr(mask.dst);
	mask.vlan = 0;
	if (memchr_inv(&mask, 0, sizeof(mask)) || out->vid == VLAN_VID_MASK)
		return false;
	ether_addr_copy(out->mac, f->rule->key.dst);
	out->index = f->queue->index;
	return true;
}

/**
 * vmq_core_filter_save() - the filters of a port that move
 * @port: the port
 * @st: the record; its filters and what it says of queues are set
 * @extack: says why not
 *
 * Context: Process context, rtnl held; takes adapter->lock.
 * Return: 0, -E2BIG for more than can move, or -ENOMEM.
 */
int vmq_core_filter_save(struct vmq_port *port, struct vmq_core_state *st,
			 struct netlink_ext_ack *extack)
{
	struct vmq_adapter *a = port->adapter;
	struct vmq_core_filter one;
	struct vmq_filter *f;
	unsigned long loc;
	u32 n = 0;
	int err = 0;

	mutex_lock(&a->lock);
	st->queues = port->n_queues;
	if (port->n_queues)
		strscpy(st->queue_name, port->queue[0]->param.name);
	xa_for_each(&a->filters, loc, f)
		n += vmq_core_filter_moves(port, f, loc, &one);
	if (n > VMQ_CORE_MAX_FILTERS) {
		NL_SET_ERR_MSG_FMT(extack, "%s has %u filters, more than the %u that can move",
				   port->dev->name, n, VMQ_CORE_MAX_FILTERS);
		err = -E2BIG;
		goto unlock;
	}
	if (!n)
		goto unlock;
	st->filters = kvcalloc(n, sizeof(*st->filters), GFP_KERNEL_ACCOUNT);
	if (!st->filters) {
		err = -ENOMEM;
		goto unlock;
	}
	xa_for_each(&a->filters, loc, f)
		if (vmq_core_filter_moves(port, f, loc, &one))
			st->filters[st->n_filters++] = one;
unlock:
	mutex_unlock(&a->lock);
	return err;
}

/* ---- restore ---- */

static void vmq_core_filter_spec(struct vmq_port *port,
				 const struct vmq_core_filter *f,
				 struct vmq_filter_spec *spec)
{
	bool any = f->vid == VMQ_CORE_VID_ANY;
	u16 index = f->index < port->n_queues ? f->index : 0;

	vmq_filter_mac_spec(spec, f->mac, any ? 0 : f->vid);
	if (any) {
		spec->mask.vlan = 0;
		spec->fs.flow_type &= ~FLOW_EXT;
		spec->fs.m_ext.vlan_tci = 0;
	}
	spec->owner = VMQ_OWNER_PORT;
	spec->port = port;
	spec->queue = port->n_queues ? port->queue[index]->id : 0;
}

/**
 * vmq_core_filter_taken() - has somebody a filter of the record on this host?
 * @port: the port
 * @f: the filter
 * @extack: says who has
 *
 * Context: Process context, rtnl held; takes adapter->lock.
 * Return: 1 where the port has it already, 0 where nobody has, -EEXIST where somebody
 * else has.
 */
int vmq_core_filter_taken(struct vmq_port *port,
			  const struct vmq_core_filter *f,
			  struct netlink_ext_ack *extack)
{
	struct vmq_adapter *a = port->adapter;
	const struct vmq_rule *rule;
	struct vmq_filter_spec spec;
	struct vmq_queue *q;
	int ret = 0;

	vmq_core_filter_spec(port, f, &spec);
	mutex_lock(&a->lock);
	rule = vmq_rules_find(&a->rules, &spec.key, &spec.mask);
	if (rule) {
		q = rule->target;
		ret = rcu_access_pointer(q->port) == port ? 1 : -EEXIST;
		if (ret < 0)
			NL_SET_ERR_MSG_FMT(extack, "filter %u of %s has %pM already",
					   rule->id, a->dev->name, f->mac);
	}
	mutex_unlock(&a->lock);
	return ret;
}

/**
 * vmq_core_filter_apply() - sets the filters of a record that the port has not yet
 * @port: the port
 * @st: the record
 * @undo: which of them it were, in order to undo it; where this fails, too
 * @extack: says why not
 *
 * Context: Process context, rtnl held; takes adapter->lock.
 * Return: 0, -EEXIST where somebody else has one, an error of vmq_filter_set(), or
 * -ENOMEM.
 */
int vmq_core_filter_apply(struct vmq_port *port,
			  const struct vmq_core_state *st,
			  struct vmq_core_filter_undo *undo,
			  struct netlink_ext_ack *extack)
{
	struct vmq_filter_spec spec;
	int ret;
	u32 i;

	if (!st->n_filters)
		return 0;
	undo->location = kvcalloc(st->n_filters, sizeof(*undo->location),
				  GFP_KERNEL_ACCOUNT);
	if (!undo->location)
		return -ENOMEM;
	for (i = 0; i < st->n_filters; i++) {
		ret = vmq_core_filter_taken(port, &st->filters[i], extack);
		if (ret < 0)
			return ret;
		if (ret)
			continue;
		vmq_core_filter_spec(port, &st->filters[i], &spec);
		ret = vmq_filter_set(port->adapter, &spec, extack);
		if (ret < 0)
			return ret;
		undo->location[undo->n++] = spec.location;
	}
	return 0;
}

/**
 * vmq_core_filter_undo() - clears what vmq_core_filter_apply() set
 * @port: the port
 * @undo: which it were
 *
 * Context: Process context, rtnl held; takes adapter->lock.
 */
void vmq_core_filter_undo(struct vmq_port *port,
			  struct vmq_core_filter_undo *undo)
{
	while (undo->n)
		vmq_filter_clear(port->adapter, undo->location[--undo->n],
				 VMQ_OWNER_PORT, port);
}

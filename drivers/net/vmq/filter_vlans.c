// SPDX-License-Identifier: GPL-2.0
/*
 * The VLANs whose floods a port takes: those of its filters that its policy allows
 * (M-04).
 */
#include "policy.h"

static bool vmq_port_may_vlan(const struct vmq_port *port, u16 vid)
{
	const struct vmq_policy *p = rtnl_dereference(port->policy);

	return !p || vmq_policy_allows(p, vid);
}

static struct vmq_port *vmq_filter_to_port(const struct vmq_filter *f)
{
	if (!f->queue || !vmq_filter_is_mac(&f->rule->mask))
		return NULL;
	/* the uplink floods to its own VFs */
	if (f->path && f->path->ops->uplink)
		return NULL;
	return rcu_dereference_protected(f->queue->port,
					 lockdep_rtnl_is_held());
}

/**
 * vmq_port_nth_queue() - the queues of a port, one by one
 * @port: the port
 * @i: 0 and up
 *
 * Context: Process context, rtnl held.
 * Return: its queues, what stands for it, its RSS contexts, then NULL.
 */
struct vmq_queue *vmq_port_nth_queue(struct vmq_port *port, u32 i)
{
	if (i < port->n_queues)
		return port->queue[i];
	if (i == port->n_queues)
		return &port->soft;
	return vmq_rss_port_target(port, i - port->n_queues - 1);
}

/* Does another filter of the port let in what this one did? */
static bool vmq_filter_vlans_left(struct vmq_port *port,
				  const struct vmq_rule *gone)
{
	const struct vmq_filter *f;
	struct vmq_queue *q;
	u32 i;

	for (i = 0; (q = vmq_port_nth_queue(port, i)); i++)
		list_for_each_entry(f, &q->rules, node)
			if (vmq_filter_is_mac(&f->rule->mask) &&
			    (!f->rule->mask.vlan ||
			     (gone->mask.vlan &&
			      f->rule->key.vlan == gone->key.vlan)))
				return true;
	return false;
}

/* Bits are tested one by one, so they may change one by one. */
static void vmq_filter_vlans_rebuild(struct vmq_port *port)
{
	DECLARE_BITMAP(vlans, VLAN_N_VID) = {};
	const struct vmq_filter *f;
	struct vmq_queue *q;
	u32 i;

	for (i = 0; (q = vmq_port_nth_queue(port, i)); i++) {
		list_for_each_entry(f, &q->rules, node) {
			if (!vmq_filter_is_mac(&f->rule->mask))
				continue;
			if (f->rule->mask.vlan)
				__set_bit(ntohs(f->rule->key.vlan), vlans);
			else
				bitmap_fill(vlans, VLAN_N_VID);
		}
	}
	for_each_set_bit(i, vlans, VLAN_N_VID)
		if (!vmq_port_may_vlan(port, i))
			__clear_bit(i, vlans);
	for (i = 0; i < BITS_TO_LONGS(VLAN_N_VID); i++)
		WRITE_ONCE(port->vlans[i], vlans[i]);
}

/**
 * vmq_filter_vlans_add() - lets a port take the floods that a filter lets in
 * @f: the filter, on its queue's list
 *
 * Context: Process context, rtnl and adapter->lock held.
 */
void vmq_filter_vlans_add(const struct vmq_filter *f)
{
	struct vmq_port *port = vmq_filter_to_port(f);
	u16 vid = ntohs(f->rule->key.vlan);

	if (!port)
		return;
	if (!f->rule->mask.vlan)
		vmq_filter_vlans_rebuild(port);
	else if (vmq_port_may_vlan(port, vid))
		set_bit(vid, port->vlans);
}

/**
 * vmq_filter_vlans_del() - stops the floods that only this filter let in
 * @gone: the filter, taken off its queue's list
 *
 * Context: Process context, rtnl and adapter->lock held.
 */
void vmq_filter_vlans_del(const struct vmq_filter *gone)
{
	struct vmq_port *port = vmq_filter_to_port(gone);

	if (!port || port->deleted ||
	    vmq_filter_vlans_left(port, gone->rule))
		return;
	if (gone->rule->mask.vlan)
		clear_bit(ntohs(gone->rule->key.vlan), port->vlans);
	else
		vmq_filter_vlans_rebuild(port);
}

/**
 * vmq_filter_vlans_refresh() - the policy of a port changed
 * @port: the port
 *
 * Context: Process context, rtnl held; takes adapter->lock.
 */
void vmq_filter_vlans_refresh(struct vmq_port *port)
{
	mutex_lock(&port->adapter->lock);
	vmq_filter_vlans_rebuild(port);
	mutex_unlock(&port->adapter->lock);
}

/**
 * vmq_filter_port_vlans() - the VLANs of a port that filters led to before it was
 * @port: netdev of a VF, new, behind the VF's queue
 *
 * Context: Process context, rtnl held; takes adapter->lock.
 */
void vmq_filter_port_vlans(struct vmq_port *port)
{
	const struct vmq_filter *f;
	struct vmq_queue *q;
	u32 i;

	mutex_lock(&port->adapter->lock);
	for (i = 0; (q = vmq_port_nth_queue(port, i)); i++)
		list_for_each_entry(f, &q->rules, node)
			vmq_filter_vlans_add(f);
	mutex_unlock(&port->adapter->lock);
}

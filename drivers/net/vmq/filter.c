// SPDX-License-Identifier: GPL-2.0
/*
 * The filters of an adapter: one table of rules with ids, owners and targets,
 * whoever set them (ethtool, netlink or a port), and what the uplink is told of
 * them. The matching itself is rule.c.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>

#include "vmq_priv.h"

/* Is this a VMQ filter: full destination MAC, the VLAN id at most? (F-17) */
static bool vmq_filter_is_mac(const struct vmq_key *mask)
{
	struct vmq_key rest = *mask;

	if (!is_broadcast_ether_addr(mask->dst))
		return false;
	if (mask->vlan && mask->vlan != htons(VLAN_VID_MASK))
		return false;
	eth_zero_addr(rest.dst);
	rest.vlan = 0;
	return !memchr_inv(&rest, 0, sizeof(rest));
}

/**
 * vmq_filter_mac_spec() - asks for the filter that a port sets for its address
 * @spec: what is asked for, filled here but for owner and queue
 * @mac: the address
 * @vid: VLAN id 1 to 4094, or 0 for untagged-or-zero (F-24)
 *
 * Context: Any.
 */
void vmq_filter_mac_spec(struct vmq_filter_spec *spec, const u8 *mac, u16 vid)
{
	memset(spec, 0, sizeof(*spec));
	ether_addr_copy(spec->key.dst, mac);
	eth_broadcast_addr(spec->mask.dst);
	spec->key.vlan = htons(vid);
	spec->mask.vlan = htons(VLAN_VID_MASK);
	spec->location = VMQ_LOC_LAST;

	spec->fs.flow_type = ETHER_FLOW | FLOW_EXT;
	ether_addr_copy(spec->fs.h_u.ether_spec.h_dest, mac);
	eth_broadcast_addr(spec->fs.m_u.ether_spec.h_dest);
	spec->fs.h_ext.vlan_tci = htons(vid);
	spec->fs.m_ext.vlan_tci = htons(VLAN_VID_MASK);
}

/* ---- the uplink's share: addresses and VLAN ids that it must let in ---- */

/* Which of them a rule needs; a NIC would drop the frames of any other. */
static bool vmq_rule_needs_mac(const struct vmq_rule *rule)
{
	return is_broadcast_ether_addr(rule->mask.dst);
}

static u16 vmq_rule_needs_vid(const struct vmq_rule *rule)
{
	if ((ntohs(rule->mask.vlan) & VLAN_VID_MASK) != VLAN_VID_MASK)
		return 0;
	return ntohs(rule->key.vlan) & VLAN_VID_MASK;
}

static int vmq_uplink_addr_add(struct net_device *uplink, const u8 *mac)
{
	return is_multicast_ether_addr(mac) ? dev_mc_add(uplink, mac) :
					      dev_uc_add(uplink, mac);
}

static void vmq_uplink_addr_del(struct net_device *uplink, const u8 *mac)
{
	if (is_multicast_ether_addr(mac))
		dev_mc_del(uplink, mac);
	else
		dev_uc_del(uplink, mac);
}

static void vmq_filter_unsync(struct vmq_filter *f, struct net_device *uplink)
{
	u16 vid = vmq_rule_needs_vid(f->rule);

	if (!f->synced)
		return;
	f->synced = false;
	if (vid)
		vlan_vid_del(uplink, htons(ETH_P_8021Q), vid);
	if (vmq_rule_needs_mac(f->rule))
		vmq_uplink_addr_del(uplink, f->rule->key.dst);
}

static int vmq_filter_sync(struct vmq_filter *f, struct net_device *uplink)
{
	u16 vid = vmq_rule_needs_vid(f->rule);
	int err = 0;

	if (vid)
		err = vlan_vid_add(uplink, htons(ETH_P_8021Q), vid);
	if (err)
		return err;
	if (vmq_rule_needs_mac(f->rule))
		err = vmq_uplink_addr_add(uplink, f->rule->key.dst);
	if (err) {
		if (vid)
			vlan_vid_del(uplink, htons(ETH_P_8021Q), vid);
		return err;
	}
	f->synced = true;
	return 0;
}

/**
 * vmq_filters_sync_uplink() - tells a new uplink of all filters
 * @a: the adapter
 * @uplink: its uplink
 *
 * Context: Process context, rtnl held.
 * Return: 0 or the error of the uplink, which knows of none then.
 */
int vmq_filters_sync_uplink(struct vmq_adapter *a, struct net_device *uplink)
{
	struct vmq_filter *f;
	unsigned long loc;
	int err = 0;

	mutex_lock(&a->lock);
	xa_for_each(&a->filters, loc, f) {
		err = vmq_filter_sync(f, uplink);
		if (err)
			break;
	}
	mutex_unlock(&a->lock);
	if (err)
		vmq_filters_unsync_uplink(a, uplink);
	return err;
}

/**
 * vmq_filters_unsync_uplink() - takes all filters back from the uplink
 * @a: the adapter
 * @uplink: its uplink
 *
 * Context: Process context, rtnl held.
 */
void vmq_filters_unsync_uplink(struct vmq_adapter *a,
			       struct net_device *uplink)
{
	struct vmq_filter *f;
	unsigned long loc;

	mutex_lock(&a->lock);
	xa_for_each(&a->filters, loc, f)
		vmq_filter_unsync(f, uplink);
	mutex_unlock(&a->lock);
}

/* ---- set and clear ---- */

static int vmq_filter_location(struct vmq_adapter *a, u32 *location,
			       struct netlink_ext_ack *extack)
{
	u32 loc;
	int err;

	switch (*location) {
	case VMQ_LOC_ANY:
		err = xa_alloc(&a->filters, location, NULL,
			       XA_LIMIT(0, VMQ_MAX_FILTERS - 1), GFP_KERNEL);
		if (err == -EBUSY) {
			NL_SET_ERR_MSG(extack, "the filter table is full");
			return -ENOSPC;
		}
		return err;
	case VMQ_LOC_LAST:
		for (loc = VMQ_MAX_FILTERS; loc-- > 0; )
			if (!xa_load(&a->filters, loc))
				break;
		if (loc == ~0U) {
			NL_SET_ERR_MSG(extack, "the filter table is full");
			return -ENOSPC;
		}
		*location = loc;
		break;
	}
	if (*location >= VMQ_MAX_FILTERS) {
		NL_SET_ERR_MSG_FMT(extack, "location is not below %u",
				   VMQ_MAX_FILTERS);
		return -EINVAL;
	}
	/* so that storing the filter later can't fail */
	return xa_reserve(&a->filters, *location, GFP_KERNEL);
}

/* The queue that a filter asks for, able to take frames. */
static int vmq_filter_queue(struct vmq_adapter *a,
			    const struct vmq_filter_spec *spec,
			    struct vmq_queue **out, bool *fresh,
			    struct netlink_ext_ack *extack)
{
	struct vmq_queue *q;
	int err;

	*fresh = false;
	*out = NULL;
	if (spec->drop)
		return 0;
	if (spec->owner == VMQ_OWNER_PORT && !spec->port->n_queues) {
		*out = &spec->port->soft;
		return 0;
	}
	if (spec->queue >= a->dev->real_num_rx_queues) {
		NL_SET_ERR_MSG_FMT(extack, "queue %u is not switched on",
				   spec->queue);
		return -EINVAL;
	}
	q = vmq_queue_find(a, spec->queue);
	if (!q || q->state == VMQ_QUEUE_STATE_UNDEFINED) {
		err = vmq_queue_alloc_id(a, spec->queue, &q);
		if (err)
			return err;
		*fresh = true;
	}
	*out = q;
	return 0;
}

/* Counts a filter on its queue; the default and soft queues have no states. */
static int vmq_filter_count(struct vmq_queue *q)
{
	int err = 0;

	if (!q)
		return 0;
	if (q->id) {
		err = vmq_queue_event(q, VMQ_QEV_SET_FILTER);
		/* a rule's own queue has nobody else to complete it */
		if (!err && q->implicit && q->state == VMQ_QUEUE_STATE_SET)
			err = vmq_queue_event(q, VMQ_QEV_COMPLETE);
	}
	if (!err)
		q->filters++;
	return err;
}

/* Takes a filter off its queue's count; frees the queue that it alone held. */
static void vmq_filter_uncount(struct vmq_queue *q)
{
	if (!q)
		return;
	q->filters--;
	if (!q->id)
		return;
	vmq_queue_event(q, q->filters || q->shared ? VMQ_QEV_CLEAR_FILTER :
						     VMQ_QEV_CLEAR_LAST_FILTER);
	if (!q->filters && q->implicit)
		vmq_queue_free(&q, 1);
}

static void vmq_filter_vlans_changed(const struct vmq_filter *f)
{
	struct vmq_port *port;

	if (!f->queue)
		return;
	port = rcu_dereference_protected(f->queue->port,
					 lockdep_rtnl_is_held());
	if (port)
		vmq_port_update_vlans(port);
}

/* A port's own filter means all of its queues, a rule the one that it names. */
static struct vmq_queue *vmq_filter_target(const struct vmq_filter_spec *spec,
					   struct vmq_queue *q)
{
	if (!q)
		return &vmq_drop_queue;
	if (spec->owner == VMQ_OWNER_PORT && spec->port->n_queues > 1)
		return &spec->port->soft;
	return q;
}

static struct vmq_filter *vmq_filter_new(const struct vmq_filter_spec *spec,
					 struct vmq_queue *q, u32 location)
{
	struct vmq_filter *f;
	struct vmq_rule *rule;

	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	rule = kzalloc(sizeof(*rule), GFP_KERNEL_ACCOUNT);
	if (!f || !rule) {
		kfree(f);
		kfree(rule);
		return NULL;
	}
	rule->key = spec->key;
	rule->mask = spec->mask;
	rule->id = vmq_filter_id(location);
	rule->target = vmq_filter_target(spec, q);
	rule->last = q && !q->id && spec->owner != VMQ_OWNER_PORT &&
		     vmq_filter_is_mac(&spec->mask);
	f->rule = rule;
	f->queue = q;
	f->port = spec->port;
	f->owner = spec->owner;
	f->fs = spec->fs;
	f->fs.location = location;
	return f;
}

/**
 * vmq_filter_set() - sets a filter, or replaces the one at its location
 * @a: the adapter
 * @spec: what is asked for; the location that was chosen is written back
 * @extack: says why not
 *
 * Replacing is atomic for the data path: a frame that both filters match meets
 * one of them at every instant (F-30).
 *
 * Context: Process context, rtnl held; takes adapter->lock.
 * Return: 0; -EINVAL for a queue or location that does not exist, -EEXIST if an
 * identical filter is set (O-11), -EPERM if the location holds somebody else's
 * (F-05), -ENOSPC if the table is full, -EBUSY if the queue is being freed,
 * -ENOMEM, or an error of the uplink. Nothing changed then.
 */
int vmq_filter_set(struct vmq_adapter *a, struct vmq_filter_spec *spec,
		   struct netlink_ext_ack *extack)
{
	struct net_device *uplink = rtnl_dereference(a->uplink);
	const struct vmq_rule *twin;
	struct vmq_filter *f, *old;
	struct vmq_queue *q;
	bool fresh;
	int err;

	mutex_lock(&a->lock);
	old = spec->location < VMQ_MAX_FILTERS ?
	      xa_load(&a->filters, spec->location) : NULL;
	if (old && (old->owner != spec->owner || old->port != spec->port)) {
		NL_SET_ERR_MSG(extack, "the filter at this location belongs to a port");
		err = -EPERM;
		goto unlock;
	}
	twin = vmq_rules_find(&a->rules, &spec->key, &spec->mask);
	if (twin && !(old && old->rule == twin)) {
		NL_SET_ERR_MSG_FMT(extack, "filter %u already matches exactly this",
				   twin->id);
		err = -EEXIST;
		goto unlock;
	}
	if (!old) {
		err = vmq_filter_location(a, &spec->location, extack);
		if (err)
			goto unlock;
	}
	err = vmq_filter_queue(a, spec, &q, &fresh, extack);
	if (err)
		goto err_location;
	err = vmq_filter_count(q);
	if (err) {
		NL_SET_ERR_MSG_FMT(extack, "queue %u is being freed", q->id);
		goto err_queue;
	}
	err = -ENOMEM;
	f = vmq_filter_new(spec, q, spec->location);
	if (!f)
		goto err_count;
	if (uplink) {
		err = vmq_filter_sync(f, uplink);
		if (err) {
			NL_SET_ERR_MSG_FMT(extack, "%s does not take the address or VLAN id",
					   uplink->name);
			goto err_filter;
		}
	}
	err = old ? vmq_rules_replace(&a->rules, old->rule, f->rule) :
		    vmq_rules_add(&a->rules, f->rule);
	if (err)
		goto err_sync;

	/* the slot is there, so this does not allocate */
	xa_store(&a->filters, spec->location, f, GFP_KERNEL);
	if (old) {
		vmq_filter_uncount(old->queue);
		if (uplink)
			vmq_filter_unsync(old, uplink);
		vmq_filter_vlans_changed(old);
		kfree_rcu(old->rule, rcu);
		kfree(old);
	} else {
		a->n_filters++;
	}
	vmq_filter_vlans_changed(f);
	vmq_notify_filter(a, f, old ? "move" : "new");
	mutex_unlock(&a->lock);
	return 0;

err_sync:
	if (uplink)
		vmq_filter_unsync(f, uplink);
err_filter:
	kfree(f->rule);
	kfree(f);
err_count:
	vmq_filter_uncount(q);
	fresh = false;			/* that freed it */
err_queue:
	if (fresh)
		vmq_queue_free(&q, 1);
err_location:
	if (!old)
		xa_release(&a->filters, spec->location);
unlock:
	mutex_unlock(&a->lock);
	return err;
}

static void __vmq_filter_clear(struct vmq_adapter *a, u32 location,
			       struct vmq_filter *f)
{
	struct net_device *uplink = rtnl_dereference(a->uplink);

	lockdep_assert_held(&a->lock);
	vmq_rules_del(&a->rules, f->rule);
	xa_erase(&a->filters, location);
	a->n_filters--;
	if (uplink)
		vmq_filter_unsync(f, uplink);
	vmq_filter_vlans_changed(f);
	vmq_notify_filter(a, f, "del");
	vmq_filter_uncount(f->queue);
	kfree_rcu(f->rule, rcu);
	kfree(f);
}

/**
 * vmq_filter_clear() - clears one filter
 * @a: the adapter
 * @location: of the filter
 * @owner: who asks
 * @port: the port that asks, if one does
 *
 * When it returns, no frame is delivered because of the filter.
 *
 * Context: Process context, sleeps, rtnl held; takes adapter->lock.
 * Return: 0, -ENOENT if there is none (F-08), or -EPERM if somebody else set it
 * (F-05).
 */
int vmq_filter_clear(struct vmq_adapter *a, u32 location, u8 owner,
		     struct vmq_port *port)
{
	struct vmq_filter *f;
	int err = 0;

	mutex_lock(&a->lock);
	f = location < VMQ_MAX_FILTERS ? xa_load(&a->filters, location) : NULL;
	if (!f)
		err = -ENOENT;
	else if (f->owner != owner || f->port != port)
		err = -EPERM;
	else
		__vmq_filter_clear(a, location, f);
	mutex_unlock(&a->lock);
	if (!err)
		synchronize_net();
	return err;
}

/**
 * vmq_filter_flush() - clears all filters of an owner
 * @a: the adapter
 * @owner: whose
 * @port: the port, if the owner is one
 *
 * Context: Process context, sleeps, rtnl held; takes adapter->lock.
 */
void vmq_filter_flush(struct vmq_adapter *a, u8 owner, struct vmq_port *port)
{
	struct vmq_filter *f;
	bool any = false;
	unsigned long loc;

	mutex_lock(&a->lock);
	xa_for_each(&a->filters, loc, f) {
		if (f->owner != owner || f->port != port)
			continue;
		__vmq_filter_clear(a, loc, f);
		any = true;
	}
	mutex_unlock(&a->lock);
	if (any)
		synchronize_net();
}

/**
 * vmq_filter_flush_queues() - clears every filter whose target a port is
 * @port: the port, about to go
 *
 * The administrator's rules for the port's queues go with the port: their
 * target does not exist any more (F-07).
 *
 * Context: Process context, sleeps, rtnl held; takes adapter->lock.
 */
void vmq_filter_flush_queues(struct vmq_port *port)
{
	struct vmq_adapter *a = port->adapter;
	struct vmq_filter *f;
	unsigned long loc;

	mutex_lock(&a->lock);
	xa_for_each(&a->filters, loc, f)
		if (f->queue &&
		    rcu_access_pointer(f->queue->port) == port)
			__vmq_filter_clear(a, loc, f);
	mutex_unlock(&a->lock);
}

/**
 * vmq_filter_vlans() - VLAN ids that filters let in to a port
 * @port: the port
 * @vlans: bitmap of VLAN_N_VID bits, set here; bit 0 is untagged
 *
 * Context: Process context, adapter->lock held.
 */
void vmq_filter_vlans(const struct vmq_port *port, unsigned long *vlans)
{
	struct vmq_adapter *a = port->adapter;
	struct vmq_filter *f;
	unsigned long loc;

	lockdep_assert_held(&a->lock);
	bitmap_zero(vlans, VLAN_N_VID);
	xa_for_each(&a->filters, loc, f) {
		if (!f->queue || rcu_access_pointer(f->queue->port) != port ||
		    !vmq_filter_is_mac(&f->rule->mask))
			continue;
		if (!f->rule->mask.vlan)
			bitmap_fill(vlans, VLAN_N_VID);
		else
			__set_bit(ntohs(f->rule->key.vlan), vlans);
	}
}

/**
 * vmq_filters_init() - prepares an adapter's filters
 * @a: the adapter
 *
 * Context: Process context.
 * Return: 0 or -ENOMEM.
 */
int vmq_filters_init(struct vmq_adapter *a)
{
	int err;

	xa_init_flags(&a->filters, XA_FLAGS_ALLOC);
	err = vmq_rules_init(&a->rules);
	if (err)
		return err;
	a->filter_drops = vmq_stats_alloc();
	if (!a->filter_drops) {
		vmq_rules_destroy(&a->rules);
		return -ENOMEM;
	}
	return 0;
}

/**
 * vmq_filters_destroy() - frees what vmq_filters_init() made
 * @a: the adapter, without filters and out of reach of frames
 *
 * Context: Process context.
 */
void vmq_filters_destroy(struct vmq_adapter *a)
{
	if (!a->filter_drops)
		return;
	WARN_ON_ONCE(!xa_empty(&a->filters));
	xa_destroy(&a->filters);
	vmq_rules_destroy(&a->rules);
	free_percpu(a->filter_drops);
	a->filter_drops = NULL;
}

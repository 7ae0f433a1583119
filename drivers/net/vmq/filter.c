// SPDX-License-Identifier: GPL-2.0
/*
 * The filters of an adapter: one table of rules with ids, owners and targets,
 * whoever set them (ethtool, netlink or a port). The matching itself is rule.c,
 * clearing many at once filter_flush.c, what the uplink is told of them
 * uplink_addr.c and uplink_offload.c.
 *
 * Adding, replacing and clearing one costs the same however many there are: each
 * queue has the list of its own, and a bitmap says which location is free.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>

#include "vmq_priv.h"

/**
 * vmq_filter_is_mac() - is this the mask of a VMQ filter? (F-17)
 * @mask: the mask
 *
 * Context: Any.
 * Return: true if it tests the whole destination MAC, the VLAN id at most, and
 * nothing else.
 */
bool vmq_filter_is_mac(const struct vmq_key *mask)
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

/* ---- what a filter asks for ---- */

static int vmq_filter_location(struct vmq_adapter *a, u32 *location,
			       struct netlink_ext_ack *extack)
{
	unsigned long loc = *location;

	if (loc == VMQ_LOC_ANY)
		loc = find_first_bit(a->free_locations, VMQ_MAX_FILTERS);
	else if (loc == VMQ_LOC_LAST)
		loc = find_last_bit(a->free_locations, VMQ_MAX_FILTERS);
	if (loc == VMQ_MAX_FILTERS && *location != loc) {
		NL_SET_ERR_MSG(extack, "the filter table is full");
		return -ENOSPC;
	}
	*location = loc;
	if (loc >= VMQ_MAX_FILTERS) {
		NL_SET_ERR_MSG_FMT(extack, "location is not below %u",
				   VMQ_MAX_FILTERS);
		return -EINVAL;
	}
	/* so that storing the filter later can't fail */
	return xa_reserve(&a->filters, loc, GFP_KERNEL);
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
	if (spec->vf) {
		*out = &spec->vf->path.queue;
		return 0;
	}
	if (spec->owner == VMQ_OWNER_PORT && !spec->port->n_queues) {
		*out = &spec->port->soft;
		return 0;
	}
	if (spec->rss && spec->add) {
		q = vmq_rss_offset_get(a, spec->context, spec->add, extack);
		if (IS_ERR(q))
			return PTR_ERR(q);
		*out = q;
		return 0;
	}
	if (spec->rss) {
		*out = vmq_rss_target(a, spec->context);
		if (!*out) {
			NL_SET_ERR_MSG_FMT(extack, "there is no RSS context %u",
					   spec->context);
			return -EINVAL;
		}
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

/**
 * vmq_filter_is_of() - may somebody replace or clear a filter (F-05)?
 * @f: the filter
 * @owner: who asks
 * @party: the port or the socket that asks, if one does
 *
 * What the administrator set by ethtool and what was kept over netlink is in the
 * same hands.
 *
 * Context: Process context, adapter->lock held.
 * Return: true if it is theirs.
 */
bool vmq_filter_is_of(const struct vmq_filter *f, u8 owner, const void *party)
{
	switch (f->owner) {
	case VMQ_OWNER_PORT:
		return owner == f->owner && party == f->port;
	case VMQ_OWNER_SOCKET:
		return owner == f->owner && party == f->sock;
	default:
		return owner == VMQ_OWNER_ETHTOOL || owner == VMQ_OWNER_ADAPTER;
	}
}

static const void *vmq_spec_party(const struct vmq_filter_spec *spec)
{
	return spec->port ?: (const void *)spec->sock;
}

/* Does a queue stop delivering when it loses a filter? */
static bool vmq_filter_is_last(const struct vmq_queue *q)
{
	return q && q->id && q->filters == 1 && !q->shared;
}

/**
 * vmq_filter_count() - counts a filter on its queue
 * @q: the queue, or NULL; the default queue, soft ones and those of VFs have no
 *	states
 *
 * Context: Process context, adapter->lock held.
 * Return: 0, or the errors of vmq_queue_event(), not counted then.
 */
int vmq_filter_count(struct vmq_queue *q)
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

/**
 * vmq_filter_uncount() - takes a filter off its queue's count
 * @q: the queue, or NULL
 * @gone: where the queue goes if the filter alone held it, stopped, for
 *	vmq_filter_give_back()
 *
 * Context: Process context, adapter->lock held.
 */
void vmq_filter_uncount(struct vmq_queue *q, struct list_head *gone)
{
	if (!q)
		return;
	q->filters--;
	if (!q->id)
		return;
	vmq_queue_event(q, vmq_queue_used(q) ? VMQ_QEV_CLEAR_FILTER :
					       VMQ_QEV_CLEAR_LAST_FILTER);
	if (!vmq_queue_used(q) && q->implicit && vmq_queue_stop(q))
		list_add_tail(&q->gone, gone);
}

/**
 * vmq_filter_give_back() - waits once for all frames of filters that are gone
 * @gone: queues and tables that went with their last filter; they are given back
 *
 * Context: Process context, sleeps; rtnl and adapter->lock held.
 */
void vmq_filter_give_back(struct list_head *gone)
{
	struct vmq_queue *q, *next;

	synchronize_net();
	list_for_each_entry_safe(q, next, gone, gone) {
		list_del_init(&q->gone);
		if (q->id)
			vmq_queue_give_back(q);
		else
			vmq_rss_offset_free(q);
	}
}

/* A filter that a table of its own stands for does not need it any more. */
static void vmq_filter_put_offset(const struct vmq_filter *f,
				  struct list_head *gone)
{
	if (f->add)
		vmq_rss_offset_put(f->home ?: f->queue, gone);
}

/* ---- set and clear ---- */

static void vmq_filter_link(struct vmq_filter *f)
{
	if (f->queue)
		list_add(&f->node, &f->queue->rules);
	vmq_filter_vlans_add(f);
}

static void vmq_filter_unlink(struct vmq_filter *f)
{
	list_del_init(&f->node);
	vmq_filter_vlans_del(f);
}

/* A port's own filter means all of its queues, a rule the one that it names. */
static struct vmq_queue *vmq_filter_target(const struct vmq_filter_spec *spec,
					   struct vmq_queue *q)
{
	if (!q)
		return &vmq_drop_queue;
	if (spec->owner == VMQ_OWNER_PORT &&
	    rcu_access_pointer(spec->port->soft.rss))
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
	if (q && q->dev) {
		rule->near = q->dev;
		rule->near_cpu = q->stats;
	}
	rule->last = q && !q->id && !spec->vf && !spec->rss &&
		     spec->owner != VMQ_OWNER_PORT &&
		     vmq_filter_is_mac(&spec->mask);
	INIT_LIST_HEAD(&f->node);
	f->rule = rule;
	f->queue = q;
	f->vf = spec->vf;
	f->port = spec->port;
	f->sock = spec->sock;
	f->owner = spec->owner;
	f->context = spec->context;
	f->add = spec->add;
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
 * one of them at every instant, and does not overtake those that met the old one
 * before (F-30).
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
	bool fresh, handover;
	LIST_HEAD(gone);
	int err;

	mutex_lock(&a->lock);
	old = spec->location < VMQ_MAX_FILTERS ?
	      xa_load(&a->filters, spec->location) : NULL;
	if (old && !vmq_filter_is_of(old, spec->owner, vmq_spec_party(spec))) {
		NL_SET_ERR_MSG_FMT(extack, "the filter at this location belongs to a %s",
				   old->port ? "port" : "socket");
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
	handover = old && vmq_queue_handover_begin(old->queue, q);
	err = old ? vmq_rules_replace(&a->rules, old->rule, f->rule) :
		    vmq_rules_add(&a->rules, f->rule);
	if (handover)
		vmq_queue_handover_end(old->queue, q);
	if (err)
		goto err_sync;

	/* the slot is there, so this does not allocate */
	xa_store(&a->filters, spec->location, f, GFP_KERNEL);
	vmq_filter_link(f);
	vmq_offload_set(a, f, old);
	if (old) {
		vmq_filter_unlink(old);
		/* frames that met the old one arrive before its queue stops */
		if (!handover && old->queue != q &&
		    vmq_filter_is_last(old->queue))
			vmq_queue_settle(&old->queue, 1);
		vmq_filter_uncount(old->queue, &gone);
		vmq_filter_put_offset(old, &gone);
		if (uplink)
			vmq_filter_unsync(old, uplink);
		kfree_rcu(old->rule, rcu);
		kfree(old);
	} else {
		__clear_bit(spec->location, a->free_locations);
		a->n_filters++;
		if (f->sock)
			f->sock->users++;
	}
	vmq_notify_filter(a, f, old ? "move" : "new");
	vmq_filter_follow(f);
	if (!list_empty(&gone))
		vmq_filter_give_back(&gone);
	mutex_unlock(&a->lock);
	return 0;

err_sync:
	if (uplink)
		vmq_filter_unsync(f, uplink);
err_filter:
	kfree(f->rule);
	kfree(f);
err_count:
	vmq_filter_uncount(q, &gone);
	if (!list_empty(&gone)) {
		vmq_filter_give_back(&gone);
		fresh = false;		/* that freed it */
	}
err_queue:
	if (spec->add) {
		vmq_rss_offset_put(q, &gone);
		if (!list_empty(&gone))
			vmq_filter_give_back(&gone);
	}
	if (fresh)
		vmq_queue_free(&q, 1);
err_location:
	if (!old)
		xa_release(&a->filters, spec->location);
unlock:
	mutex_unlock(&a->lock);
	return err;
}

/**
 * vmq_filter_remove() - takes a filter away
 * @a: the adapter
 * @f: the filter
 * @gone: what goes with it, for vmq_filter_give_back()
 *
 * Frames that met it may be on their way until a grace period is over.
 *
 * Context: Process context, rtnl and adapter->lock held.
 */
void vmq_filter_remove(struct vmq_adapter *a, struct vmq_filter *f,
		       struct list_head *gone)
{
	struct net_device *uplink = rtnl_dereference(a->uplink);

	lockdep_assert_held(&a->lock);
	vmq_rules_del(&a->rules, f->rule);
	xa_erase(&a->filters, f->fs.location);
	__set_bit(f->fs.location, a->free_locations);
	a->n_filters--;
	vmq_offload_clear(a, f);
	if (uplink)
		vmq_filter_unsync(f, uplink);
	vmq_filter_unlink(f);
	vmq_notify_filter(a, f, "del");
	vmq_filter_uncount(f->queue, gone);
	vmq_filter_put_offset(f, gone);
	if (f->sock)
		vmq_owner_put(f->sock);
	kfree_rcu(f->rule, rcu);
	kfree(f);
}

static int vmq_filter_take_off(struct vmq_adapter *a, u32 location, u8 owner,
			       const void *party, bool wait)
{
	struct vmq_filter *f;
	LIST_HEAD(gone);
	int err = 0;

	mutex_lock(&a->lock);
	f = location < VMQ_MAX_FILTERS ? xa_load(&a->filters, location) : NULL;
	if (!f)
		err = -ENOENT;
	else if (!vmq_filter_is_of(f, owner, party))
		err = -EPERM;
	else
		vmq_filter_remove(a, f, &gone);
	if (!err && (wait || !list_empty(&gone)))
		vmq_filter_give_back(&gone);
	mutex_unlock(&a->lock);
	return err;
}

/**
 * vmq_filter_clear() - clears one filter
 * @a: the adapter
 * @location: of the filter
 * @owner: who asks
 * @party: the port or the socket that asks, if one does
 *
 * When it returns, no frame is delivered because of the filter.
 *
 * Context: Process context, sleeps, rtnl held; takes adapter->lock.
 * Return: 0, -ENOENT if there is none (F-08), or -EPERM if somebody else set it
 * (F-05).
 */
int vmq_filter_clear(struct vmq_adapter *a, u32 location, u8 owner,
		     const void *party)
{
	return vmq_filter_take_off(a, location, owner, party, true);
}

/**
 * vmq_filter_clear_nowait() - clears one filter, one of many
 * @a: the adapter
 * @location: of the filter
 * @owner: who asks
 * @party: the port or the socket that asks, if one does
 *
 * A frame that is on its way may still be delivered because of the filter, until
 * a grace period is over; the caller waits for it after the last one.
 *
 * Context: Process context, sleeps, rtnl held; takes adapter->lock.
 * Return: as vmq_filter_clear().
 */
int vmq_filter_clear_nowait(struct vmq_adapter *a, u32 location, u8 owner,
			    const void *party)
{
	return vmq_filter_take_off(a, location, owner, party, false);
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

	xa_init(&a->filters);
	a->free_locations = bitmap_alloc(VMQ_MAX_FILTERS, GFP_KERNEL_ACCOUNT);
	if (!a->free_locations)
		return -ENOMEM;
	bitmap_fill(a->free_locations, VMQ_MAX_FILTERS);
	err = vmq_rules_init(&a->rules);
	if (err)
		goto err_locations;
	err = vmq_offload_init(a);
	if (err)
		goto err_rules;
	a->filter_drops = vmq_stats_alloc();
	if (a->filter_drops)
		return 0;

	err = -ENOMEM;
	vmq_offload_destroy(a);
err_rules:
	vmq_rules_destroy(&a->rules);
err_locations:
	bitmap_free(a->free_locations);
	return err;
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
	vmq_offload_destroy(a);
	vmq_rules_destroy(&a->rules);
	bitmap_free(a->free_locations);
	free_percpu(a->filter_drops);
	a->filter_drops = NULL;
}

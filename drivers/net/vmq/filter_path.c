// SPDX-License-Identifier: GPL-2.0
/*
 * A port's filters on their way to the VPort of its VF and back (F-30): one store
 * each, no memory, and frames find the old target or the new one.
 */
#include "vmq_priv.h"

static void vmq_filter_to_path(struct vmq_filter *f, struct vmq_path_vf *pv)
{
	struct vmq_adapter *a = pv->queue.adapter;

	/* the uplink's table counts it on the queue that it leaves */
	vmq_offload_clear(a, f);
	f->home = f->queue;
	f->home_target = f->rule->target;
	f->queue = &pv->queue;
	f->path = pv;
	pv->queue.filters++;
	vmq_rules_retarget(&a->rules, f->rule, &pv->queue);
	list_move_tail(&f->node, &pv->queue.rules);
	vmq_filter_vlans_add(f);
	if (pv->ops->uplink)
		vmq_filter_unsync(f, rtnl_dereference(a->uplink));
	vmq_notify_filter(a, f, "move");
}

/* Its queue may be without filters from here on. After a grace period. */
static void vmq_filter_left_home(struct vmq_filter *f)
{
	LIST_HEAD(gone);

	/* a port holds its queues, so none goes with its last filter */
	vmq_filter_uncount(f->home, &gone);
}

/**
 * vmq_filters_to_path() - moves all filters of a port's queues to a VF's VPort
 * @port: the port
 * @pv: the VF, its VPort's queue running
 *
 * When it returns, no frame is on its way by one of the old targets. Filters that
 * are set for the port's queues later go there too, by vmq_filter_follow().
 *
 * Context: Process context, sleeps, rtnl held; takes adapter->lock.
 */
void vmq_filters_to_path(struct vmq_port *port, struct vmq_path_vf *pv)
{
	struct vmq_filter *f, *next;
	struct vmq_queue *q;
	u32 i;

	mutex_lock(&port->adapter->lock);
	port->path.active = true;
	for (i = 0; (q = vmq_port_nth_queue(port, i)); i++)
		list_for_each_entry_safe(f, next, &q->rules, node)
			vmq_filter_to_path(f, pv);
	/* floods go where the filters lead, or the uplink has them go */
	bitmap_zero(port->vlans, VLAN_N_VID);
	synchronize_net();
	list_for_each_entry(f, &pv->queue.rules, node)
		if (f->home)
			vmq_filter_left_home(f);
	mutex_unlock(&port->adapter->lock);
}

/**
 * vmq_filter_follow() - a new filter goes where the others of its port are
 * @f: the filter, just set
 *
 * Context: Process context, sleeps, rtnl and adapter->lock held.
 */
void vmq_filter_follow(struct vmq_filter *f)
{
	struct vmq_port *port;

	if (!f->queue || f->path)
		return;
	port = rcu_dereference_protected(f->queue->port,
					 lockdep_rtnl_is_held());
	if (!port || !port->path.active)
		return;
	vmq_filter_to_path(f, port->path.vf);
	synchronize_net();
	vmq_filter_left_home(f);
}

/**
 * vmq_filter_away() - do filters come back to a target when a path ends?
 * @home: the target, that of a port or of an RSS context
 *
 * They are not counted in home->filters meanwhile.
 *
 * Context: Process context, rtnl held.
 * Return: true if there are any.
 */
bool vmq_filter_away(const struct vmq_queue *home)
{
	const struct vmq_port *port = rtnl_dereference(home->port);
	const struct vmq_filter *f;

	if (!port || !port->path.active)
		return false;
	list_for_each_entry(f, &port->path.vf->queue.rules, node)
		if (f->home == home)
			return true;
	return false;
}

static void vmq_filter_go_home(struct vmq_filter *f)
{
	struct vmq_adapter *a = f->queue->adapter;
	struct net_device *uplink = rtnl_dereference(a->uplink);

	/* runs before the first frame comes */
	WARN_ON_ONCE(vmq_filter_count(f->home));
	if (uplink && !f->synced && vmq_filter_sync(f, uplink))
		netdev_warn(a->dev, "%s does not take an address back\n",
			    uplink->name);
	f->queue->filters--;
	f->queue = f->home;
	f->path = NULL;
	f->home = NULL;
	vmq_rules_retarget(&a->rules, f->rule, f->home_target);
	list_move_tail(&f->node, &f->queue->rules);
	vmq_filter_vlans_add(f);
	vmq_notify_filter(a, f, "move");
}

/**
 * vmq_filters_to_port() - moves the filters of a port back to its queues
 * @port: the port
 * @pv: the VF where they are
 *
 * It can't fail. When it returns, no frame is on its way to the VF because of one
 * of them.
 *
 * Context: Process context, sleeps, rtnl held; takes adapter->lock.
 */
void vmq_filters_to_port(struct vmq_port *port, struct vmq_path_vf *pv)
{
	struct vmq_port *to = rcu_dereference_protected(pv->queue.port,
							lockdep_rtnl_is_held());
	struct vmq_filter *f, *next;

	mutex_lock(&port->adapter->lock);
	port->path.active = false;
	list_for_each_entry_safe(f, next, &pv->queue.rules, node)
		if (f->home)
			vmq_filter_go_home(f);
	/* not at once: this may be an event of the uplink, which has its lock */
	vmq_offload_check(port->adapter);
	if (to && to != port) {
		bitmap_zero(to->vlans, VLAN_N_VID);
		list_for_each_entry(f, &pv->queue.rules, node)
			vmq_filter_vlans_add(f);
	}
	synchronize_net();
	mutex_unlock(&port->adapter->lock);
	/* what it joined meanwhile, it joined by the VF */
	vmq_mcast_arrive(port);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The addresses and VLAN ids of the filters, which the uplink must let in: a
 * network card drops what is for any other. What has an uplink of its own below,
 * as a bond or a VLAN device does, passes them on.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>

#include "policy.h"

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

/**
 * vmq_filter_unsync() - takes a filter back from the uplink
 * @f: the filter
 * @uplink: the uplink of its adapter
 *
 * Context: Process context, rtnl and adapter->lock held.
 */
void vmq_filter_unsync(struct vmq_filter *f, struct net_device *uplink)
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

/**
 * vmq_filter_sync() - tells the uplink of a filter
 * @f: the filter
 * @uplink: the uplink of its adapter
 *
 * Context: Process context, rtnl and adapter->lock held.
 * Return: 0 or the error of the uplink, which does not know of it then.
 */
int vmq_filter_sync(struct vmq_filter *f, struct net_device *uplink)
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

static void vmq_filters_unsync(struct vmq_adapter *a,
			       struct net_device *uplink)
{
	struct vmq_filter *f;
	unsigned long loc;

	mutex_lock(&a->lock);
	xa_for_each(&a->filters, loc, f)
		vmq_filter_unsync(f, uplink);
	mutex_unlock(&a->lock);
}

/**
 * vmq_filters_sync_uplink() - tells a new uplink of all filters, and of trunks
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
	if (!err)
		err = vmq_policies_sync_uplink(a, uplink);
	if (err)
		vmq_filters_unsync(a, uplink);
	return err;
}

/**
 * vmq_filters_unsync_uplink() - takes back from the uplink what it was told
 * @a: the adapter
 * @uplink: its uplink
 *
 * Context: Process context, rtnl held.
 */
void vmq_filters_unsync_uplink(struct vmq_adapter *a,
			       struct net_device *uplink)
{
	vmq_policies_unsync_uplink(a, uplink);
	vmq_filters_unsync(a, uplink);
}

/* ---- does it filter by them in hardware? ---- */

#define VMQ_LOWER_DEPTH	8

static bool vmq_dev_filters(struct net_device *dev, bool multicast,
			    unsigned int depth)
{
	struct net_device *lower;
	struct list_head *iter;
	bool any = false;

	if (dev->flags & (IFF_PROMISC | (multicast ? IFF_ALLMULTI : 0)))
		return false;
	if (!depth)
		return false;
	netdev_for_each_lower_dev(dev, lower, iter) {
		if (!vmq_dev_filters(lower, multicast, depth - 1))
			return false;
		any = true;
	}
	return any || (dev->priv_flags & IFF_UNICAST_FLT);
}

/**
 * vmq_uplink_filters() - does the uplink receive the addresses of filters only?
 * @uplink: the uplink
 * @multicast: asked for a multicast address
 *
 * A device that does not filter, or one below it, is in promiscuous mode.
 *
 * Context: Process context, rtnl held.
 * Return: true if it and all devices below it filter by address.
 */
bool vmq_uplink_filters(struct net_device *uplink, bool multicast)
{
	return vmq_dev_filters(uplink, multicast, VMQ_LOWER_DEPTH);
}

/**
 * vmq_filter_has_addr() - did the uplink get an address for a filter?
 * @f: the filter
 *
 * Context: Process context, adapter->lock held.
 * Return: true if it did.
 */
bool vmq_filter_has_addr(const struct vmq_filter *f)
{
	return f->synced && vmq_rule_needs_mac(f->rule);
}

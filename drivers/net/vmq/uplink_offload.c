// SPDX-License-Identifier: GPL-2.0
/*
 * What the uplink is told of the filters, so that it lets their frames in.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>

#include "vmq_priv.h"

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

// SPDX-License-Identifier: GPL-2.0
/*
 * The uplink: attaching and detaching it, what it is asked to let in, and what
 * its changes mean for the adapter and the ports.
 */
#include <linux/etherdevice.h>
#include <linux/if_arp.h>

#include "rx_near.h"

/* ---- what follows the uplink ---- */

/**
 * vmq_uplink_carrier() - gives a netdev the operational state of the uplink
 * @a: the adapter; without an uplink it is a switch whose links are up
 * @dev: the adapter's netdev or a port's
 *
 * Context: Process context, rtnl held.
 */
void vmq_uplink_carrier(struct vmq_adapter *a, struct net_device *dev)
{
	struct net_device *uplink = rtnl_dereference(a->uplink);

	if (uplink) {
		netif_stacked_transfer_operstate(uplink, dev);
	} else {
		netif_dormant_off(dev);
		netif_testing_off(dev);
		netif_carrier_on(dev);
	}
	/* or its operational state stays unknown while nothing changes */
	linkwatch_fire_event(dev);
}

static void vmq_uplink_carriers(struct vmq_adapter *a)
{
	struct vmq_port *port;

	vmq_uplink_carrier(a, a->dev);
	list_for_each_entry(port, &a->ports, node)
		vmq_uplink_carrier(a, port->dev);
	list_for_each_entry(port, &a->vf_ports, node)
		vmq_vf_link(port->vf);
}

static void vmq_uplink_inherit(struct net_device *dev,
			       const struct net_device *uplink)
{
	netif_inherit_tso_max(dev, uplink);
	/* a VLAN device without hardware tagging has a longer header */
	dev->needed_headroom = uplink->needed_headroom +
			       uplink->hard_header_len - ETH_HLEN;
	dev->needed_tailroom = uplink->needed_tailroom;
	netdev_update_features(dev);
}

static void vmq_uplink_features(struct vmq_adapter *a,
				const struct net_device *uplink)
{
	struct vmq_port *port;

	vmq_uplink_inherit(a->dev, uplink);
	list_for_each_entry(port, &a->ports, node)
		vmq_uplink_inherit(port->dev, uplink);
	list_for_each_entry(port, &a->vf_ports, node)
		vmq_uplink_inherit(port->dev, uplink);
}

/* Sets the adapter's MTU on behalf of the uplink, not of the administrator. */
static int vmq_uplink_mtu(struct vmq_adapter *a, int mtu)
{
	unsigned int max = a->dev->max_mtu;
	bool by_hand = a->mtu_set;
	int err;

	a->dev->max_mtu = mtu;
	if (by_hand && a->dev->mtu <= mtu)
		return 0;
	err = dev_set_mtu(a->dev, mtu);
	a->mtu_set = by_hand;
	if (err)
		a->dev->max_mtu = max;
	return err;
}

/*
 * Takes the uplink's address, unless the administrator gave the adapter one, or gave
 * this one to a guest.
 */
static void vmq_uplink_take_mac(struct vmq_adapter *a,
				const struct net_device *uplink)
{
	if (a->dev->addr_assign_type == NET_ADDR_SET ||
	    ether_addr_equal(a->dev->dev_addr, uplink->dev_addr))
		return;
	if (vmq_adapter_gave_mac(a, uplink->dev_addr)) {
		netdev_warn(a->dev, "%pM of %s is the address of a port, and stays so\n",
			    uplink->dev_addr, uplink->name);
		return;
	}
	eth_hw_addr_set(a->dev, uplink->dev_addr);
	a->dev->addr_assign_type = NET_ADDR_STOLEN;
	call_netdevice_notifiers(NETDEV_CHANGEADDR, a->dev);
}

/* ---- what the uplink is asked for ---- */

/**
 * vmq_uplink_rx_flags() - asks the uplink for promiscuous and all-multicast mode
 * @a: the adapter
 *
 * Ports need all multicast frames: nobody tells us what a guest listens to.
 *
 * Context: Process context, rtnl held.
 */
void vmq_uplink_rx_flags(struct vmq_adapter *a)
{
	struct net_device *uplink = rtnl_dereference(a->uplink);
	bool allmulti = uplink && (a->n_ports || !list_empty(&a->vf_ports) ||
				   (a->dev->flags & IFF_ALLMULTI));
	bool promisc = uplink && (a->n_promisc ||
				  (a->dev->flags & IFF_PROMISC));

	if (!uplink || (promisc == a->uplink_promisc &&
			allmulti == a->uplink_allmulti))
		return;
	if (promisc != a->uplink_promisc &&
	    !dev_set_promiscuity(uplink, promisc ? 1 : -1))
		a->uplink_promisc = promisc;
	if (allmulti != a->uplink_allmulti &&
	    !dev_set_allmulti(uplink, allmulti ? 1 : -1))
		a->uplink_allmulti = allmulti;
	vmq_offload_check(a);
}

static void vmq_uplink_rx_flags_clear(struct vmq_adapter *a,
				      struct net_device *uplink)
{
	if (a->uplink_promisc)
		dev_set_promiscuity(uplink, -1);
	if (a->uplink_allmulti)
		dev_set_allmulti(uplink, -1);
	a->uplink_promisc = false;
	a->uplink_allmulti = false;
}

static void vmq_uplink_mac_clear(struct vmq_adapter *a,
				 struct net_device *uplink)
{
	if (is_zero_ether_addr(a->uplink_mac))
		return;
	dev_uc_del(uplink, a->uplink_mac);
	eth_zero_addr(a->uplink_mac);
}

/**
 * vmq_uplink_mac() - lets the uplink receive for the adapter's own address
 * @a: the adapter
 *
 * Context: Process context, rtnl held.
 */
void vmq_uplink_mac(struct vmq_adapter *a)
{
	struct net_device *uplink = rtnl_dereference(a->uplink);

	if (!uplink)
		return;
	vmq_uplink_mac_clear(a, uplink);
	if (ether_addr_equal(a->dev->dev_addr, uplink->dev_addr))
		return;
	if (dev_uc_add(uplink, a->dev->dev_addr))
		netdev_warn(a->dev, "%s does not take the address\n",
			    uplink->name);
	else
		ether_addr_copy(a->uplink_mac, a->dev->dev_addr);
}

/* ---- attach and detach ---- */

static int vmq_uplink_check(struct vmq_adapter *a, struct net_device *uplink,
			    struct netlink_ext_ack *extack)
{
	if (a->private) {
		NL_SET_ERR_MSG(extack, "a private switch has no uplink");
		return -EBUSY;
	}
	if (rtnl_dereference(a->uplink)) {
		NL_SET_ERR_MSG(extack, "the adapter has an uplink already");
		return -EBUSY;
	}
	if (vmq_is_adapter(uplink) || vmq_is_port(uplink) ||
	    vmq_is_vf(uplink)) {
		NL_SET_ERR_MSG(extack, "an adapter, a port or a VF can't be an uplink");
		return -EINVAL;
	}
	if (uplink->type != ARPHRD_ETHER || (uplink->flags & IFF_LOOPBACK)) {
		NL_SET_ERR_MSG(extack, "the uplink must be an Ethernet device");
		return -EINVAL;
	}
	if (uplink->priv_flags & IFF_NO_RX_HANDLER) {
		NL_SET_ERR_MSG(extack, "this kind of device can't be an uplink");
		return -EINVAL;
	}
	if (netdev_is_rx_handler_busy(uplink)) {
		NL_SET_ERR_MSG(extack, "the device is in use by a bridge, bond or the like");
		return -EBUSY;
	}
	if (a->mtu_set && a->dev->mtu > uplink->mtu) {
		NL_SET_ERR_MSG_FMT(extack, "the MTU %u is larger than the uplink's %u",
				   a->dev->mtu, uplink->mtu);
		return -EINVAL;
	}
	return 0;
}

/**
 * vmq_uplink_attach() - makes a netdev the uplink of an adapter
 * @a: the adapter
 * @uplink: the netdev; it is brought up
 * @extack: says why not
 *
 * Context: Process context, rtnl held.
 * Return: 0; -EBUSY if either has another partner already, -EINVAL if the
 * netdev can't be an uplink, or an error of the netdev. Nothing changed then.
 */
int vmq_uplink_attach(struct vmq_adapter *a, struct net_device *uplink,
		      struct netlink_ext_ack *extack)
{
	int err;

	ASSERT_RTNL();
	err = vmq_uplink_check(a, uplink, extack);
	if (err)
		return err;
	err = netdev_rx_handler_register(uplink, vmq_rx, a);
	if (err) {
		NL_SET_ERR_MSG(extack, "the device has a receive handler already");
		return err;
	}
	err = netdev_master_upper_dev_link(uplink, a->dev, NULL, NULL, extack);
	if (err)
		goto err_handler;
	a->opened_uplink = !(uplink->flags & IFF_UP);
	if (a->opened_uplink) {
		err = dev_open(uplink, extack);
		if (err)
			goto err_link;
	}
	err = vmq_filters_sync_uplink(a, uplink);
	if (err) {
		NL_SET_ERR_MSG(extack, "the uplink does not take the ports' addresses");
		goto err_open;
	}
	err = vlan_vids_add_by_dev(uplink, a->dev);
	if (err) {
		NL_SET_ERR_MSG(extack, "the uplink does not take the adapter's VLAN ids");
		goto err_sync;
	}
	err = vmq_uplink_mtu(a, uplink->mtu);
	if (err) {
		NL_SET_ERR_MSG(extack, "the adapter can't take the uplink's MTU");
		goto err_vids;
	}
	dev_disable_lro(uplink);
	netdev_hold(uplink, &a->uplink_tracker, GFP_KERNEL);
	rcu_assign_pointer(a->uplink, uplink);
	WRITE_ONCE(a->near_fits, vmq_near_uplink_fits(uplink));
	vmq_near_ports(a->n_ports);
	vmq_uplink_take_mac(a, uplink);
	vmq_uplink_mac(a);
	vmq_uplink_rx_flags(a);
	netif_addr_lock_bh(a->dev);
	dev_uc_sync(uplink, a->dev);
	dev_mc_sync(uplink, a->dev);
	netif_addr_unlock_bh(a->dev);
	vmq_uplink_features(a, uplink);
	vmq_uplink_carriers(a);
	vmq_offload_attach(a);
	vmq_uplink_vfs_attach(a);
	return 0;

err_vids:
	vlan_vids_del_by_dev(uplink, a->dev);
err_sync:
	vmq_filters_unsync_uplink(a, uplink);
err_open:
	if (a->opened_uplink)
		dev_close(uplink);
err_link:
	netdev_upper_dev_unlink(uplink, a->dev);
err_handler:
	netdev_rx_handler_unregister(uplink);
	return err;
}

/**
 * vmq_uplink_detach() - takes the uplink off an adapter, which becomes internal
 * @a: the adapter, with an uplink
 *
 * Context: Process context, rtnl held.
 */
void vmq_uplink_detach(struct vmq_adapter *a)
{
	struct net_device *uplink = rtnl_dereference(a->uplink);

	ASSERT_RTNL();
	vmq_uplink_vfs_detach(a);
	netdev_rx_handler_unregister(uplink);
	vmq_near_drain(a);
	a->near_fits = false;
	vmq_near_ports(-(int)a->n_ports);
	/* a sender may still hold it, and who adds an address without rtnl */
	RCU_INIT_POINTER(a->uplink, NULL);
	synchronize_net();
	dev_uc_unsync(uplink, a->dev);
	dev_mc_unsync(uplink, a->dev);
	vlan_vids_del_by_dev(uplink, a->dev);
	vmq_filters_unsync_uplink(a, uplink);
	vmq_uplink_mac_clear(a, uplink);
	vmq_uplink_rx_flags_clear(a, uplink);
	vmq_offload_detach(a, uplink);
	netdev_upper_dev_unlink(uplink, a->dev);
	if (a->opened_uplink && uplink->reg_state == NETREG_REGISTERED)
		dev_close(uplink);
	netdev_put(uplink, &a->uplink_tracker);
	a->dev->max_mtu = ETH_MAX_MTU;
	vmq_uplink_carriers(a);
}

/* ---- events of the uplink ----
 *
 * On newer kernels some of them run with the uplink's own lock held: the uplink
 * is only looked at here, never changed.
 */

static void vmq_uplink_propagate(struct vmq_adapter *a, unsigned long event)
{
	struct vmq_port *port;

	call_netdevice_notifiers(event, a->dev);
	list_for_each_entry(port, &a->ports, node)
		call_netdevice_notifiers(event, port->dev);
	list_for_each_entry(port, &a->vf_ports, node)
		call_netdevice_notifiers(event, port->dev);
}

/* What changes below the uplink, as among the members of a bond, changes it. */
static void vmq_uplink_below(unsigned long event, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct netdev_notifier_changeupper_info *info = ptr;
	struct net_device *uplink;
	struct vmq_adapter *a;

	if (event != NETDEV_CHANGE && event != NETDEV_CHANGEUPPER)
		return;
	list_for_each_entry(a, &vmq_adapters, node) {
		uplink = rtnl_dereference(a->uplink);
		if (!uplink || uplink == dev)
			continue;
		if (!netdev_has_upper_dev(dev, uplink) &&
		    !(event == NETDEV_CHANGEUPPER && info->upper_dev == uplink))
			continue;
		vmq_offload_check(a);
		/* as of a NIC that gets a VF to receive by */
		if (event == NETDEV_CHANGEUPPER)
			WRITE_ONCE(a->near_fits, vmq_near_uplink_fits(uplink));
	}
}

static int vmq_uplink_event(struct notifier_block *nb, unsigned long event,
			    void *ptr)
{
	struct net_device *uplink = netdev_notifier_info_to_dev(ptr);
	struct vmq_adapter *a;

	vmq_uplink_below(event, ptr);
	if (rtnl_dereference(uplink->rx_handler) != vmq_rx)
		return NOTIFY_DONE;
	a = rtnl_dereference(uplink->rx_handler_data);
	if (rtnl_dereference(a->uplink) != uplink)
		return NOTIFY_DONE;	/* it is being attached */

	switch (event) {
	case NETDEV_GOING_DOWN:
		vmq_uplink_vfs_event(a, uplink, event);
		break;
	case NETDEV_UP:
	case NETDEV_CHANGE:
		vmq_uplink_vfs_event(a, uplink, event);
		fallthrough;
	case NETDEV_DOWN:
		vmq_uplink_carriers(a);
		vmq_offload_check(a);
		break;
	case NETDEV_FEAT_CHANGE:
		vmq_uplink_features(a, uplink);
		vmq_offload_check(a);
		break;
	case NETDEV_CHANGEMTU:
		vmq_uplink_mtu(a, uplink->mtu);
		break;
	case NETDEV_CHANGEADDR:
		vmq_uplink_take_mac(a, uplink);
		vmq_uplink_mac(a);
		break;
	case NETDEV_PRE_TYPE_CHANGE:
		return NOTIFY_BAD;
	case NETDEV_NOTIFY_PEERS:
	case NETDEV_BONDING_FAILOVER:
	case NETDEV_RESEND_IGMP:
		vmq_uplink_propagate(a, event);
		break;
	case NETDEV_UNREGISTER:
		/* gone, or moved to another netns, where it can't serve us */
		vmq_uplink_detach(a);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block vmq_uplink_notifier = {
	.notifier_call = vmq_uplink_event,
};

/**
 * vmq_uplink_init() - listens to what happens to uplinks
 *
 * Context: Module init.
 * Return: 0 or a negative errno.
 */
int __init vmq_uplink_init(void)
{
	int err = vmq_offload_wq_init();

	if (err)
		return err;
	err = register_netdevice_notifier(&vmq_uplink_notifier);
	if (err)
		vmq_offload_wq_exit();
	return err;
}

/**
 * vmq_uplink_exit() - stops listening
 *
 * Context: Module exit, no adapter left.
 */
void vmq_uplink_exit(void)
{
	unregister_netdevice_notifier(&vmq_uplink_notifier);
	vmq_offload_wq_exit();
}

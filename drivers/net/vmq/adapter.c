// SPDX-License-Identifier: GPL-2.0
/*
 * The adapter: netdev of link kind "vmq", over an uplink or as an internal
 * switch. It owns queues, filters and ports.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>

#include "rx_near.h"

LIST_HEAD(vmq_adapters);

/* What the uplink can't do, the core does for it as frames leave. */
#define VMQ_FEATURES	(NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_HIGHDMA | \
			 NETIF_F_FRAGLIST | NETIF_F_GSO_SOFTWARE | \
			 NETIF_F_HW_VLAN_CTAG_TX)

static int vmq_adapter_ndo_init(struct net_device *dev)
{
	struct vmq_adapter *a = vmq_adapter_priv(dev);
	int err;

	a->dev = dev;
	a->max_queues = dev->num_rx_queues;
	a->ring = VMQ_DEFAULT_RING;
	mutex_init(&a->lock);
	INIT_LIST_HEAD(&a->ports);
	INIT_LIST_HEAD(&a->vf_ports);
	a->vports.pairs = 1;		/* the default VPort's */
	INIT_LIST_HEAD(&a->uplink_vfs);
	INIT_LIST_HEAD(&a->exts);

	err = vmq_queues_init(a);
	if (err)
		return err;
	err = vmq_rss_init(a);
	if (err)
		goto err_queues;
	err = vmq_filters_init(a);
	if (err)
		goto err_rss;
	err = vmq_mcast_init(&a->mcast);
	if (err)
		goto err_filters;
	err = vmq_near_adapter_init(a);
	if (err)
		goto err_mcast;
	err = vmq_bus_add(a);
	if (err)
		goto err_near;
	netdev_lockdep_set_classes(dev);
	return 0;

err_near:
	vmq_near_adapter_destroy(a);
err_mcast:
	vmq_mcast_destroy(&a->mcast);
err_filters:
	vmq_filters_destroy(a);
err_rss:
	vmq_rss_destroy(a);
err_queues:
	vmq_queues_destroy(a);
	return err;
}

static void vmq_adapter_ndo_uninit(struct net_device *dev)
{
	vmq_queues_stop(vmq_adapter_priv(dev));
}

static void vmq_adapter_destructor(struct net_device *dev)
{
	struct vmq_adapter *a = vmq_adapter_priv(dev);

	vmq_near_adapter_destroy(a);
	vmq_mcast_destroy(&a->mcast);
	vmq_filters_destroy(a);
	vmq_rss_destroy(a);
	vmq_queues_destroy(a);
	vmq_bus_del(a);
	mutex_destroy(&a->lock);
}

static int vmq_adapter_open(struct net_device *dev)
{
	netif_tx_start_all_queues(dev);
	return 0;
}

static int vmq_adapter_stop(struct net_device *dev)
{
	struct net_device *uplink =
		rtnl_dereference(vmq_adapter_priv(dev)->uplink);

	netif_tx_stop_all_queues(dev);
	if (uplink) {
		dev_uc_unsync(uplink, dev);
		dev_mc_unsync(uplink, dev);
	}
	return 0;
}

/**
 * vmq_adapter_set_private() - says whether the host is on the switch
 * @a: the adapter
 * @on: the ports among themselves alone
 * @extack: says why not
 *
 * Context: Process context, rtnl held.
 * Return: 0, or -EBUSY for an adapter with an uplink.
 */
int vmq_adapter_set_private(struct vmq_adapter *a, bool on,
			    struct netlink_ext_ack *extack)
{
	struct net_device *uplink = rtnl_dereference(a->uplink);

	if (on && uplink) {
		NL_SET_ERR_MSG_FMT(extack, "a private switch has no uplink, and %s is one",
				   uplink->name);
		return -EBUSY;
	}
	WRITE_ONCE(a->private, on);
	return 0;
}

static netdev_tx_t vmq_adapter_start_xmit(struct sk_buff *skb,
					  struct net_device *dev)
{
	return vmq_tx(vmq_adapter_priv(dev), NULL, skb);
}

/* The host's own frames are the default queue's: no VM owns them. */
static u16 vmq_adapter_select_queue(struct net_device *dev,
				    struct sk_buff *skb,
				    struct net_device *sb_dev)
{
	return 0;
}

static void vmq_adapter_get_stats64(struct net_device *dev,
				    struct rtnl_link_stats64 *s)
{
	struct vmq_adapter *a = vmq_adapter_priv(dev);
	struct vmq_stats sum = {};

	rcu_read_lock();
	vmq_adapter_sum(a, 0, a->max_queues, &sum);
	rcu_read_unlock();
	vmq_stats_sum(a->filter_drops, &sum);
	vmq_stats_to_link(&sum, s);
}

/**
 * vmq_adapter_gave_mac() - has a port or a VF of the adapter this address?
 * @a: the adapter
 * @mac: the address
 *
 * Its filter would take the host's frames.
 *
 * Context: Process context, rtnl held.
 * Return: true if one has.
 */
bool vmq_adapter_gave_mac(struct vmq_adapter *a, const u8 *mac)
{
	struct vmq_port *port;

	list_for_each_entry(port, &a->ports, node)
		if (ether_addr_equal(port->dev->dev_addr, mac))
			return true;
	return vmq_vfs_have_mac(a, mac);
}

static int vmq_adapter_set_mac(struct net_device *dev, void *p)
{
	struct vmq_adapter *a = vmq_adapter_priv(dev);
	int err;

	err = eth_prepare_mac_addr_change(dev, p);
	if (err)
		return err;
	if (vmq_adapter_gave_mac(a, ((struct sockaddr *)p)->sa_data))
		return -EADDRINUSE;
	eth_commit_mac_addr_change(dev, p);
	vmq_uplink_mac(a);
	return 0;
}

static int vmq_adapter_change_mtu(struct net_device *dev, int mtu)
{
	struct vmq_adapter *a = vmq_adapter_priv(dev);
	struct vmq_port *port;

	/* the core checked it against max_mtu, which is the uplink's MTU */
	WRITE_ONCE(dev->mtu, mtu);
	a->mtu_set = true;
	list_for_each_entry(port, &a->ports, node)
		vmq_ext_mtu_follow(port);
	vmq_vfs_mtu(a, mtu);
	return 0;
}

static int vmq_adapter_add_slave(struct net_device *dev,
				 struct net_device *uplink,
				 struct netlink_ext_ack *extack)
{
	return vmq_uplink_attach(vmq_adapter_priv(dev), uplink, extack);
}

static int vmq_adapter_del_slave(struct net_device *dev,
				 struct net_device *uplink)
{
	struct vmq_adapter *a = vmq_adapter_priv(dev);

	if (rtnl_dereference(a->uplink) != uplink)
		return -ENODEV;
	vmq_uplink_detach(a);
	return 0;
}

static void vmq_adapter_set_rx_mode(struct net_device *dev)
{
	struct net_device *uplink;

	rcu_read_lock();
	uplink = rcu_dereference(vmq_adapter_priv(dev)->uplink);
	if (uplink) {
		dev_uc_sync(uplink, dev);
		dev_mc_sync(uplink, dev);
	}
	rcu_read_unlock();
}

/* VLAN devices on the adapter need their ids let in, as those on a NIC do. */
static int vmq_adapter_vlan_add(struct net_device *dev, __be16 proto, u16 vid)
{
	struct net_device *uplink =
		rtnl_dereference(vmq_adapter_priv(dev)->uplink);

	return uplink ? vlan_vid_add(uplink, proto, vid) : 0;
}

static int vmq_adapter_vlan_kill(struct net_device *dev, __be16 proto, u16 vid)
{
	struct net_device *uplink =
		rtnl_dereference(vmq_adapter_priv(dev)->uplink);

	if (uplink)
		vlan_vid_del(uplink, proto, vid);
	return 0;
}

static void vmq_adapter_change_rx_flags(struct net_device *dev, int change)
{
	vmq_uplink_rx_flags(vmq_adapter_priv(dev));
}

static int vmq_adapter_set_features(struct net_device *dev,
				    netdev_features_t features)
{
	netdev_features_t changed = dev->features ^ features;

	/* ports keep their own filters */
	if ((changed & NETIF_F_NTUPLE) && !(features & NETIF_F_NTUPLE))
		vmq_filter_flush(vmq_adapter_priv(dev), VMQ_OWNER_ETHTOOL,
				 NULL);
	return 0;
}

static const struct net_device_ops vmq_adapter_netdev_ops = {
	.ndo_init = vmq_adapter_ndo_init,
	.ndo_uninit = vmq_adapter_ndo_uninit,
	.ndo_open = vmq_adapter_open,
	.ndo_stop = vmq_adapter_stop,
	.ndo_start_xmit = vmq_adapter_start_xmit,
	.ndo_select_queue = vmq_adapter_select_queue,
	.ndo_get_stats64 = vmq_adapter_get_stats64,
	.ndo_set_mac_address = vmq_adapter_set_mac,
	.ndo_validate_addr = eth_validate_addr,
	.ndo_change_mtu = vmq_adapter_change_mtu,
	.ndo_add_slave = vmq_adapter_add_slave,
	.ndo_del_slave = vmq_adapter_del_slave,
	.ndo_set_rx_mode = vmq_adapter_set_rx_mode,
	.ndo_change_rx_flags = vmq_adapter_change_rx_flags,
	.ndo_vlan_rx_add_vid = vmq_adapter_vlan_add,
	.ndo_vlan_rx_kill_vid = vmq_adapter_vlan_kill,
	.ndo_set_features = vmq_adapter_set_features,
	.ndo_set_vf_mac = vmq_vf_set_mac,
	.ndo_set_vf_vlan = vmq_vf_set_vlan,
	.ndo_set_vf_rate = vmq_vf_set_rate,
	.ndo_set_vf_spoofchk = vmq_vf_set_spoofchk,
	.ndo_set_vf_trust = vmq_vf_set_trust,
	.ndo_set_vf_link_state = vmq_vf_set_link_state,
	.ndo_get_vf_config = vmq_vf_get_config,
	.ndo_get_vf_stats = vmq_vf_get_stats,
	.ndo_features_check = passthru_features_check,
};

/**
 * vmq_is_adapter() - is this netdev an adapter?
 * @dev: the netdev
 *
 * Context: Any.
 * Return: true if it is.
 */
bool vmq_is_adapter(const struct net_device *dev)
{
	return dev->netdev_ops == &vmq_adapter_netdev_ops;
}

static void vmq_adapter_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &vmq_adapter_netdev_ops;
	dev->ethtool_ops = &vmq_adapter_ethtool_ops;
	dev->stat_ops = &vmq_adapter_stat_ops;
	dev->priv_destructor = vmq_adapter_destructor;
	dev->needs_free_netdev = true;
	dev->max_mtu = ETH_MAX_MTU;
	dev->priv_flags |= IFF_NO_QUEUE | IFF_UNICAST_FLT |
			   IFF_LIVE_ADDR_CHANGE | IFF_DISABLE_NETPOLL;
	dev->priv_flags &= ~IFF_TX_SKB_SHARING;
	dev->lltx = true;
	/* its uplink and its queues stay behind */
	vmq_netdev_pin_netns(dev);

	dev->features |= VMQ_FEATURES | NETIF_F_NTUPLE |
			 NETIF_F_HW_VLAN_CTAG_FILTER;
	dev->hw_features |= VMQ_FEATURES | NETIF_F_NTUPLE;
	dev->hw_enc_features |= VMQ_FEATURES;
	dev->vlan_features |= VMQ_FEATURES & ~NETIF_F_HW_VLAN_CTAG_TX;
}

static int vmq_adapter_validate(struct nlattr *tb[], struct nlattr *data[],
				struct netlink_ext_ack *extack)
{
	if (tb[IFLA_ADDRESS] &&
	    (nla_len(tb[IFLA_ADDRESS]) != ETH_ALEN ||
	     !is_valid_ether_addr(nla_data(tb[IFLA_ADDRESS])))) {
		NL_SET_ERR_MSG_ATTR(extack, tb[IFLA_ADDRESS],
				    "not a unicast Ethernet address");
		return -EADDRNOTAVAIL;
	}
	return 0;
}

/* Link kind "vmq": makes an adapter, an internal switch until it has an uplink. */
static int vmq_adapter_make(struct net_device *dev, struct nlattr *tb[],
			    struct netlink_ext_ack *extack)
{
	struct vmq_adapter *a = vmq_adapter_priv(dev);
	static unsigned long serial;	/* rtnl */
	int err;

	if (tb[IFLA_LINK]) {
		NL_SET_ERR_MSG_ATTR(extack, tb[IFLA_LINK],
				    "give the uplink by: ip link set UPLINK master ADAPTER");
		return -EINVAL;
	}
	if (!tb[IFLA_ADDRESS])
		eth_hw_addr_random(dev);
	a->mtu_set = tb[IFLA_MTU];
	err = netif_set_real_num_tx_queues(dev, min(dev->num_tx_queues,
						    dev->num_rx_queues));
	if (err)
		return err;
	/* the NAPIs of queues are threads, bound to the queues' CPUs */
	err = dev_set_threaded(dev, 1);
	if (err)
		return err;
	err = register_netdevice(dev);
	if (err)
		return err;
	err = vmq_ext_adapter_init(a);
	if (err) {
		unregister_netdevice(dev);
		return err;
	}
	a->serial = ++serial;
	list_add_tail(&a->node, &vmq_adapters);
	a->registered = true;
	vmq_uplink_carrier(a, dev);
	return 0;
}

#ifdef VMQ_HAVE_NEWLINK_PARAMS
static int vmq_adapter_newlink(struct net_device *dev,
			       struct rtnl_newlink_params *params,
			       struct netlink_ext_ack *extack)
{
	return vmq_adapter_make(dev, params->tb, extack);
}
#else
static int vmq_adapter_newlink(struct net *src_net, struct net_device *dev,
			       struct nlattr *tb[], struct nlattr *data[],
			       struct netlink_ext_ack *extack)
{
	return vmq_adapter_make(dev, tb, extack);
}
#endif

static void vmq_adapter_dellink(struct net_device *dev, struct list_head *head)
{
	struct vmq_adapter *a = vmq_adapter_priv(dev);
	u16 i;

	a->registered = false;
	vmq_ports_dellink(a, head);
	for (i = 0; i < a->n_vfs; i++)
		vmq_vf_remove(a->vfs[i], head);
	if (rtnl_dereference(a->uplink))
		vmq_uplink_detach(a);
	vmq_filter_flush_all(a);
	vmq_queues_free_all(a);
	vmq_ext_adapter_destroy(a);
	list_del(&a->node);
	unregister_netdevice_queue(dev, head);
}

static unsigned int vmq_adapter_num_queues(void)
{
	return VMQ_DEFAULT_QUEUES;
}

struct rtnl_link_ops vmq_adapter_link_ops = {
	.kind = "vmq",
	.priv_size = sizeof(struct vmq_adapter),
	.setup = vmq_adapter_setup,
	.validate = vmq_adapter_validate,
	.newlink = vmq_adapter_newlink,
	.dellink = vmq_adapter_dellink,
	.get_num_tx_queues = vmq_adapter_num_queues,
	.get_num_rx_queues = vmq_adapter_num_queues,
};

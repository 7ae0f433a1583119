// SPDX-License-Identifier: GPL-2.0
/*
 * A network card for tests: link kind "vmqfakenic", its cable plugged into
 * another netdev, such as one end of a veth pair. It filters by address and VLAN
 * id, has receive rings and an n-tuple table that spreads frames over them, and
 * can be told to misbehave. No user loads this.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/module.h>
#include <net/rtnetlink.h>

#include "../compat.h"
#include "fakenic.h"

static bool forget;
module_param(forget, bool, 0644);
MODULE_PARM_DESC(forget, "It loses its rules when it is brought down");

static bool promisc;
module_param(promisc, bool, 0644);
MODULE_PARM_DESC(promisc, "Cards made from now on can't filter by address");

static bool ops_lock;
module_param(ops_lock, bool, 0644);
MODULE_PARM_DESC(ops_lock, "Cards made from now on have a lock of their own, where the kernel knows that");

/* ---- frames ---- */

static bool fake_knows(struct fake_nic *nic, const u8 *addr)
{
	struct net_device *dev = nic->dev;
	struct netdev_hw_addr *ha;
	bool known = false;

	if ((dev->flags & IFF_PROMISC) || is_broadcast_ether_addr(addr) ||
	    ether_addr_equal(addr, dev->dev_addr))
		return true;
	if (is_multicast_ether_addr(addr) && (dev->flags & IFF_ALLMULTI))
		return true;
	netif_addr_lock(dev);
	if (is_multicast_ether_addr(addr)) {
		netdev_for_each_mc_addr(ha, dev)
			known |= ether_addr_equal(ha->addr, addr);
	} else {
		netdev_for_each_uc_addr(ha, dev)
			known |= ether_addr_equal(ha->addr, addr);
	}
	netif_addr_unlock(dev);
	return known;
}

static rx_handler_result_t fake_rx(struct sk_buff **pskb)
{
	struct sk_buff *skb = skb_share_check(*pskb, GFP_ATOMIC);
	struct net_device *dev;
	struct fake_nic *nic;
	u16 vid = 0;

	if (!skb)
		return RX_HANDLER_CONSUMED;
	*pskb = skb;
	nic = rcu_dereference(skb->dev->rx_handler_data);
	dev = nic->dev;
	if (!(dev->flags & IFF_UP))
		goto drop;
	if (skb_vlan_tag_present(skb))
		vid = skb_vlan_tag_get_id(skb);
	if (!fake_knows(nic, eth_hdr(skb)->h_dest) ||
	    (vid && !(dev->flags & IFF_PROMISC) && !test_bit(vid, nic->vids))) {
		spin_lock(&nic->lock);
		nic->filtered++;
		spin_unlock(&nic->lock);
		goto drop;
	}
	skb_record_rx_queue(skb, fake_ring(nic, skb));
	skb->dev = dev;
	skb->pkt_type = PACKET_HOST;
	eth_skb_pkt_type(skb, dev);
	dev_sw_netstats_rx_add(dev, skb->len + ETH_HLEN);
	return RX_HANDLER_ANOTHER;

drop:
	kfree_skb(skb);
	return RX_HANDLER_CONSUMED;
}

static netdev_tx_t fake_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct fake_nic *nic = netdev_priv(dev);

	dev_sw_netstats_tx_add(dev, 1, skb->len);
	skb->dev = nic->lower;
	dev_queue_xmit(skb);
	return NETDEV_TX_OK;
}

/* ---- the netdev ---- */

static void fake_destructor(struct net_device *dev)
{
	struct fake_nic *nic = netdev_priv(dev);

	kvfree(nic->rule);
	bitmap_free(nic->vids);
}

static int fake_ndo_init(struct net_device *dev)
{
	struct fake_nic *nic = netdev_priv(dev);

	nic->dev = dev;
	spin_lock_init(&nic->lock);
	nic->rule = kvcalloc(FAKE_SLOTS, sizeof(*nic->rule), GFP_KERNEL);
	nic->vids = bitmap_zalloc(VLAN_N_VID, GFP_KERNEL);
	if (nic->rule && nic->vids)
		return 0;
	fake_destructor(dev);
	return -ENOMEM;
}

static int fake_open(struct net_device *dev)
{
	netif_tx_start_all_queues(dev);
	netif_carrier_on(dev);
	return 0;
}

static int fake_stop(struct net_device *dev)
{
	netif_tx_stop_all_queues(dev);
	if (READ_ONCE(forget))
		fake_flush(netdev_priv(dev));
	return 0;
}

static void fake_set_rx_mode(struct net_device *dev)
{
}

#ifdef VMQ_HAVE_SET_RX_MODE_ASYNC
static int fake_set_rx_mode_async(struct net_device *dev,
				  struct netdev_hw_addr_list *uc,
				  struct netdev_hw_addr_list *mc)
{
	return 0;
}
#endif

static int fake_vlan_add(struct net_device *dev, __be16 proto, u16 vid)
{
	struct fake_nic *nic = netdev_priv(dev);

	set_bit(vid, nic->vids);
	return 0;
}

static int fake_vlan_kill(struct net_device *dev, __be16 proto, u16 vid)
{
	struct fake_nic *nic = netdev_priv(dev);

	clear_bit(vid, nic->vids);
	return 0;
}

static int fake_set_features(struct net_device *dev, netdev_features_t features)
{
	if (!(features & NETIF_F_NTUPLE))
		fake_flush(netdev_priv(dev));
	return 0;
}

static const struct net_device_ops fake_netdev_ops = {
	.ndo_init = fake_ndo_init,
	.ndo_open = fake_open,
	.ndo_stop = fake_stop,
	.ndo_start_xmit = fake_xmit,
	.ndo_set_rx_mode = fake_set_rx_mode,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
	.ndo_vlan_rx_add_vid = fake_vlan_add,
	.ndo_vlan_rx_kill_vid = fake_vlan_kill,
	.ndo_set_features = fake_set_features,
};

#ifdef VMQ_HAVE_SET_RX_MODE_ASYNC
static const struct net_device_ops fake_locked_netdev_ops = {
	.ndo_init = fake_ndo_init,
	.ndo_open = fake_open,
	.ndo_stop = fake_stop,
	.ndo_start_xmit = fake_xmit,
	.ndo_set_rx_mode_async = fake_set_rx_mode_async,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
	.ndo_vlan_rx_add_vid = fake_vlan_add,
	.ndo_vlan_rx_kill_vid = fake_vlan_kill,
	.ndo_set_features = fake_set_features,
};
#endif

static void fake_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &fake_netdev_ops;
	dev->ethtool_ops = &fake_ethtool_ops;
	dev->priv_destructor = fake_destructor;
	dev->needs_free_netdev = true;
	dev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;
	dev->lltx = true;
	dev->priv_flags |= IFF_NO_QUEUE;
	if (!promisc)
		dev->priv_flags |= IFF_UNICAST_FLT;
	dev->features |= NETIF_F_HW_VLAN_CTAG_FILTER | NETIF_F_NTUPLE |
			 NETIF_F_HW_VLAN_CTAG_TX | NETIF_F_SG | NETIF_F_HW_CSUM;
	dev->hw_features |= NETIF_F_NTUPLE;
#ifdef VMQ_HAVE_SET_RX_MODE_ASYNC
	dev->request_ops_lock = ops_lock;
	if (ops_lock)
		dev->netdev_ops = &fake_locked_netdev_ops;
#endif
}

/* ---- link kind "vmqfakenic" ---- */

static int fake_make(struct net_device *dev, struct net *link_net,
		     struct nlattr *tb[], struct netlink_ext_ack *extack)
{
	struct fake_nic *nic = netdev_priv(dev);
	struct net_device *lower;
	int err;

	lower = tb[IFLA_LINK] ? __dev_get_by_index(link_net,
						   nla_get_u32(tb[IFLA_LINK])) :
				NULL;
	if (!lower || dev->num_rx_queues > FAKE_RINGS) {
		NL_SET_ERR_MSG(extack, "needs a link and at most 64 rings");
		return -EINVAL;
	}
	nic->lower = lower;
	if (!tb[IFLA_ADDRESS])
		eth_hw_addr_random(dev);
	err = register_netdevice(dev);
	if (err)
		return err;
	err = netdev_rx_handler_register(lower, fake_rx, nic);
	if (err)
		goto err_unregister;
	err = dev_set_promiscuity(lower, 1);
	if (err)
		goto err_handler;
	dev_hold(lower);
	return 0;

err_handler:
	netdev_rx_handler_unregister(lower);
err_unregister:
	unregister_netdevice(dev);
	return err;
}

#ifdef VMQ_HAVE_NEWLINK_PARAMS
static int fake_newlink(struct net_device *dev,
			struct rtnl_newlink_params *params,
			struct netlink_ext_ack *extack)
{
	return fake_make(dev, rtnl_newlink_link_net(params), params->tb, extack);
}
#else
static int fake_newlink(struct net *src_net, struct net_device *dev,
			struct nlattr *tb[], struct nlattr *data[],
			struct netlink_ext_ack *extack)
{
	return fake_make(dev, src_net, tb, extack);
}
#endif

static void fake_dellink(struct net_device *dev, struct list_head *head)
{
	struct fake_nic *nic = netdev_priv(dev);
	struct net_device *lower = nic->lower;

	if (rtnl_dereference(lower->rx_handler) == fake_rx) {
		netdev_rx_handler_unregister(lower);
		dev_set_promiscuity(lower, -1);
		dev_put(lower);
	}
	unregister_netdevice_queue(dev, head);
}

static unsigned int fake_num_queues(void)
{
	return 8;
}

static struct rtnl_link_ops fake_link_ops = {
	.kind = "vmqfakenic",
	.priv_size = sizeof(struct fake_nic),
	.setup = fake_setup,
	.newlink = fake_newlink,
	.dellink = fake_dellink,
	.get_num_tx_queues = fake_num_queues,
	.get_num_rx_queues = fake_num_queues,
};

/* Its cable's other end goes: so does it. */
static int fake_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct net_device *lower = netdev_notifier_info_to_dev(ptr);
	struct fake_nic *nic;
	LIST_HEAD(list);

	if (event != NETDEV_UNREGISTER ||
	    rtnl_dereference(lower->rx_handler) != fake_rx)
		return NOTIFY_DONE;
	nic = rtnl_dereference(lower->rx_handler_data);
	fake_dellink(nic->dev, &list);
	unregister_netdevice_many(&list);
	return NOTIFY_DONE;
}

static struct notifier_block fake_notifier = {
	.notifier_call = fake_event,
};

static int __init fake_init(void)
{
	int err = register_netdevice_notifier(&fake_notifier);

	if (err)
		return err;
	err = rtnl_link_register(&fake_link_ops);
	if (err)
		unregister_netdevice_notifier(&fake_notifier);
	return err;
}
module_init(fake_init);

static void __exit fake_exit(void)
{
	rtnl_link_unregister(&fake_link_ops);
	unregister_netdevice_notifier(&fake_notifier);
}
module_exit(fake_exit);

MODULE_DESCRIPTION("Network card with n-tuple rules for tests of vmq");
MODULE_LICENSE("GPL");

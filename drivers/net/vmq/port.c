// SPDX-License-Identifier: GPL-2.0
/*
 * The port: netdev of link kind "vmqport", one VM NIC. Switch port, queue user
 * (port_queue.c) and, through port_tap.c, character device in one.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/if_tun.h>

#include "gate_port.h"
#include "policy.h"
#include "rx_near.h"

/* ---- its address ---- */

/* Could a port have this address? Asked before it is changed, to say why not. */
static int vmq_port_check_mac(struct vmq_port *port, const u8 *mac,
			      struct netlink_ext_ack *extack)
{
	struct vmq_adapter *a = port->adapter;
	struct net_device *uplink = rtnl_dereference(a->uplink);
	const struct vmq_rule *rule;
	struct vmq_filter_spec spec;
	int err = 0;

	if (!is_valid_ether_addr(mac)) {
		NL_SET_ERR_MSG(extack, "not a unicast Ethernet address");
		return -EADDRNOTAVAIL;
	}
	if (ether_addr_equal(mac, a->dev->dev_addr) ||
	    (uplink && ether_addr_equal(mac, uplink->dev_addr))) {
		NL_SET_ERR_MSG(extack, "this is the address of the adapter");
		return -EADDRINUSE;
	}
	vmq_policy_own_spec(rtnl_dereference(port->policy), mac, &spec);
	mutex_lock(&a->lock);
	rule = vmq_rules_find(&a->rules, &spec.key, &spec.mask);
	if (rule && rule->id != vmq_filter_id(port->mac_location)) {
		NL_SET_ERR_MSG_FMT(extack, "filter %u already matches exactly this",
				   rule->id);
		err = -EEXIST;
	}
	mutex_unlock(&a->lock);
	return err;
}

/**
 * vmq_port_set_mac() - moves a port's filter to a new address, without a gap
 * @port: the port, with a filter for its present address or none yet
 * @mac: the new address
 * @extack: says why not
 *
 * Frames for the old address arrive until those for the new one do.
 *
 * Context: Process context, rtnl held.
 * Return: 0, -EADDRNOTAVAIL if it is not a unicast address, -EADDRINUSE if it is
 * the adapter's, or the errors of vmq_filter_set(); nothing changed then.
 */
int vmq_port_set_mac(struct vmq_port *port, const u8 *mac,
		     struct netlink_ext_ack *extack)
{
	struct vmq_filter_spec spec;
	u32 old = port->mac_location;
	int err;
	u32 i;

	err = vmq_port_check_mac(port, mac, extack);
	if (err)
		return err;
	if (old != VMQ_LOC_ANY && ether_addr_equal(mac, port->dev->dev_addr))
		return 0;
	vmq_policy_own_spec(rtnl_dereference(port->policy), mac, &spec);
	spec.owner = VMQ_OWNER_PORT;
	spec.port = port;
	spec.queue = port->n_queues ? port->queue[0]->id : 0;
	if (old != VMQ_LOC_ANY)
		spec.location = old;	/* the same filter, id and all (F-30) */
	err = vmq_filter_set(port->adapter, &spec, extack);
	if (err)
		return err;
	port->mac_location = spec.location;
	eth_hw_addr_set(port->dev, mac);
	for (i = 0; i < port->n_queues; i++)
		vmq_queue_set_mac(port->queue[i], mac);
	vmq_path_mac(port);
	return 0;
}

/* ---- netdev ops ---- */

static void vmq_port_destructor(struct net_device *dev)
{
	struct vmq_port *port = vmq_port_priv(dev);
	unsigned int i;

	if (port->stats)
		for (i = 0; i < dev->num_rx_queues; i++)
			free_percpu(port->stats[i]);
	kfree(port->stats);
	vmq_mcast_port_free(&port->mcast);
	kfree(port->queue);
	bitmap_free(port->vlans);
}

static int vmq_port_ndo_init(struct net_device *dev)
{
	struct vmq_port *port = vmq_port_priv(dev);
	unsigned int n = dev->num_rx_queues;
	unsigned int i;

	port->dev = dev;
	port->vlans = bitmap_zalloc(VLAN_N_VID, GFP_KERNEL_ACCOUNT);
	port->queue = kcalloc(n, sizeof(*port->queue), GFP_KERNEL_ACCOUNT);
	port->stats = kcalloc(n, sizeof(*port->stats), GFP_KERNEL_ACCOUNT);
	if (!port->vlans || !port->queue || !port->stats)
		goto err_free;
	for (i = 0; i < n; i++) {
		port->stats[i] = vmq_stats_alloc();
		if (!port->stats[i])
			goto err_free;
	}
	/* the default queue for this port alone: same id, same counters */
	vmq_queue_setup(&port->soft, port->adapter);
	port->soft.stats = vmq_queue_find(port->adapter, 0)->stats;
	port->soft.state = VMQ_QUEUE_STATE_RUNNING;
	INIT_LIST_HEAD(&port->soft.rules);
	RCU_INIT_POINTER(port->soft.port, port);
	seqlock_init(&port->stats_lock);
	vmq_tap_attach(port);
	vmq_port_gate_init(port);
	vmq_path_init(port);
	netdev_lockdep_set_classes(dev);
	return 0;

err_free:
	vmq_port_destructor(dev);
	return -ENOMEM;
}

static void vmq_port_ndo_uninit(struct net_device *dev)
{
	vmq_tap_detach(vmq_port_priv(dev));
}

/**
 * vmq_port_say() - tells its queues whether a port has a say in their frames
 * @port: the port; what its say comes from just changed
 *
 * Where it has none, they take the shortest way: vmq_rx().
 *
 * Context: Process context, rtnl held.
 */
void vmq_port_say(struct vmq_port *port)
{
	bool say = port->deleted || !netif_running(port->dev) ||
		   rcu_access_pointer(port->policy);
	u32 i;

	for (i = 0; i < port->n_queues; i++) {
		vmq_fifo_flag(&port->queue[i]->fifo, VMQ_SLOW_TAP,
			      port->claimed);
		vmq_fifo_flag(&port->queue[i]->fifo, VMQ_SLOW_PORT, say);
	}
}

static int vmq_port_open(struct net_device *dev)
{
	vmq_port_say(vmq_port_priv(dev));
	netif_tx_start_all_queues(dev);
	return 0;
}

static int vmq_port_stop(struct net_device *dev)
{
	vmq_port_say(vmq_port_priv(dev));
	netif_tx_stop_all_queues(dev);
	return 0;
}

static netdev_tx_t vmq_port_start_xmit(struct sk_buff *skb,
				       struct net_device *dev)
{
	struct vmq_port *port = vmq_port_priv(dev);

	return vmq_tx(port->adapter, port, skb);
}

static void vmq_port_get_stats64(struct net_device *dev,
				 struct rtnl_link_stats64 *s)
{
	struct vmq_stats sum = {};

	vmq_port_sum(vmq_port_priv(dev), 0, dev->num_rx_queues, &sum);
	vmq_stats_to_link(&sum, s);
}

static int vmq_port_set_mac_address(struct net_device *dev, void *p)
{
	int err = eth_prepare_mac_addr_change(dev, p);

	if (err)
		return err;
	return vmq_port_set_mac(vmq_port_priv(dev),
				((struct sockaddr *)p)->sa_data, NULL);
}

static int vmq_port_change_mtu(struct net_device *dev, int mtu)
{
	/* the core checked it against max_mtu, which is the adapter's MTU */
	WRITE_ONCE(dev->mtu, mtu);
	return 0;
}

/**
 * vmq_port_set_rx_mode() - ndo_set_rx_mode of ports and VFs: the groups that they hear
 * @dev: the netdev
 *
 * See vmq_flood(). Further unicast addresses make the core ask for promiscuous mode. The
 * lists move with the port.
 *
 * Context: dev->addr_list_lock held.
 */
void vmq_port_set_rx_mode(struct net_device *dev)
{
	DECLARE_BITMAP(groups, VMQ_GROUPS);
	struct netdev_hw_addr *ha;

	bitmap_zero(groups, VMQ_GROUPS);
	if (dev->flags & (IFF_PROMISC | IFF_ALLMULTI))
		bitmap_fill(groups, VMQ_GROUPS);
	else
		netdev_for_each_mc_addr(ha, dev)
			__set_bit(vmq_group(ha->addr), groups);
	/* word by word: what it hears before and after, it hears meanwhile */
	bitmap_copy(vmq_port_priv(dev)->groups, groups, VMQ_GROUPS);
}

/**
 * vmq_port_promisc() - lets a port have the unicast frames that nobody knows
 * @port: the port, or that of a VF
 * @on: whether it has them
 *
 * Context: Process context, rtnl held.
 */
void vmq_port_promisc(struct vmq_port *port, bool on)
{
	struct vmq_adapter *a = port->adapter;

	if (port->promisc == on)
		return;
	port->promisc = on;
	WRITE_ONCE(a->n_promisc, a->n_promisc + (on ? 1 : -1));
	vmq_uplink_rx_flags(a);
}

static void vmq_port_change_rx_flags(struct net_device *dev, int change)
{
	struct vmq_port *port = vmq_port_priv(dev);

	if ((change & IFF_PROMISC) && !port->deleted)
		vmq_port_promisc(port, dev->flags & IFF_PROMISC);
}

static int vmq_port_get_iflink(const struct net_device *dev)
{
	return vmq_port_priv(dev)->adapter->dev->ifindex;
}

static const struct net_device_ops vmq_port_netdev_ops = {
	.ndo_init = vmq_port_ndo_init,
	.ndo_uninit = vmq_port_ndo_uninit,
	.ndo_open = vmq_port_open,
	.ndo_stop = vmq_port_stop,
	.ndo_start_xmit = vmq_port_start_xmit,
	.ndo_get_stats64 = vmq_port_get_stats64,
	.ndo_set_mac_address = vmq_port_set_mac_address,
	.ndo_validate_addr = eth_validate_addr,
	.ndo_change_mtu = vmq_port_change_mtu,
	.ndo_set_rx_mode = vmq_port_set_rx_mode,
	.ndo_change_rx_flags = vmq_port_change_rx_flags,
	.ndo_get_iflink = vmq_port_get_iflink,
	.ndo_features_check = passthru_features_check,
};

/**
 * vmq_is_port() - is this netdev a port?
 * @dev: the netdev
 *
 * Context: Any.
 * Return: true if it is.
 */
bool vmq_is_port(const struct net_device *dev)
{
	return dev->netdev_ops == &vmq_port_netdev_ops;
}

/* ---- link kind "vmqport" ---- */

static void vmq_port_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &vmq_port_netdev_ops;
	dev->ethtool_ops = &vmq_port_ethtool_ops;
	dev->stat_ops = &vmq_port_stat_ops;
	dev->priv_destructor = vmq_port_destructor;
	dev->needs_free_netdev = true;
	dev->tx_queue_len = TUN_READQ_SIZE;	/* sizes the tap's ring */
	dev->max_mtu = ETH_MAX_MTU;		/* the adapter's is the limit */
	dev->priv_flags |= IFF_NO_QUEUE | IFF_LIVE_ADDR_CHANGE |
			   IFF_DISABLE_NETPOLL;
	dev->priv_flags &= ~IFF_TX_SKB_SHARING;
	dev->lltx = true;

	dev->features |= VMQ_PORT_FEATURES;
	dev->hw_features |= VMQ_PORT_FEATURES;
	dev->hw_enc_features |= VMQ_PORT_FEATURES;
	dev->vlan_features |= VMQ_PORT_FEATURES & ~NETIF_F_HW_VLAN_CTAG_TX;
}

static int vmq_port_validate(struct nlattr *tb[], struct nlattr *data[],
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

static struct vmq_adapter *vmq_port_find_adapter(struct net *link_net,
						 struct nlattr *tb[],
						 struct netlink_ext_ack *extack)
{
	struct net_device *link;

	if (!tb[IFLA_LINK]) {
		NL_SET_ERR_MSG(extack, "a port needs its adapter: link ADAPTER");
		return ERR_PTR(-EINVAL);
	}
	link = __dev_get_by_index(link_net, nla_get_u32(tb[IFLA_LINK]));
	if (!link || !vmq_is_adapter(link)) {
		NL_SET_ERR_MSG_ATTR(extack, tb[IFLA_LINK],
				    "the link of a port must be of kind vmq");
		return ERR_PTR(link ? -EINVAL : -ENODEV);
	}
	if (!ns_capable(dev_net(link)->user_ns, CAP_NET_ADMIN)) {
		NL_SET_ERR_MSG(extack, "no permission in the adapter's network namespace");
		return ERR_PTR(-EPERM);
	}
	return vmq_adapter_priv(link);
}

static int vmq_port_make(struct net_device *dev, struct net *link_net,
			 struct nlattr *tb[], struct netlink_ext_ack *extack)
{
	struct vmq_port *port = vmq_port_priv(dev);
	struct vmq_adapter *a;
	int err;

	a = vmq_port_find_adapter(link_net, tb, extack);
	if (IS_ERR(a))
		return PTR_ERR(a);
	if (dev->num_rx_queues > MAX_TAP_QUEUES) {
		NL_SET_ERR_MSG_FMT(extack, "a port has at most %u queues",
				   MAX_TAP_QUEUES);
		return -EINVAL;
	}
	if (!tb[IFLA_ADDRESS])
		eth_hw_addr_random(dev);
	if (!tb[IFLA_MTU]) {
		dev->mtu = a->dev->mtu;
	} else if (dev->mtu > a->dev->mtu) {
		NL_SET_ERR_MSG_ATTR(extack, tb[IFLA_MTU],
				    "larger than the adapter's MTU");
		return -EINVAL;
	}
	dev->max_mtu = a->dev->mtu;
	port->adapter = a;
	port->mac_location = VMQ_LOC_ANY;
	uuid_gen(&port->uuid);
	err = netif_set_real_num_tx_queues(dev, min(dev->num_tx_queues,
						    dev->num_rx_queues));
	if (err)
		return err;
	netif_inherit_tso_max(dev, a->dev);
	dev->needed_headroom = a->dev->needed_headroom;
	dev->needed_tailroom = a->dev->needed_tailroom;

	err = register_netdevice(dev);
	if (err)
		return err;
	err = netdev_upper_dev_link(a->dev, dev, extack);
	if (err)
		goto err_unregister;
	err = vmq_ext_port_init(port, extack);
	if (err)
		goto err_link;
	err = vmq_port_take_queues(port, extack);
	if (err)
		goto err_ext;
	/* it says how many it got; fewer than before, so this can't fail */
	netif_set_real_num_queues(dev, vmq_port_tx_queues(port),
				  max(port->n_queues, 1U));
	err = vmq_port_set_mac(port, dev->dev_addr, extack);
	if (err)
		goto err_queues;
	vmq_port_complete_queues(port, 0);

	/* 0 is never a port's id; a wrap would take 4 billion ports */
	port->id = ++a->next_port_id;
	a->n_ports++;
	if (rcu_access_pointer(a->uplink))
		vmq_near_ports(1);
	list_add_tail_rcu(&port->node, &a->ports);
	vmq_uplink_rx_flags(a);
	vmq_uplink_carrier(a, dev);
	vmq_notify_port(port);
	return 0;

err_queues:
	vmq_port_stop_queues(port, 0);
	synchronize_net();
	vmq_port_give_back_queues(port, 0);
err_ext:
	/* no frame has met them: the port was not in the list yet */
	vmq_ext_port_hide(port);
	vmq_ext_port_destroy(port);
err_link:
	netdev_upper_dev_unlink(a->dev, dev);
err_unregister:
	port->deleted = true;
	unregister_netdevice(dev);
	return err;
}

#ifdef VMQ_HAVE_NEWLINK_PARAMS
static int vmq_port_newlink(struct net_device *dev,
			    struct rtnl_newlink_params *params,
			    struct netlink_ext_ack *extack)
{
	return vmq_port_make(dev, rtnl_newlink_link_net(params), params->tb,
			     extack);
}
#else
static int vmq_port_newlink(struct net *src_net, struct net_device *dev,
			    struct nlattr *tb[], struct nlattr *data[],
			    struct netlink_ext_ack *extack)
{
	return vmq_port_make(dev, src_net, tb, extack);
}
#endif

/* No new frame reaches it or leaves it from here on. */
static void vmq_port_hide(struct vmq_port *port)
{
	struct vmq_adapter *a = port->adapter;

	vmq_path_give_up(port);
	/* nothing of it is sent from here on, with or without extensions */
	WRITE_ONCE(port->deleted, true);
	vmq_port_say(port);
	WRITE_ONCE(port->soft.state, VMQ_QUEUE_STATE_FREEING);
	vmq_session_kill(port);
	vmq_port_gate_destroy(port);
	vmq_path_destroy(port);
	list_del_rcu(&port->node);
	a->n_ports--;
	if (rcu_access_pointer(a->uplink))
		vmq_near_ports(-1);
	vmq_port_promisc(port, false);
	vmq_mcast_port_del(&a->mcast, &port->mcast);
	vmq_filter_flush_port(port);
	vmq_port_stop_queues(port, 0);
	vmq_ext_port_hide(port);
}

/* A grace period later. */
static void vmq_port_destroy(struct vmq_port *port, struct list_head *head)
{
	vmq_port_gate_release(port);
	vmq_rss_ctx_flush(port);
	vmq_port_give_back_queues(port, 0);
	vmq_queue_drain(&port->soft);
	vmq_policy_free(port);
	vmq_ext_port_destroy(port);
	netdev_upper_dev_unlink(port->adapter->dev, port->dev);
	unregister_netdevice_queue(port->dev, head);
}

/**
 * vmq_port_dellink() - deletes a port
 * @dev: its netdev
 * @head: list of netdevs to unregister, or NULL for this one alone
 *
 * Context: Process context, rtnl held. Harmless when called again.
 */
void vmq_port_dellink(struct net_device *dev, struct list_head *head)
{
	struct vmq_port *port = vmq_port_priv(dev);

	if (port->deleted)
		return;
	vmq_port_hide(port);
	vmq_uplink_rx_flags(port->adapter);
	synchronize_net();
	vmq_port_destroy(port, head);
}

/**
 * vmq_ports_dellink() - deletes all ports of an adapter behind one grace period
 * @a: the adapter
 * @head: list of netdevs to unregister
 *
 * Context: Process context, rtnl held.
 */
void vmq_ports_dellink(struct vmq_adapter *a, struct list_head *head)
{
	struct vmq_port *port, *next;
	LIST_HEAD(hidden);

	if (list_empty(&a->ports))
		return;
	vmq_rss_freeze(a);
	list_for_each_entry_safe(port, next, &a->ports, node) {
		vmq_port_hide(port);
		list_add(&port->dead, &hidden);
	}
	vmq_uplink_rx_flags(a);
	synchronize_net();
	list_for_each_entry_safe(port, next, &hidden, dead)
		vmq_port_destroy(port, head);
}

static struct net *vmq_port_get_link_net(const struct net_device *dev)
{
	return dev_net(vmq_port_priv(dev)->adapter->dev);
}

/*
 * A move to another netns unregisters and registers too, and the device node gets
 * the name of the new ifindex.
 */
static int vmq_port_event(struct notifier_block *nb, unsigned long event,
			  void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct netdev_notifier_pre_changeaddr_info *addr = ptr;
	struct vmq_port *port;
	int err = 0;

	if (event == NETDEV_UNREGISTER)
		vmq_port_redirect_gone(dev);
	if (!vmq_is_port(dev))
		return NOTIFY_DONE;
	port = vmq_port_priv(dev);
	switch (event) {
	case NETDEV_REGISTER:
		err = vmq_tap_make_node(port);
		break;
	case NETDEV_UNREGISTER:
		vmq_tap_remove_node(port);
		break;
	case NETDEV_CHANGE_TX_QUEUE_LEN:
		err = tap_queue_resize(&port->tap);
		break;
	case NETDEV_PRE_CHANGEADDR:
		/* the netdev op itself has nowhere to say why not */
		err = vmq_port_check_mac(port, addr->dev_addr,
					 netdev_notifier_info_to_extack(ptr));
		break;
	}
	return notifier_from_errno(err);
}

static struct notifier_block vmq_port_notifier = {
	.notifier_call = vmq_port_event,
};

/**
 * vmq_port_init() - listens to what happens to ports
 *
 * Context: Module init.
 * Return: 0 or a negative errno.
 */
int __init vmq_port_init(void)
{
	return register_netdevice_notifier(&vmq_port_notifier);
}

/**
 * vmq_port_exit() - stops listening
 *
 * Context: Module exit, no port left.
 */
void vmq_port_exit(void)
{
	unregister_netdevice_notifier(&vmq_port_notifier);
}

static unsigned int vmq_port_num_queues(void)
{
	return 1;
}

struct rtnl_link_ops vmq_port_link_ops = {
	.kind = "vmqport",
	.priv_size = sizeof(struct vmq_port),
	.setup = vmq_port_setup,
	.validate = vmq_port_validate,
	.newlink = vmq_port_newlink,
	.dellink = vmq_port_dellink,
	.get_link_net = vmq_port_get_link_net,
	.get_num_tx_queues = vmq_port_num_queues,
	.get_num_rx_queues = vmq_port_num_queues,
};

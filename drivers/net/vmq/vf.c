// SPDX-License-Identifier: GPL-2.0
/*
 * The netdev of a VF. It may be anywhere: in a guest's network namespace, under a
 * macvtap or a bond.
 */
#include <linux/etherdevice.h>
#include <linux/if_link.h>
#include <linux/if_vlan.h>

#include "vmq_priv.h"

static const struct net_device_ops vmq_vf_netdev_ops;

static atomic_t vmq_vf_serials;

/**
 * vmq_is_vf() - is this netdev a VF's?
 * @dev: the netdev
 *
 * Context: Any.
 * Return: true if it is.
 */
bool vmq_is_vf(const struct net_device *dev)
{
	return dev->netdev_ops == &vmq_vf_netdev_ops;
}

/* ---- its link ---- */

/**
 * vmq_vf_link() - gives a VF the link that it should have
 * @vf: the VF
 *
 * Context: Process context, rtnl held.
 */
void vmq_vf_link(struct vmq_vf *vf)
{
	struct net_device *dev = vf->netdev;
	bool on = dev && vf->cfg.link_state != IFLA_VF_LINK_STATE_DISABLE &&
		  !vf->resetting &&
		  (vf->path.user ?
		   vf->path.vport == VMQ_VPORT_STATE_ACTIVATED : !vf->parked);

	WRITE_ONCE(vf->path.queue.state, on ? VMQ_QUEUE_STATE_RUNNING :
					 VMQ_QUEUE_STATE_PAUSED);
	if (!dev)
		return;
	if (!on || (vf->path.user && !vf->path.exposed))
		netif_carrier_off(dev);
	else if (vf->cfg.link_state == IFLA_VF_LINK_STATE_ENABLE)
		netif_carrier_on(dev);
	else
		vmq_uplink_carrier(vf->adapter, dev);
	linkwatch_fire_event(dev);
}

/* ---- its filter and its settings ---- */

/**
 * vmq_vf_set_filter() - sets or moves the filter of a VF without a user
 * @vf: the VF, with a netdev
 * @mac: its address
 * @tci: its VLAN and priority; 0: frames with any tag, or none
 *
 * Context: Process context, rtnl held.
 * Return: 0, -EADDRINUSE if the address is the adapter's, or the errors of
 * vmq_filter_set(); nothing changed then.
 */
int vmq_vf_set_filter(struct vmq_vf *vf, const u8 *mac, u16 tci)
{
	struct vmq_port *port = vmq_port_priv(vf->netdev);
	struct vmq_adapter *a = vf->adapter;
	struct net_device *uplink = rtnl_dereference(a->uplink);
	struct vmq_filter_spec spec;
	int err;

	if (ether_addr_equal(mac, a->dev->dev_addr) ||
	    (uplink && ether_addr_equal(mac, uplink->dev_addr)))
		return -EADDRINUSE;
	vmq_filter_mac_spec(&spec, mac, tci & VLAN_VID_MASK);
	if (!tci) {
		spec.mask.vlan = 0;
		spec.fs.flow_type = ETHER_FLOW;
		spec.fs.m_ext.vlan_tci = 0;
	}
	spec.owner = VMQ_OWNER_PORT;
	spec.port = port;
	spec.vf = vf;
	if (port->mac_location != VMQ_LOC_ANY)
		spec.location = port->mac_location;
	err = vmq_filter_set(a, &spec, NULL);
	if (!err)
		port->mac_location = spec.location;
	return err;
}

/**
 * vmq_vf_clear_filter() - clears the filter of a VF, if it has one
 * @vf: the VF, with a netdev
 *
 * Context: Process context, rtnl held.
 */
void vmq_vf_clear_filter(struct vmq_vf *vf)
{
	struct vmq_port *port = vmq_port_priv(vf->netdev);

	if (port->mac_location == VMQ_LOC_ANY)
		return;
	vmq_filter_clear(vf->adapter, port->mac_location, VMQ_OWNER_PORT, port);
	port->mac_location = VMQ_LOC_ANY;
}

/**
 * vmq_vf_give_mac() - gives the netdev of a VF another address
 * @vf: the VF, with a netdev
 * @mac: the address
 *
 * Context: Process context, rtnl held.
 */
void vmq_vf_give_mac(struct vmq_vf *vf, const u8 *mac)
{
	if (ether_addr_equal(mac, vf->netdev->dev_addr))
		return;
	eth_hw_addr_set(vf->netdev, mac);
	call_netdevice_notifiers(NETDEV_CHANGEADDR, vf->netdev);
}

/**
 * vmq_vf_tci() - the tag that a VF's frames get
 * @cfg: the VF's settings
 *
 * Context: Any.
 * Return: the tag, 0 for none.
 */
u16 vmq_vf_tci(const struct vmq_vf_config *cfg)
{
	return cfg->qos << VLAN_PRIO_SHIFT | cfg->vlan;
}

static void vmq_vf_promisc(struct vmq_vf *vf)
{
	if (vf->netdev)
		vmq_port_promisc(vmq_port_priv(vf->netdev),
				 vf->cfg.trusted &&
				 (vf->netdev->flags & IFF_PROMISC));
}

/**
 * vmq_vf_configure() - gives a VF other settings
 * @vf: the VF
 * @cfg: all of them; an address that differs is given to its netdev too
 * @mac_given: the address is, even if it is the one that was set before, as the
 *	netdev may have taken another one since
 *
 * Context: Process context, rtnl held.
 * Return: 0, -EBUSY for another address or VLAN while the VF is a port's,
 * -EADDRINUSE if the address is the adapter's, -EEXIST if somebody has the
 * address in that VLAN, or the errors of vmq_filter_set(); nothing
 * changed then.
 */
int vmq_vf_configure(struct vmq_vf *vf, const struct vmq_vf_config *cfg,
		     bool mac_given)
{
	struct net_device *dev = vf->netdev;
	bool moved = !ether_addr_equal(cfg->mac, vf->cfg.mac) ||
		     (mac_given && dev && !vf->path.user &&
		      !ether_addr_equal(cfg->mac, dev->dev_addr));
	const u8 *mac = dev && !moved ? dev->dev_addr : cfg->mac;
	u16 tci = vmq_vf_tci(cfg);
	int err;

	/* a port's VF has the address and the VLAN of the port */
	if (vf->path.user && (moved || tci != vf->tci))
		return -EBUSY;
	if (dev && !vf->parked && (moved || tci != vf->tci)) {
		err = vmq_vf_set_filter(vf, mac, tci);
		if (err)
			return err;
	}
	if (dev)
		vmq_vf_give_mac(vf, mac);
	vf->cfg = *cfg;
	WRITE_ONCE(vf->tci, tci);
	WRITE_ONCE(vf->spoofchk, cfg->spoofchk);
	if (cfg->max_tx_rate != vf->rate) {
		WRITE_ONCE(vf->rate, cfg->max_tx_rate);
		atomic64_set(&vf->busy_until, 0);
		if (dev && netif_running(dev))
			netif_tx_wake_all_queues(dev);
	}
	vmq_vf_promisc(vf);
	/* a port leaves while the VF still takes its frames */
	vmq_path_check(&vf->path);
	vmq_vf_link(vf);
	return 0;
}

/* ---- netdev ops ---- */

static int vmq_vf_open(struct net_device *dev)
{
	netif_tx_start_all_queues(dev);
	return 0;
}

static int vmq_vf_stop(struct net_device *dev)
{
	netif_tx_stop_all_queues(dev);
	hrtimer_cancel(&vmq_port_priv(dev)->vf->timer);
	return 0;
}

static void vmq_vf_get_stats64(struct net_device *dev,
			       struct rtnl_link_stats64 *s)
{
	struct vmq_stats sum = {};

	vmq_port_sum(vmq_port_priv(dev), 0, 1, &sum);
	vmq_stats_to_link(&sum, s);
}

/* The address is the VF's own to choose, until the administrator has set one. */
static int vmq_vf_set_mac_address(struct net_device *dev, void *p)
{
	const u8 *mac = ((struct sockaddr *)p)->sa_data;
	struct vmq_vf *vf = vmq_port_priv(dev)->vf;
	int err;

	err = eth_prepare_mac_addr_change(dev, p);
	if (err || ether_addr_equal(mac, dev->dev_addr))
		return err;
	if (vf->path.user || (vf->cfg.mac_set && !vf->cfg.trusted))
		return -EPERM;
	if (vf->parked) {
		eth_hw_addr_set(dev, mac);
		return 0;
	}
	err = vmq_vf_set_filter(vf, mac, vf->tci);
	if (!err)
		eth_hw_addr_set(dev, mac);
	return err;
}

static int vmq_vf_change_mtu(struct net_device *dev, int mtu)
{
	/* the core checked it against max_mtu, which is the adapter's MTU */
	WRITE_ONCE(dev->mtu, mtu);
	return 0;
}

static void vmq_vf_change_rx_flags(struct net_device *dev, int change)
{
	struct vmq_port *port = vmq_port_priv(dev);

	if ((change & IFF_PROMISC) && !port->deleted)
		vmq_vf_promisc(port->vf);
}

/* The guest's VLANs must pass the uplink; the adapter keeps count of them. */
static int vmq_vf_vlan_add(struct net_device *dev, __be16 proto, u16 vid)
{
	return vlan_vid_add(vmq_port_priv(dev)->adapter->dev, proto, vid);
}

static int vmq_vf_vlan_kill(struct net_device *dev, __be16 proto, u16 vid)
{
	vlan_vid_del(vmq_port_priv(dev)->adapter->dev, proto, vid);
	return 0;
}

static void vmq_vf_destructor(struct net_device *dev)
{
	struct vmq_port *port = vmq_port_priv(dev);

	if (port->stats)
		free_percpu(port->stats[0]);
	kfree(port->stats);
	kfree(port->queue);
	bitmap_free(port->vlans);
}

static int vmq_vf_ndo_init(struct net_device *dev)
{
	struct vmq_port *port = vmq_port_priv(dev);

	port->vlans = bitmap_zalloc(VLAN_N_VID, GFP_KERNEL_ACCOUNT);
	port->queue = kzalloc(sizeof(*port->queue), GFP_KERNEL_ACCOUNT);
	port->stats = kzalloc(sizeof(*port->stats), GFP_KERNEL_ACCOUNT);
	if (!port->vlans || !port->queue || !port->stats)
		goto err_free;
	port->stats[0] = vmq_stats_alloc();
	if (!port->stats[0])
		goto err_free;
	seqlock_init(&port->stats_lock);
	INIT_LIST_HEAD(&port->soft.rules);
	port->queue[0] = &port->vf->path.queue;
	port->n_queues = 1;
	netdev_lockdep_set_classes(dev);
	return 0;

err_free:
	vmq_vf_destructor(dev);
	return -ENOMEM;
}

static const struct net_device_ops vmq_vf_netdev_ops = {
	.ndo_init = vmq_vf_ndo_init,
	.ndo_open = vmq_vf_open,
	.ndo_stop = vmq_vf_stop,
	.ndo_start_xmit = vmq_vf_start_xmit,
	.ndo_get_stats64 = vmq_vf_get_stats64,
	.ndo_set_mac_address = vmq_vf_set_mac_address,
	.ndo_validate_addr = eth_validate_addr,
	.ndo_change_mtu = vmq_vf_change_mtu,
	.ndo_set_rx_mode = vmq_port_set_rx_mode,
	.ndo_change_rx_flags = vmq_vf_change_rx_flags,
	.ndo_vlan_rx_add_vid = vmq_vf_vlan_add,
	.ndo_vlan_rx_kill_vid = vmq_vf_vlan_kill,
	.ndo_features_check = passthru_features_check,
};

static void vmq_vf_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &vmq_vf_netdev_ops;
	dev->ethtool_ops = &vmq_vf_ethtool_ops;
	dev->priv_destructor = vmq_vf_destructor;
	dev->needs_free_netdev = true;
	/* with a queue, so that a rate limit holds senders back */
	dev->priv_flags |= IFF_LIVE_ADDR_CHANGE | IFF_DISABLE_NETPOLL;
	dev->priv_flags &= ~IFF_TX_SKB_SHARING;
	dev->lltx = true;

	dev->features |= VMQ_PORT_FEATURES | NETIF_F_HW_VLAN_CTAG_FILTER;
	dev->hw_features |= VMQ_PORT_FEATURES;
	dev->hw_enc_features |= VMQ_PORT_FEATURES;
	dev->vlan_features |= VMQ_PORT_FEATURES & ~NETIF_F_HW_VLAN_CTAG_TX;
}

/* ---- the VF itself ---- */

/* vmq0v3, or another name where that one does not fit or is taken. */
static struct net_device *vmq_vf_alloc_netdev(struct vmq_vf *vf)
{
	const struct net_device *pf = vf->adapter->dev;
	char name[2 * IFNAMSIZ];

	snprintf(name, sizeof(name), "%sv%u", pf->name, vf->path.id);
	if (strlen(name) >= IFNAMSIZ ||
	    __dev_get_by_name(dev_net(pf), name))
		strscpy(name, "vmqvf%d", sizeof(name));
	return alloc_netdev_mqs(sizeof(struct vmq_port), name,
				NET_NAME_ENUM, vmq_vf_setup, 1, 1);
}

/**
 * vmq_vf_probe() - makes the netdev of a VF
 * @vf: the VF, without one
 *
 * Context: Process context, rtnl held.
 * Return: 0, -ENODEV if the adapter is on its way out, or a negative errno.
 */
int vmq_vf_probe(struct vmq_vf *vf)
{
	struct vmq_adapter *a = vf->adapter;
	struct net_device *dev;
	struct vmq_port *port;
	int err;

	if (!a->registered)
		return -ENODEV;
	dev = vmq_vf_alloc_netdev(vf);
	if (!dev)
		return -ENOMEM;
	port = vmq_port_priv(dev);
	port->dev = dev;
	port->adapter = a;
	port->vf = vf;
	port->mac_location = VMQ_LOC_ANY;
	dev_net_set(dev, dev_net(a->dev));
	SET_NETDEV_DEV(dev, &vf->dev);
	dev->dev_port = vf->path.id;
	eth_hw_addr_set(dev, vf->path.user ? vf->path.user->dev->dev_addr :
					     vf->cfg.mac);
	if (!vf->cfg.mac_set)
		dev->addr_assign_type = NET_ADDR_RANDOM;
	dev->mtu = a->dev->mtu;
	dev->max_mtu = a->dev->mtu;
	netif_inherit_tso_max(dev, a->dev);
	dev->needed_headroom = a->dev->needed_headroom;
	dev->needed_tailroom = a->dev->needed_tailroom;
	netif_carrier_off(dev);
	err = register_netdevice(dev);
	if (err) {
		free_netdev(dev);
		return err;
	}
	/* so that the core sees a loop where it were to become the uplink's uplink */
	err = netdev_upper_dev_link(a->dev, dev, NULL);
	if (err) {
		unregister_netdevice(dev);
		return err;
	}
	vf->netdev = dev;
	if (vf->path.user)
		RCU_INIT_POINTER(port->policy,
				 rtnl_dereference(vf->path.user->policy));
	rcu_assign_pointer(vf->path.queue.port, port);
	vf->up = false;
	vf->parked = false;
	err = vf->path.user ? 0 : vmq_vf_set_filter(vf, dev->dev_addr, vf->tci);
	if (err) {
		netdev_err(dev, "somebody else has the address %pM\n",
			   dev->dev_addr);
		RCU_INIT_POINTER(vf->path.queue.port, NULL);
		vf->netdev = NULL;
		netdev_upper_dev_unlink(a->dev, dev);
		unregister_netdevice(dev);
		return err;
	}
	vmq_filter_port_vlans(port);
	list_add_tail_rcu(&port->node, &a->vf_ports);
	vmq_uplink_rx_flags(a);
	vmq_vf_link(vf);
	vmq_path_kick(a);
	return 0;
}

/**
 * vmq_vf_remove() - unmakes the netdev of a VF, if it has one
 * @vf: the VF; its settings stay
 * @head: list of netdevs to unregister, or NULL for this one alone
 *
 * Context: Process context, rtnl held.
 */
void vmq_vf_remove(struct vmq_vf *vf, struct list_head *head)
{
	struct net_device *dev = vf->netdev;
	struct vmq_adapter *a = vf->adapter;
	struct vmq_port *port;

	if (!dev)
		return;
	/* while it still takes the frames of a port */
	vf->up = false;
	vmq_path_check(&vf->path);
	port = vmq_port_priv(dev);
	WRITE_ONCE(port->deleted, true);
	vmq_vf_clear_filter(vf);
	vf->netdev = NULL;
	vmq_vf_link(vf);
	list_del_rcu(&port->node);
	vmq_port_promisc(port, false);
	vmq_uplink_rx_flags(a);
	/* no frame may find the queue without a port but running */
	synchronize_net();
	vmq_queue_drain(&vf->path.queue);
	RCU_INIT_POINTER(vf->path.queue.port, NULL);
	netdev_upper_dev_unlink(a->dev, dev);
	unregister_netdevice_queue(dev, head);
}

/**
 * vmq_vf_idle() - is a VF without use, so that it may go?
 * @vf: the VF
 *
 * Context: Process context, rtnl held.
 * Return: false while it is a port's, or rules of the administrator lead to it.
 */
bool vmq_vf_idle(struct vmq_vf *vf)
{
	u32 own = vf->netdev &&
		  vmq_port_priv(vf->netdev)->mac_location != VMQ_LOC_ANY;

	return !vf->path.user && vf->path.queue.filters == own;
}

/**
 * vmq_vf_init() - prepares a VF
 * @vf: the VF, all 0
 * @a: its adapter
 * @id: its number
 *
 * Context: Process context.
 * Return: 0 or -ENOMEM.
 */
int vmq_vf_init(struct vmq_vf *vf, struct vmq_adapter *a, u16 id)
{
	vf->path.queue.stats = vmq_stats_alloc();
	if (!vf->path.queue.stats)
		return -ENOMEM;
	INIT_LIST_HEAD(&vf->path.queue.rules);
	INIT_LIST_HEAD(&vf->path.queue.gone);
	vmq_queue_setup(&vf->path.queue, a);
	vf->path.queue.state = VMQ_QUEUE_STATE_PAUSED;
	vf->adapter = a;
	vf->path.ops = &vmq_vf_path_ops;
	vf->path.id = id;
	/* under the lock of the adapter's device, but of any adapter */
	vf->serial = atomic_inc_return(&vmq_vf_serials);
	vf->spoofchk = true;
	vf->cfg.spoofchk = true;
	eth_random_addr(vf->cfg.mac);
	vmq_hrtimer_setup(&vf->timer, vmq_vf_timer, CLOCK_MONOTONIC,
			  HRTIMER_MODE_ABS_SOFT);
	return 0;
}

/**
 * vmq_vf_destroy() - frees what vmq_vf_init() made
 * @vf: the VF, without a netdev
 *
 * Context: Process context.
 */
void vmq_vf_destroy(struct vmq_vf *vf)
{
	hrtimer_cancel(&vf->timer);
	vmq_vf_blocks_free(&vf->blocks);
	free_percpu(vf->path.queue.stats);
}

/* ---- for the adapter ---- */

/**
 * vmq_vfs_have_mac() - is this the address of a VF's netdev?
 * @a: the adapter
 * @mac: the address
 *
 * Context: Process context, rtnl held.
 * Return: true if it is.
 */
bool vmq_vfs_have_mac(struct vmq_adapter *a, const u8 *mac)
{
	struct vmq_port *port;

	list_for_each_entry(port, &a->vf_ports, node)
		if (ether_addr_equal(port->dev->dev_addr, mac))
			return true;
	return false;
}

/**
 * vmq_vfs_mtu() - keeps the VFs' MTUs within the adapter's
 * @a: the adapter
 * @mtu: its new MTU
 *
 * Context: Process context, rtnl held.
 */
void vmq_vfs_mtu(struct vmq_adapter *a, int mtu)
{
	struct vmq_port *port;

	list_for_each_entry(port, &a->vf_ports, node) {
		port->dev->max_mtu = mtu;
		if (port->dev->mtu > mtu)
			dev_set_mtu(port->dev, mtu);
	}
}

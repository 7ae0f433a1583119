// SPDX-License-Identifier: GPL-2.0
/*
 * VFs of the uplink as the data path of ports, where the uplink is a PCI NIC with
 * SR-IOV. The VF is in a guest or in a network namespace; we program it by the
 * NIC's own ndo_set_vf_*, and watch its driver and its netdev come and go.
 *
 * The address of the port is the VF's while its driver is there to receive, and
 * the NIC's else. The NIC itself switches between its VFs and the adapter.
 */
#include <linux/etherdevice.h>
#include <linux/if_link.h>
#include <linux/pci.h>
#include <linux/rtnetlink.h>
#include <net/net_namespace.h>

#include "vmq_priv.h"

struct vmq_uplink_vf {
	struct vmq_path_vf path;
	struct vmq_adapter *adapter;
	struct net_device *uplink;
	struct pci_dev *pdev;
	struct net_device *netdev;	/* anywhere; NULL: none, as with vfio */
	struct ifla_vf_info cfg;	/* as it was, and as it is to be again */
	bool bound;			/* a driver is */
	bool up;			/* its netdev is, and not on its way down */
	bool pf_down;			/* the uplink is, or on its way */
	bool programmed;		/* it has the port's address */
	struct list_head node;		/* in adapter->uplink_vfs */
};

static struct vmq_uplink_vf *vmq_uvf_of(struct vmq_path_vf *pv)
{
	return container_of(pv, struct vmq_uplink_vf, path);
}

/* ---- the NIC's own operations ---- */

static int vmq_uvf_set_mac(struct vmq_uplink_vf *uvf, const u8 *mac)
{
	struct net_device *uplink = uvf->uplink;
	u8 addr[ETH_ALEN];
	int err;

	ether_addr_copy(addr, mac);
	vmq_netdev_lock_ops(uplink);
	err = uplink->netdev_ops->ndo_set_vf_mac(uplink, uvf->path.id, addr);
	vmq_netdev_unlock_ops(uplink);
	return err;
}

/* Not every NIC can; then the guest has to be told in another way. */
static void vmq_uvf_set_link(struct vmq_uplink_vf *uvf, int state)
{
	struct net_device *uplink = uvf->uplink;

	if (!uplink->netdev_ops->ndo_set_vf_link_state)
		return;
	vmq_netdev_lock_ops(uplink);
	uplink->netdev_ops->ndo_set_vf_link_state(uplink, uvf->path.id, state);
	vmq_netdev_unlock_ops(uplink);
}

/* What else was set for it, as a reset may have lost it. */
static void vmq_uvf_set_more(struct vmq_uplink_vf *uvf)
{
	const struct net_device_ops *ops = uvf->uplink->netdev_ops;
	const struct ifla_vf_info *cfg = &uvf->cfg;
	struct net_device *dev = uvf->uplink;
	int id = uvf->path.id;

	vmq_netdev_lock_ops(dev);
	if (ops->ndo_set_vf_vlan)
		ops->ndo_set_vf_vlan(dev, id, 0, 0, htons(ETH_P_8021Q));
	if (ops->ndo_set_vf_spoofchk && cfg->spoofchk != (u32)-1)
		ops->ndo_set_vf_spoofchk(dev, id, cfg->spoofchk);
	if (ops->ndo_set_vf_trust && cfg->trusted != (u32)-1)
		ops->ndo_set_vf_trust(dev, id, cfg->trusted);
	if (ops->ndo_set_vf_rate && cfg->max_tx_rate)
		ops->ndo_set_vf_rate(dev, id, cfg->min_tx_rate,
				     cfg->max_tx_rate);
	vmq_netdev_unlock_ops(dev);
}

static int vmq_uvf_program(struct vmq_uplink_vf *uvf)
{
	int err;

	if (uvf->programmed || uvf->pf_down)
		return 0;
	err = vmq_uvf_set_mac(uvf, uvf->path.user->dev->dev_addr);
	if (err) {
		netdev_warn(uvf->adapter->dev,
			    "VF %u of %s does not take an address: %d\n",
			    uvf->path.id, uvf->uplink->name, err);
		return err;
	}
	vmq_uvf_set_more(uvf);
	uvf->programmed = true;
	return 0;
}

static void vmq_uvf_unprogram(struct vmq_uplink_vf *uvf)
{
	static const u8 none[ETH_ALEN];

	if (!uvf->programmed)
		return;
	uvf->programmed = false;
	if (!uvf->pf_down)
		vmq_uvf_set_mac(uvf, none);
}

/* ---- as the path of a port ---- */

static int vmq_uvf_allocate(struct vmq_path_vf *pv,
			    struct netlink_ext_ack *extack)
{
	struct vmq_uplink_vf *uvf = vmq_uvf_of(pv);
	struct net_device *uplink = uvf->uplink;
	int err;

	memset(&uvf->cfg, 0, sizeof(uvf->cfg));
	uvf->cfg.spoofchk = -1;
	uvf->cfg.trusted = -1;
	vmq_netdev_lock_ops(uplink);
	err = uplink->netdev_ops->ndo_get_vf_config(uplink, pv->id, &uvf->cfg);
	vmq_netdev_unlock_ops(uplink);
	if (err) {
		NL_SET_ERR_MSG_FMT(extack, "%s does not know its VF %u",
				   uplink->name, pv->id);
		return err;
	}
	if (uvf->cfg.vlan || uvf->cfg.qos) {
		NL_SET_ERR_MSG_FMT(extack, "the VF has a VLAN: ip link set %s vf %u vlan 0",
				   uplink->name, pv->id);
		return -EBUSY;
	}
	uvf->pf_down = !netif_running(uplink);
	err = vmq_uvf_program(uvf);
	if (err) {
		NL_SET_ERR_MSG_FMT(extack, "%s does not take the address for its VF %u",
				   uplink->name, pv->id);
		return err;
	}
	rcu_assign_pointer(pv->queue.port, pv->user);
	return 0;
}

static bool vmq_uvf_ready(struct vmq_path_vf *pv)
{
	struct vmq_uplink_vf *uvf = vmq_uvf_of(pv);

	if (!uvf->bound || uvf->pf_down || (uvf->netdev && !uvf->up))
		return false;
	return !pv->user || (!vmq_uvf_program(uvf) && uvf->programmed);
}

static void vmq_uvf_update(struct vmq_path_vf *pv)
{
	struct vmq_uplink_vf *uvf = vmq_uvf_of(pv);
	bool on = pv->vport == VMQ_VPORT_STATE_ACTIVATED;

	WRITE_ONCE(pv->queue.state, on ? VMQ_QUEUE_STATE_RUNNING :
					 VMQ_QUEUE_STATE_PAUSED);
	if (!on)
		vmq_uvf_unprogram(uvf);
	if (!uvf->pf_down)
		vmq_uvf_set_link(uvf, on && pv->exposed ?
				 IFLA_VF_LINK_STATE_AUTO :
				 IFLA_VF_LINK_STATE_DISABLE);
}

/* Its driver, or vfio, resets the function itself when it leaves it. */
static void vmq_uvf_reset(struct vmq_path_vf *pv)
{
	synchronize_net();
}

static void vmq_uvf_mac(struct vmq_path_vf *pv)
{
	struct vmq_uplink_vf *uvf = vmq_uvf_of(pv);

	if (!uvf->programmed)
		return;
	uvf->programmed = false;
	vmq_uvf_program(uvf);
}

static void vmq_uvf_release(struct vmq_path_vf *pv)
{
	struct vmq_uplink_vf *uvf = vmq_uvf_of(pv);

	vmq_uvf_unprogram(uvf);
	if (!uvf->pf_down)
		vmq_uvf_set_link(uvf, uvf->cfg.linkstate);
	RCU_INIT_POINTER(pv->queue.port, NULL);
}

static const struct vmq_path_ops vmq_uvf_path_ops = {
	.uplink = true,
	.allocate = vmq_uvf_allocate,
	.ready = vmq_uvf_ready,
	.update = vmq_uvf_update,
	.reset = vmq_uvf_reset,
	.mac = vmq_uvf_mac,
	.release = vmq_uvf_release,
};

/* ---- which VFs there are ---- */

static struct pci_dev *vmq_uplink_pf(struct net_device *uplink)
{
	struct device *dev = uplink->dev.parent;

	return dev && dev_is_pci(dev) ? to_pci_dev(dev) : NULL;
}

/**
 * vmq_path_uplink_check() - can ports use VFs of the uplink?
 * @a: the adapter
 * @extack: says why not
 *
 * Context: Process context, rtnl held.
 * Return: 0 or -EOPNOTSUPP.
 */
int vmq_path_uplink_check(struct vmq_adapter *a,
			  struct netlink_ext_ack *extack)
{
	struct net_device *uplink = rtnl_dereference(a->uplink);
	struct pci_dev *pf = uplink ? vmq_uplink_pf(uplink) : NULL;

	if (!uplink) {
		NL_SET_ERR_MSG(extack, "the adapter has no uplink");
		return -EOPNOTSUPP;
	}
	if (!pf) {
		NL_SET_ERR_MSG(extack, "only VFs of a PCI NIC that is the uplink itself, no bond");
		return -EOPNOTSUPP;
	}
	if (!pci_num_vf(pf) || !uplink->netdev_ops->ndo_set_vf_mac ||
	    !uplink->netdev_ops->ndo_get_vf_config) {
		NL_SET_ERR_MSG_FMT(extack, "%s has no VFs: see sriov_numvfs of its device",
				   uplink->name);
		return -EOPNOTSUPP;
	}
	return 0;
}

/* The netdev that a driver made for the VF, in any network namespace. */
static struct net_device *vmq_uvf_netdev(const struct pci_dev *pdev)
{
	struct net_device *dev, *found = NULL;
	struct net *net;

	down_read(&net_rwsem);
	for_each_net(net)
		for_each_netdev(net, dev)
			if (dev->dev.parent == &pdev->dev)
				found = dev;
	up_read(&net_rwsem);
	return found;
}

/* With a reference. */
static struct pci_dev *vmq_uvf_pdev(struct pci_dev *pf, u32 id)
{
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev)
		if (pdev->is_virtfn && pci_physfn(pdev) == pf &&
		    pci_iov_vf_id(pdev) == id)
			return pdev;
	return NULL;
}

/* Changed under rtnl. While there is none, drivers of others need not wait for it. */
static atomic_t vmq_n_uvfs;

static struct vmq_uplink_vf *vmq_uvf_make(struct vmq_adapter *a, u32 id)
{
	struct net_device *uplink = rtnl_dereference(a->uplink);
	struct pci_dev *pf = vmq_uplink_pf(uplink);
	struct vmq_uplink_vf *uvf;

	uvf = kzalloc(sizeof(*uvf), GFP_KERNEL_ACCOUNT);
	if (!uvf)
		return NULL;
	uvf->pdev = vmq_uvf_pdev(pf, id);
	uvf->path.queue.stats = vmq_stats_alloc();
	if (!uvf->pdev || !uvf->path.queue.stats) {
		pci_dev_put(uvf->pdev);
		free_percpu(uvf->path.queue.stats);
		kfree(uvf);
		return NULL;
	}
	INIT_LIST_HEAD(&uvf->path.queue.rules);
	INIT_LIST_HEAD(&uvf->path.queue.gone);
	vmq_queue_setup(&uvf->path.queue, a);
	uvf->path.queue.via_uplink = true;
	uvf->path.queue.state = VMQ_QUEUE_STATE_PAUSED;
	uvf->path.ops = &vmq_uvf_path_ops;
	uvf->path.id = id;
	uvf->adapter = a;
	uvf->uplink = uplink;
	uvf->pf_down = !netif_running(uplink);
	atomic_inc(&vmq_n_uvfs);
	/* who binds or unbinds a driver now sees us, or we see what it did */
	smp_mb__after_atomic();
	uvf->bound = READ_ONCE(uvf->pdev->dev.driver);
	uvf->netdev = vmq_uvf_netdev(uvf->pdev);
	uvf->up = uvf->netdev && netif_running(uvf->netdev);
	list_add_tail(&uvf->node, &a->uplink_vfs);
	return uvf;
}

static void vmq_uvf_free(struct vmq_uplink_vf *uvf)
{
	list_del(&uvf->node);
	atomic_dec(&vmq_n_uvfs);
	/* filters_to_port() waited for the last frame */
	vmq_queue_drain(&uvf->path.queue);
	pci_dev_put(uvf->pdev);
	free_percpu(uvf->path.queue.stats);
	kfree(uvf);
}

static struct vmq_path_vf *vmq_uvf_find(struct vmq_adapter *a, u32 id)
{
	struct net_device *uplink = rtnl_dereference(a->uplink);
	struct vmq_uplink_vf *uvf;

	list_for_each_entry(uvf, &a->uplink_vfs, node)
		if (uvf->path.id == id)
			return &uvf->path;
	if (id >= pci_num_vf(vmq_uplink_pf(uplink)))
		return NULL;
	uvf = vmq_uvf_make(a, id);
	return uvf ? &uvf->path : NULL;
}

/**
 * vmq_uplink_vf_find() - a VF of the uplink for a port
 * @a: the adapter
 * @id: which one; VMQ_PATH_ANY_VF for one that is free, best one that is ready
 *
 * Context: Process context, rtnl held.
 * Return: the VF or NULL.
 */
struct vmq_path_vf *vmq_uplink_vf_find(struct vmq_adapter *a, u32 id)
{
	struct vmq_path_vf *pv, *found = NULL;
	u32 i, n;

	if (vmq_path_uplink_check(a, NULL))
		return NULL;
	if (id != VMQ_PATH_ANY_VF)
		return vmq_uvf_find(a, id);
	n = pci_num_vf(vmq_uplink_pf(rtnl_dereference(a->uplink)));
	for (i = 0; i < n; i++) {
		pv = vmq_uvf_find(a, i);
		if (!pv || pv->user)
			continue;
		if (vmq_uvf_ready(pv))
			return pv;
		if (!found)
			found = pv;
	}
	return found;
}

/**
 * vmq_uplink_vfs_detach() - the uplink goes, and its VFs with it
 * @a: the adapter
 *
 * Context: Process context, rtnl held.
 */
void vmq_uplink_vfs_detach(struct vmq_adapter *a)
{
	struct vmq_uplink_vf *uvf, *next;

	list_for_each_entry_safe(uvf, next, &a->uplink_vfs, node) {
		vmq_path_lose(&uvf->path);
		vmq_uvf_free(uvf);
	}
}

/* ---- the uplink, up and down ---- */

/*
 * What a reset of the NIC lost is programmed again from a work item: on newer
 * kernels an event comes with the NIC's own lock held.
 */
static void vmq_uvf_again(struct work_struct *work)
{
	struct vmq_uplink_vf *uvf;
	struct vmq_adapter *a;

	rtnl_lock();
	list_for_each_entry(a, &vmq_adapters, node) {
		list_for_each_entry(uvf, &a->uplink_vfs, node) {
			uvf->pf_down = !netif_running(uvf->uplink);
			if (uvf->pf_down || !uvf->path.user)
				continue;
			uvf->programmed = false;
			vmq_uvf_program(uvf);
			vmq_path_check(&uvf->path);
		}
		vmq_path_kick(a);
	}
	rtnl_unlock();
}

static DECLARE_WORK(vmq_uvf_work, vmq_uvf_again);

/**
 * vmq_uplink_vfs_event() - the uplink went up or is going down
 * @a: the adapter
 * @event: NETDEV_UP or NETDEV_GOING_DOWN
 *
 * Context: Process context, rtnl held.
 */
void vmq_uplink_vfs_event(struct vmq_adapter *a, unsigned long event)
{
	struct vmq_uplink_vf *uvf;

	if (list_empty(&a->uplink_vfs))
		return;
	if (event == NETDEV_UP) {
		schedule_work(&vmq_uvf_work);
		return;
	}
	/* a port that waits for a VF would ask the uplink for it at once */
	a->uplink_event = true;
	list_for_each_entry(uvf, &a->uplink_vfs, node) {
		uvf->pf_down = true;
		vmq_path_check(&uvf->path);
	}
	a->uplink_event = false;
	schedule_work(&vmq_uvf_work);
}

/* ---- drivers and netdevs of VFs, wherever they are ---- */

static struct vmq_uplink_vf *vmq_uvf_of_dev(const struct device *dev)
{
	struct vmq_uplink_vf *uvf;
	struct vmq_adapter *a;

	list_for_each_entry(a, &vmq_adapters, node)
		list_for_each_entry(uvf, &a->uplink_vfs, node)
			if (&uvf->pdev->dev == dev)
				return uvf;
	return NULL;
}

static int vmq_uvf_netdev_event(struct notifier_block *nb, unsigned long event,
				void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct vmq_uplink_vf *uvf;

	uvf = dev->dev.parent ? vmq_uvf_of_dev(dev->dev.parent) : NULL;
	if (!uvf)
		return NOTIFY_DONE;
	switch (event) {
	case NETDEV_REGISTER:
		uvf->netdev = dev;
		uvf->up = false;
		break;
	case NETDEV_PRE_UP:
		if (uvf->path.user)
			vmq_uvf_program(uvf);
		break;
	case NETDEV_UP:
		uvf->netdev = dev;
		uvf->up = true;
		vmq_path_check(&uvf->path);
		break;
	case NETDEV_GOING_DOWN:
		uvf->up = false;
		vmq_path_check(&uvf->path);
		break;
	case NETDEV_UNREGISTER:
		uvf->up = false;
		vmq_path_check(&uvf->path);
		uvf->netdev = NULL;
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block vmq_uvf_netdev_notifier = {
	.notifier_call = vmq_uvf_netdev_event,
};

/* With the lock of the VF's device held, which drivers take rtnl within too. */
static int vmq_uvf_bus_event(struct notifier_block *nb, unsigned long event,
			     void *data)
{
	struct device *dev = data;
	struct vmq_uplink_vf *uvf;

	if (!dev_is_pci(dev) || !to_pci_dev(dev)->is_virtfn)
		return NOTIFY_DONE;
	/* pairs with vmq_uvf_make() */
	smp_mb();
	if (!atomic_read(&vmq_n_uvfs))
		return NOTIFY_DONE;
	rtnl_lock();
	uvf = vmq_uvf_of_dev(dev);
	if (!uvf)
		goto unlock;
	switch (event) {
	case BUS_NOTIFY_BIND_DRIVER:
		/* a driver asks for its address as it starts */
		if (uvf->path.user)
			vmq_uvf_program(uvf);
		break;
	case BUS_NOTIFY_BOUND_DRIVER:
		uvf->bound = true;
		vmq_path_check(&uvf->path);
		break;
	case BUS_NOTIFY_UNBIND_DRIVER:
	case BUS_NOTIFY_UNBOUND_DRIVER:
	case BUS_NOTIFY_DRIVER_NOT_BOUND:
		uvf->bound = false;
		vmq_path_check(&uvf->path);
		break;
	case BUS_NOTIFY_DEL_DEVICE:
		uvf->bound = false;
		vmq_path_lose(&uvf->path);
		vmq_uvf_free(uvf);
		break;
	}
unlock:
	rtnl_unlock();
	return NOTIFY_DONE;
}

static struct notifier_block vmq_uvf_bus_notifier = {
	.notifier_call = vmq_uvf_bus_event,
};

#ifdef CONFIG_PCI
static int vmq_uvf_bus_watch(bool on)
{
	return on ? bus_register_notifier(&pci_bus_type, &vmq_uvf_bus_notifier) :
		    bus_unregister_notifier(&pci_bus_type,
					    &vmq_uvf_bus_notifier);
}
#else
static int vmq_uvf_bus_watch(bool on)
{
	return vmq_uvf_bus_notifier.notifier_call ? 0 : -EINVAL;
}
#endif

/**
 * vmq_uplink_vfs_init() - listens to what happens to VFs of NICs
 *
 * Context: Module init.
 * Return: 0 or a negative errno.
 */
int __init vmq_uplink_vfs_init(void)
{
	int err = vmq_uvf_bus_watch(true);

	if (err)
		return err;
	err = register_netdevice_notifier(&vmq_uvf_netdev_notifier);
	if (err)
		vmq_uvf_bus_watch(false);
	return err;
}

/**
 * vmq_uplink_vfs_exit() - stops listening
 *
 * Context: Module exit, no adapter left.
 */
void vmq_uplink_vfs_exit(void)
{
	unregister_netdevice_notifier(&vmq_uvf_netdev_notifier);
	vmq_uvf_bus_watch(false);
	cancel_work_sync(&vmq_uvf_work);
}

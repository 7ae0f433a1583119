// SPDX-License-Identifier: GPL-2.0
/*
 * VFs of the uplink as the data path of ports, where the uplink is a PCI NIC with
 * SR-IOV: which there are. The VF is in a guest or in a network namespace.
 */
#include <linux/netdevice.h>
#include <net/net_namespace.h>

#include "vf_uplink.h"

/**
 * vmq_uplink_pf() - the PCI device of an uplink
 * @uplink: its netdev
 *
 * Context: Any.
 * Return: the device, or NULL if there is none.
 */
struct pci_dev *vmq_uplink_pf(struct net_device *uplink)
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
	uvf->pf_down = !vmq_uvf_pf_serves(uplink);
	vmq_uvf_watch(uvf);
	uvf->netdev = vmq_uvf_netdev(uvf->pdev);
	uvf->makes_netdev = uvf->netdev;
	uvf->up = uvf->netdev && netif_running(uvf->netdev);
	if (list_empty(&a->uplink_vfs))
		a->uplink_downs = atomic_read(&uplink->carrier_down_count);
	list_add_tail(&uvf->node, &a->uplink_vfs);
	return uvf;
}

/**
 * vmq_uvf_free() - forgets a VF
 * @uvf: the VF, without a user
 *
 * Context: Process context, rtnl held.
 */
void vmq_uvf_free(struct vmq_uplink_vf *uvf)
{
	list_del(&uvf->node);
	vmq_uvf_unwatch(uvf);
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
		if (uvf->path.id == id && !READ_ONCE(uvf->gone))
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
		if (pv->ops->ready(pv))
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
		vmq_uvf_restore(uvf);
		vmq_uvf_free(uvf);
	}
}

// SPDX-License-Identifier: GPL-2.0
/*
 * What happens to the uplink, and to the drivers and netdevs of its VFs that ports
 * use.
 *
 * Events of the PCI bus come with the lock of the VF's device held, and some
 * drivers of NICs enable and disable SR-IOV with rtnl held. So nothing here waits
 * for rtnl without an end: what can't be done at once is done by a work item.
 */
#include <linux/delay.h>
#include <linux/rtnetlink.h>
#include <linux/spinlock.h>

#include "vf_uplink.h"

/* How long a driver that starts may be held until its VF has an address. */
#define VMQ_UVF_BIND_MSEC	1000

static LIST_HEAD(vmq_uvfs);
static DEFINE_SPINLOCK(vmq_uvf_lock);	/* vmq_uvfs, and see the header */

/**
 * vmq_uvf_pf_serves() - does a NIC serve its VFs now?
 * @uplink: the NIC
 *
 * A reset takes away its link for a while; there is no other sign of it.
 *
 * Context: Process context, rtnl held.
 * Return: true if it does.
 */
bool vmq_uvf_pf_serves(const struct net_device *uplink)
{
	return netif_running(uplink) && netif_carrier_ok(uplink);
}

/**
 * vmq_uvf_watch() - starts to listen to what happens to the device of a VF
 * @uvf: the VF; knows whether a driver is bound then
 *
 * Context: Process context, rtnl held.
 */
void vmq_uvf_watch(struct vmq_uplink_vf *uvf)
{
	/* who binds or unbinds a driver now finds us, or we find what it did */
	spin_lock(&vmq_uvf_lock);
	list_add_tail(&uvf->all, &vmq_uvfs);
	uvf->bound = READ_ONCE(uvf->pdev->dev.driver);
	spin_unlock(&vmq_uvf_lock);
}

/**
 * vmq_uvf_unwatch() - stops listening
 * @uvf: the VF
 *
 * Context: Process context, rtnl held.
 */
void vmq_uvf_unwatch(struct vmq_uplink_vf *uvf)
{
	spin_lock(&vmq_uvf_lock);
	list_del(&uvf->all);
	spin_unlock(&vmq_uvf_lock);
}

/* ---- the work item ---- */

/* The VF may be gone behind it. */
static void vmq_uvf_changed(struct vmq_uplink_vf *uvf)
{
	if (READ_ONCE(uvf->gone)) {
		vmq_path_lose(&uvf->path);
		vmq_uvf_free(uvf);
		return;
	}
	vmq_path_check(&uvf->path);
	vmq_uvf_idle(uvf);
}

static void vmq_uvf_again(struct work_struct *work)
{
	struct vmq_uplink_vf *uvf, *next;
	struct vmq_adapter *a;

	rtnl_lock();
	list_for_each_entry(a, &vmq_adapters, node) {
		list_for_each_entry_safe(uvf, next, &a->uplink_vfs, node) {
			uvf->pf_down = !vmq_uvf_pf_serves(uvf->uplink);
			if (!uvf->path.user)
				vmq_uvf_restore(uvf);
			else if (!uvf->pf_down)
				vmq_path_resume(uvf->path.user);
			vmq_uvf_changed(uvf);
		}
		vmq_path_kick(a);
	}
	rtnl_unlock();
}

static DECLARE_WORK(vmq_uvf_work, vmq_uvf_again);
static DECLARE_DELAYED_WORK(vmq_uvf_new, vmq_uvf_again);

/**
 * vmq_uplink_vfs_attach() - the adapter has another uplink
 * @a: the adapter
 *
 * Ports may have been waiting for VFs of it.
 *
 * Context: Process context, rtnl held.
 */
void vmq_uplink_vfs_attach(struct vmq_adapter *a)
{
	if (vmq_path_uplink_check(a, NULL))
		return;
	schedule_work(&vmq_uvf_work);
}

/* ---- the uplink ---- */

/**
 * vmq_uplink_vfs_event() - the uplink went up or down, or its link did
 * @a: the adapter
 * @uplink: its uplink
 * @event: NETDEV_UP, NETDEV_GOING_DOWN or NETDEV_CHANGE
 *
 * Ports leave their VFs at once, whatever their policy is, and return behind, as
 * it is not the VF that failed. What a reset of the NIC lost is programmed again
 * from the work item: on newer kernels an event comes with the NIC's own lock held.
 *
 * Context: Process context, rtnl held.
 */
void vmq_uplink_vfs_event(struct vmq_adapter *a, struct net_device *uplink,
			  unsigned long event)
{
	u32 downs = atomic_read(&uplink->carrier_down_count);
	struct vmq_uplink_vf *uvf;

	if (list_empty(&a->uplink_vfs))
		return;
	/* a link that is back already was gone all the same */
	if (event == NETDEV_GOING_DOWN || !vmq_uvf_pf_serves(uplink) ||
	    downs != a->uplink_downs) {
		/* who is asked for a VF now would ask the uplink for it at once */
		a->uplink_event = true;
		list_for_each_entry(uvf, &a->uplink_vfs, node) {
			uvf->pf_down = true;
			if (uvf->path.user)
				vmq_path_fall_back(uvf->path.user);
			uvf->programmed = false;
		}
		a->uplink_event = false;
	}
	a->uplink_downs = downs;
	schedule_work(&vmq_uvf_work);
}

/* ---- drivers and netdevs of VFs, wherever they are ---- */

static struct vmq_uplink_vf *vmq_uvf_of_dev(const struct device *dev)
{
	struct vmq_uplink_vf *uvf;

	list_for_each_entry(uvf, &vmq_uvfs, all)
		if (&uvf->pdev->dev == dev)
			return uvf;
	return NULL;
}

static int vmq_uvf_netdev_event(struct notifier_block *nb, unsigned long event,
				void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct vmq_uplink_vf *uvf;

	/* the list is changed under rtnl alone */
	uvf = dev->dev.parent ? vmq_uvf_of_dev(dev->dev.parent) : NULL;
	if (!uvf)
		return NOTIFY_DONE;
	switch (event) {
	case NETDEV_REGISTER:
		uvf->netdev = dev;
		uvf->makes_netdev = true;
		uvf->up = false;
		break;
	case NETDEV_PRE_UP:
		if (uvf->path.user)
			vmq_uvf_program(uvf);
		break;
	case NETDEV_UP:
		uvf->netdev = dev;
		uvf->makes_netdev = true;
		uvf->up = true;
		vmq_path_check(&uvf->path);
		break;
	case NETDEV_GOING_DOWN:
		uvf->up = false;
		vmq_path_check(&uvf->path);
		vmq_uvf_idle(uvf);
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

/* Notes what happened. Context: any. Return: is it a VF of ours? */
static bool vmq_uvf_note(const struct device *dev, unsigned long event)
{
	struct vmq_uplink_vf *uvf;

	spin_lock(&vmq_uvf_lock);
	uvf = vmq_uvf_of_dev(dev);
	if (!uvf)
		goto unlock;
	switch (event) {
	case BUS_NOTIFY_BIND_DRIVER:
		WRITE_ONCE(uvf->starting, true);
		break;
	case BUS_NOTIFY_BOUND_DRIVER:
		WRITE_ONCE(uvf->starting, false);
		WRITE_ONCE(uvf->bound, true);
		break;
	case BUS_NOTIFY_DEL_DEVICE:
	case BUS_NOTIFY_REMOVED_DEVICE:
		WRITE_ONCE(uvf->gone, true);
		fallthrough;
	case BUS_NOTIFY_UNBIND_DRIVER:
		WRITE_ONCE(uvf->bound, false);
		break;
	case BUS_NOTIFY_UNBOUND_DRIVER:
	case BUS_NOTIFY_DRIVER_NOT_BOUND:
		WRITE_ONCE(uvf->starting, false);
		WRITE_ONCE(uvf->bound, false);
		WRITE_ONCE(uvf->makes_netdev, false);
		break;
	}
unlock:
	spin_unlock(&vmq_uvf_lock);
	return uvf;
}

/* A driver asks for its address as it starts, so that it is worth to wait. */
static bool vmq_uvf_rtnl(unsigned long event)
{
	unsigned int i;

	for (i = 0; !rtnl_trylock(); i++) {
		if (event != BUS_NOTIFY_BIND_DRIVER || i >= VMQ_UVF_BIND_MSEC)
			return false;
		usleep_range(1000, 2000);
	}
	return true;
}

static int vmq_uvf_bus_event(struct notifier_block *nb, unsigned long event,
			     void *data)
{
	struct device *dev = data;
	struct vmq_uplink_vf *uvf;

	if (!dev_is_pci(dev) || !to_pci_dev(dev)->is_virtfn)
		return NOTIFY_DONE;
	if (!vmq_uvf_note(dev, event)) {
		/* ports may wait for it; the NIC is not ready before all are there */
		if (event == BUS_NOTIFY_ADD_DEVICE)
			mod_delayed_work(system_wq, &vmq_uvf_new, HZ);
		return NOTIFY_DONE;
	}
	if (!vmq_uvf_rtnl(event)) {
		schedule_work(&vmq_uvf_work);
		return NOTIFY_DONE;
	}
	uvf = vmq_uvf_of_dev(dev);
	if (!uvf)
		;
	else if (event != BUS_NOTIFY_BIND_DRIVER)
		vmq_uvf_changed(uvf);
	else if (uvf->path.user)
		vmq_uvf_program(uvf);
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
	cancel_delayed_work_sync(&vmq_uvf_new);
}

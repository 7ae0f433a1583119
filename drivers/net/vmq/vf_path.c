// SPDX-License-Identifier: GPL-2.0
/*
 * An adapter's own VF as the data path of a port, and its function level reset.
 */
#include <linux/etherdevice.h>
#include <linux/if_link.h>

#include "policy.h"

static struct vmq_vf *vmq_vf_of_path(struct vmq_path_vf *pv)
{
	return container_of(pv, struct vmq_vf, path);
}

/**
 * vmq_path_vf_find() - a VF for a port
 * @a: the adapter
 * @uplink: one of its uplink
 * @id: which one; VMQ_PATH_ANY_VF for one that is free, best one that is ready
 *
 * Context: Process context, rtnl held.
 * Return: the VF or NULL.
 */
struct vmq_path_vf *vmq_path_vf_find(struct vmq_adapter *a, bool uplink,
				     u32 id)
{
	struct vmq_path_vf *pv, *found = NULL;
	u16 i;

	if (uplink)
		return vmq_uplink_vf_find(a, id);
	if (id != VMQ_PATH_ANY_VF)
		return id < a->n_vfs ? &a->vfs[id]->path : NULL;
	for (i = 0; i < a->n_vfs; i++) {
		pv = &a->vfs[i]->path;
		if (pv->user)
			continue;
		if (pv->ops->ready(pv))
			return pv;
		if (!found)
			found = pv;
	}
	return found;
}

/*
 * Its frames meet the policy of its user as those of the user do: the switch knows
 * both by a struct vmq_port. The user frees the policy, after this.
 */
static int vmq_vf_path_policy(struct vmq_path_vf *pv,
			      const struct vmq_policy *p,
			      struct netlink_ext_ack *extack)
{
	struct vmq_vf *vf = vmq_vf_of_path(pv);
	struct vmq_port *port;

	if (!vf->netdev)
		return 0;
	port = vmq_port_priv(vf->netdev);
	rcu_assign_pointer(port->policy, (struct vmq_policy *)p);
	vmq_filter_vlans_refresh(port);
	return 0;
}

static int vmq_vf_path_allocate(struct vmq_path_vf *pv,
				struct netlink_ext_ack *extack)
{
	struct vmq_vf *vf = vmq_vf_of_path(pv);

	if (vf->tci) {
		NL_SET_ERR_MSG_FMT(extack, "VF %u has a VLAN: ip link set %s vf %u vlan 0",
				   pv->id, vf->adapter->dev->name, pv->id);
		return -EBUSY;
	}
	vf->parked = false;
	if (vf->netdev) {
		vmq_vf_clear_filter(vf);
		vmq_vf_give_mac(vf, pv->user->dev->dev_addr);
	}
	vmq_vf_path_policy(pv, rtnl_dereference(pv->user->policy), extack);
	vmq_vf_link(vf);
	return 0;
}

static bool vmq_vf_path_ready(struct vmq_path_vf *pv)
{
	struct vmq_vf *vf = vmq_vf_of_path(pv);

	return vf->netdev && vf->up &&
	       vf->cfg.link_state != IFLA_VF_LINK_STATE_DISABLE;
}

static void vmq_vf_path_update(struct vmq_path_vf *pv)
{
	vmq_vf_link(vmq_vf_of_path(pv));
}

/* Nothing of it is on its way any more, and nothing waits for its rate limit. */
static void vmq_vf_path_reset(struct vmq_path_vf *pv)
{
	struct vmq_vf *vf = vmq_vf_of_path(pv);

	synchronize_net();
	atomic64_set(&vf->busy_until, 0);
	if (vf->netdev && netif_running(vf->netdev)) {
		hrtimer_cancel(&vf->timer);
		netif_tx_wake_all_queues(vf->netdev);
	}
}

static void vmq_vf_path_mac(struct vmq_path_vf *pv)
{
	struct vmq_vf *vf = vmq_vf_of_path(pv);

	if (vf->netdev)
		vmq_vf_give_mac(vf, pv->user->dev->dev_addr);
}

/*
 * A guest must not find a link on a VF that it has no more, so it has none until
 * it is somebody's again. Its address stays: it may be a slave of a bond.
 */
static void vmq_vf_path_release(struct vmq_path_vf *pv)
{
	struct vmq_vf *vf = vmq_vf_of_path(pv);

	vf->parked = true;
	vmq_vf_link(vf);
	vmq_vf_path_policy(pv, NULL, NULL);
}

const struct vmq_path_ops vmq_vf_path_ops = {
	.allocate = vmq_vf_path_allocate,
	.ready = vmq_vf_path_ready,
	.update = vmq_vf_path_update,
	.reset = vmq_vf_path_reset,
	.mac = vmq_vf_path_mac,
	.policy = vmq_vf_path_policy,
	.release = vmq_vf_path_release,
};

/**
 * vmq_vf_flr() - function level reset of a VF (S-11)
 * @vf: the VF
 * @extack: says why not
 *
 * What the VF did itself is undone: its address, what waits for its rate limit,
 * and notices of the back channel. What the administrator set stays. A port leaves
 * the VF before and returns behind. No other VF and not the adapter notice.
 *
 * Context: Process context, rtnl held.
 * Return: 0, -EINVAL if the VF has no driver or was freed, or the errors of
 * vmq_vf_set_filter(); nothing changed then.
 */
int vmq_vf_flr(struct vmq_vf *vf, struct netlink_ext_ack *extack)
{
	struct vmq_port *user = vf->path.user;
	int err = 0;

	if (!vf->netdev || vf->parked) {
		NL_SET_ERR_MSG_FMT(extack, "VF %u has no resources allocated",
				   vf->path.id);
		return -EINVAL;
	}
	if (user) {
		vmq_path_fall_back(user);
	} else {
		err = vmq_vf_set_filter(vf, vf->cfg.mac, vf->tci);
		if (err) {
			NL_SET_ERR_MSG(extack, "somebody else has its address");
			return err;
		}
	}
	vf->resetting = true;
	vmq_vf_link(vf);
	vmq_vf_path_reset(&vf->path);
	if (!user)
		vmq_vf_give_mac(vf, vf->cfg.mac);
	vmq_vf_blocks_take(&vf->blocks);
	vf->resetting = false;
	vmq_vf_link(vf);
	if (user)
		vmq_path_resume(user);
	return 0;
}

/**
 * vmq_vf_unpark() - a VF that a port gave up is on its own again
 * @vf: the VF
 * @mac: the address that the administrator gives it, or gave it before
 *
 * Context: Process context, rtnl held.
 * Return: 0 or the errors of vmq_vf_set_filter(), nothing changed then.
 */
int vmq_vf_unpark(struct vmq_vf *vf, const u8 *mac)
{
	int err = 0;

	if (!vf->parked)
		return 0;
	if (vf->netdev) {
		err = vmq_vf_set_filter(vf, mac, vf->tci);
		if (err)
			return err;
		vmq_vf_give_mac(vf, mac);
	}
	ether_addr_copy(vf->cfg.mac, mac);
	vf->parked = false;
	return 0;
}

/* ---- netdevs of VFs, up and down ---- */

static int vmq_vf_event(struct notifier_block *nb, unsigned long event,
			void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct vmq_vf *vf;

	if (!vmq_is_vf(dev))
		return NOTIFY_DONE;
	vf = vmq_port_priv(dev)->vf;
	if (vf->netdev != dev)
		return NOTIFY_DONE;	/* it is being made or unmade */
	switch (event) {
	case NETDEV_UP:
		vf->up = true;
		vmq_path_check(&vf->path);
		break;
	case NETDEV_GOING_DOWN:
		/* it still takes frames, so none is lost */
		vf->up = false;
		vmq_path_check(&vf->path);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block vmq_vf_notifier = {
	.notifier_call = vmq_vf_event,
};

/**
 * vmq_vf_path_init() - listens to what happens to the netdevs of VFs
 *
 * Context: Module init.
 * Return: 0 or a negative errno.
 */
int __init vmq_vf_path_init(void)
{
	return register_netdevice_notifier(&vmq_vf_notifier);
}

/**
 * vmq_vf_path_exit() - stops listening
 *
 * Context: Module exit, no adapter left.
 */
void vmq_vf_path_exit(void)
{
	unregister_netdevice_notifier(&vmq_vf_notifier);
}

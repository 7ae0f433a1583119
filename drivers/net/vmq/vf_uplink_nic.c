// SPDX-License-Identifier: GPL-2.0
/*
 * A VF of the uplink as the data path of a port: it is programmed by the NIC's own
 * ndo_set_vf_*.
 *
 * The address of the port is the VF's while its driver is there to receive, and
 * the NIC's else. The NIC itself switches between its VFs and the adapter.
 */
#include <linux/etherdevice.h>
#include <linux/if_link.h>

#include "policy.h"
#include "vf_uplink.h"

/* ---- the NIC's own operations ---- */

/* Not within an event of it, which may come with its lock held, nor when it goes. */
static bool vmq_uvf_may_ask(const struct vmq_uplink_vf *uvf)
{
	return !uvf->adapter->uplink_event &&
	       uvf->uplink->reg_state == NETREG_REGISTERED &&
	       uvf->path.id < pci_num_vf(vmq_uplink_pf(uvf->uplink));
}

/* Could its guest receive by it, once it is programmed? */
static bool vmq_uvf_usable(const struct vmq_uplink_vf *uvf)
{
	return READ_ONCE(uvf->bound) && !READ_ONCE(uvf->gone) &&
	       !uvf->pf_down &&
	       (!READ_ONCE(uvf->makes_netdev) || uvf->up);
}

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

/* The VLAN and the check of source addresses that a policy asks for, or none. */
static int vmq_uvf_set_policy(struct vmq_uplink_vf *uvf,
			      const struct vmq_policy *p)
{
	const struct net_device_ops *ops = uvf->uplink->netdev_ops;
	u32 spoofchk = p && p->spoofchk ? 1 : uvf->cfg.spoofchk;
	struct net_device *dev = uvf->uplink;
	u16 vid = p ? p->pvid : 0;
	int id = uvf->path.id;
	int err = 0;

	vmq_netdev_lock_ops(dev);
	if (ops->ndo_set_vf_vlan)
		err = ops->ndo_set_vf_vlan(dev, id, vid, 0, htons(ETH_P_8021Q));
	else if (vid)
		err = -EOPNOTSUPP;
	if (err)
		goto unlock;
	if (ops->ndo_set_vf_spoofchk && spoofchk != (u32)-1)
		err = ops->ndo_set_vf_spoofchk(dev, id, spoofchk);
	else if (p && p->spoofchk)
		err = -EOPNOTSUPP;
unlock:
	vmq_netdev_unlock_ops(dev);
	return err;
}

/* What else was set for it, as a reset may have lost it. */
static void vmq_uvf_set_more(struct vmq_uplink_vf *uvf)
{
	const struct net_device_ops *ops = uvf->uplink->netdev_ops;
	const struct ifla_vf_info *cfg = &uvf->cfg;
	struct net_device *dev = uvf->uplink;
	int id = uvf->path.id;

	vmq_netdev_lock_ops(dev);
	if (ops->ndo_set_vf_trust && cfg->trusted != (u32)-1)
		ops->ndo_set_vf_trust(dev, id, cfg->trusted);
	if (ops->ndo_set_vf_rate && cfg->max_tx_rate)
		ops->ndo_set_vf_rate(dev, id, cfg->min_tx_rate,
				     cfg->max_tx_rate);
	vmq_netdev_unlock_ops(dev);
}

/**
 * vmq_uvf_program() - gives a VF what its port has, unless it has it
 * @uvf: the VF, with a user
 *
 * While the NIC is down it is asked too, as a driver may start meanwhile.
 *
 * Context: Process context, rtnl held.
 * Return: 0, -ENETDOWN while the NIC can't be asked, or its error.
 */
int vmq_uvf_program(struct vmq_uplink_vf *uvf)
{
	struct vmq_port *port = uvf->path.user;
	int err;

	if (uvf->programmed)
		return 0;
	if (!vmq_uvf_may_ask(uvf))
		return -ENETDOWN;
	uvf->touched = true;
	uvf->has_mac = true;
	/* first, so that no frame of it is ever in another VLAN */
	err = vmq_uvf_set_policy(uvf, rtnl_dereference(port->policy));
	if (err) {
		netdev_warn(uvf->adapter->dev,
			    "VF %u of %s does not take vlan or spoofchk of %s: %d\n",
			    uvf->path.id, uvf->uplink->name, port->dev->name,
			    err);
		return err;
	}
	err = vmq_uvf_set_mac(uvf, port->dev->dev_addr);
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

/* It does not receive for the port any more. */
static void vmq_uvf_unprogram(struct vmq_uplink_vf *uvf)
{
	static const u8 none[ETH_ALEN];

	uvf->programmed = false;
	if (!uvf->has_mac || !vmq_uvf_may_ask(uvf))
		return;
	vmq_uvf_set_mac(uvf, none);
	uvf->has_mac = false;
}

/**
 * vmq_uvf_idle() - takes the address off a VF that can't receive
 * @uvf: the VF
 *
 * Else the NIC would give it the frames of a port whose path is synthetic. A driver
 * that starts asks for it.
 *
 * Context: Process context, rtnl held.
 */
void vmq_uvf_idle(struct vmq_uplink_vf *uvf)
{
	if (uvf->has_mac && !READ_ONCE(uvf->starting) &&
	    !vmq_uvf_usable(uvf))
		vmq_uvf_unprogram(uvf);
}

/**
 * vmq_uvf_restore() - makes a VF without a user what it was before it had one
 * @uvf: the VF
 *
 * Where the NIC can't be asked now, that is left to vmq_uvf_work.
 *
 * Context: Process context, rtnl held.
 */
void vmq_uvf_restore(struct vmq_uplink_vf *uvf)
{
	vmq_uvf_unprogram(uvf);
	if (!uvf->touched || !vmq_uvf_may_ask(uvf))
		return;
	vmq_uvf_set_policy(uvf, NULL);
	vmq_uvf_set_link(uvf, uvf->cfg.linkstate);
	uvf->touched = false;
}

/* ---- as the path of a port ---- */

static int vmq_uvf_allocate(struct vmq_path_vf *pv,
			    struct netlink_ext_ack *extack)
{
	struct vmq_uplink_vf *uvf = vmq_uvf_of(pv);
	struct net_device *uplink = uvf->uplink;
	int err;

	/* what its last user left is not what it was */
	vmq_uvf_restore(uvf);
	if (uvf->touched) {
		NL_SET_ERR_MSG_FMT(extack, "%s can't be asked for its VFs now",
				   uplink->name);
		return -EBUSY;
	}
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
	uvf->pf_down = !vmq_uvf_pf_serves(uplink);
	/* else when its driver starts, or its netdev */
	if (vmq_uvf_usable(uvf)) {
		err = vmq_uvf_program(uvf);
		if (err) {
			NL_SET_ERR_MSG_FMT(extack, "%s refuses what the port has for its VF %u",
					   uplink->name, pv->id);
			vmq_uvf_restore(uvf);
			return err;
		}
	}
	rcu_assign_pointer(pv->queue.port, pv->user);
	return 0;
}

static bool vmq_uvf_ready(struct vmq_path_vf *pv)
{
	struct vmq_uplink_vf *uvf = vmq_uvf_of(pv);

	return vmq_uvf_usable(uvf) && (!pv->user || !vmq_uvf_program(uvf));
}

static void vmq_uvf_update(struct vmq_path_vf *pv)
{
	struct vmq_uplink_vf *uvf = vmq_uvf_of(pv);
	bool on = pv->vport == VMQ_VPORT_STATE_ACTIVATED;

	WRITE_ONCE(pv->queue.state, on ? VMQ_QUEUE_STATE_RUNNING :
					 VMQ_QUEUE_STATE_PAUSED);
	if (!on)
		vmq_uvf_unprogram(uvf);
	if (vmq_uvf_may_ask(uvf))
		vmq_uvf_set_link(uvf, on && pv->exposed ?
				 IFLA_VF_LINK_STATE_AUTO :
				 IFLA_VF_LINK_STATE_DISABLE);
}

/* Its driver, or vfio, resets the function itself when it leaves it. */
static void vmq_uvf_reset(struct vmq_path_vf *pv)
{
	synchronize_net();
}

/* A NIC that does not take what its user has now: the VF can't be its path. */
static void vmq_uvf_failed(struct vmq_uplink_vf *uvf)
{
	vmq_uvf_unprogram(uvf);
	vmq_path_check(&uvf->path);
}

static void vmq_uvf_mac(struct vmq_path_vf *pv)
{
	struct vmq_uplink_vf *uvf = vmq_uvf_of(pv);

	if (!uvf->programmed)
		return;
	uvf->programmed = false;
	if (vmq_uvf_program(uvf))
		vmq_uvf_failed(uvf);
}

static int vmq_uvf_policy(struct vmq_path_vf *pv, const struct vmq_policy *p,
			  struct netlink_ext_ack *extack)
{
	struct vmq_uplink_vf *uvf = vmq_uvf_of(pv);
	int err;

	/* else it gets it with the address */
	if (!uvf->programmed)
		return 0;
	err = vmq_uvf_set_policy(uvf, p);
	if (!err)
		return 0;
	NL_SET_ERR_MSG_FMT(extack, "%s does not take it for its VF %u",
			   uvf->uplink->name, pv->id);
	if (vmq_uvf_set_policy(uvf, rtnl_dereference(pv->user->policy)))
		vmq_uvf_failed(uvf);
	return err;
}

static void vmq_uvf_release(struct vmq_path_vf *pv)
{
	RCU_INIT_POINTER(pv->queue.port, NULL);
	vmq_uvf_restore(vmq_uvf_of(pv));
}

const struct vmq_path_ops vmq_uvf_path_ops = {
	.uplink = true,
	.allocate = vmq_uvf_allocate,
	.ready = vmq_uvf_ready,
	.update = vmq_uvf_update,
	.reset = vmq_uvf_reset,
	.mac = vmq_uvf_mac,
	.policy = vmq_uvf_policy,
	.release = vmq_uvf_release,
};

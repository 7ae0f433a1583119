/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A VF of the uplink that a port uses, or used.
 *
 *   vf_uplink.c        which VFs there are
 *   vf_uplink_nic.c    what the NIC is asked for, as the path of a port
 *   vf_uplink_watch.c  the NIC, drivers and netdevs that come and go
 */
#ifndef _VMQ_VF_UPLINK_H
#define _VMQ_VF_UPLINK_H

#include <linux/pci.h>

#include "vmq_priv.h"

struct vmq_uplink_vf {
	struct vmq_path_vf path;
	struct vmq_adapter *adapter;
	struct net_device *uplink;
	struct pci_dev *pdev;
	struct net_device *netdev;	/* anywhere; NULL: none, as with vfio */
	bool makes_netdev;		/* its driver does, now or at other times */
	struct ifla_vf_info cfg;	/* as it was, and as it is to be again */
	bool up;			/* its netdev is, and not on its way down */
	bool pf_down;			/* the uplink serves nobody now */
	bool programmed;		/* the NIC has it as its port wants it */
	bool has_mac;			/* the NIC may have the port's address for it */
	bool touched;			/* it may not be as @cfg says */
	struct list_head node;		/* in adapter->uplink_vfs */

	/* vmq_uvf_lock, as events of the bus come without rtnl */
	struct list_head all;
	bool starting;			/* a driver is about to be bound */
	bool bound;			/* one is */
	bool gone;			/* the device is, or on its way */
};

static inline struct vmq_uplink_vf *vmq_uvf_of(struct vmq_path_vf *pv)
{
	return container_of(pv, struct vmq_uplink_vf, path);
}

/* ---- vf_uplink.c ---- */

struct pci_dev *vmq_uplink_pf(struct net_device *uplink);
void vmq_uvf_free(struct vmq_uplink_vf *uvf);

/* ---- vf_uplink_nic.c ---- */

extern const struct vmq_path_ops vmq_uvf_path_ops;

int vmq_uvf_program(struct vmq_uplink_vf *uvf);
void vmq_uvf_idle(struct vmq_uplink_vf *uvf);
void vmq_uvf_restore(struct vmq_uplink_vf *uvf);

/* ---- vf_uplink_watch.c ---- */

bool vmq_uvf_pf_serves(const struct net_device *uplink);
void vmq_uvf_watch(struct vmq_uplink_vf *uvf);
void vmq_uvf_unwatch(struct vmq_uplink_vf *uvf);

#endif /* _VMQ_VF_UPLINK_H */

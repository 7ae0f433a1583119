/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VPorts of the NIC switch: their states, and how many there may be. Pure logic,
 * driven by KUnit too.
 */
#ifndef _VMQ_VPORT_H
#define _VMQ_VPORT_H

#include <linux/types.h>
#include <uapi/linux/vmq.h>

enum vmq_vport_kind {
	VMQ_VPORT_DEFAULT,	/* the adapter's own; it comes and goes with it */
	VMQ_VPORT_PF,		/* a port's queues */
	VMQ_VPORT_VF,
};

enum vmq_vport_event {
	VMQ_VPORT_CREATE,
	VMQ_VPORT_ACTIVATE,
	VMQ_VPORT_DEACTIVATE,
	VMQ_VPORT_DELETE,
};

/**
 * struct vmq_pool - limits of the VPorts of an adapter (V-34, V-35)
 * @max_vports: VPorts, the default one included
 * @max_vfs: VFs
 * @max_pairs: queue pairs of all VPorts
 * @max_pairs_each: of one VPort other than the default one
 * @single: PF and VFs take VPorts from one pool; else those of VFs are kept
 */
struct vmq_pool {
	u32 max_vports;
	u32 max_vfs;
	u32 max_pairs;
	u32 max_pairs_each;
	bool single;
};

/**
 * struct vmq_pool_use - what is in use of a pool
 * @pf_vports: VPorts of the PF, the default one not included
 * @vf_vports: VPorts of VFs
 * @pairs: queue pairs of all VPorts, the default one's included
 */
struct vmq_pool_use {
	u32 pf_vports;
	u32 vf_vports;
	u32 pairs;
};

int vmq_vport_next_state(enum vmq_vport_kind kind, enum vmq_vport_state state,
			 enum vmq_vport_event event);
bool vmq_pool_valid(const struct vmq_pool *pool);
u32 vmq_pool_max(const struct vmq_pool *pool, enum vmq_vport_kind kind);
int vmq_pool_take(const struct vmq_pool *pool, struct vmq_pool_use *use,
		  enum vmq_vport_kind kind, u32 pairs);
int vmq_pool_resize(const struct vmq_pool *pool, struct vmq_pool_use *use,
		    u32 from, u32 to);
void vmq_pool_give(struct vmq_pool_use *use, enum vmq_vport_kind kind,
		   u32 pairs);

#endif /* _VMQ_VPORT_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * policy_check.c: what the policy of a port may be.
 *
 * Plain structures: KUnit and a fuzzer in user space compile the file behind it.
 */
#ifndef _VMQ_POLICY_CHECK_H
#define _VMQ_POLICY_CHECK_H

#include <linux/bitmap.h>
#include <linux/if_vlan.h>
#include <linux/netlink.h>
#include <linux/types.h>

struct net_device;

/* Most ranges of a trunk; as text they fit into %VMQ_TRUNK_TEXT_MAX. */
#define VMQ_TRUNK_RANGES_MAX	100
#define VMQ_TRUNK_TEXT_MAX	1024	/* bytes, with the NUL */

/**
 * struct vmq_policy - what a port may do, immutable once published
 * @pvid: VLAN of the guest's untagged frames, 1 to 4094; 0 for none
 * @trunk: @allowed counts; without it @pvid is the only VLAN, if there is one
 * @isolate: no traffic with other isolated ports
 * @spoofchk: source addresses must be the port's
 * @allowed: VLAN ids of the trunk, 0 for untagged; not necessarily @pvid
 * @dev: the port, whose addresses @spoofchk means; not of one that is only asked for
 * @rcu: frees it
 *
 * A port without a policy, as most are, has none: NULL. The adapter's VF that is the
 * path of a port has the port's.
 */
struct vmq_policy {
	u16 pvid;
	bool trunk;
	bool isolate;
	bool spoofchk;
	DECLARE_BITMAP(allowed, VLAN_N_VID);
	const struct net_device *dev;
	struct rcu_head rcu;
};

/* Does the policy say anything about VLANs? */
static inline bool vmq_policy_has_vlans(const struct vmq_policy *p)
{
	return p->pvid || p->trunk;
}

/* May frames with this VLAN id, 0 for none, be exchanged with the network? */
static inline bool vmq_policy_allows(const struct vmq_policy *p, u16 vid)
{
	if (!vmq_policy_has_vlans(p))
		return true;
	if (p->pvid && vid == p->pvid)
		return true;
	return p->trunk && test_bit(vid, p->allowed);
}

u32 vmq_policy_ranges(const struct vmq_policy *p);
int vmq_policy_check(const struct vmq_policy *p,
		     struct netlink_ext_ack *extack);

#endif /* _VMQ_POLICY_CHECK_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * What the policy of a port may be, whether it comes from the administrator or in a
 * stream from another host. Pure functions.
 */
#include "policy_check.h"

/**
 * vmq_policy_ranges() - ranges of VLAN ids in the list of a trunk
 * @p: the policy
 *
 * Context: Any.
 * Return: how many.
 */
u32 vmq_policy_ranges(const struct vmq_policy *p)
{
	unsigned int first, last;
	u32 n = 0;

	for_each_set_bitrange(first, last, p->allowed, VLAN_N_VID)
		n++;
	return n;
}

/**
 * vmq_policy_check() - is this a policy?
 * @p: the policy
 * @extack: says why not
 *
 * Context: Any.
 * Return: 0, -EINVAL or -ERANGE.
 */
int vmq_policy_check(const struct vmq_policy *p, struct netlink_ext_ack *extack)
{
	if (p->pvid >= VLAN_VID_MASK) {
		NL_SET_ERR_MSG(extack, "a VLAN id is 1 to 4094");
		return -ERANGE;
	}
	if (!p->trunk)
		return 0;
	if (test_bit(VLAN_VID_MASK, p->allowed) ||
	    bitmap_empty(p->allowed, VLAN_N_VID)) {
		NL_SET_ERR_MSG(extack, "a trunk has VLAN ids 0 to 4094, 0 for untagged frames");
		return -ERANGE;
	}
	if (p->pvid && test_bit(0, p->allowed)) {
		NL_SET_ERR_MSG(extack, "untagged frames have a VLAN, so 0 can't be in the trunk");
		return -EINVAL;
	}
	if (vmq_policy_ranges(p) > VMQ_TRUNK_RANGES_MAX) {
		NL_SET_ERR_MSG(extack, "a trunk has at most 100 separate ranges");
		return -EINVAL;
	}
	return 0;
}

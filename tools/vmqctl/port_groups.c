// SPDX-License-Identifier: GPL-2.0
/*
 * vmqctl port groups: the multicast groups that guests are in.
 */
#include "nl.h"
#include "vmqctl.h"

static const struct attr_desc group_attrs[] = {
	[VMQ_A_GROUP_IFINDEX] = ATTR("ifindex", IFINDEX),
	[VMQ_A_GROUP_DEV] = ATTR("dev", STR),
	[VMQ_A_GROUP_ADAPTER] = ATTR("adapter", STR),
	[VMQ_A_GROUP_VLAN] = ATTR("vlan", UINT),
	[VMQ_A_GROUP_GROUP] = ATTR("group", IP),
	[VMQ_A_GROUP_ROUTER] = ATTR("router", FLAG),
	[VMQ_A_GROUP_EXPIRES] = ATTR("expires", UINT),
};

static ATTR_SET(group);

/* Those of one port, or of all. */
int port_groups(struct args *args)
{
	struct nl_request req;
	const char *dev;
	int err;

	err = args_dev(args, &dev);
	if (!err)
		err = nl_request(&req, VMQ_CMD_GROUP_GET, &group_set, dev);
	return err ? err : nl_show(&req, false);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * vmqctl adapter: adapters, their limits and capabilities.
 */
#include <string.h>

#include "nl.h"
#include "vmqctl.h"

static const char *const capabilities[] = {
	"vm-queue", "mac-filter", "vlan-filter", "vlan-strip", "source-mac",
	"ethertype", "mask-equal", "ntuple", "drop", "rss", "vf", "filter-move",
	"moderation", "adaptive", "asymmetric", "vmmq", "without-vfs",
};

static const struct attr_desc adapter_attrs[] = {
	[VMQ_A_ADAPTER_IFINDEX] = ATTR("ifindex", IFINDEX),
	[VMQ_A_ADAPTER_DEV] = ATTR("dev", STR),
	[VMQ_A_ADAPTER_UPLINK] = ATTR("uplink", STR),
	[VMQ_A_ADAPTER_MAX_QUEUES] = ATTR_LN("max-queues", UINT),
	[VMQ_A_ADAPTER_QUEUES] = ATTR("queues", UINT),
	[VMQ_A_ADAPTER_VM_QUEUES] = ATTR("vm-queues", UINT),
	[VMQ_A_ADAPTER_PORTS] = ATTR("ports", UINT),
	[VMQ_A_ADAPTER_MAX_FILTERS] = ATTR_LN("max-filters", UINT),
	[VMQ_A_ADAPTER_FILTERS] = ATTR("filters", UINT),
	[VMQ_A_ADAPTER_HW_CAPABILITIES] = {
		.name = "hw-capabilities", .kind = ATTR_FLAGS,
		.values = capabilities, .n_values = ARRAY_SIZE(capabilities),
		.new_line = true,
	},
	[VMQ_A_ADAPTER_CAPABILITIES] = {
		.name = "capabilities", .kind = ATTR_FLAGS,
		.values = capabilities, .n_values = ARRAY_SIZE(capabilities),
		.new_line = true,
	},
	[VMQ_A_ADAPTER_MAX_MAC_FILTERS] = ATTR_LN("max-mac-filters", UINT),
	[VMQ_A_ADAPTER_LOOKAHEAD_MAX] = ATTR("lookahead-max", UINT),
	[VMQ_A_ADAPTER_FORMAT_VERSION] = ATTR_LN("format-version", UINT),
	[VMQ_A_ADAPTER_MODULE_VERSION] = ATTR("module-version", STR),
	[VMQ_A_ADAPTER_MAX_VFS] = ATTR("max-vfs", UINT),
	[VMQ_A_ADAPTER_VFS] = ATTR("vfs", UINT),
	[VMQ_A_ADAPTER_VFS_IN_USE] = ATTR("vfs-in-use", UINT),
	[VMQ_A_ADAPTER_MAX_VPORTS] = ATTR("max-vports", UINT),
	[VMQ_A_ADAPTER_MAX_QUEUE_PAIRS] = ATTR("max-queue-pairs", UINT),
	[VMQ_A_ADAPTER_MAX_VPORT_PAIRS] = ATTR("max-vport-pairs", UINT),
	[VMQ_A_ADAPTER_MAX_VM_QUEUES] = ATTR_LN("max-vm-queues", UINT),
	[VMQ_A_ADAPTER_MAX_PORT_QUEUES] = ATTR("max-port-queues", UINT),
	[VMQ_A_ADAPTER_UPLINK_RULES] = ATTR("uplink-rules", UINT),
	[VMQ_A_ADAPTER_VPORTS] = ATTR("vports", UINT),
	[VMQ_A_ADAPTER_QUEUE_PAIRS] = ATTR("queue-pairs", UINT),
	[VMQ_A_ADAPTER_PRIVATE] = ATTR("private", BOOL),
	[VMQ_A_ADAPTER_MCAST_SNOOPING] = ATTR("mcast-snooping", BOOL),
	[VMQ_A_ADAPTER_MCAST_QUERIERS] = ATTR("mcast-queriers", UINT),
	[VMQ_A_ADAPTER_MCAST_GROUPS] = ATTR("mcast-groups", UINT),
};

ATTR_SET(adapter);

static int adapter_show(struct args *args)
{
	return nl_show_dev(VMQ_CMD_ADAPTER_GET, &adapter_set, args);
}

static int put_private(struct nl_request *req, const char *value)
{
	return nl_put_switch(req, "private", VMQ_A_ADAPTER_PRIVATE, value);
}

static int put_mcast_snooping(struct nl_request *req, const char *value)
{
	return nl_put_switch(req, "mcast-snooping",
			     VMQ_A_ADAPTER_MCAST_SNOOPING, value);
}

static const struct setting settings[] = {
	{ "private", put_private },
	{ "mcast-snooping", put_mcast_snooping },
};

static int adapter_set_values(struct args *args)
{
	const char *dev, *values[ARRAY_SIZE(settings)];
	struct keyword keywords[1 + ARRAY_SIZE(settings)] = {
		{ "dev", &dev },
	};
	struct nl_request req;
	size_t i;
	int err;

	settings_keywords(settings, ARRAY_SIZE(settings), keywords + 1,
			  values);
	err = args_parse(args, keywords, ARRAY_SIZE(keywords));
	if (err)
		return err;
	if (!dev)
		return usage_error("\"dev\" is missing");
	for (i = 0; i < ARRAY_SIZE(settings) && !values[i]; i++)
		;
	if (i == ARRAY_SIZE(settings))
		return usage_error("what is to be set?");
	err = nl_request(&req, VMQ_CMD_ADAPTER_SET, &adapter_set, dev);
	if (!err)
		err = settings_put(&req, settings, ARRAY_SIZE(settings),
				   values);
	return err ? err : nl_do(&req, NULL, NULL);
}

static const struct command adapter_commands[] = {
	{ "show", adapter_show },
	{ "set", adapter_set_values },
	{ NULL, NULL },
};

const struct object adapter_object = {
	.name = "adapter",
	.usage =
	"Usage: vmqctl adapter show [ dev ADAPTER ]\n"
	"       vmqctl adapter set dev ADAPTER [ private on | off ]\n"
	"                [ mcast-snooping on | off ]\n",
	.commands = adapter_commands,
	.run = adapter_show,
};

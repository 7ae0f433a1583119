// SPDX-License-Identifier: GPL-2.0
/*
 * vmqctl filter: which frames go to which queue.
 */
#include "nl.h"
#include "vmqctl.h"

static const struct attr_desc filter_attrs[] = {
	[VMQ_A_FILTER_IFINDEX] = ATTR("ifindex", IFINDEX),
	[VMQ_A_FILTER_DEV] = ATTR("dev", STR),
	[VMQ_A_FILTER_ID] = ATTR("id", UINT),
	[VMQ_A_FILTER_QUEUE] = ATTR("queue", UINT),
	[VMQ_A_FILTER_DROP] = ATTR("drop", FLAG),
	[VMQ_A_FILTER_MAC] = ATTR("mac", MAC),
	[VMQ_A_FILTER_MAC_MASK] = ATTR("mac-mask", MAC),
	[VMQ_A_FILTER_VLAN] = ATTR("vlan", UINT),
	[VMQ_A_FILTER_VLAN_MASK] = ATTR("vlan-mask", HEX),
	[VMQ_A_FILTER_UNTAGGED] = ATTR("untagged", FLAG),
	[VMQ_A_FILTER_SRC_MAC] = ATTR("src-mac", MAC),
	[VMQ_A_FILTER_SRC_MAC_MASK] = ATTR("src-mac-mask", MAC),
	[VMQ_A_FILTER_ETHERTYPE] = ATTR("ethertype", HEX),
	[VMQ_A_FILTER_ETHERTYPE_MASK] = ATTR("ethertype-mask", HEX),
	[VMQ_A_FILTER_SRC_IP] = ATTR("src-ip", IP),
	[VMQ_A_FILTER_SRC_IP_MASK] = ATTR("src-ip-mask", IP),
	[VMQ_A_FILTER_DST_IP] = ATTR("dst-ip", IP),
	[VMQ_A_FILTER_DST_IP_MASK] = ATTR("dst-ip-mask", IP),
	[VMQ_A_FILTER_IP_PROTO] = ATTR("ip-proto", PROTO),
	[VMQ_A_FILTER_TOS] = ATTR("tos", HEX),
	[VMQ_A_FILTER_TOS_MASK] = ATTR("tos-mask", HEX),
	[VMQ_A_FILTER_SRC_PORT] = ATTR("src-port", UINT),
	[VMQ_A_FILTER_SRC_PORT_MASK] = ATTR("src-port-mask", HEX),
	[VMQ_A_FILTER_DST_PORT] = ATTR("dst-port", UINT),
	[VMQ_A_FILTER_DST_PORT_MASK] = ATTR("dst-port-mask", HEX),
	[VMQ_A_FILTER_OWNER] = ATTR("owner", STR),
	[VMQ_A_FILTER_LOCATION] = ATTR("location", UINT),
	[VMQ_A_FILTER_EVENT] = ATTR("event", STR),
	[VMQ_A_FILTER_VF] = ATTR("vf", UINT),
	[VMQ_A_FILTER_CONTEXT] = ATTR("context", UINT),
};

ATTR_SET(filter);

static int filter_show(struct args *args)
{
	const char *dev, *filter;
	struct nl_request req;
	const struct keyword keywords[] = {
		{ "dev", &dev },
		{ "id", &filter },
	};
	uint64_t id;
	int err;

	err = args_parse(args, keywords, ARRAY_SIZE(keywords));
	if (err)
		return err;
	if (filter && !dev)
		return usage_error("filter %s of which adapter?", filter);
	if (filter)
		err = parse_uint("id", filter, UINT32_MAX, &id);
	if (err)
		return err;
	err = nl_request(&req, VMQ_CMD_FILTER_GET, &filter_set, dev);
	if (err)
		return err;
	if (filter)
		mnl_attr_put_u32(req.nlh, VMQ_A_FILTER_ID, id);
	return nl_show(&req, filter);
}

static const struct command filter_commands[] = {
	{ "show", filter_show },
	{ NULL, NULL },
};

const struct object filter_object = {
	.name = "filter",
	.usage = "Usage: vmqctl filter show [ dev ADAPTER [ id FILTER ] ]\n",
	.commands = filter_commands,
	.run = filter_show,
};

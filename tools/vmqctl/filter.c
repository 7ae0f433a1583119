// SPDX-License-Identifier: GPL-2.0
/*
 * vmqctl filter: which frames go to which queue.
 */
#include "nl.h"
#include "vmqctl.h"

static const char *const rungs[] = {
	[VMQ_FILTER_RUNG_SOFTWARE] = "software",
	[VMQ_FILTER_RUNG_HARDWARE_ADDRESS] = "hardware-address",
	[VMQ_FILTER_RUNG_HARDWARE_RULE] = "hardware-rule",
};

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
	[VMQ_A_FILTER_KEEP] = ATTR("keep", FLAG),
	[VMQ_A_FILTER_FROM] = ATTR("from", UINT),
	[VMQ_A_FILTER_ENTRY] = ATTR("entry", NONE),
	[VMQ_A_FILTER_IDS] = {
		.name = "ids", .kind = ATTR_UINT, .list = true,
	},
	[VMQ_A_FILTER_STATUS] = ATTR_NESTED("status", status_set, true),
	[VMQ_A_FILTER_RUNG] = ATTR_VALUES("rung", ENUM, rungs),
	[VMQ_A_FILTER_RUNG_REASON] = ATTR("rung-reason", STR),
	[VMQ_A_FILTER_UPLINK_LOCATION] = ATTR("uplink-location", UINT),
	[VMQ_A_FILTER_UPLINK_QUEUE] = ATTR("uplink-queue", UINT),
	[VMQ_A_FILTER_CONTEXT_QUEUE] = ATTR("context-queue", UINT),
};

ATTR_SET(filter);

/* Puts a number from the command line into a request, if it is there. */
static int put_u32(struct nl_request *req, const char *what, uint16_t type,
		   const char *value)
{
	uint64_t v;
	int err;

	if (!value)
		return VMQCTL_OK;
	err = parse_uint(what, value, UINT32_MAX, &v);
	if (!err)
		mnl_attr_put_u32(req->nlh, type, v);
	return err;
}

static int filter_show(struct args *args)
{
	const char *dev, *filter, *queue;
	struct nl_request req;
	const struct keyword keywords[] = {
		{ "dev", &dev },
		{ "id", &filter },
		{ "queue", &queue },
	};
	int err;

	err = args_parse(args, keywords, ARRAY_SIZE(keywords));
	if (err)
		return err;
	if ((filter || queue) && !dev)
		return usage_error("%s %s of which adapter?",
				   filter ? "filter" : "queue",
				   filter ? filter : queue);
	if (filter && queue)
		return usage_error("give either \"id\" or \"queue\"");
	err = nl_request(&req, VMQ_CMD_FILTER_GET, &filter_set, dev);
	if (!err)
		err = put_u32(&req, "id", VMQ_A_FILTER_ID, filter);
	if (!err)
		err = put_u32(&req, "queue", VMQ_A_FILTER_QUEUE, queue);
	return err ? err : nl_show(&req, filter);
}

static int put_match(struct nl_request *req, const char *mac, const char *vlan,
		     bool untagged)
{
	uint8_t addr[6];
	uint64_t vid;
	int err;

	if (!mac)
		return usage_error("\"mac\" is missing");
	err = parse_mac("mac", mac, addr);
	if (err)
		return err;
	mnl_attr_put(req->nlh, VMQ_A_FILTER_MAC, sizeof(addr), addr);
	if (untagged)
		mnl_attr_put(req->nlh, VMQ_A_FILTER_UNTAGGED, 0, NULL);
	if (!vlan)
		return VMQCTL_OK;
	err = parse_uint("vlan", vlan, UINT16_MAX, &vid);
	if (!err)
		mnl_attr_put_u16(req->nlh, VMQ_A_FILTER_VLAN, vid);
	return err;
}

/* The socket of this process ends with it, so the filter is the adapter's. */
static int filter_add(struct args *args)
{
	const char *dev, *queue, *mac, *vlan;
	struct nl_request req;
	const struct keyword keywords[] = {
		{ "dev", &dev },
		{ "queue", &queue },
		{ "mac", &mac },
		{ "vlan", &vlan },
	};
	bool untagged;
	int err;

	err = args_parse_some(args, keywords, ARRAY_SIZE(keywords));
	if (err)
		return err;
	untagged = args_take(args, "untagged");
	err = args_end(args);
	if (err)
		return err;
	if (!dev || !queue)
		return usage_error("\"%s\" is missing", dev ? "queue" : "dev");
	err = nl_request(&req, VMQ_CMD_FILTER_NEW, &filter_set, dev);
	if (!err)
		err = put_u32(&req, "queue", VMQ_A_FILTER_QUEUE, queue);
	if (!err)
		err = put_match(&req, mac, vlan, untagged);
	if (err)
		return err;
	mnl_attr_put(req.nlh, VMQ_A_FILTER_KEEP, 0, NULL);
	return nl_show_answer(&req);
}

static int filter_move(struct args *args)
{
	const char *dev, *filter, *queue, *from;
	struct nl_request req;
	const struct keyword keywords[] = {
		{ "dev", &dev },
		{ "id", &filter },
		{ "queue", &queue },
		{ "from", &from },
	};
	int err;

	err = args_parse(args, keywords, ARRAY_SIZE(keywords));
	if (err)
		return err;
	if (!dev || !filter || !queue)
		return usage_error("\"%s\" is missing", !dev ? "dev" :
				   filter ? "queue" : "id");
	err = nl_request(&req, VMQ_CMD_FILTER_MOVE, &filter_set, dev);
	if (!err)
		err = put_u32(&req, "id", VMQ_A_FILTER_ID, filter);
	if (!err)
		err = put_u32(&req, "queue", VMQ_A_FILTER_QUEUE, queue);
	if (!err)
		err = put_u32(&req, "from", VMQ_A_FILTER_FROM, from);
	return err ? err : nl_show_answer(&req);
}

static int filter_del(struct args *args)
{
	const char *dev, *filter, *queue;
	struct nl_request req;
	const struct keyword keywords[] = {
		{ "dev", &dev },
		{ "id", &filter },
		{ "queue", &queue },
	};
	int err;

	err = args_parse(args, keywords, ARRAY_SIZE(keywords));
	if (err)
		return err;
	if (!dev || !filter)
		return usage_error("\"%s\" is missing", dev ? "id" : "dev");
	err = nl_request(&req, VMQ_CMD_FILTER_DEL, &filter_set, dev);
	if (!err)
		err = put_u32(&req, "id", VMQ_A_FILTER_ID, filter);
	if (!err)
		err = put_u32(&req, "queue", VMQ_A_FILTER_QUEUE, queue);
	return err ? err : nl_do(&req, NULL, NULL);
}

static const struct command filter_commands[] = {
	{ "show", filter_show },
	{ "add", filter_add },
	{ "move", filter_move },
	{ "del", filter_del },
	{ NULL, NULL },
};

const struct object filter_object = {
	.name = "filter",
	.usage =
	"Usage: vmqctl filter show [ dev ADAPTER [ id FILTER | queue QUEUE ] ]\n"
	"       vmqctl filter add dev ADAPTER queue QUEUE mac MAC [ vlan VID | untagged ]\n"
	"       vmqctl filter move dev ADAPTER id FILTER queue QUEUE [ from QUEUE ]\n"
	"       vmqctl filter del dev ADAPTER id FILTER [ queue QUEUE ]\n",
	.commands = filter_commands,
	.run = filter_show,
};

// SPDX-License-Identifier: GPL-2.0
/*
 * vmqctl queue: queues of adapters.
 */
#include "nl.h"
#include "vmqctl.h"

static const char *const states[] = {
	"undefined", "allocated", "set", "running", "paused", "stop-dma",
	"freeing",
};

static const char *const modes[] = { "direct" };

static const struct attr_desc queue_attrs[] = {
	[VMQ_A_QUEUE_IFINDEX] = ATTR("ifindex", IFINDEX),
	[VMQ_A_QUEUE_DEV] = ATTR("dev", STR),
	[VMQ_A_QUEUE_ID] = ATTR("id", UINT),
	[VMQ_A_QUEUE_STATE] = ATTR_VALUES("state", ENUM, states),
	[VMQ_A_QUEUE_NAME] = ATTR("name", STR),
	[VMQ_A_QUEUE_VM] = ATTR("vm", STR),
	[VMQ_A_QUEUE_CPUS] = ATTR("cpus", STR),
	[VMQ_A_QUEUE_MODE] = ATTR_VALUES("mode", ENUM, modes),
	[VMQ_A_QUEUE_BUFFERS] = ATTR("buffers", UINT),
	[VMQ_A_QUEUE_FILTERS] = ATTR("filters", UINT),
	[VMQ_A_QUEUE_PORT] = ATTR("port", STR),
	[VMQ_A_QUEUE_RX_PACKETS] = ATTR("rx-packets", UINT),
	[VMQ_A_QUEUE_RX_BYTES] = ATTR("rx-bytes", UINT),
	[VMQ_A_QUEUE_RX_DROPS] = ATTR("rx-drops", UINT),
	[VMQ_A_QUEUE_TX_PACKETS] = ATTR("tx-packets", UINT),
	[VMQ_A_QUEUE_TX_BYTES] = ATTR("tx-bytes", UINT),
};

ATTR_SET(queue);

static int queue_show(struct args *args)
{
	const char *dev, *queue;
	struct nl_request req;
	const struct keyword keywords[] = {
		{ "dev", &dev },
		{ "queue", &queue },
	};
	uint64_t id;
	int err;

	err = args_parse(args, keywords, ARRAY_SIZE(keywords));
	if (err)
		return err;
	if (queue && !dev)
		return usage_error("queue %s of which adapter?", queue);
	if (queue)
		err = parse_uint("queue", queue, UINT32_MAX, &id);
	if (err)
		return err;
	err = nl_request(&req, VMQ_CMD_QUEUE_GET, &queue_set, dev);
	if (err)
		return err;
	if (queue)
		mnl_attr_put_u32(req.nlh, VMQ_A_QUEUE_ID, id);
	return nl_show(&req, queue);
}

static int queue_set_param(struct args *args)
{
	const char *dev, *queue, *name;
	struct nl_request req;
	const struct keyword keywords[] = {
		{ "dev", &dev },
		{ "queue", &queue },
		{ "name", &name },
	};
	uint64_t id;
	int err;

	err = args_parse(args, keywords, ARRAY_SIZE(keywords));
	if (err)
		return err;
	if (!dev || !queue)
		return usage_error("\"%s\" is missing", dev ? "queue" : "dev");
	err = parse_uint("queue", queue, UINT32_MAX, &id);
	if (err)
		return err;
	err = nl_request(&req, VMQ_CMD_QUEUE_SET, &queue_set, dev);
	if (err)
		return err;
	mnl_attr_put_u32(req.nlh, VMQ_A_QUEUE_ID, id);
	if (name)
		err = nl_put_str(&req, "name", VMQ_A_QUEUE_NAME, name);
	return err ? err : nl_do(&req, NULL, NULL);
}

static const struct command queue_commands[] = {
	{ "show", queue_show },
	{ "set", queue_set_param },
	{ NULL, NULL },
};

const struct object queue_object = {
	.name = "queue",
	.usage =
	"Usage: vmqctl queue show [ dev ADAPTER [ queue QUEUE ] ]\n"
	"       vmqctl queue set dev ADAPTER queue QUEUE [ name NAME ]\n",
	.commands = queue_commands,
	.run = queue_show,
};

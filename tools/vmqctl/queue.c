// SPDX-License-Identifier: GPL-2.0
/*
 * vmqctl queue: queues of adapters.
 */
#include <ctype.h>
#include <stdlib.h>

#include "nl.h"
#include "out.h"
#include "queue_param.h"
#include "vmqctl.h"

static const char *const states[] = {
	"undefined", "allocated", "set", "running", "paused", "stop-dma",
	"freeing",
};

static const char *const oper_states[] = {
	"undefined", "running", "paused", "dma-stopped",
};

static const char *const modes[] = { "direct", "queued" };

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
	[VMQ_A_QUEUE_OWNER] = ATTR("owner", STR),
	[VMQ_A_QUEUE_OPER_STATE] = ATTR_VALUES("oper-state", ENUM,
					       oper_states),
	[VMQ_A_QUEUE_KEEP] = ATTR("keep", FLAG),
	[VMQ_A_QUEUE_MINE] = ATTR("mine", FLAG),
	[VMQ_A_QUEUE_IDS] = {
		.name = "ids", .kind = ATTR_UINT, .list = true,
	},
	[VMQ_A_QUEUE_STATUS] = ATTR_NESTED("status", status_set, true),
	[VMQ_A_QUEUE_PER_QUEUE_DELIVERY] = ATTR("per-queue-delivery", BOOL),
	[VMQ_A_QUEUE_LOOKAHEAD] = ATTR("lookahead", UINT),
	[VMQ_A_QUEUE_RX_USECS] = ATTR("rx-usecs", UINT),
	[VMQ_A_QUEUE_RX_FRAMES] = ATTR("rx-frames", UINT),
	[VMQ_A_QUEUE_ADAPTIVE] = ATTR("adaptive", BOOL),
	[VMQ_A_QUEUE_WAITING] = ATTR("waiting", UINT),
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

/* A request about one queue of an adapter. */
static int queue_request(struct nl_request *req, uint8_t cmd, const char *dev,
			 const char *queue)
{
	uint64_t id;
	int err;

	if (!dev || !queue)
		return usage_error("\"%s\" is missing", dev ? "queue" : "dev");
	err = parse_uint("queue", queue, UINT32_MAX, &id);
	if (err)
		return err;
	err = nl_request(req, cmd, &queue_set, dev);
	if (err)
		return err;
	mnl_attr_put_u32(req->nlh, VMQ_A_QUEUE_ID, id);
	return VMQCTL_OK;
}

static int queue_set_param(struct args *args)
{
	const char *dev, *queue, *values[QUEUE_SETTINGS];
	struct keyword keywords[2 + QUEUE_SETTINGS] = {
		{ "dev", &dev },
		{ "queue", &queue },
	};
	struct nl_request req;
	int err;

	settings_keywords(queue_settings, QUEUE_SETTINGS, keywords + 2,
			  values);
	err = args_parse(args, keywords, ARRAY_SIZE(keywords));
	if (!err)
		err = queue_request(&req, VMQ_CMD_QUEUE_SET, dev, queue);
	if (!err)
		err = settings_put(&req, queue_settings, QUEUE_SETTINGS,
				   values);
	return err ? err : nl_do(&req, NULL, NULL);
}

/* The socket of this process ends with it, so the queue is the adapter's. */
static int queue_add(struct args *args)
{
	const char *dev, *values[QUEUE_SETTINGS];
	struct keyword keywords[1 + QUEUE_SETTINGS] = {
		{ "dev", &dev },
	};
	struct nl_request req;
	int err;

	settings_keywords(queue_settings, QUEUE_SETTINGS, keywords + 1,
			  values);
	err = args_parse(args, keywords, ARRAY_SIZE(keywords));
	if (err)
		return err;
	if (!dev)
		return usage_error("\"dev\" is missing");
	err = nl_request(&req, VMQ_CMD_QUEUE_NEW, &queue_set, dev);
	if (!err)
		err = settings_put(&req, queue_settings, QUEUE_SETTINGS,
				   values);
	if (err)
		return err;
	mnl_attr_put(req.nlh, VMQ_A_QUEUE_KEEP, 0, NULL);
	return nl_show_answer(&req);
}

#define IDS_MAX		4096	/* the most queues of an adapter */
#define IDS_AT_ONCE	64	/* of one request */

/* A list of queues like 1,3-5. */
static int parse_ids(const char *list, uint32_t *ids, size_t *n)
{
	unsigned long first, last;
	const char *p = list;
	char *end;

	for (*n = 0; isdigit((unsigned char)*p); p = end + 1) {
		first = strtoul(p, &end, 10);
		last = first;
		if (*end == '-' && isdigit((unsigned char)end[1]))
			last = strtoul(end + 1, &end, 10);
		if (last < first || last - first >= IDS_MAX - *n)
			break;
		while (first <= last)
			ids[(*n)++] = first++;
		if (!*end)
			return VMQCTL_OK;
		if (*end != ',')
			break;
	}
	return usage_error("queue: \"%s\" is not a list of queues, such as 1,3-5",
			   list);
}

static int queue_complete(struct args *args)
{
	static uint32_t ids[IDS_MAX];
	const char *dev, *queues;
	struct nl_request req;
	const struct keyword keywords[] = {
		{ "dev", &dev },
		{ "queue", &queues },
	};
	int err, failed = VMQCTL_OK;
	size_t n = 0, i = 0;

	err = args_parse(args, keywords, ARRAY_SIZE(keywords));
	if (err)
		return err;
	if (!dev || !queues)
		return usage_error("\"%s\" is missing", dev ? "queue" : "dev");
	err = parse_ids(queues, ids, &n);
	if (err)
		return err;
	out_array();
	while (i < n) {
		err = nl_request(&req, VMQ_CMD_QUEUE_COMPLETE, &queue_set, dev);
		if (err)
			return err;
		do {
			mnl_attr_put_u32(req.nlh, VMQ_A_QUEUE_IDS, ids[i]);
		} while (++i % IDS_AT_ONCE && i < n);
		err = nl_do_entries(&req, VMQ_A_QUEUE_STATUS, "queue");
		if (err)
			failed = err;
	}
	return failed;
}

static int queue_del(struct args *args)
{
	const char *dev, *queue;
	struct nl_request req;
	const struct keyword keywords[] = {
		{ "dev", &dev },
		{ "queue", &queue },
	};
	int err;

	err = args_parse(args, keywords, ARRAY_SIZE(keywords));
	if (!err)
		err = queue_request(&req, VMQ_CMD_QUEUE_DEL, dev, queue);
	return err ? err : nl_do(&req, NULL, NULL);
}

static const struct command queue_commands[] = {
	{ "show", queue_show },
	{ "add", queue_add },
	{ "set", queue_set_param },
	{ "complete", queue_complete },
	{ "del", queue_del },
	{ NULL, NULL },
};

const struct object queue_object = {
	.name = "queue",
	.usage =
	"Usage: vmqctl queue show [ dev ADAPTER [ queue QUEUE ] ]\n"
	"       vmqctl queue add dev ADAPTER [ PARAMETER VALUE ]...\n"
	"       vmqctl queue set dev ADAPTER queue QUEUE [ PARAMETER VALUE ]...\n"
	"       vmqctl queue complete dev ADAPTER queue LIST\n"
	"       vmqctl queue del dev ADAPTER queue QUEUE\n"
	QUEUE_PARAM_USAGE,
	.commands = queue_commands,
	.run = queue_show,
};

// SPDX-License-Identifier: GPL-2.0
/*
 * vmqctl vf: virtual functions of adapters. What is set for them is ip-link(8)'s.
 */
#include <stdlib.h>
#include <string.h>

#include "nl.h"
#include "vmqctl.h"

static const char *const vports[] = { "none", "deactivated", "activated" };

static const struct attr_desc vf_attrs[] = {
	[VMQ_A_VF_IFINDEX] = ATTR("ifindex", IFINDEX),
	[VMQ_A_VF_DEV] = ATTR("dev", STR),
	[VMQ_A_VF_ID] = ATTR("id", UINT),
	[VMQ_A_VF_SERIAL] = ATTR("serial", UINT),
	[VMQ_A_VF_MAC] = ATTR("mac", MAC),
	[VMQ_A_VF_PORT] = ATTR("port", STR),
	[VMQ_A_VF_VPORT] = ATTR_VALUES("vport", ENUM, vports),
	[VMQ_A_VF_QUEUE_PAIRS] = ATTR("queue-pairs", UINT),
	[VMQ_A_VF_BOUND] = ATTR("bound", BOOL),
	[VMQ_A_VF_FILTERS] = ATTR("filters", UINT),
	[VMQ_A_VF_BLOCK] = ATTR("block", UINT),
	[VMQ_A_VF_DATA] = ATTR("data", BYTES),
	[VMQ_A_VF_CHANGED] = ATTR("changed", HEX),
};

ATTR_SET(vf);

/* "dev ADAPTER [ vf N ]" */
static int vf_words(struct args *args, const char **dev, const char **vf,
		    uint64_t *id)
{
	const struct keyword keywords[] = {
		{ "dev", dev },
		{ "vf", vf },
	};
	int err = args_parse(args, keywords, ARRAY_SIZE(keywords));

	if (err)
		return err;
	if (*vf && !*dev)
		return usage_error("VF %s of which adapter?", *vf);
	return *vf ? parse_uint("vf", *vf, UINT32_MAX, id) : VMQCTL_OK;
}

static int vf_show(struct args *args)
{
	const char *dev, *vf;
	struct nl_request req;
	uint64_t id;
	int err;

	err = vf_words(args, &dev, &vf, &id);
	if (err)
		return err;
	/* the adapter alone means all of its VFs */
	err = nl_request(&req, VMQ_CMD_VF_GET, &vf_set, dev);
	if (err)
		return err;
	if (vf)
		mnl_attr_put_u32(req.nlh, VMQ_A_VF_ID, id);
	return nl_show(&req, vf);
}

static int vf_reset(struct args *args)
{
	const char *dev, *vf;
	struct nl_request req;
	uint64_t id;
	int err;

	err = vf_words(args, &dev, &vf, &id);
	if (err)
		return err;
	if (!vf)
		return usage_error("\"dev\" and \"vf\" are needed");
	err = nl_request(&req, VMQ_CMD_VF_RESET, &vf_set, dev);
	if (err)
		return err;
	mnl_attr_put_u32(req.nlh, VMQ_A_VF_ID, id);
	return nl_do(&req, NULL, NULL);
}

/* ---- the back channel: "dev ADAPTER vf N", or "dev NETDEV" of the VF itself ---- */

#define BLOCK_MAX	2048	/* bytes */
#define BLOCKS		64

/* "1,2,40": numbers of blocks, as a mask */
static int parse_blocks(const char *text, uint64_t *mask)
{
	char *end;
	unsigned long n;

	*mask = 0;
	do {
		n = strtoul(text, &end, 10);
		if (end == text || n >= BLOCKS || (*end && *end != ','))
			return usage_error("changed: \"%s\" is no list of blocks, 0 to 63",
					   text);
		*mask |= 1ULL << n;
		text = end + 1;
	} while (*end);
	return VMQCTL_OK;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | 0x20) : NULL;

	return at ? at - digits : -1;
}

static int put_data(struct nl_request *req, const char *text)
{
	uint8_t data[BLOCK_MAX];
	size_t n = strlen(text), i;
	int high, low;

	if (n % 2 || n / 2 > sizeof(data))
		return usage_error("data: two hexadecimal digits for each of up to %u bytes",
				   BLOCK_MAX);
	for (i = 0; i < n / 2; i++) {
		high = hex_digit(text[2 * i]);
		low = hex_digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return usage_error("data: \"%s\" is not hexadecimal",
					   text + 2 * i);
		data[i] = high << 4 | low;
	}
	mnl_attr_put(req->nlh, VMQ_A_VF_DATA, n / 2, data);
	return VMQCTL_OK;
}

struct block_words {
	const char *dev;
	const char *vf;
	const char *block;
	const char *data;
	const char *changed;
};

static int block_request(struct nl_request *req, uint8_t cmd,
			 const struct block_words *w)
{
	uint64_t vf, block;
	int err;

	if (!w->dev || !w->block)
		return usage_error("\"%s\" is missing", w->dev ? "block" : "dev");
	err = parse_uint("block", w->block, BLOCKS - 1, &block);
	if (!err && w->vf)
		err = parse_uint("vf", w->vf, UINT32_MAX, &vf);
	if (!err)
		err = nl_request(req, cmd, &vf_set, w->dev);
	if (err)
		return err;
	if (w->vf)
		mnl_attr_put_u32(req->nlh, VMQ_A_VF_ID, vf);
	mnl_attr_put_u32(req->nlh, VMQ_A_VF_BLOCK, block);
	return VMQCTL_OK;
}

static int vf_read(struct args *args)
{
	struct block_words w = {};
	struct nl_request req;
	const struct keyword keywords[] = {
		{ "dev", &w.dev },
		{ "vf", &w.vf },
		{ "block", &w.block },
	};
	int err;

	err = args_parse(args, keywords, ARRAY_SIZE(keywords));
	if (!err)
		err = block_request(&req, VMQ_CMD_VF_BLOCK_GET, &w);
	return err ? err : nl_show(&req, true);
}

static int vf_write(struct args *args)
{
	struct block_words w = {};
	struct nl_request req;
	const struct keyword keywords[] = {
		{ "dev", &w.dev },
		{ "vf", &w.vf },
		{ "block", &w.block },
		{ "data", &w.data },
		{ "changed", &w.changed },
	};
	uint64_t mask;
	int err;

	err = args_parse(args, keywords, ARRAY_SIZE(keywords));
	if (err)
		return err;
	if (!w.data && !w.changed)
		return usage_error("neither \"data\" nor \"changed\" is given");
	err = block_request(&req, VMQ_CMD_VF_BLOCK_SET, &w);
	if (!err && w.data)
		err = put_data(&req, w.data);
	if (!err && w.changed) {
		err = parse_blocks(w.changed, &mask);
		if (!err)
			mnl_attr_put_u64(req.nlh, VMQ_A_VF_CHANGED, mask);
	}
	return err ? err : nl_do(&req, NULL, NULL);
}

static int vf_changed(struct args *args)
{
	struct nl_request req;
	const char *dev;
	const struct keyword keywords[] = {
		{ "dev", &dev },
	};
	int err;

	err = args_parse(args, keywords, ARRAY_SIZE(keywords));
	if (err)
		return err;
	if (!dev)
		return usage_error("\"dev\" is missing");
	err = nl_request(&req, VMQ_CMD_VF_BLOCK_CHANGED, &vf_set, dev);
	return err ? err : nl_show(&req, true);
}

static const struct command vf_commands[] = {
	{ "show", vf_show },
	{ "reset", vf_reset },
	{ "read", vf_read },
	{ "write", vf_write },
	{ "changed", vf_changed },
	{ NULL, NULL },
};

const struct object vf_object = {
	.name = "vf",
	.usage =
	"Usage: vmqctl vf show [ dev ADAPTER [ vf N ] ]\n"
	"       vmqctl vf reset dev ADAPTER vf N\n"
	"       vmqctl vf read dev ADAPTER vf N block B\n"
	"       vmqctl vf write dev ADAPTER vf N block B [ data HEX ] [ changed B,B... ]\n"
	"       vmqctl vf read dev NETDEV block B\n"
	"       vmqctl vf write dev NETDEV block B data HEX\n"
	"       vmqctl vf changed dev NETDEV\n"
	"       NETDEV is the VF's own\n",
	.commands = vf_commands,
	.run = vf_show,
};

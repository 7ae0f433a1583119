// SPDX-License-Identifier: GPL-2.0
/*
 * vmqctl vf: virtual functions of adapters. What is set for them is ip-link(8)'s.
 */
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
	[VMQ_A_VF_DATA] = ATTR("data", NONE),
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

static const struct command vf_commands[] = {
	{ "show", vf_show },
	{ "reset", vf_reset },
	{ NULL, NULL },
};

const struct object vf_object = {
	.name = "vf",
	.usage =
	"Usage: vmqctl vf show [ dev ADAPTER [ vf N ] ]\n"
	"       vmqctl vf reset dev ADAPTER vf N\n",
	.commands = vf_commands,
	.run = vf_show,
};

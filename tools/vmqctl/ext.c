// SPDX-License-Identifier: GPL-2.0
/*
 * vmqctl ext: the stack of extensions of an adapter.
 */
#include "nl.h"
#include "vmqctl.h"

static const char *const classes[] = { "capture", "filter", "forward" };

static const struct attr_desc ext_attrs[] = {
	[VMQ_A_EXT_IFINDEX] = ATTR("ifindex", IFINDEX),
	[VMQ_A_EXT_DEV] = ATTR("dev", STR),
	[VMQ_A_EXT_NAME] = ATTR("name", STR),
	[VMQ_A_EXT_UUID] = ATTR("uuid", STR),
	[VMQ_A_EXT_CLASS] = ATTR_VALUES("class", ENUM, classes),
	[VMQ_A_EXT_ENABLED] = ATTR("enabled", BOOL),
	[VMQ_A_EXT_POSITION] = ATTR("position", UINT),
	[VMQ_A_EXT_DATA_VERSION] = ATTR("data-version", UINT),
	[VMQ_A_EXT_OWNER] = ATTR("owner", UINT),
};

ATTR_SET(ext);

static int ext_show(struct args *args)
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
	err = nl_request(&req, VMQ_CMD_EXT_GET, &ext_set, dev);
	return err ? err : nl_show(&req, false);
}

/* A request to change the extension name of dev. */
static int ext_set_request(struct nl_request *req, const char *dev,
			   const char *name)
{
	int err;

	if (!dev || !name)
		return usage_error("\"%s\" is missing", dev ? "name" : "dev");
	err = nl_request(req, VMQ_CMD_EXT_SET, &ext_set, dev);
	return err ? err : nl_put_str(req, "name", VMQ_A_EXT_NAME, name);
}

static int ext_switch(struct args *args, bool on)
{
	const char *dev, *name;
	struct nl_request req;
	const struct keyword keywords[] = {
		{ "dev", &dev },
		{ "name", &name },
	};
	int err;

	err = args_parse(args, keywords, ARRAY_SIZE(keywords));
	if (err)
		return err;
	err = ext_set_request(&req, dev, name);
	if (err)
		return err;
	mnl_attr_put_u8(req.nlh, VMQ_A_EXT_ENABLED, on);
	return nl_do(&req, NULL, NULL);
}

static int ext_enable(struct args *args)
{
	return ext_switch(args, true);
}

static int ext_disable(struct args *args)
{
	return ext_switch(args, false);
}

static int ext_move(struct args *args)
{
	const char *dev, *name, *position;
	struct nl_request req;
	const struct keyword keywords[] = {
		{ "dev", &dev },
		{ "name", &name },
		{ "position", &position },
	};
	uint64_t pos;
	int err;

	err = args_parse(args, keywords, ARRAY_SIZE(keywords));
	if (err)
		return err;
	if (!position)
		return usage_error("\"position\" is missing");
	err = parse_uint("position", position, UINT32_MAX, &pos);
	if (err)
		return err;
	err = ext_set_request(&req, dev, name);
	if (err)
		return err;
	mnl_attr_put_u32(req.nlh, VMQ_A_EXT_POSITION, pos);
	return nl_do(&req, NULL, NULL);
}

static const struct command ext_commands[] = {
	{ "show", ext_show },
	{ "enable", ext_enable },
	{ "disable", ext_disable },
	{ "move", ext_move },
	{ NULL, NULL },
};

const struct object ext_object = {
	.name = "ext",
	.usage =
	"Usage: vmqctl ext show [ dev ADAPTER ]\n"
	"       vmqctl ext enable dev ADAPTER name NAME\n"
	"       vmqctl ext disable dev ADAPTER name NAME\n"
	"       vmqctl ext move dev ADAPTER name NAME position N\n",
	.commands = ext_commands,
	.run = ext_show,
};

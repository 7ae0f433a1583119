// SPDX-License-Identifier: GPL-2.0
/*
 * vmqctl ext: the stack of extensions of an adapter.
 */
#include <string.h>

#include "ext_run.h"
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

/* Requests of a process that is an extension; only errors name them. */
static const struct attr_desc ext_user_attrs[] = {
	[VMQ_A_EXT_USER_IFINDEX] = ATTR("ifindex", IFINDEX),
	[VMQ_A_EXT_USER_DEV] = ATTR("dev", STR),
	[VMQ_A_EXT_USER_NAME] = ATTR("name", STR),
	[VMQ_A_EXT_USER_UUID] = ATTR("uuid", STR),
	[VMQ_A_EXT_USER_DATA_VERSION] = ATTR("data-version", UINT),
	[VMQ_A_EXT_USER_TIMEOUT] = ATTR("timeout", UINT),
	[VMQ_A_EXT_USER_ENABLED] = ATTR("enabled", BOOL),
};

ATTR_SET(ext_user);

static int ext_show(struct args *args)
{
	struct nl_request req;
	const char *dev;
	int err;

	err = args_dev(args, &dev);
	if (!err)
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

/* "--uuid" is "uuid", as the words after it are those of another program. */
static void drop_dashes(struct args *args)
{
	int i;

	for (i = 0; i < args->argc; i += 2)
		if (!strncmp(args->argv[i], "--", 2))
			args->argv[i] += 2;
}

static int ext_run_command(struct args *args)
{
	struct ext_run how = {};
	static char name[16];
	const char *timeout, *version;
	const struct keyword keywords[] = {
		{ "dev", &how.dev },
		{ "uuid", &how.uuid },
		{ "name", &how.name },
		{ "save", &how.save },
		{ "restore", &how.restore },
		{ "undo", &how.undo },
		{ "timeout", &timeout },
		{ "data-version", &version },
	};
	uint64_t v;
	int err;

	drop_dashes(args);
	err = args_parse(args, keywords, ARRAY_SIZE(keywords));
	if (err)
		return err;
	if (!how.uuid || !how.save || !how.restore)
		return usage_error("\"%s\" is missing",
				   !how.uuid ? "uuid" :
				   !how.save ? "save" : "restore");
	if (!how.name) {
		snprintf(name, sizeof(name), "user-%.8s", how.uuid);
		how.name = name;
	}
	if (timeout) {
		err = parse_uint("timeout", timeout, UINT32_MAX, &v);
		if (err)
			return err;
		if (!v)
			return usage_error("timeout: 0 is no time");
		how.timeout = v;
	}
	if (version) {
		err = parse_uint("data-version", version, UINT16_MAX, &v);
		if (err)
			return err;
		if (!v)
			return usage_error("data-version: they begin with 1");
		how.version = v;
	}
	return ext_run(&how);
}

static const struct command ext_commands[] = {
	{ "show", ext_show },
	{ "enable", ext_enable },
	{ "disable", ext_disable },
	{ "move", ext_move },
	{ "run", ext_run_command },
	{ NULL, NULL },
};

const struct object ext_object = {
	.name = "ext",
	.usage =
	"Usage: vmqctl ext show [ dev ADAPTER ]\n"
	"       vmqctl ext enable dev ADAPTER name NAME\n"
	"       vmqctl ext disable dev ADAPTER name NAME\n"
	"       vmqctl ext move dev ADAPTER name NAME position N\n"
	"       vmqctl ext run [ dev ADAPTER ] uuid UUID [ name NAME ]\n"
	"                      save COMMAND restore COMMAND\n"
	"                      [ undo COMMAND ] [ timeout MS ] [ data-version V ]\n",
	.commands = ext_commands,
	.run = ext_show,
};

// SPDX-License-Identifier: GPL-2.0
/*
 * vmqctl port: the NICs of virtual machines.
 */
#include <ctype.h>
#include <string.h>

#include "nl.h"
#include "vmqctl.h"

static const char *const paths[] = { "synthetic", "vf" };
static const char *const policies[] = { "synthetic", "vf", "auto" };

static const char *const steps[] = {
	"vf-allocate", "vport-create", "filters-to-vf", "vf-expose",
	"vf-switch", "filters-to-port", "vport-delete", "vf-reset", "vf-free",
};

static const char *const gates[] = { "open", "closed", "auto" };

static const char *const migrations[] = {
	"idle", "saving", "saved", "restoring", "validated",
};

static const struct attr_desc port_attrs[] = {
	[VMQ_A_PORT_IFINDEX] = ATTR("ifindex", IFINDEX),
	[VMQ_A_PORT_DEV] = ATTR("dev", STR),
	[VMQ_A_PORT_ADAPTER] = ATTR("adapter", STR),
	[VMQ_A_PORT_PORT_ID] = ATTR("port-id", UINT),
	[VMQ_A_PORT_UUID] = ATTR("uuid", STR),
	[VMQ_A_PORT_MAC] = ATTR("mac", MAC),
	[VMQ_A_PORT_QUEUES] = {
		.name = "queues", .kind = ATTR_UINT, .list = true,
		.new_line = true,
	},
	[VMQ_A_PORT_PATH] = ATTR_VALUES("path", ENUM, paths),
	[VMQ_A_PORT_GATE] = ATTR_VALUES("gate", ENUM, gates),
	[VMQ_A_PORT_MIGRATION] = ATTR_VALUES("migration", ENUM, migrations),
	[VMQ_A_PORT_TAP] = ATTR("tap", STR),
	[VMQ_A_PORT_TAP_READERS] = ATTR("tap-readers", UINT),
	[VMQ_A_PORT_TAP_CLAIMED] = ATTR("tap-claimed", FLAG),
	[VMQ_A_PORT_RX_PACKETS] = ATTR_LN("rx-packets", UINT),
	[VMQ_A_PORT_RX_BYTES] = ATTR("rx-bytes", UINT),
	[VMQ_A_PORT_RX_DROPS] = ATTR("rx-drops", UINT),
	[VMQ_A_PORT_TX_PACKETS] = ATTR_LN("tx-packets", UINT),
	[VMQ_A_PORT_TX_BYTES] = ATTR("tx-bytes", UINT),
	[VMQ_A_PORT_TX_DROPS] = ATTR("tx-drops", UINT),
	[VMQ_A_PORT_EXT_DROPS] = ATTR("ext-drops", UINT),
	[VMQ_A_PORT_RECORDS] = ATTR_LN("records", UINT),
	[VMQ_A_PORT_RECORDS_UNCLAIMED] = ATTR("records-unclaimed", UINT),
	[VMQ_A_PORT_STATE_BYTES] = ATTR("state-bytes", UINT),
	[VMQ_A_PORT_STATE_USECS] = ATTR("state-usecs", UINT),
	[VMQ_A_PORT_FD] = ATTR("fd", NONE),
	[VMQ_A_PORT_ERROR] = ATTR("error", STR),
	[VMQ_A_PORT_HOLD_FRAMES] = ATTR_LN("hold-frames", UINT),
	[VMQ_A_PORT_HOLD_BYTES] = ATTR("hold-bytes", UINT),
	[VMQ_A_PORT_REDIRECT] = ATTR("redirect", STR),
	[VMQ_A_PORT_WAITING_FRAMES] = ATTR("waiting-frames", UINT),
	[VMQ_A_PORT_WAITING_BYTES] = ATTR("waiting-bytes", UINT),
	[VMQ_A_PORT_FRAMES_HELD] = ATTR_LN("frames-held", UINT),
	[VMQ_A_PORT_FRAMES_DROPPED] = ATTR("frames-dropped", UINT),
	[VMQ_A_PORT_FRAMES_REPLAYED] = ATTR("frames-replayed", UINT),
	[VMQ_A_PORT_FRAMES_REDIRECTED] = ATTR("frames-redirected", UINT),
	[VMQ_A_PORT_FRAMES_NOT_FLOODED] = ATTR("frames-not-flooded", UINT),
	[VMQ_A_PORT_FRAMES_MUTED] = ATTR("frames-muted", UINT),
	[VMQ_A_PORT_GAP_USECS] = ATTR("gap-usecs", UINT),
	[VMQ_A_PORT_ANNOUNCE_COUNT] = ATTR_LN("announce-count", UINT),
	[VMQ_A_PORT_ANNOUNCE_INTERVAL] = ATTR("announce-interval", UINT),
	[VMQ_A_PORT_ANNOUNCED] = ATTR("announced", UINT),
	[VMQ_A_PORT_ADDRESS] = {
		.name = "address", .kind = ATTR_STR, .list = true,
	},
	[VMQ_A_PORT_SAVE_USECS] = ATTR_LN("save-usecs", UINT),
	[VMQ_A_PORT_RESTORE_USECS] = ATTR("restore-usecs", UINT),
	[VMQ_A_PORT_FRAMES_SAVED] = ATTR("frames-saved", UINT),
	[VMQ_A_PORT_FRAMES_RESTORED] = ATTR("frames-restored", UINT),
	[VMQ_A_PORT_PATH_POLICY] = ATTR_VALUES("path-policy", ENUM, policies),
	[VMQ_A_PORT_VF] = ATTR("vf", UINT),
	[VMQ_A_PORT_PATH_CHANGES] = ATTR("path-changes", UINT),
	[VMQ_A_PORT_VF_UPLINK] = ATTR("vf-uplink", FLAG),
	[VMQ_A_PORT_PATH_STEP] = ATTR_VALUES("path-step", ENUM, steps),
	[VMQ_A_PORT_VLAN] = ATTR_LN("vlan", UINT),
	[VMQ_A_PORT_TRUNK] = ATTR("trunk", STR),
	[VMQ_A_PORT_ISOLATE] = ATTR("isolate", BOOL),
	[VMQ_A_PORT_SPOOFCHK] = ATTR("spoofchk", BOOL),
	[VMQ_A_PORT_MCAST_GROUPS] = ATTR_LN("mcast-groups", UINT),
	[VMQ_A_PORT_MCAST_NARROWED] = ATTR("mcast-narrowed", UINT),
	[VMQ_A_PORT_MCAST_ROUTER] = ATTR("mcast-router", FLAG),
	[VMQ_A_PORT_MCAST_REPORTS] = ATTR_LN("mcast-reports", UINT),
	[VMQ_A_PORT_MCAST_LEAVES] = ATTR("mcast-leaves", UINT),
	[VMQ_A_PORT_MCAST_QUERIES] = ATTR("mcast-queries", UINT),
	[VMQ_A_PORT_MCAST_WITHHELD] = ATTR("mcast-withheld", UINT),
	[VMQ_A_PORT_MCAST_ALLMULTI] = ATTR("mcast-allmulti", UINT),
	[VMQ_A_PORT_MCAST_OVERFLOWS] = ATTR("mcast-overflows", UINT),
};

ATTR_SET(port);

static int port_show(struct args *args)
{
	const char *dev, *adapter;
	struct nl_request req;
	const struct keyword keywords[] = {
		{ "dev", &dev },
		{ "adapter", &adapter },
	};
	int err;

	err = args_parse(args, keywords, ARRAY_SIZE(keywords));
	if (err)
		return err;
	if (dev && adapter)
		return usage_error("\"dev\" and \"adapter\" exclude each other");
	err = nl_request(&req, VMQ_CMD_PORT_GET, &port_set,
			 dev ? dev : adapter);
	return err ? err : nl_show(&req, dev);
}

static int put_uuid(struct nl_request *req, const char *value)
{
	return nl_put_str(req, "uuid", VMQ_A_PORT_UUID, value);
}

static int put_gate(struct nl_request *req, const char *value)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(gates); i++) {
		if (strcmp(value, gates[i]))
			continue;
		mnl_attr_put_u32(req->nlh, VMQ_A_PORT_GATE, i);
		return VMQCTL_OK;
	}
	return usage_error("gate: \"%s\" is none of open, closed, auto", value);
}

static int put_u32(struct nl_request *req, const char *what, uint16_t type,
		   const char *value)
{
	uint64_t v;
	int err = parse_uint(what, value, UINT32_MAX, &v);

	if (!err)
		mnl_attr_put_u32(req->nlh, type, v);
	return err;
}

static int put_hold_frames(struct nl_request *req, const char *value)
{
	return put_u32(req, "hold-frames", VMQ_A_PORT_HOLD_FRAMES, value);
}

static int put_hold_bytes(struct nl_request *req, const char *value)
{
	return put_u32(req, "hold-bytes", VMQ_A_PORT_HOLD_BYTES, value);
}

static int put_announce_count(struct nl_request *req, const char *value)
{
	return put_u32(req, "announce-count", VMQ_A_PORT_ANNOUNCE_COUNT,
		       value);
}

static int put_announce_interval(struct nl_request *req, const char *value)
{
	return put_u32(req, "announce-interval",
		       VMQ_A_PORT_ANNOUNCE_INTERVAL, value);
}

static int put_path(struct nl_request *req, const char *value)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		if (strcmp(value, policies[i]))
			continue;
		mnl_attr_put_u32(req->nlh, VMQ_A_PORT_PATH_POLICY, i);
		return VMQCTL_OK;
	}
	return usage_error("path: \"%s\" is none of synthetic, vf N, auto",
			   value);
}

/*
 * "path vf N" and "path auto N" have a word more than a keyword and its value, N
 * or uplink:N: takes it out.
 */
static const char *take_path_vf(struct args *args)
{
	const char *vf;
	int i;

	for (i = 0; i + 2 < args->argc; i += 2) {
		if (strcmp(args->argv[i], "path") ||
		    (!isdigit((unsigned char)*args->argv[i + 2]) &&
		     strncmp(args->argv[i + 2], "uplink", 6)))
			continue;
		vf = args->argv[i + 2];
		args->argc--;
		memmove(&args->argv[i + 2], &args->argv[i + 3],
			(args->argc - i - 2) * sizeof(*args->argv));
		return vf;
	}
	return NULL;
}

/* N, uplink:N, or uplink for any of its VFs */
static int put_vf(struct nl_request *req, const char *value)
{
	if (!strncmp(value, "uplink", 6)) {
		mnl_attr_put(req->nlh, VMQ_A_PORT_VF_UPLINK, 0, NULL);
		value += 6;
		if (!*value)
			return VMQCTL_OK;
		if (*value++ != ':')
			return usage_error("which VF? N, uplink:N or uplink");
	}
	return put_u32(req, "vf", VMQ_A_PORT_VF, value);
}

static int put_redirect(struct nl_request *req, const char *value)
{
	return nl_put_str(req, "redirect", VMQ_A_PORT_REDIRECT,
			  strcmp(value, "none") ? value : "");
}

static int put_vlan(struct nl_request *req, const char *value)
{
	uint64_t v = 0;
	int err = VMQCTL_OK;

	if (strcmp(value, "none")) {
		err = parse_uint("vlan", value, 4094, &v);
		if (!err && !v)
			err = usage_error("vlan: 0 is no VLAN; \"none\" is");
	}
	if (!err)
		mnl_attr_put_u16(req->nlh, VMQ_A_PORT_VLAN, v);
	return err;
}

static int put_trunk(struct nl_request *req, const char *value)
{
	return nl_put_str(req, "trunk", VMQ_A_PORT_TRUNK,
			  strcmp(value, "none") ? value : "");
}

static int put_isolate(struct nl_request *req, const char *value)
{
	return nl_put_switch(req, "isolate", VMQ_A_PORT_ISOLATE, value);
}

static int put_spoofchk(struct nl_request *req, const char *value)
{
	return nl_put_switch(req, "spoofchk", VMQ_A_PORT_SPOOFCHK, value);
}

static const struct setting settings[] = {
	{ "uuid", put_uuid },
	{ "gate", put_gate },
	{ "path", put_path },
	{ "hold-frames", put_hold_frames },
	{ "hold-bytes", put_hold_bytes },
	{ "redirect", put_redirect },
	{ "announce-count", put_announce_count },
	{ "announce-interval", put_announce_interval },
	{ "vlan", put_vlan },
	{ "trunk", put_trunk },
	{ "isolate", put_isolate },
	{ "spoofchk", put_spoofchk },
};

static int port_set_values(struct args *args)
{
	const char *dev, *values[ARRAY_SIZE(settings)];
	struct keyword keywords[1 + ARRAY_SIZE(settings)] = {
		{ "dev", &dev },
	};
	const char *vf = take_path_vf(args);
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
	err = nl_request(&req, VMQ_CMD_PORT_SET, &port_set, dev);
	if (!err)
		err = settings_put(&req, settings, ARRAY_SIZE(settings),
				   values);
	if (!err && vf)
		err = put_vf(&req, vf);
	return err ? err : nl_do(&req, NULL, NULL);
}

static int port_abort(struct args *args)
{
	struct nl_request req;
	const char *dev;
	int err;

	err = args_dev(args, &dev);
	if (err)
		return err;
	if (!dev)
		return usage_error("\"dev\" is missing");
	err = nl_request(&req, VMQ_CMD_ABORT, &port_set, dev);
	return err ? err : nl_do(&req, NULL, NULL);
}

static const struct command port_commands[] = {
	{ "show", port_show },
	{ "set", port_set_values },
	{ "save", port_save },
	{ "restore", port_restore },
	{ "abort", port_abort },
	{ "groups", port_groups },
	{ NULL, NULL },
};

const struct object port_object = {
	.name = "port",
	.usage =
	"Usage: vmqctl port show [ dev PORT | adapter ADAPTER ]\n"
	"       vmqctl port set dev PORT [ uuid UUID ] [ gate open | closed | auto ]\n"
	"                [ hold-frames N ] [ hold-bytes N ] [ redirect NETDEV | none ]\n"
	"                [ announce-count N ] [ announce-interval MS ]\n"
	"                [ path synthetic | path vf N | path auto [ N ] ]\n"
	"       N is a VF of the adapter; uplink:N is one of the uplink\n"
	"                [ vlan V | none ] [ trunk LIST | none ]\n"
	"                [ isolate on | off ] [ spoofchk on | off ]\n"
	"       vmqctl port save dev PORT > FILE\n"
	"       vmqctl port save dev PORT file FILE\n"
	"       vmqctl port restore dev PORT < FILE\n"
	"       vmqctl port restore dev PORT file FILE\n"
	"       vmqctl port abort dev PORT\n"
	"       vmqctl port groups [ dev PORT ]\n",
	.commands = port_commands,
	.run = port_show,
};

// SPDX-License-Identifier: GPL-2.0
/*
 * vmqctl meter: limits and counters of the extension meter.
 */
#include <stdio.h>
#include <string.h>

#include "ext_port.h"
#include "out.h"
#include "units.h"
#include "vmqctl.h"

#define METER_NAME	"meter"

static void meter_text(const void *buf, size_t len);

static const struct attr_desc meter_attrs[] = {
	[VMQ_A_METER_RX_RATE] = ATTR("rx-rate", UINT),
	[VMQ_A_METER_RX_BURST] = ATTR("rx-burst", UINT),
	[VMQ_A_METER_RX_PPS] = ATTR("rx-pps", UINT),
	[VMQ_A_METER_RX_PPS_BURST] = ATTR("rx-pps-burst", UINT),
	[VMQ_A_METER_TX_RATE] = ATTR("tx-rate", UINT),
	[VMQ_A_METER_TX_BURST] = ATTR("tx-burst", UINT),
	[VMQ_A_METER_TX_PPS] = ATTR("tx-pps", UINT),
	[VMQ_A_METER_TX_PPS_BURST] = ATTR("tx-pps-burst", UINT),
	[VMQ_A_METER_SHAPE] = ATTR("shape", BOOL),
	[VMQ_A_METER_SHAPE_LIMIT] = ATTR("shape-limit", UINT),
	[VMQ_A_METER_CLEAR] = ATTR("clear", FLAG),
	[VMQ_A_METER_RX_TOKENS] = ATTR("rx-tokens", UINT),
	[VMQ_A_METER_RX_PPS_TOKENS] = ATTR("rx-pps-tokens", UINT),
	[VMQ_A_METER_TX_TOKENS] = ATTR("tx-tokens", UINT),
	[VMQ_A_METER_TX_PPS_TOKENS] = ATTR("tx-pps-tokens", UINT),
	[VMQ_A_METER_RX_PASSED_PACKETS] = ATTR("rx-passed-packets", UINT),
	[VMQ_A_METER_RX_PASSED_BYTES] = ATTR("rx-passed-bytes", UINT),
	[VMQ_A_METER_RX_DROPPED_PACKETS] = ATTR("rx-dropped-packets", UINT),
	[VMQ_A_METER_RX_DROPPED_BYTES] = ATTR("rx-dropped-bytes", UINT),
	[VMQ_A_METER_TX_PASSED_PACKETS] = ATTR("tx-passed-packets", UINT),
	[VMQ_A_METER_TX_PASSED_BYTES] = ATTR("tx-passed-bytes", UINT),
	[VMQ_A_METER_TX_DROPPED_PACKETS] = ATTR("tx-dropped-packets", UINT),
	[VMQ_A_METER_TX_DROPPED_BYTES] = ATTR("tx-dropped-bytes", UINT),
	[VMQ_A_METER_TX_DELAYED_PACKETS] = ATTR("tx-delayed-packets", UINT),
	[VMQ_A_METER_TX_WAITING_PACKETS] = ATTR("tx-waiting-packets", UINT),
	[VMQ_A_METER_TX_WAITING_BYTES] = ATTR("tx-waiting-bytes", UINT),
};

static const struct attr_set meter_set = {
	.attr = meter_attrs,
	.n = ARRAY_SIZE(meter_attrs),
	.text = meter_text,
};

EXT_PORT_SET(meter_set);

static const struct ext_kind meter = {
	.name = METER_NAME,
	.config = &meter_set,
	.port = &ext_port_set,
};

/* ---- show ---- */

static void text_uint(const void *buf, size_t len, uint16_t type)
{
	uint64_t v;

	if (attr_get_uint(buf, len, type, &v))
		out_uint(meter_attrs[type].name, v);
}

static void text_size(const void *buf, size_t len, uint16_t type)
{
	uint64_t v;

	if (attr_get_uint(buf, len, type, &v))
		out_size(meter_attrs[type].name, v);
}

static void text_limits(const void *buf, size_t len, uint16_t rate)
{
	uint64_t v;

	if (attr_get_uint(buf, len, rate, &v))
		out_rate(meter_attrs[rate].name, v);
	text_size(buf, len, rate + 1);
	text_uint(buf, len, rate + 2);
	text_uint(buf, len, rate + 3);
}

/* Limits in the words of "meter set", then a line for each direction. */
static void meter_text(const void *buf, size_t len)
{
	uint16_t type;
	uint64_t v;

	text_limits(buf, len, VMQ_A_METER_RX_RATE);
	text_limits(buf, len, VMQ_A_METER_TX_RATE);
	if (attr_get_uint(buf, len, VMQ_A_METER_SHAPE, &v))
		out_cstr("shape", v ? "on" : "off");
	text_size(buf, len, VMQ_A_METER_SHAPE_LIMIT);
	out_break();
	text_uint(buf, len, VMQ_A_METER_RX_TOKENS);
	text_uint(buf, len, VMQ_A_METER_RX_PPS_TOKENS);
	for (type = VMQ_A_METER_RX_PASSED_PACKETS;
	     type <= VMQ_A_METER_RX_DROPPED_BYTES; type++)
		text_uint(buf, len, type);
	out_break();
	text_uint(buf, len, VMQ_A_METER_TX_TOKENS);
	text_uint(buf, len, VMQ_A_METER_TX_PPS_TOKENS);
	for (type = VMQ_A_METER_TX_PASSED_PACKETS;
	     type <= VMQ_A_METER_TX_WAITING_BYTES; type++)
		text_uint(buf, len, type);
}

static void take_config(const void *attrs, size_t len, void *arg)
{
	const struct nlattr *config = attr_find(attrs, len,
						VMQ_A_EXT_PORT_CONFIG);

	if (!config)
		return;
	out_obj_begin(NULL);
	out_cstr("dev", arg);
	attr_show(&meter_set, mnl_attr_get_payload(config),
		  mnl_attr_get_payload_len(config), true);
	out_obj_end();
}

static int meter_show(struct args *args)
{
	struct nl_request req;
	const char *dev;
	int err;

	err = args_dev(args, &dev);
	if (err)
		return err;
	err = ext_port_request(&req, VMQ_CMD_EXT_PORT_GET, &meter, dev);
	if (err)
		return err;
	out_array();
	return nl_dump(&req, take_config, (void *)dev);
}

/* ---- set, clear ---- */

enum { RX_RATE, RX_BURST, RX_PPS, RX_PPS_BURST, TX_RATE, TX_BURST, TX_PPS,
	TX_PPS_BURST, SHAPE, SHAPE_LIMIT, WORDS };

static int put_word(struct nl_request *req, int what, const char *name,
		    const char *word)
{
	uint16_t type = VMQ_A_METER_RX_RATE + what;
	uint64_t v;
	int err;

	switch (what) {
	case RX_RATE:
	case TX_RATE:
		err = parse_rate(name, word, &v);
		if (!err)
			mnl_attr_put_u64(req->nlh, type, v);
		return err;
	case RX_BURST:
	case TX_BURST:
	case SHAPE_LIMIT:
		err = parse_size(name, word, UINT32_MAX, &v);
		break;
	case SHAPE:
		if (strcmp(word, "on") && strcmp(word, "off"))
			return usage_error("%s: \"%s\" is neither on nor off",
					   name, word);
		mnl_attr_put_u8(req->nlh, type, !strcmp(word, "on"));
		return VMQCTL_OK;
	default:
		err = parse_count(name, word, UINT32_MAX, &v);
		break;
	}
	if (!err)
		mnl_attr_put_u32(req->nlh, type, v);
	return err;
}

static int meter_set_limits(struct args *args)
{
	const char *dev, *word[WORDS];
	const struct keyword keywords[] = {
		{ "rx-rate", &word[RX_RATE] },
		{ "rx-burst", &word[RX_BURST] },
		{ "rx-pps", &word[RX_PPS] },
		{ "rx-pps-burst", &word[RX_PPS_BURST] },
		{ "tx-rate", &word[TX_RATE] },
		{ "tx-burst", &word[TX_BURST] },
		{ "tx-pps", &word[TX_PPS] },
		{ "tx-pps-burst", &word[TX_PPS_BURST] },
		{ "shape", &word[SHAPE] },
		{ "shape-limit", &word[SHAPE_LIMIT] },
		{ "dev", &dev },
	};
	struct nlattr *config;
	struct nl_request req;
	int err, i, n = 0;

	err = args_parse(args, keywords, ARRAY_SIZE(keywords));
	if (err)
		return err;
	err = ext_port_request(&req, VMQ_CMD_EXT_PORT_SET, &meter, dev);
	if (err)
		return err;
	config = ext_port_config(&req);
	for (i = 0; i < WORDS; i++) {
		if (!word[i])
			continue;
		err = put_word(&req, i, keywords[i].name, word[i]);
		if (err)
			return err;
		n++;
	}
	if (!n)
		return usage_error("nothing to set");
	mnl_attr_nest_end(req.nlh, config);
	return nl_do(&req, NULL, NULL);
}

static int meter_clear(struct args *args)
{
	struct nlattr *config;
	struct nl_request req;
	const char *dev;
	int err;

	err = args_dev(args, &dev);
	if (err)
		return err;
	err = ext_port_request(&req, VMQ_CMD_EXT_PORT_SET, &meter, dev);
	if (err)
		return err;
	config = ext_port_config(&req);
	mnl_attr_put(req.nlh, VMQ_A_METER_CLEAR, 0, NULL);
	mnl_attr_nest_end(req.nlh, config);
	return nl_do(&req, NULL, NULL);
}

static const struct command meter_commands[] = {
	{ "show", meter_show },
	{ "set", meter_set_limits },
	{ "clear", meter_clear },
	{ NULL, NULL },
};

const struct object meter_object = {
	.name = "meter",
	.usage =
	"Usage: vmqctl meter show dev PORT\n"
	"       vmqctl meter set dev PORT [ rx-rate RATE ] [ rx-burst SIZE ]\n"
	"               [ rx-pps PACKETS ] [ rx-pps-burst PACKETS ]\n"
	"               [ tx-rate RATE ] [ tx-burst SIZE ]\n"
	"               [ tx-pps PACKETS ] [ tx-pps-burst PACKETS ]\n"
	"               [ shape { on | off } ] [ shape-limit SIZE ]\n"
	"       vmqctl meter clear dev PORT\n"
	"where  rx is towards the guest and tx from the guest\n"
	"       RATE := { none | NUMBER[bit|kbit|mbit|gbit|bps|kbps|...] }\n"
	"       SIZE := NUMBER[b|k|m|g]\n"
	"       PACKETS := { none | NUMBER[k|m] }\n",
	.commands = meter_commands,
};

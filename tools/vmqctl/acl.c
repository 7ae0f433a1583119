// SPDX-License-Identifier: GPL-2.0
/*
 * vmqctl acl: rules and connections of the extension acl.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "acl.h"
#include "out.h"
#include "vmqctl.h"

#define ACL_NAME	"acl"

/* ---- what the attributes are called ---- */

static const char *const directions[] = ACL_DIRECTIONS;
static const char *const actions[] = ACL_ACTIONS;
static const char *const families[] = ACL_FAMILIES;
static const char *const tcp_flags[] = ACL_TCP_FLAGS;

static const struct attr_desc rule_attrs[] = {
	[VMQ_A_ACL_RULE_ID] = ATTR("id", UINT),
	[VMQ_A_ACL_RULE_PRIORITY] = ATTR("priority", UINT),
	[VMQ_A_ACL_RULE_DIRECTION] = ATTR_VALUES("direction", ENUM, directions),
	[VMQ_A_ACL_RULE_ACTION] = ATTR_VALUES("action", ENUM, actions),
	[VMQ_A_ACL_RULE_FAMILY] = ATTR_VALUES("family", ENUM, families),
	[VMQ_A_ACL_RULE_IP_PROTO] = ATTR("ip-proto", PROTO),
	[VMQ_A_ACL_RULE_SRC] = ATTR("src", IP),
	[VMQ_A_ACL_RULE_SRC_LEN] = ATTR("src-len", UINT),
	[VMQ_A_ACL_RULE_DST] = ATTR("dst", IP),
	[VMQ_A_ACL_RULE_DST_LEN] = ATTR("dst-len", UINT),
	[VMQ_A_ACL_RULE_SRC_PORT_MIN] = ATTR("src-port-min", UINT),
	[VMQ_A_ACL_RULE_SRC_PORT_MAX] = ATTR("src-port-max", UINT),
	[VMQ_A_ACL_RULE_DST_PORT_MIN] = ATTR("dst-port-min", UINT),
	[VMQ_A_ACL_RULE_DST_PORT_MAX] = ATTR("dst-port-max", UINT),
	[VMQ_A_ACL_RULE_PACKETS] = ATTR("packets", UINT),
	[VMQ_A_ACL_RULE_BYTES] = ATTR("bytes", UINT),
	[VMQ_A_ACL_RULE_SRC_MAC] = ATTR("src-mac", MAC),
	[VMQ_A_ACL_RULE_SRC_MAC_MASK] = ATTR("src-mac-mask", MAC),
	[VMQ_A_ACL_RULE_DST_MAC] = ATTR("dst-mac", MAC),
	[VMQ_A_ACL_RULE_DST_MAC_MASK] = ATTR("dst-mac-mask", MAC),
	[VMQ_A_ACL_RULE_VLAN] = ATTR("vlan", UINT),
	[VMQ_A_ACL_RULE_ETHERTYPE] = ATTR("ethertype", HEX),
	[VMQ_A_ACL_RULE_ICMP_TYPE] = ATTR("icmp-type", UINT),
	[VMQ_A_ACL_RULE_ICMP_CODE] = ATTR("icmp-code", UINT),
	[VMQ_A_ACL_RULE_TCP_FLAGS] = ATTR("tcp-flags", UINT),
	[VMQ_A_ACL_RULE_TCP_FLAGS_MASK] = ATTR("tcp-flags-mask", UINT),
};

static void rule_text(const void *buf, size_t len);

static const struct attr_set rule_set = {
	.attr = rule_attrs,
	.n = ARRAY_SIZE(rule_attrs),
	.text = rule_text,
};

static const struct attr_desc connection_attrs[] = {
	[VMQ_A_ACL_CONNECTION_FAMILY] = ATTR_VALUES("family", ENUM, families),
	[VMQ_A_ACL_CONNECTION_IP_PROTO] = ATTR("ip-proto", PROTO),
	[VMQ_A_ACL_CONNECTION_STATE] = ATTR("state", STR),
	[VMQ_A_ACL_CONNECTION_DIRECTION] =
		ATTR_VALUES("direction", ENUM, directions),
	[VMQ_A_ACL_CONNECTION_LOCAL] = ATTR("local", IP),
	[VMQ_A_ACL_CONNECTION_REMOTE] = ATTR("remote", IP),
	[VMQ_A_ACL_CONNECTION_LOCAL_PORT] = ATTR("local-port", UINT),
	[VMQ_A_ACL_CONNECTION_REMOTE_PORT] = ATTR("remote-port", UINT),
	[VMQ_A_ACL_CONNECTION_TIMEOUT] = ATTR("timeout", UINT),
	[VMQ_A_ACL_CONNECTION_PACKETS_IN] = ATTR("packets-in", UINT),
	[VMQ_A_ACL_CONNECTION_PACKETS_OUT] = ATTR("packets-out", UINT),
	[VMQ_A_ACL_CONNECTION_RESTORED] = ATTR("restored", FLAG),
	[VMQ_A_ACL_CONNECTION_VLAN] = ATTR("vlan", UINT),
};

static ATTR_SET(connection);

static const struct attr_desc summary_attrs[] = {
	[VMQ_A_ACL_SUMMARY_RULES] = ATTR("rules", UINT),
	[VMQ_A_ACL_SUMMARY_CONNECTIONS] = ATTR("connections", UINT),
	[VMQ_A_ACL_SUMMARY_MAX_CONNECTIONS] = ATTR("max-connections", UINT),
	[VMQ_A_ACL_SUMMARY_ALLOWED] = ATTR("allowed", UINT),
	[VMQ_A_ACL_SUMMARY_DENIED] = ATTR("denied", UINT),
	[VMQ_A_ACL_SUMMARY_UNTRACKED] = ATTR("untracked", UINT),
};

static ATTR_SET(summary);

static const struct attr_desc acl_attrs[] = {
	[VMQ_A_ACL_ADD] = ATTR_NESTED("add", rule_set, false),
	[VMQ_A_ACL_DEL] = ATTR("del", UINT),
	[VMQ_A_ACL_FLUSH_RULES] = ATTR("flush-rules", FLAG),
	[VMQ_A_ACL_FLUSH_CONNECTIONS] = ATTR("flush-connections", FLAG),
	[VMQ_A_ACL_RULE] = ATTR_NESTED("rule", rule_set, true),
	[VMQ_A_ACL_CONNECTION] = ATTR_NESTED("connection", connection_set, true),
	[VMQ_A_ACL_SUMMARY] = ATTR_NESTED("summary", summary_set, false),
	[VMQ_A_ACL_MAX_CONNECTIONS] = ATTR("max-connections", UINT),
};

static ATTR_SET(acl);

EXT_PORT_SET(acl_set);

const struct ext_kind acl_ext = {
	.name = ACL_NAME,
	.config = &acl_set,
	.port = &ext_port_set,
	.lists = { VMQ_A_ACL_RULE, VMQ_A_ACL_CONNECTION },
	.summary = VMQ_A_ACL_SUMMARY,
};

/* ---- show ---- */

static void text_prefix(const char *key, const void *buf, size_t len,
			uint16_t addr, uint16_t addr_len)
{
	const struct nlattr *attr = attr_find(buf, len, addr);
	char ip[INET6_ADDRSTRLEN], prefix[sizeof(ip) + 24];
	uint64_t bits;
	size_t size;
	int family;

	if (!attr)
		return;
	size = mnl_attr_get_payload_len(attr);
	family = size == 4 ? AF_INET : AF_INET6;
	if ((size != 4 && size != 16) ||
	    !inet_ntop(family, mnl_attr_get_payload(attr), ip, sizeof(ip)))
		return;
	if (!attr_get_uint(buf, len, addr_len, &bits))
		bits = size * 8;
	snprintf(prefix, sizeof(prefix), "%s/%u", ip, (unsigned int)bits);
	out_cstr(key, prefix);
}

static void text_range(const char *key, const void *buf, size_t len,
		       uint16_t min, uint16_t max)
{
	bool has_min, has_max;
	uint64_t a, b;
	char range[48];

	has_min = attr_get_uint(buf, len, min, &a);
	has_max = attr_get_uint(buf, len, max, &b);
	if (!has_min && !has_max)
		return;
	if (!has_min)
		a = 0;
	if (!has_max)
		b = UINT16_MAX;
	if (a == b)
		snprintf(range, sizeof(range), "%u", (unsigned int)a);
	else
		snprintf(range, sizeof(range), "%u-%u", (unsigned int)a,
			 (unsigned int)b);
	out_cstr(key, range);
}

static void text_mac(const char *key, const void *buf, size_t len,
		     uint16_t mac_type, uint16_t mask_type)
{
	const struct nlattr *attr[] = {
		attr_find(buf, len, mac_type), attr_find(buf, len, mask_type),
	};
	char text[40] = "";
	const uint8_t *mac;
	size_t i, n = 0;

	for (i = 0; i < ARRAY_SIZE(attr) && attr[i]; i++) {
		if (mnl_attr_get_payload_len(attr[i]) != 6)
			return;
		mac = mnl_attr_get_payload(attr[i]);
		n += snprintf(text + n, sizeof(text) - n,
			      "%s%02x:%02x:%02x:%02x:%02x:%02x", i ? "/" : "",
			      mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	}
	if (n)
		out_cstr(key, text);
}

static size_t flag_names(char *text, size_t size, uint64_t flags)
{
	size_t i, n = 0;

	if (!flags)
		return snprintf(text, size, "none");
	for (i = 0; i < ARRAY_SIZE(tcp_flags); i++)
		if (flags & 1 << i)
			n += snprintf(text + n, size - n, "%s%s", n ? "," : "",
				      tcp_flags[i]);
	return n;
}

static void text_flags(const void *buf, size_t len)
{
	uint64_t flags, mask;
	char text[96];
	size_t n;

	if (!attr_get_uint(buf, len, VMQ_A_ACL_RULE_TCP_FLAGS, &flags) ||
	    !attr_get_uint(buf, len, VMQ_A_ACL_RULE_TCP_FLAGS_MASK, &mask))
		return;
	n = flag_names(text, sizeof(text), flags);
	if (mask != flags) {
		text[n++] = '/';
		flag_names(text + n, sizeof(text) - n, mask);
	}
	out_cstr("tcp-flags", text);
}

/* A rule in the words of "acl add". */
static void rule_text(const void *buf, size_t len)
{
	const struct attr_set plain = {
		.attr = rule_attrs, .n = VMQ_A_ACL_RULE_IP_PROTO,
	};
	uint64_t v;

	attr_show(&plain, buf, len, false);
	text_mac("src-mac", buf, len, VMQ_A_ACL_RULE_SRC_MAC,
		 VMQ_A_ACL_RULE_SRC_MAC_MASK);
	text_mac("dst-mac", buf, len, VMQ_A_ACL_RULE_DST_MAC,
		 VMQ_A_ACL_RULE_DST_MAC_MASK);
	if (attr_get_uint(buf, len, VMQ_A_ACL_RULE_VLAN, &v))
		out_uint("vlan", v);
	if (attr_get_uint(buf, len, VMQ_A_ACL_RULE_ETHERTYPE, &v))
		out_hex("ethertype", v, 4);
	if (attr_get_uint(buf, len, VMQ_A_ACL_RULE_IP_PROTO, &v))
		out_proto("proto", v);
	text_prefix("src", buf, len, VMQ_A_ACL_RULE_SRC,
		    VMQ_A_ACL_RULE_SRC_LEN);
	text_prefix("dst", buf, len, VMQ_A_ACL_RULE_DST,
		    VMQ_A_ACL_RULE_DST_LEN);
	text_range("sport", buf, len, VMQ_A_ACL_RULE_SRC_PORT_MIN,
		   VMQ_A_ACL_RULE_SRC_PORT_MAX);
	text_range("dport", buf, len, VMQ_A_ACL_RULE_DST_PORT_MIN,
		   VMQ_A_ACL_RULE_DST_PORT_MAX);
	if (attr_get_uint(buf, len, VMQ_A_ACL_RULE_ICMP_TYPE, &v))
		out_uint("icmp-type", v);
	if (attr_get_uint(buf, len, VMQ_A_ACL_RULE_ICMP_CODE, &v))
		out_uint("icmp-code", v);
	text_flags(buf, len);
	if (attr_get_uint(buf, len, VMQ_A_ACL_RULE_PACKETS, &v))
		out_uint("packets", v);
	if (attr_get_uint(buf, len, VMQ_A_ACL_RULE_BYTES, &v))
		out_uint("bytes", v);
}

static int acl_show(struct args *args)
{
	uint16_t part = 0;
	const char *dev;
	const struct keyword keywords[] = {
		{ "dev", &dev },
	};
	int err;

	err = args_parse_some(args, keywords, ARRAY_SIZE(keywords));
	if (err)
		return err;
	if (args_take(args, "rules"))
		part = VMQ_A_ACL_RULE;
	else if (args_take(args, "connections"))
		part = VMQ_A_ACL_CONNECTION;
	else if (args_take(args, "summary"))
		part = VMQ_A_ACL_SUMMARY;
	err = args_end(args);
	return err ? err : ext_port_show(&acl_ext, dev, part);
}

/* ---- del, flush, set ---- */

/* A change by one number, which the keyword what has. */
static int change_number(struct args *args, const char *what, uint16_t type)
{
	const char *dev, *number;
	struct nlattr *config;
	struct nl_request req;
	const struct keyword keywords[] = {
		{ "dev", &dev },
		{ what, &number },
	};
	uint64_t v;
	int err;

	err = args_parse(args, keywords, ARRAY_SIZE(keywords));
	if (err)
		return err;
	if (!number)
		return usage_error("\"%s\" is missing", what);
	err = parse_uint(what, number, UINT32_MAX, &v);
	if (err)
		return err;
	err = ext_port_request(&req, VMQ_CMD_EXT_PORT_SET, &acl_ext, dev);
	if (err)
		return err;
	config = ext_port_config(&req);
	mnl_attr_put_u32(req.nlh, type, v);
	mnl_attr_nest_end(req.nlh, config);
	return ext_port_change(&acl_ext, &req, dev, VMQ_A_ACL_RULE);
}

static int acl_del(struct args *args)
{
	return change_number(args, "id", VMQ_A_ACL_DEL);
}

static int acl_set_limit(struct args *args)
{
	return change_number(args, "max-connections",
			     VMQ_A_ACL_MAX_CONNECTIONS);
}

static int acl_flush(struct args *args)
{
	static const char *const word[] = { "rules", "connections" };
	static const uint16_t flag[] = {
		VMQ_A_ACL_FLUSH_RULES, VMQ_A_ACL_FLUSH_CONNECTIONS,
	};

	return ext_port_flush(&acl_ext, args, word, flag, VMQ_A_ACL_RULE);
}

static const struct command acl_commands[] = {
	{ "show", acl_show },
	{ "add", acl_add },
	{ "del", acl_del },
	{ "flush", acl_flush },
	{ "set", acl_set_limit },
	{ NULL, NULL },
};

const struct object acl_object = {
	.name = "acl",
	.usage =
	"Usage: vmqctl acl show dev PORT [ rules | connections | summary ]\n"
	"       vmqctl acl add dev PORT [ priority N ] direction { in | out }\n"
	"               action { allow | deny } [ family { ip | ipv6 } ]\n"
	"               [ proto { tcp | udp | icmp | icmpv6 | sctp | N } ]\n"
	"               [ src PREFIX ] [ dst PREFIX ] [ sport A[-B] ] [ dport A[-B] ]\n"
	"               [ icmp-type N [ icmp-code N ] ] [ tcp-flags FLAGS[/MASK] ]\n"
	"               [ src-mac MAC[/MASK] ] [ dst-mac MAC[/MASK] ] [ vlan V ]\n"
	"               [ ethertype N ]\n"
	"       vmqctl acl del dev PORT id N\n"
	"       vmqctl acl flush dev PORT [ rules | connections ]\n"
	"       vmqctl acl set dev PORT max-connections N\n",
	.commands = acl_commands,
};

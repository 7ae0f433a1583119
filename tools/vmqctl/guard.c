// SPDX-License-Identifier: GPL-2.0
/*
 * vmqctl guard: bindings and settings of the extension guard.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ext_port.h"
#include "out.h"
#include "vmqctl.h"

#define GUARD_NAME	"guard"

/* ---- what the attributes are called ---- */

static const char *const checks[] = {
	"mac", "ipv4", "ipv6", "arp", "nd", "ra", "dhcp-server",
};

static const char *const link_locals[] = { "eui64", "dad", "any" };
static const char *const origins[] = { "static", "dhcp4", "dhcp6", "dad" };

static const struct attr_desc binding_attrs[] = {
	[VMQ_A_GUARD_BINDING_IP] = ATTR("ip", IP),
	[VMQ_A_GUARD_BINDING_IP_LEN] = ATTR("ip-len", UINT),
	[VMQ_A_GUARD_BINDING_MAC] = ATTR("mac", MAC),
	[VMQ_A_GUARD_BINDING_VLAN] = ATTR("vlan", UINT),
	[VMQ_A_GUARD_BINDING_ORIGIN] = ATTR_VALUES("origin", ENUM, origins),
	[VMQ_A_GUARD_BINDING_LEASE] = ATTR("lease", UINT),
	[VMQ_A_GUARD_BINDING_RESTORED] = ATTR("restored", FLAG),
	[VMQ_A_GUARD_BINDING_TENTATIVE] = ATTR("tentative", FLAG),
};

static void binding_text(const void *buf, size_t len);

static const struct attr_set binding_set = {
	.attr = binding_attrs,
	.n = ARRAY_SIZE(binding_attrs),
	.text = binding_text,
};

static const struct attr_desc summary_attrs[] = {
	[VMQ_A_GUARD_SUMMARY_CHECKS] = ATTR_VALUES("checks", FLAGS, checks),
	[VMQ_A_GUARD_SUMMARY_SNOOP] = ATTR("snoop", BOOL),
	[VMQ_A_GUARD_SUMMARY_LINK_LOCAL] =
		ATTR_VALUES("link-local", ENUM, link_locals),
	[VMQ_A_GUARD_SUMMARY_BINDINGS] = ATTR("bindings", UINT),
	[VMQ_A_GUARD_SUMMARY_MAX_BINDINGS] = ATTR("max-bindings", UINT),
	[VMQ_A_GUARD_SUMMARY_DHCP_RATE] = ATTR("dhcp-rate", UINT),
	[VMQ_A_GUARD_SUMMARY_ARP_RATE] = ATTR("arp-rate", UINT),
	[VMQ_A_GUARD_SUMMARY_ND_RATE] = ATTR("nd-rate", UINT),
	[VMQ_A_GUARD_SUMMARY_PASSED] = ATTR("passed", UINT),
	[VMQ_A_GUARD_SUMMARY_DROPS_MAC] = ATTR("drops-mac", UINT),
	[VMQ_A_GUARD_SUMMARY_DROPS_IPV4] = ATTR("drops-ipv4", UINT),
	[VMQ_A_GUARD_SUMMARY_DROPS_IPV6] = ATTR("drops-ipv6", UINT),
	[VMQ_A_GUARD_SUMMARY_DROPS_ARP] = ATTR("drops-arp", UINT),
	[VMQ_A_GUARD_SUMMARY_DROPS_ND] = ATTR("drops-nd", UINT),
	[VMQ_A_GUARD_SUMMARY_DROPS_RA] = ATTR("drops-ra", UINT),
	[VMQ_A_GUARD_SUMMARY_DROPS_DHCP_SERVER] =
		ATTR("drops-dhcp-server", UINT),
	[VMQ_A_GUARD_SUMMARY_DROPS_MALFORMED] = ATTR("drops-malformed", UINT),
	[VMQ_A_GUARD_SUMMARY_DROPS_RATE] = ATTR("drops-rate", UINT),
	[VMQ_A_GUARD_SUMMARY_LEARNED] = ATTR("learned", UINT),
	[VMQ_A_GUARD_SUMMARY_NOT_LEARNED] = ATTR("not-learned", UINT),
};

static ATTR_SET(summary);

static const struct attr_desc guard_attrs[] = {
	[VMQ_A_GUARD_ADD] = ATTR_NESTED("add", binding_set, false),
	[VMQ_A_GUARD_DEL] = ATTR_NESTED("del", binding_set, false),
	[VMQ_A_GUARD_FLUSH_STATIC] = ATTR("flush-static", FLAG),
	[VMQ_A_GUARD_FLUSH_LEARNED] = ATTR("flush-learned", FLAG),
	[VMQ_A_GUARD_CHECKS] = ATTR_VALUES("checks", FLAGS, checks),
	[VMQ_A_GUARD_SNOOP] = ATTR("snoop", UINT),
	[VMQ_A_GUARD_LINK_LOCAL] = ATTR_VALUES("link-local", ENUM, link_locals),
	[VMQ_A_GUARD_MAX_BINDINGS] = ATTR("max-bindings", UINT),
	[VMQ_A_GUARD_DHCP_RATE] = ATTR("dhcp-rate", UINT),
	[VMQ_A_GUARD_ARP_RATE] = ATTR("arp-rate", UINT),
	[VMQ_A_GUARD_ND_RATE] = ATTR("nd-rate", UINT),
	[VMQ_A_GUARD_BINDING] = ATTR_NESTED("binding", binding_set, true),
	[VMQ_A_GUARD_SUMMARY] = ATTR_NESTED("summary", summary_set, false),
};

static ATTR_SET(guard);

EXT_PORT_SET(guard_set);

static const struct ext_kind guard = {
	.name = GUARD_NAME,
	.config = &guard_set,
	.port = &ext_port_set,
	.lists = { VMQ_A_GUARD_BINDING },
	.summary = VMQ_A_GUARD_SUMMARY,
};

/* ---- show ---- */

/* A binding in the words of "guard add"; whole addresses without a length. */
static void binding_text(const void *buf, size_t len)
{
	const struct nlattr *ip = attr_find(buf, len, VMQ_A_GUARD_BINDING_IP);
	char addr[INET6_ADDRSTRLEN], prefix[sizeof(addr) + 8];
	struct attr_set rest = {
		.attr = binding_attrs, .n = ARRAY_SIZE(binding_attrs),
	};
	uint64_t bits;
	size_t size;

	if (ip) {
		size = mnl_attr_get_payload_len(ip);
		if (attr_get_uint(buf, len, VMQ_A_GUARD_BINDING_IP_LEN,
				  &bits) &&
		    (size == 4 || size == 16) && bits < size * 8 &&
		    inet_ntop(size == 4 ? AF_INET : AF_INET6,
			      mnl_attr_get_payload(ip), addr, sizeof(addr))) {
			snprintf(prefix, sizeof(prefix), "%s/%u", addr,
				 (unsigned int)bits);
			out_cstr("ip", prefix);
		} else {
			out_ip("ip", mnl_attr_get_payload(ip), size);
		}
	}
	/* the kernel sends these two first, the others follow */
	while (len && (attr_find(buf, len, VMQ_A_GUARD_BINDING_IP) ||
		       attr_find(buf, len, VMQ_A_GUARD_BINDING_IP_LEN))) {
		size = MNL_ALIGN(((const struct nlattr *)buf)->nla_len);
		if (size > len)
			return;
		buf = (const char *)buf + size;
		len -= size;
	}
	attr_show(&rest, buf, len, false);
}

static int guard_show(struct args *args)
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
	if (args_take(args, "bindings"))
		part = VMQ_A_GUARD_BINDING;
	else if (args_take(args, "summary"))
		part = VMQ_A_GUARD_SUMMARY;
	err = args_end(args);
	return err ? err : ext_port_show(&guard, dev, part);
}

/* ---- add, del ---- */

static int put_mac(struct nl_request *req, const char *word)
{
	unsigned int m[6];
	unsigned char mac[6];
	int i, end = 0;

	if (sscanf(word, "%2x:%2x:%2x:%2x:%2x:%2x%n", &m[0], &m[1], &m[2],
		   &m[3], &m[4], &m[5], &end) != 6 || word[end])
		return usage_error("mac: \"%s\" is not a MAC address", word);
	for (i = 0; i < 6; i++)
		mac[i] = m[i];
	mnl_attr_put(req->nlh, VMQ_A_GUARD_BINDING_MAC, sizeof(mac), mac);
	return VMQCTL_OK;
}

/* An address, with the length of a prefix or without. */
static int put_ip(struct nl_request *req, const char *word)
{
	int family = strchr(word, ':') ? AF_INET6 : AF_INET;
	const char *slash = strchr(word, '/');
	size_t n = slash ? (size_t)(slash - word) : strlen(word);
	uint64_t bits, max = family == AF_INET ? 32 : 128;
	char text[INET6_ADDRSTRLEN];
	unsigned char addr[16];
	int err;

	if (n >= sizeof(text))
		return usage_error("ip: \"%s\" is not an address", word);
	memcpy(text, word, n);
	text[n] = '\0';
	if (inet_pton(family, text, addr) != 1)
		return usage_error("ip: \"%s\" is not an address", word);
	bits = max;
	if (slash) {
		err = parse_uint("ip", slash + 1, max, &bits);
		if (err)
			return err;
	}
	mnl_attr_put(req->nlh, VMQ_A_GUARD_BINDING_IP, max / 8, addr);
	mnl_attr_put_u8(req->nlh, VMQ_A_GUARD_BINDING_IP_LEN, bits);
	return VMQCTL_OK;
}

static int change_binding(struct args *args, uint16_t type)
{
	const char *dev, *ip, *mac, *vlan;
	const struct keyword keywords[] = {
		{ "dev", &dev },
		{ "ip", &ip },
		{ "mac", &mac },
		{ "vlan", &vlan },
	};
	struct nlattr *config, *binding;
	struct nl_request req;
	uint64_t v;
	int err;

	err = args_parse(args, keywords, ARRAY_SIZE(keywords));
	if (err)
		return err;
	if (!ip && !mac)
		return usage_error("\"ip\" or \"mac\" is missing");
	err = ext_port_request(&req, VMQ_CMD_EXT_PORT_SET, &guard, dev);
	if (err)
		return err;
	config = ext_port_config(&req);
	binding = mnl_attr_nest_start(req.nlh, type);
	if (ip)
		err = put_ip(&req, ip);
	if (!err && mac)
		err = put_mac(&req, mac);
	if (!err && vlan) {
		err = parse_uint("vlan", vlan, 4094, &v);
		if (!err)
			mnl_attr_put_u16(req.nlh, VMQ_A_GUARD_BINDING_VLAN, v);
	}
	if (err)
		return err;
	mnl_attr_nest_end(req.nlh, binding);
	mnl_attr_nest_end(req.nlh, config);
	return nl_do(&req, NULL, NULL);
}

static int guard_add(struct args *args)
{
	return change_binding(args, VMQ_A_GUARD_ADD);
}

static int guard_del(struct args *args)
{
	return change_binding(args, VMQ_A_GUARD_DEL);
}

/* ---- set, flush ---- */

/* The position of the word of n bytes in a table, or its length. */
static size_t word_index(const char *word, size_t n, const char *const *words,
			 size_t n_words)
{
	size_t i;

	for (i = 0; i < n_words; i++)
		if (strlen(words[i]) == n && !strncmp(words[i], word, n))
			break;
	return i;
}

/* "all", "none", or checks with commas between. */
static int put_checks(struct nl_request *req, const char *list)
{
	uint32_t mask = 0;
	size_t n, i;

	if (!strcmp(list, "all")) {
		mask = (1U << ARRAY_SIZE(checks)) - 1;
	} else if (strcmp(list, "none")) {
		for (;; list += n + 1) {
			n = strcspn(list, ",");
			i = word_index(list, n, checks, ARRAY_SIZE(checks));
			if (i == ARRAY_SIZE(checks))
				return usage_error("checks: \"%.*s\" is unknown",
						   (int)n, list);
			mask |= 1U << i;
			if (!list[n])
				break;
		}
	}
	mnl_attr_put_u32(req->nlh, VMQ_A_GUARD_CHECKS, mask);
	return VMQCTL_OK;
}

static int put_snoop(struct nl_request *req, const char *word)
{
	if (strcmp(word, "on") && strcmp(word, "off"))
		return usage_error("snoop: \"%s\" is neither on nor off", word);
	mnl_attr_put_u8(req->nlh, VMQ_A_GUARD_SNOOP, !strcmp(word, "on"));
	return VMQCTL_OK;
}

static int put_link_local(struct nl_request *req, const char *word)
{
	size_t i = word_index(word, strlen(word), link_locals,
			      ARRAY_SIZE(link_locals));

	if (i == ARRAY_SIZE(link_locals))
		return usage_error("link-local: \"%s\" is unknown", word);
	mnl_attr_put_u8(req->nlh, VMQ_A_GUARD_LINK_LOCAL, i);
	return VMQCTL_OK;
}

static int guard_set_options(struct args *args)
{
	enum { CHECKS, SNOOP, LINK_LOCAL, NUMBERS };
	static const uint16_t types[] = {
		VMQ_A_GUARD_MAX_BINDINGS, VMQ_A_GUARD_DHCP_RATE,
		VMQ_A_GUARD_ARP_RATE, VMQ_A_GUARD_ND_RATE,
	};
	const char *dev, *word[NUMBERS + ARRAY_SIZE(types)];
	const struct keyword keywords[] = {
		{ "checks", &word[CHECKS] },
		{ "snoop", &word[SNOOP] },
		{ "link-local", &word[LINK_LOCAL] },
		{ "max-bindings", &word[NUMBERS] },
		{ "dhcp-rate", &word[NUMBERS + 1] },
		{ "arp-rate", &word[NUMBERS + 2] },
		{ "nd-rate", &word[NUMBERS + 3] },
		{ "dev", &dev },
	};
	struct nlattr *config;
	struct nl_request req;
	bool any = false;
	uint64_t v;
	size_t i;
	int err;

	err = args_parse(args, keywords, ARRAY_SIZE(keywords));
	if (err)
		return err;
	for (i = 0; i < ARRAY_SIZE(word); i++)
		any |= !!word[i];
	if (!any)
		return usage_error("nothing to set");
	err = ext_port_request(&req, VMQ_CMD_EXT_PORT_SET, &guard, dev);
	if (err)
		return err;
	config = ext_port_config(&req);
	if (word[CHECKS])
		err = put_checks(&req, word[CHECKS]);
	if (!err && word[SNOOP])
		err = put_snoop(&req, word[SNOOP]);
	if (!err && word[LINK_LOCAL])
		err = put_link_local(&req, word[LINK_LOCAL]);
	for (i = 0; !err && i < ARRAY_SIZE(types); i++) {
		if (!word[NUMBERS + i])
			continue;
		err = parse_uint(keywords[NUMBERS + i].name, word[NUMBERS + i],
				 UINT32_MAX, &v);
		if (!err)
			mnl_attr_put_u32(req.nlh, types[i], v);
	}
	if (err)
		return err;
	mnl_attr_nest_end(req.nlh, config);
	return nl_do(&req, NULL, NULL);
}

static int guard_flush(struct args *args)
{
	static const char *const word[] = { "static", "learned" };
	static const uint16_t flag[] = {
		VMQ_A_GUARD_FLUSH_STATIC, VMQ_A_GUARD_FLUSH_LEARNED,
	};

	return ext_port_flush(&guard, args, word, flag, VMQ_A_GUARD_BINDING);
}

static const struct command guard_commands[] = {
	{ "show", guard_show },
	{ "add", guard_add },
	{ "del", guard_del },
	{ "set", guard_set_options },
	{ "flush", guard_flush },
	{ NULL, NULL },
};

const struct object guard_object = {
	.name = "guard",
	.usage =
	"Usage: vmqctl guard show dev PORT [ bindings | summary ]\n"
	"       vmqctl guard add dev PORT [ ip PREFIX ] [ mac MAC ] [ vlan V ]\n"
	"       vmqctl guard del dev PORT [ ip PREFIX ] [ mac MAC ] [ vlan V ]\n"
	"       vmqctl guard set dev PORT [ checks { all | none | CHECK[,CHECK]... } ]\n"
	"               [ snoop { on | off } ] [ link-local { eui64 | dad | any } ]\n"
	"               [ max-bindings N ] [ dhcp-rate N ] [ arp-rate N ] [ nd-rate N ]\n"
	"       vmqctl guard flush dev PORT [ static | learned ]\n"
	"where  CHECK := { mac | ipv4 | ipv6 | arp | nd | ra | dhcp-server }\n"
	"       PREFIX := ADDRESS[/LENGTH]\n"
	"       rates are frames a second, 0 for no limit\n",
	.commands = guard_commands,
};

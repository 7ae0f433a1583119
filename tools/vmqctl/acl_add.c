// SPDX-License-Identifier: GPL-2.0
/*
 * vmqctl acl add: a rule, from words to attributes.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "acl.h"
#include "vmqctl.h"

static const char *const directions[] = ACL_DIRECTIONS;
static const char *const actions[] = ACL_ACTIONS;
static const char *const families[] = ACL_FAMILIES;
static const char *const tcp_flags[] = ACL_TCP_FLAGS;

/* The words of "acl add"; NULL where not given. */
struct rule_words {
	const char *dev, *priority, *direction, *action, *family, *proto;
	const char *src, *dst, *sport, *dport;
	const char *src_mac, *dst_mac, *vlan, *ethertype;
	const char *icmp_type, *icmp_code, *tcp_flags;
};

static int parse_word(const char *what, const char *word,
		      const char *const *words, size_t n, uint64_t *out)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (words[i] && !strcmp(words[i], word)) {
			*out = i;
			return VMQCTL_OK;
		}
	}
	return usage_error("%s: \"%s\" is unknown", what, word);
}

static int put_proto(struct nl_request *req, const char *word)
{
	int known = proto_number(word);
	uint64_t v = known;
	int err = VMQCTL_OK;

	if (known < 0)
		err = parse_uint("proto", word, UINT8_MAX, &v);
	if (!err)
		mnl_attr_put_u8(req->nlh, VMQ_A_ACL_RULE_IP_PROTO, v);
	return err;
}

/* An address, with or without a length; both ends agree about the family. */
static int put_prefix(struct nl_request *req, const char *what,
		      const char *word, uint64_t *family, uint16_t addr_type,
		      uint16_t len_type)
{
	uint64_t bits, max, own = strchr(word, ':') ? AF_INET6 : AF_INET;
	const char *slash = strchr(word, '/');
	unsigned char addr[16];
	char text[INET6_ADDRSTRLEN];
	size_t n = slash ? (size_t)(slash - word) : strlen(word);
	int err;

	if (n >= sizeof(text))
		return usage_error("%s: \"%s\" is not an address", what, word);
	memcpy(text, word, n);
	text[n] = '\0';
	if (inet_pton(own, text, addr) != 1)
		return usage_error("%s: \"%s\" is not an address", what, word);
	if (*family && *family != own)
		return usage_error("%s: \"%s\" is not of family %s", what, word,
				   families[*family]);
	*family = own;

	max = own == AF_INET ? 32 : 128;
	bits = max;
	if (slash) {
		err = parse_uint(what, slash + 1, max, &bits);
		if (err)
			return err;
	}
	mnl_attr_put(req->nlh, addr_type, max / 8, addr);
	mnl_attr_put_u8(req->nlh, len_type, bits);
	return VMQCTL_OK;
}

/* One port, or the lowest and the highest with a "-" between. */
static int put_range(struct nl_request *req, const char *what, const char *word,
		     uint16_t min_type, uint16_t max_type)
{
	const char *dash = strchr(word, '-');
	uint64_t min, max;
	char text[8];
	int err;

	if (dash) {
		snprintf(text, sizeof(text), "%.*s", (int)(dash - word), word);
		err = parse_uint(what, text, UINT16_MAX, &min);
		if (!err)
			err = parse_uint(what, dash + 1, UINT16_MAX, &max);
	} else {
		err = parse_uint(what, word, UINT16_MAX, &min);
		max = min;
	}
	if (err)
		return err;
	if (min > max)
		return usage_error("%s: \"%s\" is empty", what, word);
	mnl_attr_put_u16(req->nlh, min_type, min);
	mnl_attr_put_u16(req->nlh, max_type, max);
	return VMQCTL_OK;
}

/* A MAC address, with or without the bits of it that count. */
static int put_mac(struct nl_request *req, const char *what, const char *word,
		   uint16_t mac_type, uint16_t mask_type)
{
	const char *slash = strchr(word, '/');
	uint8_t mac[6], mask[6];
	char text[24];
	int err;

	snprintf(text, sizeof(text), "%.*s",
		 (int)(slash ? slash - word : (long)strlen(word)), word);
	err = parse_mac(what, text, mac);
	if (!err && slash)
		err = parse_mac(what, slash + 1, mask);
	if (err)
		return err;
	mnl_attr_put(req->nlh, mac_type, sizeof(mac), mac);
	if (slash)
		mnl_attr_put(req->nlh, mask_type, sizeof(mask), mask);
	return VMQCTL_OK;
}

/* Names with commas between, or "none". */
static int parse_flags(const char *word, size_t len, uint8_t *out)
{
	const char *end = word + len, *p = word;
	size_t i, n;

	*out = 0;
	if (len == 4 && !strncmp(word, "none", len))
		return VMQCTL_OK;
	for (;; p += n + 1) {
		for (n = 0; p + n < end && p[n] != ',';)
			n++;
		for (i = 0; i < ARRAY_SIZE(tcp_flags); i++)
			if (n == 3 && !strncmp(p, tcp_flags[i], n))
				break;
		if (i == ARRAY_SIZE(tcp_flags))
			return usage_error("tcp-flags: \"%.*s\" is unknown",
					   (int)n, p);
		*out |= 1 << i;
		if (p + n >= end)
			return VMQCTL_OK;
	}
}

/* Flags that are set, and where others must not be, those that count. */
static int put_flags(struct nl_request *req, const char *word)
{
	const char *slash = strchr(word, '/');
	uint8_t flags, mask;
	int err;

	err = parse_flags(word, slash ? (size_t)(slash - word) : strlen(word),
			  &flags);
	mask = flags;
	if (!err && slash)
		err = parse_flags(slash + 1, strlen(slash + 1), &mask);
	if (err)
		return err;
	if (!mask || flags & ~mask)
		return usage_error("tcp-flags: \"%s\" is empty", word);
	mnl_attr_put_u8(req->nlh, VMQ_A_ACL_RULE_TCP_FLAGS, flags);
	mnl_attr_put_u8(req->nlh, VMQ_A_ACL_RULE_TCP_FLAGS_MASK, mask);
	return VMQCTL_OK;
}

static int put_u8(struct nl_request *req, const char *what, const char *word,
		  uint16_t type)
{
	uint64_t v;
	int err;

	err = parse_uint(what, word, UINT8_MAX, &v);
	if (!err)
		mnl_attr_put_u8(req->nlh, type, v);
	return err;
}

static int put_u16(struct nl_request *req, const char *what, const char *word,
		   uint64_t max, uint16_t type)
{
	uint64_t v;
	int err;

	err = parse_uint(what, word, max, &v);
	if (!err)
		mnl_attr_put_u16(req->nlh, type, v);
	return err;
}

/* What is below IP, and the fields of ICMP and TCP. */
static int put_more(struct nl_request *req, const struct rule_words *w)
{
	int err = VMQCTL_OK;

	if (w->src_mac)
		err = put_mac(req, "src-mac", w->src_mac,
			      VMQ_A_ACL_RULE_SRC_MAC,
			      VMQ_A_ACL_RULE_SRC_MAC_MASK);
	if (!err && w->dst_mac)
		err = put_mac(req, "dst-mac", w->dst_mac,
			      VMQ_A_ACL_RULE_DST_MAC,
			      VMQ_A_ACL_RULE_DST_MAC_MASK);
	if (!err && w->vlan)
		err = put_u16(req, "vlan", w->vlan, 4094, VMQ_A_ACL_RULE_VLAN);
	if (!err && w->ethertype)
		err = put_u16(req, "ethertype", w->ethertype, UINT16_MAX,
			      VMQ_A_ACL_RULE_ETHERTYPE);
	if (!err && w->icmp_type)
		err = put_u8(req, "icmp-type", w->icmp_type,
			     VMQ_A_ACL_RULE_ICMP_TYPE);
	if (!err && w->icmp_code)
		err = put_u8(req, "icmp-code", w->icmp_code,
			     VMQ_A_ACL_RULE_ICMP_CODE);
	if (!err && w->tcp_flags)
		err = put_flags(req, w->tcp_flags);
	return err;
}

/* Adds the attributes of acl-rule. */
static int put_rule(struct nl_request *req, const struct rule_words *w)
{
	uint64_t v, family = 0;
	int err;

	err = parse_word("direction", w->direction, directions,
			 ARRAY_SIZE(directions), &v);
	if (err)
		return err;
	mnl_attr_put_u8(req->nlh, VMQ_A_ACL_RULE_DIRECTION, v);
	err = parse_word("action", w->action, actions, ARRAY_SIZE(actions), &v);
	if (err)
		return err;
	mnl_attr_put_u8(req->nlh, VMQ_A_ACL_RULE_ACTION, v);
	if (w->priority) {
		err = parse_uint("priority", w->priority, UINT32_MAX, &v);
		if (err)
			return err;
		mnl_attr_put_u32(req->nlh, VMQ_A_ACL_RULE_PRIORITY, v);
	}
	if (w->family)
		err = parse_word("family", w->family, families,
				 ARRAY_SIZE(families), &family);
	if (!err && w->proto)
		err = put_proto(req, w->proto);
	if (!err && w->src)
		err = put_prefix(req, "src", w->src, &family,
				 VMQ_A_ACL_RULE_SRC, VMQ_A_ACL_RULE_SRC_LEN);
	if (!err && w->dst)
		err = put_prefix(req, "dst", w->dst, &family,
				 VMQ_A_ACL_RULE_DST, VMQ_A_ACL_RULE_DST_LEN);
	if (!err && family)
		mnl_attr_put_u16(req->nlh, VMQ_A_ACL_RULE_FAMILY, family);
	if (!err && w->sport)
		err = put_range(req, "sport", w->sport,
				VMQ_A_ACL_RULE_SRC_PORT_MIN,
				VMQ_A_ACL_RULE_SRC_PORT_MAX);
	if (!err && w->dport)
		err = put_range(req, "dport", w->dport,
				VMQ_A_ACL_RULE_DST_PORT_MIN,
				VMQ_A_ACL_RULE_DST_PORT_MAX);
	return err ? err : put_more(req, w);
}

int acl_add(struct args *args)
{
	struct nlattr *config, *add;
	struct nl_request req;
	struct rule_words w;
	const struct keyword keywords[] = {
		{ "dev", &w.dev },
		{ "priority", &w.priority },
		{ "direction", &w.direction },
		{ "action", &w.action },
		{ "family", &w.family },
		{ "proto", &w.proto },
		{ "src", &w.src },
		{ "dst", &w.dst },
		{ "sport", &w.sport },
		{ "dport", &w.dport },
		{ "src-mac", &w.src_mac },
		{ "dst-mac", &w.dst_mac },
		{ "vlan", &w.vlan },
		{ "ethertype", &w.ethertype },
		{ "icmp-type", &w.icmp_type },
		{ "icmp-code", &w.icmp_code },
		{ "tcp-flags", &w.tcp_flags },
	};
	int err;

	err = args_parse(args, keywords, ARRAY_SIZE(keywords));
	if (err)
		return err;
	if (!w.direction || !w.action)
		return usage_error("\"%s\" is missing",
				   w.direction ? "action" : "direction");
	err = ext_port_request(&req, VMQ_CMD_EXT_PORT_SET, &acl_ext, w.dev);
	if (err)
		return err;
	config = ext_port_config(&req);
	add = mnl_attr_nest_start(req.nlh, VMQ_A_ACL_ADD);
	err = put_rule(&req, &w);
	if (err)
		return err;
	mnl_attr_nest_end(req.nlh, add);
	mnl_attr_nest_end(req.nlh, config);
	return ext_port_change(&acl_ext, &req, w.dev, VMQ_A_ACL_RULE);
}

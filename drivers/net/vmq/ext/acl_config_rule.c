// SPDX-License-Identifier: GPL-2.0
/*
 * The extension acl: one rule, to and from netlink attributes.
 *
 * A rule ends up as a key and a mask. What these cannot tell, as a prefix of
 * length 0, is kept beside them for the answer.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <net/netlink.h>

#include "acl.h"

/* A bit that both families have, and none of what is not IP. */
#define ACL_FAMILY_ANY	(AF_INET & AF_INET6)
static_assert(ACL_FAMILY_ANY);

#define ACL_COUNTER							\
	{								\
		.type = NLA_REJECT,					\
		.reject_message = "acl: counters of a rule cannot be set",	\
	}

const struct nla_policy acl_rule_policy[VMQ_A_ACL_RULE_MAX + 1] = {
	[VMQ_A_ACL_RULE_ID] = {
		.type = NLA_REJECT,
		.reject_message = "acl: the kernel assigns the ids of rules",
	},
	[VMQ_A_ACL_RULE_PRIORITY] = { .type = NLA_U32 },
	[VMQ_A_ACL_RULE_DIRECTION] = NLA_POLICY_MAX(NLA_U8, VMQ_FROM_GUEST),
	[VMQ_A_ACL_RULE_ACTION] = NLA_POLICY_MAX(NLA_U8, 1),
	[VMQ_A_ACL_RULE_FAMILY] = { .type = NLA_U16 },
	[VMQ_A_ACL_RULE_IP_PROTO] = { .type = NLA_U8 },
	[VMQ_A_ACL_RULE_SRC] = {
		.type = NLA_BINARY,
		.len = sizeof(struct in6_addr),
	},
	[VMQ_A_ACL_RULE_SRC_LEN] = { .type = NLA_U8 },
	[VMQ_A_ACL_RULE_DST] = {
		.type = NLA_BINARY,
		.len = sizeof(struct in6_addr),
	},
	[VMQ_A_ACL_RULE_DST_LEN] = { .type = NLA_U8 },
	[VMQ_A_ACL_RULE_SRC_PORT_MIN] = { .type = NLA_U16 },
	[VMQ_A_ACL_RULE_SRC_PORT_MAX] = { .type = NLA_U16 },
	[VMQ_A_ACL_RULE_DST_PORT_MIN] = { .type = NLA_U16 },
	[VMQ_A_ACL_RULE_DST_PORT_MAX] = { .type = NLA_U16 },
	[VMQ_A_ACL_RULE_PACKETS] = ACL_COUNTER,
	[VMQ_A_ACL_RULE_BYTES] = ACL_COUNTER,
	[VMQ_A_ACL_RULE_SRC_MAC] = NLA_POLICY_ETH_ADDR,
	[VMQ_A_ACL_RULE_SRC_MAC_MASK] = NLA_POLICY_ETH_ADDR,
	[VMQ_A_ACL_RULE_DST_MAC] = NLA_POLICY_ETH_ADDR,
	[VMQ_A_ACL_RULE_DST_MAC_MASK] = NLA_POLICY_ETH_ADDR,
	[VMQ_A_ACL_RULE_VLAN] = NLA_POLICY_MAX(NLA_U16, VLAN_VID_MASK - 1),
	[VMQ_A_ACL_RULE_ETHERTYPE] = NLA_POLICY_MIN(NLA_U16, ETH_P_802_3_MIN),
	[VMQ_A_ACL_RULE_ICMP_TYPE] = { .type = NLA_U8 },
	[VMQ_A_ACL_RULE_ICMP_CODE] = { .type = NLA_U8 },
	[VMQ_A_ACL_RULE_TCP_FLAGS] = { .type = NLA_U8 },
	[VMQ_A_ACL_RULE_TCP_FLAGS_MASK] = NLA_POLICY_MIN(NLA_U8, 1),
};

static void acl_set_family(struct acl_rule *rule, u8 family)
{
	rule->key.family = family;
	rule->mask.family = U8_MAX;
}

/* An address says the family of its rule; all of a rule have to agree. */
static int acl_parse_family(struct acl_rule *rule, u8 family,
			    const struct nlattr *attr,
			    struct netlink_ext_ack *extack)
{
	if (rule->mask.family && rule->key.family != family) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "acl: address is of another family than the rule");
		return -EINVAL;
	}

	acl_set_family(rule, family);
	return 0;
}

static int acl_parse_prefix(struct acl_rule *rule, const struct nlattr *attr,
			    const struct nlattr *len_attr,
			    struct in6_addr *addr, struct in6_addr *mask,
			    u8 *len, struct netlink_ext_ack *extack)
{
	unsigned int bits;
	int err, i;

	if (nla_len(attr) != 4 && nla_len(attr) != 16) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "acl: an address has 4 or 16 bytes");
		return -EINVAL;
	}

	err = acl_parse_family(rule, nla_len(attr) == 4 ? AF_INET : AF_INET6,
			       attr, extack);
	if (err)
		return err;

	bits = nla_len(attr) * 8;
	if (len_attr && nla_get_u8(len_attr) > bits) {
		NL_SET_ERR_MSG_ATTR(extack, len_attr,
				    "acl: prefix is longer than the address");
		return -EINVAL;
	}
	if (len_attr)
		bits = nla_get_u8(len_attr);

	memcpy(addr, nla_data(attr), nla_len(attr));
	*len = bits;
	for (i = 0; i < 4; i++) {
		unsigned int n = min(bits, 32U);

		mask->s6_addr32[i] = n ? htonl(~0U << (32 - n)) : 0;
		addr->s6_addr32[i] &= mask->s6_addr32[i];
		bits -= n;
	}

	return 0;
}

/* One end of a range alone: a lowest one is that port, a highest up to it. */
static int acl_parse_ports(const struct nlattr *min_attr,
			   const struct nlattr *max_attr, u16 *min, u16 *max,
			   u16 *key, u16 *mask, struct netlink_ext_ack *extack)
{
	*min = min_attr ? nla_get_u16(min_attr) : 0;
	*max = max_attr ? nla_get_u16(max_attr) : *min;
	if (*min > *max) {
		NL_SET_ERR_MSG_ATTR(extack, max_attr,
				    "acl: highest port is below the lowest");
		return -EINVAL;
	}

	if ((min_attr || max_attr) && *min == *max) {
		*key = *min;
		*mask = U16_MAX;
	}

	return 0;
}

static int acl_parse_mac(const struct nlattr *attr,
			 const struct nlattr *mask_attr, u8 *mac, u8 *mask,
			 struct netlink_ext_ack *extack)
{
	unsigned int i;

	if (!attr && !mask_attr)
		return 0;
	if (!attr) {
		NL_SET_ERR_MSG_ATTR(extack, mask_attr,
				    "acl: the mask of a MAC address needs the address");
		return -EINVAL;
	}

	eth_broadcast_addr(mask);
	if (mask_attr)
		nla_memcpy(mask, mask_attr, ETH_ALEN);
	if (is_zero_ether_addr(mask)) {
		NL_SET_ERR_MSG_ATTR(extack, mask_attr,
				    "acl: the mask of a MAC address is 0");
		return -EINVAL;
	}
	for (i = 0; i < ETH_ALEN; i++)
		mac[i] = ((const u8 *)nla_data(attr))[i] & mask[i];

	return 0;
}

static int acl_parse_link(struct nlattr **tb, struct acl_rule *rule,
			  struct netlink_ext_ack *extack)
{
	int err;

	err = acl_parse_mac(tb[VMQ_A_ACL_RULE_SRC_MAC],
			    tb[VMQ_A_ACL_RULE_SRC_MAC_MASK],
			    rule->key.eth_src, rule->mask.eth_src, extack);
	if (err)
		return err;
	err = acl_parse_mac(tb[VMQ_A_ACL_RULE_DST_MAC],
			    tb[VMQ_A_ACL_RULE_DST_MAC_MASK],
			    rule->key.eth_dst, rule->mask.eth_dst, extack);
	if (err)
		return err;

	if (tb[VMQ_A_ACL_RULE_VLAN]) {
		rule->key.vlan = nla_get_u16(tb[VMQ_A_ACL_RULE_VLAN]);
		rule->mask.vlan = U16_MAX;
	}
	if (tb[VMQ_A_ACL_RULE_ETHERTYPE]) {
		rule->key.ethertype = nla_get_u16(tb[VMQ_A_ACL_RULE_ETHERTYPE]);
		rule->mask.ethertype = U16_MAX;
	}

	return 0;
}

static bool acl_rule_is(const struct acl_rule *rule, u8 proto)
{
	return rule->mask.proto && rule->key.proto == proto;
}

static int acl_parse_l4(struct nlattr **tb, const struct nlattr *attr,
			struct acl_rule *rule, struct netlink_ext_ack *extack)
{
	const struct nlattr *type = tb[VMQ_A_ACL_RULE_ICMP_TYPE];
	const struct nlattr *code = tb[VMQ_A_ACL_RULE_ICMP_CODE];
	const struct nlattr *flags = tb[VMQ_A_ACL_RULE_TCP_FLAGS];
	const struct nlattr *mask = tb[VMQ_A_ACL_RULE_TCP_FLAGS_MASK];
	int err;

	rule->has_sport = tb[VMQ_A_ACL_RULE_SRC_PORT_MIN] ||
			  tb[VMQ_A_ACL_RULE_SRC_PORT_MAX];
	rule->has_dport = tb[VMQ_A_ACL_RULE_DST_PORT_MIN] ||
			  tb[VMQ_A_ACL_RULE_DST_PORT_MAX];
	if ((rule->has_sport || rule->has_dport) &&
	    !acl_rule_is(rule, IPPROTO_TCP) &&
	    !acl_rule_is(rule, IPPROTO_UDP) &&
	    !acl_rule_is(rule, IPPROTO_SCTP) &&
	    !acl_rule_is(rule, IPPROTO_DCCP)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "acl: ports need ip-proto TCP, UDP, SCTP or DCCP");
		return -EINVAL;
	}
	err = acl_parse_ports(tb[VMQ_A_ACL_RULE_SRC_PORT_MIN],
			      tb[VMQ_A_ACL_RULE_SRC_PORT_MAX],
			      &rule->sport_min, &rule->sport_max,
			      &rule->key.sport, &rule->mask.sport, extack);
	if (err)
		return err;
	err = acl_parse_ports(tb[VMQ_A_ACL_RULE_DST_PORT_MIN],
			      tb[VMQ_A_ACL_RULE_DST_PORT_MAX],
			      &rule->dport_min, &rule->dport_max,
			      &rule->key.dport, &rule->mask.dport, extack);
	if (err)
		return err;

	if ((type || code) && !acl_rule_is(rule, IPPROTO_ICMP) &&
	    !acl_rule_is(rule, IPPROTO_ICMPV6)) {
		NL_SET_ERR_MSG_ATTR(extack, type ?: code,
				    "acl: a type of ICMP needs ip-proto ICMP or ICMPv6");
		return -EINVAL;
	}
	if (code && !type) {
		NL_SET_ERR_MSG_ATTR(extack, code,
				    "acl: a code of ICMP needs a type");
		return -EINVAL;
	}
	if (type) {
		rule->key.icmp_type = nla_get_u8(type);
		rule->mask.icmp_type = U8_MAX;
	}
	if (code) {
		rule->key.icmp_code = nla_get_u8(code);
		rule->mask.icmp_code = U8_MAX;
	}

	if (!flags && !mask)
		return 0;
	if (!flags || !mask || !acl_rule_is(rule, IPPROTO_TCP)) {
		NL_SET_ERR_MSG_ATTR(extack, flags ?: mask,
				    "acl: flags of TCP come with their mask and ip-proto TCP");
		return -EINVAL;
	}
	rule->key.tcp = nla_get_u8(flags);
	rule->mask.tcp = nla_get_u8(mask);
	if (rule->key.tcp & ~rule->mask.tcp) {
		NL_SET_ERR_MSG_ATTR(extack, flags,
				    "acl: flags of TCP are outside of their mask");
		return -EINVAL;
	}

	return 0;
}

static int acl_parse_ip(struct nlattr **tb, const struct nlattr *attr,
			struct acl_rule *rule, struct netlink_ext_ack *extack)
{
	int err;

	if (tb[VMQ_A_ACL_RULE_FAMILY]) {
		u16 family = nla_get_u16(tb[VMQ_A_ACL_RULE_FAMILY]);

		if (family != AF_INET && family != AF_INET6) {
			NL_SET_ERR_MSG_ATTR(extack, tb[VMQ_A_ACL_RULE_FAMILY],
					    "acl: family is neither IPv4 nor IPv6");
			return -EINVAL;
		}
		acl_set_family(rule, family);
	}

	if (tb[VMQ_A_ACL_RULE_IP_PROTO]) {
		rule->key.proto = nla_get_u8(tb[VMQ_A_ACL_RULE_IP_PROTO]);
		rule->mask.proto = U8_MAX;
	}

	if ((tb[VMQ_A_ACL_RULE_SRC_LEN] && !tb[VMQ_A_ACL_RULE_SRC]) ||
	    (tb[VMQ_A_ACL_RULE_DST_LEN] && !tb[VMQ_A_ACL_RULE_DST])) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "acl: a prefix length needs an address");
		return -EINVAL;
	}
	if (tb[VMQ_A_ACL_RULE_SRC]) {
		rule->has_src = true;
		err = acl_parse_prefix(rule, tb[VMQ_A_ACL_RULE_SRC],
				       tb[VMQ_A_ACL_RULE_SRC_LEN],
				       &rule->key.src, &rule->mask.src,
				       &rule->src_len, extack);
		if (err)
			return err;
	}
	if (tb[VMQ_A_ACL_RULE_DST]) {
		rule->has_dst = true;
		err = acl_parse_prefix(rule, tb[VMQ_A_ACL_RULE_DST],
				       tb[VMQ_A_ACL_RULE_DST_LEN],
				       &rule->key.dst, &rule->mask.dst,
				       &rule->dst_len, extack);
		if (err)
			return err;
	}

	return 0;
}

/**
 * acl_rule_finish - Complete a rule whose fields were set.
 * @rule: the rule
 *
 * A rule that says nothing of Ethernet, nor of a type of ICMP, is about IP, and
 * not about neighbour discovery.
 */
void acl_rule_finish(struct acl_rule *rule)
{
	rule->link = !is_zero_ether_addr(rule->mask.eth_src) ||
		     !is_zero_ether_addr(rule->mask.eth_dst) ||
		     rule->mask.vlan || rule->mask.ethertype ||
		     rule->mask.icmp_type;
	if (!rule->link) {
		rule->mask.free = U8_MAX;
	} else if (rule->mask.proto && !rule->mask.family) {
		/* What is not IP has no protocol, not protocol 0. */
		rule->key.family = ACL_FAMILY_ANY;
		rule->mask.family = ACL_FAMILY_ANY;
	}
}

/**
 * acl_rule_parse - Read a rule.
 * @attr: attributes VMQ_A_ACL_RULE_*
 * @rule: set to the rule, without id and counters
 * @extack: says what is wrong with it
 *
 * Return: 0 or an error
 */
int acl_rule_parse(const struct nlattr *attr, struct acl_rule *rule,
		   struct netlink_ext_ack *extack)
{
	struct nlattr *tb[VMQ_A_ACL_RULE_MAX + 1];
	int err;

	err = nla_parse_nested(tb, VMQ_A_ACL_RULE_MAX, attr, acl_rule_policy,
			       extack);
	if (err)
		return err;

	memset(rule, 0, sizeof(*rule));

	if (NL_REQ_ATTR_CHECK(extack, attr, tb, VMQ_A_ACL_RULE_DIRECTION)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "acl: a rule needs a direction");
		return -EINVAL;
	}
	if (NL_REQ_ATTR_CHECK(extack, attr, tb, VMQ_A_ACL_RULE_ACTION)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "acl: a rule needs an action");
		return -EINVAL;
	}
	rule->dir = nla_get_u8(tb[VMQ_A_ACL_RULE_DIRECTION]);
	rule->allow = nla_get_u8(tb[VMQ_A_ACL_RULE_ACTION]);
	if (tb[VMQ_A_ACL_RULE_PRIORITY])
		rule->priority = nla_get_u32(tb[VMQ_A_ACL_RULE_PRIORITY]);

	err = acl_parse_ip(tb, attr, rule, extack);
	if (!err)
		err = acl_parse_link(tb, rule, extack);
	if (!err)
		err = acl_parse_l4(tb, attr, rule, extack);
	if (err)
		return err;

	acl_rule_finish(rule);
	return 0;
}

static int acl_put_prefix(struct sk_buff *msg, const struct acl_rule *rule,
			  int type, const struct in6_addr *addr,
			  int len_type, u8 len)
{
	return nla_put(msg, type, rule->key.family == AF_INET ? 4 : 16, addr) ||
	       nla_put_u8(msg, len_type, len);
}

static int acl_put_mac(struct sk_buff *msg, int type, const u8 *mac,
		       int mask_type, const u8 *mask)
{
	if (is_zero_ether_addr(mask))
		return 0;

	return nla_put(msg, type, ETH_ALEN, mac) ||
	       (!is_broadcast_ether_addr(mask) &&
		nla_put(msg, mask_type, ETH_ALEN, mask));
}

static int acl_put_link(struct sk_buff *msg, const struct acl_rule *rule)
{
	const struct acl_fields *key = &rule->key, *mask = &rule->mask;

	return acl_put_mac(msg, VMQ_A_ACL_RULE_SRC_MAC, key->eth_src,
			   VMQ_A_ACL_RULE_SRC_MAC_MASK, mask->eth_src) ||
	       acl_put_mac(msg, VMQ_A_ACL_RULE_DST_MAC, key->eth_dst,
			   VMQ_A_ACL_RULE_DST_MAC_MASK, mask->eth_dst) ||
	       (mask->vlan &&
		nla_put_u16(msg, VMQ_A_ACL_RULE_VLAN, key->vlan)) ||
	       (mask->ethertype &&
		nla_put_u16(msg, VMQ_A_ACL_RULE_ETHERTYPE, key->ethertype));
}

static int acl_put_ip(struct sk_buff *msg, const struct acl_rule *rule)
{
	const struct acl_fields *key = &rule->key, *mask = &rule->mask;

	return (mask->family == U8_MAX &&
		nla_put_u16(msg, VMQ_A_ACL_RULE_FAMILY, key->family)) ||
	       (mask->proto &&
		nla_put_u8(msg, VMQ_A_ACL_RULE_IP_PROTO, key->proto)) ||
	       (rule->has_src &&
		acl_put_prefix(msg, rule, VMQ_A_ACL_RULE_SRC, &key->src,
			       VMQ_A_ACL_RULE_SRC_LEN, rule->src_len)) ||
	       (rule->has_dst &&
		acl_put_prefix(msg, rule, VMQ_A_ACL_RULE_DST, &key->dst,
			       VMQ_A_ACL_RULE_DST_LEN, rule->dst_len));
}

static int acl_put_l4(struct sk_buff *msg, const struct acl_rule *rule)
{
	const struct acl_fields *key = &rule->key, *mask = &rule->mask;

	return (rule->has_sport &&
		(nla_put_u16(msg, VMQ_A_ACL_RULE_SRC_PORT_MIN,
			     rule->sport_min) ||
		 nla_put_u16(msg, VMQ_A_ACL_RULE_SRC_PORT_MAX,
			     rule->sport_max))) ||
	       (rule->has_dport &&
		(nla_put_u16(msg, VMQ_A_ACL_RULE_DST_PORT_MIN,
			     rule->dport_min) ||
		 nla_put_u16(msg, VMQ_A_ACL_RULE_DST_PORT_MAX,
			     rule->dport_max))) ||
	       (mask->icmp_type &&
		nla_put_u8(msg, VMQ_A_ACL_RULE_ICMP_TYPE, key->icmp_type)) ||
	       (mask->icmp_code &&
		nla_put_u8(msg, VMQ_A_ACL_RULE_ICMP_CODE, key->icmp_code)) ||
	       (mask->tcp &&
		(nla_put_u8(msg, VMQ_A_ACL_RULE_TCP_FLAGS, key->tcp) ||
		 nla_put_u8(msg, VMQ_A_ACL_RULE_TCP_FLAGS_MASK, mask->tcp)));
}

/**
 * acl_rule_put - Write a rule with its counters.
 * @msg: the message
 * @rule: the rule
 *
 * Return: 0 or -EMSGSIZE, with nothing written.
 */
int acl_rule_put(struct sk_buff *msg, const struct acl_rule *rule)
{
	struct nlattr *nest;
	u64 packets, bytes;

	acl_rule_counters(rule, &packets, &bytes);

	nest = nla_nest_start(msg, VMQ_A_ACL_RULE);
	if (!nest)
		return -EMSGSIZE;

	if (nla_put_u32(msg, VMQ_A_ACL_RULE_ID, rule->id) ||
	    nla_put_u32(msg, VMQ_A_ACL_RULE_PRIORITY, rule->priority) ||
	    nla_put_u8(msg, VMQ_A_ACL_RULE_DIRECTION, rule->dir) ||
	    nla_put_u8(msg, VMQ_A_ACL_RULE_ACTION, rule->allow) ||
	    acl_put_ip(msg, rule) || acl_put_link(msg, rule) ||
	    acl_put_l4(msg, rule) ||
	    nla_put_u64_64bit(msg, VMQ_A_ACL_RULE_PACKETS, packets,
			      VMQ_A_ACL_RULE_PAD) ||
	    nla_put_u64_64bit(msg, VMQ_A_ACL_RULE_BYTES, bytes,
			      VMQ_A_ACL_RULE_PAD)) {
		nla_nest_cancel(msg, nest);
		return -EMSGSIZE;
	}

	nla_nest_end(msg, nest);
	return 0;
}

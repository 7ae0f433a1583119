// SPDX-License-Identifier: GPL-2.0
/*
 * The extension acl: configuration of a port over netlink.
 *
 * The attributes of a request are carried out in their order, so that one
 * request may flush the rules and add a whole new list; frames see all of it at
 * once. The attribute set is described in Documentation/netlink/specs/vmq.yaml.
 */
#include <net/netlink.h>

#include "acl.h"

static const struct netlink_range_validation acl_max_conns_range = {
	.min = 1,
	.max = ACL_CONNS_MAX,
};

static const struct nla_policy acl_rule_policy[VMQ_A_ACL_RULE_MAX + 1] = {
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
	[VMQ_A_ACL_RULE_PACKETS] = {
		.type = NLA_REJECT,
		.reject_message = "acl: counters of a rule cannot be set",
	},
	[VMQ_A_ACL_RULE_BYTES] = {
		.type = NLA_REJECT,
		.reject_message = "acl: counters of a rule cannot be set",
	},
};

#define ACL_ANSWER_ONLY							\
	{								\
		.type = NLA_REJECT,					\
		.reject_message = "acl: attribute is for answers only",	\
	}

static const struct nla_policy acl_policy[VMQ_A_ACL_MAX + 1] = {
	[VMQ_A_ACL_ADD] = NLA_POLICY_NESTED(acl_rule_policy),
	[VMQ_A_ACL_DEL] = { .type = NLA_U32 },
	[VMQ_A_ACL_FLUSH_RULES] = { .type = NLA_FLAG },
	[VMQ_A_ACL_FLUSH_CONNECTIONS] = { .type = NLA_FLAG },
	[VMQ_A_ACL_RULE] = ACL_ANSWER_ONLY,
	[VMQ_A_ACL_CONNECTION] = ACL_ANSWER_ONLY,
	[VMQ_A_ACL_SUMMARY] = ACL_ANSWER_ONLY,
	[VMQ_A_ACL_MAX_CONNECTIONS] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &acl_max_conns_range),
};

/* An address says the family of its rule; all of a rule have to agree. */
static int acl_parse_family(struct acl_rule *rule, u8 family,
			    const struct nlattr *attr,
			    struct netlink_ext_ack *extack)
{
	if (rule->family && rule->family != family) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "acl: address is of another family than the rule");
		return -EINVAL;
	}

	rule->family = family;
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
			   struct netlink_ext_ack *extack)
{
	*min = min_attr ? nla_get_u16(min_attr) : 0;
	*max = max_attr ? nla_get_u16(max_attr) : *min;
	if (*min > *max) {
		NL_SET_ERR_MSG_ATTR(extack, max_attr,
				    "acl: highest port is below the lowest");
		return -EINVAL;
	}

	return 0;
}

static bool acl_proto_has_ports(const struct acl_rule *rule)
{
	return rule->has_proto &&
	       (rule->proto == IPPROTO_TCP || rule->proto == IPPROTO_UDP ||
		rule->proto == IPPROTO_SCTP || rule->proto == IPPROTO_DCCP);
}

static int acl_parse_rule(const struct nlattr *attr, struct acl_rule *rule,
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

	if (tb[VMQ_A_ACL_RULE_FAMILY]) {
		u16 family = nla_get_u16(tb[VMQ_A_ACL_RULE_FAMILY]);

		if (family != AF_INET && family != AF_INET6) {
			NL_SET_ERR_MSG_ATTR(extack, tb[VMQ_A_ACL_RULE_FAMILY],
					    "acl: family is neither IPv4 nor IPv6");
			return -EINVAL;
		}
		rule->family = family;
	}

	if (tb[VMQ_A_ACL_RULE_IP_PROTO]) {
		rule->has_proto = true;
		rule->proto = nla_get_u8(tb[VMQ_A_ACL_RULE_IP_PROTO]);
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
				       tb[VMQ_A_ACL_RULE_SRC_LEN], &rule->src,
				       &rule->src_mask, &rule->src_len, extack);
		if (err)
			return err;
	}
	if (tb[VMQ_A_ACL_RULE_DST]) {
		rule->has_dst = true;
		err = acl_parse_prefix(rule, tb[VMQ_A_ACL_RULE_DST],
				       tb[VMQ_A_ACL_RULE_DST_LEN], &rule->dst,
				       &rule->dst_mask, &rule->dst_len, extack);
		if (err)
			return err;
	}

	rule->has_sport = tb[VMQ_A_ACL_RULE_SRC_PORT_MIN] ||
			  tb[VMQ_A_ACL_RULE_SRC_PORT_MAX];
	rule->has_dport = tb[VMQ_A_ACL_RULE_DST_PORT_MIN] ||
			  tb[VMQ_A_ACL_RULE_DST_PORT_MAX];
	if ((rule->has_sport || rule->has_dport) &&
	    !acl_proto_has_ports(rule)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "acl: ports need ip-proto TCP, UDP, SCTP or DCCP");
		return -EINVAL;
	}

	err = acl_parse_ports(tb[VMQ_A_ACL_RULE_SRC_PORT_MIN],
			      tb[VMQ_A_ACL_RULE_SRC_PORT_MAX],
			      &rule->sport_min, &rule->sport_max, extack);
	if (err)
		return err;

	return acl_parse_ports(tb[VMQ_A_ACL_RULE_DST_PORT_MIN],
			       tb[VMQ_A_ACL_RULE_DST_PORT_MAX],
			       &rule->dport_min, &rule->dport_max, extack);
}

static int acl_config_rule(struct acl_edit *edit, const struct nlattr *attr,
			   struct netlink_ext_ack *extack)
{
	struct acl_rule rule;
	int err;

	switch (nla_type(attr)) {
	case VMQ_A_ACL_ADD:
		err = acl_parse_rule(attr, &rule, extack);
		if (err)
			return err;
		err = acl_edit_add(edit, &rule, extack);
		if (err)
			NL_SET_BAD_ATTR(extack, attr);
		return err;
	case VMQ_A_ACL_DEL:
		err = acl_edit_del(edit, nla_get_u32(attr));
		if (err)
			NL_SET_ERR_MSG_ATTR(extack, attr,
					    "acl: the port has no rule with this id");
		return err;
	case VMQ_A_ACL_FLUSH_RULES:
		acl_edit_flush(edit);
		return 0;
	default:
		return 0;
	}
}

static bool acl_is_rule_attr(const struct nlattr *attr)
{
	return nla_type(attr) == VMQ_A_ACL_ADD ||
	       nla_type(attr) == VMQ_A_ACL_DEL ||
	       nla_type(attr) == VMQ_A_ACL_FLUSH_RULES;
}

/**
 * acl_config_set - see &vmq_ext_ops.config_set
 * @ep: the port
 * @config: attributes VMQ_A_ACL_*
 * @extack: says why not
 *
 * What can fail comes first; the rest is done when all rules are in place.
 *
 * Return: 0 or an error
 */
int acl_config_set(struct vmq_ext_port *ep, const struct nlattr *config,
		   struct netlink_ext_ack *extack)
{
	struct nlattr *tb[VMQ_A_ACL_MAX + 1];
	struct acl_port *acl = ep->priv;
	unsigned int adds = 0, n = 0;
	const struct nlattr *attr;
	struct acl_edit edit;
	int err, rem;

	/*
	 * Not nla_parse_nested(): whether config has NLA_F_NESTED set is between
	 * the core and the tool.
	 */
	err = nla_parse(tb, VMQ_A_ACL_MAX, nla_data(config), nla_len(config),
			acl_policy, extack);
	if (err)
		return err;

	nla_for_each_attr(attr, nla_data(config), nla_len(config), rem) {
		if (nla_type(attr) == VMQ_A_ACL_ADD)
			adds++;
		if (acl_is_rule_attr(attr))
			n++;
	}

	if (!n && !tb[VMQ_A_ACL_FLUSH_CONNECTIONS] &&
	    !tb[VMQ_A_ACL_MAX_CONNECTIONS]) {
		NL_SET_ERR_MSG(extack, "acl: nothing to do");
		return -EINVAL;
	}

	if (n) {
		err = acl_edit_begin(&edit, acl, adds);
		if (err)
			goto no_memory;

		nla_for_each_attr(attr, nla_data(config), nla_len(config), rem) {
			err = acl_config_rule(&edit, attr, extack);
			if (err) {
				acl_edit_abort(&edit);
				return err;
			}
		}

		err = acl_edit_commit(&edit, acl);
		if (err) {
			acl_edit_abort(&edit);
			goto no_memory;
		}
	}

	if (tb[VMQ_A_ACL_MAX_CONNECTIONS])
		WRITE_ONCE(acl->max_conns,
			   nla_get_u32(tb[VMQ_A_ACL_MAX_CONNECTIONS]));
	if (tb[VMQ_A_ACL_FLUSH_CONNECTIONS])
		acl_conns_flush(acl);

	return 0;

no_memory:
	NL_SET_ERR_MSG(extack, "acl: no memory for the rules");
	return err;
}

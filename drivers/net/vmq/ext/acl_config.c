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

static int acl_config_rule(struct acl_edit *edit, const struct nlattr *attr,
			   struct netlink_ext_ack *extack)
{
	struct acl_rule rule;
	int err;

	switch (nla_type(attr)) {
	case VMQ_A_ACL_ADD:
		err = acl_rule_parse(attr, &rule, extack);
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
			cond_resched();
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

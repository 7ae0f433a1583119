// SPDX-License-Identifier: GPL-2.0
/*
 * The extension acl: stateful allow and deny rules of a port.
 *
 * A frame that belongs to a known connection passes. Any other is judged by
 * the rules of its direction, and where it may start a flow and passes, a
 * connection is made. Connections move with the guest, so that its flows keep
 * flowing on another host though no rule there would let them start.
 *
 * - Connections are made only while the port has rules. A flow that began
 *   before the first rule is therefore judged like a new one; a TCP segment in
 *   the middle of a flow that the rules allow makes a connection, too.
 * - Frames that are not IP, such as ARP, and IPv6 neighbour discovery, pass unless
 *   a rule is about them: one that tests MAC addresses, the VLAN id, the ethertype
 *   or a type of ICMP.
 * - A VLAN tag behind the frame's own is no way around rules: a guest takes off tags
 *   that name no VLAN until it finds IP. Such frames have no connections.
 * - Protocols other than TCP, UDP and ICMP echo have no connections: the rules
 *   judge each of their frames.
 * - A fragment but the first is judged by the rules alone. It has no ports: a
 *   rule that allows ports does not fit it, one that denies ports does.
 */
#include <linux/if_ether.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "acl.h"

/* Enum-like for the counters; ACL_UNTRACKED is denied, too. */
enum acl_count {
	ACL_ALLOWED,
	ACL_DENIED,
	ACL_UNTRACKED,
};

static enum vmq_verdict acl_count(struct acl_port *acl, enum acl_count what)
{
	struct acl_port_stats *stats = this_cpu_ptr(acl->stats);

	u64_stats_update_begin(&stats->syncp);
	if (what == ACL_ALLOWED) {
		u64_stats_inc(&stats->allowed);
	} else {
		u64_stats_inc(&stats->denied);
		if (what == ACL_UNTRACKED)
			u64_stats_inc(&stats->untracked);
	}
	u64_stats_update_end(&stats->syncp);

	return what == ACL_ALLOWED ? VMQ_PASS : VMQ_DROP;
}

static enum vmq_verdict acl_frame(struct vmq_ext_port *ep, struct sk_buff *skb,
				  enum vmq_dir dir)
{
	struct acl_port *acl = ep->priv;
	struct acl_conn *conn = NULL;
	const struct acl_rules *rules;
	struct acl_flow flow __uninitialized;
	const struct acl_rule *rule;
	enum acl_flow_kind kind;

	rules = rcu_dereference(acl->rules);
	if (!rules && !READ_ONCE(acl->n_conns))
		return VMQ_PASS;

	kind = acl_flow_parse(skb, dir, &flow);
	switch (kind) {
	case ACL_FLOW_FREE:
		if (!rules || !rules->link[dir])
			return VMQ_PASS;
		flow.free = true;
		rule = acl_rules_judge(rules, &flow, skb);
		if (!rule)
			return VMQ_PASS;
		return acl_count(acl, rule->allow ? ACL_ALLOWED : ACL_DENIED);
	case ACL_FLOW_BAD:
		return acl_count(acl, ACL_DENIED);
	case ACL_FLOW_RULES:
		break;
	case ACL_FLOW_TRACKED:
		conn = acl_conn_find(acl, &flow.key);
		if (likely(conn && acl_conn_follow(conn, &flow)))
			return acl_count(acl, ACL_ALLOWED);
		break;
	case ACL_FLOW_ERROR:
		/* It tells about the connection, it does not prolong it. */
		conn = acl_conn_find(acl, &flow.key);
		if (conn && !acl_conn_expired(conn))
			return acl_count(acl, ACL_ALLOWED);
		break;
	}

	if (!rules)
		return acl_count(acl, ACL_ALLOWED);
	rule = acl_rules_judge(rules, &flow, skb);
	if (rule && !rule->allow)
		return acl_count(acl, ACL_DENIED);
	/* Without a connection the answer might not come in: refuse at once. */
	if (flow.creates && acl_conn_start(acl, conn, &flow))
		return acl_count(acl, ACL_UNTRACKED);

	return acl_count(acl, ACL_ALLOWED);
}

static int acl_attach(struct vmq_ext_port *ep, struct netlink_ext_ack *extack)
{
	struct acl_port *acl;
	int err = -ENOMEM;

	acl = kzalloc(sizeof(*acl), GFP_KERNEL_ACCOUNT);
	if (!acl)
		goto no_memory;

	acl->next_id = 1;
	acl->stats = __netdev_alloc_pcpu_stats(struct acl_port_stats,
					       GFP_KERNEL_ACCOUNT);
	if (!acl->stats)
		goto free_acl;

	err = acl_conns_init(acl);
	if (err)
		goto free_stats;

	ep->priv = acl;
	return 0;

free_stats:
	free_percpu(acl->stats);
free_acl:
	kfree(acl);
no_memory:
	NL_SET_ERR_MSG(extack, "acl: no memory for the port");
	return err;
}

static void acl_detach(struct vmq_ext_port *ep)
{
	struct acl_port *acl = ep->priv;

	ep->priv = NULL;
	acl_conns_destroy(acl);
	acl_rules_free(acl);
	free_percpu(acl->stats);
	kfree(acl);
}

/* Not static for the tests that are linked into the module. */
const struct vmq_ext_ops acl_ops = {
	.owner = THIS_MODULE,
	.uuid = { .b = VMQ_ACL_UUID_BYTES },
	.name = "acl",
	.class = VMQ_EXT_CLASS_FILTER,
	.data_version = VMQ_ACL_REC_VERSION,
	.attach = acl_attach,
	.detach = acl_detach,
	.frame = acl_frame,
	.config_set = acl_config_set,
	.config_dump = acl_config_dump,
	.save_begin = acl_save_begin,
	.save_next = acl_save_next,
	.save_complete = acl_save_complete,
	.restore_begin = acl_restore_begin,
	.validate = acl_validate,
	.apply = acl_apply,
	.rollback = acl_rollback,
	.restore_complete = acl_restore_complete,
};

static int __init acl_init(void)
{
	acl_conns_seed();

	return vmq_ext_register(&acl_ops);
}
module_init(acl_init);

static void __exit acl_exit(void)
{
	vmq_ext_unregister(&acl_ops);
	/* Rules that are still to be freed. */
	rcu_barrier();
}
module_exit(acl_exit);

MODULE_DESCRIPTION("Stateful allow and deny rules for the ports of vmq");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0
/*
 * The extension acl: a port in netlink attributes, in any number of messages.
 */
#include <linux/rtnetlink.h>
#include <net/netlink.h>

#include "acl.h"

/*
 * Positions of a dump: 0 is the summary, then come the ids of rules, then with
 * this bit set the indexes of connections.
 */
#define ACL_CURSOR_CONNS	BIT(31)

static int acl_put_summary(struct sk_buff *msg, const struct acl_port *acl)
{
	const struct acl_rules *rules = rtnl_dereference(acl->rules);
	u64 allowed = 0, denied = 0, untracked = 0;
	struct nlattr *nest;
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct acl_port_stats *stats;
		unsigned int start;
		u64 a, d, u;

		stats = per_cpu_ptr(acl->stats, cpu);
		do {
			start = u64_stats_fetch_begin(&stats->syncp);
			a = u64_stats_read(&stats->allowed);
			d = u64_stats_read(&stats->denied);
			u = u64_stats_read(&stats->untracked);
		} while (u64_stats_fetch_retry(&stats->syncp, start));

		allowed += a;
		denied += d;
		untracked += u;
	}

	nest = nla_nest_start(msg, VMQ_A_ACL_SUMMARY);
	if (!nest)
		return -EMSGSIZE;

	if (nla_put_u32(msg, VMQ_A_ACL_SUMMARY_RULES, rules ? rules->n : 0) ||
	    nla_put_u32(msg, VMQ_A_ACL_SUMMARY_CONNECTIONS,
			READ_ONCE(acl->n_conns)) ||
	    nla_put_u32(msg, VMQ_A_ACL_SUMMARY_MAX_CONNECTIONS,
			acl->max_conns) ||
	    nla_put_u64_64bit(msg, VMQ_A_ACL_SUMMARY_ALLOWED, allowed,
			      VMQ_A_ACL_SUMMARY_PAD) ||
	    nla_put_u64_64bit(msg, VMQ_A_ACL_SUMMARY_DENIED, denied,
			      VMQ_A_ACL_SUMMARY_PAD) ||
	    nla_put_u64_64bit(msg, VMQ_A_ACL_SUMMARY_UNTRACKED, untracked,
			      VMQ_A_ACL_SUMMARY_PAD)) {
		nla_nest_cancel(msg, nest);
		return -EMSGSIZE;
	}

	nla_nest_end(msg, nest);
	return 0;
}

static int acl_put_prefix(struct sk_buff *msg, const struct acl_rule *rule,
			  int type, const struct in6_addr *addr,
			  int len_type, u8 len)
{
	return nla_put(msg, type, rule->family == AF_INET ? 4 : 16, addr) ||
	       nla_put_u8(msg, len_type, len);
}

static int acl_put_rule(struct sk_buff *msg, const struct acl_rule *rule)
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
	    nla_put_u8(msg, VMQ_A_ACL_RULE_ACTION, rule->allow))
		goto cancel;
	if (rule->family &&
	    nla_put_u16(msg, VMQ_A_ACL_RULE_FAMILY, rule->family))
		goto cancel;
	if (rule->has_proto &&
	    nla_put_u8(msg, VMQ_A_ACL_RULE_IP_PROTO, rule->proto))
		goto cancel;
	if (rule->has_src &&
	    acl_put_prefix(msg, rule, VMQ_A_ACL_RULE_SRC, &rule->src,
			   VMQ_A_ACL_RULE_SRC_LEN, rule->src_len))
		goto cancel;
	if (rule->has_dst &&
	    acl_put_prefix(msg, rule, VMQ_A_ACL_RULE_DST, &rule->dst,
			   VMQ_A_ACL_RULE_DST_LEN, rule->dst_len))
		goto cancel;
	if (rule->has_sport &&
	    (nla_put_u16(msg, VMQ_A_ACL_RULE_SRC_PORT_MIN, rule->sport_min) ||
	     nla_put_u16(msg, VMQ_A_ACL_RULE_SRC_PORT_MAX, rule->sport_max)))
		goto cancel;
	if (rule->has_dport &&
	    (nla_put_u16(msg, VMQ_A_ACL_RULE_DST_PORT_MIN, rule->dport_min) ||
	     nla_put_u16(msg, VMQ_A_ACL_RULE_DST_PORT_MAX, rule->dport_max)))
		goto cancel;
	if (nla_put_u64_64bit(msg, VMQ_A_ACL_RULE_PACKETS, packets,
			      VMQ_A_ACL_RULE_PAD) ||
	    nla_put_u64_64bit(msg, VMQ_A_ACL_RULE_BYTES, bytes,
			      VMQ_A_ACL_RULE_PAD))
		goto cancel;

	nla_nest_end(msg, nest);
	return 0;

cancel:
	nla_nest_cancel(msg, nest);
	return -EMSGSIZE;
}

static const char * const acl_state_names[VMQ_ACL_STATES] = {
	[0] = "none",
	[VMQ_ACL_NEW] = "new",
	[VMQ_ACL_REPLIED] = "replied",
	[VMQ_ACL_SYN_ACK] = "syn-ack",
	[VMQ_ACL_ESTABLISHED] = "established",
	[VMQ_ACL_FIN_WAIT] = "fin-wait",
	[VMQ_ACL_CLOSING] = "closing",
	[VMQ_ACL_CLOSED] = "closed",
};

static int acl_put_conn(struct sk_buff *msg, const struct acl_conn *conn)
{
	const struct acl_key *key = &conn->key;
	int len = key->rest & ACL_KEY_IPV6 ? 16 : 4;
	int left = acl_conn_left(conn);
	struct nlattr *nest;

	if (left <= 0)
		return 0;

	nest = nla_nest_start(msg, VMQ_A_ACL_CONNECTION);
	if (!nest)
		return -EMSGSIZE;

	if (nla_put_u16(msg, VMQ_A_ACL_CONNECTION_FAMILY,
			acl_key_family(key)) ||
	    nla_put_u8(msg, VMQ_A_ACL_CONNECTION_IP_PROTO,
		       acl_key_proto(key)) ||
	    nla_put_string(msg, VMQ_A_ACL_CONNECTION_STATE,
			   acl_state_names[READ_ONCE(conn->state)]) ||
	    nla_put_u8(msg, VMQ_A_ACL_CONNECTION_DIRECTION,
		       READ_ONCE(conn->dir)) ||
	    nla_put(msg, VMQ_A_ACL_CONNECTION_LOCAL, len, &key->local) ||
	    nla_put(msg, VMQ_A_ACL_CONNECTION_REMOTE, len, &key->remote) ||
	    nla_put_u16(msg, VMQ_A_ACL_CONNECTION_LOCAL_PORT,
			FIELD_GET(ACL_KEY_LOCAL_PORT, key->rest)) ||
	    nla_put_u16(msg, VMQ_A_ACL_CONNECTION_REMOTE_PORT,
			FIELD_GET(ACL_KEY_REMOTE_PORT, key->rest)) ||
	    nla_put_u16(msg, VMQ_A_ACL_CONNECTION_VLAN,
			FIELD_GET(ACL_KEY_VLAN, key->rest)) ||
	    nla_put_u32(msg, VMQ_A_ACL_CONNECTION_TIMEOUT,
			DIV_ROUND_UP(left, HZ)) ||
	    nla_put_u64_64bit(msg, VMQ_A_ACL_CONNECTION_PACKETS_IN,
			      acl_conn_packets(conn, VMQ_TO_GUEST),
			      VMQ_A_ACL_CONNECTION_PAD) ||
	    nla_put_u64_64bit(msg, VMQ_A_ACL_CONNECTION_PACKETS_OUT,
			      acl_conn_packets(conn, VMQ_FROM_GUEST),
			      VMQ_A_ACL_CONNECTION_PAD) ||
	    (READ_ONCE(conn->restored) &&
	     nla_put_flag(msg, VMQ_A_ACL_CONNECTION_RESTORED))) {
		nla_nest_cancel(msg, nest);
		return -EMSGSIZE;
	}

	nla_nest_end(msg, nest);
	return 0;
}

/**
 * acl_config_dump - see &vmq_ext_ops.config_dump
 * @ep: the port
 * @msg: the message
 * @cursor: where to go on
 *
 * Rules come in the order of their ids and connections in that of their
 * numbers: neither changes for what stays while the dump goes on.
 *
 * Return: 0 when all was given, or -EMSGSIZE
 */
int acl_config_dump(struct vmq_ext_port *ep, struct sk_buff *msg,
		    unsigned long *cursor)
{
	struct acl_port *acl = ep->priv;
	const struct acl_rule *rule;
	struct acl_conn *conn;
	unsigned long index;
	int err;

	if (!*cursor) {
		err = acl_put_summary(msg, acl);
		if (err)
			return err;
		*cursor = 1;
	}

	while (*cursor < ACL_CURSOR_CONNS) {
		rule = acl_rules_next(rtnl_dereference(acl->rules), *cursor);
		if (!rule) {
			*cursor = ACL_CURSOR_CONNS;
			break;
		}

		err = acl_put_rule(msg, rule);
		if (err) {
			*cursor = rule->id;
			return err;
		}
		*cursor = (unsigned long)rule->id + 1;
	}

	rcu_read_lock();
	for (;;) {
		index = *cursor & ~ACL_CURSOR_CONNS;
		conn = xa_find(&acl->conns, &index, S32_MAX, XA_PRESENT);
		if (!conn) {
			err = 0;
			break;
		}

		err = acl_put_conn(msg, conn);
		*cursor = ACL_CURSOR_CONNS | (index + !err);
		if (err)
			break;
	}
	rcu_read_unlock();

	return err;
}

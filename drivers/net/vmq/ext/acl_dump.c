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

		err = acl_rule_put(msg, rule);
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

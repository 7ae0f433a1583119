// SPDX-License-Identifier: GPL-2.0
/*
 * The extension guard: a port in netlink attributes, in any number of messages.
 */
#include <linux/math64.h>
#include <net/netlink.h>

#include "guard.h"

static const u16 guard_count_attrs[GUARD_COUNTS] = {
	[GUARD_PASSED] = VMQ_A_GUARD_SUMMARY_PASSED,
	[GUARD_DROP_MAC] = VMQ_A_GUARD_SUMMARY_DROPS_MAC,
	[GUARD_DROP_IPV4] = VMQ_A_GUARD_SUMMARY_DROPS_IPV4,
	[GUARD_DROP_IPV6] = VMQ_A_GUARD_SUMMARY_DROPS_IPV6,
	[GUARD_DROP_ARP] = VMQ_A_GUARD_SUMMARY_DROPS_ARP,
	[GUARD_DROP_ND] = VMQ_A_GUARD_SUMMARY_DROPS_ND,
	[GUARD_DROP_RA] = VMQ_A_GUARD_SUMMARY_DROPS_RA,
	[GUARD_DROP_DHCP_SERVER] = VMQ_A_GUARD_SUMMARY_DROPS_DHCP_SERVER,
	[GUARD_DROP_MALFORMED] = VMQ_A_GUARD_SUMMARY_DROPS_MALFORMED,
	[GUARD_DROP_RATE] = VMQ_A_GUARD_SUMMARY_DROPS_RATE,
	[GUARD_LEARNED] = VMQ_A_GUARD_SUMMARY_LEARNED,
	[GUARD_NOT_LEARNED] = VMQ_A_GUARD_SUMMARY_NOT_LEARNED,
};

static u64 guard_counted(const struct guard_port *guard, enum guard_count what)
{
	const struct guard_stats *stats;
	unsigned int start;
	u64 n, sum = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		stats = per_cpu_ptr(guard->stats, cpu);
		do {
			start = u64_stats_fetch_begin(&stats->syncp);
			n = u64_stats_read(&stats->n[what]);
		} while (u64_stats_fetch_retry(&stats->syncp, start));
		sum += n;
	}
	return sum;
}

static int guard_put_summary(struct sk_buff *msg, const struct guard_port *guard)
{
	struct nlattr *nest;
	unsigned int i;

	nest = nla_nest_start(msg, VMQ_A_GUARD_SUMMARY);
	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u32(msg, VMQ_A_GUARD_SUMMARY_CHECKS, guard->checks) ||
	    nla_put_u8(msg, VMQ_A_GUARD_SUMMARY_SNOOP, guard->snoop) ||
	    nla_put_u8(msg, VMQ_A_GUARD_SUMMARY_LINK_LOCAL,
		       guard->link_local) ||
	    nla_put_u32(msg, VMQ_A_GUARD_SUMMARY_BINDINGS,
			READ_ONCE(guard->n)) ||
	    nla_put_u32(msg, VMQ_A_GUARD_SUMMARY_MAX_BINDINGS,
			READ_ONCE(guard->max)) ||
	    nla_put_u32(msg, VMQ_A_GUARD_SUMMARY_DHCP_RATE,
			guard->bucket[GUARD_RATE_DHCP].rate) ||
	    nla_put_u32(msg, VMQ_A_GUARD_SUMMARY_ARP_RATE,
			guard->bucket[GUARD_RATE_ARP].rate) ||
	    nla_put_u32(msg, VMQ_A_GUARD_SUMMARY_ND_RATE,
			guard->bucket[GUARD_RATE_ND].rate))
		goto cancel;
	for (i = 0; i < GUARD_COUNTS; i++)
		if (nla_put_u64_64bit(msg, guard_count_attrs[i],
				      guard_counted(guard, i),
				      VMQ_A_GUARD_SUMMARY_PAD))
			goto cancel;
	nla_nest_end(msg, nest);
	return 0;

cancel:
	nla_nest_cancel(msg, nest);
	return -EMSGSIZE;
}

static int guard_put_ip(struct sk_buff *msg, const struct guard_key *key)
{
	if (key->family == AF_UNSPEC)
		return 0;
	return nla_put(msg, VMQ_A_GUARD_BINDING_IP,
		       key->family == AF_INET ? 4 : 16, &key->addr) ||
	       nla_put_u8(msg, VMQ_A_GUARD_BINDING_IP_LEN, key->len);
}

/* Seconds that are left; rounded up, so that it is 0 only when it is over. */
static int guard_put_lease(struct sk_buff *msg, const struct guard_binding *b)
{
	u64 left;

	if (!b->expires)
		return 0;
	left = div_u64(b->expires - get_jiffies_64() + HZ - 1, HZ);
	return nla_put_u32(msg, VMQ_A_GUARD_BINDING_LEASE,
			   min_t(u64, left, U32_MAX));
}

static int guard_put_binding(struct sk_buff *msg, const struct guard_binding *b)
{
	bool tentative = b->starts && time_before64(get_jiffies_64(), b->starts);
	struct nlattr *nest;

	if (guard_binding_expired(b))
		return 0;
	nest = nla_nest_start(msg, VMQ_A_GUARD_BINDING);
	if (!nest)
		return -EMSGSIZE;
	if (guard_put_ip(msg, &b->key) ||
	    (!is_zero_ether_addr(b->mac) &&
	     nla_put(msg, VMQ_A_GUARD_BINDING_MAC, ETH_ALEN, b->mac)) ||
	    nla_put_u16(msg, VMQ_A_GUARD_BINDING_VLAN, b->key.vlan) ||
	    nla_put_u8(msg, VMQ_A_GUARD_BINDING_ORIGIN, b->origin) ||
	    guard_put_lease(msg, b) ||
	    (b->restored && nla_put_flag(msg, VMQ_A_GUARD_BINDING_RESTORED)) ||
	    (tentative && nla_put_flag(msg, VMQ_A_GUARD_BINDING_TENTATIVE))) {
		nla_nest_cancel(msg, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(msg, nest);
	return 0;
}

/**
 * guard_config_dump - see &vmq_ext_ops.config_dump
 * @ep: the port
 * @msg: the message
 * @cursor: where to go on: 0 is the summary, then come the ids of bindings
 *
 * Return: 0 when all was given, or -EMSGSIZE
 */
int guard_config_dump(struct vmq_ext_port *ep, struct sk_buff *msg,
		      unsigned long *cursor)
{
	struct guard_port *guard = ep->priv;
	struct guard_binding *b;
	int err = 0;

	if (!*cursor) {
		err = guard_put_summary(msg, guard);
		if (err)
			return err;
		*cursor = 1;
	}

	spin_lock_bh(&guard->lock);
	list_for_each_entry(b, &guard->bindings, list) {
		if (b->id < *cursor)
			continue;
		err = guard_put_binding(msg, b);
		if (err)
			break;
		*cursor = b->id + 1;
	}
	spin_unlock_bh(&guard->lock);
	return err;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The multicast groups of an adapter's guests: who has a frame, and what ports and the
 * adapter have of the table.
 *
 * There is one lock for all that changes; frames that are no reports and no queries
 * read under RCU alone.
 */
#include <linux/netdevice.h>
#include <net/ipv6.h>

#include "mcast.h"

/* ---- what a frame asks ---- */

/**
 * vmq_mcast_choose() - who has a multicast frame
 * @m: the adapter's part
 * @group: its group; slot 0
 * @report: it is a report: guests must not hear those of others, as they would keep
 *	their own back (RFC 4541, 2.1.1)
 * @pick: for vmq_mcast_picks(); as it is, where it is for everybody
 *
 * Context: RCU read side; valid to its end.
 */
void vmq_mcast_choose(struct vmq_mcast *m, const struct vmq_mcast_key *group,
		      bool report, struct vmq_mcast_pick *pick)
{
	struct vmq_mcast_key key = *group;
	const struct vmq_mcast_vlan *v;
	struct vmq_mcast_group *g;

	v = xa_load(&m->vlans, vmq_mcast_vlan_id(key.vid, key.v6));
	if (!v)
		return;
	pick->narrow = rcu_dereference(v->narrow);
	if (!pick->narrow && !report)
		return;
	if (report)
		memset(&key.addr, 0, sizeof(key.addr));
	g = rhashtable_lookup(&m->table, &key, vmq_mcast_params);
	pick->members = g ? rcu_dereference(g->set) : NULL;
	pick->only = report;
	pick->told = true;
}

/**
 * vmq_mcast_picks() - is a frame for a port?
 * @pick: of vmq_mcast_choose(), which told of some
 * @p: the port's part
 *
 * Context: RCU read side.
 * Return: true if it is.
 */
bool vmq_mcast_picks(const struct vmq_mcast_pick *pick,
		     const struct vmq_mcast_port *p)
{
	/* pairs with vmq_mcast_port_add() */
	u32 slot = smp_load_acquire(&p->slot);

	if (!slot || vmq_mcast_set_has(pick->members, slot))
		return true;
	return !pick->only && !vmq_mcast_set_has(pick->narrow, slot);
}

/* ---- ports ---- */

/**
 * vmq_mcast_port_add() - a port may be narrowed from now on
 * @m: the adapter's part
 * @p: the port's, all 0, or as this left it before
 *
 * Context: Process context, rtnl held.
 * Return: 0 or a negative errno: the port has all multicast frames then.
 */
int vmq_mcast_port_add(struct vmq_mcast *m, struct vmq_mcast_port *p)
{
	int slot;

	if (p->slot)
		return 0;
	if (!p->stats)
		p->stats = netdev_alloc_pcpu_stats(struct vmq_mcast_pcpu);
	if (!p->stats)
		return -ENOMEM;
	slot = ida_alloc_min(&m->slots, 1, GFP_KERNEL);
	if (slot < 0)
		return slot;
	INIT_LIST_HEAD(&p->members);
	spin_lock_bh(&m->lock);
	m->top = max_t(u32, m->top, slot);
	/* pairs with vmq_mcast_picks(): the counters are there */
	smp_store_release(&p->slot, slot);
	spin_unlock_bh(&m->lock);
	return 0;
}

static void vmq_mcast_port_forget(struct vmq_mcast *m,
				  struct vmq_mcast_port *p)
{
	struct vmq_mcast_member *member, *next;

	vmq_mcast_widen_all(m, p);
	list_for_each_entry_safe(member, next, &p->members, of_port)
		vmq_mcast_member_del(m, member);
}

/**
 * vmq_mcast_port_reset() - another guest may be on the port, or the same one again
 * @m: the adapter's part
 * @p: the port's
 *
 * It has all multicast frames until its guest was asked.
 *
 * Context: m->lock held.
 */
void vmq_mcast_port_reset(struct vmq_mcast *m, struct vmq_mcast_port *p)
{
	lockdep_assert_held(&m->lock);
	if (!p->slot || p->gone)
		return;
	vmq_mcast_port_forget(m, p);
	p->spoken = false;
	p->over = false;
}

/**
 * vmq_mcast_port_del() - a port goes
 * @m: the adapter's part
 * @p: the port's; its counters stay
 *
 * Context: Process context, rtnl held.
 */
void vmq_mcast_port_del(struct vmq_mcast *m, struct vmq_mcast_port *p)
{
	if (!p->slot || p->gone)
		return;
	spin_lock_bh(&m->lock);
	vmq_mcast_port_forget(m, p);
	p->gone = true;
	spin_unlock_bh(&m->lock);
	ida_free(&m->slots, p->slot);
}

/**
 * vmq_mcast_port_free() - frees what vmq_mcast_port_add() allocated
 * @p: the port's part
 *
 * Context: Process context, after vmq_mcast_port_del() and a grace period.
 */
void vmq_mcast_port_free(struct vmq_mcast_port *p)
{
	free_percpu(p->stats);
	p->stats = NULL;
}

/**
 * vmq_mcast_port_report() - what is shown of a port
 * @m: the adapter's part
 * @p: the port's
 * @out: is filled
 *
 * Context: Process context.
 */
void vmq_mcast_port_report(struct vmq_mcast *m, struct vmq_mcast_port *p,
			   struct vmq_mcast_report *out)
{
	struct vmq_mcast_member *member;
	struct vmq_mcast_vlan *v;
	int cpu;

	memset(out, 0, sizeof(*out));
	if (!p->slot)
		return;
	spin_lock_bh(&m->lock);
	list_for_each_entry(member, &p->members, of_port) {
		if (ipv6_addr_any(&member->key.addr))
			out->router = true;
		else
			out->groups++;
	}
	if (!p->gone)
		list_for_each_entry(v, &m->known, node)
			out->narrowed +=
				vmq_mcast_set_has(vmq_mcast_deref(m, v->narrow),
						  p->slot);
	out->reports = p->reports;
	out->leaves = p->leaves;
	out->queries = p->queries;
	out->overflows = p->overflows;
	spin_unlock_bh(&m->lock);
	for_each_possible_cpu(cpu) {
		struct vmq_mcast_pcpu *s = per_cpu_ptr(p->stats, cpu);
		u64 withheld, allmulti;
		unsigned int start;

		do {
			start = u64_stats_fetch_begin(&s->syncp);
			withheld = u64_stats_read(&s->withheld);
			allmulti = u64_stats_read(&s->allmulti);
		} while (u64_stats_fetch_retry(&s->syncp, start));
		out->withheld += withheld;
		out->allmulti += allmulti;
	}
}

/* ---- the adapter ---- */

/**
 * vmq_mcast_init() - an empty table, switched on
 * @m: the adapter's part
 *
 * Context: Process context.
 * Return: 0 or a negative errno.
 */
int vmq_mcast_init(struct vmq_mcast *m)
{
	spin_lock_init(&m->lock);
	xa_init(&m->vlans);
	ida_init(&m->slots);
	INIT_LIST_HEAD(&m->known);
	INIT_LIST_HEAD(&m->members);
	INIT_LIST_HEAD(&m->fresh);
	INIT_LIST_HEAD(&m->leaving);
	INIT_DELAYED_WORK(&m->work, vmq_mcast_work);
	m->on = true;
	return rhashtable_init(&m->table, &vmq_mcast_params);
}

/**
 * vmq_mcast_flush() - forgets all groups and queriers
 * @m: the adapter's part
 *
 * Context: m->lock held.
 */
void vmq_mcast_flush(struct vmq_mcast *m)
{
	struct vmq_mcast_member *member, *next_member;
	struct vmq_mcast_vlan *v, *next_v;

	lockdep_assert_held(&m->lock);
	/* nobody is narrowed before groups are forgotten */
	list_for_each_entry_safe(v, next_v, &m->known, node)
		vmq_mcast_vlan_free(m, v);
	list_for_each_entry_safe(member, next_member, &m->members, of_all)
		vmq_mcast_member_del(m, member);
}

/**
 * vmq_mcast_destroy() - undoes vmq_mcast_init()
 * @m: the adapter's part; all of its ports are gone
 *
 * Context: Process context, sleeps.
 */
void vmq_mcast_destroy(struct vmq_mcast *m)
{
	spin_lock_bh(&m->lock);
	vmq_mcast_flush(m);
	spin_unlock_bh(&m->lock);
	cancel_delayed_work_sync(&m->work);
	rhashtable_destroy(&m->table);
	xa_destroy(&m->vlans);
	ida_destroy(&m->slots);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * What queries and time do to the table of multicast groups. Time is an argument, so
 * that tests have it their way.
 */
#include <linux/slab.h>
#include <net/ipv6.h>

#include "mcast.h"

/**
 * vmq_mcast_wake() - the table is looked at then, or before
 * @m: the adapter's part
 * @at: jiffies
 *
 * Context: m->lock held.
 */
void vmq_mcast_wake(struct vmq_mcast *m, unsigned long at)
{
	unsigned long now = jiffies;

	if (m->timed && !time_before(at, m->next))
		return;
	m->timed = true;
	m->next = at;
	mod_delayed_work(system_power_efficient_wq, &m->work,
			 time_after(at, now) ? at - now : 0);
}

/* ---- queries ---- */

/**
 * vmq_mcast_can_ask() - is a port one that answers queries?
 * @p: the port's part
 * @now: jiffies
 *
 * Context: m->lock held.
 * Return: false if it would not be narrowed by what it answers.
 */
bool vmq_mcast_can_ask(const struct vmq_mcast_port *p, unsigned long now)
{
	return p->slot && !p->gone && p->spoken &&
	       !(p->over && time_before(now, p->over_until));
}

/* Who does not answer in time is in the group no more (RFC 3376, 6.4.2). */
static void vmq_mcast_specific(struct vmq_mcast *m,
			       const struct vmq_mcast_query *q,
			       const struct vmq_mcast_set *asked,
			       unsigned long now)
{
	/* it is asked twice; never so short that a busy guest can't answer */
	unsigned long expires = now + max(2 * q->delay, VMQ_MCAST_SLACK * 1UL);
	struct vmq_mcast_group *g = vmq_mcast_group_find(m, &q->key);
	struct vmq_mcast_member *member;

	if (!g)
		return;
	list_for_each_entry(member, &g->members, of_group) {
		if (!vmq_mcast_set_has(asked, member->key.slot) ||
		    !time_before(expires, member->expires))
			continue;
		member->expires = expires;
		list_move_tail(&member->of_time, &m->leaving);
		vmq_mcast_wake(m, expires);
	}
}

/*
 * While the answers to a query come, another one counts if its own are there sooner. So no
 * querier keeps another from narrowing ports.
 */
static void vmq_mcast_general(struct vmq_mcast *m,
			      const struct vmq_mcast_query *q,
			      struct vmq_mcast_set **asked, unsigned long now)
{
	unsigned long interval = min(q->interval, VMQ_MCAST_QUERIER * 1UL);
	struct vmq_mcast_vlan *v = vmq_mcast_vlan_get(m, q);
	unsigned long ready;

	if (!v)
		return;
	v->present = now + interval;
	vmq_mcast_wake(m, v->present);
	if (!*asked || q->delay >= interval)
		return;
	ready = now + q->delay + VMQ_MCAST_SLACK;
	if (v->asked && !time_before(ready, v->ready))
		return;
	swap(v->asked, *asked);
	v->ready = ready;
	v->asked_until = now + interval;
	vmq_mcast_wake(m, ready);
}

/**
 * vmq_mcast_asked() - somebody asks for groups
 * @m: the adapter's part
 * @q: what, and how long it takes to answer
 * @asked: the ports whose guests get the question, of vmq_mcast_set_new(), or NULL where
 *	there was no memory; taken over
 * @now: jiffies
 *
 * Context: m->lock held.
 */
void vmq_mcast_asked(struct vmq_mcast *m, const struct vmq_mcast_query *q,
		     struct vmq_mcast_set *asked, unsigned long now)
{
	lockdep_assert_held(&m->lock);
	if (ipv6_addr_any(&q->key.addr))
		vmq_mcast_general(m, q, &asked, now);
	else
		vmq_mcast_specific(m, q, asked, now);
	kfree(asked);
}

/* ---- time ---- */

static void vmq_mcast_narrow(struct vmq_mcast *m, struct vmq_mcast_vlan *v,
			     struct vmq_mcast_set *set)
{
	struct vmq_mcast_set *old = vmq_mcast_deref(m, v->narrow);

	rcu_assign_pointer(v->narrow, set);
	if (old)
		kfree_rcu(old, rcu);
}

/* All that were asked could answer: they alone are narrowed from now on. */
static void vmq_mcast_answered(struct vmq_mcast *m, struct vmq_mcast_vlan *v)
{
	struct vmq_mcast_key routers = { .vid = v->id >> 1, .v6 = v->id & 1 };
	struct vmq_mcast_group *g = vmq_mcast_group_find(m, &routers);
	struct vmq_mcast_member *member;

	if (g)
		list_for_each_entry(member, &g->members, of_group)
			vmq_mcast_set_del(v->asked, member->key.slot);
	vmq_mcast_narrow(m, v, v->asked);
	v->until = v->asked_until;
	v->asked = NULL;
}

static void vmq_mcast_sooner(bool *any, unsigned long *next, unsigned long at)
{
	if (!*any || time_before(at, *next))
		*next = at;
	*any = true;
}

/**
 * vmq_mcast_tick() - does what is due
 * @m: the adapter's part
 * @now: jiffies
 * @next: when something is due next, if anything is
 *
 * Context: m->lock held.
 * Return: false if nothing is.
 */
bool vmq_mcast_tick(struct vmq_mcast *m, unsigned long now,
		    unsigned long *next)
{
	struct vmq_mcast_member *member, *next_member;
	struct vmq_mcast_vlan *v, *next_v;
	bool any = false;

	lockdep_assert_held(&m->lock);
	list_for_each_entry_safe(v, next_v, &m->known, node) {
		if (v->asked && !time_before(now, v->ready))
			vmq_mcast_answered(m, v);
		if (vmq_mcast_deref(m, v->narrow) &&
		    !time_before(now, v->until))
			vmq_mcast_narrow(m, v, NULL);
		if (vmq_mcast_deref(m, v->narrow))
			vmq_mcast_sooner(&any, next, v->until);
		if (v->asked)
			vmq_mcast_sooner(&any, next, v->ready);
		else if (!vmq_mcast_deref(m, v->narrow) &&
			 !time_before(now, v->present))
			vmq_mcast_vlan_free(m, v);
		else if (!vmq_mcast_deref(m, v->narrow))
			vmq_mcast_sooner(&any, next, v->present);
	}
	list_for_each_entry_safe(member, next_member, &m->leaving, of_time) {
		if (!time_before(now, member->expires))
			vmq_mcast_member_del(m, member);
		else
			vmq_mcast_sooner(&any, next, member->expires);
	}
	list_for_each_entry_safe(member, next_member, &m->fresh, of_time) {
		if (time_before(now, member->expires)) {
			vmq_mcast_sooner(&any, next, member->expires);
			break;
		}
		vmq_mcast_member_del(m, member);
	}
	return any;
}

/**
 * vmq_mcast_work() - does what is due, when it is
 * @work: of the adapter's part
 *
 * Context: Process context.
 */
void vmq_mcast_work(struct work_struct *work)
{
	struct vmq_mcast *m = container_of(to_delayed_work(work),
					   struct vmq_mcast, work);
	unsigned long next;

	spin_lock_bh(&m->lock);
	m->timed = false;
	if (vmq_mcast_tick(m, jiffies, &next))
		vmq_mcast_wake(m, next);
	spin_unlock_bh(&m->lock);
}

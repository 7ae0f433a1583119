// SPDX-License-Identifier: GPL-2.0
/*
 * The table of multicast groups: VLANs with a querier, groups, and the ports that are
 * in them.
 */
#include <linux/slab.h>
#include <net/ipv6.h>

#include "mcast.h"

/* groups and members are in one table, told apart by key.slot */
const struct rhashtable_params vmq_mcast_params = {
	.key_len = sizeof(struct vmq_mcast_key),
	.key_offset = offsetof(struct vmq_mcast_group, key),
	.head_offset = offsetof(struct vmq_mcast_group, node),
	.automatic_shrinking = true,
};

/* ---- sets of ports ---- */

static struct vmq_mcast_set *vmq_mcast_set_alloc(u32 top)
{
	u32 words = BITS_TO_LONGS(top + 1);
	struct vmq_mcast_set *set;

	set = kzalloc(struct_size(set, bits, words), GFP_ATOMIC | __GFP_NOWARN);
	if (set)
		set->size = words * BITS_PER_LONG;
	return set;
}

/**
 * vmq_mcast_set_new() - an empty set, for all ports that there are
 * @m: the adapter's part
 *
 * Context: m->lock held.
 * Return: the set, or NULL.
 */
struct vmq_mcast_set *vmq_mcast_set_new(const struct vmq_mcast *m)
{
	lockdep_assert_held(&m->lock);
	return vmq_mcast_set_alloc(m->top);
}

/**
 * vmq_mcast_set_put() - puts a port into a set
 * @set: of vmq_mcast_set_new()
 * @slot: of the port
 *
 * Context: m->lock held since vmq_mcast_set_new().
 */
void vmq_mcast_set_put(struct vmq_mcast_set *set, u32 slot)
{
	if (slot < set->size)
		set_bit(slot, set->bits);
}

/* ---- VLANs ---- */

/**
 * vmq_mcast_vlan_free() - nobody is narrowed in a VLAN any more, its querier is forgotten
 * @m: the adapter's part
 * @v: the VLAN
 *
 * Context: m->lock held.
 */
void vmq_mcast_vlan_free(struct vmq_mcast *m, struct vmq_mcast_vlan *v)
{
	struct vmq_mcast_set *narrow = vmq_mcast_deref(m, v->narrow);

	xa_erase(&m->vlans, v->id);
	list_del(&v->node);
	m->n_vlans--;
	kfree(v->asked);
	if (narrow)
		kfree_rcu(narrow, rcu);
	kfree_rcu(v, rcu);
}

/**
 * vmq_mcast_vlan_get() - what is known of the VLAN of a query
 * @m: the adapter's part
 * @q: the query
 *
 * Context: m->lock held.
 * Return: the VLAN, new or not; NULL where there is no room or no memory for it, so
 * that nobody is narrowed there.
 */
struct vmq_mcast_vlan *vmq_mcast_vlan_get(struct vmq_mcast *m,
					  const struct vmq_mcast_query *q)
{
	u32 id = vmq_mcast_vlan_id(q->key.vid, q->key.v6);
	struct vmq_mcast_vlan *v = xa_load(&m->vlans, id);

	if (v)
		return v;
	if (m->n_vlans >= VMQ_MCAST_VLANS)
		return NULL;
	v = kzalloc(sizeof(*v), GFP_ATOMIC | __GFP_NOWARN);
	if (!v)
		return NULL;
	v->id = id;
	if (xa_err(xa_store(&m->vlans, id, v, GFP_ATOMIC | __GFP_NOWARN))) {
		kfree(v);
		return NULL;
	}
	list_add_tail(&v->node, &m->known);
	m->n_vlans++;
	return v;
}

/**
 * vmq_mcast_widen() - a port has all multicast frames of a VLAN again
 * @m: the adapter's part
 * @v: the VLAN
 * @p: the port's part
 *
 * Until it is narrowed by a query that is still to come.
 *
 * Context: m->lock held.
 */
void vmq_mcast_widen(struct vmq_mcast *m, struct vmq_mcast_vlan *v,
		     const struct vmq_mcast_port *p)
{
	vmq_mcast_set_del(vmq_mcast_deref(m, v->narrow), p->slot);
	vmq_mcast_set_del(v->asked, p->slot);
}

/**
 * vmq_mcast_widen_all() - the same in all VLANs
 * @m: the adapter's part
 * @p: the port's
 *
 * Context: m->lock held.
 */
void vmq_mcast_widen_all(struct vmq_mcast *m, const struct vmq_mcast_port *p)
{
	struct vmq_mcast_vlan *v;

	list_for_each_entry(v, &m->known, node)
		vmq_mcast_widen(m, v, p);
}

/* ---- groups and who is in them ---- */

/**
 * vmq_mcast_group_find() - a group
 * @m: the adapter's part
 * @key: of the group, or of a port in it
 *
 * Context: m->lock held.
 * Return: the group, or NULL where nobody is in it.
 */
struct vmq_mcast_group *vmq_mcast_group_find(struct vmq_mcast *m,
					     const struct vmq_mcast_key *key)
{
	struct vmq_mcast_key group = *key;

	group.slot = 0;
	return rhashtable_lookup_fast(&m->table, &group, vmq_mcast_params);
}

static struct vmq_mcast_group *
vmq_mcast_group_get(struct vmq_mcast *m, const struct vmq_mcast_key *key)
{
	struct vmq_mcast_group *g = vmq_mcast_group_find(m, key);

	BUILD_BUG_ON(offsetof(struct vmq_mcast_group, node) !=
		     offsetof(struct vmq_mcast_member, node));
	BUILD_BUG_ON(offsetof(struct vmq_mcast_group, key) !=
		     offsetof(struct vmq_mcast_member, key));
	if (g)
		return g;
	g = kzalloc(sizeof(*g), GFP_ATOMIC | __GFP_NOWARN);
	if (!g)
		return NULL;
	g->key = *key;
	g->key.slot = 0;
	INIT_LIST_HEAD(&g->members);
	if (rhashtable_insert_fast(&m->table, &g->node, vmq_mcast_params)) {
		kfree(g);
		return NULL;
	}
	return g;
}

static void vmq_mcast_group_put(struct vmq_mcast *m, struct vmq_mcast_group *g)
{
	struct vmq_mcast_set *set = vmq_mcast_deref(m, g->set);

	if (g->n)
		return;
	rhashtable_remove_fast(&m->table, &g->node, vmq_mcast_params);
	if (set)
		kfree_rcu(set, rcu);
	kfree_rcu(g, rcu);
}

/* Room for a slot in the set of a group. */
static int vmq_mcast_group_room(struct vmq_mcast *m, struct vmq_mcast_group *g,
				u32 slot)
{
	struct vmq_mcast_set *old = vmq_mcast_deref(m, g->set), *set;

	if (old && slot < old->size)
		return 0;
	set = vmq_mcast_set_alloc(max(m->top, slot));
	if (!set)
		return -ENOMEM;
	if (old)
		bitmap_copy(set->bits, old->bits, old->size);
	rcu_assign_pointer(g->set, set);
	if (old)
		kfree_rcu(old, rcu);
	return 0;
}

/**
 * vmq_mcast_member_del() - a port is not in a group any more
 * @m: the adapter's part
 * @member: the port in the group; it and a group that is empty are freed
 *
 * Context: m->lock held.
 */
void vmq_mcast_member_del(struct vmq_mcast *m, struct vmq_mcast_member *member)
{
	struct vmq_mcast_group *g = member->group;

	vmq_mcast_set_del(vmq_mcast_deref(m, g->set), member->key.slot);
	rhashtable_remove_fast(&m->table, &member->node, vmq_mcast_params);
	list_del(&member->of_group);
	list_del(&member->of_port);
	list_del(&member->of_time);
	list_del(&member->of_all);
	member->port->n--;
	m->n--;
	g->n--;
	vmq_mcast_group_put(m, g);
	kfree_rcu(member, rcu);
}

static int vmq_mcast_member_add(struct vmq_mcast *m, struct vmq_mcast_port *p,
				const struct vmq_mcast_key *key,
				unsigned long expires)
{
	struct vmq_mcast_member *member;
	struct vmq_mcast_group *g;

	if (p->n >= VMQ_MCAST_PORT_MAX || m->n >= VMQ_MCAST_MAX)
		return -ENOSPC;
	member = kzalloc(sizeof(*member), GFP_ATOMIC | __GFP_NOWARN);
	if (!member)
		return -ENOMEM;
	g = vmq_mcast_group_get(m, key);
	if (!g)
		goto err_member;
	if (vmq_mcast_group_room(m, g, key->slot))
		goto err_group;
	member->key = *key;
	if (rhashtable_insert_fast(&m->table, &member->node, vmq_mcast_params))
		goto err_group;
	member->group = g;
	member->port = p;
	member->serial = ++m->serial;
	member->expires = expires;
	list_add_tail(&member->of_group, &g->members);
	list_add_tail(&member->of_port, &p->members);
	list_add_tail(&member->of_time, &m->fresh);
	list_add_tail(&member->of_all, &m->members);
	g->n++;
	p->n++;
	m->n++;
	set_bit(key->slot, vmq_mcast_deref(m, g->set)->bits);
	vmq_mcast_wake(m, expires);
	return 0;

err_group:
	vmq_mcast_group_put(m, g);
err_member:
	kfree(member);
	return -ENOMEM;
}

/**
 * vmq_mcast_join() - a port is in a group, as its guest reports
 * @m: the adapter's part
 * @p: the port's
 * @group: the group; its slot is not looked at
 * @now: jiffies
 *
 * A port that can't be put into the table has all multicast frames for
 * VMQ_MCAST_MEMBER: see vmq_mcast_overflow().
 *
 * Context: m->lock held.
 * Return: 0, -ENODEV for a port that is not in the table, -ENOSPC where it has, or all
 * have, too many groups, -ENOMEM.
 */
int vmq_mcast_join(struct vmq_mcast *m, struct vmq_mcast_port *p,
		   const struct vmq_mcast_key *group, unsigned long now)
{
	struct vmq_mcast_key key = *group;
	struct vmq_mcast_member *member;
	int err;

	lockdep_assert_held(&m->lock);
	if (p->gone || !p->slot)
		return -ENODEV;
	key.slot = p->slot;
	member = rhashtable_lookup_fast(&m->table, &key, vmq_mcast_params);
	if (member) {
		member->expires = now + VMQ_MCAST_MEMBER;
		list_move_tail(&member->of_time, &m->fresh);
		return 0;
	}
	err = vmq_mcast_member_add(m, p, &key, now + VMQ_MCAST_MEMBER);
	if (err)
		vmq_mcast_overflow(m, p, now);
	return err;
}

/**
 * vmq_mcast_overflow() - a port has groups that the table has not
 * @m: the adapter's part
 * @p: the port's
 * @now: jiffies
 *
 * It has all multicast frames until the groups that it reports now would have expired,
 * and then until it is asked again.
 *
 * Context: m->lock held.
 */
void vmq_mcast_overflow(struct vmq_mcast *m, struct vmq_mcast_port *p,
			unsigned long now)
{
	lockdep_assert_held(&m->lock);
	p->overflows++;
	p->over = true;
	p->over_until = now + VMQ_MCAST_MEMBER;
	vmq_mcast_widen_all(m, p);
}

/**
 * vmq_mcast_router() - the guest of a port routes multicast: it has all of it
 * @m: the adapter's part
 * @p: the port's
 * @vid: in this VLAN
 * @v6: of IPv6, else IPv4
 * @now: jiffies
 *
 * Context: m->lock held.
 */
void vmq_mcast_router(struct vmq_mcast *m, struct vmq_mcast_port *p,
		      u16 vid, bool v6, unsigned long now)
{
	struct vmq_mcast_key key = { .vid = vid, .v6 = v6 };
	struct vmq_mcast_vlan *v;

	if (vmq_mcast_join(m, p, &key, now))
		return;
	v = xa_load(&m->vlans, vmq_mcast_vlan_id(vid, v6));
	if (v)
		vmq_mcast_widen(m, v, p);
}


// SPDX-License-Identifier: GPL-2.0
/*
 * Rules that name a context and a queue (ethtool -N ... context C action N): N is
 * added to the queue that the table says. Such a rule has a table of its own, made
 * from that of the context and following its changes, so that frames meet one
 * table, whatever the rule.
 */
#include <linux/slab.h>

#include "vmq_priv.h"

/* A table, with the same number added to each of its queues. */
struct vmq_rss_offset {
	struct vmq_spread spread;
	struct vmq_queue soft;		/* target of the rules */
	u32 add;
	u32 users;			/* rules, wherever their frames are led to */
	struct list_head node;		/* in spread->offsets of what it is made of */
};

/* The queues of the table @ids plus a number, if they may be used like these. */
static int vmq_rss_offset_ids(struct vmq_adapter *a, const struct vmq_spread *s,
			      u32 add, const u32 *ids, u32 *shifted, u32 size,
			      const struct vmq_port *port,
			      struct netlink_ext_ack *extack)
{
	struct vmq_port *owner;
	u32 i;
	int err;

	for (i = 0; i < size; i++)
		shifted[i] = ids[i] + add;
	err = vmq_rss_check(a, s, shifted, size, &owner, extack);
	if (!err && owner != port) {
		NL_SET_ERR_MSG_FMT(extack, "a table plus %u leaves the queues of its port",
				   add);
		err = -EBUSY;
	}
	return err;
}

static int vmq_rss_offset_build(struct vmq_adapter *a, struct vmq_rss_offset *o,
				const u32 *ids, u32 size,
				const struct vmq_port *port,
				const struct vmq_rss_change *change,
				struct netlink_ext_ack *extack)
{
	u32 *shifted;
	int err;

	shifted = kvmalloc_array(size, sizeof(*shifted), GFP_KERNEL);
	if (!shifted)
		return -ENOMEM;
	err = vmq_rss_offset_ids(a, &o->spread, o->add, ids, shifted, size, port,
				 extack);
	if (!err)
		err = vmq_rss_build(a, &o->spread, shifted, port, change,
				    extack);
	kvfree(shifted);
	return err;
}

/**
 * vmq_rss_offsets_build() - makes the next tables of the rules that add
 * @a: the adapter
 * @s: the context, or the adapter's own table
 * @ids: its queues, as they are to be
 * @port: the port that has them, or NULL
 * @change: another key or other fields, or NULL
 * @extack: says why not
 *
 * Context: Process context, adapter->lock held.
 * Return: 0, or the errors of vmq_rss_change() with nothing made.
 */
int vmq_rss_offsets_build(struct vmq_adapter *a, struct vmq_spread *s,
			  const u32 *ids, const struct vmq_port *port,
			  const struct vmq_rss_change *change,
			  struct netlink_ext_ack *extack)
{
	u32 size = vmq_spread_rss(a, s)->size;
	struct vmq_rss_offset *o;
	int err;

	list_for_each_entry(o, &s->offsets, node) {
		err = vmq_rss_offset_build(a, o, ids, size, port, change,
					   extack);
		if (err)
			goto undo;
	}
	return 0;

undo:
	list_for_each_entry_continue_reverse(o, &s->offsets, node) {
		vmq_rss_drop(o->spread.next);
		o->spread.next = NULL;
	}
	return err;
}

/**
 * vmq_rss_offsets_publish() - puts the tables in place that were made
 * @a: the adapter
 * @s: the context, or the adapter's own table
 * @port: the port that has the queues, or NULL
 *
 * Context: Process context, sleeps; adapter->lock held.
 */
void vmq_rss_offsets_publish(struct vmq_adapter *a, struct vmq_spread *s,
			     struct vmq_port *port)
{
	struct vmq_rss_offset *o;

	list_for_each_entry(o, &s->offsets, node) {
		vmq_rss_publish(a, &o->spread);
		rcu_assign_pointer(o->soft.port, port);
	}
}

static void vmq_rss_offset_destroy(struct vmq_adapter *a,
				   struct vmq_rss_offset *o)
{
	vmq_rss_drop(vmq_spread_rss(a, &o->spread));
	kfree(o);
}

static struct vmq_rss_offset *vmq_rss_offset_new(struct vmq_adapter *a,
						 struct vmq_spread *s, u32 add,
						 struct netlink_ext_ack *extack)
{
	const struct vmq_rss *base = vmq_spread_rss(a, s);
	struct vmq_rss_offset *o;
	struct vmq_port *port;
	struct vmq_rss *rss;
	u32 *ids, i;
	int err;

	o = kzalloc(sizeof(*o), GFP_KERNEL_ACCOUNT);
	rss = vmq_rss_alloc(base->size);
	ids = kvmalloc_array(base->size, sizeof(*ids), GFP_KERNEL);
	err = -ENOMEM;
	if (!o || !rss || !ids)
		goto free;
	o->add = add;
	vmq_rss_init_soft(a, &o->spread, &o->soft);
	rss->hash = base->hash;
	RCU_INIT_POINTER(o->soft.rss, rss);
	for (i = 0; i < base->size; i++)
		ids[i] = base->table[i]->id;
	port = rcu_dereference_protected(s->soft->port,
					 lockdep_is_held(&a->lock));
	err = vmq_rss_offset_build(a, o, ids, base->size, port, NULL, extack);
	if (err)
		goto free;
	/* frees the empty one */
	vmq_rss_publish(a, &o->spread);
	rcu_assign_pointer(o->soft.port, port);
	list_add_tail(&o->node, &s->offsets);
	kvfree(ids);
	return o;

free:
	kvfree(ids);
	kvfree(rss);
	kfree(o);
	return ERR_PTR(err);
}

/**
 * vmq_rss_offset_get() - the target of a rule with a context and a queue
 * @a: the adapter
 * @id: of the context; 0 is the adapter's own table
 * @add: what is added to each queue of its table, not 0
 * @extack: says why not
 *
 * Context: Process context, sleeps; rtnl and adapter->lock held.
 * Return: the target, for vmq_rss_offset_put(); -EINVAL if there is no such
 * context, or a queue that does not exist, -EBUSY for one that somebody has, or
 * -ENOMEM.
 */
struct vmq_queue *vmq_rss_offset_get(struct vmq_adapter *a, u32 id, u32 add,
				     struct netlink_ext_ack *extack)
{
	struct vmq_rss_ctx *ctx = id ? vmq_rss_ctx_find(a, id) : NULL;
	struct vmq_spread *s = ctx ? &ctx->spread : &a->spread;
	struct vmq_rss_offset *o;

	if (id && !ctx) {
		NL_SET_ERR_MSG_FMT(extack, "there is no RSS context %u", id);
		return ERR_PTR(-EINVAL);
	}
	if (add >= a->dev->real_num_rx_queues) {
		NL_SET_ERR_MSG_FMT(extack, "queue %u is not switched on", add);
		return ERR_PTR(-EINVAL);
	}
	list_for_each_entry(o, &s->offsets, node)
		if (o->add == add)
			goto found;
	o = vmq_rss_offset_new(a, s, add, extack);
	if (IS_ERR(o))
		return ERR_CAST(o);
found:
	o->users++;
	return &o->soft;
}

/**
 * vmq_rss_offset_put() - a rule does not use its target any more
 * @q: what vmq_rss_offset_get() returned
 * @gone: where it goes with its last rule, for vmq_rss_offset_free() after a
 *	grace period
 *
 * Context: Process context, adapter->lock held.
 */
void vmq_rss_offset_put(struct vmq_queue *q, struct list_head *gone)
{
	struct vmq_rss_offset *o = container_of(q, struct vmq_rss_offset, soft);

	if (--o->users)
		return;
	list_del(&o->node);
	list_add_tail(&q->gone, gone);
}

/**
 * vmq_rss_offset_free() - frees a target that no frame meets any more
 * @q: the target
 *
 * Context: Process context, sleeps; adapter->lock held.
 */
void vmq_rss_offset_free(struct vmq_queue *q)
{
	vmq_rss_offset_destroy(q->adapter,
			       container_of(q, struct vmq_rss_offset, soft));
}

/**
 * vmq_rss_offset_nth() - targets that are made of one table
 * @s: the context
 * @n: which of them; what is left of it where there are not so many
 *
 * Context: Process context, rtnl held.
 * Return: the target, or NULL.
 */
struct vmq_queue *vmq_rss_offset_nth(const struct vmq_spread *s, u32 *n)
{
	struct vmq_rss_offset *o;

	list_for_each_entry(o, &s->offsets, node)
		if (!(*n)--)
			return &o->soft;
	return NULL;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Tables of receive side scaling: who has one, which queues it may name, and how
 * it is changed. The hash is rss_hash.c, what users see of it ethtool_rss.c.
 *
 * A table of the adapter or of a context names queues that nobody claimed: no
 * port, no VF, no owner over netlink. It holds them, as a filter does, so nobody
 * gets them. A table that nobody set by hand holds no queue against a claim: it
 * follows, and is over what is left. A port's table is over its own queues.
 */
#include <linux/etherdevice.h>
#include <linux/slab.h>

#include "vmq_priv.h"

/* ---- data path ---- */

/*
 * A tap with several readers picks one by the hash of the frame: give it one
 * that picks the reader of this queue.
 */
static void vmq_rss_mark(const struct vmq_queue *q, struct sk_buff *skb,
			 u32 hash)
{
	const struct vmq_port *port = rcu_dereference(q->port);
	u32 n = port ? READ_ONCE(port->tap.numvtaps) : 0;

	if (n < 2)
		return;
	hash >>= 1;	/* room for what is added */
	hash += n - hash % n + q->index % n;
	skb_set_hash(skb, hash, PKT_HASH_TYPE_L4);
}

/**
 * vmq_rss_pick() - the queue that a table gives a frame (V-37, V-39)
 * @rss: the table
 * @skb: the frame, data at the network header, its tag in the metadata
 *
 * Context: RCU read side, BH off.
 * Return: the queue.
 */
struct vmq_queue *vmq_rss_pick(const struct vmq_rss *rss, struct sk_buff *skb)
{
	struct vmq_queue *q = rss->dflt;
	struct vmq_key key;
	u32 hash = 0;

	vmq_key_from_skb(skb, &key, true);
	if (vmq_rss_hash(&rss->hash, &key, &hash))
		q = rss->table[hash & (rss->size - 1)];
	vmq_rss_mark(q, skb, hash);
	return q;
}

/* ---- tables ---- */

/**
 * vmq_spread_rss() - the present table
 * @a: the adapter
 * @s: what has the table
 *
 * Context: Process context, adapter->lock held.
 * Return: the table.
 */
struct vmq_rss *vmq_spread_rss(const struct vmq_adapter *a,
			       const struct vmq_spread *s)
{
	return rcu_dereference_protected(s->soft->rss,
					 lockdep_is_held(&a->lock));
}

static struct vmq_port *vmq_spread_port(const struct vmq_adapter *a,
					const struct vmq_spread *s)
{
	return rcu_dereference_protected(s->soft->port,
					 lockdep_is_held(&a->lock));
}

/**
 * vmq_queue_claimed() - has somebody a queue: a port, a VF, an owner?
 * @q: the queue, or NULL for an id that was never used
 *
 * Rules of the administrator and tables claim nothing.
 *
 * Context: Process context, adapter->lock held.
 * Return: true if somebody has.
 */
bool vmq_queue_claimed(const struct vmq_queue *q)
{
	return q && q->id && q->state != VMQ_QUEUE_STATE_UNDEFINED &&
	       !q->implicit;
}

static u32 vmq_rss_table_size(u32 queues)
{
	return max_t(u32, VMQ_RSS_TABLE_MIN, roundup_pow_of_two(queues));
}

/**
 * vmq_rss_alloc() - a table without entries
 * @size: entries that there is room for
 *
 * Context: Process context.
 * Return: the table, or NULL.
 */
struct vmq_rss *vmq_rss_alloc(u32 size)
{
	struct vmq_rss *rss;

	rss = kvzalloc(size_add(struct_size(rss, table, size),
				size * sizeof(*rss->held)),
		       GFP_KERNEL_ACCOUNT);
	if (!rss)
		return NULL;
	rss->size = size;
	rss->held = (void *)&rss->table[size];
	return rss;
}

/* Makes a queue take frames for a table. */
static int vmq_queue_hold(struct vmq_adapter *a, u32 id, struct vmq_queue **out)
{
	struct vmq_queue *q = vmq_queue_find(a, id);
	int err = 0;

	if (!q || q->state == VMQ_QUEUE_STATE_UNDEFINED)
		err = vmq_queue_alloc_id(a, id, &q);
	if (!err && id)
		err = vmq_queue_event(q, VMQ_QEV_SET_FILTER);
	/* nobody else completes it */
	if (!err && id && q->state == VMQ_QUEUE_STATE_SET)
		err = vmq_queue_event(q, VMQ_QEV_COMPLETE);
	if (err)
		return err;
	q->spreads++;
	*out = q;
	return 0;
}

/* Takes that back; true if the queue has to be freed. */
static bool vmq_queue_release(struct vmq_queue *q)
{
	q->spreads--;
	if (!q->id)
		return false;
	vmq_queue_event(q, vmq_queue_used(q) ? VMQ_QEV_CLEAR_FILTER :
					       VMQ_QEV_CLEAR_LAST_FILTER);
	return !vmq_queue_used(q) && q->implicit;
}

/**
 * vmq_rss_drop() - frees a table that was replaced
 * @rss: the table, that no frame meets any more but those that are under way
 *
 * A queue that goes with it stops when these have arrived, else they would be
 * lost.
 *
 * Context: Process context, sleeps; adapter->lock held.
 */
void vmq_rss_drop(struct vmq_rss *rss)
{
	u32 i, n = 0;

	/* those that nothing else needs go to the front */
	for (i = 0; i < rss->n_held; i++) {
		if (rss->held[i]->spreads == 1 && rss->held[i]->id &&
		    !rss->held[i]->filters) {
			swap(rss->held[i], rss->held[n]);
			n++;
		}
	}
	if (n)
		vmq_queue_settle(rss->held, n);
	n = 0;
	for (i = 0; i < rss->n_held; i++)
		if (vmq_queue_release(rss->held[i]))
			rss->held[n++] = rss->held[i];
	vmq_queue_free(rss->held, n);
	kvfree_rcu(rss, rcu);
}

/* Fills the table; @ids are known to exist and to be free for it. */
static int vmq_rss_fill(struct vmq_adapter *a, struct vmq_rss *rss,
			const u32 *ids, const struct vmq_port *port,
			struct netlink_ext_ack *extack)
{
	unsigned long *seen;
	struct vmq_queue *q;
	int err = 0;
	u32 i;

	seen = bitmap_zalloc(a->max_queues, GFP_KERNEL);
	if (!seen)
		return -ENOMEM;
	for (i = 0; i < rss->size; i++) {
		if (!port && !__test_and_set_bit(ids[i], seen)) {
			err = vmq_queue_hold(a, ids[i], &q);
			if (err) {
				NL_SET_ERR_MSG_FMT(extack, "queue %u can't be used now",
						   ids[i]);
				break;
			}
			rss->held[rss->n_held++] = q;
		}
		rss->table[i] = vmq_queue_find(a, ids[i]);
	}
	bitmap_free(seen);
	return err;
}

/**
 * vmq_rss_build() - makes the next table: the present one with these changes
 * @a: the adapter
 * @s: what has the table; its next one is set
 * @ids: the queues, known to exist and to be free for it
 * @port: the port that has them, or NULL
 * @change: another key or other fields, or NULL
 * @extack: says why not
 *
 * Context: Process context, adapter->lock held.
 * Return: 0, -EBUSY for a queue that is being freed, or -ENOMEM.
 */
int vmq_rss_build(struct vmq_adapter *a, struct vmq_spread *s,
		  const u32 *ids, const struct vmq_port *port,
		  const struct vmq_rss_change *change,
		  struct netlink_ext_ack *extack)
{
	const struct vmq_rss *old = vmq_spread_rss(a, s);
	struct vmq_rss *rss = vmq_rss_alloc(old->size);
	int err;

	if (!rss)
		return -ENOMEM;
	rss->hash = old->hash;
	if (change && change->key)
		vmq_rss_hash_key(&rss->hash, change->key);
	if (change && change->fields)
		memcpy(rss->hash.fields, change->fields,
		       sizeof(rss->hash.fields));
	err = vmq_rss_fill(a, rss, ids, port, extack);
	if (err) {
		vmq_rss_drop(rss);
		return err;
	}
	/* frames without a hash are the default queue's, as before */
	rss->dflt = s == &a->spread ? vmq_queue_find(a, 0) : rss->table[0];
	if (port && s == &port->spread)
		rss->dflt = port->queue[0];
	s->next = rss;
	return 0;
}

/**
 * vmq_rss_publish() - puts the next table in place
 * @a: the adapter
 * @s: what has the table
 *
 * One pointer is swapped, so that no frame is lost (V-41).
 *
 * Context: Process context, sleeps; adapter->lock held.
 */
void vmq_rss_publish(struct vmq_adapter *a, struct vmq_spread *s)
{
	struct vmq_rss *old = vmq_spread_rss(a, s);
	struct vmq_rss *rss = s->next;

	s->next = NULL;
	rcu_assign_pointer(s->soft->rss, rss);
	if (s == &a->spread)
		rcu_assign_pointer(a->rss,
				   rss->n_held == 1 && !rss->held[0]->id ?
				   NULL : rss);
	vmq_rss_drop(old);
}

/* ---- changes ---- */

/**
 * vmq_rss_check() - may the table of an adapter or context name these queues?
 * @a: the adapter
 * @s: what has the table
 * @ids: the queues
 * @size: how many there are
 * @port: set to the port that has them, or NULL
 * @extack: says why not
 *
 * Context: Process context, rtnl and adapter->lock held.
 * Return: 0, -EINVAL for a queue that is not switched on, or -EBUSY for one that
 * the table can't have.
 */
int vmq_rss_check(struct vmq_adapter *a, const struct vmq_spread *s,
		  const u32 *ids, u32 size, struct vmq_port **port,
		  struct netlink_ext_ack *extack)
{
	struct vmq_port *first = NULL, *owner;
	struct vmq_queue *q;
	u32 i;

	for (i = 0; i < size; i++) {
		if (ids[i] >= a->dev->real_num_rx_queues) {
			NL_SET_ERR_MSG_FMT(extack, "queue %u is not switched on",
					   ids[i]);
			return -EINVAL;
		}
		q = vmq_queue_find(a, ids[i]);
		owner = NULL;
		if (vmq_queue_claimed(q))
			owner = rcu_dereference_protected(q->port,
							  lockdep_is_held(&a->lock));
		if (!i)
			first = owner;
		if (vmq_queue_claimed(q) && (s == &a->spread || !owner)) {
			NL_SET_ERR_MSG_FMT(extack, "queue %u is in use%s%s",
					   ids[i], owner ? " by " : "",
					   owner ? owner->dev->name : "");
			return -EBUSY;
		}
		if (owner != first) {
			NL_SET_ERR_MSG(extack, "a context is over queues of one port, or of none");
			return -EBUSY;
		}
	}
	*port = first;
	return 0;
}

/**
 * vmq_rss_is_default() - the table that ethtool makes up where users want none
 * @ids: the queues
 * @size: how many there are
 * @count: queues that the netdev has
 *
 * Context: Any.
 * Return: true if it is that.
 */
bool vmq_rss_is_default(const u32 *ids, u32 size, u32 count)
{
	u32 i;

	for (i = 0; i < size; i++)
		if (ids[i] != ethtool_rxfh_indir_default(i, count))
			return false;
	return true;
}

/* Translates the table that is asked for; @ids has room for it. */
static int vmq_rss_table(struct vmq_adapter *a, const struct vmq_spread *s,
			 const u32 *table, u32 *ids, u32 size, bool *follows,
			 struct vmq_port **port,
			 struct netlink_ext_ack *extack)
{
	struct vmq_port *own = vmq_spread_port(a, s);
	u32 count = a->dev->real_num_rx_queues;
	u32 i;

	if (own && s == &own->spread) {
		*port = own;
		for (i = 0; i < size; i++) {
			if (table[i] >= own->n_queues) {
				NL_SET_ERR_MSG_FMT(extack, "%s has %u queues",
						   own->dev->name,
						   own->n_queues);
				return -EINVAL;
			}
			ids[i] = own->queue[table[i]]->id;
		}
		*follows = vmq_rss_is_default(table, size, own->n_queues);
		return 0;
	}
	*follows = s == &a->spread && vmq_rss_is_default(table, size, count);
	if (*follows) {
		*port = NULL;
		vmq_rss_unclaimed(a, ids, size, count, VMQ_NO_QUEUE);
		return 0;
	}
	memcpy(ids, table, array_size(size, sizeof(*ids)));
	return vmq_rss_check(a, s, ids, size, port, extack);
}

/**
 * vmq_rss_is_named() - does a rule lead to a table?
 * @s: what has the table
 *
 * Context: Process context, rtnl held.
 * Return: true if one does, at once or when the path of its port ends.
 */
bool vmq_rss_is_named(const struct vmq_spread *s)
{
	return s->soft->filters || vmq_filter_away(s->soft) ||
	       !list_empty(&s->offsets);
}

/**
 * vmq_rss_change() - changes a table, its key or the fields that are hashed
 * @a: the adapter
 * @s: what has the table
 * @change: what is to be another
 * @extack: says why not
 *
 * Frames meet the old table or the new one, never anything between.
 *
 * Context: Process context, sleeps, rtnl held; takes adapter->lock.
 * Return: 0; -EINVAL for a queue that does not exist, -EBUSY for one that
 * somebody has, or that is another port's while rules name the context, or
 * -ENOMEM. Nothing changed then.
 */
int vmq_rss_change(struct vmq_adapter *a, struct vmq_spread *s,
		   const struct vmq_rss_change *change,
		   struct netlink_ext_ack *extack)
{
	struct vmq_port *old, *port;
	const struct vmq_rss *rss;
	bool follows;
	u32 *ids, i;
	int err = 0;

	mutex_lock(&a->lock);
	rss = vmq_spread_rss(a, s);
	follows = s->follows;
	old = vmq_spread_port(a, s);
	port = old;
	err = -ENOMEM;
	ids = kvmalloc_array(rss->size, sizeof(*ids), GFP_KERNEL);
	if (!ids)
		goto unlock;
	err = 0;
	if (change->table)
		err = vmq_rss_table(a, s, change->table, ids, rss->size,
				    &follows, &port, extack);
	else
		for (i = 0; i < rss->size; i++)
			ids[i] = rss->table[i]->id;
	if (!err && port != old && vmq_rss_is_named(s)) {
		NL_SET_ERR_MSG(extack, "rules name the context, and other ports have these queues");
		err = -EBUSY;
	}
	if (!err)
		err = vmq_rss_build(a, s, ids, port, change, extack);
	if (err)
		goto free;
	err = vmq_rss_offsets_build(a, s, ids, port, change, extack);
	if (err) {
		vmq_rss_drop(s->next);
		s->next = NULL;
		goto free;
	}
	s->follows = follows;
	vmq_rss_publish(a, s);
	rcu_assign_pointer(s->soft->port, port);
	vmq_rss_offsets_publish(a, s, port);
free:
	kvfree(ids);
unlock:
	mutex_unlock(&a->lock);
	return err;
}

/**
 * vmq_rss_get() - reads a table
 * @a: the adapter
 * @s: what has the table
 * @table: set to the queues, as ethtool counts them, or NULL
 * @hash: set to the hash, or NULL
 *
 * Context: Process context, rtnl held; takes adapter->lock.
 */
void vmq_rss_get(struct vmq_adapter *a, const struct vmq_spread *s,
		 u32 *table, struct vmq_rss_hash *hash)
{
	const struct vmq_rss *rss;
	struct vmq_port *port;
	bool own;
	u32 i;

	mutex_lock(&a->lock);
	rss = vmq_spread_rss(a, s);
	port = vmq_spread_port(a, s);
	own = port && s == &port->spread;
	for (i = 0; table && i < rss->size; i++)
		table[i] = own ? rss->table[i]->index : rss->table[i]->id;
	if (hash)
		*hash = rss->hash;
	mutex_unlock(&a->lock);
}

/**
 * vmq_rss_size() - entries of a table
 * @a: the adapter
 * @s: what has the table
 *
 * Context: Process context, rtnl held; takes adapter->lock.
 * Return: the number; it never changes.
 */
u32 vmq_rss_size(struct vmq_adapter *a, const struct vmq_spread *s)
{
	u32 size;

	mutex_lock(&a->lock);
	size = vmq_spread_rss(a, s)->size;
	mutex_unlock(&a->lock);
	return size;
}

/* ---- life ---- */

/**
 * vmq_rss_init_soft() - makes what stands for a table as the target of filters
 * @a: the adapter, with its default queue, whose counters it has
 * @s: what has the table
 * @soft: what stands for it
 *
 * Context: Process context, adapter->lock held.
 */
void vmq_rss_init_soft(struct vmq_adapter *a, struct vmq_spread *s,
		       struct vmq_queue *soft)
{
	vmq_queue_setup(soft, a);
	soft->stats = vmq_queue_find(a, 0)->stats;
	soft->state = VMQ_QUEUE_STATE_RUNNING;
	INIT_LIST_HEAD(&soft->rules);
	INIT_LIST_HEAD(&soft->gone);
	INIT_LIST_HEAD(&s->offsets);
	s->soft = soft;
}

/**
 * vmq_rss_first() - the table that an adapter or a port begins with
 * @queues: most queues that it can have
 *
 * Context: Process context.
 * Return: the table, with a random key and without entries, or NULL.
 */
struct vmq_rss *vmq_rss_first(u32 queues)
{
	struct vmq_rss *rss = vmq_rss_alloc(vmq_rss_table_size(queues));
	u8 key[VMQ_RSS_KEY_LEN];

	if (!rss)
		return NULL;
	netdev_rss_key_fill(key, sizeof(key));
	vmq_rss_hash_key(&rss->hash, key);
	vmq_rss_hash_defaults(&rss->hash);
	return rss;
}

/**
 * vmq_rss_init() - makes an adapter's table: all to the default queue
 * @a: the adapter, with its default queue
 *
 * Context: Process context.
 * Return: 0 or -ENOMEM.
 */
int vmq_rss_init(struct vmq_adapter *a)
{
	struct vmq_rss *rss = vmq_rss_first(a->max_queues);
	u32 i;

	INIT_LIST_HEAD(&a->rss_ctxs);
	if (!rss)
		return -ENOMEM;
	mutex_lock(&a->lock);
	vmq_rss_init_soft(a, &a->spread, &a->soft);
	rss->dflt = vmq_queue_find(a, 0);
	for (i = 0; i < rss->size; i++)
		rss->table[i] = rss->dflt;
	rss->dflt->spreads++;
	rss->held[rss->n_held++] = rss->dflt;
	RCU_INIT_POINTER(a->soft.rss, rss);
	mutex_unlock(&a->lock);
	return 0;
}

/**
 * vmq_rss_destroy() - frees what vmq_rss_init() made
 * @a: the adapter; no frame can reach it any more
 *
 * Context: Process context.
 */
void vmq_rss_destroy(struct vmq_adapter *a)
{
	kvfree(rcu_dereference_protected(a->soft.rss, 1));
	RCU_INIT_POINTER(a->soft.rss, NULL);
}

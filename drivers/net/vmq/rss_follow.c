// SPDX-License-Identifier: GPL-2.0
/*
 * Tables of receive side scaling that nobody set by hand: they are over all queues
 * that nobody claims, and follow what becomes of these.
 */
#include <linux/slab.h>

#include "vmq_priv.h"

/* Was the table set by hand? The core knows, for that of the adapter. */
static bool vmq_spread_follows(const struct vmq_adapter *a,
			       const struct vmq_spread *s)
{
	return s->follows &&
	       (s != &a->spread || !netif_is_rxfh_configured(a->dev));
}

/**
 * vmq_rss_unclaimed() - fills a table with the queues that nobody claims
 * @a: the adapter
 * @ids: the table
 * @size: entries of it
 * @count: queues that are switched on
 * @except: one that is not to be in it, or VMQ_NO_QUEUE
 *
 * Context: Process context, adapter->lock held.
 */
void vmq_rss_unclaimed(struct vmq_adapter *a, u32 *ids, u32 size, u32 count,
		       u32 except)
{
	u32 id, n = 0, i;

	for (id = 0; id < count && n < size; id++)
		if (id != except && !vmq_queue_claimed(vmq_queue_find(a, id)))
			ids[n++] = id;
	for (i = n; i < size; i++)
		ids[i] = ids[i - n];
}

/* What ethtool shows of a context is the core's copy. */
static void vmq_rss_show(struct vmq_adapter *a, struct vmq_spread *s)
{
	const struct vmq_rss *rss = vmq_spread_rss(a, s);
	struct vmq_rss_ctx *ctx;
	u32 *indir, i;

	if (s == &a->spread)
		return;
	ctx = container_of(s, struct vmq_rss_ctx, spread);
	indir = ethtool_rxfh_context_indir(ctx->core);
	for (i = 0; i < rss->size; i++)
		indir[i] = rss->table[i]->id;
}

static int vmq_rss_refollow(struct vmq_adapter *a, u32 count, u32 except)
{
	u32 size = vmq_spread_rss(a, &a->spread)->size;
	struct vmq_spread *s;
	u32 *ids = NULL;
	int err = 0;

	lockdep_assert_held(&a->lock);
	for (s = &a->spread; s; s = vmq_spread_next(a, s)) {
		if (!vmq_spread_follows(a, s))
			continue;
		if (!ids) {
			ids = kvmalloc_array(size, sizeof(*ids), GFP_KERNEL);
			if (!ids)
				return -ENOMEM;
			vmq_rss_unclaimed(a, ids, size, count, except);
		}
		err = vmq_rss_build(a, s, ids, NULL, NULL, NULL);
		if (err)
			break;
	}
	for (s = &a->spread; s; s = vmq_spread_next(a, s)) {
		if (!s->next)
			continue;
		if (err) {
			vmq_rss_drop(s->next);
			s->next = NULL;
			continue;
		}
		vmq_rss_publish(a, s);
		vmq_rss_show(a, s);
	}
	kvfree(ids);
	return err;
}

/**
 * vmq_rss_resize() - makes following tables span another number of queues
 * @a: the adapter
 * @count: the number, the default queue included
 *
 * Context: Process context, adapter->lock and rtnl held.
 * Return: 0, or -ENOMEM with all tables as they were.
 */
int vmq_rss_resize(struct vmq_adapter *a, u32 count)
{
	return vmq_rss_refollow(a, count, VMQ_NO_QUEUE);
}

/**
 * vmq_rss_unclaim() - makes following tables take up queues that became free
 * @a: the adapter
 *
 * Where there is no memory they stay as they are, which is no less right.
 *
 * Context: Process context, adapter->lock and rtnl held.
 */
void vmq_rss_unclaim(struct vmq_adapter *a)
{
	vmq_rss_refollow(a, a->dev->real_num_rx_queues, VMQ_NO_QUEUE);
}

static bool vmq_rss_has(const struct vmq_rss *rss, const struct vmq_queue *q)
{
	u32 i;

	for (i = 0; i < rss->n_held; i++)
		if (rss->held[i] == q)
			return true;
	return false;
}

/**
 * vmq_rss_yields() - may a queue be claimed although tables name it?
 * @q: the queue
 *
 * Context: Process context, adapter->lock and rtnl held.
 * Return: true if nothing but tables that follow have it.
 */
bool vmq_rss_yields(const struct vmq_queue *q)
{
	struct vmq_adapter *a = q->adapter;
	struct vmq_spread *s;
	u32 n = 0;

	if (!q->spreads || !q->implicit || q->filters)
		return false;
	for (s = &a->spread; s; s = vmq_spread_next(a, s))
		if (vmq_spread_follows(a, s) &&
		    vmq_rss_has(vmq_spread_rss(a, s), q))
			n++;
	return n == q->spreads;
}

/**
 * vmq_rss_claimable() - the lowest queue that can be had from tables
 * @a: the adapter
 * @limit: where to stop, such as the lowest free queue
 *
 * Context: Process context, adapter->lock and rtnl held.
 * Return: id of a queue for which vmq_rss_yields() is true, or @limit.
 */
u32 vmq_rss_claimable(struct vmq_adapter *a, u32 limit)
{
	struct vmq_spread *s;
	struct vmq_queue *q;
	u32 id;

	for (s = &a->spread; s; s = vmq_spread_next(a, s))
		if (vmq_spread_follows(a, s))
			break;
	if (!s)
		return limit;
	for (id = 1; id < limit; id++) {
		q = vmq_queue_find(a, id);
		if (q && vmq_rss_yields(q))
			return id;
	}
	return limit;
}

/**
 * vmq_rss_yield() - takes a queue out of the tables that follow
 * @q: a queue for which vmq_rss_yields() is true
 *
 * Context: Process context, sleeps; adapter->lock and rtnl held.
 * Return: 0, the queue in state Undefined, or -ENOMEM with nothing changed.
 */
int vmq_rss_yield(struct vmq_queue *q)
{
	return vmq_rss_refollow(q->adapter,
				q->adapter->dev->real_num_rx_queues, q->id);
}


// SPDX-License-Identifier: GPL-2.0
/*
 * RSS contexts (VMMQ): tables that rules name, over queues that nobody claims or
 * over those of one port.
 */
#include <linux/slab.h>

#include "vmq_priv.h"

/**
 * vmq_spread_next() - goes through what has a table, but for the ports
 * @a: the adapter
 * @s: where to go on; the adapter's own table is the first
 *
 * Context: Process context, rtnl held.
 * Return: the next context's, or NULL.
 */
struct vmq_spread *vmq_spread_next(struct vmq_adapter *a, struct vmq_spread *s)
{
	struct vmq_rss_ctx *ctx;

	if (s == &a->spread)
		ctx = list_first_entry(&a->rss_ctxs, struct vmq_rss_ctx, node);
	else
		ctx = list_next_entry(container_of(s, struct vmq_rss_ctx,
						   spread), node);
	return list_entry_is_head(ctx, &a->rss_ctxs, node) ? NULL :
							     &ctx->spread;
}

/**
 * vmq_rss_ctx_find() - the RSS context with an id
 * @a: the adapter
 * @id: the id, not 0
 *
 * Context: Process context, rtnl held.
 * Return: the context, or NULL.
 */
struct vmq_rss_ctx *vmq_rss_ctx_find(struct vmq_adapter *a, u32 id)
{
	struct vmq_rss_ctx *ctx;

	ASSERT_RTNL();
	list_for_each_entry(ctx, &a->rss_ctxs, node)
		if (ctx->id == id)
			return ctx;
	return NULL;
}

/**
 * vmq_rss_target() - what a rule with an RSS context names
 * @a: the adapter
 * @id: of the context; 0 is the adapter's own table
 *
 * Context: Process context, rtnl held.
 * Return: the target, or NULL if there is no such context.
 */
struct vmq_queue *vmq_rss_target(struct vmq_adapter *a, u32 id)
{
	struct vmq_rss_ctx *ctx = id ? vmq_rss_ctx_find(a, id) : NULL;

	if (!id)
		return &a->soft;
	return ctx ? &ctx->soft : NULL;
}

/**
 * vmq_rss_ctx_new() - makes an RSS context
 * @a: the adapter
 * @id: its id
 * @core: what ethtool knows of it
 * @change: table and key; where they are missing, over all unclaimed queues,
 *	and the adapter's key
 * @extack: says why not
 *
 * Context: Process context, rtnl held; takes adapter->lock.
 * Return: the context, or the errors of vmq_rss_change().
 */
struct vmq_rss_ctx *vmq_rss_ctx_new(struct vmq_adapter *a, u32 id,
				    struct ethtool_rxfh_context *core,
				    const struct vmq_rss_change *change,
				    struct netlink_ext_ack *extack)
{
	struct vmq_rss *rss, *main;
	struct vmq_rss_ctx *ctx;
	int err;

	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL_ACCOUNT);
	if (!ctx)
		return ERR_PTR(-ENOMEM);
	ctx->id = id;
	ctx->core = core;
	mutex_lock(&a->lock);
	vmq_rss_init_soft(a, &ctx->spread, &ctx->soft);
	main = vmq_spread_rss(a, &a->spread);
	rss = vmq_rss_alloc(main->size);
	if (rss) {
		rss->hash = main->hash;
		vmq_rss_unclaimed(a, ethtool_rxfh_context_indir(core),
				  rss->size, a->dev->real_num_rx_queues,
				  VMQ_NO_QUEUE);
		RCU_INIT_POINTER(ctx->soft.rss, rss);
	}
	mutex_unlock(&a->lock);
	err = -ENOMEM;
	if (rss) {
		struct vmq_rss_change all = *change;

		/* until then its table is empty; no rule can name it yet */
		if (!all.table)
			all.table = ethtool_rxfh_context_indir(core);
		err = vmq_rss_change(a, &ctx->spread, &all, extack);
	}
	if (err) {
		kvfree(rss);
		kfree(ctx);
		return ERR_PTR(err);
	}
	ctx->spread.follows = !change->table;
	list_add_tail(&ctx->node, &a->rss_ctxs);
	return ctx;
}

/**
 * vmq_rss_ctx_del() - deletes an RSS context
 * @a: the adapter
 * @ctx: the context, that no rule names
 *
 * Context: Process context, sleeps, rtnl held; takes adapter->lock.
 */
void vmq_rss_ctx_del(struct vmq_adapter *a, struct vmq_rss_ctx *ctx)
{
	struct vmq_rss *rss;

	list_del(&ctx->node);
	mutex_lock(&a->lock);
	rss = vmq_spread_rss(a, &ctx->spread);
	vmq_rss_drop(rss);
	mutex_unlock(&a->lock);
	/* frames of the last rule may be in the middle of it */
	synchronize_net();
	kfree(ctx);
}

/**
 * vmq_rss_ctx_flush() - deletes the RSS contexts over the queues of a port
 * @port: the port, about to go; no filter has it as its target any more
 *
 * What they spread over is gone, and their filters with it.
 *
 * Context: Process context, sleeps, rtnl held; takes adapter->lock.
 */
void vmq_rss_ctx_flush(struct vmq_port *port)
{
	struct vmq_adapter *a = port->adapter;
	struct vmq_rss_ctx *ctx, *next;

	list_for_each_entry_safe(ctx, next, &a->rss_ctxs, node) {
		if (rtnl_dereference(ctx->soft.port) != port)
			continue;
		ethtool_rxfh_context_lost(a->dev, ctx->id);
		vmq_rss_ctx_del(a, ctx);
	}
}

/**
 * vmq_rss_port_target() - contexts over the queues of a port, as targets
 * @port: the port
 * @n: which of them
 *
 * Context: Process context, rtnl held.
 * Return: the target, or NULL where there are not so many.
 */
struct vmq_queue *vmq_rss_port_target(struct vmq_port *port, u32 n)
{
	struct vmq_rss_ctx *ctx;
	struct vmq_queue *q;

	list_for_each_entry(ctx, &port->adapter->rss_ctxs, node) {
		if (rtnl_dereference(ctx->soft.port) != port)
			continue;
		if (!n--)
			return &ctx->soft;
		q = vmq_rss_offset_nth(&ctx->spread, &n);
		if (q)
			return q;
	}
	return NULL;
}

/**
 * vmq_rss_freeze() - makes no table follow any more
 * @a: the adapter, about to go with all of its ports
 *
 * Context: Process context, rtnl held.
 */
void vmq_rss_freeze(struct vmq_adapter *a)
{
	struct vmq_spread *s;

	for (s = &a->spread; s; s = vmq_spread_next(a, s))
		s->follows = false;
}

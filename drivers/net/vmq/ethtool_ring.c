// SPDX-License-Identifier: GPL-2.0
/*
 * ethtool -g, -G: frames that wait in the FIFOs of queues; -c, -C and
 * --per-queue: moderation of queued queues. A direct queue delivers at once and
 * has none.
 */
#include <linux/ethtool.h>

#include "vmq_priv.h"

/* ---- -g, -G ---- */

/**
 * vmq_get_ringparam() - ethtool -g
 * @dev: netdev of an adapter
 * @ring: filled here
 * @kring: not used
 * @extack: not used
 *
 * Context: Process context, rtnl held.
 */
void vmq_get_ringparam(struct net_device *dev, struct ethtool_ringparam *ring,
		       struct kernel_ethtool_ringparam *kring,
		       struct netlink_ext_ack *extack)
{
	ring->rx_max_pending = VMQ_MAX_RING;
	ring->rx_pending = vmq_adapter_priv(dev)->ring;
}

/**
 * vmq_set_ringparam() - ethtool -G: sizes the FIFOs of all queues
 * @dev: netdev of an adapter
 * @ring: what is asked for; the core checked it against the maximum
 * @kring: not used
 * @extack: says why not
 *
 * Frames that wait stay, even where they are more than may wait from now on.
 *
 * Context: Process context, rtnl held.
 * Return: 0, or -EINVAL for a ring without room.
 */
int vmq_set_ringparam(struct net_device *dev, struct ethtool_ringparam *ring,
		      struct kernel_ethtool_ringparam *kring,
		      struct netlink_ext_ack *extack)
{
	struct vmq_adapter *a = vmq_adapter_priv(dev);
	struct vmq_queue *q;
	u32 id;

	if (!ring->rx_pending) {
		NL_SET_ERR_MSG(extack, "a ring holds at least one frame");
		return -EINVAL;
	}
	mutex_lock(&a->lock);
	a->ring = ring->rx_pending;
	for (id = 0; id < a->max_queues; id++) {
		q = vmq_queue_find(a, id);
		if (!q)
			continue;
		q->param.buffers = 0;
		vmq_fifo_bound(&q->fifo, a->ring);
	}
	mutex_unlock(&a->lock);
	return 0;
}

/* ---- -c, -C ---- */

static void vmq_moder_show(const struct vmq_moder *moder,
			   struct ethtool_coalesce *coal)
{
	coal->rx_coalesce_usecs = moder->usecs;
	coal->rx_max_coalesced_frames = moder->frames;
	coal->use_adaptive_rx_coalesce = moder->adaptive;
}

static struct vmq_moder vmq_moder_asked(const struct ethtool_coalesce *coal)
{
	return (struct vmq_moder) {
		.usecs = coal->rx_coalesce_usecs,
		.frames = coal->rx_max_coalesced_frames,
		.adaptive = coal->use_adaptive_rx_coalesce,
	};
}

/**
 * vmq_get_coalesce() - ethtool -c: what queues get together with their CPUs
 * @dev: netdev of an adapter
 * @coal: filled here
 * @kcoal: not used
 * @extack: not used
 *
 * Context: Process context, rtnl held.
 * Return: 0.
 */
int vmq_get_coalesce(struct net_device *dev, struct ethtool_coalesce *coal,
		     struct kernel_ethtool_coalesce *kcoal,
		     struct netlink_ext_ack *extack)
{
	vmq_moder_show(&vmq_adapter_priv(dev)->moder, coal);
	return 0;
}

/**
 * vmq_set_coalesce() - ethtool -C: of all queued queues, and those to come
 * @dev: netdev of an adapter
 * @coal: what is asked for
 * @kcoal: not used
 * @extack: says why not
 *
 * Context: Process context, sleeps, rtnl held.
 * Return: 0 or the errors of vmq_moder_check(); nothing changed then.
 */
int vmq_set_coalesce(struct net_device *dev, struct ethtool_coalesce *coal,
		     struct kernel_ethtool_coalesce *kcoal,
		     struct netlink_ext_ack *extack)
{
	struct vmq_adapter *a = vmq_adapter_priv(dev);
	struct vmq_moder moder = vmq_moder_asked(coal);
	struct vmq_queue *q;
	int err;
	u32 id;

	err = vmq_moder_check(&moder, extack);
	if (err)
		return err;
	mutex_lock(&a->lock);
	a->moder = moder;
	for (id = 0; id < a->max_queues; id++) {
		q = vmq_queue_find(a, id);
		if (q && q->napi)
			vmq_moder_set(q, &moder);
	}
	mutex_unlock(&a->lock);
	return 0;
}

/**
 * vmq_get_per_queue_coalesce() - ethtool --per-queue queue_mask M --show-coalesce
 * @dev: netdev of an adapter
 * @queue: id of the queue
 * @coal: filled here, with zeros for a direct queue
 *
 * Context: Process context, rtnl held.
 * Return: 0, or -EINVAL if there is no such queue.
 */
int vmq_get_per_queue_coalesce(struct net_device *dev, u32 queue,
			       struct ethtool_coalesce *coal)
{
	const struct vmq_moder *moder;
	struct vmq_queue *q;

	if (queue >= dev->real_num_rx_queues)
		return -EINVAL;
	q = vmq_queue_find(vmq_adapter_priv(dev), queue);
	moder = q ? vmq_moder_get(q) : NULL;
	if (moder)
		vmq_moder_show(moder, coal);
	return 0;
}

/**
 * vmq_set_per_queue_coalesce() - ethtool --per-queue queue_mask M --coalesce
 * @dev: netdev of an adapter
 * @queue: id of the queue
 * @coal: what is asked for
 *
 * Context: Process context, sleeps, rtnl held.
 * Return: 0; -EINVAL if there is no such queue or for a value that can't be,
 * -EOPNOTSUPP for a direct queue, which has no moderation.
 */
int vmq_set_per_queue_coalesce(struct net_device *dev, u32 queue,
			       struct ethtool_coalesce *coal)
{
	struct vmq_adapter *a = vmq_adapter_priv(dev);
	struct vmq_moder moder = vmq_moder_asked(coal);
	struct vmq_queue *q;
	int err;

	if (queue >= dev->real_num_rx_queues)
		return -EINVAL;
	err = vmq_moder_check(&moder, NULL);
	if (err)
		return err;
	mutex_lock(&a->lock);
	q = vmq_queue_find(a, queue);
	if (q && q->napi)
		vmq_moder_set(q, &moder);
	else
		err = -EOPNOTSUPP;
	mutex_unlock(&a->lock);
	if (err)
		netdev_dbg(dev, "queue %u is direct and delivers at once\n",
			   queue);
	return err;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * What was set of a queue outlives ethtool -L: a queue of the adapter's own table
 * (RSS) that is switched off and on again has the CPUs and the rest that it had,
 * as the core keeps the settings of NAPIs. A queue that somebody else allocates
 * in between is a new one.
 */
#include <linux/slab.h>

#include "vmq_priv.h"

/* Parameters as vmq_queue_init_param() takes them. */
struct vmq_queue_past {
	struct vmq_queue_param param;
	u32 mask;
};

/**
 * vmq_queue_forget() - a queue begins anew
 * @q: the queue
 *
 * Context: Process context; adapter->lock held, or nobody else knows the queue.
 */
void vmq_queue_forget(struct vmq_queue *q)
{
	if (!q->past)
		return;
	kfree(q->past->param.cpus);
	kfree(q->past);
	q->past = NULL;
}

static int vmq_queue_remember(struct vmq_queue *q)
{
	struct vmq_queue_past *past;
	int err;

	vmq_queue_forget(q);
	past = kzalloc(sizeof(*past), GFP_KERNEL_ACCOUNT);
	if (!past)
		return -ENOMEM;
	err = vmq_queue_get_param(q, &past->param, &past->mask);
	if (err || !past->mask)
		kfree(past);
	else
		q->past = past;
	return err;
}

/**
 * vmq_queues_remember() - before queues are switched off
 * @a: the adapter
 * @first: id of the first of them; nobody claims these queues
 *
 * Context: Process context, rtnl and adapter->lock held.
 * Return: 0 or -ENOMEM.
 */
int vmq_queues_remember(struct vmq_adapter *a, u32 first)
{
	struct vmq_queue *q;
	u32 id = first;
	int err;

	for_each_set_bit_from(id, a->queues_used, a->max_queues) {
		q = vmq_queue_find(a, id);
		err = q ? vmq_queue_remember(q) : 0;
		if (err)
			return err;
	}
	return 0;
}

/**
 * vmq_queues_recall() - queues are switched on again
 * @a: the adapter
 * @first: id of the first of them
 * @end: id behind the last of them
 *
 * A queue that can't have what it had, as its CPUs are offline or for want of
 * memory, is one like a new one.
 *
 * Context: Process context, sleeps; rtnl and adapter->lock held.
 */
void vmq_queues_recall(struct vmq_adapter *a, u32 first, u32 end)
{
	struct vmq_queue *q;
	u32 id;
	int err;

	for (id = first; id < end; id++) {
		q = vmq_queue_find(a, id);
		if (!q || !q->past)
			continue;
		if (q->state != VMQ_QUEUE_STATE_UNDEFINED && q->implicit) {
			err = vmq_queue_init_param(q, &q->past->param,
						   q->past->mask, NULL);
			if (err)
				netdev_warn(a->dev, "queue %u is direct, error %d: its CPUs can't be had\n",
					    id, err);
		}
		vmq_queue_forget(q);
	}
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Frames that wait in a queue when a filter or a table leaves it: they are to
 * arrive, and before those that the filter sends elsewhere (F-30, V-41).
 */
#include "queue_napi.h"

/* A consumer that does not come does not hold up the administrator. */
#define VMQ_SETTLE_TIME		HZ

/* What waits for more frames (moderation) need not. */
static void vmq_queue_hurry(struct vmq_queue *q)
{
	if (!q->napi)
		return;
	local_bh_disable();
	rcu_read_lock();
	if (vmq_fifo_due(&q->fifo, q->napi))
		vmq_napi_kick(q->napi);
	rcu_read_unlock();
	local_bh_enable();
}

/**
 * vmq_queue_settle() - lets the frames that wait in queues be delivered
 * @q: the queues, that get no more frames but those that are under way
 * @n: how many there are
 *
 * For who is about to stop them and wants to lose nothing. Not longer than a
 * second.
 *
 * Context: Process context, sleeps; adapter->lock held.
 */
void vmq_queue_settle(struct vmq_queue **q, u32 n)
{
	unsigned long end = jiffies + VMQ_SETTLE_TIME;
	u32 i;

	synchronize_net();
	for (i = 0; i < n; i++) {
		vmq_queue_hurry(q[i]);
		while (vmq_fifo_holds(&q[i]->fifo) && time_before(jiffies, end))
			usleep_range(100, 1000);
	}
}

/**
 * vmq_queue_handover_begin() - before a filter moves from one queue to another
 * @from: its queue, or NULL
 * @to: where it moves to, or NULL
 *
 * Frames of @to wait from now on, if there may be frames that wait in @from: those
 * come first. A filter that leads to several queues, or comes from there, has no
 * such order.
 *
 * Context: Process context, adapter->lock held.
 * Return: true if vmq_queue_handover_end() must follow.
 */
bool vmq_queue_handover_begin(const struct vmq_queue *from,
			      struct vmq_queue *to)
{
	if (!from || !to || from == to || rcu_access_pointer(from->rss) ||
	    rcu_access_pointer(to->rss) ||
	    !(READ_ONCE(from->fifo.slow) & VMQ_SLOW_FIFO))
		return false;
	vmq_fifo_hold(&to->fifo);
	return true;
}

/**
 * vmq_queue_handover_end() - after the filter moved, or did not
 * @from: its old queue
 * @to: its new queue
 *
 * Waits until the frames that the filter sent to @from are delivered, but not
 * longer than a second, and lets those of @to follow them.
 *
 * Context: Process context, sleeps; adapter->lock held.
 */
void vmq_queue_handover_end(struct vmq_queue *from, struct vmq_queue *to)
{
	unsigned long end = jiffies + VMQ_SETTLE_TIME;
	u32 mark;

	/* no more of them than there are then */
	synchronize_net();
	mark = vmq_fifo_mark(&from->fifo);
	vmq_queue_hurry(from);
	while (!vmq_fifo_is_past(&from->fifo, mark) && time_before(jiffies, end))
		usleep_range(50, 200);
	if (vmq_fifo_unhold(&to->fifo) == VMQ_WAKE_NOW)
		vmq_queue_kick(to);
}

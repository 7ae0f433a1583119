// SPDX-License-Identifier: GPL-2.0
/*
 * The FIFO of a queue. How it keeps the order is in queue_fifo.h.
 */
#include "queue_fifo.h"

/**
 * vmq_fifo_init() - makes an empty FIFO that the softirq consumes
 * @f: the FIFO
 * @limit: most frames that wait
 *
 * Context: Any.
 */
void vmq_fifo_init(struct vmq_fifo *f, u32 limit)
{
	memset(f, 0, sizeof(*f));
	skb_queue_head_init(&f->frames);
	f->limit = limit;
}

/**
 * vmq_fifo_flag() - sets or clears a reason for the slow path
 * @f: the FIFO
 * @slow: VMQ_SLOW_*
 * @on: set it?
 *
 * Context: Process context.
 */
void vmq_fifo_flag(struct vmq_fifo *f, unsigned int slow, bool on)
{
	spin_lock_bh(&f->frames.lock);
	WRITE_ONCE(f->slow, on ? f->slow | slow : f->slow & ~slow);
	spin_unlock_bh(&f->frames.lock);
}

/**
 * vmq_fifo_bound() - changes the number of frames that may wait
 * @f: the FIFO
 * @limit: most frames that wait; those that do already stay
 *
 * Context: Process context.
 */
void vmq_fifo_bound(struct vmq_fifo *f, u32 limit)
{
	spin_lock_bh(&f->frames.lock);
	f->limit = limit;
	spin_unlock_bh(&f->frames.lock);
}

/**
 * vmq_fifo_moderate() - changes how many frames wait before the wake-up
 * @f: the FIFO
 * @consumer: whose frames they are; nothing changes if it is not his turn
 * @patience: that many, 0: none
 *
 * Context: Process context.
 */
void vmq_fifo_moderate(struct vmq_fifo *f, const void *consumer, u32 patience)
{
	spin_lock_bh(&f->frames.lock);
	if (f->consumer == consumer)
		f->patience = patience;
	spin_unlock_bh(&f->frames.lock);
}

static void vmq_fifo_set_slow(struct vmq_fifo *f, unsigned int slow)
{
	if (f->slow != slow)
		WRITE_ONCE(f->slow, slow);
}

/* Nothing waits and nothing is on its way: frames may go directly again. */
static void vmq_fifo_idle(struct vmq_fifo *f)
{
	f->scheduled = false;
	vmq_fifo_set_slow(f, f->slow & ~VMQ_SLOW_WAIT);
}

/**
 * vmq_fifo_put() - adds a frame
 * @f: the FIFO
 * @skb: the frame
 *
 * Context: BH off.
 * Return: %VMQ_WAKE_FULL if the frame stays the caller's, else whether the
 * consumer is to be woken: %VMQ_WAKE_NOW, %VMQ_WAKE_LATER or %VMQ_WAKE_NONE.
 */
enum vmq_wake vmq_fifo_put(struct vmq_fifo *f, struct sk_buff *skb)
{
	enum vmq_wake wake = VMQ_WAKE_NONE;
	u32 n, limit;

	spin_lock(&f->frames.lock);
	limit = f->limit;
	if (unlikely(f->slow & VMQ_SLOW_HOLD))
		limit = VMQ_FIFO_HELD;
	n = skb_queue_len(&f->frames);
	if (unlikely(n >= limit)) {
		spin_unlock(&f->frames.lock);
		return VMQ_WAKE_FULL;
	}
	__skb_queue_tail(&f->frames, skb);
	n++;
	if (!f->consumer)
		vmq_fifo_set_slow(f, f->slow | VMQ_SLOW_WAIT);
	if (!f->scheduled && !(f->slow & VMQ_SLOW_HOLD)) {
		/* half full is no time to wait for more */
		if (n >= f->patience || n > f->limit / 2) {
			f->scheduled = true;
			wake = VMQ_WAKE_NOW;
		} else if (n == 1) {
			wake = VMQ_WAKE_LATER;
		}
	}
	spin_unlock(&f->frames.lock);
	return wake;
}

/**
 * vmq_fifo_due() - the first frame waited long enough
 * @f: the FIFO
 * @consumer: who has the clock
 *
 * Context: Softirq.
 * Return: true if the consumer is to be woken now.
 */
bool vmq_fifo_due(struct vmq_fifo *f, const void *consumer)
{
	bool wake;

	spin_lock(&f->frames.lock);
	wake = f->consumer == consumer && !f->scheduled &&
	       !skb_queue_empty(&f->frames);
	if (wake)
		f->scheduled = true;
	spin_unlock(&f->frames.lock);
	return wake;
}

/**
 * vmq_fifo_take() - takes frames to deliver them
 * @f: the FIFO
 * @consumer: who asks
 * @budget: most frames
 * @batch: list that they are added to
 *
 * Context: BH off.
 * Return: number of frames; if it is not 0, vmq_fifo_done() must follow. 0 too
 * if another one is the consumer or still delivers, who sees to the rest, and while
 * the FIFO is held.
 */
unsigned int vmq_fifo_take(struct vmq_fifo *f, const void *consumer,
			   unsigned int budget, struct sk_buff_head *batch)
{
	unsigned int n = 0;

	spin_lock(&f->frames.lock);
	if (f->busy || f->consumer != consumer || f->slow & VMQ_SLOW_HOLD)
		goto unlock;
	if (skb_queue_len(&f->frames) <= budget) {
		n = skb_queue_len(&f->frames);
		skb_queue_splice_tail_init(&f->frames, batch);
	} else {
		for (; n < budget; n++)
			__skb_queue_tail(batch, __skb_dequeue(&f->frames));
	}
	f->busy = n;
	if (!n)
		vmq_fifo_idle(f);
unlock:
	spin_unlock(&f->frames.lock);
	return n;
}

/**
 * vmq_fifo_done() - all frames that were taken are delivered
 * @f: the FIFO
 * @consumer: who took them
 *
 * Context: BH off.
 * Return: %VMQ_WAKE_AGAIN if @consumer is to take more, %VMQ_WAKE_NOW if another
 * one is, who must be woken, or %VMQ_WAKE_NONE.
 */
enum vmq_wake vmq_fifo_done(struct vmq_fifo *f, const void *consumer)
{
	enum vmq_wake wake = VMQ_WAKE_NONE;

	spin_lock(&f->frames.lock);
	f->passed += f->busy;
	f->busy = 0;
	if (skb_queue_empty(&f->frames)) {
		vmq_fifo_idle(f);
	} else if (f->consumer == consumer) {
		wake = VMQ_WAKE_AGAIN;
	} else {
		f->scheduled = true;
		wake = VMQ_WAKE_NOW;
	}
	spin_unlock(&f->frames.lock);
	return wake;
}

/**
 * vmq_fifo_switch() - names another consumer
 * @f: the FIFO
 * @consumer: who takes the frames from now on; NULL: the softirq that puts them
 *	in, and none at all once the FIFO has run empty
 *
 * Context: Process context.
 * Return: %VMQ_WAKE_NOW if the consumer is to be woken, or %VMQ_WAKE_NONE.
 */
enum vmq_wake vmq_fifo_switch(struct vmq_fifo *f, const void *consumer)
{
	unsigned int slow;
	bool waiting;

	spin_lock_bh(&f->frames.lock);
	waiting = !skb_queue_empty(&f->frames);
	WRITE_ONCE(f->consumer, consumer);
	f->patience = 0;
	slow = f->slow & ~(VMQ_SLOW_WAIT | VMQ_SLOW_NAPI);
	if (consumer)
		slow |= VMQ_SLOW_NAPI;
	else if (waiting || f->busy)
		slow |= VMQ_SLOW_WAIT;
	vmq_fifo_set_slow(f, slow);
	f->scheduled = waiting;
	spin_unlock_bh(&f->frames.lock);
	/* who is busy wakes the other one when he is done */
	return waiting && !f->busy ? VMQ_WAKE_NOW : VMQ_WAKE_NONE;
}

/**
 * vmq_fifo_hold() - frames go in from now on, and none comes out
 * @f: the FIFO
 *
 * Nobody is woken, and nothing is dropped at the FIFO's own limit.
 *
 * Context: Process context.
 */
void vmq_fifo_hold(struct vmq_fifo *f)
{
	vmq_fifo_flag(f, VMQ_SLOW_HOLD, true);
}

/**
 * vmq_fifo_unhold() - ends that
 * @f: the FIFO
 *
 * Context: Process context.
 * Return: %VMQ_WAKE_NOW if the consumer is to be woken, or %VMQ_WAKE_NONE.
 */
enum vmq_wake vmq_fifo_unhold(struct vmq_fifo *f)
{
	bool waiting;

	spin_lock_bh(&f->frames.lock);
	vmq_fifo_set_slow(f, f->slow & ~VMQ_SLOW_HOLD);
	waiting = !skb_queue_empty(&f->frames);
	if (waiting)
		f->scheduled = true;
	else if (!f->busy)
		vmq_fifo_idle(f);
	spin_unlock_bh(&f->frames.lock);
	/* who is busy goes on by himself */
	return waiting && !f->busy ? VMQ_WAKE_NOW : VMQ_WAKE_NONE;
}

/**
 * vmq_fifo_mark() - the end of the FIFO
 * @f: the FIFO
 *
 * Context: Process context.
 * Return: for vmq_fifo_is_past().
 */
u32 vmq_fifo_mark(struct vmq_fifo *f)
{
	u32 mark;

	spin_lock_bh(&f->frames.lock);
	mark = f->passed + f->busy + skb_queue_len(&f->frames);
	spin_unlock_bh(&f->frames.lock);
	return mark;
}

/**
 * vmq_fifo_is_past() - has everything up to a mark been delivered or dropped?
 * @f: the FIFO
 * @mark: from vmq_fifo_mark()
 *
 * Context: Process context.
 * Return: true if so.
 */
bool vmq_fifo_is_past(struct vmq_fifo *f, u32 mark)
{
	bool past;

	spin_lock_bh(&f->frames.lock);
	past = (s32)(f->passed - mark) >= 0;
	spin_unlock_bh(&f->frames.lock);
	return past;
}

/**
 * vmq_fifo_holds() - do frames wait, or are any being delivered?
 * @f: the FIFO
 *
 * Context: Process context.
 * Return: true if so.
 */
bool vmq_fifo_holds(struct vmq_fifo *f)
{
	return vmq_fifo_waiting(f);
}

/**
 * vmq_fifo_waiting() - frames that wait, or are being delivered (K-22)
 * @f: the FIFO
 *
 * Context: Process context.
 * Return: how many.
 */
u32 vmq_fifo_waiting(struct vmq_fifo *f)
{
	u32 n;

	spin_lock_bh(&f->frames.lock);
	n = f->busy + skb_queue_len(&f->frames);
	spin_unlock_bh(&f->frames.lock);
	return n;
}

/**
 * vmq_fifo_purge() - takes all frames that wait out
 * @f: the FIFO
 * @frames: list that they are added to, for the caller to free
 *
 * Context: Process context.
 */
void vmq_fifo_purge(struct vmq_fifo *f, struct sk_buff_head *frames)
{
	spin_lock_bh(&f->frames.lock);
	f->passed += skb_queue_len(&f->frames);
	skb_queue_splice_tail_init(&f->frames, frames);
	if (!f->busy)
		vmq_fifo_idle(f);
	spin_unlock_bh(&f->frames.lock);
}

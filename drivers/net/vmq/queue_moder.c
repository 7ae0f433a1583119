// SPDX-License-Identifier: GPL-2.0
/*
 * Moderation of a queued queue (I-09): the first frame that finds the queue idle
 * waits for others, so long and for so many, before the queue's NAPI is woken.
 * The FIFO counts the frames, a timer the time. Adaptive moderation lets net_dim
 * choose both.
 */
#include "queue_napi.h"

/* Frames that wait without a limit of their own: half of the FIFO. */
#define VMQ_MODER_ANY		U32_MAX

static void vmq_moder_force(struct vmq_queue_napi *n, u32 usecs, u32 frames)
{
	WRITE_ONCE(n->usecs, usecs);
	vmq_fifo_moderate(&n->queue->fifo, n,
			  usecs ? frames ?: VMQ_MODER_ANY : 0);
}

static enum hrtimer_restart vmq_moder_timer(struct hrtimer *timer)
{
	struct vmq_queue_napi *n = container_of(timer, struct vmq_queue_napi,
						timer);

	rcu_read_lock();
	if (vmq_fifo_due(&n->queue->fifo, n))
		vmq_napi_kick(n);
	rcu_read_unlock();
	return HRTIMER_NORESTART;
}

/**
 * vmq_moder_wait() - the first of some frames begins to wait
 * @n: the NAPI
 *
 * Context: RCU read side, BH off.
 */
void vmq_moder_wait(struct vmq_queue_napi *n)
{
	hrtimer_start(&n->timer, ns_to_ktime((u64)READ_ONCE(n->usecs) * NSEC_PER_USEC),
		      HRTIMER_MODE_REL_SOFT);
}

/* ---- adaptive ---- */

#if IS_REACHABLE(CONFIG_DIMLIB)
static void vmq_moder_dim(struct work_struct *work)
{
	struct dim *dim = container_of(work, struct dim, work);
	struct vmq_queue_napi *n = container_of(dim, struct vmq_queue_napi,
						dim);
	struct dim_cq_moder moder = net_dim_get_rx_moderation(dim->mode,
							      dim->profile_ix);

	vmq_moder_force(n, moder.usec, moder.pkts);
	dim->state = DIM_START_MEASURE;
}

static void vmq_moder_dim_init(struct vmq_queue_napi *n)
{
	INIT_WORK(&n->dim.work, vmq_moder_dim);
	n->dim.mode = DIM_CQ_PERIOD_MODE_START_FROM_EQE;
}

static void vmq_moder_dim_start(struct vmq_queue_napi *n)
{
	struct dim_cq_moder moder;

	n->dim.state = DIM_START_MEASURE;
	moder = net_dim_get_def_rx_moderation(n->dim.mode);
	vmq_moder_force(n, moder.usec, moder.pkts);
	WRITE_ONCE(n->adaptive, true);
}

static void vmq_moder_dim_stop(struct vmq_queue_napi *n)
{
	WRITE_ONCE(n->adaptive, false);
	/* a poll that still saw it */
	synchronize_net();
	cancel_work_sync(&n->dim.work);
}
#else
static void vmq_moder_dim_init(struct vmq_queue_napi *n)
{
}

static void vmq_moder_dim_start(struct vmq_queue_napi *n)
{
}

static void vmq_moder_dim_stop(struct vmq_queue_napi *n)
{
}
#endif

/**
 * vmq_moder_sample() - a wake-up of the NAPI is over
 * @n: the NAPI
 *
 * Context: the NAPI.
 */
void vmq_moder_sample(struct vmq_queue_napi *n)
{
#if IS_REACHABLE(CONFIG_DIMLIB)
	struct dim_sample sample = {};

	rcu_read_lock();
	if (READ_ONCE(n->adaptive)) {
		dim_update_sample(++n->sample.events, n->sample.packets,
				  n->sample.bytes, &sample);
		vmq_net_dim(&n->dim, &sample);
	}
	rcu_read_unlock();
#endif
}

/**
 * vmq_moder_possible() - can adaptive moderation be had?
 *
 * Context: Any.
 * Return: true if the kernel has net_dim.
 */
bool vmq_moder_possible(void)
{
	return IS_REACHABLE(CONFIG_DIMLIB);
}

/* ---- what is set ---- */

/**
 * vmq_moder_set() - sets the moderation of a queued queue
 * @q: the queue, queued
 * @moder: what is asked for, checked
 *
 * Context: Process context, sleeps, rtnl held.
 */
void vmq_moder_set(struct vmq_queue *q, const struct vmq_moder *moder)
{
	struct vmq_queue_napi *n = q->napi;

	ASSERT_RTNL();
	if (n->moder.adaptive && !moder->adaptive)
		vmq_moder_dim_stop(n);
	if (!moder->adaptive)
		vmq_moder_force(n, moder->usecs, moder->frames);
	else if (!n->moder.adaptive)
		vmq_moder_dim_start(n);
	n->moder = *moder;
}

/**
 * vmq_moder_get() - the moderation of a queue
 * @q: the queue
 *
 * Context: rtnl or adapter->lock held.
 * Return: what was set, or NULL for a direct queue, which has none.
 */
const struct vmq_moder *vmq_moder_get(const struct vmq_queue *q)
{
	return q->napi ? &q->napi->moder : NULL;
}

/**
 * vmq_moder_init() - prepares a NAPI that does not wait
 * @n: the NAPI, all 0
 *
 * Context: Process context.
 */
void vmq_moder_init(struct vmq_queue_napi *n)
{
	hrtimer_setup(&n->timer, vmq_moder_timer, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_SOFT);
	vmq_moder_dim_init(n);
}

/**
 * vmq_moder_stop() - no frame waits any more
 * @n: the NAPI, of no use to any queue any more
 *
 * Context: Process context, sleeps.
 */
void vmq_moder_stop(struct vmq_queue_napi *n)
{
	hrtimer_cancel(&n->timer);
}

/**
 * vmq_moder_exit() - undoes vmq_moder_init()
 * @n: the NAPI, disabled
 *
 * Context: Process context, sleeps.
 */
void vmq_moder_exit(struct vmq_queue_napi *n)
{
	if (n->moder.adaptive)
		vmq_moder_dim_stop(n);
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The NAPI of a queued queue, between queue_napi.c and queue_moder.c.
 */
#ifndef _VMQ_QUEUE_NAPI_H
#define _VMQ_QUEUE_NAPI_H

#include <linux/cpumask.h>
#include <linux/dim.h>
#include <linux/hrtimer.h>
#include <linux/smp.h>

#include "vmq_priv.h"

/**
 * struct vmq_queue_napi - who delivers the frames of a queued queue
 * @napi: the NAPI
 * @queue: the queue
 * @cpus: where it runs; rtnl
 * @alone: the CPU, where @cpus has only one, else -1
 * @csd: carries a wake-up to one of @cpus while the NAPI has no thread
 * @carried: @csd is on its way
 * @timer: runs while frames wait for more
 * @usecs: how long the first of them waits, 0: not at all
 * @moder: what was asked for; rtnl
 * @adaptive: @dim chooses @usecs and the number of frames
 * @dim: which of its settings suits the load
 * @sample: what @dim has seen; the NAPI
 */
struct vmq_queue_napi {
	struct napi_struct napi;
	struct vmq_queue *queue;
	cpumask_var_t cpus;
	int alone;
	call_single_data_t csd;
	int carried;
	struct hrtimer timer;
	u32 usecs;
	struct vmq_moder moder;
	bool adaptive;
	struct dim dim;
	struct {
		u16 events;
		u64 packets;
		u64 bytes;
	} sample;
};

/*
 * Does it run on this CPU only? Then the softirq may do its work, and spare itself
 * the wake-up; net_dim counts wake-ups. Context: BH off.
 */
static inline bool vmq_napi_is_here(const struct vmq_queue_napi *n)
{
	return READ_ONCE(n->alone) == smp_processor_id() &&
	       !READ_ONCE(n->adaptive);
}

/* ---- queue_moder.c ---- */

void vmq_moder_init(struct vmq_queue_napi *n);
void vmq_moder_wait(struct vmq_queue_napi *n);
void vmq_moder_sample(struct vmq_queue_napi *n);
void vmq_moder_stop(struct vmq_queue_napi *n);
void vmq_moder_exit(struct vmq_queue_napi *n);

/* ---- queue_napi.c ---- */

void vmq_napi_kick(struct vmq_queue_napi *n);

#endif /* _VMQ_QUEUE_NAPI_H */

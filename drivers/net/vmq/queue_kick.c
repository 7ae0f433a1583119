// SPDX-License-Identifier: GPL-2.0
/*
 * Frames were put into the FIFO of a queue and somebody has to look after them. That
 * happens behind the work of the softirq that put them in, once for all queues: so
 * there is one wake-up for many frames, and one piece of work for many queues.
 */
#include <linux/llist.h>
#include <linux/percpu.h>
#include <linux/workqueue.h>

#include "vmq_priv.h"

/**
 * struct vmq_kicks - what is to be looked after on one CPU
 * @queues: the queues, the last one first
 * @work: does it, in softirq
 */
struct vmq_kicks {
	struct llist_head queues;
	struct work_struct work;
};

static DEFINE_PER_CPU(struct vmq_kicks, vmq_kicks);

/**
 * vmq_queue_kick() - has somebody look after what waits in the FIFO of a queue
 * @q: the queue
 *
 * Context: Any but hard interrupts; on the RCU read side, or with the locks that
 * keep the queue from being drained.
 */
void vmq_queue_kick(struct vmq_queue *q)
{
	struct vmq_kicks *kicks;

	/* pairs with vmq_kicks_run(): who comes too late here comes in time there */
	if (test_and_set_bit(0, &q->kicked))
		return;
	kicks = get_cpu_ptr(&vmq_kicks);
	if (llist_add(&q->kick, &kicks->queues))
		queue_work(system_bh_wq, &kicks->work);
	put_cpu_ptr(&vmq_kicks);
}

static void vmq_kicks_run(struct work_struct *work)
{
	struct vmq_kicks *kicks = container_of(work, struct vmq_kicks, work);
	struct llist_node *first = llist_del_all(&kicks->queues);
	struct vmq_queue *q, *next;

	first = llist_reverse_order(first);
	llist_for_each_entry_safe(q, next, first, kick) {
		/* from here on it can be in a list again */
		clear_bit_unlock(0, &q->kicked);
		/* pairs with test_and_set_bit(): what was put before is seen now */
		smp_mb__after_atomic();
		vmq_queue_kicked(q);
	}
}

/**
 * vmq_queue_unkick() - waits until nobody looks after a queue any more
 * @q: the queue; a grace period has passed since frames could go into its FIFO,
 *	which is empty
 *
 * Context: Process context, sleeps.
 */
void vmq_queue_unkick(struct vmq_queue *q)
{
	int cpu;

	for_each_possible_cpu(cpu)
		flush_work(&per_cpu_ptr(&vmq_kicks, cpu)->work);
	WARN_ON_ONCE(READ_ONCE(q->kicked));
}

/**
 * vmq_queue_kick_init() - prepares the work of all CPUs
 *
 * Context: Module init.
 */
void __init vmq_queue_kick_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct vmq_kicks *kicks = per_cpu_ptr(&vmq_kicks, cpu);

		init_llist_head(&kicks->queues);
		INIT_WORK(&kicks->work, vmq_kicks_run);
	}
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Frames in hand: see rx_near.h. There are two on each CPU. For the younger one the
 * filter's slot is on its way into the cache, for the older one what the slot names.
 * The rx_handler gives the stack the one before them in exchange for a new one, so that
 * no list is needed. What is left at the end of a driver's poll goes behind the work of
 * that softirq.
 *
 * Of a frame nothing is kept but itself: its filter is looked up anew when it goes on.
 * For filters, queues and ports it has not arrived yet, as if it were in the NIC.
 */
#include <linux/moduleparam.h>
#include <linux/percpu.h>
#include <linux/rtnetlink.h>
#include <linux/workqueue.h>
#include <linux/local_lock.h>

#include "rx_near.h"

/* Frames that go at once after such with too few behind them. */
#define VMQ_NEAR_PAUSE	32

#define VMQ_NEAR_FRAMES	2

/* Frames in hand, the youngest first, of one adapter's uplink. */
struct vmq_near_frames {
	struct vmq_adapter *adapter;
	struct sk_buff *skb[VMQ_NEAR_FRAMES];
};

/**
 * struct vmq_near - what waits on one CPU
 * @lock: for kernels on which softirqs are preempted
 * @hand: while there is a frame, @work is on its way
 * @trained: more came than fit, since @work was queued
 * @pause: so many frames more do not wait
 * @work: takes what is left
 */
struct vmq_near {
	local_lock_t lock;
	struct vmq_near_frames hand;
	bool trained;
	u32 pause;
	struct work_struct work;
};

static DEFINE_PER_CPU(struct vmq_near, vmq_near) = {
	.lock = INIT_LOCAL_LOCK(lock),
};

DEFINE_STATIC_KEY_FALSE(vmq_near_key);

/* rtnl */
static unsigned int vmq_near_many = 512;
static unsigned int vmq_near_ports;

/* False for a while before the key is switched off: frames are no more kept then. */
static bool vmq_near_on;

/* ---- frames ---- */

/* The first step: of where its filter may be. */
static void vmq_near_ask_slot(const struct vmq_adapter *a,
			      const struct sk_buff *skb)
{
	vmq_exact_prefetch(&a->rules, eth_hdr(skb)->h_dest, vmq_skb_vid(skb));
}

/* The second one: of what the filter names. */
static void vmq_near_ask(const struct vmq_adapter *a, const struct sk_buff *skb)
{
	const struct vmq_slot *slot = NULL;

	if (unlikely(vmq_skb_foreign_tag(skb)))
		return;
	prefetch(vmq_exact_target_of(&a->rules, eth_hdr(skb)->h_dest,
				     vmq_skb_vid(skb), &slot));
	if (likely(slot))
		vmq_near_prefetch(slot);
}

/* May a frame be taken in hand behind those that are? */
static bool vmq_near_takes(const struct vmq_near_frames *hand,
			   const struct vmq_adapter *a,
			   const struct sk_buff *skb)
{
	/* the stack goes on with one of them as if it were this one */
	return READ_ONCE(vmq_near_on) && !skb_pfmemalloc(skb) &&
	       (!hand->skb[0] || hand->adapter == a);
}

/* Context: RCU read side, BH off. */
static void vmq_near_go(const struct vmq_near_frames *hand)
{
	int i;

	for (i = VMQ_NEAR_FRAMES - 1; i >= 0; i--)
		if (hand->skb[i])
			vmq_rx_late(hand->adapter, hand->skb[i]);
}

/**
 * vmq_near_swap() - takes a frame in hand, and gives one that was there
 * @a: the adapter
 * @skb: the frame that its uplink received, data at the network header; not shared
 *
 * Context: RCU read side, BH off.
 * Return: the frame that goes on now, received by the same uplink, or NULL.
 */
struct sk_buff *vmq_near_swap(struct vmq_adapter *a, struct sk_buff *skb)
{
	struct vmq_near_frames all;
	struct sk_buff *last;
	struct vmq_near *n;

	vmq_near_ask_slot(a, skb);
	local_lock_nested_bh(&vmq_near.lock);
	n = this_cpu_ptr(&vmq_near);
	if (unlikely(!vmq_near_takes(&n->hand, a, skb))) {
		all = n->hand;
		memset(&n->hand, 0, sizeof(n->hand));
		local_unlock_nested_bh(&vmq_near.lock);
		vmq_near_go(&all);
		return skb;
	}
	if (!n->hand.skb[0]) {
		if (n->pause) {
			n->pause--;
			local_unlock_nested_bh(&vmq_near.lock);
			return skb;
		}
		n->hand.adapter = a;
		queue_work(system_bh_wq, &n->work);
	} else {
		vmq_near_ask(a, n->hand.skb[0]);
	}
	vmq_skb_keep(skb);
	last = n->hand.skb[1];
	n->hand.skb[1] = n->hand.skb[0];
	n->hand.skb[0] = skb;
	if (last)
		n->trained = true;
	local_unlock_nested_bh(&vmq_near.lock);
	return last;
}

/* On its CPU, or on another one after that went offline. */
static void vmq_near_run(struct work_struct *work)
{
	struct vmq_near *n = container_of(work, struct vmq_near, work);
	struct vmq_near_frames all;

	rcu_read_lock();
	local_lock_nested_bh(&vmq_near.lock);
	all = n->hand;
	memset(&n->hand, 0, sizeof(n->hand));
	/* where frames come one by one, none is worth this work */
	if (!n->trained)
		n->pause = VMQ_NEAR_PAUSE;
	n->trained = false;
	local_unlock_nested_bh(&vmq_near.lock);
	vmq_near_go(&all);
	rcu_read_unlock();
}

/**
 * vmq_near_flush() - waits until no frame is in hand that is now
 *
 * Context: Process context, sleeps.
 */
void vmq_near_flush(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		flush_work(&per_cpu_ptr(&vmq_near, cpu)->work);
}

/* ---- ports ---- */

/* On with so many ports, off with half of them: each costs more than a port. */
static void vmq_near_update(void)
{
	ASSERT_RTNL();
	if (!vmq_near_used()) {
		if (!vmq_near_ports || vmq_near_ports < vmq_near_many)
			return;
		WRITE_ONCE(vmq_near_on, true);
		static_branch_enable(&vmq_near_key);
	} else if (vmq_near_ports <= vmq_near_many / 2) {
		/* who does not look for it any more must not overtake it */
		WRITE_ONCE(vmq_near_on, false);
		synchronize_net();
		vmq_near_flush();
		static_branch_disable(&vmq_near_key);
	}
}

/**
 * vmq_near_port_add() - there is one more port
 *
 * Context: Process context, rtnl held.
 */
void vmq_near_port_add(void)
{
	vmq_near_ports++;
	vmq_near_update();
}

/**
 * vmq_near_port_del() - there is one port less
 *
 * Context: Process context, sleeps; rtnl held.
 */
void vmq_near_port_del(void)
{
	vmq_near_ports--;
	vmq_near_update();
}

static int vmq_near_set_many(const char *val, const struct kernel_param *kp)
{
	unsigned int many;
	int err;

	err = kstrtouint(val, 0, &many);
	if (err)
		return err;
	rtnl_lock();
	vmq_near_many = many;
	vmq_near_update();
	rtnl_unlock();
	return 0;
}

static const struct kernel_param_ops vmq_near_many_ops = {
	.set = vmq_near_set_many,
	.get = param_get_uint,
};

module_param_cb(many_ports, &vmq_near_many_ops, &vmq_near_many, 0644);
MODULE_PARM_DESC(many_ports, "with so many ports on the host, frames wait for others while what they need comes into the cache (512)");

/**
 * vmq_near_init() - prepares the work of all CPUs
 *
 * Context: Module init.
 */
void __init vmq_near_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		INIT_WORK(&per_cpu_ptr(&vmq_near, cpu)->work, vmq_near_run);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Frames in hand: see rx_near.h. Of each adapter there are two on each CPU. For the
 * younger one the filter's slot is on its way into the cache, for the older one what the
 * slot names. The rx_handler gives the stack the one before them in exchange for a new
 * one, so that no list is needed. What is left at the end of a driver's poll goes by a
 * NAPI behind it.
 *
 * Of a frame nothing is kept but itself: its filter is looked up anew when it goes on.
 * For filters, queues and ports it has not arrived yet, as if it were in the NIC.
 *
 * While the stack runs a list of frames, what was given to it before may still wait
 * there. So nothing is delivered from the handler: a frame is exchanged, kept, or goes
 * itself.
 */
#include <linux/if_vlan.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/percpu.h>

#include "rx_near.h"

#define VMQ_NEAR_FRAMES	2

/* So many frames go at once after a poll that had no more than those in hand. */
#define VMQ_NEAR_PAUSE	32

/**
 * struct vmq_near - frames in hand, of one adapter on one CPU
 * @node: in &vmq_near_cpu.hands while there are any
 * @adapter: whose uplink received them
 * @skb: the frames, the youngest first, and no gaps
 * @exchanged: one was given for another since the first one came
 * @pause: so many frames go at once
 */
struct vmq_near {
	struct list_head node;
	struct vmq_adapter *adapter;
	struct sk_buff *skb[VMQ_NEAR_FRAMES];
	bool exchanged;
	u32 pause;
};

/**
 * struct vmq_near_cpu - what is left on one CPU
 * @napi: takes it
 * @hands: struct vmq_near, of this CPU
 */
struct vmq_near_cpu {
	struct napi_struct napi;
	struct list_head hands;
};

DEFINE_STATIC_KEY_FALSE(vmq_near_key);

static struct vmq_near_cpu __percpu *vmq_near_cpus;
static struct net_device *vmq_near_dev;	/* the NAPIs' */

/* Protects all of these; innermost but for what static keys need. */
static DEFINE_MUTEX(vmq_near_lock);
static unsigned int vmq_near_many = 512;
static unsigned int vmq_near_n;		/* ports of adapters with an uplink */
static bool vmq_near_on;		/* false before the key is */

/* Where the stack says that frames of an uplink came from. */
static struct net_device *vmq_near_nic(struct net_device *uplink)
{
	return is_vlan_dev(uplink) ? vlan_dev_real_dev(uplink) : uplink;
}

/* ---- frames ---- */

/* The first step: asks for where the filter may be. */
static void vmq_near_ask_slot(const struct vmq_adapter *a,
			      const struct sk_buff *skb)
{
	vmq_exact_prefetch(&a->rules, eth_hdr(skb)->h_dest, vmq_skb_vid(skb));
}

/* The second one: for what the filter names. */
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

/*
 * Does somebody listen for its protocol where the stack says that it came from, as for
 * LLDP? Of a VLAN device that is the NIC. What goes behind the poll does not come by
 * there.
 */
static bool vmq_near_heard(const struct sk_buff *skb)
{
	const struct net_device *nic = vmq_near_nic(skb->dev);
	const struct packet_type *pt;

	list_for_each_entry_rcu(pt, &nic->ptype_specific, list)
		if (pt->type == skb->protocol)
			return true;
	return false;
}

/* Frames of one flow have the same answer. */
static bool vmq_near_may_wait(struct sk_buff *skb)
{
	/* BPF chose a socket, which may go; memory to swap with is scarce */
	return !skb_sk_is_prefetched(skb) &&
	       !(sk_memalloc_socks() && skb_pfmemalloc(skb)) &&
	       !vmq_near_heard(skb);
}

/**
 * vmq_near_swap() - takes a frame in hand, and gives one that was there
 * @a: the adapter
 * @skb: the frame that its uplink received, data at the network header; not shared
 *
 * Context: RCU read side, BH off.
 * Return: the frame that goes on now, received by the same uplink, or NULL. It is
 * @skb where that can't wait or nothing comes behind it as a rule.
 */
struct sk_buff *vmq_near_swap(struct vmq_adapter *a, struct sk_buff *skb)
{
	struct vmq_near *n = this_cpu_ptr(a->near);
	struct vmq_near_cpu *cpu;
	struct sk_buff *last;

	if (unlikely(!vmq_near_may_wait(skb)))
		return skb;
	if (n->skb[0]) {
		vmq_near_ask(a, n->skb[0]);
	} else {
		if (!READ_ONCE(vmq_near_on) || !READ_ONCE(a->near_fits))
			return skb;
		if (n->pause) {
			n->pause--;
			return skb;
		}
		cpu = this_cpu_ptr(vmq_near_cpus);
		list_add_tail(&n->node, &cpu->hands);
		napi_schedule(&cpu->napi);
	}
	vmq_near_ask_slot(a, skb);
	skb_dst_force(skb);
	last = n->skb[1];
	n->skb[1] = n->skb[0];
	n->skb[0] = skb;
	if (last)
		n->exchanged = true;
	return last;
}

/* Lets go what is in hand. */
static int vmq_near_let_go(struct vmq_near *n)
{
	struct sk_buff *skb[VMQ_NEAR_FRAMES];
	int i, done = 0;

	memcpy(skb, n->skb, sizeof(skb));
	memset(n->skb, 0, sizeof(n->skb));
	/* where frames come one by one, none is worth this */
	if (!n->exchanged)
		n->pause = VMQ_NEAR_PAUSE;
	n->exchanged = false;
	list_del_init_careful(&n->node);
	for (i = VMQ_NEAR_FRAMES - 1; i >= 0; i--) {
		if (!skb[i])
			continue;
		vmq_rx_late(n->adapter, skb[i]);
		done++;
	}
	return done;
}

/* On its CPU, or on another one after that went offline. */
static int vmq_near_poll(struct napi_struct *napi, int budget)
{
	struct vmq_near_cpu *cpu = container_of(napi, struct vmq_near_cpu, napi);
	struct vmq_near *n, *next;
	LIST_HEAD(hands);
	int done = 0;

	/* who waits for frames to be gone waits for the end of this */
	rcu_read_lock();
	list_splice_init(&cpu->hands, &hands);
	list_for_each_entry_safe(n, next, &hands, node)
		done += vmq_near_let_go(n);
	rcu_read_unlock();
	done = min(done, budget - 1);
	if (done >= 0)
		napi_complete_done(napi, done);
	return max(done, 0);
}

/**
 * vmq_near_drain() - waits until no frame of an adapter is in hand
 * @a: the adapter; a grace period has passed since its uplink could receive one
 *
 * Context: Process context, sleeps.
 */
void vmq_near_drain(struct vmq_adapter *a)
{
	int cpu;

	/* whatever the key says: where it is switched on, not all of the code sees it at once */
	for_each_possible_cpu(cpu) {
		struct vmq_near *n = per_cpu_ptr(a->near, cpu);

		while (!list_empty_careful(&n->node))
			usleep_range(50, 200);
	}
	synchronize_net();
}

/* ---- adapters and their uplinks ---- */

/**
 * vmq_near_adapter_init() - prepares the hands of an adapter
 * @a: the adapter
 *
 * Context: Process context, sleeps.
 * Return: 0 or -ENOMEM.
 */
int vmq_near_adapter_init(struct vmq_adapter *a)
{
	int cpu;

	a->near = alloc_percpu_gfp(struct vmq_near, GFP_KERNEL_ACCOUNT);
	if (!a->near)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct vmq_near *n = per_cpu_ptr(a->near, cpu);

		INIT_LIST_HEAD(&n->node);
		n->adapter = a;
	}
	return 0;
}

/**
 * vmq_near_adapter_destroy() - the end of them
 * @a: the adapter, which has no uplink any more
 *
 * Context: Process context.
 */
void vmq_near_adapter_destroy(struct vmq_adapter *a)
{
	free_percpu(a->near);
}

static int vmq_near_is_any(struct net_device *dev,
			   struct netdev_nested_priv *priv)
{
	return true;
}

/**
 * vmq_near_uplink_fits() - may frames of an uplink be exchanged?
 * @uplink: the uplink
 *
 * The stack remembers which device a frame came from: of a bond, the member. There a
 * frame would be told to have come from another one's. So only a device fits that
 * nothing is below, and VLAN devices over such a one.
 *
 * Context: Process context, rtnl held.
 * Return: true if all of them come from one device.
 */
bool vmq_near_uplink_fits(struct net_device *uplink)
{
	struct net_device *nic = vmq_near_nic(uplink);
	struct netdev_nested_priv priv = {};

	return !netif_is_lag_master(nic) &&
	       !netdev_walk_all_lower_dev(nic, vmq_near_is_any, &priv);
}

/* ---- how many ports there are ---- */

/* On with so many, off with half of them: either is more work than a port. */
static void vmq_near_update(void)
{
	int cpu;

	lockdep_assert_held(&vmq_near_lock);
	/* softirqs could overtake each other there */
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		return;
	if (!vmq_near_on) {
		if (!vmq_near_n || vmq_near_n < vmq_near_many)
			return;
		WRITE_ONCE(vmq_near_on, true);
		static_branch_enable(&vmq_near_key);
	} else if (vmq_near_n <= vmq_near_many / 2) {
		/* who does not look for frames in hand must not overtake them */
		WRITE_ONCE(vmq_near_on, false);
		synchronize_net();
		for_each_possible_cpu(cpu)
			while (!list_empty_careful(&per_cpu_ptr(vmq_near_cpus,
								cpu)->hands))
				usleep_range(50, 200);
		synchronize_net();
		static_branch_disable(&vmq_near_key);
	}
}

/**
 * vmq_near_ports() - adapters with an uplink have more ports, or fewer
 * @by: so many
 *
 * Context: Process context, sleeps.
 */
void vmq_near_ports(int by)
{
	mutex_lock(&vmq_near_lock);
	vmq_near_n += by;
	vmq_near_update();
	mutex_unlock(&vmq_near_lock);
}

static int vmq_near_set_many(const char *val, const struct kernel_param *kp)
{
	unsigned int many;
	int err;

	err = kstrtouint(val, 0, &many);
	if (err)
		return err;
	mutex_lock(&vmq_near_lock);
	vmq_near_many = many;
	vmq_near_update();
	mutex_unlock(&vmq_near_lock);
	return 0;
}

static const struct kernel_param_ops vmq_near_many_ops = {
	.set = vmq_near_set_many,
	.get = param_get_uint,
};

module_param_cb(many_ports, &vmq_near_many_ops, &vmq_near_many, 0644);
MODULE_PARM_DESC(many_ports, "with so many ports on the host, frames wait for others while what they need comes into the cache (512)");

/* ---- start and end ---- */

/**
 * vmq_near_init() - prepares what takes frames that are left
 *
 * Context: Module init.
 * Return: 0 or -ENOMEM.
 */
int __init vmq_near_init(void)
{
	int cpu;

	vmq_near_cpus = alloc_percpu(struct vmq_near_cpu);
	vmq_near_dev = alloc_netdev_dummy(0);
	if (!vmq_near_cpus || !vmq_near_dev) {
		if (vmq_near_dev)
			free_netdev(vmq_near_dev);
		free_percpu(vmq_near_cpus);
		return -ENOMEM;
	}
	for_each_possible_cpu(cpu) {
		struct vmq_near_cpu *c = per_cpu_ptr(vmq_near_cpus, cpu);

		INIT_LIST_HEAD(&c->hands);
		set_bit(NAPI_STATE_NO_BUSY_POLL, &c->napi.state);
		netif_napi_add(vmq_near_dev, &c->napi, vmq_near_poll);
		napi_enable(&c->napi);
	}
	return 0;
}

/**
 * vmq_near_exit() - the end of it
 *
 * Context: Module exit, or init that failed; there are no adapters.
 */
void vmq_near_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		napi_disable(&per_cpu_ptr(vmq_near_cpus, cpu)->napi);
	/* with its NAPIs */
	free_netdev(vmq_near_dev);
	free_percpu(vmq_near_cpus);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The extension meter: bits and packets per second of a port.
 *
 * What the guest sends and what it receives are limited by themselves. A frame
 * within the limits passes; another one is dropped or, where the guest sent it
 * and the port is shaped, waits in meter_shape.c.
 */
#include <linux/if_ether.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "meter.h"

/**
 * meter_size_gso() - what a large frame takes of the limits
 * @skb: the frame, data at the network header
 * @size: what it would take if it were no large one
 *
 * It counts as the segments that it will be.
 *
 * Context: Any.
 * Return: what it takes.
 */
struct meter_size meter_size_gso(const struct sk_buff *skb,
				 struct meter_size size)
{
	const struct skb_shared_info *info = skb_shinfo(skb);
	unsigned int segs, len = 0;
	int head;

	/* headers that each segment has, from the network header on */
	head = skb->encapsulation ? skb_inner_transport_offset(skb) :
				    skb_transport_offset(skb);
	if (head < 0 || head >= skb->len ||
	    (!skb->encapsulation && !skb_transport_header_was_set(skb)))
		head = 0;
	if (info->gso_type & (SKB_GSO_TCPV4 | SKB_GSO_TCPV6)) {
		const struct tcphdr *th;
		struct tcphdr buf;

		th = skb_header_pointer(skb, head, sizeof(buf), &buf);
		if (!th)
			return size;
		len = __tcp_hdrlen(th);
	} else if (info->gso_type & SKB_GSO_UDP_L4) {
		len = sizeof(struct udphdr);
	}
	if (head + len >= skb->len)
		return size;

	/* a guest says how large segments are, not how many there are */
	segs = info->gso_segs;
	if (!segs || info->gso_type & SKB_GSO_DODGY)
		segs = DIV_ROUND_UP(skb->len - head - len, info->gso_size);
	size.n[METER_PACKETS] = segs;
	size.n[METER_BYTES] += (segs - 1) * (ETH_HLEN + head + len);
	return size;
}

/**
 * meter_take() - takes what a frame needs, of all limits or of none
 * @m: the port
 * @config: its limits
 * @dir: direction of the frame
 * @size: what it needs
 * @now: the time
 *
 * Context: RCU read side.
 * Return: true if the frame may pass.
 */
bool meter_take(struct meter_port *m, const struct meter_config *config,
		enum vmq_dir dir, const struct meter_size *size, u64 now)
{
	const struct meter_limit *limit = config->limit[dir];
	struct meter_bucket *b = m->bucket[dir].kind;

	if (limit[METER_BYTES].rate &&
	    !meter_bucket_take(&b[METER_BYTES], &limit[METER_BYTES],
			       size->n[METER_BYTES], now))
		return false;
	if (!limit[METER_PACKETS].rate ||
	    meter_bucket_take(&b[METER_PACKETS], &limit[METER_PACKETS],
			      size->n[METER_PACKETS], now))
		return true;
	if (limit[METER_BYTES].rate)
		meter_bucket_give_back(&b[METER_BYTES], &limit[METER_BYTES],
				       size->n[METER_BYTES]);
	return false;
}

/**
 * meter_count() - counts a frame, or several
 * @m: the port
 * @dir: direction of the frame
 * @packets: counter of packets; that of bytes follows it, unless it is that of
 *	delayed packets
 * @size: what they take
 *
 * Context: BH off.
 */
void meter_count(struct meter_port *m, enum vmq_dir dir,
		 enum meter_counter packets, const struct meter_size *size)
{
	struct meter_stats *stats = this_cpu_ptr(m->stats);

	u64_stats_update_begin(&stats->syncp);
	u64_stats_add(&stats->count[dir][packets], size->n[METER_PACKETS]);
	if (packets != METER_DELAYED_PACKETS)
		u64_stats_add(&stats->count[dir][packets + 1],
			      size->n[METER_BYTES]);
	u64_stats_update_end(&stats->syncp);
}

/**
 * meter_counters() - sums the counters, with those of other hosts
 * @m: the port
 * @sum: set to them
 *
 * Context: Process context, rtnl held or a session of the port, and meter_lock().
 */
void meter_counters(const struct meter_port *m, u64 sum[2][METER_COUNTERS])
{
	u64 count[2 * METER_COUNTERS];
	unsigned int start;
	int cpu, i;

	memcpy(sum, m->base, sizeof(m->base));
	for_each_possible_cpu(cpu) {
		const struct meter_stats *stats = per_cpu_ptr(m->stats, cpu);
		const u64_stats_t *c = stats->count[0];

		do {
			start = u64_stats_fetch_begin(&stats->syncp);
			for (i = 0; i < ARRAY_SIZE(count); i++)
				count[i] = u64_stats_read(&c[i]);
		} while (u64_stats_fetch_retry(&stats->syncp, start));
		for (i = 0; i < ARRAY_SIZE(count); i++)
			sum[i / METER_COUNTERS][i % METER_COUNTERS] += count[i];
	}
}

/**
 * meter_frame_at() - decides about a frame
 * @m: the port
 * @config: its limits, or NULL
 * @skb: the frame, data at the network header
 * @dir: its direction
 * @now: the time; of no use without limits
 *
 * Context: RCU read side, BH off.
 * Return: what becomes of the frame.
 */
enum vmq_verdict meter_frame_at(struct meter_port *m,
				const struct meter_config *config,
				struct sk_buff *skb, enum vmq_dir dir, u64 now)
{
	struct meter_size size;

	meter_size(skb, &size);
	/* behind those that wait, whatever is left of the burst */
	if (dir == VMQ_FROM_GUEST && unlikely(READ_ONCE(m->shaper.active)))
		return meter_shape(m, config, skb, &size);
	if (!config || meter_take(m, config, dir, &size, now)) {
		meter_count(m, dir, METER_PASSED_PACKETS, &size);
		return VMQ_PASS;
	}
	if (dir == VMQ_FROM_GUEST && config->shape)
		return meter_shape(m, config, skb, &size);
	meter_count(m, dir, METER_DROPPED_PACKETS, &size);
	return VMQ_DROP;
}

/* With a look at the clock; what is taken ahead is left to who has the lock. */
static enum vmq_verdict meter_frame_now(struct meter_port *m,
					struct sk_buff *skb, enum vmq_dir dir)
{
	const struct meter_config *config = rcu_dereference(m->config);
	u64 now = config ? meter_clock() : 0;

	return meter_frame_at(m, config, skb, dir, now);
}

/* With a look at the clock, and ahead to the next frames. */
static enum vmq_verdict meter_frame_ahead(struct meter_port *m,
					  struct sk_buff *skb,
					  enum vmq_dir dir, u32 stamp)
{
	const struct meter_config *config = rcu_dereference(m->config);
	u64 now = config ? meter_clock() : 0;
	enum vmq_verdict verdict;

	meter_ahead_settle(m, config, dir);
	verdict = meter_frame_at(m, config, skb, dir, now);
	if (verdict == VMQ_PASS)
		meter_ahead_take(m, config, dir, now, stamp);
	return verdict;
}

static noinline enum vmq_verdict meter_frame_exact(struct meter_port *m,
						   struct sk_buff *skb,
						   enum vmq_dir dir, u32 stamp)
{
	spinlock_t *lock = &m->bucket[dir].ahead.lock;
	enum vmq_verdict verdict;

	if (spin_trylock(lock)) {
		verdict = meter_frame_ahead(m, skb, dir, stamp);
		spin_unlock(lock);
	} else {
		verdict = meter_frame_now(m, skb, dir);
	}
	return verdict;
}

static enum vmq_verdict meter_frame(struct vmq_ext_port *ep,
				    struct sk_buff *skb, enum vmq_dir dir)
{
	struct meter_port *m = ep->priv;
	u32 stamp = meter_stamp();
	struct meter_size size;

	if (dir == VMQ_FROM_GUEST && unlikely(READ_ONCE(m->shaper.active)))
		return meter_frame_exact(m, skb, dir, stamp);
	meter_size(skb, &size);
	if (likely(meter_ahead_spend(&m->bucket[dir].ahead, &size, stamp)))
		return VMQ_PASS;
	return meter_frame_exact(m, skb, dir, stamp);
}

static int meter_attach(struct vmq_ext_port *ep,
			struct netlink_ext_ack *extack)
{
	struct meter_port *m;

	m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
	if (!m)
		goto no_memory;
	m->stats = __netdev_alloc_pcpu_stats(struct meter_stats,
					     GFP_KERNEL_ACCOUNT);
	if (!m->stats)
		goto free_meter;
	spin_lock_init(&m->bucket[VMQ_TO_GUEST].ahead.lock);
	spin_lock_init(&m->bucket[VMQ_FROM_GUEST].ahead.lock);
	m->ep = ep;
	m->resume = vmq_ext_resume;
	meter_shape_init(m);
	ep->priv = m;
	return 0;

free_meter:
	kfree(m);
no_memory:
	NL_SET_ERR_MSG(extack, "meter: no memory for the port");
	return -ENOMEM;
}

static void meter_detach(struct vmq_ext_port *ep)
{
	struct meter_port *m = ep->priv;

	meter_shape_destroy(m);
	ep->priv = NULL;
	kfree(rcu_access_pointer(m->config));
	free_percpu(m->stats);
	kfree(m);
}

/* Not static for the tests that are linked into the module. */
const struct vmq_ext_ops meter_ops = {
	.owner = THIS_MODULE,
	.uuid = { .b = VMQ_METER_UUID_BYTES },
	.name = "meter",
	.class = VMQ_EXT_CLASS_FILTER,
	.data_version = VMQ_METER_REC_VERSION,
	.attach = meter_attach,
	.detach = meter_detach,
	.frame = meter_frame,
	.config_set = meter_config_set,
	.config_dump = meter_config_dump,
	.save_begin = meter_save_begin,
	.save_next = meter_save_next,
	.restore_begin = meter_restore_begin,
	.validate = meter_validate,
	.apply = meter_apply,
	.rollback = meter_rollback,
	.restore_complete = meter_restore_complete,
};

static int __init meter_init(void)
{
	return vmq_ext_register(&meter_ops);
}
module_init(meter_init);

static void __exit meter_exit(void)
{
	vmq_ext_unregister(&meter_ops);
}
module_exit(meter_exit);

MODULE_DESCRIPTION("Bits and packets per second of the ports of vmq");
MODULE_LICENSE("GPL");

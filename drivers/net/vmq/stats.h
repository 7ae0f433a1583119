/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters: on each CPU, of queues, ports and the adapter; never backwards.
 */
#ifndef _VMQ_STATS_H
#define _VMQ_STATS_H

#include <linux/if_link.h>
#include <linux/u64_stats_sync.h>

struct vmq_adapter;
struct vmq_port;
struct vmq_queue;

/* Why a frame that matched a queue was not delivered. */
enum vmq_drop {
	VMQ_DROP_STATE,		/* the queue is not running */
	VMQ_DROP_DOWN,		/* the device behind it is down */
	VMQ_DROP_READER,	/* the guest has its tap closed */
	VMQ_DROP_FULL,		/* the guest does not read fast enough */
	VMQ_DROP_EXT,		/* an extension said so */
	VMQ_DROP_NOMEM,
	VMQ_DROP_FILTER,	/* a filter said so (ethtool action -1) */
	VMQ_DROP_VLAN,		/* the port is not in this VLAN */
	VMQ_DROPS
};

/* Why the switch did not take a frame of a port, where it is told apart. */
enum vmq_tx_cause {
	VMQ_TX_VLAN,		/* the port may not send in this VLAN */
	VMQ_TX_SPOOFED,		/* somebody else's source address */
	VMQ_TX_ISOLATED,	/* both ports are isolated */
	VMQ_TX_CAUSES,
	VMQ_TX_OK = VMQ_TX_CAUSES
};

struct vmq_pcpu_stats {
	/* in one cache line */
	u64_stats_t rx_packets;
	u64_stats_t rx_bytes;
	u64_stats_t tx_packets;
	u64_stats_t tx_bytes;
	u64_stats_t drops[VMQ_DROPS];
	u64_stats_t tx_drops;
	u64_stats_t tx_ext_drops;	/* in tx_drops too */
	u64_stats_t tx_cause[VMQ_TX_CAUSES]; /* in tx_drops too */
	u64_stats_t multicast;
	struct u64_stats_sync syncp;
} __aligned(4 * sizeof(u64));

/* Sum of struct vmq_pcpu_stats over all CPUs. */
struct vmq_stats {
	u64 rx_packets;
	u64 rx_bytes;
	u64 tx_packets;
	u64 tx_bytes;
	u64 drops[VMQ_DROPS];
	u64 rx_drops;		/* sum of drops[] */
	u64 tx_drops;
	u64 tx_ext_drops;	/* in tx_drops too */
	u64 tx_cause[VMQ_TX_CAUSES]; /* in tx_drops too */
	u64 multicast;
};

/* What a queue counts for its port too. */
struct vmq_stats_rx {
	u64 packets;
	u64 bytes;
	u64 multicast;
};

struct vmq_pcpu_stats __percpu *vmq_stats_alloc(void);
void vmq_stats_sum(const struct vmq_pcpu_stats __percpu *pcpu,
		   struct vmq_stats *sum);
void vmq_adapter_sum(struct vmq_adapter *a, u32 from, u32 to,
		     struct vmq_stats *sum);
void vmq_stats_to_link(const struct vmq_stats *sum,
		       struct rtnl_link_stats64 *s);
void vmq_stats_add(struct vmq_stats *sum, const struct vmq_stats *more);
void vmq_stats_own(struct vmq_queue *q);
void vmq_stats_disown(struct vmq_port *port, u32 first);
void vmq_port_local(const struct vmq_port *port, u32 from, u32 to,
		    struct vmq_stats *sum);
void vmq_port_sum(const struct vmq_port *port, u32 from, u32 to,
		  struct vmq_stats *sum);
int vmq_stats_strings(u32 queues);
void vmq_stats_names(u8 *data, u32 queues);
u64 *vmq_stats_values_queue(u64 *data, const struct vmq_stats *sum);
void vmq_stats_values_drops(u64 *data, const struct vmq_stats *sum);

static inline void vmq_stats_rx(struct vmq_pcpu_stats __percpu *pcpu,
				unsigned int len, bool multicast)
{
	struct vmq_pcpu_stats *s = this_cpu_ptr(pcpu);

	u64_stats_update_begin(&s->syncp);
	u64_stats_inc(&s->rx_packets);
	u64_stats_add(&s->rx_bytes, len);
	if (multicast)
		u64_stats_inc(&s->multicast);
	u64_stats_update_end(&s->syncp);
}

static inline void vmq_stats_tx(struct vmq_pcpu_stats __percpu *pcpu,
				unsigned int len)
{
	struct vmq_pcpu_stats *s = this_cpu_ptr(pcpu);

	u64_stats_update_begin(&s->syncp);
	u64_stats_inc(&s->tx_packets);
	u64_stats_add(&s->tx_bytes, len);
	u64_stats_update_end(&s->syncp);
}

static inline void vmq_stats_drop(struct vmq_pcpu_stats __percpu *pcpu,
				  enum vmq_drop cause)
{
	struct vmq_pcpu_stats *s = this_cpu_ptr(pcpu);

	u64_stats_update_begin(&s->syncp);
	u64_stats_inc(&s->drops[cause]);
	u64_stats_update_end(&s->syncp);
}

static inline void vmq_stats_tx_drop(struct vmq_pcpu_stats __percpu *pcpu,
				     bool ext)
{
	struct vmq_pcpu_stats *s = this_cpu_ptr(pcpu);

	u64_stats_update_begin(&s->syncp);
	u64_stats_inc(&s->tx_drops);
	if (ext)
		u64_stats_inc(&s->tx_ext_drops);
	u64_stats_update_end(&s->syncp);
}

static inline void vmq_stats_tx_cause(struct vmq_pcpu_stats __percpu *pcpu,
				      enum vmq_tx_cause cause)
{
	struct vmq_pcpu_stats *s = this_cpu_ptr(pcpu);

	u64_stats_update_begin(&s->syncp);
	u64_stats_inc(&s->tx_drops);
	u64_stats_inc(&s->tx_cause[cause]);
	u64_stats_update_end(&s->syncp);
}

#endif /* _VMQ_STATS_H */

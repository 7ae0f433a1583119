// SPDX-License-Identifier: GPL-2.0
/*
 * Counters: per CPU where they are counted, summed where they are read, and
 * shown as link statistics, per-queue statistics and in ethtool -S.
 */
#include <net/netdev_queues.h>

#include "vmq_priv.h"

/**
 * vmq_stats_alloc() - counters of a queue or port
 *
 * Context: Process context.
 * Return: the counters, all 0, or NULL. Free with free_percpu().
 */
struct vmq_pcpu_stats __percpu *vmq_stats_alloc(void)
{
	return __netdev_alloc_pcpu_stats(struct vmq_pcpu_stats,
					 GFP_KERNEL_ACCOUNT);
}

/**
 * vmq_stats_sum() - adds counters of all CPUs to a sum
 * @pcpu: the counters
 * @sum: what they are added to
 *
 * Context: Any.
 */
void vmq_stats_sum(const struct vmq_pcpu_stats __percpu *pcpu,
		   struct vmq_stats *sum)
{
	const struct vmq_pcpu_stats *s;
	struct vmq_stats one;
	unsigned int start;
	int cpu, i;

	for_each_possible_cpu(cpu) {
		s = per_cpu_ptr(pcpu, cpu);
		do {
			start = u64_stats_fetch_begin(&s->syncp);
			one.rx_packets = u64_stats_read(&s->rx_packets);
			one.rx_bytes = u64_stats_read(&s->rx_bytes);
			one.tx_packets = u64_stats_read(&s->tx_packets);
			one.tx_bytes = u64_stats_read(&s->tx_bytes);
			one.tx_drops = u64_stats_read(&s->tx_drops);
			one.tx_ext_drops = u64_stats_read(&s->tx_ext_drops);
			for (i = 0; i < VMQ_TX_CAUSES; i++)
				one.tx_cause[i] =
					u64_stats_read(&s->tx_cause[i]);
			one.multicast = u64_stats_read(&s->multicast);
			for (i = 0; i < VMQ_DROPS; i++)
				one.drops[i] = u64_stats_read(&s->drops[i]);
		} while (u64_stats_fetch_retry(&s->syncp, start));

		sum->rx_packets += one.rx_packets;
		sum->rx_bytes += one.rx_bytes;
		sum->tx_packets += one.tx_packets;
		sum->tx_bytes += one.tx_bytes;
		sum->tx_drops += one.tx_drops;
		sum->tx_ext_drops += one.tx_ext_drops;
		for (i = 0; i < VMQ_TX_CAUSES; i++)
			sum->tx_cause[i] += one.tx_cause[i];
		sum->multicast += one.multicast;
		for (i = 0; i < VMQ_DROPS; i++) {
			sum->drops[i] += one.drops[i];
			sum->rx_drops += one.drops[i];
		}
	}
}

/**
 * vmq_adapter_sum() - counters of a whole adapter
 * @a: the adapter
 * @from: first queue id to count
 * @to: id behind the last one
 * @sum: what they are added to
 *
 * Context: RCU read side or rtnl held.
 */
void vmq_adapter_sum(struct vmq_adapter *a, u32 from, u32 to,
		     struct vmq_stats *sum)
{
	struct vmq_queue *q;
	u32 id;

	for (id = from; id < to; id++) {
		q = rcu_dereference_rtnl(a->queue[id]);
		if (q)
			vmq_stats_sum(q->stats, sum);
	}
}

/**
 * vmq_stats_add() - adds one sum to another
 * @sum: what it is added to
 * @more: what is added
 *
 * Context: Any.
 */
void vmq_stats_add(struct vmq_stats *sum, const struct vmq_stats *more)
{
	int i;

	sum->rx_packets += more->rx_packets;
	sum->rx_bytes += more->rx_bytes;
	sum->tx_packets += more->tx_packets;
	sum->tx_bytes += more->tx_bytes;
	sum->tx_drops += more->tx_drops;
	sum->tx_ext_drops += more->tx_ext_drops;
	for (i = 0; i < VMQ_TX_CAUSES; i++)
		sum->tx_cause[i] += more->tx_cause[i];
	sum->multicast += more->multicast;
	for (i = 0; i < VMQ_DROPS; i++)
		sum->drops[i] += more->drops[i];
	sum->rx_drops += more->rx_drops;
}

/* What a queue received since it has been its port's. */
static void vmq_stats_since(const struct vmq_queue *q,
			    struct vmq_stats_rx *since)
{
	struct vmq_stats sum = {};

	vmq_stats_sum(q->stats, &sum);
	since->packets = sum.rx_packets - q->before.packets;
	since->bytes = sum.rx_bytes - q->before.bytes;
	since->multicast = sum.multicast - q->before.multicast;
}

/**
 * vmq_stats_own() - has a queue count for its port too, from now on
 * @q: the queue; no frame reaches it yet
 *
 * So a frame is counted once. What the port has of its own are copies of floods,
 * drops, and what it sent.
 *
 * Context: Process context, adapter->lock held.
 */
void vmq_stats_own(struct vmq_queue *q)
{
	memset(&q->before, 0, sizeof(q->before));
	vmq_stats_since(q, &q->before);
	q->own = true;
}

/**
 * vmq_stats_disown() - has a port keep what queues counted for it
 * @port: the port; no frame reaches these queues any more, and it has none of them
 *	after
 * @first: index of the first of them; all behind it go too
 *
 * A reader sees the counts with the queues or with the port, never with both.
 *
 * Context: Process context, adapter->lock held.
 */
void vmq_stats_disown(struct vmq_port *port, u32 first)
{
	struct vmq_pcpu_stats *s;
	struct vmq_stats_rx rx;
	u32 i;

	write_seqlock_bh(&port->stats_lock);
	for (i = first; i < port->n_queues; i++) {
		if (!port->queue[i]->own)
			continue;
		port->queue[i]->own = false;
		vmq_stats_since(port->queue[i], &rx);
		s = this_cpu_ptr(port->stats[i]);
		u64_stats_update_begin(&s->syncp);
		u64_stats_add(&s->rx_packets, rx.packets);
		u64_stats_add(&s->rx_bytes, rx.bytes);
		u64_stats_add(&s->multicast, rx.multicast);
		u64_stats_update_end(&s->syncp);
	}
	WRITE_ONCE(port->n_queues, first);
	write_sequnlock_bh(&port->stats_lock);
}

/**
 * vmq_port_local() - what a port counted on this host
 * @port: the port
 * @from: first of its queues to count, by index
 * @to: index behind the last one
 * @sum: what they are added to
 *
 * Context: Any, while the port exists.
 */
void vmq_port_local(const struct vmq_port *port, u32 from, u32 to,
		    struct vmq_stats *sum)
{
	struct vmq_stats local;
	struct vmq_stats_rx rx;
	unsigned int seq;
	u32 i;

	do {
		seq = read_seqbegin(&port->stats_lock);
		memset(&local, 0, sizeof(local));
		for (i = from; i < to; i++) {
			vmq_stats_sum(port->stats[i], &local);
			if (i >= READ_ONCE(port->n_queues) ||
			    !port->queue[i]->own)
				continue;
			vmq_stats_since(port->queue[i], &rx);
			local.rx_packets += rx.packets;
			local.rx_bytes += rx.bytes;
			local.multicast += rx.multicast;
		}
	} while (read_seqretry(&port->stats_lock, seq));
	vmq_stats_add(sum, &local);
}

/**
 * vmq_port_sum() - counters of a port, as they are shown
 * @port: the port
 * @from: first of its queues to count, by index; the first one has what was
 *	counted on earlier hosts
 * @to: index behind the last one
 * @sum: what they are added to
 *
 * Context: Any, while the port exists.
 */
void vmq_port_sum(const struct vmq_port *port, u32 from, u32 to,
		  struct vmq_stats *sum)
{
	vmq_port_local(port, from, to, sum);
	if (!from)
		vmq_stats_add(sum, &port->base);
}

/**
 * vmq_stats_to_link() - the sum as link statistics
 * @sum: the sum
 * @s: link statistics, all 0
 *
 * Context: Any.
 */
void vmq_stats_to_link(const struct vmq_stats *sum,
		       struct rtnl_link_stats64 *s)
{
	s->rx_packets = sum->rx_packets;
	s->rx_bytes = sum->rx_bytes;
	s->tx_packets = sum->tx_packets;
	s->tx_bytes = sum->tx_bytes;
	s->rx_dropped = sum->rx_drops;
	s->tx_dropped = sum->tx_drops;
	s->multicast = sum->multicast;
}

/* ---- netdev-genl qstats-get ---- */

static void vmq_qstats_rx(const struct vmq_stats *sum,
			  struct netdev_queue_stats_rx *rx)
{
	rx->packets = sum->rx_packets;
	rx->bytes = sum->rx_bytes;
	rx->hw_drops = sum->rx_drops;
	rx->hw_drop_overruns = sum->drops[VMQ_DROP_FULL];
	rx->alloc_fail = sum->drops[VMQ_DROP_NOMEM];
}

static void vmq_qstats_tx(const struct vmq_stats *sum,
			  struct netdev_queue_stats_tx *tx)
{
	tx->packets = sum->tx_packets;
	tx->bytes = sum->tx_bytes;
	tx->hw_drops = sum->tx_drops;
}

static void vmq_adapter_qstats_rx(struct net_device *dev, int idx,
				  struct netdev_queue_stats_rx *rx)
{
	struct vmq_stats sum = {};

	vmq_adapter_sum(vmq_adapter_priv(dev), idx, idx + 1, &sum);
	vmq_qstats_rx(&sum, rx);
}

static void vmq_adapter_qstats_tx(struct net_device *dev, int idx,
				  struct netdev_queue_stats_tx *tx)
{
	struct vmq_stats sum = {};

	vmq_adapter_sum(vmq_adapter_priv(dev), idx, idx + 1, &sum);
	vmq_qstats_tx(&sum, tx);
}

/* Queues that are switched off keep their counts, and so does the drop filter. */
static void vmq_adapter_qstats_base(struct net_device *dev,
				    struct netdev_queue_stats_rx *rx,
				    struct netdev_queue_stats_tx *tx)
{
	struct vmq_adapter *a = vmq_adapter_priv(dev);
	struct vmq_stats sum = {};

	vmq_adapter_sum(a, dev->real_num_rx_queues, a->max_queues, &sum);
	vmq_stats_sum(a->filter_drops, &sum);
	vmq_qstats_rx(&sum, rx);
	memset(&sum, 0, sizeof(sum));
	vmq_adapter_sum(a, dev->real_num_tx_queues, a->max_queues, &sum);
	vmq_qstats_tx(&sum, tx);
}

const struct netdev_stat_ops vmq_adapter_stat_ops = {
	.get_queue_stats_rx = vmq_adapter_qstats_rx,
	.get_queue_stats_tx = vmq_adapter_qstats_tx,
	.get_base_stats = vmq_adapter_qstats_base,
};

static void vmq_port_qstats_rx(struct net_device *dev, int idx,
			       struct netdev_queue_stats_rx *rx)
{
	struct vmq_stats sum = {};

	vmq_port_sum(vmq_port_priv(dev), idx, idx + 1, &sum);
	vmq_qstats_rx(&sum, rx);
}

static void vmq_port_qstats_tx(struct net_device *dev, int idx,
			       struct netdev_queue_stats_tx *tx)
{
	struct vmq_stats sum = {};

	vmq_port_sum(vmq_port_priv(dev), idx, idx + 1, &sum);
	vmq_qstats_tx(&sum, tx);
}

/* Queues that the port has no more, or never got, keep their counts. */
static void vmq_port_qstats_base(struct net_device *dev,
				 struct netdev_queue_stats_rx *rx,
				 struct netdev_queue_stats_tx *tx)
{
	struct vmq_port *port = vmq_port_priv(dev);
	struct vmq_stats sum = {};

	vmq_port_sum(port, dev->real_num_rx_queues, dev->num_rx_queues, &sum);
	vmq_qstats_rx(&sum, rx);
	memset(&sum, 0, sizeof(sum));
	vmq_port_sum(port, dev->real_num_tx_queues, dev->num_rx_queues, &sum);
	vmq_qstats_tx(&sum, tx);
}

const struct netdev_stat_ops vmq_port_stat_ops = {
	.get_queue_stats_rx = vmq_port_qstats_rx,
	.get_queue_stats_tx = vmq_port_qstats_tx,
	.get_base_stats = vmq_port_qstats_base,
};

/* ---- ethtool -S ---- */

static const char * const vmq_drop_names[VMQ_DROPS] = {
	[VMQ_DROP_STATE] = "not_running",
	[VMQ_DROP_DOWN] = "device_down",
	[VMQ_DROP_READER] = "no_reader",
	[VMQ_DROP_FULL] = "ring_full",
	[VMQ_DROP_EXT] = "extension",
	[VMQ_DROP_NOMEM] = "no_memory",
	[VMQ_DROP_FILTER] = "filter",
	[VMQ_DROP_VLAN] = "vlan",
};

static const char * const vmq_tx_cause_names[VMQ_TX_CAUSES] = {
	[VMQ_TX_VLAN] = "vlan",
	[VMQ_TX_SPOOFED] = "spoofed",
	[VMQ_TX_ISOLATED] = "isolated",
};

#define VMQ_QUEUE_STRINGS	5

/**
 * vmq_stats_strings() - number of counters that ethtool -S shows
 * @queues: queues of the device
 *
 * Context: Any.
 * Return: the number.
 */
int vmq_stats_strings(u32 queues)
{
	return queues * VMQ_QUEUE_STRINGS + VMQ_DROPS + VMQ_TX_CAUSES;
}

/**
 * vmq_stats_names() - names of the counters, as igb and virtio-net have them
 * @data: room for vmq_stats_strings() strings of ETH_GSTRING_LEN bytes
 * @queues: queues of the device
 *
 * Context: Any.
 */
void vmq_stats_names(u8 *data, u32 queues)
{
	u32 id;
	int i;

	for (id = 0; id < queues; id++) {
		ethtool_sprintf(&data, "rx_queue_%u_packets", id);
		ethtool_sprintf(&data, "rx_queue_%u_bytes", id);
		ethtool_sprintf(&data, "rx_queue_%u_drops", id);
		ethtool_sprintf(&data, "tx_queue_%u_packets", id);
		ethtool_sprintf(&data, "tx_queue_%u_bytes", id);
	}
	for (i = 0; i < VMQ_DROPS; i++)
		ethtool_sprintf(&data, "rx_drops_%s", vmq_drop_names[i]);
	for (i = 0; i < VMQ_TX_CAUSES; i++)
		ethtool_sprintf(&data, "tx_drops_%s", vmq_tx_cause_names[i]);
}

/**
 * vmq_stats_values_queue() - the counters of one queue, in the order of names
 * @data: where they go
 * @sum: of the queue
 *
 * Context: Any.
 * Return: where the next queue's go.
 */
u64 *vmq_stats_values_queue(u64 *data, const struct vmq_stats *sum)
{
	*data++ = sum->rx_packets;
	*data++ = sum->rx_bytes;
	*data++ = sum->rx_drops;
	*data++ = sum->tx_packets;
	*data++ = sum->tx_bytes;
	return data;
}

/**
 * vmq_stats_values_drops() - the drops of a device by cause
 * @data: where they go
 * @sum: of the device
 *
 * Context: Any.
 */
void vmq_stats_values_drops(u64 *data, const struct vmq_stats *sum)
{
	memcpy(data, sum->drops, sizeof(sum->drops));
	memcpy(data + VMQ_DROPS, sum->tx_cause, sizeof(sum->tx_cause));
}

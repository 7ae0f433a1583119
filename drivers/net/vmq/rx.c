// SPDX-License-Identifier: GPL-2.0
/*
 * Receive: from the uplink to the queue that the classifier names, and from the
 * queue to its port or, for a queue without one, to the adapter.
 */
#include <linux/etherdevice.h>

#include "gate_port.h"

static void vmq_queue_drop(struct vmq_queue *q, struct vmq_port *port,
			   struct sk_buff *skb, enum vmq_drop cause,
			   enum skb_drop_reason reason)
{
	vmq_stats_drop(q->stats, cause);
	if (port)
		vmq_stats_drop(port->stats[q->index], cause);
	kfree_skb_reason(skb, reason);
}

/**
 * vmq_queue_rx() - takes a frame through a queue
 * @q: the queue
 * @skb: the frame, data at the network header; not shared
 *
 * The caller hands the frame to the stack as one that the returned device
 * received. The metadata names the queue.
 *
 * Context: RCU read side, BH off.
 * Return: the device, or NULL if the frame was dropped, counted, and freed.
 */
struct net_device *vmq_queue_rx(struct vmq_queue *q, struct sk_buff *skb)
{
	bool multicast = is_multicast_ether_addr(eth_hdr(skb)->h_dest);
	unsigned int len = skb->len + ETH_HLEN;
	struct net_device *dev;
	struct vmq_port *port;

	q = vmq_rss_queue(q, skb);
	port = rcu_dereference(q->port);
	if (unlikely(READ_ONCE(q->state) != VMQ_QUEUE_STATE_RUNNING)) {
		vmq_queue_drop(q, port, skb, VMQ_DROP_STATE,
			       SKB_DROP_REASON_DEV_READY);
		return NULL;
	}
	dev = port ? port->dev : q->adapter->dev;
	if (unlikely(!(dev->flags & IFF_UP))) {
		vmq_queue_drop(q, port, skb, VMQ_DROP_DOWN,
			       SKB_DROP_REASON_DEV_READY);
		return NULL;
	}
	if (!port) {
		vmq_stats_rx(q->stats, len, multicast);
		skb_record_rx_queue(skb, q->id);
		goto out;
	}

	if (port->vf) {
		vmq_vf_rx(port->vf, skb);
		goto deliver;
	}
	if (vmq_gate_rx(port, q->index, skb))
		return NULL;
	/* the guest's alone, so not for the host's stack when it is away */
	if (READ_ONCE(port->claimed) && !READ_ONCE(port->tap.numvtaps)) {
		vmq_queue_drop(q, port, skb, VMQ_DROP_READER,
			       SKB_DROP_REASON_DEV_READY);
		return NULL;
	}
	switch (vmq_ext_frame(port, skb, VMQ_TO_GUEST)) {
	case VMQ_PASS:
		break;
	case VMQ_DROP:
		vmq_queue_drop(q, port, skb, VMQ_DROP_EXT,
			       SKB_DROP_REASON_NOT_SPECIFIED);
		return NULL;
	case VMQ_CONSUMED:
		return NULL;
	}
deliver:
	vmq_stats_rx(q->stats, len, multicast);
	vmq_stats_rx(port->stats[q->index], len, multicast);
	skb_record_rx_queue(skb, q->index);
out:
	skb->dev = dev;
	skb->pkt_type = PACKET_HOST;
	eth_skb_pkt_type(skb, dev);
	return dev;
}

/* A copy of a flooded frame for one port. */
static void vmq_flood_port(struct vmq_port *port, struct sk_buff *skb)
{
	struct vmq_pcpu_stats __percpu *stats = port->stats[0];
	bool multicast = is_multicast_ether_addr(eth_hdr(skb)->h_dest);
	unsigned int len = skb->len + ETH_HLEN;
	struct net_device *dev = port->dev;
	enum vmq_drop cause;

	if (vmq_gate_mutes_flood(port))
		return;
	if (READ_ONCE(port->claimed) && !READ_ONCE(port->tap.numvtaps)) {
		vmq_stats_drop(stats, VMQ_DROP_READER);
		return;
	}
	cause = VMQ_DROP_NOMEM;
	skb = skb_clone(skb, GFP_ATOMIC);
	if (!skb || skb_orphan_frags_rx(skb, GFP_ATOMIC))
		goto drop;
	skb_scrub_packet(skb, !net_eq(dev_net(dev), dev_net(skb->dev)));
	skb->priority = 0;
	if (vmq_gate_rx(port, 0, skb))
		return;
	switch (vmq_ext_frame(port, skb, VMQ_TO_GUEST)) {
	case VMQ_PASS:
		break;
	case VMQ_DROP:
		cause = VMQ_DROP_EXT;
		goto drop;
	case VMQ_CONSUMED:
		return;
	}
	skb->dev = dev;
	eth_skb_pkt_type(skb, dev);
	skb_record_rx_queue(skb, 0);
	/* not the stack itself: the caller is in the middle of a list of ports */
	if (likely(netif_rx(skb) == NET_RX_SUCCESS))
		vmq_stats_rx(stats, len, multicast);
	else
		vmq_stats_drop(stats, VMQ_DROP_FULL);
	return;

drop:
	vmq_stats_drop(stats, cause);
	kfree_skb(skb);
}

/**
 * vmq_flood() - copies a frame to the ports (O-46)
 * @a: the adapter
 * @skb: the frame, data at the network header; stays the caller's
 * @but: port that does not get it, as it sent it or has it already, or NULL
 *
 * Broadcast and multicast frames go to all ports, unicast ones to those in
 * promiscuous mode, and what is between neighbours on a link (802.1D) to none. A
 * port gets the frames of the VLANs that its filters let in, no others (M-04).
 *
 * Context: RCU read side, BH off.
 */
void vmq_flood(struct vmq_adapter *a, struct sk_buff *skb,
	       const struct vmq_port *but)
{
	const u8 *dst = eth_hdr(skb)->h_dest;
	bool all = is_multicast_ether_addr(dst);
	u16 vid = vmq_skb_vid(skb);
	struct vmq_port *port;

	if (is_link_local_ether_addr(dst) || vmq_skb_foreign_tag(skb))
		return;
	list_for_each_entry_rcu(port, &a->ports, node) {
		if (port != but && test_bit(vid, port->vlans) &&
		    (port->dev->flags & IFF_UP) &&
		    (all || (port->dev->flags & IFF_PROMISC)))
			vmq_flood_port(port, skb);
	}
	vmq_vfs_flood(a, skb, but);
}

/**
 * vmq_rx() - rx_handler of the uplink
 * @pskb: the frame, data at the network header, its tag in the metadata
 *
 * Context: RCU read side, BH off.
 * Return: RX_HANDLER_ANOTHER with the port or the adapter as its device, so
 * that the stack goes on there at once, or RX_HANDLER_CONSUMED.
 */
rx_handler_result_t vmq_rx(struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb;
	struct vmq_adapter *a;
	struct vmq_queue *q;

	if (unlikely(skb->pkt_type == PACKET_LOOPBACK))
		return RX_HANDLER_PASS;
	a = rcu_dereference(skb->dev->rx_handler_data);
	skb = skb_share_check(skb, GFP_ATOMIC);
	if (unlikely(!skb)) {
		vmq_stats_drop(a->filter_drops, VMQ_DROP_NOMEM);
		return RX_HANDLER_CONSUMED;
	}
	*pskb = skb;

	q = vmq_classify(a, skb);
	if (unlikely(q == &vmq_drop_queue)) {
		vmq_stats_drop(a->filter_drops, VMQ_DROP_FILTER);
		kfree_skb_reason(skb, SKB_DROP_REASON_NOT_SPECIFIED);
		return RX_HANDLER_CONSUMED;
	}
	/* a filter names who has the frame itself, the others have copies */
	if (is_multicast_ether_addr(eth_hdr(skb)->h_dest))
		vmq_flood(a, skb, q ? rcu_dereference(q->port) : NULL);
	else if (!q && unlikely(READ_ONCE(a->n_promisc)))
		vmq_flood(a, skb, NULL);
	if (!q)
		q = vmq_rss_default(a, skb);
	return vmq_queue_rx(q, skb) ? RX_HANDLER_ANOTHER : RX_HANDLER_CONSUMED;
}

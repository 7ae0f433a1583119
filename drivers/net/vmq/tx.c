// SPDX-License-Identifier: GPL-2.0
/*
 * Transmit: from a port or from the host's own stack on the adapter to another
 * port (destination MAC and VLAN), to all for broadcast and multicast, else to
 * the uplink.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>

#include "vmq_priv.h"

/* The counters of a sender. */
struct vmq_sender {
	struct vmq_pcpu_stats __percpu *queue;
	struct vmq_pcpu_stats __percpu *port;	/* NULL: the host's stack */
};

static void vmq_tx_count_drop(const struct vmq_sender *s, bool ext)
{
	vmq_stats_tx_drop(s->queue, ext);
	if (s->port)
		vmq_stats_tx_drop(s->port, ext);
}

static void vmq_tx_drop(const struct vmq_sender *s, struct sk_buff *skb,
			enum skb_drop_reason reason)
{
	vmq_tx_count_drop(s, false);
	kfree_skb_reason(skb, reason);
}

/* An id that names no queue means the default one (T-04, R-22). */
static struct vmq_queue *vmq_tx_queue(const struct vmq_adapter *a, u16 id)
{
	struct vmq_queue *q = NULL;

	if (id < a->max_queues)
		q = rcu_dereference(a->queue[id]);
	if (!q || READ_ONCE(q->state) == VMQ_QUEUE_STATE_UNDEFINED)
		q = rcu_dereference(a->queue[0]);
	return q;
}

/* Brings the frame into the form that the receive side has: data at the network
 * header, the tag in the metadata. NULL if that was not possible.
 */
static struct sk_buff *vmq_tx_normalize(struct sk_buff *skb)
{
	if (unlikely(!pskb_may_pull(skb, ETH_HLEN)))
		goto drop;
	skb_reset_mac_header(skb);
	__skb_pull(skb, ETH_HLEN);
	skb_reset_network_header(skb);
	skb_reset_mac_len(skb);
	if (unlikely(!skb->protocol))
		skb->protocol = eth_hdr(skb)->h_proto;
	if (eth_type_vlan(skb->protocol) && !skb_vlan_tag_present(skb))
		/* frees it where it fails */
		return skb_vlan_untag(skb);
	return skb;

drop:
	kfree_skb_reason(skb, SKB_DROP_REASON_HDR_TRUNC);
	return NULL;
}

/* Frames leave with the MAC header in front; a tag in the metadata is inserted
 * by the uplink or by the core on its behalf (T-09).
 */
static void vmq_tx_uplink(struct net_device *uplink, struct sk_buff *skb,
			  const struct vmq_sender *s)
{
	skb_push(skb, skb->data - skb_mac_header(skb));
	skb->dev = uplink;
	if (unlikely(dev_queue_xmit(skb) == NET_XMIT_DROP))
		vmq_tx_count_drop(s, false);
}

/* To a queue of this adapter, as if the frame had come from the uplink. */
static void vmq_tx_local(struct vmq_queue *q, struct sk_buff *skb,
			 const struct vmq_sender *s)
{
	struct net_device *from = skb->dev;
	struct net_device *dev;

	if (unlikely(skb_orphan_frags_rx(skb, GFP_ATOMIC))) {
		vmq_tx_drop(s, skb, SKB_DROP_REASON_NOMEM);
		return;
	}
	dev = vmq_queue_rx(q, skb);
	if (!dev)
		return;
	if (!net_eq(dev_net(dev), dev_net(from)))
		skb_scrub_packet(skb, true);
	/* through the backlog: the sender may be deep in its own stack */
	netif_rx(skb);
}

static void vmq_tx_multicast(struct vmq_adapter *a, struct vmq_port *from,
			     struct sk_buff *skb, const struct vmq_sender *s)
{
	struct net_device *uplink = rcu_dereference(a->uplink);
	struct sk_buff *copy;

	vmq_flood(a, skb, from);
	if (from && (a->dev->flags & IFF_UP)) {
		copy = uplink ? skb_clone(skb, GFP_ATOMIC) : skb;
		if (copy)
			vmq_tx_local(rcu_dereference(a->queue[0]), copy, s);
		if (!uplink)
			return;
	}
	if (uplink)
		vmq_tx_uplink(uplink, skb, s);
	else
		consume_skb(skb);
}

static void vmq_tx_unicast(struct vmq_adapter *a, struct vmq_port *from,
			   struct sk_buff *skb, const struct vmq_sender *s)
{
	struct net_device *uplink = rcu_dereference(a->uplink);
	struct vmq_queue *q = vmq_classify_mac(a, skb);
	struct vmq_port *to;

	if (unlikely(q == &vmq_drop_queue)) {
		vmq_tx_drop(s, skb, SKB_DROP_REASON_NOT_SPECIFIED);
		return;
	}
	to = q ? rcu_dereference(q->port) : NULL;
	if (to == from && to) {
		/* to itself: nobody else has this address */
		vmq_tx_drop(s, skb, SKB_DROP_REASON_OTHERHOST);
		return;
	}
	if (!q && from &&
	    ether_addr_equal(eth_hdr(skb)->h_dest, a->dev->dev_addr))
		q = rcu_dereference(a->queue[0]);
	/* a queue without a port is the host's, which does not send to itself */
	if (q && (to || from)) {
		vmq_tx_local(q, skb, s);
		return;
	}
	if (uplink)
		vmq_tx_uplink(uplink, skb, s);
	else
		vmq_tx_drop(s, skb, SKB_DROP_REASON_NOT_SPECIFIED);
}

static void __vmq_tx(struct vmq_adapter *a, struct vmq_port *from,
		     struct sk_buff *skb)
{
	struct vmq_sender s = {};
	struct vmq_queue *q;

	if (from) {
		u16 index = skb_get_queue_mapping(skb);

		q = index < READ_ONCE(from->n_queues) ? from->queue[index] :
							vmq_port_queue(from);
		s.port = from->stats[q->index];
	} else {
		q = vmq_tx_queue(a, skb_get_queue_mapping(skb));
	}
	s.queue = q->stats;

	skb = vmq_tx_normalize(skb);
	if (unlikely(!skb)) {
		vmq_tx_count_drop(&s, false);
		return;
	}
	if (from) {
		switch (vmq_ext_frame(from, skb, VMQ_FROM_GUEST)) {
		case VMQ_PASS:
			break;
		case VMQ_DROP:
			vmq_tx_count_drop(&s, true);
			kfree_skb_reason(skb, SKB_DROP_REASON_NOT_SPECIFIED);
			return;
		case VMQ_CONSUMED:
			return;
		}
		vmq_stats_tx(s.port, skb->len + ETH_HLEN);
	}
	vmq_stats_tx(s.queue, skb->len + ETH_HLEN);

	if (is_multicast_ether_addr(eth_hdr(skb)->h_dest))
		vmq_tx_multicast(a, from, skb, &s);
	else
		vmq_tx_unicast(a, from, skb, &s);
}

/**
 * vmq_tx() - sends a frame
 * @a: the adapter
 * @from: port that sends, or NULL for the host's stack
 * @skb: the frame, data at the MAC header
 *
 * Context: ndo_start_xmit: BH off, not necessarily an RCU read side.
 * Return: NETDEV_TX_OK always; what can't be sent is counted and freed.
 */
netdev_tx_t vmq_tx(struct vmq_adapter *a, struct vmq_port *from,
		   struct sk_buff *skb)
{
	rcu_read_lock();
	__vmq_tx(a, from, skb);
	rcu_read_unlock();
	return NETDEV_TX_OK;
}

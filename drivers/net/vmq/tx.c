// SPDX-License-Identifier: GPL-2.0
/*
 * Transmit: from a port or from the host's own stack on the adapter to another
 * port (destination MAC and VLAN), to all for broadcast and multicast, else to
 * the uplink.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>

#include "gate_port.h"
#include "policy.h"

/* The counters of a sender. */
struct vmq_sender {
	struct vmq_pcpu_stats __percpu *queue;
	struct vmq_pcpu_stats __percpu *port;	/* NULL: the host's stack */
	bool ext;				/* an extension, in its own name */
};

static void vmq_tx_count_drop(const struct vmq_sender *s, bool ext)
{
	vmq_stats_tx_drop(s->queue, ext);
	if (s->port)
		vmq_stats_tx_drop(s->port, ext);
}

static void vmq_tx_refuse(const struct vmq_sender *s, struct sk_buff *skb,
			  enum vmq_tx_cause cause)
{
	vmq_stats_tx_cause(s->queue, cause);
	if (s->port)
		vmq_stats_tx_cause(s->port, cause);
	kfree_skb_reason(skb, SKB_DROP_REASON_NOT_SPECIFIED);
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

/**
 * vmq_tx_normalize() - brings a frame into the form that the receive side has
 * @skb: the frame, data at the MAC header
 *
 * Context: Any.
 * Return: the frame, data at the network header, the tag in the metadata; NULL if
 * that was not possible, and the frame is freed.
 */
struct sk_buff *vmq_tx_normalize(struct sk_buff *skb)
{
	if (unlikely(!pskb_may_pull(skb, ETH_HLEN)))
		goto drop;
	skb_reset_mac_header(skb);
	__skb_pull(skb, ETH_HLEN);
	/* tc may redirect a received frame here, with its checksum */
	skb_postpull_rcsum(skb, eth_hdr(skb), ETH_HLEN);
	skb_reset_network_header(skb);
	skb_reset_mac_len(skb);
	/* from the frame itself: a raw socket says what it likes */
	skb->protocol = eth_hdr(skb)->h_proto;
	if (!eth_proto_is_802_3(skb->protocol))
		skb->protocol = htons(ETH_P_802_2);
	if (eth_type_vlan(skb->protocol) && !skb_vlan_tag_present(skb))
		/* frees it where it fails */
		return skb_vlan_untag(skb);
	return skb;

drop:
	kfree_skb_reason(skb, SKB_DROP_REASON_HDR_TRUNC);
	return NULL;
}

/**
 * vmq_xmit() - gives a frame to another device to send
 * @dev: the device, such as the uplink
 * @skb: the frame, data at the network header
 *
 * The frame leaves with the MAC header in front; a tag in the metadata is inserted
 * by the device or by the core on its behalf (T-09).
 *
 * Context: RCU read side, BH off.
 * Return: 0, or what the device says where it does not send it.
 */
int vmq_xmit(struct net_device *dev, struct sk_buff *skb)
{
	int depth;
	int err;

	skb_push(skb, skb->data - skb_mac_header(skb));
	/* of an inner tag: drivers look for the IP header behind it */
	if (unlikely(eth_type_vlan(skb->protocol)) &&
	    vlan_get_protocol_and_depth(skb, skb->protocol, &depth))
		skb_set_network_header(skb, depth);
	skb->dev = dev;
	err = dev_queue_xmit(skb);
	return net_xmit_eval(err);
}

static void vmq_tx_uplink(struct net_device *uplink, struct sk_buff *skb,
			  const struct vmq_sender *s)
{
	if (unlikely(vmq_xmit(uplink, skb)))
		vmq_tx_count_drop(s, false);
}

/* To a queue of this adapter, as if the frame had come from the uplink. */
static void vmq_tx_local(struct vmq_queue *q, struct sk_buff *skb,
			 const struct vmq_sender *s)
{
	struct vmq_port *to = rcu_dereference(q->port);
	struct net_device *dev = to ? to->dev : q->adapter->dev;

	if (unlikely(skb_orphan_frags_rx(skb, GFP_ATOMIC))) {
		vmq_tx_drop(s, skb, SKB_DROP_REASON_NOMEM);
		return;
	}
	/* what the sender's stack knew of it is not for the receiver's */
	skb_scrub_packet(skb, !net_eq(dev_net(dev), dev_net(skb->dev)));
	skb->priority = 0;
	vmq_queue_receive(q, skb, false);
}

static void vmq_tx_local_copy(struct vmq_queue *q, struct sk_buff *skb,
			      const struct vmq_sender *s)
{
	skb = skb_clone(skb, GFP_ATOMIC);
	if (skb)
		vmq_tx_local(q, skb, s);
	else
		vmq_stats_drop(q->stats, VMQ_DROP_NOMEM);
}

static void vmq_tx_uplink_or_drop(struct vmq_adapter *a, struct sk_buff *skb,
				  const struct vmq_sender *s)
{
	struct net_device *uplink = rcu_dereference(a->uplink);

	if (uplink)
		vmq_tx_uplink(uplink, skb, s);
	else
		vmq_tx_drop(s, skb, SKB_DROP_REASON_NOT_SPECIFIED);
}

static void vmq_tx_multicast(struct vmq_adapter *a, struct vmq_port *from,
			     struct sk_buff *skb, const struct vmq_sender *s)
{
	struct net_device *uplink = rcu_dereference(a->uplink);

	/* pause, LACP, spanning tree...: between a guest and its port only */
	if (from && is_link_local_ether_addr(eth_hdr(skb)->h_dest)) {
		vmq_tx_drop(s, skb, SKB_DROP_REASON_NOT_SPECIFIED);
		return;
	}
	vmq_flood(a, skb, from, false);
	if ((from || s->ext) && (a->dev->flags & IFF_UP) &&
	    !READ_ONCE(a->private))
		vmq_tx_local_copy(vmq_rss_default(a, skb), skb, s);
	if (uplink)
		vmq_tx_uplink(uplink, skb, s);
	else
		consume_skb(skb);
}

/* Has the host this address, or something on the adapter, such as a macvlan? */
static bool vmq_tx_for_host(const struct vmq_adapter *a, const u8 *mac)
{
	const struct netdev_hw_addr *ha;

	if (ether_addr_equal(mac, a->dev->dev_addr))
		return true;
	list_for_each_entry_rcu(ha, &a->dev->uc.list, list)
		if (ether_addr_equal(mac, ha->addr))
			return true;
	return false;
}

/* No filter has the address: to the host, or who listens to all and the uplink. */
static void vmq_tx_unknown(struct vmq_adapter *a, struct vmq_port *from,
			   struct sk_buff *skb, const struct vmq_sender *s)
{
	bool host_hears = (from || s->ext) && likely(!READ_ONCE(a->private));

	if (host_hears && vmq_tx_for_host(a, eth_hdr(skb)->h_dest)) {
		vmq_tx_local(vmq_rss_default(a, skb), skb, s);
		return;
	}
	if (unlikely(READ_ONCE(a->n_promisc)))
		vmq_flood(a, skb, from, false);
	if (host_hears && unlikely(a->dev->flags & IFF_PROMISC))
		vmq_tx_local_copy(vmq_rss_default(a, skb), skb, s);
	vmq_tx_uplink_or_drop(a, skb, s);
}

static void vmq_tx_unicast(struct vmq_adapter *a, struct vmq_port *from,
			   struct sk_buff *skb, const struct vmq_sender *s)
{
	struct vmq_queue *q = vmq_classify_mac(a, skb);
	struct vmq_port *to;

	if (!q) {
		vmq_tx_unknown(a, from, skb, s);
		return;
	}
	if (unlikely(q == &vmq_drop_queue)) {
		vmq_tx_drop(s, skb, SKB_DROP_REASON_NOT_SPECIFIED);
		return;
	}
	to = rcu_dereference(q->port);
	if (to && to == from) {
		/* to itself: nobody else has this address */
		vmq_tx_drop(s, skb, SKB_DROP_REASON_OTHERHOST);
		return;
	}
	/* the uplink's VFs are behind the uplink, which switches */
	if (unlikely(q->via_uplink)) {
		vmq_tx_uplink_or_drop(a, skb, s);
		return;
	}
	/* it has arrived when its state has: until then it is elsewhere */
	if (to && unlikely(vmq_gate_expects(to)) &&
	    rcu_access_pointer(a->uplink)) {
		vmq_tx_uplink_or_drop(a, skb, s);
		return;
	}
	if (!to && unlikely(READ_ONCE(a->private))) {
		vmq_tx_drop(s, skb, SKB_DROP_REASON_OTHERHOST);
		return;
	}
	if (unlikely(vmq_policy_isolates(from, to))) {
		vmq_tx_refuse(s, skb, VMQ_TX_ISOLATED);
		return;
	}
	/* a queue without a port is the host's, which does not send to itself */
	if (to || from || s->ext)
		vmq_tx_local(q, skb, s);
	else
		vmq_tx_uplink_or_drop(a, skb, s);
}

/* Who is charged for a frame, by the transmit queue that it came on. */
static void vmq_tx_sender(struct vmq_adapter *a, struct vmq_port *from,
			  const struct sk_buff *skb, struct vmq_sender *s)
{
	u16 index = skb_get_queue_mapping(skb);
	struct vmq_queue *q;

	s->port = NULL;
	s->ext = false;
	if (from) {
		q = vmq_port_queue_at(from, index);
		s->port = from->stats[q->index];
	} else {
		q = vmq_tx_queue(a, index);
	}
	s->queue = q->stats;
}

/* A frame that its extensions, if there are any, have seen. */
static void vmq_tx_switch(struct vmq_adapter *a, struct vmq_port *from,
			  struct sk_buff *skb, enum vmq_verdict verdict,
			  const struct vmq_sender *s)
{
	int cause;

	if (verdict == VMQ_CONSUMED)
		return;
	if (unlikely(verdict == VMQ_DROP)) {
		vmq_tx_count_drop(s, true);
		kfree_skb_reason(skb, SKB_DROP_REASON_NOT_SPECIFIED);
		return;
	}
	if (from) {
		cause = vmq_policy_tx(from, skb);
		if (unlikely(cause != VMQ_TX_OK)) {
			vmq_tx_refuse(s, skb, cause);
			return;
		}
		vmq_stats_tx(s->port, skb->len + ETH_HLEN);
		/* nobody announces a VF: its NIC is its guest's alone */
		if (!from->vf)
			vmq_learn(from, skb);
	}
	vmq_stats_tx(s->queue, skb->len + ETH_HLEN);

	if (is_multicast_ether_addr(eth_hdr(skb)->h_dest))
		vmq_tx_multicast(a, from, skb, s);
	else
		vmq_tx_unicast(a, from, skb, s);
}

/**
 * vmq_tx_resume() - goes on with a frame that an extension had kept
 * @from: port that sent it
 * @skb: the frame, data at the network header
 * @verdict: what the extensions say of it now
 *
 * Context: RCU read side, BH off.
 */
void vmq_tx_resume(struct vmq_port *from, struct sk_buff *skb,
		   enum vmq_verdict verdict)
{
	struct vmq_sender s;

	vmq_tx_sender(from->adapter, from, skb, &s);
	/* what it held must not open its gate again, as what a guest sends does */
	if (verdict == VMQ_PASS &&
	    (READ_ONCE(from->deleted) || !netif_running(from->dev) ||
	     READ_ONCE(from->gate.mode) != VMQ_PORT_GATE_OPEN))
		vmq_tx_drop(&s, skb, SKB_DROP_REASON_DEV_READY);
	else
		vmq_tx_switch(from->adapter, from, skb, verdict, &s);
}

/**
 * vmq_tx_trusted() - sends a frame in the name of an extension
 * @port: the port that the extension is on; it has no part in it
 * @skb: the frame, data at the network header; freed where it can't be sent
 *
 * Context: RCU read side, BH off.
 * Return: 0, or -ENETDOWN where the port is on its way out.
 */
int vmq_tx_trusted(struct vmq_port *port, struct sk_buff *skb)
{
	struct vmq_sender s;

	if (READ_ONCE(port->deleted)) {
		kfree_skb(skb);
		return -ENETDOWN;
	}
	vmq_tx_sender(port->adapter, NULL, skb, &s);
	s.ext = true;
	vmq_tx_switch(port->adapter, NULL, skb, VMQ_PASS, &s);
	return 0;
}

static void __vmq_tx(struct vmq_adapter *a, struct vmq_port *from,
		     struct sk_buff *skb)
{
	enum vmq_verdict verdict = VMQ_PASS;
	struct vmq_sender s;

	vmq_tx_sender(a, from, skb, &s);
	if (!from && unlikely(READ_ONCE(a->private))) {
		vmq_tx_drop(&s, skb, SKB_DROP_REASON_DEV_READY);
		return;
	}
	/* it has no extensions any more that could say no */
	if (from && unlikely(READ_ONCE(from->deleted))) {
		vmq_tx_drop(&s, skb, SKB_DROP_REASON_DEV_READY);
		return;
	}
	if (from && vmq_gate_mutes_tx(from, skb)) {
		vmq_tx_drop(&s, skb, SKB_DROP_REASON_DEV_READY);
		return;
	}

	skb = vmq_tx_normalize(skb);
	if (unlikely(!skb)) {
		vmq_tx_count_drop(&s, false);
		return;
	}
	if (from && from->vf && unlikely(!vmq_vf_tx(from->vf, skb))) {
		vmq_tx_drop(&s, skb, SKB_DROP_REASON_NOT_SPECIFIED);
		return;
	}
	if (from)
		verdict = vmq_ext_frame(from, skb, VMQ_FROM_GUEST);
	vmq_tx_switch(a, from, skb, verdict, &s);
}

/**
 * vmq_tx_announcement() - sends a frame that says where a guest is
 * @from: the port of the guest
 * @skb: the frame, to all, data at the MAC header
 *
 * It is the host's, so the guest's policy and counters have no part in it.
 *
 * Context: BH off.
 */
void vmq_tx_announcement(struct vmq_port *from, struct sk_buff *skb)
{
	struct vmq_sender s = {};

	rcu_read_lock();
	skb = vmq_tx_normalize(skb);
	if (skb && !READ_ONCE(from->deleted)) {
		s.queue = vmq_port_queue(from)->stats;
		s.port = from->stats[0];
		vmq_tx_multicast(from->adapter, from, skb, &s);
	} else {
		kfree_skb(skb);
	}
	rcu_read_unlock();
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

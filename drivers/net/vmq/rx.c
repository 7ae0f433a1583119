// SPDX-License-Identifier: GPL-2.0
/*
 * Receive: from the uplink to the queue that the classifier names, and from the
 * queue to its port or, for a queue without one, to the adapter.
 *
 * A frame of a direct queue is delivered where it arrives. It waits in the queue's
 * FIFO where that can't be, and where frames wait already (queue_fifo.h).
 */
#include <linux/etherdevice.h>

#include "policy.h"
#include "port_tap.h"
#include "queue_napi.h"
#include "rule_table.h"
#include "rx_near.h"
#include "trace.h"

/* Copies of a frame that the stack takes where it arrived. */
#define VMQ_FLOOD_AT_ONCE	256

/* What is known of a frame while it waits in a FIFO. */
struct vmq_frame {
	bool flood;			/* a copy, in the counters of the port only */
};

static struct vmq_frame *vmq_frame(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct vmq_frame) > sizeof(skb->cb));
	return (struct vmq_frame *)skb->cb;
}

static void vmq_queue_drop(struct vmq_queue *q, struct vmq_port *port,
			   struct sk_buff *skb, bool flood, enum vmq_drop cause,
			   enum skb_drop_reason reason)
{
	trace_vmq_drop(q, cause);
	if (!flood)
		vmq_stats_drop(q->stats, cause);
	if (port)
		vmq_stats_drop(port->stats[q->index], cause);
	kfree_skb_reason(skb, reason);
}

/* See vmq_queue_rx(); but for the lookahead. */
static struct net_device *__vmq_queue_rx(struct vmq_queue *q,
					 struct sk_buff *skb, bool flood)
{
	bool multicast = is_multicast_ether_addr(eth_hdr(skb)->h_dest);
	unsigned int len = skb->len + ETH_HLEN;
	struct net_device *dev;
	struct vmq_port *port;

	port = rcu_dereference(q->port);
	if (unlikely(READ_ONCE(q->state) != VMQ_QUEUE_STATE_RUNNING)) {
		vmq_queue_drop(q, port, skb, flood, VMQ_DROP_STATE,
			       SKB_DROP_REASON_DEV_READY);
		return NULL;
	}
	dev = port ? port->dev : q->adapter->dev;
	if (unlikely(!(dev->flags & IFF_UP))) {
		vmq_queue_drop(q, port, skb, flood, VMQ_DROP_DOWN,
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
		if (unlikely(!vmq_policy_rx(port, skb)))
			goto drop_vlan;
		goto deliver;
	}
	if (vmq_gate_rx(port, q->index, skb))
		return NULL;
	/* the guest's alone, so not for the host's stack when it is away */
	if (READ_ONCE(port->claimed) && !READ_ONCE(port->tap.numvtaps)) {
		vmq_queue_drop(q, port, skb, flood, VMQ_DROP_READER,
			       SKB_DROP_REASON_DEV_READY);
		return NULL;
	}
	if (unlikely(!vmq_policy_rx(port, skb)))
		goto drop_vlan;
	switch (vmq_ext_frame(port, skb, VMQ_TO_GUEST)) {
	case VMQ_PASS:
		break;
	case VMQ_DROP:
		vmq_queue_drop(q, port, skb, flood, VMQ_DROP_EXT,
			       SKB_DROP_REASON_NOT_SPECIFIED);
		return NULL;
	case VMQ_CONSUMED:
		return NULL;
	}
deliver:
	if (!flood)
		vmq_stats_rx(q->stats, len, multicast);
	if (flood || !q->own)
		vmq_stats_rx(port->stats[q->index], len, multicast);
	skb_record_rx_queue(skb, q->index);
out:
	skb->dev = dev;
	skb->pkt_type = PACKET_HOST;
	eth_skb_pkt_type(skb, dev);
	return dev;

drop_vlan:
	vmq_queue_drop(q, port, skb, flood, VMQ_DROP_VLAN,
		       SKB_DROP_REASON_NOT_SPECIFIED);
	return NULL;
}

/*
 * The first bytes of the frame become linear, with room of the same size in front
 * of them that is the receiver's alone (M-07, M-10, R-15 to R-17).
 */
static bool vmq_queue_lookahead(const struct vmq_queue *q, struct sk_buff *skb)
{
	unsigned int bytes = READ_ONCE(q->lookahead);
	unsigned int want = bytes > ETH_HLEN ? bytes - ETH_HLEN : 0;

	if (!pskb_may_pull(skb, min(want, skb->len)) ||
	    skb_cow_head(skb, bytes + ETH_HLEN))
		return false;
	trace_vmq_lookahead(q, skb);
	return true;
}

/**
 * vmq_queue_rx() - takes a frame through a queue
 * @q: the queue
 * @skb: the frame, data at the network header; not shared
 * @flood: it is a copy, counted by the port alone
 *
 * The caller hands the frame to the stack as one that the returned device
 * received. The metadata names the queue.
 *
 * Context: RCU read side, BH off.
 * Return: the device, or NULL if the frame was dropped, counted, and freed.
 */
struct net_device *vmq_queue_rx(struct vmq_queue *q, struct sk_buff *skb,
				bool flood)
{
	if (unlikely(READ_ONCE(q->fifo.slow) & VMQ_SLOW_LOOKAHEAD) &&
	    unlikely(!vmq_queue_lookahead(q, skb))) {
		vmq_queue_drop(q, rcu_dereference(q->port), skb, flood,
			       VMQ_DROP_NOMEM, SKB_DROP_REASON_NOMEM);
		return NULL;
	}
	return __vmq_queue_rx(q, skb, flood);
}

/* ---- the short way ---- */

/*
 * May unicast frames of a queue go to its netdev or its tap with no other reason
 * against it than @slow? Then nobody has a say but its extensions.
 */
static __always_inline bool vmq_rx_plain(const struct vmq_queue *q,
					 unsigned int slow)
{
	return !(READ_ONCE(q->fifo.slow) & ~(VMQ_SLOW_TAP | slow)) &&
	       READ_ONCE(q->state) == VMQ_QUEUE_STATE_RUNNING &&
	       !vmq_gate_used();
}

/*
 * Asks the extensions of the port of such a queue. Context: RCU read side, BH off.
 * False if one of them has the frame, or it was dropped.
 */
static __always_inline bool vmq_rx_ext(struct vmq_queue *q,
				       struct vmq_port *port,
				       struct sk_buff *skb)
{
	enum vmq_verdict verdict = vmq_ext_frame(port, skb, VMQ_TO_GUEST);

	if (likely(verdict == VMQ_PASS))
		return true;
	if (verdict == VMQ_DROP)
		vmq_queue_drop(q, port, skb, false, VMQ_DROP_EXT,
			       SKB_DROP_REASON_NOT_SPECIFIED);
	return false;
}

/*
 * What __vmq_queue_rx() comes to for such a frame, with what is in the queue's
 * cache line alone.
 */
static __always_inline void vmq_rx_count(struct vmq_queue *q,
					 struct sk_buff *skb)
{
	vmq_stats_rx(q->stats, skb->len + ETH_HLEN, false);
	skb_record_rx_queue(skb, q->index);
	skb->dev = q->dev;
	skb->pkt_type = likely(ether_addr_equal(eth_hdr(skb)->h_dest, q->mac)) ?
			PACKET_HOST : PACKET_OTHERHOST;
}

/* ---- frames that wait ---- */

/* Its NAPI stays for a grace period after another one became the consumer. */
static struct vmq_queue_napi *vmq_queue_consumer(const struct vmq_queue *q)
{
	return (struct vmq_queue_napi *)READ_ONCE(q->fifo.consumer);
}

/* Into the FIFO of the queue, for who delivers its frames. */
static void vmq_queue_put(struct vmq_queue *q, struct sk_buff *skb, bool flood)
{
	struct vmq_port *port = rcu_dereference(q->port);
	struct vmq_queue_napi *n;

	/* its device may go before it is delivered, ours wait for it */
	if (likely(port))
		skb->dev = q->dev ?: port->dev;
	else
		skb->dev = q->adapter->dev;
	skb_dst_force(skb);
	/* the socket that BPF chose may be gone by then */
	if (skb_sk_is_prefetched(skb))
		skb_orphan(skb);
	vmq_frame(skb)->flood = flood;
	if (unlikely(READ_ONCE(q->state) != VMQ_QUEUE_STATE_RUNNING)) {
		vmq_queue_drop(q, port, skb, flood, VMQ_DROP_STATE,
			       SKB_DROP_REASON_DEV_READY);
		return;
	}
	switch (vmq_fifo_put(&q->fifo, skb)) {
	case VMQ_WAKE_FULL:
		vmq_queue_drop(q, port, skb, flood, VMQ_DROP_FULL,
			       SKB_DROP_REASON_FULL_RING);
		break;
	case VMQ_WAKE_NOW:
		vmq_queue_kick(q);
		break;
	case VMQ_WAKE_LATER:
		n = vmq_queue_consumer(q);
		if (n)
			vmq_moder_wait(n);
		break;
	default:
		break;
	}
}

/* Hands a frame that went through a queue to its guest, if it has no host's stack
 * in between.
 */
static bool vmq_queue_give(const struct vmq_queue *q, struct sk_buff *skb)
{
	struct vmq_port *port = rcu_dereference(q->port);

	return port && READ_ONCE(port->claimed) && vmq_tap_give(port, skb);
}

/* Takes a frame that waited through its queue; false if it goes no further. */
static bool vmq_queue_pass(struct vmq_queue *q, struct sk_buff *skb, bool plain)
{
	if (plain && !vmq_frame(skb)->flood &&
	    !is_multicast_ether_addr(eth_hdr(skb)->h_dest)) {
		vmq_rx_count(q, skb);
		return true;
	}
	return vmq_queue_rx(q, skb, vmq_frame(skb)->flood);
}

/* Delivers frames of one queue in one call; their bytes. */
static unsigned int vmq_queue_deliver(struct vmq_queue *q,
				      struct sk_buff_head *batch)
{
	/* claimed by a guest, a port has to be asked whether that one is there */
	bool plain = vmq_rx_plain(q, VMQ_SLOW_FIFO) && !vmq_ext_used() &&
		     !(READ_ONCE(q->fifo.slow) & VMQ_SLOW_TAP);
	unsigned int n = 0, bytes = 0;
	struct sk_buff *skb;
	LIST_HEAD(list);

	while ((skb = __skb_dequeue(batch))) {
		bytes += skb->len;
		if (!vmq_queue_pass(q, skb, plain))
			continue;
		n++;
		/* not past those that wait for the stack */
		if (!list_empty(&list) || plain || !vmq_queue_give(q, skb))
			list_add_tail(&skb->list, &list);
	}
	if (n)
		trace_vmq_deliver(q, n, READ_ONCE(q->fifo.slow) &
					VMQ_SLOW_SINGLE);
	if (list_empty(&list))
		return bytes;
	if (list_is_singular(&list)) {
		/* with RPS as a list has it, or it would overtake */
		skb = list_first_entry(&list, struct sk_buff, list);
		skb_list_del_init(skb);
		netif_receive_skb(skb);
	} else {
		netif_receive_skb_list(&list);
	}
	return bytes;
}

/**
 * vmq_queue_consume() - takes frames from the FIFO of a queue and delivers them
 * @q: the queue
 * @n: its NAPI, or NULL for a direct queue
 * @budget: most frames
 * @done: how many it were
 *
 * Context: Softirq.
 * Return: true if the caller is to go on.
 */
bool vmq_queue_consume(struct vmq_queue *q, struct vmq_queue_napi *n,
		       unsigned int budget, int *done)
{
	enum vmq_wake wake = VMQ_WAKE_NONE;
	struct sk_buff_head batch;
	unsigned int bytes;

	__skb_queue_head_init(&batch);
	/* who frees the queue or its NAPI waits for the end of this */
	rcu_read_lock();
	*done = vmq_fifo_take(&q->fifo, n, budget, &batch);
	if (*done) {
		bytes = vmq_queue_deliver(q, &batch);
		if (n) {
			n->sample.packets += *done;
			n->sample.bytes += bytes;
		}
		wake = vmq_fifo_done(&q->fifo, n);
		if (wake == VMQ_WAKE_NOW)
			vmq_queue_kick(q);
	}
	rcu_read_unlock();
	return wake == VMQ_WAKE_AGAIN;
}

/**
 * vmq_queue_kicked() - wakes who delivers what waits in the FIFO of a queue
 * @q: the queue
 *
 * Where the queue has one CPU and this is it, nobody need be woken.
 *
 * Context: Softirq.
 */
void vmq_queue_kicked(struct vmq_queue *q)
{
	struct vmq_queue_napi *n;
	int done;

	rcu_read_lock();
	n = vmq_queue_consumer(q);
	if (n && !vmq_napi_is_here(n))
		vmq_napi_kick(n);
	else if (vmq_queue_consume(q, n, NAPI_POLL_WEIGHT, &done))
		vmq_queue_kick(q);
	rcu_read_unlock();
}

/* See vmq_queue_receive(). in_place: the host's stack may take it at once. */
static void __vmq_queue_receive(struct vmq_queue *q, struct sk_buff *skb,
				bool flood, bool in_place)
{
	struct vmq_port *port;

	q = vmq_rss_queue(q, skb);
	port = rcu_dereference(q->port);
	if (READ_ONCE(q->fifo.slow) & VMQ_SLOW_FIFO || !port ||
	    (!in_place && !READ_ONCE(port->claimed))) {
		vmq_queue_put(q, skb, flood);
		return;
	}
	if (!vmq_queue_rx(q, skb, flood))
		return;
	trace_vmq_deliver(q, 1, false);
	if (!READ_ONCE(port->claimed) || !vmq_tap_give(port, skb))
		netif_receive_skb_core(skb);
}

/**
 * vmq_queue_receive() - receives a frame that does not come from the uplink
 * @q: the queue
 * @skb: the frame, data at the network header; not shared
 * @flood: it is a copy, counted by the port alone
 *
 * A guest's ring takes the frame at once. The stack does not: the caller may be
 * deep in it.
 *
 * Context: RCU read side, BH off.
 */
void vmq_queue_receive(struct vmq_queue *q, struct sk_buff *skb, bool flood)
{
	__vmq_queue_receive(q, skb, flood, false);
}

/* A copy of a frame to all that came from the uplink, where nobody has a say. */
static __always_inline void vmq_flood_plain(struct vmq_port *port,
					    struct vmq_queue *q,
					    struct sk_buff *skb)
{
	skb = skb_clone(skb, GFP_ATOMIC);
	if (unlikely(!skb) || unlikely(skb_orphan_frags_rx(skb, GFP_ATOMIC))) {
		vmq_stats_drop(port->stats[0], VMQ_DROP_NOMEM);
		kfree_skb(skb);
		return;
	}
	vmq_stats_rx(port->stats[0], skb->len + ETH_HLEN, true);
	skb_record_rx_queue(skb, 0);
	skb->dev = port->dev;
	trace_vmq_deliver(q, 1, false);
	if (!(READ_ONCE(q->fifo.slow) & VMQ_SLOW_TAP) ||
	    !vmq_tap_give(port, skb))
		netif_receive_skb_core(skb);
}

/* A copy of a flooded frame for one port. */
static void vmq_flood_port(struct vmq_port *port, struct sk_buff *skb,
			   bool from_uplink, bool in_place)
{
	struct vmq_queue *q = vmq_port_queue(port);
	struct net_device *dev = port->dev;

	if (in_place && likely(vmq_rx_plain(q, 0)) && !vmq_ext_used() &&
	    likely(is_multicast_ether_addr(eth_hdr(skb)->h_dest)) &&
	    !rcu_access_pointer(q->rss) && (!port->claimed ||
					    vmq_tap_first(port))) {
		vmq_flood_plain(port, q, skb);
		return;
	}
	/* no copy for a guest that is silent or away */
	if (vmq_gate_mutes_flood(port))
		return;
	if (READ_ONCE(port->claimed) && !READ_ONCE(port->tap.numvtaps)) {
		vmq_stats_drop(port->stats[0], VMQ_DROP_READER);
		return;
	}
	skb = skb_clone(skb, GFP_ATOMIC);
	if (!skb || skb_orphan_frags_rx(skb, GFP_ATOMIC)) {
		vmq_stats_drop(port->stats[0], VMQ_DROP_NOMEM);
		kfree_skb(skb);
		return;
	}
	/* a frame that just came from the uplink has nothing to hide */
	if (!from_uplink) {
		skb_scrub_packet(skb, !net_eq(dev_net(dev), dev_net(skb->dev)));
		skb->priority = 0;
	}
	/* behind what the port already has, ahead of what comes later */
	__vmq_queue_receive(q, skb, true, in_place);
}

/**
 * vmq_flood() - copies a frame to the ports (O-46)
 * @a: the adapter
 * @skb: the frame, data at the network header; stays the caller's
 * @but: port that does not get it, as it sent it or has it already, or NULL
 * @in_place: it comes from the uplink: the stack takes the first copies at once,
 *	others wait in the FIFOs, so that the work in one softirq has an end
 *
 * Broadcast frames go to all ports, unicast ones to those in promiscuous mode, and
 * what is between neighbours on a link (802.1D) to none. Multicast frames go to ports
 * that are in the group: as the list of their netdev has it or all-multicast mode, or,
 * where a guest has them, as it reports itself (mcast.h). A port gets the frames of the
 * VLANs that its filters let in and its policy allows, no others (M-04), and an isolated
 * one none of another.
 *
 * Context: RCU read side, BH off.
 */
void vmq_flood(struct vmq_adapter *a, struct sk_buff *skb,
	       struct vmq_port *but, bool in_place)
{
	int at_once = in_place ? VMQ_FLOOD_AT_ONCE : 0;
	const u8 *dst = eth_hdr(skb)->h_dest;
	bool all = is_multicast_ether_addr(dst);
	struct vmq_port *from = NULL;
	bool group = all && !is_broadcast_ether_addr(dst);
	unsigned int bit = group ? vmq_group(dst) : 0;
	struct vmq_mcast_pick pick = {};
	u16 vid = vmq_skb_vid(skb);
	struct vmq_port *port;

	if (is_link_local_ether_addr(dst) || vmq_skb_foreign_tag(skb))
		return;
	/* of a frame from the uplink, @but is who receives it */
	if (but && skb->dev == but->dev)
		from = but;
	/* it may move the header that dst points to */
	if (group && READ_ONCE(a->mcast.on))
		vmq_mcast_frame(a, skb, from, &pick);
	list_for_each_entry_rcu(port, &a->ports, node) {
		if (port != but && test_bit(vid, port->vlans) &&
		    (port->dev->flags & IFF_UP) &&
		    !vmq_policy_isolates(from, port) &&
		    (all || (port->dev->flags & IFF_PROMISC)) &&
		    (!group || (READ_ONCE(port->claimed) ?
				vmq_mcast_wants(&pick, port) :
				test_bit(bit, port->groups))))
			vmq_flood_port(port, skb, in_place, at_once-- > 0);
	}
	vmq_vfs_flood(a, skb, but);
}

/* The queue that the filters name, without a call where they are plain. */
static __always_inline struct vmq_queue *
vmq_rx_classify(const struct vmq_adapter *a, const struct sk_buff *skb,
		bool near)
{
	const struct vmq_slot *slot = NULL;
	struct vmq_queue *q;

	if (unlikely(vmq_rules_masked(&a->rules)) ||
	    unlikely(vmq_skb_foreign_tag(skb)))
		return vmq_classify(a, skb);
	q = vmq_exact_target_of(&a->rules, eth_hdr(skb)->h_dest,
				vmq_skb_vid(skb), &slot);
	if (likely(slot) && !near)
		vmq_near_prefetch(slot);
	return q;
}

/* All other frames. q: what the filters say. */
static noinline rx_handler_result_t vmq_rx_any(struct vmq_adapter *a,
					       struct vmq_queue *q,
					       struct sk_buff *skb)
{
	unsigned int slow;

	if (unlikely(q == &vmq_drop_queue)) {
		vmq_stats_drop(a->filter_drops, VMQ_DROP_FILTER);
		kfree_skb_reason(skb, SKB_DROP_REASON_NOT_SPECIFIED);
		return RX_HANDLER_CONSUMED;
	}
	/* a filter names who has the frame itself, the others have copies */
	if (is_multicast_ether_addr(eth_hdr(skb)->h_dest))
		vmq_flood(a, skb, q ? rcu_dereference(q->port) : NULL, true);
	else if (!q && unlikely(READ_ONCE(a->n_promisc)))
		vmq_flood(a, skb, NULL, true);
	if (!q)
		q = vmq_rss_default(a, skb);
	else
		q = vmq_rss_queue(q, skb);
	slow = READ_ONCE(q->fifo.slow);
	if (unlikely(slow & VMQ_SLOW_FIFO)) {
		vmq_queue_put(q, skb, false);
		return RX_HANDLER_CONSUMED;
	}
	if (unlikely(!vmq_queue_rx(q, skb, false)))
		return RX_HANDLER_CONSUMED;
	trace_vmq_deliver(q, 1, false);
	return vmq_queue_give(q, skb) ? RX_HANDLER_CONSUMED :
					RX_HANDLER_ANOTHER;
}

/*
 * Where a frame of the uplink goes, as an rx_handler says it. near: what it needs was
 * asked for.
 */
static __always_inline rx_handler_result_t
vmq_rx_frame(struct vmq_adapter *a, struct sk_buff *skb, bool near)
{
	struct vmq_port *port;
	struct vmq_queue *q;

	q = vmq_rx_classify(a, skb, near);
	if (unlikely(!q) || unlikely(!vmq_rx_plain(q, 0)) ||
	    unlikely(is_multicast_ether_addr(eth_hdr(skb)->h_dest)))
		return vmq_rx_any(a, q, skb);
	if (!(READ_ONCE(q->fifo.slow) & VMQ_SLOW_TAP)) {
		if (vmq_ext_used() &&
		    !vmq_rx_ext(q, rcu_dereference(q->port), skb))
			return RX_HANDLER_CONSUMED;
		vmq_rx_count(q, skb);
		trace_vmq_deliver(q, 1, false);
		return RX_HANDLER_ANOTHER;
	}
	port = rcu_dereference(q->port);
	if (unlikely(!vmq_tap_first(port)))
		return vmq_rx_any(a, q, skb);
	if (vmq_ext_used() && !vmq_rx_ext(q, port, skb))
		return RX_HANDLER_CONSUMED;
	vmq_rx_count(q, skb);
	trace_vmq_deliver(q, 1, false);
	return vmq_tap_give(port, skb) ? RX_HANDLER_CONSUMED :
					 RX_HANDLER_ANOTHER;
}

/**
 * vmq_rx_late() - a frame of the uplink goes on that was in hand (rx_near.h)
 * @a: the adapter, whose uplink received it
 * @skb: the frame, data at the network header; not shared
 *
 * Context: RCU read side, BH off.
 */
void vmq_rx_late(struct vmq_adapter *a, struct sk_buff *skb)
{
	if (vmq_rx_frame(a, skb, false) == RX_HANDLER_ANOTHER)
		netif_receive_skb_core(skb);
}

/**
 * vmq_rx() - rx_handler of the uplink
 * @pskb: the frame, data at the network header, its tag in the metadata; set to the
 *	one that goes on, which may be one that came before it: the stack takes up
 *	what it finds there, as long as both came from one device
 *
 * Context: RCU read side, BH off.
 * Return: RX_HANDLER_ANOTHER with the port or the adapter as its device, so
 * that the stack goes on there at once, or RX_HANDLER_CONSUMED.
 */
rx_handler_result_t vmq_rx(struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb, *other;
	struct vmq_adapter *a;

	if (unlikely(skb->pkt_type == PACKET_LOOPBACK))
		return RX_HANDLER_PASS;
	a = rcu_dereference(skb->dev->rx_handler_data);
	skb = skb_share_check(skb, GFP_ATOMIC);
	if (unlikely(!skb)) {
		vmq_stats_drop(a->filter_drops, VMQ_DROP_NOMEM);
		return RX_HANDLER_CONSUMED;
	}
	*pskb = skb;
	if (!vmq_near_used())
		return vmq_rx_frame(a, skb, false);
	other = vmq_near_swap(a, skb);
	if (!other)
		return RX_HANDLER_CONSUMED;
	*pskb = other;
	return vmq_rx_frame(a, other, other != skb);
}

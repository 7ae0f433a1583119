// SPDX-License-Identifier: GPL-2.0
/*
 * What the frames of a VF meet: what the adapter's administrator set for it.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "policy.h"

/* What a limited VF may send at once after a pause. */
#define VMQ_VF_BURST_NS		(20 * NSEC_PER_MSEC)
/* What it catches up on, where the timer was late. */
#define VMQ_VF_LATE_MAX_NS	((s64)NSEC_PER_SEC)

/**
 * vmq_vf_tx() - may a VF send this frame? Gives it the VF's tag
 * @vf: the VF
 * @skb: the frame, its tag in the metadata
 *
 * A VF with a VLAN of the administrator's can't choose another one, nor hide a
 * tag behind it.
 *
 * Context: RCU read side, BH off.
 * Return: true, or false where it must be dropped.
 */
bool vmq_vf_tx(struct vmq_vf *vf, struct sk_buff *skb)
{
	u16 tci = READ_ONCE(vf->tci);

	if (unlikely(READ_ONCE(vf->path.queue.state) != VMQ_QUEUE_STATE_RUNNING))
		return false;
	if (READ_ONCE(vf->spoofchk) &&
	    unlikely(!ether_addr_equal(eth_hdr(skb)->h_source,
				       skb->dev->dev_addr)))
		return false;
	if (!tci)
		return true;
	if (unlikely(vmq_skb_vid(skb) || vmq_skb_foreign_tag(skb) ||
		     eth_type_vlan(skb->protocol)))
		return false;
	__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q), tci);
	return true;
}

/* Bytes on the wire: each segment has the headers again. */
static unsigned int vmq_vf_wire_len(const struct sk_buff *skb)
{
	unsigned int segs = skb_shinfo(skb)->gso_segs;
	unsigned int hdr;

	if (!skb_is_gso(skb) || segs < 2 || !skb_transport_header_was_set(skb))
		return skb->len;
	hdr = skb_transport_offset(skb);
	if (skb_shinfo(skb)->gso_type & (SKB_GSO_TCPV4 | SKB_GSO_TCPV6))
		hdr += tcp_hdrlen(skb);
	else
		hdr += sizeof(struct udphdr);
	return skb->len + (segs - 1) * hdr;
}

/*
 * The rate limit: a frame is sent at once, and then nothing until its time is
 * over, so that the sender waits instead of losing frames. Each VF has its own
 * clock, moved without a lock. A timer that let it send late costs it nothing: the
 * clock goes on from where it stood, unless the VF had nothing to send.
 */
static void vmq_vf_charge(struct vmq_vf *vf, struct net_device *dev,
			  unsigned int len, u32 rate)
{
	s64 now = ktime_get_ns();
	s64 old = atomic64_read(&vf->busy_until);
	s64 past = now - (s64)VMQ_VF_BURST_NS;
	s64 next, cost;

	/* Mbit/s are bits per microsecond */
	cost = div_u64((u64)len * BITS_PER_BYTE * NSEC_PER_USEC, rate);
	do {
		next = (old < past - READ_ONCE(vf->late) ? past : old) + cost;
	} while (!atomic64_try_cmpxchg(&vf->busy_until, &old, next));
	if (next <= now)
		return;
	netif_tx_stop_all_queues(dev);
	hrtimer_start(&vf->timer, ns_to_ktime(next), HRTIMER_MODE_ABS_SOFT);
}

/**
 * vmq_vf_timer() - lets a VF send again whose rate limit stopped it
 * @timer: of the VF
 *
 * Context: softirq.
 * Return: HRTIMER_NORESTART.
 */
enum hrtimer_restart vmq_vf_timer(struct hrtimer *timer)
{
	struct vmq_vf *vf = container_of(timer, struct vmq_vf, timer);
	s64 late = ktime_get_ns() - atomic64_read(&vf->busy_until);
	struct vmq_port *port;

	WRITE_ONCE(vf->late, clamp(late, 0LL, VMQ_VF_LATE_MAX_NS));
	rcu_read_lock();
	port = rcu_dereference(vf->path.queue.port);
	if (port)
		netif_tx_wake_all_queues(port->dev);
	rcu_read_unlock();
	return HRTIMER_NORESTART;
}

/**
 * vmq_vf_start_xmit() - ndo_start_xmit of a VF
 * @skb: the frame, data at the MAC header
 * @dev: the VF's netdev
 *
 * Context: BH off.
 * Return: NETDEV_TX_OK always.
 */
netdev_tx_t vmq_vf_start_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct vmq_port *port = vmq_port_priv(dev);
	u32 rate = READ_ONCE(port->vf->rate);
	unsigned int len = 0;

	if (unlikely(rate))
		len = vmq_vf_wire_len(skb);
	vmq_tx(port->adapter, port, skb);
	if (unlikely(rate))
		vmq_vf_charge(port->vf, dev, len, rate);
	return NETDEV_TX_OK;
}

static void vmq_vf_flood(struct vmq_port *port, struct sk_buff *skb)
{
	struct vmq_queue *q = port->queue[0];
	struct net_device *dev = port->dev;

	skb = skb_clone(skb, GFP_ATOMIC);
	if (!skb || skb_orphan_frags_rx(skb, GFP_ATOMIC)) {
		vmq_stats_drop(port->stats[0], VMQ_DROP_NOMEM);
		vmq_stats_drop(q->stats, VMQ_DROP_NOMEM);
		kfree_skb(skb);
		return;
	}
	skb_scrub_packet(skb, !net_eq(dev_net(dev), dev_net(skb->dev)));
	skb->priority = 0;
	vmq_queue_receive(q, skb, false);
}

/**
 * vmq_vfs_flood() - copies a frame to the VFs, as vmq_flood() does to the ports
 * @a: the adapter
 * @skb: the frame, data at the network header; stays the caller's
 * @but: port that does not get it, or NULL
 *
 * A VF's groups are those of its netdev, which is its guest's, trusted or not.
 *
 * Context: RCU read side, BH off.
 */
void vmq_vfs_flood(struct vmq_adapter *a, struct sk_buff *skb,
		   const struct vmq_port *but)
{
	const u8 *dst = eth_hdr(skb)->h_dest;
	bool all = is_multicast_ether_addr(dst);
	bool group = all && !is_broadcast_ether_addr(dst);
	unsigned int bit = group ? vmq_group(dst) : 0;
	u16 vid = vmq_skb_vid(skb);
	const struct vmq_port *from = NULL;
	struct vmq_port *port;

	/* of a frame from the uplink, @but is who receives it */
	if (but && skb->dev == but->dev)
		from = but;
	list_for_each_entry_rcu(port, &a->vf_ports, node) {
		/* nor does it come back to the guest that sent it as a port */
		if (port != but && (!but || but->path.vf != &port->vf->path) &&
		    test_bit(vid, port->vlans) &&
		    (port->dev->flags & IFF_UP) &&
		    READ_ONCE(port->queue[0]->state) ==
		    VMQ_QUEUE_STATE_RUNNING &&
		    !vmq_policy_isolates(from, port) &&
		    (all || READ_ONCE(port->promisc)) &&
		    (!group || test_bit(bit, port->groups)))
			vmq_vf_flood(port, skb);
	}
}

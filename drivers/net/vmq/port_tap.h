/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The way of a frame from its queue into the ring of the guest's tap, without
 * another trip through the stack.
 */
#ifndef _VMQ_PORT_TAP_H
#define _VMQ_PORT_TAP_H

#include <linux/ptr_ring.h>
#include <net/sock.h>

#include "gate_port.h"

DECLARE_STATIC_KEY_FALSE(vmq_tap_key);	/* a guest opened its tap */

static inline bool vmq_tap_used(void)
{
	return static_branch_unlikely(&vmq_tap_key);
}

/*
 * Would the stack do something with a frame before it comes to the rx_handler:
 * packet sockets, generic XDP, tc, netfilter, a VLAN device on the port?
 */
static __always_inline bool vmq_tap_stack(struct net_device *dev,
					  const struct sk_buff *skb)
{
	return vmq_ingress_hooked(dev) ||
	       (skb_vlan_tag_present(skb) &&
		rcu_access_pointer(dev->vlan_info)) ||
	       dev_nit_active(dev);
}

/* NULL where nobody reads. */
static __always_inline struct tap_queue *vmq_tap_first(struct vmq_port *port)
{
	return rcu_dereference(port->tap.taps[0]);
}

/*
 * As tap_handle_frame() does with a frame that needs no work, for a tap with one
 * queue. A reader that is busy is not woken.
 */
static __always_inline bool vmq_tap_produce(struct vmq_port *port,
					    struct sk_buff *skb)
{
	struct tap_queue *tq = vmq_tap_first(port);

	/* tap.ko fills the array from its start on */
	if (unlikely(!tq) || unlikely(rcu_access_pointer(port->tap.taps[1])) ||
	    unlikely(skb_is_gso(skb)) ||
	    unlikely(skb->ip_summed == CHECKSUM_PARTIAL))
		return false;
	/* a guest that does not read must not hold what a sender needs back */
	skb_orphan(skb);
	nf_reset_ct(skb);
	vmq_stray_mark(&port->stray, port->tap.minor, skb);
	__skb_push(skb, ETH_HLEN);
	if (unlikely(ptr_ring_produce(&tq->ring, skb)))
		vmq_tap_full(port, skb);
	else if (wq_has_sleeper(&tq->sock.wq.wait))
		wake_up_interruptible_poll(&tq->sock.wq.wait, EPOLLIN |
					   EPOLLRDNORM | EPOLLRDBAND);
	return true;
}

/**
 * vmq_tap_give() - gives a frame to the guest, if only its tap has to see it
 * @port: the port, whose tap was opened once
 * @skb: the frame, as vmq_queue_rx() leaves it, its device the port's
 *
 * Context: RCU read side, BH off.
 * Return: false if the stack has to see the frame; nothing happened to it then.
 */
static __always_inline bool vmq_tap_give(struct vmq_port *port,
					 struct sk_buff *skb)
{
	if (unlikely(vmq_tap_stack(skb->dev, skb)))
		return false;
	if (unlikely(vmq_gate_rx_late(port, skb)))
		return true;
	if (unlikely(!vmq_tap_produce(port, skb)))
		vmq_tap_rx_any(skb);
	return true;
}

#endif /* _VMQ_PORT_TAP_H */

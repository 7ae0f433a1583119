// SPDX-License-Identifier: GPL-2.0
/*
 * Frames of an extension's own: a new one, or a changed copy of
 * one that it saw. They enter on ingress, and nowhere else (O-43).
 */
#include "vmq_priv.h"

/* Extensions that answer each other's frames come to an end here. */
#define VMQ_INJECT_DEPTH	4

static DEFINE_PER_CPU(unsigned int, vmq_inject_depth);

static int vmq_inject(struct vmq_ext_port *ep, struct sk_buff *skb,
		      enum vmq_source source)
{
	struct vmq_port *port = vmq_port_priv(ep->dev);
	enum vmq_verdict verdict;

	/* what somebody else's stack knew of the original is not of this frame */
	skb_scrub_packet(skb, true);
	skb_set_queue_mapping(skb, 0);
	skb->priority = 0;
	skb->dev = source == VMQ_SOURCE_PORT ? port->dev : port->adapter->dev;
	skb = vmq_tx_normalize(skb);
	if (!skb)
		return -EINVAL;
	if (source == VMQ_SOURCE_EXT)
		return vmq_tx_trusted(port, skb);
	verdict = vmq_ext_frame_behind(port, ep, skb);
	vmq_tx_resume(port, skb, verdict);
	return 0;
}

/**
 * vmq_ext_inject() - sends a frame of an extension's own
 * @ep: the extension on the port
 * @skb: the frame, data at the MAC header, a tag in the frame or in the metadata; it
 *	is the core's from here on, whatever is returned. A clone of a frame that
 *	the extension saw will do if its data is not changed; skb_push() brings its
 *	data back to the MAC header.
 * @source: who sends it
 *
 * With %VMQ_SOURCE_PORT the frame is the guest's: the extensions behind this one see
 * it, as if the guest had sent it, and the policy and the counters of the port
 * have their part in it. That is what an extension should normally do. With
 * %VMQ_SOURCE_EXT it is nobody's: it bypasses the port and its extensions, is
 * counted by the adapter, and may go to the guest of the port itself. Either way the
 * switch finds out who receives it, and the extensions and the VLANs of each
 * receiver see it.
 *
 * All classes may send frames. A hook that sends one for a frame may meet it again,
 * at another port: what it sends for that is refused when it gets out of hand.
 *
 * Since version 6 of the interface.
 *
 * Context: Any context but hard interrupts, from attach to detach, with no lock held
 * that the extension's own hook takes.
 * Return: 0, -EINVAL for what is no frame or no source, -ENOMEM, -ENETDOWN if the port
 * is on its way out, or -ELOOP. What the policy or another extension refuses, and what
 * a port that is down does not send, is counted as any frame of the guest is.
 */
int vmq_ext_inject(struct vmq_ext_port *ep, struct sk_buff *skb,
		   enum vmq_source source)
{
	int err = -ELOOP;

	if (source != VMQ_SOURCE_PORT && source != VMQ_SOURCE_EXT) {
		kfree_skb(skb);
		return -EINVAL;
	}
	skb = skb_share_check(skb, GFP_ATOMIC);
	if (!skb)
		return -ENOMEM;
	local_bh_disable();
	rcu_read_lock();
	if (__this_cpu_inc_return(vmq_inject_depth) <= VMQ_INJECT_DEPTH)
		err = vmq_inject(ep, skb, source);
	else
		kfree_skb(skb);
	__this_cpu_dec(vmq_inject_depth);
	rcu_read_unlock();
	local_bh_enable();
	return err;
}
EXPORT_SYMBOL_GPL(vmq_ext_inject);

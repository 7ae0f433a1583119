// SPDX-License-Identifier: GPL-2.0
/*
 * The gate of a port in the data path: what is held and what is silenced, who
 * opens it, and where its frames go. The queue and the states are in gate.c.
 *
 * Silent is a port whose gate is closed or automatic: nothing that it sends
 * leaves, so nobody learns its address here; and nothing is flooded to it.
 *
 * What waits is as it was on the wire: it may go to another host, or to this one's
 * guest in a VLAN that the port got meanwhile. The policy of the port is asked when
 * the frame leaves the gate.
 */
#include <linux/etherdevice.h>
#include <linux/if_arp.h>

#include "gate_port.h"
#include "policy.h"

DEFINE_STATIC_KEY_FALSE(vmq_gate_key);

static u32 vmq_n_redirects;	/* rtnl; ports whose frames go elsewhere */

static struct vmq_port *vmq_gate_port(struct vmq_gate *g)
{
	return container_of(g, struct vmq_port, gate);
}

/* ---- what the gate asks of its port ---- */

static bool vmq_gate_ready(struct vmq_gate *g)
{
	struct vmq_port *port = vmq_gate_port(g);

	return !READ_ONCE(port->claimed) || vmq_tap_has_room(port);
}

/* What was received before, here or on another host: not to be counted again. */
static bool vmq_gate_deliver_again(struct vmq_port *port, struct sk_buff *skb,
				   bool restored)
{
	if (unlikely(!vmq_policy_rx(port, skb))) {
		vmq_stats_drop(port->stats[0], VMQ_DROP_VLAN);
		kfree_skb_reason(skb, SKB_DROP_REASON_NOT_SPECIFIED);
		return false;
	}
	/* it passed the other host's extensions, this one's are to agree */
	if (restored) {
		switch (vmq_ext_frame(port, skb, VMQ_TO_GUEST)) {
		case VMQ_PASS:
			break;
		case VMQ_DROP:
			vmq_stats_drop(port->stats[0], VMQ_DROP_EXT);
			kfree_skb_reason(skb, SKB_DROP_REASON_NOT_SPECIFIED);
			return false;
		case VMQ_CONSUMED:
			return false;
		}
	}
	skb->dev = port->dev;
	skb->pkt_type = PACKET_HOST;
	eth_skb_pkt_type(skb, port->dev);
	return true;
}

static void vmq_gate_deliver(struct vmq_gate *g, struct sk_buff *skb)
{
	struct vmq_port *port = vmq_gate_port(g);
	struct vmq_gate_cb cb = *vmq_gate_cb(skb);
	struct vmq_queue *q = vmq_port_queue_at(port, cb.index);
	bool go;

	if (cb.counted)
		go = vmq_gate_deliver_again(port, skb, cb.restored);
	else
		go = vmq_queue_rx(q, skb, false);
	if (go)
		netif_receive_skb(skb);
}

static void vmq_gate_lost(struct vmq_gate *g, struct sk_buff *skb)
{
	struct vmq_port *port = vmq_gate_port(g);

	vmq_stats_drop(port->stats[0], VMQ_DROP_FULL);
	vmq_stats_drop(vmq_port_queue(port)->stats, VMQ_DROP_FULL);
	kfree_skb_reason(skb, SKB_DROP_REASON_FULL_RING);
}

static void vmq_gate_forward(struct vmq_gate *g, struct sk_buff *skb)
{
	struct vmq_port *port = vmq_gate_port(g);
	struct net_device *dev = rcu_dereference(port->redirect);

	if (dev && dev->flags & IFF_UP) {
		skb_forward_csum(skb);
		skb_scrub_packet(skb, !net_eq(dev_net(dev),
					      dev_net(skb->dev)));
		skb->priority = 0;
		skb_set_queue_mapping(skb, 0);
		if (!vmq_xmit(dev, skb))
			return;
		vmq_stats_drop(port->stats[0], VMQ_DROP_FULL);
	} else {
		vmq_gate_lost(g, skb);
	}
	spin_lock(&g->lock);
	g->n.dropped++;
	spin_unlock(&g->lock);
}

static void vmq_gate_opened(struct vmq_gate *g)
{
	vmq_mcast_arrive(vmq_gate_port(g));
	vmq_announce_start(vmq_gate_port(g));
}

static void vmq_gate_drained(struct vmq_gate *g)
{
	/* the drain is waited for before the port goes */
	vmq_notify_port(vmq_gate_port(g));
	vmq_path_later(vmq_gate_port(g));
}

static const struct vmq_gate_ops vmq_port_gate_ops = {
	.ready = vmq_gate_ready,
	.deliver = vmq_gate_deliver,
	.forward = vmq_gate_forward,
	.lost = vmq_gate_lost,
	.opened = vmq_gate_opened,
	.drained = vmq_gate_drained,
};

/* ---- the data path; see also the inline functions in vmq_priv.h ---- */

/**
 * __vmq_gate_rx() - a frame for a port whose gate was seen shut
 * @port: the port
 * @index: queue of the port that it came by
 * @counted: it was received before its time, and counted
 * @skb: the frame, data at the network header
 *
 * Context: RCU read side, BH off.
 * Return: true if the frame is the gate's, false if it is to go on.
 */
bool __vmq_gate_rx(struct vmq_port *port, u16 index, bool counted,
		   struct sk_buff *skb)
{
	struct vmq_gate *g = &port->gate;

	/* the drain's own; with BH off nobody else is on this CPU */
	if (READ_ONCE(g->drain_cpu) == smp_processor_id())
		return false;
	/* it may wait longer than its sender or the uplink live */
	skb_orphan(skb);
	nf_reset_ct(skb);
	skb->dev = port->dev;
	if (counted)
		vmq_policy_undo_rx(port, skb);
	*vmq_gate_cb(skb) = (struct vmq_gate_cb) {
		.index = index,
		.counted = counted,
	};
	return vmq_gate_hold(g, skb);
}

/**
 * __vmq_gate_mutes_flood() - is nothing flooded to this port?
 * @port: the port, its gate seen shut
 *
 * Context: RCU read side, BH off.
 * Return: true if its gate is closed. One that is opening gets the frame, behind
 * those that wait.
 */
bool __vmq_gate_mutes_flood(struct vmq_port *port)
{
	struct vmq_gate *g = &port->gate;

	if (READ_ONCE(g->mode) == VMQ_PORT_GATE_OPEN)
		return false;
	spin_lock(&g->lock);
	g->n.not_flooded++;
	spin_unlock(&g->lock);
	return true;
}

/*
 * Did the guest send this, or its QEMU? The host's own stack has something to say on
 * the netdev of a port too, as IPv6 does when it comes up; that comes from a socket
 * of the kernel. Once there is a tap, only what comes by it is the guest's; frames
 * from vhost-net have no socket.
 */
static bool vmq_gate_from_guest(struct vmq_port *port,
				const struct sk_buff *skb)
{
	const struct sock *sk = skb->sk;
	const struct tap_queue *tq;
	int i;

	if (!sk)
		return true;
	if (sk_fullsock(sk) && sk->sk_kern_sock)
		return false;
	if (!READ_ONCE(port->claimed))
		return true;
	for (i = 0; i < min(READ_ONCE(port->tap.numvtaps), MAX_TAP_QUEUES);
	     i++) {
		tq = rcu_dereference(port->tap.taps[i]);
		if (tq && &tq->sk == sk)
			return true;
	}
	return false;
}

/**
 * __vmq_gate_mutes_tx() - may a port not send this frame?
 * @port: the port, its gate seen not to be open
 * @skb: the frame
 *
 * The first frame of the guest opens an automatic gate.
 *
 * Context: RCU read side, BH off.
 * Return: true if the frame must not leave.
 */
bool __vmq_gate_mutes_tx(struct vmq_port *port, const struct sk_buff *skb)
{
	struct vmq_gate *g = &port->gate;

	if (READ_ONCE(g->mode) == VMQ_PORT_GATE_AUTO &&
	    vmq_gate_from_guest(port, skb)) {
		vmq_gate_open(g);
		return false;
	}
	spin_lock(&g->lock);
	g->n.muted++;
	spin_unlock(&g->lock);
	return true;
}

/* ---- configuration ---- */

/* From here on the data path looks at the gates of all ports. */
static void vmq_port_gate_use(struct vmq_port *port)
{
	ASSERT_RTNL();
	if (port->gate_used)
		return;
	port->gate_used = true;
	static_branch_inc(&vmq_gate_key);
}

/**
 * vmq_port_gate_set() - opens or closes the gate of a port
 * @port: the port
 * @mode: what it is to be
 *
 * When a close returns, all frames that came before are with the guest.
 *
 * Context: Process context, rtnl held.
 */
void vmq_port_gate_set(struct vmq_port *port, enum vmq_port_gate mode)
{
	if (mode == VMQ_PORT_GATE_OPEN) {
		vmq_gate_open(&port->gate);
		return;
	}
	vmq_port_gate_use(port);
	/* a VF knows no gate */
	vmq_path_fall_back(port);
	vmq_gate_close(&port->gate, mode);
	synchronize_net();
}

/**
 * vmq_port_gate_save() - shuts the gate of a port that is about to be saved
 * @port: the port
 *
 * What the guest has not got yet becomes the first of what waits.
 *
 * Context: Process context, rtnl held.
 */
void vmq_port_gate_save(struct vmq_port *port)
{
	struct vmq_gate *g = &port->gate;
	struct sk_buff_head ring;
	u32 lost;
	bool open = READ_ONCE(g->mode) == VMQ_PORT_GATE_OPEN;

	vmq_port_gate_use(port);
	vmq_gate_save_begin(g);
	synchronize_net();
	if (!open)
		return;
	__skb_queue_head_init(&ring);
	lost = vmq_tap_take(port, &ring);
	vmq_gate_put_first(g, &ring, lost);
}

/**
 * vmq_port_gate_restore() - takes what waited for the guest on another host
 * @port: the port
 * @list: the frames, oldest first; empty afterwards
 * @closed_at: when the other gate was closed, nanoseconds since 1970
 * @restored: frames in the stream
 * @lost: those that are not in @list
 *
 * Context: Process context, rtnl held.
 */
void vmq_port_gate_restore(struct vmq_port *port, struct sk_buff_head *list,
			   u64 closed_at, u32 restored, u32 lost)
{
	if (!skb_queue_empty(list))
		vmq_port_gate_use(port);
	vmq_gate_restore(&port->gate, list, closed_at, restored, lost);
}

/**
 * vmq_port_redirect_check() - may the frames of a shut gate go there?
 * @port: the port
 * @dev: where
 * @extack: says why not
 *
 * Context: Process context, rtnl held.
 * Return: 0 or -EINVAL.
 */
int vmq_port_redirect_check(struct vmq_port *port, struct net_device *dev,
			    struct netlink_ext_ack *extack)
{
	const char *why = NULL;

	if (dev->type != ARPHRD_ETHER || dev->flags & IFF_LOOPBACK)
		why = "not an Ethernet device";
	else if (vmq_is_port(dev) || vmq_is_adapter(dev) || vmq_is_vf(dev))
		why = "frames would come back: give a device that leads to another host";
	else if (dev == rtnl_dereference(port->adapter->uplink))
		why = "frames would come back by the uplink";
	if (!why)
		return 0;
	NL_SET_ERR_MSG_FMT(extack, "%s: %s", dev->name, why);
	return -EINVAL;
}

/**
 * vmq_port_redirect_set() - says where the frames of a shut gate go
 * @port: the port
 * @dev: where, checked; or NULL: they wait
 *
 * Context: Process context, rtnl held.
 */
void vmq_port_redirect_set(struct vmq_port *port, struct net_device *dev)
{
	struct net_device *old = rtnl_dereference(port->redirect);

	if (old == dev)
		return;
	vmq_gate_redirect(&port->gate, false);
	rcu_assign_pointer(port->redirect, dev);
	if (old) {
		vmq_n_redirects--;
		synchronize_net();
		netdev_put(old, &port->redirect_tracker);
	}
	if (dev) {
		vmq_n_redirects++;
		netdev_hold(dev, &port->redirect_tracker, GFP_KERNEL);
		vmq_gate_redirect(&port->gate, true);
	}
	/* who forwards wants no frame lost */
	vmq_stray_set(&port->stray, dev);
}

/**
 * vmq_port_redirect_gone() - a netdev goes, and with it what leads there
 * @dev: the netdev
 *
 * Context: Process context, rtnl held.
 */
void vmq_port_redirect_gone(struct net_device *dev)
{
	struct vmq_adapter *a;
	struct vmq_port *port;

	if (!vmq_n_redirects)
		return;
	list_for_each_entry(a, &vmq_adapters, node)
		list_for_each_entry(port, &a->ports, node)
			if (rcu_access_pointer(port->redirect) == dev)
				vmq_port_redirect_set(port, NULL);
}

/**
 * vmq_port_gate_report() - what waits, and what became of what waited
 * @port: the port
 * @out: filled
 *
 * Context: Any but hard interrupts, while the port exists.
 */
void vmq_port_gate_report(struct vmq_port *port,
			  struct vmq_gate_report *out)
{
	struct vmq_gate *g = &port->gate;

	spin_lock_bh(&g->lock);
	out->mode = g->mode;
	out->frames = g->frames;
	out->bytes = g->bytes;
	out->max_frames = g->max_frames;
	out->max_bytes = g->max_bytes;
	out->gap = g->gap;
	out->n = g->n;
	spin_unlock_bh(&g->lock);
}

/**
 * vmq_port_gate_init() - gives a port its gate, open
 * @port: the port
 *
 * Context: Process context.
 */
void vmq_port_gate_init(struct vmq_port *port)
{
	vmq_gate_init(&port->gate, &vmq_port_gate_ops);
	vmq_announce_init(port);
	vmq_stray_init(&port->stray);
}

/**
 * vmq_port_gate_destroy() - takes a port's gate away
 * @port: the port, on its way out; frames may still come
 *
 * Context: Process context, rtnl held.
 */
void vmq_port_gate_destroy(struct vmq_port *port)
{
	vmq_port_redirect_set(port, NULL);
	vmq_gate_destroy(&port->gate);
	if (port->gate_used)
		static_branch_dec(&vmq_gate_key);
	port->gate_used = false;
}

/**
 * vmq_port_gate_release() - ends what the last frames may have started
 * @port: the port, a grace period after vmq_port_gate_destroy()
 *
 * A frame of the guest that was under way may have opened the gate just before.
 *
 * Context: Process context, rtnl held.
 */
void vmq_port_gate_release(struct vmq_port *port)
{
	cancel_delayed_work_sync(&port->gate.drain);
	vmq_announce_destroy(port);
}

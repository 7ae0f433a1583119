// SPDX-License-Identifier: GPL-2.0
/*
 * The gate as a party of saves and restores: what waits for the guest moves with
 * it, and so do the addresses that it is known to have.
 *
 * A save shuts the gate when it begins, so that nothing reaches the guest whose
 * effects the stream does not know. The frames that the guest had not read yet, and
 * those that came since, go into the stream as the network would send them: in
 * segments, with their checksums. They stay here too, in case the guest goes on.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/slab.h>
#include <net/gso.h>

#include "gate_port.h"
#include "gate_state.h"
#include "state.h"

/* ep->session of the gate. */
struct vmq_gate_session {
	bool begun;		/* the first record was made */
	struct sk_buff_head frames;
	struct vmq_gate_head head;
	u32 n_frames;
	u32 lost;
};

static struct vmq_port *vmq_gate_party_port(const struct vmq_ext_port *ep)
{
	return ep->priv;
}

static int vmq_gate_session_new(struct vmq_ext_port *ep)
{
	struct vmq_gate_session *gs;

	gs = kzalloc(sizeof(*gs), GFP_KERNEL_ACCOUNT);
	if (!gs)
		return -ENOMEM;
	__skb_queue_head_init(&gs->frames);
	ep->session = gs;
	return 0;
}

static void vmq_gate_session_free(struct vmq_ext_port *ep)
{
	struct vmq_gate_session *gs = ep->session;

	__skb_queue_purge(&gs->frames);
	kfree(gs);
	ep->session = NULL;
}

/* ---- save ---- */

static int vmq_gate_party_save_begin(struct vmq_ext_port *ep,
				     struct netlink_ext_ack *extack)
{
	int err;

	ASSERT_RTNL();
	err = vmq_gate_session_new(ep);
	if (!err)
		vmq_port_gate_save(vmq_gate_party_port(ep));
	return err;
}

/* What the network would have carried: one frame, several, or NULL. */
static struct sk_buff *vmq_gate_segments(struct sk_buff *skb)
{
	struct sk_buff *segs;

	if (skb_is_gso(skb)) {
		segs = skb_gso_segment(skb, 0);
		if (!IS_ERR_OR_NULL(segs)) {
			consume_skb(skb);
			return segs;
		}
	} else if (skb->ip_summed != CHECKSUM_PARTIAL ||
		   !skb_checksum_help(skb)) {
		return skb;
	}
	kfree_skb(skb);
	return NULL;
}

static void vmq_gate_unfold(struct vmq_gate_session *gs, struct sk_buff *skb)
{
	struct sk_buff *segs, *next;

	skb_push(skb, skb->data - skb_mac_header(skb));
	segs = vmq_gate_segments(skb);
	if (!segs)
		gs->lost++;
	skb_list_walk_safe(segs, skb, next) {
		skb_mark_not_on_list(skb);
		if (skb->len > VMQ_GATE_FRAME_MAX) {
			gs->lost++;
			kfree_skb(skb);
			continue;
		}
		__skb_queue_tail(&gs->frames, skb);
	}
}

/* Takes down what is to be saved; what comes later is not in the stream. */
static void vmq_gate_snapshot(struct vmq_port *port,
			      struct vmq_gate_session *gs)
{
	struct sk_buff_head clones;
	struct sk_buff *skb;

	__skb_queue_head_init(&clones);
	gs->lost = vmq_gate_clone(&port->gate, &clones, &gs->head.closed_at);
	gs->head.n_known = vmq_announce_known(port, gs->head.known);
	while ((skb = __skb_dequeue(&clones))) {
		vmq_gate_unfold(gs, skb);
		cond_resched();
	}
	gs->n_frames = skb_queue_len(&gs->frames);
}

static int vmq_gate_party_save_next(struct vmq_ext_port *ep,
				    struct vmq_record *rec)
{
	struct vmq_gate_session *gs = ep->session;
	const struct vmq_gate_head *head = NULL;
	int ret;

	if (!gs->begun) {
		vmq_gate_snapshot(vmq_gate_party_port(ep), gs);
		gs->begun = true;
		gs->head.wanted = true;
	}
	if (gs->head.wanted)
		head = &gs->head;
	else if (skb_queue_empty(&gs->frames))
		return 0;
	ret = vmq_gate_encode(head, &gs->frames, rec);
	if (ret > 0)
		gs->head.wanted = false;
	return ret;
}

static void vmq_gate_party_save_complete(struct vmq_ext_port *ep, bool ok)
{
	struct vmq_gate_session *gs = ep->session;
	struct vmq_port *port = vmq_gate_party_port(ep);

	vmq_gate_save_end(&port->gate, ok, gs->n_frames, gs->lost);
	vmq_gate_session_free(ep);
}

/* ---- restore ---- */

static int vmq_gate_party_restore_begin(struct vmq_ext_port *ep,
					struct netlink_ext_ack *extack)
{
	return vmq_gate_session_new(ep);
}

static int vmq_gate_party_validate(struct vmq_ext_port *ep,
				   const struct vmq_record *rec,
				   struct netlink_ext_ack *extack)
{
	return vmq_gate_parse(rec, NULL, NULL, NULL, extack);
}

/* A frame of the stream, as if it had just been received. */
static void vmq_gate_restore_frame(void *ctx,
				   const struct vmq_gate_frame *frame)
{
	struct vmq_ext_port *ep = ctx;
	struct vmq_gate_session *gs = ep->session;
	struct vmq_port *port = vmq_gate_party_port(ep);
	struct sk_buff *skb;

	gs->n_frames++;
	/* a frame that is lost is nothing to fail for (SR-37) */
	if (skb_queue_len(&gs->frames) >= READ_ONCE(port->gate.max_frames)) {
		gs->lost++;
		return;
	}
	skb = alloc_skb(NET_SKB_PAD + NET_IP_ALIGN + frame->len,
			GFP_KERNEL_ACCOUNT);
	if (!skb) {
		gs->lost++;
		return;
	}
	skb_reserve(skb, NET_SKB_PAD + NET_IP_ALIGN);
	skb_put_data(skb, frame->data, frame->len);
	skb->protocol = eth_type_trans(skb, port->dev);
	skb_reset_network_header(skb);
	skb_reset_mac_len(skb);
	if (frame->flags & VMQ_GATE_FRAME_TAGGED)
		__vlan_hwaccel_put_tag(skb, htons(frame->vlan_proto),
				       frame->vlan_tci);
	*vmq_gate_cb(skb) = (struct vmq_gate_cb) {
		.index = frame->index,
		.counted = frame->flags & VMQ_GATE_FRAME_COUNTED,
		.restored = true,
	};
	__skb_queue_tail(&gs->frames, skb);
}

static int vmq_gate_party_apply(struct vmq_ext_port *ep,
				const struct vmq_record *rec,
				struct netlink_ext_ack *extack)
{
	struct vmq_gate_session *gs = ep->session;

	return vmq_gate_parse(rec, &gs->head, vmq_gate_restore_frame, ep,
			      extack);
}

static void vmq_gate_party_rollback(struct vmq_ext_port *ep)
{
	struct vmq_gate_session *gs = ep->session;

	/* nothing of the port has changed yet: that is left to complete */
	__skb_queue_purge(&gs->frames);
}

static void vmq_gate_party_restore_complete(struct vmq_ext_port *ep, bool ok)
{
	struct vmq_gate_session *gs = ep->session;
	struct vmq_port *port = vmq_gate_party_port(ep);

	if (ok) {
		/* it was committed, so rtnl is held */
		vmq_announce_restore(port, gs->head.known, gs->head.n_known);
		vmq_port_gate_restore(port, &gs->frames, gs->head.closed_at,
				      gs->n_frames, gs->lost);
	}
	vmq_gate_session_free(ep);
}

const struct vmq_ext_ops vmq_gate_party = {
	.uuid = UUID_INIT(0x7e9b9adb, 0xe1ff, 0x40fa, 0x8e, 0x88, 0xd5, 0xcb,
			  0x9a, 0x5a, 0x8d, 0xdb),
	.name = "gate",
	.data_version = VMQ_GATE_VERSION,
	.save_begin = vmq_gate_party_save_begin,
	.save_next = vmq_gate_party_save_next,
	.save_complete = vmq_gate_party_save_complete,
	.restore_begin = vmq_gate_party_restore_begin,
	.validate = vmq_gate_party_validate,
	.apply = vmq_gate_party_apply,
	.rollback = vmq_gate_party_rollback,
	.restore_complete = vmq_gate_party_restore_complete,
};

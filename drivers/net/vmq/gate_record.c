// SPDX-License-Identifier: GPL-2.0
/*
 * The record of the gate, its items. Pure functions: it comes from another host
 * and is believed in nothing.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/netlink.h>
#include <linux/unaligned.h>
#include <net/ipv6.h>

#include "gate.h"
#include "gate_state.h"

struct vmq_gate_tlv {
	__le16 type;
	__le16 len;
};

struct vmq_gate_address_wire {
	u8 family;		/* 4 or 6 */
	u8 reserved;
	__le16 vid;
	u8 addr[16];		/* IPv4: 4 bytes and zeros */
};

struct vmq_gate_frame_wire {
	__le16 index;
	__le16 flags;
	__le16 vlan_proto;
	__le16 vlan_tci;
};

#define VMQ_GATE_TLV		sizeof(struct vmq_gate_tlv)
#define VMQ_GATE_ALIGN(len)	ALIGN(len, 4)

/* ---- writing ---- */

static void *vmq_gate_put(void *pos, u16 type, size_t len)
{
	struct vmq_gate_tlv tlv = {
		.type = cpu_to_le16(type),
		.len = cpu_to_le16(len),
	};

	memcpy(pos, &tlv, sizeof(tlv));
	memset(pos + VMQ_GATE_TLV + len, 0, VMQ_GATE_ALIGN(len) - len);
	return pos + VMQ_GATE_TLV;
}

static size_t vmq_gate_head_size(const struct vmq_gate_head *head)
{
	size_t size = 0;

	if (head->closed_at)
		size += VMQ_GATE_TLV + sizeof(__le64);
	if (head->n_known)
		size += VMQ_GATE_TLV +
			head->n_known * sizeof(struct vmq_gate_address_wire);
	return size;
}

static void *vmq_gate_put_head(const struct vmq_gate_head *head, void *pos)
{
	struct vmq_gate_address_wire wire;
	unsigned int i;

	if (head->closed_at) {
		pos = vmq_gate_put(pos, VMQ_GATE_CLOSED_AT, sizeof(__le64));
		put_unaligned_le64(head->closed_at, pos);
		pos += sizeof(__le64);
	}
	if (!head->n_known)
		return pos;
	pos = vmq_gate_put(pos, VMQ_GATE_ADDRESSES,
			   head->n_known * sizeof(wire));
	for (i = 0; i < head->n_known; i++) {
		memset(&wire, 0, sizeof(wire));
		wire.family = head->known[i].family == AF_INET ? 4 : 6;
		wire.vid = cpu_to_le16(head->known[i].vid);
		memcpy(wire.addr, &head->known[i].addr, sizeof(wire.addr));
		memcpy(pos, &wire, sizeof(wire));
		pos += sizeof(wire);
	}
	return pos;
}

static size_t vmq_gate_frame_size(const struct sk_buff *skb)
{
	return VMQ_GATE_TLV + VMQ_GATE_ALIGN(sizeof(struct vmq_gate_frame_wire) +
					     skb->len);
}

static void *vmq_gate_put_frame(struct sk_buff *skb, void *pos)
{
	const struct vmq_gate_cb *cb = vmq_gate_cb(skb);
	struct vmq_gate_frame_wire wire = {};
	u16 flags = 0;

	if (skb_vlan_tag_present(skb)) {
		flags |= VMQ_GATE_FRAME_TAGGED;
		wire.vlan_proto = cpu_to_le16(ntohs(skb->vlan_proto));
		wire.vlan_tci = cpu_to_le16(skb_vlan_tag_get(skb));
	}
	if (cb->counted)
		flags |= VMQ_GATE_FRAME_COUNTED;
	wire.index = cpu_to_le16(cb->index);
	wire.flags = cpu_to_le16(flags);
	pos = vmq_gate_put(pos, VMQ_GATE_FRAME, sizeof(wire) + skb->len);
	memcpy(pos, &wire, sizeof(wire));
	pos += sizeof(wire);
	if (skb_copy_bits(skb, 0, pos, skb->len))
		memset(pos, 0, skb->len);
	return pos + VMQ_GATE_ALIGN(sizeof(wire) + skb->len) - sizeof(wire);
}

/* Bytes that the rest would like to have, at most those of one record. */
static size_t vmq_gate_wanted(const struct vmq_gate_head *head,
			      const struct sk_buff_head *frames)
{
	size_t size = head ? vmq_gate_head_size(head) : 0;
	struct sk_buff *skb;

	skb_queue_walk(frames, skb) {
		size += vmq_gate_frame_size(skb);
		if (size > VMQ_RECORD_DATA_MAX)
			return VMQ_RECORD_DATA_MAX;
	}
	return size;
}

/**
 * vmq_gate_encode() - writes a record
 * @head: what comes first in it, or NULL
 * @frames: frames, data at the MAC header, none of them larger than a record;
 *	those that are in it are freed
 * @rec: its room is filled
 *
 * Context: Process context.
 * Return: bytes used, or -EMSGSIZE with the bytes that are wanted in @rec.
 */
int vmq_gate_encode(const struct vmq_gate_head *head,
		    struct sk_buff_head *frames, struct vmq_record *rec)
{
	size_t wanted = vmq_gate_wanted(head, frames), size;
	void *pos = rec->data;
	struct sk_buff *skb;

	if (wanted > rec->size) {
		rec->needed = wanted;
		return -EMSGSIZE;
	}
	if (head)
		pos = vmq_gate_put_head(head, pos);
	while ((skb = skb_peek(frames))) {
		size = pos - rec->data;
		if (size + vmq_gate_frame_size(skb) > rec->size)
			break;
		pos = vmq_gate_put_frame(skb, pos);
		__skb_unlink(skb, frames);
		consume_skb(skb);
	}
	rec->version = VMQ_GATE_VERSION;
	rec->flags = VMQ_RECORD_OPTIONAL;
	return pos - rec->data;
}

/* ---- reading ---- */

static int vmq_gate_get_addresses(struct vmq_gate_head *head, const void *data,
				  size_t len, struct netlink_ext_ack *extack)
{
	struct vmq_gate_address_wire wire;
	struct vmq_known known;
	u32 i, n = len / sizeof(wire);

	if (len % sizeof(wire) || n > VMQ_KNOWN_MAX) {
		NL_SET_ERR_MSG(extack, "addresses of wrong length");
		return -EINVAL;
	}
	for (i = 0; i < n; i++) {
		memcpy(&wire, data + i * sizeof(wire), sizeof(wire));
		memset(&known, 0, sizeof(known));
		memcpy(&known.addr, wire.addr, sizeof(known.addr));
		known.vid = le16_to_cpu(wire.vid);
		known.family = wire.family == 4 ? AF_INET : AF_INET6;
		if ((wire.family != 4 && wire.family != 6) || wire.reserved ||
		    known.vid >= VLAN_VID_MASK ||
		    (wire.family == 4 && memchr_inv(wire.addr + 4, 0, 12)) ||
		    ipv6_addr_any(&known.addr)) {
			NL_SET_ERR_MSG_FMT(extack, "address %u is not one",
					   i + 1);
			return -EINVAL;
		}
		if (head)
			head->known[i] = known;
	}
	if (head)
		head->n_known = n;
	return 0;
}

static int vmq_gate_get_frame(const void *data, size_t len,
			      vmq_gate_frame_fn fn, void *ctx,
			      struct netlink_ext_ack *extack)
{
	const u16 flags = VMQ_GATE_FRAME_TAGGED | VMQ_GATE_FRAME_COUNTED;
	struct vmq_gate_frame_wire wire;
	struct vmq_gate_frame frame;

	if (len < sizeof(wire) + ETH_HLEN) {
		NL_SET_ERR_MSG(extack, "a frame is too short");
		return -EINVAL;
	}
	memcpy(&wire, data, sizeof(wire));
	frame.index = le16_to_cpu(wire.index);
	frame.flags = le16_to_cpu(wire.flags);
	frame.vlan_proto = le16_to_cpu(wire.vlan_proto);
	frame.vlan_tci = le16_to_cpu(wire.vlan_tci);
	frame.data = data + sizeof(wire);
	frame.len = len - sizeof(wire);
	if (frame.flags & ~flags ||
	    (frame.flags & VMQ_GATE_FRAME_TAGGED ?
	     !eth_type_vlan(htons(frame.vlan_proto)) :
	     frame.vlan_proto || frame.vlan_tci)) {
		NL_SET_ERR_MSG(extack, "a frame is not one");
		return -EINVAL;
	}
	if (fn)
		fn(ctx, &frame);
	return 0;
}

static int vmq_gate_get(u16 type, const void *data, size_t len,
			struct vmq_gate_head *head, vmq_gate_frame_fn fn,
			void *ctx, struct netlink_ext_ack *extack)
{
	switch (type) {
	case VMQ_GATE_CLOSED_AT:
		if (len != sizeof(__le64) ||
		    get_unaligned_le64(data) > S64_MAX) {
			NL_SET_ERR_MSG(extack, "no time of closing");
			return -EINVAL;
		}
		if (head)
			head->closed_at = get_unaligned_le64(data);
		return 0;
	case VMQ_GATE_ADDRESSES:
		return vmq_gate_get_addresses(head, data, len, extack);
	case VMQ_GATE_FRAME:
		return vmq_gate_get_frame(data, len, fn, ctx, extack);
	}
	if (type & VMQ_GATE_SKIPPABLE)
		return 0;
	NL_SET_ERR_MSG_FMT(extack, "unknown item %u", type);
	return -EOPNOTSUPP;
}

/**
 * vmq_gate_parse() - reads a record, all of it or up to what is wrong with it
 * @rec: the record
 * @head: filled, or NULL
 * @fn: called for each frame, or NULL
 * @ctx: for @fn
 * @extack: says what is wrong
 *
 * Context: That of @fn.
 * Return: 0, -EINVAL, or -EOPNOTSUPP for an item that only a newer module knows.
 */
int vmq_gate_parse(const struct vmq_record *rec, struct vmq_gate_head *head,
		   vmq_gate_frame_fn fn, void *ctx,
		   struct netlink_ext_ack *extack)
{
	struct vmq_gate_tlv tlv;
	size_t pos = 0, left, len;
	const void *data;
	int err;

	while (pos < rec->size) {
		left = rec->size - pos;
		if (left < sizeof(tlv)) {
			NL_SET_ERR_MSG_FMT(extack, "cut short at byte %zu",
					   pos);
			return -EINVAL;
		}
		memcpy(&tlv, rec->data + pos, sizeof(tlv));
		len = le16_to_cpu(tlv.len);
		data = rec->data + pos + sizeof(tlv);
		if (left - sizeof(tlv) < VMQ_GATE_ALIGN(len) ||
		    memchr_inv(data + len, 0, VMQ_GATE_ALIGN(len) - len)) {
			NL_SET_ERR_MSG_FMT(extack, "item at byte %zu is cut short or badly padded",
					   pos);
			return -EINVAL;
		}
		err = vmq_gate_get(le16_to_cpu(tlv.type), data, len, head, fn,
				   ctx, extack);
		if (err)
			return err;
		pos += sizeof(tlv) + VMQ_GATE_ALIGN(len);
	}
	return 0;
}

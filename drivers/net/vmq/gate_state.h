/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The record of the gate: gate_record.c writes and reads it, gate_state.c knows
 * when. A list of items {le16 type, le16 length, data, zeros up to a multiple of
 * 4}, as that of the core.
 */
#ifndef _VMQ_GATE_STATE_H
#define _VMQ_GATE_STATE_H

#include <linux/skbuff.h>
#include <net/vmq.h>

#include "announce.h"

#define VMQ_GATE_VERSION	1
/* Largest frame that fits a record, whatever else is in it. */
#define VMQ_GATE_FRAME_MAX	(VMQ_RECORD_DATA_MAX - 512)

/* A reader skips one that it does not know if the high bit is set. */
enum vmq_gate_item {
	VMQ_GATE_CLOSED_AT = 1,	/* le64, nanoseconds since 1970 */
	VMQ_GATE_ADDRESSES = 2,	/* of struct vmq_gate_address_wire */
	VMQ_GATE_FRAME = 3,	/* struct vmq_gate_frame_wire and the frame */
	VMQ_GATE_SKIPPABLE = 0x8000,
};

enum vmq_gate_frame_flags {
	VMQ_GATE_FRAME_TAGGED = BIT(0),	/* the tag is not in the frame itself */
	VMQ_GATE_FRAME_COUNTED = BIT(1), /* received, and counted, by the source */
};

/**
 * struct vmq_gate_head - what the record has besides frames
 * @wanted: it is to be written
 * @closed_at: when the source closed, nanoseconds since 1970; 0: unknown
 * @n_known: addresses
 * @known: the addresses, the newest last
 */
struct vmq_gate_head {
	bool wanted;
	u64 closed_at;
	unsigned int n_known;
	struct vmq_known known[VMQ_KNOWN_MAX];
};

/**
 * struct vmq_gate_frame - a frame of a record
 * @index: queue of the port
 * @flags: of &enum vmq_gate_frame_flags
 * @vlan_proto: EtherType of the tag
 * @vlan_tci: the tag
 * @data: the frame, from its MAC header on
 * @len: its bytes
 */
struct vmq_gate_frame {
	u16 index;
	u16 flags;
	u16 vlan_proto;
	u16 vlan_tci;
	const u8 *data;
	u32 len;
};

typedef void (*vmq_gate_frame_fn)(void *ctx,
				  const struct vmq_gate_frame *frame);

int vmq_gate_encode(const struct vmq_gate_head *head,
		    struct sk_buff_head *frames, struct vmq_record *rec);
int vmq_gate_parse(const struct vmq_record *rec, struct vmq_gate_head *head,
		   vmq_gate_frame_fn fn, void *ctx,
		   struct netlink_ext_ack *extack);

#endif /* _VMQ_GATE_STATE_H */

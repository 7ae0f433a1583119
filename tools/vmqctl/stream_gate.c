// SPDX-License-Identifier: GPL-2.0
/*
 * Records of a port's gate, described in drivers/net/vmq/gate_state.h: items
 * {le16 type, le16 length, data, padding to 4}.
 */
#include <string.h>

#include "attr.h"
#include "out.h"
#include "stream.h"
#include "vmqctl.h"

const uint8_t gate_uuid[16] = {
	0x7e, 0x9b, 0x9a, 0xdb, 0xe1, 0xff, 0x40, 0xfa,
	0x8e, 0x88, 0xd5, 0xcb, 0x9a, 0x5a, 0x8d, 0xdb,
};

enum {
	GATE_CLOSED_AT = 1,
	GATE_ADDRESSES = 2,
	GATE_FRAME = 3,
};

#define GATE_SKIPPABLE	0x8000
#define ITEM_HDR	4

/* struct vmq_gate_address_wire */
#define ADDRESS_VID	2
#define ADDRESS_IP	4
#define ADDRESS_SIZE	20

/* struct vmq_gate_frame_wire */
#define FRAME_FLAGS	2
#define FRAME_PROTO	4
#define FRAME_TCI	6
#define FRAME_HDR	8
#define FRAME_MIN	(FRAME_HDR + 14)
#define FRAME_TAGGED	1
#define FRAME_COUNTED	2

static void show_addresses(const uint8_t *p, size_t len)
{
	size_t i;

	out_objs_begin("address");
	for (i = 0; i < len; i += ADDRESS_SIZE) {
		out_obj_begin(NULL);
		out_ip("ip", p + i + ADDRESS_IP, p[i] == 4 ? 4 : 16);
		if (get_le16(p + i + ADDRESS_VID))
			out_uint("vlan", get_le16(p + i + ADDRESS_VID));
		out_obj_end();
	}
	out_objs_end();
}

static void show_frame(const uint8_t *p, size_t len)
{
	uint16_t flags = get_le16(p + FRAME_FLAGS);

	out_obj_begin(NULL);
	out_uint("queue-index", get_le16(p));
	out_uint("length", len - FRAME_HDR);
	out_mac("dst", p + FRAME_HDR);
	out_mac("src", p + FRAME_HDR + 6);
	out_hex("ethertype", p[FRAME_HDR + 12] << 8 | p[FRAME_HDR + 13], 4);
	if (flags & FRAME_TAGGED) {
		out_hex("vlan-proto", get_le16(p + FRAME_PROTO), 4);
		out_uint("vlan", get_le16(p + FRAME_TCI) & 0xfff);
	}
	if (flags & FRAME_COUNTED)
		out_flag("counted");
	out_obj_end();
}

/* The item at *pos, which moves past it; NULL if it is no good. */
static const uint8_t *next_item(const uint8_t *data, size_t len, size_t *pos,
				uint16_t *type, size_t *size)
{
	const uint8_t *p = data + *pos;
	size_t room, left = len - *pos;

	if (left < ITEM_HDR)
		return NULL;
	*type = get_le16(p);
	*size = get_le16(p + 2);
	room = (*size + 3) & ~(size_t)3;
	if (room > left - ITEM_HDR)
		return NULL;
	*pos += ITEM_HDR + room;
	for (left = *size; left < room; left++)
		if (p[ITEM_HDR + left])
			return NULL;
	return p + ITEM_HDR;
}

static const char *check_item(uint16_t type, size_t size)
{
	switch (type) {
	case GATE_CLOSED_AT:
		return size == 8 ? NULL : "the time of closing has the wrong length";
	case GATE_ADDRESSES:
		return size % ADDRESS_SIZE ?
		       "the addresses have the wrong length" : NULL;
	case GATE_FRAME:
		return size < FRAME_MIN ? "a frame is too short" : NULL;
	}
	return type & GATE_SKIPPABLE ? NULL :
				       "an unknown item of the gate's record";
}

void stream_show_gate(const uint8_t *data, size_t len, struct data_error *err)
{
	unsigned int frames = 0;
	const uint8_t *p;
	size_t pos, size;
	uint16_t type;

	for (pos = 0; pos < len; ) {
		err->offset = pos;
		p = next_item(data, len, &pos, &type, &size);
		err->what = p ? check_item(type, size) :
			    "an item of the gate's record is cut short or badly padded";
		if (err->what)
			return;
		if (type == GATE_CLOSED_AT)
			out_uint("closed-at", get_le64(p));
		else if (type == GATE_ADDRESSES)
			show_addresses(p, size);
		else if (type == GATE_FRAME)
			frames++;
	}
	if (!frames)
		return;
	out_objs_begin("frame");
	for (pos = 0; pos < len; ) {
		p = next_item(data, len, &pos, &type, &size);
		if (type == GATE_FRAME)
			show_frame(p, size);
	}
	out_objs_end();
}

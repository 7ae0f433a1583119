// SPDX-License-Identifier: GPL-2.0
/*
 * vmqctl stream show: levels and counters of the extension meter, in words. The
 * fields are those of meter_record.h.
 */
#include <stdbool.h>
#include <stddef.h>

#include "out.h"
#include "stream.h"
#include "vmqctl.h"

#include "meter_record.h"

#define HDR(field)	offsetof(struct vmq_meter_rec_hdr, field)
#define DIR(field)	offsetof(struct vmq_meter_rec_dir, field)

const uint8_t meter_uuid[16] = VMQ_METER_UUID_BYTES;

/* A burst may be overdrawn. */
static void show_tokens(const char *left, const char *owed, uint64_t field)
{
	int64_t v = field;

	if (v < 0)
		out_uint(owed, -field);
	else
		out_uint(left, v);
}

static void show_dir(const uint8_t *d)
{
	uint8_t flags = d[DIR(flags)];

	out_cstr("direction", d[DIR(direction)] ? "tx" : "rx");
	if (flags & VMQ_METER_REC_BYTES)
		show_tokens("bytes-left", "bytes-owed",
			    get_le64(d + DIR(byte_tokens)));
	if (flags & VMQ_METER_REC_PACKETS)
		show_tokens("packets-left", "packets-owed",
			    get_le64(d + DIR(packet_tokens)));
	out_uint("passed-packets", get_le64(d + DIR(passed_packets)));
	out_uint("passed-bytes", get_le64(d + DIR(passed_bytes)));
	out_uint("dropped-packets", get_le64(d + DIR(dropped_packets)));
	out_uint("dropped-bytes", get_le64(d + DIR(dropped_bytes)));
	out_uint("delayed-packets", get_le64(d + DIR(delayed_packets)));
}

static bool tokens_ok(const uint8_t *field, bool limited)
{
	int64_t v = get_le64(field);

	return limited ? v >= -VMQ_METER_REC_TOKENS_MAX &&
			 v <= VMQ_METER_REC_TOKENS_MAX : !v;
}

/* What is wrong with an entry, and where. */
static bool dir_ok(const uint8_t *d, unsigned int seen, struct data_error *err)
{
	size_t i;

	if (d[DIR(direction)] >= VMQ_METER_REC_DIRS ||
	    seen & 1u << d[DIR(direction)]) {
		err->what = "a direction of meter is unknown or there twice";
		err->offset = DIR(direction);
		return false;
	}
	if (d[DIR(flags)] & ~VMQ_METER_REC_FLAGS) {
		err->what = "unknown flags in a record of meter";
		err->offset = DIR(flags);
		return false;
	}
	for (i = DIR(reserved); i < DIR(byte_tokens); i++) {
		if (!d[i])
			continue;
		err->what = "the reserved field of a record of meter is not zero";
		err->offset = i;
		return false;
	}
	if (!tokens_ok(d + DIR(byte_tokens),
		       d[DIR(flags)] & VMQ_METER_REC_BYTES) ||
	    !tokens_ok(d + DIR(packet_tokens),
		       d[DIR(flags)] & VMQ_METER_REC_PACKETS)) {
		err->what = "tokens of meter are out of range";
		err->offset = DIR(byte_tokens);
		return false;
	}
	for (i = DIR(passed_packets); i <= DIR(delayed_packets); i += 8) {
		if (!(get_le64(d + i) >> 63))
			continue;
		err->what = "a counter of meter is impossible";
		err->offset = i;
		return false;
	}
	return true;
}

void stream_show_meter(const uint8_t *data, size_t len, struct data_error *err)
{
	size_t entry, count, at, i;
	unsigned int seen = 0;

	if (len < sizeof(struct vmq_meter_rec_hdr)) {
		err->what = "a record of meter is too short";
		return;
	}
	entry = get_le16(data + HDR(entry_size));
	count = get_le32(data + HDR(count));
	if (entry < sizeof(struct vmq_meter_rec_dir) ||
	    entry > VMQ_METER_REC_ENTRY_MAX || entry % 8) {
		err->what = "entries of meter have the wrong size";
		err->offset = HDR(entry_size);
		return;
	}
	if (get_le16(data + HDR(reserved))) {
		err->what = "the reserved field of a record of meter is not zero";
		err->offset = HDR(reserved);
		return;
	}
	len -= sizeof(struct vmq_meter_rec_hdr);
	if (!count || count > VMQ_METER_REC_DIRS || count * entry != len) {
		err->what = "the number of entries does not fit the record";
		err->offset = HDR(count);
		return;
	}

	out_objs_begin("meter");
	for (i = 0; i < count; i++) {
		at = sizeof(struct vmq_meter_rec_hdr) + i * entry;
		if (!dir_ok(data + at, seen, err)) {
			err->offset += at;
			break;
		}
		seen |= 1u << data[at + DIR(direction)];
		out_obj_begin(NULL);
		show_dir(data + at);
		out_obj_end();
	}
	out_objs_end();
}

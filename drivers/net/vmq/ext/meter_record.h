/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The run-time data of the extension meter in a saved stream: how much of each
 * burst is left, and counters.
 *
 * A record is one &struct vmq_meter_rec_hdr followed by hdr.count entries of
 * hdr.entry_size bytes each and nothing else, one entry for a direction.
 * Everything is little endian and naturally aligned. A port has one record.
 *
 * A later minor revision may append fields to an entry: a reader takes
 * hdr.entry_size as the distance between entries and ignores what it does not
 * know. Anything else is a new data version.
 *
 * For the kernel and for user space: nothing but fixed types in here.
 */
#ifndef _VMQ_METER_RECORD_H
#define _VMQ_METER_RECORD_H

#include <linux/types.h>

/* Identity of the extension, 6e0a7b52-1c94-4f6d-9a38-e75d20b18cc7. */
#define VMQ_METER_UUID_BYTES						\
	{ 0x6e, 0x0a, 0x7b, 0x52, 0x1c, 0x94, 0x4f, 0x6d,		\
	  0x9a, 0x38, 0xe7, 0x5d, 0x20, 0xb1, 0x8c, 0xc7 }

/* Data version of the records described here. */
#define VMQ_METER_REC_VERSION	1

/* Largest entry a reader has to take, in bytes. */
#define VMQ_METER_REC_ENTRY_MAX	1024

/* Directions, as the guest sees them: it receives (rx), it sends (tx). */
#define VMQ_METER_REC_RX	0
#define VMQ_METER_REC_TX	1
#define VMQ_METER_REC_DIRS	2

/* Most tokens, and most that may be owed. */
#define VMQ_METER_REC_TOKENS_MAX	0xffffffffLL

/**
 * struct vmq_meter_rec_hdr - start of a record
 * @entry_size: bytes of one entry, a multiple of 8, at least
 *	sizeof(struct vmq_meter_rec_dir), at most %VMQ_METER_REC_ENTRY_MAX
 * @reserved: 0
 * @count: entries that follow, 1 or 2
 */
struct vmq_meter_rec_hdr {
	__le16 entry_size;
	__le16 reserved;
	__le32 count;
};

/* Bits of vmq_meter_rec_dir.flags; all others are 0. */
#define VMQ_METER_REC_BYTES	0x01	/* bytes were limited */
#define VMQ_METER_REC_PACKETS	0x02	/* packets were limited */
#define VMQ_METER_REC_FLAGS	(VMQ_METER_REC_BYTES | VMQ_METER_REC_PACKETS)

/**
 * struct vmq_meter_rec_dir - one direction of the port
 * @direction: %VMQ_METER_REC_RX or %VMQ_METER_REC_TX; each at most once
 * @flags: VMQ_METER_REC_*
 * @reserved: 0
 * @byte_tokens: bytes that were left of the burst, in two's complement: below 0
 *	after a frame larger than the burst; 0 without %VMQ_METER_REC_BYTES; from
 *	-%VMQ_METER_REC_TOKENS_MAX to %VMQ_METER_REC_TOKENS_MAX
 * @packet_tokens: the same for packets and %VMQ_METER_REC_PACKETS
 * @passed_packets: packets that passed, segments of a large frame one by one; this
 *	and all that follow are below 2^63
 * @passed_bytes: their bytes
 * @dropped_packets: packets that were dropped
 * @dropped_bytes: their bytes
 * @delayed_packets: packets that had to wait
 */
struct vmq_meter_rec_dir {
	__u8   direction;
	__u8   flags;
	__u8   reserved[6];
	__le64 byte_tokens;
	__le64 packet_tokens;
	__le64 passed_packets;
	__le64 passed_bytes;
	__le64 dropped_packets;
	__le64 dropped_bytes;
	__le64 delayed_packets;
};

const char *vmq_meter_rec_parse(const void *data, size_t size,
				struct vmq_meter_rec_dir *dir,
				unsigned int *present);

#endif /* _VMQ_METER_RECORD_H */

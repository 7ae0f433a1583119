/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the decoder of streams shares: fields in memory, and the data of records.
 * The format is described in drivers/net/vmq/stream.h.
 */
#ifndef _VMQCTL_STREAM_H
#define _VMQCTL_STREAM_H

#include <stddef.h>
#include <stdint.h>

static inline uint16_t get_le16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static inline uint32_t get_le32(const uint8_t *p)
{
	return get_le16(p) | (uint32_t)get_le16(p + 2) << 16;
}

static inline uint64_t get_le64(const uint8_t *p)
{
	return get_le32(p) | (uint64_t)get_le32(p + 4) << 32;
}

/* Data that cannot be what a writer wrote. */
struct data_error {
	const char *what;	/* NULL: there is nothing wrong with it */
	size_t offset;		/* into the data of the record */
};

extern const uint8_t acl_uuid[16];
extern const uint8_t guard_uuid[16];
extern const uint8_t meter_uuid[16];
extern const uint8_t gate_uuid[16];

#define CORE_VERSION	1
#define GATE_VERSION	1

void stream_show_core(const uint8_t *data, size_t len, struct data_error *err);
void stream_show_gate(const uint8_t *data, size_t len, struct data_error *err);
void stream_show_acl(const uint8_t *data, size_t len, struct data_error *err);
void stream_show_guard(const uint8_t *data, size_t len, struct data_error *err);
void stream_show_meter(const uint8_t *data, size_t len, struct data_error *err);

#endif /* _VMQCTL_STREAM_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * The extension meter: reads a record. No kernel objects, so that a fuzzer in
 * user space compiles the same file.
 */
#include <asm/byteorder.h>
#include <linux/string.h>
#include <linux/types.h>

#include "meter_record.h"

static bool meter_rec_tokens_ok(__le64 field, bool limited)
{
	s64 tokens = le64_to_cpu(field);

	return limited ? tokens >= -VMQ_METER_REC_TOKENS_MAX &&
			 tokens <= VMQ_METER_REC_TOKENS_MAX : !tokens;
}

static bool meter_rec_huge(__le64 counter)
{
	return le64_to_cpu(counter) >> 63;
}

static const char *meter_rec_dir_check(const struct vmq_meter_rec_dir *dir)
{
	static const __u8 zero[sizeof(dir->reserved)];

	if (dir->direction >= VMQ_METER_REC_DIRS)
		return "meter: a record has an unknown direction";
	if (dir->flags & ~VMQ_METER_REC_FLAGS)
		return "meter: a record has unknown flags";
	if (memcmp(dir->reserved, zero, sizeof(zero)))
		return "meter: a reserved field of a record is not 0";
	if (!meter_rec_tokens_ok(dir->byte_tokens,
				 dir->flags & VMQ_METER_REC_BYTES) ||
	    !meter_rec_tokens_ok(dir->packet_tokens,
				 dir->flags & VMQ_METER_REC_PACKETS))
		return "meter: a record has tokens out of range";
	/* so large that the port's own would overflow it */
	if (meter_rec_huge(dir->passed_packets) ||
	    meter_rec_huge(dir->passed_bytes) ||
	    meter_rec_huge(dir->dropped_packets) ||
	    meter_rec_huge(dir->dropped_bytes) ||
	    meter_rec_huge(dir->delayed_packets))
		return "meter: a record has an impossible counter";
	return NULL;
}

/**
 * vmq_meter_rec_parse() - checks the data of a record and takes it apart
 * @data: the data, at any address
 * @size: its length in bytes
 * @dir: room for %VMQ_METER_REC_DIRS entries; entry n is of direction n
 * @present: bit n is set where the record has direction n
 *
 * Context: Any.
 * Return: NULL, or what is wrong with the record.
 */
const char *vmq_meter_rec_parse(const void *data, size_t size,
				struct vmq_meter_rec_dir *dir,
				unsigned int *present)
{
	struct vmq_meter_rec_dir entry;
	struct vmq_meter_rec_hdr hdr;
	unsigned int i, count, len;
	const char *wrong;

	*present = 0;
	if (size < sizeof(hdr))
		return "meter: a record is shorter than its header";
	memcpy(&hdr, data, sizeof(hdr));
	len = le16_to_cpu(hdr.entry_size);
	count = le32_to_cpu(hdr.count);
	if (len < sizeof(entry) || len > VMQ_METER_REC_ENTRY_MAX || len % 8)
		return "meter: a record has an entry size out of range";
	if (hdr.reserved)
		return "meter: a reserved field of a record is not 0";
	if (!count || count > VMQ_METER_REC_DIRS ||
	    count * len != size - sizeof(hdr))
		return "meter: a record's count does not fit its length";

	for (i = 0; i < count; i++) {
		memcpy(&entry, data + sizeof(hdr) + i * len, sizeof(entry));
		wrong = meter_rec_dir_check(&entry);
		if (wrong)
			return wrong;
		if (*present & 1 << entry.direction)
			return "meter: a record has a direction twice";
		*present |= 1 << entry.direction;
		dir[entry.direction] = entry;
	}
	return NULL;
}

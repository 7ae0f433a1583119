// SPDX-License-Identifier: GPL-2.0
/*
 * vmqctl stream: the saved state of a port, without a kernel.
 *
 * Reads piece by piece, no more than a record at a time, and shows all that is
 * there up to the first byte at fault. Whatever the file holds, every length is
 * checked before it is used.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "attr.h"
#include "out.h"
#include "stream.h"
#include "vmqctl.h"

#include "acl_record.h"
#include "guard_record.h"
#include "meter_record.h"

/* struct vmq_stream_hdr */
#define STREAM_MAGIC		"VMQSTATE"
#define STREAM_VERSION		1
#define HDR_VERSION		8
#define HDR_FLAGS		10
#define HDR_PRODUCER		12
#define HDR_SIZE		16

/* struct vmq_stream_rec */
#define REC_LENGTH		0
#define REC_TYPE		4
#define REC_FLAGS		6
#define REC_EXT			8
#define REC_CLASS		24
#define REC_VERSION		40
#define REC_RESERVED		42
#define REC_SIZE		48
#define REC_DATA_MAX		(65536 - REC_SIZE)
#define REC_ALIGN		8

/* struct vmq_stream_end */
#define END_COUNT		0
#define END_CRC			4
#define END_SIZE		8

enum {
	TYPE_END,
	TYPE_CORE,
	TYPE_EXT,
};

#define FLAG_OPTIONAL		0x0001

static const uint8_t zero[REC_SIZE];

static struct {
	FILE *file;
	const char *name;
	uint64_t pos;		/* bytes read */
	uint32_t crc;		/* over them, not inverted yet */
	uint32_t records;
	uint8_t rec[REC_SIZE];
	uint8_t data[REC_DATA_MAX + REC_ALIGN];
} in;

static const char *const type_names[] = { "end", "core", "ext" };

/* CRC32C (Castagnoli), bit reversed, a byte at a time. */
static uint32_t crc_table[256];

static void crc32c_init(void)
{
	uint32_t i, c;
	int bit;

	for (i = 0; i < ARRAY_SIZE(crc_table); i++) {
		for (c = i, bit = 0; bit < 8; bit++)
			c = c & 1 ? c >> 1 ^ 0x82f63b78 : c >> 1;
		crc_table[i] = c;
	}
}

static uint32_t crc32c(uint32_t crc, const uint8_t *p, size_t len)
{
	while (len--)
		crc = crc_table[(crc ^ *p++) & 0xff] ^ crc >> 8;
	return crc;
}

/* Says what is wrong and where, and leaves the same in JSON. */
__printf(2, 3)
static int damaged(uint64_t offset, const char *fmt, ...)
{
	char what[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);

	out_unwind(1);
	if (out_is_json()) {
		out_cstr("error", what);
		out_uint("error-offset", offset);
	}
	fflush(stdout);
	complain("%s: %s at offset %" PRIu64, in.name, what, offset);
	return VMQCTL_FAILED;
}

/* Reads exactly len bytes; what they are is said if there are fewer. */
static int take(void *buf, size_t len, const char *what)
{
	size_t n = fread(buf, 1, len, in.file);

	in.pos += n;
	if (n == len)
		return VMQCTL_OK;
	if (ferror(in.file))
		return damaged(in.pos, "%s", strerror(errno));
	return damaged(in.pos, "the stream is cut short in the %s", what);
}

static bool is_zero(const uint8_t *p, size_t len)
{
	return !memcmp(p, zero, len);
}

static int header(void)
{
	uint8_t hdr[HDR_SIZE];
	uint32_t producer;
	char version[40];
	size_t n;
	int err;

	/* a few bytes are enough to see that it is something else */
	n = fread(hdr, 1, sizeof(STREAM_MAGIC) - 1, in.file);
	in.pos = n;
	if (memcmp(hdr, STREAM_MAGIC, n))
		return damaged(0, "this is not a stream");
	err = take(hdr + n, sizeof(hdr) - n, "header");
	if (err)
		return err;
	in.crc = crc32c(~0U, hdr, sizeof(hdr));
	if (get_le16(hdr + HDR_VERSION) != STREAM_VERSION)
		return damaged(HDR_VERSION, "unknown format version %u",
			       get_le16(hdr + HDR_VERSION));
	if (get_le16(hdr + HDR_FLAGS))
		return damaged(HDR_FLAGS, "unknown flags in the header");

	producer = get_le32(hdr + HDR_PRODUCER);
	snprintf(version, sizeof(version), "%u.%u.%u", producer >> 16,
		 producer >> 8 & 0xff, producer & 0xff);
	out_uint("format-version", get_le16(hdr + HDR_VERSION));
	out_cstr("producer", version);
	return VMQCTL_OK;
}

/* The end record's header has nothing in it but its length. */
static int check_end(uint64_t pos)
{
	if (get_le32(in.rec + REC_LENGTH) != END_SIZE)
		return damaged(pos + REC_LENGTH,
			       "the end record has the wrong length");
	if (get_le16(in.rec + REC_FLAGS))
		return damaged(pos + REC_FLAGS, "flags in the end record");
	if (!is_zero(in.rec + REC_EXT, 16))
		return damaged(pos + REC_EXT, "an identity in the end record");
	if (!is_zero(in.rec + REC_CLASS, 16))
		return damaged(pos + REC_CLASS, "a class in the end record");
	if (get_le16(in.rec + REC_VERSION))
		return damaged(pos + REC_VERSION, "a version in the end record");
	return VMQCTL_OK;
}

static int check_rec(uint64_t pos)
{
	uint32_t length = get_le32(in.rec + REC_LENGTH);
	uint16_t flags = get_le16(in.rec + REC_FLAGS);
	uint16_t type = get_le16(in.rec + REC_TYPE);

	if (length > REC_DATA_MAX)
		return damaged(pos + REC_LENGTH,
			       "a record of %u bytes is too long", length);
	if (!is_zero(in.rec + REC_RESERVED, REC_SIZE - REC_RESERVED))
		return damaged(pos + REC_RESERVED,
			       "the reserved field of a record is not zero");
	if (flags & ~FLAG_OPTIONAL)
		return damaged(pos + REC_FLAGS, "unknown flags 0x%x in a record",
			       flags);
	switch (type) {
	case TYPE_END:
		return check_end(pos);
	case TYPE_CORE:
		if (in.records)
			return damaged(pos, "the core record is not the first");
		if (!is_zero(in.rec + REC_EXT, 16))
			return damaged(pos + REC_EXT,
				       "an identity in the core record");
		return VMQCTL_OK;
	case TYPE_EXT:
		if (is_zero(in.rec + REC_EXT, 16))
			return damaged(pos + REC_EXT,
				       "a record without an owner");
		return VMQCTL_OK;
	default:
		if (flags & FLAG_OPTIONAL)
			return VMQCTL_OK;
		return damaged(pos + REC_TYPE, "unknown type %u of a record",
			       type);
	}
}

/* The extensions, and the like, whose records are known here. */
static const struct known {
	const char *name;
	const uint8_t *uuid;
	uint16_t version;
	void (*show)(const uint8_t *data, size_t len, struct data_error *err);
} known[] = {
	{ "gate", gate_uuid, GATE_VERSION, stream_show_gate },
	{ "acl", acl_uuid, VMQ_ACL_REC_VERSION, stream_show_acl },
	{ "guard", guard_uuid, VMQ_GUARD_REC_VERSION, stream_show_guard },
	{ "meter", meter_uuid, VMQ_METER_REC_VERSION, stream_show_meter },
};

static const struct known *find_known(void)
{
	size_t i;

	if (get_le16(in.rec + REC_TYPE) != TYPE_EXT)
		return NULL;
	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (!memcmp(in.rec + REC_EXT, known[i].uuid, 16))
			return &known[i];
	return NULL;
}

static void show_rec(uint64_t pos)
{
	uint16_t flags = get_le16(in.rec + REC_FLAGS);
	uint16_t type = get_le16(in.rec + REC_TYPE);
	const struct known *ext = find_known();

	out_uint("offset", pos);
	if (type < ARRAY_SIZE(type_names))
		out_cstr("type", type_names[type]);
	else
		out_uint("type", type);
	if (ext)
		out_cstr("name", ext->name);
	if (!is_zero(in.rec + REC_EXT, 16))
		out_uuid("ext-uuid", in.rec + REC_EXT);
	if (!is_zero(in.rec + REC_CLASS, 16))
		out_uuid("class-uuid", in.rec + REC_CLASS);
	if (type != TYPE_END)
		out_uint("version", get_le16(in.rec + REC_VERSION));
	out_list_begin("flags");
	if (flags & FLAG_OPTIONAL)
		out_cstr(NULL, "optional");
	out_list_end();
	out_uint("length", get_le32(in.rec + REC_LENGTH));
}

/* The data of a record, if it is known what it means. */
static int show_data(uint64_t pos)
{
	uint32_t length = get_le32(in.rec + REC_LENGTH);
	uint16_t version = get_le16(in.rec + REC_VERSION);
	const struct known *ext = find_known();
	struct data_error err = { NULL, 0 };

	if (get_le16(in.rec + REC_TYPE) == TYPE_CORE && version == CORE_VERSION)
		stream_show_core(in.data, length, &err);
	else if (ext && version && version <= ext->version)
		ext->show(in.data, length, &err);
	if (err.what)
		return damaged(pos + REC_SIZE + err.offset, "%s", err.what);
	return VMQCTL_OK;
}

/* The end record's data, and that nothing follows. */
static int check_sums(uint64_t pos)
{
	uint32_t count = get_le32(in.data + END_COUNT);
	uint32_t crc = get_le32(in.data + END_CRC);
	uint32_t own;

	own = ~crc32c(crc32c(in.crc, in.rec, REC_SIZE), in.data, END_CRC);
	if (crc != own)
		return damaged(pos + REC_SIZE + END_CRC,
			       "the checksum is %08x, that of the stream is %08x",
			       crc, own);
	if (count != in.records)
		return damaged(pos + REC_SIZE + END_COUNT,
			       "%u records are promised, %u are there",
			       count, in.records);
	if (fgetc(in.file) != EOF)
		return damaged(in.pos, "something follows the end record");
	return VMQCTL_OK;
}

/* One record; *end is set when it was the last. */
static int record(bool *end)
{
	uint64_t pos = in.pos;
	uint32_t length;
	size_t padded;
	int err;

	err = take(in.rec, REC_SIZE, "header of a record");
	if (!err)
		err = check_rec(pos);
	if (err)
		return err;

	out_obj_begin(NULL);
	show_rec(pos);
	length = get_le32(in.rec + REC_LENGTH);
	padded = (length + REC_ALIGN - 1) & ~(size_t)(REC_ALIGN - 1);
	err = take(in.data, padded, "data of a record");
	if (err)
		return err;
	if (!is_zero(in.data + length, padded - length))
		return damaged(pos + REC_SIZE + length,
			       "the padding of a record is not zero");

	*end = get_le16(in.rec + REC_TYPE) == TYPE_END;
	if (*end) {
		err = check_sums(pos);
	} else {
		in.crc = crc32c(in.crc, in.rec, REC_SIZE);
		in.crc = crc32c(in.crc, in.data, padded);
		in.records++;
		err = show_data(pos);
	}
	if (!err)
		out_obj_end();
	return err;
}

static int show(void)
{
	bool end = false;
	char crc[9];
	int err;

	crc32c_init();
	out_obj_begin(NULL);
	err = header();
	if (err)
		return err;
	out_objs_begin("record");
	while (!err && !end)
		err = record(&end);
	if (err)
		return err;
	out_objs_end();
	out_uint("records", in.records);
	out_uint("bytes", in.pos);
	snprintf(crc, sizeof(crc), "%08x", get_le32(in.data + END_CRC));
	out_cstr("crc", crc);
	out_obj_end();
	return VMQCTL_OK;
}

static int stream_show(struct args *args)
{
	const char *name;
	int err;

	if (!args->argc)
		return usage_error("a file is missing");
	name = *args->argv++;
	args->argc--;
	err = args_end(args);
	if (err)
		return err;

	in.name = name;
	in.file = stdin;
	if (strcmp(name, "-"))
		in.file = fopen(name, "re");
	if (!in.file) {
		complain("%s: %s", name, strerror(errno));
		return VMQCTL_FAILED;
	}
	err = show();
	if (in.file != stdin)
		fclose(in.file);
	return err;
}

static const struct command stream_commands[] = {
	{ "show", stream_show },
	{ NULL, NULL },
};

const struct object stream_object = {
	.name = "stream",
	.usage = "Usage: vmqctl stream show { FILE | - }\n",
	.commands = stream_commands,
};

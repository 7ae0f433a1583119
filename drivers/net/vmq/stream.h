/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stream: the saved state of one port, as bytes.
 *
 * header | record | record | ... | end record. Little endian, every part a
 * multiple of 8 bytes. A codec over plain memory: no kernel objects, so that
 * KUnit and a fuzzer in user space compile the same file.
 */
#ifndef _VMQ_STREAM_H
#define _VMQ_STREAM_H

#include <linux/types.h>
#include <linux/uuid.h>

#define VMQ_STREAM_MAGIC	"VMQSTATE"
#define VMQ_STREAM_VERSION	1
#define VMQ_STREAM_ALIGN	8

/* Sizes of what every stream begins and ends with. */
#define VMQ_STREAM_HDR_SIZE	sizeof(struct vmq_stream_hdr)
#define VMQ_STREAM_END_SIZE	(sizeof(struct vmq_stream_rec) + \
				 sizeof(struct vmq_stream_end))

/**
 * struct vmq_stream_hdr - first bytes of a stream
 * @magic: %VMQ_STREAM_MAGIC, without a NUL
 * @version: %VMQ_STREAM_VERSION
 * @flags: 0
 * @producer: version of the module that wrote it, major << 16 | minor << 8 | patch
 */
struct vmq_stream_hdr {
	u8 magic[8];
	__le16 version;
	__le16 flags;
	__le32 producer;
};

/**
 * enum vmq_record_type - types of records
 * @VMQ_RECORD_END: closes the stream, data is &struct vmq_stream_end
 * @VMQ_RECORD_CORE: the port itself, restored first
 * @VMQ_RECORD_EXT: run-time data of an extension
 */
enum vmq_record_type {
	VMQ_RECORD_END = 0,
	VMQ_RECORD_CORE = 1,
	VMQ_RECORD_EXT = 2,
};

/**
 * struct vmq_stream_rec - header of a record; data and zero padding follow
 * @length: bytes of data, without header and padding
 * @type: of &enum vmq_record_type
 * @flags: of &enum vmq_record_flags
 * @ext: identity of the extension, all zero for the core and the end
 * @class: feature class, all zero if none
 * @version: version of the data
 * @reserved: 0
 */
struct vmq_stream_rec {
	__le32 length;
	__le16 type;
	__le16 flags;
	u8 ext[16];
	u8 class[16];
	__le16 version;
	__le16 reserved[3];
};

/**
 * struct vmq_stream_end - data of the end record
 * @count: records before it
 * @crc: CRC32C of everything before this field
 */
struct vmq_stream_end {
	__le32 count;
	__le32 crc;
};

/**
 * struct vmq_stream_writer - state of a stream being written
 * @crc: CRC32C over all bytes so far
 * @count: records so far
 * @bytes: bytes so far
 */
struct vmq_stream_writer {
	u32 crc;
	u32 count;
	u64 bytes;
};

/**
 * struct vmq_stream_view - one record of a complete stream in memory
 * @type: of &enum vmq_record_type
 * @flags: of &enum vmq_record_flags
 * @ext: identity of the extension, 16 bytes
 * @class: feature class, 16 bytes
 * @version: version of the data
 * @length: bytes at @data
 * @data: the data
 * @offset: of the record's header in the stream
 */
struct vmq_stream_view {
	u16 type;
	u16 flags;
	const u8 *ext;
	const u8 *class;
	u16 version;
	u32 length;
	const u8 *data;
	size_t offset;
};

/**
 * struct vmq_stream_error - why a stream was refused
 * @what: a sentence fragment for people, or NULL
 * @offset: of the first byte at fault
 */
struct vmq_stream_error {
	const char *what;
	size_t offset;
};

/**
 * struct vmq_stream_parser - progress through a stream that is still arriving
 * @pos: of the header or record that is looked at next
 * @need: bytes that the stream must have before there is anything new to see
 * @count: whole records before @pos, the end record not counted
 * @done: the end record was seen, so the stream may not go on
 *
 * All zero at the start.
 */
struct vmq_stream_parser {
	size_t pos;
	size_t need;
	u32 count;
	bool done;
};

size_t vmq_stream_record_size(u32 length);
size_t vmq_stream_put_header(struct vmq_stream_writer *w, void *buf,
			     u32 producer);
size_t vmq_stream_seal_record(struct vmq_stream_writer *w, void *buf, u16 type,
			      u16 flags, const u8 *ext, const u8 *class,
			      u16 version, u32 length);
size_t vmq_stream_put_end(struct vmq_stream_writer *w, void *buf);

int vmq_stream_parse(struct vmq_stream_parser *p, const void *buf, size_t len,
		     struct vmq_stream_error *err);
int vmq_stream_check(const void *buf, size_t len, u32 *count,
		     struct vmq_stream_error *err);
bool vmq_stream_next(const void *buf, size_t len, size_t *pos,
		     struct vmq_stream_view *view);

#endif /* _VMQ_STREAM_H */

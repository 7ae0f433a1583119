// SPDX-License-Identifier: GPL-2.0
/*
 * The codec of the stream.
 *
 * A stream comes from another host and may be hostile, so the reader believes
 * nothing: every length is checked against the bytes that are there before they
 * are looked at, and whatever a writer of this version never produces is
 * refused. Nothing here allocates or knows the kernel.
 */
#include <linux/build_bug.h>
#include <linux/crc32c.h>
#include <linux/string.h>
#include <net/vmq.h>

#include "stream.h"

static const u8 vmq_stream_zero[VMQ_STREAM_ALIGN * 2];

static_assert(sizeof(struct vmq_stream_hdr) == 16);
static_assert(sizeof(struct vmq_stream_rec) == VMQ_RECORD_HDR);
static_assert(sizeof(struct vmq_stream_end) == VMQ_STREAM_ALIGN);

static bool vmq_stream_is_zero(const void *data, size_t len)
{
	return !memcmp(data, vmq_stream_zero, len);
}

static int vmq_stream_fail(struct vmq_stream_error *err, size_t offset,
			   const char *what, int code)
{
	err->what = what;
	err->offset = offset;
	return code;
}

/**
 * vmq_stream_record_size() - room that a record takes in the stream
 * @length: bytes of its data
 *
 * Context: Any.
 * Return: bytes with header and padding.
 */
size_t vmq_stream_record_size(u32 length)
{
	size_t size = sizeof(struct vmq_stream_rec) + (size_t)length;

	return (size + VMQ_STREAM_ALIGN - 1) & ~(size_t)(VMQ_STREAM_ALIGN - 1);
}

static void vmq_stream_account(struct vmq_stream_writer *w, const void *buf,
			       size_t len)
{
	w->crc = crc32c(w->crc, buf, len);
	w->bytes += len;
}

/**
 * vmq_stream_put_header() - starts a stream
 * @w: becomes the state of the new stream
 * @buf: at least %VMQ_STREAM_HDR_SIZE bytes
 * @producer: version of the module that writes
 *
 * Context: Process.
 * Return: bytes written to @buf.
 */
size_t vmq_stream_put_header(struct vmq_stream_writer *w, void *buf,
			     u32 producer)
{
	struct vmq_stream_hdr hdr = {
		.version = cpu_to_le16(VMQ_STREAM_VERSION),
		.producer = cpu_to_le32(producer),
	};

	memcpy(hdr.magic, VMQ_STREAM_MAGIC, sizeof(hdr.magic));
	memcpy(buf, &hdr, sizeof(hdr));

	w->crc = ~0;
	w->count = 0;
	w->bytes = 0;
	vmq_stream_account(w, buf, sizeof(hdr));
	return sizeof(hdr);
}

/**
 * vmq_stream_seal_record() - makes data that is in place a record
 * @w: state of the stream
 * @buf: room of vmq_stream_record_size(@length) bytes; the data is in it at
 *	%VMQ_RECORD_HDR already, so that it need not be copied
 * @type: of &enum vmq_record_type
 * @flags: of &enum vmq_record_flags
 * @ext: identity of the extension, 16 bytes, or NULL for all zero
 * @class: feature class, 16 bytes, or NULL for all zero
 * @version: version of the data
 * @length: bytes of data, at most %VMQ_RECORD_DATA_MAX
 *
 * Records keep the order in which they are sealed (SR-14).
 *
 * Context: Process.
 * Return: bytes of the record in @buf.
 */
size_t vmq_stream_seal_record(struct vmq_stream_writer *w, void *buf, u16 type,
			      u16 flags, const u8 *ext, const u8 *class,
			      u16 version, u32 length)
{
	struct vmq_stream_rec rec = {
		.length = cpu_to_le32(length),
		.type = cpu_to_le16(type),
		.flags = cpu_to_le16(flags),
		.version = cpu_to_le16(version),
	};
	size_t size = vmq_stream_record_size(length);

	if (ext)
		memcpy(rec.ext, ext, sizeof(rec.ext));
	if (class)
		memcpy(rec.class, class, sizeof(rec.class));
	memcpy(buf, &rec, sizeof(rec));
	memset(buf + sizeof(rec) + length, 0, size - sizeof(rec) - length);

	vmq_stream_account(w, buf, size);
	w->count++;
	return size;
}

/**
 * vmq_stream_put_end() - closes a stream
 * @w: state of the stream
 * @buf: at least %VMQ_STREAM_END_SIZE bytes
 *
 * Context: Process.
 * Return: bytes written to @buf.
 */
size_t vmq_stream_put_end(struct vmq_stream_writer *w, void *buf)
{
	struct vmq_stream_rec rec = {
		.length = cpu_to_le32(sizeof(struct vmq_stream_end)),
		.type = cpu_to_le16(VMQ_RECORD_END),
	};
	struct vmq_stream_end end = {
		.count = cpu_to_le32(w->count),
	};
	size_t plain = sizeof(rec) + offsetof(struct vmq_stream_end, crc);

	memcpy(buf, &rec, sizeof(rec));
	memcpy(buf + sizeof(rec), &end, sizeof(end));
	vmq_stream_account(w, buf, plain);

	end.crc = cpu_to_le32(~w->crc);
	memcpy(buf + sizeof(rec), &end, sizeof(end));
	w->bytes += sizeof(end.crc);
	return sizeof(rec) + sizeof(end);
}

static int vmq_stream_check_header(const void *buf,
				   struct vmq_stream_error *err)
{
	struct vmq_stream_hdr hdr;

	memcpy(&hdr, buf, sizeof(hdr));
	if (le16_to_cpu(hdr.version) != VMQ_STREAM_VERSION)
		return vmq_stream_fail(err, offsetof(typeof(hdr), version),
				       "unknown version of the stream format",
				       -EOPNOTSUPP);
	if (hdr.flags)
		return vmq_stream_fail(err, offsetof(typeof(hdr), flags),
				       "unknown flags in the stream header",
				       -EOPNOTSUPP);
	return 0;
}

static int vmq_stream_check_end(const struct vmq_stream_rec *rec, size_t pos,
				struct vmq_stream_error *err)
{
	if (le32_to_cpu(rec->length) != sizeof(struct vmq_stream_end))
		return vmq_stream_fail(err, pos + offsetof(typeof(*rec), length),
				       "end record of wrong length", -EINVAL);
	if (rec->flags)
		return vmq_stream_fail(err, pos + offsetof(typeof(*rec), flags),
				       "flags in the end record", -EINVAL);
	if (!vmq_stream_is_zero(rec->ext, sizeof(rec->ext)))
		return vmq_stream_fail(err, pos + offsetof(typeof(*rec), ext),
				       "identity in the end record", -EINVAL);
	if (!vmq_stream_is_zero(rec->class, sizeof(rec->class)))
		return vmq_stream_fail(err, pos + offsetof(typeof(*rec), class),
				       "feature class in the end record",
				       -EINVAL);
	if (rec->version)
		return vmq_stream_fail(err, pos + offsetof(typeof(*rec), version),
				       "version in the end record", -EINVAL);
	return 0;
}

/* What a record's header alone tells; count is of the records before it. */
static int vmq_stream_check_rec(const struct vmq_stream_rec *rec, size_t pos,
				u32 count, struct vmq_stream_error *err)
{
	u16 flags = le16_to_cpu(rec->flags);

	if (le32_to_cpu(rec->length) > VMQ_RECORD_DATA_MAX)
		return vmq_stream_fail(err, pos + offsetof(typeof(*rec), length),
				       "record too long", -EINVAL);
	if (!vmq_stream_is_zero(rec->reserved, sizeof(rec->reserved)))
		return vmq_stream_fail(err,
				       pos + offsetof(typeof(*rec), reserved),
				       "reserved field of a record is not zero",
				       -EINVAL);
	if (flags & ~VMQ_RECORD_OPTIONAL)
		return vmq_stream_fail(err, pos + offsetof(typeof(*rec), flags),
				       "unknown flags in a record",
				       -EOPNOTSUPP);

	switch (le16_to_cpu(rec->type)) {
	case VMQ_RECORD_END:
		return vmq_stream_check_end(rec, pos, err);
	case VMQ_RECORD_CORE:
		if (count)
			return vmq_stream_fail(err, pos,
					       "core record is not the first",
					       -EINVAL);
		if (!vmq_stream_is_zero(rec->ext, sizeof(rec->ext)))
			return vmq_stream_fail(err, pos + offsetof(typeof(*rec),
								   ext),
					       "identity in the core record",
					       -EINVAL);
		return 0;
	case VMQ_RECORD_EXT:
		if (vmq_stream_is_zero(rec->ext, sizeof(rec->ext)))
			return vmq_stream_fail(err, pos + offsetof(typeof(*rec),
								   ext),
					       "record without an owner",
					       -EINVAL);
		return 0;
	default:
		if (flags & VMQ_RECORD_OPTIONAL)
			return 0;
		return vmq_stream_fail(err, pos + offsetof(typeof(*rec), type),
				       "unknown type of record", -EOPNOTSUPP);
	}
}

/* Handles what starts at p->pos as soon as it is whole; true: it was. */
static int vmq_stream_parse_record(struct vmq_stream_parser *p, const u8 *buf,
				   size_t len, struct vmq_stream_error *err)
{
	size_t pos = p->pos, data, size;
	struct vmq_stream_rec rec;
	u32 length;
	int ret;

	p->need = pos + sizeof(rec);
	if (len < p->need)
		return 0;
	memcpy(&rec, buf + pos, sizeof(rec));
	ret = vmq_stream_check_rec(&rec, pos, p->count, err);
	if (ret)
		return ret;

	length = le32_to_cpu(rec.length);
	size = vmq_stream_record_size(length);
	p->need = pos + size;
	if (len < p->need)
		return 0;
	data = sizeof(rec) + length;
	if (!vmq_stream_is_zero(buf + pos + data, size - data))
		return vmq_stream_fail(err, pos + data,
				       "padding of a record is not zero",
				       -EINVAL);
	p->pos += size;
	if (le16_to_cpu(rec.type) == VMQ_RECORD_END)
		p->done = true;
	else
		p->count++;
	return 1;
}

/**
 * vmq_stream_parse() - looks at a stream as far as it has arrived
 * @p: progress so far; the same bytes must be in @buf each time, and more
 * @buf: the stream from its first byte
 * @len: bytes that have arrived
 * @err: set where the stream is refused
 *
 * Refuses as soon as the bytes at fault are there, so that a writer hears of it
 * early and little memory is spent on garbage. Bytes are looked at once, and a
 * call that brings nothing new to see costs nothing, so many small writes are
 * no more work than a large one. The count and the checksum are not looked at:
 * see vmq_stream_check().
 *
 * Context: Any.
 * Return: 1 where the end record was seen and @buf ends with it, 0 where more
 * is wanted, at least up to @p->need bytes in all, -EINVAL for what no writer
 * produces, -EOPNOTSUPP for what only a newer one does.
 */
int vmq_stream_parse(struct vmq_stream_parser *p, const void *buf, size_t len,
		     struct vmq_stream_error *err)
{
	size_t part;
	int ret;

	if (!p->pos) {
		p->need = sizeof(struct vmq_stream_hdr);
		part = len < sizeof(VMQ_STREAM_MAGIC) - 1 ?
		       len : sizeof(VMQ_STREAM_MAGIC) - 1;
		if (part && memcmp(buf, VMQ_STREAM_MAGIC, part))
			return vmq_stream_fail(err, 0, "not a vmq stream",
					       -EINVAL);
		if (len < p->need)
			return 0;
		ret = vmq_stream_check_header(buf, err);
		if (ret)
			return ret;
		p->pos = sizeof(struct vmq_stream_hdr);
		p->need = p->pos;
	}

	while (!p->done) {
		if (len < p->need)
			return 0;
		ret = vmq_stream_parse_record(p, buf, len, err);
		if (ret <= 0)
			return ret;
	}

	if (len > p->pos)
		return vmq_stream_fail(err, p->pos,
				       "bytes after the end record", -EINVAL);
	return 1;
}

/**
 * vmq_stream_check() - checks a whole stream
 * @buf: the stream
 * @len: its bytes
 * @count: becomes the number of records before the end record
 * @err: set where the stream is refused
 *
 * A stream that passes is what a writer wrote, with nothing missing: cut short
 * at any byte, or with any bit flipped, it is refused.
 *
 * Context: Process.
 * Return: 0, what vmq_stream_parse() refuses with, or -EBADMSG for a stream
 * that is damaged or cut short.
 */
int vmq_stream_check(const void *buf, size_t len, u32 *count,
		     struct vmq_stream_error *err)
{
	struct vmq_stream_parser p = {};
	struct vmq_stream_end end;
	size_t covered;
	int ret;

	*count = 0;
	ret = vmq_stream_parse(&p, buf, len, err);
	if (ret < 0)
		return ret;
	if (!ret)
		return vmq_stream_fail(err, len, "stream is cut short",
				       -EBADMSG);

	memcpy(&end, buf + len - sizeof(end), sizeof(end));
	covered = len - sizeof(end.crc);
	if (le32_to_cpu(end.crc) != (u32)~crc32c(~0, buf, covered))
		return vmq_stream_fail(err, covered, "checksum does not match",
				       -EBADMSG);
	if (le32_to_cpu(end.count) != p.count)
		return vmq_stream_fail(err, len - sizeof(end),
				       "wrong number of records", -EBADMSG);
	*count = p.count;
	return 0;
}

/**
 * vmq_stream_next() - steps through the records of a stream
 * @buf: a stream that vmq_stream_check() accepted
 * @len: its bytes
 * @pos: 0 to begin with; moved past the record
 * @view: becomes the record; points into @buf
 *
 * Context: Any.
 * Return: true with a record in @view, false at the end.
 */
bool vmq_stream_next(const void *buf, size_t len, size_t *pos,
		     struct vmq_stream_view *view)
{
	const struct vmq_stream_rec *rec;
	struct vmq_stream_rec head;

	if (!*pos)
		*pos = sizeof(struct vmq_stream_hdr);
	if (len < *pos || len - *pos < sizeof(head))
		return false;
	rec = buf + *pos;
	memcpy(&head, rec, sizeof(head));

	view->type = le16_to_cpu(head.type);
	view->length = le32_to_cpu(head.length);
	if (view->type == VMQ_RECORD_END ||
	    view->length > VMQ_RECORD_DATA_MAX ||
	    len - *pos < vmq_stream_record_size(view->length))
		return false;
	view->flags = le16_to_cpu(head.flags);
	view->ext = rec->ext;
	view->class = rec->class;
	view->version = le16_to_cpu(head.version);
	view->data = (const u8 *)(rec + 1);
	view->offset = *pos;
	*pos += vmq_stream_record_size(view->length);
	return true;
}

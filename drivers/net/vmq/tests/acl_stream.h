/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit: records of the extension acl.
 */
#ifndef _VMQ_ACL_STREAM_H
#define _VMQ_ACL_STREAM_H

#include "acl_test.h"
#include "ext_stream.h"

#define BUF	VMQ_RECORD_DATA_MAX
#define HDR	sizeof(struct vmq_acl_rec_hdr)
#define ENTRY	sizeof(struct vmq_acl_rec_conn)

static __maybe_unused struct vmq_acl_rec_conn *
entry(struct stream *s, unsigned int rec, unsigned int i)
{
	return s->rec[rec].data + HDR + i * ENTRY;
}

/* A record of one connection to start from: established TCP of the guest. */
static __maybe_unused void
stream_one(struct kunit *test, struct stream *s)
{
	struct vmq_acl_rec_hdr *hdr;
	struct vmq_acl_rec_conn *e;

	s->rec[s->n] = (struct vmq_record){
		.version = VMQ_ACL_REC_VERSION,
		.size = HDR + ENTRY,
		.data = kunit_kzalloc(test, HDR + ENTRY, GFP_KERNEL),
	};
	KUNIT_ASSERT_NOT_NULL(test, s->rec[s->n].data);
	hdr = s->rec[s->n].data;
	hdr->entry_size = cpu_to_le16(ENTRY);
	hdr->count = cpu_to_le32(1);
	e = entry(s, s->n, 0);
	e->family = VMQ_ACL_REC_IPV4;
	e->proto = IPPROTO_TCP;
	e->state = VMQ_ACL_ESTABLISHED;
	e->direction = OUT;
	e->local_port = cpu_to_le16(1000);
	e->remote_port = cpu_to_le16(80);
	e->timeout_ms = cpu_to_le32(100000);
	memcpy(e->local, "\x0a\0\0\x02", 4);
	memcpy(e->remote, "\x0a\0\0\x09", 4);
	e->packets_in = cpu_to_le64(1000);
	s->n++;
}

#endif /* _VMQ_ACL_STREAM_H */

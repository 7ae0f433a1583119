/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit: saving and restoring the extension acl, as the core would.
 */
#ifndef _VMQ_ACL_STREAM_H
#define _VMQ_ACL_STREAM_H

#include "acl_test.h"

#define BUF	VMQ_RECORD_DATA_MAX
#define HDR	sizeof(struct vmq_acl_rec_hdr)
#define ENTRY	sizeof(struct vmq_acl_rec_conn)

/* ---- a stream, as the core would keep it ---- */

struct stream {
	struct vmq_record rec[80];
	unsigned int n;
	unsigned int asked;	/* times that more room was asked for */
};

static __maybe_unused struct stream *
stream_new(struct kunit *test)
{
	struct stream *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	return s;
}

/* Offers @room bytes for each record, and as much as was asked for then. */
static __maybe_unused void save(struct kunit *test, struct vmq_ext_port *ep,
				struct stream *s, unsigned int room)
{
	struct vmq_record *rec;
	int len;

	KUNIT_ASSERT_EQ(test, 0, acl_ops.save_begin(ep, NULL));
	for (s->n = 0; s->n < ARRAY_SIZE(s->rec); s->n++) {
		rec = &s->rec[s->n];
		memset(rec, 0, sizeof(*rec));
		rec->size = room;
		/* Of the very size, for KASAN. */
		rec->data = kunit_kmalloc(test, room ?: 1, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, rec->data);
		len = acl_ops.save_next(ep, rec);
		if (len == -EMSGSIZE) {
			KUNIT_ASSERT_GT(test, rec->needed, room);
			KUNIT_ASSERT_LE(test, rec->needed, BUF);
			s->asked++;
			rec->size = rec->needed;
			rec->data = kunit_kmalloc(test, rec->size, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, rec->data);
			len = acl_ops.save_next(ep, rec);
		}
		KUNIT_ASSERT_GE(test, len, 0);
		KUNIT_ASSERT_LE(test, len, rec->size);
		rec->size = len;
		if (!len)
			break;
	}
	acl_ops.save_complete(ep, true);
}

static __maybe_unused int
restore_begin(struct kunit *test, struct vmq_ext_port *ep,
	      struct stream *s)
{
	struct netlink_ext_ack extack = {};
	unsigned int i;
	int err = 0;

	KUNIT_ASSERT_EQ(test, 0, acl_ops.restore_begin(ep, NULL));
	for (i = 0; !err && i < s->n; i++)
		err = acl_ops.validate(ep, &s->rec[i], &extack);
	if (err)
		KUNIT_EXPECT_NOT_NULL(test, extack._msg);

	return err;
}

static __maybe_unused int
apply(struct vmq_ext_port *ep, struct stream *s)
{
	struct netlink_ext_ack extack = {};
	unsigned int i;
	int err = 0;

	rtnl_lock();
	for (i = 0; !err && i < s->n; i++)
		err = acl_ops.apply(ep, &s->rec[i], &extack);
	rtnl_unlock();

	return err;
}

static __maybe_unused int
restore(struct kunit *test, struct vmq_ext_port *ep,
	struct stream *s)
{
	int err = restore_begin(test, ep, s) ?: apply(ep, s);

	acl_ops.restore_complete(ep, !err);
	KUNIT_EXPECT_NULL(test, ep->session);

	return err;
}

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

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit: what an extension saves of a port, and takes back, as the core would ask it.
 */
#ifndef _VMQ_EXT_STREAM_H
#define _VMQ_EXT_STREAM_H

#include <kunit/test.h>
#include <linux/rtnetlink.h>
#include <net/vmq.h>

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
	const struct vmq_ext_ops *ops = ep->ops;
	struct vmq_record *rec;
	int len;

	KUNIT_ASSERT_EQ(test, 0, ops->save_begin(ep, NULL));
	for (s->n = 0; s->n < ARRAY_SIZE(s->rec); s->n++) {
		rec = &s->rec[s->n];
		memset(rec, 0, sizeof(*rec));
		rec->size = room;
		/* Of the very size, for KASAN. */
		rec->data = kunit_kmalloc(test, room ?: 1, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, rec->data);
		len = ops->save_next(ep, rec);
		if (len == -EMSGSIZE) {
			KUNIT_ASSERT_GT(test, rec->needed, room);
			KUNIT_ASSERT_LE(test, rec->needed, VMQ_RECORD_DATA_MAX);
			s->asked++;
			rec->size = rec->needed;
			rec->data = kunit_kmalloc(test, rec->size, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, rec->data);
			len = ops->save_next(ep, rec);
		}
		KUNIT_ASSERT_GE(test, len, 0);
		KUNIT_ASSERT_LE(test, len, rec->size);
		rec->size = len;
		if (!len)
			break;
	}
	if (ops->save_complete)
		ops->save_complete(ep, true);
}

static __maybe_unused int
restore_begin(struct kunit *test, struct vmq_ext_port *ep, struct stream *s)
{
	struct netlink_ext_ack extack = {};
	unsigned int i;
	int err = 0;

	KUNIT_ASSERT_EQ(test, 0, ep->ops->restore_begin(ep, NULL));
	for (i = 0; !err && i < s->n; i++)
		err = ep->ops->validate(ep, &s->rec[i], &extack);
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
		err = ep->ops->apply(ep, &s->rec[i], &extack);
	rtnl_unlock();

	return err;
}

static __maybe_unused int
restore(struct kunit *test, struct vmq_ext_port *ep, struct stream *s)
{
	int err = restore_begin(test, ep, s) ?: apply(ep, s);

	ep->ops->restore_complete(ep, !err);
	KUNIT_EXPECT_NULL(test, ep->session);

	return err;
}

static __maybe_unused void rollback(struct vmq_ext_port *ep)
{
	rtnl_lock();
	ep->ops->rollback(ep);
	rtnl_unlock();
	ep->ops->restore_complete(ep, false);
}

#endif /* _VMQ_EXT_STREAM_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the extension acl: records that somebody else wrote.
 */
#include "acl_stream.h"

static int try_record(struct kunit *test, struct stream *s)
{
	struct vmq_ext_port *ep = test->priv;
	int err = restore(test, ep, s);

	if (err)
		KUNIT_EXPECT_EQ(test, 0, conns(test));
	config_flag(test, VMQ_A_ACL_FLUSH_CONNECTIONS);

	return err;
}

static void acl_hostile_test(struct kunit *test)
{
	struct stream *s = stream_new(test);
	struct vmq_acl_rec_conn *e;
	struct vmq_acl_rec_hdr *hdr;
	unsigned int i, refused = 0;
	u8 *data, *big;

	stream_one(test, s);
	data = s->rec[0].data;
	hdr = s->rec[0].data;
	e = entry(s, 0, 0);
	KUNIT_EXPECT_EQ(test, 0, try_record(test, s));

	/* Every bit and every byte. */
	for (i = 0; i < (HDR + ENTRY) * 9; i++) {
		u8 flip = i % 9 == 8 ? 0xff : 1 << (i % 9);
		struct vmq_record old = s->rec[0];
		int err;

		data[i / 9] ^= flip;
		err = try_record(test, s);
		refused += !!err;
		/* No byte of the header has any other value that is right. */
		if (i / 9 < HDR)
			KUNIT_EXPECT_EQ_MSG(test, -EINVAL, err, "bit %u", i);
		data[i / 9] ^= flip;
		s->rec[0] = old;
	}
	KUNIT_EXPECT_GT(test, refused, HDR * 9);

	/* Every length; exactly as much memory, for KASAN. */
	for (i = 0; i < HDR + ENTRY; i++) {
		u8 *part = kmemdup(data, i ?: 1, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, part);
		s->rec[0].size = i;
		s->rec[0].data = part;
		KUNIT_EXPECT_EQ(test, -EINVAL, try_record(test, s));
		kfree(part);
	}
	s->rec[0].data = data;
	s->rec[0].size = HDR + ENTRY;

#define BAD(field, value)						\
	do {								\
		typeof(field) *at = &(field);				\
		typeof(field) saved = *at;				\
									\
		*at = value;						\
		KUNIT_EXPECT_EQ(test, -EINVAL, try_record(test, s));	\
		*at = saved;						\
	} while (0)

	BAD(hdr->count, 0);
	BAD(hdr->count, cpu_to_le32(2));
	BAD(hdr->count, cpu_to_le32(0x04000001));	/* times 64: 32 bits over */
	BAD(hdr->entry_size, cpu_to_le16(ENTRY - 8));
	BAD(hdr->entry_size, 0);
	BAD(hdr->reserved, cpu_to_le16(1));
	BAD(e->family, 2);
	BAD(e->proto, IPPROTO_SCTP);
	BAD(e->proto, IPPROTO_UDP);		/* cannot be established */
	BAD(e->proto, IPPROTO_ICMPV6);
	BAD(e->state, 0);
	BAD(e->state, VMQ_ACL_REPLIED);
	BAD(e->state, VMQ_ACL_STATES);
	BAD(e->direction, 2);
	BAD(e->vlan, cpu_to_le16(4096));
	BAD(e->flags, cpu_to_le16(4));
	BAD(e->timeout_ms, 0);
	BAD(e->timeout_ms, cpu_to_le32(VMQ_ACL_REC_TIMEOUT_MAX + 1));
	BAD(e->local[4], 1);
	BAD(e->remote[15], 1);

	e->proto = IPPROTO_ICMP;
	e->state = VMQ_ACL_NEW;
	KUNIT_EXPECT_EQ(test, -EINVAL, try_record(test, s));
	e->local_port = e->remote_port;
	KUNIT_EXPECT_EQ(test, 0, try_record(test, s));
	BAD(e->flags, cpu_to_le16(1));

	s->rec[0].version = 2;
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, try_record(test, s));
	s->rec[0].version = 1;
	s->rec[0].class.b[3] = 1;
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, try_record(test, s));
	s->rec[0].class.b[3] = 0;

	/* A minor revision with larger entries, at an odd address. */
	big = kunit_kzalloc(test, HDR + 2 * (ENTRY + 8) + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, big);
	hdr->entry_size = cpu_to_le16(ENTRY + 8);
	hdr->count = cpu_to_le32(2);
	memcpy(big + 1, hdr, HDR);
	memcpy(big + 1 + HDR, e, ENTRY);
	memset(big + 1 + HDR + ENTRY, 0xee, 8);
	e->vlan = cpu_to_le16(5);
	memcpy(big + 1 + HDR + ENTRY + 8, e, ENTRY);
	s->rec[0].data = big + 1;
	s->rec[0].size = HDR + 2 * (ENTRY + 8);
	KUNIT_EXPECT_EQ(test, 0, restore(test, test->priv, s));
	KUNIT_EXPECT_EQ(test, 2, conns(test));
}

/* Apply is not fooled by what nobody validated. */
static void acl_apply_test(struct kunit *test)
{
	struct vmq_ext_port *ep = test->priv;
	struct stream *s = stream_new(test);

	stream_one(test, s);
	stream_one(test, s);
	entry(s, 0, 0)->vlan = cpu_to_le16(1);
	entry(s, 1, 0)->direction = 7;
	KUNIT_EXPECT_EQ(test, 0, acl_ops.restore_begin(ep, NULL));
	KUNIT_EXPECT_EQ(test, -EINVAL, apply(ep, s));
	KUNIT_EXPECT_EQ(test, 1, conns(test));
	/* Even if the core did not ask for a rollback. */
	acl_ops.restore_complete(ep, false);
	KUNIT_EXPECT_EQ(test, 0, conns(test));
}

static struct kunit_case acl_record_cases[] = {
	KUNIT_CASE(acl_hostile_test),
	KUNIT_CASE(acl_apply_test),
	{}
};

static struct kunit_suite acl_record_suite = {
	.name = "vmq_acl_record",
	.init = acl_test_init,
	.exit = acl_test_exit,
	.test_cases = acl_record_cases,
};

kunit_test_suites(&acl_record_suite);

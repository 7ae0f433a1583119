/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit: one message of a dump of the extension acl, counted.
 */
#ifndef _VMQ_ACL_DUMP_H
#define _VMQ_ACL_DUMP_H

#include "acl_test.h"

struct tally {
	unsigned int summaries, rules, conns, messages;
	u8 *seen;		/* by local port */
};

static __maybe_unused int
dump_one(struct kunit *test, unsigned long *cursor, unsigned int room,
	 struct tally *t)
{
	struct nlattr *tb[VMQ_A_ACL_CONNECTION_MAX + 1];
	struct sk_buff *msg = alloc_skb(room, GFP_KERNEL);
	const struct nlattr *attr;
	unsigned int len;
	int err, rem;
	u16 port;

	KUNIT_ASSERT_NOT_NULL(test, msg);
	/* No more than that, though the allocator may have given more. */
	skb_reserve(msg, skb_tailroom(msg) - room);
	rtnl_lock();
	err = acl_ops.config_dump(test->priv, msg, cursor);
	rtnl_unlock();
	len = msg->len;
	t->messages++;

	nla_for_each_attr(attr, (struct nlattr *)msg->data, len, rem) {
		switch (nla_type(attr)) {
		case VMQ_A_ACL_SUMMARY:
			t->summaries++;
			break;
		case VMQ_A_ACL_RULE:
			t->rules++;
			break;
		case VMQ_A_ACL_CONNECTION:
			t->conns++;
			nla_parse_nested(tb, VMQ_A_ACL_CONNECTION_MAX, attr,
					 NULL, NULL);
			if (!t->seen)
				break;
			port = nla_get_u16(tb[VMQ_A_ACL_CONNECTION_LOCAL_PORT]);
			t->seen[port]++;
			break;
		default:
			KUNIT_FAIL(test, "unknown attribute %u", nla_type(attr));
		}
	}
	KUNIT_EXPECT_EQ(test, 0, rem);
	kfree_skb(msg);

	return err;
}

#endif /* _VMQ_ACL_DUMP_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the extension acl: save and restore, and their undoing.
 */
#include "acl_stream.h"

static const struct frame all[] = {
	{ 4, TCP(1, 80, SYN) },
	{ 4, UDP(2, 53) },
	{ 4, PING(3) },
	{ 6, TCP(4, 80, SYN) },
	{ 6, UDP(5, 53), .vlan = 4094 },
	{ PING6(6) },
};

static void acl_trip_test(struct kunit *test)
{
	struct vmq_ext_port *from = test->priv, *to = port_new(test);
	struct stream *s = stream_new(test), *again = stream_new(test);
	unsigned int i;

	/* Nothing to save. */
	save(test, from, s, 4096);
	KUNIT_EXPECT_EQ(test, 0, s->n);
	KUNIT_EXPECT_EQ(test, 0, restore(test, to, s));

	client_rules(test);
	for (i = 0; i < ARRAY_SIZE(all); i++)
		KUNIT_EXPECT_TRUE(test, run(test, OUT, &all[i]));
	PASSES(OUT, TCP(1000, 80, SYN));
	PASSES(IN, TCP(1000, 80, SYN | ACK));
	PASSES(OUT, TCP(1000, 80, ACK));
	PASSES(OUT, TCP(1001, 80, SYN));
	PASSES(IN, TCP(1001, 80, SYN | ACK | FIN));

	/* Too little room for one, for all, and just enough. */
	save(test, from, s, 0);
	KUNIT_EXPECT_EQ(test, 1, s->n);
	KUNIT_EXPECT_EQ(test, 1, s->asked);
	KUNIT_EXPECT_EQ(test, HDR + 8 * ENTRY, s->rec[0].size);
	save(test, from, again, HDR + ENTRY);
	KUNIT_EXPECT_EQ(test, 1, again->asked);
	again->asked = 0;
	save(test, from, again, HDR + 8 * ENTRY);
	KUNIT_EXPECT_EQ(test, 0, again->asked);

	/* On the other host nothing is allowed in, nor anything out. */
	test->priv = to;
	ADD(.dir = IN);
	ADD(.dir = OUT);
	DROPPED(OUT, TCP(1000, 80, ACK));
	KUNIT_EXPECT_EQ(test, 0, restore(test, to, s));
	KUNIT_EXPECT_EQ(test, 8, conns(test));

	/* The same comes out again; a little time has passed. */
	save(test, to, again, 4096);
	KUNIT_EXPECT_EQ(test, 1, again->n);
	KUNIT_EXPECT_EQ(test, s->rec[0].size, again->rec[0].size);
	for (i = 0; i < 8; i++) {
		struct vmq_acl_rec_conn *a = entry(s, 0, i);
		struct vmq_acl_rec_conn *b = entry(again, 0, i);

		KUNIT_EXPECT_LE(test, le32_to_cpu(b->timeout_ms),
				le32_to_cpu(a->timeout_ms));
		KUNIT_EXPECT_GT(test, le32_to_cpu(b->timeout_ms) + 5000,
				le32_to_cpu(a->timeout_ms));
		a->timeout_ms = b->timeout_ms;
		KUNIT_EXPECT_MEMEQ(test, a, b, ENTRY);
	}

	PASSES(OUT, TCP(1000, 80, ACK));
	PASSES(IN, TCP(1000, 80, ACK));
	DROPPED(IN, TCP(1000, 81, ACK));
	PASSES(IN, UDP(2, 53));
	PASSES(IN, PONG(3));
	DROPPED(IN, PING(3));
	PASSES(IN, .family = 6, UDP(5, 53), .vlan = 4094);
	DROPPED(IN, .family = 6, UDP(5, 53), .vlan = 4093);
	PASSES(IN, PONG6(6));

	acl_ops.detach(to);
	test->priv = from;
}

static void acl_split_test(struct kunit *test)
{
	struct vmq_ext_port *from = test->priv, *to = port_new(test);
	struct frame f = { 4, UDP(0, 53) };
	struct stream *s = stream_new(test);
	unsigned int i, passed = 0;

	client_rules(test);
	for (i = 1; i <= 3000; i++) {
		f.lport = i;
		passed += run(test, OUT, &f);
	}
	KUNIT_EXPECT_EQ(test, 3000, passed);

	save(test, from, s, 4096);
	KUNIT_EXPECT_EQ(test, 3, s->n);
	KUNIT_EXPECT_EQ(test, 3, s->asked);
	KUNIT_EXPECT_EQ(test, 0, restore(test, to, s));

	/* Twice: each takes the place of itself, no room is needed. */
	test->priv = to;
	KUNIT_EXPECT_EQ(test, 0,
			config_u32(test, VMQ_A_ACL_MAX_CONNECTIONS, 3000));
	KUNIT_EXPECT_EQ(test, 0, restore(test, to, s));
	KUNIT_EXPECT_EQ(test, 3000, conns(test));
	ADD(.dir = IN);
	for (i = 1, passed = 0; i <= 3000; i++) {
		f.lport = i;
		passed += run(test, IN, &f);
	}
	KUNIT_EXPECT_EQ(test, 3000, passed);

	/* Not all of them fit: nothing of it is done. */
	config_flag(test, VMQ_A_ACL_FLUSH_CONNECTIONS);
	KUNIT_EXPECT_EQ(test, 0,
			config_u32(test, VMQ_A_ACL_MAX_CONNECTIONS, 2999));
	KUNIT_EXPECT_EQ(test, -ENOSPC, restore(test, to, s));
	KUNIT_EXPECT_EQ(test, 0, conns(test));

	acl_ops.detach(to);
	test->priv = from;
}

/* Frames take the last room between validate and apply. */
static void acl_squeeze_test(struct kunit *test)
{
	struct vmq_ext_port *ep = test->priv;
	struct stream *s = stream_new(test);
	unsigned int i;

	client_rules(test);
	for (i = 0; i < 4; i++) {
		stream_one(test, s);
		entry(s, i, 0)->local_port = cpu_to_le16(i);
	}
	config_u32(test, VMQ_A_ACL_MAX_CONNECTIONS, 4);
	KUNIT_EXPECT_EQ(test, 0, restore_begin(test, ep, s));
	PASSES(OUT, UDP(1, 53));
	KUNIT_EXPECT_EQ(test, 0, apply(ep, s));
	KUNIT_EXPECT_EQ(test, 4, conns(test));
	acl_ops.restore_complete(ep, true);
	KUNIT_EXPECT_EQ(test, 4, conns(test));
	PASSES(IN, TCP(2, 80, ACK));
	DROPPED(IN, TCP(3, 80, ACK));
}

static void acl_rollback_test(struct kunit *test)
{
	struct vmq_ext_port *ep = test->priv;
	struct stream *s = stream_new(test);
	struct acl_conn *conn;

	client_rules(test);
	PASSES(OUT, TCP(1000, 80, SYN));
	conn = the_conn(test);

	/* The same tuple twice, and one that is new. */
	stream_one(test, s);
	stream_one(test, s);
	stream_one(test, s);
	entry(s, 1, 0)->state = VMQ_ACL_CLOSING;
	entry(s, 1, 0)->flags = cpu_to_le16(VMQ_ACL_REC_FLAGS);
	entry(s, 2, 0)->local_port = cpu_to_le16(1001);

	KUNIT_EXPECT_EQ(test, 0, restore_begin(test, ep, s));
	KUNIT_EXPECT_EQ(test, 0, apply(ep, s));
	KUNIT_EXPECT_EQ(test, 2, conns(test));
	PASSES(IN, TCP(1001, 80, ACK));
	/* What expires in between is not taken away from under the session. */
	age(test, 100000);
	collect(test);
	KUNIT_EXPECT_EQ(test, 2, conns(test));
	/* A flow of its own stays. */
	PASSES(OUT, UDP(1, 53));
	rtnl_lock();
	acl_ops.rollback(ep);
	rtnl_unlock();
	KUNIT_EXPECT_EQ(test, 2, conns(test));
	acl_ops.restore_complete(ep, false);
	PASSES(IN, UDP(1, 53));
	DROPPED(IN, TCP(1001, 80, ACK));
	KUNIT_EXPECT_EQ(test, VMQ_ACL_NEW, conn->state);
	PASSES(IN, TCP(1000, 80, SYN | ACK));
	KUNIT_EXPECT_EQ(test, VMQ_ACL_SYN_ACK, conn->state);

	/* Done for good: the later of two counts. */
	KUNIT_EXPECT_EQ(test, 0, restore(test, ep, s));
	KUNIT_EXPECT_EQ(test, 3, conns(test));
	DROPPED(IN, TCP(1000, 80, SYN));
	PASSES(IN, TCP(1000, 80, ACK));

	/* Flushed in between: nothing comes back, whichever way it ends. */
	KUNIT_EXPECT_EQ(test, 0, restore_begin(test, ep, s));
	KUNIT_EXPECT_EQ(test, 0, apply(ep, s));
	config_flag(test, VMQ_A_ACL_FLUSH_CONNECTIONS);
	KUNIT_EXPECT_EQ(test, 0, conns(test));
	rtnl_lock();
	acl_ops.rollback(ep);
	rtnl_unlock();
	acl_ops.restore_complete(ep, false);
	KUNIT_EXPECT_EQ(test, 0, conns(test));

	PASSES(OUT, TCP(1000, 80, SYN));
	KUNIT_EXPECT_EQ(test, 0, restore_begin(test, ep, s));
	KUNIT_EXPECT_EQ(test, 0, apply(ep, s));
	config_flag(test, VMQ_A_ACL_FLUSH_CONNECTIONS);
	acl_ops.restore_complete(ep, true);
	KUNIT_EXPECT_EQ(test, 0, conns(test));
	KUNIT_EXPECT_TRUE(test, xa_empty(&port(test)->conns));

	/* Begun and given up. */
	KUNIT_EXPECT_EQ(test, 0, restore_begin(test, ep, s));
	acl_ops.restore_complete(ep, false);
	KUNIT_EXPECT_EQ(test, 0, conns(test));
}

static struct kunit_case acl_state_cases[] = {
	KUNIT_CASE(acl_trip_test),
	KUNIT_CASE(acl_split_test),
	KUNIT_CASE(acl_squeeze_test),
	KUNIT_CASE(acl_rollback_test),
	{}
};

static struct kunit_suite acl_state_suite = {
	.name = "vmq_acl_state",
	.init = acl_test_init,
	.exit = acl_test_exit,
	.test_cases = acl_state_cases,
};

kunit_test_suites(&acl_state_suite);

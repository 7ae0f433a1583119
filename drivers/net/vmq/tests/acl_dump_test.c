// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the extension acl: dumps, and what many connections take.
 */
#include <linux/ktime.h>

#include "acl_dump.h"
#include "acl_stream.h"

/* however little a message holds, all of the state is told */
static void acl_dump_test(struct kunit *test)
{
	struct frame f = { 4, UDP(0, 53) };
	unsigned long cursor = 0;
	struct tally t = {};
	unsigned int i;
	int err;

	t.seen = kunit_kzalloc(test, 65536, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t.seen);
	client_rules(test);
	for (i = 0; i < 200; i++)
		ADD(.dir = IN, .priority = 1000 - i);
	for (i = 1; i <= 2000; i++) {
		f.lport = i;
		run(test, OUT, &f);
	}

	/* A message that has no room for anything. */
	KUNIT_EXPECT_EQ(test, -EMSGSIZE, dump_one(test, &cursor, 16, &t));
	KUNIT_EXPECT_EQ(test, 0, cursor);

	/* Rules and connections come and go between the messages. */
	i = 0;
	do {
		err = dump_one(test, &cursor, 1024, &t);
		i++;
		ADD(.dir = OUT, .priority = 5000 + i);
		if (i <= 10)
			KUNIT_EXPECT_EQ(test, 0,
					config_u32(test, VMQ_A_ACL_DEL,
						   i < 5 ? i : 200 - i));
		f.lport = 3000 + i;
		run(test, OUT, &f);
	} while (err == -EMSGSIZE && i < 2000);
	KUNIT_EXPECT_EQ(test, 0, err);
	KUNIT_EXPECT_EQ(test, 1, t.summaries);
	KUNIT_EXPECT_GE(test, t.rules, 192);
	for (i = 1; i <= 2000; i++)
		KUNIT_ASSERT_EQ_MSG(test, 1, t.seen[i], "connection %u", i);
	/* Once more at the end: nothing. */
	i = t.conns;
	KUNIT_EXPECT_EQ(test, 0, dump_one(test, &cursor, 4096, &t));
	KUNIT_EXPECT_LE(test, t.conns, i + 1);
}

static void acl_dump_many_test(struct kunit *test)
{
	struct vmq_ext_port *ep = test->priv;
	struct frame f = { 4, UDP(0, 53) };
	struct stream *s = stream_new(test);
	unsigned int i, passed = 0, many = MANY(100000);
	unsigned long cursor = 0;
	u64 made, dumped, saved;
	struct tally t = {};
	ktime_t start;
	int err;

	client_rules(test);
	config_u32(test, VMQ_A_ACL_MAX_CONNECTIONS, many);
	start = ktime_get();
	for (i = 0; i < many; i++) {
		f.lport = i;
		f.remote = i >> 16;
		passed += run(test, OUT, &f);
		cond_resched();
	}
	made = ktime_ms_delta(ktime_get(), start);
	KUNIT_EXPECT_EQ(test, many, passed);

	start = ktime_get();
	do {
		err = dump_one(test, &cursor, 32768, &t);
	} while (err == -EMSGSIZE);
	dumped = ktime_ms_delta(ktime_get(), start);
	KUNIT_EXPECT_EQ(test, 0, err);
	KUNIT_EXPECT_EQ(test, many, t.conns);

	start = ktime_get();
	KUNIT_ASSERT_EQ(test, 0, acl_ops.save_begin(ep, NULL));
	s->rec[0].data = kunit_kmalloc(test, BUF, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, s->rec[0].data);
	for (passed = 0, err = 1; err > 0;) {
		s->rec[0].size = BUF;
		err = acl_ops.save_next(ep, &s->rec[0]);
		if (err > 0)
			passed += (err - HDR) / ENTRY;
	}
	acl_ops.save_complete(ep, true);
	saved = ktime_ms_delta(ktime_get(), start);
	KUNIT_EXPECT_EQ(test, 0, err);
	KUNIT_EXPECT_EQ(test, many, passed);

	kunit_info(test, "%u connections: made in %llu ms, dumped in %llu ms, saved in %llu ms",
		   many, made, dumped, saved);
}

static struct kunit_case acl_dump_cases[] = {
	KUNIT_CASE(acl_dump_test),
	KUNIT_CASE_SLOW(acl_dump_many_test),
	{}
};

static struct kunit_suite acl_dump_suite = {
	.name = "vmq_acl_dump",
	.init = acl_test_init,
	.exit = acl_test_exit,
	.test_cases = acl_dump_cases,
};

kunit_test_suites(&acl_dump_suite);

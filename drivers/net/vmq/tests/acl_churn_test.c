// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the extension acl: all of it at once.
 */
#include <linux/kthread.h>
#include <linux/random.h>

#include "acl_dump.h"
#include "acl_stream.h"

struct churn {
	struct kunit *test;
	struct task_struct *task;
	enum vmq_dir dir;
	bool stop;
};

/* Few tuples, so that both directions meet in the same connections. */
static int churn_frames(void *arg)
{
	struct churn *churn = arg;
	struct kunit *test = churn->test;

	while (!READ_ONCE(churn->stop)) {
		u32 r = get_random_u32();
		struct frame f = {
			.family = r & 1 ? 4 : 6,
			.proto = r & 2 ? IPPROTO_TCP : IPPROTO_UDP,
			.lport = (r >> 8) & 63, .rport = 80,
			.tcp = (r >> 16) & 0x17,
		};

		run(test, churn->dir, &f);
		cond_resched();
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);

	return 0;
}

static void churn_start(struct kunit *test, struct churn *churn, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		churn[i].test = test;
		churn[i].dir = i & 1;
		churn[i].task = kthread_run(churn_frames, &churn[i],
					    "acl_churn%u", i);
		KUNIT_ASSERT_FALSE(test, IS_ERR(churn[i].task));
	}
}

static void churn_stop(struct churn *churn, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		WRITE_ONCE(churn[i].stop, true);
		kthread_stop(churn[i].task);
	}
}

/* Both tables hold the same, and as many as were counted. */
static void churn_check(struct kunit *test)
{
	struct acl_conn *conn;
	unsigned long index;
	unsigned int n = 0;

	xa_for_each(&port(test)->conns, index, conn) {
		n++;
		KUNIT_EXPECT_EQ(test, index, conn->index);
		KUNIT_EXPECT_FALSE(test, conn->dead);
		KUNIT_EXPECT_FALSE(test, acl_conn_pinned(port(test), conn));
		rcu_read_lock();
		KUNIT_EXPECT_PTR_EQ(test, conn,
				    acl_conn_find(port(test), &conn->key));
		rcu_read_unlock();
	}
	KUNIT_EXPECT_EQ(test, n, conns(test));
	KUNIT_EXPECT_EQ(test, n, atomic_read(&port(test)->table.nelems));
}

static void acl_churn_test(struct kunit *test)
{
	struct churn churn[4] = {};
	struct vmq_ext_port *ep = test->priv;
	struct stream *s = stream_new(test);
	unsigned long end = jiffies + 3 * HZ;
	unsigned int i, rounds = 0;

	client_rules(test);
	config_u32(test, VMQ_A_ACL_MAX_CONNECTIONS, 100);
	for (i = 0; i < 8; i++) {
		stream_one(test, s);
		entry(s, i, 0)->local_port = cpu_to_le16(i / 2);
		entry(s, i, 0)->remote_port = cpu_to_le16(80);
	}

	churn_start(test, churn, ARRAY_SIZE(churn));
	while (time_before(jiffies, end)) {
		unsigned long cursor = 0;
		struct tally t = {};

		rounds++;
		acl_ops.restore_begin(ep, NULL);
		for (i = 0; i < s->n; i++)
			acl_ops.validate(ep, &s->rec[i], NULL);
		apply(ep, s);
		if (rounds % 3 == 0)
			config_flag(test, VMQ_A_ACL_FLUSH_CONNECTIONS);
		if (rounds & 1) {
			rtnl_lock();
			acl_ops.rollback(ep);
			rtnl_unlock();
		}
		acl_ops.restore_complete(ep, !(rounds & 1));
		age(test, 10);
		if (rounds % 8 == 0) {
			config_u32(test, VMQ_A_ACL_DEL,
				   port(test)->next_id - 1);
			ADD(.dir = OUT, .allow = 1);
		}
		dump_one(test, &cursor, 8192, &t);
		mod_delayed_work(system_power_efficient_wq, &port(test)->gc, 0);
		cond_resched();
	}

	churn_stop(churn, ARRAY_SIZE(churn));
	churn_check(test);
	kunit_info(test, "%u rounds, %llu frames passed, %llu did not", rounds,
		   COUNTED(allowed), COUNTED(denied));
}

static unsigned int churn_buckets(struct kunit *test)
{
	unsigned int size;

	rcu_read_lock();
	size = rht_dereference_rcu(port(test)->table.tbl,
				   &port(test)->table)->size;
	rcu_read_unlock();
	return size;
}

/* The table gets its size before a large restore, with frames at work. */
static void acl_reserve_test(struct kunit *test)
{
	static const unsigned int many[] = { 1, 1000, 65536, 98304 };
	struct acl_port *acl = port(test);
	struct churn churn[4] = {};
	unsigned long end;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(many); i++) {
		acl_conns_reserve(acl, many[i]);
		KUNIT_EXPECT_GE(test, churn_buckets(test) / 4 * 3, many[i]);
	}
	/* One that has connections is left alone. */
	client_rules(test);
	PASSES(OUT, UDP(1, 80));
	acl_conns_reserve(acl, 1000);
	KUNIT_EXPECT_GE(test, churn_buckets(test) / 4 * 3, 98304);
	KUNIT_EXPECT_EQ(test, conns(test), 1);
	churn_check(test);

	churn_start(test, churn, ARRAY_SIZE(churn));
	for (end = jiffies + 2 * HZ; time_before(jiffies, end); cond_resched()) {
		config_flag(test, VMQ_A_ACL_FLUSH_CONNECTIONS);
		acl_conns_reserve(acl, 2000);
	}
	churn_stop(churn, ARRAY_SIZE(churn));
	churn_check(test);
}

static struct kunit_case acl_churn_cases[] = {
	KUNIT_CASE_SLOW(acl_churn_test),
	KUNIT_CASE_SLOW(acl_reserve_test),
	{}
};

static struct kunit_suite acl_churn_suite = {
	.name = "vmq_acl_churn",
	.init = acl_test_init,
	.exit = acl_test_exit,
	.test_cases = acl_churn_cases,
};

kunit_test_suites(&acl_churn_suite);

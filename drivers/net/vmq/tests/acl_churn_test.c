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

static void acl_churn_test(struct kunit *test)
{
	struct churn churn[4] = {};
	struct task_struct *task[ARRAY_SIZE(churn)];
	struct vmq_ext_port *ep = test->priv;
	struct stream *s = stream_new(test);
	unsigned long end = jiffies + 3 * HZ;
	unsigned int i, rounds = 0, n = 0;
	struct acl_conn *conn;
	unsigned long index;

	client_rules(test);
	config_u32(test, VMQ_A_ACL_MAX_CONNECTIONS, 100);
	for (i = 0; i < 8; i++) {
		stream_one(test, s);
		entry(s, i, 0)->local_port = cpu_to_le16(i / 2);
		entry(s, i, 0)->remote_port = cpu_to_le16(80);
	}

	for (i = 0; i < ARRAY_SIZE(churn); i++) {
		churn[i].test = test;
		churn[i].dir = i & 1;
		task[i] = kthread_run(churn_frames, &churn[i], "acl_churn%u", i);
		KUNIT_ASSERT_FALSE(test, IS_ERR(task[i]));
	}

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

	for (i = 0; i < ARRAY_SIZE(churn); i++) {
		WRITE_ONCE(churn[i].stop, true);
		kthread_stop(task[i]);
	}

	/* Both tables hold the same, and as many as were counted. */
	xa_for_each(&port(test)->conns, index, conn) {
		n++;
		KUNIT_EXPECT_EQ(test, index, conn->index);
		KUNIT_EXPECT_FALSE(test, conn->dead);
		KUNIT_EXPECT_FALSE(test, conn->pinned);
		rcu_read_lock();
		KUNIT_EXPECT_PTR_EQ(test, conn,
				    acl_conn_find(port(test), &conn->key));
		rcu_read_unlock();
	}
	KUNIT_EXPECT_EQ(test, n, conns(test));
	KUNIT_EXPECT_EQ(test, n, atomic_read(&port(test)->table.nelems));
	kunit_info(test, "%u rounds, %llu frames passed, %llu did not", rounds,
		   COUNTED(allowed), COUNTED(denied));
}

static struct kunit_case acl_churn_cases[] = {
	KUNIT_CASE_SLOW(acl_churn_test),
	{}
};

static struct kunit_suite acl_churn_suite = {
	.name = "vmq_acl_churn",
	.init = acl_test_init,
	.exit = acl_test_exit,
	.test_cases = acl_churn_cases,
};

kunit_test_suites(&acl_churn_suite);

// SPDX-License-Identifier: GPL-2.0
/*
 * The table of multicast groups and what time does to it, with a time of its own.
 */
#include <kunit/test.h>
#include <linux/sched.h>
#include <net/ipv6.h>

#include "../mcast.h"

#define MCAST_PORTS	3

struct mcast_test {
	struct vmq_mcast m;
	struct vmq_mcast_port port[MCAST_PORTS];
	unsigned long now;
};

static struct vmq_mcast_key mcast_group(u32 group, u16 vid)
{
	struct vmq_mcast_key key = { .vid = vid };

	ipv6_addr_set_v4mapped(htonl(0xef000000 | group), &key.addr);
	return key;
}

static int mcast_join(struct mcast_test *t, int port, u32 group)
{
	struct vmq_mcast_key key = mcast_group(group, 0);
	int err;

	spin_lock_bh(&t->m.lock);
	err = vmq_mcast_join(&t->m, &t->port[port], &key, t->now);
	spin_unlock_bh(&t->m.lock);
	return err;
}

/* A query that ports hear whose bits are set; group 0 is a general one. */
static void mcast_query(struct mcast_test *t, u32 group, unsigned long ports,
			unsigned long delay, unsigned long interval)
{
	struct vmq_mcast_query q = { .delay = delay, .interval = interval };
	struct vmq_mcast_set *asked;
	int i;

	if (group)
		q.key = mcast_group(group, 0);
	spin_lock_bh(&t->m.lock);
	asked = vmq_mcast_set_new(&t->m);
	for (i = 0; asked && i < MCAST_PORTS; i++) {
		t->port[i].spoken = true;
		if (ports & BIT(i) && vmq_mcast_can_ask(&t->port[i], t->now))
			vmq_mcast_set_put(asked, t->port[i].slot);
	}
	vmq_mcast_asked(&t->m, &q, asked, t->now);
	spin_unlock_bh(&t->m.lock);
}

static bool mcast_later(struct mcast_test *t, unsigned long by)
{
	unsigned long next;
	bool any;

	t->now += by;
	spin_lock_bh(&t->m.lock);
	any = vmq_mcast_tick(&t->m, t->now, &next);
	spin_unlock_bh(&t->m.lock);
	return any;
}

/* Bits of the ports that get a frame of a group, or a report. */
static unsigned long mcast_who(struct mcast_test *t, u32 group, bool report)
{
	struct vmq_mcast_key key = mcast_group(group, 0);
	struct vmq_mcast_pick pick = {};
	unsigned long who = 0;
	int i;

	rcu_read_lock();
	vmq_mcast_choose(&t->m, &key, report, &pick);
	for (i = 0; i < MCAST_PORTS; i++)
		if (!pick.told || vmq_mcast_picks(&pick, &t->port[i]))
			who |= BIT(i);
	rcu_read_unlock();
	return who;
}

/* A querier is there, and all ports are narrowed. */
static void mcast_narrow(struct kunit *test)
{
	struct mcast_test *t = test->priv;

	mcast_query(t, 0, 7, 10 * HZ, VMQ_MCAST_QUERIER);
	mcast_later(t, 11 * HZ);
	KUNIT_ASSERT_EQ(test, mcast_who(t, 99, false), 0);
}

static int mcast_init(struct kunit *test)
{
	struct mcast_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	int i;

	if (!t)
		return -ENOMEM;
	/* far ahead of what the work looks at */
	t->now = jiffies + 10000 * HZ;
	KUNIT_ASSERT_EQ(test, vmq_mcast_init(&t->m), 0);
	for (i = 0; i < MCAST_PORTS; i++)
		KUNIT_ASSERT_EQ(test, vmq_mcast_port_add(&t->m, &t->port[i]),
				0);
	test->priv = t;
	return 0;
}

static void mcast_exit(struct kunit *test)
{
	struct mcast_test *t = test->priv;
	int i;

	if (!t)
		return;
	for (i = 0; i < MCAST_PORTS; i++)
		vmq_mcast_port_del(&t->m, &t->port[i]);
	KUNIT_EXPECT_EQ(test, t->m.n, 0);
	vmq_mcast_destroy(&t->m);
	KUNIT_EXPECT_EQ(test, t->m.n_vlans, 0);
	for (i = 0; i < MCAST_PORTS; i++)
		vmq_mcast_port_free(&t->port[i]);
}

/* Not before a querier asked, and all had the time to answer. */
static void mcast_when(struct kunit *test)
{
	struct mcast_test *t = test->priv;

	KUNIT_EXPECT_EQ(test, mcast_join(t, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 1, false), 7);
	mcast_query(t, 0, 3, 10 * HZ, VMQ_MCAST_QUERIER);
	KUNIT_EXPECT_TRUE(test, mcast_later(t, 11 * HZ - 1));
	KUNIT_EXPECT_EQ(test, mcast_who(t, 1, false), 7);
	mcast_later(t, 1);
	/* the third one was not asked */
	KUNIT_EXPECT_EQ(test, mcast_who(t, 1, false), 5);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 2, false), 4);
	/* and is not, by the next query; the first one does not hear that */
	mcast_query(t, 0, 6, HZ, VMQ_MCAST_QUERIER);
	mcast_later(t, 2 * HZ);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 2, false), 1);
}

/* The querier is silent: all is for all, and before a group is forgotten. */
static void mcast_silence(struct kunit *test)
{
	struct mcast_test *t = test->priv;

	mcast_query(t, 0, 7, 10 * HZ, VMQ_MCAST_QUERIER);
	mcast_join(t, 0, 1);
	mcast_later(t, VMQ_MCAST_QUERIER - 1);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 1, false), 1);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 2, false), 0);
	mcast_later(t, 1);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 1, false), 7);
	KUNIT_EXPECT_EQ(test, t->m.n_vlans, 0);
	KUNIT_EXPECT_EQ(test, t->m.n, 1);
	KUNIT_EXPECT_FALSE(test, mcast_later(t, 5 * HZ));
	KUNIT_EXPECT_EQ(test, t->m.n, 0);
}

/* No querier says for itself that it is there for longer than others are. */
static void mcast_long(struct kunit *test)
{
	struct mcast_test *t = test->priv;

	mcast_query(t, 0, 7, HZ, 3600 * HZ);
	mcast_later(t, 2 * HZ);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 1, false), 0);
	mcast_later(t, VMQ_MCAST_QUERIER - 2 * HZ);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 1, false), 7);
	/* answers that take longer than the querier is there */
	mcast_query(t, 0, 7, 3600 * HZ, VMQ_MCAST_QUERIER);
	mcast_later(t, VMQ_MCAST_QUERIER - 1);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 1, false), 7);
	KUNIT_EXPECT_FALSE(test, mcast_later(t, 1));
}

/* Queries on top of each other: none puts the others off. */
static void mcast_two(struct kunit *test)
{
	struct mcast_test *t = test->priv;
	int i;

	mcast_query(t, 0, 1, 10 * HZ, VMQ_MCAST_QUERIER);
	for (i = 0; i < 5; i++) {
		mcast_later(t, 2 * HZ);
		mcast_query(t, 0, 7, 10 * HZ, VMQ_MCAST_QUERIER);
	}
	mcast_later(t, HZ);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 1, false), 6);
	/* one whose answers come sooner replaces one that takes its time */
	mcast_query(t, 0, 7, 100 * HZ, VMQ_MCAST_QUERIER);
	mcast_query(t, 0, 3, HZ, VMQ_MCAST_QUERIER);
	mcast_later(t, 2 * HZ);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 1, false), 4);
}

/* A group that is not reported again is over; one that is, is not. */
static void mcast_expire(struct kunit *test)
{
	struct mcast_test *t = test->priv;

	mcast_narrow(test);
	mcast_join(t, 0, 1);
	mcast_join(t, 1, 1);
	mcast_later(t, 100 * HZ);
	mcast_query(t, 0, 7, 10 * HZ, VMQ_MCAST_QUERIER);
	mcast_join(t, 1, 1);
	mcast_later(t, VMQ_MCAST_MEMBER - 100 * HZ - 1);
	mcast_query(t, 0, 7, 10 * HZ, VMQ_MCAST_QUERIER);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 1, false), 3);
	mcast_later(t, 1);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 1, false), 2);
	KUNIT_EXPECT_EQ(test, t->m.n, 1);
}

/* Asked for a group, who heard it and does not answer is out of it. */
static void mcast_leave(struct kunit *test)
{
	struct mcast_test *t = test->priv;

	mcast_narrow(test);
	mcast_join(t, 0, 1);
	mcast_join(t, 1, 1);
	mcast_join(t, 2, 1);
	mcast_join(t, 0, 2);
	mcast_query(t, 1, 3, HZ, 0);
	mcast_later(t, HZ);
	mcast_join(t, 1, 1);
	mcast_later(t, HZ - 1);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 1, false), 7);
	mcast_later(t, 1);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 1, false), 6);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 2, false), 1);
	/* never sooner than a guest that is busy can answer, never later than it was */
	mcast_query(t, 2, 7, 0, 0);
	mcast_later(t, VMQ_MCAST_SLACK - 1);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 2, false), 1);
	mcast_query(t, 2, 7, 1000 * HZ, 0);
	mcast_later(t, 1);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 2, false), 0);
	/* a group that nobody is in */
	mcast_query(t, 3, 7, HZ, 0);
	KUNIT_EXPECT_EQ(test, t->m.n, 2);
}

/* A router has all, reports too, and in its VLAN alone. */
static void mcast_routers(struct kunit *test)
{
	struct mcast_test *t = test->priv;

	mcast_query(t, 0, 7, 10 * HZ, VMQ_MCAST_QUERIER);
	spin_lock_bh(&t->m.lock);
	vmq_mcast_router(&t->m, &t->port[0], 0, false, t->now);
	vmq_mcast_router(&t->m, &t->port[1], 5, false, t->now);
	vmq_mcast_router(&t->m, &t->port[2], 0, true, t->now);
	spin_unlock_bh(&t->m.lock);
	mcast_later(t, 11 * HZ);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 1, false), 1);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 1, true), 1);
	/* it begins to route */
	spin_lock_bh(&t->m.lock);
	vmq_mcast_router(&t->m, &t->port[1], 0, false, t->now);
	spin_unlock_bh(&t->m.lock);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 1, false), 3);
	/* the next query does not narrow it, until it is none any more */
	mcast_later(t, 200 * HZ);
	mcast_query(t, 0, 7, 10 * HZ, VMQ_MCAST_QUERIER);
	mcast_later(t, 11 * HZ);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 1, false), 3);
	mcast_later(t, 100 * HZ);
	mcast_query(t, 0, 7, 10 * HZ, VMQ_MCAST_QUERIER);
	mcast_later(t, 11 * HZ);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 1, false), 0);
}

/* Reports are for routers alone, even while others have all other frames. */
static void mcast_reports(struct kunit *test)
{
	struct mcast_test *t = test->priv;

	KUNIT_EXPECT_EQ(test, mcast_who(t, 1, true), 7);
	mcast_query(t, 0, 7, 10 * HZ, VMQ_MCAST_QUERIER);
	mcast_join(t, 0, 1);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 1, true), 0);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 1, false), 7);
}

/* Another guest: all, while answers are waited for and later. */
static void mcast_reset(struct kunit *test)
{
	struct mcast_test *t = test->priv;
	struct vmq_mcast_report report;

	mcast_narrow(test);
	mcast_join(t, 0, 1);
	mcast_query(t, 0, 7, 10 * HZ, VMQ_MCAST_QUERIER);
	spin_lock_bh(&t->m.lock);
	vmq_mcast_port_reset(&t->m, &t->port[0]);
	KUNIT_EXPECT_FALSE(test, vmq_mcast_can_ask(&t->port[0], t->now));
	spin_unlock_bh(&t->m.lock);
	KUNIT_EXPECT_EQ(test, t->m.n, 0);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 2, false), 1);
	mcast_later(t, 11 * HZ);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 2, false), 1);
	vmq_mcast_port_report(&t->m, &t->port[0], &report);
	KUNIT_EXPECT_EQ(test, report.narrowed, 0);
	vmq_mcast_port_report(&t->m, &t->port[1], &report);
	KUNIT_EXPECT_EQ(test, report.narrowed, 1);
}

/* A port that is gone comes back by no report that was on its way. */
static void mcast_gone(struct kunit *test)
{
	struct mcast_test *t = test->priv;
	struct vmq_mcast_port other = {};

	mcast_narrow(test);
	mcast_join(t, 0, 1);
	vmq_mcast_port_del(&t->m, &t->port[0]);
	KUNIT_EXPECT_EQ(test, mcast_join(t, 0, 1), -ENODEV);
	/* who has its slot has all, and not its groups */
	KUNIT_ASSERT_EQ(test, vmq_mcast_port_add(&t->m, &other), 0);
	KUNIT_EXPECT_EQ(test, other.slot, t->port[0].slot);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 2, false), 1);
	vmq_mcast_port_del(&t->m, &other);
	vmq_mcast_port_free(&other);
}

/* Slots beyond what sets had room for when they were made. */
static void mcast_grow(struct kunit *test)
{
	struct mcast_test *t = test->priv;
	struct vmq_mcast_key key = mcast_group(1, 0);
	struct vmq_mcast_pick pick = {};
	struct vmq_mcast_port *more;
	int i, n = 2 * BITS_PER_LONG;

	mcast_narrow(test);
	mcast_join(t, 0, 1);
	more = kunit_kcalloc(test, n, sizeof(*more), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, more);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(test, vmq_mcast_port_add(&t->m, &more[i]), 0);
	spin_lock_bh(&t->m.lock);
	KUNIT_EXPECT_EQ(test, vmq_mcast_join(&t->m, &more[n - 1], &key, t->now),
			0);
	spin_unlock_bh(&t->m.lock);
	rcu_read_lock();
	vmq_mcast_choose(&t->m, &key, false, &pick);
	KUNIT_EXPECT_TRUE(test, vmq_mcast_picks(&pick, &t->port[0]));
	KUNIT_EXPECT_FALSE(test, vmq_mcast_picks(&pick, &t->port[1]));
	KUNIT_EXPECT_TRUE(test, vmq_mcast_picks(&pick, &more[0]));
	KUNIT_EXPECT_TRUE(test, vmq_mcast_picks(&pick, &more[n - 1]));
	rcu_read_unlock();
	for (i = 0; i < n; i++) {
		vmq_mcast_port_del(&t->m, &more[i]);
		vmq_mcast_port_free(&more[i]);
	}
}

/* A port with too many groups has all, for as long as it may be in others. */
static void mcast_limit_port(struct kunit *test)
{
	struct mcast_test *t = test->priv;
	u32 i;

	mcast_narrow(test);
	for (i = 1; i <= VMQ_MCAST_PORT_MAX; i++)
		KUNIT_ASSERT_EQ(test, mcast_join(t, 0, i), 0);
	KUNIT_EXPECT_EQ(test, mcast_who(t, i, false), 0);
	KUNIT_EXPECT_EQ(test, mcast_join(t, 0, i), -ENOSPC);
	KUNIT_EXPECT_EQ(test, mcast_who(t, i, false), 1);
	KUNIT_EXPECT_EQ(test, t->port[0].overflows, 1);
	/* it is in all of those that it has room for */
	KUNIT_EXPECT_EQ(test, mcast_join(t, 0, 1), 0);
	mcast_query(t, 0, 7, HZ, VMQ_MCAST_QUERIER);
	mcast_later(t, 2 * HZ);
	KUNIT_EXPECT_EQ(test, mcast_who(t, i, false), 1);
	mcast_later(t, VMQ_MCAST_MEMBER);
	mcast_query(t, 0, 7, HZ, VMQ_MCAST_QUERIER);
	mcast_later(t, 2 * HZ);
	KUNIT_EXPECT_EQ(test, mcast_who(t, i, false), 0);
}

/* So has each port that comes when the table is full. */
static void mcast_limit_all(struct kunit *test)
{
	struct mcast_test *t = test->priv;
	const u32 ports = VMQ_MCAST_MAX / VMQ_MCAST_PORT_MAX;
	struct vmq_mcast_port *more;
	u32 i, j;

	mcast_narrow(test);
	more = kunit_kcalloc(test, ports, sizeof(*more), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, more);
	for (i = 0; i < ports; i++) {
		KUNIT_EXPECT_EQ(test, vmq_mcast_port_add(&t->m, &more[i]), 0);
		spin_lock_bh(&t->m.lock);
		for (j = 0; j < VMQ_MCAST_PORT_MAX; j++) {
			struct vmq_mcast_key key = mcast_group(j + 1, 0);

			vmq_mcast_join(&t->m, &more[i], &key, t->now);
		}
		spin_unlock_bh(&t->m.lock);
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, t->m.n, VMQ_MCAST_MAX);
	KUNIT_EXPECT_EQ(test, mcast_join(t, 0, 1), -ENOSPC);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 9999, false), 1);
	for (i = 0; i < ports; i++) {
		KUNIT_EXPECT_EQ(test, more[i].n, VMQ_MCAST_PORT_MAX);
		KUNIT_EXPECT_EQ(test, more[i].overflows, 0);
		vmq_mcast_port_del(&t->m, &more[i]);
		vmq_mcast_port_free(&more[i]);
	}
}

/* A querier in more VLANs than there is room for: nobody is narrowed there. */
static void mcast_limit_vlans(struct kunit *test)
{
	struct mcast_test *t = test->priv;
	struct vmq_mcast_query q = {
		.delay = HZ, .interval = VMQ_MCAST_QUERIER,
	};

	spin_lock_bh(&t->m.lock);
	for (q.key.vid = 1; q.key.vid <= VMQ_MCAST_VLANS; q.key.vid++)
		vmq_mcast_asked(&t->m, &q, vmq_mcast_set_new(&t->m), t->now);
	spin_unlock_bh(&t->m.lock);
	KUNIT_EXPECT_EQ(test, t->m.n_vlans, VMQ_MCAST_VLANS);
	mcast_query(t, 0, 7, HZ, VMQ_MCAST_QUERIER);
	mcast_later(t, 2 * HZ);
	KUNIT_EXPECT_EQ(test, t->m.n_vlans, VMQ_MCAST_VLANS);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 1, false), 7);
	KUNIT_EXPECT_FALSE(test, mcast_later(t, VMQ_MCAST_QUERIER));
	KUNIT_EXPECT_EQ(test, t->m.n_vlans, 0);
}

/* IPv4 and IPv6, and VLANs, have nothing of each other. */
static void mcast_apart(struct kunit *test)
{
	struct mcast_test *t = test->priv;
	struct vmq_mcast_key key = mcast_group(1, 0);
	struct vmq_mcast_pick pick = {};

	mcast_narrow(test);
	rcu_read_lock();
	key.vid = 1;
	vmq_mcast_choose(&t->m, &key, false, &pick);
	KUNIT_EXPECT_FALSE(test, pick.told);
	key.vid = 0;
	key.v6 = 1;
	vmq_mcast_choose(&t->m, &key, false, &pick);
	KUNIT_EXPECT_FALSE(test, pick.told);
	key.v6 = 0;
	vmq_mcast_choose(&t->m, &key, false, &pick);
	KUNIT_EXPECT_TRUE(test, pick.told);
	rcu_read_unlock();
}

static void mcast_flush(struct kunit *test)
{
	struct mcast_test *t = test->priv;

	mcast_narrow(test);
	mcast_join(t, 0, 1);
	mcast_query(t, 0, 7, HZ, VMQ_MCAST_QUERIER);
	spin_lock_bh(&t->m.lock);
	vmq_mcast_flush(&t->m);
	spin_unlock_bh(&t->m.lock);
	KUNIT_EXPECT_EQ(test, t->m.n, 0);
	KUNIT_EXPECT_EQ(test, t->m.n_vlans, 0);
	KUNIT_EXPECT_EQ(test, mcast_who(t, 2, false), 7);
	KUNIT_EXPECT_FALSE(test, mcast_later(t, HZ));
}

#ifdef CONFIG_FAULT_INJECTION
/* Lets the nth allocation from here on fail. */
static void mcast_fail_at(unsigned int nth)
{
	current->fail_nth = nth;
}

/* Return: did it? If not, there were fewer of them. */
static bool mcast_failed(void)
{
	bool failed = !current->fail_nth;

	current->fail_nth = 0;
	return failed;
}

/*
 * Every allocation fails, one after the other: the port has all, or the group, never
 * nothing, and the next report finds no trace of it.
 */
static void mcast_no_memory(struct kunit *test)
{
	struct mcast_test *t = test->priv;
	unsigned int nth, lost = 0, before = 0, round = 0;
	bool failed;
	int err;

	for (nth = 1; nth < 50; nth++) {
		mcast_narrow(test);
		mcast_fail_at(nth);
		err = mcast_join(t, 0, nth);
		failed = mcast_failed();
		KUNIT_EXPECT_EQ(test, mcast_who(t, nth, false), 1);
		if (err) {
			KUNIT_EXPECT_EQ(test, err, -ENOMEM);
			KUNIT_EXPECT_EQ(test, t->m.n, 0);
			lost++;
		}
		if (!failed && (lost - before >= 3 || ++round == 5))
			break;
		/* once in a while KASAN's own allocation is the one that fails */
		if (!failed) {
			before = lost;
			nth = 0;
		}
		mcast_later(t, VMQ_MCAST_MEMBER);
	}
	KUNIT_EXPECT_EQ(test, err, 0);
	/* the port in the group, the group, its set */
	KUNIT_EXPECT_GE(test, lost - before, 3);
	KUNIT_EXPECT_EQ(test, t->port[0].overflows, lost);
}

/* A query that there is no memory for narrows nobody. */
static void mcast_no_memory_query(struct kunit *test)
{
	struct mcast_test *t = test->priv;
	unsigned int nth = 1, lost = 0, round = 0;
	bool failed, narrowed;

	do {
		mcast_fail_at(nth);
		mcast_query(t, 0, 7, HZ, VMQ_MCAST_QUERIER);
		failed = mcast_failed();
		mcast_later(t, 2 * HZ);
		narrowed = !mcast_who(t, 1, false);
		KUNIT_EXPECT_EQ(test, mcast_who(t, 1, false), narrowed ? 0 : 7);
		lost += !narrowed;
		mcast_later(t, VMQ_MCAST_QUERIER);
		KUNIT_EXPECT_EQ(test, t->m.n_vlans, 0);
		nth++;
		/* once in a while KASAN's own allocation is the one that fails */
		if (!failed && lost < 2 && ++round < 5) {
			failed = true;
			lost = 0;
			nth = 1;
		}
	} while (failed && nth < 50);
	/* the set of who was asked, the VLAN */
	KUNIT_EXPECT_GE(test, lost, 2);
	KUNIT_EXPECT_TRUE(test, narrowed);
}
#endif

static struct kunit_case mcast_cases[] = {
	KUNIT_CASE(mcast_when),
	KUNIT_CASE(mcast_silence),
	KUNIT_CASE(mcast_long),
	KUNIT_CASE(mcast_two),
	KUNIT_CASE(mcast_expire),
	KUNIT_CASE(mcast_leave),
	KUNIT_CASE(mcast_routers),
	KUNIT_CASE(mcast_reports),
	KUNIT_CASE(mcast_reset),
	KUNIT_CASE(mcast_gone),
	KUNIT_CASE(mcast_grow),
	KUNIT_CASE(mcast_limit_port),
	KUNIT_CASE_SLOW(mcast_limit_all),
	KUNIT_CASE(mcast_limit_vlans),
	KUNIT_CASE(mcast_apart),
	KUNIT_CASE(mcast_flush),
#ifdef CONFIG_FAULT_INJECTION
	KUNIT_CASE(mcast_no_memory),
	KUNIT_CASE(mcast_no_memory_query),
#endif
	{}
};

static struct kunit_suite mcast_suite = {
	.name = "vmq-mcast",
	.init = mcast_init,
	.exit = mcast_exit,
	.test_cases = mcast_cases,
};

kunit_test_suite(mcast_suite);

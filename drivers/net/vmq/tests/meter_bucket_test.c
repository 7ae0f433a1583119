// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the extension meter: buckets by a clock of the test's, what is taken of them
 * ahead, and what is left of them when several CPUs take at once.
 */
#include <linux/delay.h>
#include <linux/kthread.h>

#include "meter_test.h"

/* ---- buckets ---- */

/*
 * Frames arrive at three times the rate, for long enough: as many bytes pass as
 * the rate allows, to 0.2 percent.
 */
static void meter_rate_run(struct kunit *test, enum meter_kind kind, u64 rate,
			   u32 n, u64 start)
{
	u64 per_sec = kind == METER_BYTES ? rate / 8 : rate;
	u64 step, passed = 0, want, now = start;
	struct meter_limit limit = {};
	struct meter_bucket b = {};
	unsigned int i;

	KUNIT_ASSERT_EQ(test, 0, meter_limit_set(&limit, kind, rate, 4 * n));
	meter_bucket_set(&b, &limit, 0, now);
	/* of a third of the time that a frame takes */
	step = div64_u64((u64)n * (SECOND / 3), per_sec);
	for (i = 0; i < 30000; i++) {
		if (meter_bucket_take(&b, &limit, n, now))
			passed += n;
		now += step;
	}
	want = mul_u64_u64_div_u64(now - start, per_sec, SECOND);
	KUNIT_EXPECT_LE_MSG(test, passed, want + want / 500, "%llu, %u", rate,
			    n);
	KUNIT_EXPECT_GE_MSG(test, passed, want - want / 500, "%llu, %u", rate,
			    n);
}

static void meter_rate_test(struct kunit *test)
{
	static const u64 rates[] = {
		METER_RATE_MIN, 64000, MBIT, 1234567, 10 * MBIT, 99999999,
		100 * MBIT, GBIT, 2500 * MBIT, 10 * GBIT, 40 * GBIT, 100 * GBIT,
	};
	static const u32 sizes[] = { 60, 594, 1514, 9014 };
	int i, j;

	for (i = 0; i < ARRAY_SIZE(rates); i++)
		for (j = 0; j < ARRAY_SIZE(sizes); j++)
			meter_rate_run(test, METER_BYTES, rates[i], sizes[j],
				       12345);
	for (i = 0; i < 9; i++)
		meter_rate_run(test, METER_PACKETS, int_pow(10, i), 1, SECOND);
	/* over the end of the clock */
	meter_rate_run(test, METER_BYTES, GBIT, 1514, -SECOND / 100);
}

static void meter_burst_test(struct kunit *test)
{
	struct meter_limit limit = {};
	struct meter_bucket b = {};
	u64 now = 77 * SECOND;
	int i, n;

	KUNIT_ASSERT_EQ(test, 0, meter_limit_set(&limit, METER_BYTES, 8 * MBIT,
						 10000));
	KUNIT_EXPECT_EQ(test, 10000, meter_bucket_tokens(&b, &limit, now));
	for (n = 0; meter_bucket_take(&b, &limit, 1000, now); n++)
		;
	KUNIT_EXPECT_EQ(test, 10, n);
	KUNIT_EXPECT_EQ(test, 0, meter_bucket_tokens(&b, &limit, now));
	KUNIT_EXPECT_FALSE(test, meter_bucket_take(&b, &limit, 1, now));

	/* 1000 bytes take a millisecond; a long pause is worth one burst */
	KUNIT_EXPECT_EQ(test, SECOND / 1000,
			meter_bucket_wait(&b, &limit, 1000, now));
	now += SECOND / 1000;
	KUNIT_EXPECT_FALSE(test, meter_bucket_take(&b, &limit, 1000, now - 1));
	KUNIT_EXPECT_TRUE(test, meter_bucket_take(&b, &limit, 1000, now));
	KUNIT_EXPECT_FALSE(test, meter_bucket_take(&b, &limit, 1000, now));
	for (i = 0; i < 3; i++) {
		now += 1000 * SECOND;
		for (n = 0; meter_bucket_take(&b, &limit, 1000, now); n++)
			;
		KUNIT_EXPECT_EQ(test, 10, n);
	}
	/* untouched for so long that the clock has come round half of the way */
	now += 1ULL << 63;
	KUNIT_EXPECT_TRUE(test, meter_bucket_take(&b, &limit, 10000, now));
}

/* Larger than the burst: passes a full bucket, and what follows pays for it. */
static void meter_large_test(struct kunit *test)
{
	struct meter_limit limit = {};
	struct meter_bucket b = {};
	u64 now = SECOND, wait;

	KUNIT_ASSERT_EQ(test, 0, meter_limit_set(&limit, METER_BYTES, 8 * MBIT,
						 10000));
	KUNIT_EXPECT_TRUE(test, meter_bucket_take(&b, &limit, 64000, now));
	KUNIT_EXPECT_EQ(test, -54000, meter_bucket_tokens(&b, &limit, now));
	KUNIT_EXPECT_FALSE(test, meter_bucket_take(&b, &limit, 1, now));
	wait = meter_bucket_wait(&b, &limit, 64000, now);
	KUNIT_EXPECT_EQ(test, 64 * SECOND / 1000, wait);
	KUNIT_EXPECT_FALSE(test, meter_bucket_take(&b, &limit, 64000,
						   now + wait - 1));
	KUNIT_EXPECT_TRUE(test, meter_bucket_take(&b, &limit, 64000,
						  now + wait));
	/* back again */
	meter_bucket_give_back(&b, &limit, 64000);
	KUNIT_EXPECT_EQ(test, 10000, meter_bucket_tokens(&b, &limit,
							 now + wait));
	/* levels as they come in a record */
	meter_bucket_set(&b, &limit, -VMQ_METER_REC_TOKENS_MAX, now);
	KUNIT_EXPECT_LE(test, meter_bucket_wait(&b, &limit, 1, now),
			2 * METER_FILL_MAX);
	meter_bucket_set(&b, &limit, VMQ_METER_REC_TOKENS_MAX, now);
	KUNIT_EXPECT_EQ(test, 10000, meter_bucket_tokens(&b, &limit, now));
	/* a burst of more than an hour */
	KUNIT_EXPECT_EQ(test, -ERANGE, meter_limit_set(&limit, METER_BYTES, 8000,
						       3600001));
	KUNIT_EXPECT_EQ(test, 8 * MBIT, limit.rate);
}

/* Several CPUs take from one bucket: all of it, and no more. */
struct meter_race {
	struct meter_bucket b;
	struct meter_limit limit;
	atomic_t taken;
};

static int meter_race_thread(void *arg)
{
	struct meter_race *race = arg;
	int i;

	for (i = 0; i < 100000; i++)
		if (meter_bucket_take(&race->b, &race->limit, 1, SECOND))
			atomic_inc(&race->taken);
	while (!kthread_should_stop())
		usleep_range(500, 2000);
	return 0;
}

static void meter_race_test(struct kunit *test)
{
	struct task_struct *thread[4];
	struct meter_race *race;
	int i;

	race = kunit_kzalloc(test, sizeof(*race), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, race);
	KUNIT_ASSERT_EQ(test, 0, meter_limit_set(&race->limit, METER_PACKETS,
						 100, 150000));
	for (i = 0; i < ARRAY_SIZE(thread); i++) {
		thread[i] = kthread_run(meter_race_thread, race, "meter/%d", i);
		KUNIT_EXPECT_NOT_ERR_OR_NULL(test, thread[i]);
	}
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		if (!IS_ERR(thread[i]))
			kthread_stop(thread[i]);
	KUNIT_EXPECT_EQ(test, 150000, atomic_read(&race->taken));
}

/* ---- what is taken ahead ---- */

static bool meter_spend(struct meter_port *m, int dir, u32 bytes, u32 stamp)
{
	const struct meter_size size = { .n = { bytes, 1 } };

	return meter_ahead_spend(&m->bucket[dir].ahead, &size, stamp);
}

/* What a frame does that looks at the clock; without bytes, all but its own part. */
static bool meter_look(struct meter_port *m, int dir, u32 bytes, u64 now,
		       u32 stamp)
{
	const struct meter_size size = { .n = { bytes, 1 } };
	struct meter_ahead *a = &m->bucket[dir].ahead;
	const struct meter_config *config;
	bool pass;

	spin_lock_bh(&a->lock);
	config = rcu_dereference_protected(m->config, true);
	meter_ahead_settle(m, config, dir);
	pass = !bytes || meter_take(m, config, dir, &size, now);
	if (pass)
		meter_ahead_take(m, config, dir, now, stamp);
	spin_unlock_bh(&a->lock);
	return pass;
}

static void meter_level(struct meter_port *m, int dir, int kind, s64 tokens,
			u64 now)
{
	meter_lock(m);
	meter_bucket_set(&m->bucket[dir].kind[kind],
			 &meter_config_locked(m)->limit[dir][kind], tokens,
			 now);
	meter_unlock(m);
}

/* As meter_lock() shows it: with what was taken ahead and is not spent. */
static s64 meter_tokens(struct meter_port *m, int dir, int kind, u64 now)
{
	s64 tokens;

	meter_lock(m);
	tokens = meter_bucket_tokens(&m->bucket[dir].kind[kind],
				     &meter_config_locked(m)->limit[dir][kind],
				     now);
	meter_unlock(m);
	return tokens;
}

/* What is taken ahead is part of the burst, and lasts for a jiffy. */
static void meter_ahead_test(struct kunit *test)
{
	struct vmq_ext_port *ep = test->priv;
	struct meter_port *m = ep->priv;
	u64 sum[2][METER_COUNTERS];
	u64 now;
	int n, i;

	meter_set(test, ep, RX, 8 * MBIT, 64000);
	now = meter_clock() + SECOND;
	KUNIT_EXPECT_FALSE(test, meter_spend(m, RX, 1, 0));
	meter_look(m, RX, 0, now, 7);
	/* 2000, and not with another jiffy */
	KUNIT_EXPECT_FALSE(test, meter_spend(m, RX, 1, 8));
	KUNIT_EXPECT_TRUE(test, meter_spend(m, RX, 1000, 7));
	KUNIT_EXPECT_FALSE(test, meter_spend(m, RX, 1001, 7));
	KUNIT_EXPECT_TRUE(test, meter_spend(m, RX, 1000, 7));
	KUNIT_EXPECT_FALSE(test, meter_spend(m, RX, 1, 7));
	KUNIT_EXPECT_EQ(test, 62000, meter_tokens(m, RX, METER_BYTES, now));

	/* what was not spent goes back, and no more than that */
	meter_look(m, RX, 0, now, 8);
	KUNIT_EXPECT_TRUE(test, meter_spend(m, RX, 500, 8));
	KUNIT_EXPECT_EQ(test, 61500, meter_tokens(m, RX, METER_BYTES, now));
	KUNIT_EXPECT_FALSE(test, meter_spend(m, RX, 1, 8));
	/* with less than half of the burst left, nothing is taken */
	meter_level(m, RX, METER_BYTES, 31999, now);
	meter_look(m, RX, 0, now, 9);
	KUNIT_EXPECT_FALSE(test, meter_spend(m, RX, 1, 9));
	meter_level(m, RX, METER_BYTES, 32000, now);
	meter_look(m, RX, 0, now, 9);
	KUNIT_EXPECT_TRUE(test, meter_spend(m, RX, 1, 9));
	KUNIT_EXPECT_EQ(test, 31999, meter_tokens(m, RX, METER_BYTES, now));

	/* what was spent is counted */
	meter_sum(m, sum);
	KUNIT_EXPECT_EQ(test, 2501, sum[RX][METER_PASSED_BYTES]);
	KUNIT_EXPECT_EQ(test, 4, sum[RX][METER_PASSED_PACKETS]);

	/* however it is taken, a pause is worth one burst */
	for (i = 0; i < 3; i++) {
		now += 1000 * SECOND;
		for (n = 0; meter_spend(m, RX, 100, 10 + i) ||
		     meter_look(m, RX, 100, now, 10 + i); n++)
			;
		KUNIT_EXPECT_EQ(test, 640, n);
	}
}

/* A frame takes of both kinds or of none; what has no limit has no end. */
static void meter_ahead_both_test(struct kunit *test)
{
	struct meter_attrs a = {};
	struct vmq_ext_port *ep = test->priv;
	struct meter_port *m = ep->priv;
	u64 sum[2][METER_COUNTERS];
	u64 now;
	int n;

	/* nothing is limited: as much as there is room for in a word */
	meter_look(m, RX, 0, 0, 1);
	KUNIT_EXPECT_TRUE(test, meter_spend(m, RX, 1 << 25, 1));
	KUNIT_EXPECT_FALSE(test, meter_spend(m, RX, 1 << 25, 1));
	for (n = 1; meter_spend(m, RX, 60, 1); n++)
		;
	KUNIT_EXPECT_EQ(test, 16383, n);
	/* and it goes when there is a limit */
	meter_look(m, RX, 0, 0, 1);
	meter_put_u64(&a, VMQ_A_METER_RX_RATE, 8 * MBIT);
	meter_put_u32(&a, VMQ_A_METER_RX_BURST, 64000);
	meter_put_u32(&a, VMQ_A_METER_RX_PPS, 1000);
	meter_put_u32(&a, VMQ_A_METER_RX_PPS_BURST, 320);
	KUNIT_ASSERT_EQ(test, 0, meter_send(test, ep, &a));
	KUNIT_EXPECT_FALSE(test, meter_spend(m, RX, 1, 1));

	now = meter_clock() + SECOND;
	meter_look(m, RX, 0, now, 1);
	meter_look(m, TX, 0, now, 1);
	/* 2000 bytes, 10 packets */
	for (n = 0; meter_spend(m, RX, 100, 1); n++)
		;
	KUNIT_EXPECT_EQ(test, 10, n);
	KUNIT_EXPECT_TRUE(test, meter_spend(m, TX, 100, 1));
	KUNIT_EXPECT_EQ(test, 63000, meter_tokens(m, RX, METER_BYTES, now));
	KUNIT_EXPECT_EQ(test, 310, meter_tokens(m, RX, METER_PACKETS, now));

	/* nothing of the one where there is too little of the other */
	meter_level(m, RX, METER_PACKETS, 159, now);
	meter_look(m, RX, 0, now, 2);
	KUNIT_EXPECT_FALSE(test, meter_spend(m, RX, 1, 2));
	KUNIT_EXPECT_EQ(test, 63000, meter_tokens(m, RX, METER_BYTES, now));

	meter_sum(m, sum);
	KUNIT_EXPECT_EQ(test, 16383 + 10, sum[RX][METER_PASSED_PACKETS]);
	KUNIT_EXPECT_EQ(test, (1 << 25) + 16382 * 60 + 1000,
			sum[RX][METER_PASSED_BYTES]);
	KUNIT_EXPECT_EQ(test, 1, sum[TX][METER_PASSED_PACKETS]);
}

/*
 * Frames of several CPUs while limits are set and counters are looked at: each is
 * counted once, and no more pass than the burst. Of what the guest sends, all is
 * within the limit, but one in five looks at the clock.
 */
#define CROWD_FRAMES	30000
#define CROWD_BURST	50000

static int meter_crowd_thread(void *arg)
{
	struct vmq_ext_port *ep = arg;
	struct sk_buff *skb;
	int i;

	skb = alloc_skb(60, GFP_KERNEL);
	if (skb)
		skb_put_zero(skb, 60 - ETH_HLEN);
	for (i = 0; skb && i < CROWD_FRAMES; i++) {
		local_bh_disable();
		rcu_read_lock();
		meter_ops.frame(ep, skb, RX);
		meter_ops.frame(ep, skb, TX);
		rcu_read_unlock();
		local_bh_enable();
	}
	kfree_skb(skb);
	while (!kthread_should_stop())
		usleep_range(500, 2000);
	return 0;
}

static void meter_crowd_test(struct kunit *test)
{
	struct vmq_ext_port *ep = test->priv;
	u64 sum[2][METER_COUNTERS], passed[2] = {}, all = 0;
	struct meter_attrs a = {};
	struct task_struct *thread[4];
	unsigned long end;
	int dir, i;

	/* in the minutes that this may take, little is earned */
	meter_put_u32(&a, VMQ_A_METER_RX_PPS, 20);
	meter_put_u32(&a, VMQ_A_METER_RX_PPS_BURST, CROWD_BURST);
	meter_put_u32(&a, VMQ_A_METER_TX_PPS, METER_PPS_MAX);
	meter_put_u32(&a, VMQ_A_METER_TX_PPS_BURST, 128);
	KUNIT_ASSERT_EQ(test, 0, meter_send(test, ep, &a));
	for (i = 0; i < ARRAY_SIZE(thread); i++) {
		thread[i] = kthread_run_on_cpu(meter_crowd_thread, ep,
					       i % num_online_cpus(),
					       "meter/%u");
		KUNIT_EXPECT_NOT_ERR_OR_NULL(test, thread[i]);
	}
	end = jiffies + 100 * HZ;
	while (all < 2 * ARRAY_SIZE(thread) * CROWD_FRAMES &&
	       time_before(jiffies, end)) {
		KUNIT_EXPECT_EQ(test, 0, meter_send(test, ep, &a));
		meter_sum(ep->priv, sum);
		for (all = 0, dir = 0; dir < 2; dir++) {
			KUNIT_EXPECT_GE(test, sum[dir][METER_PASSED_PACKETS],
					passed[dir]);
			passed[dir] = sum[dir][METER_PASSED_PACKETS];
			all += passed[dir] + sum[dir][METER_DROPPED_PACKETS];
		}
		usleep_range(500, 1000);
	}
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		if (!IS_ERR(thread[i]))
			kthread_stop(thread[i]);
	meter_sum(ep->priv, sum);
	for (dir = 0; dir < 2; dir++) {
		KUNIT_EXPECT_EQ(test, ARRAY_SIZE(thread) * CROWD_FRAMES,
				sum[dir][METER_PASSED_PACKETS] +
				sum[dir][METER_DROPPED_PACKETS]);
		KUNIT_EXPECT_EQ(test, sum[dir][METER_PASSED_PACKETS] * 60,
				sum[dir][METER_PASSED_BYTES]);
	}
	KUNIT_EXPECT_GE(test, sum[RX][METER_PASSED_PACKETS], CROWD_BURST);
	KUNIT_EXPECT_LE(test, sum[RX][METER_PASSED_PACKETS], CROWD_BURST +
			3000);
}

static int meter_bucket_test_init(struct kunit *test)
{
	test->priv = meter_port_new(test);
	return 0;
}

static void meter_bucket_test_exit(struct kunit *test)
{
	if (test->priv)
		meter_ops.detach(test->priv);
}

static struct kunit_case meter_bucket_cases[] = {
	KUNIT_CASE_SLOW(meter_rate_test),
	KUNIT_CASE(meter_burst_test),
	KUNIT_CASE(meter_large_test),
	KUNIT_CASE(meter_race_test),
	KUNIT_CASE(meter_ahead_test),
	KUNIT_CASE(meter_ahead_both_test),
	KUNIT_CASE_SLOW(meter_crowd_test),
	{}
};

static struct kunit_suite meter_bucket_suite = {
	.name = "vmq_meter_bucket",
	.init = meter_bucket_test_init,
	.exit = meter_bucket_test_exit,
	.test_cases = meter_bucket_cases,
};

kunit_test_suite(meter_bucket_suite);

// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the extension meter: sizes of frames, configuration, and frames that wait.
 */
#include <linux/delay.h>
#include <linux/tcp.h>

#include "meter_test.h"

/* ---- frames ---- */

static void meter_size_test(struct kunit *test)
{
	struct sk_buff *skb = meter_skb(test, ETH_HLEN + 40 + 14480, 0);
	struct meter_size size;
	struct tcphdr *th;

	meter_size(skb, &size);
	KUNIT_EXPECT_EQ(test, 14534, size.n[METER_BYTES]);
	KUNIT_EXPECT_EQ(test, 1, size.n[METER_PACKETS]);

	skb_set_transport_header(skb, 20);
	th = (struct tcphdr *)skb_transport_header(skb);
	th->doff = 5;
	skb_shinfo(skb)->gso_type = SKB_GSO_TCPV4;
	skb_shinfo(skb)->gso_size = 1448;
	skb_shinfo(skb)->gso_segs = 10;
	meter_size(skb, &size);
	KUNIT_EXPECT_EQ(test, 14534 + 9 * 54, size.n[METER_BYTES]);
	KUNIT_EXPECT_EQ(test, 10, size.n[METER_PACKETS]);

	/* of a guest: it counts for itself, the number is not believed */
	skb_shinfo(skb)->gso_type |= SKB_GSO_DODGY;
	skb_shinfo(skb)->gso_segs = 1;
	skb_shinfo(skb)->gso_size = 1449;
	meter_size(skb, &size);
	KUNIT_EXPECT_EQ(test, 14534 + 9 * 54, size.n[METER_BYTES]);
	KUNIT_EXPECT_EQ(test, 10, size.n[METER_PACKETS]);
	skb_shinfo(skb)->gso_segs = 0;
	skb_shinfo(skb)->gso_size = 1;
	meter_size(skb, &size);
	KUNIT_EXPECT_EQ(test, 14480, size.n[METER_PACKETS]);
	KUNIT_EXPECT_EQ(test, 14480 * 55, size.n[METER_BYTES]);

	/* headers that are not where they are said to be */
	th->doff = 15;
	skb_set_transport_header(skb, 14510);
	meter_size(skb, &size);
	KUNIT_EXPECT_EQ(test, 14534, size.n[METER_BYTES]);
	skb_set_transport_header(skb, -14);
	meter_size(skb, &size);
	KUNIT_EXPECT_GE(test, size.n[METER_BYTES], 14534);
	skb_shinfo(skb)->gso_type = SKB_GSO_UDP_L4;
	skb_set_transport_header(skb, 20);
	skb_shinfo(skb)->gso_size = 1000;
	skb_shinfo(skb)->gso_segs = 15;
	meter_size(skb, &size);
	KUNIT_EXPECT_EQ(test, 14534 + 14 * 42, size.n[METER_BYTES]);
	kfree_skb(skb);
}

/* A frame takes from both limits or from none; directions are apart. */
static void meter_both_test(struct kunit *test)
{
	struct vmq_ext_port *ep = test->priv;
	struct meter_port *m = ep->priv;
	u64 sum[2][METER_COUNTERS];
	const struct meter_config *config;
	struct meter_attrs a = {};
	struct meter_bucket *b;
	u64 now;
	int i;

	KUNIT_EXPECT_EQ(test, VMQ_PASS, meter_run(test, ep, TX, 1000, 0));
	meter_put_u64(&a, VMQ_A_METER_TX_RATE, 8 * MBIT);
	meter_put_u32(&a, VMQ_A_METER_TX_BURST, 100000);
	meter_put_u32(&a, VMQ_A_METER_TX_PPS, 10);
	meter_put_u32(&a, VMQ_A_METER_TX_PPS_BURST, 5);
	KUNIT_ASSERT_EQ(test, 0, meter_send(test, ep, &a));
	/* what the real time adds must not count */
	now = meter_clock() + 100 * SECOND;
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, i < 5 ? VMQ_PASS : VMQ_DROP,
				meter_run_at(test, ep, TX, 1000, now));
	rtnl_lock();
	config = rtnl_dereference(m->config);
	b = &m->bucket[TX].kind[METER_BYTES];
	KUNIT_EXPECT_EQ(test, 95000,
			meter_bucket_tokens(b, &config->limit[TX][METER_BYTES],
					    now));
	rtnl_unlock();
	meter_sum(m, sum);
	KUNIT_EXPECT_EQ(test, 6, sum[TX][METER_PASSED_PACKETS]);
	KUNIT_EXPECT_EQ(test, 6000, sum[TX][METER_PASSED_BYTES]);
	KUNIT_EXPECT_EQ(test, 3, sum[TX][METER_DROPPED_PACKETS]);
	KUNIT_EXPECT_EQ(test, 3000, sum[TX][METER_DROPPED_BYTES]);
	KUNIT_EXPECT_EQ(test, 0, sum[RX][METER_PASSED_PACKETS]);
	KUNIT_EXPECT_EQ(test, VMQ_PASS, meter_run_at(test, ep, RX, 1000, now));
}

/* ---- configuration ---- */

#define SEND(...)							\
	({								\
		struct meter_attrs a = {};				\
		__VA_ARGS__;						\
		meter_send(test, ep, &a);				\
	})
#define U64(name, v)	meter_put_u64(&a, VMQ_A_METER_##name, v)
#define U32(name, v)	meter_put_u32(&a, VMQ_A_METER_##name, v)
#define U8(name, v)	meter_put_u8(&a, VMQ_A_METER_##name, v)
#define FLAG(name)	meter_put(&a, VMQ_A_METER_##name, NULL, 0)

static void meter_config_test(struct kunit *test)
{
	struct vmq_ext_port *ep = test->priv;
	struct meter_port *m = ep->priv;
	struct meter_config was, *config;

	KUNIT_ASSERT_EQ(test, 0, SEND(U64(TX_RATE, 100 * MBIT),
				      U8(SHAPE, 1)));
	rtnl_lock();
	config = rtnl_dereference(m->config);
	rtnl_unlock();
	KUNIT_ASSERT_NOT_NULL(test, config);
	KUNIT_EXPECT_EQ(test, METER_BURST_DEFAULT,
			config->limit[TX][METER_BYTES].burst);
	KUNIT_EXPECT_EQ(test, METER_SHAPE_DEFAULT, config->shape_limit);
	was = *config;

#define REFUSED(err, ...)						\
	KUNIT_EXPECT_EQ(test, err, SEND(__VA_ARGS__))
	REFUSED(-EINVAL, (void)a);
	REFUSED(-ERANGE, U64(TX_RATE, METER_RATE_MIN - 1));
	REFUSED(-ERANGE, U64(RX_RATE, METER_RATE_MAX + 1));
	REFUSED(-ERANGE, U64(RX_RATE, U64_MAX));
	REFUSED(-ERANGE, U32(RX_PPS, METER_PPS_MAX + 1));
	REFUSED(-EINVAL, U32(RX_BURST, 1000));
	REFUSED(-EINVAL, U32(TX_PPS_BURST, 1000));
	REFUSED(-ERANGE, U32(TX_BURST, 0));
	REFUSED(-ERANGE, U64(TX_RATE, 8000), U32(TX_BURST, 3600001));
	REFUSED(-ERANGE, U32(TX_PPS, 1), U32(TX_PPS_BURST, 3601));
	REFUSED(-ERANGE, U8(SHAPE, 2));
	REFUSED(-ERANGE, U32(SHAPE_LIMIT, METER_SHAPE_MAX + 1));
	REFUSED(-EINVAL, U64(TX_RATE, 0), U32(SHAPE_LIMIT, 5000));
	REFUSED(-EINVAL, FLAG(CLEAR), U8(SHAPE, 1));
	REFUSED(-EINVAL, U32(TX_TOKENS, 5));
	REFUSED(-EINVAL, U64(TX_PASSED_BYTES, 5));
	/* one that is good does not help one that is not */
	REFUSED(-ERANGE, U64(RX_RATE, MBIT), U64(TX_RATE, 5));
#undef REFUSED
	rtnl_lock();
	KUNIT_EXPECT_PTR_EQ(test, config, rtnl_dereference(m->config));
	KUNIT_EXPECT_MEMEQ(test, &was, config, sizeof(was));
	rtnl_unlock();

	/* a burst that was not asked for follows the rate */
	KUNIT_ASSERT_EQ(test, 0, SEND(U64(TX_RATE, 10 * GBIT),
				      U32(RX_PPS, 100000)));
	rtnl_lock();
	config = rtnl_dereference(m->config);
	KUNIT_EXPECT_EQ(test, 12500000, config->limit[TX][METER_BYTES].burst);
	KUNIT_EXPECT_EQ(test, 1000, config->limit[RX][METER_PACKETS].burst);
	rtnl_unlock();
	KUNIT_ASSERT_EQ(test, 0, SEND(U32(TX_BURST, 5000)));
	KUNIT_ASSERT_EQ(test, 0, SEND(U64(TX_RATE, GBIT)));
	rtnl_lock();
	config = rtnl_dereference(m->config);
	KUNIT_EXPECT_EQ(test, 5000, config->limit[TX][METER_BYTES].burst);
	KUNIT_EXPECT_TRUE(test, config->shape);
	rtnl_unlock();
	/* shaping goes with the last limit of its direction */
	KUNIT_ASSERT_EQ(test, 0, SEND(U64(TX_RATE, 0)));
	rtnl_lock();
	config = rtnl_dereference(m->config);
	KUNIT_EXPECT_FALSE(test, config->shape);
	rtnl_unlock();
	KUNIT_ASSERT_EQ(test, 0, SEND(FLAG(CLEAR)));
	KUNIT_EXPECT_NULL(test, rcu_access_pointer(m->config));
}

/* Setting a limit again does not fill the bucket. */
static void meter_change_test(struct kunit *test)
{
	struct vmq_ext_port *ep = test->priv;
	int n;

	meter_set(test, ep, RX, METER_RATE_MIN, 10000);
	for (n = 0; meter_run(test, ep, RX, 1000, 0) == VMQ_PASS; n++)
		;
	KUNIT_EXPECT_GE(test, n, 10);
	meter_set(test, ep, RX, METER_RATE_MIN, 20000);
	KUNIT_EXPECT_EQ(test, VMQ_DROP, meter_run(test, ep, RX, 10000, 0));
	KUNIT_ASSERT_EQ(test, 0, SEND(U64(RX_RATE, 0)));
	KUNIT_EXPECT_EQ(test, VMQ_PASS, meter_run(test, ep, RX, 10000, 0));
}

/* ---- frames that wait ---- */

#define FRAMES	40

struct meter_sink {
	atomic_t passed;
	atomic_t dropped;
	u32 number[FRAMES];
};

static struct meter_sink meter_sink;

static void meter_resume(struct vmq_ext_port *ep, struct sk_buff *skb,
			 enum vmq_verdict verdict)
{
	if (verdict == VMQ_DROP)
		atomic_inc(&meter_sink.dropped);
	else if (atomic_read(&meter_sink.passed) < FRAMES)
		meter_sink.number[atomic_read(&meter_sink.passed)] = skb->mark;
	if (verdict == VMQ_PASS)
		atomic_inc(&meter_sink.passed);
	kfree_skb(skb);
}

static bool meter_idle(struct meter_port *m)
{
	unsigned long end = jiffies + 30 * HZ;

	while (READ_ONCE(m->shaper.active) && time_before(jiffies, end))
		usleep_range(1000, 3000);
	return !READ_ONCE(m->shaper.active);
}

static void meter_shape_test(struct kunit *test)
{
	struct vmq_ext_port *ep = test->priv;
	struct meter_port *m = ep->priv;
	u64 sum[2][METER_COUNTERS];
	int i, at_once = 0, waited = 0;
	int waits[FRAMES];
	ktime_t begin;
	s64 usecs;

	memset(&meter_sink, 0, sizeof(meter_sink));
	m->resume = meter_resume;
	/* 1000 bytes a millisecond */
	KUNIT_ASSERT_EQ(test, 0, SEND(U64(TX_RATE, 8 * MBIT),
				      U32(TX_BURST, 2000), U8(SHAPE, 1)));
	begin = ktime_get();
	for (i = 0; i < FRAMES; i++) {
		switch (meter_run(test, ep, TX, 1000, i)) {
		case VMQ_PASS:
			/* none overtakes one that waits */
			KUNIT_EXPECT_EQ(test, waited,
					atomic_read(&meter_sink.passed));
			at_once++;
			break;
		case VMQ_CONSUMED:
			waits[waited++] = i;
			break;
		default:
			KUNIT_FAIL(test, "frame %d was dropped", i);
		}
	}
	KUNIT_EXPECT_GE(test, at_once, 2);
	KUNIT_ASSERT_TRUE(test, meter_idle(m));
	usecs = ktime_us_delta(ktime_get(), begin);
	KUNIT_EXPECT_EQ(test, waited, atomic_read(&meter_sink.passed));
	KUNIT_EXPECT_GE(test, usecs, (FRAMES - 2) * 1000);
	for (i = 0; i < waited; i++)
		KUNIT_EXPECT_EQ(test, waits[i], meter_sink.number[i]);
	meter_sum(m, sum);
	KUNIT_EXPECT_EQ(test, FRAMES, sum[TX][METER_PASSED_PACKETS]);
	KUNIT_EXPECT_EQ(test, FRAMES - at_once,
			sum[TX][METER_DELAYED_PACKETS]);
	KUNIT_EXPECT_EQ(test, 0, m->shaper.bytes);
}

/* No more wait than there is room for; without shaping all of them go. */
static void meter_room_test(struct kunit *test)
{
	struct vmq_ext_port *ep = test->priv;
	struct meter_port *m = ep->priv;
	enum vmq_verdict verdict;
	int i, n[3] = {};

	memset(&meter_sink, 0, sizeof(meter_sink));
	m->resume = meter_resume;
	KUNIT_ASSERT_EQ(test, 0, SEND(U64(TX_RATE, METER_RATE_MIN),
				      U32(TX_BURST, 1000), U8(SHAPE, 1),
				      U32(SHAPE_LIMIT, 5000)));
	for (i = 0; i < 10; i++) {
		verdict = meter_run(test, ep, TX, 1000, i);
		n[verdict]++;
	}
	KUNIT_EXPECT_EQ(test, 1, n[VMQ_PASS]);
	KUNIT_EXPECT_EQ(test, 5, n[VMQ_CONSUMED]);
	KUNIT_EXPECT_EQ(test, 4, n[VMQ_DROP]);
	/* the other direction does not wait for them */
	KUNIT_EXPECT_EQ(test, VMQ_PASS, meter_run(test, ep, RX, 1000, 0));
	KUNIT_ASSERT_EQ(test, 0, SEND(U8(SHAPE, 0)));
	KUNIT_ASSERT_TRUE(test, meter_idle(m));
	KUNIT_EXPECT_EQ(test, 5, atomic_read(&meter_sink.passed));
	KUNIT_EXPECT_EQ(test, VMQ_DROP, meter_run(test, ep, TX, 1000, 0));

	/* what still waits when the port goes is dropped, and counted */
	KUNIT_ASSERT_EQ(test, 0, SEND(U8(SHAPE, 1)));
	KUNIT_EXPECT_EQ(test, VMQ_CONSUMED, meter_run(test, ep, TX, 5000, 0));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&meter_sink.dropped));
	meter_ops.detach(ep);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&meter_sink.dropped));
	KUNIT_ASSERT_EQ(test, 0, meter_ops.attach(ep, NULL));
}

static int meter_test_init(struct kunit *test)
{
	test->priv = meter_port_new(test);
	return 0;
}

static void meter_test_exit(struct kunit *test)
{
	if (test->priv)
		meter_ops.detach(test->priv);
}

static struct kunit_case meter_cases[] = {
	KUNIT_CASE(meter_size_test),
	KUNIT_CASE(meter_both_test),
	KUNIT_CASE(meter_config_test),
	KUNIT_CASE(meter_change_test),
	KUNIT_CASE(meter_shape_test),
	KUNIT_CASE(meter_room_test),
	{}
};

static struct kunit_suite meter_suite = {
	.name = "vmq_meter",
	.init = meter_test_init,
	.exit = meter_test_exit,
	.test_cases = meter_cases,
};

kunit_test_suite(meter_suite);

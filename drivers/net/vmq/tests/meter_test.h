/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit: a port and its limits for the tests of the extension meter. The extension
 * is driven through the operations that the core calls.
 */
#ifndef _VMQ_METER_TEST_H
#define _VMQ_METER_TEST_H

#include <kunit/test.h>
#include <linux/rtnetlink.h>
#include <net/netlink.h>

#include "../ext/meter.h"

#define RX	VMQ_TO_GUEST
#define TX	VMQ_FROM_GUEST
#define MBIT	1000000ULL
#define GBIT	1000000000ULL
#define SECOND	METER_UNITS_PER_SEC

static __maybe_unused struct vmq_ext_port *meter_port_new(struct kunit *test)
{
	struct vmq_ext_port *ep;

	ep = kunit_kzalloc(test, sizeof(*ep), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ep);
	ep->ops = &meter_ops;
	KUNIT_ASSERT_EQ(test, 0, meter_ops.attach(ep, NULL));
	return ep;
}

/* Attributes of a request. */
struct meter_attrs {
	u8 data[256];
	u32 len;
};

static __maybe_unused void meter_put(struct meter_attrs *a, int type,
				     const void *value, u32 len)
{
	struct nlattr *attr = (struct nlattr *)(a->data + a->len);

	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + len;
	if (len)
		memcpy(nla_data(attr), value, len);
	a->len += NLA_ALIGN(attr->nla_len);
}

static __maybe_unused void meter_put_u64(struct meter_attrs *a, int type,
					 u64 value)
{
	meter_put(a, type, &value, sizeof(value));
}

static __maybe_unused void meter_put_u32(struct meter_attrs *a, int type,
					 u32 value)
{
	meter_put(a, type, &value, sizeof(value));
}

static __maybe_unused void meter_put_u8(struct meter_attrs *a, int type,
					u8 value)
{
	meter_put(a, type, &value, sizeof(value));
}

/* Every refusal has to say why. */
static __maybe_unused int meter_send(struct kunit *test,
				     struct vmq_ext_port *ep,
				     const struct meter_attrs *a)
{
	struct netlink_ext_ack extack = {};
	struct nlattr *config;
	int err;

	config = kunit_kzalloc(test, NLA_HDRLEN + sizeof(a->data), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, config);
	config->nla_type = VMQ_A_EXT_PORT_CONFIG;
	config->nla_len = NLA_HDRLEN + a->len;
	memcpy(nla_data(config), a->data, a->len);
	rtnl_lock();
	err = meter_ops.config_set(ep, config, &extack);
	rtnl_unlock();
	if (err)
		KUNIT_EXPECT_NOT_NULL(test, extack._msg);
	return err;
}

/* A limit of bits a second with its burst. */
static __maybe_unused void meter_set(struct kunit *test,
				     struct vmq_ext_port *ep, int dir, u64 rate,
				     u32 burst)
{
	struct meter_attrs a = {};

	meter_put_u64(&a, dir == RX ? VMQ_A_METER_RX_RATE : VMQ_A_METER_TX_RATE,
		      rate);
	if (burst)
		meter_put_u32(&a, dir == RX ? VMQ_A_METER_RX_BURST :
					      VMQ_A_METER_TX_BURST, burst);
	KUNIT_ASSERT_EQ(test, 0, meter_send(test, ep, &a));
}

static __maybe_unused struct sk_buff *meter_skb(struct kunit *test, u32 len,
						u32 number)
{
	struct sk_buff *skb = alloc_skb(len, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_reset_mac_header(skb);
	skb_put_zero(skb, len);
	__skb_pull(skb, ETH_HLEN);
	skb_reset_network_header(skb);
	skb->mark = number;
	return skb;
}

/* Shows a frame to the extension at the real time; frees it unless it waits. */
static __maybe_unused enum vmq_verdict meter_run(struct kunit *test,
						 struct vmq_ext_port *ep,
						 int dir, u32 len, u32 number)
{
	struct sk_buff *skb = meter_skb(test, len, number);
	enum vmq_verdict verdict;

	local_bh_disable();
	rcu_read_lock();
	verdict = meter_ops.frame(ep, skb, dir);
	rcu_read_unlock();
	local_bh_enable();
	if (verdict != VMQ_CONSUMED)
		kfree_skb(skb);
	return verdict;
}

/* The same at a time of the test's. */
static __maybe_unused enum vmq_verdict meter_run_at(struct kunit *test,
						    struct vmq_ext_port *ep,
						    int dir, u32 len, u64 now)
{
	struct sk_buff *skb = meter_skb(test, len, 0);
	struct meter_port *m = ep->priv;
	enum vmq_verdict verdict;

	local_bh_disable();
	rcu_read_lock();
	verdict = meter_frame_at(m, rcu_dereference(m->config), skb, dir, now);
	rcu_read_unlock();
	local_bh_enable();
	if (verdict != VMQ_CONSUMED)
		kfree_skb(skb);
	return verdict;
}

static __maybe_unused void meter_sum(struct meter_port *m,
				     u64 sum[2][METER_COUNTERS])
{
	rtnl_lock();
	meter_lock(m);
	meter_counters(m, sum);
	meter_unlock(m);
	rtnl_unlock();
}

#endif /* _VMQ_METER_TEST_H */

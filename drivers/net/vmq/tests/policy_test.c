// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: policies of ports: lists of trunks, what may be sent and received, and
 * the item of the core record.
 */
#include <kunit/test.h>
#include <linux/if_vlan.h>

#include "../state.h"

static struct vmq_policy *policy_new(struct kunit *test)
{
	struct vmq_policy *p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	return p;
}

static void policy_trunk_list(struct kunit *test)
{
	static const struct {
		const char *text;
		int err;
		unsigned int n;		/* ids */
	} cases[] = {
		{ "", 0, 0 },
		{ "0", 0, 1 },
		{ "1-10,20", 0, 11 },
		{ "20,1-10,5", 0, 11 },
		{ "0-4094", 0, 4095 },
		{ "4095", 0, 1 },	/* vmq_policy_check() knows more */
		{ "4096", -ERANGE },
		{ "5-4", -EINVAL },
		{ "1-", -EINVAL },
		{ "-1", -EINVAL },
		{ "all", -EINVAL },
		{ "N", -EINVAL },
		{ "0-10:1/2", -EINVAL },
		{ " 1", -EINVAL },
		{ "1\n", -EINVAL },
		{ "99999999999999999999", -EINVAL },
	};
	struct vmq_policy *p = policy_new(test);
	int i, err;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		err = vmq_policy_parse_trunk(p, cases[i].text);
		if (cases[i].err)
			KUNIT_EXPECT_LT_MSG(test, err, 0, "%s", cases[i].text);
		else
			KUNIT_EXPECT_EQ_MSG(test, err, 0, "%s", cases[i].text);
		if (err)
			continue;
		KUNIT_EXPECT_EQ(test, p->trunk, cases[i].n > 0);
		KUNIT_EXPECT_EQ(test, cases[i].n,
				bitmap_weight(p->allowed, VLAN_N_VID));
	}
}

static void policy_check(struct kunit *test)
{
	struct netlink_ext_ack extack = {};
	struct vmq_policy *p = policy_new(test);
	unsigned int i;

	KUNIT_EXPECT_EQ(test, 0, vmq_policy_check(p, &extack));
	p->pvid = 4094;
	KUNIT_EXPECT_EQ(test, 0, vmq_policy_check(p, &extack));
	p->pvid = 4095;
	KUNIT_EXPECT_EQ(test, -ERANGE, vmq_policy_check(p, &extack));
	p->pvid = 5;
	p->trunk = true;
	KUNIT_EXPECT_EQ(test, -ERANGE, vmq_policy_check(p, &extack));
	__set_bit(0, p->allowed);
	KUNIT_EXPECT_EQ(test, -EINVAL, vmq_policy_check(p, &extack));
	p->pvid = 0;
	KUNIT_EXPECT_EQ(test, 0, vmq_policy_check(p, &extack));
	__set_bit(4095, p->allowed);
	KUNIT_EXPECT_EQ(test, -ERANGE, vmq_policy_check(p, &extack));
	__clear_bit(4095, p->allowed);
	/* as many ranges as a message has room for, and one more */
	bitmap_zero(p->allowed, VLAN_N_VID);
	for (i = 0; i < VMQ_TRUNK_RANGES_MAX; i++)
		bitmap_set(p->allowed, 1000 + 3 * i, 2);
	KUNIT_EXPECT_EQ(test, VMQ_TRUNK_RANGES_MAX, vmq_policy_ranges(p));
	KUNIT_EXPECT_EQ(test, 0, vmq_policy_check(p, &extack));
	KUNIT_EXPECT_LT(test, snprintf(NULL, 0, "%*pbl", VLAN_N_VID, p->allowed),
			VMQ_TRUNK_TEXT_MAX);
	__set_bit(4, p->allowed);
	KUNIT_EXPECT_EQ(test, -EINVAL, vmq_policy_check(p, &extack));
	KUNIT_EXPECT_NOT_NULL(test, extack._msg);
}

/* vlan is a tag, -1 for none; what comes out of it likewise, -2 for a drop. */
static int policy_rx(struct kunit *test, const struct vmq_policy *p, int vlan,
		     __be16 proto)
{
	struct sk_buff *skb = alloc_skb(64, GFP_KERNEL);
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	if (vlan >= 0)
		__vlan_hwaccel_put_tag(skb, proto, vlan);
	if (!__vmq_policy_rx(p, skb))
		ret = -2;
	else
		ret = skb_vlan_tag_present(skb) ? skb_vlan_tag_get(skb) : -1;
	kfree_skb(skb);
	return ret;
}

static void policy_frames(struct kunit *test)
{
	const __be16 q = htons(ETH_P_8021Q), ad = htons(ETH_P_8021AD);
	struct vmq_policy *p = policy_new(test);

	/* nothing about VLANs */
	p->isolate = true;
	KUNIT_EXPECT_EQ(test, -1, policy_rx(test, p, -1, q));
	KUNIT_EXPECT_EQ(test, 7, policy_rx(test, p, 7, q));
	KUNIT_EXPECT_EQ(test, 7, policy_rx(test, p, 7, ad));
	/* access */
	p->pvid = 7;
	KUNIT_EXPECT_EQ(test, -1, policy_rx(test, p, 7, q));
	KUNIT_EXPECT_EQ(test, -1, policy_rx(test, p, 0x6007, q));
	KUNIT_EXPECT_EQ(test, -2, policy_rx(test, p, -1, q));
	KUNIT_EXPECT_EQ(test, -2, policy_rx(test, p, 0, q));
	KUNIT_EXPECT_EQ(test, -2, policy_rx(test, p, 8, q));
	KUNIT_EXPECT_EQ(test, -2, policy_rx(test, p, 7, ad));
	/* native */
	p->trunk = true;
	__set_bit(8, p->allowed);
	KUNIT_EXPECT_EQ(test, -1, policy_rx(test, p, 7, q));
	KUNIT_EXPECT_EQ(test, 0x2008, policy_rx(test, p, 0x2008, q));
	KUNIT_EXPECT_EQ(test, -2, policy_rx(test, p, 9, q));
	KUNIT_EXPECT_EQ(test, -2, policy_rx(test, p, -1, q));
	/* trunk */
	p->pvid = 0;
	KUNIT_EXPECT_EQ(test, -2, policy_rx(test, p, 7, q));
	KUNIT_EXPECT_EQ(test, -2, policy_rx(test, p, -1, q));
	__set_bit(0, p->allowed);
	KUNIT_EXPECT_EQ(test, -1, policy_rx(test, p, -1, q));
	KUNIT_EXPECT_EQ(test, 0, policy_rx(test, p, 0, q));
}

/* ---- the item of the core record ---- */

static struct vmq_core_state *policy_decode(struct kunit *test,
					    const void *item, size_t len)
{
	struct netlink_ext_ack extack = {};
	struct vmq_core_state *st;
	struct vmq_record rec = {
		.version = VMQ_CORE_VERSION,
		.size = 4 + ALIGN(len, 4),
	};
	__le16 tlv[2] = { cpu_to_le16(VMQ_CORE_POLICY), cpu_to_le16(len) };

	/* of that size exactly, for KASAN */
	rec.data = kunit_kzalloc(test, rec.size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rec.data);
	memcpy(rec.data, tlv, sizeof(tlv));
	memcpy(rec.data + 4, item, len);
	st = vmq_core_parse(&rec, &extack);
	if (IS_ERR(st))
		KUNIT_EXPECT_NOT_NULL(test, extack._msg);
	return st;
}

static void policy_record(struct kunit *test)
{
	struct vmq_core_state *st, *again;
	struct netlink_ext_ack extack = {};
	struct vmq_record rec = {};
	size_t size;

	st = kunit_kzalloc(test, sizeof(*st), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, st);
	st->present = BIT(VMQ_CORE_POLICY);
	st->policy.pvid = 5;
	st->policy.trunk = true;
	st->policy.spoofchk = true;
	bitmap_set(st->policy.allowed, 1, 10);
	__set_bit(4094, st->policy.allowed);
	size = vmq_core_size(st);
	KUNIT_EXPECT_EQ(test, 4 + 4 + 2 * 4, size);
	rec.data = kunit_kzalloc(test, size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rec.data);
	rec.size = size;
	KUNIT_ASSERT_EQ(test, size, vmq_core_encode(st, &rec));
	again = vmq_core_parse(&rec, &extack);
	KUNIT_ASSERT_FALSE(test, IS_ERR(again));
	KUNIT_EXPECT_EQ(test, BIT(VMQ_CORE_POLICY), again->present);
	KUNIT_EXPECT_EQ(test, 5, again->policy.pvid);
	KUNIT_EXPECT_TRUE(test, again->policy.trunk && again->policy.spoofchk);
	KUNIT_EXPECT_FALSE(test, again->policy.isolate);
	KUNIT_EXPECT_TRUE(test, bitmap_equal(st->policy.allowed,
					     again->policy.allowed,
					     VLAN_N_VID));
	vmq_core_free(again);
}

static void policy_record_wrong(struct kunit *test)
{
	static const struct {
		__le16 word[6];
		u8 n;			/* bytes */
		int err;
	} cases[] = {
		{ { cpu_to_le16(5), cpu_to_le16(6) }, 4, 0 },
		{ {}, 0, -EINVAL },
		{ { cpu_to_le16(5) }, 2, -EINVAL },
		{ { cpu_to_le16(4095) }, 4, -EINVAL },
		{ { cpu_to_le16(5), cpu_to_le16(8) }, 4, -EINVAL },
		{ { 0, cpu_to_le16(1) }, 4, -EINVAL },
		{ { 0, 0, cpu_to_le16(1), cpu_to_le16(2) }, 8, -EINVAL },
		{ { 0, cpu_to_le16(1), cpu_to_le16(1), cpu_to_le16(2) }, 8, 0 },
		{ { 0, cpu_to_le16(1), cpu_to_le16(1), cpu_to_le16(2) }, 6,
		  -EINVAL },
		{ { 0, cpu_to_le16(1), cpu_to_le16(2), cpu_to_le16(1) }, 8,
		  -EINVAL },
		{ { 0, cpu_to_le16(1), cpu_to_le16(1), cpu_to_le16(4095) }, 8,
		  -EINVAL },
		{ { 0, cpu_to_le16(1), cpu_to_le16(9), cpu_to_le16(65535) }, 8,
		  -EINVAL },
		{ { cpu_to_le16(5), cpu_to_le16(1), 0, cpu_to_le16(2) }, 8,
		  -EINVAL },
	};
	struct vmq_core_state *st;
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		st = policy_decode(test, cases[i].word, cases[i].n);
		KUNIT_EXPECT_EQ_MSG(test, cases[i].err, PTR_ERR_OR_ZERO(st),
				    "case %d", i);
		if (!IS_ERR(st))
			vmq_core_free(st);
	}
}

static struct kunit_case policy_cases[] = {
	KUNIT_CASE(policy_trunk_list),
	KUNIT_CASE(policy_check),
	KUNIT_CASE(policy_frames),
	KUNIT_CASE(policy_record),
	KUNIT_CASE(policy_record_wrong),
	{}
};

static struct kunit_suite policy_suite = {
	.name = "vmq_policy",
	.test_cases = policy_cases,
};

kunit_test_suite(policy_suite);

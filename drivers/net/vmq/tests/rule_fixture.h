/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites of the rule engine share: rules of each kind that match one
 * frame, and the rule set under test.
 */
#ifndef _VMQ_RULE_FIXTURE_H
#define _VMQ_RULE_FIXTURE_H

#include <kunit/test.h>
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>

#include "../rule.h"
#include "../rule_table.h"

#define TEST_VID	5

/* What a rule tests; each kind matches the frame of test_frame(). */
enum test_kind {
	KIND_NTUPLE,		/* destination port, and the MAC address */
	KIND_TAG,		/* MAC address and the whole tag */
	KIND_MAC_VID,
	KIND_MAC,
	KIND_OUI,		/* half the MAC address */
	KIND_VID,
	KIND_ALL,		/* nothing */
	KINDS
};

/* Only their addresses matter; each suite has its own. */
static u64 test_target[8];

struct test_ctx {
	struct vmq_rules rules;
	struct vmq_key frame;
	u32 others;		/* rules for other MAC addresses so far */
};

static inline void test_mac(u8 *mac, u32 n)
{
	static const u8 base[ETH_ALEN] = { 0x02, 0x76, 0x6d, 0x00, 0x00, 0x00 };

	ether_addr_copy(mac, base);
	mac[3] = n >> 16;
	mac[4] = n >> 8;
	mac[5] = n;
}

static inline void test_frame(struct vmq_key *key)
{
	memset(key, 0, sizeof(*key));
	test_mac(key->dst, 1);
	key->vlan = htons(3 << VLAN_PRIO_SHIFT | TEST_VID);
	test_mac(key->src, 2);
	key->ethertype = htons(ETH_P_IP);
	key->saddr[0] = htonl(0x0a010203);
	key->daddr[0] = htonl(0x0a010204);
	key->sport = htons(40000);
	key->dport = htons(80);
	key->proto = 6;
	key->l3 = 4;
	key->l4 = 1;
}

/* The bits of @frame that @rule's mask has. */
static inline void test_apply_mask(struct vmq_rule *rule, const struct vmq_key *frame)
{
	u64 *key = (u64 *)&rule->key;
	unsigned int i;

	for (i = 0; i < VMQ_KEY_WORDS; i++)
		key[i] = vmq_key_words(frame)[i] &
			 vmq_key_words(&rule->mask)[i];
}

static inline void test_fill(struct vmq_rule *rule, enum test_kind kind, u32 id,
			     void *target)
{
	struct vmq_key frame;

	memset(rule, 0, sizeof(*rule));
	if (kind < KIND_OUI)
		eth_broadcast_addr(rule->mask.dst);
	switch (kind) {
	case KIND_NTUPLE:
		rule->mask.dport = htons(0xffff);
		break;
	case KIND_TAG:
		rule->mask.vlan = htons(0xffff);
		break;
	case KIND_MAC_VID:
	case KIND_VID:
		rule->mask.vlan = htons(VLAN_VID_MASK);
		break;
	case KIND_OUI:
		memset(rule->mask.dst, 0xff, 3);
		break;
	default:
		break;
	}
	test_frame(&frame);
	test_apply_mask(rule, &frame);
	rule->id = id;
	rule->target = target;
}

static inline struct vmq_rule *test_rule(struct kunit *test, enum test_kind kind,
					 u32 id, void *target)
{
	struct vmq_rule *rule = kunit_kzalloc(test, sizeof(*rule), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, rule);
	test_fill(rule, kind, id, target);
	return rule;
}

static inline struct vmq_rule *test_add(struct kunit *test, enum test_kind kind,
					u32 id, void *target)
{
	struct vmq_rule *rule = test_rule(test, kind, id, target);
	struct test_ctx *ctx = test->priv;

	KUNIT_ASSERT_EQ(test, vmq_rules_add(&ctx->rules, rule), 0);
	return rule;
}

static inline void *test_lookup(struct vmq_rules *rules, const struct vmq_key *frame)
{
	void *target;

	rcu_read_lock();
	target = vmq_rules_lookup(rules, frame);
	rcu_read_unlock();
	return target;
}

static inline void *test_lookup_mac(struct vmq_rules *rules, const u8 *mac, u16 vid)
{
	void *target;

	rcu_read_lock();
	target = vmq_rules_lookup_mac(rules, mac, vid);
	rcu_read_unlock();
	return target;
}

static inline void expect_target(struct kunit *test, const void *target)
{
	struct test_ctx *ctx = test->priv;

	KUNIT_EXPECT_PTR_EQ(test, test_lookup(&ctx->rules, &ctx->frame),
			    target);
}

/* Nothing is left, neither for lookups nor for the next rules. */
static inline void expect_empty(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, ctx->rules.count, 0);
	KUNIT_EXPECT_EQ(test, ctx->rules.any_vlan, 0);
	KUNIT_EXPECT_FALSE(test, vmq_rules_masked(&ctx->rules));
	expect_target(test, NULL);
}

static inline int test_init(struct kunit *test)
{
	struct test_ctx *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);

	if (!ctx)
		return -ENOMEM;
	test->priv = ctx;
	test_frame(&ctx->frame);
	return vmq_rules_init(&ctx->rules);
}

static inline void test_exit(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;

	if (!ctx || !rcu_access_pointer(ctx->rules.exact))
		return;
	vmq_rules_destroy(&ctx->rules);
	/* KUnit frees at once what test_rule() allocated. */
	synchronize_rcu();
}

#endif /* _VMQ_RULE_FIXTURE_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the rule engine. Names in brackets are requirements.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/etherdevice.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/slab.h>

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

/* Only their addresses matter. */
static u64 test_target[8];

struct test_ctx {
	struct vmq_rules rules;
	struct vmq_key frame;
	u32 others;		/* rules for other MAC addresses so far */
};

static void test_mac(u8 *mac, u32 n)
{
	static const u8 base[ETH_ALEN] = { 0x02, 0x76, 0x6d, 0x00, 0x00, 0x00 };

	ether_addr_copy(mac, base);
	mac[3] = n >> 16;
	mac[4] = n >> 8;
	mac[5] = n;
}

static void test_frame(struct vmq_key *key)
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
static void test_apply_mask(struct vmq_rule *rule, const struct vmq_key *frame)
{
	u64 *key = (u64 *)&rule->key;
	unsigned int i;

	for (i = 0; i < VMQ_KEY_WORDS; i++)
		key[i] = vmq_key_words(frame)[i] &
			 vmq_key_words(&rule->mask)[i];
}

static void test_fill(struct vmq_rule *rule, enum test_kind kind, u32 id,
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

static struct vmq_rule *test_rule(struct kunit *test, enum test_kind kind,
				  u32 id, void *target)
{
	struct vmq_rule *rule = kunit_kzalloc(test, sizeof(*rule), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, rule);
	test_fill(rule, kind, id, target);
	return rule;
}

static struct vmq_rule *test_add(struct kunit *test, enum test_kind kind,
				 u32 id, void *target)
{
	struct vmq_rule *rule = test_rule(test, kind, id, target);
	struct test_ctx *ctx = test->priv;

	KUNIT_ASSERT_EQ(test, vmq_rules_add(&ctx->rules, rule), 0);
	return rule;
}

static void *test_lookup(struct vmq_rules *rules, const struct vmq_key *frame)
{
	void *target;

	rcu_read_lock();
	target = vmq_rules_lookup(rules, frame);
	rcu_read_unlock();
	return target;
}

static void *test_lookup_mac(struct vmq_rules *rules, const u8 *mac, u16 vid)
{
	void *target;

	rcu_read_lock();
	target = vmq_rules_lookup_mac(rules, mac, vid);
	rcu_read_unlock();
	return target;
}

static void expect_target(struct kunit *test, const void *target)
{
	struct test_ctx *ctx = test->priv;

	KUNIT_EXPECT_PTR_EQ(test, test_lookup(&ctx->rules, &ctx->frame),
			    target);
}

/* Nothing is left, neither for lookups nor for the next rules. */
static void expect_empty(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, ctx->rules.count, 0);
	KUNIT_EXPECT_EQ(test, ctx->rules.any_vlan, 0);
	KUNIT_EXPECT_FALSE(test, vmq_rules_masked(&ctx->rules));
	expect_target(test, NULL);
}

static int test_init(struct kunit *test)
{
	struct test_ctx *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);

	if (!ctx)
		return -ENOMEM;
	test->priv = ctx;
	test_frame(&ctx->frame);
	return vmq_rules_init(&ctx->rules);
}

static void test_exit(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;

	if (!ctx || !rcu_access_pointer(ctx->rules.exact))
		return;
	vmq_rules_destroy(&ctx->rules);
	/* KUnit frees at once what test_rule() allocated. */
	synchronize_rcu();
}

/* ---- VLAN rules, row by row (F-22) ---- */

static const struct test_vlan {
	const char *name;
	u16 mask;
	u16 vid;
	u16 tag;
	bool match;
} test_vlans[] = {
	{ "untagged-or-zero, untagged", VLAN_VID_MASK, 0, 0, true },
	{ "untagged-or-zero, priority tag", VLAN_VID_MASK, 0, 0xe000, true },
	{ "untagged-or-zero, DEI", VLAN_VID_MASK, 0, 0x1000, true },
	{ "untagged-or-zero, id 5", VLAN_VID_MASK, 0, 5, false },
	{ "untagged-or-zero, id 4095", VLAN_VID_MASK, 0, 4095, false },
	{ "any tagging, untagged", 0, 0, 0, true },
	{ "any tagging, priority tag", 0, 0, 0xe000, true },
	{ "any tagging, id 5", 0, 0, 5, true },
	{ "any tagging, id 4095 with priority", 0, 0, 0xffff, true },
	{ "id 5, untagged", VLAN_VID_MASK, 5, 0, false },
	{ "id 5, priority tag", VLAN_VID_MASK, 5, 0xe000, false },
	{ "id 5, id 5", VLAN_VID_MASK, 5, 5, true },
	{ "id 5, id 5 with priority", VLAN_VID_MASK, 5, 0x6005, true },
	{ "id 5, id 6", VLAN_VID_MASK, 5, 6, false },
	{ "id 4095, id 4095", VLAN_VID_MASK, 4095, 4095, true },
	{ "id 4095, untagged", VLAN_VID_MASK, 4095, 0, false },
};

KUNIT_ARRAY_PARAM_DESC(vlan, test_vlans, name);

static void test_vlan_rows(struct kunit *test)
{
	const struct test_vlan *row = test->param_value;
	void *target = row->match ? &test_target[1] : NULL;
	struct test_ctx *ctx = test->priv;
	struct vmq_rule *rule;
	u8 other[ETH_ALEN];

	rule = test_rule(test, KIND_MAC, 1, &test_target[1]);
	rule->mask.vlan = htons(row->mask);
	rule->key.vlan = htons(row->vid);
	KUNIT_ASSERT_EQ(test, vmq_rules_add(&ctx->rules, rule), 0);
	KUNIT_EXPECT_FALSE(test, vmq_rules_masked(&ctx->rules));

	ctx->frame.vlan = htons(row->tag);
	KUNIT_EXPECT_EQ(test, vmq_rule_matches(rule, &ctx->frame), row->match);
	expect_target(test, target);
	KUNIT_EXPECT_PTR_EQ(test,
			    test_lookup_mac(&ctx->rules, ctx->frame.dst,
					    row->tag & VLAN_VID_MASK), target);

	test_mac(other, 7);
	KUNIT_EXPECT_NULL(test, test_lookup_mac(&ctx->rules, other,
						row->tag & VLAN_VID_MASK));
}

/* Multicast and broadcast addresses are like any other (F-21). */
static void test_multicast(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	struct vmq_rule *rule;

	rule = test_rule(test, KIND_MAC, 1, &test_target[1]);
	eth_broadcast_addr(rule->key.dst);
	KUNIT_ASSERT_EQ(test, vmq_rules_add(&ctx->rules, rule), 0);
	expect_target(test, NULL);
	eth_broadcast_addr(ctx->frame.dst);
	expect_target(test, &test_target[1]);

	/* The key that is all zeros is one too. */
	rule = test_rule(test, KIND_MAC_VID, 2, &test_target[2]);
	memset(&rule->key, 0, sizeof(rule->key));
	KUNIT_ASSERT_EQ(test, vmq_rules_add(&ctx->rules, rule), 0);
	memset(&ctx->frame, 0, sizeof(ctx->frame));
	expect_target(test, &test_target[2]);
}

/* ---- precedence, row by row (O-11) ---- */

static const struct test_order {
	const char *name;
	enum test_kind winner;
	bool winner_last;
	u32 winner_id;
	enum test_kind loser;
	bool loser_last;
	u32 loser_id;
} test_orders[] = {
	{ "n-tuple before MAC+VLAN",
	  KIND_NTUPLE, false, 9, KIND_MAC_VID, false, 1 },
	{ "n-tuple before MAC", KIND_NTUPLE, false, 9, KIND_MAC, false, 1 },
	{ "n-tuple before mask", KIND_NTUPLE, false, 9, KIND_OUI, false, 1 },
	{ "n-tuple of default queue before MAC+VLAN",
	  KIND_NTUPLE, true, 9, KIND_MAC_VID, false, 1 },
	{ "whole tag before VLAN id",
	  KIND_TAG, false, 9, KIND_MAC_VID, false, 1 },
	{ "n-tuples by id", KIND_NTUPLE, false, 1, KIND_TAG, false, 9 },
	{ "n-tuples by id, reverse", KIND_TAG, false, 1, KIND_NTUPLE, false, 9 },
	{ "n-tuples by id, whatever the queue",
	  KIND_NTUPLE, true, 1, KIND_TAG, false, 9 },
	{ "MAC+VLAN before MAC", KIND_MAC_VID, false, 9, KIND_MAC, false, 1 },
	{ "MAC+VLAN before mask", KIND_MAC_VID, false, 9, KIND_OUI, false, 1 },
	{ "MAC+VLAN before VLAN", KIND_MAC_VID, false, 9, KIND_VID, false, 1 },
	{ "MAC before mask", KIND_MAC, false, 9, KIND_OUI, false, 1 },
	{ "MAC before VLAN", KIND_MAC, false, 9, KIND_VID, false, 1 },
	{ "MAC before all", KIND_MAC, false, 9, KIND_ALL, false, 1 },
	{ "others by id", KIND_OUI, false, 1, KIND_VID, false, 9 },
	{ "others by id, reverse", KIND_VID, false, 1, KIND_OUI, false, 9 },
	{ "all by id", KIND_ALL, false, 1, KIND_OUI, false, 9 },
	{ "MAC before MAC+VLAN of default queue",
	  KIND_MAC, false, 9, KIND_MAC_VID, true, 1 },
	{ "mask before MAC+VLAN of default queue",
	  KIND_OUI, false, 9, KIND_MAC_VID, true, 1 },
	{ "all before MAC+VLAN of default queue",
	  KIND_ALL, false, 9, KIND_MAC_VID, true, 1 },
	{ "MAC+VLAN before MAC of default queue",
	  KIND_MAC_VID, false, 9, KIND_MAC, true, 1 },
	{ "all before MAC of default queue",
	  KIND_ALL, false, 9, KIND_MAC, true, 1 },
	{ "all before mask of default queue",
	  KIND_ALL, false, 9, KIND_OUI, true, 1 },
	{ "default queue: MAC+VLAN before MAC",
	  KIND_MAC_VID, true, 9, KIND_MAC, true, 1 },
	{ "default queue: MAC before mask",
	  KIND_MAC, true, 9, KIND_OUI, true, 1 },
	{ "default queue: others by id",
	  KIND_OUI, true, 1, KIND_VID, true, 9 },
};

KUNIT_ARRAY_PARAM_DESC(order, test_orders, name);

static void test_precedence(struct kunit *test)
{
	const struct test_order *row = test->param_value;
	struct test_ctx *ctx = test->priv;
	struct vmq_rule *rule[2];
	unsigned int i, j;

	rule[0] = test_rule(test, row->winner, row->winner_id, &test_target[1]);
	rule[0]->last = row->winner_last;
	rule[1] = test_rule(test, row->loser, row->loser_id, &test_target[2]);
	rule[1]->last = row->loser_last;

	/* Whichever comes first, and whichever goes first. */
	for (i = 0; i < 4; i++) {
		j = i & 1;
		KUNIT_ASSERT_EQ(test, vmq_rules_add(&ctx->rules, rule[j]), 0);
		expect_target(test, rule[j]->target);
		KUNIT_ASSERT_EQ(test, vmq_rules_add(&ctx->rules, rule[!j]), 0);
		expect_target(test, &test_target[1]);

		j = i >> 1;
		vmq_rules_del(&ctx->rules, rule[j]);
		expect_target(test, rule[!j]->target);
		vmq_rules_del(&ctx->rules, rule[!j]);
		expect_empty(test);
	}
}

/* ---- changes ---- */

/* The same test twice is refused, whatever else differs (O-11). */
static void test_exists(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	struct vmq_rule *rule, *again;
	enum test_kind kind;

	for (kind = 0; kind < KINDS; kind++) {
		rule = test_add(test, kind, 2, &test_target[1]);
		again = test_rule(test, kind, 1, &test_target[2]);
		KUNIT_EXPECT_EQ(test, vmq_rules_add(&ctx->rules, again),
				-EEXIST);
		again->last = true;
		KUNIT_EXPECT_EQ(test, vmq_rules_add(&ctx->rules, again),
				-EEXIST);
		KUNIT_EXPECT_EQ(test, ctx->rules.count, 1);
		expect_target(test, &test_target[1]);

		vmq_rules_del(&ctx->rules, rule);
		expect_empty(test);
		KUNIT_EXPECT_EQ(test, vmq_rules_add(&ctx->rules, again), 0);
		expect_target(test, &test_target[2]);
		vmq_rules_del(&ctx->rules, again);
		expect_empty(test);
	}
}

static void test_invalid(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	enum test_kind kind;
	struct vmq_rule *rule;

	for (kind = 0; kind < KINDS; kind++) {
		rule = test_rule(test, kind, 0, &test_target[1]);
		KUNIT_EXPECT_EQ(test, vmq_rules_add(&ctx->rules, rule),
				-EINVAL);
		rule = test_rule(test, kind, 1, NULL);
		KUNIT_EXPECT_EQ(test, vmq_rules_add(&ctx->rules, rule),
				-EINVAL);
		rule = test_rule(test, kind, 1, (u8 *)&test_target[1] + 2);
		KUNIT_EXPECT_EQ(test, vmq_rules_add(&ctx->rules, rule),
				-EINVAL);
		rule = test_rule(test, kind, 1, &test_target[1]);
		rule->key.l3 = 4;
		KUNIT_EXPECT_EQ(test, vmq_rules_add(&ctx->rules, rule),
				-EINVAL);
		expect_empty(test);
	}
}

/* A rule is found by what it tests, and not any more once it is deleted. */
static void test_find(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	struct vmq_rule *rule[KINDS];
	enum test_kind kind;
	struct vmq_key key;

	for (kind = 0; kind < KINDS; kind++) {
		rule[kind] = test_rule(test, kind, kind + 1, &test_target[1]);
		KUNIT_EXPECT_NULL(test, vmq_rules_find(&ctx->rules,
						       &rule[kind]->key,
						       &rule[kind]->mask));
		KUNIT_ASSERT_EQ(test, vmq_rules_add(&ctx->rules, rule[kind]),
				0);
	}
	KUNIT_EXPECT_EQ(test, ctx->rules.count, KINDS);

	for (kind = 0; kind < KINDS; kind++) {
		KUNIT_EXPECT_PTR_EQ(test,
				    vmq_rules_find(&ctx->rules,
						   &rule[kind]->key,
						   &rule[kind]->mask),
				    (const struct vmq_rule *)rule[kind]);
		key = rule[kind]->key;
		key.proto = 1;
		KUNIT_EXPECT_NULL(test, vmq_rules_find(&ctx->rules, &key,
						       &rule[kind]->mask));
		key = rule[kind]->key;
		key.dst[0] ^= 2;
		KUNIT_EXPECT_NULL(test, vmq_rules_find(&ctx->rules, &key,
						       &rule[kind]->mask));
		vmq_rules_del(&ctx->rules, rule[kind]);
		KUNIT_EXPECT_NULL(test, vmq_rules_find(&ctx->rules,
						       &rule[kind]->key,
						       &rule[kind]->mask));
	}
	expect_empty(test);
}

/* The same tests with another target, id or class: one store (F-30). */
static void test_replace_same(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	struct vmq_rule *old, *new, *low;
	enum test_kind kind;

	low = test_add(test, KIND_ALL, 100, &test_target[3]);
	for (kind = 0; kind < KIND_ALL; kind++) {
		old = test_add(test, kind, 50, &test_target[1]);
		new = test_rule(test, kind, 50, &test_target[2]);
		expect_target(test, &test_target[1]);
		KUNIT_EXPECT_EQ(test,
				vmq_rules_replace(&ctx->rules, old, new), 0);
		KUNIT_EXPECT_EQ(test, ctx->rules.count, 2);
		KUNIT_EXPECT_PTR_EQ(test,
				    vmq_rules_find(&ctx->rules, &old->key,
						   &old->mask),
				    (const struct vmq_rule *)new);
		expect_target(test, &test_target[2]);

		/* Last, where there is such a thing. */
		old = test_rule(test, kind, 50, &test_target[1]);
		old->last = true;
		KUNIT_EXPECT_EQ(test,
				vmq_rules_replace(&ctx->rules, new, old), 0);
		expect_target(test, kind < KIND_MAC_VID ? &test_target[1] :
							  &test_target[3]);

		/* And back, behind or before the other by its id. */
		new = test_rule(test, kind, 101, &test_target[2]);
		KUNIT_EXPECT_EQ(test,
				vmq_rules_replace(&ctx->rules, old, new), 0);
		expect_target(test, kind < KIND_OUI ? &test_target[2] :
						      &test_target[3]);
		old = test_rule(test, kind, 1, &test_target[1]);
		KUNIT_EXPECT_EQ(test,
				vmq_rules_replace(&ctx->rules, new, old), 0);
		expect_target(test, &test_target[1]);
		vmq_rules_del(&ctx->rules, old);
		expect_target(test, &test_target[3]);
	}
	vmq_rules_del(&ctx->rules, low);
	expect_empty(test);
}

/* From every kind to every kind, with the same id (F-30). */
static void test_replace_other(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	struct vmq_rule *old, *new;
	enum test_kind from, to;

	for (from = 0; from < KINDS; from++) {
		for (to = 0; to < KINDS; to++) {
			old = test_add(test, from, 1, &test_target[1]);
			new = test_rule(test, to, 1, &test_target[2]);
			KUNIT_EXPECT_EQ(test, vmq_rules_replace(&ctx->rules,
								old, new), 0);
			KUNIT_EXPECT_EQ(test, ctx->rules.count, 1);
			expect_target(test, &test_target[2]);
			vmq_rules_del(&ctx->rules, new);
			expect_empty(test);
		}
	}

	/* Another MAC address in the same table. */
	old = test_add(test, KIND_MAC_VID, 1, &test_target[1]);
	new = test_rule(test, KIND_MAC_VID, 1, &test_target[1]);
	test_mac(new->key.dst, 3);
	KUNIT_EXPECT_EQ(test, vmq_rules_replace(&ctx->rules, old, new), 0);
	expect_target(test, NULL);
	test_mac(ctx->frame.dst, 3);
	expect_target(test, &test_target[1]);
}

/* A refused replacement changes nothing. */
static void test_replace_fails(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	struct vmq_rule *old, *new;
	enum test_kind from, to;

	for (from = 0; from < KINDS; from++) {
		old = test_add(test, from, 1, &test_target[1]);
		for (to = 0; to < KINDS; to++) {
			new = test_rule(test, to, 0, &test_target[2]);
			KUNIT_EXPECT_EQ(test, vmq_rules_replace(&ctx->rules,
								old, new),
					-EINVAL);
			new = test_rule(test, to, 1, NULL);
			KUNIT_EXPECT_EQ(test, vmq_rules_replace(&ctx->rules,
								old, new),
					-EINVAL);
			if (to != from) {
				struct vmq_rule *third;

				third = test_add(test, to, 3, &test_target[3]);
				new = test_rule(test, to, 1, &test_target[2]);
				KUNIT_EXPECT_EQ(test,
						vmq_rules_replace(&ctx->rules,
								  old, new),
						-EEXIST);
				KUNIT_EXPECT_EQ(test, ctx->rules.count, 2);
				vmq_rules_del(&ctx->rules, third);
			}
			KUNIT_EXPECT_EQ(test, ctx->rules.count, 1);
			expect_target(test, &test_target[1]);
		}
		vmq_rules_del(&ctx->rules, old);
		expect_empty(test);
	}
}

/* All tests of a rule must pass (F-13), other fields do not count (F-16). */
static void test_masks(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	struct vmq_rule *rule[4];
	unsigned int i;

	/* 10.1.2.0/24, 10.1.0.0/16, 10.0.0.0/8 and a port; longest first. */
	for (i = 0; i < 4; i++) {
		rule[i] = test_rule(test, KIND_ALL, i + 1, &test_target[i]);
		if (i < 3)
			rule[i]->mask.saddr[0] = htonl(~0U << (8 + 8 * i));
		else
			rule[i]->mask.sport = htons(0xff00);
		test_apply_mask(rule[i], &ctx->frame);
	}
	for (i = 4; i--;) {
		KUNIT_ASSERT_EQ(test, vmq_rules_add(&ctx->rules, rule[i]), 0);
		expect_target(test, &test_target[i]);
	}

	ctx->frame.tos = 0xff;
	test_mac(ctx->frame.dst, 77);
	expect_target(test, &test_target[0]);
	ctx->frame.saddr[0] = htonl(0x0a0102ff);
	expect_target(test, &test_target[0]);
	ctx->frame.saddr[0] = htonl(0x0a0103ff);
	expect_target(test, &test_target[1]);
	ctx->frame.saddr[0] = htonl(0x0aff0300);
	expect_target(test, &test_target[2]);
	ctx->frame.saddr[0] = htonl(0x0bff0300);
	expect_target(test, &test_target[3]);
	ctx->frame.sport ^= htons(0x00ff);
	expect_target(test, &test_target[3]);
	ctx->frame.sport ^= htons(0x0100);
	expect_target(test, NULL);
}

/* ---- many rules ---- */

#define TEST_MANY	10000

/* Every third of the 10,000 accepts any tag. */
static void test_many_rule(struct vmq_rule *rule, u32 i)
{
	test_fill(rule, i % 3 ? KIND_MAC_VID : KIND_MAC, i + 1,
		  &test_target[i % 8]);
	test_mac(rule->key.dst, i / 2);
	if (i % 3)
		rule->key.vlan = htons(i % 2 + 1);
}

static bool test_many_found(struct test_ctx *ctx, struct vmq_rule *rule, u32 i)
{
	test_mac(ctx->frame.dst, i / 2);
	ctx->frame.vlan = htons(i % 3 ? i % 2 + 1 : 4000);
	return test_lookup(&ctx->rules, &ctx->frame) == rule->target;
}

/* 10,000 MAC addresses: the table grows, is found in, and shrinks. */
static void test_many_exact(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	struct vmq_exact *exact;
	struct vmq_rule *rule;
	u32 i, wrong = 0;

	rule = kvcalloc(TEST_MANY, sizeof(*rule), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rule);

	for (i = 0; i < TEST_MANY; i++) {
		test_many_rule(&rule[i], i);
		if (vmq_rules_add(&ctx->rules, &rule[i]))
			wrong++;
		exact = rcu_dereference_protected(ctx->rules.exact, 1);
		if (!IS_ALIGNED((unsigned long)exact->slot, 64) ||
		    exact->live != i + 1)
			wrong++;
	}
	KUNIT_EXPECT_EQ(test, ctx->rules.count, TEST_MANY);
	for (i = 0; i < TEST_MANY; i++)
		wrong += !test_many_found(ctx, &rule[i], i);
	KUNIT_EXPECT_EQ(test, wrong, 0);

	/* From the middle: those that are left must stay within reach. */
	for (i = TEST_MANY / 4; i < TEST_MANY; i++)
		vmq_rules_del(&ctx->rules, &rule[i]);
	for (i = 0; i < TEST_MANY; i++)
		wrong += test_many_found(ctx, &rule[i], i) !=
			 (i < TEST_MANY / 4);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	for (i = 0; i < TEST_MANY / 4; i++)
		vmq_rules_del(&ctx->rules, &rule[i]);
	expect_empty(test);
	exact = rcu_dereference_protected(ctx->rules.exact, 1);
	KUNIT_EXPECT_LE(test, exact->bits, 6);

	/* Slots that deleted rules leave behind are not left for ever. */
	for (i = 0; i < TEST_MANY / 2; i++) {
		test_fill(rule, KIND_MAC, 1, test_target);
		test_mac(rule->key.dst, i);
		if (vmq_rules_add(&ctx->rules, rule))
			wrong++;
		else
			vmq_rules_del(&ctx->rules, rule);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	exact = rcu_dereference_protected(ctx->rules.exact, 1);
	KUNIT_EXPECT_LE(test, exact->bits, 6);
	expect_empty(test);
	kvfree(rule);
}

/* 10,000 rules with one mask, their ids in no order. */
static void test_many_masked(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	struct vmq_rule *rule;
	u32 i, wrong = 0;

	rule = kvcalloc(TEST_MANY, sizeof(*rule), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rule);

	for (i = 0; i < TEST_MANY; i++) {
		test_fill(&rule[i], KIND_NTUPLE, i * 7919 % TEST_MANY + 1,
			  &test_target[i % 8]);
		rule[i].key.dport = htons(i);
		if (vmq_rules_add(&ctx->rules, &rule[i]))
			wrong++;
	}
	for (i = 0; i < TEST_MANY; i++) {
		ctx->frame.dport = htons(i);
		if (test_lookup(&ctx->rules, &ctx->frame) !=
		    &test_target[i % 8])
			wrong++;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	for (i = 0; i < TEST_MANY; i++)
		vmq_rules_del(&ctx->rules, &rule[i]);
	expect_empty(test);
	kvfree(rule);
}

/* Masks come and go; what was made for one serves the next. */
static void test_spare_tuples(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	struct vmq_rule *rule;
	unsigned int i;

	rule = test_rule(test, KIND_NTUPLE, 1, test_target);
	for (i = 0; i < 20; i++) {
		rule->mask.sport = htons(i);
		test_apply_mask(rule, &ctx->frame);
		KUNIT_ASSERT_EQ(test, vmq_rules_add(&ctx->rules, rule), 0);
		expect_target(test, test_target);
		KUNIT_EXPECT_TRUE(test, list_empty(&ctx->rules.spare));
		vmq_rules_del(&ctx->rules, rule);
		expect_empty(test);
		KUNIT_EXPECT_TRUE(test, list_is_singular(&ctx->rules.spare));
		synchronize_rcu();
	}

	/* Lookups may still be in one that was just emptied. */
	for (i = 0; i < 20; i++) {
		rule->mask.sport = htons(i);
		test_apply_mask(rule, &ctx->frame);
		KUNIT_ASSERT_EQ(test, vmq_rules_add(&ctx->rules, rule), 0);
		expect_target(test, test_target);
		vmq_rules_del(&ctx->rules, rule);
		expect_empty(test);
	}
}

/* ---- against a slow classifier ---- */

#define TEST_RULES	96
#define TEST_MASKS	40
#define TEST_LOOKUPS	120000

struct test_random {
	struct rnd_state rnd;
	struct vmq_key mask[TEST_MASKS];
	struct vmq_rule *rule[TEST_RULES];
	unsigned int n;
	u32 ids;
};

static u32 test_pick(struct test_random *r, u32 n)
{
	return prandom_u32_state(&r->rnd) % n;
}

static void test_random_frame(struct test_random *r, struct vmq_key *key)
{
	memset(key, 0, sizeof(*key));
	test_mac(key->dst, test_pick(r, 4));
	key->vlan = htons(test_pick(r, 4));
	if (!test_pick(r, 4))
		key->vlan |= htons(test_pick(r, 8) << VLAN_PRIO_SHIFT);
	test_mac(key->src, test_pick(r, 2));
	key->ethertype = htons(test_pick(r, 2) ? ETH_P_IP : ETH_P_IPV6);
	key->saddr[0] = htonl(0x0a000000 + test_pick(r, 4));
	key->daddr[3] = htonl(test_pick(r, 2));
	key->dport = htons(80 + test_pick(r, 2));
	key->tos = test_pick(r, 2) << 2;
	key->l3 = test_pick(r, 2) ? 4 : 6;
	key->l4 = test_pick(r, 2);
}

static void test_random_mask(struct test_random *r, struct vmq_key *mask)
{
	static const u16 vlan[] = {
		0, VLAN_VID_MASK, VLAN_VID_MASK, 0xffff, 0xe000, 0x0001
	};

	memset(mask, 0, sizeof(*mask));
	switch (test_pick(r, 8)) {
	case 0:
		break;
	case 1:
		memset(mask->dst, 0xff, 3);
		break;
	case 2:
		mask->dst[5] = test_pick(r, 4);
		break;
	default:
		eth_broadcast_addr(mask->dst);
	}
	mask->vlan = htons(vlan[test_pick(r, ARRAY_SIZE(vlan))]);
	/* Half of the rules are for MAC address and VLAN only. */
	if (test_pick(r, 2))
		return;
	if (!test_pick(r, 4))
		mask->src[5] = 0xff;
	if (!test_pick(r, 3))
		mask->ethertype = htons(0xffff);
	if (!test_pick(r, 3))
		mask->saddr[0] = htonl(~0U << test_pick(r, 3));
	if (!test_pick(r, 4))
		mask->daddr[3] = htonl(1);
	if (!test_pick(r, 4))
		mask->dport = htons(0xffff);
	if (!test_pick(r, 8))
		mask->tos = 0xfc;
	if (!test_pick(r, 8))
		mask->l3 = 0xff;
	if (!test_pick(r, 8))
		mask->l4 = 1;
}

/* From the words of O-11, byte by byte. */
static unsigned int test_rank(const struct vmq_rule *rule)
{
	const u8 *mask = (const u8 *)&rule->mask;
	unsigned int full = 0, rank = 3, i;

	for (i = 0; i < ETH_ALEN; i++)
		full += mask[i] == 0xff;
	if (mask[ETH_ALEN] & 0xf0)
		return 0;
	for (i = ETH_ALEN + 2; i < sizeof(rule->mask); i++)
		if (mask[i])
			return 0;
	if (full == ETH_ALEN && mask[6] == 0x0f && mask[7] == 0xff)
		rank = 1;
	else if (full == ETH_ALEN && !mask[6] && !mask[7])
		rank = 2;
	return rule->last ? rank + 4 : rank;
}

static void *test_slow_lookup(struct test_random *r, const struct vmq_key *key)
{
	struct vmq_rule *best = NULL;
	unsigned int i;

	for (i = 0; i < r->n; i++) {
		struct vmq_rule *rule = r->rule[i];

		if (!vmq_rule_matches(rule, key))
			continue;
		if (!best || test_rank(rule) < test_rank(best) ||
		    (test_rank(rule) == test_rank(best) && rule->id < best->id))
			best = rule;
	}
	return best ? best->target : NULL;
}

static struct vmq_rule *test_random_rule(struct test_random *r)
{
	struct vmq_rule *rule = kzalloc(sizeof(*rule), GFP_KERNEL);
	struct vmq_key frame;

	if (!rule)
		return NULL;
	rule->mask = r->mask[test_pick(r, TEST_MASKS)];
	test_random_frame(r, &frame);
	test_apply_mask(rule, &frame);
	/* All different, in no order. */
	rule->id = r->ids++ * 7919U % 1000003U + 1;
	rule->last = !test_pick(r, 4);
	rule->target = &test_target[test_pick(r, ARRAY_SIZE(test_target))];
	return rule;
}

static bool test_random_has(struct test_random *r, const struct vmq_rule *rule)
{
	unsigned int i;

	for (i = 0; i < r->n; i++)
		if (vmq_rule_same_match(r->rule[i], rule))
			return true;
	return false;
}

/* One change. Return: what went wrong. */
static int test_random_change(struct test_random *r, struct vmq_rules *rules,
			      bool drain)
{
	unsigned int i = r->n ? test_pick(r, r->n) : 0;
	struct vmq_rule *rule, *old = r->rule[i];
	unsigned int what = test_pick(r, 3);
	int err, expect;

	if (r->n && (drain || what == 0 || r->n == TEST_RULES)) {
		vmq_rules_del(rules, old);
		if (vmq_rules_find(rules, &old->key, &old->mask))
			return 1;
		kfree_rcu(old, rcu);
		r->rule[i] = r->rule[--r->n];
		return rules->count != r->n;
	}

	rule = test_random_rule(r);
	if (!rule)
		return 1;
	if (r->n && what == 1) {
		if (test_pick(r, 2)) {
			rule->key = old->key;
			rule->mask = old->mask;
		}
		if (test_pick(r, 2))
			rule->id = old->id;
		expect = test_random_has(r, rule) &&
			 !vmq_rule_same_match(old, rule) ? -EEXIST : 0;
		err = vmq_rules_replace(rules, old, rule);
		if (!err)
			r->rule[i] = rule;
	} else {
		old = NULL;
		expect = test_random_has(r, rule) ? -EEXIST : 0;
		err = vmq_rules_add(rules, rule);
		if (!err)
			r->rule[r->n++] = rule;
	}
	if (err)
		kfree(rule);
	else if (old)
		kfree_rcu(old, rcu);
	return err != expect || rules->count != r->n ||
	       (!err && vmq_rules_find(rules, &rule->key, &rule->mask) != rule);
}

/* As a linear search would find, whatever changes (F-13..F-16, F-18, O-11). */
static void test_reference(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	u32 i, j, wrong = 0, found = 0;
	struct test_random *r;
	struct vmq_key frame;
	void *target;

	r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, r);
	prandom_seed_state(&r->rnd, 0x766d71);

	for (i = 0; i < TEST_LOOKUPS && !wrong; i++) {
		/* Now and then, down to nothing and up with other masks. */
		for (j = 0; !(i % 20000) && j < TEST_MASKS; j++)
			test_random_mask(r, &r->mask[j]);
		if (!test_pick(r, 24))
			wrong += test_random_change(r, &ctx->rules,
						    i % 20000 > 16000);
		test_random_frame(r, &frame);
		target = test_slow_lookup(r, &frame);
		found += !!target;
		wrong += test_lookup(&ctx->rules, &frame) != target;
		if (!vmq_rules_masked(&ctx->rules))
			wrong += test_lookup_mac(&ctx->rules, frame.dst,
						 ntohs(frame.vlan) &
						 VLAN_VID_MASK) != target;
	}
	KUNIT_EXPECT_EQ_MSG(test, wrong, 0, "after %u lookups", i);
	KUNIT_EXPECT_GT(test, found, TEST_LOOKUPS / 4);
	KUNIT_EXPECT_LT(test, found, TEST_LOOKUPS);

	while (r->n && !wrong)
		wrong += test_random_change(r, &ctx->rules, true);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	expect_empty(test);
}

/* ---- lookups while rules change ---- */

struct test_reader {
	struct test_ctx *ctx;
	unsigned long lookups;
	unsigned long missed;
	unsigned long foreign;
};

static int test_read(void *data)
{
	struct test_reader *reader = data;
	struct test_ctx *ctx = reader->ctx;
	unsigned int i;
	void *target;

	while (!kthread_should_stop()) {
		rcu_read_lock();
		for (i = 0; i < 64; i++) {
			target = vmq_rules_lookup(&ctx->rules, &ctx->frame);
			reader->missed += !target;
			reader->foreign += target && target != &test_target[1] &&
					   target != &test_target[2];
			reader->lookups++;
		}
		rcu_read_unlock();
		cond_resched();
	}
	return 0;
}

static struct vmq_rule *test_alloc(enum test_kind kind, u32 id, void *target)
{
	struct vmq_rule *rule = kmalloc(sizeof(*rule), GFP_KERNEL);

	if (rule)
		test_fill(rule, kind, id, target);
	return rule;
}

/* One step of the rule that readers watch, and one of a rule besides it. */
static struct vmq_rule *test_write(struct vmq_rules *rules, struct rnd_state *rnd,
				   struct vmq_rule *old, struct vmq_rule **other)
{
	u32 random = prandom_u32_state(rnd);
	struct vmq_rule *rule, *new;

	new = test_alloc(random % KIND_ALL, 1,
			 &test_target[1 + (random >> 16) % 2]);
	if (!new)
		return NULL;
	if (!old ? vmq_rules_add(rules, new) :
		   vmq_rules_replace(rules, old, new)) {
		kfree(new);
		return NULL;
	}
	if (old)
		kfree_rcu(old, rcu);

	/* These grow the table, and open and close tuples. */
	if (*other) {
		vmq_rules_del(rules, *other);
		kfree_rcu(*other, rcu);
		*other = NULL;
	}
	rule = test_alloc((random >> 8) % KIND_VID, 2, &test_target[3]);
	if (rule) {
		test_mac(rule->key.dst, 0);
		rule->key.dst[0] ^= 0x10;
		rule->key.dst[5] = rule->mask.dst[5] & (random >> 24);
		if (vmq_rules_add(rules, rule))
			kfree(rule);
		else
			*other = rule;
	}
	return new;
}

/*
 * A rule moves between two targets and between all kinds. No lookup may see
 * neither, nor the rule behind it, nor one for other frames (F-30).
 */
static void test_concurrent(struct kunit *test)
{
	struct test_reader reader[2] = { };
	struct task_struct *task[2] = { };
	struct vmq_rule *old, *new, *other = NULL;
	struct test_ctx *ctx = test->priv;
	unsigned long end, moves = 0;
	struct rnd_state rnd;
	unsigned int i;

	/* What a lookup finds in a gap. */
	test_add(test, KIND_ALL, 9, &test_target[4])->last = true;
	prandom_seed_state(&rnd, 0x766d72);
	old = test_write(&ctx->rules, &rnd, NULL, &other);
	KUNIT_ASSERT_NOT_NULL(test, old);

	for (i = 0; i < ARRAY_SIZE(task); i++) {
		reader[i].ctx = ctx;
		task[i] = kthread_run(test_read, &reader[i], "vmq-rule/%u", i);
		if (IS_ERR(task[i]))
			break;
	}
	KUNIT_EXPECT_EQ(test, i, ARRAY_SIZE(task));

	end = jiffies + HZ;
	while (i && time_before(jiffies, end)) {
		new = test_write(&ctx->rules, &rnd, old, &other);
		if (!new)
			break;
		old = new;
		if (!(++moves % 64))
			usleep_range(50, 100);
		cond_resched();
	}
	KUNIT_EXPECT_TRUE(test, time_after_eq(jiffies, end));

	while (i--) {
		kthread_stop(task[i]);
		KUNIT_EXPECT_GT(test, reader[i].lookups, 0);
		KUNIT_EXPECT_EQ(test, reader[i].missed, 0);
		KUNIT_EXPECT_EQ(test, reader[i].foreign, 0);
		kunit_info(test, "%lu lookups during %lu moves\n",
			   reader[i].lookups, moves);
	}
	vmq_rules_del(&ctx->rules, old);
	kfree_rcu(old, rcu);
	if (other) {
		vmq_rules_del(&ctx->rules, other);
		kfree_rcu(other, rcu);
	}
}

/* ---- no memory ---- */

#ifdef CONFIG_FAULT_INJECTION
/* Lets the @n-th allocation of this task fail. */
static void test_fail_at(int n)
{
	current->fail_nth = n;
}

/* Return: did it? */
static bool test_failed(void)
{
	bool failed = !current->fail_nth;

	current->fail_nth = 0;
	return failed;
}
#else
static void test_fail_at(int n)
{
}

static bool test_failed(void)
{
	return false;
}
#endif

/* A table with no room, so that the next rule needs a new one. */
static void test_fill_table(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	struct vmq_exact *exact;
	struct vmq_rule *rule;

	for (;;) {
		exact = rcu_dereference_protected(ctx->rules.exact, 1);
		if (4 * (exact->used + 1) > 3 << exact->bits)
			return;
		rule = test_rule(test, KIND_MAC, 100, &test_target[3]);
		test_mac(rule->key.dst, 100 + ctx->others++);
		KUNIT_ASSERT_EQ(test, vmq_rules_add(&ctx->rules, rule), 0);
	}
}

static void test_no_memory(struct kunit *test)
{
	struct vmq_rule *rule, *better, *base, *moved;
	struct test_ctx *ctx = test->priv;
	unsigned int count, injected = 0;
	enum test_kind kind;
	bool failed;
	int err, n;

	test_fail_at(1);
	kfree(kmalloc(64, GFP_KERNEL));
	if (!test_failed())
		kunit_skip(test, "needs failslab with ignore-gfp-wait off");

	base = test_add(test, KIND_ALL, 5, &test_target[3]);
	for (kind = 0; kind < KIND_ALL; kind++) {
		rule = test_rule(test, kind, 4, &test_target[1]);
		better = test_rule(test, kind, 3, &test_target[2]);
		moved = test_rule(test, (kind + 1) % KIND_ALL, 2,
				  &test_target[2]);

		/* Add, until no allocation is left that could fail. */
		for (n = 1, failed = true, err = -ENOMEM; failed || err; n++) {
			test_fill_table(test);
			count = ctx->rules.count;
			test_fail_at(n);
			err = vmq_rules_add(&ctx->rules, rule);
			failed = test_failed();
			injected += failed;
			if (!err) {
				expect_target(test, &test_target[1]);
				if (failed)
					vmq_rules_del(&ctx->rules, rule);
				continue;
			}
			KUNIT_EXPECT_TRUE(test, failed);
			KUNIT_EXPECT_EQ(test, err, -ENOMEM);
			KUNIT_EXPECT_EQ(test, ctx->rules.count, count);
			KUNIT_EXPECT_NULL(test, vmq_rules_find(&ctx->rules,
							       &rule->key,
							       &rule->mask));
			expect_target(test, &test_target[3]);
			KUNIT_ASSERT_LT(test, n, 100);
		}

		/* Replace by one that comes earlier, then by another kind. */
		for (n = 1, err = -ENOMEM; err; n++) {
			test_fail_at(n);
			err = vmq_rules_replace(&ctx->rules, rule, better);
			injected += test_failed();
			expect_target(test, &test_target[err ? 1 : 2]);
			KUNIT_ASSERT_LT(test, n, 100);
		}
		for (n = 1, err = -ENOMEM; err; n++) {
			test_fill_table(test);
			test_fail_at(n);
			err = vmq_rules_replace(&ctx->rules, better, moved);
			injected += test_failed();
			expect_target(test, &test_target[2]);
			KUNIT_ASSERT_LT(test, n, 100);
		}

		/* Deleting cannot fail. */
		test_fail_at(1);
		vmq_rules_del(&ctx->rules, moved);
		injected += test_failed();
		expect_target(test, &test_target[3]);
	}

	/* What a delete could not tidy up, a later one does. */
	vmq_rules_del(&ctx->rules, base);
	KUNIT_EXPECT_FALSE(test, vmq_rules_masked(&ctx->rules));
	KUNIT_EXPECT_GT(test, injected, 3 * KIND_ALL);
}

static struct kunit_case vmq_rule_cases[] = {
	KUNIT_CASE_PARAM(test_vlan_rows, vlan_gen_params),
	KUNIT_CASE(test_multicast),
	KUNIT_CASE_PARAM(test_precedence, order_gen_params),
	KUNIT_CASE(test_exists),
	KUNIT_CASE(test_invalid),
	KUNIT_CASE(test_find),
	KUNIT_CASE(test_replace_same),
	KUNIT_CASE(test_replace_other),
	KUNIT_CASE(test_replace_fails),
	KUNIT_CASE(test_masks),
	KUNIT_CASE(test_many_exact),
	KUNIT_CASE(test_many_masked),
	KUNIT_CASE(test_spare_tuples),
	KUNIT_CASE(test_reference),
	KUNIT_CASE(test_concurrent),
	KUNIT_CASE(test_no_memory),
	{ }
};

static struct kunit_suite vmq_rule_suite = {
	.name = "vmq-rule",
	.init = test_init,
	.exit = test_exit,
	.test_cases = vmq_rule_cases,
};

kunit_test_suites(&vmq_rule_suite);

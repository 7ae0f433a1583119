// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the rule engine, case by case. Names in brackets are
 * requirements.
 */
#include <linux/slab.h>

#include "rule_fixture.h"

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

/* The table row by row (F-22). */
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

/* Which of two rules wins (F-15, O-11). */
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

/* What is no rule (F-02). */
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

/*
 * A rule is found by what it tests, and not any more once it is deleted (F-11).
 */
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

/* A refused replacement changes nothing (F-31). */
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

/* 10,000 MAC addresses: the table grows, is found in, and shrinks (F-14). */
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

/* 10,000 rules with one mask, their ids in no order (F-14). */
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

/* Masks come and go (F-18). */
static void test_masks_change(struct kunit *test)
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
		vmq_rules_del(&ctx->rules, rule);
		expect_empty(test);
		KUNIT_EXPECT_FALSE(test, vmq_rules_masked(&ctx->rules));
	}
}

/*
 * Holes that deleted rules leave do not hide others, and are used again (F-14).
 */
static void test_holes(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	unsigned int i, round, wrong = 0;
	struct vmq_rule *rule;

	rule = kvcalloc(TEST_MANY, sizeof(*rule), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rule);
	for (i = 0; i < TEST_MANY; i++) {
		test_fill(&rule[i], KIND_NTUPLE, i + 1, &test_target[i % 8]);
		rule[i].key.dport = htons(i);
	}
	for (round = 1; round < 8; round++) {
		for (i = 0; i < TEST_MANY; i++)
			if (i % round == 0 &&
			    vmq_rules_add(&ctx->rules, &rule[i]))
				wrong++;
		for (i = 0; i < TEST_MANY; i++) {
			ctx->frame.dport = htons(i);
			if (test_lookup(&ctx->rules, &ctx->frame) !=
			    (i % round ? NULL : &test_target[i % 8]))
				wrong++;
		}
		for (i = 0; i < TEST_MANY; i++)
			if (i % round == 0)
				vmq_rules_del(&ctx->rules, &rule[i]);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	expect_empty(test);
	kvfree(rule);
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
	KUNIT_CASE(test_masks_change),
	KUNIT_CASE(test_holes),
	{ }
};

static struct kunit_suite vmq_rule_suite = {
	.name = "vmq-rule",
	.init = test_init,
	.exit = test_exit,
	.test_cases = vmq_rule_cases,
};

kunit_test_suites(&vmq_rule_suite);

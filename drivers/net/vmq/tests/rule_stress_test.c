// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the rule engine with random rules against a slow classifier,
 * with lookups while rules change, and without memory.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "rule_fixture.h"

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

/* Each allocation fails in turn: nothing changed (F-10). */
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

static struct kunit_case vmq_rule_stress_cases[] = {
	KUNIT_CASE(test_reference),
	KUNIT_CASE(test_concurrent),
	KUNIT_CASE(test_no_memory),
	{ }
};

static struct kunit_suite vmq_rule_stress_suite = {
	.name = "vmq-rule-stress",
	.init = test_init,
	.exit = test_exit,
	.test_cases = vmq_rule_stress_cases,
};

kunit_test_suites(&vmq_rule_stress_suite);

// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of what must not matter: the order in which rules come, what was
 * there before, and the instant at which one takes the place of another.
 */
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "rule_fixture.h"

/* ---- every order of insertion (O-11) ---- */

#define TEST_OVERLAP	6

/* All match the frame; the earlier one wins. */
static const struct {
	enum test_kind kind;
	bool last;
	u32 id;
} test_overlap[TEST_OVERLAP] = {
	{ KIND_NTUPLE, true, 7 },
	{ KIND_TAG, false, 8 },
	{ KIND_MAC_VID, false, 5 },
	{ KIND_OUI, false, 2 },
	{ KIND_VID, false, 3 },
	{ KIND_MAC, true, 1 },
};

/* The next permutation in lexical order. Return: is there one? */
static bool test_permute(unsigned int *p, unsigned int n)
{
	unsigned int i = n - 1, j = n - 1;

	while (i && p[i - 1] > p[i])
		i--;
	if (!i)
		return false;
	while (p[j] < p[i - 1])
		j--;
	swap(p[i - 1], p[j]);
	for (j = n - 1; i < j; i++, j--)
		swap(p[i], p[j]);
	return true;
}

/*
 * 720 orders of insertion, each with the same winner, and with the same next one
 * when the winner is deleted (F-15, O-11).
 */
static void test_every_order(struct kunit *test)
{
	unsigned int order[TEST_OVERLAP], i, orders = 0, wrong = 0;
	struct vmq_rule *rule[TEST_OVERLAP];
	struct test_ctx *ctx = test->priv;
	unsigned int best;

	for (i = 0; i < TEST_OVERLAP; i++) {
		order[i] = i;
		rule[i] = test_rule(test, test_overlap[i].kind,
				    test_overlap[i].id, &test_target[i]);
		rule[i]->last = test_overlap[i].last;
	}
	do {
		best = TEST_OVERLAP;
		for (i = 0; i < TEST_OVERLAP; i++) {
			wrong += !!vmq_rules_add(&ctx->rules, rule[order[i]]);
			best = min(best, order[i]);
			wrong += test_lookup(&ctx->rules, &ctx->frame) !=
				 &test_target[best];
		}
		for (i = 0; i < TEST_OVERLAP; i++) {
			wrong += test_lookup(&ctx->rules, &ctx->frame) !=
				 &test_target[i];
			vmq_rules_del(&ctx->rules, rule[i]);
		}
		wrong += !!test_lookup(&ctx->rules, &ctx->frame);
		orders++;
		cond_resched();
	} while (!wrong && test_permute(order, TEST_OVERLAP));
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, orders, 720);
	expect_empty(test);
}

/* ---- 100,000 random rule sets ---- */

#define TEST_SETS	100000
#define TEST_POOL	24
#define TEST_MASKS	12
#define TEST_FRAMES	2	/* of each set */

struct test_sets {
	struct rnd_state rnd;
	struct vmq_key mask[TEST_MASKS];
	struct vmq_rule rule[TEST_POOL];
	bool in[TEST_POOL];
	unsigned int n;
};

static u32 test_pick(struct test_sets *s, u32 n)
{
	return prandom_u32_state(&s->rnd) % n;
}

/* Few values, so that rules and frames meet. */
static void test_any_frame(struct test_sets *s, struct vmq_key *key)
{
	memset(key, 0, sizeof(*key));
	test_mac(key->dst, test_pick(s, 3));
	key->vlan = htons(test_pick(s, 3) | test_pick(s, 2) << VLAN_PRIO_SHIFT);
	test_mac(key->src, test_pick(s, 2));
	key->l3 = test_pick(s, 2) ? 4 : 6;
	key->ethertype = htons(key->l3 == 4 ? ETH_P_IP : ETH_P_IPV6);
	key->saddr[0] = htonl(0x0a000000 + test_pick(s, 4));
	key->daddr[0] = htonl(0x0a000000 + test_pick(s, 4));
	key->proto = test_pick(s, 2) ? 6 : 17;
	key->tos = test_pick(s, 2) << 2;
	key->l4 = test_pick(s, 4) != 0;
	if (!key->l4)
		return;
	key->sport = htons(test_pick(s, 2));
	key->dport = htons(80 + test_pick(s, 2));
}

/* A field is left out, tested in full, or under a mask. */
static void test_any_mask(struct test_sets *s, struct vmq_key *mask)
{
	static const u16 vlan[] = { 0, 0, VLAN_VID_MASK, VLAN_VID_MASK, 0xffff, 1 };

	memset(mask, 0, sizeof(*mask));
	if (test_pick(s, 4))
		eth_broadcast_addr(mask->dst);
	else if (test_pick(s, 2))
		mask->dst[5] = 1;
	mask->vlan = htons(vlan[test_pick(s, ARRAY_SIZE(vlan))]);
	if (test_pick(s, 2))
		return;		/* half of them are for MAC and VLAN */
	if (!test_pick(s, 4))
		eth_broadcast_addr(mask->src);
	if (!test_pick(s, 3))
		mask->l3 = 0xff;
	if (!test_pick(s, 3))
		mask->saddr[0] = htonl(~0U << test_pick(s, 3));
	if (!test_pick(s, 3))
		mask->daddr[0] = htonl(~0U << test_pick(s, 3));
	if (!test_pick(s, 3))
		mask->proto = 0xff;
	if (!test_pick(s, 6))
		mask->tos = 0xfc;
	if (test_pick(s, 3))
		return;
	mask->l4 = 0xff;
	if (test_pick(s, 2))
		mask->sport = htons(0xffff);
	if (test_pick(s, 2))
		mask->dport = htons(test_pick(s, 2) ? 0xffff : 0xfffe);
}

/* Where a rule comes among all, from the words of O-11 and nothing else. */
static u64 test_place(const struct vmq_rule *rule)
{
	struct vmq_key rest = rule->mask;
	bool whole = is_broadcast_ether_addr(rule->mask.dst);
	u16 vlan = ntohs(rule->mask.vlan);
	u64 place;

	eth_zero_addr(rest.dst);
	rest.vlan = 0;
	if (memchr_inv(&rest, 0, sizeof(rest)) || (vlan & ~VLAN_VID_MASK))
		return rule->id;
	if (whole && vlan == VLAN_VID_MASK)
		place = 1;
	else if (whole && !vlan)
		place = 2;
	else
		place = 3;
	if (rule->last)
		place += 3;
	return place << 32 | rule->id;
}

static bool test_fits(const struct vmq_rule *rule, const struct vmq_key *frame)
{
	const u8 *key = (const u8 *)&rule->key, *mask = (const u8 *)&rule->mask;
	const u8 *f = (const u8 *)frame;
	size_t i;

	for (i = 0; i < sizeof(*frame); i++)
		if ((f[i] ^ key[i]) & mask[i])
			return false;
	return true;
}

static void *test_slow(struct test_sets *s, const struct vmq_key *frame)
{
	void *target = NULL;
	u64 best = U64_MAX;
	unsigned int i;

	for (i = 0; i < TEST_POOL; i++) {
		if (!s->in[i] || !test_fits(&s->rule[i], frame) ||
		    test_place(&s->rule[i]) >= best)
			continue;
		best = test_place(&s->rule[i]);
		target = s->rule[i].target;
	}
	return target;
}

static bool test_twin(struct test_sets *s, const struct vmq_rule *rule,
		      const struct vmq_rule *but)
{
	unsigned int i;

	for (i = 0; i < TEST_POOL; i++)
		if (s->in[i] && &s->rule[i] != but &&
		    !memcmp(&s->rule[i].key, &rule->key, sizeof(rule->key)) &&
		    !memcmp(&s->rule[i].mask, &rule->mask, sizeof(rule->mask)))
			return true;
	return false;
}

/*
 * From one set to the next: a rule more, less, or in the place of another. No
 * lookup runs meanwhile, so the memory of rules is used again at once.
 * Return: what went wrong.
 */
static unsigned int test_next_set(struct test_sets *s, struct vmq_rules *rules,
				  u32 number)
{
	unsigned int at = test_pick(s, TEST_POOL), to;
	struct vmq_rule *rule = &s->rule[at];
	struct vmq_key frame;
	int err, expect;

	if (s->in[at] && test_pick(s, 2)) {
		vmq_rules_del(rules, rule);
		s->in[at] = false;
		s->n--;
		return rules->count != s->n;
	}
	if (s->n == TEST_POOL)
		return 0;		/* all are in use, and this one stays */
	for (to = at; s->in[to]; to = (to + 1) % TEST_POOL)
		;
	rule = &s->rule[to];
	memset(rule, 0, sizeof(*rule));
	rule->mask = s->mask[test_pick(s, TEST_MASKS)];
	test_any_frame(s, &frame);
	test_apply_mask(rule, &frame);
	rule->id = number * 7919U % 1000003U + 1;	/* in no order */
	rule->last = !test_pick(s, 4);
	rule->target = &test_target[test_pick(s, ARRAY_SIZE(test_target))];

	if (to != at) {
		expect = test_twin(s, rule, &s->rule[at]) ? -EEXIST : 0;
		err = vmq_rules_replace(rules, &s->rule[at], rule);
		s->in[at] = !!err;
		s->n -= !err;
	} else {
		expect = test_twin(s, rule, NULL) ? -EEXIST : 0;
		err = vmq_rules_add(rules, rule);
	}
	s->in[to] = !err;
	s->n += !err;
	return err != expect || rules->count != s->n;
}

/* As a linear search says (F-13 to F-16, F-18, O-11), for every set. */
static void test_sets(struct kunit *test)
{
	unsigned int sets, i, found = 0, wrong = 0;
	struct test_ctx *ctx = test->priv;
	unsigned long begin = jiffies;
	struct vmq_key frame;
	struct test_sets *s;
	void *target;

	s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, s);
	prandom_seed_state(&s->rnd, 0x766d73);

	for (sets = 0; sets < TEST_SETS && !wrong; sets++) {
		/* other masks now and then, one at a time */
		if (!(sets % 50) || sets < TEST_MASKS)
			test_any_mask(s, &s->mask[sets < TEST_MASKS ? sets :
						  test_pick(s, TEST_MASKS)]);
		wrong += test_next_set(s, &ctx->rules, sets);
		for (i = 0; i < TEST_FRAMES; i++) {
			test_any_frame(s, &frame);
			target = test_slow(s, &frame);
			found += !!target;
			wrong += test_lookup(&ctx->rules, &frame) != target;
		}
		cond_resched();
	}
	KUNIT_EXPECT_EQ_MSG(test, wrong, 0, "in set %u of %u rules", sets, s->n);
	KUNIT_EXPECT_EQ(test, sets, TEST_SETS);
	/* neither all of them nor none */
	KUNIT_EXPECT_GT(test, found, TEST_SETS * TEST_FRAMES / 4);
	KUNIT_EXPECT_LT(test, found, TEST_SETS * TEST_FRAMES);
	kunit_info(test, "%u sets, %u of %u frames matched, %u ms\n", sets, found,
		   sets * TEST_FRAMES, jiffies_to_msecs(jiffies - begin));

	for (i = 0; i < TEST_POOL; i++)
		if (s->in[i])
			vmq_rules_del(&ctx->rules, &s->rule[i]);
	expect_empty(test);
}

/* ---- one takes the place of another (F-30) ---- */

#define TEST_NUMBERS	4096

static u64 test_number[TEST_NUMBERS];

struct test_watch {
	struct test_ctx *ctx;
	unsigned long *begun;		/* moves */
	unsigned long *done;
	unsigned long lookups;
	unsigned long neither;
	unsigned long old;		/* seen after its move was done */
	unsigned long early;		/* seen before its move was begun */
};

static int test_watch(void *data)
{
	struct test_watch *w = data;
	unsigned long from, to, at;
	void *target;

	while (!kthread_should_stop()) {
		if (!(w->lookups % 64))
			cond_resched();
		/* Who sees that a move is done sees the new rule. */
		from = smp_load_acquire(w->done);
		target = test_lookup(&w->ctx->rules, &w->ctx->frame);
		/* What was found was begun before: pairs with smp_wmb() below. */
		smp_rmb();
		to = READ_ONCE(*w->begun);
		w->lookups++;
		if (target < (void *)test_number ||
		    target >= (void *)(test_number + TEST_NUMBERS)) {
			w->neither++;
			continue;
		}
		/* too long ago to tell the numbers apart */
		if (to - from >= TEST_NUMBERS / 2)
			continue;
		at = (u64 *)target - test_number;
		at = (at - from % TEST_NUMBERS) % TEST_NUMBERS;
		if (at >= TEST_NUMBERS / 2)
			w->old++;
		else if (at > to - from)
			w->early++;
	}
	return 0;
}

/*
 * A rule moves on and on, by target alone or to another kind. A reader sees one
 * of both at each instant, and never again the one that it was before (F-30).
 */
static void test_moves_in_order(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	struct test_watch w[2] = { };
	struct task_struct *task[2] = { };
	unsigned long begun = 0, done = 0, end;
	struct vmq_rule *rule, *old;
	struct rnd_state rnd;
	unsigned int i;

	prandom_seed_state(&rnd, 0x766d74);
	/* what a lookup finds in a gap */
	test_add(test, KIND_ALL, 9, &test_target[4])->last = true;
	old = kmalloc(sizeof(*old), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, old);
	test_fill(old, KIND_MAC, 1, &test_number[0]);
	KUNIT_ASSERT_EQ(test, vmq_rules_add(&ctx->rules, old), 0);

	for (i = 0; i < ARRAY_SIZE(task); i++) {
		w[i].ctx = ctx;
		w[i].begun = &begun;
		w[i].done = &done;
		task[i] = kthread_run(test_watch, &w[i], "vmq-order/%u", i);
		if (IS_ERR(task[i]))
			break;
	}
	KUNIT_EXPECT_EQ(test, i, ARRAY_SIZE(task));

	end = jiffies + HZ;
	while (i && time_before(jiffies, end)) {
		rule = kmalloc(sizeof(*rule), GFP_KERNEL);
		if (!rule)
			break;
		test_fill(rule, prandom_u32_state(&rnd) % 3 ? KIND_MAC :
			  prandom_u32_state(&rnd) % KIND_ALL, 1,
			  &test_number[(begun + 1) % TEST_NUMBERS]);
		WRITE_ONCE(begun, begun + 1);
		/* Who finds the new rule knows that its move was begun. */
		smp_wmb();
		if (vmq_rules_replace(&ctx->rules, old, rule)) {
			kfree(rule);
			break;
		}
		/* The new rule was there before: pairs with the acquire. */
		smp_store_release(&done, done + 1);
		kfree_rcu(old, rcu);
		old = rule;
		cond_resched();
	}
	KUNIT_EXPECT_TRUE(test, time_after_eq(jiffies, end));

	while (i--) {
		kthread_stop(task[i]);
		KUNIT_EXPECT_GT(test, w[i].lookups, 0);
		KUNIT_EXPECT_EQ(test, w[i].neither, 0);
		KUNIT_EXPECT_EQ(test, w[i].old, 0);
		KUNIT_EXPECT_EQ(test, w[i].early, 0);
		kunit_info(test, "%lu lookups during %lu moves\n",
			   w[i].lookups, done);
	}
	vmq_rules_del(&ctx->rules, old);
	kfree_rcu(old, rcu);
}

static struct kunit_case vmq_rule_order_cases[] = {
	KUNIT_CASE(test_every_order),
	KUNIT_CASE_SLOW(test_sets),
	KUNIT_CASE(test_moves_in_order),
	{ }
};

static struct kunit_suite vmq_rule_order_suite = {
	.name = "vmq-rule-order",
	.init = test_init,
	.exit = test_exit,
	.test_cases = vmq_rule_order_cases,
};

kunit_test_suites(&vmq_rule_order_suite);

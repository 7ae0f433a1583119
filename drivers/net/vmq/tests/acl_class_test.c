// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the extension acl: the compiled lookup of rules against a plain walk.
 */
#include <kunit/test.h>
#include <linux/etherdevice.h>
#include <linux/if_ether.h>
#include <linux/ktime.h>
#include <linux/prandom.h>
#include <net/vmq.h>

#include "../ext/acl.h"

/* Few values of each field, so that rules and frames meet. */
static const u8 protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP,
			     IPPROTO_ICMPV6, IPPROTO_SCTP, 0 };
static const u8 lengths[] = { 0, 8, 24, 30, 31, 32, 64, 96, 127, 128 };
static const u8 macs[][ETH_ALEN] = {
	{ 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 }, { 2, 0, 1, 0, 0, 1 },
	{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
};

static const u8 mac_masks[][ETH_ALEN] = {
	{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, { 1 }, { 0xff, 0xff, 0xff },
	{ 0, 0, 0, 0, 0, 0xff },
};

static u32 pick(struct rnd_state *rnd, u32 below)
{
	return prandom_u32_state(rnd) % below;
}

static bool sometimes(struct rnd_state *rnd, u32 one_of)
{
	return !pick(rnd, one_of);
}

static u16 pick_port(struct rnd_state *rnd)
{
	u32 n = pick(rnd, 20);

	return n == 19 ? U16_MAX : n == 18 ? 40000 : n;
}

static void random_addr(struct rnd_state *rnd, u8 family, struct in6_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (family == AF_INET) {
		addr->s6_addr[0] = 10;
		addr->s6_addr[2] = pick(rnd, 2);
		addr->s6_addr[3] = pick(rnd, 5);
	} else {
		addr->s6_addr[0] = 0xfd;
		addr->s6_addr[8] = pick(rnd, 2);
		addr->s6_addr[15] = pick(rnd, 5);
	}
}

static u8 random_prefix(struct rnd_state *rnd, u8 family, struct in6_addr *addr,
			struct in6_addr *mask)
{
	u8 len = lengths[pick(rnd, family == AF_INET ? 6 : ARRAY_SIZE(lengths))];
	unsigned int i;

	random_addr(rnd, family, addr);
	for (i = 0; i < 128; i++) {
		if (i < len)
			mask->s6_addr[i / 8] |= 0x80 >> i % 8;
		else
			addr->s6_addr[i / 8] &= ~(0x80 >> i % 8);
	}

	return len;
}

static void random_mac(struct rnd_state *rnd, u8 *mac, u8 *mask)
{
	unsigned int i, m = pick(rnd, ARRAY_SIZE(mac_masks));

	ether_addr_copy(mac, macs[pick(rnd, ARRAY_SIZE(macs))]);
	ether_addr_copy(mask, mac_masks[m]);
	for (i = 0; i < ETH_ALEN; i++)
		mac[i] &= mask[i];
}

static void random_ports(struct rnd_state *rnd, u16 *min, u16 *max, u16 *key,
			 u16 *mask)
{
	*min = pick_port(rnd);
	*max = sometimes(rnd, 2) ? *min : pick_port(rnd);
	if (sometimes(rnd, 8)) {
		*min = 0;
		*max = U16_MAX;
	}
	if (*min > *max)
		swap(*min, *max);
	if (*min == *max) {
		*key = *min;
		*mask = U16_MAX;
	}
}

static void random_l4(struct rnd_state *rnd, struct acl_rule *rule)
{
	switch (rule->key.proto) {
	case IPPROTO_TCP:
		if (sometimes(rnd, 3)) {
			rule->mask.tcp = 1 + pick(rnd, 255);
			rule->key.tcp = prandom_u32_state(rnd) & rule->mask.tcp;
		}
		fallthrough;
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
		rule->has_sport = sometimes(rnd, 3);
		rule->has_dport = !sometimes(rnd, 3);
		if (rule->has_sport)
			random_ports(rnd, &rule->sport_min, &rule->sport_max,
				     &rule->key.sport, &rule->mask.sport);
		if (rule->has_dport)
			random_ports(rnd, &rule->dport_min, &rule->dport_max,
				     &rule->key.dport, &rule->mask.dport);
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		if (sometimes(rnd, 3))
			break;
		rule->mask.icmp_type = U8_MAX;
		rule->key.icmp_type = pick(rnd, 3);
		if (sometimes(rnd, 2))
			break;
		rule->mask.icmp_code = U8_MAX;
		rule->key.icmp_code = pick(rnd, 3);
		break;
	}
}

static void random_rule(struct rnd_state *rnd, struct acl_rule *rule, u32 id)
{
	u8 family = sometimes(rnd, 2) ? AF_INET : AF_INET6;

	memset(rule, 0, sizeof(*rule));
	rule->id = id;
	rule->priority = pick(rnd, 5);
	rule->dir = pick(rnd, 2);
	rule->allow = pick(rnd, 2);
	if (sometimes(rnd, 2)) {
		rule->key.family = family;
		rule->mask.family = U8_MAX;
		rule->has_src = sometimes(rnd, 2);
		rule->has_dst = sometimes(rnd, 2);
		if (rule->has_src)
			rule->src_len = random_prefix(rnd, family,
						      &rule->key.src,
						      &rule->mask.src);
		if (rule->has_dst)
			rule->dst_len = random_prefix(rnd, family,
						      &rule->key.dst,
						      &rule->mask.dst);
	}
	if (!sometimes(rnd, 3)) {
		rule->key.proto = protos[pick(rnd, ARRAY_SIZE(protos))];
		rule->mask.proto = U8_MAX;
		random_l4(rnd, rule);
	}
	if (sometimes(rnd, 8))
		random_mac(rnd, rule->key.eth_src, rule->mask.eth_src);
	if (sometimes(rnd, 8))
		random_mac(rnd, rule->key.eth_dst, rule->mask.eth_dst);
	if (sometimes(rnd, 8)) {
		rule->key.vlan = pick(rnd, 3);
		rule->mask.vlan = U16_MAX;
	}
	if (sometimes(rnd, 8)) {
		rule->key.ethertype = sometimes(rnd, 2) ? ETH_P_IP : ETH_P_ARP;
		rule->mask.ethertype = U16_MAX;
	}
	acl_rule_finish(rule);
}

static enum acl_view random_frame(struct rnd_state *rnd, struct acl_fields *f)
{
	enum acl_view view = sometimes(rnd, 4) ? ACL_VIEW_FRAGMENT :
						 ACL_VIEW_WHOLE;
	bool ipv4 = sometimes(rnd, 2);

	memset(f, 0, sizeof(*f));
	ether_addr_copy(f->eth_src, macs[pick(rnd, ARRAY_SIZE(macs))]);
	ether_addr_copy(f->eth_dst, macs[pick(rnd, ARRAY_SIZE(macs))]);
	f->vlan = pick(rnd, 3);
	if (sometimes(rnd, 10)) {
		f->ethertype = ETH_P_ARP;
		f->free = 1;
		return ACL_VIEW_WHOLE;
	}

	f->ethertype = ipv4 ? ETH_P_IP : ETH_P_IPV6;
	f->family = ipv4 ? AF_INET : AF_INET6;
	f->proto = protos[pick(rnd, ARRAY_SIZE(protos))];
	random_addr(rnd, f->family, &f->src);
	random_addr(rnd, f->family, &f->dst);
	if (!ipv4 && view == ACL_VIEW_FRAGMENT && sometimes(rnd, 2))
		return ACL_VIEW_NO_PROTO;
	if (view != ACL_VIEW_WHOLE)
		return view;

	f->tcp = f->proto == IPPROTO_TCP ? pick(rnd, 256) : 0;
	if (f->proto == IPPROTO_TCP || f->proto == IPPROTO_UDP ||
	    f->proto == IPPROTO_SCTP) {
		f->sport = pick_port(rnd);
		f->dport = pick_port(rnd);
	}
	if (f->proto == IPPROTO_ICMP || f->proto == IPPROTO_ICMPV6) {
		f->icmp_type = pick(rnd, 3);
		f->icmp_code = pick(rnd, 3);
		f->free = f->proto == IPPROTO_ICMPV6 && !f->icmp_type;
	}

	return view;
}

/* ---- a plain walk ---- */

static bool bits_fit(const void *value, const void *key, const void *mask,
		     size_t len)
{
	const u8 *v = value, *k = key, *m = mask;

	for (; len; len--, v++, k++, m++)
		if ((*v & *m) != *k)
			return false;

	return true;
}

static bool field_fits(const struct acl_rule *rule, const struct acl_fields *f,
		       size_t offset, size_t len)
{
	return bits_fit((const u8 *)f + offset, (const u8 *)&rule->key + offset,
			(const u8 *)&rule->mask + offset, len);
}

static const struct {
	size_t offset, len;
} always_known[] = {
	{ offsetof(struct acl_fields, src), sizeof(struct in6_addr) },
	{ offsetof(struct acl_fields, dst), sizeof(struct in6_addr) },
	{ offsetof(struct acl_fields, eth_src), ETH_ALEN },
	{ offsetof(struct acl_fields, eth_dst), ETH_ALEN },
	{ offsetof(struct acl_fields, ethertype), sizeof(u16) },
	{ offsetof(struct acl_fields, vlan), sizeof(u16) },
	{ offsetof(struct acl_fields, family), 1 },
	{ offsetof(struct acl_fields, free), 1 },
};

/* Says it the way that the documentation does: field by field. */
static bool plain_fits(const struct acl_rule *rule, const struct acl_fields *f,
		       enum acl_view view)
{
	const struct acl_fields *key = &rule->key, *mask = &rule->mask;
	unsigned int i;
	bool l4 = rule->has_sport || rule->has_dport || rule->mask.tcp ||
		  rule->mask.icmp_type || rule->mask.icmp_code;

	for (i = 0; i < ARRAY_SIZE(always_known); i++)
		if (!field_fits(rule, f, always_known[i].offset,
				always_known[i].len))
			return false;

	if (view == ACL_VIEW_NO_PROTO && (rule->mask.proto || l4))
		return !rule->allow;
	if ((f->proto & mask->proto) != key->proto)
		return false;
	if (view == ACL_VIEW_FRAGMENT && l4)
		return !rule->allow;
	if (rule->has_sport &&
	    (f->sport < rule->sport_min || f->sport > rule->sport_max))
		return false;
	if (rule->has_dport &&
	    (f->dport < rule->dport_min || f->dport > rule->dport_max))
		return false;

	return (f->tcp & mask->tcp) == key->tcp &&
	       (f->icmp_type & mask->icmp_type) == key->icmp_type &&
	       (f->icmp_code & mask->icmp_code) == key->icmp_code;
}

/* In the order of priority and id, found anew among rules in any order. */
static const struct acl_rule *plain_walk(const struct acl_rule *rule,
					 unsigned int n, u8 dir,
					 const struct acl_fields *f,
					 enum acl_view view)
{
	const struct acl_rule *best = NULL;
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (rule[i].dir != dir)
			continue;
		if (best && (best->priority < rule[i].priority ||
			     (best->priority == rule[i].priority &&
			      best->id < rule[i].id)))
			continue;
		if (plain_fits(&rule[i], f, view))
			best = &rule[i];
	}

	return best;
}

/* ---- tests ---- */

static const struct acl_rule *compiled(const struct acl_rules *rules, u8 dir,
				       const struct acl_fields *f,
				       enum acl_view view)
{
	const struct acl_class *class = rules->class[dir][view];

	return class ? acl_class_find(class, rules->rule, f) : NULL;
}

static void compare(struct kunit *test, struct rnd_state *rnd,
		    const struct acl_rule *rule, unsigned int n,
		    unsigned int frames, unsigned int *found)
{
	struct acl_rules *rules = acl_rules_build(rule, n);
	const struct acl_rule *a, *b;
	struct acl_fields f;
	enum acl_view view;
	u8 dir;

	KUNIT_ASSERT_NOT_NULL(test, rules);
	while (frames--) {
		view = random_frame(rnd, &f);
		dir = pick(rnd, 2);
		a = plain_walk(rule, n, dir, &f, view);
		b = compiled(rules, dir, &f, view);
		*found += !!a;
		if ((a ? a->id : 0) == (b ? b->id : 0))
			continue;
		KUNIT_FAIL(test, "of %u rules %u, not %u: view %u, proto %u, ports %u %u",
			   n, b ? b->id : 0, a ? a->id : 0, view, f.proto,
			   f.sport, f.dport);
		break;
	}
	acl_rules_destroy(rules);
}

/* 100,000 random rule sets, or with a slow kernel fewer with more frames each. */
static void acl_class_random_test(struct kunit *test)
{
	unsigned int sets = IS_ENABLED(CONFIG_KASAN) ? 10000 : 100000;
	unsigned int frames = 200000 / sets, found = 0, i, j, n;
	struct acl_rule *rule;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, 17);
	rule = kunit_kmalloc_array(test, 16, sizeof(*rule), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rule);
	for (i = 0; i < sets; i++) {
		n = 1 + pick(&rnd, 16);
		for (j = 0; j < n; j++)
			random_rule(&rnd, &rule[j], j + 1);
		compare(test, &rnd, rule, n, frames, &found);
		cond_resched();
	}
	/* Neither never nor always. */
	KUNIT_EXPECT_GT(test, found, sets * frames / 10);
	KUNIT_EXPECT_LT(test, found, sets * frames * 9 / 10);
	kunit_info(test, "%u rule sets, %u of %u frames fit a rule", sets,
		   found, sets * frames);
}

/* Many rules, most of them with ranges of ports in the same nodes. */
static void acl_class_ranges_test(struct kunit *test)
{
	unsigned int i, j, n, found = 0;
	struct acl_rule *rule;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, 18);
	rule = kvmalloc_array(600, sizeof(*rule), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rule);
	for (i = 0; i < 40; i++) {
		n = 50 + pick(&rnd, 550);
		for (j = 0; j < n; j++) {
			random_rule(&rnd, &rule[j], j + 1);
			if (sometimes(&rnd, 4))
				continue;
			memset(&rule[j].key, 0, sizeof(rule[j].key));
			memset(&rule[j].mask, 0, sizeof(rule[j].mask));
			rule[j].priority = pick(&rnd, 1000);
			rule[j].key.proto = i & 1 ? IPPROTO_TCP : IPPROTO_UDP;
			rule[j].mask.proto = U8_MAX;
			rule[j].has_sport = i & 2 || !rule[j].has_dport;
			rule[j].has_dport = i & 4 || !rule[j].has_sport;
			rule[j].sport_min = pick(&rnd, 65536);
			rule[j].sport_max = rule[j].sport_min +
				pick(&rnd, 65536 - rule[j].sport_min);
			rule[j].dport_min = pick_port(&rnd);
			rule[j].dport_max = rule[j].dport_min +
				pick(&rnd, 65536 - rule[j].dport_min);
			acl_rule_finish(&rule[j]);
			/* A range of one is in the key, as when it is parsed. */
			if (rule[j].has_sport &&
			    rule[j].sport_min == rule[j].sport_max) {
				rule[j].key.sport = rule[j].sport_min;
				rule[j].mask.sport = U16_MAX;
			}
			if (rule[j].has_dport &&
			    rule[j].dport_min == rule[j].dport_max) {
				rule[j].key.dport = rule[j].dport_min;
				rule[j].mask.dport = U16_MAX;
			}
		}
		compare(test, &rnd, rule, n, 1000, &found);
		cond_resched();
	}
	kvfree(rule);
	KUNIT_EXPECT_GT(test, found, 0);
}

/* 1,000 rules of which a frame fits none, in @masks prefix lengths. */
static void many_rules(struct acl_rule *rule, unsigned int n, unsigned int masks,
		       bool ranges)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct acl_rule *r = &rule[i];
		u8 len = 32 - i % masks;

		memset(r, 0, sizeof(*r));
		r->id = i + 1;
		r->priority = i;
		r->key.family = AF_INET;
		r->mask.family = U8_MAX;
		r->key.proto = IPPROTO_TCP;
		r->mask.proto = U8_MAX;
		if (ranges) {
			r->has_dport = true;
			r->dport_min = 10 + 4 * i;
			r->dport_max = r->dport_min + 2;
		} else {
			r->mask.src.s6_addr32[0] = htonl(~0U << (32 - len));
			r->key.src.s6_addr32[0] =
				htonl(0x0a000000 + (i << 12)) &
				r->mask.src.s6_addr32[0];
		}
		acl_rule_finish(r);
	}
}

static void cost(struct kunit *test, const char *what, struct acl_rule *rule,
		 unsigned int n)
{
	u64 start, plain = U64_MAX, fast = U64_MAX;
	struct acl_fields f = {
		.family = AF_INET, .proto = IPPROTO_TCP, .dport = 5,
		.src.s6_addr = { 192, 168 },
	};
	struct acl_rules *rules = acl_rules_build(rule, n);
	unsigned int round, i, hits = 0;

	KUNIT_ASSERT_NOT_NULL(test, rules);
	/* The best of several rounds, for the machine may be busy. */
	for (round = 0; round < 10 || (round < 100 && fast * 5 >= plain); round++) {
		start = ktime_get_ns();
		for (i = 0; i < 100; i++) {
			OPTIMIZER_HIDE_VAR(rule);
			hits += !!plain_walk(rule, n, VMQ_TO_GUEST, &f,
					     ACL_VIEW_WHOLE);
		}
		plain = min(plain, ktime_get_ns() - start);
		start = ktime_get_ns();
		for (i = 0; i < 100; i++) {
			OPTIMIZER_HIDE_VAR(rules);
			hits += !!compiled(rules, VMQ_TO_GUEST, &f, ACL_VIEW_WHOLE);
		}
		fast = min(fast, ktime_get_ns() - start);
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, 0, hits);
	KUNIT_EXPECT_LT_MSG(test, fast * 5, plain, "%s", what);
	kunit_info(test, "%u rules, %s: %llu ns a frame, one after the other %llu ns",
		   n, what, fast / 100, plain / 100);
	acl_rules_destroy(rules);
}

static void acl_class_cost_test(struct kunit *test)
{
	unsigned int n = 1000;
	struct acl_rules *rules;
	struct acl_rule *rule;

	rule = kvmalloc_array(n, sizeof(*rule), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rule);
	many_rules(rule, n, 8, false);
	rules = acl_rules_build(rule, n);
	KUNIT_ASSERT_NOT_NULL(test, rules);
	KUNIT_EXPECT_EQ(test, 8,
			acl_class_groups(rules->class[0][ACL_VIEW_WHOLE]));
	acl_rules_destroy(rules);
	cost(test, "8 masks", rule, n);
	many_rules(rule, n, 1, true);
	cost(test, "ranges of ports", rule, n);
	kvfree(rule);
}

static struct kunit_case acl_class_cases[] = {
	KUNIT_CASE_SLOW(acl_class_random_test),
	KUNIT_CASE_SLOW(acl_class_ranges_test),
	KUNIT_CASE(acl_class_cost_test),
	{}
};

static struct kunit_suite acl_class_suite = {
	.name = "vmq_acl_class",
	.test_cases = acl_class_cases,
};

kunit_test_suites(&acl_class_suite);

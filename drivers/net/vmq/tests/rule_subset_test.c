// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of every subset of the fields of n-tuple rules: from ethtool's flow
 * specification through the rule engine to frames that match, and to frames that
 * differ in one bit.
 */
#include <kunit/test.h>
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/net_namespace.h>

#include "../vmq_priv.h"

/* ---- a frame, as what it is made of ---- */

struct test_packet {
	u8 dst[ETH_ALEN];
	u8 src[ETH_ALEN];
	u8 ethertype[2];
	u8 tci[2];
	u8 saddr[16];		/* the first four for IPv4 */
	u8 daddr[16];
	u8 tos;
	u8 proto;
	u8 sport[2];
	u8 dport[2];
};

enum test_field {
	FIELD_DST,
	FIELD_SRC,
	FIELD_ETHERTYPE,
	FIELD_TCI,
	FIELD_SADDR,
	FIELD_DADDR,
	FIELD_TOS,
	FIELD_PROTO,
	FIELD_SPORT,
	FIELD_DPORT,
	FIELDS
};

static const struct {
	u8 at;
	u8 len;
} test_fields[FIELDS] = {
	[FIELD_DST] = { offsetof(struct test_packet, dst), ETH_ALEN },
	[FIELD_SRC] = { offsetof(struct test_packet, src), ETH_ALEN },
	[FIELD_ETHERTYPE] = { offsetof(struct test_packet, ethertype), 2 },
	[FIELD_TCI] = { offsetof(struct test_packet, tci), 2 },
	[FIELD_SADDR] = { offsetof(struct test_packet, saddr), 16 },
	[FIELD_DADDR] = { offsetof(struct test_packet, daddr), 16 },
	[FIELD_TOS] = { offsetof(struct test_packet, tos), 1 },
	[FIELD_PROTO] = { offsetof(struct test_packet, proto), 1 },
	[FIELD_SPORT] = { offsetof(struct test_packet, sport), 2 },
	[FIELD_DPORT] = { offsetof(struct test_packet, dport), 2 },
};

#define TEST_L2		(BIT(FIELD_DST) | BIT(FIELD_SRC) |		\
			 BIT(FIELD_ETHERTYPE) | BIT(FIELD_TCI))
#define TEST_L4		(BIT(FIELD_DST) | BIT(FIELD_TCI) |		\
			 BIT(FIELD_SADDR) | BIT(FIELD_DADDR) |		\
			 BIT(FIELD_TOS) | BIT(FIELD_SPORT) | BIT(FIELD_DPORT))
#define TEST_L3		(TEST_L4 | BIT(FIELD_PROTO))

static const struct test_flow {
	const char *name;
	u32 type;
	u8 l3;
	u8 proto;
	u32 fields;		/* that a rule of this type can test */
} test_flows[] = {
	{ "ether", ETHER_FLOW, 0, 0, TEST_L2 },
	{ "ip4", IP_USER_FLOW, 4, IPPROTO_UDP, TEST_L3 },
	{ "tcp4", TCP_V4_FLOW, 4, IPPROTO_TCP, TEST_L4 },
	{ "udp4", UDP_V4_FLOW, 4, IPPROTO_UDP, TEST_L4 },
	{ "sctp4", SCTP_V4_FLOW, 4, IPPROTO_SCTP, TEST_L4 },
	{ "ip6", IPV6_USER_FLOW, 6, IPPROTO_UDP, TEST_L3 },
	{ "tcp6", TCP_V6_FLOW, 6, IPPROTO_TCP, TEST_L4 },
	{ "udp6", UDP_V6_FLOW, 6, IPPROTO_UDP, TEST_L4 },
	{ "sctp6", SCTP_V6_FLOW, 6, IPPROTO_SCTP, TEST_L4 },
};

/* Which bits of a field are tested. */
enum test_style { STYLE_ALL, STYLE_FIRST, STYLE_LAST, STYLES };

struct test_ctx {
	struct vmq_adapter *a;
	const struct test_flow *flow;
	struct test_packet packet;
	struct sk_buff *skb;
	unsigned int lookups;
};

static u64 test_target;

static u8 test_mask(enum test_style style, enum test_field field, unsigned int i)
{
	unsigned int len = test_fields[field].len;

	switch (style) {
	case STYLE_FIRST:	/* as of a prefix, or an OUI */
		return len == 1 ? 0xf0 : i < len / 2 ? 0xff : 0;
	case STYLE_LAST:	/* one bit */
		return i == len - 1 ? 0x01 : 0;
	default:
		return 0xff;
	}
}

static bool test_is_short(const struct test_ctx *ctx, enum test_field field)
{
	return ctx->flow->l3 != 6 &&
	       (field == FIELD_SADDR || field == FIELD_DADDR);
}

static unsigned int test_len(const struct test_ctx *ctx, enum test_field field)
{
	return test_is_short(ctx, field) ? 4 : test_fields[field].len;
}

static void test_default(struct test_ctx *ctx)
{
	static const u8 bytes[] = { 0x52, 0x54, 0x9a, 0x63, 0x0f, 0x36 };
	struct test_packet *p = &ctx->packet;
	u8 *all = (u8 *)p;
	unsigned int i;

	for (i = 0; i < sizeof(*p); i++)
		all[i] = bytes[i % sizeof(bytes)] ^ i;
	p->dst[0] = 0x52;
	p->src[0] = 0x52;
	p->tci[0] = 0x65;
	p->proto = ctx->flow->proto;
	p->ethertype[0] = 0x88;
	p->ethertype[1] = 0xb5;
	if (ctx->flow->l3) {
		p->ethertype[0] = ctx->flow->l3 == 4 ? 0x08 : 0x86;
		p->ethertype[1] = ctx->flow->l3 == 4 ? 0x00 : 0xdd;
	}
}

/* Writes the packet into the frame, its tag into the metadata. */
static void test_write(struct test_ctx *ctx)
{
	const struct test_packet *p = &ctx->packet;
	struct sk_buff *skb = ctx->skb;
	struct ethhdr *eth = eth_hdr(skb);
	u8 *l4 = skb->data;

	memset(skb->data, 0, skb->len);
	ether_addr_copy(eth->h_dest, p->dst);
	ether_addr_copy(eth->h_source, p->src);
	memcpy(&eth->h_proto, p->ethertype, 2);
	memcpy(&skb->protocol, p->ethertype, 2);
	__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q),
			       p->tci[0] << 8 | p->tci[1]);
	if (ctx->flow->l3 == 4) {
		struct iphdr *ip = (struct iphdr *)skb->data;

		ip->version = 4;
		ip->ihl = 5;
		ip->tos = p->tos;
		ip->tot_len = htons(skb->len);
		ip->ttl = 64;
		ip->protocol = p->proto;
		memcpy(&ip->saddr, p->saddr, 4);
		memcpy(&ip->daddr, p->daddr, 4);
		l4 += sizeof(*ip);
	} else if (ctx->flow->l3 == 6) {
		struct ipv6hdr *ip = (struct ipv6hdr *)skb->data;

		skb->data[0] = 0x60 | p->tos >> 4;
		skb->data[1] = p->tos << 4;
		ip->payload_len = htons(skb->len - sizeof(*ip));
		ip->nexthdr = p->proto;
		ip->hop_limit = 64;
		memcpy(&ip->saddr, p->saddr, 16);
		memcpy(&ip->daddr, p->daddr, 16);
		l4 += sizeof(*ip);
	}
	if (!ctx->flow->l3)
		return;
	memcpy(l4, p->sport, 2);
	memcpy(l4 + 2, p->dport, 2);
	if (p->proto == IPPROTO_TCP)
		l4[12] = 0x50;
}

/* ---- a rule, as ethtool gives it ---- */

static void test_set_ip4(union ethtool_flow_union *u, u32 type,
			 enum test_field field, const u8 *v)
{
	struct ethtool_usrip4_spec *ip = &u->usr_ip4_spec;
	struct ethtool_tcpip4_spec *l4 = &u->tcp_ip4_spec;
	bool user = type == IP_USER_FLOW;

	if (field == FIELD_SADDR)
		memcpy(user ? &ip->ip4src : &l4->ip4src, v, 4);
	else if (field == FIELD_DADDR)
		memcpy(user ? &ip->ip4dst : &l4->ip4dst, v, 4);
	else if (field == FIELD_TOS)
		*(user ? &ip->tos : &l4->tos) = *v;
	else if (field == FIELD_PROTO)
		ip->proto = *v;
	else if (field == FIELD_SPORT)
		memcpy(user ? (u8 *)&ip->l4_4_bytes : (u8 *)&l4->psrc, v, 2);
	else
		memcpy(user ? (u8 *)&ip->l4_4_bytes + 2 : (u8 *)&l4->pdst, v, 2);
}

static void test_set_ip6(union ethtool_flow_union *u, u32 type,
			 enum test_field field, const u8 *v)
{
	struct ethtool_usrip6_spec *ip = &u->usr_ip6_spec;
	struct ethtool_tcpip6_spec *l4 = &u->tcp_ip6_spec;
	bool user = type == IPV6_USER_FLOW;

	if (field == FIELD_SADDR)
		memcpy(user ? ip->ip6src : l4->ip6src, v, 16);
	else if (field == FIELD_DADDR)
		memcpy(user ? ip->ip6dst : l4->ip6dst, v, 16);
	else if (field == FIELD_TOS)
		*(user ? &ip->tclass : &l4->tclass) = *v;
	else if (field == FIELD_PROTO)
		ip->l4_proto = *v;
	else if (field == FIELD_SPORT)
		memcpy(user ? (u8 *)&ip->l4_4_bytes : (u8 *)&l4->psrc, v, 2);
	else
		memcpy(user ? (u8 *)&ip->l4_4_bytes + 2 : (u8 *)&l4->pdst, v, 2);
}

/* One field of one half, the values or the masks: both have the same form. */
static void test_set(const struct test_ctx *ctx, union ethtool_flow_union *u,
		     struct ethtool_flow_ext *ext, enum test_field field,
		     const u8 *v)
{
	if (field == FIELD_TCI)
		memcpy(&ext->vlan_tci, v, 2);
	else if (field == FIELD_DST && ctx->flow->l3)
		ether_addr_copy(ext->h_dest, v);
	else if (field == FIELD_DST)
		ether_addr_copy(u->ether_spec.h_dest, v);
	else if (field == FIELD_SRC)
		ether_addr_copy(u->ether_spec.h_source, v);
	else if (field == FIELD_ETHERTYPE)
		memcpy(&u->ether_spec.h_proto, v, 2);
	else if (ctx->flow->l3 == 4)
		test_set_ip4(u, ctx->flow->type, field, v);
	else
		test_set_ip6(u, ctx->flow->type, field, v);
}

static void test_rule(const struct test_ctx *ctx, u32 subset,
		      enum test_style style, struct ethtool_rx_flow_spec *fs)
{
	const u8 *all = (const u8 *)&ctx->packet;
	enum test_field field;
	u8 key[16], mask[16];
	unsigned int i;

	memset(fs, 0, sizeof(*fs));
	fs->flow_type = ctx->flow->type;
	if (ctx->flow->type == IP_USER_FLOW)
		fs->h_u.usr_ip4_spec.ip_ver = ETH_RX_NFC_IP4;
	if (subset & BIT(FIELD_TCI))
		fs->flow_type |= FLOW_EXT;
	if (ctx->flow->l3 && (subset & BIT(FIELD_DST)))
		fs->flow_type |= FLOW_MAC_EXT;
	for (field = 0; field < FIELDS; field++) {
		if (!(subset & BIT(field)))
			continue;
		for (i = 0; i < test_len(ctx, field); i++) {
			mask[i] = field == FIELD_PROTO ? 0xff :
				  test_is_short(ctx, field) &&
				  style == STYLE_LAST ? (i == 3) :
				  test_is_short(ctx, field) &&
				  style == STYLE_FIRST ? (i < 2 ? 0xff : 0) :
				  test_mask(style, field, i);
			/* what is outside of the mask does not count */
			key[i] = all[test_fields[field].at + i] ^ (u8)~mask[i];
		}
		test_set(ctx, &fs->h_u, &fs->h_ext, field, key);
		test_set(ctx, &fs->m_u, &fs->m_ext, field, mask);
	}
}

/* ---- the frames that match, and those that do not ---- */

static bool test_hit(struct test_ctx *ctx)
{
	void *found;

	test_write(ctx);
	rcu_read_lock();
	found = vmq_classify(ctx->a, ctx->skb);
	rcu_read_unlock();
	ctx->lookups++;
	return found == &test_target;
}

/* Its bits are what the frame is, not what a rule of this type leaves open. */
static bool test_structural(const struct test_ctx *ctx, enum test_field field,
			    u32 subset)
{
	if (!ctx->flow->l3)
		return false;
	if (field == FIELD_ETHERTYPE)
		return true;
	return field == FIELD_PROTO &&
	       !(ctx->flow->fields & subset & BIT(FIELD_PROTO));
}

static bool test_bit_tested(const struct test_ctx *ctx, u32 subset,
			    enum test_style style, enum test_field field,
			    unsigned int i, u8 bit)
{
	u8 mask;

	if (!(subset & BIT(field)))
		return false;
	if (field == FIELD_PROTO)
		return true;
	if (test_is_short(ctx, field))
		mask = style == STYLE_ALL ? 0xff : style == STYLE_LAST ?
		       (i == 3) : i < 2 ? 0xff : 0;
	else
		mask = test_mask(style, field, i);
	return mask & bit;
}

/* Return: frames that were classified wrongly. */
static unsigned int test_flips(struct test_ctx *ctx, u32 subset,
			       enum test_style style)
{
	static const u8 bits[] = { 0x01, 0x80 };
	unsigned int i, b, wrong = 0;
	enum test_field field;
	u8 *byte;

	for (field = 0; field < FIELDS; field++) {
		if (test_structural(ctx, field, subset) ||
		    (!ctx->flow->l3 && field > FIELD_TCI))
			continue;
		/* the first byte, the last, and on either side of the middle */
		for (i = 0; i < test_len(ctx, field); i++) {
			if (i && i != test_len(ctx, field) - 1 &&
			    i != test_len(ctx, field) / 2)
				continue;
			byte = (u8 *)&ctx->packet + test_fields[field].at + i;
			for (b = 0; b < ARRAY_SIZE(bits); b++) {
				*byte ^= bits[b];
				wrong += test_hit(ctx) ==
					 test_bit_tested(ctx, subset, style,
							 field, i, bits[b]);
				*byte ^= bits[b];
			}
		}
	}
	return wrong;
}

static unsigned int test_subset(struct kunit *test, struct test_ctx *ctx,
				u32 subset, enum test_style style)
{
	struct vmq_filter_spec spec = {};
	struct ethtool_rx_flow_spec fs;
	struct vmq_rule *rule;
	unsigned int wrong;

	rule = kzalloc(sizeof(*rule), GFP_KERNEL);
	test_rule(ctx, subset, style, &fs);
	if (!rule || vmq_nfc_parse_match(&spec, &fs)) {
		kfree(rule);
		return 1;
	}
	rule->key = spec.key;
	rule->mask = spec.mask;
	rule->id = 1;
	rule->target = &test_target;
	if (vmq_rules_add(&ctx->a->rules, rule)) {
		kfree(rule);
		return 1;
	}
	wrong = !test_hit(ctx);
	wrong += test_flips(ctx, subset, style);
	vmq_rules_del(&ctx->a->rules, rule);
	wrong += test_hit(ctx);
	kfree_rcu(rule, rcu);
	if (wrong)
		kunit_err(test, "%s, fields %#x, style %d: %u wrong\n",
			  ctx->flow->name, subset, style, wrong);
	return wrong;
}

KUNIT_ARRAY_PARAM_DESC(flow, test_flows, name);

/*
 * Every subset of the fields, under three masks: all tests must pass (F-13),
 * other fields and other bits do not count (F-16, F-18), values are in network
 * byte order (F-19).
 */
static void test_subsets(struct kunit *test)
{
	const struct test_flow *flow = test->param_value;
	struct test_ctx *ctx = test->priv;
	unsigned int wrong = 0, subsets = 0;
	enum test_style style;
	u32 subset;

	ctx->flow = flow;
	test_default(ctx);
	for (style = 0; style < STYLES && !wrong; style++) {
		for (subset = 0; subset <= flow->fields && !wrong; subset++) {
			if (subset & ~flow->fields)
				continue;
			wrong += test_subset(test, ctx, subset, style);
			subsets++;
			cond_resched();
		}
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, subsets,
			STYLES << hweight32(flow->fields));
	kunit_info(test, "%u rules, %u frames\n", subsets, ctx->lookups);
}

static void test_free_skb(void *skb)
{
	kfree_skb(skb);
}

static void test_free_rules(void *rules)
{
	vmq_rules_destroy(rules);
	synchronize_rcu();
}

static int test_init(struct kunit *test)
{
	struct test_ctx *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	int err;

	if (!ctx)
		return -ENOMEM;
	test->priv = ctx;
	ctx->a = kunit_kzalloc(test, sizeof(*ctx->a), GFP_KERNEL);
	ctx->skb = alloc_skb(256, GFP_KERNEL);
	if (!ctx->a || !ctx->skb)
		return -ENOMEM;
	err = kunit_add_action_or_reset(test, test_free_skb, ctx->skb);
	if (err)
		return err;
	/* any device will do: the dissector asks for the netns */
	ctx->skb->dev = init_net.loopback_dev;
	/* the header is pulled already, as for an rx_handler */
	skb_reset_mac_header(ctx->skb);
	skb_put(ctx->skb, 100);
	skb_pull(ctx->skb, ETH_HLEN);
	skb_reset_network_header(ctx->skb);
	err = vmq_rules_init(&ctx->a->rules);
	if (err)
		return err;
	return kunit_add_action_or_reset(test, test_free_rules, &ctx->a->rules);
}

static struct kunit_case vmq_rule_subset_cases[] = {
	KUNIT_CASE_PARAM(test_subsets, flow_gen_params),
	{ }
};

static struct kunit_suite vmq_rule_subset_suite = {
	.name = "vmq-rule-subset",
	.init = test_init,
	.test_cases = vmq_rule_subset_cases,
};

kunit_test_suites(&vmq_rule_subset_suite);

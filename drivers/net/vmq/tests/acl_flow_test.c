// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the extension acl: fragments and broken headers.
 */
#include <linux/random.h>

#include "acl_test.h"

static void acl_fragment_test(struct kunit *test)
{
	ADD(.dir = IN, .proto = IPPROTO_UDP, .dport = { 53 });
	DROPPED(IN, UDP(53, 1), .more = true);
	PASSES(IN, UDP(54, 1), .more = true);
	/* A rule that denies ports fits later fragments of its protocol. */
	DROPPED(IN, UDP(54, 1), .frag = 10);
	DROPPED(IN, .family = 6, UDP(54, 1), .ext = NEXTHDR_FRAGMENT, .frag = 10);
	PASSES(IN, TCP(54, 1, 0), .frag = 10);
	PASSES(IN, .family = 6, UDP(54, 1), .ext = NEXTHDR_FRAGMENT);
	DROPPED(IN, .family = 6, UDP(53, 1), .ext = NEXTHDR_FRAGMENT,
		.more = true);
	/* What follows another extension header may be anything. */
	DROPPED(IN, .family = 6, .proto = NEXTHDR_DEST, .ext = NEXTHDR_FRAGMENT,
		.frag = 10);

	/* A rule that allows ports does not. */
	config_flag(test, VMQ_A_ACL_FLUSH_RULES);
	ADD(.dir = IN, .proto = IPPROTO_UDP, .dport = { 53 }, .allow = 1);
	ADD(.dir = IN, .priority = 1);
	PASSES(IN, UDP(53, 1), .more = true);
	DROPPED(IN, UDP(53, 1), .frag = 10);
	config_flag(test, VMQ_A_ACL_FLUSH_RULES);
	ADD(.dir = IN, .proto = IPPROTO_UDP, .allow = 1);
	ADD(.dir = IN, .priority = 1);
	PASSES(IN, UDP(53, 1), .frag = 10);

	/* One that overlaps the header of TCP, whatever the rules say. */
	config_flag(test, VMQ_A_ACL_FLUSH_RULES);
	ADD(.dir = IN, .allow = 1);
	DROPPED(IN, TCP(1, 2, 0), .frag = 1);
	DROPPED(IN, TCP(1, 2, 0), .frag = 2);
	PASSES(IN, TCP(1, 2, 0), .frag = 3);
}

static const struct frame about4 = { 4, UDP(5, 53), .remote = PEER };
static const struct frame about6 = { 6, TCP(5, 53, SYN), .remote = PEER };
static const struct frame kinds[] = {
	{ 4, TCP(1, 2, SYN) }, { 4, UDP(1, 2) }, { 4, PING(3) },
	{ 4, .proto = IPPROTO_SCTP }, { 4, .proto = IPPROTO_GRE },
	{ 4, .proto = IPPROTO_ICMP, .type = ICMP_DEST_UNREACH,
	  .about = &about4 },
	{ 6, TCP(1, 2, SYN) }, { 6, UDP(1, 2) }, { PING6(3) },
	{ 6, TCP(1, 2, SYN), .ext = NEXTHDR_HOP },
	{ 6, UDP(1, 2), .ext = NEXTHDR_FRAGMENT, .frag = 10 },
	{ 6, UDP(1, 2), .ext = NEXTHDR_ROUTING },
	{ 6, .proto = IPPROTO_ICMPV6, .type = ICMPV6_DEST_UNREACH,
	  .about = &about6 },
};

/* Lies about the length: the packet says that it ends where the frame ends. */
static void set_len(u8 *data, const struct frame *f, unsigned int len)
{
	if (f->family == 4 && len >= 20)
		((struct iphdr *)data)->tot_len = htons(len);
	if (f->family == 6 && len >= 40)
		((struct ipv6hdr *)data)->payload_len = htons(len - 40);
}

static void acl_truncate_test(struct kunit *test)
{
	struct vmq_ext_port *ep = test->priv;
	unsigned int k, len, cut, l4, lin;
	u8 data[256], copy[256];
	enum vmq_verdict verdict;

	ADD(.dir = IN, .allow = 1);
	for (k = 0; k < ARRAY_SIZE(kinds); k++) {
		const struct frame *f = &kinds[k];

		len = put_frame(data, IN, f);
		l4 = f->family == 4 ? 20 : f->ext ? 48 : 40;
		for (cut = 0; cut <= len; cut++) {
			verdict = run_skb(ep, IN,
					  make_skb(test, f, data, cut, cut));
			KUNIT_EXPECT_EQ_MSG(test, verdict,
					    cut < len ? VMQ_DROP : VMQ_PASS,
					    "kind %u, %u of %u", k, cut, len);

			memcpy(copy, data, len);
			set_len(copy, f, cut);
			verdict = run_skb(ep, IN,
					  make_skb(test, f, copy, cut, cut));
			if (cut < l4)
				KUNIT_EXPECT_EQ(test, verdict, VMQ_DROP);
			/* The ports have to be there wherever there are any. */
			if (cut < l4 + 8 && !f->frag &&
			    f->proto != IPPROTO_GRE)
				KUNIT_EXPECT_EQ_MSG(test, verdict, VMQ_DROP,
						    "kind %u, %u", k, cut);
			/* The rest behind the end of the packet is no header. */
			if (cut >= (f->family == 4 ? 20 : 40))
				KUNIT_EXPECT_EQ(test, verdict,
						run_skb(ep, IN,
							make_skb(test, f, copy,
								 len, len)));
		}
		for (lin = 0; lin < len; lin++)
			KUNIT_EXPECT_EQ(test, VMQ_PASS,
					run_skb(ep, IN, make_skb(test, f, data,
								 len, lin)));
		config_flag(test, VMQ_A_ACL_FLUSH_CONNECTIONS);
	}

	/* Lengths in the headers that cannot be. */
	put_frame(data, IN, &kinds[0]);
	data[0] = 0x44;
	KUNIT_EXPECT_EQ(test, VMQ_DROP,
			run_skb(ep, IN, make_skb(test, &kinds[0], data, 40, 40)));
	data[0] = 0x4f;
	KUNIT_EXPECT_EQ(test, VMQ_DROP,
			run_skb(ep, IN, make_skb(test, &kinds[0], data, 40, 40)));
	data[0] = 0x65;
	KUNIT_EXPECT_EQ(test, VMQ_DROP,
			run_skb(ep, IN, make_skb(test, &kinds[0], data, 40, 40)));
	data[0] = 0x45;
	data[32] = 0x40;
	KUNIT_EXPECT_EQ(test, VMQ_DROP,
			run_skb(ep, IN, make_skb(test, &kinds[0], data, 40, 40)));
	data[32] = 0x60;
	KUNIT_EXPECT_EQ(test, VMQ_DROP,
			run_skb(ep, IN, make_skb(test, &kinds[0], data, 40, 40)));
	data[32] = 0x50;
	KUNIT_EXPECT_EQ(test, VMQ_PASS,
			run_skb(ep, IN, make_skb(test, &kinds[0], data, 40, 40)));
}

/* Any bytes at all: nothing is expected but that nothing happens. */
static void acl_garbage_test(struct kunit *test)
{
	struct vmq_ext_port *ep = test->priv;
	unsigned int i, j, len;
	u8 data[256];

	client_rules(test);
	for (i = 0; i < MANY(20000); i++) {
		const struct frame *f = &kinds[i % ARRAY_SIZE(kinds)];

		memset(data, 0, sizeof(data));
		len = put_frame(data, IN, f);
		for (j = get_random_u32_below(8); j; j--)
			data[get_random_u32_below(len)] = get_random_u8();
		len = get_random_u32_inclusive(0, len);
		if (i & 1)
			set_len(data, f, len);
		run_skb(ep, i & 2 ? IN : OUT,
			make_skb(test, f, data, len,
				 get_random_u32_inclusive(0, len)));
		cond_resched();
	}
	KUNIT_EXPECT_GT(test, COUNTED(denied), 0);
}

static struct kunit_case acl_flow_cases[] = {
	KUNIT_CASE(acl_fragment_test),
	KUNIT_CASE(acl_truncate_test),
	KUNIT_CASE_SLOW(acl_garbage_test),
	{}
};

static struct kunit_suite acl_flow_suite = {
	.name = "vmq_acl_flow",
	.init = acl_test_init,
	.exit = acl_test_exit,
	.test_cases = acl_flow_cases,
};

kunit_test_suites(&acl_flow_suite);

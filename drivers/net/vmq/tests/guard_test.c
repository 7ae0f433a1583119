// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the extension guard: what becomes of frames, and settings.
 */
#include <linux/prandom.h>

#include "guard_test.h"

/* ---- the guest's addresses ---- */

static void guard_default_test(struct kunit *test)
{
	struct vmq_ext_port *all = test->priv, *ep = port_new(test);

	/* Not configured: no routers, no servers, everything else. */
	test->priv = ep;
	PASSES(data4(test, OTHER));
	PASSES(data6(test, OTHER));
	PASSES(frame_arp(test, ARPOP_REPLY, OTHER, ip4(OTHER)));
	PASSES(frame_nd(test, NDISC_NEIGHBOUR_ADVERTISEMENT, ip6(OTHER),
			ip6(OTHER), OTHER));
	DROPPED_AS(GUARD_DROP_RA, frame_nd(test, NDISC_ROUTER_ADVERTISEMENT,
					   eui64(GUEST), ip6(0), 0));
	DROPPED_AS(GUARD_DROP_DHCP_SERVER,
		   dhcp_in(test, dhcp_ack(test, 1, 1, 1)));
	checks(test, 0);
	PASSES(frame_nd(test, NDISC_ROUTER_ADVERTISEMENT, eui64(GUEST),
			ip6(0), 0));
	PASSES(dhcp_in(test, dhcp_ack(test, 1, 1, 1)));
	port_free(ep);
	test->priv = all;
}

static void guard_mac_test(struct kunit *test)
{
	struct frame *f = frame_new(test);
	struct sk_buff *msg;

	f->proto = 0x88b5;
	f->len = 46;
	PASSES(f);
	f->sender = OTHER;
	DROPPED_AS(GUARD_DROP_MAC, f);

	msg = config_start(test);
	put_binding(msg, VMQ_A_GUARD_ADD, NULL, 0, -1, OTHER, 0);
	KUNIT_EXPECT_EQ(test, 0, config_send(test, msg));
	PASSES(f);
	f->vlan = 5;
	DROPPED_AS(GUARD_DROP_MAC, f);
	f->vlan = 0;
	/* It has no IP address for that. */
	f = data4(test, GUEST);
	f->sender = OTHER;
	DROPPED_AS(GUARD_DROP_IPV4, f);

	msg = config_start(test);
	put_binding(msg, VMQ_A_GUARD_DEL, NULL, 0, -1, OTHER, 0);
	KUNIT_EXPECT_EQ(test, 0, config_send(test, msg));
	DROPPED_AS(GUARD_DROP_MAC, f);
}

static void guard_source_test(struct kunit *test)
{
	struct in6_addr net = ip6(0x40);
	struct frame *f;

	DROPPED_AS(GUARD_DROP_IPV4, data4(test, GUEST));
	DROPPED_AS(GUARD_DROP_IPV6, data6(test, GUEST));
	KUNIT_EXPECT_EQ(test, 0, add4(test, GUEST, 32, 0, 0));
	KUNIT_EXPECT_EQ(test, 0, add6(test, ip6(GUEST), 128));
	PASSES(data4(test, GUEST));
	PASSES(data6(test, GUEST));
	DROPPED_AS(GUARD_DROP_IPV4, data4(test, OTHER));
	DROPPED_AS(GUARD_DROP_IPV6, data6(test, OTHER));
	f = data4(test, GUEST);
	f->vlan = 5;
	DROPPED_AS(GUARD_DROP_IPV4, f);
	KUNIT_EXPECT_EQ(test, 0, add4(test, GUEST, 32, OTHER, 5));
	DROPPED_AS(GUARD_DROP_IPV4, f);
	f->sender = OTHER;
	PASSES(f);

	/* Prefixes of several lengths, and what is next to them. */
	KUNIT_EXPECT_EQ(test, 0, add4(test, 16, 29, 0, 0));
	KUNIT_EXPECT_EQ(test, 0, add4(test, 64, 26, 0, 0));
	KUNIT_EXPECT_EQ(test, 0, add6(test, net, 122));
	PASSES(data4(test, 23));
	DROPPED(data4(test, 24));
	PASSES(data4(test, 127));
	DROPPED(data4(test, 128));
	PASSES(data6(test, 0x7f));
	DROPPED(data6(test, 0x80));
	KUNIT_EXPECT_EQ(test, 0, add4(test, 0, 0, 0, 0));
	PASSES(data4(test, 128));
	KUNIT_EXPECT_EQ(test, 0, config_flag(test, VMQ_A_GUARD_FLUSH_STATIC));
	DROPPED(data4(test, 23));
	DROPPED(data6(test, 0x7f));
	KUNIT_EXPECT_TRUE(test, bitmap_empty(port(test)->lens4, 32));
	KUNIT_EXPECT_TRUE(test, bitmap_empty(port(test)->lens6, 128));
}

/* Each check alone refuses what is its own, and lets the others' pass. */
static void guard_each_test(struct kunit *test)
{
	struct {
		u32 check;
		struct frame *f;
	} all[] = {
		{ VMQ_GUARD_CHECK_MAC, frame_new(test) },
		{ VMQ_GUARD_CHECK_IPV4, data4(test, OTHER) },
		{ VMQ_GUARD_CHECK_IPV6, data6(test, OTHER) },
		{ VMQ_GUARD_CHECK_ARP,
		  frame_arp(test, ARPOP_REPLY, GUEST, ip4(OTHER)) },
		{ VMQ_GUARD_CHECK_ND,
		  frame_nd(test, NDISC_NEIGHBOUR_ADVERTISEMENT, eui64(GUEST),
			   ip6(OTHER), GUEST) },
		{ VMQ_GUARD_CHECK_RA,
		  frame_nd(test, NDISC_ROUTER_ADVERTISEMENT, eui64(GUEST),
			   ip6(0), 0) },
		{ VMQ_GUARD_CHECK_DHCP_SERVER,
		  frame_udp6(test, eui64(GUEST), ip6(SERVER), 547, 546, "x", 1) },
	};
	unsigned int i, j;

	all[0].f->proto = 0x88b5;
	all[0].f->len = 46;
	all[0].f->sender = OTHER;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		checks(test, all[i].check);
		for (j = 0; j < ARRAY_SIZE(all); j++)
			KUNIT_EXPECT_EQ_MSG(test, i != j,
					    run(test, OUT, all[j].f),
					    "check %u, frame %u", i, j);
	}
}

/* Eight bytes each: the type and nothing that matters here. */
#define IGMP_JOIN	"\x22\0\0\0\0\0\0"
#define MLD_REPORT	"\x8f\0\0\0\0\0\0"
#define ECHO_REQUEST	"\x80\0\0\0\0\0\0"

static void guard_unspecified_test(struct kunit *test)
{
	struct dhcp *d = dhcp_new(test, GUARD_BOOTREQUEST,
				  GUARD_DHCP4_DISCOVER, 1);

	PASSES(dhcp_out(test, d));
	DROPPED_AS(GUARD_DROP_IPV4, data4(test, 0));
	/* Not to one server, not from another port. */
	DROPPED_AS(GUARD_DROP_IPV4, frame_udp4(test, 0, ip4(SERVER), 68, 67,
					       d->data, d->len));
	DROPPED_AS(GUARD_DROP_IPV4, frame_udp4(test, 0, htonl(INADDR_BROADCAST),
					       69, 67, d->data, d->len));
	PASSES(frame_ip4(test, 0, htonl(0xe0000016), IPPROTO_IGMP, IGMP_JOIN, 8));
	DROPPED_AS(GUARD_DROP_IPV4, frame_ip4(test, 0, ip4(SERVER),
					      IPPROTO_IGMP, IGMP_JOIN, 8));

	DROPPED_AS(GUARD_DROP_IPV6, data6(test, 0));
	PASSES(frame_nd(test, NDISC_ROUTER_SOLICITATION, ip6(0), ip6(0), 0));
	PASSES(frame_ip6(test, ip6(0), (struct in6_addr){ .s6_addr = {
			 0xff, 2, [15] = 0x16 } }, IPPROTO_ICMPV6, MLD_REPORT, 8));
	DROPPED_AS(GUARD_DROP_IPV6,
		   frame_ip6(test, ip6(0), ip6(SERVER), IPPROTO_ICMPV6,
			     MLD_REPORT, 8));
	DROPPED_AS(GUARD_DROP_IPV6,
		   frame_ip6(test, ip6(0), ip6(SERVER), IPPROTO_ICMPV6,
			     ECHO_REQUEST, 8));
}

/* ---- ARP and neighbour discovery ---- */

static void guard_arp_test(struct kunit *test)
{
	struct frame *f;

	add4(test, GUEST, 32, 0, 0);
	PASSES(frame_arp(test, ARPOP_REQUEST, GUEST, ip4(GUEST)));
	PASSES(frame_arp(test, ARPOP_REPLY, GUEST, ip4(GUEST)));
	PASSES(frame_arp(test, ARPOP_REQUEST, GUEST, 0));
	DROPPED_AS(GUARD_DROP_ARP, frame_arp(test, ARPOP_REPLY, GUEST, 0));
	DROPPED_AS(GUARD_DROP_ARP,
		   frame_arp(test, ARPOP_REQUEST, GUEST, ip4(OTHER)));
	DROPPED_AS(GUARD_DROP_ARP,
		   frame_arp(test, ARPOP_REPLY, OTHER, ip4(GUEST)));
	DROPPED_AS(GUARD_DROP_MALFORMED, frame_arp(test, 9, GUEST, ip4(GUEST)));
	f = frame_arp(test, ARPOP_REQUEST, GUEST, ip4(GUEST));
	f->data[4] = 8;
	DROPPED_AS(GUARD_DROP_MALFORMED, f);
	f = frame_arp(test, ARPOP_REQUEST, GUEST, ip4(GUEST));
	f->len = 27;
	DROPPED_AS(GUARD_DROP_MALFORMED, f);

	/* RARP: an announcement of its own MAC address. */
	f = frame_arp(test, ARPOP_RREQUEST, GUEST, 0);
	f->proto = ETH_P_RARP;
	DROPPED_AS(GUARD_DROP_ARP, f);
	put_mac(f->data + 18, GUEST);
	PASSES(f);
}

static void guard_nd_test(struct kunit *test)
{
	struct frame *f;

	add6(test, ip6(GUEST), 128);
	PASSES(frame_nd(test, NDISC_NEIGHBOUR_SOLICITATION, ip6(GUEST),
			ip6(OTHER), GUEST));
	PASSES(frame_nd(test, NDISC_NEIGHBOUR_SOLICITATION, eui64(GUEST),
			ip6(OTHER), GUEST));
	PASSES(frame_nd(test, NDISC_NEIGHBOUR_SOLICITATION, ip6(0), ip6(GUEST),
			0));
	PASSES(frame_nd(test, NDISC_NEIGHBOUR_ADVERTISEMENT, eui64(GUEST),
			ip6(GUEST), GUEST));
	PASSES(frame_nd(test, NDISC_ROUTER_SOLICITATION, eui64(GUEST), ip6(0),
			GUEST));
	DROPPED_AS(GUARD_DROP_ND,
		   frame_nd(test, NDISC_NEIGHBOUR_SOLICITATION, ip6(0),
			    ip6(OTHER), 0));
	DROPPED_AS(GUARD_DROP_ND,
		   frame_nd(test, NDISC_NEIGHBOUR_ADVERTISEMENT, ip6(GUEST),
			    ip6(OTHER), GUEST));
	DROPPED_AS(GUARD_DROP_ND,
		   frame_nd(test, NDISC_NEIGHBOUR_ADVERTISEMENT, ip6(GUEST),
			    ip6(GUEST), OTHER));
	DROPPED_AS(GUARD_DROP_ND,
		   frame_nd(test, NDISC_ROUTER_SOLICITATION, eui64(GUEST),
			    ip6(0), OTHER));
	DROPPED_AS(GUARD_DROP_RA, frame_nd(test, NDISC_REDIRECT, eui64(GUEST),
					   ip6(0), 0));

	/* What receivers would discard, too. */
	f = frame_nd(test, NDISC_NEIGHBOUR_ADVERTISEMENT, ip6(GUEST),
		     ip6(GUEST), GUEST);
	f->data[7] = 254;
	DROPPED_AS(GUARD_DROP_MALFORMED, f);
	f->data[7] = 255;
	f->data[sizeof(struct ipv6hdr) + 1] = 1;
	DROPPED_AS(GUARD_DROP_MALFORMED, f);
	f->data[sizeof(struct ipv6hdr) + 1] = 0;
	f->data[sizeof(struct ipv6hdr) + sizeof(struct nd_msg) + 1] = 0;
	DROPPED_AS(GUARD_DROP_MALFORMED, f);
	f->data[sizeof(struct ipv6hdr) + sizeof(struct nd_msg) + 1] = 2;
	DROPPED_AS(GUARD_DROP_MALFORMED, f);
}

static void guard_dad_test(struct kunit *test)
{
	struct in6_addr mine = link_local(5), theirs = link_local(6);
	struct frame *ask = frame_nd(test, NDISC_NEIGHBOUR_SOLICITATION,
				     ip6(0), mine, 0);
	struct frame *use = frame_udp6(test, mine, ip6(SERVER), 546, 547,
				       "\1\0\0\1", 4);
	struct frame *f;
	unsigned int i;

	DROPPED_AS(GUARD_DROP_IPV6, use);
	PASSES(ask);
	KUNIT_ASSERT_NOT_NULL(test, find6(test, mine, 128));
	DROPPED_AS(GUARD_DROP_IPV6, use);
	PASSES(ask);
	age(test, 600);
	PASSES(use);

	/* Somebody has it, or wants it at the same time. */
	for (i = 0; i < 2; i++) {
		PASSES(frame_nd(test, NDISC_NEIGHBOUR_SOLICITATION, ip6(0),
				theirs, 0));
		KUNIT_EXPECT_NOT_NULL(test, find6(test, theirs, 128));
		f = frame_nd(test, i ? NDISC_NEIGHBOUR_SOLICITATION :
				       NDISC_NEIGHBOUR_ADVERTISEMENT,
			     i ? ip6(0) : theirs, theirs, 0);
		f->sender = OTHER;
		run(test, IN, f);
		KUNIT_EXPECT_NULL(test, find6(test, theirs, 128));
	}
	/* Too late for this one, and nothing that only looks like it. */
	f = frame_nd(test, NDISC_NEIGHBOUR_ADVERTISEMENT, mine, mine, 0);
	run(test, IN, f);
	PASSES(use);
	run(test, OUT, frame_nd(test, NDISC_NEIGHBOUR_SOLICITATION, ip6(0),
				theirs, 0));
	f = frame_nd(test, NDISC_NEIGHBOUR_ADVERTISEMENT, theirs, theirs, 0);
	f->data[7] = 64;
	run(test, IN, f);
	KUNIT_EXPECT_NOT_NULL(test, find6(test, theirs, 128));

	/* The oldest goes. */
	for (i = 0; i < GUARD_DAD_MAX; i++)
		run(test, OUT, frame_nd(test, NDISC_NEIGHBOUR_SOLICITATION,
					ip6(0), link_local(100 + i), 0));
	KUNIT_EXPECT_EQ(test, GUARD_DAD_MAX, port(test)->n_dad);
	KUNIT_EXPECT_NULL(test, find6(test, mine, 128));
	KUNIT_EXPECT_EQ(test, 0, port(test)->n);

	config_u8(test, VMQ_A_GUARD_LINK_LOCAL, VMQ_GUARD_LINK_LOCAL_EUI64);
	DROPPED_AS(GUARD_DROP_ND, ask);
	PASSES(frame_nd(test, NDISC_NEIGHBOUR_SOLICITATION, ip6(0),
			eui64(GUEST), 0));
	config_u8(test, VMQ_A_GUARD_LINK_LOCAL, VMQ_GUARD_LINK_LOCAL_ANY);
	PASSES(use);
}

/* ---- frames that are meant to get by ---- */

static void guard_headers_test(struct kunit *test)
{
	static const u8 headers[] = { NEXTHDR_HOP, NEXTHDR_ROUTING,
		NEXTHDR_DEST, NEXTHDR_FRAGMENT };
	struct frame *ra = frame_nd(test, NDISC_ROUTER_ADVERTISEMENT,
				    eui64(GUEST), ip6(0), 0);
	struct in6_addr all = { .s6_addr = { 0xff, 2, [15] = 1 } };
	unsigned int i;
	u8 buf[64] = {};
	struct frame *f;

	for (i = 0; i < ARRAY_SIZE(headers); i++) {
		memset(buf, 0, 8);
		buf[0] = NEXTHDR_ICMP;
		memcpy(buf + 8, ra->data + 40, 16);
		DROPPED_AS(GUARD_DROP_RA,
			   frame_ip6(test, eui64(GUEST), all, headers[i], buf,
				     24));
	}
	/* First of several fragments, and one that hides what it is. */
	buf[0] = NEXTHDR_ICMP;
	buf[3] = 1;
	DROPPED_AS(GUARD_DROP_RA, frame_ip6(test, eui64(GUEST), all,
					    NEXTHDR_FRAGMENT, buf, 24));
	buf[0] = NEXTHDR_DEST;
	buf[8] = NEXTHDR_ICMP;
	buf[9] = 4;
	DROPPED_AS(GUARD_DROP_MALFORMED,
		   frame_ip6(test, eui64(GUEST), all, NEXTHDR_FRAGMENT, buf,
			     24));
	/* A later one is known by its source. */
	buf[2] = 1;
	PASSES(frame_ip6(test, eui64(GUEST), all, NEXTHDR_FRAGMENT, buf, 24));
	DROPPED_AS(GUARD_DROP_IPV6, frame_ip6(test, ip6(OTHER), all,
					      NEXTHDR_FRAGMENT, buf, 24));

	/* A tag in a tag. */
	f = frame_new(test);
	f->proto = ETH_P_8021Q;
	f->len = 60;
	f->vlan = 1;
	DROPPED_AS(GUARD_DROP_MALFORMED, f);
	checks(test, VMQ_GUARD_CHECK_MAC);
	PASSES(f);
	/* And a service tag. */
	f = data4(test, GUEST);
	f->service = true;
	f->vlan = 1;
	PASSES(f);
	checks(test, VMQ_GUARD_CHECK_RA);
	DROPPED_AS(GUARD_DROP_MALFORMED, f);
}

static void guard_fragment_test(struct kunit *test)
{
	struct frame *f;

	add4(test, GUEST, 32, 0, 0);
	f = data4(test, GUEST);
	f->data[6] = 0x20;
	PASSES(f);
	f->data[7] = 5;
	PASSES(f);
	f = data4(test, OTHER);
	f->data[7] = 5;
	DROPPED_AS(GUARD_DROP_IPV4, f);
	/* DHCP can't be read in pieces. */
	f = frame_udp4(test, ip4(GUEST), ip4(SERVER), 68, 67,
		       "0123456789abcdef", 16);
	f->data[6] = 0x20;
	DROPPED_AS(GUARD_DROP_MALFORMED, f);
	f = frame_udp4(test, ip4(GUEST), ip4(SERVER), 1, 68,
		       "0123456789abcdef", 16);
	f->data[6] = 0x20;
	DROPPED_AS(GUARD_DROP_DHCP_SERVER, f);
}

/* However a frame is cut, it does not pass but where the rest is not needed. */
static void guard_truncate_test(struct kunit *test)
{
	struct frame *all[] = {
		data4(test, GUEST), data6(test, GUEST),
		frame_arp(test, ARPOP_REPLY, GUEST, ip4(GUEST)),
		frame_nd(test, NDISC_NEIGHBOUR_ADVERTISEMENT, ip6(GUEST),
			 ip6(GUEST), GUEST),
		dhcp_out(test, dhcp_new(test, GUARD_BOOTREQUEST,
					GUARD_DHCP4_DISCOVER, 1)),
	};
	unsigned int i, len, linear;

	add4(test, GUEST, 32, 0, 0);
	add6(test, ip6(GUEST), 128);
	all[2]->len = 28;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		len = all[i]->len;
		for (linear = 0; linear <= len; linear++)
			KUNIT_EXPECT_TRUE_MSG(test,
					      run_linear(test, OUT, all[i],
							 linear),
					      "frame %u, %u linear", i, linear);
		for (all[i]->len = 0; all[i]->len < len; all[i]->len++)
			KUNIT_EXPECT_FALSE_MSG(test, run(test, OUT, all[i]),
					       "frame %u, %u of %u", i,
					       all[i]->len, len);
	}
}

static void guard_garbage_test(struct kunit *test)
{
	static const u16 protos[] = { ETH_P_IP, ETH_P_IPV6, ETH_P_ARP,
		ETH_P_RARP };
	unsigned int i, n, rounds = IS_ENABLED(CONFIG_KASAN) ? 20000 : 200000;
	struct frame *good[] = {
		data4(test, GUEST), data6(test, GUEST),
		frame_nd(test, NDISC_NEIGHBOUR_SOLICITATION, ip6(0),
			 link_local(3), GUEST),
		dhcp_out(test, dhcp_new(test, GUARD_BOOTREQUEST, 1, 1)),
		dhcp_in(test, dhcp_ack(test, 1, 5, 1000)),
		frame_udp6(test, eui64(GUEST), ip6(SERVER), 546, 547,
			   "\1\0\0\1", 4),
	};
	struct frame *f = frame_new(test);
	struct rnd_state rnd;

	prandom_seed_state(&rnd, 1);
	add4(test, GUEST, 24, 0, 0);
	for (i = 0; i < rounds; i++) {
		if (i % 2) {
			*f = *good[prandom_u32_state(&rnd) % ARRAY_SIZE(good)];
			for (n = prandom_u32_state(&rnd) % 6; n; n--)
				f->data[prandom_u32_state(&rnd) % f->len] =
					prandom_u32_state(&rnd);
		} else {
			f->proto = protos[prandom_u32_state(&rnd) %
					  ARRAY_SIZE(protos)];
			f->len = prandom_u32_state(&rnd) % 128;
			prandom_bytes_state(&rnd, f->data, f->len);
		}
		if (f->len && !(prandom_u32_state(&rnd) % 4))
			f->len = prandom_u32_state(&rnd) % f->len;
		run_linear(test, prandom_u32_state(&rnd) % 2, f,
			   prandom_u32_state(&rnd) % (f->len + 1));
	}
	KUNIT_EXPECT_LE(test, port(test)->n, port(test)->max);
	KUNIT_EXPECT_LE(test, port(test)->n_dad, GUARD_DAD_MAX);
}

/* ---- settings ---- */

static void guard_config_test(struct kunit *test)
{
	struct sk_buff *msg;
	__be32 addr;
	u8 i;

	KUNIT_EXPECT_EQ(test, -EINVAL, config_send(test, config_start(test)));
	KUNIT_EXPECT_EQ(test, 0, add4(test, GUEST, 32, 0, 0));
	KUNIT_EXPECT_EQ(test, -EEXIST, add4(test, GUEST, -1, OTHER, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, add4(test, GUEST, 33, 0, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, add4(test, GUEST, 24, 0, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, add4(test, 0, 32, 0, 0));
	KUNIT_EXPECT_NE(test, 0, add4(test, OTHER, 32, 0, 4095));
	KUNIT_EXPECT_EQ(test, -EINVAL, add6(test, ip6(0), 128));
	KUNIT_EXPECT_EQ(test, 1, port(test)->n);

	/* All of a request or nothing. */
	msg = config_start(test);
	for (i = 20; i < 30; i++) {
		addr = ip4(i);
		put_binding(msg, VMQ_A_GUARD_ADD, &addr, 4, -1, 0, 0);
	}
	nla_put_u32(msg, VMQ_A_GUARD_MAX_BINDINGS, 10);
	KUNIT_EXPECT_EQ(test, -ENOSPC, config_send(test, msg));
	KUNIT_EXPECT_EQ(test, 1, port(test)->n);
	KUNIT_EXPECT_EQ(test, GUARD_BINDINGS_DEFAULT, port(test)->max);

	/* The same binding goes and comes: its place is never empty. */
	msg = config_start(test);
	addr = ip4(GUEST);
	put_binding(msg, VMQ_A_GUARD_DEL, &addr, 4, -1, 0, 0);
	put_binding(msg, VMQ_A_GUARD_ADD, &addr, 4, -1, OTHER, 0);
	nla_put_u32(msg, VMQ_A_GUARD_MAX_BINDINGS, 1);
	KUNIT_EXPECT_EQ(test, 0, config_send(test, msg));
	KUNIT_EXPECT_EQ(test, 1, port(test)->n);
	DROPPED_AS(GUARD_DROP_IPV4, data4(test, GUEST));

	/* What came in the request goes with it. */
	msg = config_start(test);
	addr = ip4(OTHER);
	put_binding(msg, VMQ_A_GUARD_ADD, &addr, 4, -1, 0, 0);
	put_binding(msg, VMQ_A_GUARD_DEL, &addr, 4, -1, 0, 0);
	KUNIT_EXPECT_EQ(test, 0, config_send(test, msg));
	msg = config_start(test);
	put_binding(msg, VMQ_A_GUARD_ADD, &addr, 4, -1, 0, 0);
	nla_put_flag(msg, VMQ_A_GUARD_FLUSH_STATIC);
	KUNIT_EXPECT_EQ(test, 0, config_send(test, msg));
	KUNIT_EXPECT_EQ(test, 0, port(test)->n);
	KUNIT_EXPECT_EQ(test, -ENOENT, ({
		msg = config_start(test);
		put_binding(msg, VMQ_A_GUARD_DEL, &addr, 4, -1, 0, 0);
		config_send(test, msg);
	}));

	/* A static binding takes the place of a lease, and stays. */
	lease4(test, 5, 1000);
	KUNIT_EXPECT_EQ(test, 0, add4(test, 5, 32, 0, 0));
	KUNIT_EXPECT_EQ(test, 1, port(test)->n);
	lease4(test, 5, 1000);
	KUNIT_EXPECT_EQ(test, VMQ_GUARD_ORIGIN_STATIC, find4(test, 5)->origin);
	config_flag(test, VMQ_A_GUARD_FLUSH_LEARNED);
	KUNIT_EXPECT_NOT_NULL(test, find4(test, 5));
}

/* Whatever allocation fails, nothing has changed. */
static void guard_config_fails_test(struct kunit *test)
{
	struct netlink_ext_ack extack = {};
	struct sk_buff *msg;
	int err = -ENOMEM, n;
	__be32 addr;
	bool hit;
	u8 i;

	add4(test, GUEST, 32, 0, 0);
	for (n = 1; err; n++) {
		msg = config_start(test);
		nla_put_flag(msg, VMQ_A_GUARD_FLUSH_STATIC);
		for (i = 20; i < 23; i++) {
			addr = ip4(i);
			put_binding(msg, VMQ_A_GUARD_ADD, &addr, 4, -1, 0, 0);
		}
		nla_put_u32(msg, VMQ_A_GUARD_CHECKS, 0);
		err = config_run(test, msg, &extack, n, &hit);
		if (err) {
			KUNIT_EXPECT_TRUE(test, hit);
			KUNIT_EXPECT_EQ(test, -ENOMEM, err);
			KUNIT_EXPECT_EQ(test, 1, port(test)->n);
			KUNIT_EXPECT_NOT_NULL(test, find4(test, GUEST));
			KUNIT_EXPECT_EQ(test, GUARD_CHECKS_ALL,
					port(test)->checks);
		}
		KUNIT_ASSERT_LT(test, n, 20);
	}
	KUNIT_EXPECT_EQ(test, 3, port(test)->n);
	if (n == 2)
		kunit_skip(test, "needs failslab with ignore-gfp-wait off");
}

static void guard_rate_test(struct kunit *test)
{
	struct frame *f = frame_arp(test, ARPOP_REQUEST, GUEST, 0);
	unsigned int i, passed = 0;
	struct guard_bucket *bucket = &port(test)->bucket[GUARD_RATE_ARP];

	KUNIT_EXPECT_EQ(test, 0, config_u32(test, VMQ_A_GUARD_ARP_RATE, 2));
	for (i = 0; i < 2; i++)
		PASSES(f);
	/* as if it had just been emptied: a slow machine earned some meanwhile */
	bucket->stamp = jiffies;
	bucket->tokens = 0;
	DROPPED_AS(GUARD_DROP_RATE, f);
	bucket->stamp -= HZ;
	for (i = 0; i < 20; i++)
		passed += run(test, OUT, f);
	KUNIT_EXPECT_GE(test, passed, 2);
	KUNIT_EXPECT_LT(test, passed, 20);
	/* a long silence is not saved up */
	bucket->stamp -= 1000UL * HZ;
	passed = 0;
	for (i = 0; i < 20; i++)
		passed += run(test, OUT, f);
	KUNIT_EXPECT_LT(test, passed, 20);
	KUNIT_EXPECT_EQ(test, 0, config_u32(test, VMQ_A_GUARD_ARP_RATE, 0));
	for (i = 0; i < 20; i++)
		PASSES(f);
}

static struct kunit_case guard_cases[] = {
	KUNIT_CASE(guard_default_test),
	KUNIT_CASE(guard_mac_test),
	KUNIT_CASE(guard_source_test),
	KUNIT_CASE(guard_each_test),
	KUNIT_CASE(guard_unspecified_test),
	KUNIT_CASE(guard_arp_test),
	KUNIT_CASE(guard_nd_test),
	KUNIT_CASE(guard_dad_test),
	KUNIT_CASE(guard_headers_test),
	KUNIT_CASE(guard_fragment_test),
	KUNIT_CASE_SLOW(guard_truncate_test),
	KUNIT_CASE_SLOW(guard_garbage_test),
	KUNIT_CASE(guard_config_test),
	KUNIT_CASE(guard_config_fails_test),
	KUNIT_CASE(guard_rate_test),
	{}
};

static struct kunit_suite guard_suite = {
	.name = "vmq_guard",
	.init = guard_test_init,
	.exit = guard_test_exit,
	.test_cases = guard_cases,
};

kunit_test_suites(&guard_suite);

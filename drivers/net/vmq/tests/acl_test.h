/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit: frames, rules and a port for the tests of the extension acl.
 *
 * The extension is driven through the operations that the core calls.
 */
#ifndef _VMQ_ACL_TEST_H
#define _VMQ_ACL_TEST_H

#include <kunit/test.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ipv6.h>

#include "../ext/acl.h"

#define IN	VMQ_TO_GUEST
#define OUT	VMQ_FROM_GUEST
#define SYN	ACL_TCP_SYN
#define ACK	ACL_TCP_ACK
#define FIN	ACL_TCP_FIN
#define RST	ACL_TCP_RST

/* Hosts are small numbers: 10.0.0.x and fd00::x; the guest is 2. */
#define GUEST	2
#define PEER	9

/* As the family of a frame that is not IP. */
#define ARP	1

/* Building frames takes long under KASAN, and connections expire meanwhile. */
#define MANY(n)	((n) / (IS_ENABLED(CONFIG_KASAN) ? 20 : 1))

/* ---- frames ---- */

struct frame {
	u8 family;		/* 4, 0 being 4, or 6; anything else is ARP */
	u8 proto;
	u8 remote;		/* 0 is PEER */
	u16 lport;		/* guest's port, or the identifier of an echo */
	u16 rport;
	u8 tcp;
	u8 type;		/* ICMP */
	u16 vlan;
	u16 frag;		/* offset of a fragment in 8 bytes, of 8 at least */
	bool more;		/* first fragment */
	u8 ext;			/* extension header in front, IPv6 */
	const struct frame *about;	/* what an ICMP error is about */
};

static __maybe_unused bool is_ipv4(const struct frame *f)
{
	return !f->family || f->family == 4;
}

static __maybe_unused void put_addr(const struct frame *f, void *to, u8 host)
{
	if (is_ipv4(f))
		*(__be32 *)to = htonl(0x0a000000 + host);
	else
		*(struct in6_addr *)to = (struct in6_addr){
			.s6_addr = { 0xfd, [15] = host } };
}

/* Writes the packet from the network header on, returns its length. */
static __maybe_unused unsigned int put_frame(u8 *p, enum vmq_dir dir, const struct frame *f)
{
	u8 remote = f->remote ?: PEER;
	u8 src = dir == OUT ? GUEST : remote;
	u8 dst = dir == OUT ? remote : GUEST;
	__be16 sport = htons(dir == OUT ? f->lport : f->rport);
	__be16 dport = htons(dir == OUT ? f->rport : f->lport);
	struct icmphdr *icmp;
	struct ipv6hdr *ip6h;
	struct tcphdr *th;
	struct udphdr *uh;
	struct iphdr *iph;
	u8 *start = p;

	if (is_ipv4(f)) {
		iph = (struct iphdr *)p;
		memset(iph, 0, sizeof(*iph));
		iph->version = 4;
		iph->ihl = 5;
		iph->protocol = f->proto;
		iph->frag_off = htons(f->frag | (f->more ? 0x2000 : 0));
		put_addr(f, &iph->saddr, src);
		put_addr(f, &iph->daddr, dst);
		p += sizeof(*iph);
	} else if (f->family == 6) {
		ip6h = (struct ipv6hdr *)p;
		memset(ip6h, 0, sizeof(*ip6h));
		ip6h->version = 6;
		ip6h->nexthdr = f->proto;
		ip6h->hop_limit = 255;
		put_addr(f, &ip6h->saddr, src);
		put_addr(f, &ip6h->daddr, dst);
		p += sizeof(*ip6h);
		if (f->ext) {
			ip6h->nexthdr = f->ext;
			memset(p, 0, 8);
			p[0] = f->proto;
			if (f->ext == NEXTHDR_FRAGMENT)
				*(__be16 *)(p + 2) =
					htons(f->frag << 3 | f->more);
			p += 8;
		}
	}

	memset(p, 0, 24);
	if (f->about) {
		p[0] = f->type;
		p += 8;
		/* Of what was sent the other way. */
		p += put_frame(p, !dir, f->about);
	} else if (f->proto == IPPROTO_TCP) {
		th = (struct tcphdr *)p;
		th->source = sport;
		th->dest = dport;
		th->doff = 5;
		th->syn = !!(f->tcp & SYN);
		th->ack = !!(f->tcp & ACK);
		th->fin = !!(f->tcp & FIN);
		th->rst = !!(f->tcp & RST);
		p += sizeof(*th);
	} else if (f->proto == IPPROTO_ICMP || f->proto == IPPROTO_ICMPV6) {
		icmp = (struct icmphdr *)p;
		icmp->type = f->type;
		icmp->un.echo.id = htons(f->lport);
		p += sizeof(*icmp);
	} else {
		uh = (struct udphdr *)p;
		uh->source = sport;
		uh->dest = dport;
		uh->len = htons(12);
		p += 12;
	}

	if (is_ipv4(f))
		((struct iphdr *)start)->tot_len = htons(p - start);
	else if (f->family == 6)
		((struct ipv6hdr *)start)->payload_len =
			htons(p - start - sizeof(struct ipv6hdr));

	return p - start;
}

/* The first @linear bytes are in the skb's own data, the rest in a fragment. */
static __maybe_unused struct sk_buff *
make_skb(struct kunit *test, const struct frame *f, const u8 *data,
	 unsigned int len, unsigned int linear)
{
	struct sk_buff *skb = alloc_skb(ETH_HLEN + linear, GFP_KERNEL);
	struct page *page;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_reset_mac_header(skb);
	skb_put_zero(skb, ETH_HLEN);
	skb_pull(skb, ETH_HLEN);
	skb_reset_network_header(skb);
	skb_put_data(skb, data, linear);
	if (linear < len) {
		page = alloc_page(GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, page);
		memcpy(page_address(page), data + linear, len - linear);
		skb_add_rx_frag(skb, 0, page, 0, len - linear, PAGE_SIZE);
	}

	skb->protocol = is_ipv4(f) ? htons(ETH_P_IP) :
			f->family == 6 ? htons(ETH_P_IPV6) : htons(ETH_P_ARP);
	if (f->vlan)
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q), f->vlan);

	return skb;
}

static __maybe_unused enum vmq_verdict
run_skb(struct vmq_ext_port *ep, enum vmq_dir dir, struct sk_buff *skb)
{
	enum vmq_verdict verdict;

	local_bh_disable();
	rcu_read_lock();
	verdict = acl_ops.frame(ep, skb, dir);
	rcu_read_unlock();
	local_bh_enable();
	kfree_skb(skb);

	return verdict;
}

/* Whether the frame passes. */
static __maybe_unused bool run(struct kunit *test, enum vmq_dir dir, const struct frame *f)
{
	struct vmq_ext_port *ep = test->priv;
	u8 data[256];
	unsigned int len = put_frame(data, dir, f);

	return run_skb(ep, dir, make_skb(test, f, data, len, len)) == VMQ_PASS;
}

#define PASSES(dir, ...)						\
	KUNIT_EXPECT_TRUE(test, run(test, dir,				\
				    &(struct frame){ __VA_ARGS__ }))
#define DROPPED(dir, ...)						\
	KUNIT_EXPECT_FALSE(test, run(test, dir,				\
				     &(struct frame){ __VA_ARGS__ }))

#define TCP(l, r, flags)						\
	.proto = IPPROTO_TCP, .lport = l, .rport = r, .tcp = flags
#define UDP(l, r)	.proto = IPPROTO_UDP, .lport = l, .rport = r
#define PING(id)							\
	.proto = IPPROTO_ICMP, .type = ICMP_ECHO, .lport = id
#define PONG(id)							\
	.proto = IPPROTO_ICMP, .type = ICMP_ECHOREPLY, .lport = id
#define PING6(id)							\
	.family = 6, .proto = IPPROTO_ICMPV6,				\
	.type = ICMPV6_ECHO_REQUEST, .lport = id
#define PONG6(id)							\
	.family = 6, .proto = IPPROTO_ICMPV6,				\
	.type = ICMPV6_ECHO_REPLY, .lport = id

/* ---- configuration ---- */

#define PROTO_0	256

struct rule {
	u8 dir;
	u8 allow;
	u32 priority;
	u16 family;
	u16 proto;		/* 0 is any, PROTO_0 is 0 */
	u8 src, src_len;	/* host and prefix length */
	u8 dst, dst_len;
	u8 addr;		/* family of the addresses: 4, 0 being 4, or 6 */
	u16 sport[2];
	u16 dport[2];
};

static __maybe_unused void put_rule(struct sk_buff *msg, const struct rule *r)
{
	struct nlattr *nest = nla_nest_start(msg, VMQ_A_ACL_ADD);
	struct frame f = { .family = r->addr };
	int len = is_ipv4(&f) ? 4 : 16;
	u8 addr[16];

	nla_put_u8(msg, VMQ_A_ACL_RULE_DIRECTION, r->dir);
	nla_put_u8(msg, VMQ_A_ACL_RULE_ACTION, r->allow);
	nla_put_u32(msg, VMQ_A_ACL_RULE_PRIORITY, r->priority);
	if (r->family)
		nla_put_u16(msg, VMQ_A_ACL_RULE_FAMILY, r->family);
	if (r->proto)
		nla_put_u8(msg, VMQ_A_ACL_RULE_IP_PROTO, r->proto);
	if (r->src_len) {
		put_addr(&f, addr, r->src);
		nla_put(msg, VMQ_A_ACL_RULE_SRC, len, addr);
		nla_put_u8(msg, VMQ_A_ACL_RULE_SRC_LEN, r->src_len);
	}
	if (r->dst_len) {
		put_addr(&f, addr, r->dst);
		nla_put(msg, VMQ_A_ACL_RULE_DST, len, addr);
		nla_put_u8(msg, VMQ_A_ACL_RULE_DST_LEN, r->dst_len);
	}
	if (r->sport[0])
		nla_put_u16(msg, VMQ_A_ACL_RULE_SRC_PORT_MIN, r->sport[0]);
	if (r->sport[1])
		nla_put_u16(msg, VMQ_A_ACL_RULE_SRC_PORT_MAX, r->sport[1]);
	if (r->dport[0])
		nla_put_u16(msg, VMQ_A_ACL_RULE_DST_PORT_MIN, r->dport[0]);
	if (r->dport[1])
		nla_put_u16(msg, VMQ_A_ACL_RULE_DST_PORT_MAX, r->dport[1]);
	nla_nest_end(msg, nest);
}

static __maybe_unused struct sk_buff *config_start(struct kunit *test)
{
	struct sk_buff *msg = alloc_skb(1024 * 1024, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, msg);
	return msg;
}

/* Every refusal has to say why. */
static __maybe_unused int config_send(struct kunit *test, struct sk_buff *msg)
{
	struct vmq_ext_port *ep = test->priv;
	struct netlink_ext_ack extack = {};
	struct nlattr *config;
	int err;

	config = kzalloc(NLA_HDRLEN + msg->len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, config);
	KUNIT_ASSERT_LT(test, msg->len, 65530U);
	config->nla_type = VMQ_A_EXT_PORT_CONFIG;
	config->nla_len = NLA_HDRLEN + msg->len;
	memcpy(nla_data(config), msg->data, msg->len);

	rtnl_lock();
	err = acl_ops.config_set(ep, config, &extack);
	rtnl_unlock();
	if (err)
		KUNIT_EXPECT_NOT_NULL(test, extack._msg);
	kfree(config);
	kfree_skb(msg);

	return err;
}

static __maybe_unused int add_rule(struct kunit *test, const struct rule *r)
{
	struct sk_buff *msg = config_start(test);

	put_rule(msg, r);
	return config_send(test, msg);
}

#define ADD(...)							\
	KUNIT_ASSERT_EQ(test, 0,					\
			add_rule(test, &(struct rule){ __VA_ARGS__ }))

static __maybe_unused int config_u32(struct kunit *test, int type, u32 value)
{
	struct sk_buff *msg = config_start(test);

	nla_put_u32(msg, type, value);
	return config_send(test, msg);
}

static __maybe_unused int config_flag(struct kunit *test, int type)
{
	struct sk_buff *msg = config_start(test);

	nla_put_flag(msg, type);
	return config_send(test, msg);
}

/* ---- a port ---- */

static __maybe_unused struct acl_port *port(struct kunit *test)
{
	struct vmq_ext_port *ep = test->priv;

	return ep->priv;
}

static __maybe_unused unsigned int conns(struct kunit *test)
{
	return port(test)->n_conns;
}

static __maybe_unused u64 counted(struct kunit *test, size_t offset)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += u64_stats_read((u64_stats_t *)
			((u8 *)per_cpu_ptr(port(test)->stats, cpu) + offset));

	return sum;
}

#define COUNTED(what)	counted(test, offsetof(struct acl_port_stats, what))

/* The only connection of the port. */
static __maybe_unused struct acl_conn *the_conn(struct kunit *test)
{
	unsigned long index = 0;

	KUNIT_ASSERT_EQ(test, 1, conns(test));
	return xa_find(&port(test)->conns, &index, ULONG_MAX, XA_PRESENT);
}

static __maybe_unused void age(struct kunit *test, unsigned int seconds)
{
	struct acl_conn *conn;
	unsigned long index;

	xa_for_each(&port(test)->conns, index, conn)
		WRITE_ONCE(conn->expires, conn->expires - seconds * HZ);
}

static __maybe_unused void collect(struct kunit *test)
{
	cancel_delayed_work_sync(&port(test)->gc);
	port(test)->gc_pos = 0;
	while (acl_conns_collect(port(test)))
		;
}

static __maybe_unused struct vmq_ext_port *port_new(struct kunit *test)
{
	struct vmq_ext_port *ep;

	ep = kunit_kzalloc(test, sizeof(*ep), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ep);
	ep->ops = &acl_ops;
	KUNIT_ASSERT_EQ(test, 0, acl_ops.attach(ep, NULL));

	return ep;
}

static __maybe_unused int acl_test_init(struct kunit *test)
{
	test->priv = port_new(test);
	return 0;
}

static __maybe_unused void acl_test_exit(struct kunit *test)
{
	acl_ops.detach(test->priv);
}

/* The guest may open what it likes, nobody may open anything to it. */
static __maybe_unused void client_rules(struct kunit *test)
{
	ADD(.dir = IN);
	ADD(.dir = OUT, .allow = 1);
}

#endif /* _VMQ_ACL_TEST_H */

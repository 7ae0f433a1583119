/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit: frames, settings and a port for the tests of the extension guard.
 *
 * The extension is driven through the operations that the core calls.
 */
#ifndef _VMQ_GUARD_TEST_H
#define _VMQ_GUARD_TEST_H

#include <kunit/test.h>
#include <linux/etherdevice.h>
#include <linux/icmpv6.h>
#include <linux/if_arp.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <linux/udp.h>
#include <linux/unaligned.h>
#include <net/ipv6.h>
#include <net/ndisc.h>

#include "../ext/guard.h"

#define IN	VMQ_TO_GUEST
#define OUT	VMQ_FROM_GUEST

/* Hosts are small numbers: 52:54:00:00:00:x, 10.0.0.x and fd00::x. */
#define GUEST	1
#define SERVER	9
#define OTHER	7

#define FRAME_MAX	1200

/* A frame from the network header on, and what its Ethernet header says. */
struct frame {
	u16 proto;		/* EtherType */
	u8 sender;		/* MAC address of the source */
	u16 vlan;
	bool service;		/* the tag is an 802.1ad one */
	unsigned int len;
	u8 data[FRAME_MAX];
};

static __maybe_unused __be32 ip4(u8 host)
{
	return host ? htonl(0x0a000000 + host) : 0;
}

static __maybe_unused struct in6_addr ip6(u8 host)
{
	struct in6_addr addr = {};

	if (host) {
		addr.s6_addr[0] = 0xfd;
		addr.s6_addr[15] = host;
	}
	return addr;
}

static __maybe_unused struct in6_addr link_local(u8 host)
{
	struct in6_addr addr = { .s6_addr = { 0xfe, 0x80, [15] = host } };

	return addr;
}

static __maybe_unused void put_mac(u8 *to, u8 host)
{
	memcpy(to, "\x52\x54\0\0\0", ETH_ALEN - 1);
	to[ETH_ALEN - 1] = host;
}

/* The link-local address that is made of a MAC address. */
static __maybe_unused struct in6_addr eui64(u8 host)
{
	struct in6_addr addr = link_local(host);

	memcpy(addr.s6_addr + 8, "\x50\x54\0\xff\xfe\0\0", 7);
	return addr;
}

static __maybe_unused struct frame *frame_new(struct kunit *test)
{
	struct frame *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->sender = GUEST;
	return f;
}

static __maybe_unused struct frame *frame_ip4(struct kunit *test, __be32 src,
					      __be32 dst, u8 proto,
					      const void *data,
					      unsigned int len)
{
	struct frame *f = frame_new(test);
	struct iphdr *iph = (struct iphdr *)f->data;

	f->proto = ETH_P_IP;
	f->len = sizeof(*iph) + len;
	iph->version = 4;
	iph->ihl = 5;
	iph->tot_len = htons(f->len);
	iph->protocol = proto;
	iph->saddr = src;
	iph->daddr = dst;
	memcpy(iph + 1, data, len);
	return f;
}

static __maybe_unused struct frame *frame_udp4(struct kunit *test, __be32 src,
					       __be32 dst, u16 sport, u16 dport,
					       const void *data,
					       unsigned int len)
{
	struct udphdr *uh = kunit_kzalloc(test, FRAME_MAX, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, uh);
	uh->source = htons(sport);
	uh->dest = htons(dport);
	uh->len = htons(sizeof(*uh) + len);
	memcpy(uh + 1, data, len);
	return frame_ip4(test, src, dst, IPPROTO_UDP, uh, sizeof(*uh) + len);
}

static __maybe_unused struct frame *frame_ip6(struct kunit *test,
					      struct in6_addr src,
					      struct in6_addr dst, u8 proto,
					      const void *data,
					      unsigned int len)
{
	struct frame *f = frame_new(test);
	struct ipv6hdr *ip6h = (struct ipv6hdr *)f->data;

	f->proto = ETH_P_IPV6;
	f->len = sizeof(*ip6h) + len;
	ip6h->version = 6;
	ip6h->payload_len = htons(len);
	ip6h->nexthdr = proto;
	ip6h->hop_limit = 255;
	ip6h->saddr = src;
	ip6h->daddr = dst;
	memcpy(ip6h + 1, data, len);
	return f;
}

static __maybe_unused struct frame *frame_udp6(struct kunit *test,
					       struct in6_addr src,
					       struct in6_addr dst, u16 sport,
					       u16 dport, const void *data,
					       unsigned int len)
{
	struct udphdr *uh = kunit_kzalloc(test, FRAME_MAX, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, uh);
	uh->source = htons(sport);
	uh->dest = htons(dport);
	uh->len = htons(sizeof(*uh) + len);
	memcpy(uh + 1, data, len);
	return frame_ip6(test, src, dst, IPPROTO_UDP, uh, sizeof(*uh) + len);
}

/* Neighbour discovery; @lladdr is a host, 0 for no such option. */
static __maybe_unused struct frame *frame_nd(struct kunit *test, u8 type,
					     struct in6_addr src,
					     struct in6_addr target, u8 lladdr)
{
	struct in6_addr dst = { .s6_addr = { 0xff, 2, [15] = 1 } };
	u8 buf[64] = { type };
	unsigned int len = sizeof(struct nd_msg);

	if (type == NDISC_ROUTER_SOLICITATION)
		len = sizeof(struct icmp6hdr);
	else if (type == NDISC_ROUTER_ADVERTISEMENT)
		len = sizeof(struct ra_msg);
	else if (type == NDISC_REDIRECT)
		len = sizeof(struct rd_msg);
	else
		memcpy(buf + 8, &target, sizeof(target));
	if (lladdr) {
		buf[len] = type == NDISC_NEIGHBOUR_ADVERTISEMENT ?
			   ND_OPT_TARGET_LL_ADDR : ND_OPT_SOURCE_LL_ADDR;
		buf[len + 1] = 1;
		put_mac(buf + len + 2, lladdr);
		len += 8;
	}
	return frame_ip6(test, src, dst, IPPROTO_ICMPV6, buf, len);
}

static __maybe_unused struct frame *frame_arp(struct kunit *test, u16 op,
					      u8 sha, __be32 spa)
{
	struct frame *f = frame_new(test);
	struct arphdr *arp = (struct arphdr *)f->data;
	u8 *p = (u8 *)(arp + 1);

	f->proto = ETH_P_ARP;
	f->len = 46;
	arp->ar_hrd = htons(ARPHRD_ETHER);
	arp->ar_pro = htons(ETH_P_IP);
	arp->ar_hln = ETH_ALEN;
	arp->ar_pln = 4;
	arp->ar_op = htons(op);
	put_mac(p, sha);
	memcpy(p + 6, &spa, 4);
	return f;
}

/* ---- DHCP ---- */

#define DHCP_MAX	1024

struct dhcp {
	unsigned int len;
	u8 data[DHCP_MAX];
};

static __maybe_unused void dhcp_option(struct dhcp *d, u8 code, u8 len,
				       const void *data)
{
	d->data[d->len++] = code;
	d->data[d->len++] = len;
	memcpy(d->data + d->len, data, len);
	d->len += len;
}

static __maybe_unused struct dhcp *dhcp_new(struct kunit *test, u8 op, u8 type,
					    u32 xid)
{
	struct dhcp *d = kunit_kzalloc(test, sizeof(*d), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, d);
	d->data[0] = op;
	d->data[1] = 1;
	d->data[2] = ETH_ALEN;
	put_unaligned_be32(xid, d->data + 4);
	put_mac(d->data + 28, GUEST);
	memcpy(d->data + 236, "\x63\x82\x53\x63", 4);
	d->len = 240;
	if (type)
		dhcp_option(d, 53, 1, &type);
	return d;
}

static __maybe_unused void dhcp_option32(struct dhcp *d, u8 code, u32 value)
{
	__be32 data = htonl(value);

	dhcp_option(d, code, 4, &data);
}

static __maybe_unused struct dhcp *dhcp_ack(struct kunit *test, u32 xid,
					    u8 host, u32 lease)
{
	struct dhcp *d = dhcp_new(test, GUARD_BOOTREPLY, GUARD_DHCP4_ACK, xid);
	__be32 addr = ip4(host);

	memcpy(d->data + 16, &addr, 4);
	if (lease)
		dhcp_option32(d, 51, lease);
	d->data[d->len++] = 255;
	return d;
}

/* ---- a port ---- */

static __maybe_unused struct guard_port *port(struct kunit *test)
{
	struct vmq_ext_port *ep = test->priv;

	return ep->priv;
}

/* The first @linear bytes are in the skb's own data, the rest in a fragment. */
static __maybe_unused struct sk_buff *make_skb(struct kunit *test,
					       const struct frame *f,
					       unsigned int linear)
{
	struct sk_buff *skb = alloc_skb(ETH_HLEN + linear, GFP_KERNEL);
	struct page *page;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_reset_mac_header(skb);
	skb_put_zero(skb, ETH_HLEN);
	put_mac(eth_hdr(skb)->h_source, f->sender);
	skb_pull(skb, ETH_HLEN);
	skb_reset_network_header(skb);
	skb_put_data(skb, f->data, linear);
	if (linear < f->len) {
		page = alloc_page(GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, page);
		memcpy(page_address(page), f->data + linear, f->len - linear);
		skb_add_rx_frag(skb, 0, page, 0, f->len - linear, PAGE_SIZE);
	}
	skb->protocol = htons(f->proto);
	if (f->vlan)
		__vlan_hwaccel_put_tag(skb, f->service ?
				       htons(ETH_P_8021AD) : htons(ETH_P_8021Q),
				       f->vlan);
	return skb;
}

static __maybe_unused bool run_linear(struct kunit *test, enum vmq_dir dir,
				      const struct frame *f,
				      unsigned int linear)
{
	struct sk_buff *skb = make_skb(test, f, linear);
	enum vmq_verdict verdict;

	local_bh_disable();
	rcu_read_lock();
	verdict = guard_ops.frame(test->priv, skb, dir);
	rcu_read_unlock();
	local_bh_enable();
	kfree_skb(skb);
	return verdict == VMQ_PASS;
}

/* Whether the frame passes. */
static __maybe_unused bool run(struct kunit *test, enum vmq_dir dir,
			       const struct frame *f)
{
	return run_linear(test, dir, f, f->len);
}

#define PASSES(f)	KUNIT_EXPECT_TRUE(test, run(test, OUT, f))
#define DROPPED(f)	KUNIT_EXPECT_FALSE(test, run(test, OUT, f))

static __maybe_unused u64 counted(struct kunit *test, enum guard_count what)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += u64_stats_read(&per_cpu_ptr(port(test)->stats,
						   cpu)->n[what]);
	return sum;
}

/* Drops the frame for this very reason. */
static __maybe_unused void dropped_as(struct kunit *test,
				      enum guard_count what,
				      const struct frame *f, int line)
{
	u64 before = counted(test, what);

	KUNIT_EXPECT_FALSE_MSG(test, run(test, OUT, f), "line %d", line);
	KUNIT_EXPECT_EQ_MSG(test, before + 1, counted(test, what), "line %d",
			    line);
}

#define DROPPED_AS(what, f)	dropped_as(test, what, f, __LINE__)

static __maybe_unused struct frame *data4(struct kunit *test, u8 host)
{
	return frame_udp4(test, ip4(host), ip4(SERVER), 1000, 80, "x", 1);
}

static __maybe_unused struct frame *data6(struct kunit *test, u8 host)
{
	return frame_udp6(test, ip6(host), ip6(SERVER), 1000, 80, "x", 1);
}

static __maybe_unused struct frame *dhcp_out(struct kunit *test,
					     const struct dhcp *d)
{
	return frame_udp4(test, 0, htonl(INADDR_BROADCAST), 68, 67, d->data,
			  d->len);
}

static __maybe_unused struct frame *dhcp_in(struct kunit *test,
					    const struct dhcp *d)
{
	struct frame *f = frame_udp4(test, ip4(SERVER),
				     htonl(INADDR_BROADCAST), 67, 68, d->data,
				     d->len);

	f->sender = SERVER;
	return f;
}

/* The guest gets a lease. */
static __maybe_unused void lease4(struct kunit *test, u8 host, u32 seconds)
{
	struct dhcp *d = dhcp_new(test, GUARD_BOOTREQUEST, GUARD_DHCP4_REQUEST,
				  host);

	dhcp_option32(d, 50, 0x0a000000 + host);
	run(test, OUT, dhcp_out(test, d));
	run(test, IN, dhcp_in(test, dhcp_ack(test, host, host, seconds)));
}

static __maybe_unused struct guard_binding *find4(struct kunit *test, u8 host)
{
	struct guard_binding *b;
	struct guard_key key;

	guard_key_ip4(&key, ip4(host), 32, 0);
	rcu_read_lock();
	b = guard_find(port(test), &key);
	rcu_read_unlock();
	return b;
}

static __maybe_unused struct guard_binding *find6(struct kunit *test,
						  struct in6_addr addr, u8 len)
{
	struct guard_binding *b;
	struct guard_key key;

	guard_key_ip6(&key, &addr, len, 0);
	rcu_read_lock();
	b = guard_find(port(test), &key);
	rcu_read_unlock();
	return b;
}

/* Moves all bindings and questions into the past. */
static __maybe_unused void age(struct kunit *test, u64 ms)
{
	struct guard_port *guard = port(test);
	u64 ticks = ms * HZ / 1000;
	struct guard_binding *b;
	unsigned int i;

	spin_lock_bh(&guard->lock);
	list_for_each_entry(b, &guard->bindings, list) {
		if (b->expires)
			b->expires -= ticks;
		if (b->starts)
			b->starts -= ticks;
	}
	for (i = 0; i < GUARD_TRANSACTIONS; i++)
		if (guard->transactions[i].expires)
			guard->transactions[i].expires -= ticks;
	spin_unlock_bh(&guard->lock);
}

/* All that is counted is there: lists, tables and numbers agree. */
static __maybe_unused void check_tables(struct kunit *test)
{
	struct guard_port *guard = port(test);
	unsigned int n = 0, n_dad = 0, hashed = 0, i;
	struct guard_binding *b;

	spin_lock_bh(&guard->lock);
	list_for_each_entry(b, &guard->bindings, list) {
		n += b->origin != VMQ_GUARD_ORIGIN_DAD;
		n_dad += b->origin == VMQ_GUARD_ORIGIN_DAD;
		KUNIT_EXPECT_FALSE(test, b->dead);
		KUNIT_EXPECT_PTR_EQ(test, b, guard_find(guard, &b->key));
	}
	for (i = 0; i < ARRAY_SIZE(guard->hash); i++)
		hlist_for_each_entry(b, &guard->hash[i], node)
			hashed++;
	KUNIT_EXPECT_EQ(test, n, guard->n);
	KUNIT_EXPECT_EQ(test, n_dad, guard->n_dad);
	KUNIT_EXPECT_EQ(test, n + n_dad, hashed);
	spin_unlock_bh(&guard->lock);
}

/* ---- settings ---- */

static __maybe_unused struct sk_buff *config_start(struct kunit *test)
{
	struct sk_buff *msg = alloc_skb(65536, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, msg);
	return msg;
}

/* Lets the n-th allocation of this task fail; returns whether one did. */
#ifdef CONFIG_FAULT_INJECTION
static __maybe_unused void fail_at(int n)
{
	current->fail_nth = n;
}

static __maybe_unused bool failed(void)
{
	bool was = !current->fail_nth;

	current->fail_nth = 0;
	return was;
}
#else
static __maybe_unused void fail_at(int n)
{
}

static __maybe_unused bool failed(void)
{
	return false;
}
#endif

/* With @hit, lets the @nth allocation fail and says whether there was one. */
static __maybe_unused int config_run(struct kunit *test, struct sk_buff *msg,
				     struct netlink_ext_ack *extack, int nth,
				     bool *hit)
{
	struct nlattr *config;
	int err;

	config = kunit_kzalloc(test, NLA_HDRLEN + msg->len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, config);
	config->nla_type = VMQ_A_EXT_PORT_CONFIG;
	config->nla_len = NLA_HDRLEN + msg->len;
	memcpy(nla_data(config), msg->data, msg->len);
	kfree_skb(msg);

	rtnl_lock();
	if (hit)
		fail_at(nth);
	err = guard_ops.config_set(test->priv, config, extack);
	if (hit)
		*hit = failed();
	rtnl_unlock();
	kunit_kfree(test, config);
	return err;
}

/* Every refusal has to say why. */
static __maybe_unused int config_send(struct kunit *test, struct sk_buff *msg)
{
	struct netlink_ext_ack extack = {};
	int err = config_run(test, msg, &extack, 0, NULL);

	if (err)
		KUNIT_EXPECT_NOT_NULL(test, extack._msg);
	return err;
}

static __maybe_unused void put_binding(struct sk_buff *msg, int type,
				       const void *ip, unsigned int bytes,
				       int len, u8 mac, u16 vlan)
{
	struct nlattr *nest = nla_nest_start(msg, type);
	u8 addr[ETH_ALEN];

	if (bytes)
		nla_put(msg, VMQ_A_GUARD_BINDING_IP, bytes, ip);
	if (len >= 0)
		nla_put_u8(msg, VMQ_A_GUARD_BINDING_IP_LEN, len);
	if (mac) {
		put_mac(addr, mac);
		nla_put(msg, VMQ_A_GUARD_BINDING_MAC, ETH_ALEN, addr);
	}
	if (vlan)
		nla_put_u16(msg, VMQ_A_GUARD_BINDING_VLAN, vlan);
	nla_nest_end(msg, nest);
}

static __maybe_unused int add4(struct kunit *test, u8 host, int len, u8 mac,
			       u16 vlan)
{
	struct sk_buff *msg = config_start(test);
	__be32 addr = ip4(host);

	put_binding(msg, VMQ_A_GUARD_ADD, &addr, 4, len, mac, vlan);
	return config_send(test, msg);
}

static __maybe_unused int add6(struct kunit *test, struct in6_addr addr,
			       int len)
{
	struct sk_buff *msg = config_start(test);

	put_binding(msg, VMQ_A_GUARD_ADD, &addr, 16, len, 0, 0);
	return config_send(test, msg);
}

static __maybe_unused int config_u32(struct kunit *test, int type, u32 value)
{
	struct sk_buff *msg = config_start(test);

	nla_put_u32(msg, type, value);
	return config_send(test, msg);
}

static __maybe_unused int config_u8(struct kunit *test, int type, u8 value)
{
	struct sk_buff *msg = config_start(test);

	nla_put_u8(msg, type, value);
	return config_send(test, msg);
}

static __maybe_unused int config_flag(struct kunit *test, int type)
{
	struct sk_buff *msg = config_start(test);

	nla_put_flag(msg, type);
	return config_send(test, msg);
}

static __maybe_unused void checks(struct kunit *test, u32 mask)
{
	KUNIT_ASSERT_EQ(test, 0, config_u32(test, VMQ_A_GUARD_CHECKS, mask));
}

static __maybe_unused struct vmq_ext_port *port_new(struct kunit *test)
{
	struct vmq_ext_port *ep = kunit_kzalloc(test, sizeof(*ep), GFP_KERNEL);
	u8 mac[ETH_ALEN];

	KUNIT_ASSERT_NOT_NULL(test, ep);
	ep->ops = &guard_ops;
	ep->dev = alloc_etherdev(0);
	KUNIT_ASSERT_NOT_NULL(test, ep->dev);
	put_mac(mac, GUEST);
	eth_hw_addr_set(ep->dev, mac);
	KUNIT_ASSERT_EQ(test, 0, guard_ops.attach(ep, NULL));
	return ep;
}

static __maybe_unused void port_free(struct vmq_ext_port *ep)
{
	guard_ops.detach(ep);
	free_netdev(ep->dev);
}

/* A port on which everything is checked. */
static __maybe_unused int guard_test_init(struct kunit *test)
{
	test->priv = port_new(test);
	checks(test, GUARD_CHECKS_ALL);
	return 0;
}

static __maybe_unused void guard_test_exit(struct kunit *test)
{
	check_tables(test);
	port_free(test->priv);
}

#endif /* _VMQ_GUARD_TEST_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * The extension guard: IPv6 and neighbour discovery.
 *
 * Extension headers are walked to what is behind them. A packet in which that
 * is not to be seen can't be checked and does not pass (RFC 7113), but for the
 * later fragments of one whose first fragment was seen.
 */
#include <linux/icmpv6.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <net/ipv6.h>
#include <net/ndisc.h>

#include "guard.h"

/* Group membership reports: a host without an address sends them, RFC 3590. */
#define GUARD_MLD_REPORT	131
#define GUARD_MLD_DONE		132
#define GUARD_MLD2_REPORT	143

/* Longest neighbour discovery message that is read: all its options count. */
#define GUARD_ND_MAX		512

/* What the checks have to know of an IPv6 packet. */
struct guard_ip6 {
	struct in6_addr src;
	struct in6_addr dst;
	unsigned int l4;	/* where the payload behind all headers starts */
	unsigned int len;	/* bytes of it */
	u8 proto;		/* what it is; not known for later fragments */
	u8 hop_limit;
	bool fragment;		/* one of several, or marked as if */
	bool later;		/* not the first of them */
	u8 type;		/* ICMPv6 */
	bool udp;		/* has the two ports below */
	u16 sport;
	u16 dport;
	unsigned int data;	/* bytes behind the UDP header */
};

static bool guard_ip6_ports(const struct sk_buff *skb, struct guard_ip6 *ip)
{
	const struct udphdr *uh;
	struct udphdr _uh;

	if (ip->len < sizeof(_uh))
		return false;
	uh = skb_header_pointer(skb, ip->l4, sizeof(_uh), &_uh);
	if (!uh)
		return false;
	ip->udp = true;
	ip->sport = ntohs(uh->source);
	ip->dport = ntohs(uh->dest);
	ip->data = ip->len - sizeof(_uh);
	if (uh->len && !ip->fragment) {
		if (ntohs(uh->len) < sizeof(_uh) || ntohs(uh->len) > ip->len)
			return skb_is_gso(skb);
		ip->data = ntohs(uh->len) - sizeof(_uh);
	}
	return true;
}

static bool guard_ip6_parse(const struct sk_buff *skb, struct guard_ip6 *ip)
{
	const struct ipv6hdr *ip6h;
	unsigned int len, end;
	struct ipv6hdr _ip6h;
	const u8 *type;
	__be16 frag;
	u8 _type;
	int l4;

	ip6h = skb_header_pointer(skb, 0, sizeof(_ip6h), &_ip6h);
	if (!ip6h || ip6h->version != 6)
		return false;
	len = ntohs(ip6h->payload_len);
	/* A packet of more than 64 KiB has 0 there, and so has an empty one. */
	if (!len && skb_is_gso(skb))
		len = skb->len - sizeof(_ip6h);
	if (len > skb->len - sizeof(_ip6h))
		return false;
	end = sizeof(_ip6h) + len;

	memset(ip, 0, sizeof(*ip));
	ip->src = ip6h->saddr;
	ip->dst = ip6h->daddr;
	ip->proto = ip6h->nexthdr;
	ip->hop_limit = ip6h->hop_limit;
	/* ipv6_skip_exthdr() takes "nothing follows" for an error. */
	if (ip->proto == NEXTHDR_NONE)
		return true;
	l4 = ipv6_skip_exthdr(skb, sizeof(_ip6h), &ip->proto, &frag);
	if (l4 < 0 || l4 > end)
		return false;
	ip->l4 = l4;
	ip->len = end - l4;
	ip->fragment = frag;
	if (ntohs(frag) & ~0x7) {
		ip->later = true;
		return true;
	}

	switch (ip->proto) {
	case NEXTHDR_UDP:
		return guard_ip6_ports(skb, ip);
	case NEXTHDR_ICMP:
		type = ip->len ? skb_header_pointer(skb, l4, 1, &_type) : NULL;
		if (!type)
			return false;
		ip->type = *type;
		return true;
	}
	return true;
}

/* ---- neighbour discovery ---- */

static bool guard_is_nd(const struct guard_ip6 *ip)
{
	return !ip->later && ip->proto == NEXTHDR_ICMP &&
	       ip->type >= NDISC_ROUTER_SOLICITATION &&
	       ip->type <= NDISC_REDIRECT;
}

/*
 * The link-layer addresses among the options of a message have to be the
 * sender's own, in whatever number they come.
 */
static enum guard_count guard_nd_options(const struct guard_frame *f,
					 const u8 *p, unsigned int len)
{
	unsigned int n;

	while (len) {
		if (len < 8 || !p[1])
			return GUARD_DROP_MALFORMED;
		n = p[1] * 8;
		if (n > len)
			return GUARD_DROP_MALFORMED;
		if (p[0] == ND_OPT_SOURCE_LL_ADDR ||
		    p[0] == ND_OPT_TARGET_LL_ADDR) {
			if (n != 8)
				return GUARD_DROP_MALFORMED;
			if (!ether_addr_equal_unaligned(p + 2, f->src))
				return GUARD_DROP_ND;
		}
		p += n;
		len -= n;
	}
	return GUARD_PASSED;
}

/* Bytes of a message in front of its options */
static unsigned int guard_nd_hdr(u8 type)
{
	switch (type) {
	case NDISC_ROUTER_SOLICITATION:
		return sizeof(struct icmp6hdr);
	case NDISC_ROUTER_ADVERTISEMENT:
		return sizeof(struct ra_msg);
	case NDISC_REDIRECT:
		return sizeof(struct rd_msg);
	default:
		return sizeof(struct nd_msg);
	}
}

/* Reads all of a message; false if receivers have to discard it, too. */
static bool guard_nd_read(const struct guard_frame *f,
			  const struct guard_ip6 *ip, u8 *buf)
{
	/* RFC 4861, 7.1 and RFC 6980 */
	if (ip->hop_limit != 255 || ip->fragment ||
	    ip->len < guard_nd_hdr(ip->type) || ip->len > GUARD_ND_MAX)
		return false;
	return !skb_copy_bits(f->skb, ip->l4, buf, ip->len) &&
	       buf[0] == ip->type && !buf[1];
}

/*
 * Duplicate address detection comes from the unspecified address. What it asks
 * for it may ask, if the guest may have it, or may learn that nobody else does.
 */
static enum guard_count guard_dad(const struct guard_frame *f,
				  const struct in6_addr *target)
{
	if (ipv6_addr_type(target) & IPV6_ADDR_LINKLOCAL &&
	    READ_ONCE(f->guard->link_local) == VMQ_GUARD_LINK_LOCAL_DAD) {
		guard_dad_out(f, target);
		return GUARD_PASSED;
	}
	if (guard_checks(f, VMQ_GUARD_CHECK_ND) && !guard_ip6_ok(f, target))
		return GUARD_DROP_ND;
	return GUARD_PASSED;
}

/* Not inline: what has so much on the stack is not for all frames. */
static noinline enum guard_count guard_nd(const struct guard_frame *f,
					  const struct guard_ip6 *ip)
{
	u8 buf[GUARD_ND_MAX] __aligned(4);
	struct nd_msg *msg = (struct nd_msg *)buf;
	enum guard_count what;
	bool nd = guard_checks(f, VMQ_GUARD_CHECK_ND);

	if (!guard_rate_allows(f->guard, GUARD_RATE_ND))
		return GUARD_DROP_RATE;
	if (guard_checks(f, VMQ_GUARD_CHECK_RA) &&
	    (ip->type == NDISC_ROUTER_ADVERTISEMENT ||
	     ip->type == NDISC_REDIRECT))
		return GUARD_DROP_RA;
	if (!nd && ip->type != NDISC_NEIGHBOUR_SOLICITATION)
		return GUARD_PASSED;
	if (!guard_nd_read(f, ip, buf))
		return nd ? GUARD_DROP_MALFORMED : GUARD_PASSED;
	if (nd) {
		what = guard_nd_options(f, buf + guard_nd_hdr(ip->type),
					ip->len - guard_nd_hdr(ip->type));
		if (what != GUARD_PASSED)
			return what;
	}

	if (ipv6_addr_any(&ip->src)) {
		if (ip->type == NDISC_NEIGHBOUR_SOLICITATION)
			return guard_dad(f, &msg->target);
		/* A router solicitation may, nothing else. */
		return ip->type == NDISC_ROUTER_SOLICITATION ? GUARD_PASSED :
							       GUARD_DROP_ND;
	}
	if (!nd)
		return GUARD_PASSED;
	if (!guard_ip6_ok(f, &ip->src))
		return GUARD_DROP_ND;
	if (ip->type == NDISC_NEIGHBOUR_ADVERTISEMENT &&
	    !guard_ip6_ok(f, &msg->target))
		return GUARD_DROP_ND;
	return GUARD_PASSED;
}

/* ---- all of IPv6 ---- */

/* Who has no address yet: neighbour discovery, checked by itself, and groups. */
static bool guard_ip6_unspecified_ok(const struct guard_ip6 *ip)
{
	if (ip->fragment || ip->proto != NEXTHDR_ICMP)
		return false;
	switch (ip->type) {
	case NDISC_ROUTER_SOLICITATION:
	case NDISC_NEIGHBOUR_SOLICITATION:
	case GUARD_MLD_REPORT:
	case GUARD_MLD_DONE:
	case GUARD_MLD2_REPORT:
		return ipv6_addr_is_multicast(&ip->dst);
	}
	return false;
}

static bool guard_ip6_source_ok(const struct guard_frame *f,
				const struct guard_ip6 *ip)
{
	if (ipv6_addr_any(&ip->src))
		return guard_ip6_unspecified_ok(ip);
	return guard_ip6_ok(f, &ip->src);
}

/**
 * guard_ipv6() - Checks an IPv6 frame of the guest.
 * @f: the frame
 *
 * Context: RCU read side, BH off.
 * Return: %GUARD_PASSED, or why not
 */
enum guard_count guard_ipv6(const struct guard_frame *f)
{
	struct guard_ip6 ip;

	if (!guard_checks(f, GUARD_CHECKS_DEEP) && !READ_ONCE(f->guard->snoop))
		return GUARD_PASSED;
	if (!guard_ip6_parse(f->skb, &ip))
		return guard_checks(f, GUARD_CHECKS_DEEP) ?
		       GUARD_DROP_MALFORMED : GUARD_PASSED;

	if (guard_checks(f, VMQ_GUARD_CHECK_DHCP_SERVER) && ip.udp &&
	    (ip.dport == GUARD_DHCP6_CLIENT_PORT ||
	     ip.sport == GUARD_DHCP6_SERVER_PORT))
		return GUARD_DROP_DHCP_SERVER;
	if (guard_checks(f, VMQ_GUARD_CHECK_IPV6) &&
	    !guard_ip6_source_ok(f, &ip))
		return GUARD_DROP_IPV6;

	if (guard_is_nd(&ip))
		return guard_nd(f, &ip);
	if (likely(!ip.udp || ip.dport != GUARD_DHCP6_SERVER_PORT))
		return GUARD_PASSED;
	if (ip.fragment)
		return GUARD_DROP_MALFORMED;
	return guard_dhcp6_out(f, ip.l4 + sizeof(struct udphdr), ip.data);
}

/* An answer, or somebody who asks for the same at the same time? */
static noinline void guard_nd_in(const struct guard_frame *f,
				 const struct guard_ip6 *ip)
{
	u8 buf[GUARD_ND_MAX] __aligned(4);
	struct nd_msg *msg = (struct nd_msg *)buf;

	if (ip->type != NDISC_NEIGHBOUR_ADVERTISEMENT &&
	    !(ip->type == NDISC_NEIGHBOUR_SOLICITATION &&
	      ipv6_addr_any(&ip->src)))
		return;
	if (guard_nd_read(f, ip, buf))
		guard_dad_in(f, &msg->target);
}

/**
 * guard_ipv6_in() - Reads an IPv6 frame to the guest.
 * @f: the frame; answers of DHCP servers are of interest, and whether somebody
 *	else has an address that the guest asked for
 *
 * Context: RCU read side, BH off.
 */
void guard_ipv6_in(const struct guard_frame *f)
{
	const struct ipv6hdr *ip6h;
	struct ipv6hdr _ip6h;
	struct guard_ip6 ip;

	ip6h = skb_header_pointer(f->skb, 0, sizeof(_ip6h), &_ip6h);
	if (likely(!ip6h || ip6h->nexthdr == NEXTHDR_TCP))
		return;
	if (!guard_ip6_parse(f->skb, &ip) || ip.fragment)
		return;
	if (ip.udp && ip.dport == GUARD_DHCP6_CLIENT_PORT)
		guard_dhcp6_in(f, ip.l4 + sizeof(struct udphdr), ip.data);
	else if (guard_is_nd(&ip) && READ_ONCE(f->guard->n_dad))
		guard_nd_in(f, &ip);
}

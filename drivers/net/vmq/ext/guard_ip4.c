// SPDX-License-Identifier: GPL-2.0
/*
 * The extension guard: IPv4 and ARP.
 *
 * The data of a frame may be shared with others and lie in fragments, so it is
 * only read, through skb_header_pointer(), and each field once.
 */
#include <linux/if_arp.h>
#include <linux/igmp.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <net/ip.h>

#include "guard.h"

/* What the checks have to know of an IPv4 packet. */
struct guard_ip4 {
	__be32 src;
	__be32 dst;
	unsigned int l4;	/* where its payload starts */
	unsigned int len;	/* bytes of the payload */
	u8 proto;
	bool fragment;		/* one of several */
	bool later;		/* not the first of them */
	bool udp;		/* has the two ports below */
	u16 sport;
	u16 dport;
	unsigned int data;	/* bytes behind the UDP header */
};

static bool guard_ip4_parse(const struct sk_buff *skb, struct guard_ip4 *ip)
{
	unsigned int hlen, tot_len;
	const struct iphdr *iph;
	const struct udphdr *uh;
	struct iphdr _iph;
	struct udphdr _uh;
	u16 frag;

	iph = skb_header_pointer(skb, 0, sizeof(_iph), &_iph);
	if (!iph || iph->version != 4 || iph->ihl < 5)
		return false;
	hlen = iph->ihl * 4;
	tot_len = ntohs(iph->tot_len);
	/* More than 64 KiB do not fit the field: it is 0 then. */
	if (!tot_len && skb_is_gso(skb) && skb_is_gso_tcp(skb))
		tot_len = skb->len;
	if (tot_len < hlen || tot_len > skb->len)
		return false;

	ip->src = iph->saddr;
	ip->dst = iph->daddr;
	ip->proto = iph->protocol;
	ip->l4 = hlen;
	ip->len = tot_len - hlen;
	frag = ntohs(iph->frag_off);
	ip->fragment = frag & (IP_MF | IP_OFFSET);
	ip->later = frag & IP_OFFSET;
	ip->udp = false;
	if (ip->proto != IPPROTO_UDP || ip->later)
		return true;

	/* A fragment has 8 bytes at least, so the first one has both ports. */
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

/* A client asks: before it has an address, and to renew its lease. */
static bool guard_ip4_is_dhcp(const struct guard_ip4 *ip)
{
	return ip->udp && ip->dport == GUARD_DHCP4_SERVER_PORT;
}

/* Who has no address yet may look for one, and say what groups it is in. */
static bool guard_ip4_unspecified_ok(const struct guard_ip4 *ip)
{
	if (ip->proto == IPPROTO_IGMP)
		return ipv4_is_multicast(ip->dst);
	return guard_ip4_is_dhcp(ip) && ip->sport == GUARD_DHCP4_CLIENT_PORT &&
	       ipv4_is_lbcast(ip->dst);
}

/**
 * guard_ipv4() - Checks an IPv4 frame of the guest.
 * @f: the frame
 *
 * Every fragment is checked by its source address; DHCP in fragments does not
 * pass, as it can't be read.
 *
 * Context: RCU read side, BH off.
 * Return: %GUARD_PASSED, or why not
 */
enum guard_count guard_ipv4(const struct guard_frame *f)
{
	struct guard_ip4 ip;

	if (!guard_checks(f, VMQ_GUARD_CHECK_IPV4 | VMQ_GUARD_CHECK_MAC |
			     VMQ_GUARD_CHECK_DHCP_SERVER) &&
	    !READ_ONCE(f->guard->snoop))
		return GUARD_PASSED;
	if (!guard_ip4_parse(f->skb, &ip))
		return guard_checks(f, VMQ_GUARD_CHECK_IPV4 |
				       VMQ_GUARD_CHECK_DHCP_SERVER) ?
		       GUARD_DROP_MALFORMED : GUARD_PASSED;

	/* Clients listen on the one port and servers send from the other. */
	if (guard_checks(f, VMQ_GUARD_CHECK_DHCP_SERVER) && ip.udp &&
	    (ip.dport == GUARD_DHCP4_CLIENT_PORT ||
	     ip.sport == GUARD_DHCP4_SERVER_PORT))
		return GUARD_DROP_DHCP_SERVER;
	if (guard_checks(f, VMQ_GUARD_CHECK_IPV4) &&
	    !guard_ip4_ok(f, ip.src) &&
	    !(!ip.src && guard_ip4_unspecified_ok(&ip)))
		return GUARD_DROP_IPV4;

	if (likely(!guard_ip4_is_dhcp(&ip)))
		return GUARD_PASSED;
	if (ip.fragment)
		return GUARD_DROP_MALFORMED;
	return guard_dhcp4_out(f, ip.l4 + sizeof(struct udphdr), ip.data);
}

/**
 * guard_ipv4_in() - Reads an IPv4 frame to the guest.
 * @f: the frame; answers of DHCP servers are of interest
 *
 * Context: RCU read side, BH off.
 */
void guard_ipv4_in(const struct guard_frame *f)
{
	const struct iphdr *iph;
	struct iphdr _iph;
	struct guard_ip4 ip;

	iph = skb_header_pointer(f->skb, 0, sizeof(_iph), &_iph);
	if (likely(!iph || iph->protocol != IPPROTO_UDP))
		return;
	if (!guard_ip4_parse(f->skb, &ip) || !ip.udp || ip.fragment ||
	    likely(ip.dport != GUARD_DHCP4_CLIENT_PORT))
		return;
	guard_dhcp4_in(f, ip.l4 + sizeof(struct udphdr), ip.data);
}

/* ---- ARP ---- */

/* ARP for IPv4 on Ethernet */
struct guard_arp {
	struct arphdr hdr;
	u8 sha[ETH_ALEN];
	u8 spa[4];
	u8 tha[ETH_ALEN];
	u8 tpa[4];
} __packed;

static bool guard_arp_read(const struct sk_buff *skb, struct guard_arp *arp)
{
	/* a copy, so that it stays what was checked */
	if (skb_copy_bits(skb, 0, arp, sizeof(*arp)))
		return false;
	return arp->hdr.ar_hrd == htons(ARPHRD_ETHER) &&
	       arp->hdr.ar_pro == htons(ETH_P_IP) &&
	       arp->hdr.ar_hln == ETH_ALEN && arp->hdr.ar_pln == 4;
}

/**
 * guard_arp() - Checks an ARP frame of the guest.
 * @f: the frame
 *
 * The sender's addresses have to be those of a binding. A probe (RFC 5227)
 * claims none: a request with the unspecified address.
 *
 * Context: RCU read side, BH off.
 * Return: %GUARD_PASSED, or why not
 */
enum guard_count guard_arp(const struct guard_frame *f)
{
	struct guard_arp arp;
	__be32 spa;

	if (!guard_rate_allows(f->guard, GUARD_RATE_ARP))
		return GUARD_DROP_RATE;
	if (!guard_checks(f, VMQ_GUARD_CHECK_ARP))
		return GUARD_PASSED;
	if (!guard_arp_read(f->skb, &arp) ||
	    (arp.hdr.ar_op != htons(ARPOP_REQUEST) &&
	     arp.hdr.ar_op != htons(ARPOP_REPLY)))
		return GUARD_DROP_MALFORMED;
	if (!ether_addr_equal_unaligned(arp.sha, f->src))
		return GUARD_DROP_ARP;
	memcpy(&spa, arp.spa, sizeof(spa));
	if (!spa)
		return arp.hdr.ar_op == htons(ARPOP_REQUEST) ? GUARD_PASSED :
							       GUARD_DROP_ARP;
	return guard_ip4_ok(f, spa) ? GUARD_PASSED : GUARD_DROP_ARP;
}

/**
 * guard_rarp() - Checks a RARP frame of the guest.
 * @f: the frame
 *
 * QEMU announces a guest that was moved with requests for the guest's own MAC
 * address; they claim no IP address.
 *
 * Context: RCU read side, BH off.
 * Return: %GUARD_PASSED, or why not
 */
enum guard_count guard_rarp(const struct guard_frame *f)
{
	struct guard_arp arp;

	if (!guard_rate_allows(f->guard, GUARD_RATE_ARP))
		return GUARD_DROP_RATE;
	if (!guard_checks(f, VMQ_GUARD_CHECK_ARP))
		return GUARD_PASSED;
	if (!guard_arp_read(f->skb, &arp))
		return GUARD_DROP_MALFORMED;
	if (arp.hdr.ar_op != htons(ARPOP_RREQUEST) ||
	    !ether_addr_equal_unaligned(arp.sha, f->src) ||
	    !ether_addr_equal_unaligned(arp.tha, f->src))
		return GUARD_DROP_ARP;
	return GUARD_PASSED;
}

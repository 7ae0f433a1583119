// SPDX-License-Identifier: GPL-2.0
/*
 * The extension acl: what a frame is.
 *
 * The data of a frame may be shared with others and lie in fragments, so it is
 * only read, through skb_header_pointer(). A header counts only as far as the
 * IP header says that the packet goes: what an Ethernet trailer holds is not
 * part of it.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "acl.h"

/* Neighbour discovery: router solicitation to redirect, RFC 4861. */
#define ACL_ND_FIRST	133
#define ACL_ND_LAST	137

/* Where the flags are in the header of TCP; the kernel has them as single bits. */
#define ACL_TCP_FLAGS_AT	13

/* VLAN tags in the data of a frame; behind as many, nobody looks for IP. */
#define ACL_TAGS_MAX	8

/* Bytes at the start of SCTP and DCCP that every packet has. */
#define ACL_L4_MIN	12

/* Inline, and buffers not set to zero: known connections are the fast path. */
static __always_inline const void *acl_pull(const struct sk_buff *skb,
					    unsigned int off, unsigned int end,
					    unsigned int len, void *buf)
{
	if (off > end || end - off < len)
		return NULL;

	return skb_header_pointer(skb, off, len, buf);
}

/* As two words, see &struct acl_key. */
static __always_inline void acl_addr_set(struct in6_addr *addr, __be32 ipv4)
{
	const union {
		__be32 ipv4[2];
		u64 word;
	} first = { .ipv4 = { ipv4, 0 } };

	((u64 *)addr)[0] = first.word;
	((u64 *)addr)[1] = 0;
}

/* @whole: all of the packet has to be there, as is not so in an ICMP error. */
static __always_inline bool
acl_parse_ipv4(const struct sk_buff *skb, unsigned int off, unsigned int end,
	       bool whole, struct acl_ip *ip)
{
	const struct iphdr *iph;
	struct iphdr _iph __uninitialized;
	unsigned int len, hlen;

	iph = acl_pull(skb, off, end, sizeof(_iph), &_iph);
	if (!iph || iph->version != 4 || iph->ihl < 5)
		return false;

	hlen = iph->ihl * 4;
	len = ntohs(iph->tot_len);
	/* More than 64 KiB do not fit the field: it is 0 then. */
	if (!len && whole && skb_is_gso(skb) && skb_is_gso_tcp(skb))
		len = end - off;
	if (len < hlen || end - off < hlen || (whole && len > end - off))
		return false;

	acl_addr_set(&ip->src, iph->saddr);
	acl_addr_set(&ip->dst, iph->daddr);
	ip->family = AF_INET;
	ip->proto = iph->protocol;
	ip->proto_known = true;
	ip->fragment = (ntohs(iph->frag_off) & IP_OFFSET) * 8;
	ip->l4 = off + hlen;
	ip->end = min(off + len, end);

	return true;
}

static bool acl_parse_ipv6(const struct sk_buff *skb, unsigned int off,
			   unsigned int end, bool whole, struct acl_ip *ip)
{
	const struct ipv6hdr *ip6h;
	const struct frag_hdr *fh;
	struct ipv6hdr _ip6h __uninitialized;
	struct frag_hdr _fh __uninitialized;
	unsigned int len;
	__be16 frag_off;
	int l4;

	ip6h = acl_pull(skb, off, end, sizeof(_ip6h), &_ip6h);
	if (!ip6h || ip6h->version != 6)
		return false;

	len = ntohs(ip6h->payload_len);
	/* A packet of more than 64 KiB has 0 there, and so has an empty one. */
	if (!len && whole && skb_is_gso(skb))
		len = end - off - sizeof(_ip6h);
	if (whole && len > end - off - sizeof(_ip6h))
		return false;

	ip->src = ip6h->saddr;
	ip->dst = ip6h->daddr;
	ip->family = AF_INET6;
	ip->proto = ip6h->nexthdr;
	ip->proto_known = true;
	ip->fragment = 0;
	ip->l4 = off + sizeof(_ip6h);
	ip->end = min(ip->l4 + len, end);

	/* ipv6_skip_exthdr() takes "nothing follows" for an error. */
	if (ip->proto == NEXTHDR_NONE)
		return true;

	l4 = ipv6_skip_exthdr(skb, ip->l4, &ip->proto, &frag_off);
	if (l4 < 0 || l4 > ip->end)
		return false;

	ip->l4 = l4;
	ip->fragment = ntohs(frag_off) & ~0x7;
	if (!ip->fragment)
		return true;

	/* A later fragment: the walk stopped at the fragment header. */
	fh = acl_pull(skb, l4, ip->end, sizeof(_fh), &_fh);
	if (!fh)
		return false;

	ip->proto = fh->nexthdr;
	ip->proto_known = !ipv6_ext_hdr(fh->nexthdr);
	ip->l4 += sizeof(_fh);

	return true;
}

static __always_inline bool
acl_parse_ip(const struct sk_buff *skb, u8 family, unsigned int off,
	     unsigned int end, bool whole, struct acl_ip *ip)
{
	if (family == AF_INET)
		return acl_parse_ipv4(skb, off, end, whole, ip);

	return acl_parse_ipv6(skb, off, end, whole, ip);
}

static __always_inline void
acl_key_set(struct acl_key *key, const struct acl_ip *ip, enum vmq_dir dir,
	    u16 vlan, u16 sport, u16 dport)
{
	if (dir == VMQ_TO_GUEST) {
		key->local = ip->dst;
		key->remote = ip->src;
		key->rest = acl_key_rest(dport, sport, vlan, ip->family,
					 ip->proto);
	} else {
		key->local = ip->src;
		key->remote = ip->dst;
		key->rest = acl_key_rest(sport, dport, vlan, ip->family,
					 ip->proto);
	}
}

static enum vmq_dir acl_other_dir(enum vmq_dir dir)
{
	return dir == VMQ_TO_GUEST ? VMQ_FROM_GUEST : VMQ_TO_GUEST;
}

static bool acl_is_icmp(const struct acl_ip *ip)
{
	return ip->proto == (ip->family == AF_INET ? IPPROTO_ICMP :
						     IPPROTO_ICMPV6);
}

static bool acl_icmp_is_request(u8 family, u8 type)
{
	return type == (family == AF_INET ? ICMP_ECHO : ICMPV6_ECHO_REQUEST);
}

static bool acl_icmp_is_reply(u8 family, u8 type)
{
	return type == (family == AF_INET ? ICMP_ECHOREPLY : ICMPV6_ECHO_REPLY);
}

/* A redirect is left to the rules: it changes where the guest sends to. */
static bool acl_icmp_is_error(u8 family, u8 type)
{
	if (family == AF_INET)
		return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED ||
		       type == ICMP_PARAMETERPROB || type == ICMP_SOURCE_QUENCH;

	return type >= ICMPV6_DEST_UNREACH && type <= ICMPV6_PARAMPROB;
}

/* The connection of an echo: named after the side that asks. */
static bool acl_key_echo(struct acl_key *key, const struct acl_ip *ip,
			 enum vmq_dir dir, u16 vlan, u8 type, __be16 id)
{
	bool request = acl_icmp_is_request(ip->family, type);

	if (!request && !acl_icmp_is_reply(ip->family, type))
		return false;

	acl_key_set(key, ip, dir, vlan, ntohs(id), ntohs(id));
	if (request ? dir == VMQ_FROM_GUEST : dir == VMQ_TO_GUEST)
		key->rest |= ACL_KEY_ECHO_OUT;
	return true;
}

/*
 * An ICMP error holds the start of the packet that it is about, which went the
 * other way and came from where the error goes to. If that cannot be read the
 * error is not wrong, it only belongs to no connection.
 */
static enum acl_flow_kind acl_parse_error(const struct sk_buff *skb,
					  const struct acl_ip *outer,
					  u16 vlan, struct acl_flow *flow)
{
	enum vmq_dir dir = acl_other_dir(flow->dir);
	struct acl_ip ip __uninitialized;
	const __be16 *p;
	__be16 _p[4];

	/* The headers of ICMP and ICMPv6 errors are of the same length. */
	if (!acl_parse_ip(skb, outer->family, outer->l4 + sizeof(struct icmphdr),
			  outer->end, false, &ip) ||
	    ip.fragment || !ipv6_addr_equal(&ip.src, &outer->dst))
		return ACL_FLOW_RULES;

	p = acl_pull(skb, ip.l4, ip.end, sizeof(_p), _p);
	if (!p)
		return ACL_FLOW_RULES;

	if (ip.proto == IPPROTO_TCP || ip.proto == IPPROTO_UDP)
		acl_key_set(&flow->key, &ip, dir, vlan, ntohs(p[0]),
			    ntohs(p[1]));
	else if (!acl_is_icmp(&ip) ||
		 !acl_key_echo(&flow->key, &ip, dir, vlan,
			       *(const u8 *)p, p[2]))
		return ACL_FLOW_RULES;

	return ACL_FLOW_ERROR;
}

static enum acl_flow_kind acl_parse_icmp(const struct sk_buff *skb,
					 const struct acl_ip *ip, u16 vlan,
					 struct acl_flow *flow)
{
	const struct icmphdr *ih;
	struct icmphdr _ih;
	const u8 *type;
	u8 _type[4];

	/* ICMPv6 has messages of 4 bytes, ICMP has none below 8. */
	type = acl_pull(skb, ip->l4, ip->end, sizeof(_type), _type);
	if (!type)
		return ACL_FLOW_BAD;
	flow->icmp_type = type[0];
	flow->icmp_code = type[1];
	if (ip->family == AF_INET6 &&
	    type[0] >= ACL_ND_FIRST && type[0] <= ACL_ND_LAST)
		return ACL_FLOW_FREE;

	/* Type, code and identifier are in the same place in both. */
	ih = acl_pull(skb, ip->l4, ip->end, sizeof(_ih), &_ih);
	if (!ih) {
		if (ip->family == AF_INET ||
		    type[0] <= ICMPV6_PARAMPROB ||
		    acl_icmp_is_request(AF_INET6, type[0]) ||
		    acl_icmp_is_reply(AF_INET6, type[0]))
			return ACL_FLOW_BAD;
		return ACL_FLOW_RULES;
	}

	if (acl_icmp_is_error(ip->family, ih->type))
		return acl_parse_error(skb, ip, vlan, flow);
	if (!acl_key_echo(&flow->key, ip, flow->dir, vlan, ih->type,
			  ih->un.echo.id))
		return ACL_FLOW_RULES;

	flow->creates = acl_icmp_is_request(ip->family, ih->type);
	return ACL_FLOW_TRACKED;
}

static enum acl_flow_kind acl_parse_tcp(const struct sk_buff *skb,
					const struct acl_ip *ip, u16 vlan,
					struct acl_flow *flow)
{
	const struct tcphdr *th;
	struct tcphdr _th __uninitialized;

	th = acl_pull(skb, ip->l4, ip->end, sizeof(_th), &_th);
	if (!th || th->doff < 5 || ip->end - ip->l4 < th->doff * 4)
		return ACL_FLOW_BAD;

	flow->tcp = ((const u8 *)th)[ACL_TCP_FLAGS_AT];
	/* What ends a connection does not make one. */
	flow->creates = (flow->tcp & (ACL_TCP_SYN | ACL_TCP_ACK)) &&
			!(flow->tcp & (ACL_TCP_RST | ACL_TCP_FIN));
	flow->sport = ntohs(th->source);
	flow->dport = ntohs(th->dest);
	acl_key_set(&flow->key, ip, flow->dir, vlan, flow->sport, flow->dport);

	return ACL_FLOW_TRACKED;
}

static enum acl_flow_kind acl_parse_udp(const struct sk_buff *skb,
					const struct acl_ip *ip, u16 vlan,
					struct acl_flow *flow)
{
	const struct udphdr *uh;
	struct udphdr _uh __uninitialized;

	uh = acl_pull(skb, ip->l4, ip->end, sizeof(_uh), &_uh);
	/* A length of 0 is that of a jumbogram or of a frame for GSO. */
	if (!uh || (uh->len && ntohs(uh->len) < sizeof(_uh)))
		return ACL_FLOW_BAD;

	flow->creates = true;
	flow->sport = ntohs(uh->source);
	flow->dport = ntohs(uh->dest);
	acl_key_set(&flow->key, ip, flow->dir, vlan, flow->sport, flow->dport);

	return ACL_FLOW_TRACKED;
}

static enum acl_flow_kind acl_parse_ports(const struct sk_buff *skb,
					  const struct acl_ip *ip,
					  struct acl_flow *flow)
{
	const __be16 *p;
	__be16 _p[ACL_L4_MIN / sizeof(__be16)];

	p = acl_pull(skb, ip->l4, ip->end, sizeof(_p), _p);
	if (!p)
		return ACL_FLOW_BAD;

	flow->sport = ntohs(p[0]);
	flow->dport = ntohs(p[1]);

	return ACL_FLOW_RULES;
}

/* @off: where the packet starts, behind all tags */
static __always_inline enum acl_flow_kind
acl_parse_packet(const struct sk_buff *skb, __be16 proto, unsigned int off,
		 struct acl_flow *flow)
{
	struct acl_ip *ip = &flow->ip;
	u16 vlan = flow->vlan;
	u8 family;

	if (likely(proto == htons(ETH_P_IP))) {
		family = AF_INET;
	} else if (proto == htons(ETH_P_IPV6)) {
		family = AF_INET6;
	} else {
		ip->family = 0;
		return ACL_FLOW_FREE;
	}

	if (!acl_parse_ip(skb, family, off, skb->len, true, ip))
		return ACL_FLOW_BAD;

	if (unlikely(ip->fragment)) {
		/*
		 * A fragment that starts inside the TCP header could change the
		 * flags of the first one after that was judged (RFC 3128).
		 */
		if (ip->proto == IPPROTO_TCP &&
		    ip->fragment < sizeof(struct tcphdr))
			return ACL_FLOW_BAD;
		flow->view = ip->proto_known ? ACL_VIEW_FRAGMENT :
					       ACL_VIEW_NO_PROTO;
		return ACL_FLOW_RULES;
	}

	switch (ip->proto) {
	case IPPROTO_TCP:
		return acl_parse_tcp(skb, ip, vlan, flow);
	case IPPROTO_UDP:
		return acl_parse_udp(skb, ip, vlan, flow);
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		return acl_parse_ports(skb, ip, flow);
	default:
		if (acl_is_icmp(ip))
			return acl_parse_icmp(skb, ip, vlan, flow);
		return ACL_FLOW_RULES;
	}
}

/*
 * A frame with tags in its data. The VLAN is that of the first tag that names one, as
 * the kernel of a guest finds it; a later one is a matter between the guest and whoever
 * is in that VLAN, but the packet behind it is one all the same.
 */
static noinline enum acl_flow_kind acl_parse_tagged(const struct sk_buff *skb,
						    struct acl_flow *flow)
{
	__be16 proto = skb->protocol;
	const struct vlan_hdr *vh;
	unsigned int off = 0, n;
	enum acl_flow_kind kind;
	bool inner = false;
	struct vlan_hdr _vh;
	u16 vid;

	for (n = 0; eth_type_vlan(proto); n++) {
		vh = skb_header_pointer(skb, off, sizeof(_vh), &_vh);
		if (!vh || n == ACL_TAGS_MAX)
			return ACL_FLOW_BAD;
		vid = ntohs(vh->h_vlan_TCI) & VLAN_VID_MASK;
		if (vid && flow->vlan && !inner) {
			flow->ethertype = proto;
			inner = true;
		} else if (!flow->vlan) {
			flow->vlan = vid;
		}
		proto = vh->h_vlan_encapsulated_proto;
		off += sizeof(_vh);
	}
	if (!inner)
		flow->ethertype = proto;

	kind = acl_parse_packet(skb, proto, off, flow);
	if (kind != ACL_FLOW_TRACKED && kind != ACL_FLOW_ERROR)
		return kind;
	/* connections of two VLANs behind one tag would have one name */
	flow->creates = false;
	return ACL_FLOW_RULES;
}

/**
 * acl_flow_parse - Read what the extension has to know of a frame.
 * @skb: the frame, skb->data at the network header
 * @dir: its direction
 * @flow: filled in, unless the frame is %ACL_FLOW_BAD
 *
 * Return: the kind of frame.
 */
enum acl_flow_kind acl_flow_parse(const struct sk_buff *skb, enum vmq_dir dir,
				  struct acl_flow *flow)
{
	enum acl_flow_kind kind;

	flow->sport = 0;
	flow->dport = 0;
	flow->vlan = skb_vlan_tag_present(skb) ? skb_vlan_tag_get_id(skb) : 0;
	flow->ethertype = skb->protocol;
	flow->dir = dir;
	flow->view = ACL_VIEW_WHOLE;
	flow->creates = false;
	flow->free = false;
	flow->tcp = 0;
	flow->icmp_type = 0;
	flow->icmp_code = 0;

	kind = acl_parse_packet(skb, skb->protocol, 0, flow);
	if (kind == ACL_FLOW_FREE && unlikely(eth_type_vlan(skb->protocol)))
		return acl_parse_tagged(skb, flow);
	return kind;
}

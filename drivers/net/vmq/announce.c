// SPDX-License-Identifier: GPL-2.0
/*
 * Announcements: when a port's gate opens, the network is told where its guest
 * is now, by an RARP frame in each VLAN of the port for the switches on the way,
 * and a gratuitous ARP or an unsolicited neighbour advertisement for each
 * address that the port is known to have.
 *
 * Addresses are learned from what the guest itself says by ARP and neighbour
 * discovery, the last VMQ_KNOWN_MAX of them, and move with the port.
 */
#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <linux/if_vlan.h>
#include <linux/inetdevice.h>
#include <net/addrconf.h>
#include <net/arp.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include <net/ndisc.h>

#include "policy.h"

/* A port in more VLANs says where it is only in those it was heard in. */
#define VMQ_ANNOUNCE_VLANS	64

/* ---- addresses ---- */

static bool vmq_known_equal(const struct vmq_known *a,
			    const struct vmq_known *b)
{
	return a->family == b->family && a->vid == b->vid &&
	       ipv6_addr_equal(&a->addr, &b->addr);
}

/* The newest is the last; the oldest makes room. */
static void vmq_announce_add(struct vmq_announce *an,
			     const struct vmq_known *new)
{
	unsigned int i;

	spin_lock_bh(&an->lock);
	for (i = 0; i < an->n_known; i++)
		if (vmq_known_equal(&an->known[i], new))
			break;
	if (i == an->n_known && i < VMQ_KNOWN_MAX) {
		an->n_known++;
	} else {
		if (i == VMQ_KNOWN_MAX)
			i = 0;
		memmove(&an->known[i], &an->known[i + 1],
			(an->n_known - i - 1) * sizeof(*an->known));
	}
	an->known[an->n_known - 1] = *new;
	spin_unlock_bh(&an->lock);
}

/* Who sends an ARP frame says which address it has. */
static void vmq_learn_arp(struct vmq_port *port, const struct sk_buff *skb)
{
	struct {
		struct arphdr head;
		u8 sha[ETH_ALEN];
		__be32 spa;
	} __packed arp_buf;
	struct vmq_known known = { .family = AF_INET, .vid = vmq_skb_vid(skb) };
	const typeof(arp_buf) *arp;

	arp = skb_header_pointer(skb, skb_network_offset(skb), sizeof(arp_buf),
				 &arp_buf);
	if (!arp || arp->head.ar_hrd != htons(ARPHRD_ETHER) ||
	    arp->head.ar_pro != htons(ETH_P_IP) ||
	    arp->head.ar_hln != ETH_ALEN ||
	    arp->head.ar_pln != sizeof(arp->spa) ||
	    memcmp(arp->sha, port->dev->dev_addr, ETH_ALEN) ||
	    ipv4_is_zeronet(arp->spa) || ipv4_is_multicast(arp->spa) ||
	    ipv4_is_lbcast(arp->spa) || ipv4_is_loopback(arp->spa))
		return;
	known.addr.s6_addr32[0] = arp->spa;
	vmq_announce_add(&port->announce, &known);
}

/* The sender of a solicitation, the target of an advertisement. */
static void vmq_learn_nd(struct vmq_port *port, const struct sk_buff *skb)
{
	struct {
		struct ipv6hdr ip;
		struct nd_msg nd;
	} __packed nd_buf;
	struct vmq_known known = { .family = AF_INET6,
				   .vid = vmq_skb_vid(skb) };
	const typeof(nd_buf) *msg;

	msg = skb_header_pointer(skb, skb_network_offset(skb), sizeof(nd_buf),
				 &nd_buf);
	if (!msg || msg->ip.nexthdr != IPPROTO_ICMPV6 ||
	    msg->ip.hop_limit != 255)
		return;
	if (msg->nd.icmph.icmp6_type == NDISC_NEIGHBOUR_SOLICITATION)
		known.addr = msg->ip.saddr;
	else if (msg->nd.icmph.icmp6_type == NDISC_NEIGHBOUR_ADVERTISEMENT)
		known.addr = msg->nd.target;
	else
		return;
	if (ipv6_addr_any(&known.addr) || ipv6_addr_is_multicast(&known.addr) ||
	    ipv6_addr_loopback(&known.addr) ||
	    memcmp(eth_hdr(skb)->h_source, port->dev->dev_addr, ETH_ALEN))
		return;
	vmq_announce_add(&port->announce, &known);
}

/**
 * __vmq_learn() - learns an address from what a guest says
 * @port: its port
 * @skb: ARP, or IPv6 to a multicast address; data at the network header
 *
 * Context: RCU read side, BH off.
 */
void __vmq_learn(struct vmq_port *port, const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_ARP))
		vmq_learn_arp(port, skb);
	else
		vmq_learn_nd(port, skb);
}

/**
 * vmq_announce_known() - the addresses that a port is known to have
 * @port: the port
 * @out: room for %VMQ_KNOWN_MAX
 *
 * Context: Any but hard interrupts.
 * Return: how many.
 */
unsigned int vmq_announce_known(struct vmq_port *port, struct vmq_known *out)
{
	struct vmq_announce *an = &port->announce;
	unsigned int n;

	spin_lock_bh(&an->lock);
	n = an->n_known;
	memcpy(out, an->known, n * sizeof(*out));
	spin_unlock_bh(&an->lock);
	return n;
}

/**
 * vmq_announce_restore() - a port has these addresses, another host says
 * @port: the port
 * @known: the addresses, checked
 * @n: how many
 *
 * Context: Process context.
 */
void vmq_announce_restore(struct vmq_port *port, const struct vmq_known *known,
			  unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		vmq_announce_add(&port->announce, &known[i]);
}

/* ---- frames ---- */

static struct sk_buff *vmq_announce_na(struct net_device *dev,
				       const struct in6_addr *addr)
{
	static const u8 all_nodes[ETH_ALEN] = { 0x33, 0x33, 0, 0, 0, 1 };
	const unsigned int len = sizeof(struct nd_msg) + 8;
	struct ipv6hdr *ip;
	struct nd_msg *nd;
	struct sk_buff *skb;
	struct ethhdr *eth;

	skb = alloc_skb(LL_RESERVED_SPACE(dev) + ETH_HLEN + sizeof(*ip) + len +
			dev->needed_tailroom, GFP_ATOMIC);
	if (!skb)
		return NULL;
	skb_reserve(skb, LL_RESERVED_SPACE(dev));
	eth = skb_put(skb, ETH_HLEN);
	ether_addr_copy(eth->h_dest, all_nodes);
	ether_addr_copy(eth->h_source, dev->dev_addr);
	eth->h_proto = htons(ETH_P_IPV6);
	ip = skb_put_zero(skb, sizeof(*ip));
	ip->version = 6;
	ip->payload_len = htons(len);
	ip->nexthdr = IPPROTO_ICMPV6;
	ip->hop_limit = 255;
	ip->saddr = *addr;
	ip->daddr = in6addr_linklocal_allnodes;
	nd = skb_put_zero(skb, len);
	nd->icmph.icmp6_type = NDISC_NEIGHBOUR_ADVERTISEMENT;
	nd->icmph.icmp6_override = 1;
	nd->target = *addr;
	nd->opt[0] = ND_OPT_TARGET_LL_ADDR;
	nd->opt[1] = 1;
	ether_addr_copy(nd->opt + 2, dev->dev_addr);
	nd->icmph.icmp6_cksum = csum_ipv6_magic(&ip->saddr, &ip->daddr, len,
						IPPROTO_ICMPV6,
						csum_partial(nd, len, 0));
	skb->protocol = htons(ETH_P_IPV6);
	skb->dev = dev;
	return skb;
}

static void vmq_announce_send(struct vmq_port *port, struct sk_buff *skb,
			      u16 vid)
{
	struct vmq_announce *an = &port->announce;

	if (!skb)
		return;
	if (vid)
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q), vid);
	local_bh_disable();
	vmq_tx_announcement(port, skb);
	local_bh_enable();
	/* only here */
	WRITE_ONCE(an->sent, an->sent + 1);
}

static void vmq_announce_mac(struct vmq_port *port, u16 vid)
{
	const u8 *mac = port->dev->dev_addr;

	vmq_announce_send(port, arp_create(ARPOP_RREQUEST, ETH_P_RARP, 0,
					   port->dev, 0, NULL, mac, mac), vid);
}

static void vmq_announce_ip(struct vmq_port *port,
			    const struct vmq_known *known)
{
	__be32 ip = known->addr.s6_addr32[0];
	struct sk_buff *skb;

	if (known->family == AF_INET)
		skb = arp_create(ARPOP_REQUEST, ETH_P_ARP, ip, port->dev, ip,
				 NULL, port->dev->dev_addr, NULL);
	else
		skb = vmq_announce_na(port->dev, &known->addr);
	vmq_announce_send(port, skb, known->vid);
}

/* An address may have been learned before the port got its VLANs. */
static bool vmq_announce_may(const struct vmq_port *port, u16 vid)
{
	const struct vmq_policy *p;
	bool may;

	rcu_read_lock();
	p = rcu_dereference(port->policy);
	may = !p || vmq_policy_allows(p, vid);
	rcu_read_unlock();
	return may;
}

/* One round: in all VLANs for switches, then for neighbours. */
static void vmq_announce_round(struct vmq_port *port)
{
	struct vmq_known known[VMQ_KNOWN_MAX];
	unsigned int n = vmq_announce_known(port, known);
	DECLARE_BITMAP(vlans, VLAN_N_VID);
	unsigned int i;

	bitmap_copy(vlans, port->vlans, VLAN_N_VID);
	if (bitmap_weight(vlans, VLAN_N_VID) > VMQ_ANNOUNCE_VLANS) {
		bitmap_zero(vlans, VLAN_N_VID);
		__set_bit(0, vlans);
		for (i = 0; i < n; i++)
			__set_bit(known[i].vid, vlans);
	}
	for_each_set_bit(i, vlans, VLAN_VID_MASK)
		if (vmq_announce_may(port, i))
			vmq_announce_mac(port, i);
	for (i = 0; i < n; i++)
		if (vmq_announce_may(port, known[i].vid))
			vmq_announce_ip(port, &known[i]);
}

static void vmq_announce_work(struct work_struct *work)
{
	struct vmq_announce *an = container_of(to_delayed_work(work),
					       struct vmq_announce, work);
	struct vmq_port *port = container_of(an, struct vmq_port, announce);
	u32 left, interval;

	spin_lock_bh(&an->lock);
	left = an->left;
	if (left)
		an->left--;
	interval = an->interval;
	spin_unlock_bh(&an->lock);
	if (!left || READ_ONCE(port->gate.mode) != VMQ_PORT_GATE_OPEN)
		return;
	if (port->dev->flags & IFF_UP)
		vmq_announce_round(port);
	if (left > 1)
		queue_delayed_work(vmq_gate_wq, &an->work,
				   msecs_to_jiffies(interval));
}

/**
 * vmq_announce_start() - tells the network where a port's guest is
 * @port: the port
 *
 * Context: Any but hard interrupts.
 */
void vmq_announce_start(struct vmq_port *port)
{
	struct vmq_announce *an = &port->announce;

	spin_lock_bh(&an->lock);
	an->left = an->count;
	spin_unlock_bh(&an->lock);
	if (an->left)
		mod_delayed_work(vmq_gate_wq, &an->work, 0);
}

/**
 * vmq_announce_set() - sets how often a port is announced
 * @port: the port
 * @count: rounds, 0 for none; or %VMQ_ANNOUNCE_SAME
 * @interval: milliseconds between them, or %VMQ_ANNOUNCE_SAME
 *
 * Context: Process context.
 */
void vmq_announce_set(struct vmq_port *port, u32 count, u32 interval)
{
	struct vmq_announce *an = &port->announce;

	spin_lock_bh(&an->lock);
	if (count != VMQ_ANNOUNCE_SAME) {
		an->count = count;
		an->left = min(an->left, count);
	}
	if (interval != VMQ_ANNOUNCE_SAME)
		an->interval = interval;
	spin_unlock_bh(&an->lock);
}

/**
 * vmq_announce_init() - prepares a port's announcements
 * @port: the port
 *
 * Context: Process context.
 */
void vmq_announce_init(struct vmq_port *port)
{
	struct vmq_announce *an = &port->announce;

	spin_lock_init(&an->lock);
	an->count = VMQ_ANNOUNCE_COUNT;
	an->interval = VMQ_ANNOUNCE_INTERVAL;
	INIT_DELAYED_WORK(&an->work, vmq_announce_work);
}

/**
 * vmq_announce_destroy() - ends a port's announcements
 * @port: the port, its gate destroyed, no frame of it under way
 *
 * Context: Process context.
 */
void vmq_announce_destroy(struct vmq_port *port)
{
	cancel_delayed_work_sync(&port->announce.work);
}

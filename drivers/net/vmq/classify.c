// SPDX-License-Identifier: GPL-2.0
/*
 * From a frame to its queue: reads the header fields that the rules test and
 * asks the rule engine.
 */
#include <linux/if_vlan.h>
#include <linux/in.h>
#include <net/dsfield.h>
#include <net/flow_dissector.h>
#include <net/ip.h>

#include "vmq_priv.h"

struct vmq_flow {
	struct flow_dissector_key_control control;
	struct flow_dissector_key_basic basic;
	union {
		struct flow_dissector_key_ipv4_addrs ipv4;
		struct flow_dissector_key_ipv6_addrs ipv6;
	};
	struct flow_dissector_key_ports ports;
	struct flow_dissector_key_ip ip;
};

static const struct flow_dissector_key vmq_flow_keys[] = {
	{ FLOW_DISSECTOR_KEY_CONTROL, offsetof(struct vmq_flow, control) },
	{ FLOW_DISSECTOR_KEY_BASIC, offsetof(struct vmq_flow, basic) },
	{ FLOW_DISSECTOR_KEY_IPV4_ADDRS, offsetof(struct vmq_flow, ipv4) },
	{ FLOW_DISSECTOR_KEY_IPV6_ADDRS, offsetof(struct vmq_flow, ipv6) },
	{ FLOW_DISSECTOR_KEY_PORTS, offsetof(struct vmq_flow, ports) },
	{ FLOW_DISSECTOR_KEY_IP, offsetof(struct vmq_flow, ip) },
};

static struct flow_dissector vmq_dissector __ro_after_init;

/**
 * vmq_classify_init() - prepares the flow dissector
 *
 * Context: Module init.
 */
void __init vmq_classify_init(void)
{
	skb_flow_dissector_init(&vmq_dissector, vmq_flow_keys,
				ARRAY_SIZE(vmq_flow_keys));
}

static bool vmq_has_ports(u8 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP ||
	       proto == IPPROTO_SCTP;
}

/*
 * Only the first fragment of a datagram has the ports; none is matched by them,
 * so that all stay together, as NICs keep them.
 */
static void vmq_key_ports(struct vmq_key *key, const __be16 *port)
{
	key->l4 = 1;
	key->sport = port[0];
	key->dport = port[1];
}

/*
 * Nearly all frames: no options, no extension headers, no tunnel, ports in the
 * first piece. False for others, with nothing written.
 */
static bool vmq_key_ipv4(const struct sk_buff *skb, struct vmq_key *key)
{
	const struct iphdr *ip = (const struct iphdr *)skb->data;
	bool ports;

	if (skb_headlen(skb) < sizeof(*ip) + 2 * sizeof(__be16) ||
	    ip->version != 4 || ip->ihl != 5)
		return false;
	ports = vmq_has_ports(ip->protocol);
	if (!ports && ip->protocol != IPPROTO_ICMP)
		return false;
	key->l3 = 4;
	key->saddr[0] = ip->saddr;
	key->daddr[0] = ip->daddr;
	key->proto = ip->protocol;
	key->tos = ip->tos;
	if (ports && !ip_is_fragment(ip))
		vmq_key_ports(key, (const __be16 *)(ip + 1));
	return true;
}

static bool vmq_key_ipv6(const struct sk_buff *skb, struct vmq_key *key)
{
	const struct ipv6hdr *ip = (const struct ipv6hdr *)skb->data;
	bool ports;

	if (skb_headlen(skb) < sizeof(*ip) + 2 * sizeof(__be16) ||
	    ip->version != 6)
		return false;
	ports = vmq_has_ports(ip->nexthdr);
	if (!ports && ip->nexthdr != IPPROTO_ICMPV6)
		return false;
	key->l3 = 6;
	memcpy(key->saddr, &ip->saddr, sizeof(key->saddr));
	memcpy(key->daddr, &ip->daddr, sizeof(key->daddr));
	key->proto = ip->nexthdr;
	key->tos = ipv6_get_dsfield(ip);
	if (ports)
		vmq_key_ports(key, (const __be16 *)(ip + 1));
	return true;
}

/* All others. */
static void vmq_key_dissect(const struct sk_buff *skb, struct vmq_key *key)
{
	struct vmq_flow flow = {};

	if (!__skb_flow_dissect(NULL, skb, &vmq_dissector, &flow, skb->data,
				skb->protocol, 0, skb_headlen(skb),
				FLOW_DISSECTOR_F_STOP_AT_ENCAP))
		return;
	switch (flow.control.addr_type) {
	case FLOW_DISSECTOR_KEY_IPV4_ADDRS:
		key->l3 = 4;
		key->saddr[0] = flow.ipv4.src;
		key->daddr[0] = flow.ipv4.dst;
		break;
	case FLOW_DISSECTOR_KEY_IPV6_ADDRS:
		key->l3 = 6;
		memcpy(key->saddr, &flow.ipv6.src, sizeof(key->saddr));
		memcpy(key->daddr, &flow.ipv6.dst, sizeof(key->daddr));
		break;
	default:
		return;
	}
	key->proto = flow.basic.ip_proto;
	key->tos = flow.ip.tos;
	if (vmq_has_ports(key->proto) &&
	    !(flow.control.flags & FLOW_DIS_IS_FRAGMENT))
		vmq_key_ports(key, &flow.ports.src);
}

/**
 * vmq_key_from_skb() - reads the header fields that rules and hashes use
 * @skb: the frame, data at the network header, its tag in the metadata
 * @key: set to the fields
 * @ip: read the IP header too
 *
 * Context: RCU read side, BH off.
 */
void vmq_key_from_skb(const struct sk_buff *skb, struct vmq_key *key, bool ip)
{
	const struct ethhdr *eth = eth_hdr(skb);

	memset(key, 0, sizeof(*key));
	ether_addr_copy(key->dst, eth->h_dest);
	ether_addr_copy(key->src, eth->h_source);
	key->ethertype = skb->protocol;
	if (skb_vlan_tag_present(skb))
		key->vlan = htons(skb_vlan_tag_get(skb));
	if (!ip)
		return;
	if (skb->protocol == htons(ETH_P_IP)) {
		if (!vmq_key_ipv4(skb, key))
			vmq_key_dissect(skb, key);
	} else if (skb->protocol == htons(ETH_P_IPV6)) {
		if (!vmq_key_ipv6(skb, key))
			vmq_key_dissect(skb, key);
	}
}

/**
 * vmq_classify_mac() - the queue of a frame by destination MAC and VLAN id alone
 * @a: the adapter
 * @skb: the frame, its tag in the metadata
 *
 * This is how the switch finds a local receiver; n-tuple rules steer what
 * comes from the uplink only, as those of a NIC do.
 *
 * Context: RCU read side, BH off.
 * Return: the queue, &vmq_drop_queue, or NULL where no filter matches.
 */
struct vmq_queue *vmq_classify_mac(const struct vmq_adapter *a,
				   const struct sk_buff *skb)
{
	if (unlikely(vmq_skb_foreign_tag(skb)))
		return NULL;
	return vmq_rules_lookup_mac(&a->rules, eth_hdr(skb)->h_dest,
				    vmq_skb_vid(skb));
}

/* Its stack frame and its key are not for those who have no such rules. */
static noinline struct vmq_queue *vmq_classify_all(const struct vmq_adapter *a,
						   const struct sk_buff *skb)
{
	struct vmq_key key;

	vmq_key_from_skb(skb, &key, vmq_rules_need_ip(&a->rules));
	return vmq_rules_lookup(&a->rules, &key);
}

/**
 * vmq_classify() - the queue of a frame by all rules (F-13 to F-16)
 * @a: the adapter
 * @skb: the frame, data at the network header, its tag in the metadata
 *
 * Context: RCU read side, BH off.
 * Return: the queue, &vmq_drop_queue, or NULL where no filter matches.
 */
struct vmq_queue *vmq_classify(const struct vmq_adapter *a,
			       const struct sk_buff *skb)
{
	if (likely(!vmq_rules_masked(&a->rules)) || vmq_skb_foreign_tag(skb))
		return vmq_classify_mac(a, skb);
	return vmq_classify_all(a, skb);
}

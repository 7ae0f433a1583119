// SPDX-License-Identifier: GPL-2.0
/*
 * The n-tuple table of the network card for tests, and its other ethtool
 * operations.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/module.h>
#include <net/dsfield.h>

#include "../compat.h"
#include "fakenic.h"

static unsigned int slots = 64;
module_param(slots, uint, 0644);
MODULE_PARM_DESC(slots, "Rules that fit, at most 4096");

static int refuse;
module_param(refuse, int, 0644);
MODULE_PARM_DESC(refuse, "Error number with which rules are refused, 0 for none");

static bool special;
module_param(special, bool, 0644);
MODULE_PARM_DESC(special, "It chooses locations itself");

static bool blind;
module_param(blind, bool, 0644);
MODULE_PARM_DESC(blind, "It does not show single rules");

static bool brief = true;
module_param(brief, bool, 0644);
MODULE_PARM_DESC(brief, "It shows only the bits that a rule tests, as most drivers do");

/* ---- frames ---- */

static bool fake_frame_l3(struct sk_buff *skb, u32 type,
			  union ethtool_flow_union *u)
{
	bool v4 = skb->protocol == htons(ETH_P_IP);
	const __be16 *ports;
	unsigned int len;
	u8 proto;

	len = v4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	if ((!v4 && skb->protocol != htons(ETH_P_IPV6)) ||
	    !pskb_may_pull(skb, len))
		return false;
	if (v4) {
		const struct iphdr *ip = (struct iphdr *)skb->data;

		len = ip->ihl * 4;
		proto = ip->protocol;
		u->tcp_ip4_spec.ip4src = ip->saddr;
		u->tcp_ip4_spec.ip4dst = ip->daddr;
		u->tcp_ip4_spec.tos = ip->tos;
	} else {
		const struct ipv6hdr *ip = (struct ipv6hdr *)skb->data;

		proto = ip->nexthdr;
		memcpy(u->tcp_ip6_spec.ip6src, &ip->saddr, 16);
		memcpy(u->tcp_ip6_spec.ip6dst, &ip->daddr, 16);
		u->tcp_ip6_spec.tclass = ipv6_get_dsfield(ip);
	}
	if ((type == TCP_V4_FLOW && (!v4 || proto != IPPROTO_TCP)) ||
	    (type == UDP_V4_FLOW && (!v4 || proto != IPPROTO_UDP)) ||
	    (type == TCP_V6_FLOW && (v4 || proto != IPPROTO_TCP)) ||
	    (type == UDP_V6_FLOW && (v4 || proto != IPPROTO_UDP)) ||
	    !pskb_may_pull(skb, len + 4))
		return false;
	ports = (__be16 *)(skb->data + len);
	if (v4) {
		u->tcp_ip4_spec.psrc = ports[0];
		u->tcp_ip4_spec.pdst = ports[1];
	} else {
		u->tcp_ip6_spec.psrc = ports[0];
		u->tcp_ip6_spec.pdst = ports[1];
	}
	return true;
}

static bool fake_masked_equal(const void *a, const void *b, const void *mask,
			      size_t len)
{
	const u8 *x = a, *y = b, *m = mask;

	while (len--)
		if ((*x++ ^ *y++) & *m++)
			return false;
	return true;
}

static bool fake_match(const struct ethtool_rx_flow_spec *fs,
		       struct sk_buff *skb)
{
	u32 type = fs->flow_type & ~(FLOW_EXT | FLOW_MAC_EXT);
	union ethtool_flow_union u = {};
	__be16 tci;

	if (type == ETHER_FLOW) {
		u.ether_spec = *eth_hdr(skb);
		u.ether_spec.h_proto = skb->protocol;
	} else if (!fake_frame_l3(skb, type, &u)) {
		return false;
	}
	if (!fake_masked_equal(&u, &fs->h_u, &fs->m_u, sizeof(u)))
		return false;
	if ((fs->flow_type & FLOW_MAC_EXT) &&
	    !fake_masked_equal(eth_hdr(skb)->h_dest, fs->h_ext.h_dest,
			       fs->m_ext.h_dest, ETH_ALEN))
		return false;
	if (!(fs->flow_type & FLOW_EXT) || !fs->m_ext.vlan_tci)
		return true;
	/* as in hardware: a test of the tag needs a tag */
	if (!skb_vlan_tag_present(skb))
		return false;
	tci = htons(skb_vlan_tag_get(skb));
	return fake_masked_equal(&tci, &fs->h_ext.vlan_tci,
				 &fs->m_ext.vlan_tci, sizeof(tci));
}

/* The ring of a frame, by the rule with the lowest location, else 0. */
u32 fake_ring(struct fake_nic *nic, struct sk_buff *skb)
{
	u32 i, ring = 0;

	spin_lock(&nic->lock);
	for (i = 0; i < FAKE_SLOTS; i++) {
		if (!nic->rule[i].used || !fake_match(&nic->rule[i].fs, skb))
			continue;
		ring = ethtool_get_flow_spec_ring(nic->rule[i].fs.ring_cookie);
		break;
	}
	nic->packets[ring % FAKE_RINGS]++;
	spin_unlock(&nic->lock);
	return ring;
}

/* ---- rules ---- */

void fake_flush(struct fake_nic *nic)
{
	spin_lock_bh(&nic->lock);
	memset(nic->rule, 0, FAKE_SLOTS * sizeof(*nic->rule));
	spin_unlock_bh(&nic->lock);
}

static u32 fake_slots(void)
{
	return min_t(u32, READ_ONCE(slots), FAKE_SLOTS);
}

static void fake_apply_mask(void *key, const void *mask, size_t len)
{
	const u8 *m = mask;
	u8 *k = key;

	while (len--)
		*k++ &= *m++;
}

static bool fake_twin(const struct ethtool_rx_flow_spec *a,
		      const struct ethtool_rx_flow_spec *b)
{
	return a->flow_type == b->flow_type &&
	       !memcmp(&a->h_u, &b->h_u, sizeof(a->h_u)) &&
	       !memcmp(&a->m_u, &b->m_u, sizeof(a->m_u)) &&
	       !memcmp(&a->h_ext, &b->h_ext, sizeof(a->h_ext)) &&
	       !memcmp(&a->m_ext, &b->m_ext, sizeof(a->m_ext));
}

static int fake_find_location(struct fake_nic *nic, u32 *location)
{
	u32 i;

	if (special && *location == RX_CLS_LOC_ANY) {
		for (i = 0; i < fake_slots(); i++) {
			if (nic->rule[i].used)
				continue;
			*location = i;
			return 0;
		}
		return -ENOSPC;
	}
	return *location < fake_slots() ? 0 : -EINVAL;
}

static int fake_insert(struct fake_nic *nic, struct ethtool_rx_flow_spec *fs)
{
	struct ethtool_rx_flow_spec want = *fs;
	int err;
	u32 i;

	if (READ_ONCE(refuse))
		return -READ_ONCE(refuse);
	if (!(nic->dev->features & NETIF_F_NTUPLE))
		return -EOPNOTSUPP;
	switch (want.flow_type & ~(FLOW_EXT | FLOW_MAC_EXT)) {
	case ETHER_FLOW:
	case TCP_V4_FLOW:
	case UDP_V4_FLOW:
	case TCP_V6_FLOW:
	case UDP_V6_FLOW:
		break;
	default:
		return -EOPNOTSUPP;
	}
	if (ethtool_get_flow_spec_ring(want.ring_cookie) >=
	    nic->dev->real_num_rx_queues)
		return -EINVAL;
	if (brief) {
		fake_apply_mask(&want.h_u, &want.m_u, sizeof(want.h_u));
		fake_apply_mask(&want.h_ext, &want.m_ext, sizeof(want.h_ext));
	}
	spin_lock_bh(&nic->lock);
	err = fake_find_location(nic, &want.location);
	for (i = 0; i < FAKE_SLOTS && !err; i++)
		if (nic->rule[i].used && i != want.location &&
		    fake_twin(&nic->rule[i].fs, &want))
			err = -EEXIST;
	if (!err) {
		nic->rule[want.location].used = true;
		nic->rule[want.location].fs = want;
		nic->inserted++;
		fs->location = want.location;
	}
	spin_unlock_bh(&nic->lock);
	return err;
}

static int fake_set_rxnfc(struct net_device *dev, struct ethtool_rxnfc *info)
{
	struct fake_nic *nic = netdev_priv(dev);
	u32 location = info->fs.location;
	int err = -ENOENT;

	switch (info->cmd) {
	case ETHTOOL_SRXCLSRLINS:
		return fake_insert(nic, &info->fs);
	case ETHTOOL_SRXCLSRLDEL:
		spin_lock_bh(&nic->lock);
		if (location < FAKE_SLOTS && nic->rule[location].used) {
			nic->rule[location].used = false;
			nic->deleted++;
			err = 0;
		}
		spin_unlock_bh(&nic->lock);
		return err;
	}
	return -EOPNOTSUPP;
}

static u32 fake_rings(struct net_device *dev)
{
	return dev->real_num_rx_queues;
}

static int fake_get_rxnfc(struct net_device *dev, struct ethtool_rxnfc *info,
			  u32 *locations)
{
	struct fake_nic *nic = netdev_priv(dev);
	u32 i, n = 0;
	int err = 0;

	if (info->cmd == ETHTOOL_GRXRINGS) {
		info->data = fake_rings(dev);
		return 0;
	}
	spin_lock_bh(&nic->lock);
	switch (info->cmd) {
	case ETHTOOL_GRXCLSRLCNT:
		for (i = 0; i < FAKE_SLOTS; i++)
			n += nic->rule[i].used;
		info->rule_cnt = n;
		info->data = fake_slots() | (special ? RX_CLS_LOC_SPECIAL : 0);
		break;
	case ETHTOOL_GRXCLSRULE:
		i = info->fs.location;
		if (blind || i >= FAKE_SLOTS || !nic->rule[i].used)
			err = blind ? -EOPNOTSUPP : -ENOENT;
		else
			info->fs = nic->rule[i].fs;
		break;
	case ETHTOOL_GRXCLSRLALL:
		for (i = 0; i < FAKE_SLOTS && !err; i++) {
			if (!nic->rule[i].used)
				continue;
			if (n == info->rule_cnt)
				err = -EMSGSIZE;
			else
				locations[n++] = i;
		}
		info->rule_cnt = n;
		info->data = fake_slots();
		break;
	default:
		err = -EOPNOTSUPP;
	}
	spin_unlock_bh(&nic->lock);
	return err;
}

/* ---- channels and counters ---- */

static void fake_get_channels(struct net_device *dev,
			      struct ethtool_channels *ch)
{
	ch->max_combined = dev->num_rx_queues;
	ch->combined_count = dev->real_num_rx_queues;
}

static int fake_set_channels(struct net_device *dev,
			     struct ethtool_channels *ch)
{
	return netif_set_real_num_rx_queues(dev, ch->combined_count);
}

static const char fake_stats[][ETH_GSTRING_LEN] = {
	"filtered", "rules_inserted", "rules_deleted",
};

static int fake_sset_count(struct net_device *dev, int set)
{
	if (set != ETH_SS_STATS)
		return -EOPNOTSUPP;
	return ARRAY_SIZE(fake_stats) + dev->num_rx_queues;
}

static void fake_strings(struct net_device *dev, u32 set, u8 *data)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fake_stats); i++)
		ethtool_puts(&data, fake_stats[i]);
	for (i = 0; i < dev->num_rx_queues; i++)
		ethtool_sprintf(&data, "rx_ring_%u_packets", i);
}

static void fake_values(struct net_device *dev, struct ethtool_stats *stats,
			u64 *data)
{
	struct fake_nic *nic = netdev_priv(dev);
	unsigned int i;

	spin_lock_bh(&nic->lock);
	*data++ = nic->filtered;
	*data++ = nic->inserted;
	*data++ = nic->deleted;
	for (i = 0; i < dev->num_rx_queues; i++)
		*data++ = nic->packets[i];
	spin_unlock_bh(&nic->lock);
}

const struct ethtool_ops fake_ethtool_ops = {
	.get_link = ethtool_op_get_link,
	.get_rxnfc = fake_get_rxnfc,
	.set_rxnfc = fake_set_rxnfc,
	.get_channels = fake_get_channels,
	.set_channels = fake_set_channels,
	.get_sset_count = fake_sset_count,
	.get_strings = fake_strings,
	.get_ethtool_stats = fake_values,
#ifdef VMQ_HAVE_GET_RX_RING_COUNT
	.get_rx_ring_count = fake_rings,
#endif
};

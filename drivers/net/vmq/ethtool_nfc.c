// SPDX-License-Identifier: GPL-2.0
/*
 * ethtool -n and -N: translates flow specifications into filters and back.
 *
 * ethtool's ioctls have no extended answer, so a refusal is its errno, and a
 * debug message for who turns it on.
 */
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/in.h>

#include "vmq_priv.h"

/* Field by field: what the frame must have, and which bits of it count. */
#define VMQ_FIELD(spec, field, value, bits)			\
	do {							\
		(spec)->mask.field = (bits);			\
		(spec)->key.field = (value) & (bits);		\
	} while (0)

static void vmq_nfc_mac(u8 *key, u8 *mask, const u8 *value, const u8 *bits)
{
	int i;

	for (i = 0; i < ETH_ALEN; i++) {
		mask[i] |= bits[i];
		key[i] |= value[i] & bits[i];
	}
}

static void vmq_nfc_proto(struct vmq_filter_spec *spec, u8 proto)
{
	VMQ_FIELD(spec, proto, proto, 0xff);
}

static void vmq_nfc_l3(struct vmq_filter_spec *spec, u8 version)
{
	VMQ_FIELD(spec, l3, version, 0xff);
}

static void vmq_nfc_ports(struct vmq_filter_spec *spec, __be16 sport,
			  __be16 sbits, __be16 dport, __be16 dbits)
{
	VMQ_FIELD(spec, sport, sport, sbits);
	VMQ_FIELD(spec, dport, dport, dbits);
	/* a frame without ports does not have port 0 */
	if (sbits || dbits)
		VMQ_FIELD(spec, l4, 1, 0xff);
}

static void vmq_nfc_ip6(struct vmq_filter_spec *spec, const __be32 *src,
			const __be32 *sbits, const __be32 *dst,
			const __be32 *dbits)
{
	int i;

	for (i = 0; i < 4; i++) {
		VMQ_FIELD(spec, saddr[i], src[i], sbits[i]);
		VMQ_FIELD(spec, daddr[i], dst[i], dbits[i]);
	}
}

static void vmq_nfc_tcpip4(struct vmq_filter_spec *spec,
			   const struct ethtool_tcpip4_spec *h,
			   const struct ethtool_tcpip4_spec *m, u8 proto)
{
	vmq_nfc_l3(spec, 4);
	vmq_nfc_proto(spec, proto);
	VMQ_FIELD(spec, saddr[0], h->ip4src, m->ip4src);
	VMQ_FIELD(spec, daddr[0], h->ip4dst, m->ip4dst);
	VMQ_FIELD(spec, tos, h->tos, m->tos);
	vmq_nfc_ports(spec, h->psrc, m->psrc, h->pdst, m->pdst);
}

static void vmq_nfc_tcpip6(struct vmq_filter_spec *spec,
			   const struct ethtool_tcpip6_spec *h,
			   const struct ethtool_tcpip6_spec *m, u8 proto)
{
	vmq_nfc_l3(spec, 6);
	vmq_nfc_proto(spec, proto);
	vmq_nfc_ip6(spec, h->ip6src, m->ip6src, h->ip6dst, m->ip6dst);
	VMQ_FIELD(spec, tos, h->tclass, m->tclass);
	vmq_nfc_ports(spec, h->psrc, m->psrc, h->pdst, m->pdst);
}

/* The first four bytes behind the IP header are the two ports. */
static void vmq_nfc_l4_bytes(struct vmq_filter_spec *spec, __be32 value,
			     __be32 bits)
{
	u32 v = be32_to_cpu(value), b = be32_to_cpu(bits);

	vmq_nfc_ports(spec, htons(v >> 16), htons(b >> 16), htons(v & 0xffff),
		      htons(b & 0xffff));
}

static int vmq_nfc_parse_l3(struct vmq_filter_spec *spec,
			    const struct ethtool_rx_flow_spec *fs, u32 type)
{
	const union ethtool_flow_union *h = &fs->h_u, *m = &fs->m_u;

	switch (type) {
	case TCP_V4_FLOW:
		vmq_nfc_tcpip4(spec, &h->tcp_ip4_spec, &m->tcp_ip4_spec,
			       IPPROTO_TCP);
		return 0;
	case UDP_V4_FLOW:
		vmq_nfc_tcpip4(spec, &h->udp_ip4_spec, &m->udp_ip4_spec,
			       IPPROTO_UDP);
		return 0;
	case SCTP_V4_FLOW:
		vmq_nfc_tcpip4(spec, &h->sctp_ip4_spec, &m->sctp_ip4_spec,
			       IPPROTO_SCTP);
		return 0;
	case TCP_V6_FLOW:
		vmq_nfc_tcpip6(spec, &h->tcp_ip6_spec, &m->tcp_ip6_spec,
			       IPPROTO_TCP);
		return 0;
	case UDP_V6_FLOW:
		vmq_nfc_tcpip6(spec, &h->udp_ip6_spec, &m->udp_ip6_spec,
			       IPPROTO_UDP);
		return 0;
	case SCTP_V6_FLOW:
		vmq_nfc_tcpip6(spec, &h->sctp_ip6_spec, &m->sctp_ip6_spec,
			       IPPROTO_SCTP);
		return 0;
	case IP_USER_FLOW:
		if (h->usr_ip4_spec.ip_ver != ETH_RX_NFC_IP4)
			return -EINVAL;
		vmq_nfc_l3(spec, 4);
		VMQ_FIELD(spec, saddr[0], h->usr_ip4_spec.ip4src,
			  m->usr_ip4_spec.ip4src);
		VMQ_FIELD(spec, daddr[0], h->usr_ip4_spec.ip4dst,
			  m->usr_ip4_spec.ip4dst);
		VMQ_FIELD(spec, tos, h->usr_ip4_spec.tos, m->usr_ip4_spec.tos);
		VMQ_FIELD(spec, proto, h->usr_ip4_spec.proto,
			  m->usr_ip4_spec.proto);
		vmq_nfc_l4_bytes(spec, h->usr_ip4_spec.l4_4_bytes,
				 m->usr_ip4_spec.l4_4_bytes);
		return 0;
	case IPV6_USER_FLOW:
		vmq_nfc_l3(spec, 6);
		vmq_nfc_ip6(spec, h->usr_ip6_spec.ip6src,
			    m->usr_ip6_spec.ip6src, h->usr_ip6_spec.ip6dst,
			    m->usr_ip6_spec.ip6dst);
		VMQ_FIELD(spec, tos, h->usr_ip6_spec.tclass,
			  m->usr_ip6_spec.tclass);
		VMQ_FIELD(spec, proto, h->usr_ip6_spec.l4_proto,
			  m->usr_ip6_spec.l4_proto);
		vmq_nfc_l4_bytes(spec, h->usr_ip6_spec.l4_4_bytes,
				 m->usr_ip6_spec.l4_4_bytes);
		return 0;
	}
	return -EOPNOTSUPP;
}

static int vmq_nfc_parse_match(struct vmq_filter_spec *spec,
			       const struct ethtool_rx_flow_spec *fs)
{
	u32 type = fs->flow_type & ~(FLOW_EXT | FLOW_MAC_EXT | FLOW_RSS);
	const struct ethhdr *h = &fs->h_u.ether_spec;
	const struct ethhdr *m = &fs->m_u.ether_spec;
	int err = 0;

	if (type == ETHER_FLOW) {
		vmq_nfc_mac(spec->key.dst, spec->mask.dst, h->h_dest, m->h_dest);
		vmq_nfc_mac(spec->key.src, spec->mask.src, h->h_source,
			    m->h_source);
		VMQ_FIELD(spec, ethertype, h->h_proto, m->h_proto);
	} else {
		err = vmq_nfc_parse_l3(spec, fs, type);
	}
	if (err)
		return err;
	if (fs->flow_type & FLOW_MAC_EXT)
		vmq_nfc_mac(spec->key.dst, spec->mask.dst, fs->h_ext.h_dest,
			    fs->m_ext.h_dest);
	if (fs->flow_type & FLOW_EXT) {
		if (fs->m_ext.vlan_etype || fs->m_ext.data[0] ||
		    fs->m_ext.data[1])
			return -EOPNOTSUPP;
		VMQ_FIELD(spec, vlan, fs->h_ext.vlan_tci, fs->m_ext.vlan_tci);
	}
	return 0;
}

static int vmq_nfc_parse(struct net_device *dev, struct vmq_filter_spec *spec,
			 const struct ethtool_rx_flow_spec *fs)
{
	int err;

	if (fs->flow_type & FLOW_RSS) {
		netdev_dbg(dev, "there are no RSS contexts\n");
		return -EOPNOTSUPP;
	}
	memset(spec, 0, sizeof(*spec));
	err = vmq_nfc_parse_match(spec, fs);
	if (err) {
		netdev_dbg(dev, "the rule tests something that is not known\n");
		return err;
	}
	spec->fs = *fs;
	spec->owner = VMQ_OWNER_ETHTOOL;

	switch (fs->ring_cookie) {
	case RX_CLS_FLOW_DISC:
		spec->drop = true;
		break;
	case RX_CLS_FLOW_WAKE:
		return -EOPNOTSUPP;
	default:
		if (ethtool_get_flow_spec_ring_vf(fs->ring_cookie)) {
			netdev_dbg(dev, "there is no such VF\n");
			return -EINVAL;
		}
		if (upper_32_bits(fs->ring_cookie))
			return -EINVAL;
		spec->queue = ethtool_get_flow_spec_ring(fs->ring_cookie);
	}

	switch (fs->location) {
	case RX_CLS_LOC_ANY:
	case RX_CLS_LOC_FIRST:
		spec->location = VMQ_LOC_ANY;
		break;
	case RX_CLS_LOC_LAST:
		spec->location = VMQ_LOC_LAST;
		break;
	default:
		if (fs->location >= VMQ_MAX_FILTERS)
			return -EINVAL;
		spec->location = fs->location;
	}
	return 0;
}

static int vmq_nfc_insert(struct net_device *dev, struct ethtool_rxnfc *info)
{
	struct netlink_ext_ack extack = {};
	struct vmq_filter_spec spec;
	int err;

	if (!(dev->features & NETIF_F_NTUPLE)) {
		netdev_dbg(dev, "rules are off: ethtool -K DEV ntuple on\n");
		return -EOPNOTSUPP;
	}
	err = vmq_nfc_parse(dev, &spec, &info->fs);
	if (err)
		return err;
	err = vmq_filter_set(vmq_adapter_priv(dev), &spec, &extack);
	if (err) {
		netdev_dbg(dev, "%s\n", extack._msg ?: "no such rule");
		return err;
	}
	info->fs.location = spec.location;
	return 0;
}

static int vmq_nfc_rule(struct vmq_adapter *a, struct ethtool_rx_flow_spec *fs)
{
	struct vmq_filter *f;
	int err = -ENOENT;

	mutex_lock(&a->lock);
	f = fs->location < VMQ_MAX_FILTERS ?
	    xa_load(&a->filters, fs->location) : NULL;
	if (f) {
		*fs = f->fs;
		fs->ring_cookie = f->queue ? f->queue->id : RX_CLS_FLOW_DISC;
		err = 0;
	}
	mutex_unlock(&a->lock);
	return err;
}

static int vmq_nfc_list(struct vmq_adapter *a, struct ethtool_rxnfc *info,
			u32 *locations)
{
	struct vmq_filter *f;
	unsigned long loc;
	u32 n = 0;
	int err = 0;

	mutex_lock(&a->lock);
	xa_for_each(&a->filters, loc, f) {
		if (n == info->rule_cnt) {
			err = -EMSGSIZE;
			break;
		}
		locations[n++] = loc;
	}
	mutex_unlock(&a->lock);
	info->rule_cnt = n;
	info->data = VMQ_MAX_FILTERS;
	return err;
}

/**
 * vmq_nfc_rings() - queues that a rule may name
 * @dev: netdev of an adapter
 *
 * Context: Process context, rtnl held.
 * Return: the number.
 */
u32 vmq_nfc_rings(struct net_device *dev)
{
	return dev->real_num_rx_queues;
}

/**
 * vmq_nfc_get() - ethtool -n
 * @dev: netdev of an adapter
 * @info: what is asked for, and the answer
 * @locations: room for info->rule_cnt locations
 *
 * Filters of ports are in the list too: it is the same table that netlink
 * shows (F-11).
 *
 * Context: Process context, rtnl held.
 * Return: 0, -ENOENT for a location without a rule, -EMSGSIZE if @locations is
 * too small, or -EOPNOTSUPP.
 */
int vmq_nfc_get(struct net_device *dev, struct ethtool_rxnfc *info,
		u32 *locations)
{
	struct vmq_adapter *a = vmq_adapter_priv(dev);

	switch (info->cmd) {
	case ETHTOOL_GRXRINGS:
		info->data = vmq_nfc_rings(dev);
		return 0;
	case ETHTOOL_GRXCLSRLCNT:
		info->rule_cnt = a->n_filters;
		info->data = VMQ_MAX_FILTERS | RX_CLS_LOC_SPECIAL;
		return 0;
	case ETHTOOL_GRXCLSRULE:
		return vmq_nfc_rule(a, &info->fs);
	case ETHTOOL_GRXCLSRLALL:
		return vmq_nfc_list(a, info, locations);
	}
	return -EOPNOTSUPP;
}

/**
 * vmq_nfc_set() - ethtool -N
 * @dev: netdev of an adapter
 * @info: the rule; the location that was chosen is written back
 *
 * Context: Process context, rtnl held.
 * Return: 0; the errors of vmq_filter_set() and vmq_filter_clear(), or
 * -EOPNOTSUPP for a match or action that is not known, or while rules are off.
 */
int vmq_nfc_set(struct net_device *dev, struct ethtool_rxnfc *info)
{
	switch (info->cmd) {
	case ETHTOOL_SRXCLSRLINS:
		return vmq_nfc_insert(dev, info);
	case ETHTOOL_SRXCLSRLDEL:
		return vmq_filter_clear(vmq_adapter_priv(dev),
					info->fs.location, VMQ_OWNER_ETHTOOL,
					NULL);
	}
	return -EOPNOTSUPP;
}

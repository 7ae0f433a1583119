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

/* What a flow type says without a field of its own. */
struct vmq_nfc_type {
	u32 flow_type;
	u8 l3;
	u8 proto;
};

static const struct vmq_nfc_type vmq_nfc_types[] = {
	{ ETHER_FLOW, 0, 0 },
	{ IP_USER_FLOW, 4, 0 },
	{ TCP_V4_FLOW, 4, IPPROTO_TCP },
	{ UDP_V4_FLOW, 4, IPPROTO_UDP },
	{ SCTP_V4_FLOW, 4, IPPROTO_SCTP },
	{ IPV6_USER_FLOW, 6, 0 },
	{ TCP_V6_FLOW, 6, IPPROTO_TCP },
	{ UDP_V6_FLOW, 6, IPPROTO_UDP },
	{ SCTP_V6_FLOW, 6, IPPROTO_SCTP },
};

static const struct vmq_nfc_type *vmq_nfc_type(u32 flow_type)
{
	unsigned int i;

	flow_type &= ~(FLOW_EXT | FLOW_MAC_EXT | FLOW_RSS);
	for (i = 0; i < ARRAY_SIZE(vmq_nfc_types); i++)
		if (vmq_nfc_types[i].flow_type == flow_type)
			return &vmq_nfc_types[i];
	return NULL;
}

/* The first four bytes behind the IP header are the two ports. */
static void vmq_nfc_l4_bytes(struct vmq_key *key, __be32 bytes)
{
	key->sport = htons(be32_to_cpu(bytes) >> 16);
	key->dport = htons(be32_to_cpu(bytes) & 0xffff);
}

/*
 * The fields of one half of a flow specification, the values or the masks: both
 * have the same form. The specs of TCP, UDP and SCTP are one struct.
 */
static void vmq_nfc_fields(struct vmq_key *key, const struct vmq_nfc_type *type,
			   const union ethtool_flow_union *u)
{
	if (type->flow_type == ETHER_FLOW) {
		ether_addr_copy(key->dst, u->ether_spec.h_dest);
		ether_addr_copy(key->src, u->ether_spec.h_source);
		key->ethertype = u->ether_spec.h_proto;
	} else if (type->flow_type == IP_USER_FLOW) {
		key->saddr[0] = u->usr_ip4_spec.ip4src;
		key->daddr[0] = u->usr_ip4_spec.ip4dst;
		key->tos = u->usr_ip4_spec.tos;
		key->proto = u->usr_ip4_spec.proto;
		vmq_nfc_l4_bytes(key, u->usr_ip4_spec.l4_4_bytes);
	} else if (type->flow_type == IPV6_USER_FLOW) {
		memcpy(key->saddr, u->usr_ip6_spec.ip6src, sizeof(key->saddr));
		memcpy(key->daddr, u->usr_ip6_spec.ip6dst, sizeof(key->daddr));
		key->tos = u->usr_ip6_spec.tclass;
		key->proto = u->usr_ip6_spec.l4_proto;
		vmq_nfc_l4_bytes(key, u->usr_ip6_spec.l4_4_bytes);
	} else if (type->l3 == 4) {
		key->saddr[0] = u->tcp_ip4_spec.ip4src;
		key->daddr[0] = u->tcp_ip4_spec.ip4dst;
		key->tos = u->tcp_ip4_spec.tos;
		key->sport = u->tcp_ip4_spec.psrc;
		key->dport = u->tcp_ip4_spec.pdst;
	} else {
		memcpy(key->saddr, u->tcp_ip6_spec.ip6src, sizeof(key->saddr));
		memcpy(key->daddr, u->tcp_ip6_spec.ip6dst, sizeof(key->daddr));
		key->tos = u->tcp_ip6_spec.tclass;
		key->sport = u->tcp_ip6_spec.psrc;
		key->dport = u->tcp_ip6_spec.pdst;
	}
}

static void vmq_nfc_ext(struct vmq_key *key, u32 flow_type,
			const struct ethtool_flow_ext *ext)
{
	if (flow_type & FLOW_MAC_EXT)
		ether_addr_copy(key->dst, ext->h_dest);
	if (flow_type & FLOW_EXT)
		key->vlan = ext->vlan_tci;
}

/* A value outside of its mask does not count. */
static void vmq_nfc_mask(struct vmq_key *key, const struct vmq_key *mask)
{
	const u8 *m = (const u8 *)mask;
	u8 *k = (u8 *)key;
	size_t i;

	for (i = 0; i < sizeof(*key); i++)
		k[i] &= m[i];
}

/**
 * vmq_nfc_parse_match() - translates what a flow specification tests
 * @spec: what is asked for; its key and mask are set here, zero before
 * @fs: the flow specification
 *
 * Context: Any.
 * Return: 0, -EINVAL if it makes no sense, or -EOPNOTSUPP for a flow type or a
 * field that is not known.
 */
int vmq_nfc_parse_match(struct vmq_filter_spec *spec,
			const struct ethtool_rx_flow_spec *fs)
{
	const struct vmq_nfc_type *type = vmq_nfc_type(fs->flow_type);

	if (!type)
		return -EOPNOTSUPP;
	/* the flow type has the destination MAC already */
	if (type->flow_type == ETHER_FLOW && (fs->flow_type & FLOW_MAC_EXT))
		return -EINVAL;
	if ((fs->flow_type & FLOW_EXT) &&
	    (fs->m_ext.vlan_etype || fs->m_ext.data[0] || fs->m_ext.data[1]))
		return -EOPNOTSUPP;
	if (type->flow_type == IP_USER_FLOW &&
	    fs->h_u.usr_ip4_spec.ip_ver != ETH_RX_NFC_IP4)
		return -EINVAL;

	vmq_nfc_fields(&spec->key, type, &fs->h_u);
	vmq_nfc_fields(&spec->mask, type, &fs->m_u);
	vmq_nfc_ext(&spec->key, fs->flow_type, &fs->h_ext);
	vmq_nfc_ext(&spec->mask, fs->flow_type, &fs->m_ext);
	if (type->l3) {
		spec->key.l3 = type->l3;
		spec->mask.l3 = 0xff;
	}
	if (type->proto) {
		spec->key.proto = type->proto;
		spec->mask.proto = 0xff;
	}
	/* a frame without ports does not have port 0 */
	if (spec->mask.sport || spec->mask.dport) {
		spec->key.l4 = 1;
		spec->mask.l4 = 0xff;
	}
	vmq_nfc_mask(&spec->key, &spec->mask);
	return 0;
}

/* A queue, or a VF, whose VPort has the one queue 0. */
static int vmq_nfc_parse_queue(struct net_device *dev,
			       struct vmq_filter_spec *spec, u64 cookie)
{
	/* 0 is the adapter itself */
	u64 vf = ethtool_get_flow_spec_ring_vf(cookie);

	if (cookie & ~(ETHTOOL_RX_FLOW_SPEC_RING |
		       ETHTOOL_RX_FLOW_SPEC_RING_VF))
		return -EINVAL;
	spec->queue = ethtool_get_flow_spec_ring(cookie);
	if (!vf)
		return 0;
	spec->vf = vmq_vf_find(vmq_adapter_priv(dev), vf - 1);
	if (!spec->vf || spec->queue) {
		netdev_dbg(dev, "there is no such VF, or it has no such queue\n");
		return -EINVAL;
	}
	return 0;
}

static u64 vmq_nfc_cookie(const struct vmq_filter *f)
{
	if (!f->queue)
		return RX_CLS_FLOW_DISC;
	if (f->vf)
		return (u64)(f->vf->path.id + 1) <<
		       ETHTOOL_RX_FLOW_SPEC_RING_VF_OFF;
	if (f->fs.flow_type & FLOW_RSS)
		return f->add;
	/* as it was set, wherever its port's path leads now */
	return (f->home ?: f->queue)->id;
}

static int vmq_nfc_parse(struct net_device *dev, struct vmq_filter_spec *spec,
			 const struct ethtool_rxnfc *info)
{
	const struct ethtool_rx_flow_spec *fs = &info->fs;
	int err;

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
		err = vmq_nfc_parse_queue(dev, spec, fs->ring_cookie);
		if (err)
			return err;
	}
	if (fs->flow_type & FLOW_RSS) {
		if (spec->drop || spec->vf)
			return -EINVAL;
		/* a queue is added to what the table says */
		spec->add = spec->queue;
		spec->queue = 0;
		spec->rss = true;
		spec->context = info->rss_context;
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
	err = vmq_nfc_parse(dev, &spec, info);
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

static int vmq_nfc_rule(struct vmq_adapter *a, struct ethtool_rxnfc *info)
{
	struct ethtool_rx_flow_spec *fs = &info->fs;
	struct vmq_filter *f;
	int err = -ENOENT;

	mutex_lock(&a->lock);
	f = fs->location < VMQ_MAX_FILTERS ?
	    xa_load(&a->filters, fs->location) : NULL;
	if (f) {
		*fs = f->fs;
		fs->ring_cookie = vmq_nfc_cookie(f);
		if (fs->flow_type & FLOW_RSS)
			info->rss_context = f->context;
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
 * vmq_nfc_rings() - queues that a rule or table may name
 * @dev: netdev of an adapter or port
 *
 * Context: Process context, rtnl held.
 * Return: the number.
 */
u32 vmq_nfc_rings(struct net_device *dev)
{
	if (!vmq_is_adapter(dev))
		return max(vmq_port_priv(dev)->n_queues, 1U);
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
	case ETHTOOL_GRXCLSRLCNT:
		info->rule_cnt = a->n_filters;
		info->data = VMQ_MAX_FILTERS | RX_CLS_LOC_SPECIAL;
		return 0;
	case ETHTOOL_GRXCLSRULE:
		return vmq_nfc_rule(a, info);
	case ETHTOOL_GRXCLSRLALL:
		return vmq_nfc_list(a, info, locations);
	}
	return vmq_rxfh_nfc_get(dev, info);
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
	return vmq_rxfh_nfc_set(dev, info);
}

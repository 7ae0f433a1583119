// SPDX-License-Identifier: GPL-2.0
/*
 * ip link set ADAPTER vf N ...: what the adapter's administrator sets for a VF,
 * and ip link show ADAPTER. The netdev ops have nowhere to say why they refuse,
 * other than the error itself.
 */
#include <linux/etherdevice.h>
#include <linux/if_link.h>
#include <linux/if_vlan.h>

#include "vmq_priv.h"

/**
 * vmq_adapter_pool() - limits of an adapter's VPorts (K-15, V-32 to V-36)
 * @a: the adapter
 * @pool: filled here
 *
 * Each VM queue can be a port's alone, and each VF has its own queue, which no
 * port can take from it.
 *
 * Context: Process context.
 */
void vmq_adapter_pool(const struct vmq_adapter *a, struct vmq_pool *pool)
{
	*pool = (struct vmq_pool){
		.max_vports = a->max_queues + VMQ_MAX_VFS,
		.max_vfs = VMQ_MAX_VFS,
		.max_pairs = a->max_queues + VMQ_MAX_VFS,
		.max_pairs_each = min_t(u32, a->max_queues, MAX_TAP_QUEUES),
	};
	WARN_ON_ONCE(!vmq_pool_valid(pool));
}

static struct vmq_vf *vmq_vf_get(struct net_device *dev, int id)
{
	struct vmq_vf *vf = vmq_vf_find(vmq_adapter_priv(dev), id);

	if (!vf)
		netdev_dbg(dev, "there is no VF %d\n", id);
	return vf;
}

/**
 * vmq_vf_set_mac() - ndo_set_vf_mac
 * @dev: the adapter's netdev
 * @id: the VF
 * @mac: address that an untrusted VF can't change any more; all zeros let it
 *
 * Context: Process context, rtnl held.
 * Return: 0, -EINVAL for an unknown VF, -EADDRNOTAVAIL if it is not a unicast
 * address, or the errors of vmq_vf_configure().
 */
int vmq_vf_set_mac(struct net_device *dev, int id, u8 *mac)
{
	struct vmq_vf *vf = vmq_vf_get(dev, id);
	struct vmq_vf_config cfg;
	int err;

	if (!vf)
		return -EINVAL;
	if (!is_zero_ether_addr(mac) && !is_valid_ether_addr(mac))
		return -EADDRNOTAVAIL;
	cfg = vf->cfg;
	cfg.mac_set = !is_zero_ether_addr(mac);
	if (cfg.mac_set)
		ether_addr_copy(cfg.mac, mac);
	err = vmq_vf_unpark(vf, cfg.mac);
	return err ?: vmq_vf_configure(vf, &cfg, cfg.mac_set);
}

/**
 * vmq_vf_set_vlan() - ndo_set_vf_vlan
 * @dev: the adapter's netdev
 * @id: the VF
 * @vlan: VLAN id that its frames get and lose, 0 to 4094
 * @qos: priority that its frames get, 0 to 7; both 0 leave the tags to the VF
 * @proto: tag protocol
 *
 * Context: Process context, rtnl held.
 * Return: 0, -EINVAL for an unknown VF or wrong numbers, -EPROTONOSUPPORT for
 * another protocol than 802.1Q, or the errors of vmq_vf_configure().
 */
int vmq_vf_set_vlan(struct net_device *dev, int id, u16 vlan, u8 qos,
		    __be16 proto)
{
	struct vmq_vf *vf = vmq_vf_get(dev, id);
	struct vmq_vf_config cfg;

	if (!vf || vlan >= VLAN_VID_MASK || qos > 7)
		return -EINVAL;
	/* no filter knows another one */
	if (proto != htons(ETH_P_8021Q))
		return -EPROTONOSUPPORT;
	cfg = vf->cfg;
	cfg.vlan = vlan;
	cfg.qos = qos;
	return vmq_vf_configure(vf, &cfg, false);
}

/**
 * vmq_vf_set_rate() - ndo_set_vf_rate
 * @dev: the adapter's netdev
 * @id: the VF
 * @min: Mbit/s that it can count on; only 0, as nothing guarantees more
 * @max: Mbit/s that it may send, 0 for no limit
 *
 * Context: Process context, rtnl held.
 * Return: 0, -EINVAL for an unknown VF or a negative rate, or -EOPNOTSUPP for a
 * guaranteed rate.
 */
int vmq_vf_set_rate(struct net_device *dev, int id, int min, int max)
{
	struct vmq_vf *vf = vmq_vf_get(dev, id);
	struct vmq_vf_config cfg;

	if (!vf || min < 0 || max < 0)
		return -EINVAL;
	if (min)
		return -EOPNOTSUPP;
	cfg = vf->cfg;
	cfg.max_tx_rate = max;
	return vmq_vf_configure(vf, &cfg, false);
}

/**
 * vmq_vf_set_spoofchk() - ndo_set_vf_spoofchk
 * @dev: the adapter's netdev
 * @id: the VF
 * @on: frames with another source address than the VF's are dropped
 *
 * Context: Process context, rtnl held.
 * Return: 0 or -EINVAL for an unknown VF.
 */
int vmq_vf_set_spoofchk(struct net_device *dev, int id, bool on)
{
	struct vmq_vf *vf = vmq_vf_get(dev, id);
	struct vmq_vf_config cfg;

	if (!vf)
		return -EINVAL;
	cfg = vf->cfg;
	cfg.spoofchk = on;
	return vmq_vf_configure(vf, &cfg, false);
}

/**
 * vmq_vf_set_trust() - ndo_set_vf_trust
 * @dev: the adapter's netdev
 * @id: the VF
 * @on: it may be promiscuous, and change an address that the administrator set
 *
 * Context: Process context, rtnl held.
 * Return: 0 or -EINVAL for an unknown VF.
 */
int vmq_vf_set_trust(struct net_device *dev, int id, bool on)
{
	struct vmq_vf *vf = vmq_vf_get(dev, id);
	struct vmq_vf_config cfg;

	if (!vf)
		return -EINVAL;
	cfg = vf->cfg;
	cfg.trusted = on;
	return vmq_vf_configure(vf, &cfg, false);
}

/**
 * vmq_vf_set_link_state() - ndo_set_vf_link_state
 * @dev: the adapter's netdev
 * @id: the VF
 * @state: IFLA_VF_LINK_STATE_AUTO (the uplink's), _ENABLE (up whatever the
 *	uplink does) or _DISABLE (down, and no frame passes)
 *
 * Context: Process context, rtnl held.
 * Return: 0 or -EINVAL for an unknown VF or state.
 */
int vmq_vf_set_link_state(struct net_device *dev, int id, int state)
{
	struct vmq_vf *vf = vmq_vf_get(dev, id);
	struct vmq_vf_config cfg;
	int err;

	if (!vf || state < IFLA_VF_LINK_STATE_AUTO ||
	    state > IFLA_VF_LINK_STATE_DISABLE)
		return -EINVAL;
	err = vmq_vf_unpark(vf, vf->cfg.mac);
	if (err)
		return err;
	cfg = vf->cfg;
	cfg.link_state = state;
	return vmq_vf_configure(vf, &cfg, false);
}

/**
 * vmq_vf_get_config() - ndo_get_vf_config
 * @dev: the adapter's netdev
 * @id: the VF
 * @info: filled here
 *
 * Context: Process context, rtnl held.
 * Return: 0 or -EINVAL for an unknown VF.
 */
int vmq_vf_get_config(struct net_device *dev, int id,
		      struct ifla_vf_info *info)
{
	struct vmq_vf *vf = vmq_vf_get(dev, id);

	if (!vf)
		return -EINVAL;
	info->vf = id;
	ether_addr_copy(info->mac, vf->netdev ? vf->netdev->dev_addr :
						vf->cfg.mac);
	info->vlan = vf->cfg.vlan;
	info->qos = vf->cfg.qos;
	info->vlan_proto = htons(ETH_P_8021Q);
	info->spoofchk = vf->cfg.spoofchk;
	info->trusted = vf->cfg.trusted;
	info->linkstate = vf->cfg.link_state;
	info->min_tx_rate = 0;
	info->max_tx_rate = vf->cfg.max_tx_rate;
	return 0;
}

/**
 * vmq_vf_get_stats() - ndo_get_vf_stats
 * @dev: the adapter's netdev
 * @id: the VF
 * @stats: filled here: what the VF received and sent since it exists
 *
 * Context: Process context, rtnl held.
 * Return: 0 or -EINVAL for an unknown VF.
 */
int vmq_vf_get_stats(struct net_device *dev, int id,
		     struct ifla_vf_stats *stats)
{
	struct vmq_vf *vf = vmq_vf_get(dev, id);
	struct vmq_stats sum = {};

	if (!vf)
		return -EINVAL;
	vmq_stats_sum(vf->path.queue.stats, &sum);
	memset(stats, 0, sizeof(*stats));
	stats->rx_packets = sum.rx_packets;
	stats->rx_bytes = sum.rx_bytes;
	stats->rx_dropped = sum.rx_drops;
	stats->tx_packets = sum.tx_packets;
	stats->tx_bytes = sum.tx_bytes;
	stats->tx_dropped = sum.tx_drops;
	stats->multicast = sum.multicast;
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * ethtool on adapters and ports, but for the rules (ethtool_nfc.c).
 */
#include <linux/ethtool.h>

#include "vmq_priv.h"

static void vmq_adapter_get_drvinfo(struct net_device *dev,
				    struct ethtool_drvinfo *info)
{
	strscpy(info->driver, "vmq", sizeof(info->driver));
	strscpy(info->version, VMQ_VERSION, sizeof(info->version));
	strscpy(info->bus_info, vmq_bus_name(vmq_adapter_priv(dev)),
		sizeof(info->bus_info));
}

static void vmq_port_get_drvinfo(struct net_device *dev,
				 struct ethtool_drvinfo *info)
{
	struct vmq_port *port = vmq_port_priv(dev);

	strscpy(info->driver, "vmq", sizeof(info->driver));
	strscpy(info->version, VMQ_VERSION, sizeof(info->version));
	snprintf(info->bus_info, sizeof(info->bus_info), "%s/%u",
		 vmq_bus_name(port->adapter), port->id);
}

/* ---- -l, -L ---- */

static void vmq_get_channels(struct net_device *dev,
			     struct ethtool_channels *ch)
{
	ch->max_combined = dev->num_rx_queues;
	ch->combined_count = dev->real_num_rx_queues;
}

/* The core checked the maximum and the rules that it can see. */
static int vmq_adapter_set_channels(struct net_device *dev,
				    struct ethtool_channels *ch)
{
	int err;

	if (!ch->combined_count) {
		netdev_dbg(dev, "the default queue can't be switched off\n");
		return -EINVAL;
	}
	err = vmq_queues_resize(vmq_adapter_priv(dev), ch->combined_count);
	if (err == -EBUSY)
		netdev_dbg(dev, "a queue from %u on is in use\n",
			   ch->combined_count);
	return err;
}

/* The core checked the maximum, and the table that was set by hand. */
static int vmq_port_set_channels(struct net_device *dev,
				 struct ethtool_channels *ch)
{
	struct vmq_port *port = vmq_port_priv(dev);
	int err;

	if (port->deleted || !ch->combined_count)
		return -EINVAL;
	err = vmq_port_resize(port, ch->combined_count);
	if (err == -ENOSPC)
		netdev_dbg(dev, "there are not so many free queues\n");
	else if (err == -EBUSY && !port->n_queues)
		netdev_dbg(dev, "it works from the default queue\n");
	else if (err == -EBUSY)
		netdev_dbg(dev, "a queue from %u on is in use, or its state is on the move\n",
			   ch->combined_count);
	return err;
}

/* ---- -S ---- */

static int vmq_get_sset_count(struct net_device *dev, int sset)
{
	if (sset != ETH_SS_STATS)
		return -EOPNOTSUPP;
	return vmq_stats_strings(dev->real_num_rx_queues);
}

static void vmq_get_strings(struct net_device *dev, u32 sset, u8 *data)
{
	if (sset == ETH_SS_STATS)
		vmq_stats_names(data, dev->real_num_rx_queues);
}

static const char * const vmq_mcast_names[] = {
	"mcast_reports", "mcast_leaves", "mcast_queries", "mcast_withheld",
	"mcast_allmulti", "mcast_overflows",
};

static int vmq_port_get_sset_count(struct net_device *dev, int sset)
{
	int n = vmq_get_sset_count(dev, sset);

	return n < 0 ? n : n + ARRAY_SIZE(vmq_mcast_names);
}

static void vmq_port_get_strings(struct net_device *dev, u32 sset, u8 *data)
{
	int i;

	if (sset != ETH_SS_STATS)
		return;
	vmq_get_strings(dev, sset, data);
	data += vmq_stats_strings(dev->real_num_rx_queues) * ETH_GSTRING_LEN;
	for (i = 0; i < ARRAY_SIZE(vmq_mcast_names); i++)
		ethtool_puts(&data, vmq_mcast_names[i]);
}

static void vmq_adapter_get_stats(struct net_device *dev,
				  struct ethtool_stats *stats, u64 *data)
{
	struct vmq_adapter *a = vmq_adapter_priv(dev);
	struct vmq_stats all = {};
	u32 id;

	for (id = 0; id < dev->real_num_rx_queues; id++) {
		struct vmq_stats sum = {};

		vmq_adapter_sum(a, id, id + 1, &sum);
		data = vmq_stats_values_queue(data, &sum);
	}
	vmq_adapter_sum(a, 0, a->max_queues, &all);
	vmq_stats_sum(a->filter_drops, &all);
	vmq_stats_values_drops(data, &all);
}

static void vmq_vf_get_counters(struct net_device *dev,
				struct ethtool_stats *stats, u64 *data)
{
	struct vmq_port *port = vmq_port_priv(dev);
	struct vmq_stats all = {};
	u32 i;

	for (i = 0; i < dev->real_num_rx_queues; i++) {
		struct vmq_stats sum = {};

		vmq_port_sum(port, i, i + 1, &sum);
		data = vmq_stats_values_queue(data, &sum);
	}
	vmq_port_sum(port, 0, dev->num_rx_queues, &all);
	vmq_stats_values_drops(data, &all);
}

static void vmq_port_get_stats(struct net_device *dev,
			       struct ethtool_stats *stats, u64 *data)
{
	struct vmq_port *port = vmq_port_priv(dev);
	struct vmq_mcast_report mcast;

	vmq_vf_get_counters(dev, stats, data);
	vmq_mcast_port_report(&port->adapter->mcast, &port->mcast, &mcast);
	data += vmq_stats_strings(dev->real_num_rx_queues);
	*data++ = mcast.reports;
	*data++ = mcast.leaves;
	*data++ = mcast.queries;
	*data++ = mcast.withheld;
	*data++ = mcast.allmulti;
	*data++ = mcast.overflows;
}

/* ---- link: the uplink's, where there is one ---- */

static int vmq_get_link_ksettings(struct net_device *uplink,
				  struct ethtool_link_ksettings *cmd)
{
	cmd->base.speed = SPEED_UNKNOWN;
	cmd->base.duplex = DUPLEX_UNKNOWN;
	cmd->base.port = PORT_OTHER;
	if (!uplink || !netif_device_present(uplink))
		return 0;
	return __ethtool_get_link_ksettings(uplink, cmd);
}

static int vmq_adapter_get_link(struct net_device *dev,
				struct ethtool_link_ksettings *cmd)
{
	return vmq_get_link_ksettings(rtnl_dereference(vmq_adapter_priv(dev)->uplink),
				      cmd);
}

static int vmq_port_get_link(struct net_device *dev,
			     struct ethtool_link_ksettings *cmd)
{
	struct vmq_adapter *a = vmq_port_priv(dev)->adapter;

	return vmq_get_link_ksettings(rtnl_dereference(a->uplink), cmd);
}

/* A port has no rules of its own: ethtool -n rx-flow-hash alone. */
static int vmq_port_get_rxnfc(struct net_device *dev,
			      struct ethtool_rxnfc *info, u32 *locations)
{
	return vmq_rxfh_nfc_get(dev, info);
}

static int vmq_port_set_rxnfc(struct net_device *dev,
			      struct ethtool_rxnfc *info)
{
	return vmq_rxfh_nfc_set(dev, info);
}

const struct ethtool_ops vmq_adapter_ethtool_ops = {
	.cap_rss_rxnfc_adds = 1,
	.rxfh_per_ctx_key = 1,
#ifdef VMQ_HAVE_RXFH_FIELDS
	.rxfh_per_ctx_fields = 1,
#endif
	.rxfh_priv_size = sizeof(struct vmq_rss_ctx *),
	.rxfh_max_num_contexts = VMQ_MAX_QUEUES,
	.supported_coalesce_params = ETHTOOL_COALESCE_RX_USECS |
				     ETHTOOL_COALESCE_RX_MAX_FRAMES |
				     ETHTOOL_COALESCE_USE_ADAPTIVE_RX,
	.get_ringparam = vmq_get_ringparam,
	.set_ringparam = vmq_set_ringparam,
	.get_coalesce = vmq_get_coalesce,
	.set_coalesce = vmq_set_coalesce,
	.get_per_queue_coalesce = vmq_get_per_queue_coalesce,
	.set_per_queue_coalesce = vmq_set_per_queue_coalesce,
	.get_drvinfo = vmq_adapter_get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_link_ksettings = vmq_adapter_get_link,
	.get_ts_info = ethtool_op_get_ts_info,
	.get_channels = vmq_get_channels,
	.set_channels = vmq_adapter_set_channels,
	.get_sset_count = vmq_get_sset_count,
	.get_strings = vmq_get_strings,
	.get_ethtool_stats = vmq_adapter_get_stats,
	.get_rxnfc = vmq_nfc_get,
	.set_rxnfc = vmq_nfc_set,
	.get_rxfh_key_size = vmq_rxfh_key_size,
	.get_rxfh_indir_size = vmq_rxfh_indir_size,
	.get_rxfh = vmq_rxfh_get,
	.set_rxfh = vmq_rxfh_set,
	.create_rxfh_context = vmq_rxfh_create,
	.modify_rxfh_context = vmq_rxfh_modify,
	.remove_rxfh_context = vmq_rxfh_remove,
#ifdef VMQ_HAVE_RXFH_FIELDS
	.get_rxfh_fields = vmq_rxfh_fields_get,
	.set_rxfh_fields = vmq_rxfh_fields_set,
#endif
#ifdef VMQ_HAVE_GET_RX_RING_COUNT
	.get_rx_ring_count = vmq_nfc_rings,
#endif
};

const struct ethtool_ops vmq_port_ethtool_ops = {
	.get_drvinfo = vmq_port_get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_link_ksettings = vmq_port_get_link,
	.get_ts_info = ethtool_op_get_ts_info,
	.get_channels = vmq_get_channels,
	.set_channels = vmq_port_set_channels,
	.get_sset_count = vmq_port_get_sset_count,
	.get_strings = vmq_port_get_strings,
	.get_ethtool_stats = vmq_port_get_stats,
	.get_rxnfc = vmq_port_get_rxnfc,
	.set_rxnfc = vmq_port_set_rxnfc,
	.get_rxfh_key_size = vmq_rxfh_key_size,
	.get_rxfh_indir_size = vmq_rxfh_indir_size,
	.get_rxfh = vmq_rxfh_get,
	.set_rxfh = vmq_rxfh_set,
#ifdef VMQ_HAVE_RXFH_FIELDS
	.get_rxfh_fields = vmq_rxfh_fields_get,
	.set_rxfh_fields = vmq_rxfh_fields_set,
#endif
#ifdef VMQ_HAVE_GET_RX_RING_COUNT
	.get_rx_ring_count = vmq_nfc_rings,
#endif
};

static void vmq_vf_get_drvinfo(struct net_device *dev,
			       struct ethtool_drvinfo *info)
{
	strscpy(info->driver, "vmqvf", sizeof(info->driver));
	strscpy(info->version, VMQ_VERSION, sizeof(info->version));
	strscpy(info->bus_info, dev_name(dev->dev.parent),
		sizeof(info->bus_info));
}

const struct ethtool_ops vmq_vf_ethtool_ops = {
	.get_drvinfo = vmq_vf_get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_link_ksettings = vmq_port_get_link,
	.get_ts_info = ethtool_op_get_ts_info,
	.get_channels = vmq_get_channels,
	.get_sset_count = vmq_get_sset_count,
	.get_strings = vmq_get_strings,
	.get_ethtool_stats = vmq_vf_get_counters,
};

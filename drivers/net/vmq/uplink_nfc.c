// SPDX-License-Identifier: GPL-2.0
/*
 * The n-tuple table of an uplink, through its own ethtool operations, as
 * ethtool -N would use it.
 *
 * The table is the administrator's as much as ours, and nobody tells us what he
 * does there. So a location is looked at before it is written to: a rule that we
 * did not put there is never replaced or removed. What the driver shows of a rule
 * after it took it is kept, and a location that shows something else is not ours.
 */
#include <linux/bitmap.h>
#include <linux/ethtool.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>

#include "compat.h"
#include "uplink_nfc.h"

/**
 * vmq_nfc_begin() - makes a network device ready for its ethtool operations
 * @dev: the network device
 *
 * Context: Process context, rtnl held; takes the device's own lock, where it has
 * one. To be followed by vmq_nfc_end() if it succeeds.
 * Return: 0, -ENODEV while the device is away, or an error of its driver.
 */
int vmq_nfc_begin(struct net_device *dev)
{
	int err = -ENODEV;

	ASSERT_RTNL();
	if (dev->dev.parent)
		pm_runtime_get_sync(dev->dev.parent);
	vmq_netdev_lock_ops(dev);
	if (netif_device_present(dev))
		err = dev->ethtool_ops->begin ? dev->ethtool_ops->begin(dev) :
						0;
	if (!err)
		return 0;
	vmq_netdev_unlock_ops(dev);
	if (dev->dev.parent)
		pm_runtime_put(dev->dev.parent);
	return err;
}

/**
 * vmq_nfc_end() - ends what vmq_nfc_begin() began
 * @dev: the network device
 *
 * Context: Process context, rtnl held.
 */
void vmq_nfc_end(struct net_device *dev)
{
	if (dev->ethtool_ops->complete)
		dev->ethtool_ops->complete(dev);
	vmq_netdev_unlock_ops(dev);
	if (dev->dev.parent)
		pm_runtime_put(dev->dev.parent);
}

static int vmq_nfc_show(struct vmq_nfc *nfc, u32 location,
			struct ethtool_rx_flow_spec *fs)
{
	struct ethtool_rxnfc info = {
		.cmd = ETHTOOL_GRXCLSRULE,
		.fs.location = location,
	};
	int err = nfc->dev->ethtool_ops->get_rxnfc(nfc->dev, &info, NULL);

	*fs = info.fs;
	return err;
}

/* Is no rule there, as far as the driver says so? */
static bool vmq_nfc_free(struct vmq_nfc *nfc, u32 location)
{
	struct ethtool_rx_flow_spec fs;
	int err = vmq_nfc_show(nfc, location, &fs);

	return err == -ENOENT || err == -EINVAL || err == -ESRCH;
}

/* Not by memory: drivers need not write what is between the fields. */
static bool vmq_nfc_same(const struct ethtool_rx_flow_spec *a,
			 const struct ethtool_rx_flow_spec *b)
{
	return a->flow_type == b->flow_type &&
	       a->ring_cookie == b->ring_cookie &&
	       a->location == b->location &&
	       !memcmp(&a->h_u, &b->h_u, sizeof(a->h_u)) &&
	       !memcmp(&a->m_u, &b->m_u, sizeof(a->m_u)) &&
	       !memcmp(&a->h_ext, &b->h_ext, sizeof(a->h_ext)) &&
	       !memcmp(&a->m_ext, &b->m_ext, sizeof(a->m_ext));
}

static void vmq_nfc_taken(struct vmq_nfc *nfc, u32 location)
{
	if (nfc->maybe && location < nfc->slots)
		__clear_bit(location, nfc->maybe);
}

/**
 * vmq_nfc_rescan() - reads the uplink's table: its size, and what is free
 * @nfc: the table, opened
 *
 * Context: Process context, between vmq_nfc_begin() and vmq_nfc_end(), sleeps.
 * Return: 0, -ENOMEM, or an error of the driver; the table is not used then.
 */
int vmq_nfc_rescan(struct vmq_nfc *nfc)
{
	const struct ethtool_ops *ops = nfc->dev->ethtool_ops;
	struct ethtool_rxnfc info = { .cmd = ETHTOOL_GRXCLSRLCNT };
	u32 *locations, n, i;
	int err;

	nfc->slots = 0;
	err = ops->get_rxnfc(nfc->dev, &info, NULL);
	if (err)
		return err;
	nfc->special = info.data & RX_CLS_LOC_SPECIAL;
	n = min_t(u32, info.rule_cnt, VMQ_NFC_MAX_SLOTS);
	locations = kvcalloc(n + 1, sizeof(*locations), GFP_KERNEL);
	if (!locations)
		return -ENOMEM;

	info = (struct ethtool_rxnfc) {
		.cmd = ETHTOOL_GRXCLSRLALL,
		.rule_cnt = n,
	};
	err = ops->get_rxnfc(nfc->dev, &info, locations);
	if (err)
		goto out;
	nfc->slots = min_t(u64, info.data & ~RX_CLS_LOC_SPECIAL,
			   VMQ_NFC_MAX_SLOTS);
	if (nfc->special) {
		nfc->slots = max(nfc->slots, 1U);
		goto out;
	}
	bitmap_free(nfc->maybe);
	nfc->maybe = bitmap_alloc(max(nfc->slots, 1U), GFP_KERNEL);
	if (!nfc->maybe) {
		nfc->slots = 0;
		err = -ENOMEM;
		goto out;
	}
	bitmap_fill(nfc->maybe, nfc->slots);
	for (i = 0; i < min(n, info.rule_cnt); i++)
		vmq_nfc_taken(nfc, locations[i]);
out:
	kvfree(locations);
	return err;
}

/**
 * vmq_nfc_open() - looks at the n-tuple table of an uplink
 * @nfc: zeroed, or closed
 * @dev: the uplink
 *
 * Context: Process context, sleeps, rtnl held.
 * Return: 0; -EOPNOTSUPP if it has none, -ENODATA if it has one that is switched
 * off, -ENOMEM, or an error of the driver. It is not used then, but nfc->dev is
 * set and vmq_nfc_open() may be tried again.
 */
int vmq_nfc_open(struct vmq_nfc *nfc, struct net_device *dev)
{
	const struct ethtool_ops *ops = dev->ethtool_ops;
	int err;

	nfc->dev = dev;
	nfc->slots = 0;
	if (!ops || !ops->set_rxnfc || !ops->get_rxnfc ||
	    !((dev->hw_features | dev->features) & NETIF_F_NTUPLE))
		return -EOPNOTSUPP;
	if (!(dev->features & NETIF_F_NTUPLE))
		return -ENODATA;
	err = vmq_nfc_begin(dev);
	if (err)
		return err;
	err = vmq_nfc_rescan(nfc);
	vmq_nfc_end(dev);
	return err;
}

/**
 * vmq_nfc_close() - forgets what is known of a table
 * @nfc: the table; the uplink is not asked
 *
 * Context: Any.
 */
void vmq_nfc_close(struct vmq_nfc *nfc)
{
	bitmap_free(nfc->maybe);
	memset(nfc, 0, sizeof(*nfc));
}

/*
 * A free location, from the end, where a rule gives way to the administrator's:
 * most hardware takes the rule with the lowest location.
 */
static int vmq_nfc_location(struct vmq_nfc *nfc, u32 *location)
{
	unsigned long at;

	if (nfc->special) {
		*location = RX_CLS_LOC_ANY;
		return 0;
	}
	for (;;) {
		at = find_last_bit(nfc->maybe, nfc->slots);
		if (at >= nfc->slots)
			return -ENOSPC;
		/* his, or ours: either way it is not to be had */
		__clear_bit(at, nfc->maybe);
		if (vmq_nfc_free(nfc, at))
			break;
	}
	*location = at;
	return 0;
}

static int vmq_nfc_insert(struct vmq_nfc *nfc, struct ethtool_rx_flow_spec *fs)
{
	struct ethtool_rxnfc info = { .cmd = ETHTOOL_SRXCLSRLINS, .fs = *fs };
	u32 wanted = fs->location;
	int err;

	err = nfc->dev->ethtool_ops->set_rxnfc(nfc->dev, &info);
	if (err)
		return err;
	/* what we do not see there we could not take away again */
	err = vmq_nfc_show(nfc, info.fs.location, fs);
	if (!err && ethtool_get_flow_spec_ring(fs->ring_cookie) ==
	    ethtool_get_flow_spec_ring(info.fs.ring_cookie) &&
	    fs->location == info.fs.location &&
	    (wanted == RX_CLS_LOC_ANY || wanted == fs->location)) {
		vmq_nfc_taken(nfc, fs->location);
		return 0;
	}
	info.cmd = ETHTOOL_SRXCLSRLDEL;
	nfc->dev->ethtool_ops->set_rxnfc(nfc->dev, &info);
	return -EPROTO;
}

/**
 * vmq_nfc_add() - inserts a rule where no other is
 * @nfc: the table, with slots
 * @fs: the rule; becomes what the driver shows of it, with its location
 *
 * Context: Process context, between vmq_nfc_begin() and vmq_nfc_end(), sleeps.
 * Return: 0; -ENOSPC if the table is full, -EPROTO if the driver does not show
 * what it took, or the error of the driver.
 */
int vmq_nfc_add(struct vmq_nfc *nfc, struct ethtool_rx_flow_spec *fs)
{
	u32 location;
	int err;

	if (!nfc->slots)
		return -EOPNOTSUPP;
	err = vmq_nfc_location(nfc, &location);
	if (err)
		return err;
	fs->location = location;
	err = vmq_nfc_insert(nfc, fs);
	if (err && nfc->maybe)
		__set_bit(location, nfc->maybe);
	return err;
}

/**
 * vmq_nfc_is_there() - is a rule that was inserted still in the table?
 * @nfc: the table
 * @fs: the rule, from vmq_nfc_add()
 *
 * Context: Process context, between vmq_nfc_begin() and vmq_nfc_end(), sleeps.
 * Return: true if its location shows the same as then.
 */
bool vmq_nfc_is_there(struct vmq_nfc *nfc,
		      const struct ethtool_rx_flow_spec *fs)
{
	struct ethtool_rx_flow_spec now;

	return !vmq_nfc_show(nfc, fs->location, &now) &&
	       vmq_nfc_same(&now, fs);
}

/**
 * vmq_nfc_steer() - points a rule to another ring
 * @nfc: the table
 * @fs: the rule, from vmq_nfc_add(); updated
 * @ring: the ring
 *
 * Context: Process context, between vmq_nfc_begin() and vmq_nfc_end(), sleeps.
 * Return: 0, -ENOENT if the rule is not there any more, or the error of the
 * driver, after which the rule may be there or not.
 */
int vmq_nfc_steer(struct vmq_nfc *nfc, struct ethtool_rx_flow_spec *fs,
		  u32 ring)
{
	struct ethtool_rx_flow_spec next = *fs;
	int err;

	if (!vmq_nfc_is_there(nfc, fs))
		return -ENOENT;
	next.ring_cookie = ring;
	err = vmq_nfc_insert(nfc, &next);
	if (!err)
		*fs = next;
	return err;
}

/**
 * vmq_nfc_del() - removes a rule, if it is still ours
 * @nfc: the table
 * @fs: the rule, from vmq_nfc_add()
 *
 * Context: Process context, between vmq_nfc_begin() and vmq_nfc_end(), sleeps.
 */
void vmq_nfc_del(struct vmq_nfc *nfc, const struct ethtool_rx_flow_spec *fs)
{
	struct ethtool_rxnfc info = {
		.cmd = ETHTOOL_SRXCLSRLDEL,
		.fs.location = fs->location,
	};

	if (!vmq_nfc_is_there(nfc, fs))
		return;
	if (!nfc->dev->ethtool_ops->set_rxnfc(nfc->dev, &info) && nfc->maybe &&
	    fs->location < nfc->slots)
		__set_bit(fs->location, nfc->maybe);
}

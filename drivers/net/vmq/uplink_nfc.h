/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The n-tuple table of an uplink, through its own ethtool operations. Knows
 * network devices and flow specifications, but neither adapters nor filters.
 */
#ifndef _VMQ_UPLINK_NFC_H
#define _VMQ_UPLINK_NFC_H

#include <linux/ethtool.h>
#include <linux/netdevice.h>

#define VMQ_NFC_MAX_SLOTS	65536

/**
 * struct vmq_nfc - what is known of an uplink's table
 * @dev: the uplink
 * @special: it chooses locations itself
 * @slots: locations that it has, at most VMQ_NFC_MAX_SLOTS; 0 without a table
 * @maybe: bitmap of the locations that may be free; NULL where @special
 */
struct vmq_nfc {
	struct net_device *dev;
	bool special;
	u32 slots;
	unsigned long *maybe;
};

int vmq_nfc_open(struct vmq_nfc *nfc, struct net_device *dev);
void vmq_nfc_close(struct vmq_nfc *nfc);
int vmq_nfc_begin(struct net_device *dev);
void vmq_nfc_end(struct net_device *dev);
int vmq_nfc_rescan(struct vmq_nfc *nfc);
int vmq_nfc_add(struct vmq_nfc *nfc, struct ethtool_rx_flow_spec *fs);
bool vmq_nfc_is_there(struct vmq_nfc *nfc,
		      const struct ethtool_rx_flow_spec *fs);
int vmq_nfc_steer(struct vmq_nfc *nfc, struct ethtool_rx_flow_spec *fs,
		  u32 ring);
void vmq_nfc_del(struct vmq_nfc *nfc, const struct ethtool_rx_flow_spec *fs);

#endif /* _VMQ_UPLINK_NFC_H */

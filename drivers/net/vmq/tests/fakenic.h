/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VMQ_FAKENIC_H
#define _VMQ_FAKENIC_H

#include <linux/ethtool.h>
#include <linux/netdevice.h>
#include <linux/spinlock.h>

#define FAKE_SLOTS	4096
#define FAKE_RINGS	64

struct fake_rule {
	bool used;
	struct ethtool_rx_flow_spec fs;
};

struct fake_nic {
	struct net_device *dev;
	struct net_device *lower;	/* where its cable ends */
	unsigned long *vids;		/* VLAN ids that it lets in */
	spinlock_t lock;		/* protects what follows */
	struct fake_rule *rule;		/* [FAKE_SLOTS] */
	u64 packets[FAKE_RINGS];
	u64 filtered;			/* frames for an address it does not know */
	u64 inserted;			/* rules, since it was made */
	u64 deleted;
};

extern const struct ethtool_ops fake_ethtool_ops;

u32 fake_ring(struct fake_nic *nic, struct sk_buff *skb);
void fake_flush(struct fake_nic *nic);

#endif /* _VMQ_FAKENIC_H */

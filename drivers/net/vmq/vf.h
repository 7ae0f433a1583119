/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Virtual functions (VFs) of an adapter: devices on bus "vmq" whose driver makes
 * a netdev each.
 *
 *   bus.c        sriov_numvfs, the devices, binding and unbinding
 *   vf.c         the netdev and what its frames meet
 *   vf_admin.c   ip link set ADAPTER vf N ...
 *
 * A VF's netdev holds a struct vmq_port as a port's does, so that a queue leads
 * to it in the same way; it has no extensions and no tap (S-26). It is on a list
 * of its own, adapter->vf_ports, as it is no port of the switch.
 */
#ifndef _VMQ_VF_H
#define _VMQ_VF_H

#define VMQ_MAX_VFS	64

/* What the adapter's administrator set; it outlives the VF's netdev and resets. */
struct vmq_vf_config {
	u8 mac[ETH_ALEN];
	bool mac_set;			/* by the administrator */
	bool spoofchk;
	bool trusted;
	u8 link_state;			/* IFLA_VF_LINK_STATE_* */
	u8 qos;
	u16 vlan;			/* 0: the VF has its own tags */
	u32 max_tx_rate;		/* Mbit/s, 0: as fast as it can */
};

struct vmq_vf {
	/* read for every frame */
	struct vmq_queue queue;		/* of its VPort; counts as long as it exists */
	u16 tci;			/* tag of all its frames, 0: none */
	bool spoofchk;
	u32 rate;			/* Mbit/s, 0: no limit */
	atomic64_t busy_until;		/* ns: what was sent would last until then */
	struct hrtimer timer;		/* lets it send again */

	/* rtnl */
	struct vmq_adapter *adapter;
	struct net_device *netdev;	/* NULL while no driver is bound */
	struct vmq_vf_config cfg;
	u16 id;

	struct device dev;
};

static inline struct vmq_vf *vmq_vf_of(const struct device *dev)
{
	return container_of(dev, struct vmq_vf, dev);
}

/* ---- bus.c ---- */

struct vmq_vf *vmq_vf_find(struct vmq_adapter *a, int id);

/* ---- vf.c ---- */

bool vmq_is_vf(const struct net_device *dev);
int vmq_vf_init(struct vmq_vf *vf, struct vmq_adapter *a, u16 id);
void vmq_vf_destroy(struct vmq_vf *vf);
int vmq_vf_probe(struct vmq_vf *vf);
void vmq_vf_remove(struct vmq_vf *vf, struct list_head *head);
bool vmq_vf_idle(struct vmq_vf *vf);
int vmq_vf_configure(struct vmq_vf *vf, const struct vmq_vf_config *cfg);
void vmq_vf_link(struct vmq_vf *vf);
bool vmq_vf_tx(struct vmq_vf *vf, struct sk_buff *skb);
void vmq_vfs_flood(struct vmq_adapter *a, struct sk_buff *skb,
		   const struct vmq_port *but);
bool vmq_vfs_have_mac(struct vmq_adapter *a, const u8 *mac);
void vmq_vfs_mtu(struct vmq_adapter *a, int mtu);

/* Takes off the tag that the administrator gave the VF. */
static inline void vmq_vf_rx(const struct vmq_vf *vf, struct sk_buff *skb)
{
	if (READ_ONCE(vf->tci))
		__vlan_hwaccel_clear_tag(skb);
}

/* ---- vf_admin.c ---- */

int vmq_vf_set_mac(struct net_device *dev, int id, u8 *mac);
int vmq_vf_set_vlan(struct net_device *dev, int id, u16 vlan, u8 qos,
		    __be16 proto);
int vmq_vf_set_rate(struct net_device *dev, int id, int min, int max);
int vmq_vf_set_spoofchk(struct net_device *dev, int id, bool on);
int vmq_vf_set_trust(struct net_device *dev, int id, bool on);
int vmq_vf_set_link_state(struct net_device *dev, int id, int state);
int vmq_vf_get_config(struct net_device *dev, int id,
		      struct ifla_vf_info *info);
int vmq_vf_get_stats(struct net_device *dev, int id,
		     struct ifla_vf_stats *stats);

#endif /* _VMQ_VF_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Virtual functions (VFs) of an adapter: devices on bus "vmq" whose driver makes
 * a netdev each.
 *
 *   bus.c          sriov_numvfs, the devices, binding and unbinding
 *   vf.c           the netdev
 *   vf_frame.c     what its frames meet
 *   vf_admin.c     ip link set ADAPTER vf N ...
 *   vf_path.c      the VF as the data path of a port
 *   vf_uplink*.c   a VF of the uplink as the data path of a port
 *   failover.c     which data path a port has
 *   filter_path.c  a port's filters, to the VF and back
 *
 * A VF's netdev holds a struct vmq_port as a port's does, so that a queue leads
 * to it in the same way; it has no extensions and no tap (S-26). It is on a list
 * of its own, adapter->vf_ports, as it is no port of the switch.
 */
#ifndef _VMQ_VF_H
#define _VMQ_VF_H

#include "vf_block.h"
#include "vport.h"

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

struct vmq_path_vf;
struct vmq_policy;

/* What failover needs of a VF. All are called with rtnl held. */
struct vmq_path_ops {
	bool uplink;			/* its frames come and go by the uplink */
	/* gives the VF the address of its user, the port */
	int (*allocate)(struct vmq_path_vf *pv, struct netlink_ext_ack *extack);
	/* could the guest use it now? */
	bool (*ready)(struct vmq_path_vf *pv);
	/* its @vport or @exposed changed: its queue runs, its link is up, or not */
	void (*update)(struct vmq_path_vf *pv);
	/* function level reset (S-11) */
	void (*reset)(struct vmq_path_vf *pv);
	/* the user has another address */
	void (*mac)(struct vmq_path_vf *pv);
	/* the user gets this policy, NULL for none: does the VF follow? */
	int (*policy)(struct vmq_path_vf *pv, const struct vmq_policy *p,
		      struct netlink_ext_ack *extack);
	/* it has no user any more */
	void (*release)(struct vmq_path_vf *pv);
};

/* A VF as the data path of a port. */
struct vmq_path_vf {
	struct vmq_queue queue;		/* of its VPort; counts as long as the VF */
	const struct vmq_path_ops *ops;

	/* rtnl */
	struct vmq_port *user;		/* port that it is allocated to, or NULL */
	u8 vport;			/* the user's, enum vmq_vport_state */
	bool exposed;			/* the guest sees its link */
	u16 id;
};

struct vmq_vf {
	/* read for every frame */
	struct vmq_path_vf path;
	u16 tci;			/* tag of all its frames, 0: none */
	bool spoofchk;
	u32 rate;			/* Mbit/s, 0: no limit */
	atomic64_t busy_until;		/* ns: what was sent would last until then */
	struct hrtimer timer;		/* lets it send again */
	s64 late;			/* ns: how late it did that */

	/* rtnl */
	struct vmq_adapter *adapter;
	struct net_device *netdev;	/* NULL while no driver is bound */
	struct vmq_vf_config cfg;
	bool parked;			/* freed by a port, so without a link */
	bool resetting;
	u32 serial;			/* never given to another (S-14) */
	struct vmq_vf_blocks blocks;
	bool up;			/* its netdev is, and not on its way down */

	struct device dev;
};

static inline struct vmq_vf *vmq_vf_of(const struct device *dev)
{
	return container_of(dev, struct vmq_vf, dev);
}

/* ---- bus.c ---- */

struct vmq_vf *vmq_vf_find(struct vmq_adapter *a, int id);

/* ---- vf.c ---- */

extern const struct vmq_path_ops vmq_vf_path_ops;

bool vmq_is_vf(const struct net_device *dev);
int vmq_vf_init(struct vmq_vf *vf, struct vmq_adapter *a, u16 id);
void vmq_vf_destroy(struct vmq_vf *vf);
int vmq_vf_probe(struct vmq_vf *vf);
void vmq_vf_remove(struct vmq_vf *vf, struct list_head *head);
bool vmq_vf_idle(struct vmq_vf *vf);
int vmq_vf_configure(struct vmq_vf *vf, const struct vmq_vf_config *cfg,
		     bool mac_given);
void vmq_vf_link(struct vmq_vf *vf);
int vmq_vf_set_filter(struct vmq_vf *vf, const u8 *mac, u16 tci);
void vmq_vf_clear_filter(struct vmq_vf *vf);
u16 vmq_vf_tci(const struct vmq_vf_config *cfg);
void vmq_vf_give_mac(struct vmq_vf *vf, const u8 *mac);
bool vmq_vfs_have_mac(struct vmq_adapter *a, const u8 *mac);
void vmq_vfs_mtu(struct vmq_adapter *a, int mtu);

/* ---- vf_path.c ---- */

int vmq_vf_unpark(struct vmq_vf *vf, const u8 *mac);
int vmq_vf_path_init(void);
void vmq_vf_path_exit(void);
int vmq_vf_flr(struct vmq_vf *vf, struct netlink_ext_ack *extack);

/* ---- vf_frame.c ---- */

netdev_tx_t vmq_vf_start_xmit(struct sk_buff *skb, struct net_device *dev);
enum hrtimer_restart vmq_vf_timer(struct hrtimer *timer);
bool vmq_vf_tx(struct vmq_vf *vf, struct sk_buff *skb);
void vmq_vfs_flood(struct vmq_adapter *a, struct sk_buff *skb,
		   const struct vmq_port *but);

/* Takes off the tag that the administrator gave the VF. */
static inline void vmq_vf_rx(const struct vmq_vf *vf, struct sk_buff *skb)
{
	if (READ_ONCE(vf->tci))
		__vlan_hwaccel_clear_tag(skb);
}

/* ---- vf_admin.c ---- */

void vmq_adapter_pool(const struct vmq_adapter *a, struct vmq_pool *pool);
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

/* ---- vf_uplink.c, vf_uplink_watch.c ---- */

struct vmq_path_vf *vmq_uplink_vf_find(struct vmq_adapter *a, u32 id);
void vmq_uplink_vfs_attach(struct vmq_adapter *a);
void vmq_uplink_vfs_detach(struct vmq_adapter *a);
void vmq_uplink_vfs_event(struct vmq_adapter *a, struct net_device *uplink,
			  unsigned long event);
int vmq_uplink_vfs_init(void);
void vmq_uplink_vfs_exit(void);

/* ---- filter_path.c ---- */

void vmq_filters_to_path(struct vmq_port *port, struct vmq_path_vf *pv);
void vmq_filters_to_port(struct vmq_port *port, struct vmq_path_vf *pv);
void vmq_filter_follow(struct vmq_filter *f);
bool vmq_filter_away(const struct vmq_queue *home);

/* ---- failover.c ---- */

/* What port-set asks for. */
struct vmq_path_request {
	u8 policy;
	bool uplink;
	u32 want;			/* VF, or VMQ_PATH_ANY_VF */

	struct vmq_path_vf *vf;		/* by vmq_path_prepare() */
	bool fresh;			/* it was allocated for the request */
};

struct vmq_path_vf *vmq_path_vf_find(struct vmq_adapter *a, bool uplink,
				     u32 id);
int vmq_path_uplink_check(struct vmq_adapter *a,
			  struct netlink_ext_ack *extack);
int vmq_path_prepare(struct vmq_port *port, struct vmq_path_request *req,
		     struct netlink_ext_ack *extack);
void vmq_path_apply(struct vmq_port *port, struct vmq_path_request *req);
void vmq_path_drop(struct vmq_path_request *req);
void vmq_path_kick(struct vmq_adapter *a);
void vmq_path_check(struct vmq_path_vf *pv);
void vmq_path_fall_back(struct vmq_port *port);
void vmq_path_resume(struct vmq_port *port);
void vmq_path_later(struct vmq_port *port);
void vmq_path_init(struct vmq_port *port);
void vmq_path_destroy(struct vmq_port *port);
void vmq_path_lose(struct vmq_path_vf *pv);
void vmq_path_give_up(struct vmq_port *port);
void vmq_path_mac(struct vmq_port *port);
int vmq_path_follows(bool uplink, const struct vmq_policy *p,
		     struct netlink_ext_ack *extack);
bool vmq_path_wants_uplink(const struct vmq_port *port);
int vmq_path_policy(struct vmq_port *port, const struct vmq_policy *p,
		    struct netlink_ext_ack *extack);

#endif /* _VMQ_VF_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private to the module. Data flows one way and back:
 *
 *   uplink.c -> rx.c -> classify.c (rule.c) -> queue.c -> port.c, port_tap.c, vf.c
 *   rx.c asks mcast.c which guests a multicast frame is for
 *   with many ports, a frame waits in rx_near.c for its cache lines
 *   rx.c -> queue_fifo.c -> queue_napi.c -> rx.c, where a queue has CPUs of its
 *   own or a frame can't be delivered in place
 *   port.c, vf.c -> tx.c -> another port, or the uplink
 *
 * Locks, outermost first: rtnl -> session mutex (state.c) -> adapter->lock.
 * Configuration holds rtnl; adapter->lock protects queues and filters on top of
 * it; the data path is RCU only.
 */
#ifndef _VMQ_PRIV_H
#define _VMQ_PRIV_H

#include <linux/device.h>
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/hash.h>
#include <linux/hrtimer.h>
#include <linux/if_link.h>
#include <linux/if_tap.h>
#include <linux/if_vlan.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/seqlock.h>
#include <linux/u64_stats_sync.h>
#include <linux/xarray.h>
#include <net/vmq.h>

#include "announce.h"
#include "compat.h"
#include "gate.h"
#include "mcast.h"
#include "port_stray.h"
#include "rss.h"
#include "queue_fifo.h"
#include "rule.h"
#include "vport.h"

#define VMQ_VERSION		"0.1.0"
#define VMQ_VERSION_CODE	0x000100
#define VMQ_DEFAULT_QUEUES	64
#define VMQ_MAX_QUEUES		4096
#define VMQ_MAX_FILTERS		16384
#define VMQ_NAME_MAX		64	/* of a queue or VM, with the final NUL */
#define VMQ_DEFAULT_RING	1024	/* frames that wait in a queue's FIFO */
#define VMQ_MAX_RING		16384
#define VMQ_MAX_LOOKAHEAD	256	/* bytes */
#define VMQ_MAX_USECS		1000000

struct genl_info;
struct net;
struct sock;
struct netlink_callback;
struct vmq_adapter;
struct vmq_ext_user;
struct vmq_near;
struct vmq_owner;
struct vmq_policy;
struct vmq_port;
struct vmq_queue_napi;
struct vmq_session;
struct vmq_path_vf;
struct vmq_stack;
struct vmq_vf;

#include "stats.h"
#include "queue.h"

/* ---- owner.c: netlink sockets that own queues and filters ---- */

/* Made with its first queue or filter, gone with the last. */
struct vmq_owner {
	struct list_head node;		/* in vmq_owners: rtnl, RCU */
	struct list_head queues;	/* struct vmq_queue, rtnl */
	struct list_head exts;		/* struct vmq_ext_user, rtnl */
	struct sock *sk;		/* held, to tell it from one after it */
	u32 portid;
	u32 users;			/* rtnl: queues, filters, extensions, requests */
	struct rcu_head rcu;
};

struct vmq_owner *vmq_owner_find(const struct sock *sk);
struct vmq_owner *vmq_owner_get(struct sock *sk, u32 portid);
void vmq_owner_put(struct vmq_owner *owner);
int vmq_owner_init(void);
void vmq_owner_exit(void);

/* ---- filter.c: the adapter's table of filters, their ids ---- */

/* Who set a filter; the administrator is the first two. */
enum vmq_filter_owner {
	VMQ_OWNER_ETHTOOL,
	VMQ_OWNER_ADAPTER,		/* over netlink, and kept */
	VMQ_OWNER_PORT,
	VMQ_OWNER_SOCKET,
};

struct vmq_filter {
	struct vmq_rule *rule;		/* in adapter->rules */
	struct vmq_queue *queue;	/* NULL: drop */
	struct vmq_vf *vf;		/* whose VPort the queue is, or NULL */
	struct vmq_path_vf *path;	/* the same where its port is on a VF */
	struct vmq_queue *home;		/* the queue that it came from then */
	void *home_target;
	struct vmq_port *port;		/* owner where it is a port, else NULL */
	struct vmq_owner *sock;		/* owner where it is a socket, else NULL */
	u8 owner;			/* enum vmq_filter_owner */
	bool synced;			/* the uplink knows its MAC and VLAN id */
	u32 context;			/* RSS context, where fs has FLOW_RSS */
	u32 add;			/* to the queue that its table says */
	u8 rung;			/* enum vmq_filter_rung, as last told */
	int hw_err;			/* why the uplink's table has it not */
	u32 hw_generation;		/* when that was */
	struct ethtool_rx_flow_spec *hw; /* as the uplink's table shows it */
	struct list_head node;		/* in queue->rules */
	struct ethtool_rx_flow_spec fs;	/* for ethtool -n, exactly as it was set */
};

#define VMQ_LOC_ANY	(~0U)		/* the lowest free location */
#define VMQ_LOC_LAST	(~0U - 1)	/* the highest free location */

/* What vmq_filter_set() is asked for. */
struct vmq_filter_spec {
	struct vmq_key key;
	struct vmq_key mask;
	struct ethtool_rx_flow_spec fs;
	u32 location;			/* or VMQ_LOC_ANY, VMQ_LOC_LAST */
	u32 queue;
	struct vmq_vf *vf;		/* its VPort, instead of a queue */
	bool drop;
	bool rss;			/* an RSS context, not one queue */
	u32 context;			/* which, 0 is the adapter's own table */
	u32 add;			/* to the queue that its table says */
	u8 owner;
	struct vmq_port *port;
	struct vmq_owner *sock;
};

static inline u32 vmq_filter_id(u32 location)
{
	return location + 1;
}

/* Does it lead to this queue, not to a VPort or over an RSS context? */
static inline bool vmq_filter_is_on(const struct vmq_filter *f, u32 queue)
{
	return f->queue && !f->vf && !(f->fs.flow_type & FLOW_RSS) &&
	       f->queue->id == queue;
}

int vmq_filter_set(struct vmq_adapter *a, struct vmq_filter_spec *spec,
		   struct netlink_ext_ack *extack);
int vmq_filter_clear(struct vmq_adapter *a, u32 location, u8 owner,
		     const void *party);
int vmq_filter_clear_nowait(struct vmq_adapter *a, u32 location, u8 owner,
			    const void *party);
bool vmq_filter_is_of(const struct vmq_filter *f, u8 owner, const void *party);
void vmq_filter_remove(struct vmq_adapter *a, struct vmq_filter *f,
		       struct list_head *gone);
void vmq_filter_give_back(struct list_head *gone);
int vmq_filters_init(struct vmq_adapter *a);
void vmq_filters_destroy(struct vmq_adapter *a);
int vmq_filter_count(struct vmq_queue *q);
void vmq_filter_uncount(struct vmq_queue *q, struct list_head *gone);
bool vmq_filter_is_mac(const struct vmq_key *mask);
void vmq_filter_vlans_add(const struct vmq_filter *f);
void vmq_filter_vlans_del(const struct vmq_filter *gone);
struct vmq_queue *vmq_port_nth_queue(struct vmq_port *port, u32 i);
void vmq_filter_port_vlans(struct vmq_port *port);
void vmq_filter_vlans_refresh(struct vmq_port *port);
void vmq_filter_mac_spec(struct vmq_filter_spec *spec, const u8 *mac, u16 vid);

/* ---- filter_flush.c: filters that go together ---- */

void vmq_filter_flush(struct vmq_adapter *a, u8 owner, const void *party);
void vmq_filter_flush_queue(struct vmq_queue *q);
void vmq_filter_flush_port(struct vmq_port *port);
void vmq_filter_flush_all(struct vmq_adapter *a);

/* ---- uplink_addr.c: the addresses and VLAN ids that the uplink lets in ---- */

int vmq_filter_sync(struct vmq_filter *f, struct net_device *uplink);
void vmq_filter_unsync(struct vmq_filter *f, struct net_device *uplink);
int vmq_filters_sync_uplink(struct vmq_adapter *a, struct net_device *uplink);
void vmq_filters_unsync_uplink(struct vmq_adapter *a,
			       struct net_device *uplink);
bool vmq_uplink_filters(struct net_device *uplink, bool multicast);
bool vmq_filter_has_addr(const struct vmq_filter *f);

/* ---- uplink_fit.c: which filters the uplink's table is offered, and as what ---- */

const char *vmq_offload_unfit(const struct vmq_filter *f);
void vmq_offload_spec(const struct vmq_filter *f,
		      struct ethtool_rx_flow_spec *fs, u32 ring);

/* ---- uplink_offload.c: what the uplink's own table does for the filters ---- */

#define VMQ_RUNG_REASON	128		/* bytes of a reason */

int vmq_offload_init(struct vmq_adapter *a);
void vmq_offload_destroy(struct vmq_adapter *a);
void vmq_offload_attach(struct vmq_adapter *a);
void vmq_offload_detach(struct vmq_adapter *a, struct net_device *uplink);
void vmq_offload_set(struct vmq_adapter *a, struct vmq_filter *f,
		     struct vmq_filter *old);
void vmq_offload_clear(struct vmq_adapter *a, struct vmq_filter *f);
void vmq_offload_check(struct vmq_adapter *a);
u32 vmq_offload_rules(const struct vmq_adapter *a);
enum vmq_filter_rung vmq_filter_rung(const struct vmq_adapter *a,
				     const struct vmq_filter *f);
void vmq_filter_rung_reason(const struct vmq_adapter *a,
			    const struct vmq_filter *f, char *text);
int vmq_offload_wq_init(void);
void vmq_offload_wq_exit(void);

/* ---- filter_client.c: filters as netlink clients set, move and clear them ---- */

int vmq_filter_client_spec(struct vmq_filter_spec *spec, const u8 *mac,
			   bool has_vid, u16 vid, bool untagged,
			   struct netlink_ext_ack *extack);
int vmq_filter_client_set(struct vmq_adapter *a, struct vmq_filter_spec *spec,
			  struct vmq_owner *sock, bool keep,
			  struct netlink_ext_ack *extack);
int vmq_filter_client_move(struct vmq_adapter *a, u32 id, u32 queue,
			   const struct vmq_owner *sock,
			   struct netlink_ext_ack *extack);
int vmq_filter_client_clear(struct vmq_adapter *a, u32 id,
			    const struct vmq_owner *sock,
			    struct netlink_ext_ack *extack);

/* ---- adapter.c ---- */

struct vmq_adapter {
	/* read for every frame */
	struct net_device *dev;
	struct net_device __rcu *uplink;
	struct vmq_rules rules;
	struct vmq_queue __rcu **queue;	/* [max_queues], filled on first use */
	struct vmq_pcpu_stats __percpu *filter_drops; /* frames without a queue */
	struct list_head ports;		/* changed under rtnl, RCU */
	struct list_head vf_ports;	/* netdevs of VFs; the same */
	struct list_head uplink_vfs;	/* that ports use or used; rtnl */
	u32 n_promisc;			/* ports in promiscuous mode */
	struct vmq_rss __rcu *rss;	/* NULL: all to the default queue */
	bool private;			/* the host takes no part */
	struct vmq_mcast mcast;		/* groups of its guests */
	struct vmq_near __percpu *near;	/* frames in hand */
	bool near_fits;			/* those of its uplink may be */

	/* rtnl and lock */
	struct mutex lock;		/* protects queues and filters */
	u32 max_queues;
	unsigned long *queues_used;	/* bitmap of ids, so that a free one is near */
	struct xarray filters;		/* location -> struct vmq_filter */
	unsigned long *free_locations;	/* bitmap, as above */
	struct vmq_offload *offload;	/* uplink_offload.c */
	u32 n_filters;
	u32 n_vm_queues;

	/* rtnl */
	u32 n_ports;
	u32 next_port_id;
	u32 told_caps;			/* listeners know of these */
	bool registered;		/* not being made or on its way out */
	unsigned long serial;		/* from 1, in the order of vmq_adapters */
	u16 n_vfs;
	struct vmq_vf **vfs;		/* [n_vfs] */
	bool mtu_set;			/* by hand, so not the uplink's */
	bool opened_uplink;		/* it was down when it was attached */
	bool uplink_event;		/* it tells of one, with its own lock held */
	u32 uplink_downs;		/* how often its link was seen to go */
	bool uplink_promisc;		/* what it was asked for */
	bool uplink_allmulti;
	u8 uplink_mac[ETH_ALEN];	/* own address that it lets in, or 0 */
	netdevice_tracker uplink_tracker;
	struct vmq_spread spread;	/* of frames that no filter claims */
	struct vmq_queue soft;		/* its target: RSS context 0 */
	struct list_head rss_ctxs;	/* struct vmq_rss_ctx */
	struct list_head exts;		/* struct vmq_ext_inst, ingress order */
	struct list_head node;		/* in vmq_adapters */
	struct vmq_bus_dev *bus_dev;
	struct vmq_pool_use vports;	/* VPorts and queue pairs in use */
	u32 ring;			/* frames that wait in the FIFO of a queue */
	struct vmq_moder moder;		/* of queues that get CPUs of their own */
};

extern struct list_head vmq_adapters;	/* rtnl */
extern struct rtnl_link_ops vmq_adapter_link_ops;

bool vmq_is_adapter(const struct net_device *dev);
bool vmq_adapter_gave_mac(struct vmq_adapter *a, const u8 *mac);
int vmq_adapter_set_private(struct vmq_adapter *a, bool on,
			    struct netlink_ext_ack *extack);

static inline struct vmq_adapter *vmq_adapter_priv(const struct net_device *dev)
{
	return netdev_priv(dev);
}

/* ---- rss.c, rss_follow.c, rss_ctx.c, rss_offset.c, rss_port.c; more in rss.h ---- */

/* An RSS context (VMMQ): a further table, which filters name. */
struct vmq_rss_ctx {
	struct vmq_spread spread;
	struct vmq_queue soft;		/* its port: whose queues they are */
	u32 id;
	struct ethtool_rxfh_context *core;
	struct list_head node;		/* in adapter->rss_ctxs */
};

/* What a table, its key, its fields shall be; NULL: as they are. */
struct vmq_rss_change {
	const u32 *table;
	const u8 *key;
	const u8 *fields;		/* [VMQ_RSS_TYPES] */
};

struct vmq_queue *vmq_rss_pick(const struct vmq_rss *rss, struct sk_buff *skb);
int vmq_rss_change(struct vmq_adapter *a, struct vmq_spread *s,
		   const struct vmq_rss_change *change,
		   struct netlink_ext_ack *extack);
void vmq_rss_get(struct vmq_adapter *a, const struct vmq_spread *s,
		 u32 *table, struct vmq_rss_hash *hash);
u32 vmq_rss_size(struct vmq_adapter *a, const struct vmq_spread *s);
int vmq_rss_resize(struct vmq_adapter *a, u32 count);
void vmq_rss_unclaim(struct vmq_adapter *a);
bool vmq_rss_yields(const struct vmq_queue *q);
u32 vmq_rss_claimable(struct vmq_adapter *a, u32 limit);
int vmq_rss_yield(struct vmq_queue *q);
struct vmq_rss_ctx *vmq_rss_ctx_find(struct vmq_adapter *a, u32 id);
bool vmq_rss_is_named(const struct vmq_spread *s);
struct vmq_queue *vmq_rss_target(struct vmq_adapter *a, u32 id);
struct vmq_queue *vmq_rss_offset_get(struct vmq_adapter *a, u32 id, u32 add,
				     struct netlink_ext_ack *extack);
void vmq_rss_offset_put(struct vmq_queue *q, struct list_head *gone);
void vmq_rss_offset_free(struct vmq_queue *q);
struct vmq_rss_ctx *vmq_rss_ctx_new(struct vmq_adapter *a, u32 id,
				    struct ethtool_rxfh_context *core,
				    const struct vmq_rss_change *change,
				    struct netlink_ext_ack *extack);
void vmq_rss_ctx_del(struct vmq_adapter *a, struct vmq_rss_ctx *ctx);
void vmq_rss_ctx_flush(struct vmq_port *port);
struct vmq_queue *vmq_rss_port_target(struct vmq_port *port, u32 n);
void vmq_rss_freeze(struct vmq_adapter *a);
bool vmq_rss_names(const struct vmq_queue *soft, const struct vmq_port *port,
		   u32 first);
int vmq_rss_port_init(struct vmq_port *port);
bool vmq_rss_port_follows(const struct vmq_port *port);
int vmq_rss_port_build(struct vmq_port *port, u32 count);
void vmq_rss_port_publish(struct vmq_port *port);
void vmq_rss_port_unbuild(struct vmq_port *port);
void vmq_rss_port_destroy(struct vmq_port *port);
int vmq_rss_init(struct vmq_adapter *a);
void vmq_rss_destroy(struct vmq_adapter *a);

/*
 * The queue itself, or the one of several that it stands for. Context: RCU read
 * side, BH off; data at the network header.
 */
static inline struct vmq_queue *vmq_rss_queue(struct vmq_queue *q,
					      struct sk_buff *skb)
{
	const struct vmq_rss *rss = rcu_dereference(q->rss);

	return likely(!rss) ? q : vmq_rss_pick(rss, skb);
}

/* The queue of a frame that no filter claims. Context: as above. */
static inline struct vmq_queue *vmq_rss_default(const struct vmq_adapter *a,
						struct sk_buff *skb)
{
	const struct vmq_rss *rss = rcu_dereference(a->rss);

	return likely(!rss) ? rcu_dereference(a->queue[0]) :
			      vmq_rss_pick(rss, skb);
}

/* ---- uplink.c ---- */

int vmq_uplink_attach(struct vmq_adapter *a, struct net_device *uplink,
		      struct netlink_ext_ack *extack);
void vmq_uplink_detach(struct vmq_adapter *a);
void vmq_uplink_rx_flags(struct vmq_adapter *a);
void vmq_uplink_mac(struct vmq_adapter *a);
void vmq_uplink_carrier(struct vmq_adapter *a, struct net_device *dev);
int vmq_uplink_init(void);
void vmq_uplink_exit(void);

/* ---- classify.c, rx.c, tx.c: the data path ---- */

/* Target of a filter that drops. */
extern struct vmq_queue vmq_drop_queue;

void vmq_classify_init(void);
void vmq_key_from_skb(const struct sk_buff *skb, struct vmq_key *key, bool ip);
struct vmq_queue *vmq_classify(const struct vmq_adapter *a,
			       const struct sk_buff *skb);
struct vmq_queue *vmq_classify_mac(const struct vmq_adapter *a,
				   const struct sk_buff *skb);
rx_handler_result_t vmq_rx(struct sk_buff **pskb);
void vmq_rx_late(struct vmq_adapter *a, struct sk_buff *skb);
struct net_device *vmq_queue_rx(struct vmq_queue *q, struct sk_buff *skb,
				bool flood);
void vmq_queue_receive(struct vmq_queue *q, struct sk_buff *skb, bool flood);
bool vmq_queue_consume(struct vmq_queue *q, struct vmq_queue_napi *n,
		       unsigned int budget, int *done);
void vmq_queue_kicked(struct vmq_queue *q);
void vmq_flood(struct vmq_adapter *a, struct sk_buff *skb,
	       struct vmq_port *but, bool in_place);
netdev_tx_t vmq_tx(struct vmq_adapter *a, struct vmq_port *from,
		   struct sk_buff *skb);
struct sk_buff *vmq_tx_normalize(struct sk_buff *skb);
int vmq_tx_trusted(struct vmq_port *port, struct sk_buff *skb);
int vmq_xmit(struct net_device *dev, struct sk_buff *skb);
void vmq_tx_announcement(struct vmq_port *from, struct sk_buff *skb);
void vmq_tx_resume(struct vmq_port *from, struct sk_buff *skb,
		   enum vmq_verdict verdict);

/* VLAN id of a frame, 0 for none and for a priority tag. */
static inline u16 vmq_skb_vid(const struct sk_buff *skb)
{
	return skb_vlan_tag_present(skb) ? skb_vlan_tag_get_id(skb) : 0;
}

/* A tag that is not 802.1Q: no filter knows it, and it is not untagged either. */
static inline bool vmq_skb_foreign_tag(const struct sk_buff *skb)
{
	return skb_vlan_tag_present(skb) &&
	       skb->vlan_proto != htons(ETH_P_8021Q);
}

/* ---- port.c ---- */

/* What became of the last save or restore of a port. */
struct vmq_report {
	u32 records;
	u32 unclaimed;
	u64 bytes;
	u64 usecs;
	u64 save_usecs;		/* of the last save that went well */
	u64 restore_usecs;	/* of the last restore that went well */
	char error[80];			/* empty where it went well */
};

#define VMQ_PATH_ANY_VF		(~0U)

/* The data path of a port; see failover.c. */
struct vmq_path {
	struct vmq_path_vf *vf;		/* allocated for it, or NULL */
	bool active;			/* its filters lead there; adapter->lock too */
	bool uplink;			/* it wants one of the uplink's VFs */
	u32 vf_id;			/* of @vf; VMQ_PATH_ANY_VF: none */
	u8 policy;			/* enum vmq_port_path_policy */
	u32 want;			/* VF, or VMQ_PATH_ANY_VF */
	u32 changes;			/* to a VF, and back */
	struct vmq_path_vf *fresh;	/* allocated by a request, which may fail */
	struct delayed_work again;	/* see vmq_path_later() */
};

#define VMQ_GROUPS_SHIFT	8
#define VMQ_GROUPS		BIT(VMQ_GROUPS_SHIFT)

struct vmq_port {
	/* read for every frame; up to @node, it is one cache line */
	struct net_device *dev;
	struct vmq_policy __rcu *policy; /* policy.h, NULL where there is none */
	struct vmq_pcpu_stats __percpu **stats; /* [num_rx_queues] of dev; */
					/* its queues have the rest of its counters */
	unsigned long *vlans;		/* ids whose floods it takes, 0 = untagged */
	struct vmq_queue **queue;	/* [n_queues] */
	u32 n_queues;			/* 0: works from the default queue */
	bool claimed;			/* its tap was opened once */
	bool deleted;			/* it is on its way out */
	struct list_head node;		/* in adapter->ports, RCU */
	struct vmq_stack __rcu *stack;	/* extensions, NULL while there are none */
	const void *near_ep;		/* of the last of them, for prefetching alone, */
	const void *near_priv;		/* so they may be stale */
	struct vmq_adapter *adapter;
	struct vmq_vf *vf;		/* whose netdev this is; NULL: a port */
	DECLARE_BITMAP(groups, VMQ_GROUPS); /* whose multicast frames it has, by hash */
	struct vmq_mcast_port mcast;	/* and where it is a guest's */
	struct vmq_queue soft;		/* for the default queue, or for all of them */
	struct vmq_spread spread;	/* over them */
	seqlock_t stats_lock;		/* see vmq_stats_disown() */
	struct list_head dead;		/* waits with others for a grace period */
	struct vmq_gate gate;
	struct net_device __rcu *redirect; /* of frames that the gate keeps out */
	struct vmq_announce announce;
	struct vmq_stray stray;		/* frames that QEMU read for nothing */

	/* rtnl */
	u32 id;
	u32 mac_location;		/* of the filter for its own MAC */
	struct vmq_path path;
	u8 vport;			/* of its queues, enum vmq_vport_state */
	bool promisc;			/* counted in adapter->n_promisc */
	uuid_t uuid;
	struct vmq_stack *dead_stack;	/* while it is on its way out */
	struct vmq_session *session;	/* the save or restore that runs */
	u8 migration;			/* enum vmq_migration_state */
	struct vmq_report report;	/* read it with vmq_port_report() */
	struct vmq_stats base;		/* counted on the hosts it came from */
	bool gate_used;			/* counted in vmq_gate_key */
	netdevice_tracker redirect_tracker;

	/* port_tap.c */
	struct tap_dev tap;
	int tap_ifindex;		/* in the name of its node, 0: none */
};

#define VMQ_PORT_FEATURES	(NETIF_F_SG | NETIF_F_HW_CSUM | \
				 NETIF_F_HIGHDMA | NETIF_F_FRAGLIST | \
				 NETIF_F_GSO_SOFTWARE | \
				 NETIF_F_HW_VLAN_CTAG_TX)

extern struct rtnl_link_ops vmq_port_link_ops;

bool vmq_is_port(const struct net_device *dev);

static inline struct vmq_port *vmq_port_priv(const struct net_device *dev)
{
	return netdev_priv(dev);
}

/* Place of a multicast address in vmq_port.groups. */
static inline unsigned int vmq_group(const u8 *addr)
{
	return hash_64(ether_addr_to_u64(addr), VMQ_GROUPS_SHIFT);
}

/* Its first queue, or what stands for the default queue. */
static inline struct vmq_queue *vmq_port_queue(struct vmq_port *port)
{
	return READ_ONCE(port->n_queues) ? port->queue[0] : &port->soft;
}

/* The queue with this index, if it has one. Context: RCU read side. */
static inline struct vmq_queue *vmq_port_queue_at(struct vmq_port *port,
						  u32 index)
{
	/* pairs with vmq_port_resize(): the queue is there before the number */
	return index < smp_load_acquire(&port->n_queues) ?
	       port->queue[index] : vmq_port_queue(port);
}

/* ---- port_queue.c: the queues of a port, more and fewer ---- */

u32 vmq_port_tx_queues(const struct vmq_port *port);
int vmq_port_take_queues(struct vmq_port *port, struct netlink_ext_ack *extack);
void vmq_port_complete_queues(struct vmq_port *port, u32 first);
void vmq_port_stop_queues(struct vmq_port *port, u32 first);
void vmq_port_give_back_queues(struct vmq_port *port, u32 first);
int vmq_port_resize(struct vmq_port *port, u32 count);

int vmq_port_set_mac(struct vmq_port *port, const u8 *mac,
		     struct netlink_ext_ack *extack);
void vmq_port_set_rx_mode(struct net_device *dev);
void vmq_port_promisc(struct vmq_port *port, bool on);
void vmq_port_say(struct vmq_port *port);
int vmq_port_init(void);
void vmq_port_exit(void);
void vmq_port_dellink(struct net_device *dev, struct list_head *head);
void vmq_ports_dellink(struct vmq_adapter *a, struct list_head *head);

/* ---- port_tap.c: the character device of a port, over tap.ko ---- */

int vmq_tap_init(void);
void vmq_tap_exit(void);
void vmq_tap_attach(struct vmq_port *port);
void vmq_tap_detach(struct vmq_port *port);
int vmq_tap_make_node(struct vmq_port *port);
void vmq_tap_remove_node(struct vmq_port *port);
void vmq_tap_rx_any(struct sk_buff *skb);
void vmq_tap_full(struct vmq_port *port, struct sk_buff *skb);
bool vmq_tap_has_room(struct vmq_port *port);
u32 vmq_tap_take(struct vmq_port *port, struct sk_buff_head *list);
struct vmq_port *vmq_tap_port(u32 minor);

/* ---- ethtool.c, ethtool_nfc.c, ethtool_rss.c, stats.c ---- */

extern const struct ethtool_ops vmq_adapter_ethtool_ops;
extern const struct ethtool_ops vmq_port_ethtool_ops;
extern const struct ethtool_ops vmq_vf_ethtool_ops;
extern const struct netdev_stat_ops vmq_adapter_stat_ops;
extern const struct netdev_stat_ops vmq_port_stat_ops;

u32 vmq_rxfh_key_size(struct net_device *dev);
u32 vmq_rxfh_indir_size(struct net_device *dev);
int vmq_rxfh_get(struct net_device *dev, struct ethtool_rxfh_param *rxfh);
int vmq_rxfh_set(struct net_device *dev, struct ethtool_rxfh_param *rxfh,
		 struct netlink_ext_ack *extack);
int vmq_rxfh_create(struct net_device *dev, struct ethtool_rxfh_context *core,
		    const struct ethtool_rxfh_param *rxfh,
		    struct netlink_ext_ack *extack);
int vmq_rxfh_modify(struct net_device *dev, struct ethtool_rxfh_context *core,
		    const struct ethtool_rxfh_param *rxfh,
		    struct netlink_ext_ack *extack);
int vmq_rxfh_remove(struct net_device *dev, struct ethtool_rxfh_context *core,
		    u32 id, struct netlink_ext_ack *extack);
int vmq_rxfh_fields_get(struct net_device *dev,
			struct ethtool_rxfh_fields *fields);
int vmq_rxfh_fields_set(struct net_device *dev,
			const struct ethtool_rxfh_fields *fields,
			struct netlink_ext_ack *extack);
int vmq_rxfh_nfc_get(struct net_device *dev, struct ethtool_rxnfc *info);
int vmq_rxfh_nfc_set(struct net_device *dev, const struct ethtool_rxnfc *info);

int vmq_nfc_get(struct net_device *dev, struct ethtool_rxnfc *info,
		u32 *locations);
int vmq_nfc_set(struct net_device *dev, struct ethtool_rxnfc *info);
u32 vmq_nfc_rings(struct net_device *dev);
int vmq_nfc_parse_match(struct vmq_filter_spec *spec,
			const struct ethtool_rx_flow_spec *fs);

/* ---- ethtool_ring.c ---- */

void vmq_get_ringparam(struct net_device *dev, struct ethtool_ringparam *ring,
		       struct kernel_ethtool_ringparam *kring,
		       struct netlink_ext_ack *extack);
int vmq_set_ringparam(struct net_device *dev, struct ethtool_ringparam *ring,
		      struct kernel_ethtool_ringparam *kring,
		      struct netlink_ext_ack *extack);
int vmq_get_coalesce(struct net_device *dev, struct ethtool_coalesce *coal,
		     struct kernel_ethtool_coalesce *kcoal,
		     struct netlink_ext_ack *extack);
int vmq_set_coalesce(struct net_device *dev, struct ethtool_coalesce *coal,
		     struct kernel_ethtool_coalesce *kcoal,
		     struct netlink_ext_ack *extack);
int vmq_get_per_queue_coalesce(struct net_device *dev, u32 queue,
			       struct ethtool_coalesce *coal);
int vmq_set_per_queue_coalesce(struct net_device *dev, u32 queue,
			       struct ethtool_coalesce *coal);

/* ---- bus.c ---- */

int vmq_bus_init(void);
void vmq_bus_exit(void);
int vmq_bus_add(struct vmq_adapter *a);
void vmq_bus_del(struct vmq_adapter *a);
const char *vmq_bus_name(const struct vmq_adapter *a);

/* ---- state.c: save and restore of a port; the rest is in state.h ---- */

int vmq_session_begin(struct vmq_port *port, bool restore, struct file **filp,
		      struct netlink_ext_ack *extack);
int vmq_session_abort(struct vmq_port *port, struct netlink_ext_ack *extack);
void vmq_session_kill(struct vmq_port *port);
bool vmq_session_runs(struct vmq_port *port);
void vmq_session_leave(struct vmq_port *port, const struct vmq_ext_ops *ops);
void vmq_port_report(struct vmq_port *port, struct vmq_report *out);

/* ---- netlink.c ---- */

int vmq_ntf_init(void);
void vmq_ntf_exit(void);
u32 vmq_adapter_caps(const struct vmq_adapter *a);
void vmq_notify_queue(struct vmq_queue *q);
void vmq_notify_filter(struct vmq_adapter *a, const struct vmq_filter *f,
		       const char *event);
void vmq_notify_port(struct vmq_port *port);
void vmq_notify_step(struct vmq_port *port, u32 step);
void vmq_notify_unclaimed(struct vmq_port *port, const uuid_t *ext,
			  const uuid_t *class, u32 length);

#include "ext.h"
#include "vf.h"

#endif /* _VMQ_PRIV_H */

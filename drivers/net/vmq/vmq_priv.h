/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private to the module. Data flows one way and back:
 *
 *   uplink.c -> rx.c -> classify.c (rule.c) -> queue.c -> port.c, port_tap.c, vf.c
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
#include <linux/ethtool.h>
#include <linux/hrtimer.h>
#include <linux/if_link.h>
#include <linux/if_tap.h>
#include <linux/if_vlan.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/u64_stats_sync.h>
#include <linux/xarray.h>
#include <net/vmq.h>

#include "announce.h"
#include "compat.h"
#include "gate.h"
#include "rss.h"
#include "queue_fifo.h"
#include "rule.h"

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
struct vmq_owner;
struct vmq_port;
struct vmq_queue_napi;
struct vmq_session;
struct vmq_path_vf;
struct vmq_stack;
struct vmq_vf;

/* ---- queue.c: queues, their states and their counters ---- */

enum vmq_queue_event {
	VMQ_QEV_ALLOCATE,
	VMQ_QEV_QUERY,
	VMQ_QEV_CHANGE,
	VMQ_QEV_SET_FILTER,
	VMQ_QEV_CLEAR_FILTER,
	VMQ_QEV_CLEAR_LAST_FILTER,
	VMQ_QEV_LIST_FILTERS,
	VMQ_QEV_QUERY_FILTER,
	VMQ_QEV_COMPLETE,
	VMQ_QEV_DELIVER,
	VMQ_QEV_FREE,
	VMQ_QEV_DMA_STOPPED,
	VMQ_QEV_GIVE_BACK,
	VMQ_QEV_GIVE_BACK_LAST,
	VMQ_QEV_COUNT
};

#define VMQ_QUEUE_STATES	(VMQ_QUEUE_STATE_FREEING + 1)

/* Why a frame that matched a queue was not delivered. */
enum vmq_drop {
	VMQ_DROP_STATE,		/* the queue is not running */
	VMQ_DROP_DOWN,		/* the device behind it is down */
	VMQ_DROP_READER,	/* the guest has its tap closed */
	VMQ_DROP_FULL,		/* the guest does not read fast enough */
	VMQ_DROP_EXT,		/* an extension said so */
	VMQ_DROP_NOMEM,
	VMQ_DROP_FILTER,	/* a filter said so (ethtool action -1) */
	VMQ_DROPS
};

struct vmq_pcpu_stats {
	u64_stats_t rx_packets;
	u64_stats_t rx_bytes;
	u64_stats_t tx_packets;
	u64_stats_t tx_bytes;
	u64_stats_t drops[VMQ_DROPS];
	u64_stats_t tx_drops;
	u64_stats_t tx_ext_drops;	/* in tx_drops too */
	u64_stats_t multicast;
	struct u64_stats_sync syncp;
};

/* Sum of struct vmq_pcpu_stats over all CPUs. */
struct vmq_stats {
	u64 rx_packets;
	u64 rx_bytes;
	u64 tx_packets;
	u64 tx_bytes;
	u64 drops[VMQ_DROPS];
	u64 rx_drops;		/* sum of drops[] */
	u64 tx_drops;
	u64 tx_ext_drops;	/* in tx_drops too */
	u64 multicast;
};

/* Members of struct vmq_queue_param, in a change mask. */
#define VMQ_PARAM_NAME		BIT(0)
#define VMQ_PARAM_VM		BIT(1)
#define VMQ_PARAM_CPUS		BIT(2)
#define VMQ_PARAM_MODE		BIT(3)
#define VMQ_PARAM_BUFFERS	BIT(4)
#define VMQ_PARAM_SINGLE	BIT(5)
#define VMQ_PARAM_LOOKAHEAD	BIT(6)
#define VMQ_PARAM_USECS		BIT(7)
#define VMQ_PARAM_FRAMES	BIT(8)
#define VMQ_PARAM_ADAPTIVE	BIT(9)
#define VMQ_PARAM_MODER		(VMQ_PARAM_USECS | VMQ_PARAM_FRAMES |	\
				 VMQ_PARAM_ADAPTIVE)

/* Moderation: what a frame that finds a queued queue idle waits for. */
struct vmq_moder {
	u32 usecs;			/* so long, 0: for nothing */
	u32 frames;			/* or until so many wait, 0: any number */
	bool adaptive;			/* net_dim chooses them */
};

/* What is asked for or recorded of a queue; see queue_param.c. */
struct vmq_queue_param {
	char name[VMQ_NAME_MAX];
	char vm[VMQ_NAME_MAX];
	u32 buffers;			/* 0: as many as the adapter says */
	u32 lookahead;			/* bytes, 0: none */
	bool single;			/* per-queue delivery */

	/* asked for; what is in force is the NAPI's */
	const char *cpus;		/* a list */
	u8 mode;			/* enum vmq_queue_mode */
	struct vmq_moder moder;
};

/*
 * Made when its id is first used and kept until the adapter is freed, so that
 * the data path never meets a dead queue and counters never go backwards; the
 * state says whether the id is allocated.
 */
struct vmq_queue {
	/* read for every frame */
	struct vmq_port __rcu *port;	/* NULL: frames go to the adapter */
	struct vmq_rss __rcu *rss;	/* stands for several queues, else NULL */
	struct vmq_pcpu_stats __percpu *stats;
	struct vmq_adapter *adapter;
	u16 id;
	u16 index;			/* among the queues of its port */
	u8 state;			/* enum vmq_queue_state */
	bool via_uplink;		/* of a VF of the uplink, which has its frames */
	u16 lookahead;			/* bytes, with VMQ_SLOW_LOOKAHEAD */
	struct vmq_fifo fifo;		/* frames that can't be delivered in place */
	struct work_struct work;	/* wakes who delivers them, in softirq */

	/* adapter->lock, changed under rtnl too */
	struct vmq_queue_napi *napi;	/* NULL: direct */
	bool implicit;			/* allocated by a rule, freed with the last */
	bool kept;			/* allocated for the adapter itself */
	bool shared;			/* its port's own filter feeds it too */
	u32 filters;
	u32 spreads;			/* RSS tables that name it */
	struct list_head rules;		/* its filters, struct vmq_filter */
	struct list_head gone;		/* where it waits to be given back */
	u32 hw_rules;			/* in the uplink's table */
	u32 hw_ring;			/* the uplink's ring, where there are any */
	struct vmq_queue_param param;
	struct vmq_owner *owner;	/* socket that allocated it, else NULL */
	struct list_head owned;		/* in owner->queues */
};

/* Does something need it to take frames? */
static inline bool vmq_queue_used(const struct vmq_queue *q)
{
	return q->filters || q->shared || q->spreads;
}

int vmq_queue_next_state(enum vmq_queue_state state, enum vmq_queue_event event);
enum vmq_queue_oper_state vmq_queue_oper_state(enum vmq_queue_state state);
int vmq_queue_event(struct vmq_queue *q, enum vmq_queue_event event);
void vmq_queue_setup(struct vmq_queue *q, struct vmq_adapter *a);
void vmq_queue_drain(struct vmq_queue *q);
void vmq_queue_settle(struct vmq_queue **q, u32 n);
struct vmq_queue *vmq_queue_find(struct vmq_adapter *a, u32 id);
int vmq_queue_alloc(struct vmq_adapter *a, struct vmq_port *port, u16 index,
		    struct vmq_queue **out);
int vmq_queue_alloc_id(struct vmq_adapter *a, u32 id, struct vmq_queue **out);
bool vmq_queue_stop(struct vmq_queue *q);
void vmq_queue_give_back(struct vmq_queue *q);
int vmq_queue_alloc_owned(struct vmq_adapter *a, struct vmq_owner *owner,
			  struct vmq_queue **out);
void vmq_queue_free(struct vmq_queue **q, u32 n);
void vmq_queue_free_list(struct list_head *list);
void vmq_queues_free_all(struct vmq_adapter *a);
int vmq_queues_init(struct vmq_adapter *a);
void vmq_queues_stop(struct vmq_adapter *a);
void vmq_queues_destroy(struct vmq_adapter *a);
int vmq_queues_resize(struct vmq_adapter *a, u32 count);

/* ---- queue_param.c: what can be set of a queue ---- */

int vmq_queue_param_parse(struct nlattr *const *attrs,
			  struct vmq_queue_param *param, u32 *mask,
			  struct netlink_ext_ack *extack);
int vmq_queue_init_param(struct vmq_queue *q,
			 const struct vmq_queue_param *param, u32 mask,
			 struct netlink_ext_ack *extack);
int vmq_queue_set_param(struct vmq_queue *q,
			const struct vmq_queue_param *param, u32 mask,
			struct netlink_ext_ack *extack);
void vmq_queue_reset_param(struct vmq_queue *q);
u32 vmq_queue_buffers(const struct vmq_queue *q);
int vmq_moder_check(const struct vmq_moder *moder,
		    struct netlink_ext_ack *extack);

/* ---- queue_napi.c, queue_moder.c: queues that have CPUs of their own ---- */

struct vmq_queue_napi *vmq_napi_new(struct vmq_queue *q,
				    const struct cpumask *cpus);
void vmq_napi_free(struct vmq_queue_napi *n);
void vmq_napi_use(struct vmq_queue *q, struct vmq_queue_napi *n);
void vmq_napi_unuse(struct vmq_queue *q);
void vmq_napi_release(struct vmq_queue *q);
int vmq_napi_move(struct vmq_queue *q, const struct cpumask *cpus);
const struct cpumask *vmq_napi_cpus(const struct vmq_queue *q);
int vmq_napi_init(void);
void vmq_napi_exit(void);
bool vmq_moder_possible(void);
void vmq_moder_set(struct vmq_queue *q, const struct vmq_moder *moder);
const struct vmq_moder *vmq_moder_get(const struct vmq_queue *q);

/* ---- stats.c ---- */

struct vmq_pcpu_stats __percpu *vmq_stats_alloc(void);
void vmq_stats_sum(const struct vmq_pcpu_stats __percpu *pcpu,
		   struct vmq_stats *sum);
void vmq_adapter_sum(struct vmq_adapter *a, u32 from, u32 to,
		     struct vmq_stats *sum);
void vmq_stats_to_link(const struct vmq_stats *sum,
		       struct rtnl_link_stats64 *s);
void vmq_stats_add(struct vmq_stats *sum, const struct vmq_stats *more);
void vmq_port_local(const struct vmq_port *port, u32 from, u32 to,
		    struct vmq_stats *sum);
void vmq_port_sum(const struct vmq_port *port, u32 from, u32 to,
		  struct vmq_stats *sum);
int vmq_stats_strings(u32 queues);
void vmq_stats_names(u8 *data, u32 queues);
u64 *vmq_stats_values_queue(u64 *data, const struct vmq_stats *sum);
void vmq_stats_values_drops(u64 *data, const struct vmq_stats *sum);

static inline void vmq_stats_rx(struct vmq_pcpu_stats __percpu *pcpu,
				unsigned int len, bool multicast)
{
	struct vmq_pcpu_stats *s = this_cpu_ptr(pcpu);

	u64_stats_update_begin(&s->syncp);
	u64_stats_inc(&s->rx_packets);
	u64_stats_add(&s->rx_bytes, len);
	if (multicast)
		u64_stats_inc(&s->multicast);
	u64_stats_update_end(&s->syncp);
}

static inline void vmq_stats_tx(struct vmq_pcpu_stats __percpu *pcpu,
				unsigned int len)
{
	struct vmq_pcpu_stats *s = this_cpu_ptr(pcpu);

	u64_stats_update_begin(&s->syncp);
	u64_stats_inc(&s->tx_packets);
	u64_stats_add(&s->tx_bytes, len);
	u64_stats_update_end(&s->syncp);
}

static inline void vmq_stats_drop(struct vmq_pcpu_stats __percpu *pcpu,
				  enum vmq_drop cause)
{
	struct vmq_pcpu_stats *s = this_cpu_ptr(pcpu);

	u64_stats_update_begin(&s->syncp);
	u64_stats_inc(&s->drops[cause]);
	u64_stats_update_end(&s->syncp);
}

static inline void vmq_stats_tx_drop(struct vmq_pcpu_stats __percpu *pcpu,
				     bool ext)
{
	struct vmq_pcpu_stats *s = this_cpu_ptr(pcpu);

	u64_stats_update_begin(&s->syncp);
	u64_stats_inc(&s->tx_drops);
	if (ext)
		u64_stats_inc(&s->tx_ext_drops);
	u64_stats_update_end(&s->syncp);
}

/* ---- owner.c: netlink sockets that own queues and filters ---- */

/* Made with its first queue or filter, gone with the last. */
struct vmq_owner {
	struct list_head node;		/* in vmq_owners: rtnl, RCU */
	struct list_head queues;	/* struct vmq_queue, rtnl */
	struct sock *sk;		/* held, to tell it from one after it */
	u32 portid;
	u32 users;			/* rtnl: queues, filters and requests */
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
void vmq_filter_flush(struct vmq_adapter *a, u8 owner, const void *party);
void vmq_filter_flush_queue(struct vmq_queue *q);
void vmq_filter_flush_all(struct vmq_adapter *a);
int vmq_filters_init(struct vmq_adapter *a);
void vmq_filters_destroy(struct vmq_adapter *a);
int vmq_filter_count(struct vmq_queue *q);
void vmq_filter_uncount(struct vmq_queue *q, struct list_head *gone);
void vmq_filter_vlans_add(const struct vmq_filter *f);
struct vmq_queue *vmq_port_nth_queue(struct vmq_port *port, u32 i);
void vmq_filter_port_vlans(struct vmq_port *port);
void vmq_filter_flush_port(struct vmq_port *port);
void vmq_filter_mac_spec(struct vmq_filter_spec *spec, const u8 *mac, u16 vid);

/* ---- uplink_addr.c: the addresses and VLAN ids that the uplink lets in ---- */

int vmq_filter_sync(struct vmq_filter *f, struct net_device *uplink);
void vmq_filter_unsync(struct vmq_filter *f, struct net_device *uplink);
int vmq_filters_sync_uplink(struct vmq_adapter *a, struct net_device *uplink);
void vmq_filters_unsync_uplink(struct vmq_adapter *a,
			       struct net_device *uplink);
bool vmq_uplink_filters(struct net_device *uplink, bool multicast);
bool vmq_filter_has_addr(const struct vmq_filter *f);

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
	u16 n_vfs;
	struct vmq_vf **vfs;		/* [n_vfs] */
	bool mtu_set;			/* by hand, so not the uplink's */
	bool opened_uplink;		/* it was down when it was attached */
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
	u32 ring;			/* frames that wait in the FIFO of a queue */
	struct vmq_moder moder;		/* of queues that get CPUs of their own */
};

extern struct list_head vmq_adapters;	/* rtnl */
extern struct rtnl_link_ops vmq_adapter_link_ops;

bool vmq_is_adapter(const struct net_device *dev);

static inline struct vmq_adapter *vmq_adapter_priv(const struct net_device *dev)
{
	return netdev_priv(dev);
}

/* ---- rss.c, rss_follow.c, rss_ctx.c: spreading; the rest is in rss.h ---- */

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
struct vmq_queue *vmq_rss_target(struct vmq_adapter *a, u32 id);
struct vmq_rss_ctx *vmq_rss_ctx_new(struct vmq_adapter *a, u32 id,
				    struct ethtool_rxfh_context *core,
				    const struct vmq_rss_change *change,
				    struct netlink_ext_ack *extack);
void vmq_rss_ctx_del(struct vmq_adapter *a, struct vmq_rss_ctx *ctx);
void vmq_rss_ctx_flush(struct vmq_port *port);
struct vmq_queue *vmq_rss_port_target(struct vmq_port *port, u32 n);
void vmq_rss_freeze(struct vmq_adapter *a);
int vmq_rss_port_init(struct vmq_port *port);
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
struct net_device *vmq_queue_rx(struct vmq_queue *q, struct sk_buff *skb,
				bool flood);
void vmq_queue_receive(struct vmq_queue *q, struct sk_buff *skb, bool flood);
bool vmq_queue_consume(struct vmq_queue *q, struct vmq_queue_napi *n,
		       unsigned int budget, int *done);
void vmq_queue_work(struct work_struct *work);
void vmq_flood(struct vmq_adapter *a, struct sk_buff *skb,
	       const struct vmq_port *but);
netdev_tx_t vmq_tx(struct vmq_adapter *a, struct vmq_port *from,
		   struct sk_buff *skb);
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
};

struct vmq_port {
	/* read for every frame */
	struct net_device *dev;
	struct vmq_adapter *adapter;
	struct vmq_stack __rcu *stack;	/* extensions, NULL while there are none */
	struct vmq_pcpu_stats __percpu **stats; /* [num_rx_queues] of dev */
	unsigned long *vlans;		/* ids whose floods it takes, 0 = untagged */
	struct vmq_queue **queue;	/* [n_queues] */
	u32 n_queues;			/* 0: works from the default queue */
	struct vmq_queue soft;		/* for the default queue, or for all of them */
	struct vmq_spread spread;	/* over them */
	struct vmq_vf *vf;		/* whose netdev this is; NULL: a port */
	bool claimed;			/* its tap was opened once */
	bool deleted;			/* it is on its way out */
	struct list_head node;		/* in adapter->ports, RCU */
	struct list_head dead;		/* waits with others for a grace period */
	struct vmq_gate gate;
	struct net_device __rcu *redirect; /* of frames that the gate keeps out */
	struct vmq_announce announce;

	/* rtnl */
	u32 id;
	u32 mac_location;		/* of the filter for its own MAC */
	struct vmq_path path;
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

/* Its first queue, or what stands for the default queue. */
static inline struct vmq_queue *vmq_port_queue(struct vmq_port *port)
{
	return READ_ONCE(port->n_queues) ? port->queue[0] : &port->soft;
}

int vmq_port_set_mac(struct vmq_port *port, const u8 *mac,
		     struct netlink_ext_ack *extack);
void vmq_port_promisc(struct vmq_port *port, bool on);
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
bool vmq_tap_has_room(struct vmq_port *port);
void vmq_tap_take(struct vmq_port *port, struct sk_buff_head *list);

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

/* ---- ext.c, ext_stack.c: extensions, and the stacks that frames meet ---- */

/* One extension on one adapter, enabled or not; in adapter->exts. */
struct vmq_ext_inst {
	struct list_head node;		/* ingress order */
	const struct vmq_ext_ops *ops;
	bool enabled;
};

/* What a port's frames meet, in ingress order; replaced as a whole. */
struct vmq_stack {
	struct rcu_head rcu;
	unsigned int n;
	struct vmq_ext_port *ep[] __counted_by(n);
};

DECLARE_STATIC_KEY_FALSE(vmq_ext_key);	/* some extension is enabled somewhere */

enum vmq_verdict __vmq_ext_frame(const struct vmq_stack *stack,
				 struct sk_buff *skb, enum vmq_dir dir);

/* Runs the extensions of a port on a frame. Context: RCU read side, BH off. */
static inline enum vmq_verdict vmq_ext_frame(const struct vmq_port *port,
					     struct sk_buff *skb,
					     enum vmq_dir dir)
{
	const struct vmq_stack *stack;

	if (!static_branch_unlikely(&vmq_ext_key))
		return VMQ_PASS;
	stack = rcu_dereference(port->stack);
	return stack ? __vmq_ext_frame(stack, skb, dir) : VMQ_PASS;
}

int vmq_ext_adapter_init(struct vmq_adapter *a);
void vmq_ext_adapter_destroy(struct vmq_adapter *a);
int vmq_ext_port_init(struct vmq_port *port, struct netlink_ext_ack *extack);
void vmq_ext_port_hide(struct vmq_port *port);
void vmq_ext_port_destroy(struct vmq_port *port);
int vmq_ext_enable(struct vmq_adapter *a, const char *name, bool on,
		   struct netlink_ext_ack *extack);
int vmq_ext_move(struct vmq_adapter *a, const char *name, u32 position,
		 struct netlink_ext_ack *extack);
struct vmq_ext_port *vmq_ext_port_find(struct vmq_port *port, const char *name);
u32 vmq_ext_position(const struct vmq_adapter *a,
		     const struct vmq_ext_inst *inst);
int vmq_stacks_add(struct vmq_adapter *a, struct vmq_ext_inst *inst,
		   struct netlink_ext_ack *extack);
int vmq_stacks_remove(struct vmq_adapter *a, struct vmq_ext_inst *inst);
int vmq_stacks_reorder(struct vmq_adapter *a);

/* ---- state.c: save and restore of a port; the rest is in state.h ---- */

int vmq_session_begin(struct vmq_port *port, bool restore, struct file **filp,
		      struct netlink_ext_ack *extack);
int vmq_restore_commit(struct vmq_port *port, struct netlink_ext_ack *extack);
int vmq_session_abort(struct vmq_port *port, struct netlink_ext_ack *extack);
void vmq_session_kill(struct vmq_port *port);
bool vmq_session_runs(struct vmq_port *port);
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

#include "vf.h"

#endif /* _VMQ_PRIV_H */

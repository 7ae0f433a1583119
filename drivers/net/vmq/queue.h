/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Queues: their states, what can be set of them, and their NAPIs. Included by
 * vmq_priv.h, which has the locks.
 */
#ifndef _VMQ_QUEUE_H
#define _VMQ_QUEUE_H

/* ---- queue.c, queue_fsm.c: queues and their states ---- */

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
	/* read for every frame: up to fifo.slow, it is one cache line */
	struct net_device *dev;		/* of its port, where that has it alone */
	struct vmq_pcpu_stats __percpu *stats;
	u8 mac[ETH_ALEN];		/* of @dev; a frame may see half a change */
	u16 index;			/* among the queues of its port */
	u16 id;
	u8 state;			/* enum vmq_queue_state */
	bool via_uplink;		/* of a VF of the uplink, which has its frames */
	bool own;			/* @dev's sums have its receive counters */
	u16 lookahead;			/* bytes, with VMQ_SLOW_LOOKAHEAD */
	struct vmq_port __rcu *port;	/* NULL: frames go to the adapter */
	struct vmq_rss __rcu *rss;	/* stands for several queues, else NULL */
	struct vmq_fifo fifo;		/* frames that can't be delivered in place */
	struct vmq_adapter *adapter;
	struct llist_node kick;		/* queue_kick.c, while @kicked */
	unsigned long kicked;		/* bit 0: someone will look for them */

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
	struct vmq_queue_past *past;	/* while ethtool -L has it switched off */
	struct vmq_owner *owner;	/* socket that allocated it, else NULL */
	struct list_head owned;		/* in owner->queues */
	struct vmq_stats_rx before;	/* counted before it was its port's */
} ____cacheline_aligned;

static_assert(offsetofend(struct vmq_queue, fifo.slow) <= 64);

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
struct vmq_queue *vmq_queue_find(struct vmq_adapter *a, u32 id);
int vmq_queue_alloc(struct vmq_adapter *a, struct vmq_port *port, u16 index,
		    struct vmq_queue **out);
int vmq_queue_alloc_id(struct vmq_adapter *a, u32 id, struct vmq_queue **out);
void vmq_queue_set_mac(struct vmq_queue *q, const u8 *mac);
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
int vmq_queue_get_param(const struct vmq_queue *q,
			struct vmq_queue_param *param, u32 *mask);
int vmq_queue_put_param(struct vmq_queue *q,
			const struct vmq_queue_param *param,
			unsigned int tx_queue_len);
u32 vmq_queue_buffers(const struct vmq_queue *q);
int vmq_moder_check(const struct vmq_moder *moder,
		    struct netlink_ext_ack *extack);

/* ---- queue_past.c: parameters of queues that are switched off ---- */

int vmq_queues_remember(struct vmq_adapter *a, u32 first);
void vmq_queues_recall(struct vmq_adapter *a, u32 first, u32 end);
void vmq_queue_forget(struct vmq_queue *q);

/* ---- queue_settle.c: frames that wait when filters change ---- */

void vmq_queue_settle(struct vmq_queue **q, u32 n);
bool vmq_queue_handover_begin(const struct vmq_queue *from,
			      struct vmq_queue *to);
void vmq_queue_handover_end(struct vmq_queue *from, struct vmq_queue *to);

/* ---- queue_kick.c: one wake-up for all that a softirq put into FIFOs ---- */

void vmq_queue_kick(struct vmq_queue *q);
void vmq_queue_unkick(struct vmq_queue *q);
void vmq_queue_kick_init(void);

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

#endif /* _VMQ_QUEUE_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which multicast groups the guests of an adapter are in, as their reports say:
 * mcast_table.c has them, mcast_query.c their times, mcast.c says who has a frame, and
 * mcast_snoop.c reads the frames.
 *
 * A port is *narrowed*, for one address family in one VLAN, by a general query that
 * its guest got and had the time to answer. From then on it has the groups that it is
 * in, no others, for as long as the querier says, or until a later query did not
 * reach its guest. All that goes wrong ends there: not narrowed, a port has all.
 */
#ifndef _VMQ_MCAST_H
#define _VMQ_MCAST_H

#include <linux/idr.h>
#include <linux/in6.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable.h>
#include <linux/spinlock.h>
#include <linux/u64_stats_sync.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

struct sk_buff;
struct vmq_adapter;
struct vmq_port;

#define VMQ_MCAST_VLANS		512	/* VLANs with a querier, each family counts */
#define VMQ_MCAST_PORT_MAX	512	/* groups of one port */
#define VMQ_MCAST_MAX		16384	/* of all ports of an adapter */

/* RFC 3376 and 3810, 8.4 and 8.5, with the default values of what they are made of */
#define VMQ_MCAST_MEMBER	(260 * HZ)	/* a group that is not reported again */
#define VMQ_MCAST_QUERIER	(255 * HZ)	/* a querier that does not ask again */
#define VMQ_MCAST_SLACK		HZ		/* for a guest that answers late */

/* Ports by their slots; bits change in place, a larger set replaces it. */
struct vmq_mcast_set {
	struct rcu_head rcu;
	u32 size;			/* in bits */
	unsigned long bits[];
};

/* What is in the table: a group in a VLAN, or a port that is in it. */
struct vmq_mcast_key {
	struct in6_addr addr;		/* IPv4 mapped; all 0: the routers */
	u16 vid;
	u16 v6;				/* 1 for IPv6, 0 for IPv4 */
	u32 slot;			/* of the port, 0: the group itself */
};

/* A general query, or one for a group. */
struct vmq_mcast_query {
	struct vmq_mcast_key key;	/* addr is 0 for a general one */
	unsigned long delay;		/* most that an answer takes, jiffies */
	unsigned long interval;		/* the querier is there for so long, jiffies */
};

/* One family in one VLAN that a querier was heard in. */
struct vmq_mcast_vlan {
	u32 id;				/* in m->vlans */
	struct vmq_mcast_set __rcu *narrow; /* ports; NULL: none is narrowed */
	unsigned long until;		/* the end of @narrow */
	struct vmq_mcast_set *asked;	/* who can answer still, or NULL */
	unsigned long ready;		/* all answers are there, @asked is @narrow */
	unsigned long asked_until;	/* what @until will be then */
	unsigned long present;		/* the querier is, until then */
	struct list_head node;
	struct rcu_head rcu;
};

struct vmq_mcast_group {
	struct vmq_mcast_key key;
	struct rhash_head node;
	struct vmq_mcast_set __rcu *set;
	u32 n;
	struct list_head members;
	struct rcu_head rcu;
};

/* A group that a port is in. */
struct vmq_mcast_member {
	struct vmq_mcast_key key;
	struct rhash_head node;
	struct vmq_mcast_group *group;
	struct vmq_mcast_port *port;
	unsigned long serial;
	unsigned long expires;		/* jiffies */
	struct list_head of_group;
	struct list_head of_port;
	struct list_head of_time;	/* in m->fresh or m->leaving */
	struct list_head of_all;	/* in m->members, by serial */
	struct rcu_head rcu;
};

/* The part of a port; all but slot and the counters under m->lock. */
struct vmq_mcast_port {
	u32 slot;			/* from 1; 0: has all multicast frames */
	u32 n;				/* groups, the entry of a router counts */
	bool gone;
	bool spoken;			/* its guest is there: it sent something */
	bool over;			/* a limit was met: all, until @over_until */
	unsigned long over_until;
	u64 silent;			/* frames sent when it was last reset */
	struct list_head members;
	u64 reports;
	u64 leaves;
	u64 queries;
	u64 overflows;
	struct vmq_mcast_pcpu __percpu *stats;
};

struct vmq_mcast_pcpu {
	u64_stats_t withheld;
	u64_stats_t allmulti;		/* had by that mode alone */
	struct u64_stats_sync syncp;
};

/* What is shown of a port. */
struct vmq_mcast_report {
	u32 groups;
	u32 narrowed;			/* VLANs, each family counts */
	bool router;
	u64 reports;
	u64 leaves;
	u64 queries;
	u64 overflows;
	u64 withheld;
	u64 allmulti;
};

/* The part of an adapter. */
struct vmq_mcast {
	bool on;
	spinlock_t lock;		/* BH off; protects all of the below */
	struct xarray vlans;		/* RCU: VLAN id << 1 | v6 -> vmq_mcast_vlan */
	struct list_head known;		/* the same */
	struct rhashtable table;	/* RCU: groups and members */
	struct list_head members;	/* in the order of their serials */
	struct list_head fresh;		/* first who expires first */
	struct list_head leaving;	/* in any order */
	struct ida slots;
	u32 top;			/* highest slot so far */
	u32 n;				/* members */
	u32 n_vlans;
	unsigned long serial;
	bool timed;			/* work runs at @next */
	unsigned long next;
	struct delayed_work work;
};

/* Who has a frame; all zero: everybody. */
struct vmq_mcast_pick {
	bool told;			/* else everybody */
	bool only;			/* members alone, narrowed or not */
	const struct vmq_mcast_set *narrow;
	const struct vmq_mcast_set *members;
};

static inline u32 vmq_mcast_vlan_id(u16 vid, u16 v6)
{
	return vid << 1 | v6;
}

static inline bool vmq_mcast_set_has(const struct vmq_mcast_set *set, u32 slot)
{
	return set && slot < set->size && test_bit(slot, set->bits);
}

static inline void vmq_mcast_set_del(struct vmq_mcast_set *set, u32 slot)
{
	if (set && slot < set->size)
		clear_bit(slot, set->bits);
}

/* Context: m->lock held. */
static inline struct vmq_mcast_set *
vmq_mcast_deref(const struct vmq_mcast *m, struct vmq_mcast_set __rcu *set)
{
	return rcu_dereference_protected(set, lockdep_is_held(&m->lock));
}

/* ---- mcast_table.c ---- */

extern const struct rhashtable_params vmq_mcast_params;

struct vmq_mcast_set *vmq_mcast_set_new(const struct vmq_mcast *m);
void vmq_mcast_set_put(struct vmq_mcast_set *set, u32 slot);
struct vmq_mcast_vlan *vmq_mcast_vlan_get(struct vmq_mcast *m,
					  const struct vmq_mcast_query *q);
void vmq_mcast_vlan_free(struct vmq_mcast *m, struct vmq_mcast_vlan *v);
void vmq_mcast_widen(struct vmq_mcast *m, struct vmq_mcast_vlan *v,
		     const struct vmq_mcast_port *p);
void vmq_mcast_widen_all(struct vmq_mcast *m, const struct vmq_mcast_port *p);
struct vmq_mcast_group *vmq_mcast_group_find(struct vmq_mcast *m,
					     const struct vmq_mcast_key *key);
void vmq_mcast_member_del(struct vmq_mcast *m, struct vmq_mcast_member *member);
int vmq_mcast_join(struct vmq_mcast *m, struct vmq_mcast_port *p,
		   const struct vmq_mcast_key *group, unsigned long now);
void vmq_mcast_router(struct vmq_mcast *m, struct vmq_mcast_port *p,
		      u16 vid, bool v6, unsigned long now);
void vmq_mcast_overflow(struct vmq_mcast *m, struct vmq_mcast_port *p,
			unsigned long now);

/* ---- mcast_query.c ---- */

bool vmq_mcast_can_ask(const struct vmq_mcast_port *p, unsigned long now);
void vmq_mcast_asked(struct vmq_mcast *m, const struct vmq_mcast_query *q,
		     struct vmq_mcast_set *asked, unsigned long now);
void vmq_mcast_wake(struct vmq_mcast *m, unsigned long at);
bool vmq_mcast_tick(struct vmq_mcast *m, unsigned long now,
		    unsigned long *next);
void vmq_mcast_work(struct work_struct *work);

/* ---- mcast.c ---- */

int vmq_mcast_init(struct vmq_mcast *m);
void vmq_mcast_destroy(struct vmq_mcast *m);
void vmq_mcast_flush(struct vmq_mcast *m);
int vmq_mcast_port_add(struct vmq_mcast *m, struct vmq_mcast_port *p);
void vmq_mcast_port_reset(struct vmq_mcast *m, struct vmq_mcast_port *p);
void vmq_mcast_port_del(struct vmq_mcast *m, struct vmq_mcast_port *p);
void vmq_mcast_port_free(struct vmq_mcast_port *p);
void vmq_mcast_choose(struct vmq_mcast *m, const struct vmq_mcast_key *group,
		      bool report, struct vmq_mcast_pick *pick);
bool vmq_mcast_picks(const struct vmq_mcast_pick *pick,
		     const struct vmq_mcast_port *p);
void vmq_mcast_port_report(struct vmq_mcast *m, struct vmq_mcast_port *p,
			   struct vmq_mcast_report *out);

/* ---- mcast_snoop.c ---- */

void vmq_mcast_frame(struct vmq_adapter *a, struct sk_buff *skb,
		     struct vmq_port *from, struct vmq_mcast_pick *pick);
bool __vmq_mcast_wants(const struct vmq_mcast_pick *pick,
		       struct vmq_port *port);
void vmq_mcast_set_on(struct vmq_adapter *a, bool on);
void vmq_mcast_arrive(struct vmq_port *port);

/*
 * Does a port that a guest has get a frame? Context: RCU read side, BH off.
 */
static inline bool vmq_mcast_wants(const struct vmq_mcast_pick *pick,
				   struct vmq_port *port)
{
	return !pick->told || __vmq_mcast_wants(pick, port);
}

#endif /* _VMQ_MCAST_H */

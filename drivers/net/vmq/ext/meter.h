/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The extension meter: bits and packets per second of a port, for each direction.
 *
 * meter.c        module, life of a port, the way of a frame
 * meter_bucket.c one limit: a token bucket without a lock
 * meter_ahead.c  what is taken of it ahead, so that most frames need no clock
 * meter_shape.c  frames of the guest that wait for their turn
 * meter_config.c configuration over netlink, and its dump
 * meter_state.c  levels and counters to and from a saved stream
 * meter_record.c reads a record of it, see meter_record.h
 *
 * Locks: rtnl serialises configuration, restore and detach. meter_ahead.lock (BH, of
 * both directions in their order) covers what is taken ahead, and who changes the
 * limits has it. meter_shaper.lock (BH), inside of it, covers the frames that wait
 * on one port. Most frames take no lock, and none waits for the first one. Nothing
 * is shared between ports.
 */
#ifndef _VMQ_METER_H
#define _VMQ_METER_H

#include <linux/bitfield.h>
#include <linux/cache.h>
#include <linux/hrtimer.h>
#include <linux/if_ether.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/u64_stats_sync.h>
#include <net/vmq.h>

#include "meter_record.h"

/* Limits of limits: bits and packets a second; a burst fits 32 bits. */
#define METER_RATE_MIN		8000ULL
#define METER_RATE_MAX		1000000000000ULL
#define METER_PPS_MIN		1U
#define METER_PPS_MAX		1000000000U

/* Bursts unless set: what 10 ms bring, and at least this (two large frames). */
#define METER_BURST_MSECS	10
#define METER_BURST_DEFAULT	131072U
#define METER_PPS_BURST_DEFAULT	64U

/* Bytes of frames that may wait, unless set, and at most. */
#define METER_SHAPE_DEFAULT	524288U
#define METER_SHAPE_MAX		67108864U

/*
 * Time is counted in units of 1/64 ns, modulo 2^64 (9 years): exact to 0.2 % for
 * the smallest frame at 100 Gbit/s, and nothing adds up over frames.
 */
#define METER_UNIT_SHIFT	6
#define METER_UNITS_PER_SEC	(NSEC_PER_SEC << METER_UNIT_SHIFT)
#define METER_COST_SHIFT	24

/* A bucket fills within an hour, and may be an hour in debt on top of that. */
#define METER_FILL_MAX		(3600ULL * METER_UNITS_PER_SEC)

/**
 * struct meter_limit - one limit, immutable once published
 * @rate: bits or packets a second, 0 for no limit
 * @burst: bytes or packets that may pass at once after a pause
 * @burst_set: the burst was asked for, so it does not follow the rate
 * @cost: time that one byte or packet takes, units << %METER_COST_SHIFT
 * @depth: time that the burst takes, in units
 */
struct meter_limit {
	u64 rate;
	u32 burst;
	bool burst_set;
	u64 cost;
	u64 depth;
};

/*
 * The clock costs more than all else that a frame needs, and counters are a line of
 * their own. So a frame that had to look at the clock takes more than it needs, this
 * part of the burst, and those that follow in the same jiffy spend that. What is not
 * spent goes back, what is spent is counted then.
 */
#define METER_AHEAD_PART	32

/* What is left of that, in one word. The jiffies come round after hours. */
#define METER_AHEAD_BYTES	GENMASK_ULL(25, 0)
#define METER_AHEAD_PACKETS	GENMASK_ULL(39, 26)
#define METER_AHEAD_STAMP	GENMASK_ULL(63, 40)

/**
 * struct meter_ahead - what was taken ahead
 * @left: what is left of it: %METER_AHEAD_BYTES, %METER_AHEAD_PACKETS and
 *	%METER_AHEAD_STAMP; everybody may spend of it, the rest is for who has @lock
 * @taken: @left as it was before anything was spent
 * @lock: who looks at the clock tries to get it
 */
struct meter_ahead {
	atomic64_t left;
	u64 taken;
	spinlock_t lock;		/* see left */
};

/**
 * struct meter_bucket - what is left of a burst
 * @full_at: when the bucket will be full again, or was, in units of time
 */
struct meter_bucket {
	atomic64_t full_at;
};

/* What is limited. */
enum meter_kind {
	METER_BYTES,
	METER_PACKETS,
	METER_KINDS
};

/**
 * struct meter_config - limits of a port, immutable once published
 * @limit: by &enum vmq_dir and kind
 * @shape: frames from the guest wait, if there is room, instead of being dropped
 * @shape_limit: bytes of frames that may wait
 * @rcu: frees it
 */
struct meter_config {
	struct meter_limit limit[2][METER_KINDS];
	bool shape;
	u32 shape_limit;
	struct rcu_head rcu;
};

/**
 * struct meter_size - what a frame takes
 * @n: by kind: bytes with all headers of all segments, and segments
 */
struct meter_size {
	u32 n[METER_KINDS];
};

enum meter_counter {
	METER_PASSED_PACKETS,
	METER_PASSED_BYTES,
	METER_DROPPED_PACKETS,
	METER_DROPPED_BYTES,
	METER_DELAYED_PACKETS,
	METER_COUNTERS
};

/* Counters of a port, on one CPU, by &enum vmq_dir. */
struct meter_stats {
	u64_stats_t count[2][METER_COUNTERS];
	struct u64_stats_sync syncp;
};

/**
 * struct meter_shaper - frames of the guest that wait
 * @lock: for all of it
 * @active: frames wait or are on their way from here: all others go behind them
 * @bytes: bytes in @queue
 * @queue: the frames
 * @timer: when the first of them may go
 */
struct meter_shaper {
	spinlock_t lock;		/* all of this */
	bool active;
	u32 bytes;
	struct sk_buff_head queue;
	struct hrtimer timer;
};

/**
 * struct meter_level - a level that a restore brought for a limit not set yet
 * @valid: there is one
 * @tokens: what was left of the burst
 * @at: time of the restore, in units
 */
struct meter_level {
	bool valid;
	s64 tokens;
	u64 at;
};

/**
 * struct meter_port - the extension on one port
 * @bucket: by &enum vmq_dir, in a line of their own: what is taken ahead, which is all
 *	that most frames need, and the limits by kind
 * @config: NULL while nothing is limited
 * @stats: counters of this host
 * @ep: the port
 * @resume: vmq_ext_resume(), or what a test has instead
 * @shaper: frames that wait
 * @base: counters of the hosts that the port came from; rtnl, or no session
 * @level: what a restore left for later; rtnl
 */
struct meter_port {
	struct {
		struct meter_ahead ahead;
		struct meter_bucket kind[METER_KINDS];
	} ____cacheline_aligned_in_smp bucket[2];
	struct meter_config __rcu *config ____cacheline_aligned_in_smp;
	struct meter_stats __percpu *stats;
	struct vmq_ext_port *ep;
	void (*resume)(struct vmq_ext_port *ep, struct sk_buff *skb,
		       enum vmq_verdict verdict);
	struct meter_shaper shaper ____cacheline_aligned_in_smp;

	u64 base[2][METER_COUNTERS];
	struct meter_level level[2][METER_KINDS];
};

/* Now, in units. */
static inline u64 meter_clock(void)
{
	return ktime_get_ns() << METER_UNIT_SHIFT;
}

/* When what is taken ahead may be spent. */
static inline u32 meter_stamp(void)
{
	return jiffies & FIELD_MAX(METER_AHEAD_STAMP);
}

/* meter.c */
extern const struct vmq_ext_ops meter_ops;

struct meter_size meter_size_gso(const struct sk_buff *skb,
				 struct meter_size size);

/*
 * What a frame takes of the limits. Bytes count from the Ethernet header on, without
 * a tag in the metadata, as in the port's counters.
 */
static __always_inline void meter_size(const struct sk_buff *skb,
				       struct meter_size *size)
{
	size->n[METER_BYTES] = skb->len + ETH_HLEN;
	size->n[METER_PACKETS] = 1;
	if (unlikely(skb_is_gso(skb)))
		*size = meter_size_gso(skb, *size);
}

bool meter_take(struct meter_port *m, const struct meter_config *config,
		enum vmq_dir dir, const struct meter_size *size, u64 now);
void meter_count(struct meter_port *m, enum vmq_dir dir,
		 enum meter_counter packets, const struct meter_size *size);
enum vmq_verdict meter_frame_at(struct meter_port *m,
				const struct meter_config *config,
				struct sk_buff *skb, enum vmq_dir dir, u64 now);
void meter_counters(const struct meter_port *m, u64 sum[2][METER_COUNTERS]);

/* meter_bucket.c */
int meter_limit_set(struct meter_limit *limit, enum meter_kind kind, u64 rate,
		    u32 burst);
bool meter_bucket_take(struct meter_bucket *b, const struct meter_limit *limit,
		       u32 n, u64 now);
void meter_bucket_give_back(struct meter_bucket *b,
			    const struct meter_limit *limit, u32 n);
u64 meter_bucket_wait(const struct meter_bucket *b,
		      const struct meter_limit *limit, u32 n, u64 now);
s64 meter_bucket_tokens(const struct meter_bucket *b,
			const struct meter_limit *limit, u64 now);
void meter_bucket_set(struct meter_bucket *b, const struct meter_limit *limit,
		      s64 tokens, u64 now);
s64 meter_limit_earned(const struct meter_limit *limit, u64 time);

/* meter_ahead.c */
void meter_ahead_settle(struct meter_port *m, const struct meter_config *config,
			enum vmq_dir dir);
void meter_ahead_take(struct meter_port *m, const struct meter_config *config,
		      enum vmq_dir dir, u64 now, u32 stamp);
void meter_lock(struct meter_port *m);
void meter_unlock(struct meter_port *m);

/* The limits of a port between meter_lock() and meter_unlock(). */
static inline struct meter_config *
meter_config_locked(const struct meter_port *m)
{
	return rcu_dereference_protected(m->config,
					 lockdep_is_held(&m->bucket[0].ahead.lock));
}

static inline struct meter_size meter_ahead_size(u64 word)
{
	return (struct meter_size){ .n = {
		[METER_BYTES] = FIELD_GET(METER_AHEAD_BYTES, word),
		[METER_PACKETS] = FIELD_GET(METER_AHEAD_PACKETS, word),
	} };
}

/* Of a size that fits. */
static inline u64 meter_ahead_word(const struct meter_size *size)
{
	return FIELD_PREP(METER_AHEAD_BYTES, size->n[METER_BYTES]) |
	       FIELD_PREP(METER_AHEAD_PACKETS, size->n[METER_PACKETS]);
}

/*
 * Takes what a frame needs of what was taken ahead for this jiffy; false if it needs a
 * look at the clock. Context: any, on any number of CPUs at once.
 */
static __always_inline bool meter_ahead_spend(struct meter_ahead *a,
					      const struct meter_size *size,
					      u32 stamp)
{
	s64 old = atomic64_read(&a->left);
	struct meter_size left;

	do {
		left = meter_ahead_size(old);
		if (FIELD_GET(METER_AHEAD_STAMP, (u64)old) != stamp ||
		    left.n[METER_BYTES] < size->n[METER_BYTES] ||
		    left.n[METER_PACKETS] < size->n[METER_PACKETS])
			return false;
	} while (!atomic64_try_cmpxchg(&a->left, &old,
				       old - meter_ahead_word(size)));
	return true;
}

/* meter_shape.c */
void meter_shape_init(struct meter_port *m);
void meter_shape_destroy(struct meter_port *m);
enum vmq_verdict meter_shape(struct meter_port *m,
			     const struct meter_config *config,
			     struct sk_buff *skb,
			     const struct meter_size *size);
void meter_shape_kick(struct meter_port *m);

/* meter_config.c */
int meter_config_set(struct vmq_ext_port *ep, const struct nlattr *config,
		     struct netlink_ext_ack *extack);
int meter_config_dump(struct vmq_ext_port *ep, struct sk_buff *msg,
		      unsigned long *cursor);

/* meter_state.c */
int meter_save_begin(struct vmq_ext_port *ep, struct netlink_ext_ack *extack);
int meter_save_next(struct vmq_ext_port *ep, struct vmq_record *rec);
int meter_restore_begin(struct vmq_ext_port *ep,
			struct netlink_ext_ack *extack);
int meter_validate(struct vmq_ext_port *ep, const struct vmq_record *rec,
		   struct netlink_ext_ack *extack);
int meter_apply(struct vmq_ext_port *ep, const struct vmq_record *rec,
		struct netlink_ext_ack *extack);
void meter_rollback(struct vmq_ext_port *ep);
void meter_restore_complete(struct vmq_ext_port *ep, bool ok);

#endif /* _VMQ_METER_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * The extension meter: what is taken ahead of the frames that will need it.
 *
 * Frames spend it by meter_ahead_spend(), and count by that alone. Whoever has the
 * lock takes back what is left, and counts what is not.
 */
#include "meter.h"

/**
 * meter_ahead_settle() - takes back what was taken ahead and is not spent
 * @m: the port
 * @config: its limits, those under which it was taken; NULL if there are none
 * @dir: direction of the frames
 *
 * What was spent is in the counters then.
 *
 * Context: BH off, meter_ahead.lock held.
 */
void meter_ahead_settle(struct meter_port *m, const struct meter_config *config,
			enum vmq_dir dir)
{
	struct meter_ahead *a = &m->bucket[dir].ahead;
	const struct meter_limit *limit;
	struct meter_size spent;
	u64 left;
	int kind;

	lockdep_assert_held(&a->lock);
	left = atomic64_xchg(&a->left, 0);
	/* both are of one jiffy */
	spent = meter_ahead_size(a->taken - left);
	a->taken = 0;
	if (spent.n[METER_PACKETS])
		meter_count(m, dir, METER_PASSED_PACKETS, &spent);
	for (kind = 0; config && left && kind < METER_KINDS; kind++) {
		limit = &config->limit[dir][kind];
		if (limit->rate)
			meter_bucket_give_back(&m->bucket[dir].kind[kind],
					       limit,
					       meter_ahead_size(left).n[kind]);
	}
}

/*
 * Where less than half of the burst is left, there is nothing to take: every frame
 * counts by the clock then.
 */
static bool meter_ahead_afford(struct meter_bucket *b,
			       const struct meter_limit *limit, u32 n, u64 now)
{
	return n > 1 && !meter_bucket_wait(b, limit, limit->burst / 2, now) &&
	       meter_bucket_take(b, limit, n, now);
}

/**
 * meter_ahead_take() - takes what frames to come will need
 * @m: the port, of which nothing is taken ahead
 * @config: its limits, or NULL
 * @dir: direction of the frames
 * @now: the time; of no use without limits
 * @stamp: the jiffy in which they may spend it
 *
 * Context: BH off, meter_ahead.lock held.
 */
void meter_ahead_take(struct meter_port *m, const struct meter_config *config,
		      enum vmq_dir dir, u64 now, u32 stamp)
{
	struct meter_bucket *b = m->bucket[dir].kind;
	struct meter_ahead *a = &m->bucket[dir].ahead;
	/* of what has no limit, there is as much as the word holds */
	struct meter_size size = { .n = {
		[METER_BYTES] = FIELD_MAX(METER_AHEAD_BYTES),
		[METER_PACKETS] = FIELD_MAX(METER_AHEAD_PACKETS),
	} };
	const struct meter_limit *limit;
	int kind;

	lockdep_assert_held(&a->lock);
	for (kind = 0; config && kind < METER_KINDS; kind++) {
		limit = &config->limit[dir][kind];
		if (!limit->rate)
			continue;
		size.n[kind] = min(size.n[kind],
				   limit->burst / METER_AHEAD_PART);
		if (meter_ahead_afford(&b[kind], limit, size.n[kind], now))
			continue;
		if (kind == METER_PACKETS &&
		    config->limit[dir][METER_BYTES].rate)
			meter_bucket_give_back(&b[METER_BYTES],
					       &config->limit[dir][METER_BYTES],
					       size.n[METER_BYTES]);
		return;
	}
	a->taken = meter_ahead_word(&size) |
		   FIELD_PREP(METER_AHEAD_STAMP, stamp);
	atomic64_set(&a->left, a->taken);
}

/**
 * meter_lock() - makes a port's levels and counters whole
 * @m: the port
 *
 * Nothing is taken ahead until meter_unlock(), and m->config does not change.
 * Frames pass meanwhile.
 *
 * Context: Process context.
 */
void meter_lock(struct meter_port *m)
	__acquires(&m->bucket[VMQ_TO_GUEST].ahead.lock)
	__acquires(&m->bucket[VMQ_FROM_GUEST].ahead.lock)
{
	const struct meter_config *config;

	spin_lock_bh(&m->bucket[VMQ_TO_GUEST].ahead.lock);
	spin_lock_nested(&m->bucket[VMQ_FROM_GUEST].ahead.lock,
			 SINGLE_DEPTH_NESTING);
	config = meter_config_locked(m);
	meter_ahead_settle(m, config, VMQ_TO_GUEST);
	meter_ahead_settle(m, config, VMQ_FROM_GUEST);
}

/**
 * meter_unlock() - the end of meter_lock()
 * @m: the port
 *
 * Context: Process context.
 */
void meter_unlock(struct meter_port *m)
	__releases(&m->bucket[VMQ_FROM_GUEST].ahead.lock)
	__releases(&m->bucket[VMQ_TO_GUEST].ahead.lock)
{
	spin_unlock(&m->bucket[VMQ_FROM_GUEST].ahead.lock);
	spin_unlock_bh(&m->bucket[VMQ_TO_GUEST].ahead.lock);
}

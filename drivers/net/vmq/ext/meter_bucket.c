// SPDX-License-Identifier: GPL-2.0
/*
 * The extension meter: one limit, as a token bucket without a lock.
 *
 * The bucket is one number: the time at which it will be full. What is missing
 * until then is the debt; a frame that passes makes it larger by the time that
 * its bytes take, and must not make it larger than the time that the burst takes.
 * A frame larger than the burst passes when nothing is owed, so that the rate
 * holds for it, too (the generic cell rate algorithm of ATM).
 */
#include <linux/math64.h>

#include "meter.h"

static u64 meter_cost(const struct meter_limit *limit, u32 n)
{
	return mul_u64_u32_shr(limit->cost, n, METER_COST_SHIFT);
}

/*
 * What is owed at a time. More than a bucket can owe is a bucket that nobody
 * touched for half of the time until the clock wraps.
 */
static u64 meter_debt(u64 full_at, u64 now)
{
	u64 debt = full_at - now;

	return debt <= 2 * METER_FILL_MAX ? debt : 0;
}

/**
 * meter_limit_set() - makes a limit
 * @limit: set to it where it is good; its burst_set is left as it is
 * @kind: what is limited
 * @rate: bits or packets a second, in the range of that kind
 * @burst: bytes or packets, more than 0
 *
 * Context: Any.
 * Return: 0, or -ERANGE if the burst takes more than an hour.
 */
int meter_limit_set(struct meter_limit *limit, enum meter_kind kind, u64 rate,
		    u32 burst)
{
	u64 units = METER_UNITS_PER_SEC * (kind == METER_BYTES ? BITS_PER_BYTE :
								 1);
	struct meter_limit new = *limit;

	new.rate = rate;
	new.burst = burst;
	/* fits: bits of a second, 39, and 24 more */
	new.cost = div64_u64(units << METER_COST_SHIFT, rate);
	new.depth = meter_cost(&new, burst);
	if (new.depth > METER_FILL_MAX)
		return -ERANGE;
	*limit = new;
	return 0;
}

/**
 * meter_bucket_take() - takes tokens, if there are enough
 * @b: the bucket
 * @limit: its limit, with a rate
 * @n: bytes or packets
 * @now: the time
 *
 * Context: Any, on any number of CPUs at once.
 * Return: true if they were taken.
 */
bool meter_bucket_take(struct meter_bucket *b, const struct meter_limit *limit,
		       u32 n, u64 now)
{
	u64 cost = min(meter_cost(limit, n), METER_FILL_MAX);
	s64 old = atomic64_read(&b->full_at);
	u64 debt;

	do {
		debt = meter_debt(old, now);
		if (debt && debt + cost > limit->depth)
			return false;
	} while (!atomic64_try_cmpxchg(&b->full_at, &old, now + debt + cost));

	return true;
}

/**
 * meter_bucket_give_back() - undoes meter_bucket_take()
 * @b: the bucket
 * @limit: its limit, with a rate
 * @n: bytes or packets
 *
 * Context: Any, on any number of CPUs at once.
 */
void meter_bucket_give_back(struct meter_bucket *b,
			    const struct meter_limit *limit, u32 n)
{
	atomic64_sub(min(meter_cost(limit, n), METER_FILL_MAX), &b->full_at);
}

/**
 * meter_bucket_wait() - how long until tokens can be taken
 * @b: the bucket
 * @limit: its limit, with a rate
 * @n: bytes or packets
 * @now: the time
 *
 * Context: Any.
 * Return: units of time, 0 if now.
 */
u64 meter_bucket_wait(const struct meter_bucket *b,
		      const struct meter_limit *limit, u32 n, u64 now)
{
	u64 debt = meter_debt(atomic64_read(&b->full_at), now);
	u64 cost = min(meter_cost(limit, n), METER_FILL_MAX);

	if (cost > limit->depth)
		return debt;
	return debt + cost > limit->depth ? debt + cost - limit->depth : 0;
}

/**
 * meter_limit_earned() - what a time is worth
 * @limit: a limit with a rate
 * @time: units of time, up to an hour or two
 *
 * Context: Any.
 * Return: bytes or packets.
 */
s64 meter_limit_earned(const struct meter_limit *limit, u64 time)
{
	/* the quotient fits: 51 bits of time, the cost has 23 at least */
	return mul_u64_u64_div_u64(time, 1ULL << METER_COST_SHIFT, limit->cost);
}

/**
 * meter_bucket_tokens() - what is left of the burst
 * @b: the bucket
 * @limit: its limit, with a rate
 * @now: the time
 *
 * Context: Any.
 * Return: bytes or packets, below 0 after a frame larger than the burst.
 */
s64 meter_bucket_tokens(const struct meter_bucket *b,
			const struct meter_limit *limit, u64 now)
{
	u64 debt = meter_debt(atomic64_read(&b->full_at), now);

	return (s64)limit->burst - meter_limit_earned(limit, debt);
}

/**
 * meter_bucket_set() - says what is left of the burst
 * @b: the bucket
 * @limit: its limit, with a rate
 * @tokens: bytes or packets, from -2^32 to 2^32; more than the burst is the burst
 * @now: the time
 *
 * Context: Any.
 */
void meter_bucket_set(struct meter_bucket *b, const struct meter_limit *limit,
		      s64 tokens, u64 now)
{
	u64 missing = max((s64)limit->burst - tokens, 0);
	u64 debt = mul_u64_u64_shr(limit->cost, missing, METER_COST_SHIFT);

	atomic64_set(&b->full_at, now + min(debt, 2 * METER_FILL_MAX));
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The extension meter: frames of the guest that wait for their turn.
 *
 * They keep their order: as long as one waits or is being sent from here, all
 * that follow it wait behind it. A timer sends as many as the limits allow at the
 * time and then waits until the next one may go. A frame stays charged to who
 * sent it, so that a guest is slowed down, too.
 */
#include "../compat.h"
#include "meter.h"

/* Frames that the timer sends before it lets others run. */
#define METER_SHAPE_BATCH	64

/* It would rather send some at a time than wake up for each. */
#define METER_SHAPE_TICK	((50 * NSEC_PER_USEC) << METER_UNIT_SHIFT)

/* How long until the first frame may go; at least a tick if the burst has room. */
static u64 meter_shape_wait(struct meter_port *m,
			    const struct meter_config *config,
			    const struct meter_size *size, u64 now)
{
	struct meter_bucket *b = m->bucket[VMQ_FROM_GUEST].kind;
	const struct meter_limit *limit;
	u64 tick = METER_SHAPE_TICK;
	u64 wait = 0;
	int kind;

	for (kind = 0; kind < METER_KINDS; kind++) {
		limit = &config->limit[VMQ_FROM_GUEST][kind];
		if (!limit->rate)
			continue;
		wait = max(wait, meter_bucket_wait(&b[kind], limit,
						   size->n[kind], now));
		tick = min(tick, limit->depth / 4);
	}
	return max(wait, tick);
}

static void meter_shape_start(struct meter_port *m, u64 wait)
{
	lockdep_assert_held(&m->shaper.lock);
	/* rounded up: a nanosecond too early would be in vain */
	hrtimer_start(&m->shaper.timer,
		      ns_to_ktime((wait >> METER_UNIT_SHIFT) + 1),
		      HRTIMER_MODE_REL_SOFT);
}

/*
 * Moves the frames that may go to a list. If there are none, the timer is set, or
 * the shaper is not active any more.
 */
static void meter_shape_collect(struct meter_port *m, struct sk_buff_head *out)
{
	const struct meter_config *config = rcu_dereference(m->config);
	struct meter_shaper *s = &m->shaper;
	struct meter_size size;
	struct sk_buff *skb;
	u64 now;

	spin_lock(&s->lock);
	now = meter_clock();
	while ((skb = skb_peek(&s->queue)) &&
	       skb_queue_len(out) < METER_SHAPE_BATCH) {
		meter_size(skb, &size);
		if (config && config->shape &&
		    !meter_take(m, config, VMQ_FROM_GUEST, &size, now))
			break;
		__skb_unlink(skb, &s->queue);
		WRITE_ONCE(s->bytes, s->bytes - size.n[METER_BYTES]);
		__skb_queue_tail(out, skb);
	}
	if (skb_queue_empty(out)) {
		if (skb)
			meter_shape_start(m, meter_shape_wait(m, config, &size,
							      now));
		else
			WRITE_ONCE(s->active, false);
	}
	spin_unlock(&s->lock);
}

static enum hrtimer_restart meter_shape_timer(struct hrtimer *timer)
{
	struct meter_port *m = container_of(timer, struct meter_port,
					    shaper.timer);
	struct meter_size size;
	struct sk_buff_head out;
	unsigned int sent = 0;
	struct sk_buff *skb;

	__skb_queue_head_init(&out);
	rcu_read_lock();
	for (;;) {
		meter_shape_collect(m, &out);
		if (skb_queue_empty(&out))
			break;
		while ((skb = __skb_dequeue(&out))) {
			meter_size(skb, &size);
			meter_count(m, VMQ_FROM_GUEST, METER_PASSED_PACKETS,
				    &size);
			m->resume(m->ep, skb, VMQ_PASS);
			sent++;
		}
		if (sent < METER_SHAPE_BATCH)
			continue;
		spin_lock(&m->shaper.lock);
		meter_shape_start(m, 0);
		spin_unlock(&m->shaper.lock);
		break;
	}
	rcu_read_unlock();
	return HRTIMER_NORESTART;
}

/**
 * meter_shape() - lets a frame of the guest wait
 * @m: the port
 * @config: its limits; NULL where they were just removed
 * @skb: the frame
 * @size: what it takes
 *
 * Context: RCU read side, BH off.
 * Return: VMQ_CONSUMED, VMQ_DROP where there is no room for it, or VMQ_PASS if it
 * need not wait any more.
 */
enum vmq_verdict meter_shape(struct meter_port *m,
			     const struct meter_config *config,
			     struct sk_buff *skb,
			     const struct meter_size *size)
{
	u32 bytes = size->n[METER_BYTES];
	u32 limit = config ? config->shape_limit : METER_SHAPE_DEFAULT;
	struct meter_shaper *s = &m->shaper;
	u64 now = meter_clock();
	enum vmq_verdict verdict;

	spin_lock(&s->lock);
	if (!s->active && (!config ||
			   meter_take(m, config, VMQ_FROM_GUEST, size, now))) {
		verdict = VMQ_PASS;
	} else if (s->active ? s->bytes + (u64)bytes > limit :
		   !config->shape) {
		/* alone it may be larger than the room */
		verdict = VMQ_DROP;
	} else {
		__skb_queue_tail(&s->queue, skb);
		WRITE_ONCE(s->bytes, s->bytes + bytes);
		if (!s->active) {
			WRITE_ONCE(s->active, true);
			meter_shape_start(m, meter_shape_wait(m, config, size,
							      now));
		}
		verdict = VMQ_CONSUMED;
	}
	spin_unlock(&s->lock);

	meter_count(m, VMQ_FROM_GUEST,
		    verdict == VMQ_PASS ? METER_PASSED_PACKETS :
		    verdict == VMQ_DROP ? METER_DROPPED_PACKETS :
					  METER_DELAYED_PACKETS, size);
	return verdict;
}

/**
 * meter_shape_kick() - the limits changed: looks at the frames that wait
 * @m: the port
 *
 * Where nothing is shaped any more, all of them go.
 *
 * Context: Process context, rtnl held.
 */
void meter_shape_kick(struct meter_port *m)
{
	spin_lock_bh(&m->shaper.lock);
	if (m->shaper.active)
		meter_shape_start(m, 0);
	spin_unlock_bh(&m->shaper.lock);
}

/**
 * meter_shape_init() - makes a port's shaper
 * @m: the port
 *
 * Context: Process context.
 */
void meter_shape_init(struct meter_port *m)
{
	struct meter_shaper *s = &m->shaper;

	spin_lock_init(&s->lock);
	__skb_queue_head_init(&s->queue);
	hrtimer_setup(&s->timer, meter_shape_timer, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_SOFT);
}

/**
 * meter_shape_destroy() - drops what waits
 * @m: the port; no frame comes any more
 *
 * Context: Process context, sleeps, rtnl held.
 */
void meter_shape_destroy(struct meter_port *m)
{
	struct meter_size size;
	struct sk_buff *skb;

	hrtimer_cancel(&m->shaper.timer);
	local_bh_disable();
	while ((skb = __skb_dequeue(&m->shaper.queue))) {
		meter_size(skb, &size);
		meter_count(m, VMQ_FROM_GUEST, METER_DROPPED_PACKETS, &size);
		m->resume(m->ep, skb, VMQ_DROP);
	}
	local_bh_enable();
}

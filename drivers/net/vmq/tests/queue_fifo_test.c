// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the FIFO of a queue. Full and wrapped, who is woken and when, and that no
 * frame passes another one, however often the mode changes (R-24, I-07).
 */
#include <kunit/test.h>
#include <linux/prandom.h>

#include "../queue_fifo.h"

#define ROUNDS		20000
#define LIMIT		16
#define BUDGET		5

struct fifo_test {
	struct vmq_fifo fifo;
	u32 sent;		/* number of the last frame that was sent */
	u32 seen;		/* of the last one that was delivered */
};

static u32 *fifo_number(struct sk_buff *skb)
{
	return (u32 *)skb->cb;
}

static struct sk_buff *fifo_frame(struct kunit *test, u32 number)
{
	struct sk_buff *skb = alloc_skb(0, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	*fifo_number(skb) = number;
	return skb;
}

static enum vmq_wake fifo_put(struct kunit *test, struct vmq_fifo *f, u32 number)
{
	struct sk_buff *skb = fifo_frame(test, number);
	enum vmq_wake wake;

	local_bh_disable();
	wake = vmq_fifo_put(f, skb);
	local_bh_enable();
	if (wake == VMQ_WAKE_FULL)
		kfree_skb(skb);
	return wake;
}

static unsigned int fifo_take(struct vmq_fifo *f, const void *consumer,
			      struct sk_buff_head *batch)
{
	unsigned int n;

	local_bh_disable();
	n = vmq_fifo_take(f, consumer, BUDGET, batch);
	local_bh_enable();
	return n;
}

static enum vmq_wake fifo_done(struct vmq_fifo *f, const void *consumer)
{
	enum vmq_wake wake;

	local_bh_disable();
	wake = vmq_fifo_done(f, consumer);
	local_bh_enable();
	return wake;
}

static bool fifo_due(struct vmq_fifo *f, const void *consumer)
{
	bool due;

	local_bh_disable();
	due = vmq_fifo_due(f, consumer);
	local_bh_enable();
	return due;
}

/* Takes the frames of one turn and checks that they follow the last one. */
static void fifo_deliver(struct kunit *test, struct fifo_test *t,
			 struct sk_buff_head *batch)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(batch))) {
		KUNIT_EXPECT_EQ(test, t->seen + 1, *fifo_number(skb));
		t->seen = *fifo_number(skb);
		kfree_skb(skb);
	}
}

static struct fifo_test *fifo_test_new(struct kunit *test, u32 limit)
{
	struct fifo_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	vmq_fifo_init(&t->fifo, limit);
	return t;
}

/*
 * Full: not one more than the limit, and what is in it stays in order (Q-15,
 * M-03).
 */
static void fifo_full(struct kunit *test)
{
	struct fifo_test *t = fifo_test_new(test, 3);
	struct sk_buff_head batch;

	__skb_queue_head_init(&batch);
	KUNIT_EXPECT_EQ(test, VMQ_WAKE_NOW, fifo_put(test, &t->fifo, 1));
	KUNIT_EXPECT_EQ(test, VMQ_SLOW_WAIT, t->fifo.slow);
	KUNIT_EXPECT_EQ(test, VMQ_WAKE_NONE, fifo_put(test, &t->fifo, 2));
	KUNIT_EXPECT_EQ(test, VMQ_WAKE_NONE, fifo_put(test, &t->fifo, 3));
	KUNIT_EXPECT_EQ(test, VMQ_WAKE_FULL, fifo_put(test, &t->fifo, 4));
	KUNIT_EXPECT_EQ(test, 3, fifo_take(&t->fifo, NULL, &batch));
	fifo_deliver(test, t, &batch);
	KUNIT_EXPECT_EQ(test, VMQ_SLOW_WAIT, t->fifo.slow);
	KUNIT_EXPECT_EQ(test, VMQ_WAKE_NONE, fifo_done(&t->fifo, NULL));
	KUNIT_EXPECT_EQ(test, 0, t->fifo.slow);
	KUNIT_EXPECT_EQ(test, 3, t->seen);
}

/*
 * Held: frames go in, more than the limit, none comes out, then all in order
 * (F-30).
 */
static void fifo_hold(struct kunit *test)
{
	struct fifo_test *t = fifo_test_new(test, 3);
	struct sk_buff_head batch;
	int i;

	__skb_queue_head_init(&batch);
	vmq_fifo_hold(&t->fifo);
	KUNIT_EXPECT_TRUE(test, t->fifo.slow & VMQ_SLOW_FIFO);
	for (i = 1; i <= 5; i++)
		KUNIT_EXPECT_EQ(test, VMQ_WAKE_NONE,
				fifo_put(test, &t->fifo, i));
	KUNIT_EXPECT_EQ(test, 0, fifo_take(&t->fifo, NULL, &batch));
	KUNIT_EXPECT_EQ(test, VMQ_WAKE_NOW, vmq_fifo_unhold(&t->fifo));
	/* the limit counts again */
	KUNIT_EXPECT_EQ(test, VMQ_WAKE_FULL, fifo_put(test, &t->fifo, 6));
	KUNIT_EXPECT_EQ(test, 5, fifo_take(&t->fifo, NULL, &batch));
	fifo_deliver(test, t, &batch);
	KUNIT_EXPECT_EQ(test, VMQ_WAKE_NONE, fifo_done(&t->fifo, NULL));
	KUNIT_EXPECT_EQ(test, 0, t->fifo.slow);

	/* nothing came meanwhile: nobody is woken, and it is direct again */
	vmq_fifo_hold(&t->fifo);
	KUNIT_EXPECT_EQ(test, VMQ_WAKE_NONE, vmq_fifo_unhold(&t->fifo));
	KUNIT_EXPECT_EQ(test, 0, t->fifo.slow);
}

/*
 * Held while somebody delivers: he finds nothing more, and is woken later
 * (F-30).
 */
static void fifo_hold_busy(struct kunit *test)
{
	struct fifo_test *t = fifo_test_new(test, LIMIT);
	struct sk_buff_head batch;

	__skb_queue_head_init(&batch);
	fifo_put(test, &t->fifo, 1);
	KUNIT_EXPECT_EQ(test, 1, fifo_take(&t->fifo, NULL, &batch));
	vmq_fifo_hold(&t->fifo);
	fifo_put(test, &t->fifo, 2);
	KUNIT_EXPECT_EQ(test, VMQ_WAKE_AGAIN, fifo_done(&t->fifo, NULL));
	KUNIT_EXPECT_EQ(test, 0, fifo_take(&t->fifo, NULL, &batch));
	KUNIT_EXPECT_EQ(test, VMQ_WAKE_NOW, vmq_fifo_unhold(&t->fifo));
	KUNIT_EXPECT_EQ(test, 1, fifo_take(&t->fifo, NULL, &batch));
	fifo_deliver(test, t, &batch);
	KUNIT_EXPECT_EQ(test, VMQ_WAKE_NONE, fifo_done(&t->fifo, NULL));
	KUNIT_EXPECT_EQ(test, 2, t->seen);
}

/*
 * A mark is past when what was there is delivered, whatever came behind it
 * (F-30).
 */
static void fifo_mark(struct kunit *test)
{
	struct fifo_test *t = fifo_test_new(test, LIMIT);
	struct sk_buff_head batch;
	u32 mark;

	__skb_queue_head_init(&batch);
	/* near its end, so that it wraps */
	t->fifo.passed = U32_MAX - 1;
	KUNIT_EXPECT_TRUE(test, vmq_fifo_is_past(&t->fifo,
						 vmq_fifo_mark(&t->fifo)));
	fifo_put(test, &t->fifo, 1);
	fifo_put(test, &t->fifo, 2);
	mark = vmq_fifo_mark(&t->fifo);
	KUNIT_EXPECT_FALSE(test, vmq_fifo_is_past(&t->fifo, mark));
	KUNIT_EXPECT_EQ(test, 2, fifo_take(&t->fifo, NULL, &batch));
	/* on their way, not there yet */
	KUNIT_EXPECT_FALSE(test, vmq_fifo_is_past(&t->fifo, mark));
	KUNIT_EXPECT_EQ(test, mark, vmq_fifo_mark(&t->fifo));
	fifo_put(test, &t->fifo, 3);
	fifo_deliver(test, t, &batch);
	fifo_done(&t->fifo, NULL);
	KUNIT_EXPECT_TRUE(test, vmq_fifo_is_past(&t->fifo, mark));
	/* what is dropped is past too */
	mark = vmq_fifo_mark(&t->fifo);
	KUNIT_EXPECT_FALSE(test, vmq_fifo_is_past(&t->fifo, mark));
	vmq_fifo_purge(&t->fifo, &batch);
	__skb_queue_purge(&batch);
	KUNIT_EXPECT_TRUE(test, vmq_fifo_is_past(&t->fifo, mark));
}

/* Wrapped many times over: 7 of 16 in, 5 at a time out. */
static void fifo_wrap(struct kunit *test)
{
	struct fifo_test *t = fifo_test_new(test, LIMIT);
	struct sk_buff_head batch;
	int round, i;

	__skb_queue_head_init(&batch);
	for (round = 0; round < 1000; round++) {
		for (i = 0; i < 7; i++)
			KUNIT_EXPECT_NE(test, VMQ_WAKE_FULL,
					fifo_put(test, &t->fifo, ++t->sent));
		do {
			KUNIT_EXPECT_NE(test, 0,
					fifo_take(&t->fifo, NULL, &batch));
			fifo_deliver(test, t, &batch);
		} while (fifo_done(&t->fifo, NULL) == VMQ_WAKE_AGAIN);
		KUNIT_EXPECT_EQ(test, t->sent, t->seen);
		KUNIT_EXPECT_EQ(test, 0, t->fifo.slow);
	}
}

/* -G and buffers: fewer than wait loses none of those that do. */
static void fifo_shrink(struct kunit *test)
{
	struct fifo_test *t = fifo_test_new(test, LIMIT);
	struct sk_buff_head batch;
	int i;

	__skb_queue_head_init(&batch);
	for (i = 1; i <= 4; i++)
		fifo_put(test, &t->fifo, i);
	vmq_fifo_bound(&t->fifo, 2);
	KUNIT_EXPECT_EQ(test, VMQ_WAKE_FULL, fifo_put(test, &t->fifo, 5));
	KUNIT_EXPECT_EQ(test, 4, fifo_take(&t->fifo, NULL, &batch));
	fifo_deliver(test, t, &batch);
	fifo_done(&t->fifo, NULL);
	KUNIT_EXPECT_EQ(test, 4, t->seen);
	vmq_fifo_bound(&t->fifo, LIMIT);
	KUNIT_EXPECT_EQ(test, VMQ_WAKE_NOW, fifo_put(test, &t->fifo, 5));
	fifo_take(&t->fifo, NULL, &batch);
	fifo_deliver(test, t, &batch);
	fifo_done(&t->fifo, NULL);
}

/* Moderation: the first one starts the clock, the last one ends it (I-09). */
static void fifo_patience(struct kunit *test)
{
	struct fifo_test *t = fifo_test_new(test, 100);
	struct sk_buff_head batch;

	__skb_queue_head_init(&batch);
	vmq_fifo_switch(&t->fifo, t);
	vmq_fifo_moderate(&t->fifo, NULL, 4);
	KUNIT_EXPECT_EQ(test, 0, t->fifo.patience);
	vmq_fifo_moderate(&t->fifo, t, 4);
	KUNIT_EXPECT_EQ(test, VMQ_WAKE_LATER, fifo_put(test, &t->fifo, 1));
	KUNIT_EXPECT_EQ(test, VMQ_WAKE_NONE, fifo_put(test, &t->fifo, 2));
	KUNIT_EXPECT_EQ(test, VMQ_WAKE_NONE, fifo_put(test, &t->fifo, 3));
	KUNIT_EXPECT_EQ(test, VMQ_WAKE_NOW, fifo_put(test, &t->fifo, 4));
	KUNIT_EXPECT_FALSE(test, fifo_due(&t->fifo, t));
	KUNIT_EXPECT_EQ(test, 4, fifo_take(&t->fifo, t, &batch));
	fifo_deliver(test, t, &batch);
	/* while somebody delivers, nobody needs to be woken */
	KUNIT_EXPECT_EQ(test, VMQ_WAKE_NONE, fifo_put(test, &t->fifo, 5));
	KUNIT_EXPECT_EQ(test, VMQ_WAKE_AGAIN, fifo_done(&t->fifo, t));
	KUNIT_EXPECT_EQ(test, 1, fifo_take(&t->fifo, t, &batch));
	fifo_deliver(test, t, &batch);
	KUNIT_EXPECT_EQ(test, VMQ_WAKE_NONE, fifo_done(&t->fifo, t));

	KUNIT_EXPECT_EQ(test, VMQ_WAKE_LATER, fifo_put(test, &t->fifo, 6));
	KUNIT_EXPECT_FALSE(test, fifo_due(&t->fifo, NULL));
	KUNIT_EXPECT_TRUE(test, fifo_due(&t->fifo, t));
	KUNIT_EXPECT_FALSE(test, fifo_due(&t->fifo, t));
	fifo_take(&t->fifo, t, &batch);
	fifo_deliver(test, t, &batch);
	fifo_done(&t->fifo, t);
	KUNIT_EXPECT_FALSE(test, fifo_due(&t->fifo, t));
}

/* More patience than room: half full wakes (I-09). */
static void fifo_patience_half(struct kunit *test)
{
	struct fifo_test *t = fifo_test_new(test, 4);
	struct sk_buff_head batch;

	__skb_queue_head_init(&batch);
	vmq_fifo_switch(&t->fifo, t);
	vmq_fifo_moderate(&t->fifo, t, 1000);
	KUNIT_EXPECT_EQ(test, VMQ_WAKE_LATER, fifo_put(test, &t->fifo, 1));
	KUNIT_EXPECT_EQ(test, VMQ_WAKE_NONE, fifo_put(test, &t->fifo, 2));
	KUNIT_EXPECT_EQ(test, VMQ_WAKE_NOW, fifo_put(test, &t->fifo, 3));
	vmq_fifo_purge(&t->fifo, &batch);
	fifo_deliver(test, t, &batch);
	KUNIT_EXPECT_EQ(test, 3, t->seen);
}

/* One change of mode: what it finds, and what is to be done. */
struct fifo_switch_row {
	const char *name;
	bool queued;		/* before */
	bool waiting;		/* a frame waits */
	bool busy;		/* another one is on its way */
	bool to_queued;
	enum vmq_wake wake;
	unsigned int slow;	/* after */
	enum vmq_wake done;	/* of who was busy */
};

static const struct fifo_switch_row fifo_switch_rows[] = {
	{ "direct to queued, idle", false, false, false, true,
	  VMQ_WAKE_NONE, VMQ_SLOW_NAPI },
	{ "direct to queued, a frame waits", false, true, false, true,
	  VMQ_WAKE_NOW, VMQ_SLOW_NAPI },
	{ "direct to queued, one on its way", false, false, true, true,
	  VMQ_WAKE_NONE, VMQ_SLOW_NAPI, VMQ_WAKE_NONE },
	{ "direct to queued, both", false, true, true, true,
	  VMQ_WAKE_NONE, VMQ_SLOW_NAPI, VMQ_WAKE_NOW },
	{ "queued to direct, idle", true, false, false, false,
	  VMQ_WAKE_NONE, 0 },
	{ "queued to direct, a frame waits", true, true, false, false,
	  VMQ_WAKE_NOW, VMQ_SLOW_WAIT },
	{ "queued to direct, one on its way", true, false, true, false,
	  VMQ_WAKE_NONE, VMQ_SLOW_WAIT, VMQ_WAKE_NONE },
	{ "queued to direct, both", true, true, true, false,
	  VMQ_WAKE_NONE, VMQ_SLOW_WAIT, VMQ_WAKE_NOW },
};

static void fifo_switch_name(const struct fifo_switch_row *row, char *name)
{
	strscpy(name, row->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(fifo_switch_row, fifo_switch_rows, fifo_switch_name);

/* Another consumer takes over, from each to each (R-24, I-07). */
static void fifo_switch(struct kunit *test)
{
	const struct fifo_switch_row *row = test->param_value;
	struct fifo_test *t = fifo_test_new(test, LIMIT);
	struct vmq_fifo *f = &t->fifo;
	struct sk_buff_head batch, rest;
	const void *before = row->queued ? t : NULL;
	const void *after = row->to_queued ? t : NULL;

	__skb_queue_head_init(&batch);
	__skb_queue_head_init(&rest);
	vmq_fifo_switch(f, before);
	if (row->busy) {
		fifo_put(test, f, ++t->sent);
		KUNIT_EXPECT_EQ(test, 1, fifo_take(f, before, &batch));
	}
	if (row->waiting)
		fifo_put(test, f, ++t->sent);

	KUNIT_EXPECT_EQ(test, row->wake, vmq_fifo_switch(f, after));
	KUNIT_EXPECT_EQ(test, row->slow, f->slow);
	/* the one before gets nothing more, the new one not yet */
	KUNIT_EXPECT_EQ(test, 0, fifo_take(f, before, &rest));
	if (row->busy) {
		KUNIT_EXPECT_EQ(test, 0, fifo_take(f, after, &rest));
		fifo_deliver(test, t, &batch);
		KUNIT_EXPECT_EQ(test, row->done, fifo_done(f, before));
	}
	if (row->waiting) {
		KUNIT_EXPECT_EQ(test, 1, fifo_take(f, after, &rest));
		fifo_deliver(test, t, &rest);
		KUNIT_EXPECT_EQ(test, VMQ_WAKE_NONE, fifo_done(f, after));
	}
	KUNIT_EXPECT_EQ(test, t->sent, t->seen);
	KUNIT_EXPECT_EQ(test, row->to_queued ? VMQ_SLOW_NAPI : 0, f->slow);
}

/*
 * Frames, consumers and changes of mode in any order: each frame arrives, in
 * its place. A consumer is only let run when it was woken, so a wake-up that is
 * lost shows as frames that never come.
 */
static void fifo_random(struct kunit *test)
{
	struct fifo_test *t = fifo_test_new(test, LIMIT);
	const void *who[] = { NULL, t, test };
	const void *current_one = NULL, *busy = NULL;
	struct vmq_fifo *f = &t->fifo;
	struct sk_buff_head batch;
	bool woken = false, running = false;
	struct rnd_state rnd;
	u32 direct = 0;
	int i;

	prandom_seed_state(&rnd, 20261122);
	__skb_queue_head_init(&batch);
	for (i = 0; i < ROUNDS; i++) {
		enum vmq_wake wake = VMQ_WAKE_NONE;

		switch (prandom_u32_state(&rnd) % 8) {
		case 0 ... 1:			/* a frame arrives */
			if (f->slow) {
				wake = fifo_put(test, f, t->sent + 1);
				t->sent += wake != VMQ_WAKE_FULL;
			} else if (prandom_u32_state(&rnd) % 4) {
				KUNIT_EXPECT_EQ(test, t->seen, t->sent);
				t->seen = ++t->sent;
				direct++;
			} else {		/* it can't be delivered here */
				wake = fifo_put(test, f, ++t->sent);
			}
			break;
		case 2 ... 4:			/* the consumer runs */
			if (woken && fifo_take(f, current_one, &batch)) {
				KUNIT_EXPECT_FALSE(test, running);
				running = true;
				busy = current_one;
			}
			woken = false;
			break;
		case 5 ... 6:			/* and is through */
			if (!running)
				break;
			running = false;
			fifo_deliver(test, t, &batch);
			wake = fifo_done(f, busy);
			break;
		case 7:				/* the mode changes */
			if (prandom_u32_state(&rnd) % 8)
				break;
			current_one = who[prandom_u32_state(&rnd) % 3];
			wake = vmq_fifo_switch(f, current_one);
			break;
		}
		woken |= wake == VMQ_WAKE_NOW || wake == VMQ_WAKE_AGAIN;
	}
	for (i = 0; i < LIMIT && t->seen != t->sent; i++) {
		if (!running)
			fifo_take(f, current_one, &batch);
		fifo_deliver(test, t, &batch);
		if (fifo_done(f, running ? busy : current_one) ==
		    VMQ_WAKE_NONE)
			woken = false;
		running = false;
	}
	KUNIT_EXPECT_EQ(test, t->sent, t->seen);
	KUNIT_EXPECT_GT(test, direct, 100);
	KUNIT_EXPECT_GT(test, t->sent, ROUNDS / 8);
}

/* purged while frames are on their way, then in use again. */
static void fifo_purge(struct kunit *test)
{
	struct fifo_test *t = fifo_test_new(test, LIMIT);
	struct sk_buff_head batch, rest;

	__skb_queue_head_init(&batch);
	__skb_queue_head_init(&rest);
	fifo_put(test, &t->fifo, 1);
	fifo_take(&t->fifo, NULL, &batch);
	fifo_put(test, &t->fifo, 2);
	vmq_fifo_purge(&t->fifo, &rest);
	KUNIT_EXPECT_EQ(test, VMQ_SLOW_WAIT, t->fifo.slow);
	fifo_deliver(test, t, &batch);
	KUNIT_EXPECT_EQ(test, VMQ_WAKE_NONE, fifo_done(&t->fifo, NULL));
	KUNIT_EXPECT_EQ(test, 0, t->fifo.slow);
	fifo_deliver(test, t, &rest);
	KUNIT_EXPECT_EQ(test, VMQ_WAKE_NOW, fifo_put(test, &t->fifo, 3));
	vmq_fifo_purge(&t->fifo, &rest);
	KUNIT_EXPECT_EQ(test, 0, t->fifo.slow);
	fifo_deliver(test, t, &rest);
	KUNIT_EXPECT_EQ(test, 3, t->seen);
}

static struct kunit_case fifo_cases[] = {
	KUNIT_CASE(fifo_full),
	KUNIT_CASE(fifo_hold),
	KUNIT_CASE(fifo_hold_busy),
	KUNIT_CASE(fifo_mark),
	KUNIT_CASE(fifo_wrap),
	KUNIT_CASE(fifo_shrink),
	KUNIT_CASE(fifo_patience),
	KUNIT_CASE(fifo_patience_half),
	KUNIT_CASE_PARAM(fifo_switch, fifo_switch_row_gen_params),
	KUNIT_CASE(fifo_random),
	KUNIT_CASE(fifo_purge),
	{}
};

static struct kunit_suite fifo_suite = {
	.name = "vmq-queue-fifo",
	.test_cases = fifo_cases,
};

kunit_test_suites(&fifo_suite);

// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the gate: its states, its bounds, the order of its frames; and
 * of its record, written and read, cut and damaged.
 */
#include <kunit/test.h>
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "../gate.h"
#include "../gate_state.h"
#include "../vmq_priv.h"

#define TEST_FUZZ	10000

/* A gate, and a port that remembers what it was given. */
struct test_gate {
	struct vmq_gate g;
	struct sk_buff_head delivered;
	struct sk_buff_head forwarded;
	unsigned int lost;
	unsigned int opened;
	unsigned int drained;
	unsigned int room;	/* frames that the guest takes before it reads */
	/* one that comes while this frame is being delivered */
	int interrupt_at;
	struct sk_buff *interrupt;
	bool interrupt_held;
};

static struct test_gate *test_of(struct vmq_gate *g)
{
	return container_of(g, struct test_gate, g);
}

static bool test_ready(struct vmq_gate *g)
{
	return skb_queue_len(&test_of(g)->delivered) < test_of(g)->room;
}

static int test_number(const struct sk_buff *skb)
{
	int number;

	memcpy(&number, skb->data, sizeof(number));
	return number;
}

static void test_deliver(struct vmq_gate *g, struct sk_buff *skb)
{
	struct test_gate *t = test_of(g);

	if (t->interrupt && test_number(skb) == t->interrupt_at) {
		t->interrupt_held = vmq_gate_hold(g, t->interrupt);
		t->interrupt = NULL;
	}
	__skb_queue_tail(&t->delivered, skb);
}

static void test_forward(struct vmq_gate *g, struct sk_buff *skb)
{
	__skb_queue_tail(&test_of(g)->forwarded, skb);
}

static void test_lost(struct vmq_gate *g, struct sk_buff *skb)
{
	test_of(g)->lost++;
	kfree_skb(skb);
}

static void test_opened(struct vmq_gate *g)
{
	test_of(g)->opened++;
}

static void test_drained(struct vmq_gate *g)
{
	test_of(g)->drained++;
}

static const struct vmq_gate_ops test_ops = {
	.ready = test_ready,
	.deliver = test_deliver,
	.forward = test_forward,
	.lost = test_lost,
	.opened = test_opened,
	.drained = test_drained,
};

static void test_gate_end(void *data)
{
	struct test_gate *t = data;

	vmq_gate_destroy(&t->g);
	__skb_queue_purge(&t->delivered);
	__skb_queue_purge(&t->forwarded);
}

static struct test_gate *test_gate(struct kunit *test)
{
	struct test_gate *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	__skb_queue_head_init(&t->delivered);
	__skb_queue_head_init(&t->forwarded);
	t->room = 10000;
	vmq_gate_init(&t->g, &test_ops);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, test_gate_end, t));
	return t;
}

static struct sk_buff *test_skb(struct kunit *test, int number,
				unsigned int len)
{
	struct sk_buff *skb = alloc_skb(len, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	memset(skb_put(skb, len), 0, len);
	memcpy(skb->data, &number, sizeof(number));
	*vmq_gate_cb(skb) = (struct vmq_gate_cb) {};
	return skb;
}

/* Offers a frame as the data path does; true: it was held. */
static bool test_offer(struct kunit *test, struct test_gate *t, int number)
{
	struct sk_buff *skb = test_skb(test, number, 64);
	bool held;

	local_bh_disable();
	rcu_read_lock();
	held = READ_ONCE(t->g.shut) && vmq_gate_hold(&t->g, skb);
	if (!held)
		__skb_queue_tail(&t->delivered, skb);
	rcu_read_unlock();
	local_bh_enable();
	return held;
}

static void test_expect(struct kunit *test, struct sk_buff_head *list,
			int first, unsigned int count)
{
	struct sk_buff *skb;

	KUNIT_ASSERT_EQ(test, skb_queue_len(list), count);
	skb_queue_walk(list, skb)
		KUNIT_EXPECT_EQ(test, test_number(skb), first++);
}

static void vmq_gate_states(struct kunit *test)
{
	struct test_gate *t = test_gate(test);
	struct vmq_gate *g = &t->g;

	KUNIT_EXPECT_EQ(test, g->mode, VMQ_PORT_GATE_OPEN);
	KUNIT_EXPECT_FALSE(test, g->shut);
	KUNIT_EXPECT_FALSE_MSG(test, vmq_gate_open(g), "it is open");
	vmq_gate_close(g, VMQ_PORT_GATE_CLOSED);
	KUNIT_EXPECT_EQ(test, g->mode, VMQ_PORT_GATE_CLOSED);
	KUNIT_EXPECT_TRUE(test, g->shut);
	KUNIT_EXPECT_NE(test, g->closed_at, 0ULL);
	KUNIT_EXPECT_FALSE(test, g->expected);
	vmq_gate_close(g, VMQ_PORT_GATE_AUTO);
	KUNIT_EXPECT_EQ(test, g->mode, VMQ_PORT_GATE_AUTO);
	KUNIT_EXPECT_TRUE(test, g->expected);
	KUNIT_EXPECT_EQ(test, t->opened, 0U);
	KUNIT_EXPECT_TRUE(test, vmq_gate_open(g));
	KUNIT_EXPECT_EQ(test, t->opened, 1U);
	KUNIT_EXPECT_NE(test, g->gap, 0ULL);
	flush_delayed_work(&g->drain);
	KUNIT_EXPECT_FALSE(test, g->shut);
	KUNIT_EXPECT_FALSE(test, g->expected);
	KUNIT_EXPECT_EQ(test, t->drained, 1U);
}

static void vmq_gate_in_order(struct kunit *test)
{
	struct test_gate *t = test_gate(test);
	int i;

	KUNIT_EXPECT_FALSE(test, test_offer(test, t, 0));
	vmq_gate_close(&t->g, VMQ_PORT_GATE_AUTO);
	for (i = 1; i < 100; i++)
		KUNIT_EXPECT_TRUE(test, test_offer(test, t, i));
	KUNIT_EXPECT_EQ(test, t->g.frames, 99U);
	/* one that comes while a frame is being delivered is behind all */
	t->interrupt_at = 50;
	t->interrupt = test_skb(test, 100, 64);
	vmq_gate_open(&t->g);
	flush_delayed_work(&t->g.drain);
	KUNIT_EXPECT_TRUE(test, t->interrupt_held);
	KUNIT_EXPECT_FALSE(test, test_offer(test, t, 101));
	test_expect(test, &t->delivered, 0, 102);
	KUNIT_EXPECT_EQ(test, t->g.n.held, 100ULL);
	KUNIT_EXPECT_EQ(test, t->g.n.replayed, 100ULL);
	KUNIT_EXPECT_EQ(test, t->g.frames, 0U);
	KUNIT_EXPECT_EQ(test, t->g.bytes, 0U);
}

static void vmq_gate_bounds(struct kunit *test)
{
	struct test_gate *t = test_gate(test);
	unsigned int size, i;
	struct sk_buff *skb;

	vmq_gate_limit(&t->g, 10, 0);
	vmq_gate_close(&t->g, VMQ_PORT_GATE_CLOSED);
	for (i = 0; i < 25; i++)
		KUNIT_EXPECT_TRUE(test, test_offer(test, t, i));
	KUNIT_EXPECT_EQ(test, t->lost, 15U);
	KUNIT_EXPECT_EQ(test, t->g.n.dropped, 15ULL);
	KUNIT_EXPECT_EQ(test, t->g.frames, 10U);
	/* the oldest were kept */
	vmq_gate_open(&t->g);
	flush_delayed_work(&t->g.drain);
	test_expect(test, &t->delivered, 0, 10);
	__skb_queue_purge(&t->delivered);

	skb = test_skb(test, 0, 64);
	size = skb->truesize;
	kfree_skb(skb);
	vmq_gate_limit(&t->g, 1000, 5 * size + size / 2);
	vmq_gate_close(&t->g, VMQ_PORT_GATE_CLOSED);
	for (i = 0; i < 8; i++)
		test_offer(test, t, i);
	KUNIT_EXPECT_EQ(test, t->g.frames, 5U);
	KUNIT_EXPECT_EQ(test, t->g.bytes, 5 * size);
	/* less room than what waits already: it stays, no more is taken */
	vmq_gate_limit(&t->g, 2, size);
	test_offer(test, t, 9);
	KUNIT_EXPECT_EQ(test, t->g.frames, 5U);
	KUNIT_EXPECT_EQ(test, t->g.n.dropped, 19ULL);
}

static void vmq_gate_slow_guest(struct kunit *test)
{
	struct test_gate *t = test_gate(test);
	int i;

	vmq_gate_close(&t->g, VMQ_PORT_GATE_CLOSED);
	for (i = 0; i < 20; i++)
		test_offer(test, t, i);
	t->room = 8;
	vmq_gate_open(&t->g);
	flush_delayed_work(&t->g.drain);
	KUNIT_EXPECT_EQ(test, skb_queue_len(&t->delivered), 8U);
	KUNIT_EXPECT_TRUE_MSG(test, t->g.shut, "what is new has to wait too");
	KUNIT_EXPECT_TRUE(test, test_offer(test, t, 20));
	t->room = 100;
	while (READ_ONCE(t->g.shut))
		flush_delayed_work(&t->g.drain);
	test_expect(test, &t->delivered, 0, 21);
}

static void vmq_gate_saved(struct kunit *test)
{
	struct test_gate *t = test_gate(test);
	struct sk_buff_head list;
	u64 closed_at;
	int i;

	__skb_queue_head_init(&list);
	/* failed: open as before */
	vmq_gate_save_begin(&t->g);
	KUNIT_EXPECT_EQ(test, t->g.mode, VMQ_PORT_GATE_AUTO);
	test_offer(test, t, 0);
	vmq_gate_save_end(&t->g, false, 0, 0);
	flush_delayed_work(&t->g.drain);
	KUNIT_EXPECT_EQ(test, t->g.mode, VMQ_PORT_GATE_OPEN);
	test_expect(test, &t->delivered, 0, 1);

	/* well: automatic, what is in the stream is kept and not forwarded */
	vmq_gate_redirect(&t->g, true);
	vmq_gate_save_begin(&t->g);
	for (i = 1; i < 4; i++)
		test_offer(test, t, i);
	flush_delayed_work(&t->g.drain);
	KUNIT_EXPECT_EQ(test, skb_queue_len(&t->forwarded), 0U);
	KUNIT_EXPECT_EQ(test, vmq_gate_clone(&t->g, &list, &closed_at), 0U);
	test_expect(test, &list, 1, 3);
	__skb_queue_purge(&list);
	KUNIT_EXPECT_EQ(test, closed_at, t->g.closed_at);
	test_offer(test, t, 4);
	vmq_gate_save_end(&t->g, true, 3, 0);
	flush_delayed_work(&t->g.drain);
	test_offer(test, t, 5);
	test_expect(test, &t->forwarded, 4, 2);
	KUNIT_EXPECT_EQ(test, t->g.frames, 3U);
	KUNIT_EXPECT_EQ(test, t->g.n.saved, 3U);
	KUNIT_EXPECT_EQ(test, t->g.n.redirected, 2ULL);

	/* aborted after all */
	vmq_gate_save_undo(&t->g);
	flush_delayed_work(&t->g.drain);
	test_expect(test, &t->delivered, 0, 4);

	/* one that was not open stays what it was */
	vmq_gate_close(&t->g, VMQ_PORT_GATE_CLOSED);
	vmq_gate_save_begin(&t->g);
	vmq_gate_save_end(&t->g, true, 0, 0);
	vmq_gate_save_undo(&t->g);
	KUNIT_EXPECT_EQ(test, t->g.mode, VMQ_PORT_GATE_CLOSED);
}

static void vmq_gate_restored(struct kunit *test)
{
	struct test_gate *t = test_gate(test);
	struct sk_buff_head list;
	int i;

	__skb_queue_head_init(&list);
	vmq_gate_close(&t->g, VMQ_PORT_GATE_AUTO);
	for (i = 5; i < 8; i++)
		test_offer(test, t, i);
	/* stale, from an earlier stream */
	__skb_queue_tail(&list, test_skb(test, 77, 64));
	vmq_gate_put_first(&t->g, &list, 0);
	for (i = 0; i < 5; i++)
		__skb_queue_tail(&list, test_skb(test, i, 64));
	vmq_gate_restore(&t->g, &list, 1234, 6, 1);
	KUNIT_EXPECT_TRUE(test, skb_queue_empty(&list));
	KUNIT_EXPECT_EQ(test, t->g.mode, VMQ_PORT_GATE_AUTO);
	KUNIT_EXPECT_EQ(test, t->g.closed_at, 1234ULL);
	KUNIT_EXPECT_EQ(test, t->g.n.restored, 6U);
	KUNIT_EXPECT_EQ(test, t->g.n.dropped, 1ULL);
	vmq_gate_open(&t->g);
	flush_delayed_work(&t->g.drain);
	test_expect(test, &t->delivered, 0, 8);

	/* into an open gate: before all that is new, and it stays open */
	__skb_queue_tail(&list, test_skb(test, 8, 64));
	vmq_gate_restore(&t->g, &list, 0, 1, 0);
	flush_delayed_work(&t->g.drain);
	test_expect(test, &t->delivered, 0, 9);
	KUNIT_EXPECT_FALSE(test, t->g.shut);
}

/* A port that goes takes what waits with it; late frames pass by. */
static void vmq_gate_destroyed(struct kunit *test)
{
	struct test_gate *t = test_gate(test);
	int i;

	vmq_gate_close(&t->g, VMQ_PORT_GATE_CLOSED);
	for (i = 0; i < 5; i++)
		test_offer(test, t, i);
	vmq_gate_destroy(&t->g);
	KUNIT_EXPECT_EQ(test, t->g.frames, 0U);
	KUNIT_EXPECT_EQ(test, t->g.bytes, 0U);
	KUNIT_EXPECT_FALSE(test, test_offer(test, t, 5));
	test_expect(test, &t->delivered, 5, 1);
}

/* ---- the record ---- */

static const struct vmq_gate_head test_head = {
	.closed_at = 1234567890123456789ULL,
	.n_known = 2,
	.known = {
		{ .family = AF_INET, .vid = 7,
		  .addr.s6_addr = { 192, 0, 2, 1 } },
		{ .family = AF_INET6,
		  .addr.s6_addr = { 0xfd, [15] = 1 } },
	},
};

static void *test_record(struct kunit *test, struct vmq_record *rec, u32 room,
			 unsigned int n, unsigned int len)
{
	struct sk_buff_head frames;
	struct sk_buff *skb;
	unsigned int i;
	int ret;

	__skb_queue_head_init(&frames);
	for (i = 0; i < n; i++) {
		skb = test_skb(test, i, len + i);
		vmq_gate_cb(skb)->index = i;
		vmq_gate_cb(skb)->counted = i & 1;
		if (i == 1)
			__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q), 0x6007);
		__skb_queue_tail(&frames, skb);
	}
	memset(rec, 0, sizeof(*rec));
	rec->size = room;
	rec->data = kunit_kzalloc(test, room, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rec->data);
	ret = vmq_gate_encode(&test_head, &frames, rec);
	KUNIT_EXPECT_GT(test, ret, 0);
	__skb_queue_purge(&frames);
	rec->size = max(ret, 0);
	return rec->data;
}

struct test_frames {
	struct kunit *test;
	int n;
};

static void test_frame(void *ctx, const struct vmq_gate_frame *frame)
{
	struct test_frames *seen = ctx;
	int number;

	memcpy(&number, frame->data, sizeof(number));
	KUNIT_EXPECT_EQ(seen->test, number, seen->n);
	KUNIT_EXPECT_EQ(seen->test, frame->index, seen->n);
	KUNIT_EXPECT_EQ(seen->test, frame->len, 60U + seen->n);
	KUNIT_EXPECT_EQ(seen->test, !!(frame->flags & VMQ_GATE_FRAME_COUNTED),
			seen->n & 1);
	KUNIT_EXPECT_EQ(seen->test, frame->vlan_tci,
			seen->n == 1 ? 0x6007 : 0);
	KUNIT_EXPECT_EQ(seen->test, frame->vlan_proto,
			seen->n == 1 ? ETH_P_8021Q : 0);
	seen->n++;
}

static void vmq_gate_round_trip(struct kunit *test)
{
	struct test_frames seen = { .test = test };
	struct vmq_gate_head head = {};
	struct vmq_record rec;

	test_record(test, &rec, 4096, 5, 60);
	KUNIT_EXPECT_EQ(test, rec.flags, VMQ_RECORD_OPTIONAL);
	KUNIT_ASSERT_EQ(test, 0,
			vmq_gate_parse(&rec, &head, test_frame, &seen, NULL));
	KUNIT_EXPECT_EQ(test, seen.n, 5);
	KUNIT_EXPECT_EQ(test, head.closed_at, test_head.closed_at);
	KUNIT_ASSERT_EQ(test, head.n_known, 2U);
	KUNIT_EXPECT_MEMEQ(test, head.known, test_head.known,
			   2 * sizeof(head.known[0]));
}

/* [SR-07, SR-11] More than fits one record: it asks for room, then splits. */
static void vmq_gate_split(struct kunit *test)
{
	struct vmq_record rec = { .size = 100 };
	struct sk_buff_head frames;
	unsigned int i, records = 0;
	int ret;

	__skb_queue_head_init(&frames);
	for (i = 0; i < 100; i++)
		__skb_queue_tail(&frames, test_skb(test, i, 1514));
	rec.data = kunit_kzalloc(test, VMQ_RECORD_DATA_MAX, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rec.data);
	KUNIT_EXPECT_EQ(test, vmq_gate_encode(&test_head, &frames, &rec),
			-EMSGSIZE);
	KUNIT_EXPECT_EQ(test, rec.needed, (u32)VMQ_RECORD_DATA_MAX);
	KUNIT_EXPECT_EQ(test, skb_queue_len(&frames), 100U);
	rec.size = VMQ_RECORD_DATA_MAX;
	while (!skb_queue_empty(&frames) && records < 10) {
		ret = vmq_gate_encode(records ? NULL : &test_head, &frames,
				      &rec);
		KUNIT_ASSERT_GT(test, ret, 0);
		KUNIT_ASSERT_LE(test, ret, (int)VMQ_RECORD_DATA_MAX);
		records++;
	}
	KUNIT_EXPECT_EQ(test, records, 3U);
	/* the largest frame that is put there fits beside the rest */
	__skb_queue_tail(&frames, test_skb(test, 0, VMQ_GATE_FRAME_MAX));
	KUNIT_EXPECT_GT(test, vmq_gate_encode(&test_head, &frames, &rec), 0);
	KUNIT_EXPECT_TRUE(test, skb_queue_empty(&frames));
	__skb_queue_purge(&frames);
}

/* Cut at any byte it is refused, or it is a shorter list of whole items. */
static void vmq_gate_cut(struct kunit *test)
{
	struct vmq_record rec;
	u32 whole, accepted = 0;

	test_record(test, &rec, 4096, 3, 60);
	whole = rec.size;
	for (rec.size = 0; rec.size < whole; rec.size++)
		accepted += !vmq_gate_parse(&rec, NULL, NULL, NULL, NULL);
	/* before each of time, addresses and three frames */
	KUNIT_EXPECT_EQ(test, accepted, 5U);
}

/* Whatever was changed: no crash, no frame beyond the record. */
static void test_inside(void *ctx, const struct vmq_gate_frame *frame)
{
	const struct vmq_record *rec = ctx;

	if (frame->data < (u8 *)rec->data || frame->len < ETH_HLEN ||
	    frame->data + frame->len > (u8 *)rec->data + rec->size)
		rec = NULL;
	WARN_ON_ONCE(!rec);
}

static void vmq_gate_fuzz(struct kunit *test)
{
	struct vmq_gate_head head;
	struct rnd_state rnd;
	struct vmq_record rec;
	unsigned int i, j;
	void *good;
	u8 *data;

	prandom_seed_state(&rnd, 6);
	good = test_record(test, &rec, 4096, 4, 60);
	data = kunit_kmalloc(test, rec.size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, data);
	rec.data = data;
	for (i = 0; i < TEST_FUZZ; i++) {
		memcpy(data, good, rec.size);
		for (j = 0; j < 1 + i % 4; j++)
			data[prandom_u32_state(&rnd) % rec.size] ^=
				1 << prandom_u32_state(&rnd) % 8;
		memset(&head, 0, sizeof(head));
		vmq_gate_parse(&rec, &head, test_inside, &rec, NULL);
		KUNIT_ASSERT_LE(test, head.n_known, (u32)VMQ_KNOWN_MAX);
	}
}

static struct kunit_case vmq_gate_cases[] = {
	KUNIT_CASE(vmq_gate_states),
	KUNIT_CASE(vmq_gate_in_order),
	KUNIT_CASE(vmq_gate_bounds),
	KUNIT_CASE(vmq_gate_slow_guest),
	KUNIT_CASE(vmq_gate_saved),
	KUNIT_CASE(vmq_gate_restored),
	KUNIT_CASE(vmq_gate_destroyed),
	KUNIT_CASE(vmq_gate_round_trip),
	KUNIT_CASE(vmq_gate_split),
	KUNIT_CASE(vmq_gate_cut),
	KUNIT_CASE(vmq_gate_fuzz),
	{}
};

static struct kunit_suite vmq_gate_suite = {
	.name = "vmq-gate",
	.test_cases = vmq_gate_cases,
};

kunit_test_suite(vmq_gate_suite);

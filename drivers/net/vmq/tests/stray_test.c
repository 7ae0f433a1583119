// SPDX-License-Identifier: GPL-2.0
/*
 * Which of the frames that were read from a tap the guest did not get.
 */
#include <kunit/test.h>
#include <linux/rtnetlink.h>

#include "../port_stray.h"

#define STRAY_MAX	2

struct stray_test {
	struct vmq_stray s;
	u8 next;	/* what the next frame carries */
};

static void stray_read(struct kunit *test, bool vhost)
{
	struct stray_test *t = test->priv;
	struct sk_buff *skb = alloc_skb(64, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_put_u8(skb, t->next++);
	vmq_stray_saw(&t->s, skb, vhost, STRAY_MAX);
	consume_skb(skb);
}

/* What a save gets: frames that follow each other, from the first on. */
static void stray_expect(struct kunit *test, u8 first, unsigned int count)
{
	struct stray_test *t = test->priv;
	struct sk_buff_head list;
	struct sk_buff *skb;

	__skb_queue_head_init(&list);
	KUNIT_EXPECT_EQ(test, vmq_stray_take(&t->s, &list), 0);
	KUNIT_EXPECT_EQ(test, skb_queue_len(&list), count);
	while ((skb = __skb_dequeue(&list))) {
		KUNIT_EXPECT_EQ(test, skb->data[0], first++);
		kfree_skb(skb);
	}
	KUNIT_EXPECT_TRUE(test, skb_queue_empty(&t->s.list));
}

static int stray_init(struct kunit *test)
{
	struct stray_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	if (!t)
		return -ENOMEM;
	vmq_stray_init(&t->s);
	rtnl_lock();
	vmq_stray_set(&t->s, true);
	rtnl_unlock();
	test->priv = t;
	return 0;
}

static void stray_exit(struct kunit *test)
{
	struct stray_test *t = test->priv;

	if (!t)
		return;
	rtnl_lock();
	vmq_stray_set(&t->s, false);
	rtnl_unlock();
}

/* What another reads after vhost-net is kept, in its order. */
static void stray_stopped(struct kunit *test)
{
	stray_read(test, true);
	stray_read(test, false);
	stray_read(test, false);
	stray_expect(test, 1, 2);
	/* the next guest that is stopped, without a frame for it in between */
	stray_read(test, false);
	stray_expect(test, 3, 1);
}

/* A reader that is not vhost-net is the guest's own, until vhost-net comes. */
static void stray_no_vhost(struct kunit *test)
{
	stray_read(test, false);
	stray_read(test, false);
	stray_expect(test, 0, 0);
	stray_read(test, true);
	stray_read(test, false);
	stray_expect(test, 3, 1);
}

/* vhost-net reads again: the guest goes on, and what it missed is history. */
static void stray_resumed(struct kunit *test)
{
	stray_read(test, true);
	stray_read(test, false);
	stray_read(test, true);
	stray_expect(test, 0, 0);
	stray_read(test, false);
	stray_expect(test, 3, 1);
}

/* Who reads on and on wants the frames: a guest that left vhost-net. */
static void stray_reader(struct kunit *test)
{
	unsigned int i;

	stray_read(test, true);
	for (i = 0; i < STRAY_MAX + 1; i++)
		stray_read(test, false);
	stray_expect(test, 0, 0);
	stray_read(test, false);
	stray_expect(test, 0, 0);
}

/* Off, it keeps nothing, whatever was on its way. */
static void stray_off(struct kunit *test)
{
	struct stray_test *t = test->priv;
	u32 tag = t->s.tag;

	stray_read(test, true);
	stray_read(test, false);
	rtnl_lock();
	vmq_stray_set(&t->s, false);
	rtnl_unlock();
	stray_read(test, true);
	stray_read(test, false);
	stray_expect(test, 0, 0);
	rtnl_lock();
	vmq_stray_set(&t->s, true);
	rtnl_unlock();
	KUNIT_EXPECT_NE(test, t->s.tag, tag);
	stray_read(test, false);
	stray_expect(test, 0, 0);
}

static struct kunit_case stray_cases[] = {
	KUNIT_CASE(stray_stopped),
	KUNIT_CASE(stray_no_vhost),
	KUNIT_CASE(stray_resumed),
	KUNIT_CASE(stray_reader),
	KUNIT_CASE(stray_off),
	{}
};

static struct kunit_suite stray_suite = {
	.name = "vmq-stray",
	.init = stray_init,
	.exit = stray_exit,
	.test_cases = stray_cases,
};

kunit_test_suite(stray_suite);

// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the table Q-31 once more, cell by cell, through the functions that users
 * reach: requests over netlink, frames, and the two halves of a free. What
 * queue_test.c says of the table alone must be so of an adapter.
 */
#include <linux/etherdevice.h>

#include "adapter_fixture.h"

#define UNDE	VMQ_QUEUE_STATE_UNDEFINED
#define ALLO	VMQ_QUEUE_STATE_ALLOCATED
#define SET_	VMQ_QUEUE_STATE_SET
#define RUNN	VMQ_QUEUE_STATE_RUNNING
#define PAUS	VMQ_QUEUE_STATE_PAUSED
#define STOP	VMQ_QUEUE_STATE_STOP_DMA
#define FREE	VMQ_QUEUE_STATE_FREEING
#define GONE	(-ENOENT)
#define BUSY	(-EBUSY)
#define INVA	(-EINVAL)

static const u8 drive_mac[2][ETH_ALEN] = {
	{ 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 },
};

struct drive {
	struct vmq_adapter *a;
	struct fixture_client *c;
	struct vmq_queue *q;
	u32 id;
	u32 filter[2];			/* ids of its filters, 0: none */
};

/* ---- states ---- */

static void drive_add_filter(struct kunit *test, struct drive *d, u32 n)
{
	KUNIT_ASSERT_EQ(test, fixture_filter_new(test, d->c, d->id,
						 drive_mac[n], &d->filter[n]),
			0);
}

static struct drive *drive_to(struct kunit *test, struct vmq_adapter *a,
			      int state, u32 filters)
{
	struct drive *d = kunit_kzalloc(test, sizeof(*d), GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, d);
	d->a = a;
	d->c = fixture_client(test, d->a);
	KUNIT_ASSERT_EQ(test, fixture_queue_new(test, d->c, &d->id), 0);
	rtnl_lock();
	d->q = vmq_queue_find(d->a, d->id);
	rtnl_unlock();
	KUNIT_ASSERT_NOT_NULL(test, d->q);
	if (state == UNDE)
		KUNIT_ASSERT_EQ(test, fixture_queue_do(test, d->c,
						       VMQ_CMD_QUEUE_DEL,
						       d->id), 0);
	if (state == SET_ || state == RUNN)
		for (i = 0; i < filters; i++)
			drive_add_filter(test, d, i);
	if (state == RUNN || state == PAUS)
		KUNIT_ASSERT_EQ(test, fixture_complete(test, d->c, d->id), 0);
	rtnl_lock();
	mutex_lock(&d->a->lock);
	if (state == STOP)		/* the first half of vmq_queue_stop() */
		vmq_queue_event(d->q, VMQ_QEV_FREE);
	else if (state == FREE)
		vmq_queue_stop(d->q);
	mutex_unlock(&d->a->lock);
	rtnl_unlock();
	KUNIT_ASSERT_EQ(test, (int)d->q->state, state);
	return d;
}

/* Nobody else ends a free that a test began; the rest goes with its owner. */
static void drive_end(struct drive *d)
{
	rtnl_lock();
	mutex_lock(&d->a->lock);
	if (d->q->state == STOP)
		vmq_queue_event(d->q, VMQ_QEV_DMA_STOPPED);
	if (d->q->state == FREE) {
		synchronize_net();
		vmq_queue_give_back(d->q);
	}
	mutex_unlock(&d->a->lock);
	rtnl_unlock();
	fixture_close(d->c);
}

/* A frame for the first filter; it may have been delivered on return. */
static void drive_receive(struct drive *d, struct sk_buff *skb)
{
	rcu_read_lock();
	vmq_queue_receive(d->q, skb, false);
	rcu_read_unlock();
}

/* ---- events: 0 or the error that the user sees ---- */

/* A rule that names the queue by its id asks for this one. */
static int drive_allocate(struct kunit *test, struct drive *d)
{
	struct vmq_queue *q;
	int err;

	rtnl_lock();
	mutex_lock(&d->a->lock);
	err = vmq_queue_alloc_id(d->a, d->id, &q);
	mutex_unlock(&d->a->lock);
	rtnl_unlock();
	return err;
}

static int drive_query(struct kunit *test, struct drive *d)
{
	return fixture_queue_do(test, d->c, VMQ_CMD_QUEUE_GET, d->id);
}

static int drive_change(struct kunit *test, struct drive *d)
{
	struct sk_buff *msg = fixture_request(test, d->c, VMQ_CMD_QUEUE_SET);

	KUNIT_ASSERT_EQ(test, nla_put_u32(msg, VMQ_A_QUEUE_ID, d->id), 0);
	KUNIT_ASSERT_EQ(test, nla_put_string(msg, VMQ_A_QUEUE_NAME, "new"), 0);
	return fixture_ask(test, d->c, msg);
}

static int drive_set_filter(struct kunit *test, struct drive *d)
{
	static const u8 mac[ETH_ALEN] = { 2, 0, 0, 0, 0, 9 };
	u32 id;

	return fixture_filter_new(test, d->c, d->id, mac, &id);
}

/* Without a filter there is none that could be cleared or asked for. */
static int drive_clear_filter(struct kunit *test, struct drive *d)
{
	return fixture_filter_do(test, d->c, VMQ_CMD_FILTER_DEL,
				 d->filter[0] ?: 1);
}

static int drive_list_filters(struct kunit *test, struct drive *d)
{
	struct sk_buff *msg = fixture_request(test, d->c, VMQ_CMD_FILTER_GET);
	u32 count;
	int err;

	KUNIT_ASSERT_EQ(test, nla_put_u32(msg, VMQ_A_FILTER_QUEUE, d->id), 0);
	err = fixture_ask_dump(test, d->c, msg, &count);
	KUNIT_EXPECT_EQ(test, count, d->filter[0] ? 1 : 0);
	return err;
}

static int drive_query_filter(struct kunit *test, struct drive *d)
{
	return fixture_filter_do(test, d->c, VMQ_CMD_FILTER_GET,
				 d->filter[0] ?: 1);
}

static int drive_complete(struct kunit *test, struct drive *d)
{
	return fixture_complete(test, d->c, d->id);
}

/* One frame: counted as received, or as dropped because of the state. */
static int drive_deliver(struct kunit *test, struct drive *d)
{
	struct sk_buff *skb = fixture_frame(test, d->a, drive_mac[0]);
	struct vmq_stats before = {}, after = {};
	struct net_device *dev;

	vmq_stats_sum(d->q->stats, &before);
	local_bh_disable();
	rcu_read_lock();
	dev = vmq_queue_rx(d->q, skb, false);
	rcu_read_unlock();
	local_bh_enable();
	if (dev)
		kfree_skb(skb);
	vmq_stats_sum(d->q->stats, &after);
	KUNIT_EXPECT_EQ(test, after.rx_packets - before.rx_packets, !!dev);
	KUNIT_EXPECT_EQ(test, after.drops[VMQ_DROP_STATE] -
			before.drops[VMQ_DROP_STATE], !dev);
	if (dev)
		return 0;
	return d->q->state == UNDE ? GONE : BUSY;
}

/* All of it: when queue-del returns, the id is free. */
static int drive_free(struct kunit *test, struct drive *d)
{
	return fixture_queue_do(test, d->c, VMQ_CMD_QUEUE_DEL, d->id);
}

static int drive_dma_stopped(struct kunit *test, struct drive *d)
{
	int err;

	mutex_lock(&d->a->lock);
	err = vmq_queue_event(d->q, VMQ_QEV_DMA_STOPPED);
	mutex_unlock(&d->a->lock);
	return err;
}

static int drive_give_back_last(struct kunit *test, struct drive *d)
{
	int before = d->q->state, err = 0;

	rtnl_lock();
	mutex_lock(&d->a->lock);
	if (before == FREE)
		synchronize_net();
	vmq_queue_give_back(d->q);
	if (before == UNDE)
		err = GONE;
	else if (d->q->state == before)
		err = BUSY;
	mutex_unlock(&d->a->lock);
	rtnl_unlock();
	return err;
}

struct drive_row {
	const char *name;
	int (*event)(struct kunit *test, struct drive *d);
	u32 filters;			/* that the queue has in Set, Running */
	int next[VMQ_QUEUE_STATES];	/* or the error */
};

/* From the specification; where it says invalid, the error of O-14 or F-08. */
static const struct drive_row drive_rows[] = {
	{ "Q-31 allocate", drive_allocate, 1,
	  { ALLO, BUSY, BUSY, BUSY, BUSY, BUSY, BUSY } },
	{ "Q-31 query parameters", drive_query, 1,
	  { GONE, ALLO, SET_, RUNN, PAUS, BUSY, BUSY } },
	{ "Q-31 change parameters", drive_change, 1,
	  { GONE, ALLO, SET_, RUNN, PAUS, BUSY, BUSY } },
	{ "Q-31 set filter", drive_set_filter, 1,
	  { GONE, SET_, SET_, RUNN, RUNN, BUSY, BUSY } },
	{ "Q-31 clear filter, others remain", drive_clear_filter, 2,
	  { GONE, GONE, SET_, RUNN, GONE, GONE, GONE } },
	{ "Q-31 clear filter, last one", drive_clear_filter, 1,
	  { GONE, GONE, ALLO, PAUS, GONE, GONE, GONE } },
	{ "Q-31 list filters", drive_list_filters, 1,
	  { GONE, ALLO, SET_, RUNN, PAUS, BUSY, BUSY } },
	{ "Q-31 query one filter", drive_query_filter, 1,
	  { INVA, INVA, SET_, RUNN, INVA, INVA, INVA } },
	{ "Q-31 allocation complete", drive_complete, 1,
	  { GONE, PAUS, RUNN, BUSY, BUSY, BUSY, BUSY } },
	{ "Q-31 deliver a packet", drive_deliver, 1,
	  { GONE, BUSY, BUSY, RUNN, BUSY, BUSY, BUSY } },
	{ "Q-31 free, to its end", drive_free, 1,
	  { GONE, UNDE, BUSY, BUSY, UNDE, BUSY, BUSY } },
	{ "Q-31 DMA stopped and notice sent", drive_dma_stopped, 1,
	  { GONE, BUSY, BUSY, BUSY, BUSY, FREE, BUSY } },
	{ "Q-31 last one given back, resources released",
	  drive_give_back_last, 1,
	  { GONE, BUSY, BUSY, BUSY, BUSY, BUSY, UNDE } },
};

static void drive_row_desc(const struct drive_row *row, char *desc)
{
	strscpy(desc, row->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(drive_row, drive_rows, drive_row_desc);

/* The table through requests and frames, a row at a time. */
static void queue_drive(struct kunit *test)
{
	const struct drive_row *row = test->param_value;
	struct vmq_adapter *a = fixture_adapter(test);
	char name[VMQ_NAME_MAX];
	struct drive *d;
	u32 filters;
	int state;

	for (state = 0; state < VMQ_QUEUE_STATES; state++) {
		int next = row->next[state], err;

		d = drive_to(test, a, state, row->filters);
		filters = d->q->filters;
		strscpy(name, d->q->param.name);
		err = row->event(test, d);
		KUNIT_EXPECT_EQ_MSG(test, err, min(next, 0),
				    "in state %d", state);
		KUNIT_EXPECT_EQ_MSG(test, (int)d->q->state,
				    next < 0 ? state : next,
				    "in state %d", state);
		/* a refusal has no side effect */
		if (err) {
			KUNIT_EXPECT_EQ(test, d->q->filters, filters);
			KUNIT_EXPECT_STREQ(test, d->q->param.name, name);
		}
		drive_end(d);
	}
}

/* ---- one outstanding frame given back ---- */

/*
 * A frame that is on its way up when the queue moves on: it comes back in
 * whatever state that is, and changes it in none.
 */
static void queue_drive_give_back(struct kunit *test)
{
	static const int in_state[] = { RUNN, PAUS, STOP, FREE };
	struct vmq_adapter *a = fixture_adapter(test);
	struct sk_buff_head batch;
	struct sk_buff *skb;
	struct drive *d;
	u32 i, taken;

	__skb_queue_head_init(&batch);
	for (i = 0; i < ARRAY_SIZE(in_state); i++) {
		d = drive_to(test, a, RUNN, 1);
		skb = fixture_frame(test, a, drive_mac[0]);
		local_bh_disable();
		drive_receive(d, skb);
		taken = vmq_fifo_take(&d->q->fifo, NULL, 1, &batch);
		local_bh_enable();
		KUNIT_ASSERT_EQ(test, taken, 1);

		if (in_state[i] != RUNN)
			KUNIT_ASSERT_EQ(test, drive_clear_filter(test, d), 0);
		rtnl_lock();
		mutex_lock(&d->a->lock);
		if (in_state[i] == STOP)
			vmq_queue_event(d->q, VMQ_QEV_FREE);
		if (in_state[i] == FREE)
			vmq_queue_stop(d->q);
		mutex_unlock(&d->a->lock);
		rtnl_unlock();
		KUNIT_ASSERT_EQ(test, (int)d->q->state, in_state[i]);
		KUNIT_EXPECT_TRUE(test, vmq_fifo_holds(&d->q->fifo));

		__skb_queue_purge(&batch);
		local_bh_disable();
		vmq_fifo_done(&d->q->fifo, NULL);
		local_bh_enable();
		KUNIT_EXPECT_FALSE(test, vmq_fifo_holds(&d->q->fifo));
		KUNIT_EXPECT_EQ(test, (int)d->q->state, in_state[i]);
		KUNIT_EXPECT_EQ(test, vmq_queue_next_state(d->q->state,
							   VMQ_QEV_GIVE_BACK),
				in_state[i]);
		drive_end(d);
	}
}

/*
 * In the other states no frame can be outstanding: the queue takes none.
 */
static void queue_drive_takes_none(struct kunit *test)
{
	static const int in_state[] = { UNDE, ALLO, SET_, PAUS, STOP, FREE };
	struct vmq_adapter *a = fixture_adapter(test);
	struct vmq_stats before, after;
	struct sk_buff *skb;
	struct drive *d;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(in_state); i++) {
		d = drive_to(test, a, in_state[i], 1);
		memset(&before, 0, sizeof(before));
		memset(&after, 0, sizeof(after));
		vmq_stats_sum(d->q->stats, &before);
		skb = fixture_frame(test, a, drive_mac[0]);
		local_bh_disable();
		drive_receive(d, skb);
		local_bh_enable();
		KUNIT_EXPECT_FALSE(test, vmq_fifo_holds(&d->q->fifo));
		vmq_stats_sum(d->q->stats, &after);
		KUNIT_EXPECT_EQ(test, after.rx_packets, before.rx_packets);
		KUNIT_EXPECT_EQ(test, after.drops[VMQ_DROP_STATE],
				before.drops[VMQ_DROP_STATE] + 1);
		drive_end(d);
	}
}

/* what waits in a queue goes with its last filter. */
static void queue_drive_holds_nothing(struct kunit *test)
{
	struct drive *d = drive_to(test, fixture_adapter(test), RUNN, 2);
	struct sk_buff *skb = fixture_frame(test, d->a, drive_mac[0]);
	struct vmq_stats stats = {};

	/* nobody takes it out */
	vmq_fifo_hold(&d->q->fifo);
	local_bh_disable();
	drive_receive(d, skb);
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, drive_clear_filter(test, d), 0);
	KUNIT_EXPECT_TRUE(test, vmq_fifo_holds(&d->q->fifo));
	KUNIT_EXPECT_EQ(test, fixture_filter_do(test, d->c, VMQ_CMD_FILTER_DEL,
						d->filter[1]), 0);
	KUNIT_EXPECT_FALSE(test, vmq_fifo_holds(&d->q->fifo));
	vmq_stats_sum(d->q->stats, &stats);
	KUNIT_EXPECT_EQ(test, stats.drops[VMQ_DROP_STATE], 1);
	vmq_fifo_unhold(&d->q->fifo);
}

static struct kunit_case queue_drive_cases[] = {
	KUNIT_CASE_PARAM(queue_drive, drive_row_gen_params),
	KUNIT_CASE(queue_drive_give_back),
	KUNIT_CASE(queue_drive_takes_none),
	KUNIT_CASE(queue_drive_holds_nothing),
	{}
};

static struct kunit_suite queue_drive_suite = {
	.name = "vmq-queue-drive",
	.test_cases = queue_drive_cases,
};

kunit_test_suites(&queue_drive_suite);

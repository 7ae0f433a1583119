// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the core record, the items that it is made of.
 */
#include <kunit/test.h>
#include <linux/etherdevice.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "../state.h"

#define TEST_FUZZ	10000

static struct vmq_core_filter test_filters[] = {
	{ .mac = { 2, 0, 0, 0, 0, 1 }, .vid = 100, .index = 0 },
	{ .mac = { 2, 0, 0, 0, 0, 2 }, .vid = VMQ_CORE_VID_ANY, .index = 3 },
	{ .mac = { 2, 0, 0, 0, 0, 3 }, .vid = VMQ_CORE_VID_UNTAGGED },
};

static struct vmq_core_mac test_mc[] = {
	{ { 0x01, 0, 0x5e, 0, 0, 1 } },
	{ { 0x33, 0x33, 0, 0, 0, 1 } },
	{ { 0x33, 0x33, 0xff, 1, 2, 3 } },
};

static struct vmq_core_queue test_params[] = {
	{ .index = 0, .set = VMQ_CORE_Q_NAME | VMQ_CORE_Q_VM |
	  VMQ_CORE_Q_QUEUED | VMQ_CORE_Q_MODER, .usecs = 50, .frames = 8,
	  .name = "first", .vm = "guest", .cpus = "0-3,7" },
	{ .index = 3, .set = VMQ_CORE_Q_BUFFERS | VMQ_CORE_Q_SINGLE |
	  VMQ_CORE_Q_LOOKAHEAD, .buffers = 77, .lookahead = 64 },
};

#define TEST_RSS	128

/* Set up by each test that needs it; the table has no initializer. */
static struct vmq_core_rss *test_rss(void)
{
	static u8 room[sizeof(struct vmq_core_rss) + TEST_RSS * sizeof(u32)]
		__aligned(8);
	struct vmq_core_rss *rss = (void *)room;
	u32 i;

	rss->size = TEST_RSS;
	rss->queues = 4;
	memset(rss->key, 0x5a, sizeof(rss->key));
	memset(rss->fields, VMQ_RSS_ADDRS, sizeof(rss->fields));
	rss->fields[VMQ_RSS_UDP6] = VMQ_RSS_DPORT;
	for (i = 0; i < rss->size; i++)
		rss->table[i] = i * i % 4;
	return rss;
}

static void test_full(struct vmq_core_state *st)
{
	memset(st, 0, sizeof(*st));
	st->rss = test_rss();
	st->present = GENMASK(VMQ_CORE_ITEMS - 1, 1);
	st->policy.pvid = 5;
	st->uuid.b[3] = 7;
	st->mac[0] = 2;
	st->mac[5] = 5;
	st->mtu = 9000;
	st->rx_mode = VMQ_CORE_ALLMULTI;
	st->queues = 4;
	strscpy(st->queue_name, "vm1");
	st->stats.rx_packets = 1000;
	st->stats.tx_bytes = S64_MAX;
	st->stats.drops[VMQ_DROP_FILTER] = 5;
	st->stats.tx_ext_drops = 6;
	st->n_filters = ARRAY_SIZE(test_filters);
	st->filters = test_filters;
	st->n_mc = ARRAY_SIZE(test_mc);
	st->mc = test_mc;
	st->n_params = ARRAY_SIZE(test_params);
	st->params = test_params;
}

static void test_encode(struct kunit *test, struct vmq_record *rec)
{
	struct vmq_core_state st;
	int ret;

	test_full(&st);
	memset(rec, 0, sizeof(*rec));
	rec->size = vmq_core_size(&st);
	rec->data = kunit_kzalloc(test, rec->size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rec->data);
	ret = vmq_core_encode(&st, rec);
	KUNIT_ASSERT_EQ(test, ret, (int)rec->size);
	KUNIT_EXPECT_EQ(test, rec->version, VMQ_CORE_VERSION);
}

static void vmq_core_round_trip(struct kunit *test)
{
	struct vmq_core_state st, *out;
	struct vmq_record rec;

	test_encode(test, &rec);
	test_full(&st);
	out = vmq_core_parse(&rec, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(out));
	KUNIT_EXPECT_EQ(test, out->present, st.present);
	KUNIT_EXPECT_TRUE(test, uuid_equal(&out->uuid, &st.uuid));
	KUNIT_EXPECT_MEMEQ(test, out->mac, st.mac, ETH_ALEN);
	KUNIT_EXPECT_EQ(test, out->mtu, 9000);
	KUNIT_EXPECT_EQ(test, out->rx_mode, VMQ_CORE_ALLMULTI);
	KUNIT_EXPECT_EQ(test, out->queues, 4);
	KUNIT_EXPECT_STREQ(test, out->queue_name, "vm1");
	KUNIT_EXPECT_MEMEQ(test, &out->stats, &st.stats, sizeof(st.stats));
	KUNIT_ASSERT_EQ(test, out->n_filters, st.n_filters);
	KUNIT_EXPECT_MEMEQ(test, out->filters, test_filters,
			   sizeof(test_filters));
	KUNIT_ASSERT_EQ(test, out->n_mc, st.n_mc);
	KUNIT_EXPECT_MEMEQ(test, out->mc, test_mc, sizeof(test_mc));
	KUNIT_ASSERT_NOT_NULL(test, out->rss);
	KUNIT_EXPECT_MEMEQ(test, out->rss, st.rss,
			   struct_size(st.rss, table, TEST_RSS));
	KUNIT_ASSERT_EQ(test, out->n_params, st.n_params);
	KUNIT_EXPECT_MEMEQ(test, out->params, test_params,
			   sizeof(test_params));
	vmq_core_free(out);
}

/* The largest port there is fits one record [O-33]. */
static void vmq_core_largest(struct kunit *test)
{
	struct vmq_core_state st;

	test_full(&st);
	st.n_filters = VMQ_CORE_MAX_FILTERS;
	st.n_mc = VMQ_CORE_MAX_MC;
	KUNIT_EXPECT_LE(test, vmq_core_size(&st) + VMQ_CORE_MAX_PARAMS +
			(VMQ_CORE_MAX_RSS - TEST_RSS) * sizeof(__le16),
			(size_t)VMQ_RECORD_DATA_MAX);
}

/* [SR-07] */
static void vmq_core_too_small(struct kunit *test)
{
	struct vmq_record rec = {};
	struct vmq_core_state st;

	test_full(&st);
	rec.size = vmq_core_size(&st) - 1;
	KUNIT_EXPECT_EQ(test, vmq_core_encode(&st, &rec), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, rec.needed, rec.size + 1);
}

/* Cut at any byte it is refused, or it is a shorter list of whole items. */
static void vmq_core_cut_anywhere(struct kunit *test)
{
	struct vmq_core_state *out;
	struct vmq_record rec;
	u32 whole, accepted = 0;
	void *data, *copy;

	test_encode(test, &rec);
	whole = rec.size;
	data = rec.data;
	for (rec.size = 0; rec.size < whole; rec.size++) {
		/* of that size exactly, so that KASAN sees a byte too many */
		copy = kmemdup(data, rec.size, GFP_KERNEL);
		rec.data = copy;
		out = vmq_core_parse(&rec, NULL);
		if (IS_ERR(out)) {
			KUNIT_EXPECT_EQ(test, PTR_ERR(out), -EINVAL);
		} else {
			accepted++;
			vmq_core_free(out);
		}
		kfree(copy);
	}
	KUNIT_EXPECT_EQ(test, accepted, VMQ_CORE_ITEMS - 1);
}

/* [SR-38] One item that is wrong by itself; data is filled up with zeros. */
static const struct test_item {
	const char *what;
	int code;
	u16 type;
	u16 len;
	u8 data[VMQ_NAME_MAX];
} test_items[] = {
	{ "nothing", -EOPNOTSUPP, 0, 4 },
	{ "unknown", -EOPNOTSUPP, VMQ_CORE_ITEMS, 4 },
	{ "unknown, may be skipped", 0, VMQ_CORE_SKIPPABLE | 77, 4 },
	{ "short uuid", -EINVAL, VMQ_CORE_UUID, 15 },
	{ "MAC address", 0, VMQ_CORE_MAC, 6, { 2 } },
	{ "short MAC address", -EINVAL, VMQ_CORE_MAC, 5, { 2 } },
	{ "long MAC address", -EINVAL, VMQ_CORE_MAC, 8, { 2 } },
	{ "MAC address of zeros", -EINVAL, VMQ_CORE_MAC, 6 },
	{ "multicast MAC address", -EINVAL, VMQ_CORE_MAC, 6, { 1 } },
	{ "broadcast MAC address", -EINVAL, VMQ_CORE_MAC, 6,
	  { 255, 255, 255, 255, 255, 255 } },
	{ "MTU", 0, VMQ_CORE_MTU, 4, { 68 } },
	{ "small MTU", -EINVAL, VMQ_CORE_MTU, 4, { 67 } },
	{ "large MTU", -EINVAL, VMQ_CORE_MTU, 4, { 0, 0, 1 } },
	{ "short MTU", -EINVAL, VMQ_CORE_MTU, 2, { 220, 5 } },
	{ "no filters", 0, VMQ_CORE_FILTERS, 0 },
	{ "filter", 0, VMQ_CORE_FILTERS, 12, { 2, 0, 0, 0, 0, 1, 0xfe, 0x0f } },
	{ "part of a filter", -EINVAL, VMQ_CORE_FILTERS, 13, { 2 } },
	{ "filter for no address", -EINVAL, VMQ_CORE_FILTERS, 12 },
	{ "filter for VLAN 4095", -EINVAL, VMQ_CORE_FILTERS, 12,
	  { 2, 0, 0, 0, 0, 1, 0xff, 0x0f } },
	{ "filter with reserved", -EINVAL, VMQ_CORE_FILTERS, 12,
	  { 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1 } },
	{ "multicast", 0, VMQ_CORE_MC, 6, { 1 } },
	{ "unicast in the multicast list", -EINVAL, VMQ_CORE_MC, 6, { 2 } },
	{ "part of an address", -EINVAL, VMQ_CORE_MC, 7, { 1 } },
	{ "unknown receive mode", -EINVAL, VMQ_CORE_RX_MODE, 4, { 4 } },
	{ "queue name", 0, VMQ_CORE_QUEUE_NAME, 3, "vm1" },
	{ "longest queue name", 0, VMQ_CORE_QUEUE_NAME, VMQ_NAME_MAX - 1,
	  { [0 ... VMQ_NAME_MAX - 2] = 'v' } },
	{ "long queue name", -EINVAL, VMQ_CORE_QUEUE_NAME, VMQ_NAME_MAX,
	  { [0 ... VMQ_NAME_MAX - 1] = 'v' } },
	{ "queue name with NUL", -EINVAL, VMQ_CORE_QUEUE_NAME, 4, "vm1" },
	{ "no counters", 0, VMQ_CORE_COUNTERS, 0 },
	{ "fewer counters", 0, VMQ_CORE_COUNTERS, 16, { 1 } },
	{ "part of a counter", -EINVAL, VMQ_CORE_COUNTERS, 12 },
	{ "impossible counter", -EINVAL, VMQ_CORE_COUNTERS, 8,
	  { 0, 0, 0, 0, 0, 0, 0, 0x80 } },
	{ "RSS", 0, VMQ_CORE_RSS, 54, { [48] = 2, [50] = 1, [52] = 1 } },
	{ "part of RSS", -EINVAL, VMQ_CORE_RSS, 51, { [48] = 2 } },
	{ "RSS without a table", -EINVAL, VMQ_CORE_RSS, 52, { [48] = 2 } },
	{ "RSS table cut short", -EINVAL, VMQ_CORE_RSS, 54,
	  { [48] = 2, [50] = 2 } },
	{ "RSS table of three", -EINVAL, VMQ_CORE_RSS, 58,
	  { [48] = 2, [50] = 3 } },
	{ "RSS queue that is none", -EINVAL, VMQ_CORE_RSS, 54,
	  { [48] = 2, [50] = 1, [52] = 2 } },
	{ "RSS field that is none", -EINVAL, VMQ_CORE_RSS, 54,
	  { [41] = 0x10, [48] = 2, [50] = 1 } },
	{ "RSS by ports of plain IP", -EINVAL, VMQ_CORE_RSS, 54,
	  { [40] = 4, [48] = 2, [50] = 1 } },
	{ "no queues", 0, VMQ_CORE_QUEUE_PARAMS, 0 },
	{ "queue with a name", 0, VMQ_CORE_QUEUE_PARAMS, 26,
	  { [2] = VMQ_CORE_Q_NAME, [20] = 2, [24] = 'a', 'b' } },
	{ "queue with CPUs", 0, VMQ_CORE_QUEUE_PARAMS, 27,
	  { [2] = VMQ_CORE_Q_QUEUED, [22] = 3, [24] = '0', '-', '3' } },
	{ "two queues", 0, VMQ_CORE_QUEUE_PARAMS, 48,
	  { [2] = VMQ_CORE_Q_SINGLE, [24] = 1, [26] = VMQ_CORE_Q_SINGLE } },
	{ "one queue twice", -EINVAL, VMQ_CORE_QUEUE_PARAMS, 48,
	  { [2] = VMQ_CORE_Q_SINGLE, [26] = VMQ_CORE_Q_SINGLE } },
	{ "part of a queue", -EINVAL, VMQ_CORE_QUEUE_PARAMS, 23,
	  { [2] = VMQ_CORE_Q_SINGLE } },
	{ "queue with nothing set", -EINVAL, VMQ_CORE_QUEUE_PARAMS, 24 },
	{ "queue setting that is none", -EINVAL, VMQ_CORE_QUEUE_PARAMS, 24,
	  { [2] = VMQ_CORE_Q_SINGLE, [3] = 1 } },
	{ "queue setting without value", -EINVAL, VMQ_CORE_QUEUE_PARAMS, 24,
	  { [2] = VMQ_CORE_Q_BUFFERS } },
	{ "queue value without setting", -EINVAL, VMQ_CORE_QUEUE_PARAMS, 24,
	  { [2] = VMQ_CORE_Q_SINGLE, [4] = 1 } },
	{ "queue text cut short", -EINVAL, VMQ_CORE_QUEUE_PARAMS, 25,
	  { [2] = VMQ_CORE_Q_NAME, [20] = 2, [24] = 'a' } },
	{ "queue text with NUL", -EINVAL, VMQ_CORE_QUEUE_PARAMS, 26,
	  { [2] = VMQ_CORE_Q_NAME, [20] = 2, [24] = 'a' } },
	{ "queue with reserved", -EINVAL, VMQ_CORE_QUEUE_PARAMS, 24,
	  { [2] = VMQ_CORE_Q_SINGLE, [23] = 1 } },
	{ "CPUs that are no list", -EINVAL, VMQ_CORE_QUEUE_PARAMS, 26,
	  { [2] = VMQ_CORE_Q_QUEUED, [22] = 2, [24] = '0', ':' } },
	{ "moderation without CPUs", -EINVAL, VMQ_CORE_QUEUE_PARAMS, 24,
	  { [2] = VMQ_CORE_Q_MODER, [12] = 1 } },
	{ "moderation of both kinds", -EINVAL, VMQ_CORE_QUEUE_PARAMS, 24,
	  { [2] = VMQ_CORE_Q_QUEUED | VMQ_CORE_Q_MODER |
	    VMQ_CORE_Q_ADAPTIVE } },
};

static void test_item_name(const struct test_item *item, char *name)
{
	strscpy(name, item->what, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(test_item, test_items, test_item_name);

static u32 test_put(u8 *buf, const struct test_item *item)
{
	__le16 head[2] = { cpu_to_le16(item->type), cpu_to_le16(item->len) };

	memcpy(buf, head, sizeof(head));
	memcpy(buf + sizeof(head), item->data,
	       min_t(size_t, item->len, sizeof(item->data)));
	return sizeof(head) + ALIGN(item->len, 4);
}

static void vmq_core_items(struct kunit *test)
{
	const struct test_item *item = test->param_value;
	struct netlink_ext_ack extack = {};
	struct vmq_core_state *st;
	struct vmq_record rec = {};
	u8 buf[2 * (4 + VMQ_NAME_MAX)] = {};

	rec.data = buf;
	rec.size = test_put(buf, item);
	st = vmq_core_parse(&rec, &extack);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(st), item->code);
	/* every refusal says why */
	KUNIT_EXPECT_EQ(test, !extack._msg, !item->code);
	if (!IS_ERR(st))
		vmq_core_free(st);

	/* twice is once too often, where it is known */
	rec.size += test_put(buf + rec.size, item);
	st = vmq_core_parse(&rec, NULL);
	if (!item->code && item->type & VMQ_CORE_SKIPPABLE)
		KUNIT_EXPECT_FALSE(test, IS_ERR(st));
	else
		KUNIT_EXPECT_TRUE(test, IS_ERR(st));
	if (!IS_ERR(st))
		vmq_core_free(st);
}

static void vmq_core_padding(struct kunit *test)
{
	struct test_item name = {
		.type = VMQ_CORE_QUEUE_NAME, .len = 3, .data = "vm1",
	};
	struct vmq_core_state *st;
	struct vmq_record rec = {};
	u8 buf[16] = {};

	rec.data = buf;
	rec.size = test_put(buf, &name);
	buf[7] = 1;
	st = vmq_core_parse(&rec, NULL);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(st), -EINVAL);
}

/* Counters of a newer module, behind those that are known, do no harm. */
static void vmq_core_more_counters(struct kunit *test)
{
	struct test_item counters = {
		.type = VMQ_CORE_COUNTERS, .len = 64 * 8, .data = { 9 },
	};
	struct vmq_core_state *st;
	struct vmq_record rec = {};

	rec.data = kunit_kzalloc(test, 1024, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rec.data);
	rec.size = test_put(rec.data, &counters);
	st = vmq_core_parse(&rec, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(st));
	KUNIT_EXPECT_EQ(test, st->stats.rx_packets, 9);
	vmq_core_free(st);

	counters.len += 8;
	rec.size = test_put(rec.data, &counters);
	st = vmq_core_parse(&rec, NULL);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(st), -EINVAL);
}

static void vmq_core_fuzz(struct kunit *test)
{
	struct vmq_core_state *st;
	struct vmq_record rec, good;
	struct rnd_state rnd;
	unsigned int i, n;

	test_encode(test, &good);
	prandom_seed_state(&rnd, 20251122);
	for (i = 0; i < TEST_FUZZ; i++) {
		rec = good;
		rec.size = prandom_u32_state(&rnd) % (good.size + 1);
		if (i % 4)
			rec.size = good.size;
		rec.data = kmemdup(good.data, rec.size, GFP_KERNEL);
		for (n = i % 6; n && rec.size; n--)
			*(u8 *)(rec.data + prandom_u32_state(&rnd) % rec.size) =
				prandom_u32_state(&rnd);
		st = vmq_core_parse(&rec, NULL);
		if (!IS_ERR(st))
			vmq_core_free(st);
		kfree(rec.data);
		if (!(i % 1024))
			cond_resched();
	}
}

static struct kunit_case vmq_core_cases[] = {
	KUNIT_CASE(vmq_core_round_trip),
	KUNIT_CASE(vmq_core_largest),
	KUNIT_CASE(vmq_core_too_small),
	KUNIT_CASE(vmq_core_cut_anywhere),
	KUNIT_CASE_PARAM(vmq_core_items, test_item_gen_params),
	KUNIT_CASE(vmq_core_padding),
	KUNIT_CASE(vmq_core_more_counters),
	KUNIT_CASE_SLOW(vmq_core_fuzz),
	{}
};

static struct kunit_suite vmq_core_suite = {
	.name = "vmq-core-record",
	.test_cases = vmq_core_cases,
};

kunit_test_suites(&vmq_core_suite);

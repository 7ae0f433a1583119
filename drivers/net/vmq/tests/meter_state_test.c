// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the extension meter: save, restore, and running out of memory.
 */
#include <linux/random.h>

#include "meter_test.h"

#define HDR	sizeof(struct vmq_meter_rec_hdr)
#define ENTRY	sizeof(struct vmq_meter_rec_dir)
#define SIZE	(HDR + 2 * ENTRY)

/* A record in memory of its very size, for KASAN. */
static struct vmq_record *meter_record(struct kunit *test, u32 size)
{
	struct vmq_record *rec = kunit_kzalloc(test, sizeof(*rec), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, rec);
	rec->size = size;
	rec->version = VMQ_METER_REC_VERSION;
	rec->data = kunit_kzalloc(test, size ?: 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rec->data);
	return rec;
}

static struct vmq_meter_rec_dir *meter_entry(struct vmq_record *rec, int i)
{
	return rec->data + HDR + i * ENTRY;
}

static struct vmq_record *meter_save(struct kunit *test,
				     struct vmq_ext_port *ep)
{
	struct vmq_record *rec = meter_record(test, SIZE - 1);

	KUNIT_ASSERT_EQ(test, 0, meter_ops.save_begin(ep, NULL));
	KUNIT_EXPECT_EQ(test, -EMSGSIZE, meter_ops.save_next(ep, rec));
	KUNIT_ASSERT_EQ(test, SIZE, rec->needed);
	rec = meter_record(test, SIZE);
	KUNIT_ASSERT_EQ(test, SIZE, meter_ops.save_next(ep, rec));
	KUNIT_EXPECT_EQ(test, 0, meter_ops.save_next(ep, rec));
	KUNIT_EXPECT_EQ(test, VMQ_RECORD_OPTIONAL, rec->flags);
	/* as the core does */
	ep->session = NULL;
	return rec;
}

static int meter_restore(struct kunit *test, struct vmq_ext_port *ep,
			 struct vmq_record *rec, bool fail)
{
	struct netlink_ext_ack extack = {};
	int err;

	KUNIT_ASSERT_EQ(test, 0, meter_ops.restore_begin(ep, NULL));
	err = meter_ops.validate(ep, rec, &extack);
	if (err) {
		KUNIT_EXPECT_NOT_NULL(test, extack._msg);
	} else {
		rtnl_lock();
		err = meter_ops.apply(ep, rec, &extack);
		if (fail)
			meter_ops.rollback(ep);
		rtnl_unlock();
	}
	meter_ops.restore_complete(ep, !err && !fail);
	KUNIT_EXPECT_NULL(test, ep->session);
	return err;
}

static s64 meter_left(struct vmq_ext_port *ep, int dir, int kind)
{
	struct meter_port *m = ep->priv;
	const struct meter_config *config;
	s64 tokens;

	meter_lock(m);
	config = meter_config_locked(m);
	tokens = meter_bucket_tokens(&m->bucket[dir].kind[kind],
				     &config->limit[dir][kind], meter_clock());
	meter_unlock(m);
	return tokens;
}

static u64 meter_counted(struct vmq_ext_port *ep, int dir,
			 enum meter_counter what)
{
	u64 sum[2][METER_COUNTERS];

	rtnl_lock();
	meter_lock(ep->priv);
	meter_counters(ep->priv, sum);
	meter_unlock(ep->priv);
	rtnl_unlock();
	return sum[dir][what];
}

/* At 8 kbit/s a test earns next to nothing while it runs. */
static struct vmq_ext_port *meter_slow(struct kunit *test)
{
	struct vmq_ext_port *ep = meter_port_new(test);
	struct meter_attrs a = {};

	meter_put_u64(&a, VMQ_A_METER_RX_RATE, METER_RATE_MIN);
	meter_put_u32(&a, VMQ_A_METER_RX_BURST, 1000000);
	meter_put_u32(&a, VMQ_A_METER_TX_PPS, 1);
	meter_put_u32(&a, VMQ_A_METER_TX_PPS_BURST, 1000);
	KUNIT_ASSERT_EQ(test, 0, meter_send(test, ep, &a));
	return ep;
}

/* What a test of 100 seconds would have earned. */
#define EARNED	100000

static void meter_trip_test(struct kunit *test)
{
	struct vmq_ext_port *from = meter_slow(test), *to = meter_slow(test);
	struct vmq_record *rec;
	int i;

	for (i = 0; i < 80; i++)
		meter_run(test, from, RX, 10000, 0);
	for (i = 0; i < 700; i++)
		meter_run(test, from, TX, 60, 0);
	KUNIT_EXPECT_GE(test, meter_left(to, RX, METER_BYTES), 1000000);
	rec = meter_save(test, from);
	KUNIT_EXPECT_EQ(test, 0, meter_restore(test, to, rec, false));
	/* no second burst */
	KUNIT_EXPECT_LE(test, meter_left(to, RX, METER_BYTES),
			200000 + EARNED);
	KUNIT_EXPECT_GE(test, meter_left(to, RX, METER_BYTES), 200000);
	KUNIT_EXPECT_LE(test, meter_left(to, TX, METER_PACKETS), 400);
	KUNIT_EXPECT_EQ(test, 80, meter_counted(to, RX, METER_PASSED_PACKETS));
	KUNIT_EXPECT_EQ(test, 800000, meter_counted(to, RX,
						    METER_PASSED_BYTES));
	KUNIT_EXPECT_EQ(test, 700, meter_counted(to, TX,
						 METER_PASSED_PACKETS));
	/* back again: counters are not added up */
	KUNIT_EXPECT_EQ(test, 0, meter_restore(test, from,
					       meter_save(test, to), false));
	KUNIT_EXPECT_EQ(test, 80, meter_counted(from, RX,
						METER_PASSED_PACKETS));
	meter_ops.detach(from);
	meter_ops.detach(to);
}

/* The limit comes after the restore: it starts with what was left. */
static void meter_later_test(struct kunit *test)
{
	struct vmq_ext_port *from = meter_slow(test), *to;
	struct vmq_record *rec;
	int i;

	for (i = 0; i < 90; i++)
		meter_run(test, from, RX, 10000, 0);
	rec = meter_save(test, from);
	to = meter_port_new(test);
	KUNIT_EXPECT_EQ(test, 0, meter_restore(test, to, rec, false));
	/* and if it moves on before, the level does, too */
	KUNIT_EXPECT_EQ(test, 0, meter_restore(test, to, meter_save(test, to),
					       false));
	meter_set(test, to, RX, METER_RATE_MIN, 1000000);
	KUNIT_EXPECT_LE(test, meter_left(to, RX, METER_BYTES),
			100000 + EARNED);
	/* once: an administrator that takes it away and sets it means it */
	meter_set(test, to, RX, 0, 0);
	meter_set(test, to, RX, METER_RATE_MIN, 1000000);
	KUNIT_EXPECT_EQ(test, 1000000, meter_left(to, RX, METER_BYTES));
	meter_ops.detach(from);
	meter_ops.detach(to);
}

static void meter_rollback_test(struct kunit *test)
{
	struct vmq_ext_port *from = meter_slow(test), *to = meter_slow(test);
	struct vmq_record *rec;
	struct meter_port *m = to->priv;

	meter_run(test, from, RX, 60000, 0);
	rec = meter_save(test, from);
	KUNIT_EXPECT_EQ(test, 0, meter_restore(test, to, rec, true));
	KUNIT_EXPECT_GE(test, meter_left(to, RX, METER_BYTES), 1000000);
	KUNIT_EXPECT_EQ(test, 0, meter_counted(to, RX, METER_PASSED_PACKETS));
	KUNIT_EXPECT_FALSE(test, m->level[TX][METER_BYTES].valid);
	meter_ops.detach(from);
	meter_ops.detach(to);
}

/* Whatever is wrong is refused, and nothing changes. */
static void meter_refuse_test(struct kunit *test)
{
	struct vmq_ext_port *from = meter_slow(test), *to = meter_slow(test);
	struct vmq_record *good, *rec;
	struct vmq_meter_rec_hdr *hdr;
	u32 i;

	meter_run(test, from, RX, 60000, 0);
	good = meter_save(test, from);
	for (i = 0; i < SIZE; i++) {
		rec = meter_record(test, i);
		memcpy(rec->data, good->data, i);
		KUNIT_EXPECT_EQ(test, -EINVAL,
				meter_restore(test, to, rec, false));
	}
#define WRONG(err, ...)							\
	do {								\
		rec = meter_record(test, SIZE);				\
		memcpy(rec->data, good->data, SIZE);			\
		hdr = rec->data;					\
		__VA_ARGS__;						\
		KUNIT_EXPECT_EQ(test, err,				\
				meter_restore(test, to, rec, false));	\
	} while (0)
	WRONG(-EOPNOTSUPP, rec->version = 2);
	WRONG(-EOPNOTSUPP, rec->class.b[3] = 1);
	WRONG(-EINVAL, hdr->entry_size = cpu_to_le16(56));
	WRONG(-EINVAL, hdr->entry_size = cpu_to_le16(68));
	WRONG(-EINVAL, hdr->entry_size = 0);
	WRONG(-EINVAL, hdr->entry_size = cpu_to_le16(1032));
	WRONG(-EINVAL, hdr->reserved = cpu_to_le16(1));
	WRONG(-EINVAL, hdr->count = 0);
	WRONG(-EINVAL, hdr->count = cpu_to_le32(1));
	WRONG(-EINVAL, hdr->count = cpu_to_le32(0x80000002));
	WRONG(-EINVAL, meter_entry(rec, 1)->direction = 0);
	WRONG(-EINVAL, meter_entry(rec, 1)->direction = 2);
	WRONG(-EINVAL, meter_entry(rec, 0)->flags |= 4);
	WRONG(-EINVAL, meter_entry(rec, 0)->flags = 0);
	WRONG(-EINVAL, meter_entry(rec, 0)->reserved[5] = 1);
	WRONG(-EINVAL, meter_entry(rec, 0)->byte_tokens =
		       cpu_to_le64(1ULL << 32));
	WRONG(-EINVAL, meter_entry(rec, 0)->byte_tokens =
		       cpu_to_le64(1ULL << 63));
	WRONG(-EINVAL, meter_entry(rec, 1)->dropped_bytes =
		       cpu_to_le64(1ULL << 63));
	KUNIT_EXPECT_GE(test, meter_left(to, RX, METER_BYTES), 1000000);
	KUNIT_EXPECT_EQ(test, 0, meter_counted(to, RX, METER_PASSED_PACKETS));
	/* owing as much as there is room for */
	WRONG(0, meter_entry(rec, 0)->byte_tokens =
		 cpu_to_le64(-VMQ_METER_REC_TOKENS_MAX));
	KUNIT_EXPECT_EQ(test, VMQ_DROP, meter_run(test, to, RX, 60, 0));
#undef WRONG
	meter_ops.detach(from);
	meter_ops.detach(to);
}

/* An entry that is longer than what is known here, and one direction alone. */
static void meter_longer_test(struct kunit *test)
{
	struct vmq_ext_port *from = meter_slow(test), *to = meter_slow(test);
	struct vmq_record *good, *rec;
	struct vmq_meter_rec_hdr *hdr;

	meter_run(test, from, RX, 60000, 0);
	good = meter_save(test, from);
	rec = meter_record(test, HDR + ENTRY + 16);
	memcpy(rec->data, good->data, HDR + ENTRY);
	hdr = rec->data;
	hdr->entry_size = cpu_to_le16(ENTRY + 16);
	hdr->count = cpu_to_le32(1);
	KUNIT_EXPECT_EQ(test, 0, meter_restore(test, to, rec, false));
	KUNIT_EXPECT_EQ(test, 60000, meter_counted(to, RX,
						   METER_PASSED_BYTES));
	meter_ops.detach(from);
	meter_ops.detach(to);
}

#if IS_ENABLED(CONFIG_FAULT_INJECTION)
/* Every allocation fails once. */
static void meter_memory_test(struct kunit *test)
{
	struct netlink_ext_ack extack = {};
	struct vmq_ext_port ep = { .ops = &meter_ops };
	int n, err, refused = 0;
	bool failed;

	current->fail_nth = 1;
	kfree(kmalloc(8, GFP_KERNEL));
	failed = !current->fail_nth;
	current->fail_nth = 0;
	if (!failed)
		kunit_skip(test, "needs failslab with ignore-gfp-wait off");

	for (n = 1, failed = true; failed; n++) {
		current->fail_nth = n;
		err = meter_ops.attach(&ep, &extack);
		failed = !current->fail_nth;
		current->fail_nth = 0;
		/* of counters it does without some allocations */
		if (err)
			KUNIT_EXPECT_EQ(test, -ENOMEM, err);
		refused += !!err;
		if (!err && failed)
			meter_ops.detach(&ep);
	}
	KUNIT_ASSERT_EQ(test, 0, err);
	KUNIT_EXPECT_GE(test, refused, 1);
	current->fail_nth = 1;
	err = meter_ops.restore_begin(&ep, &extack);
	current->fail_nth = 0;
	KUNIT_EXPECT_EQ(test, -ENOMEM, err);
	KUNIT_EXPECT_NULL(test, ep.session);
	meter_ops.detach(&ep);
}
#else
static void meter_memory_test(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_FAULT_INJECTION");
}
#endif

static struct kunit_case meter_state_cases[] = {
	KUNIT_CASE(meter_trip_test),
	KUNIT_CASE(meter_later_test),
	KUNIT_CASE(meter_rollback_test),
	KUNIT_CASE(meter_refuse_test),
	KUNIT_CASE(meter_longer_test),
	KUNIT_CASE(meter_memory_test),
	{}
};

static struct kunit_suite meter_state_suite = {
	.name = "vmq_meter_state",
	.test_cases = meter_state_cases,
};

kunit_test_suite(meter_state_suite);

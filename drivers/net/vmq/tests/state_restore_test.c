// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of restores. Names in brackets are requirements.
 */
#include "state_fake.h"

/* A stream with 2 records of a, 1 of b and 1 of c; then all is reset. */
static void test_prepare(struct kunit *test, struct vmq_fakes *ts)
{
	vmq_fakes_reset(ts);
	ts->ext[0].records = 2;
	KUNIT_ASSERT_EQ(test, vmq_fakes_save(ts), 0);
	vmq_fakes_reset(ts);
}

/* [SR-27, SR-29, SR-31, SR-32, SR-40] all are checked before the first is applied */
static void vmq_state_restore_order(struct kunit *test)
{
	struct vmq_fakes *ts = test->priv;

	test_prepare(test, ts);
	KUNIT_EXPECT_EQ(test, vmq_fakes_restore(ts), 0);
	KUNIT_EXPECT_STREQ(test, ts->log,
			   "aB bB cB aV aV bV cV aA aA bA cA aD bD cD");
	KUNIT_EXPECT_EQ(test, ts->restore.records, 4);
	KUNIT_EXPECT_EQ(test, ts->restore.unclaimed, 0);
	vmq_fakes_nothing_owed(test, ts);
}

static void test_unclaimed(void *ctx, const struct vmq_stream_view *view)
{
	char *log = ctx;

	log[strlen(log)] = view->data[1];
}

/* [SR-30, SR-35, O-36] ownership is the uuid, and a record without is no error */
static void vmq_state_restore_unclaimed(struct kunit *test)
{
	struct vmq_fakes *ts = test->priv;
	char log[8] = "";

	test_prepare(test, ts);
	ts->ext[0].ops.uuid.b[0] = 1;		/* not the one that saved */
	ts->ext[2].ops.validate = NULL;		/* has no run-time data here */
	ts->ext[2].ops.apply = NULL;
	ts->ext[2].ops.rollback = NULL;
	KUNIT_EXPECT_EQ(test, vmq_fakes_restore(ts), 0);
	KUNIT_EXPECT_STREQ(test, ts->log, "aB bB bV bA aD bD");
	KUNIT_EXPECT_EQ(test, ts->restore.records, 4);
	KUNIT_EXPECT_EQ(test, ts->restore.unclaimed, 3);
	vmq_restore_unclaimed(&ts->restore, test_unclaimed, log);
	KUNIT_EXPECT_STREQ(test, log, "aac");
}

/* Data from a newer module: refused, unless its writer said it may be skipped. */
static void vmq_state_restore_newer(struct kunit *test)
{
	struct vmq_fakes *ts = test->priv;

	vmq_fakes_reset(ts);
	ts->ext[1].version = 2;
	KUNIT_ASSERT_EQ(test, vmq_fakes_save(ts), 0);
	vmq_fakes_reset(ts);
	KUNIT_EXPECT_EQ(test, vmq_fakes_restore(ts), -EOPNOTSUPP);
	KUNIT_EXPECT_STREQ(test, ts->log, "aB bB cB aV ad bd cd");
	KUNIT_EXPECT_STREQ(test, ts->reason.text,
			   "record 2: data of version 2 is too new");

	vmq_fakes_reset(ts);
	ts->ext[1].version = 2;
	ts->ext[1].flags = VMQ_RECORD_OPTIONAL;
	KUNIT_ASSERT_EQ(test, vmq_fakes_save(ts), 0);
	vmq_fakes_reset(ts);
	KUNIT_EXPECT_EQ(test, vmq_fakes_restore(ts), 0);
	KUNIT_EXPECT_STREQ(test, ts->log,
			   "aB bB cB aV cV aA cA aD bD cD");
	KUNIT_EXPECT_EQ(test, ts->restore.unclaimed, 1);

	/* an older one is for the extension to judge */
	vmq_fakes_reset(ts);
	KUNIT_ASSERT_EQ(test, vmq_fakes_save(ts), 0);
	vmq_fakes_reset(ts);
	ts->ext[1].ops.data_version = 9;
	KUNIT_EXPECT_EQ(test, vmq_fakes_restore(ts), 0);
}

/* [SR-36, SR-37, SR-40, O-35] whoever fails when, all is undone, last first */
static const struct test_failure {
	unsigned int ext;
	char verb;
	u32 at;
	const char *log;
	const char *reason;
} test_failures[] = {
	{ 0, 'B', 1, "aB!", "a refused the restore (error -33)" },
	{ 1, 'B', 1, "aB bB! ad", "b refused the restore (error -33)" },
	{ 0, 'V', 2, "aB bB cB aV aV! ad bd cd", "a, record 2: no" },
	{ 2, 'V', 1, "aB bB cB aV aV bV cV! ad bd cd", "c, record 4: no" },
	{ 0, 'A', 1, "aB bB cB aV aV bV cV aA! ad bd cd", "a, record 1: no" },
	{ 0, 'A', 2, "aB bB cB aV aV bV cV aA aA! aR ad bd cd",
	  "a, record 2: no" },
	{ 1, 'A', 1, "aB bB cB aV aV bV cV aA aA bA! aR ad bd cd",
	  "b, record 3: no" },
	{ 2, 'A', 1, "aB bB cB aV aV bV cV aA aA bA cA! bR aR ad bd cd",
	  "c, record 4: no" },
};

static void test_failure_name(const struct test_failure *f, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%s", f->log);
}

KUNIT_ARRAY_PARAM(test_failure, test_failures, test_failure_name);

static void vmq_state_restore_fails(struct kunit *test)
{
	const struct test_failure *f = test->param_value;
	struct vmq_fakes *ts = test->priv;

	test_prepare(test, ts);
	ts->ext[f->ext].fail = f->verb;
	ts->ext[f->ext].fail_at = f->at;
	KUNIT_EXPECT_EQ(test, vmq_fakes_restore(ts), -EDOM);
	KUNIT_EXPECT_STREQ(test, ts->log, f->log);
	KUNIT_EXPECT_STREQ(test, ts->reason.text, f->reason);
	vmq_fakes_nothing_owed(test, ts);
}

/* Before its end a stream is no extension's business, validated it is dropped. */
static void vmq_state_restore_aborted(struct kunit *test)
{
	struct vmq_fakes *ts = test->priv;

	test_prepare(test, ts);
	KUNIT_EXPECT_EQ(test, vmq_fakes_write(ts, ts->len - 1, 64), 0);
	vmq_restore_finish(&ts->restore, false);
	KUNIT_EXPECT_STREQ(test, ts->log, "");

	vmq_fakes_reset(ts);
	KUNIT_EXPECT_EQ(test, vmq_fakes_write(ts, ts->len, 64), 1);
	KUNIT_EXPECT_EQ(test, vmq_restore_validate(&ts->restore, &ts->reason),
			0);
	vmq_restore_finish(&ts->restore, false);
	vmq_restore_finish(&ts->restore, false);
	KUNIT_EXPECT_STREQ(test, ts->log, "aB bB cB aV aV bV cV ad bd cd");
}

/* The staging area: any size of write, and never more than the limit. */
static void vmq_state_restore_staging(struct kunit *test)
{
	struct vmq_fakes *ts = test->priv;
	size_t piece;

	vmq_fakes_reset(ts);
	ts->ext[0].size = VMQ_RECORD_DATA_MAX;
	KUNIT_ASSERT_EQ(test, vmq_fakes_save(ts), 0);
	for (piece = 1; piece <= ts->len * 3; piece *= 3) {
		vmq_fakes_reset(ts);
		KUNIT_EXPECT_EQ(test, vmq_fakes_write(ts, ts->len, piece), 1);
		KUNIT_EXPECT_EQ(test, ts->restore.len, ts->len);
	}

	vmq_fakes_reset(ts);
	ts->restore.max = ts->len;
	KUNIT_EXPECT_EQ(test, vmq_fakes_write(ts, ts->len, 1000), 1);
	KUNIT_EXPECT_LE(test, ts->restore.size, ts->restore.max);
	vmq_fakes_reset(ts);
	ts->restore.max = ts->len - 1;
	KUNIT_EXPECT_EQ(test, vmq_fakes_write(ts, ts->len, 1000), -EFBIG);

	vmq_fakes_reset(ts);
	ts->stream[ts->len - 1] ^= 1;
	KUNIT_EXPECT_EQ(test, vmq_fakes_restore(ts), -EBADMSG);
	KUNIT_EXPECT_STREQ(test, ts->log, "");
}

static struct kunit_case vmq_restore_cases[] = {
	KUNIT_CASE(vmq_state_restore_order),
	KUNIT_CASE(vmq_state_restore_unclaimed),
	KUNIT_CASE(vmq_state_restore_newer),
	KUNIT_CASE_PARAM(vmq_state_restore_fails, test_failure_gen_params),
	KUNIT_CASE(vmq_state_restore_aborted),
	KUNIT_CASE(vmq_state_restore_staging),
	{}
};

static struct kunit_suite vmq_restore_suite = {
	.name = "vmq-state-restore",
	.init = vmq_fakes_init,
	.exit = vmq_fakes_exit,
	.test_cases = vmq_restore_cases,
};

kunit_test_suites(&vmq_restore_suite);

// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the migration's state machine and of saves. Names in brackets
 * are requirements.
 */
#include "state_fake.h"

#define TEST_RECORDS	3

/* ---- the state machine ---- */

#define IDLE	VMQ_MIGRATION_STATE_IDLE
#define SAVING	VMQ_MIGRATION_STATE_SAVING
#define SAVED	VMQ_MIGRATION_STATE_SAVED
#define RESTOR	VMQ_MIGRATION_STATE_RESTORING
#define VALID	VMQ_MIGRATION_STATE_VALIDATED

static const struct test_row {
	const char *event;
	int next[VMQ_MIGRATION_STATES];
} test_rows[VMQ_MEV_COUNT] = {
	/* idle, saving, saved, restoring, validated */
	[VMQ_MEV_SAVE_BEGIN] = {
		"save-begin", { SAVING, -EBUSY, SAVING, -EBUSY, -EBUSY },
	},
	[VMQ_MEV_RESTORE_BEGIN] = {
		"restore-begin", { RESTOR, -EBUSY, RESTOR, -EBUSY, -EBUSY },
	},
	[VMQ_MEV_SAVED] = {
		"saved", { -EINVAL, SAVED, -EINVAL, -EINVAL, -EINVAL },
	},
	[VMQ_MEV_VALIDATED] = {
		"validated", { -EINVAL, -EINVAL, -EINVAL, VALID, -EINVAL },
	},
	[VMQ_MEV_FAILED] = {
		"failed", { -EINVAL, IDLE, -EINVAL, RESTOR, RESTOR },
	},
	[VMQ_MEV_COMMIT] = {
		"commit", { -ENOENT, -EBUSY, -ENOENT, -EINVAL, IDLE },
	},
	[VMQ_MEV_ABORT] = {
		"abort", { -ENOENT, IDLE, IDLE, IDLE, IDLE },
	},
	[VMQ_MEV_CLOSE] = {
		"close", { IDLE, IDLE, SAVED, IDLE, IDLE },
	},
};

static void test_row_name(const struct test_row *row, char *name)
{
	strscpy(name, row->event, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(test_row, test_rows, test_row_name);

/* [SR-22, SR-26, O-34] */
static void vmq_state_machine(struct kunit *test)
{
	const struct test_row *row = test->param_value;
	enum vmq_migration_event event = row - test_rows;
	unsigned int state;

	for (state = 0; state < VMQ_MIGRATION_STATES; state++)
		KUNIT_EXPECT_EQ_MSG(test, vmq_migration_next(state, event),
				    row->next[state], "in state %u", state);
	KUNIT_EXPECT_EQ(test, vmq_migration_next(VMQ_MIGRATION_STATES, event),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, vmq_migration_next(IDLE, VMQ_MEV_COUNT), -EINVAL);
}

/* ---- save ---- */

/*
 * [SR-03 to SR-06, SR-10 to SR-14, SR-18, SR-20, SR-21] several records each, top of
 * the stack first; who returns one keeps the others waiting
 */
static void vmq_state_save_order(struct kunit *test)
{
	struct vmq_fakes *ts = test->priv;
	struct vmq_stream_view view;
	struct vmq_stream_error err;
	char order[8] = "";
	size_t pos = 0;
	u32 count, n = 0;

	ts->ext[0].records = 2;
	ts->ext[1].records = 0;
	KUNIT_ASSERT_EQ(test, vmq_fakes_save(ts), 0);
	KUNIT_EXPECT_STREQ(test, ts->log,
			   "aS bS cS aN aN aN bN cN cN aC bC cC");
	KUNIT_ASSERT_EQ(test, vmq_stream_check(ts->stream, ts->len, &count,
					       &err), 0);
	KUNIT_EXPECT_EQ(test, count, 3);
	while (vmq_stream_next(ts->stream, ts->len, &pos, &view)) {
		order[n++] = view.data[1];
		order[n++] = '0' + view.data[0];
		KUNIT_EXPECT_EQ(test, view.length, 100);
		KUNIT_EXPECT_EQ(test, view.ext[15], view.data[1] - 'a' + 1);
		KUNIT_EXPECT_EQ(test, view.class[0], view.data[1]);
	}
	KUNIT_EXPECT_STREQ(test, order, "a0a1c0");
	vmq_fakes_nothing_owed(test, ts);
}

/* [SR-10] nobody has anything, or takes part at all */
static void vmq_state_save_nothing(struct kunit *test)
{
	struct vmq_fakes *ts = test->priv;
	struct vmq_stream_error err;
	u32 count;

	ts->ext[0].records = 0;
	ts->ext[1].records = 0;
	ts->ext[2].ops.save_begin = NULL;
	ts->ext[2].ops.save_next = NULL;
	KUNIT_ASSERT_EQ(test, vmq_fakes_save(ts), 0);
	KUNIT_EXPECT_STREQ(test, ts->log, "aS bS aN bN aC bC");
	KUNIT_EXPECT_EQ(test, vmq_stream_check(ts->stream, ts->len, &count,
					       &err), 0);
	KUNIT_EXPECT_EQ(test, count, 0);
	KUNIT_EXPECT_EQ(test, vmq_save_part(&ts->save, &ts->reason), 0);
}

/* [SR-07 to SR-09, SR-11] too small a buffer: once more, with what it asked for */
static void vmq_state_save_reissue(struct kunit *test)
{
	struct vmq_fakes *ts = test->priv;
	struct vmq_stream_error err;
	u32 count;

	ts->ext[0].size = VMQ_SAVE_ROOM;
	ts->ext[1].size = VMQ_SAVE_ROOM + 1;
	ts->ext[1].records = 2;
	ts->ext[2].size = VMQ_RECORD_DATA_MAX;
	KUNIT_ASSERT_EQ(test, vmq_fakes_save(ts), 0);
	KUNIT_EXPECT_STREQ(test, ts->log,
			   "aS bS cS aN aN bN bN bN bN cN cN cN aC bC cC");
	KUNIT_EXPECT_EQ(test, ts->rooms[0], VMQ_SAVE_ROOM);
	KUNIT_EXPECT_EQ(test, ts->rooms[2], VMQ_SAVE_ROOM);
	KUNIT_EXPECT_EQ(test, ts->rooms[3], VMQ_SAVE_ROOM + 1);
	/* the room is kept, so the next record needs no second call */
	KUNIT_EXPECT_GE(test, ts->rooms[4], VMQ_SAVE_ROOM + 1);
	KUNIT_EXPECT_EQ(test, ts->rooms[7], VMQ_RECORD_DATA_MAX);
	KUNIT_EXPECT_EQ(test, vmq_stream_check(ts->stream, ts->len, &count,
					       &err), 0);
	KUNIT_EXPECT_EQ(test, count, 4);
}

/* [O-33, O-34] who asks for the impossible, or for ever, ends the save */
static void vmq_state_save_bad_reissue(struct kunit *test)
{
	struct vmq_fakes *ts = test->priv;

	ts->ext[1].size = VMQ_RECORD_DATA_MAX + 1;
	KUNIT_EXPECT_EQ(test, vmq_fakes_save(ts), -EIO);
	KUNIT_EXPECT_STREQ(test, ts->log,
			   "aS bS cS aN aN bN ac bc cc");

	vmq_fakes_reset(ts);
	ts->ext[0].grow = -1;			/* less than it was offered */
	KUNIT_EXPECT_EQ(test, vmq_fakes_save(ts), -EIO);
	KUNIT_EXPECT_EQ(test, ts->n_rooms, 1);

	vmq_fakes_reset(ts);
	ts->ext[0].fail = 'N';			/* without saying how much */
	ts->ext[0].fail_at = 1;
	ts->ext[0].error = -EMSGSIZE;
	KUNIT_EXPECT_EQ(test, vmq_fakes_save(ts), -EIO);
	KUNIT_EXPECT_EQ(test, ts->n_rooms, 1);

	vmq_fakes_reset(ts);
	ts->ext[0].grow = 1;
	KUNIT_EXPECT_EQ(test, vmq_fakes_save(ts), -EIO);
	KUNIT_EXPECT_EQ(test, ts->n_rooms, VMQ_SAVE_REISSUES + 1);
	KUNIT_EXPECT_STREQ(test, ts->reason.text,
			   "a asks for more room for ever");
	vmq_fakes_nothing_owed(test, ts);
}

/* [SR-15] what it writes over what is the core's changes nothing */
static void vmq_state_save_scribbles(struct kunit *test)
{
	struct vmq_fakes *ts = test->priv;
	size_t len;
	u8 *good;

	KUNIT_ASSERT_EQ(test, vmq_fakes_save(ts), 0);
	len = ts->len;
	good = kunit_kzalloc(test, len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, good);
	memcpy(good, ts->stream, len);
	vmq_fakes_reset(ts);
	ts->ext[0].scribble = true;
	ts->ext[2].scribble = true;
	KUNIT_ASSERT_EQ(test, vmq_fakes_save(ts), 0);
	KUNIT_ASSERT_EQ(test, ts->len, len);
	KUNIT_EXPECT_MEMEQ(test, ts->stream, good, len);
}

/* [O-34] what an extension must not return */
static void vmq_state_save_bad_record(struct kunit *test)
{
	struct vmq_fakes *ts = test->priv;

	ts->ext[0].fail = 'N';
	ts->ext[0].fail_at = 1;
	ts->ext[0].error = VMQ_SAVE_ROOM + 1;	/* more than there is room for */
	KUNIT_EXPECT_EQ(test, vmq_fakes_save(ts), -EIO);

	vmq_fakes_reset(ts);
	ts->ext[0].flags = 2;
	KUNIT_EXPECT_EQ(test, vmq_fakes_save(ts), -EIO);

	vmq_fakes_reset(ts);
	ts->ext[1].fail = 'S';
	ts->ext[1].fail_at = 1;
	ts->ext[1].error = 1;			/* neither 0 nor an errno */
	KUNIT_EXPECT_EQ(test, vmq_fakes_save(ts), -EIO);
	KUNIT_EXPECT_STREQ(test, ts->log, "aS bS! ac");
	vmq_fakes_nothing_owed(test, ts);
}

/* A stream is never larger than the limit, to the byte. */
static void vmq_state_save_limit(struct kunit *test)
{
	struct vmq_fakes *ts = test->priv;
	size_t size;

	KUNIT_ASSERT_EQ(test, vmq_fakes_save(ts), 0);
	size = ts->len;
	vmq_fakes_reset(ts);
	ts->save.max = size;
	KUNIT_EXPECT_EQ(test, vmq_fakes_save(ts), 0);
	vmq_fakes_reset(ts);
	ts->save.max = size - 1;
	KUNIT_EXPECT_EQ(test, vmq_fakes_save(ts), -EFBIG);
	KUNIT_EXPECT_STREQ(test, ts->log, "aS bS cS aN aN bN bN cN ac bc cc");
}

/* [SR-16, SR-19, O-34] wherever it fails, each begin has its complete */
static void vmq_state_save_fails_anywhere(struct kunit *test)
{
	static const char verbs[] = "SN";
	struct vmq_fakes *ts = test->priv;
	unsigned int verb, i, n;
	int ret;

	for (verb = 0; verb < 2; verb++) {
		for (i = 0; i < VMQ_FAKES; i++) {
			for (n = 1; n <= TEST_RECORDS + 1; n++) {
				vmq_fakes_reset(ts);
				ts->ext[i].records = TEST_RECORDS;
				ts->ext[i].fail = verbs[verb];
				ts->ext[i].fail_at = n;
				ret = vmq_fakes_save(ts);
				/* a begin comes but once */
				KUNIT_EXPECT_EQ(test, ret,
						verb || n == 1 ? -EDOM : 0);
				vmq_fakes_nothing_owed(test, ts);
				if (ret)
					KUNIT_EXPECT_NULL(test,
							  strchr(ts->log, 'C'));
			}
		}
	}
	vmq_fakes_reset(ts);
	ts->ext[1].fail = 'N';
	ts->ext[1].fail_at = 1;
	vmq_fakes_save(ts);
	KUNIT_EXPECT_STREQ(test, ts->log, "aS bS cS aN aN bN! ac bc cc");
	KUNIT_EXPECT_STREQ(test, ts->reason.text,
			   "b failed to save (error -33)");
}

/* [SR-19, SR-20] an abort between two reads, also one that comes twice */
static void vmq_state_save_aborted(struct kunit *test)
{
	struct vmq_fakes *ts = test->priv;

	KUNIT_ASSERT_EQ(test, vmq_save_start(&ts->save, NULL), 0);
	KUNIT_EXPECT_EQ(test, vmq_save_part(&ts->save, &ts->reason), 1);
	KUNIT_EXPECT_EQ(test, vmq_save_part(&ts->save, &ts->reason), 1);
	vmq_save_finish(&ts->save, false);
	vmq_save_finish(&ts->save, false);
	vmq_save_finish(&ts->save, true);
	KUNIT_EXPECT_STREQ(test, ts->log, "aS bS cS aN ac bc cc");
}

static struct kunit_case vmq_state_cases[] = {
	KUNIT_CASE_PARAM(vmq_state_machine, test_row_gen_params),
	KUNIT_CASE(vmq_state_save_order),
	KUNIT_CASE(vmq_state_save_nothing),
	KUNIT_CASE(vmq_state_save_reissue),
	KUNIT_CASE(vmq_state_save_bad_reissue),
	KUNIT_CASE(vmq_state_save_scribbles),
	KUNIT_CASE(vmq_state_save_bad_record),
	KUNIT_CASE(vmq_state_save_limit),
	KUNIT_CASE(vmq_state_save_fails_anywhere),
	KUNIT_CASE(vmq_state_save_aborted),
	{}
};

static struct kunit_suite vmq_state_suite = {
	.name = "vmq-state",
	.init = vmq_fakes_init,
	.exit = vmq_fakes_exit,
	.test_cases = vmq_state_cases,
};

kunit_test_suites(&vmq_state_suite);

// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of saves and restores with made-up extensions. Names in brackets
 * are requirements.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "../state.h"

#define TEST_EXTS	3
#define TEST_RECORDS	3

/*
 * Extension 0 is a, 1 is b, ... What they are called for is written down as
 * letter and verb: S save begin, N next, C save complete, B restore begin, V
 * validate, A apply, R rollback, D restore complete; small where it is told that
 * all failed, with a ! where it fails itself.
 */
struct test_ext {
	struct vmq_ext_ops ops;
	struct vmq_ext_port ep;
	struct test_state *ts;
	char letter;
	char name[8];

	u32 records;		/* to save */
	u32 size;		/* of each */
	u16 version;		/* that it writes */
	u16 flags;
	u32 next;
	char fail;		/* verb that fails */
	u32 fail_at;		/* the how manieth time */
	u32 calls;
	int error;
	u32 grow;		/* asks for that much more each time */
	int owed;		/* begins without a complete */
};

struct test_state {
	struct test_ext ext[TEST_EXTS];
	struct vmq_party party[TEST_EXTS];
	struct vmq_save save;
	struct vmq_restore restore;
	struct vmq_reason reason;
	char log[256];
	u32 rooms[16];		/* that save_next was offered */
	u32 n_rooms;
	u8 *stream;
	size_t len;
};

static void test_log(struct test_ext *x, char verb)
{
	size_t len = strlen(x->ts->log);

	snprintf(x->ts->log + len, sizeof(x->ts->log) - len, "%s%c%c",
		 len ? " " : "", x->letter, verb);
}

static int test_call(struct test_ext *x, char verb)
{
	test_log(x, verb);
	if (x->fail != verb || ++x->calls != x->fail_at)
		return 0;
	strlcat(x->ts->log, "!", sizeof(x->ts->log));
	return x->error;
}

static struct test_ext *test_ext(const struct vmq_ext_port *ep)
{
	return container_of(ep, struct test_ext, ep);
}

static int test_begin(struct test_ext *x, char verb)
{
	int err = test_call(x, verb);

	x->next = 0;
	if (!err)
		x->owed++;
	return err;
}

static int test_save_begin(struct vmq_ext_port *ep,
			   struct netlink_ext_ack *extack)
{
	return test_begin(test_ext(ep), 'S');
}

static int test_save_next(struct vmq_ext_port *ep, struct vmq_record *rec)
{
	struct test_ext *x = test_ext(ep);
	int err = test_call(x, 'N');

	if (x->ts->n_rooms < ARRAY_SIZE(x->ts->rooms))
		x->ts->rooms[x->ts->n_rooms++] = rec->size;
	if (err)
		return err;
	if (x->next == x->records)
		return 0;
	if (x->grow || x->size > rec->size) {
		rec->needed = x->grow ? rec->size + x->grow : x->size;
		return -EMSGSIZE;
	}
	memset(rec->data, x->letter, x->size);
	*(u8 *)rec->data = x->next++;
	rec->version = x->version;
	rec->flags = x->flags;
	rec->class.b[0] = x->letter;
	return x->size;
}

static void test_save_complete(struct vmq_ext_port *ep, bool ok)
{
	test_ext(ep)->owed--;
	test_log(test_ext(ep), ok ? 'C' : 'c');
}

static int test_restore_begin(struct vmq_ext_port *ep,
			      struct netlink_ext_ack *extack)
{
	return test_begin(test_ext(ep), 'B');
}

static int test_record(struct test_ext *x, const struct vmq_record *rec,
		       char verb, struct netlink_ext_ack *extack)
{
	int err = test_call(x, verb);

	if (err)
		NL_SET_ERR_MSG(extack, "no");
	else if (!rec->size || rec->class.b[0] != x->letter)
		err = -EUCLEAN;
	return err;
}

static int test_validate(struct vmq_ext_port *ep, const struct vmq_record *rec,
			 struct netlink_ext_ack *extack)
{
	return test_record(test_ext(ep), rec, 'V', extack);
}

static int test_apply(struct vmq_ext_port *ep, const struct vmq_record *rec,
		      struct netlink_ext_ack *extack)
{
	return test_record(test_ext(ep), rec, 'A', extack);
}

static void test_rollback(struct vmq_ext_port *ep)
{
	test_log(test_ext(ep), 'R');
}

static void test_restore_complete(struct vmq_ext_port *ep, bool ok)
{
	test_ext(ep)->owed--;
	test_log(test_ext(ep), ok ? 'D' : 'd');
}

static const struct vmq_ext_ops test_ops = {
	.data_version = 1,
	.save_begin = test_save_begin,
	.save_next = test_save_next,
	.save_complete = test_save_complete,
	.restore_begin = test_restore_begin,
	.validate = test_validate,
	.apply = test_apply,
	.rollback = test_rollback,
	.restore_complete = test_restore_complete,
};

/* Everything anew, but for the stream that was saved last. */
static void test_reset(struct test_state *ts)
{
	unsigned int i;

	kvfree(ts->save.buf);
	kvfree(ts->restore.buf);
	memset(&ts->save, 0, sizeof(ts->save));
	memset(&ts->restore, 0, sizeof(ts->restore));
	memset(&ts->reason, 0, sizeof(ts->reason));
	memset(ts->party, 0, sizeof(ts->party));
	ts->n_rooms = 0;
	ts->log[0] = 0;
	for (i = 0; i < TEST_EXTS; i++) {
		struct test_ext *x = &ts->ext[i];

		memset(x, 0, sizeof(*x));
		x->ops = test_ops;
		x->ops.name = x->name;
		x->ops.uuid.b[15] = i + 1;
		x->ep.ops = &x->ops;
		x->ts = ts;
		x->letter = 'a' + i;
		x->name[0] = x->letter;
		x->records = 1;
		x->size = 100;
		x->version = 1;
		x->error = -EDOM;
		ts->party[i].ep = &x->ep;
		ts->party[i].type = VMQ_RECORD_EXT;
	}
	ts->save.party = ts->party;
	ts->save.n = TEST_EXTS;
	ts->save.max = SZ_1M;
	ts->restore.party = ts->party;
	ts->restore.n = TEST_EXTS;
	ts->restore.max = SZ_1M;
}

/* The whole save, as the descriptor's reader drives it. */
static int test_save(struct test_state *ts)
{
	int ret;

	ts->len = 0;
	ret = vmq_save_start(&ts->save, NULL);
	if (ret)
		return ret;
	do {
		ret = vmq_save_part(&ts->save, &ts->reason);
		if (ret > 0) {
			memcpy(ts->stream + ts->len, ts->save.buf,
			       ts->save.len);
			ts->len += ts->save.len;
		}
	} while (ret > 0);
	vmq_save_finish(&ts->save, !ret);
	return ret;
}

/* Writes the saved stream in pieces; 1 where its end was seen. */
static int test_write(struct test_state *ts, size_t len, size_t piece)
{
	struct vmq_restore *rs = &ts->restore;
	size_t n, done = 0;
	int ret = 0;

	while (!ret && done < len) {
		n = min(piece, len - done);
		ret = vmq_restore_reserve(rs, n, &ts->reason);
		if (ret)
			break;
		memcpy(rs->buf + rs->len, ts->stream + done, n);
		ret = vmq_restore_feed(rs, n, &ts->reason);
		done += n;
	}
	return ret;
}

/* The whole restore, as the descriptor's writer and a commit drive it. */
static int test_restore(struct test_state *ts)
{
	int ret = test_write(ts, ts->len, 4096);

	if (ret != 1)
		return ret ?: -ENODATA;
	ret = vmq_restore_validate(&ts->restore, &ts->reason);
	if (ret)
		return ret;
	ret = vmq_restore_apply(&ts->restore, &ts->reason);
	vmq_restore_finish(&ts->restore, !ret);
	return ret;
}

static void test_nothing_owed(struct kunit *test, struct test_state *ts)
{
	unsigned int i;

	for (i = 0; i < TEST_EXTS; i++) {
		KUNIT_EXPECT_EQ_MSG(test, ts->ext[i].owed, 0, "%s", ts->log);
		KUNIT_EXPECT_NULL(test, ts->ext[i].ep.session);
	}
}

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
	/*                           idle     saving  saved    restor. valid. */
	[VMQ_MEV_SAVE_BEGIN] =
		{ "save-begin",    { SAVING,  -EBUSY, SAVING,  -EBUSY, -EBUSY } },
	[VMQ_MEV_RESTORE_BEGIN] =
		{ "restore-begin", { RESTOR,  -EBUSY, RESTOR,  -EBUSY, -EBUSY } },
	[VMQ_MEV_SAVED] =
		{ "saved",         { -EINVAL, SAVED,  -EINVAL, -EINVAL, -EINVAL } },
	[VMQ_MEV_VALIDATED] =
		{ "validated",     { -EINVAL, -EINVAL, -EINVAL, VALID, -EINVAL } },
	[VMQ_MEV_FAILED] =
		{ "failed",        { -EINVAL, IDLE,   -EINVAL, RESTOR, RESTOR } },
	[VMQ_MEV_COMMIT] =
		{ "commit",        { -ENOENT, -EBUSY, -ENOENT, -EINVAL, IDLE } },
	[VMQ_MEV_ABORT] =
		{ "abort",         { -ENOENT, IDLE,   IDLE,    IDLE,   IDLE } },
	[VMQ_MEV_CLOSE] =
		{ "close",         { IDLE,    IDLE,   SAVED,   IDLE,   IDLE } },
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

/* [SR-10 to SR-14] several records each, top of the stack first */
static void vmq_state_save_order(struct kunit *test)
{
	struct test_state *ts = test->priv;
	struct vmq_stream_view view;
	struct vmq_stream_error err;
	char order[8] = "";
	size_t pos = 0;
	u32 count, n = 0;

	ts->ext[0].records = 2;
	ts->ext[1].records = 0;
	KUNIT_ASSERT_EQ(test, test_save(ts), 0);
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
	test_nothing_owed(test, ts);
}

/* [SR-10] nobody has anything, or takes part at all */
static void vmq_state_save_nothing(struct kunit *test)
{
	struct test_state *ts = test->priv;
	struct vmq_stream_error err;
	u32 count;

	ts->ext[0].records = 0;
	ts->ext[1].records = 0;
	ts->ext[2].ops.save_begin = NULL;
	ts->ext[2].ops.save_next = NULL;
	KUNIT_ASSERT_EQ(test, test_save(ts), 0);
	KUNIT_EXPECT_STREQ(test, ts->log, "aS bS aN bN aC bC");
	KUNIT_EXPECT_EQ(test, vmq_stream_check(ts->stream, ts->len, &count,
					       &err), 0);
	KUNIT_EXPECT_EQ(test, count, 0);
	KUNIT_EXPECT_EQ(test, vmq_save_part(&ts->save, &ts->reason), 0);
}

/* [SR-07 to SR-09, SR-11] too small a buffer: once more, with what it asked for */
static void vmq_state_save_reissue(struct kunit *test)
{
	struct test_state *ts = test->priv;
	struct vmq_stream_error err;
	u32 count;

	ts->ext[0].size = VMQ_SAVE_ROOM;
	ts->ext[1].size = VMQ_SAVE_ROOM + 1;
	ts->ext[1].records = 2;
	ts->ext[2].size = VMQ_RECORD_DATA_MAX;
	KUNIT_ASSERT_EQ(test, test_save(ts), 0);
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
	struct test_state *ts = test->priv;

	ts->ext[1].size = VMQ_RECORD_DATA_MAX + 1;
	KUNIT_EXPECT_EQ(test, test_save(ts), -EIO);
	KUNIT_EXPECT_STREQ(test, ts->log,
			   "aS bS cS aN aN bN ac bc cc");

	test_reset(ts);
	ts->ext[0].grow = -1;			/* less than it was offered */
	KUNIT_EXPECT_EQ(test, test_save(ts), -EIO);
	KUNIT_EXPECT_EQ(test, ts->n_rooms, 1);

	test_reset(ts);
	ts->ext[0].fail = 'N';			/* without saying how much */
	ts->ext[0].fail_at = 1;
	ts->ext[0].error = -EMSGSIZE;
	KUNIT_EXPECT_EQ(test, test_save(ts), -EIO);
	KUNIT_EXPECT_EQ(test, ts->n_rooms, 1);

	test_reset(ts);
	ts->ext[0].grow = 1;
	KUNIT_EXPECT_EQ(test, test_save(ts), -EIO);
	KUNIT_EXPECT_EQ(test, ts->n_rooms, VMQ_SAVE_REISSUES + 1);
	KUNIT_EXPECT_STREQ(test, ts->reason.text,
			   "a asks for more room for ever");
	test_nothing_owed(test, ts);
}

/* [O-34] what an extension must not return */
static void vmq_state_save_bad_record(struct kunit *test)
{
	struct test_state *ts = test->priv;

	ts->ext[0].fail = 'N';
	ts->ext[0].fail_at = 1;
	ts->ext[0].error = VMQ_SAVE_ROOM + 1;	/* more than there is room for */
	KUNIT_EXPECT_EQ(test, test_save(ts), -EIO);

	test_reset(ts);
	ts->ext[0].flags = 2;
	KUNIT_EXPECT_EQ(test, test_save(ts), -EIO);

	test_reset(ts);
	ts->ext[1].fail = 'S';
	ts->ext[1].fail_at = 1;
	ts->ext[1].error = 1;			/* neither 0 nor an errno */
	KUNIT_EXPECT_EQ(test, test_save(ts), -EIO);
	KUNIT_EXPECT_STREQ(test, ts->log, "aS bS! ac");
	test_nothing_owed(test, ts);
}

/* A stream is never larger than the limit, to the byte. */
static void vmq_state_save_limit(struct kunit *test)
{
	struct test_state *ts = test->priv;
	size_t size;

	KUNIT_ASSERT_EQ(test, test_save(ts), 0);
	size = ts->len;
	test_reset(ts);
	ts->save.max = size;
	KUNIT_EXPECT_EQ(test, test_save(ts), 0);
	test_reset(ts);
	ts->save.max = size - 1;
	KUNIT_EXPECT_EQ(test, test_save(ts), -EFBIG);
	KUNIT_EXPECT_STREQ(test, ts->log, "aS bS cS aN aN bN bN cN ac bc cc");
}

/* [SR-16, SR-19, O-34] wherever it fails, each begin has its complete */
static void vmq_state_save_fails_anywhere(struct kunit *test)
{
	static const char verbs[] = "SN";
	struct test_state *ts = test->priv;
	unsigned int verb, i, n;
	int ret;

	for (verb = 0; verb < 2; verb++) {
		for (i = 0; i < TEST_EXTS; i++) {
			for (n = 1; n <= TEST_RECORDS + 1; n++) {
				test_reset(ts);
				ts->ext[i].records = TEST_RECORDS;
				ts->ext[i].fail = verbs[verb];
				ts->ext[i].fail_at = n;
				ret = test_save(ts);
				/* a begin comes but once */
				KUNIT_EXPECT_EQ(test, ret,
						verb || n == 1 ? -EDOM : 0);
				test_nothing_owed(test, ts);
				if (ret)
					KUNIT_EXPECT_NULL(test,
							  strchr(ts->log, 'C'));
			}
		}
	}
	test_reset(ts);
	ts->ext[1].fail = 'N';
	ts->ext[1].fail_at = 1;
	test_save(ts);
	KUNIT_EXPECT_STREQ(test, ts->log, "aS bS cS aN aN bN! ac bc cc");
	KUNIT_EXPECT_STREQ(test, ts->reason.text,
			   "b failed to save (error -33)");
}

/* [SR-19] an abort between two reads, also one that comes twice */
static void vmq_state_save_aborted(struct kunit *test)
{
	struct test_state *ts = test->priv;

	KUNIT_ASSERT_EQ(test, vmq_save_start(&ts->save, NULL), 0);
	KUNIT_EXPECT_EQ(test, vmq_save_part(&ts->save, &ts->reason), 1);
	KUNIT_EXPECT_EQ(test, vmq_save_part(&ts->save, &ts->reason), 1);
	vmq_save_finish(&ts->save, false);
	vmq_save_finish(&ts->save, false);
	vmq_save_finish(&ts->save, true);
	KUNIT_EXPECT_STREQ(test, ts->log, "aS bS cS aN ac bc cc");
}

/* ---- restore ---- */

/* A stream with 2 records of a, 1 of b and 1 of c; then all is reset. */
static void test_prepare(struct kunit *test, struct test_state *ts)
{
	test_reset(ts);
	ts->ext[0].records = 2;
	KUNIT_ASSERT_EQ(test, test_save(ts), 0);
	test_reset(ts);
}

/* [SR-27, SR-29, SR-40] all are checked before the first is applied */
static void vmq_state_restore_order(struct kunit *test)
{
	struct test_state *ts = test->priv;

	test_prepare(test, ts);
	KUNIT_EXPECT_EQ(test, test_restore(ts), 0);
	KUNIT_EXPECT_STREQ(test, ts->log,
			   "aB bB cB aV aV bV cV aA aA bA cA aD bD cD");
	KUNIT_EXPECT_EQ(test, ts->restore.records, 4);
	KUNIT_EXPECT_EQ(test, ts->restore.unclaimed, 0);
	test_nothing_owed(test, ts);
}

static void test_unclaimed(void *ctx, const struct vmq_stream_view *view)
{
	char *log = ctx;

	log[strlen(log)] = view->data[1];
}

/* [SR-30, SR-35, O-36] ownership is the uuid, and a record without is no error */
static void vmq_state_restore_unclaimed(struct kunit *test)
{
	struct test_state *ts = test->priv;
	char log[8] = "";

	test_prepare(test, ts);
	ts->ext[0].ops.uuid.b[0] = 1;		/* not the one that saved */
	ts->ext[2].ops.validate = NULL;		/* has no run-time data here */
	ts->ext[2].ops.apply = NULL;
	ts->ext[2].ops.rollback = NULL;
	KUNIT_EXPECT_EQ(test, test_restore(ts), 0);
	KUNIT_EXPECT_STREQ(test, ts->log, "aB bB bV bA aD bD");
	KUNIT_EXPECT_EQ(test, ts->restore.records, 4);
	KUNIT_EXPECT_EQ(test, ts->restore.unclaimed, 3);
	vmq_restore_unclaimed(&ts->restore, test_unclaimed, log);
	KUNIT_EXPECT_STREQ(test, log, "aac");
}

/* Data from a newer module: refused, unless its writer said it may be skipped. */
static void vmq_state_restore_newer(struct kunit *test)
{
	struct test_state *ts = test->priv;

	test_reset(ts);
	ts->ext[1].version = 2;
	KUNIT_ASSERT_EQ(test, test_save(ts), 0);
	test_reset(ts);
	KUNIT_EXPECT_EQ(test, test_restore(ts), -EOPNOTSUPP);
	KUNIT_EXPECT_STREQ(test, ts->log, "aB bB cB aV ad bd cd");
	KUNIT_EXPECT_STREQ(test, ts->reason.text,
			   "record 2: data of version 2 is too new");

	test_reset(ts);
	ts->ext[1].version = 2;
	ts->ext[1].flags = VMQ_RECORD_OPTIONAL;
	KUNIT_ASSERT_EQ(test, test_save(ts), 0);
	test_reset(ts);
	KUNIT_EXPECT_EQ(test, test_restore(ts), 0);
	KUNIT_EXPECT_STREQ(test, ts->log,
			   "aB bB cB aV cV aA cA aD bD cD");
	KUNIT_EXPECT_EQ(test, ts->restore.unclaimed, 1);

	/* an older one is for the extension to judge */
	test_reset(ts);
	KUNIT_ASSERT_EQ(test, test_save(ts), 0);
	test_reset(ts);
	ts->ext[1].ops.data_version = 9;
	KUNIT_EXPECT_EQ(test, test_restore(ts), 0);
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
	struct test_state *ts = test->priv;

	test_prepare(test, ts);
	ts->ext[f->ext].fail = f->verb;
	ts->ext[f->ext].fail_at = f->at;
	KUNIT_EXPECT_EQ(test, test_restore(ts), -EDOM);
	KUNIT_EXPECT_STREQ(test, ts->log, f->log);
	KUNIT_EXPECT_STREQ(test, ts->reason.text, f->reason);
	test_nothing_owed(test, ts);
}

/* Before its end a stream is no extension's business, validated it is dropped. */
static void vmq_state_restore_aborted(struct kunit *test)
{
	struct test_state *ts = test->priv;

	test_prepare(test, ts);
	KUNIT_EXPECT_EQ(test, test_write(ts, ts->len - 1, 64), 0);
	vmq_restore_finish(&ts->restore, false);
	KUNIT_EXPECT_STREQ(test, ts->log, "");

	test_reset(ts);
	KUNIT_EXPECT_EQ(test, test_write(ts, ts->len, 64), 1);
	KUNIT_EXPECT_EQ(test, vmq_restore_validate(&ts->restore, &ts->reason),
			0);
	vmq_restore_finish(&ts->restore, false);
	vmq_restore_finish(&ts->restore, false);
	KUNIT_EXPECT_STREQ(test, ts->log, "aB bB cB aV aV bV cV ad bd cd");
}

/* The staging area: any size of write, and never more than the limit. */
static void vmq_state_restore_staging(struct kunit *test)
{
	struct test_state *ts = test->priv;
	size_t piece;

	test_reset(ts);
	ts->ext[0].size = VMQ_RECORD_DATA_MAX;
	KUNIT_ASSERT_EQ(test, test_save(ts), 0);
	for (piece = 1; piece <= ts->len * 3; piece *= 3) {
		test_reset(ts);
		KUNIT_EXPECT_EQ(test, test_write(ts, ts->len, piece), 1);
		KUNIT_EXPECT_EQ(test, ts->restore.len, ts->len);
	}

	test_reset(ts);
	ts->restore.max = ts->len;
	KUNIT_EXPECT_EQ(test, test_write(ts, ts->len, 1000), 1);
	KUNIT_EXPECT_LE(test, ts->restore.size, ts->restore.max);
	test_reset(ts);
	ts->restore.max = ts->len - 1;
	KUNIT_EXPECT_EQ(test, test_write(ts, ts->len, 1000), -EFBIG);

	test_reset(ts);
	ts->stream[ts->len - 1] ^= 1;
	KUNIT_EXPECT_EQ(test, test_restore(ts), -EBADMSG);
	KUNIT_EXPECT_STREQ(test, ts->log, "");
}

static int vmq_state_init(struct kunit *test)
{
	struct test_state *ts = kunit_kzalloc(test, sizeof(*ts), GFP_KERNEL);

	if (!ts)
		return -ENOMEM;
	ts->stream = kunit_kzalloc(test, SZ_256K, GFP_KERNEL);
	if (!ts->stream)
		return -ENOMEM;
	test->priv = ts;
	test_reset(ts);
	return 0;
}

static void vmq_state_exit(struct kunit *test)
{
	if (test->priv)
		test_reset(test->priv);
}

static struct kunit_case vmq_state_cases[] = {
	KUNIT_CASE_PARAM(vmq_state_machine, test_row_gen_params),
	KUNIT_CASE(vmq_state_save_order),
	KUNIT_CASE(vmq_state_save_nothing),
	KUNIT_CASE(vmq_state_save_reissue),
	KUNIT_CASE(vmq_state_save_bad_reissue),
	KUNIT_CASE(vmq_state_save_bad_record),
	KUNIT_CASE(vmq_state_save_limit),
	KUNIT_CASE(vmq_state_save_fails_anywhere),
	KUNIT_CASE(vmq_state_save_aborted),
	KUNIT_CASE(vmq_state_restore_order),
	KUNIT_CASE(vmq_state_restore_unclaimed),
	KUNIT_CASE(vmq_state_restore_newer),
	KUNIT_CASE_PARAM(vmq_state_restore_fails, test_failure_gen_params),
	KUNIT_CASE(vmq_state_restore_aborted),
	KUNIT_CASE(vmq_state_restore_staging),
	{}
};

static struct kunit_suite vmq_state_suite = {
	.name = "vmq-state",
	.init = vmq_state_init,
	.exit = vmq_state_exit,
	.test_cases = vmq_state_cases,
};

kunit_test_suites(&vmq_state_suite);

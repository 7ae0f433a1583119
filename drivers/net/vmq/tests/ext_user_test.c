// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of extensions that are processes, with a made-up process. Names in
 * brackets are requirements.
 *
 * The process is a party of a save or restore like any other, between two made-up
 * extensions (state_fake.h). What it is sent is written down: s save, v validate,
 * a apply, c complete, with a ! where not all went well.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "../ext_user.h"
#include "state_fake.h"

#define TEST_RECORDS	3
#define TEST_SIZE	5000
#define TEST_ROUNDS	100

/* What the process does about the request that it is sent. */
enum test_deed {
	TEST_ANSWER,
	TEST_ERROR,
	TEST_SILENCE,		/* until its time is over */
	TEST_DEATH,
	TEST_DEAF,		/* it can't be sent */
};

struct test_user {
	struct vmq_ext_user u;
	struct vmq_ext_port ep;
	struct vmq_fakes *ts;
	char log[64];
	u32 request;		/* last */
	enum vmq_ext_user_op op;
	u32 saved;		/* records */
	u32 applied;
	/* at the how manieth request it does not answer */
	enum test_deed deed;
	u32 deed_at;
	u32 requests;
	u32 error;
};

static struct test_user *test_user(const struct vmq_ext_user_port *p)
{
	return container_of(p->user, struct test_user, u);
}

static struct vmq_ext_user_port *test_port(struct test_user *tu)
{
	return tu->ep.priv;
}

static int test_send(const struct vmq_ext_user_port *p,
		     enum vmq_ext_user_op op, bool ok)
{
	struct test_user *tu = test_user(p);
	size_t len = strlen(tu->log);

	tu->requests += op != VMQ_EXT_USER_OP_COMPLETE;
	if (tu->deed == TEST_DEAF && tu->requests >= tu->deed_at)
		return -EAGAIN;
	if (len + 2 < sizeof(tu->log)) {
		tu->log[len++] = "svacr"[op];
		if (op == VMQ_EXT_USER_OP_COMPLETE && !ok)
			tu->log[len] = '!';
	}
	tu->op = op;
	tu->request = p->request;
	return 0;
}

/* Any bytes will do. */
static void *test_data(struct kunit *test, u32 size)
{
	void *data = kvzalloc(size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, data);
	memset(data, 'x', size);
	return data;
}

static int test_answer(struct kunit *test, struct test_user *tu)
{
	struct vmq_ext_user_answer answer = {};
	int err;

	if (tu->op == VMQ_EXT_USER_OP_SAVE && tu->saved < TEST_RECORDS) {
		answer.size = TEST_SIZE;
		answer.data = test_data(test, TEST_SIZE);
		tu->saved++;
	}
	if (tu->deed == TEST_ERROR && tu->requests == tu->deed_at) {
		kvfree(answer.data);
		answer.data = NULL;
		answer.size = 0;
		answer.error = -(int)tu->error;
		strscpy(answer.text, "no");
	}
	if (tu->op == VMQ_EXT_USER_OP_APPLY && !answer.error)
		tu->applied++;
	err = vmq_ext_user_answer(test_port(tu), tu->request, &answer);
	if (err)
		kvfree(answer.data);
	return err;
}

/* The process does what it does, while the session waits. */
static void test_process(struct kunit *test, struct test_user *tu, bool writing)
{
	struct vmq_ext_user_port *p = test_port(tu);

	if (tu->requests != tu->deed_at || tu->deed == TEST_ERROR ||
	    tu->deed == TEST_ANSWER) {
		KUNIT_EXPECT_EQ(test, test_answer(test, tu), 0);
		return;
	}
	switch (tu->deed) {
	case TEST_SILENCE:
		mutex_lock(&p->lock);
		p->asked = jiffies - p->left;
		mutex_unlock(&p->lock);
		break;
	case TEST_DEATH:
		WRITE_ONCE(tu->u.lost, true);
		vmq_party_leave(&tu->ts->party[1], writing);
		tu->u.ops.detach(&tu->ep);
		tu->ep.priv = NULL;
		break;
	default:
		KUNIT_FAIL(test, "asked what can't be sent");
	}
}

static void test_reset(struct kunit *test)
{
	struct test_user *tu = test->priv;
	struct vmq_fakes *ts = tu->ts;
	size_t len = ts->len;

	vmq_fakes_reset(ts);
	ts->len = len;
	if (tu->ep.priv)
		tu->u.ops.detach(&tu->ep);
	memset(tu, 0, sizeof(*tu));
	tu->ts = ts;
	tu->u.send = test_send;
	tu->u.timeout = 1000 * HZ;
	tu->u.ops.data_version = 3;
	tu->u.ops.uuid.b[0] = 0x77;
	tu->u.feature.b[0] = 0x78;
	strscpy(tu->u.name, "user");
	vmq_ext_user_ops(&tu->u);
	tu->ep.ops = &tu->u.ops;
	KUNIT_ASSERT_EQ(test, tu->u.ops.attach(&tu->ep, NULL), 0);
	ts->party[1].ep = &tu->ep;
}

static int test_save(struct kunit *test)
{
	struct test_user *tu = test->priv;
	struct vmq_fakes *ts = tu->ts;
	int ret, rounds = TEST_ROUNDS;

	ts->len = 0;
	ret = vmq_save_start(&ts->save, NULL);
	while (!ret && rounds--) {
		ret = vmq_save_part(&ts->save, &ts->reason);
		if (ret == -EINPROGRESS) {
			test_process(test, tu, false);
			ret = 0;
		} else if (ret > 0) {
			memcpy(ts->stream + ts->len, ts->save.buf,
			       ts->save.len);
			ts->len += ts->save.len;
			ret = 0;
		} else {
			break;
		}
	}
	KUNIT_EXPECT_GT(test, rounds, 0);
	vmq_save_finish(&ts->save, !ret);
	return ret;
}

static int test_restore(struct kunit *test)
{
	struct test_user *tu = test->priv;
	struct vmq_fakes *ts = tu->ts;
	int ret, rounds = TEST_ROUNDS;

	KUNIT_ASSERT_EQ(test, vmq_fakes_write(ts, ts->len, 4096), 1);
	while (rounds--) {
		ret = vmq_restore_validate(&ts->restore, &ts->reason);
		if (ret != -EINPROGRESS)
			break;
		test_process(test, tu, true);
	}
	while (!ret && rounds--) {
		ret = vmq_restore_apply(&ts->restore, &ts->reason);
		if (ret != -EINPROGRESS)
			break;
		test_process(test, tu, true);
		ret = 0;
	}
	KUNIT_EXPECT_GT(test, rounds, 0);
	vmq_restore_finish(&ts->restore, !ret);
	return ret;
}

/* Whatever happened: each begin had its complete, and no answer is kept. */
static void test_settled(struct kunit *test, const char *what)
{
	struct test_user *tu = test->priv;
	struct vmq_ext_user_port *p = test_port(tu);

	vmq_fakes_nothing_owed(test, tu->ts);
	if (!p)
		return;
	KUNIT_EXPECT_EQ_MSG(test, p->request, 0, "%s", what);
	KUNIT_EXPECT_NULL_MSG(test, p->answer.data, "%s", what);
	KUNIT_EXPECT_NULL_MSG(test, p->record.data, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, (int)p->state, (int)VMQ_EXT_USER_IDLE, "%s",
			    what);
	KUNIT_EXPECT_FALSE_MSG(test, timer_pending(&p->timer), "%s", what);
}

/* A stream with records of the process, for restores. */
static void test_stream(struct kunit *test)
{
	test_reset(test);
	KUNIT_ASSERT_EQ(test, test_save(test), 0);
	test_reset(test);
}

static u32 test_count(struct kunit *test, u16 *version, u8 *class)
{
	struct test_user *tu = test->priv;
	struct vmq_stream_view view;
	size_t pos = 0;
	u32 n = 0;

	while (vmq_stream_next(tu->ts->stream, tu->ts->len, &pos, &view)) {
		if (view.ext[0] != 0x77)
			continue;
		KUNIT_EXPECT_EQ(test, view.length, TEST_SIZE);
		*version = view.version;
		*class = view.class[0];
		n++;
	}
	return n;
}

/* [SR-07, SR-11, SR-14, SR-17] records, one by one, each asked for once */
static void vmq_ext_user_saves(struct kunit *test)
{
	struct test_user *tu = test->priv;
	u16 version = 0;
	u8 class = 0;

	KUNIT_EXPECT_EQ(test, test_save(test), 0);
	KUNIT_EXPECT_STREQ(test, tu->log, "ssssc");
	KUNIT_EXPECT_STREQ(test, tu->ts->log, "aS cS aN aN cN cN aC cC");
	KUNIT_EXPECT_EQ(test, test_count(test, &version, &class), TEST_RECORDS);
	KUNIT_EXPECT_EQ(test, version, 3);
	KUNIT_EXPECT_EQ(test, class, 0x78);
	test_settled(test, "saved");
}

/* [SR-29, SR-31, SR-39] all records are validated before one is applied */
static void vmq_ext_user_restores(struct kunit *test)
{
	struct test_user *tu = test->priv;

	test_stream(test);
	KUNIT_EXPECT_EQ(test, test_restore(test), 0);
	KUNIT_EXPECT_STREQ(test, tu->log, "vvvaaac");
	KUNIT_EXPECT_EQ(test, tu->applied, TEST_RECORDS);
	KUNIT_EXPECT_STREQ(test, tu->ts->log, "aB cB aV cV aA cA aD cD");
	test_settled(test, "restored");
}

/* [SR-10] nothing to save, no record to restore: it hears of nothing more */
static void vmq_ext_user_nothing(struct kunit *test)
{
	struct test_user *tu = test->priv;

	tu->saved = TEST_RECORDS;
	KUNIT_EXPECT_EQ(test, test_save(test), 0);
	KUNIT_EXPECT_STREQ(test, tu->log, "sc");
	test_reset(test);
	KUNIT_EXPECT_EQ(test, test_restore(test), 0);
	KUNIT_EXPECT_STREQ(test, tu->log, "");
	test_settled(test, "nothing");
}

static const enum test_deed test_deeds[] = {
	TEST_ERROR, TEST_SILENCE, TEST_DEATH, TEST_DEAF,
};

/*
 * [SR-16, SR-19, O-34] Failure at every step of a save. Without a first record
 * the process has nothing; a part of its records is an error.
 */
static void vmq_ext_user_save_fails(struct kunit *test)
{
	struct test_user *tu = test->priv;
	unsigned int i;
	u16 version;
	u8 class;
	int ret;
	u32 n;

	for (i = 0; i < ARRAY_SIZE(test_deeds); i++) {
		for (n = 1; n <= TEST_RECORDS + 1; n++) {
			test_reset(test);
			tu->deed = test_deeds[i];
			tu->deed_at = n;
			tu->error = EDOM;
			ret = test_save(test);
			if (n > 1 || tu->deed == TEST_ERROR) {
				KUNIT_EXPECT_LT_MSG(test, ret, 0, "deed %u at %u",
						    i, n);
				KUNIT_EXPECT_NULL(test, strchr(tu->ts->log, 'C'));
			} else {
				KUNIT_EXPECT_EQ_MSG(test, ret, 0, "deed %u", i);
				KUNIT_EXPECT_EQ(test, test_count(test, &version,
								 &class), 0);
			}
			test_settled(test, "save");
		}
	}
}

/* [SR-36, SR-40] Failure at every step of a restore: refused, and undone. */
static void vmq_ext_user_restore_fails(struct kunit *test)
{
	struct test_user *tu = test->priv;
	unsigned int i;
	int ret;
	u32 n;

	test_stream(test);
	for (i = 0; i < ARRAY_SIZE(test_deeds); i++) {
		for (n = 1; n <= 2 * TEST_RECORDS; n++) {
			test_reset(test);
			tu->deed = test_deeds[i];
			tu->deed_at = n;
			tu->error = EDOM;
			ret = test_restore(test);
			KUNIT_EXPECT_LT_MSG(test, ret, 0, "deed %u at %u", i, n);
			if (tu->deed == TEST_ERROR)
				KUNIT_EXPECT_EQ(test, ret, -EDOM);
			/* who applied undoes it, the process by its complete */
			KUNIT_EXPECT_EQ(test, !!strstr(tu->ts->log, "aR"),
					n > TEST_RECORDS);
			if (tu->deed == TEST_ERROR ||
			    tu->deed == TEST_SILENCE)
				KUNIT_EXPECT_TRUE(test,
						  !!strstr(tu->log, "c!"));
			KUNIT_EXPECT_NULL(test, strchr(tu->ts->log, 'D'));
			test_settled(test, "restore");
		}
	}
}

/* Silence is no refusal of records that are optional; an error is. */
static void vmq_ext_user_optional(struct kunit *test)
{
	struct vmq_record rec = {
		.version = 3, .flags = VMQ_RECORD_OPTIONAL, .size = 3,
		.data = "abc",
	};
	struct netlink_ext_ack extack = {};
	struct test_user *tu = test->priv;
	const struct vmq_ext_ops *ops = &tu->u.ops;

	tu->deed = TEST_SILENCE;
	tu->deed_at = 1;
	KUNIT_ASSERT_EQ(test, ops->restore_begin(&tu->ep, NULL), 0);
	KUNIT_EXPECT_EQ(test, ops->validate(&tu->ep, &rec, &extack),
			-EINPROGRESS);
	test_process(test, tu, true);
	KUNIT_EXPECT_EQ(test, ops->validate(&tu->ep, &rec, &extack), 0);
	/* and it is not asked again */
	KUNIT_EXPECT_EQ(test, ops->apply(&tu->ep, &rec, &extack), 0);
	ops->restore_complete(&tu->ep, true);
	KUNIT_EXPECT_STREQ(test, tu->log, "vc");

	test_reset(test);
	tu->deed = TEST_ERROR;
	tu->deed_at = 1;
	tu->error = EINPROGRESS;	/* would be asked for ever */
	KUNIT_ASSERT_EQ(test, ops->restore_begin(&tu->ep, NULL), 0);
	KUNIT_EXPECT_EQ(test, ops->validate(&tu->ep, &rec, &extack),
			-EINPROGRESS);
	test_process(test, tu, true);
	KUNIT_EXPECT_EQ(test, ops->validate(&tu->ep, &rec, &extack), -EIO);
	KUNIT_EXPECT_STREQ(test, extack._msg, "no");
	ops->restore_complete(&tu->ep, false);
	test_settled(test, "optional");
}

/* Answers that nobody asked for. */
static void vmq_ext_user_bad_answers(struct kunit *test)
{
	struct vmq_ext_user_answer answer = { .size = 1 };
	struct test_user *tu = test->priv;
	const struct vmq_ext_ops *ops = &tu->u.ops;
	struct vmq_ext_user_port *p = test_port(tu);
	struct vmq_record rec = { .size = 100 };

	KUNIT_EXPECT_EQ(test, vmq_ext_user_answer(p, 0, &answer), -ENOENT);
	KUNIT_ASSERT_EQ(test, ops->save_begin(&tu->ep, NULL), 0);
	KUNIT_EXPECT_EQ(test, vmq_ext_user_answer(p, 0, &answer), -ENOENT);
	KUNIT_EXPECT_EQ(test, ops->save_next(&tu->ep, &rec), -EINPROGRESS);
	KUNIT_EXPECT_EQ(test, vmq_ext_user_answer(p, tu->request + 1, &answer),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, ops->save_next(&tu->ep, &rec), -EINPROGRESS);
	KUNIT_EXPECT_EQ(test, test_answer(test, tu), 0);
	KUNIT_EXPECT_EQ(test, vmq_ext_user_answer(p, tu->request, &answer),
			-ENOENT);
	/* [SR-07] it stays until there is room */
	KUNIT_EXPECT_EQ(test, ops->save_next(&tu->ep, &rec), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, rec.needed, TEST_SIZE);
	ops->save_complete(&tu->ep, false);
	KUNIT_EXPECT_STREQ(test, tu->log, "sc!");
	test_settled(test, "answer");

	rec.data = "abc";
	rec.size = 3;
	KUNIT_ASSERT_EQ(test, ops->restore_begin(&tu->ep, NULL), 0);
	KUNIT_EXPECT_EQ(test, ops->validate(&tu->ep, &rec, NULL),
			-EINPROGRESS);
	KUNIT_EXPECT_EQ(test, vmq_ext_user_answer(p, tu->request, &answer),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, vmq_ext_user_read(p, tu->request, 4, NULL),
			-ERANGE);
	KUNIT_EXPECT_EQ(test, vmq_ext_user_read(p, tu->request + 1, 0, NULL),
			-ENOENT);
	ops->restore_complete(&tu->ep, false);
	KUNIT_EXPECT_EQ(test, vmq_ext_user_read(p, tu->request, 0, NULL),
			-ENOENT);
	test_settled(test, "read");
}

/* The time is that of all answers together, and begins anew to apply. */
static void vmq_ext_user_time(struct kunit *test)
{
	struct test_user *tu = test->priv;
	const struct vmq_ext_ops *ops = &tu->u.ops;
	struct vmq_ext_user_port *p = test_port(tu);
	struct vmq_record rec = { .size = 3, .data = "abc" };

	KUNIT_ASSERT_EQ(test, ops->restore_begin(&tu->ep, NULL), 0);
	KUNIT_EXPECT_EQ(test, ops->validate(&tu->ep, &rec, NULL),
			-EINPROGRESS);
	/* as if it had taken nearly all of it */
	p->asked -= tu->u.timeout - 100 * HZ;
	KUNIT_EXPECT_EQ(test, test_answer(test, tu), 0);
	KUNIT_EXPECT_EQ(test, ops->validate(&tu->ep, &rec, NULL), 0);
	KUNIT_EXPECT_LE(test, p->left, 100 * HZ);
	KUNIT_EXPECT_EQ(test, ops->validate(&tu->ep, &rec, NULL),
			-EINPROGRESS);
	p->asked -= 99 * HZ;
	KUNIT_EXPECT_EQ(test, test_answer(test, tu), 0);
	KUNIT_EXPECT_EQ(test, ops->validate(&tu->ep, &rec, NULL), 0);
	KUNIT_EXPECT_LE(test, p->left, HZ);
	KUNIT_EXPECT_EQ(test, ops->apply(&tu->ep, &rec, NULL), -EINPROGRESS);
	KUNIT_EXPECT_EQ(test, p->left, tu->u.timeout);
	ops->restore_complete(&tu->ep, false);
	test_settled(test, "time");
}

static int vmq_ext_user_test_init(struct kunit *test)
{
	struct test_user *tu;
	int err;

	err = vmq_fakes_init(test);
	if (err)
		return err;
	tu = kunit_kzalloc(test, sizeof(*tu), GFP_KERNEL);
	if (!tu)
		return -ENOMEM;
	tu->ts = test->priv;
	test->priv = tu;
	test_reset(test);
	return 0;
}

static void vmq_ext_user_test_exit(struct kunit *test)
{
	struct test_user *tu = test->priv;

	if (!tu)
		return;
	if (tu->ep.priv)
		tu->u.ops.detach(&tu->ep);
	vmq_fakes_reset(tu->ts);
}

static struct kunit_case vmq_ext_user_cases[] = {
	KUNIT_CASE(vmq_ext_user_saves),
	KUNIT_CASE(vmq_ext_user_restores),
	KUNIT_CASE(vmq_ext_user_nothing),
	KUNIT_CASE(vmq_ext_user_save_fails),
	KUNIT_CASE(vmq_ext_user_restore_fails),
	KUNIT_CASE(vmq_ext_user_optional),
	KUNIT_CASE(vmq_ext_user_bad_answers),
	KUNIT_CASE(vmq_ext_user_time),
	{}
};

static struct kunit_suite vmq_ext_user_suite = {
	.name = "vmq-ext-user",
	.init = vmq_ext_user_test_init,
	.exit = vmq_ext_user_test_exit,
	.test_cases = vmq_ext_user_cases,
};

kunit_test_suites(&vmq_ext_user_suite);

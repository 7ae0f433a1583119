// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the parameters of a queue, cell by cell: which can be set when it
 * is allocated, which can change later, that a change mask means what it says
 * and that a refusal changes nothing.
 */
#include <linux/cpumask.h>

#include "adapter_fixture.h"

struct param_ctx {
	struct vmq_adapter *a;
	struct vmq_queue *q;
	char all[32];			/* all CPUs, as a list */
};

/* What the queue is given first, and what every change offers in its place. */
static const struct vmq_queue_param param_first = {
	.name = "first", .vm = "guest", .buffers = 100, .lookahead = 64,
	.single = true, .cpus = "0", .mode = VMQ_QUEUE_MODE_QUEUED,
	.moder = { .usecs = 10, .frames = 4 },
};

static const struct vmq_queue_param param_other = {
	.name = "other", .vm = "stranger", .buffers = 200, .lookahead = 32,
	.single = false, .mode = VMQ_QUEUE_MODE_DIRECT,
	.moder = { .usecs = 20, .frames = 8, .adaptive = true },
};

#define PARAM_FIRST	(VMQ_PARAM_NAME | VMQ_PARAM_VM | VMQ_PARAM_CPUS | \
			 VMQ_PARAM_BUFFERS | VMQ_PARAM_SINGLE |		\
			 VMQ_PARAM_LOOKAHEAD | VMQ_PARAM_USECS |	\
			 VMQ_PARAM_FRAMES)

static int param_set(struct param_ctx *ctx, const struct vmq_queue_param *param,
		     u32 mask, bool first)
{
	int err;

	rtnl_lock();
	mutex_lock(&ctx->a->lock);
	err = first ? vmq_queue_init_param(ctx->q, param, mask, NULL) :
		      vmq_queue_set_param(ctx->q, param, mask, NULL);
	mutex_unlock(&ctx->a->lock);
	rtnl_unlock();
	return err;
}

/* The record that questions are answered from. */
static void param_get(struct kunit *test, struct param_ctx *ctx,
		      struct vmq_queue_param *param)
{
	int err;
	u32 mask;

	rtnl_lock();
	err = vmq_queue_get_param(ctx->q, param, &mask);
	rtnl_unlock();
	KUNIT_ASSERT_EQ(test, err, 0);
}

static void param_expect(struct kunit *test, struct param_ctx *ctx,
			 const struct vmq_queue_param *want, const char *what)
{
	struct vmq_queue_param got;

	param_get(test, ctx, &got);
	KUNIT_EXPECT_STREQ_MSG(test, got.name, want->name, "%s", what);
	KUNIT_EXPECT_STREQ_MSG(test, got.vm, want->vm, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, got.buffers, want->buffers, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, got.lookahead, want->lookahead, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, got.single, want->single, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, got.mode, want->mode, "%s", what);
	if (want->mode == VMQ_QUEUE_MODE_QUEUED && got.cpus) {
		KUNIT_EXPECT_STREQ_MSG(test, got.cpus, want->cpus, "%s", what);
		KUNIT_EXPECT_EQ_MSG(test, got.moder.usecs, want->moder.usecs,
				    "%s", what);
		KUNIT_EXPECT_EQ_MSG(test, got.moder.frames,
				    want->moder.frames, "%s", what);
		KUNIT_EXPECT_EQ_MSG(test, got.moder.adaptive,
				    want->moder.adaptive, "%s", what);
	}
	kfree(got.cpus);
}

static struct param_ctx *param_ctx(struct kunit *test)
{
	struct param_ctx *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	struct fixture_client *c;
	u32 id;

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ctx->a = fixture_adapter(test);
	c = fixture_client(test, ctx->a);
	KUNIT_ASSERT_EQ(test, fixture_queue_new(test, c, &id), 0);
	rtnl_lock();
	ctx->q = vmq_queue_find(ctx->a, id);
	rtnl_unlock();
	snprintf(ctx->all, sizeof(ctx->all), "%*pbl",
		 cpumask_pr_args(cpu_online_mask));
	return ctx;
}

/*
 * At allocation: each member alone, the others as those of a new queue (Q-11,
 *
 */
static void param_allocation(struct kunit *test)
{
	struct param_ctx *ctx = param_ctx(test);
	struct vmq_queue_param none = {};

	none.mode = VMQ_QUEUE_MODE_DIRECT;
	param_expect(test, ctx, &none, "new");
	KUNIT_ASSERT_EQ(test, param_set(ctx, &param_first, PARAM_FIRST, true),
			0);
	param_expect(test, ctx, &param_first, "all at once");
}

struct param_row {
	const char *name;
	u32 bit;
	int err;			/* of a change after allocation */
};

static const struct param_row param_rows[] = {
	{ "Q-11 queue name", VMQ_PARAM_NAME, 0 },
	{ "Q-11 VM name never changes", VMQ_PARAM_VM, -EINVAL },
	{ "Q-11 affinity", VMQ_PARAM_CPUS, 0 },
	{ "Q-11 mode", VMQ_PARAM_MODE, 0 },
	{ "Q-11 suggested buffers", VMQ_PARAM_BUFFERS, 0 },
	{ "Q-11 flag: per-queue delivery", VMQ_PARAM_SINGLE, 0 },
	{ "Q-11 lookahead, flag and size", VMQ_PARAM_LOOKAHEAD, 0 },
	{ "I-09 moderation time", VMQ_PARAM_USECS, 0 },
	{ "I-09 moderation frames", VMQ_PARAM_FRAMES, 0 },
	{ "I-09 moderation adaptive", VMQ_PARAM_ADAPTIVE, 0 },
	{ "Q-18 empty change mask", 0, 0 },
};

static void param_row_desc(const struct param_row *row, char *desc)
{
	strscpy(desc, row->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(param_row, param_rows, param_row_desc);

/*
 * Every member has another value in the request; the mask says which counts
 * (Q-17, Q-18).
 */
static void param_change(struct kunit *test)
{
	const struct param_row *row = test->param_value;
	struct param_ctx *ctx = param_ctx(test);
	struct vmq_queue_param want = param_first, other = param_other;
	int err = row->err;

	other.cpus = ctx->all;
	if (row->bit == VMQ_PARAM_ADAPTIVE && !vmq_moder_possible())
		err = -EOPNOTSUPP;
	KUNIT_ASSERT_EQ(test, param_set(ctx, &param_first, PARAM_FIRST, true),
			0);
	if (!err && row->bit == VMQ_PARAM_NAME)
		strscpy(want.name, other.name);
	else if (!err && row->bit == VMQ_PARAM_CPUS)
		want.cpus = other.cpus;
	else if (!err && row->bit == VMQ_PARAM_MODE)
		want.mode = other.mode;
	else if (!err && row->bit == VMQ_PARAM_BUFFERS)
		want.buffers = other.buffers;
	else if (!err && row->bit == VMQ_PARAM_SINGLE)
		want.single = other.single;
	else if (!err && row->bit == VMQ_PARAM_LOOKAHEAD)
		want.lookahead = other.lookahead;
	else if (!err && row->bit == VMQ_PARAM_USECS)
		want.moder.usecs = other.moder.usecs;
	else if (!err && row->bit == VMQ_PARAM_FRAMES)
		want.moder.frames = other.moder.frames;
	else if (!err && row->bit == VMQ_PARAM_ADAPTIVE)
		want.moder.adaptive = other.moder.adaptive;
	KUNIT_EXPECT_EQ(test, param_set(ctx, &other, row->bit, false), err);
	param_expect(test, ctx, &want, row->name);
}

/* One bad member spoils a request of several, and nothing of it is applied. */
struct param_bad {
	const char *name;
	struct vmq_queue_param param;
	u32 mask;
	int err;
};

static const struct param_bad param_bads[] = {
	{ "Q-12 no CPU", { .cpus = "" }, VMQ_PARAM_CPUS, -EINVAL },
	{ "Q-12 not a list", { .cpus = "one" }, VMQ_PARAM_CPUS, -EINVAL },
	{ "Q-12 CPU that is none", { .cpus = "60000" }, VMQ_PARAM_CPUS,
	  -EINVAL },
	{ "direct with CPUs", { .cpus = "0", .mode = VMQ_QUEUE_MODE_DIRECT },
	  VMQ_PARAM_CPUS | VMQ_PARAM_MODE, -EINVAL },
	{ "direct with moderation",
	  { .mode = VMQ_QUEUE_MODE_DIRECT, .moder = { .usecs = 1 } },
	  VMQ_PARAM_USECS | VMQ_PARAM_MODE, -EOPNOTSUPP },
	{ "no buffers", { .buffers = 0 }, VMQ_PARAM_BUFFERS, -EINVAL },
	{ "Q-15 too many buffers", { .buffers = VMQ_MAX_RING + 1 },
	  VMQ_PARAM_BUFFERS, -EINVAL },
	{ "Q-14 too much lookahead", { .lookahead = VMQ_MAX_LOOKAHEAD + 1 },
	  VMQ_PARAM_LOOKAHEAD, -EINVAL },
	{ "too long", { .moder = { .usecs = VMQ_MAX_USECS + 1 } },
	  VMQ_PARAM_USECS, -EINVAL },
	{ "too many frames", { .moder = { .frames = VMQ_MAX_RING + 1 } },
	  VMQ_PARAM_FRAMES, -EINVAL },
	{ "frames without a time", { .moder = { .usecs = 0 } },
	  VMQ_PARAM_USECS, -EINVAL },
	{ "Q-17 VM name", { .vm = "x" }, VMQ_PARAM_VM, -EINVAL },
};

static void param_bad_desc(const struct param_bad *row, char *desc)
{
	strscpy(desc, row->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(param_bad, param_bads, param_bad_desc);

/* What can't be is refused, and nothing changed. */
static void param_refused(struct kunit *test)
{
	const struct param_bad *row = test->param_value;
	struct vmq_queue_param param = row->param;
	struct param_ctx *ctx = param_ctx(test);

	KUNIT_ASSERT_EQ(test, param_set(ctx, &param_first, PARAM_FIRST, true),
			0);
	strscpy(param.name, "good");
	KUNIT_EXPECT_EQ(test, param_set(ctx, &param, row->mask | VMQ_PARAM_NAME,
					false), row->err);
	param_expect(test, ctx, &param_first, row->name);
}

/* Mode queued alone asks for CPUs that a direct queue does not have. */
static void param_queued_needs_cpus(struct kunit *test)
{
	struct vmq_queue_param param = { .mode = VMQ_QUEUE_MODE_QUEUED };
	struct vmq_queue_param none = { .mode = VMQ_QUEUE_MODE_DIRECT };
	struct param_ctx *ctx = param_ctx(test);

	KUNIT_EXPECT_EQ(test, param_set(ctx, &param, VMQ_PARAM_MODE, false),
			-EINVAL);
	param_expect(test, ctx, &none, "refused");
}

static struct kunit_case param_cases[] = {
	KUNIT_CASE(param_allocation),
	KUNIT_CASE_PARAM(param_change, param_row_gen_params),
	KUNIT_CASE_PARAM(param_refused, param_bad_gen_params),
	KUNIT_CASE(param_queued_needs_cpus),
	{}
};

static struct kunit_suite param_suite = {
	.name = "vmq-queue-param",
	.test_cases = param_cases,
};

kunit_test_suites(&param_suite);

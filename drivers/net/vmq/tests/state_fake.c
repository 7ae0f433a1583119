// SPDX-License-Identifier: GPL-2.0
/*
 * Made-up extensions for the tests of saves and restores, and those who drive
 * them: a reader, a writer and a commit.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "state_fake.h"

static void test_log(struct vmq_fake *x, char verb)
{
	size_t len = strlen(x->ts->log);

	snprintf(x->ts->log + len, sizeof(x->ts->log) - len, "%s%c%c",
		 len ? " " : "", x->letter, verb);
}

static int test_call(struct vmq_fake *x, char verb)
{
	test_log(x, verb);
	if (x->fail != verb || ++x->calls != x->fail_at)
		return 0;
	strlcat(x->ts->log, "!", sizeof(x->ts->log));
	return x->error;
}

static struct vmq_fake *test_ext(const struct vmq_ext_port *ep)
{
	return container_of(ep, struct vmq_fake, ep);
}

static int test_begin(struct vmq_fake *x, char verb)
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
	struct vmq_fake *x = test_ext(ep);
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
	if (x->scribble) {
		rec->size = ~0;
		rec->needed = ~0;
		rec->data = NULL;
	}
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

static int test_record(struct vmq_fake *x, const struct vmq_record *rec,
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

/**
 * vmq_fakes_reset() - makes everything new, but for the stream saved last
 * @ts: the fakes
 */
void vmq_fakes_reset(struct vmq_fakes *ts)
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
	for (i = 0; i < VMQ_FAKES; i++) {
		struct vmq_fake *x = &ts->ext[i];

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
	ts->save.n = VMQ_FAKES;
	ts->save.max = SZ_1M;
	ts->restore.party = ts->party;
	ts->restore.n = VMQ_FAKES;
	ts->restore.max = SZ_1M;
}

/**
 * vmq_fakes_save() - saves, as the descriptor's reader drives it
 * @ts: the fakes
 *
 * Return: 0 with the stream in @ts, or an error.
 */
int vmq_fakes_save(struct vmq_fakes *ts)
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

/**
 * vmq_fakes_write() - stages the stream that was saved last
 * @ts: the fakes
 * @len: bytes to write
 * @piece: how many at once
 *
 * Return: 1 where the end was seen, 0 where more is wanted, or an error.
 */
int vmq_fakes_write(struct vmq_fakes *ts, size_t len, size_t piece)
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

/**
 * vmq_fakes_restore() - restores, as the descriptor's writer and a commit do
 * @ts: the fakes
 *
 * Return: 0 or an error.
 */
int vmq_fakes_restore(struct vmq_fakes *ts)
{
	int ret = vmq_fakes_write(ts, ts->len, 4096);

	if (ret != 1)
		return ret ?: -ENODATA;
	ret = vmq_restore_validate(&ts->restore, &ts->reason);
	if (ret)
		return ret;
	ret = vmq_restore_apply(&ts->restore, &ts->reason);
	vmq_restore_finish(&ts->restore, !ret);
	return ret;
}

/**
 * vmq_fakes_nothing_owed() - expects that each begin had its complete (SR-19)
 * @test: the test
 * @ts: the fakes
 */
void vmq_fakes_nothing_owed(struct kunit *test, struct vmq_fakes *ts)
{
	unsigned int i;

	for (i = 0; i < VMQ_FAKES; i++) {
		KUNIT_EXPECT_EQ_MSG(test, ts->ext[i].owed, 0, "%s", ts->log);
		KUNIT_EXPECT_NULL(test, ts->ext[i].ep.session);
	}
}

/**
 * vmq_fakes_init() - init of suites that use the fakes
 * @test: the test, its priv becomes the fakes
 *
 * Return: 0 or -ENOMEM.
 */
int vmq_fakes_init(struct kunit *test)
{
	struct vmq_fakes *ts = kunit_kzalloc(test, sizeof(*ts), GFP_KERNEL);

	if (!ts)
		return -ENOMEM;
	ts->stream = kunit_kzalloc(test, SZ_256K, GFP_KERNEL);
	if (!ts->stream)
		return -ENOMEM;
	test->priv = ts;
	vmq_fakes_reset(ts);
	return 0;
}

/**
 * vmq_fakes_exit() - exit of suites that use the fakes
 * @test: the test
 */
void vmq_fakes_exit(struct kunit *test)
{
	if (test->priv)
		vmq_fakes_reset(test->priv);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of sessions of real ports: of several at once, by several threads, and
 * from one to another. Names in brackets are requirements.
 */
#include <linux/completion.h>
#include <linux/etherdevice.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/rtnetlink.h>
#include <linux/sizes.h>

#include "../state.h"
#include "adapter_fixture.h"

#define TEST_RECORDS	3
#define TEST_ROUNDS	50
#define TEST_PATIENCE	(30 * HZ)
#define TEST_STREAM	SZ_64K

/* What one port's extension saw. */
struct test_side {
	struct vmq_port *port;
	struct completion reached;	/* its first record was asked for */
	struct completion *other;	/* waits for this one then, or NULL */
	atomic_t open;			/* sessions */
	int next;			/* record */
	int saves;			/* that went well */
	int busy;			/* that were refused */
	int applied;			/* records, in a restore */
	int wrong;			/* whatever must not happen */
};

struct test_threads {
	struct vmq_ext_ops ops;
	struct vmq_adapter *a;
	struct test_side side[2];
	struct completion ended[2];
	u8 *stream;			/* what is saved, where it is to be kept */
	size_t len;
};

static struct test_threads *tt;

static struct test_side *test_side(const struct vmq_ext_port *ep)
{
	return &tt->side[vmq_port_priv(ep->dev) == tt->side[1].port];
}

static int test_save_begin(struct vmq_ext_port *ep,
			   struct netlink_ext_ack *extack)
{
	struct test_side *side = test_side(ep);

	side->wrong += atomic_inc_return(&side->open) != 1;
	side->next = 0;
	return 0;
}

static int test_save_next(struct vmq_ext_port *ep, struct vmq_record *rec)
{
	struct test_side *side = test_side(ep);

	side->wrong += atomic_read(&side->open) != 1;
	if (!side->next) {
		complete(&side->reached);
		if (side->other &&
		    !wait_for_completion_timeout(side->other, TEST_PATIENCE))
			side->wrong++;
	}
	if (side->next == TEST_RECORDS)
		return 0;
	rec->version = 1;
	*(u8 *)rec->data = side->next++;
	return 1;
}

static void test_save_complete(struct vmq_ext_port *ep, bool ok)
{
	struct test_side *side = test_side(ep);

	side->wrong += !ok || side->next != TEST_RECORDS;
	side->wrong += atomic_dec_return(&side->open) != 0;
}

static int test_restore_begin(struct vmq_ext_port *ep,
			      struct netlink_ext_ack *extack)
{
	test_side(ep)->applied = 0;
	return 0;
}

static int test_validate(struct vmq_ext_port *ep, const struct vmq_record *rec,
			 struct netlink_ext_ack *extack)
{
	return rec->size == 1 ? 0 : -EINVAL;
}

static int test_apply(struct vmq_ext_port *ep, const struct vmq_record *rec,
		      struct netlink_ext_ack *extack)
{
	struct test_side *side = test_side(ep);

	side->wrong += *(u8 *)rec->data != side->applied++;
	return 0;
}

static void test_rollback(struct vmq_ext_port *ep)
{
	test_side(ep)->wrong++;
}

static void test_restore_complete(struct vmq_ext_port *ep, bool ok)
{
	test_side(ep)->wrong += !ok;
}

/* Reads it to its end, as the descriptor does. */
static void test_read(struct test_side *side, struct vmq_session *s)
{
	int ret;

	do {
		mutex_lock(&s->lock);
		ret = vmq_save_part(&s->save, &s->reason);
		if (ret > 0 && tt->stream) {
			side->wrong += tt->len + s->save.len > TEST_STREAM;
			if (!side->wrong)
				memcpy(tt->stream + tt->len, s->save.buf,
				       s->save.len);
			tt->len += s->save.len;
		}
		if (!ret)
			vmq_session_saved(s);
		mutex_unlock(&s->lock);
		cond_resched();
	} while (ret > 0);
	side->wrong += ret < 0;
}

static void test_save(struct test_side *side)
{
	struct vmq_session *s;
	struct file *file;
	int err;

	rtnl_lock();
	err = vmq_session_begin(side->port, false, &file, NULL);
	s = side->port->session;
	rtnl_unlock();
	if (err) {
		side->wrong += err != -EBUSY;
		side->busy++;
		return;
	}
	test_read(side, s);
	side->saves++;
	fput(file);
}

static int test_thread(void *data)
{
	unsigned int i = (unsigned long)data;
	int round;

	for (round = 0; round < TEST_ROUNDS; round++) {
		test_save(&tt->side[i]);
		/* the two meet in the first round alone */
		tt->side[i].other = NULL;
	}
	complete(&tt->ended[i]);
	return 0;
}

static void test_run(struct kunit *test)
{
	struct task_struct *task;
	unsigned long i;

	for (i = 0; i < 2; i++) {
		task = kthread_run(test_thread, (void *)i, "vmq-test-%lu", i);
		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	}
	for (i = 0; i < 2; i++)
		KUNIT_ASSERT_TRUE(test,
				  wait_for_completion_timeout(&tt->ended[i],
							      2 * TEST_PATIENCE));
}

/* [SR-23, SR-24, SR-25] each waits for the other in the middle of its save */
static void vmq_threads_two_ports(struct kunit *test)
{
	unsigned int i;

	tt->side[0].other = &tt->side[1].reached;
	tt->side[1].other = &tt->side[0].reached;
	test_run(test);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, tt->side[i].wrong, 0);
		KUNIT_EXPECT_EQ(test, tt->side[i].saves, TEST_ROUNDS);
		KUNIT_EXPECT_EQ(test, tt->side[i].busy, 0);
		KUNIT_EXPECT_EQ(test, atomic_read(&tt->side[i].open), 0);
	}
}

/* [SR-22, SR-26] a port that is being saved is refused, from both threads or one */
static void vmq_threads_same_port(struct kunit *test)
{
	struct test_side *side = &tt->side[0];
	struct file *file, *none;

	rtnl_lock();
	KUNIT_EXPECT_EQ(test, vmq_session_begin(side->port, false, &file, NULL),
			0);
	KUNIT_EXPECT_EQ(test, vmq_session_begin(side->port, false, &none, NULL),
			-EBUSY);
	KUNIT_EXPECT_EQ(test, vmq_session_begin(side->port, true, &none, NULL),
			-EBUSY);
	rtnl_unlock();
	/* the other port is free */
	test_save(&tt->side[1]);
	KUNIT_EXPECT_EQ(test, tt->side[1].saves, 1);
	test_save(side);
	KUNIT_EXPECT_EQ(test, side->busy, 1);
	test_read(side, side->port->session);
	fput(file);
	test_save(side);
	KUNIT_EXPECT_EQ(test, side->saves, 1);
	KUNIT_EXPECT_EQ(test, side->wrong, 0);
}

/* Writes the stream and commits it, as the descriptor and netlink do. */
static int test_restore(struct kunit *test, struct vmq_port *port)
{
	struct vmq_session *s;
	struct file *file;
	int err, kicks;

	rtnl_lock();
	err = vmq_session_begin(port, true, &file, NULL);
	s = port->session;
	rtnl_unlock();
	if (err)
		return err;
	mutex_lock(&s->lock);
	err = vmq_restore_reserve(&s->restore, tt->len, &s->reason);
	if (!err) {
		memcpy(s->restore.buf, tt->stream, tt->len);
		err = vmq_restore_feed(&s->restore, tt->len, &s->reason);
	}
	KUNIT_EXPECT_EQ(test, err, 1);
	err = vmq_session_validate(s);
	KUNIT_EXPECT_EQ_MSG(test, err, 0, "%s", s->reason.text);
	mutex_unlock(&s->lock);
	rtnl_lock();
	err = vmq_commit_begin(port, &s, NULL);
	if (!err) {
		err = vmq_commit_next(s, &kicks, NULL);
		vmq_session_put(s);
	}
	rtnl_unlock();
	fput(file);
	return err;
}

/*
 * [SR-02, SR-27, SR-28, SR-33, SR-34, SR-41] what one port saved another takes, of
 * another name, number and adapter, and has the settings of the first then
 */
static void vmq_threads_other_port(struct kunit *test)
{
	struct vmq_adapter *there = fixture_adapter(test);
	struct test_side *side = tt->side;
	struct vmq_port *from, *to;
	u8 mac[ETH_ALEN];
	uuid_t uuid;
	u32 id;
	int ifindex;

	from = side[0].port;
	to = fixture_port(test, there, true);
	side[1].port = to;
	tt->stream = kunit_kzalloc(test, TEST_STREAM, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, tt->stream);
	rtnl_lock();
	KUNIT_EXPECT_EQ(test, vmq_ext_enable(there, tt->ops.name, true, NULL),
			0);
	KUNIT_EXPECT_EQ(test, dev_set_mtu(from->dev, 1400), 0);
	rtnl_unlock();
	ether_addr_copy(mac, from->dev->dev_addr);
	uuid_copy(&uuid, &from->uuid);
	id = to->id;
	ifindex = to->dev->ifindex;
	KUNIT_ASSERT_NE(test, ifindex, from->dev->ifindex);

	test_save(&side[0]);
	KUNIT_ASSERT_EQ(test, side[0].saves, 1);
	KUNIT_EXPECT_EQ(test, test_restore(test, to), 0);
	KUNIT_EXPECT_EQ(test, side[1].applied, TEST_RECORDS);
	KUNIT_EXPECT_EQ(test, side[0].applied, 0);
	KUNIT_EXPECT_EQ(test, side[0].wrong + side[1].wrong, 0);
	KUNIT_EXPECT_TRUE(test, ether_addr_equal(to->dev->dev_addr, mac));
	KUNIT_EXPECT_TRUE(test, uuid_equal(&to->uuid, &uuid));
	KUNIT_EXPECT_EQ(test, to->dev->mtu, 1400);
	/* what is this host's stays */
	KUNIT_EXPECT_EQ(test, to->id, id);
	KUNIT_EXPECT_EQ(test, to->dev->ifindex, ifindex);
	KUNIT_EXPECT_PTR_EQ(test, to->adapter, there);
}

static int vmq_threads_init(struct kunit *test)
{
	unsigned int i;
	int err;

	tt = kunit_kzalloc(test, sizeof(*tt), GFP_KERNEL);
	if (!tt)
		return -ENOMEM;
	tt->a = fixture_adapter(test);
	for (i = 0; i < 2; i++) {
		tt->side[i].port = fixture_port(test, tt->a, true);
		init_completion(&tt->side[i].reached);
		init_completion(&tt->ended[i]);
	}
	tt->ops.name = "test-threads";
	tt->ops.uuid.b[3] = 0x33;
	tt->ops.class = VMQ_EXT_CLASS_CAPTURE;
	tt->ops.save_begin = test_save_begin;
	tt->ops.save_next = test_save_next;
	tt->ops.save_complete = test_save_complete;
	tt->ops.data_version = 1;
	tt->ops.restore_begin = test_restore_begin;
	tt->ops.validate = test_validate;
	tt->ops.apply = test_apply;
	tt->ops.rollback = test_rollback;
	tt->ops.restore_complete = test_restore_complete;
	err = vmq_ext_register(&tt->ops);
	if (err)
		return err;
	rtnl_lock();
	err = vmq_ext_enable(tt->a, tt->ops.name, true, NULL);
	rtnl_unlock();
	return err;
}

static void vmq_threads_exit(struct kunit *test)
{
	if (tt)
		vmq_ext_unregister(&tt->ops);
	tt = NULL;
	/* what fput() leaves to a work item */
	flush_delayed_fput();
}

static struct kunit_case vmq_threads_cases[] = {
	KUNIT_CASE(vmq_threads_two_ports),
	KUNIT_CASE(vmq_threads_same_port),
	KUNIT_CASE(vmq_threads_other_port),
	{}
};

static struct kunit_suite vmq_threads_suite = {
	.name = "vmq-state-threads",
	.init = vmq_threads_init,
	.exit = vmq_threads_exit,
	.test_cases = vmq_threads_cases,
};

kunit_test_suites(&vmq_threads_suite);

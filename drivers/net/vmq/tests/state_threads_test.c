// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of sessions of several ports at once, by several threads. Names in
 * brackets are requirements.
 */
#include <linux/completion.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/rtnetlink.h>

#include "../state.h"
#include "adapter_fixture.h"

#define TEST_RECORDS	3
#define TEST_ROUNDS	50
#define TEST_PATIENCE	(30 * HZ)

/* What one port's extension saw. */
struct test_side {
	struct vmq_port *port;
	struct completion reached;	/* its first record was asked for */
	struct completion *other;	/* waits for this one then, or NULL */
	atomic_t open;			/* sessions */
	int next;			/* record */
	int saves;			/* that went well */
	int busy;			/* that were refused */
	int wrong;			/* whatever must not happen */
};

struct test_threads {
	struct vmq_ext_ops ops;
	struct vmq_adapter *a;
	struct test_side side[2];
	struct completion ended[2];
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

/* Reads it to its end, as the descriptor does. */
static void test_read(struct test_side *side, struct vmq_session *s)
{
	int ret;

	do {
		mutex_lock(&s->lock);
		ret = vmq_save_part(&s->save, &s->reason);
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

static int vmq_threads_init(struct kunit *test)
{
	unsigned int i;
	int err;

	tt = kunit_kzalloc(test, sizeof(*tt), GFP_KERNEL);
	if (!tt)
		return -ENOMEM;
	tt->a = fixture_adapter(test);
	for (i = 0; i < 2; i++) {
		tt->side[i].port = fixture_port(test, tt->a);
		init_completion(&tt->side[i].reached);
		init_completion(&tt->ended[i]);
	}
	tt->ops.name = "test-threads";
	tt->ops.uuid.b[3] = 0x33;
	tt->ops.class = VMQ_EXT_CLASS_CAPTURE;
	tt->ops.save_begin = test_save_begin;
	tt->ops.save_next = test_save_next;
	tt->ops.save_complete = test_save_complete;
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
	{}
};

static struct kunit_suite vmq_threads_suite = {
	.name = "vmq-state-threads",
	.init = vmq_threads_init,
	.exit = vmq_threads_exit,
	.test_cases = vmq_threads_cases,
};

kunit_test_suites(&vmq_threads_suite);

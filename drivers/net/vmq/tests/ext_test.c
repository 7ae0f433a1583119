// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the registry of extensions and of their stacks. Names in
 * brackets are requirements.
 *
 * The extensions are known to all adapters while a test runs, but never enabled
 * on any but the made-up one. Their port objects log what they are called for:
 * letter and verb, + attach, - detach, f frame.
 */
#include <kunit/test.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include "../vmq_priv.h"

#define TEST_PORTS	2
#define TEST_EXTS	5

struct test_ext {
	struct vmq_ext_ops ops;
	struct test_exts *te;
	char letter;
	char name[8];
	enum vmq_verdict verdict;
	u32 refuse;		/* the how manieth attach */
	u32 attached;
	int ports;		/* that it is attached to */
};

struct test_exts {
	struct test_ext ext[TEST_EXTS];
	struct vmq_adapter a;
	struct vmq_port port[TEST_PORTS];
	struct vmq_adapter late;
	struct vmq_port fresh;
	struct net_device *dev;
	char log[128];
};

static void test_log(struct test_ext *x, char verb)
{
	size_t len = strlen(x->te->log);

	snprintf(x->te->log + len, sizeof(x->te->log) - len, "%s%c%c",
		 len ? " " : "", x->letter, verb);
}

static struct test_ext *test_ext(const struct vmq_ext_port *ep)
{
	return container_of(ep->ops, struct test_ext, ops);
}

static int test_attach(struct vmq_ext_port *ep, struct netlink_ext_ack *extack)
{
	struct test_ext *x = test_ext(ep);

	test_log(x, '+');
	if (++x->attached == x->refuse)
		return -EDOM;
	x->ports++;
	return 0;
}

static void test_detach(struct vmq_ext_port *ep)
{
	test_ext(ep)->ports--;
	test_log(test_ext(ep), '-');
}

static enum vmq_verdict test_frame(struct vmq_ext_port *ep, struct sk_buff *skb,
				   enum vmq_dir dir)
{
	test_log(test_ext(ep), 'f');
	return test_ext(ep)->verdict;
}

static int test_save_begin(struct vmq_ext_port *ep,
			   struct netlink_ext_ack *extack)
{
	return 0;
}

/* What a frame of port 0 meets, and what becomes of it. */
static void test_walk(struct kunit *test, enum vmq_dir dir,
		      enum vmq_verdict expected, const char *log)
{
	struct test_exts *te = test->priv;
	enum vmq_verdict verdict;

	te->log[0] = 0;
	local_bh_disable();
	rcu_read_lock();
	verdict = vmq_ext_frame(&te->port[0], NULL, dir);
	rcu_read_unlock();
	local_bh_enable();
	KUNIT_EXPECT_STREQ(test, te->log, log);
	KUNIT_EXPECT_EQ_MSG(test, verdict, expected, "after %s", log);
}

static int test_enable(struct test_exts *te, unsigned int i, bool on)
{
	int err;

	te->log[0] = 0;
	rtnl_lock();
	err = vmq_ext_enable(&te->a, te->ext[i].name, on, NULL);
	rtnl_unlock();
	return err;
}

static int test_move(struct test_exts *te, unsigned int i, u32 position)
{
	int err;

	rtnl_lock();
	err = vmq_ext_move(&te->a, te->ext[i].name, position, NULL);
	rtnl_unlock();
	return err;
}

/* All extensions of the tests, in the order of the adapter's list. */
static const char *test_order(struct test_exts *te)
{
	struct vmq_ext_inst *inst;
	unsigned int n = 0;

	rtnl_lock();
	list_for_each_entry(inst, &te->a.exts, node)
		if (inst->ops->attach == test_attach)
			te->log[n++] = inst->ops->name[5];
	rtnl_unlock();
	te->log[n] = 0;
	return te->log;
}

/* by class, the newest on top, and disabled */
static void vmq_ext_appears(struct kunit *test)
{
	struct test_exts *te = test->priv;
	struct vmq_ext_inst *inst;
	unsigned int n = 0;

	/* a and b capture, c and d filter, e forwards */
	KUNIT_EXPECT_STREQ(test, test_order(te), "badce");
	test_walk(test, VMQ_FROM_GUEST, VMQ_PASS, "");

	/* an adapter that comes later has them in the same order */
	rtnl_lock();
	KUNIT_EXPECT_EQ(test, vmq_ext_adapter_init(&te->late), 0);
	list_for_each_entry(inst, &te->late.exts, node) {
		KUNIT_EXPECT_FALSE(test, inst->enabled);
		if (inst->ops->attach == test_attach)
			KUNIT_EXPECT_EQ(test, inst->ops->name[5], "badce"[n++]);
	}
	vmq_ext_adapter_destroy(&te->late);
	rtnl_unlock();
	KUNIT_EXPECT_EQ(test, n, TEST_EXTS);
}

/* egress is the exact reverse of ingress */
static void vmq_ext_frame_order(struct kunit *test)
{
	struct test_exts *te = test->priv;
	unsigned int i;

	for (i = TEST_EXTS; i--; )
		KUNIT_ASSERT_EQ(test, test_enable(te, i, true), 0);
	test_walk(test, VMQ_FROM_GUEST, VMQ_PASS, "bf af df cf ef");
	test_walk(test, VMQ_TO_GUEST, VMQ_PASS, "ef cf df af bf");
	te->ext[3].ops.frame = NULL;
	test_walk(test, VMQ_FROM_GUEST, VMQ_PASS, "bf af cf ef");
}

/* who may drop, and that nobody sees the frame after that */
static void vmq_ext_verdicts(struct kunit *test)
{
	struct test_exts *te = test->priv;
	unsigned int i;

	for (i = 0; i < TEST_EXTS; i++)
		KUNIT_ASSERT_EQ(test, test_enable(te, i, true), 0);
	te->ext[0].verdict = VMQ_DROP;
	test_walk(test, VMQ_FROM_GUEST, VMQ_PASS, "bf af df cf ef");
	te->ext[2].verdict = VMQ_DROP;
	test_walk(test, VMQ_FROM_GUEST, VMQ_DROP, "bf af df cf");
	test_walk(test, VMQ_TO_GUEST, VMQ_DROP, "ef cf");
	te->ext[3].verdict = VMQ_CONSUMED;
	test_walk(test, VMQ_FROM_GUEST, VMQ_CONSUMED, "bf af df");
	te->ext[4].verdict = VMQ_DROP;
	test_walk(test, VMQ_TO_GUEST, VMQ_DROP, "ef");
}

/* */
static void vmq_ext_one_forwards(struct kunit *test)
{
	struct netlink_ext_ack extack = {};
	struct test_exts *te = test->priv;

	te->ext[2].ops.class = VMQ_EXT_CLASS_FORWARD;
	KUNIT_EXPECT_EQ(test, test_enable(te, 4, true), 0);
	rtnl_lock();
	KUNIT_EXPECT_EQ(test, vmq_ext_enable(&te->a, te->ext[2].name, true,
					     &extack), -EBUSY);
	rtnl_unlock();
	KUNIT_EXPECT_NOT_NULL(test, extack._msg);
	KUNIT_EXPECT_EQ(test, test_enable(te, 4, false), 0);
	KUNIT_EXPECT_EQ(test, test_enable(te, 2, true), 0);
}

/* one port that is refused, and no port has it */
static void vmq_ext_all_or_none(struct kunit *test)
{
	struct test_exts *te = test->priv;

	te->ext[2].refuse = TEST_PORTS;
	KUNIT_EXPECT_EQ(test, test_enable(te, 2, true), -EDOM);
	KUNIT_EXPECT_STREQ(test, te->log, "c+ c+ c-");
	test_walk(test, VMQ_TO_GUEST, VMQ_PASS, "");
	/* and can be tried again */
	KUNIT_EXPECT_EQ(test, test_enable(te, 2, true), 0);
	test_walk(test, VMQ_TO_GUEST, VMQ_PASS, "cf");
	KUNIT_EXPECT_EQ(test, test_enable(te, 2, true), 0);
	KUNIT_EXPECT_STREQ(test, te->log, "");
	KUNIT_EXPECT_EQ(test, test_enable(te, 2, false), 0);
	KUNIT_EXPECT_STREQ(test, te->log, "c- c-");
	test_walk(test, VMQ_TO_GUEST, VMQ_PASS, "");
	KUNIT_EXPECT_EQ(test, test_enable(te, 2, false), 0);
	KUNIT_EXPECT_STREQ(test, te->log, "");
}

/* a new port meets all that are enabled, or does not come to be */
static void vmq_ext_new_port(struct kunit *test)
{
	struct netlink_ext_ack extack = {};
	struct test_exts *te = test->priv;
	struct vmq_port *port = &te->fresh;

	KUNIT_ASSERT_EQ(test, test_enable(te, 0, true), 0);
	KUNIT_ASSERT_EQ(test, test_enable(te, 3, true), 0);
	te->ext[3].refuse = TEST_PORTS + 1;
	te->log[0] = 0;
	port->adapter = &te->a;
	port->dev = te->dev;

	rtnl_lock();
	KUNIT_EXPECT_EQ(test, vmq_ext_port_init(port, &extack), -EDOM);
	KUNIT_EXPECT_STREQ(test, te->log, "a+ d+ a-");
	KUNIT_EXPECT_NOT_NULL(test, extack._msg);
	KUNIT_EXPECT_NULL(test, rtnl_dereference(port->stack));

	KUNIT_EXPECT_EQ(test, vmq_ext_port_init(port, NULL), 0);
	KUNIT_EXPECT_NOT_NULL(test, vmq_ext_port_find(port, "test-d"));
	KUNIT_EXPECT_NULL(test, vmq_ext_port_find(port, "test-c"));
	vmq_ext_port_hide(port);
	vmq_ext_port_destroy(port);
	vmq_ext_port_destroy(port);
	rtnl_unlock();
	KUNIT_EXPECT_EQ(test, te->ext[0].ports, TEST_PORTS);
	KUNIT_EXPECT_EQ(test, te->ext[3].ports, TEST_PORTS);
}

/* an administrator moves one within its class, and nowhere else */
static void vmq_ext_moves(struct kunit *test)
{
	struct test_exts *te = test->priv;
	struct vmq_ext_port *ep;

	KUNIT_ASSERT_EQ(test, test_enable(te, 0, true), 0);
	KUNIT_ASSERT_EQ(test, test_enable(te, 2, true), 0);
	KUNIT_ASSERT_EQ(test, test_enable(te, 3, true), 0);
	rtnl_lock();
	ep = vmq_ext_port_find(&te->port[0], "test-c");
	rtnl_unlock();
	test_walk(test, VMQ_FROM_GUEST, VMQ_PASS, "af df cf");

	KUNIT_EXPECT_EQ(test, test_move(te, 2, 0), 0);
	KUNIT_EXPECT_STREQ(test, test_order(te), "bacde");
	test_walk(test, VMQ_FROM_GUEST, VMQ_PASS, "af cf df");
	KUNIT_EXPECT_EQ(test, test_move(te, 2, 1), 0);
	test_walk(test, VMQ_FROM_GUEST, VMQ_PASS, "af df cf");
	KUNIT_EXPECT_EQ(test, test_move(te, 2, 1), 0);
	/* it is the same object, with all its data */
	rtnl_lock();
	KUNIT_EXPECT_PTR_EQ(test, ep,
			    vmq_ext_port_find(&te->port[0], "test-c"));
	rtnl_unlock();

	/* one that is disabled keeps its place too */
	KUNIT_EXPECT_EQ(test, test_move(te, 1, 1), 0);
	KUNIT_EXPECT_STREQ(test, test_order(te), "abdce");

	KUNIT_EXPECT_EQ(test, test_move(te, 2, 1000), -ERANGE);
	KUNIT_EXPECT_EQ(test, test_move(te, 2, U32_MAX), -ERANGE);
	rtnl_lock();
	KUNIT_EXPECT_EQ(test, vmq_ext_move(&te->a, "test-x", 0, NULL),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, vmq_ext_enable(&te->a, "test-x", true, NULL),
			-ENOENT);
	rtnl_unlock();
}

/* uuid and name are one extension's alone; ops must make sense */
static void vmq_ext_registry(struct kunit *test)
{
	struct test_exts *te = test->priv;
	struct vmq_ext_ops ops = te->ext[0].ops;

	KUNIT_EXPECT_EQ(test, vmq_ext_register(&ops), -EEXIST);
	ops.name = "test-x";
	KUNIT_EXPECT_EQ(test, vmq_ext_register(&ops), -EEXIST);
	ops.uuid.b[0] = 99;
	ops.name = te->ext[0].name;
	KUNIT_EXPECT_EQ(test, vmq_ext_register(&ops), -EEXIST);

	ops.name = "";
	KUNIT_EXPECT_EQ(test, vmq_ext_register(&ops), -EINVAL);
	ops.name = NULL;
	KUNIT_EXPECT_EQ(test, vmq_ext_register(&ops), -EINVAL);
	ops.name = "sixteen-letters.";
	KUNIT_EXPECT_EQ(test, vmq_ext_register(&ops), -EINVAL);
	ops.name = "test-x";
	ops.class = VMQ_EXT_CLASS_FORWARD + 1;
	KUNIT_EXPECT_EQ(test, vmq_ext_register(&ops), -EINVAL);
	ops.class = VMQ_EXT_CLASS_FILTER;
	ops.save_begin = test_save_begin;
	KUNIT_EXPECT_EQ(test, vmq_ext_register(&ops), -EINVAL);
	ops.save_begin = NULL;
	ops.restore_begin = test_save_begin;
	KUNIT_EXPECT_EQ(test, vmq_ext_register(&ops), -EINVAL);
	ops.restore_begin = NULL;
	uuid_copy(&ops.uuid, &uuid_null);
	KUNIT_EXPECT_EQ(test, vmq_ext_register(&ops), -EINVAL);
	/* not known, so nothing happens */
	vmq_ext_unregister(&ops);
}

/* One that goes while it is enabled, as it has no module, is disabled first. */
static void vmq_ext_goes(struct kunit *test)
{
	struct test_exts *te = test->priv;

	te->ext[2].ops.owner = NULL;
	KUNIT_ASSERT_EQ(test, test_enable(te, 2, true), 0);
	KUNIT_ASSERT_EQ(test, test_enable(te, 3, true), 0);
	te->log[0] = 0;
	vmq_ext_unregister(&te->ext[2].ops);
	KUNIT_EXPECT_STREQ(test, te->log, "c- c-");
	KUNIT_EXPECT_STREQ(test, test_order(te), "bade");
	test_walk(test, VMQ_FROM_GUEST, VMQ_PASS, "df");
}

static int vmq_ext_test_init(struct kunit *test)
{
	static const enum vmq_ext_class class[TEST_EXTS] = {
		VMQ_EXT_CLASS_CAPTURE, VMQ_EXT_CLASS_CAPTURE,
		VMQ_EXT_CLASS_FILTER, VMQ_EXT_CLASS_FILTER,
		VMQ_EXT_CLASS_FORWARD,
	};
	struct test_exts *te = kunit_kzalloc(test, sizeof(*te), GFP_KERNEL);
	unsigned int i;
	int err;

	if (!te)
		return -ENOMEM;
	te->dev = kunit_kzalloc(test, sizeof(*te->dev), GFP_KERNEL);
	if (!te->dev)
		return -ENOMEM;
	strscpy(te->dev->name, "test");
	te->a.dev = te->dev;
	test->priv = te;

	rtnl_lock();
	INIT_LIST_HEAD(&te->a.ports);
	for (i = 0; i < TEST_PORTS; i++) {
		te->port[i].adapter = &te->a;
		te->port[i].dev = te->dev;
		list_add_tail(&te->port[i].node, &te->a.ports);
	}
	err = vmq_ext_adapter_init(&te->a);
	list_add_tail(&te->a.node, &vmq_adapters);
	rtnl_unlock();

	for (i = 0; i < TEST_EXTS && !err; i++) {
		struct test_ext *x = &te->ext[i];

		x->te = te;
		x->letter = 'a' + i;
		snprintf(x->name, sizeof(x->name), "test-%c", x->letter);
		x->ops.owner = THIS_MODULE;
		x->ops.name = x->name;
		x->ops.class = class[i];
		x->ops.uuid.b[7] = i + 1;
		x->ops.attach = test_attach;
		x->ops.detach = test_detach;
		x->ops.frame = test_frame;
		err = vmq_ext_register(&x->ops);
	}
	return err;
}

static void vmq_ext_test_exit(struct kunit *test)
{
	struct test_exts *te = test->priv;
	unsigned int i;

	if (!te)
		return;
	for (i = 0; i < TEST_EXTS; i++) {
		if (test_enable(te, i, false) != -ENOENT)
			KUNIT_EXPECT_EQ(test, te->ext[i].ports, 0);
		vmq_ext_unregister(&te->ext[i].ops);
	}
	rtnl_lock();
	list_del(&te->a.node);
	vmq_ext_adapter_destroy(&te->a);
	rtnl_unlock();
}

static struct kunit_case vmq_ext_cases[] = {
	KUNIT_CASE(vmq_ext_appears),
	KUNIT_CASE(vmq_ext_frame_order),
	KUNIT_CASE(vmq_ext_verdicts),
	KUNIT_CASE(vmq_ext_one_forwards),
	KUNIT_CASE(vmq_ext_all_or_none),
	KUNIT_CASE(vmq_ext_new_port),
	KUNIT_CASE(vmq_ext_moves),
	KUNIT_CASE(vmq_ext_registry),
	KUNIT_CASE(vmq_ext_goes),
	{}
};

static struct kunit_suite vmq_ext_suite = {
	.name = "vmq-ext",
	.init = vmq_ext_test_init,
	.exit = vmq_ext_test_exit,
	.test_cases = vmq_ext_cases,
};

kunit_test_suites(&vmq_ext_suite);

// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of what extensions may refuse. Names in brackets are requirements.
 *
 * a captures, b and c filter, d forwards; nobody else knows them. What they are
 * called for is written down as letter and verb: + attach, - detach, n NIC create,
 * x NIC delete, 0 to 2 a property is set, ~0 to ~2 it is not, after all. Small
 * letters where they grant it, capitals where they refuse.
 */
#include <kunit/test.h>
#include <linux/ctype.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include "../vmq_priv.h"

#define TEST_EXTS	4
#define TEST_PROPS	3

struct test_ext {
	struct vmq_ext_ops ops;
	struct vmq_ext_inst inst;
	struct test_stack *ts;
	char letter;
	char name[8];
	char refuse;		/* verb */
};

struct test_stack {
	struct test_ext ext[TEST_EXTS];
	struct vmq_adapter a;
	struct vmq_port port;
	struct net_device *dev;
	struct vmq_property props[TEST_PROPS];
	char log[256];
};

static struct test_ext *test_ext(const struct vmq_ext_port *ep)
{
	return container_of(ep->ops, struct test_ext, ops);
}

static int test_call(const struct vmq_ext_port *ep, const char *undo, char verb)
{
	struct test_ext *x = test_ext(ep);
	bool refuses = !*undo && x->refuse == verb;
	size_t len = strlen(x->ts->log);

	snprintf(x->ts->log + len, sizeof(x->ts->log) - len, "%s%c%s%c",
		 len ? " " : "", refuses ? toupper(x->letter) : x->letter, undo,
		 verb);
	return refuses ? -EDOM : 0;
}

static int test_attach(struct vmq_ext_port *ep, struct netlink_ext_ack *extack)
{
	return test_call(ep, "", '+');
}

static void test_detach(struct vmq_ext_port *ep)
{
	test_call(ep, "", '-');
}

static int test_nic_create(struct vmq_ext_port *ep,
			   struct netlink_ext_ack *extack)
{
	return test_call(ep, "", 'n');
}

static void test_nic_delete(struct vmq_ext_port *ep)
{
	test_call(ep, "", 'x');
}

static int test_property_set(struct vmq_ext_port *ep,
			     const struct vmq_property *prop,
			     struct netlink_ext_ack *extack)
{
	return test_call(ep, "", '0' + prop->type);
}

static void test_property_undo(struct vmq_ext_port *ep,
			       const struct vmq_property *prop)
{
	test_call(ep, "~", '0' + prop->type);
}

static int test_make(struct test_stack *ts, struct netlink_ext_ack *extack)
{
	int err;

	ts->log[0] = 0;
	rtnl_lock();
	err = vmq_ext_port_init(&ts->port, extack);
	rtnl_unlock();
	return err;
}

static void test_unmake(struct test_stack *ts)
{
	ts->log[0] = 0;
	rtnl_lock();
	vmq_ext_port_hide(&ts->port);
	vmq_ext_port_destroy(&ts->port);
	rtnl_unlock();
}

static int test_set(struct test_stack *ts, struct netlink_ext_ack *extack)
{
	int err;

	ts->log[0] = 0;
	rtnl_lock();
	err = vmq_ext_property_set(&ts->port, ts->props, TEST_PROPS, extack);
	rtnl_unlock();
	return err;
}

/* port, then NIC; and back, in reverse order */
static void vmq_veto_none(struct kunit *test)
{
	struct test_stack *ts = test->priv;

	KUNIT_EXPECT_EQ(test, test_make(ts, NULL), 0);
	KUNIT_EXPECT_STREQ(test, ts->log, "a+ b+ c+ d+ an bn cn dn");
	KUNIT_EXPECT_EQ(test, test_set(ts, NULL), 0);
	KUNIT_EXPECT_STREQ(test, ts->log,
			   "a0 a1 a2 b0 b1 b2 c0 c1 c2 d0 d1 d2");
	/* what was granted may still fail */
	ts->log[0] = 0;
	rtnl_lock();
	vmq_ext_property_undo(&ts->port, ts->props, TEST_PROPS);
	rtnl_unlock();
	KUNIT_EXPECT_STREQ(test, ts->log,
			   "d~2 d~1 d~0 c~2 c~1 c~0 b~2 b~1 b~0 a~2 a~1 a~0");
	test_unmake(ts);
	KUNIT_EXPECT_STREQ(test, ts->log, "dx cx bx ax d- c- b- a-");
}

/* who granted the port hears that it does not come to be */
static void vmq_veto_port(struct kunit *test)
{
	static const char *const logs[TEST_EXTS] = {
		[1] = "a+ B+ a-", [2] = "a+ b+ C+ b- a-",
		[3] = "a+ b+ c+ D+ c- b- a-",
	};
	struct test_stack *ts = test->priv;
	struct netlink_ext_ack extack;
	unsigned int i;

	for (i = 1; i < TEST_EXTS; i++) {
		memset(&extack, 0, sizeof(extack));
		ts->ext[i].refuse = '+';
		KUNIT_EXPECT_EQ(test, test_make(ts, &extack), -EDOM);
		KUNIT_EXPECT_STREQ(test, ts->log, logs[i]);
		KUNIT_EXPECT_NOT_NULL(test, extack._msg);
		KUNIT_EXPECT_FALSE(test,
				   rcu_access_pointer(ts->port.stack));
		ts->ext[i].refuse = 0;
	}
}

/* the same of its NIC */
static void vmq_veto_nic(struct kunit *test)
{
	static const char *const logs[TEST_EXTS] = {
		[1] = "a+ b+ c+ d+ an Bn ax d- c- b- a-",
		[2] = "a+ b+ c+ d+ an bn Cn bx ax d- c- b- a-",
		[3] = "a+ b+ c+ d+ an bn cn Dn cx bx ax d- c- b- a-",
	};
	struct test_stack *ts = test->priv;
	struct netlink_ext_ack extack;
	unsigned int i;

	for (i = 1; i < TEST_EXTS; i++) {
		memset(&extack, 0, sizeof(extack));
		ts->ext[i].refuse = 'n';
		KUNIT_EXPECT_EQ(test, test_make(ts, &extack), -EDOM);
		KUNIT_EXPECT_STREQ(test, ts->log, logs[i]);
		KUNIT_EXPECT_NOT_NULL(test, extack._msg);
		KUNIT_EXPECT_FALSE(test,
				   rcu_access_pointer(ts->port.stack));
		ts->ext[i].refuse = 0;
	}
}

/* one property of several that is refused, and none is set */
static void vmq_veto_property(struct kunit *test)
{
	static const struct {
		unsigned int ext;
		char refuse;
		const char *log;
	} rows[] = {
		{ 1, '0', "a0 a1 a2 B0 a~2 a~1 a~0" },
		{ 1, '2', "a0 a1 a2 b0 b1 B2 b~1 b~0 a~2 a~1 a~0" },
		{ 2, '1', "a0 a1 a2 b0 b1 b2 c0 C1 c~0 b~2 b~1 b~0 a~2 a~1 a~0" },
		{ 3, '0', "a0 a1 a2 b0 b1 b2 c0 c1 c2 D0 c~2 c~1 c~0 b~2 b~1 b~0 a~2 a~1 a~0" },
	};
	struct test_stack *ts = test->priv;
	struct netlink_ext_ack extack;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, test_make(ts, NULL), 0);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(&extack, 0, sizeof(extack));
		ts->ext[rows[i].ext].refuse = rows[i].refuse;
		KUNIT_EXPECT_EQ(test, test_set(ts, &extack), -EDOM);
		KUNIT_EXPECT_STREQ(test, ts->log, rows[i].log);
		KUNIT_EXPECT_NOT_NULL(test, extack._msg);
		ts->ext[rows[i].ext].refuse = 0;
	}
	test_unmake(ts);
}

/* one that captures refuses nothing, and is not told of what it refused */
static void vmq_veto_capture(struct kunit *test)
{
	struct netlink_ext_ack extack = {};
	struct test_stack *ts = test->priv;

	ts->ext[0].refuse = '+';
	KUNIT_EXPECT_EQ(test, test_make(ts, &extack), 0);
	KUNIT_EXPECT_STREQ(test, ts->log, "A+ b+ c+ d+ bn cn dn");
	test_unmake(ts);
	KUNIT_EXPECT_STREQ(test, ts->log, "dx cx bx d- c- b-");

	ts->ext[0].refuse = 'n';
	KUNIT_EXPECT_EQ(test, test_make(ts, &extack), 0);
	KUNIT_EXPECT_STREQ(test, ts->log, "a+ b+ c+ d+ An bn cn dn");
	ts->ext[0].refuse = '1';
	KUNIT_EXPECT_EQ(test, test_set(ts, &extack), 0);
	KUNIT_EXPECT_STREQ(test, ts->log,
			   "a0 A1 a2 b0 b1 b2 c0 c1 c2 d0 d1 d2");
	test_unmake(ts);
	KUNIT_EXPECT_STREQ(test, ts->log, "dx cx bx d- c- b- a-");
}

/* A port without extensions has nobody to ask. */
static void vmq_veto_nobody(struct kunit *test)
{
	struct test_stack *ts = test->priv;
	unsigned int i;

	for (i = 0; i < TEST_EXTS; i++)
		ts->ext[i].inst.enabled = false;
	KUNIT_EXPECT_EQ(test, test_make(ts, NULL), 0);
	KUNIT_EXPECT_EQ(test, test_set(ts, NULL), 0);
	test_unmake(ts);
	KUNIT_EXPECT_STREQ(test, ts->log, "");
}

static int vmq_veto_test_init(struct kunit *test)
{
	static const enum vmq_ext_class class[TEST_EXTS] = {
		VMQ_EXT_CLASS_CAPTURE, VMQ_EXT_CLASS_FILTER,
		VMQ_EXT_CLASS_FILTER, VMQ_EXT_CLASS_FORWARD,
	};
	struct test_stack *ts = kunit_kzalloc(test, sizeof(*ts), GFP_KERNEL);
	unsigned int i;

	if (!ts)
		return -ENOMEM;
	ts->dev = kunit_kzalloc(test, sizeof(*ts->dev), GFP_KERNEL);
	if (!ts->dev)
		return -ENOMEM;
	test->priv = ts;
	strscpy(ts->dev->name, "test");
	ts->port.dev = ts->dev;
	ts->port.adapter = &ts->a;
	ts->a.dev = ts->dev;
	INIT_LIST_HEAD(&ts->a.exts);
	INIT_LIST_HEAD(&ts->a.ports);
	for (i = 0; i < TEST_PROPS; i++)
		ts->props[i].type = i;
	for (i = 0; i < TEST_EXTS; i++) {
		struct test_ext *x = &ts->ext[i];

		x->ts = ts;
		x->letter = 'a' + i;
		snprintf(x->name, sizeof(x->name), "test-%c", x->letter);
		x->ops.name = x->name;
		x->ops.class = class[i];
		x->ops.attach = test_attach;
		x->ops.detach = test_detach;
		x->ops.nic_create = test_nic_create;
		x->ops.nic_delete = test_nic_delete;
		x->ops.property_set = test_property_set;
		x->ops.property_undo = test_property_undo;
		x->inst.ops = &x->ops;
		x->inst.enabled = true;
		list_add_tail(&x->inst.node, &ts->a.exts);
	}
	return 0;
}

static struct kunit_case vmq_veto_cases[] = {
	KUNIT_CASE(vmq_veto_none),
	KUNIT_CASE(vmq_veto_port),
	KUNIT_CASE(vmq_veto_nic),
	KUNIT_CASE(vmq_veto_property),
	KUNIT_CASE(vmq_veto_capture),
	KUNIT_CASE(vmq_veto_nobody),
	{}
};

static struct kunit_suite vmq_veto_suite = {
	.name = "vmq-veto",
	.init = vmq_veto_test_init,
	.test_cases = vmq_veto_cases,
};

kunit_test_suites(&vmq_veto_suite);

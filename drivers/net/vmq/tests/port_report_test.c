// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of what is told of a port and of its NIC, which are one. Names in
 * brackets are requirements.
 */
#include <linux/etherdevice.h>
#include <linux/rtnetlink.h>

#include "../vmq_priv.h"
#include "adapter_fixture.h"

#define REPORT_UUID	"11223344-5566-7788-99aa-bbccddeeff01"

/* Who asks for a port, and for nothing else. */
static struct fixture_client *report_client(struct kunit *test,
					    const struct vmq_port *port)
{
	struct fixture_client *c = fixture_client(test, port->adapter);

	c->ifindex = port->dev->ifindex;
	return c;
}

static void report_is(struct kunit *test, const struct fixture_client *c,
		      int type, const void *data, int len)
{
	const struct nlattr *attr = fixture_answer(c, type);

	KUNIT_ASSERT_NOT_NULL(test, attr);
	KUNIT_EXPECT_GE(test, nla_len(attr), len);
	KUNIT_EXPECT_MEMEQ(test, nla_data(attr), data, len);
}

/* Name, adapter, number, addresses: of this port, not of the other one. */
static void report_check(struct kunit *test, struct fixture_client *c,
			 const struct vmq_port *port)
{
	const struct net_device *dev = port->dev;

	report_is(test, c, VMQ_A_PORT_DEV, dev->name, strlen(dev->name) + 1);
	report_is(test, c, VMQ_A_PORT_ADAPTER, port->adapter->dev->name,
		  strlen(port->adapter->dev->name) + 1);
	report_is(test, c, VMQ_A_PORT_MAC, dev->dev_addr, ETH_ALEN);
	KUNIT_EXPECT_EQ(test, fixture_answer_u32(c, VMQ_A_PORT_PORT_ID),
			port->id);
}

/* what a NIC has, as everybody can ask for it */
static void vmq_report_nic(struct kunit *test)
{
	struct vmq_adapter *a = fixture_adapter(test);
	struct vmq_port *port[2];
	struct fixture_client *c;
	int i;

	for (i = 0; i < 2; i++)
		port[i] = fixture_port(test, a, false);
	KUNIT_EXPECT_NE(test, port[0]->id, port[1]->id);
	for (i = 0; i < 2; i++) {
		c = report_client(test, port[i]);
		KUNIT_ASSERT_EQ(test, fixture_ask(test, c,
						  fixture_request(test, c,
								  VMQ_CMD_PORT_GET)),
				0);
		report_check(test, c, port[i]);
	}
}

/* a change is told to everybody, once; none is told for none */
static void vmq_report_change(struct kunit *test)
{
	struct vmq_adapter *a = fixture_adapter(test);
	struct vmq_port *port = fixture_port(test, a, false);
	struct fixture_client *c = report_client(test, port);
	struct fixture_client *all = report_client(test, port);
	struct sk_buff *msg;

	fixture_listen(test, all);
	msg = fixture_request(test, c, VMQ_CMD_PORT_SET);
	KUNIT_ASSERT_EQ(test, nla_put_string(msg, VMQ_A_PORT_UUID, REPORT_UUID), 0);
	KUNIT_ASSERT_EQ(test, fixture_ask(test, c, msg), 0);
	KUNIT_ASSERT_TRUE(test, fixture_event(test, all, VMQ_CMD_PORT_NTF));
	report_check(test, all, port);
	report_is(test, all, VMQ_A_PORT_UUID, REPORT_UUID, sizeof(REPORT_UUID));
	KUNIT_EXPECT_FALSE(test, fixture_event(test, all, VMQ_CMD_PORT_NTF));

	/* what is refused is no change */
	msg = fixture_request(test, c, VMQ_CMD_PORT_SET);
	KUNIT_ASSERT_EQ(test, nla_put_string(msg, VMQ_A_PORT_UUID, "none"), 0);
	KUNIT_EXPECT_LT(test, fixture_ask(test, c, msg), 0);
	KUNIT_EXPECT_FALSE(test, fixture_event(test, all, VMQ_CMD_PORT_NTF));
}

static struct kunit_case vmq_report_cases[] = {
	KUNIT_CASE(vmq_report_nic),
	KUNIT_CASE(vmq_report_change),
	{}
};

static struct kunit_suite vmq_report_suite = {
	.name = "vmq-port-report",
	.test_cases = vmq_report_cases,
};

kunit_test_suites(&vmq_report_suite);

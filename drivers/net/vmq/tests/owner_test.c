// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: netlink sockets as owners of queues and filters (Q-16, Q-21, Q-47, F-03,
 * F-05), and the table F-22, from the request to the frame.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>

#include "adapter_fixture.h"

static const u8 owner_mac[4][ETH_ALEN] = {
	{ 2, 0, 0, 0, 1, 1 }, { 2, 0, 0, 0, 1, 2 },
	{ 2, 0, 0, 0, 1, 3 }, { 2, 0, 0, 0, 1, 4 },
};

static int owner_state(struct vmq_adapter *a, u32 id)
{
	struct vmq_queue *q;
	int state;

	rtnl_lock();
	q = vmq_queue_find(a, id);
	state = q ? q->state : VMQ_QUEUE_STATE_UNDEFINED;
	rtnl_unlock();
	return state;
}

static u32 owner_kept_queue(struct kunit *test, struct fixture_client *c)
{
	struct sk_buff *msg = fixture_request(test, c, VMQ_CMD_QUEUE_NEW);

	KUNIT_ASSERT_EQ(test, nla_put_flag(msg, VMQ_A_QUEUE_KEEP), 0);
	KUNIT_ASSERT_EQ(test, fixture_ask(test, c, msg), 0);
	return fixture_answer_u32(c, VMQ_A_QUEUE_ID);
}

static u32 owner_queues(struct kunit *test, struct fixture_client *c, bool mine)
{
	struct sk_buff *msg = fixture_request(test, c, VMQ_CMD_QUEUE_GET);
	u32 count;

	if (mine)
		KUNIT_ASSERT_EQ(test, nla_put_flag(msg, VMQ_A_QUEUE_MINE), 0);
	KUNIT_ASSERT_EQ(test, fixture_ask_dump(test, c, msg, &count), 0);
	return count;
}

/* what a socket allocated goes when it is closed, and nothing else. */
static void owner_close(struct kunit *test)
{
	struct vmq_adapter *a = fixture_adapter(test);
	struct fixture_client *one = fixture_client(test, a);
	struct fixture_client *two = fixture_client(test, a);
	u32 bare, running, kept, other, filter, n;

	n = a->n_filters;
	KUNIT_ASSERT_EQ(test, fixture_queue_new(test, one, &bare), 0);
	KUNIT_ASSERT_EQ(test, fixture_queue_new(test, one, &running), 0);
	KUNIT_ASSERT_EQ(test, fixture_queue_new(test, two, &other), 0);
	kept = owner_kept_queue(test, one);
	KUNIT_ASSERT_EQ(test, fixture_filter_new(test, one, running,
						 owner_mac[0], &filter), 0);
	KUNIT_ASSERT_EQ(test, fixture_complete(test, one, running), 0);
	KUNIT_ASSERT_EQ(test, fixture_filter_new(test, two, other,
						 owner_mac[1], &filter), 0);
	/* on the default queue, which is nobody's (F-04) */
	KUNIT_ASSERT_EQ(test, fixture_filter_new(test, one, 0, owner_mac[2],
						 &filter), 0);
	KUNIT_ASSERT_EQ(test, a->n_filters, n + 3);
	KUNIT_EXPECT_EQ(test, a->n_vm_queues, 4);

	fixture_close(one);
	KUNIT_EXPECT_EQ(test, owner_state(a, bare), VMQ_QUEUE_STATE_UNDEFINED);
	KUNIT_EXPECT_EQ(test, owner_state(a, running),
			VMQ_QUEUE_STATE_UNDEFINED);
	KUNIT_EXPECT_EQ(test, owner_state(a, kept), VMQ_QUEUE_STATE_ALLOCATED);
	KUNIT_EXPECT_EQ(test, owner_state(a, other), VMQ_QUEUE_STATE_SET);
	KUNIT_EXPECT_EQ(test, a->n_filters, n + 1);
	KUNIT_EXPECT_EQ(test, a->n_vm_queues, 2);

	/* what it had can be had again, the lowest first */
	KUNIT_ASSERT_EQ(test, fixture_queue_new(test, two, &n), 0);
	KUNIT_EXPECT_EQ(test, n, min(bare, running));
}

/* Q-16, F-03, F-05: only the owner may. */
static void owner_others(struct kunit *test)
{
	static const u8 cmds[] = { VMQ_CMD_QUEUE_SET, VMQ_CMD_QUEUE_DEL };
	struct vmq_adapter *a = fixture_adapter(test);
	struct fixture_client *one = fixture_client(test, a);
	struct fixture_client *two = fixture_client(test, a);
	u32 id, filter, none, i;

	KUNIT_ASSERT_EQ(test, fixture_queue_new(test, one, &id), 0);
	KUNIT_ASSERT_EQ(test, fixture_filter_new(test, one, id, owner_mac[0],
						 &filter), 0);
	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		KUNIT_EXPECT_EQ(test, fixture_queue_do(test, two, cmds[i], id),
				-EPERM);
	KUNIT_EXPECT_EQ(test, fixture_complete(test, two, id), -EPERM);
	KUNIT_EXPECT_EQ(test, fixture_filter_new(test, two, id, owner_mac[1],
						 &none), -EPERM);
	KUNIT_EXPECT_EQ(test, fixture_filter_do(test, two, VMQ_CMD_FILTER_DEL,
						filter), -EPERM);
	KUNIT_EXPECT_EQ(test, owner_state(a, id), VMQ_QUEUE_STATE_SET);
	/* to look is no privilege of the owner */
	KUNIT_EXPECT_EQ(test, fixture_queue_do(test, two, VMQ_CMD_QUEUE_GET,
					       id), 0);
	KUNIT_EXPECT_EQ(test, fixture_filter_do(test, one, VMQ_CMD_FILTER_DEL,
						filter), 0);
	KUNIT_EXPECT_EQ(test, fixture_queue_do(test, one, VMQ_CMD_QUEUE_DEL,
					       id), 0);
}

/* Q-21, O-17: its own, or all with the default queue. */
static void owner_lists(struct kunit *test)
{
	struct vmq_adapter *a = fixture_adapter(test);
	struct fixture_client *one = fixture_client(test, a);
	struct fixture_client *two = fixture_client(test, a);
	u32 id, i;

	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, fixture_queue_new(test, one, &id), 0);
	owner_kept_queue(test, one);
	KUNIT_EXPECT_EQ(test, owner_queues(test, one, true), 3);
	KUNIT_EXPECT_EQ(test, owner_queues(test, two, true), 0);
	KUNIT_EXPECT_EQ(test, owner_queues(test, two, false), 5);
}

/* ---- F-22 ---- */

#define VID		7
#define OTHER_VID	8
#define NO_TAG		(-1)

struct vlan_row {
	const char *name;
	bool flag;			/* untagged-or-zero */
	u16 vid;			/* of the VLAN test, 0: none */
	int err;
	bool takes[4];			/* untagged, id 0, VID, OTHER_VID */
};

static const struct vlan_row vlan_rows[] = {
	{ "F-22 MAC, flag set", true, 0, 0, { true, true, false, false } },
	{ "F-22 MAC, flag clear (O-04)", false, 0, 0,
	  { true, true, true, true } },
	{ "F-22 MAC and VLAN id", false, VID, 0,
	  { false, false, true, false } },
	{ "F-22 MAC, VLAN id, flag set (O-07)", true, VID, -EINVAL,
	  { false, false, false, false } },
};

static void vlan_row_desc(const struct vlan_row *row, char *desc)
{
	strscpy(desc, row->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(vlan_row, vlan_rows, vlan_row_desc);

static struct vmq_queue *vlan_classify(struct kunit *test,
				       struct vmq_adapter *a, const u8 *mac,
				       int tci)
{
	struct sk_buff *skb = fixture_frame(test, a, mac);
	struct vmq_queue *q;

	if (tci != NO_TAG)
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q), tci);
	local_bh_disable();
	rcu_read_lock();
	q = vmq_classify(a, skb);
	rcu_read_unlock();
	local_bh_enable();
	kfree_skb(skb);
	return q;
}

/* A filter as a client asks for it, and which frames it takes (F-22). */
static void vlan_table(struct kunit *test)
{
	/* with a priority: it is no part of the test */
	static const int tags[] = {
		NO_TAG, 5 << VLAN_PRIO_SHIFT, 3 << VLAN_PRIO_SHIFT | VID,
		OTHER_VID,
	};
	const struct vlan_row *row = test->param_value;
	struct vmq_adapter *a = fixture_adapter(test);
	struct fixture_client *c = fixture_client(test, a);
	struct sk_buff *msg;
	struct vmq_queue *q;
	u32 id, i;

	KUNIT_ASSERT_EQ(test, fixture_queue_new(test, c, &id), 0);
	KUNIT_ASSERT_EQ(test, fixture_complete(test, c, id), 0);
	msg = fixture_request(test, c, VMQ_CMD_FILTER_NEW);
	KUNIT_ASSERT_EQ(test, nla_put_u32(msg, VMQ_A_FILTER_QUEUE, id), 0);
	KUNIT_ASSERT_EQ(test, nla_put(msg, VMQ_A_FILTER_MAC, ETH_ALEN,
				      owner_mac[0]), 0);
	if (row->flag)
		KUNIT_ASSERT_EQ(test, nla_put_flag(msg, VMQ_A_FILTER_UNTAGGED),
				0);
	if (row->vid)
		KUNIT_ASSERT_EQ(test, nla_put_u16(msg, VMQ_A_FILTER_VLAN,
						  row->vid), 0);
	KUNIT_EXPECT_EQ(test, fixture_ask(test, c, msg), row->err);

	rtnl_lock();
	q = vmq_queue_find(a, id);
	rtnl_unlock();
	for (i = 0; i < ARRAY_SIZE(tags); i++) {
		KUNIT_EXPECT_EQ_MSG(test, vlan_classify(test, a, owner_mac[0],
							tags[i]) == q,
				    row->takes[i], "frame %u", i);
		/* and none for another address */
		KUNIT_EXPECT_PTR_NE(test, vlan_classify(test, a, owner_mac[1],
							tags[i]), q);
	}
}

static struct kunit_case owner_cases[] = {
	KUNIT_CASE(owner_close),
	KUNIT_CASE(owner_others),
	KUNIT_CASE(owner_lists),
	KUNIT_CASE_PARAM(vlan_table, vlan_row_gen_params),
	{}
};

static struct kunit_suite owner_suite = {
	.name = "vmq-owner",
	.test_cases = owner_cases,
};

kunit_test_suites(&owner_suite);

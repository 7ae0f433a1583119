// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: frames in hand, where there are many ports: none is kept too long, and none
 * overtakes another.
 */
#include <linux/delay.h>
#include <linux/etherdevice.h>
#include <linux/rtnetlink.h>
#include <net/sock.h>

#include "../rx_near.h"
#include "adapter_fixture.h"

#define NEAR_MANY	512		/* what the module has without a parameter */
#define NEAR_PAUSE	32

static const u8 near_host[ETH_ALEN] = { 2, 0, 0, 0, 0, 1 };

/* What arrived at the host's stack: the first byte behind the header, in order. */
static struct near_got {
	const struct net_device *dev[2];
	unsigned int n;
	u8 from[256];			/* index in @dev */
	u8 number[256];
	bool sk[256];			/* it has a socket */
} near_got;

static int near_receive(struct sk_buff *skb, struct net_device *dev,
			struct packet_type *pt, struct net_device *orig_dev)
{
	struct near_got *got = &near_got;

	if (got->n < ARRAY_SIZE(got->number) &&
	    (dev == got->dev[0] || dev == got->dev[1])) {
		got->from[got->n] = dev == got->dev[1];
		got->sk[got->n] = skb->sk;
		got->number[got->n++] = skb->data[0];
	}
	consume_skb(skb);
	return NET_RX_SUCCESS;
}

static struct packet_type near_type = {
	.type = cpu_to_be16(ETH_P_802_EX1),
	.func = near_receive,
};

static void near_end(void *data)
{
	dev_remove_pack(&near_type);
	vmq_near_ports(-NEAR_MANY);
}

/* Two adapters, and so many ports that frames wait. */
static struct vmq_adapter **near_begin(struct kunit *test)
{
	struct vmq_adapter **a = kunit_kcalloc(test, 2, sizeof(*a), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, a);
	memset(&near_got, 0, sizeof(near_got));
	for (i = 0; i < 2; i++) {
		a[i] = fixture_adapter(test);
		a[i]->near_fits = true;		/* as if it had an uplink */
		near_got.dev[i] = a[i]->dev;
	}
	dev_add_pack(&near_type);
	vmq_near_ports(NEAR_MANY);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, near_end, NULL),
			0);
	KUNIT_ASSERT_TRUE(test, vmq_near_used());
	return a;
}

/* ---- frames ---- */

/* Context: BH off. */
static struct sk_buff *near_frame(struct kunit *test, struct vmq_adapter *a,
				  u8 number)
{
	struct sk_buff *skb = netdev_alloc_skb(a->dev, ETH_ZLEN);
	struct ethhdr *eth;

	KUNIT_EXPECT_NOT_NULL(test, skb);
	if (!skb)
		return NULL;
	eth = skb_put_zero(skb, ETH_ZLEN);
	ether_addr_copy(eth->h_dest, near_host);
	eth->h_source[0] = 2;
	eth->h_proto = htons(ETH_P_802_EX1);
	((u8 *)(eth + 1))[0] = number;
	skb->protocol = eth_type_trans(skb, a->dev);
	skb_reset_network_header(skb);
	return skb;
}

/* As the rx_handler does; number of the frame that goes on, or -1. */
static int near_rx(struct vmq_adapter *a, struct sk_buff *skb)
{
	int number = -1;

	if (!skb)
		return -2;
	rcu_read_lock();
	skb = vmq_near_swap(a, skb);
	if (skb) {
		number = skb->data[0];
		vmq_rx_late(a, skb);
	}
	rcu_read_unlock();
	return number;
}

/* So many frames in one softirq; frames do not pause after it. */
static void near_train(struct kunit *test, struct vmq_adapter *a,
		       unsigned int count)
{
	unsigned int i;

	local_bh_disable();
	for (i = 0; i < count; i++)
		near_rx(a, near_frame(test, a, i));
	local_bh_enable();
	vmq_near_drain(a);
}

static void near_pause_over(struct kunit *test, struct vmq_adapter *a)
{
	near_train(test, a, NEAR_PAUSE + 3);
	near_got.n = 0;
}

static void near_expect(struct kunit *test, unsigned int first,
			unsigned int count)
{
	unsigned int i;

	KUNIT_EXPECT_EQ(test, near_got.n, count);
	for (i = 0; i < min(near_got.n, count); i++)
		KUNIT_EXPECT_EQ(test, near_got.number[i], first + i);
}

/* ---- cases ---- */

/* On with so many ports, off with half of them. */
static void near_threshold(struct kunit *test)
{
	bool before;

	vmq_near_ports(NEAR_MANY - 1);
	before = vmq_near_used();
	vmq_near_ports(1);
	KUNIT_EXPECT_FALSE(test, before);
	KUNIT_EXPECT_TRUE(test, vmq_near_used());
	vmq_near_ports(-(NEAR_MANY / 2 - 1));
	before = vmq_near_used();
	vmq_near_ports(-1);
	KUNIT_EXPECT_TRUE(test, before);
	KUNIT_EXPECT_FALSE(test, vmq_near_used());
	vmq_near_ports(-(NEAR_MANY / 2));
}

/* Two wait for those behind them, the last ones until the softirq ends. */
static void near_order(struct kunit *test)
{
	struct vmq_adapter *a = *near_begin(test);
	int i;

	migrate_disable();
	near_pause_over(test, a);
	local_bh_disable();
	for (i = 0; i < 20; i++)
		KUNIT_EXPECT_EQ(test, near_rx(a, near_frame(test, a, i)),
				i < 2 ? -1 : i - 2);
	near_expect(test, 0, 18);
	local_bh_enable();
	vmq_near_drain(a);
	near_expect(test, 0, 20);

	/* it goes on like that in the next one */
	near_got.n = 0;
	local_bh_disable();
	KUNIT_EXPECT_EQ(test, near_rx(a, near_frame(test, a, 0)), -1);
	near_expect(test, 0, 0);
	local_bh_enable();
	vmq_near_drain(a);
	near_expect(test, 0, 1);
	migrate_enable();
}

/* Where frames come one by one, they do not wait; but it is tried again. */
static void near_alone(struct kunit *test)
{
	struct vmq_adapter *a = *near_begin(test);
	int i;

	migrate_disable();
	near_pause_over(test, a);
	near_train(test, a, 1);
	for (i = 1; i <= NEAR_PAUSE; i++) {
		local_bh_disable();
		KUNIT_EXPECT_EQ(test, near_rx(a, near_frame(test, a, i)), i);
		local_bh_enable();
	}
	near_expect(test, 0, NEAR_PAUSE + 1);
	local_bh_disable();
	KUNIT_EXPECT_EQ(test, near_rx(a, near_frame(test, a, i)), -1);
	local_bh_enable();
	vmq_near_drain(a);
	near_expect(test, 0, NEAR_PAUSE + 2);
	migrate_enable();
}

/* Each adapter has its own; nothing is delivered for the sake of the other's. */
static void near_adapters(struct kunit *test)
{
	struct vmq_adapter **a = near_begin(test);
	/* the first one's, then the other's */
	static const u8 late[] = { 2, 4, 3, 5 };
	int i;

	migrate_disable();
	near_pause_over(test, a[0]);
	near_pause_over(test, a[1]);
	local_bh_disable();
	for (i = 0; i < 6; i++)
		KUNIT_EXPECT_EQ(test, near_rx(a[i % 2],
					      near_frame(test, a[i % 2], i)),
				i < 4 ? -1 : i - 4);
	near_expect(test, 0, 2);
	local_bh_enable();
	vmq_near_drain(a[0]);
	vmq_near_drain(a[1]);
	KUNIT_EXPECT_EQ(test, near_got.n, 6);
	for (i = 0; i < 6; i++) {
		KUNIT_EXPECT_EQ(test, near_got.from[i],
				near_got.number[i] % 2);
		KUNIT_EXPECT_EQ(test, near_got.number[i],
				i < 2 ? i : late[i - 2]);
	}
	migrate_enable();
}

/* A socket on the uplink that asks for one protocol; the others wait as before. */
static void near_heard(struct kunit *test)
{
	struct vmq_adapter *a = *near_begin(test);
	struct packet_type lldp = {
		.type = cpu_to_be16(ETH_P_LLDP),
		.dev = a->dev,
		.func = near_receive,
	};
	struct sk_buff *skb;

	migrate_disable();
	near_pause_over(test, a);
	dev_add_pack(&lldp);
	local_bh_disable();
	KUNIT_EXPECT_EQ(test, near_rx(a, near_frame(test, a, 0)), -1);
	skb = near_frame(test, a, 1);
	if (skb)
		skb->protocol = lldp.type;
	KUNIT_EXPECT_EQ(test, near_rx(a, skb), 1);
	near_expect(test, 1, 1);
	KUNIT_EXPECT_EQ(test, near_rx(a, near_frame(test, a, 2)), -1);
	local_bh_enable();
	vmq_near_drain(a);
	dev_remove_pack(&lldp);
	KUNIT_EXPECT_EQ(test, near_got.n, 3);
	KUNIT_EXPECT_EQ(test, near_got.number[1], 0);
	KUNIT_EXPECT_EQ(test, near_got.number[2], 2);
	migrate_enable();
}

/* An uplink whose frames come from several devices. */
static void near_unfit(struct kunit *test)
{
	struct vmq_adapter *a = *near_begin(test);

	migrate_disable();
	near_pause_over(test, a);
	a->near_fits = false;
	local_bh_disable();
	KUNIT_EXPECT_EQ(test, near_rx(a, near_frame(test, a, 0)), 0);
	local_bh_enable();
	migrate_enable();
}

/* The port's filter is asked for when the frame goes on, as in a NIC's ring. */
static void near_moved(struct kunit *test)
{
	struct vmq_adapter *a = *near_begin(test);
	struct vmq_port *port = fixture_port(test, a, true);
	struct vmq_stats stats = {};
	struct sk_buff *skb;

	migrate_disable();
	near_pause_over(test, a);
	local_bh_disable();
	skb = near_frame(test, a, 0);
	if (skb)
		ether_addr_copy(eth_hdr(skb)->h_dest, port->dev->dev_addr);
	KUNIT_EXPECT_EQ(test, near_rx(a, skb), -1);
	/* what a change finds that comes in between */
	WRITE_ONCE(vmq_port_queue(port)->state, VMQ_QUEUE_STATE_PAUSED);
	local_bh_enable();
	vmq_near_drain(a);
	WRITE_ONCE(vmq_port_queue(port)->state, VMQ_QUEUE_STATE_RUNNING);
	migrate_enable();
	vmq_stats_sum(vmq_port_queue(port)->stats, &stats);
	KUNIT_EXPECT_EQ(test, stats.drops[VMQ_DROP_STATE], 1);
	near_expect(test, 0, 0);
}

/* BPF chose a socket for it, of which nobody has a reference. */
static struct sk_buff *near_frame_sk(struct kunit *test, struct vmq_adapter *a,
				     u8 number, struct sock *sk)
{
	struct sk_buff *skb = near_frame(test, a, number);

	if (skb) {
		skb->sk = sk;
		skb->destructor = sock_pfree;
	}
	return skb;
}

/* It does not wait here; where it has to wait for its queue, it gives up the socket. */
static void near_socket(struct kunit *test)
{
	struct vmq_adapter *a = *near_begin(test);
	struct vmq_port *port = fixture_port(test, a, true);
	struct sk_buff *skb;
	struct sock *sk;
	int i;

	sk = kunit_kzalloc(test, sizeof(*sk), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sk);
	sock_set_flag(sk, SOCK_RCU_FREE);
	near_got.dev[1] = port->dev;
	migrate_disable();
	near_pause_over(test, a);
	local_bh_disable();
	KUNIT_EXPECT_EQ(test, near_rx(a, near_frame_sk(test, a, 0, sk)), 0);
	skb = near_frame_sk(test, a, 1, sk);
	if (skb) {
		rcu_read_lock();
		vmq_queue_receive(vmq_port_queue(port), skb, false);
		rcu_read_unlock();
	}
	near_expect(test, 0, 1);
	local_bh_enable();
	migrate_enable();
	for (i = 0; i < 1000 && READ_ONCE(near_got.n) < 2; i++)
		usleep_range(1000, 2000);
	near_expect(test, 0, 2);
	KUNIT_EXPECT_TRUE(test, near_got.sk[0]);
	KUNIT_EXPECT_FALSE(test, near_got.sk[1]);
}

static struct kunit_case near_cases[] = {
	KUNIT_CASE(near_threshold),
	KUNIT_CASE(near_order),
	KUNIT_CASE(near_alone),
	KUNIT_CASE(near_adapters),
	KUNIT_CASE(near_heard),
	KUNIT_CASE(near_unfit),
	KUNIT_CASE(near_moved),
	KUNIT_CASE(near_socket),
	{}
};

static struct kunit_suite near_suite = {
	.name = "vmq-rx-near",
	.test_cases = near_cases,
};

kunit_test_suites(&near_suite);

// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of extensions on real ports of a real adapter: what they see, frames of
 * their own, a lower MTU. Names in brackets are requirements.
 *
 * Two extensions, a on top and b behind it, write down what they see of frames of
 * the tests: letter, number of the port, > from its guest or < to it, the first byte
 * of the data, and ' where it has a tag. Of a save they write S and N, of its end C, or
 * c where it failed, when the NIC goes n, when the port does -.
 */
#include <linux/delay.h>
#include <linux/etherdevice.h>
#include <linux/rtnetlink.h>

#include "../policy.h"
#include "../vmq_priv.h"
#include "adapter_fixture.h"

#define TEST_PROTO	0x88b5		/* for experiments (IEEE 802) */
#define TEST_PORTS	3

struct test_inject_ext {
	struct vmq_ext_ops ops;
	char name[8];
	char letter;
	unsigned int mtu;
	int mtu_err;
};

struct test_inject {
	struct test_inject_ext ext[2];
	struct vmq_adapter *a;
	struct vmq_port *port[TEST_PORTS];
	spinlock_t lock;		/* log */
	char log[256];
	char mirror;			/* data that a has a changed copy sent for */
	int drop;			/* b drops what comes to this port, plus 1 */
	int drop_tx;			/* b drops what comes from this one, plus 1 */
	bool answers;			/* b answers what reaches a guest */
	int refused;			/* answers */
};

static struct test_inject *ti;

static unsigned int test_number(const struct vmq_ext_port *ep)
{
	unsigned int i;

	for (i = 0; i < TEST_PORTS; i++)
		if (ti->port[i]->dev == ep->dev)
			return i;
	return 9;
}

static struct test_inject_ext *test_ext(const struct vmq_ext_port *ep)
{
	return container_of(ep->ops, struct test_inject_ext, ops);
}

static void test_log(const struct vmq_ext_port *ep, const char *what)
{
	size_t len;

	spin_lock_bh(&ti->lock);
	len = strlen(ti->log);
	snprintf(ti->log + len, sizeof(ti->log) - len, "%s%c%u%s",
		 len ? " " : "", test_ext(ep)->letter, test_number(ep), what);
	spin_unlock_bh(&ti->lock);
}

static struct sk_buff *test_skb(const u8 *dst, const u8 *src, char data)
{
	struct sk_buff *skb = netdev_alloc_skb(NULL, 128);
	struct ethhdr *eth;

	if (!skb)
		return NULL;
	eth = skb_put_zero(skb, ETH_ZLEN);
	ether_addr_copy(eth->h_dest, dst);
	ether_addr_copy(eth->h_source, src);
	eth->h_proto = htons(TEST_PROTO);
	*(char *)(eth + 1) = data;
	return skb;
}

static struct vmq_ext_port *test_ep(unsigned int ext, unsigned int number)
{
	struct vmq_ext_port *ep;

	rtnl_lock();
	ep = vmq_ext_port_find(ti->port[number], ti->ext[ext].name);
	rtnl_unlock();
	return ep;
}

/* [X-39, O-43] a changed copy, sent on ingress */
static void test_mirror(struct vmq_ext_port *ep, const struct sk_buff *skb)
{
	struct sk_buff *copy = skb_copy(skb, GFP_ATOMIC);

	if (!copy)
		return;
	*(char *)copy->data = ti->mirror + 1;
	skb_push(copy, copy->data - skb_mac_header(copy));
	vmq_ext_inject(ep, copy, VMQ_SOURCE_PORT);
}

/* Answers what it sees, as two that answer each other would. */
static void test_answer(struct vmq_ext_port *ep, const struct sk_buff *skb)
{
	struct sk_buff *answer;

	answer = test_skb(eth_hdr(skb)->h_source, eth_hdr(skb)->h_dest,
			  *(char *)skb->data);
	if (answer && vmq_ext_inject(ep, answer, VMQ_SOURCE_EXT))
		ti->refused++;
}

static enum vmq_verdict test_frame(struct vmq_ext_port *ep, struct sk_buff *skb,
				   enum vmq_dir dir)
{
	struct test_inject_ext *x = test_ext(ep);
	char what[4] = { dir == VMQ_FROM_GUEST ? '>' : '<' };

	if (skb->protocol != htons(TEST_PROTO))
		return VMQ_PASS;
	what[1] = *(char *)skb->data;
	if (skb_vlan_tag_present(skb))
		what[2] = '\'';
	test_log(ep, what);
	if (x->letter == 'a' && dir == VMQ_FROM_GUEST && ti->mirror &&
	    *(char *)skb->data == ti->mirror)
		test_mirror(ep, skb);
	if (x->letter == 'b' && test_number(ep) + 1 ==
	    (dir == VMQ_TO_GUEST ? ti->drop : ti->drop_tx))
		return VMQ_DROP;
	if (x->letter == 'b' && dir == VMQ_TO_GUEST && ti->answers) {
		test_answer(ep, skb);
		return VMQ_DROP;
	}
	return VMQ_PASS;
}

static int test_nic_create(struct vmq_ext_port *ep,
			   struct netlink_ext_ack *extack)
{
	struct test_inject_ext *x = test_ext(ep);

	if (x->mtu)
		x->mtu_err = vmq_ext_limit_mtu(ep, x->mtu);
	return 0;
}

static void test_nic_delete(struct vmq_ext_port *ep)
{
	test_log(ep, "n");
}

static void test_detach(struct vmq_ext_port *ep)
{
	test_log(ep, "-");
}

static int test_save_begin(struct vmq_ext_port *ep,
			   struct netlink_ext_ack *extack)
{
	test_log(ep, "S");
	return 0;
}

static int test_save_next(struct vmq_ext_port *ep, struct vmq_record *rec)
{
	test_log(ep, "N");
	return 0;
}

static void test_save_complete(struct vmq_ext_port *ep, bool ok)
{
	test_log(ep, ok ? "C" : "c");
}

static size_t test_logged(void)
{
	size_t len;

	spin_lock_bh(&ti->lock);
	len = strlen(ti->log);
	spin_unlock_bh(&ti->lock);
	return len;
}

/* What they saw, once it is as much as that. */
static void test_expect(struct kunit *test, const char *log)
{
	int n;

	/* the host's stack gets frames by way of a work item */
	for (n = 0; n < 200 && test_logged() < strlen(log); n++)
		msleep(20);
	spin_lock_bh(&ti->lock);
	KUNIT_EXPECT_STREQ(test, ti->log, log);
	ti->log[0] = 0;
	spin_unlock_bh(&ti->lock);
}

static int test_send(unsigned int ext, unsigned int from, const u8 *dst,
		     const u8 *src, char data, enum vmq_source source)
{
	struct sk_buff *skb = test_skb(dst, src, data);

	return skb ? vmq_ext_inject(test_ep(ext, from), skb, source) : -ENOMEM;
}

#define MAC(n)	(ti->port[n]->dev->dev_addr)

static const u8 test_all[ETH_ALEN] = { 255, 255, 255, 255, 255, 255 };

/* What the guest of a port sends. */
static void test_guest_sends(struct kunit *test, unsigned int from,
			     const u8 *dst, char data)
{
	struct sk_buff *skb = test_skb(dst, MAC(from), data);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb->dev = ti->port[from]->dev;
	local_bh_disable();
	vmq_tx(ti->a, ti->port[from], skb);
	local_bh_enable();
}

/* By the switch: what nobody in the stack wants is dropped, too. */
static u64 test_dropped(unsigned int number, bool tx)
{
	struct vmq_port *port = ti->port[number];
	struct vmq_stats stats = {};

	vmq_port_sum(port, 0, port->dev->num_rx_queues, &stats);
	return tx ? stats.tx_drops : stats.rx_drops;
}

/* ---- what they see ---- */

/* the switch decides; a drop is that receiver's, counted */
static void vmq_ports_drops(struct kunit *test)
{
	u64 one = test_dropped(1, false), two = test_dropped(2, false);
	u64 tx = test_dropped(0, true);

	test_guest_sends(test, 0, MAC(2), 'u');
	test_expect(test, "a0>u b0>u b2<u a2<u");
	ti->drop = 2;
	test_guest_sends(test, 0, test_all, 'd');
	/* a is not asked after b dropped it, and the others have it all the same */
	test_expect(test, "a0>d b0>d b1<d b2<d a2<d");
	KUNIT_EXPECT_EQ(test, test_dropped(1, false), one + 1);
	KUNIT_EXPECT_EQ(test, test_dropped(2, false), two);
	ti->drop_tx = 1;
	test_guest_sends(test, 0, MAC(2), 't');
	test_expect(test, "a0>t b0>t");
	KUNIT_EXPECT_EQ(test, test_dropped(0, true), tx + 1);
}

static void test_vlan(struct kunit *test, unsigned int number, u16 vid,
		      bool trunk)
{
	struct vmq_policy *policy;

	policy = kunit_kzalloc(test, sizeof(*policy), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, policy);
	rtnl_lock();
	vmq_policy_get(ti->port[number], policy);
	policy->trunk = trunk;
	if (trunk)
		__set_bit(vid, policy->allowed);
	else
		policy->pvid = vid;
	KUNIT_EXPECT_EQ(test, vmq_policy_set(ti->port[number], policy, NULL), 0);
	rtnl_unlock();
}

/* VLANs are behind the extensions, and before them at the receiver */
static void vmq_ports_vlans(struct kunit *test)
{
	test_vlan(test, 0, 5, false);
	test_vlan(test, 1, 5, false);
	/* 2 has none, and gets none of it */
	test_guest_sends(test, 0, test_all, 'v');
	test_expect(test, "a0>v b0>v b1<v a1<v");
	/* one in a trunk has the tag, and so have its extensions */
	test_vlan(test, 2, 5, true);
	test_guest_sends(test, 0, MAC(2), 'w');
	test_expect(test, "a0>w b0>w b2<w' a2<w'");
}

static void test_up(struct kunit *test, unsigned int number, bool up)
{
	rtnl_lock();
	if (up)
		KUNIT_EXPECT_EQ(test, dev_open(ti->port[number]->dev, NULL), 0);
	else
		dev_close(ti->port[number]->dev);
	rtnl_unlock();
}

/* nothing is led to a port that is down; it is dropped, and counted */
static void vmq_ports_down(struct kunit *test)
{
	u64 dropped = test_dropped(1, false);
	int n;

	test_up(test, 1, false);
	test_guest_sends(test, 0, MAC(1), 'd');
	test_expect(test, "a0>d b0>d");
	for (n = 0; n < 200 && test_dropped(1, false) == dropped; n++)
		msleep(20);
	KUNIT_EXPECT_EQ(test, test_dropped(1, false), dropped + 1);
	test_up(test, 1, true);
	test_guest_sends(test, 0, MAC(1), 'e');
	test_expect(test, "a0>e b0>e b1<e a1<e");
}

static int test_enable(unsigned int i, bool on, struct netlink_ext_ack *extack)
{
	int err;

	rtnl_lock();
	err = vmq_ext_enable(ti->a, ti->ext[i].name, on, extack);
	rtnl_unlock();
	return err;
}

/* nothing restarts while a save runs; a port's end ends it first */
static void vmq_ports_end(struct kunit *test)
{
	struct vmq_port *port = ti->port[2];
	struct file *file;
	u32 last = 0;
	unsigned int i;
	LIST_HEAD(list);

	for (i = 0; i < TEST_PORTS; i++) {
		KUNIT_EXPECT_GT(test, ti->port[i]->id, last);
		last = ti->port[i]->id;
	}
	rtnl_lock();
	KUNIT_EXPECT_EQ(test, vmq_session_begin(port, false, &file, NULL), 0);
	rtnl_unlock();
	test_expect(test, "a2S b2S");
	KUNIT_EXPECT_EQ(test, test_enable(0, false, NULL), -EBUSY);
	test_expect(test, "");

	rtnl_lock();
	vmq_port_dellink(port->dev, &list);
	unregister_netdevice_many(&list);
	rtnl_unlock();
	test_expect(test, "a2c b2c b2n a2n b2- a2-");
	fput(file);
	test_expect(test, "");
	/* an id is not used again */
	port = fixture_port(test, ti->a, true);
	KUNIT_EXPECT_GT(test, port->id, last);
	ti->port[2] = port;
}

/* ---- frames of their own ---- */

/* in the port's name: behind the sender, and at the receiver */
static void vmq_inject_port(struct kunit *test)
{
	struct rtnl_link_stats64 before, after;

	dev_get_stats(ti->port[0]->dev, &before);
	KUNIT_EXPECT_EQ(test, test_send(0, 0, MAC(1), MAC(0), 'x',
					VMQ_SOURCE_PORT), 0);
	test_expect(test, "b0>x b1<x a1<x");
	KUNIT_EXPECT_EQ(test, test_send(1, 0, MAC(1), MAC(0), 'y',
					VMQ_SOURCE_PORT), 0);
	test_expect(test, "b1<y a1<y");
	dev_get_stats(ti->port[0]->dev, &after);
	KUNIT_EXPECT_EQ(test, after.tx_packets, before.tx_packets + 2);
	/* to all, but not back to the one that it is from */
	KUNIT_EXPECT_EQ(test, test_send(1, 0, test_all, MAC(0), 'z',
					VMQ_SOURCE_PORT), 0);
	test_expect(test, "b1<z a1<z b2<z a2<z");
}

/* in its own name: no port's policy, extensions or counters */
static void vmq_inject_trusted(struct kunit *test)
{
	static const u8 other[ETH_ALEN] = { 2, 9, 9, 9, 9, 9 };
	struct rtnl_link_stats64 before, after;
	struct vmq_policy *policy;
	int n;

	policy = kunit_kzalloc(test, sizeof(*policy), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, policy);
	rtnl_lock();
	vmq_policy_get(ti->port[0], policy);
	policy->spoofchk = true;
	KUNIT_EXPECT_EQ(test, vmq_policy_set(ti->port[0], policy, NULL), 0);
	rtnl_unlock();
	dev_get_stats(ti->port[0]->dev, &before);

	/* the guest's must have its address, as any frame of the guest */
	KUNIT_EXPECT_EQ(test, test_send(0, 0, MAC(1), other, 'p',
					VMQ_SOURCE_PORT), 0);
	dev_get_stats(ti->port[0]->dev, &after);
	KUNIT_EXPECT_EQ(test, after.tx_dropped, before.tx_dropped + 1);
	KUNIT_EXPECT_EQ(test, test_send(0, 0, MAC(1), other, 'q',
					VMQ_SOURCE_EXT), 0);
	test_expect(test, "b0>p b1<q a1<q");
	/* to the guest of the port itself: how else would it be answered */
	KUNIT_EXPECT_EQ(test, test_send(0, 0, MAC(0), other, 'r',
					VMQ_SOURCE_EXT), 0);
	test_expect(test, "b0<r a0<r");
	dev_get_stats(ti->port[0]->dev, &before);
	KUNIT_EXPECT_EQ(test, before.tx_packets, after.tx_packets);
	KUNIT_EXPECT_EQ(test, before.rx_packets, after.rx_packets + 1);
	/* to the host */
	dev_get_stats(ti->a->dev, &before);
	KUNIT_EXPECT_EQ(test, test_send(0, 0, ti->a->dev->dev_addr, other, 's',
					VMQ_SOURCE_EXT), 0);
	for (n = 0; n < 200; n++) {
		dev_get_stats(ti->a->dev, &after);
		if (after.rx_packets != before.rx_packets)
			break;
		msleep(20);
	}
	KUNIT_EXPECT_EQ(test, after.rx_packets, before.rx_packets + 1);
	/* which has no part in a private switch */
	WRITE_ONCE(ti->a->private, true);
	KUNIT_EXPECT_EQ(test, test_send(0, 0, ti->a->dev->dev_addr, other, 's',
					VMQ_SOURCE_EXT), 0);
	dev_get_stats(ti->a->dev, &before);
	KUNIT_EXPECT_EQ(test, before.tx_dropped, after.tx_dropped + 1);
}

/* [X-39, O-43] a changed copy enters on ingress, behind the one that made it */
static void vmq_inject_copy(struct kunit *test)
{
	ti->mirror = 'm';
	test_guest_sends(test, 0, MAC(1), 'm');
	/* the copy is sent while the original is with a */
	test_expect(test, "a0>m b0>n b0>m b1<n a1<n b1<m a1<m");
}

/* Frames that make frames come to an end; what is no frame is refused. */
static void vmq_inject_refused(struct kunit *test)
{
	struct rtnl_link_stats64 before, after;
	struct sk_buff *skb;
	unsigned int i;

	/* a guest's ring takes frames at once, so that the answers are nested */
	for (i = 0; i < 2; i++) {
		WRITE_ONCE(ti->port[i]->claimed, true);
		ti->port[i]->tap.numvtaps = 1;
	}
	ti->answers = true;
	KUNIT_EXPECT_EQ(test, test_send(0, 0, MAC(1), MAC(0), 'l',
					VMQ_SOURCE_EXT), 0);
	ti->answers = false;
	for (i = 0; i < 2; i++) {
		WRITE_ONCE(ti->port[i]->claimed, false);
		ti->port[i]->tap.numvtaps = 0;
	}
	test_expect(test, "b1<l b0<l b1<l b0<l");
	KUNIT_EXPECT_EQ(test, ti->refused, 1);

	skb = test_skb(MAC(1), MAC(0), 't');
	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_trim(skb, ETH_HLEN - 1);
	KUNIT_EXPECT_EQ(test, vmq_ext_inject(test_ep(0, 0), skb,
					     VMQ_SOURCE_PORT), -EINVAL);
	KUNIT_EXPECT_EQ(test, test_send(0, 0, MAC(1), MAC(0), 't', 7), -EINVAL);

	test_up(test, 0, false);
	dev_get_stats(ti->port[0]->dev, &before);
	KUNIT_EXPECT_EQ(test, test_send(1, 0, MAC(1), MAC(0), 'd',
					VMQ_SOURCE_PORT), 0);
	dev_get_stats(ti->port[0]->dev, &after);
	KUNIT_EXPECT_EQ(test, after.tx_dropped, before.tx_dropped + 1);
	test_expect(test, "");
}

static int test_mtu(struct vmq_port *port, int mtu)
{
	int err;

	rtnl_lock();
	err = dev_set_mtu(port->dev, mtu);
	rtnl_unlock();
	return err;
}

/* lower, never raise, and only of a NIC that is being made */
static void vmq_ports_mtu(struct kunit *test)
{
	struct netlink_ext_ack extack = {};
	struct vmq_port *port;

	KUNIT_EXPECT_EQ(test, ti->port[0]->dev->mtu, 1500);
	KUNIT_EXPECT_EQ(test, test_enable(0, false, NULL), 0);
	ti->ext[0].mtu = 1450;
	/* guests have these already */
	KUNIT_EXPECT_EQ(test, test_enable(0, true, &extack), -ERANGE);
	KUNIT_EXPECT_NOT_NULL(test, extack._msg);
	KUNIT_EXPECT_EQ(test, ti->port[0]->dev->mtu, 1500);
	KUNIT_EXPECT_EQ(test, ti->port[0]->dev->max_mtu, 1500);
	KUNIT_EXPECT_EQ(test, test_mtu(ti->port[0], 1400), 0);
	KUNIT_EXPECT_EQ(test, test_mtu(ti->port[1], 1450), 0);
	KUNIT_EXPECT_EQ(test, test_mtu(ti->port[2], 1450), 0);
	KUNIT_EXPECT_EQ(test, test_enable(0, true, NULL), 0);
	KUNIT_EXPECT_EQ(test, ti->port[0]->dev->mtu, 1400);
	/* from now on nobody gets more, whoever asks */
	KUNIT_EXPECT_EQ(test, test_mtu(ti->port[0], 1451), -EINVAL);
	KUNIT_EXPECT_EQ(test, test_mtu(ti->port[0], 1450), 0);
	port = fixture_port(test, ti->a, false);
	KUNIT_EXPECT_EQ(test, port->dev->mtu, 1450);
	KUNIT_EXPECT_EQ(test, port->dev->max_mtu, 1450);
	/* the adapter's own MTU changes, and its ports' does not go up */
	rtnl_lock();
	KUNIT_EXPECT_EQ(test, dev_set_mtu(ti->a->dev, 2000), 0);
	KUNIT_EXPECT_EQ(test, port->dev->max_mtu, 1450);
	KUNIT_EXPECT_EQ(test, dev_set_mtu(ti->a->dev, 1000), 0);
	KUNIT_EXPECT_EQ(test, port->dev->mtu, 1000);
	KUNIT_EXPECT_EQ(test, dev_set_mtu(ti->a->dev, 1500), 0);
	rtnl_unlock();
	/* the lowest of all counts, more is no limit, and less than that is none */
	KUNIT_EXPECT_EQ(test, test_enable(1, false, NULL), 0);
	ti->ext[1].mtu = 9000;
	KUNIT_EXPECT_EQ(test, test_enable(1, true, NULL), 0);
	KUNIT_EXPECT_EQ(test, port->dev->max_mtu, 1450);
	KUNIT_EXPECT_EQ(test, test_enable(0, false, NULL), 0);
	KUNIT_EXPECT_EQ(test, port->dev->max_mtu, 1500);
	ti->ext[0].mtu = 20;
	KUNIT_EXPECT_EQ(test, test_enable(0, true, NULL), 0);
	KUNIT_EXPECT_EQ(test, ti->ext[0].mtu_err, -ERANGE);
	KUNIT_EXPECT_EQ(test, port->dev->max_mtu, 1500);
}

static int vmq_ports_init(struct kunit *test)
{
	struct test_inject_ext *x;
	unsigned int i;
	int err = 0;

	ti = kunit_kzalloc(test, sizeof(*ti), GFP_KERNEL);
	if (!ti)
		return -ENOMEM;
	spin_lock_init(&ti->lock);
	ti->a = fixture_adapter(test);
	for (i = 0; i < TEST_PORTS; i++)
		ti->port[i] = fixture_port(test, ti->a, true);
	/* the one registered last is on top */
	for (i = ARRAY_SIZE(ti->ext); i-- && !err;) {
		x = &ti->ext[i];
		x->letter = 'a' + i;
		snprintf(x->name, sizeof(x->name), "test-%c", x->letter);
		x->ops.name = x->name;
		x->ops.uuid.b[3] = 0x40 + i;
		x->ops.class = VMQ_EXT_CLASS_FILTER;
		x->ops.frame = test_frame;
		x->ops.nic_create = test_nic_create;
		x->ops.nic_delete = test_nic_delete;
		x->ops.detach = test_detach;
		x->ops.save_begin = test_save_begin;
		x->ops.save_next = test_save_next;
		x->ops.save_complete = test_save_complete;
		err = vmq_ext_register(&x->ops) ?:
		      test_enable(i, true, NULL);
	}
	return err;
}

static void vmq_ports_exit(struct kunit *test)
{
	unsigned int i;

	for (i = 0; ti && i < ARRAY_SIZE(ti->ext); i++)
		if (ti->ext[i].ops.name)
			vmq_ext_unregister(&ti->ext[i].ops);
}

static struct kunit_case vmq_ports_cases[] = {
	KUNIT_CASE(vmq_ports_drops),
	KUNIT_CASE(vmq_ports_vlans),
	KUNIT_CASE(vmq_ports_down),
	KUNIT_CASE(vmq_ports_end),
	KUNIT_CASE(vmq_inject_port),
	KUNIT_CASE(vmq_inject_trusted),
	KUNIT_CASE(vmq_inject_copy),
	KUNIT_CASE(vmq_inject_refused),
	KUNIT_CASE(vmq_ports_mtu),
	{}
};

static struct kunit_suite vmq_ports_suite = {
	.name = "vmq-ext-ports",
	.init = vmq_ports_init,
	.exit = vmq_ports_exit,
	.test_cases = vmq_ports_cases,
};

kunit_test_suites(&vmq_ports_suite);

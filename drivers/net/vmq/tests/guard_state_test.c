// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the extension guard: save, restore, dump, and all of it at once.
 */
#include <linux/delay.h>
#include <linux/kthread.h>

#include "ext_stream.h"
#include "guard_test.h"

#define HDR	sizeof(struct vmq_guard_rec_hdr)
#define ENTRY	sizeof(struct vmq_guard_rec_binding)

static struct vmq_guard_rec_binding *entry(struct stream *s, unsigned int rec,
					   unsigned int i)
{
	return s->rec[rec].data + HDR + i * ENTRY;
}

/* A record of a lease to start from. */
static struct vmq_guard_rec_binding *stream_one(struct kunit *test,
						struct stream *s, u8 host)
{
	struct vmq_guard_rec_binding *e;
	struct vmq_guard_rec_hdr *hdr;
	__be32 addr = ip4(host);

	s->rec[s->n] = (struct vmq_record){
		.version = VMQ_GUARD_REC_VERSION_BINDINGS,
		.size = HDR + ENTRY,
		.data = kunit_kzalloc(test, HDR + ENTRY, GFP_KERNEL),
	};
	KUNIT_ASSERT_NOT_NULL(test, s->rec[s->n].data);
	hdr = s->rec[s->n].data;
	hdr->entry_size = cpu_to_le16(ENTRY);
	hdr->kind = cpu_to_le16(VMQ_GUARD_REC_BINDINGS);
	hdr->count = cpu_to_le32(1);
	e = entry(s, s->n, 0);
	e->family = VMQ_GUARD_REC_IPV4;
	e->prefix_len = 32;
	e->origin = VMQ_GUARD_REC_DHCP4;
	e->lease_ms = cpu_to_le64(600000);
	put_mac(e->mac, GUEST);
	memcpy(e->addr, &addr, 4);
	s->n++;
	return e;
}

static void put_dad(struct kunit *test, u8 host)
{
	run(test, OUT, frame_nd(test, NDISC_NEIGHBOUR_SOLICITATION, ip6(0),
				link_local(host), 0));
}

/* ---- save and restore ---- */

static void guard_trip_test(struct kunit *test)
{
	struct vmq_ext_port *from = test->priv, *to = port_new(test);
	struct stream *s = stream_new(test), *again = stream_new(test);
	unsigned int i;

	/* Nothing to save. */
	save(test, from, s, 4096);
	KUNIT_EXPECT_EQ(test, 0, s->n);
	KUNIT_EXPECT_EQ(test, 0, restore(test, to, s));

	add4(test, 50, 32, 0, 0);
	lease4(test, 5, 1000);
	lease4(test, 6, GUARD_LEASE_FOREVER);
	lease4(test, 7, 1);
	put_dad(test, 1);
	age(test, 1500);
	put_dad(test, 2);

	/* Static, expired and undecided ones do not move. */
	save(test, from, s, 0);
	KUNIT_ASSERT_EQ(test, 2, s->n);
	KUNIT_EXPECT_EQ(test, 2, s->asked);
	KUNIT_EXPECT_EQ(test, HDR + 3 * ENTRY, s->rec[0].size);
	KUNIT_EXPECT_EQ(test, VMQ_GUARD_REC_VERSION_BINDINGS,
			s->rec[0].version);
	KUNIT_EXPECT_EQ(test, 0, s->rec[0].flags);
	KUNIT_EXPECT_EQ(test, VMQ_GUARD_REC_VERSION_TRANSACTIONS,
			s->rec[1].version);
	KUNIT_EXPECT_EQ(test, VMQ_RECORD_OPTIONAL, s->rec[1].flags);
	KUNIT_EXPECT_LE(test, le64_to_cpu(entry(s, 0, 0)->lease_ms), 998500);
	KUNIT_EXPECT_GT(test, le64_to_cpu(entry(s, 0, 0)->lease_ms), 900000);
	KUNIT_EXPECT_EQ(test, VMQ_GUARD_REC_FOREVER,
			le64_to_cpu(entry(s, 0, 1)->lease_ms));

	/* On the other host it is guarded before and after. */
	test->priv = to;
	checks(test, GUARD_CHECKS_ALL);
	DROPPED_AS(GUARD_DROP_IPV4, data4(test, 5));
	KUNIT_EXPECT_EQ(test, 0, restore(test, to, s));
	PASSES(data4(test, 5));
	PASSES(data4(test, 6));
	PASSES(frame_udp6(test, link_local(1), ip6(SERVER), 1, 2, "x", 1));
	DROPPED_AS(GUARD_DROP_IPV4, data4(test, 7));
	DROPPED_AS(GUARD_DROP_IPV4, data4(test, 50));
	DROPPED_AS(GUARD_DROP_IPV6, frame_udp6(test, link_local(2),
					       ip6(SERVER), 1, 2, "x", 1));
	KUNIT_EXPECT_TRUE(test, find4(test, 5)->restored);

	/* The question that was asked there is answered here. */
	run(test, IN, dhcp_in(test, dhcp_ack(test, 7, 8, 1000)));
	PASSES(data4(test, 8));
	config_flag(test, VMQ_A_GUARD_FLUSH_LEARNED);

	/* Data of the older version alone, as an older module wrote it. */
	s->n = 1;
	KUNIT_EXPECT_EQ(test, 0, restore(test, to, s));
	PASSES(data4(test, 5));

	/* The same comes out again; a little time has passed. */
	save(test, to, again, 4096);
	KUNIT_ASSERT_EQ(test, 2, again->n);
	KUNIT_EXPECT_EQ(test, s->rec[0].size, again->rec[0].size);
	for (i = 0; i < 3; i++) {
		struct vmq_guard_rec_binding *a = entry(s, 0, i);
		struct vmq_guard_rec_binding *b = entry(again, 0, i);

		/* rounded up to a jiffy each time, 10 ms at most */
		KUNIT_EXPECT_LE(test, le64_to_cpu(b->lease_ms) - 10,
				le64_to_cpu(a->lease_ms));
		b->lease_ms = a->lease_ms;
		KUNIT_EXPECT_MEMEQ(test, a, b, ENTRY);
	}
	check_tables(test);
	port_free(to);
	test->priv = from;
}

static void guard_split_test(struct kunit *test)
{
	struct vmq_ext_port *from = test->priv, *to = port_new(test);
	struct guard_port *guard = port(test);
	struct stream *s = stream_new(test);
	unsigned int i, n = 0;
	struct guard_binding *b, *old;
	struct guard_key key;
	u8 mac[ETH_ALEN];

	config_u32(test, VMQ_A_GUARD_MAX_BINDINGS, GUARD_BINDINGS_MAX);
	put_mac(mac, GUEST);
	for (i = 0; i < GUARD_BINDINGS_MAX; i++) {
		guard_key_ip4(&key, htonl(0x0a010000 + i), 32, 0);
		b = guard_binding_new(&key, VMQ_GUARD_ORIGIN_DHCP4, mac,
				      GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, b);
		spin_lock_bh(&guard->lock);
		KUNIT_EXPECT_EQ(test, 0, guard_learn(guard, b, &old));
		spin_unlock_bh(&guard->lock);
	}
	save(test, from, s, 4096);
	for (i = 0; i < s->n; i++)
		n += guard_rec_count(s->rec[i].data);
	KUNIT_EXPECT_EQ(test, GUARD_BINDINGS_MAX, n);
	KUNIT_EXPECT_GT(test, s->n, 2);

	/* As many as there is room for, and not one more. */
	test->priv = to;
	config_u32(test, VMQ_A_GUARD_MAX_BINDINGS, GUARD_BINDINGS_MAX - 1);
	KUNIT_EXPECT_EQ(test, -ENOSPC, restore(test, to, s));
	KUNIT_EXPECT_EQ(test, 0, port(test)->n);
	config_u32(test, VMQ_A_GUARD_MAX_BINDINGS, GUARD_BINDINGS_MAX);
	KUNIT_EXPECT_EQ(test, 0, restore(test, to, s));
	KUNIT_EXPECT_EQ(test, GUARD_BINDINGS_MAX, port(test)->n);
	/* Again into what is there: each takes the place of its own. */
	KUNIT_EXPECT_EQ(test, 0, restore(test, to, s));
	KUNIT_EXPECT_EQ(test, GUARD_BINDINGS_MAX, port(test)->n);
	check_tables(test);
	port_free(to);
	test->priv = from;
}

static void guard_rollback_test(struct kunit *test)
{
	struct vmq_ext_port *ep = test->priv;
	struct stream *s = stream_new(test);
	struct vmq_guard_rec_binding *e;
	struct in6_addr dad = link_local(99);
	struct guard_binding *mine;
	struct dhcp *d;
	u8 i;

	add4(test, 20, 32, 0, 0);
	lease4(test, 5, 1000);
	mine = find4(test, 5);
	for (i = 0; i < GUARD_DAD_MAX; i++)
		put_dad(test, i + 1);
	age(test, 1000);

	stream_one(test, s, 5);
	stream_one(test, s, 5);
	stream_one(test, s, 6);
	stream_one(test, s, 20);
	stream_one(test, s, 7);
	e = stream_one(test, s, 0);
	e->family = VMQ_GUARD_REC_IPV6;
	e->prefix_len = 128;
	e->origin = VMQ_GUARD_REC_DAD;
	memcpy(e->addr, &dad, sizeof(dad));

	KUNIT_ASSERT_EQ(test, 0, restore_begin(test, ep, s));
	KUNIT_ASSERT_EQ(test, 0, apply(ep, s));
	KUNIT_EXPECT_PTR_NE(test, mine, find4(test, 5));
	KUNIT_EXPECT_EQ(test, VMQ_GUARD_ORIGIN_STATIC, find4(test, 20)->origin);
	KUNIT_EXPECT_NULL(test, find6(test, link_local(1), 128));
	/* Meanwhile the guest gives one back, and gets another. */
	d = dhcp_new(test, GUARD_BOOTREQUEST, GUARD_DHCP4_RELEASE, 1);
	memcpy(d->data + 12, &(__be32){ ip4(7) }, 4);
	PASSES(frame_udp4(test, ip4(7), ip4(SERVER), 68, 67, d->data, d->len));
	lease4(test, 8, 1000);
	check_tables(test);
	rollback(ep);

	KUNIT_EXPECT_PTR_EQ(test, mine, find4(test, 5));
	KUNIT_EXPECT_NULL(test, find4(test, 6));
	KUNIT_EXPECT_NULL(test, find4(test, 7));
	KUNIT_EXPECT_NOT_NULL(test, find4(test, 8));
	KUNIT_EXPECT_NOT_NULL(test, find6(test, link_local(1), 128));
	KUNIT_EXPECT_NULL(test, find6(test, link_local(99), 128));
	KUNIT_EXPECT_EQ(test, 3, port(test)->n);
	KUNIT_EXPECT_EQ(test, GUARD_DAD_MAX, port(test)->n_dad);
}

/* Whatever allocation fails, the record that it was for leaves no trace. */
static void guard_apply_fails_test(struct kunit *test)
{
	struct vmq_ext_port *ep = test->priv;
	struct stream *s = stream_new(test);
	struct netlink_ext_ack extack = {};
	int err = -ENOMEM, n;
	bool hit = false;

	stream_one(test, s, 5);
	stream_one(test, s, 6);
	for (n = 1; err; n++) {
		err = 0;
		KUNIT_ASSERT_EQ(test, 0, restore_begin(test, ep, s));
		rtnl_lock();
		KUNIT_EXPECT_EQ(test, 0, guard_ops.apply(ep, &s->rec[0],
							 &extack));
		fail_at(n);
		err = guard_ops.apply(ep, &s->rec[1], &extack);
		hit = failed();
		rtnl_unlock();
		if (!err) {
			guard_ops.restore_complete(ep, true);
			break;
		}
		KUNIT_EXPECT_TRUE(test, hit);
		KUNIT_EXPECT_EQ(test, -ENOMEM, err);
		KUNIT_EXPECT_NOT_NULL(test, extack._msg);
		KUNIT_EXPECT_NULL(test, find4(test, 6));
		rollback(ep);
		KUNIT_EXPECT_EQ(test, 0, port(test)->n);
		KUNIT_ASSERT_LT(test, n, 20);
	}
	KUNIT_EXPECT_EQ(test, 2, port(test)->n);
	if (n == 1)
		kunit_skip(test, "needs failslab with ignore-gfp-wait off");
}

/* A lease runs on while its stream waits for the commit. */
static void guard_wait_test(struct kunit *test)
{
	struct vmq_ext_port *ep = test->priv;
	struct stream *s = stream_new(test);
	u64 begun;

	stream_one(test, s, 5);
	KUNIT_ASSERT_EQ(test, 0, restore_begin(test, ep, s));
	begun = get_jiffies_64();
	msleep(100);
	KUNIT_ASSERT_EQ(test, 0, apply(ep, s));
	guard_ops.restore_complete(ep, true);
	KUNIT_EXPECT_LE(test, find4(test, 5)->expires, begun + 600ULL * HZ);
	KUNIT_EXPECT_EQ(test, port(test)->due, find4(test, 5)->expires);
}

/* ---- hostile records ---- */

static void guard_hostile_test(struct kunit *test)
{
	static const struct {
		u8 at, value;
	} wrong[] = {
		/* header: entry size, kind, count */
		{ 0, 32 }, { 0, 41 }, { 1, 5 }, { 2, 0 }, { 2, 2 }, { 2, 3 },
		{ 4, 0 }, { 4, 2 }, { 7, 1 },
		/* family, prefix, origin, reserved, VLAN, MAC, reserved */
		{ 8, 6 }, { 8, 0 }, { 9, 0 }, { 9, 33 }, { 9, 31 }, { 10, 0 },
		{ 10, 2 }, { 10, 3 }, { 10, 4 }, { 11, 1 }, { 13, 0x10 },
		{ 14, 1 }, { 20, 1 }, { 23, 1 },
		/* lease out of range, address of nobody, bits behind it */
		{ 31, 1 }, { 32, 0 }, { 32, 127 }, { 32, 224 }, { 36, 1 },
		{ 47, 1 },
	};
	struct vmq_ext_port *ep = test->priv;
	struct stream *s = stream_new(test);
	struct vmq_record *rec = &s->rec[0];
	struct vmq_guard_rec_binding *e;
	unsigned int i;
	u8 *data, old;

	e = stream_one(test, s, 5);
	data = rec->data;
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		old = data[wrong[i].at];
		data[wrong[i].at] = wrong[i].value;
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL, restore(test, ep, s),
				    "byte %u is %u", wrong[i].at,
				    wrong[i].value);
		data[wrong[i].at] = old;
	}
	e->lease_ms = 0;
	KUNIT_EXPECT_EQ(test, -EINVAL, restore(test, ep, s));
	e->lease_ms = cpu_to_le64(1);
	memset(e->mac, 0, 6);
	KUNIT_EXPECT_EQ(test, -EINVAL, restore(test, ep, s));
	put_mac(e->mac, GUEST);
	rec->version = 3;
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, restore(test, ep, s));
	rec->version = 2;
	KUNIT_EXPECT_EQ(test, -EINVAL, restore(test, ep, s));
	rec->version = 1;
	rec->class.b[3] = 1;
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, restore(test, ep, s));
	rec->class.b[3] = 0;
	for (rec->size = 0; rec->size < HDR + ENTRY; rec->size++)
		KUNIT_EXPECT_EQ(test, -EINVAL, restore(test, ep, s));
	KUNIT_EXPECT_EQ(test, 0, port(test)->n);
	KUNIT_EXPECT_EQ(test, 0, restore(test, ep, s));
	KUNIT_EXPECT_EQ(test, 1, port(test)->n);
}

/* A later minor revision has longer entries. */
static void guard_longer_test(struct kunit *test)
{
	struct vmq_ext_port *ep = test->priv;
	struct stream *s = stream_new(test);
	struct vmq_guard_rec_hdr *hdr;
	u8 *data;

	stream_one(test, s, 5);
	data = kunit_kzalloc(test, HDR + 2 * (ENTRY + 8), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, data);
	memcpy(data, s->rec[0].data, HDR + ENTRY);
	memcpy(data + HDR + ENTRY + 8, entry(s, 0, 0), ENTRY);
	data[HDR + ENTRY] = 77;
	data[HDR + ENTRY + 8 + 27] = 6;
	hdr = (struct vmq_guard_rec_hdr *)data;
	hdr->entry_size = cpu_to_le16(ENTRY + 8);
	hdr->count = cpu_to_le32(2);
	s->rec[0].data = data;
	s->rec[0].size = HDR + 2 * (ENTRY + 8);
	KUNIT_EXPECT_EQ(test, 0, restore(test, ep, s));
	KUNIT_EXPECT_NOT_NULL(test, find4(test, 5));
	KUNIT_EXPECT_NOT_NULL(test, find4(test, 6));
}

/* ---- dump ---- */

static unsigned int dump(struct kunit *test, unsigned int room)
{
	unsigned long cursor = 0;
	unsigned int n = 0;
	struct nlattr *attr;
	struct sk_buff *msg;
	int err, rem;

	do {
		msg = alloc_skb(room, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, msg);
		/* alloc_skb() rounds up */
		skb_reserve(msg, skb_tailroom(msg) - room);
		rtnl_lock();
		err = guard_ops.config_dump(test->priv, msg, &cursor);
		rtnl_unlock();
		nla_for_each_attr(attr, (struct nlattr *)msg->data, msg->len,
				  rem)
			n += nla_type(attr) == VMQ_A_GUARD_BINDING;
		kfree_skb(msg);
	} while (err == -EMSGSIZE && n < 1000);
	KUNIT_EXPECT_EQ(test, 0, err);
	return n;
}

static void guard_dump_test(struct kunit *test)
{
	u8 i;

	KUNIT_EXPECT_EQ(test, 0, dump(test, 4096));
	for (i = 1; i <= 40; i++)
		lease4(test, i, i == 7 ? 60 : 1000);
	KUNIT_EXPECT_EQ(test, 40, dump(test, 8192));
	KUNIT_EXPECT_EQ(test, 40, dump(test, 512));
	age(test, 61000);
	KUNIT_EXPECT_EQ(test, 39, dump(test, 512));
}

/* ---- all of it at once ---- */

struct churn {
	struct kunit *test;
	struct frame *frame[6];
	bool stop;
};

static int churn_frames(void *arg)
{
	struct churn *churn = arg;
	unsigned int i;

	while (!READ_ONCE(churn->stop)) {
		for (i = 0; i < ARRAY_SIZE(churn->frame); i++)
			run(churn->test, i == 1 ? IN : OUT, churn->frame[i]);
		cond_resched();
	}
	while (!kthread_should_stop())
		msleep(20);
	return 0;
}

static void guard_churn_test(struct kunit *test)
{
	unsigned long end = jiffies + 2 * HZ;
	struct vmq_ext_port *ep = test->priv;
	struct stream *s = stream_new(test), *saved = stream_new(test);
	struct churn churn[2] = {};
	struct task_struct *task[2];
	unsigned int i, rounds = 0;
	struct dhcp *d;

	for (i = 0; i < 6; i++)
		stream_one(test, s, 4 + i / 2);
	for (i = 0; i < ARRAY_SIZE(churn); i++) {
		d = dhcp_new(test, GUARD_BOOTREQUEST, GUARD_DHCP4_REQUEST, 5);
		churn[i].test = test;
		churn[i].frame[0] = dhcp_out(test, d);
		churn[i].frame[1] = dhcp_in(test, dhcp_ack(test, 5, 5, 600));
		churn[i].frame[2] = data4(test, 5);
		churn[i].frame[3] = frame_nd(test,
					     NDISC_NEIGHBOUR_SOLICITATION,
					     ip6(0), link_local(i + 1), 0);
		d = dhcp_new(test, GUARD_BOOTREQUEST, GUARD_DHCP4_DECLINE, 1);
		dhcp_option32(d, 50, 0x0a000005);
		churn[i].frame[4] = dhcp_out(test, d);
		churn[i].frame[5] = data6(test, OTHER);
		task[i] = kthread_run(churn_frames, &churn[i], "guard_churn%u",
				      i);
		KUNIT_ASSERT_FALSE(test, IS_ERR(task[i]));
	}

	while (time_before(jiffies, end)) {
		rounds++;
		KUNIT_ASSERT_EQ(test, 0, restore_begin(test, ep, s));
		apply(ep, s);
		if (rounds & 1)
			rollback(ep);
		else
			guard_ops.restore_complete(ep, true);
		if (rounds % 3 == 0)
			config_flag(test, VMQ_A_GUARD_FLUSH_LEARNED);
		if (rounds % 5 == 0) {
			add4(test, 5, 32, 0, 0);
			config_flag(test, VMQ_A_GUARD_FLUSH_STATIC);
		}
		if (rounds % 7 == 0)
			save(test, ep, saved, 4096);
		age(test, 1000);
		dump(test, 4096);
		cond_resched();
	}
	for (i = 0; i < ARRAY_SIZE(churn); i++) {
		WRITE_ONCE(churn[i].stop, true);
		kthread_stop(task[i]);
	}
	kunit_info(test, "%u rounds, %llu frames passed, %llu learned", rounds,
		   counted(test, GUARD_PASSED), counted(test, GUARD_LEARNED));
}

static struct kunit_case guard_state_cases[] = {
	KUNIT_CASE(guard_trip_test),
	KUNIT_CASE_SLOW(guard_split_test),
	KUNIT_CASE(guard_rollback_test),
	KUNIT_CASE(guard_apply_fails_test),
	KUNIT_CASE(guard_wait_test),
	KUNIT_CASE(guard_hostile_test),
	KUNIT_CASE(guard_longer_test),
	KUNIT_CASE(guard_dump_test),
	KUNIT_CASE_SLOW(guard_churn_test),
	{}
};

static struct kunit_suite guard_state_suite = {
	.name = "vmq_guard_state",
	.init = guard_test_init,
	.exit = guard_test_exit,
	.test_cases = guard_state_cases,
};

kunit_test_suites(&guard_state_suite);

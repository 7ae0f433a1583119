// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the extension guard: DHCP messages, and what is learned from them.
 */
#include <linux/prandom.h>

#include "guard_test.h"

/* ---- reading DHCP ---- */

/* Reads a copy of the very size, for KASAN. */
static int parse4(struct kunit *test, const u8 *data, unsigned int len,
		  struct guard_dhcp4 *msg)
{
	u8 *copy = kmalloc(len ?: 1, GFP_KERNEL);
	int err;

	KUNIT_ASSERT_NOT_NULL(test, copy);
	memcpy(copy, data, len);
	err = guard_dhcp4_parse(copy, len, msg);
	kfree(copy);
	return err;
}

static int parse6(struct kunit *test, const u8 *data, unsigned int len,
		  struct guard_dhcp6 *msg)
{
	u8 *copy = kmalloc(len ?: 1, GFP_KERNEL);
	int err;

	KUNIT_ASSERT_NOT_NULL(test, copy);
	memcpy(copy, data, len);
	err = guard_dhcp6_parse(copy, len, msg);
	kfree(copy);
	return err;
}

static void guard_dhcp4_read_test(struct kunit *test)
{
	struct dhcp *d = dhcp_ack(test, 0x12345678, 5, 600);
	struct guard_dhcp4 msg;
	unsigned int len;

	KUNIT_ASSERT_EQ(test, 0, parse4(test, d->data, d->len, &msg));
	KUNIT_EXPECT_EQ(test, GUARD_BOOTREPLY, msg.op);
	KUNIT_EXPECT_EQ(test, GUARD_DHCP4_ACK, msg.type);
	KUNIT_EXPECT_EQ(test, 0x12345678, msg.xid);
	KUNIT_EXPECT_EQ(test, 600, msg.lease);
	KUNIT_EXPECT_EQ(test, 5, msg.yiaddr[3]);
	KUNIT_EXPECT_EQ(test, GUEST, msg.chaddr[5]);

	/* BOOTP is no DHCP; shorter is nothing. */
	for (len = 0; len < d->len; len++) {
		int err = parse4(test, d->data, len, &msg);

		if (len < 236 || len == 241 || len == 242 ||
		    (len > 243 && len < 249))
			KUNIT_EXPECT_EQ_MSG(test, -EINVAL, err, "%u", len);
		else
			KUNIT_EXPECT_EQ_MSG(test, 0, err, "%u", len);
		if (!err && len < 243)
			KUNIT_EXPECT_EQ(test, 0, msg.type);
	}
	d->data[1] = 6;
	KUNIT_EXPECT_EQ(test, -EINVAL, parse4(test, d->data, d->len, &msg));
	d->data[1] = 1;
	d->data[2] = 16;
	KUNIT_EXPECT_EQ(test, -EINVAL, parse4(test, d->data, d->len, &msg));
	d->data[2] = 6;
	d->data[0] = 3;
	KUNIT_EXPECT_EQ(test, -EINVAL, parse4(test, d->data, d->len, &msg));
}

static const struct option_case {
	const char *name;
	u8 len;
	u8 data[12];
	int err;
	u32 lease;
} option_cases[] = {
	{ "padding", 9, { 0, 0, 51, 4, 0, 0, 1, 0, 255 }, 0, 256 },
	{ "no end", 6, { 51, 4, 0, 0, 1, 0 }, 0, 256 },
	{ "behind the end", 7, { 255, 51, 4, 0, 0, 1, 0 }, 0, 0 },
	{ "lease of 3 bytes", 5, { 51, 3, 0, 0, 1 }, -EINVAL },
	{ "lease of 5 bytes", 7, { 51, 5, 0, 0, 1, 0, 0 }, -EINVAL },
	{ "lease of no byte", 2, { 51, 0 }, -EINVAL },
	{ "two leases", 12, { 51, 4, 0, 0, 1, 0, 51, 4, 0, 0, 1, 0 },
	  -EINVAL },
	{ "two types", 3, { 53, 1, 2 }, -EINVAL },
	{ "longer than the message", 3, { 12, 255, 0 }, -EINVAL },
	{ "no length", 1, { 12 }, -EINVAL },
	{ "overload 0", 3, { 52, 1, 0 }, -EINVAL },
	{ "overload 4", 3, { 52, 1, 4 }, -EINVAL },
	{ "overload of 2 bytes", 4, { 52, 2, 1, 1 }, -EINVAL },
	{ "requested of 16 bytes", 3, { 50, 16, 1 }, -EINVAL },
	{ "another option, empty", 2, { 80, 0 }, 0, 0 },
};

static void option_case_name(const struct option_case *c, char *name)
{
	strscpy(name, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(option_case, option_cases, option_case_name);

static void guard_dhcp4_option_test(struct kunit *test)
{
	const struct option_case *c = test->param_value;
	struct dhcp *d = dhcp_new(test, GUARD_BOOTREPLY, GUARD_DHCP4_ACK, 1);
	struct guard_dhcp4 msg;

	memcpy(d->data + d->len, c->data, c->len);
	d->len += c->len;
	KUNIT_EXPECT_EQ(test, c->err, parse4(test, d->data, d->len, &msg));
	if (!c->err)
		KUNIT_EXPECT_EQ(test, c->lease, msg.lease);
}

/* Options in the fields for names, as option 52 allows. */
static void guard_dhcp4_overload_test(struct kunit *test)
{
	static const u8 lease[] = { 51, 4, 0, 0, 1, 0, 255 };
	struct guard_dhcp4 msg;
	struct dhcp *d;
	u8 where;
	u8 asked;

	for (where = 1; where <= 2; where++) {
		for (asked = 1; asked <= 3; asked++) {
			d = dhcp_new(test, GUARD_BOOTREPLY, GUARD_DHCP4_ACK, 1);
			dhcp_option(d, 52, 1, &asked);
			memcpy(d->data + (where == 1 ? 108 : 44), lease,
			       sizeof(lease));
			KUNIT_EXPECT_EQ(test, 0, parse4(test, d->data, d->len,
							&msg));
			KUNIT_EXPECT_EQ(test, asked & where ? 256 : 0,
					msg.lease);
		}
	}
	/* Once in its own place and once there, and an overload in there. */
	dhcp_option32(d, 51, 1);
	KUNIT_EXPECT_EQ(test, -EINVAL, parse4(test, d->data, d->len, &msg));
	d = dhcp_new(test, GUARD_BOOTREPLY, GUARD_DHCP4_ACK, 1);
	where = 1;
	dhcp_option(d, 52, 1, &where);
	memcpy(d->data + 108, (u8 []){ 52, 1, 2 }, 3);
	KUNIT_EXPECT_EQ(test, -EINVAL, parse4(test, d->data, d->len, &msg));
	/* An option that does not end in the field it is in. */
	memset(d->data + 108, 0, 128);
	d->data[234] = 12;
	d->data[235] = 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, parse4(test, d->data, d->len, &msg));
}

/* ---- reading DHCPv6 ---- */

static void put16(struct dhcp *d, u16 value)
{
	d->data[d->len++] = value >> 8;
	d->data[d->len++] = value;
}

static void put32(struct dhcp *d, u32 value)
{
	put16(d, value >> 16);
	put16(d, value);
}

static void put_status(struct dhcp *d, u16 status)
{
	put16(d, 13);
	put16(d, 2);
	put16(d, status);
}

/* An address in an association, with statuses on all levels that are not -1. */
static void put_ia(struct dhcp *d, struct in6_addr addr, u32 preferred,
		   u32 valid, int ia_status, int addr_status)
{
	unsigned int n = 28 + (addr_status >= 0 ? 6 : 0);

	put16(d, 3);
	put16(d, 12 + n + (ia_status >= 0 ? 6 : 0));
	d->len += 12;
	put16(d, 5);
	put16(d, n - 4);
	memcpy(d->data + d->len, &addr, 16);
	d->len += 16;
	put32(d, preferred);
	put32(d, valid);
	if (addr_status >= 0)
		put_status(d, addr_status);
	if (ia_status >= 0)
		put_status(d, ia_status);
}

static void put_pd(struct dhcp *d, struct in6_addr prefix, u8 len, u32 valid)
{
	put16(d, 25);
	put16(d, 12 + 29);
	d->len += 12;
	put16(d, 26);
	put16(d, 25);
	put32(d, valid);
	put32(d, valid);
	d->data[d->len++] = len;
	memcpy(d->data + d->len, &prefix, 16);
	d->len += 16;
}

static struct dhcp *dhcp6_new(struct kunit *test, u8 type, u32 xid)
{
	struct dhcp *d = kunit_kzalloc(test, sizeof(*d), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, d);
	put32(d, type << 24 | xid);
	return d;
}

static void guard_dhcp6_read_test(struct kunit *test)
{
	struct guard_dhcp6 *msg = kunit_kzalloc(test, sizeof(*msg), GFP_KERNEL);
	struct dhcp *d = dhcp6_new(test, GUARD_DHCP6_REPLY, 0x123456);
	unsigned int len, good = 0;

	put_ia(d, ip6(5), 100, 200, 0, 0);
	put_ia(d, ip6(6), 300, 200, -1, -1);
	put_ia(d, ip6(7), 100, 200, 2, -1);
	put_ia(d, ip6(8), 100, 200, -1, 4);
	put_pd(d, ip6(0x45), 122, 400);
	KUNIT_ASSERT_EQ(test, 0, parse6(test, d->data, d->len, msg));
	KUNIT_EXPECT_EQ(test, GUARD_DHCP6_REPLY, msg->type);
	KUNIT_EXPECT_EQ(test, 0x123456, msg->xid);
	KUNIT_EXPECT_EQ(test, 2, msg->n);
	KUNIT_EXPECT_EQ(test, 5, msg->addr[0].addr[15]);
	KUNIT_EXPECT_EQ(test, 200, msg->addr[0].valid);
	KUNIT_EXPECT_EQ(test, 128, msg->addr[0].len);
	/* what is behind the prefix is not of it */
	KUNIT_EXPECT_EQ(test, 0x40, msg->addr[1].addr[15]);
	KUNIT_EXPECT_EQ(test, 122, msg->addr[1].len);
	KUNIT_EXPECT_EQ(test, 400, msg->addr[1].valid);

	/* Cut between options it is a message, elsewhere not. */
	for (len = 0; len < d->len; len++)
		good += !parse6(test, d->data, len, msg);
	KUNIT_EXPECT_EQ(test, 5, good);

	/* A failure of all of it, more than fit, and prefixes of no length. */
	put_status(d, 1);
	KUNIT_ASSERT_EQ(test, 0, parse6(test, d->data, d->len, msg));
	KUNIT_EXPECT_EQ(test, 0, msg->n);
	d = dhcp6_new(test, GUARD_DHCP6_REPLY, 1);
	for (len = 0; len < GUARD_DHCP6_ADDRS + 1; len++)
		put_ia(d, ip6(len + 1), 1, 1, -1, -1);
	KUNIT_ASSERT_EQ(test, 0, parse6(test, d->data, d->len, msg));
	KUNIT_EXPECT_EQ(test, GUARD_DHCP6_ADDRS, msg->n);
	KUNIT_EXPECT_TRUE(test, msg->more);
	for (len = 0; len <= 129; len += 129) {
		d = dhcp6_new(test, GUARD_DHCP6_REPLY, 1);
		put_pd(d, ip6(1), len, 5);
		KUNIT_EXPECT_EQ(test, -EINVAL, parse6(test, d->data, d->len,
						      msg));
	}
	KUNIT_EXPECT_EQ(test, -EINVAL, parse6(test, "\0\0\0\1", 4, msg));
	KUNIT_EXPECT_EQ(test, 0, parse6(test, "\x0c\0\0\1", 4, msg));
}

/* Damaged messages: inside of what is there, and no sense made of nonsense. */
static void guard_dhcp_fuzz_test(struct kunit *test)
{
	unsigned int i, n, len;
	unsigned int rounds = IS_ENABLED(CONFIG_KASAN) ? 20000 : 200000;
	struct guard_dhcp6 *msg6 = kunit_kzalloc(test, sizeof(*msg6),
						 GFP_KERNEL);
	struct dhcp *good = dhcp_ack(test, 1, 5, 600);
	struct dhcp *good6 = dhcp6_new(test, GUARD_DHCP6_REPLY, 5);
	struct dhcp *d = dhcp6_new(test, 1, 1);
	unsigned int read = 0, read6 = 0;
	struct guard_dhcp4 msg;
	struct rnd_state rnd;

	put_ia(good6, ip6(5), 100, 200, 0, 0);
	put_pd(good6, ip6(0x45), 122, 400);
	prandom_seed_state(&rnd, 1);
	for (i = 0; i < rounds; i++) {
		*d = i & 1 ? *good : *good6;
		if (i & 1)
			/* the header is not where the options are */
			for (n = prandom_u32_state(&rnd) % 4; n; n--)
				d->data[240 + prandom_u32_state(&rnd) %
					(d->len - 240)] =
					prandom_u32_state(&rnd);
		for (n = prandom_u32_state(&rnd) % 4; n; n--)
			d->data[prandom_u32_state(&rnd) % d->len] =
				prandom_u32_state(&rnd) >>
				(prandom_u32_state(&rnd) & 31);
		len = d->len;
		if (!(prandom_u32_state(&rnd) % 4))
			len = prandom_u32_state(&rnd) % (len + 1);
		read += !parse4(test, d->data, len, &msg);
		if (parse6(test, d->data, len, msg6))
			continue;
		read6++;
		KUNIT_ASSERT_LE(test, msg6->n, GUARD_DHCP6_ADDRS);
		for (n = 0; n < msg6->n; n++)
			KUNIT_ASSERT_TRUE(test, msg6->addr[n].len &&
					  msg6->addr[n].len <= 128);
	}
	KUNIT_EXPECT_GT(test, read, rounds / 20);
	KUNIT_EXPECT_GT(test, read6, rounds / 20);
}

/* ---- what is learned ---- */

static void guard_learn_test(struct kunit *test)
{
	struct dhcp *d;
	u64 left;

	lease4(test, 5, 600);
	KUNIT_ASSERT_NOT_NULL(test, find4(test, 5));
	PASSES(data4(test, 5));
	KUNIT_EXPECT_EQ(test, VMQ_GUARD_ORIGIN_DHCP4, find4(test, 5)->origin);
	KUNIT_EXPECT_EQ(test, GUEST, find4(test, 5)->mac[5]);
	left = find4(test, 5)->expires - get_jiffies_64();
	KUNIT_EXPECT_LE(test, left, 600ULL * HZ);
	KUNIT_EXPECT_GT(test, left, 500ULL * HZ);

	/* Renewed: one binding, another end. */
	age(test, 300000);
	lease4(test, 5, 900);
	KUNIT_EXPECT_EQ(test, 1, port(test)->n);
	left = find4(test, 5)->expires - get_jiffies_64();
	KUNIT_EXPECT_GT(test, left, 800ULL * HZ);
	KUNIT_EXPECT_EQ(test, 2, counted(test, GUARD_LEARNED));

	/* Over: not allowed any more, and then not there. */
	age(test, 890000);
	PASSES(data4(test, 5));
	age(test, 11000);
	DROPPED_AS(GUARD_DROP_IPV4, data4(test, 5));
	guard_expire_work(&port(test)->work.work);
	KUNIT_EXPECT_NULL(test, find4(test, 5));

	/* A lease without an end. */
	lease4(test, 6, GUARD_LEASE_FOREVER);
	age(test, 1000000);
	PASSES(data4(test, 6));
	guard_expire_work(&port(test)->work.work);
	KUNIT_EXPECT_NOT_NULL(test, find4(test, 6));

	/* Released from that address, declined, refused. */
	d = dhcp_new(test, GUARD_BOOTREQUEST, GUARD_DHCP4_RELEASE, 1);
	memcpy(d->data + 12, &(__be32){ ip4(6) }, 4);
	PASSES(frame_udp4(test, ip4(6), ip4(SERVER), 68, 67, d->data, d->len));
	KUNIT_EXPECT_EQ(test, 0, port(test)->n);
	lease4(test, 7, 1000);
	d = dhcp_new(test, GUARD_BOOTREQUEST, GUARD_DHCP4_DECLINE, 1);
	dhcp_option32(d, 50, 0x0a000007);
	PASSES(dhcp_out(test, d));
	KUNIT_EXPECT_EQ(test, 0, port(test)->n);
	lease4(test, 8, 1000);
	d = dhcp_new(test, GUARD_BOOTREPLY, GUARD_DHCP4_NAK, 8);
	run(test, IN, dhcp_in(test, d));
	KUNIT_EXPECT_EQ(test, 0, port(test)->n);
}

/* Nobody but a server that the guest asked gives it an address, or takes it. */
static void guard_unasked_test(struct kunit *test)
{
	struct dhcp *d = dhcp_ack(test, 5, 5, 600);
	struct frame *f = dhcp_in(test, d);
	__be32 relay = ip4(SERVER);
	struct dhcp *nak;
	unsigned int i;

	run(test, IN, f);
	KUNIT_EXPECT_EQ(test, 0, port(test)->n);
	lease4(test, 99, 600);
	KUNIT_EXPECT_EQ(test, 1, port(test)->n);

	/* Another number, VLAN, client; from the guest; too late. */
	d = dhcp_new(test, GUARD_BOOTREQUEST, GUARD_DHCP4_REQUEST, 5);
	run(test, OUT, dhcp_out(test, d));
	run(test, IN, dhcp_in(test, dhcp_ack(test, 6, 5, 600)));
	f->vlan = 7;
	run(test, IN, f);
	f->vlan = 0;
	d = dhcp_ack(test, 5, 5, 600);
	put_mac(d->data + 28, OTHER);
	run(test, IN, dhcp_in(test, d));
	f->sender = GUEST;
	DROPPED_AS(GUARD_DROP_DHCP_SERVER, f);
	nak = dhcp_new(test, GUARD_BOOTREPLY, GUARD_DHCP4_NAK, 77);
	run(test, IN, dhcp_in(test, nak));
	KUNIT_EXPECT_EQ(test, 1, port(test)->n);
	/* An address that nobody can have, a lease of nothing. */
	run(test, IN, dhcp_in(test, dhcp_ack(test, 5, 5, 0)));
	d = dhcp_ack(test, 5, 5, 600);
	d->data[16] = 224;
	run(test, IN, dhcp_in(test, d));
	KUNIT_EXPECT_EQ(test, 1, port(test)->n);
	KUNIT_EXPECT_EQ(test, 2, counted(test, GUARD_NOT_LEARNED));
	age(test, GUARD_WAIT * 1000 + 1000);
	run(test, IN, f);
	KUNIT_EXPECT_NULL(test, find4(test, 5));

	/* Through a relay is as good. */
	d = dhcp_new(test, GUARD_BOOTREQUEST, GUARD_DHCP4_REQUEST, 5);
	run(test, OUT, dhcp_out(test, d));
	d = dhcp_ack(test, 5, 5, 600);
	memcpy(d->data + 24, &relay, 4);
	run(test, IN, dhcp_in(test, d));
	KUNIT_EXPECT_NOT_NULL(test, find4(test, 5));

	/* The guest is neither another client nor a relay. */
	d = dhcp_new(test, GUARD_BOOTREQUEST, GUARD_DHCP4_DISCOVER, 5);
	put_mac(d->data + 28, OTHER);
	DROPPED_AS(GUARD_DROP_MAC, dhcp_out(test, d));
	put_mac(d->data + 28, GUEST);
	memcpy(d->data + 24, &relay, 4);
	DROPPED_AS(GUARD_DROP_DHCP_SERVER, dhcp_out(test, d));
	d->len = 100;
	DROPPED_AS(GUARD_DROP_MALFORMED, dhcp_out(test, d));

	/* However many it asks, the last ones are answered. */
	for (i = 0; i < 3 * GUARD_TRANSACTIONS; i++) {
		d = dhcp_new(test, GUARD_BOOTREQUEST, GUARD_DHCP4_REQUEST,
			     1000 + i);
		run(test, OUT, dhcp_out(test, d));
		age(test, 100);
	}
	run(test, IN, dhcp_in(test, dhcp_ack(test, 1000, 31, 600)));
	run(test, IN, dhcp_in(test, dhcp_ack(test, 1000 + i - 1, 32, 600)));
	KUNIT_EXPECT_NULL(test, find4(test, 31));
	KUNIT_EXPECT_NOT_NULL(test, find4(test, 32));
}

static struct frame *dhcp6_out(struct kunit *test, const struct dhcp *d)
{
	return frame_udp6(test, eui64(GUEST), ip6(SERVER), 546, 547, d->data,
			  d->len);
}

static struct frame *dhcp6_in(struct kunit *test, const struct dhcp *d)
{
	return frame_udp6(test, ip6(SERVER), eui64(GUEST), 547, 546, d->data,
			  d->len);
}

static void guard_learn6_test(struct kunit *test)
{
	struct dhcp *reply = dhcp6_new(test, GUARD_DHCP6_REPLY, 9);
	struct in6_addr net = ip6(0x40);
	struct dhcp *d;
	u8 type;

	put_ia(reply, ip6(5), 100, 200, -1, -1);
	put_ia(reply, link_local(5), 100, 200, -1, -1);
	put_pd(reply, net, 122, 400);
	run(test, IN, dhcp6_in(test, reply));
	KUNIT_EXPECT_EQ(test, 0, port(test)->n);
	PASSES(dhcp6_out(test, dhcp6_new(test, GUARD_DHCP6_REQUEST, 9)));
	run(test, IN, dhcp6_in(test, reply));
	KUNIT_EXPECT_EQ(test, 2, port(test)->n);
	KUNIT_EXPECT_EQ(test, 1, counted(test, GUARD_NOT_LEARNED));
	PASSES(data6(test, 5));
	PASSES(data6(test, 0x7f));
	PASSES(frame_nd(test, NDISC_NEIGHBOUR_SOLICITATION, ip6(0), ip6(5),
			0));
	KUNIT_EXPECT_NOT_NULL(test, find6(test, net, 122));
	age(test, 201000);
	DROPPED_AS(GUARD_DROP_IPV6, data6(test, 5));
	PASSES(data6(test, 0x7f));

	/* Given back, and taken. */
	PASSES(dhcp6_out(test, dhcp6_new(test, GUARD_DHCP6_RENEW, 9)));
	run(test, IN, dhcp6_in(test, reply));
	PASSES(data6(test, 5));
	d = dhcp6_new(test, GUARD_DHCP6_RELEASE, 10);
	put_ia(d, ip6(5), 0, 0, -1, -1);
	PASSES(dhcp6_out(test, d));
	DROPPED_AS(GUARD_DROP_IPV6, data6(test, 5));
	d = dhcp6_new(test, GUARD_DHCP6_REPLY, 9);
	put_pd(d, net, 122, 0);
	run(test, IN, dhcp6_in(test, d));
	KUNIT_EXPECT_NULL(test, find6(test, net, 122));

	for (type = 1; type < 14; type++) {
		bool server = type == GUARD_DHCP6_ADVERTISE ||
			      type == GUARD_DHCP6_REPLY ||
			      type == GUARD_DHCP6_RECONFIGURE ||
			      type >= GUARD_DHCP6_RELAY_FORW;

		d = dhcp6_new(test, type, 1);
		KUNIT_EXPECT_EQ_MSG(test, !server,
				    run(test, OUT, dhcp6_out(test, d)),
				    "type %u", type);
	}
}

static void guard_limit_test(struct kunit *test)
{
	unsigned int i;

	KUNIT_ASSERT_EQ(test, 0,
			config_u32(test, VMQ_A_GUARD_MAX_BINDINGS, 10));
	for (i = 1; i <= 20; i++)
		lease4(test, i, 1000);
	KUNIT_EXPECT_EQ(test, 10, port(test)->n);
	KUNIT_EXPECT_EQ(test, 10, counted(test, GUARD_NOT_LEARNED));
	KUNIT_EXPECT_EQ(test, -ENOSPC, add4(test, 30, 32, 0, 0));
	/* What is there is renewed, and may become static. */
	lease4(test, 3, 5000);
	KUNIT_EXPECT_EQ(test, 11, counted(test, GUARD_LEARNED));
	KUNIT_EXPECT_EQ(test, 0, add4(test, 3, 32, 0, 0));
	/* Less than there are: they stay, others do not come. */
	KUNIT_EXPECT_EQ(test, 0, config_u32(test, VMQ_A_GUARD_MAX_BINDINGS, 2));
	KUNIT_EXPECT_EQ(test, 10, port(test)->n);
	config_u8(test, VMQ_A_GUARD_SNOOP, 0);
	lease4(test, 3, 1000);
	config_flag(test, VMQ_A_GUARD_FLUSH_LEARNED);
	KUNIT_EXPECT_EQ(test, 1, port(test)->n);
	lease4(test, 4, 1000);
	KUNIT_EXPECT_NULL(test, find4(test, 4));
	config_u8(test, VMQ_A_GUARD_SNOOP, 1);
	lease4(test, 4, 1000);
	KUNIT_EXPECT_NOT_NULL(test, find4(test, 4));
}

static struct kunit_case guard_dhcp_cases[] = {
	KUNIT_CASE(guard_dhcp4_read_test),
	KUNIT_CASE_PARAM(guard_dhcp4_option_test, option_case_gen_params),
	KUNIT_CASE(guard_dhcp4_overload_test),
	KUNIT_CASE(guard_dhcp6_read_test),
	KUNIT_CASE_SLOW(guard_dhcp_fuzz_test),
	KUNIT_CASE(guard_learn_test),
	KUNIT_CASE(guard_unasked_test),
	KUNIT_CASE(guard_learn6_test),
	KUNIT_CASE(guard_limit_test),
	{}
};

static struct kunit_suite guard_dhcp_suite = {
	.name = "vmq_guard_dhcp",
	.init = guard_test_init,
	.exit = guard_test_exit,
	.test_cases = guard_dhcp_cases,
};

kunit_test_suites(&guard_dhcp_suite);

// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the extension acl: save, restore, dump, and all of it at once.
 */
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/random.h>

#include "acl_test.h"

#define BUF	VMQ_RECORD_DATA_MAX
#define HDR	sizeof(struct vmq_acl_rec_hdr)
#define ENTRY	sizeof(struct vmq_acl_rec_conn)

/* ---- a stream, as the core would keep it ---- */

struct stream {
	struct vmq_record rec[80];
	unsigned int n;
	unsigned int asked;	/* times that more room was asked for */
};

static struct stream *stream_new(struct kunit *test)
{
	struct stream *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	return s;
}

/* Offers @room bytes for each record, and as much as was asked for then. */
static void save(struct kunit *test, struct vmq_ext_port *ep, struct stream *s,
		 unsigned int room)
{
	struct vmq_record *rec;
	int len;

	KUNIT_ASSERT_EQ(test, 0, acl_ops.save_begin(ep, NULL));
	for (s->n = 0; s->n < ARRAY_SIZE(s->rec); s->n++) {
		rec = &s->rec[s->n];
		memset(rec, 0, sizeof(*rec));
		rec->size = room;
		/* Of the very size, for KASAN. */
		rec->data = kunit_kmalloc(test, room ?: 1, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, rec->data);
		len = acl_ops.save_next(ep, rec);
		if (len == -EMSGSIZE) {
			KUNIT_ASSERT_GT(test, rec->needed, room);
			KUNIT_ASSERT_LE(test, rec->needed, BUF);
			s->asked++;
			rec->size = rec->needed;
			rec->data = kunit_kmalloc(test, rec->size, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, rec->data);
			len = acl_ops.save_next(ep, rec);
		}
		KUNIT_ASSERT_GE(test, len, 0);
		KUNIT_ASSERT_LE(test, len, rec->size);
		rec->size = len;
		if (!len)
			break;
	}
	acl_ops.save_complete(ep, true);
}

static int restore_begin(struct kunit *test, struct vmq_ext_port *ep,
			 struct stream *s)
{
	struct netlink_ext_ack extack = {};
	unsigned int i;
	int err = 0;

	KUNIT_ASSERT_EQ(test, 0, acl_ops.restore_begin(ep, NULL));
	for (i = 0; !err && i < s->n; i++)
		err = acl_ops.validate(ep, &s->rec[i], &extack);
	if (err)
		KUNIT_EXPECT_NOT_NULL(test, extack._msg);

	return err;
}

static int apply(struct vmq_ext_port *ep, struct stream *s)
{
	struct netlink_ext_ack extack = {};
	unsigned int i;
	int err = 0;

	rtnl_lock();
	for (i = 0; !err && i < s->n; i++)
		err = acl_ops.apply(ep, &s->rec[i], &extack);
	rtnl_unlock();

	return err;
}

static int restore(struct kunit *test, struct vmq_ext_port *ep,
		   struct stream *s)
{
	int err = restore_begin(test, ep, s) ?: apply(ep, s);

	acl_ops.restore_complete(ep, !err);
	KUNIT_EXPECT_NULL(test, ep->session);

	return err;
}

static struct vmq_acl_rec_conn *entry(struct stream *s, unsigned int rec,
				      unsigned int i)
{
	return s->rec[rec].data + HDR + i * ENTRY;
}

/* A record of one connection to start from: established TCP of the guest. */
static void stream_one(struct kunit *test, struct stream *s)
{
	struct vmq_acl_rec_hdr *hdr;
	struct vmq_acl_rec_conn *e;

	s->rec[s->n] = (struct vmq_record){
		.version = VMQ_ACL_REC_VERSION,
		.size = HDR + ENTRY,
		.data = kunit_kzalloc(test, HDR + ENTRY, GFP_KERNEL),
	};
	KUNIT_ASSERT_NOT_NULL(test, s->rec[s->n].data);
	hdr = s->rec[s->n].data;
	hdr->entry_size = cpu_to_le16(ENTRY);
	hdr->count = cpu_to_le32(1);
	e = entry(s, s->n, 0);
	e->family = VMQ_ACL_REC_IPV4;
	e->proto = IPPROTO_TCP;
	e->state = VMQ_ACL_ESTABLISHED;
	e->direction = OUT;
	e->local_port = cpu_to_le16(1000);
	e->remote_port = cpu_to_le16(80);
	e->timeout_ms = cpu_to_le32(100000);
	memcpy(e->local, "\x0a\0\0\x02", 4);
	memcpy(e->remote, "\x0a\0\0\x09", 4);
	e->packets_in = cpu_to_le64(1000);
	s->n++;
}

/* ---- save and restore ---- */

static const struct frame all[] = {
	{ 4, TCP(1, 80, SYN) },
	{ 4, UDP(2, 53) },
	{ 4, PING(3) },
	{ 6, TCP(4, 80, SYN) },
	{ 6, UDP(5, 53), .vlan = 4094 },
	{ PING6(6) },
};

static void acl_trip_test(struct kunit *test)
{
	struct vmq_ext_port *from = test->priv, *to = port_new(test);
	struct stream *s = stream_new(test), *again = stream_new(test);
	unsigned int i;

	/* Nothing to save. */
	save(test, from, s, 4096);
	KUNIT_EXPECT_EQ(test, 0, s->n);
	KUNIT_EXPECT_EQ(test, 0, restore(test, to, s));

	client_rules(test);
	for (i = 0; i < ARRAY_SIZE(all); i++)
		KUNIT_EXPECT_TRUE(test, run(test, OUT, &all[i]));
	PASSES(OUT, TCP(1000, 80, SYN));
	PASSES(IN, TCP(1000, 80, SYN | ACK));
	PASSES(OUT, TCP(1000, 80, ACK));
	PASSES(OUT, TCP(1001, 80, SYN));
	PASSES(IN, TCP(1001, 80, SYN | ACK | FIN));

	/* Too little room for one, for all, and just enough. */
	save(test, from, s, 0);
	KUNIT_EXPECT_EQ(test, 1, s->n);
	KUNIT_EXPECT_EQ(test, 1, s->asked);
	KUNIT_EXPECT_EQ(test, HDR + 8 * ENTRY, s->rec[0].size);
	save(test, from, again, HDR + ENTRY);
	KUNIT_EXPECT_EQ(test, 1, again->asked);
	again->asked = 0;
	save(test, from, again, HDR + 8 * ENTRY);
	KUNIT_EXPECT_EQ(test, 0, again->asked);

	/* On the other host nothing is allowed in, nor anything out. */
	test->priv = to;
	ADD(.dir = IN);
	ADD(.dir = OUT);
	DROPPED(OUT, TCP(1000, 80, ACK));
	KUNIT_EXPECT_EQ(test, 0, restore(test, to, s));
	KUNIT_EXPECT_EQ(test, 8, conns(test));

	/* The same comes out again; a little time has passed. */
	save(test, to, again, 4096);
	KUNIT_EXPECT_EQ(test, 1, again->n);
	KUNIT_EXPECT_EQ(test, s->rec[0].size, again->rec[0].size);
	for (i = 0; i < 8; i++) {
		struct vmq_acl_rec_conn *a = entry(s, 0, i);
		struct vmq_acl_rec_conn *b = entry(again, 0, i);

		KUNIT_EXPECT_LE(test, le32_to_cpu(b->timeout_ms),
				le32_to_cpu(a->timeout_ms));
		KUNIT_EXPECT_GT(test, le32_to_cpu(b->timeout_ms) + 5000,
				le32_to_cpu(a->timeout_ms));
		a->timeout_ms = b->timeout_ms;
		KUNIT_EXPECT_MEMEQ(test, a, b, ENTRY);
	}

	PASSES(OUT, TCP(1000, 80, ACK));
	PASSES(IN, TCP(1000, 80, ACK));
	DROPPED(IN, TCP(1000, 81, ACK));
	PASSES(IN, UDP(2, 53));
	PASSES(IN, PONG(3));
	DROPPED(IN, PING(3));
	PASSES(IN, .family = 6, UDP(5, 53), .vlan = 4094);
	DROPPED(IN, .family = 6, UDP(5, 53), .vlan = 4093);
	PASSES(IN, PONG6(6));

	acl_ops.detach(to);
	test->priv = from;
}

static void acl_split_test(struct kunit *test)
{
	struct vmq_ext_port *from = test->priv, *to = port_new(test);
	struct frame f = { 4, UDP(0, 53) };
	struct stream *s = stream_new(test);
	unsigned int i, passed = 0;

	client_rules(test);
	for (i = 1; i <= 3000; i++) {
		f.lport = i;
		passed += run(test, OUT, &f);
	}
	KUNIT_EXPECT_EQ(test, 3000, passed);

	save(test, from, s, 4096);
	KUNIT_EXPECT_EQ(test, 3, s->n);
	KUNIT_EXPECT_EQ(test, 3, s->asked);
	KUNIT_EXPECT_EQ(test, 0, restore(test, to, s));

	/* Twice: each takes the place of itself, no room is needed. */
	test->priv = to;
	KUNIT_EXPECT_EQ(test, 0,
			config_u32(test, VMQ_A_ACL_MAX_CONNECTIONS, 3000));
	KUNIT_EXPECT_EQ(test, 0, restore(test, to, s));
	KUNIT_EXPECT_EQ(test, 3000, conns(test));
	ADD(.dir = IN);
	for (i = 1, passed = 0; i <= 3000; i++) {
		f.lport = i;
		passed += run(test, IN, &f);
	}
	KUNIT_EXPECT_EQ(test, 3000, passed);

	/* Not all of them fit: nothing of it is done. */
	config_flag(test, VMQ_A_ACL_FLUSH_CONNECTIONS);
	KUNIT_EXPECT_EQ(test, 0,
			config_u32(test, VMQ_A_ACL_MAX_CONNECTIONS, 2999));
	KUNIT_EXPECT_EQ(test, -ENOSPC, restore(test, to, s));
	KUNIT_EXPECT_EQ(test, 0, conns(test));

	acl_ops.detach(to);
	test->priv = from;
}

/* Frames take the last room between validate and apply. */
static void acl_squeeze_test(struct kunit *test)
{
	struct vmq_ext_port *ep = test->priv;
	struct stream *s = stream_new(test);
	unsigned int i;

	client_rules(test);
	for (i = 0; i < 4; i++) {
		stream_one(test, s);
		entry(s, i, 0)->local_port = cpu_to_le16(i);
	}
	config_u32(test, VMQ_A_ACL_MAX_CONNECTIONS, 4);
	KUNIT_EXPECT_EQ(test, 0, restore_begin(test, ep, s));
	PASSES(OUT, UDP(1, 53));
	KUNIT_EXPECT_EQ(test, 0, apply(ep, s));
	KUNIT_EXPECT_EQ(test, 4, conns(test));
	acl_ops.restore_complete(ep, true);
	KUNIT_EXPECT_EQ(test, 4, conns(test));
	PASSES(IN, TCP(2, 80, ACK));
	DROPPED(IN, TCP(3, 80, ACK));
}

/* ---- hostile records ---- */

static int try_record(struct kunit *test, struct stream *s)
{
	struct vmq_ext_port *ep = test->priv;
	int err = restore(test, ep, s);

	if (err)
		KUNIT_EXPECT_EQ(test, 0, conns(test));
	config_flag(test, VMQ_A_ACL_FLUSH_CONNECTIONS);

	return err;
}

static void acl_hostile_test(struct kunit *test)
{
	struct stream *s = stream_new(test);
	struct vmq_acl_rec_conn *e;
	struct vmq_acl_rec_hdr *hdr;
	unsigned int i, refused = 0;
	u8 *data, *big;

	stream_one(test, s);
	data = s->rec[0].data;
	hdr = s->rec[0].data;
	e = entry(s, 0, 0);
	KUNIT_EXPECT_EQ(test, 0, try_record(test, s));

	/* Every bit and every byte. */
	for (i = 0; i < (HDR + ENTRY) * 9; i++) {
		u8 flip = i % 9 == 8 ? 0xff : 1 << (i % 9);
		struct vmq_record old = s->rec[0];
		int err;

		data[i / 9] ^= flip;
		err = try_record(test, s);
		refused += !!err;
		/* No byte of the header has any other value that is right. */
		if (i / 9 < HDR)
			KUNIT_EXPECT_EQ_MSG(test, -EINVAL, err, "bit %u", i);
		data[i / 9] ^= flip;
		s->rec[0] = old;
	}
	KUNIT_EXPECT_GT(test, refused, HDR * 9);

	/* Every length; exactly as much memory, for KASAN. */
	for (i = 0; i < HDR + ENTRY; i++) {
		u8 *part = kmemdup(data, i ?: 1, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, part);
		s->rec[0].size = i;
		s->rec[0].data = part;
		KUNIT_EXPECT_EQ(test, -EINVAL, try_record(test, s));
		kfree(part);
	}
	s->rec[0].data = data;
	s->rec[0].size = HDR + ENTRY;

#define BAD(field, value)						\
	do {								\
		typeof(field) *at = &(field);				\
		typeof(field) saved = *at;				\
									\
		*at = value;						\
		KUNIT_EXPECT_EQ(test, -EINVAL, try_record(test, s));	\
		*at = saved;						\
	} while (0)

	BAD(hdr->count, 0);
	BAD(hdr->count, cpu_to_le32(2));
	BAD(hdr->count, cpu_to_le32(0x04000001));	/* times 64: 32 bits over */
	BAD(hdr->entry_size, cpu_to_le16(ENTRY - 8));
	BAD(hdr->entry_size, 0);
	BAD(hdr->reserved, cpu_to_le16(1));
	BAD(e->family, 2);
	BAD(e->proto, IPPROTO_SCTP);
	BAD(e->proto, IPPROTO_UDP);		/* cannot be established */
	BAD(e->proto, IPPROTO_ICMPV6);
	BAD(e->state, 0);
	BAD(e->state, VMQ_ACL_REPLIED);
	BAD(e->state, VMQ_ACL_STATES);
	BAD(e->direction, 2);
	BAD(e->vlan, cpu_to_le16(4096));
	BAD(e->flags, cpu_to_le16(4));
	BAD(e->timeout_ms, 0);
	BAD(e->timeout_ms, cpu_to_le32(VMQ_ACL_REC_TIMEOUT_MAX + 1));
	BAD(e->local[4], 1);
	BAD(e->remote[15], 1);

	e->proto = IPPROTO_ICMP;
	e->state = VMQ_ACL_NEW;
	KUNIT_EXPECT_EQ(test, -EINVAL, try_record(test, s));
	e->local_port = e->remote_port;
	KUNIT_EXPECT_EQ(test, 0, try_record(test, s));
	BAD(e->flags, cpu_to_le16(1));

	s->rec[0].version = 2;
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, try_record(test, s));
	s->rec[0].version = 1;
	s->rec[0].class.b[3] = 1;
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, try_record(test, s));
	s->rec[0].class.b[3] = 0;

	/* A minor revision with larger entries, at an odd address. */
	big = kunit_kzalloc(test, HDR + 2 * (ENTRY + 8) + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, big);
	hdr->entry_size = cpu_to_le16(ENTRY + 8);
	hdr->count = cpu_to_le32(2);
	memcpy(big + 1, hdr, HDR);
	memcpy(big + 1 + HDR, e, ENTRY);
	memset(big + 1 + HDR + ENTRY, 0xee, 8);
	e->vlan = cpu_to_le16(5);
	memcpy(big + 1 + HDR + ENTRY + 8, e, ENTRY);
	s->rec[0].data = big + 1;
	s->rec[0].size = HDR + 2 * (ENTRY + 8);
	KUNIT_EXPECT_EQ(test, 0, restore(test, test->priv, s));
	KUNIT_EXPECT_EQ(test, 2, conns(test));
}

/* Apply is not fooled by what nobody validated. */
static void acl_apply_test(struct kunit *test)
{
	struct vmq_ext_port *ep = test->priv;
	struct stream *s = stream_new(test);

	stream_one(test, s);
	stream_one(test, s);
	entry(s, 0, 0)->vlan = cpu_to_le16(1);
	entry(s, 1, 0)->direction = 7;
	KUNIT_EXPECT_EQ(test, 0, acl_ops.restore_begin(ep, NULL));
	KUNIT_EXPECT_EQ(test, -EINVAL, apply(ep, s));
	KUNIT_EXPECT_EQ(test, 1, conns(test));
	/* Even if the core did not ask for a rollback. */
	acl_ops.restore_complete(ep, false);
	KUNIT_EXPECT_EQ(test, 0, conns(test));
}

/* ---- rollback ---- */

static void acl_rollback_test(struct kunit *test)
{
	struct vmq_ext_port *ep = test->priv;
	struct stream *s = stream_new(test);
	struct acl_conn *conn;

	client_rules(test);
	PASSES(OUT, TCP(1000, 80, SYN));
	conn = the_conn(test);

	/* The same tuple twice, and one that is new. */
	stream_one(test, s);
	stream_one(test, s);
	stream_one(test, s);
	entry(s, 1, 0)->state = VMQ_ACL_CLOSING;
	entry(s, 1, 0)->flags = cpu_to_le16(VMQ_ACL_REC_FLAGS);
	entry(s, 2, 0)->local_port = cpu_to_le16(1001);

	KUNIT_EXPECT_EQ(test, 0, restore_begin(test, ep, s));
	KUNIT_EXPECT_EQ(test, 0, apply(ep, s));
	KUNIT_EXPECT_EQ(test, 2, conns(test));
	PASSES(IN, TCP(1001, 80, ACK));
	/* What expires in between is not taken away from under the session. */
	age(test, 100000);
	collect(test);
	KUNIT_EXPECT_EQ(test, 2, conns(test));
	/* A flow of its own stays. */
	PASSES(OUT, UDP(1, 53));
	rtnl_lock();
	acl_ops.rollback(ep);
	rtnl_unlock();
	KUNIT_EXPECT_EQ(test, 2, conns(test));
	acl_ops.restore_complete(ep, false);
	PASSES(IN, UDP(1, 53));
	DROPPED(IN, TCP(1001, 80, ACK));
	KUNIT_EXPECT_EQ(test, VMQ_ACL_NEW, conn->state);
	PASSES(IN, TCP(1000, 80, SYN | ACK));
	KUNIT_EXPECT_EQ(test, VMQ_ACL_SYN_ACK, conn->state);

	/* Done for good: the later of two counts. */
	KUNIT_EXPECT_EQ(test, 0, restore(test, ep, s));
	KUNIT_EXPECT_EQ(test, 3, conns(test));
	DROPPED(IN, TCP(1000, 80, SYN));
	PASSES(IN, TCP(1000, 80, ACK));

	/* Flushed in between: nothing comes back, whichever way it ends. */
	KUNIT_EXPECT_EQ(test, 0, restore_begin(test, ep, s));
	KUNIT_EXPECT_EQ(test, 0, apply(ep, s));
	config_flag(test, VMQ_A_ACL_FLUSH_CONNECTIONS);
	KUNIT_EXPECT_EQ(test, 0, conns(test));
	rtnl_lock();
	acl_ops.rollback(ep);
	rtnl_unlock();
	acl_ops.restore_complete(ep, false);
	KUNIT_EXPECT_EQ(test, 0, conns(test));

	PASSES(OUT, TCP(1000, 80, SYN));
	KUNIT_EXPECT_EQ(test, 0, restore_begin(test, ep, s));
	KUNIT_EXPECT_EQ(test, 0, apply(ep, s));
	config_flag(test, VMQ_A_ACL_FLUSH_CONNECTIONS);
	acl_ops.restore_complete(ep, true);
	KUNIT_EXPECT_EQ(test, 0, conns(test));
	KUNIT_EXPECT_TRUE(test, xa_empty(&port(test)->conns));

	/* Begun and given up. */
	KUNIT_EXPECT_EQ(test, 0, restore_begin(test, ep, s));
	acl_ops.restore_complete(ep, false);
	KUNIT_EXPECT_EQ(test, 0, conns(test));
}

/* ---- dump ---- */

struct tally {
	unsigned int summaries, rules, conns, messages;
	u8 *seen;		/* by local port */
};

static int dump_one(struct kunit *test, unsigned long *cursor, unsigned int room,
		    struct tally *t)
{
	struct nlattr *tb[VMQ_A_ACL_CONNECTION_MAX + 1];
	struct sk_buff *msg = alloc_skb(room, GFP_KERNEL);
	const struct nlattr *attr;
	unsigned int len;
	int err, rem;
	u16 port;

	KUNIT_ASSERT_NOT_NULL(test, msg);
	/* No more than that, though the allocator may have given more. */
	skb_reserve(msg, skb_tailroom(msg) - room);
	rtnl_lock();
	err = acl_ops.config_dump(test->priv, msg, cursor);
	rtnl_unlock();
	len = msg->len;
	t->messages++;

	nla_for_each_attr(attr, (struct nlattr *)msg->data, len, rem) {
		switch (nla_type(attr)) {
		case VMQ_A_ACL_SUMMARY:
			t->summaries++;
			break;
		case VMQ_A_ACL_RULE:
			t->rules++;
			break;
		case VMQ_A_ACL_CONNECTION:
			t->conns++;
			nla_parse_nested(tb, VMQ_A_ACL_CONNECTION_MAX, attr,
					 NULL, NULL);
			if (!t->seen)
				break;
			port = nla_get_u16(tb[VMQ_A_ACL_CONNECTION_LOCAL_PORT]);
			t->seen[port]++;
			break;
		default:
			KUNIT_FAIL(test, "unknown attribute %u", nla_type(attr));
		}
	}
	KUNIT_EXPECT_EQ(test, 0, rem);
	kfree_skb(msg);

	return err;
}

static void acl_dump_test(struct kunit *test)
{
	struct frame f = { 4, UDP(0, 53) };
	unsigned long cursor = 0;
	struct tally t = {};
	unsigned int i;
	int err;

	t.seen = kunit_kzalloc(test, 65536, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t.seen);
	client_rules(test);
	for (i = 0; i < 200; i++)
		ADD(.dir = IN, .priority = 1000 - i);
	for (i = 1; i <= 2000; i++) {
		f.lport = i;
		run(test, OUT, &f);
	}

	/* A message that has no room for anything. */
	KUNIT_EXPECT_EQ(test, -EMSGSIZE, dump_one(test, &cursor, 16, &t));
	KUNIT_EXPECT_EQ(test, 0, cursor);

	/* Rules and connections come and go between the messages. */
	i = 0;
	do {
		err = dump_one(test, &cursor, 1024, &t);
		i++;
		ADD(.dir = OUT, .priority = 5000 + i);
		if (i <= 10)
			KUNIT_EXPECT_EQ(test, 0,
					config_u32(test, VMQ_A_ACL_DEL,
						   i < 5 ? i : 200 - i));
		f.lport = 3000 + i;
		run(test, OUT, &f);
	} while (err == -EMSGSIZE && i < 2000);
	KUNIT_EXPECT_EQ(test, 0, err);
	KUNIT_EXPECT_EQ(test, 1, t.summaries);
	KUNIT_EXPECT_GE(test, t.rules, 192);
	for (i = 1; i <= 2000; i++)
		KUNIT_ASSERT_EQ_MSG(test, 1, t.seen[i], "connection %u", i);
	/* Once more at the end: nothing. */
	i = t.conns;
	KUNIT_EXPECT_EQ(test, 0, dump_one(test, &cursor, 4096, &t));
	KUNIT_EXPECT_LE(test, t.conns, i + 1);
}

static void acl_dump_many_test(struct kunit *test)
{
	struct vmq_ext_port *ep = test->priv;
	struct frame f = { 4, UDP(0, 53) };
	struct stream *s = stream_new(test);
	unsigned int i, passed = 0, many = MANY(100000);
	unsigned long cursor = 0;
	u64 made, dumped, saved;
	struct tally t = {};
	ktime_t start;
	int err;

	client_rules(test);
	config_u32(test, VMQ_A_ACL_MAX_CONNECTIONS, many);
	start = ktime_get();
	for (i = 0; i < many; i++) {
		f.lport = i;
		f.remote = i >> 16;
		passed += run(test, OUT, &f);
		cond_resched();
	}
	made = ktime_ms_delta(ktime_get(), start);
	KUNIT_EXPECT_EQ(test, many, passed);

	start = ktime_get();
	do {
		err = dump_one(test, &cursor, 32768, &t);
	} while (err == -EMSGSIZE);
	dumped = ktime_ms_delta(ktime_get(), start);
	KUNIT_EXPECT_EQ(test, 0, err);
	KUNIT_EXPECT_EQ(test, many, t.conns);

	start = ktime_get();
	KUNIT_ASSERT_EQ(test, 0, acl_ops.save_begin(ep, NULL));
	s->rec[0].data = kunit_kmalloc(test, BUF, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, s->rec[0].data);
	for (passed = 0, err = 1; err > 0;) {
		s->rec[0].size = BUF;
		err = acl_ops.save_next(ep, &s->rec[0]);
		if (err > 0)
			passed += (err - HDR) / ENTRY;
	}
	acl_ops.save_complete(ep, true);
	saved = ktime_ms_delta(ktime_get(), start);
	KUNIT_EXPECT_EQ(test, 0, err);
	KUNIT_EXPECT_EQ(test, many, passed);

	kunit_info(test, "%u connections: made in %llu ms, dumped in %llu ms, saved in %llu ms",
		   many, made, dumped, saved);
}

/* ---- all at once ---- */

struct churn {
	struct kunit *test;
	enum vmq_dir dir;
	bool stop;
};

/* Few tuples, so that both directions meet in the same connections. */
static int churn_frames(void *arg)
{
	struct churn *churn = arg;
	struct kunit *test = churn->test;

	while (!READ_ONCE(churn->stop)) {
		u32 r = get_random_u32();
		struct frame f = {
			.family = r & 1 ? 4 : 6,
			.proto = r & 2 ? IPPROTO_TCP : IPPROTO_UDP,
			.lport = (r >> 8) & 63, .rport = 80,
			.tcp = (r >> 16) & 0x17,
		};

		run(test, churn->dir, &f);
		cond_resched();
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);

	return 0;
}

static void acl_churn_test(struct kunit *test)
{
	struct churn churn[4] = {};
	struct task_struct *task[ARRAY_SIZE(churn)];
	struct vmq_ext_port *ep = test->priv;
	struct stream *s = stream_new(test);
	unsigned long end = jiffies + 3 * HZ;
	unsigned int i, rounds = 0, n = 0;
	struct acl_conn *conn;
	unsigned long index;

	client_rules(test);
	config_u32(test, VMQ_A_ACL_MAX_CONNECTIONS, 100);
	for (i = 0; i < 8; i++) {
		stream_one(test, s);
		entry(s, i, 0)->local_port = cpu_to_le16(i / 2);
		entry(s, i, 0)->remote_port = cpu_to_le16(80);
	}

	for (i = 0; i < ARRAY_SIZE(churn); i++) {
		churn[i].test = test;
		churn[i].dir = i & 1;
		task[i] = kthread_run(churn_frames, &churn[i], "acl_churn%u", i);
		KUNIT_ASSERT_FALSE(test, IS_ERR(task[i]));
	}

	while (time_before(jiffies, end)) {
		unsigned long cursor = 0;
		struct tally t = {};

		rounds++;
		acl_ops.restore_begin(ep, NULL);
		for (i = 0; i < s->n; i++)
			acl_ops.validate(ep, &s->rec[i], NULL);
		apply(ep, s);
		if (rounds % 3 == 0)
			config_flag(test, VMQ_A_ACL_FLUSH_CONNECTIONS);
		if (rounds & 1) {
			rtnl_lock();
			acl_ops.rollback(ep);
			rtnl_unlock();
		}
		acl_ops.restore_complete(ep, !(rounds & 1));
		age(test, 10);
		if (rounds % 8 == 0) {
			config_u32(test, VMQ_A_ACL_DEL,
				   port(test)->next_id - 1);
			ADD(.dir = OUT, .allow = 1);
		}
		dump_one(test, &cursor, 8192, &t);
		mod_delayed_work(system_power_efficient_wq, &port(test)->gc, 0);
		cond_resched();
	}

	for (i = 0; i < ARRAY_SIZE(churn); i++) {
		WRITE_ONCE(churn[i].stop, true);
		kthread_stop(task[i]);
	}

	/* Both tables hold the same, and as many as were counted. */
	xa_for_each(&port(test)->conns, index, conn) {
		n++;
		KUNIT_EXPECT_EQ(test, index, conn->index);
		KUNIT_EXPECT_FALSE(test, conn->dead);
		KUNIT_EXPECT_FALSE(test, conn->pinned);
		rcu_read_lock();
		KUNIT_EXPECT_PTR_EQ(test, conn,
				    acl_conn_find(port(test), &conn->key));
		rcu_read_unlock();
	}
	KUNIT_EXPECT_EQ(test, n, conns(test));
	KUNIT_EXPECT_EQ(test, n, atomic_read(&port(test)->table.nelems));
	kunit_info(test, "%u rounds, %llu frames passed, %llu did not", rounds,
		   COUNTED(allowed), COUNTED(denied));
}

static struct kunit_case acl_state_cases[] = {
	KUNIT_CASE(acl_trip_test),
	KUNIT_CASE(acl_split_test),
	KUNIT_CASE(acl_squeeze_test),
	KUNIT_CASE(acl_hostile_test),
	KUNIT_CASE(acl_apply_test),
	KUNIT_CASE(acl_rollback_test),
	KUNIT_CASE(acl_dump_test),
	KUNIT_CASE_SLOW(acl_dump_many_test),
	KUNIT_CASE_SLOW(acl_churn_test),
	{}
};

static struct kunit_suite acl_state_suite = {
	.name = "vmq_acl_state",
	.init = acl_test_init,
	.exit = acl_test_exit,
	.test_cases = acl_state_cases,
};

kunit_test_suites(&acl_state_suite);

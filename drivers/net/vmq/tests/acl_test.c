// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the extension acl: what becomes of frames, and configuration.
 */
#include <linux/random.h>

#include "../ext/acl_test.h"

/* ---- rules ---- */

static const struct {
	const char *what;
	struct rule rule;
	struct frame hit;
	struct frame miss;
	u8 miss_dir;		/* the frame of a miss goes the same way else */
} fields[] = {
	{ "direction", { .dir = IN },
	  { 4, UDP(1, 2) }, { 4, UDP(1, 2) }, 1 },
	{ "family 4", { .dir = OUT, .family = AF_INET },
	  { 4, UDP(1, 2) }, { 6, UDP(1, 2) } },
	{ "family 6", { .dir = OUT, .family = AF_INET6 },
	  { 6, UDP(1, 2) }, { 4, UDP(1, 2) } },
	{ "protocol", { .dir = OUT, .proto = IPPROTO_UDP },
	  { 4, UDP(1, 2) }, { 4, TCP(1, 2, SYN) } },
	{ "protocol 0", { .dir = OUT, .proto = PROTO_0 },
	  { 4 }, { 4, UDP(1, 2) } },
	{ "other protocol", { .dir = IN, .proto = IPPROTO_GRE },
	  { 4, .proto = IPPROTO_GRE }, { 4, .proto = IPPROTO_ESP } },
	{ "source", { .dir = IN, .addr = 4, .src = PEER,
		      .src_len = 32 },
	  { 4, UDP(1, 2), .remote = PEER }, { 4, UDP(1, 2), .remote = 8 } },
	{ "source prefix", { .dir = IN, .addr = 4, .src = 9,
			     .src_len = 31 },
	  { 4, UDP(1, 2), .remote = 8 }, { 4, UDP(1, 2), .remote = 10 } },
	{ "destination", { .dir = OUT, .addr = 4, .dst = PEER,
			   .dst_len = 32 },
	  { 4, UDP(1, 2), .remote = PEER }, { 4, UDP(1, 2), .remote = 8 } },
	{ "destination is not source", { .dir = IN, .addr = 4,
					 .dst = GUEST, .dst_len = 32 },
	  { 4, UDP(1, 2), .remote = PEER }, { 6, UDP(1, 2), .remote = 8 } },
	{ "source v6", { .dir = IN, .addr = 6, .src = PEER,
			 .src_len = 128 },
	  { 6, UDP(1, 2), .remote = PEER }, { 6, UDP(1, 2), .remote = 8 } },
	{ "destination v6 prefix", { .dir = OUT, .addr = 6,
				     .dst = 16, .dst_len = 124 },
	  { 6, UDP(1, 2), .remote = 31 }, { 6, UDP(1, 2), .remote = 32 } },
	{ "v4 prefix is not v6", { .dir = OUT, .addr = 4,
				   .dst = 0, .dst_len = 1 },
	  { 4, UDP(1, 2) }, { 6, UDP(1, 2) } },
	{ "destination port", { .dir = IN, .proto = IPPROTO_TCP,
				.dport = { 80 } },
	  { 4, TCP(80, 1, SYN) }, { 4, TCP(81, 1, SYN) } },
	{ "destination ports, lowest", { .dir = IN, .proto = IPPROTO_TCP,
					 .dport = { 80, 90 } },
	  { 4, TCP(80, 1, SYN) }, { 4, TCP(79, 1, SYN) } },
	{ "destination ports, highest", { .dir = IN, .proto = IPPROTO_TCP,
					  .dport = { 80, 90 } },
	  { 4, TCP(90, 1, SYN) }, { 4, TCP(91, 1, SYN) } },
	{ "up to a port", { .dir = OUT, .proto = IPPROTO_UDP,
			    .dport = { 0, 90 } },
	  { 4, UDP(1, 0) }, { 4, UDP(1, 91) } },
	{ "source port", { .dir = OUT, .proto = IPPROTO_UDP,
			   .sport = { 53, 53 } },
	  { 6, UDP(53, 1) }, { 6, UDP(1, 53) } },
	{ "ports of SCTP", { .dir = OUT, .proto = IPPROTO_SCTP,
			     .dport = { 80 } },
	  { 4, .proto = IPPROTO_SCTP, .rport = 80 },
	  { 4, .proto = IPPROTO_SCTP, .rport = 81 } },
	{ "behind an extension header", { .dir = OUT, .proto = IPPROTO_UDP,
					  .dport = { 80 } },
	  { 6, UDP(1, 80), .ext = NEXTHDR_DEST },
	  { 6, UDP(1, 81), .ext = NEXTHDR_DEST } },
};

static void acl_fields_test(struct kunit *test)
{
	struct rule rule;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		u8 dir = fields[i].rule.dir;
		u8 miss_dir = fields[i].miss_dir ? !dir : dir;

		/* Deny the one. */
		rule = fields[i].rule;
		KUNIT_ASSERT_EQ(test, 0, add_rule(test, &rule));
		KUNIT_EXPECT_FALSE_MSG(test, run(test, dir, &fields[i].hit),
				       "deny, hit: %s", fields[i].what);
		KUNIT_EXPECT_TRUE_MSG(test, run(test, miss_dir, &fields[i].miss),
				      "deny, miss: %s", fields[i].what);
		config_flag(test, VMQ_A_ACL_FLUSH_RULES);
		config_flag(test, VMQ_A_ACL_FLUSH_CONNECTIONS);

		/* Deny all but the one. */
		rule.allow = 1;
		KUNIT_ASSERT_EQ(test, 0, add_rule(test, &rule));
		ADD(.dir = IN, .priority = 1);
		ADD(.dir = OUT, .priority = 1);
		KUNIT_EXPECT_FALSE_MSG(test, run(test, miss_dir, &fields[i].miss),
				       "allow, miss: %s", fields[i].what);
		KUNIT_EXPECT_TRUE_MSG(test, run(test, dir, &fields[i].hit),
				      "allow, hit: %s", fields[i].what);
		config_flag(test, VMQ_A_ACL_FLUSH_RULES);
		config_flag(test, VMQ_A_ACL_FLUSH_CONNECTIONS);
		KUNIT_EXPECT_EQ(test, 0, conns(test));
	}
}

static void acl_order_test(struct kunit *test)
{
	u64 packets, bytes;
	const struct acl_rule *rule;

	ADD(.dir = IN, .priority = 20, .allow = 1);
	ADD(.dir = IN, .priority = 10, .proto = IPPROTO_UDP);
	ADD(.dir = IN, .priority = 10, .proto = IPPROTO_UDP, .allow = 1,
	    .dport = { 53 });
	DROPPED(IN, UDP(53, 1));
	PASSES(IN, TCP(1, 1, SYN));

	/* Of equal priorities the older one comes first. */
	KUNIT_EXPECT_EQ(test, 0, config_u32(test, VMQ_A_ACL_DEL, 2));
	ADD(.dir = IN, .priority = 10, .proto = IPPROTO_UDP);
	PASSES(IN, UDP(53, 1));
	DROPPED(IN, UDP(54, 1));

	/* Ids are not used again, and counters outlive other changes. */
	rtnl_lock();
	rule = acl_rules_next(rtnl_dereference(port(test)->rules), 2);
	KUNIT_EXPECT_EQ(test, 3, rule->id);
	acl_rule_counters(rule, &packets, &bytes);
	KUNIT_EXPECT_EQ(test, 1, packets);
	KUNIT_EXPECT_EQ(test, ETH_HLEN + 32, bytes);
	rule = acl_rules_next(rtnl_dereference(port(test)->rules), 4);
	KUNIT_EXPECT_EQ(test, 4, rule->id);
	KUNIT_EXPECT_NULL(test,
			  acl_rules_next(rtnl_dereference(port(test)->rules), 5));
	rtnl_unlock();

	KUNIT_EXPECT_EQ(test, 2, COUNTED(denied));
	KUNIT_EXPECT_EQ(test, 2, COUNTED(allowed));
}

static void acl_idle_test(struct kunit *test)
{
	PASSES(IN, UDP(1, 2));
	PASSES(IN, TCP(1, 2, ACK));
	PASSES(IN, .family = ARP);
	KUNIT_EXPECT_EQ(test, 0, conns(test));
	KUNIT_EXPECT_EQ(test, 0, COUNTED(allowed));
}

static void acl_free_test(struct kunit *test)
{
	unsigned int type;

	ADD(.dir = IN);
	ADD(.dir = OUT);
	PASSES(IN, .family = ARP);
	PASSES(OUT, .family = ARP);
	for (type = 130; type <= 140; type++) {
		struct frame f = { 6, .proto = IPPROTO_ICMPV6, .type = type };

		KUNIT_EXPECT_EQ(test, type >= 133 && type <= 137,
				run(test, IN, &f));
	}
	KUNIT_EXPECT_EQ(test, 0, COUNTED(allowed));
	KUNIT_EXPECT_EQ(test, 6, COUNTED(denied));
}

static void acl_refuse_test(struct kunit *test)
{
	static const struct rule bad[] = {
		{ .dir = 2 },
		{ .allow = 2 },
		{ .family = 7 },
		{ .family = AF_INET6, .addr = 4, .src = 1,
		  .src_len = 8 },
		{ .addr = 4, .src = 1, .src_len = 33 },
		{ .addr = 6, .dst = 1, .dst_len = 129 },
		{ .dport = { 1 } },
		{ .proto = IPPROTO_ICMP, .sport = { 1 } },
		{ .proto = IPPROTO_TCP, .sport = { 2, 1 } },
		{ .proto = IPPROTO_TCP, .dport = { 2, 1 } },
	};
	struct sk_buff *msg;
	struct nlattr *nest;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_LT_MSG(test, add_rule(test, &bad[i]), 0,
				    "rule %u", i);

	/* Nothing to do; an unknown attribute; attributes of answers. */
	KUNIT_EXPECT_EQ(test, -EINVAL, config_send(test, config_start(test)));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			config_u32(test, VMQ_A_ACL_MAX + 1, 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, config_u32(test, VMQ_A_ACL_SUMMARY, 1));
	KUNIT_EXPECT_EQ(test, -ERANGE,
			config_u32(test, VMQ_A_ACL_MAX_CONNECTIONS, 0));
	KUNIT_EXPECT_EQ(test, -ERANGE,
			config_u32(test, VMQ_A_ACL_MAX_CONNECTIONS,
				   ACL_CONNS_MAX + 1));
	KUNIT_EXPECT_EQ(test, -ENOENT, config_u32(test, VMQ_A_ACL_DEL, 1));

	/* No direction; an id of one's own; addresses of a wrong length. */
	msg = config_start(test);
	nest = nla_nest_start(msg, VMQ_A_ACL_ADD);
	nla_put_u8(msg, VMQ_A_ACL_RULE_ACTION, 1);
	nla_nest_end(msg, nest);
	KUNIT_EXPECT_EQ(test, -EINVAL, config_send(test, msg));

	msg = config_start(test);
	nest = nla_nest_start(msg, VMQ_A_ACL_ADD);
	nla_put_u8(msg, VMQ_A_ACL_RULE_DIRECTION, 1);
	nla_put_u8(msg, VMQ_A_ACL_RULE_ACTION, 1);
	nla_put_u32(msg, VMQ_A_ACL_RULE_ID, 1);
	nla_nest_end(msg, nest);
	KUNIT_EXPECT_EQ(test, -EINVAL, config_send(test, msg));

	for (i = 0; i < 20; i++) {
		if (i == 4 || i == 16)
			continue;
		msg = config_start(test);
		nest = nla_nest_start(msg, VMQ_A_ACL_ADD);
		nla_put_u8(msg, VMQ_A_ACL_RULE_DIRECTION, 1);
		nla_put_u8(msg, VMQ_A_ACL_RULE_ACTION, 1);
		nla_put(msg, VMQ_A_ACL_RULE_SRC, i, bad);
		nla_nest_end(msg, nest);
		KUNIT_EXPECT_LT(test, config_send(test, msg), 0);
	}

	/* Half of a change is not made. */
	ADD(.dir = IN);
	msg = config_start(test);
	put_rule(msg, &(struct rule){ .dir = OUT });
	nla_put_flag(msg, VMQ_A_ACL_FLUSH_RULES);
	put_rule(msg, &(struct rule){ .dir = OUT });
	nla_put_u32(msg, VMQ_A_ACL_MAX_CONNECTIONS, 1);
	nla_put_u32(msg, VMQ_A_ACL_DEL, 77);
	KUNIT_EXPECT_EQ(test, -ENOENT, config_send(test, msg));
	DROPPED(IN, UDP(1, 2));
	PASSES(OUT, UDP(1, 3));
	KUNIT_EXPECT_EQ(test, ACL_CONNS_DEFAULT, port(test)->max_conns);
	KUNIT_EXPECT_EQ(test, 2, port(test)->next_id);

	/* A whole list in one request, in order. */
	msg = config_start(test);
	nla_put_flag(msg, VMQ_A_ACL_FLUSH_RULES);
	put_rule(msg, &(struct rule){ .dir = OUT });
	put_rule(msg, &(struct rule){ .dir = IN, .allow = 1 });
	KUNIT_EXPECT_EQ(test, 0, config_send(test, msg));
	PASSES(IN, UDP(1, 2));
	DROPPED(OUT, UDP(1, 4));
	KUNIT_EXPECT_EQ(test, -EEXIST, add_rule(test, &(struct rule){
				.dir = IN, .allow = 1 }));
}

static void acl_rules_full_test(struct kunit *test)
{
	unsigned int i, n = 0;
	struct sk_buff *msg;
	int err = 0;

	while (!err && n < ACL_RULES_MAX) {
		msg = config_start(test);
		for (i = 0; i < 256; i++, n++)
			put_rule(msg, &(struct rule){ .priority = n });
		err = config_send(test, msg);
	}
	KUNIT_EXPECT_EQ(test, 0, err);
	KUNIT_EXPECT_EQ(test, -ENOSPC, add_rule(test, &(struct rule){
				.priority = n }));
	KUNIT_EXPECT_EQ(test, 0, config_u32(test, VMQ_A_ACL_DEL, 77));
	KUNIT_EXPECT_EQ(test, 0, add_rule(test, &(struct rule){
				.priority = n }));
	DROPPED(IN, UDP(1, 2));
	PASSES(OUT, UDP(1, 2));
	KUNIT_EXPECT_EQ(test, 0, config_flag(test, VMQ_A_ACL_FLUSH_RULES));
	PASSES(IN, UDP(5, 2));
}

/* ---- connections ---- */

static void acl_tcp_test(struct kunit *test)
{
	struct acl_conn *conn;

	client_rules(test);
	DROPPED(IN, TCP(1000, 80, SYN | ACK));
	PASSES(OUT, TCP(1000, 80, SYN));
	conn = the_conn(test);
	KUNIT_EXPECT_EQ(test, VMQ_ACL_NEW, conn->state);
	KUNIT_EXPECT_EQ(test, OUT, conn->dir);

	/* None of these is the connection. */
	DROPPED(IN, TCP(1000, 81, SYN | ACK));
	DROPPED(IN, TCP(1001, 80, SYN | ACK));
	DROPPED(IN, TCP(80, 1000, SYN | ACK));
	DROPPED(IN, TCP(1000, 80, SYN | ACK), .remote = 8);
	DROPPED(IN, TCP(1000, 80, SYN | ACK), .vlan = 7);
	DROPPED(IN, TCP(1000, 80, SYN | ACK), .family = 6);
	DROPPED(IN, UDP(1000, 80));

	PASSES(IN, TCP(1000, 80, SYN | ACK));
	KUNIT_EXPECT_EQ(test, VMQ_ACL_SYN_ACK, conn->state);
	PASSES(OUT, TCP(1000, 80, ACK));
	KUNIT_EXPECT_EQ(test, VMQ_ACL_ESTABLISHED, conn->state);
	PASSES(IN, TCP(1000, 80, ACK));
	PASSES(IN, TCP(1000, 80, ACK | FIN));
	KUNIT_EXPECT_EQ(test, VMQ_ACL_FIN_WAIT, conn->state);
	PASSES(OUT, TCP(1000, 80, ACK));
	PASSES(OUT, TCP(1000, 80, ACK | FIN));
	KUNIT_EXPECT_EQ(test, VMQ_ACL_CLOSING, conn->state);
	PASSES(IN, TCP(1000, 80, ACK));
	KUNIT_EXPECT_EQ(test, 4, acl_conn_packets(conn, IN));
	KUNIT_EXPECT_EQ(test, 4, acl_conn_packets(conn, OUT));

	/* The other end may not open it anew, the guest may. */
	DROPPED(IN, TCP(1000, 80, SYN));
	KUNIT_EXPECT_EQ(test, VMQ_ACL_CLOSING, conn->state);
	PASSES(OUT, TCP(1000, 80, SYN));
	KUNIT_EXPECT_EQ(test, VMQ_ACL_NEW, conn->state);
	KUNIT_EXPECT_EQ(test, 0, conn->fins);
	PASSES(IN, TCP(1000, 80, RST | ACK));
	KUNIT_EXPECT_EQ(test, VMQ_ACL_CLOSED, conn->state);
	age(test, ACL_TIMEOUT_CLOSED);
	DROPPED(IN, TCP(1000, 80, ACK));
	KUNIT_EXPECT_PTR_EQ(test, conn, the_conn(test));
}

static void acl_midstream_test(struct kunit *test)
{
	struct acl_conn *conn;

	client_rules(test);
	DROPPED(IN, TCP(1, 2, ACK));
	PASSES(OUT, TCP(1, 2, ACK | RST));
	PASSES(OUT, TCP(1, 2, ACK | FIN));
	PASSES(OUT, TCP(1, 2, 0));
	KUNIT_EXPECT_EQ(test, 0, conns(test));

	/* Long-lived only after both sides were heard. */
	PASSES(OUT, TCP(1, 2, ACK));
	conn = the_conn(test);
	PASSES(OUT, TCP(1, 2, ACK));
	KUNIT_EXPECT_EQ(test, VMQ_ACL_NEW, conn->state);
	PASSES(IN, TCP(1, 2, ACK));
	PASSES(OUT, TCP(1, 2, ACK));
	KUNIT_EXPECT_EQ(test, VMQ_ACL_ESTABLISHED, conn->state);

	/* A connection goes on without rules, but none is made. */
	config_flag(test, VMQ_A_ACL_FLUSH_RULES);
	PASSES(IN, TCP(1, 2, ACK));
	PASSES(IN, TCP(3, 2, SYN));
	the_conn(test);
}

static void acl_udp_icmp_test(struct kunit *test)
{
	const struct frame udp = { 4, UDP(5, 53), .remote = PEER };
	const struct frame other = { 4, UDP(6, 53), .remote = PEER };
	const struct frame nothing = { 4, UDP(7, 53), .remote = PEER };
	const struct frame ping = { 4, PING(7), .remote = PEER };
	const struct frame tcp6 = { 6, TCP(5, 80, SYN), .remote = PEER };

	client_rules(test);
	DROPPED(IN, UDP(5, 53));
	PASSES(OUT, UDP(5, 53));
	KUNIT_EXPECT_EQ(test, VMQ_ACL_NEW, the_conn(test)->state);
	PASSES(IN, UDP(5, 53));
	KUNIT_EXPECT_EQ(test, VMQ_ACL_REPLIED, the_conn(test)->state);
	DROPPED(IN, UDP(5, 54));

	/* Errors about it, from anywhere, and about nothing we know. */
	PASSES(IN, .proto = IPPROTO_ICMP, .type = ICMP_DEST_UNREACH,
	       .about = &udp, .remote = 77);
	DROPPED(IN, .proto = IPPROTO_ICMP, .type = ICMP_DEST_UNREACH,
		.about = &other, .remote = 77);
	DROPPED(IN, .proto = IPPROTO_ICMP, .type = ICMP_REDIRECT,
		.about = &udp, .remote = 77);
	DROPPED(IN, .proto = IPPROTO_ICMP, .type = ICMP_DEST_UNREACH,
		.about = &udp, .vlan = 3);

	/* Echo: the identifier and who asks. */
	DROPPED(IN, PONG(7));
	PASSES(OUT, PING(7));
	PASSES(IN, PONG(7));
	DROPPED(IN, PONG(8));
	DROPPED(IN, PING(7));
	PASSES(IN, .proto = IPPROTO_ICMP, .type = ICMP_TIME_EXCEEDED,
	       .about = &ping, .remote = 77);
	PASSES(OUT, PING6(7));
	PASSES(IN, PONG6(7));
	DROPPED(IN, PING6(7));

	PASSES(OUT, .family = 6, TCP(5, 80, SYN));
	PASSES(IN, .family = 6, .proto = IPPROTO_ICMPV6,
	       .type = ICMPV6_PKT_TOOBIG, .about = &tcp6, .remote = 77);
	KUNIT_EXPECT_EQ(test, 4, conns(test));

	/* The guest's own errors. */
	PASSES(OUT, UDP(6, 53));
	config_flag(test, VMQ_A_ACL_FLUSH_RULES);
	ADD(.dir = IN);
	ADD(.dir = OUT);
	PASSES(OUT, .proto = IPPROTO_ICMP, .type = ICMP_DEST_UNREACH,
	       .about = &udp);
	DROPPED(OUT, .proto = IPPROTO_ICMP, .type = ICMP_DEST_UNREACH,
		.about = &udp, .remote = 77);
	DROPPED(OUT, .proto = IPPROTO_ICMP, .type = ICMP_DEST_UNREACH,
		.about = &nothing);

	/* An error does not prolong a connection, nor does it outlive it. */
	age(test, ACL_TIMEOUT_UDP_REPLIED);
	DROPPED(IN, .proto = IPPROTO_ICMP, .type = ICMP_DEST_UNREACH,
		.about = &udp);
}

static void acl_timeout_test(struct kunit *test)
{
	struct acl_conn *conn;

	client_rules(test);

	PASSES(OUT, UDP(5, 53));
	age(test, ACL_TIMEOUT_UDP - 2);
	PASSES(IN, UDP(5, 53));
	age(test, ACL_TIMEOUT_UDP_REPLIED - 2);
	PASSES(IN, UDP(5, 53));
	age(test, ACL_TIMEOUT_UDP_REPLIED - 2);
	collect(test);
	PASSES(IN, UDP(5, 53));
	age(test, ACL_TIMEOUT_UDP_REPLIED);
	DROPPED(IN, UDP(5, 53));
	KUNIT_EXPECT_EQ(test, 1, conns(test));
	collect(test);
	KUNIT_EXPECT_EQ(test, 0, conns(test));

	PASSES(OUT, TCP(1, 2, SYN));
	age(test, ACL_TIMEOUT_SYN);
	DROPPED(IN, TCP(1, 2, SYN | ACK));
	PASSES(OUT, TCP(1, 2, SYN));
	PASSES(IN, TCP(1, 2, SYN | ACK));
	PASSES(OUT, TCP(1, 2, ACK));
	age(test, ACL_TIMEOUT_ESTABLISHED - 2);
	PASSES(IN, TCP(1, 2, ACK));
	age(test, ACL_TIMEOUT_ESTABLISHED - 2);
	PASSES(OUT, TCP(1, 2, ACK | FIN));
	age(test, ACL_TIMEOUT_CLOSING);
	DROPPED(IN, TCP(1, 2, ACK));
	collect(test);

	PASSES(OUT, PING(1));
	age(test, ACL_TIMEOUT_ICMP);
	DROPPED(IN, PONG(1));
	collect(test);
	KUNIT_EXPECT_EQ(test, 0, conns(test));

	/* The collector puts right what a racing frame wrote. */
	PASSES(OUT, UDP(5, 53));
	conn = the_conn(test);
	WRITE_ONCE(conn->expires, (u32)jiffies + 1000 * HZ);
	collect(test);
	KUNIT_EXPECT_LE(test, acl_conn_left(conn), ACL_TIMEOUT_UDP * HZ);

	/* It runs by itself as long as there are connections. */
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&port(test)->gc));
	config_flag(test, VMQ_A_ACL_FLUSH_CONNECTIONS);
	KUNIT_EXPECT_EQ(test, 0, conns(test));
	PASSES(OUT, UDP(5, 53));
	KUNIT_EXPECT_TRUE(test, delayed_work_pending(&port(test)->gc));
}

static void acl_full_test(struct kunit *test)
{
	unsigned int i;

	client_rules(test);
	KUNIT_EXPECT_EQ(test, 0,
			config_u32(test, VMQ_A_ACL_MAX_CONNECTIONS, 4));
	for (i = 1; i <= 4; i++)
		PASSES(OUT, UDP(i, 53));
	DROPPED(OUT, UDP(5, 53));
	DROPPED(OUT, UDP(6, 53));
	KUNIT_EXPECT_EQ(test, 2, COUNTED(untracked));
	KUNIT_EXPECT_EQ(test, 2, COUNTED(denied));
	PASSES(OUT, UDP(1, 53));
	PASSES(IN, UDP(4, 53));

	/* One that is over is used again without asking for room. */
	age(test, ACL_TIMEOUT_UDP);
	PASSES(OUT, UDP(1, 53));
	DROPPED(OUT, UDP(5, 53));
	collect(test);
	PASSES(OUT, UDP(5, 53));
	KUNIT_EXPECT_EQ(test, 3, conns(test));	/* 1, 4 replied, 5 */
}

static void acl_many_test(struct kunit *test)
{
	unsigned int i, passed = 0, max = MANY(ACL_CONNS_DEFAULT);
	struct frame f = { 6, UDP(0, 53) };

	client_rules(test);
	config_u32(test, VMQ_A_ACL_MAX_CONNECTIONS, max);
	for (i = 0; i < max + 100; i++) {
		f.lport = i;
		f.vlan = 1 + (i >> 16);
		passed += run(test, OUT, &f);
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, max, passed);
	KUNIT_EXPECT_EQ(test, max, conns(test));
	KUNIT_EXPECT_EQ(test, 100, COUNTED(untracked));
	age(test, ACL_TIMEOUT_UDP);
	collect(test);
	KUNIT_EXPECT_EQ(test, 0, conns(test));
	KUNIT_EXPECT_TRUE(test, xa_empty(&port(test)->conns));
}

/* ---- fragments and broken headers ---- */

static void acl_fragment_test(struct kunit *test)
{
	ADD(.dir = IN, .proto = IPPROTO_UDP, .dport = { 53 });
	DROPPED(IN, UDP(53, 1), .more = true);
	PASSES(IN, UDP(54, 1), .more = true);
	/* A rule that denies ports fits later fragments of its protocol. */
	DROPPED(IN, UDP(54, 1), .frag = 10);
	DROPPED(IN, .family = 6, UDP(54, 1), .ext = NEXTHDR_FRAGMENT, .frag = 10);
	PASSES(IN, TCP(54, 1, 0), .frag = 10);
	PASSES(IN, .family = 6, UDP(54, 1), .ext = NEXTHDR_FRAGMENT);
	DROPPED(IN, .family = 6, UDP(53, 1), .ext = NEXTHDR_FRAGMENT,
		.more = true);
	/* What follows another extension header may be anything. */
	DROPPED(IN, .family = 6, .proto = NEXTHDR_DEST, .ext = NEXTHDR_FRAGMENT,
		.frag = 10);

	/* A rule that allows ports does not. */
	config_flag(test, VMQ_A_ACL_FLUSH_RULES);
	ADD(.dir = IN, .proto = IPPROTO_UDP, .dport = { 53 }, .allow = 1);
	ADD(.dir = IN, .priority = 1);
	PASSES(IN, UDP(53, 1), .more = true);
	DROPPED(IN, UDP(53, 1), .frag = 10);
	config_flag(test, VMQ_A_ACL_FLUSH_RULES);
	ADD(.dir = IN, .proto = IPPROTO_UDP, .allow = 1);
	ADD(.dir = IN, .priority = 1);
	PASSES(IN, UDP(53, 1), .frag = 10);

	/* One that overlaps the header of TCP, whatever the rules say. */
	config_flag(test, VMQ_A_ACL_FLUSH_RULES);
	ADD(.dir = IN, .allow = 1);
	DROPPED(IN, TCP(1, 2, 0), .frag = 1);
	DROPPED(IN, TCP(1, 2, 0), .frag = 2);
	PASSES(IN, TCP(1, 2, 0), .frag = 3);
}

static const struct frame about4 = { 4, UDP(5, 53), .remote = PEER };
static const struct frame about6 = { 6, TCP(5, 53, SYN), .remote = PEER };
static const struct frame kinds[] = {
	{ 4, TCP(1, 2, SYN) }, { 4, UDP(1, 2) }, { 4, PING(3) },
	{ 4, .proto = IPPROTO_SCTP }, { 4, .proto = IPPROTO_GRE },
	{ 4, .proto = IPPROTO_ICMP, .type = ICMP_DEST_UNREACH,
	  .about = &about4 },
	{ 6, TCP(1, 2, SYN) }, { 6, UDP(1, 2) }, { PING6(3) },
	{ 6, TCP(1, 2, SYN), .ext = NEXTHDR_HOP },
	{ 6, UDP(1, 2), .ext = NEXTHDR_FRAGMENT, .frag = 10 },
	{ 6, UDP(1, 2), .ext = NEXTHDR_ROUTING },
	{ 6, .proto = IPPROTO_ICMPV6, .type = ICMPV6_DEST_UNREACH,
	  .about = &about6 },
};

/* Lies about the length: the packet says that it ends where the frame ends. */
static void set_len(u8 *data, const struct frame *f, unsigned int len)
{
	if (f->family == 4 && len >= 20)
		((struct iphdr *)data)->tot_len = htons(len);
	if (f->family == 6 && len >= 40)
		((struct ipv6hdr *)data)->payload_len = htons(len - 40);
}

static void acl_truncate_test(struct kunit *test)
{
	struct vmq_ext_port *ep = test->priv;
	unsigned int k, len, cut, l4, lin;
	u8 data[256], copy[256];
	enum vmq_verdict verdict;

	ADD(.dir = IN, .allow = 1);
	for (k = 0; k < ARRAY_SIZE(kinds); k++) {
		const struct frame *f = &kinds[k];

		len = put_frame(data, IN, f);
		l4 = f->family == 4 ? 20 : f->ext ? 48 : 40;
		for (cut = 0; cut <= len; cut++) {
			verdict = run_skb(ep, IN,
					  make_skb(test, f, data, cut, cut));
			KUNIT_EXPECT_EQ_MSG(test, verdict,
					    cut < len ? VMQ_DROP : VMQ_PASS,
					    "kind %u, %u of %u", k, cut, len);

			memcpy(copy, data, len);
			set_len(copy, f, cut);
			verdict = run_skb(ep, IN,
					  make_skb(test, f, copy, cut, cut));
			if (cut < l4)
				KUNIT_EXPECT_EQ(test, verdict, VMQ_DROP);
			/* The ports have to be there wherever there are any. */
			if (cut < l4 + 8 && !f->frag &&
			    f->proto != IPPROTO_GRE)
				KUNIT_EXPECT_EQ_MSG(test, verdict, VMQ_DROP,
						    "kind %u, %u", k, cut);
			/* The rest behind the end of the packet is no header. */
			if (cut >= (f->family == 4 ? 20 : 40))
				KUNIT_EXPECT_EQ(test, verdict,
						run_skb(ep, IN,
							make_skb(test, f, copy,
								 len, len)));
		}
		for (lin = 0; lin < len; lin++)
			KUNIT_EXPECT_EQ(test, VMQ_PASS,
					run_skb(ep, IN, make_skb(test, f, data,
								 len, lin)));
		config_flag(test, VMQ_A_ACL_FLUSH_CONNECTIONS);
	}

	/* Lengths in the headers that cannot be. */
	put_frame(data, IN, &kinds[0]);
	data[0] = 0x44;
	KUNIT_EXPECT_EQ(test, VMQ_DROP,
			run_skb(ep, IN, make_skb(test, &kinds[0], data, 40, 40)));
	data[0] = 0x4f;
	KUNIT_EXPECT_EQ(test, VMQ_DROP,
			run_skb(ep, IN, make_skb(test, &kinds[0], data, 40, 40)));
	data[0] = 0x65;
	KUNIT_EXPECT_EQ(test, VMQ_DROP,
			run_skb(ep, IN, make_skb(test, &kinds[0], data, 40, 40)));
	data[0] = 0x45;
	data[32] = 0x40;
	KUNIT_EXPECT_EQ(test, VMQ_DROP,
			run_skb(ep, IN, make_skb(test, &kinds[0], data, 40, 40)));
	data[32] = 0x60;
	KUNIT_EXPECT_EQ(test, VMQ_DROP,
			run_skb(ep, IN, make_skb(test, &kinds[0], data, 40, 40)));
	data[32] = 0x50;
	KUNIT_EXPECT_EQ(test, VMQ_PASS,
			run_skb(ep, IN, make_skb(test, &kinds[0], data, 40, 40)));
}

/* Any bytes at all: nothing is expected but that nothing happens. */
static void acl_garbage_test(struct kunit *test)
{
	struct vmq_ext_port *ep = test->priv;
	unsigned int i, j, len;
	u8 data[256];

	client_rules(test);
	for (i = 0; i < MANY(20000); i++) {
		const struct frame *f = &kinds[i % ARRAY_SIZE(kinds)];

		memset(data, 0, sizeof(data));
		len = put_frame(data, IN, f);
		for (j = get_random_u32_below(8); j; j--)
			data[get_random_u32_below(len)] = get_random_u8();
		len = get_random_u32_inclusive(0, len);
		if (i & 1)
			set_len(data, f, len);
		run_skb(ep, i & 2 ? IN : OUT,
			make_skb(test, f, data, len,
				 get_random_u32_inclusive(0, len)));
		cond_resched();
	}
	KUNIT_EXPECT_GT(test, COUNTED(denied), 0);
}

static struct kunit_case acl_cases[] = {
	KUNIT_CASE(acl_fields_test),
	KUNIT_CASE(acl_order_test),
	KUNIT_CASE(acl_idle_test),
	KUNIT_CASE(acl_free_test),
	KUNIT_CASE(acl_refuse_test),
	KUNIT_CASE(acl_rules_full_test),
	KUNIT_CASE(acl_tcp_test),
	KUNIT_CASE(acl_midstream_test),
	KUNIT_CASE(acl_udp_icmp_test),
	KUNIT_CASE(acl_timeout_test),
	KUNIT_CASE(acl_full_test),
	KUNIT_CASE_SLOW(acl_many_test),
	KUNIT_CASE(acl_fragment_test),
	KUNIT_CASE(acl_truncate_test),
	KUNIT_CASE_SLOW(acl_garbage_test),
	{}
};

static struct kunit_suite acl_suite = {
	.name = "vmq_acl",
	.init = acl_test_init,
	.exit = acl_test_exit,
	.test_cases = acl_cases,
};

kunit_test_suites(&acl_suite);

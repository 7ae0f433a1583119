// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the extension acl: connections, their states and timeouts.
 */
#include "acl_test.h"

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

static struct kunit_case acl_conn_cases[] = {
	KUNIT_CASE(acl_tcp_test),
	KUNIT_CASE(acl_midstream_test),
	KUNIT_CASE(acl_udp_icmp_test),
	KUNIT_CASE(acl_timeout_test),
	KUNIT_CASE(acl_full_test),
	KUNIT_CASE_SLOW(acl_many_test),
	{}
};

static struct kunit_suite acl_conn_suite = {
	.name = "vmq_acl_conn",
	.init = acl_test_init,
	.exit = acl_test_exit,
	.test_cases = acl_conn_cases,
};

kunit_test_suites(&acl_conn_suite);

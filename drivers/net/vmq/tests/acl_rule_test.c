// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the extension acl: rules, and configuration.
 */
#include "acl_test.h"

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

/* what is unknown, or no value of its attribute, changes nothing */
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

static struct kunit_case acl_rule_cases[] = {
	KUNIT_CASE(acl_fields_test),
	KUNIT_CASE(acl_order_test),
	KUNIT_CASE(acl_idle_test),
	KUNIT_CASE(acl_free_test),
	KUNIT_CASE(acl_refuse_test),
	KUNIT_CASE(acl_rules_full_test),
	{}
};

static struct kunit_suite acl_rule_suite = {
	.name = "vmq_acl_rule",
	.init = acl_test_init,
	.exit = acl_test_exit,
	.test_cases = acl_rule_cases,
};

kunit_test_suites(&acl_rule_suite);

// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the hash of receive side scaling, against the vectors that NIC vendors
 * verify with and against a bit-by-bit reference (V-37, V-39, V-41, V-42).
 */
#include <kunit/test.h>
#include <linux/in.h>
#include <linux/prandom.h>

#include "../vmq_priv.h"

/* The key of the published verification suite. */
static const u8 rss_suite_key[VMQ_RSS_KEY_LEN] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
	0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
	0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
	0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

struct rss_vector {
	const char *name;
	u8 src[16];
	u8 dst[16];
	u16 sport;
	u16 dport;
	u8 l3;
	u32 with_ports;
	u32 addresses;
};

static const struct rss_vector rss_vectors[] = {
	{ "66.9.149.187", { 66, 9, 149, 187 }, { 161, 142, 100, 80 },
	  2794, 1766, 4, 0x51ccc178, 0x323e8fc2 },
	{ "199.92.111.2", { 199, 92, 111, 2 }, { 65, 69, 140, 83 },
	  14230, 4739, 4, 0xc626b0ea, 0xd718262a },
	{ "24.19.198.95", { 24, 19, 198, 95 }, { 12, 22, 207, 184 },
	  12898, 38024, 4, 0x5c2b394a, 0xd2d0a5de },
	{ "38.27.205.30", { 38, 27, 205, 30 }, { 209, 142, 163, 6 },
	  48228, 2217, 4, 0xafc7327f, 0x82989176 },
	{ "153.39.163.191", { 153, 39, 163, 191 }, { 202, 188, 127, 2 },
	  44251, 1303, 4, 0x10e828a2, 0x5d1809c5 },
	{ "3ffe:2501:200:1fff::7",
	  { 0x3f, 0xfe, 0x25, 0x01, 0x02, 0, 0x1f, 0xff,
	    0, 0, 0, 0, 0, 0, 0, 7 },
	  { 0x3f, 0xfe, 0x25, 0x01, 0x02, 0, 0, 0x03,
	    0, 0, 0, 0, 0, 0, 0, 1 },
	  2794, 1766, 6, 0x40207d3d, 0x2cc18cd5 },
};

static void rss_vector_desc(const struct rss_vector *v, char *desc)
{
	strscpy(desc, v->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(rss_vector, rss_vectors, rss_vector_desc);

static struct vmq_rss_hash *rss_hash_new(struct kunit *test, const u8 *key)
{
	struct vmq_rss_hash *hash;

	hash = kunit_kzalloc(test, sizeof(*hash), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, hash);
	vmq_rss_hash_key(hash, key);
	vmq_rss_hash_defaults(hash);
	return hash;
}

/* V-37: frames get the hash that hardware would give them. */
static void rss_test_vector(struct kunit *test)
{
	const struct rss_vector *v = test->param_value;
	struct vmq_rss_hash *hash = rss_hash_new(test, rss_suite_key);
	struct vmq_key key = {
		.sport = htons(v->sport), .dport = htons(v->dport),
		.proto = IPPROTO_TCP, .l3 = v->l3, .l4 = 1,
	};
	u32 got = 0;

	memcpy(key.saddr, v->src, sizeof(key.saddr));
	memcpy(key.daddr, v->dst, sizeof(key.daddr));
	KUNIT_EXPECT_TRUE(test, vmq_rss_hash(hash, &key, &got));
	KUNIT_EXPECT_EQ(test, got, v->with_ports);
	/* a fragment, or a protocol without ports */
	key.l4 = 0;
	KUNIT_EXPECT_TRUE(test, vmq_rss_hash(hash, &key, &got));
	KUNIT_EXPECT_EQ(test, got, v->addresses);
}

static bool rss_bit(const u8 *bytes, unsigned int bit)
{
	return bytes[bit / 8] & (0x80 >> bit % 8);
}

/* Bit by bit, as the definition of Toeplitz has it. */
static u32 rss_slow(const u8 *key, const u8 *input, unsigned int len)
{
	unsigned int i, j;
	u32 sum = 0;

	for (i = 0; i < 8 * len; i++)
		for (j = 0; rss_bit(input, i) && j < 32; j++)
			if (rss_bit(key, i + j))
				sum ^= 1U << (31 - j);
	return sum;
}

/* V-41: the key has an effect, all of it, at every length of input. */
static void rss_test_reference(struct kunit *test)
{
	u8 key[VMQ_RSS_KEY_LEN], input[VMQ_RSS_INPUT];
	struct vmq_rss_hash *hash;
	struct rnd_state rnd;
	unsigned int turn, len;
	u32 before;

	prandom_seed_state(&rnd, 37);
	hash = rss_hash_new(test, rss_suite_key);
	for (turn = 0; turn < 500; turn++) {
		prandom_bytes_state(&rnd, key, sizeof(key));
		prandom_bytes_state(&rnd, input, sizeof(input));
		len = turn % (VMQ_RSS_INPUT + 1);
		vmq_rss_hash_key(hash, key);
		KUNIT_ASSERT_EQ(test, vmq_rss_toeplitz(hash, input, len),
				rss_slow(key, input, len));
	}
	memset(input, 0xff, sizeof(input));
	for (turn = 0; turn < 8 * VMQ_RSS_KEY_LEN - 1; turn++) {
		before = vmq_rss_toeplitz(hash, input, sizeof(input));
		key[turn / 8] ^= 0x80 >> turn % 8;
		vmq_rss_hash_key(hash, key);
		KUNIT_EXPECT_NE_MSG(test, before,
				    vmq_rss_toeplitz(hash, input,
						     sizeof(input)),
				    "bit %u of the key", turn);
	}
}

struct rss_type {
	u8 l3;
	u8 proto;
	enum vmq_rss_type type;
};

static const struct rss_type rss_types[] = {
	{ 4, IPPROTO_TCP, VMQ_RSS_TCP4 }, { 6, IPPROTO_TCP, VMQ_RSS_TCP6 },
	{ 4, IPPROTO_UDP, VMQ_RSS_UDP4 }, { 6, IPPROTO_UDP, VMQ_RSS_UDP6 },
	{ 4, IPPROTO_SCTP, VMQ_RSS_SCTP4 }, { 6, IPPROTO_SCTP, VMQ_RSS_SCTP6 },
};

/* One of the four fields becomes another one. */
static void rss_touch(struct vmq_key *key, unsigned int field)
{
	switch (BIT(field)) {
	case VMQ_RSS_SRC:
		key->saddr[0] ^= htonl(1);
		break;
	case VMQ_RSS_DST:
		key->daddr[0] ^= htonl(1);
		break;
	case VMQ_RSS_SPORT:
		key->sport ^= htons(1);
		break;
	case VMQ_RSS_DPORT:
		key->dport ^= htons(1);
		break;
	}
}

/* V-41, V-42: every subset of fields of every type: these count, no others. */
static void rss_test_fields(struct kunit *test)
{
	struct vmq_rss_hash *hash = rss_hash_new(test, rss_suite_key);
	unsigned int i, fields, field;
	struct vmq_key key, other;
	u32 one, two;

	for (i = 0; i < ARRAY_SIZE(rss_types); i++) {
		memset(&key, 0x5a, sizeof(key));
		key.l3 = rss_types[i].l3;
		key.l4 = 1;
		key.proto = rss_types[i].proto;
		KUNIT_EXPECT_EQ(test, vmq_rss_type(&key), rss_types[i].type);
		for (fields = 1; fields < 16; fields++) {
			/* no other type has a say */
			memset(hash->fields, 0, sizeof(hash->fields));
			hash->fields[rss_types[i].type] = fields;
			KUNIT_ASSERT_TRUE(test,
					  vmq_rss_hash(hash, &key, &one));
			for (field = 0; field < 4; field++) {
				other = key;
				rss_touch(&other, field);
				vmq_rss_hash(hash, &other, &two);
				KUNIT_EXPECT_EQ_MSG(test, one != two,
						    !!(fields & BIT(field)),
						    "type %u fields %#x field %u",
						    i, fields, field);
			}
		}
	}
}

/* V-39: not an IP packet, or nothing to hash: no hash. */
static void rss_test_none(struct kunit *test)
{
	struct vmq_rss_hash *hash = rss_hash_new(test, rss_suite_key);
	struct vmq_key key = { .ethertype = htons(ETH_P_ARP) };
	u32 got = 0;

	KUNIT_EXPECT_EQ(test, vmq_rss_type(&key), VMQ_RSS_NO_TYPE);
	KUNIT_EXPECT_FALSE(test, vmq_rss_hash(hash, &key, &got));
	key.l3 = 4;
	key.proto = IPPROTO_ICMP;
	KUNIT_EXPECT_TRUE(test, vmq_rss_hash(hash, &key, &got));
	hash->fields[VMQ_RSS_IP4] = 0;
	KUNIT_EXPECT_FALSE(test, vmq_rss_hash(hash, &key, &got));
}

#define RSS_FLOWS	16384
#define RSS_SLOTS	128

/* V-37: flows that differ in one port alone are spread evenly. */
static void rss_test_spread(struct kunit *test)
{
	struct vmq_key key = { .l3 = 4, .l4 = 1, .proto = IPPROTO_TCP };
	struct vmq_rss_hash *hash = rss_hash_new(test, rss_suite_key);
	u32 slot[RSS_SLOTS] = {};
	u32 i, got = 0, most = 0, least = RSS_FLOWS;

	key.saddr[0] = htonl(0x0a000001);
	key.daddr[0] = htonl(0x0a000002);
	for (i = 0; i < RSS_FLOWS; i++) {
		key.sport = htons(i);
		vmq_rss_hash(hash, &key, &got);
		slot[got % RSS_SLOTS]++;
	}
	for (i = 0; i < RSS_SLOTS; i++) {
		most = max(most, slot[i]);
		least = min(least, slot[i]);
	}
	/* 128 are expected in each */
	KUNIT_EXPECT_GE(test, least, RSS_FLOWS / RSS_SLOTS / 2);
	KUNIT_EXPECT_LE(test, most, RSS_FLOWS / RSS_SLOTS * 2);
}

static struct kunit_case rss_cases[] = {
	KUNIT_CASE_PARAM(rss_test_vector, rss_vector_gen_params),
	KUNIT_CASE(rss_test_reference),
	KUNIT_CASE(rss_test_fields),
	KUNIT_CASE(rss_test_none),
	KUNIT_CASE(rss_test_spread),
	{}
};

static struct kunit_suite rss_suite = {
	.name = "vmq_rss",
	.test_cases = rss_cases,
};

kunit_test_suite(rss_suite);

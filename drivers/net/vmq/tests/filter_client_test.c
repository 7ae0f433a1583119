// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: what a client's filter may match, row by row of the table F-22.
 */
#include <kunit/test.h>

#include "../vmq_priv.h"

/* What a client gives, and the test of the VLAN id that comes of it. */
struct client_row {
	const char *name;
	bool has_vid;
	u16 vid;
	bool untagged;
	int err;
	u16 value;
	u16 mask;
};

static const struct client_row client_rows[] = {
	{ "F-22 flag set", false, 0, true, 0, 0, 0xfff },
	{ "F-22 flag clear, O-04", false, 0, false, 0, 0, 0 },
	{ "F-22 id 1", true, 1, false, 0, 1, 0xfff },
	{ "F-22 id 4094", true, 4094, false, 0, 4094, 0xfff },
	{ "F-22 id and flag, O-07", true, 7, true, -EINVAL },
	{ "F-22 id 0, O-06", true, 0, false, -EINVAL },
	{ "F-22 id 0 and flag, O-07", true, 0, true, -EINVAL },
	{ "F-22 id 4095", true, 4095, false, -EINVAL },
	{ "F-22 id with a priority", true, 0x2007, false, -EINVAL },
};

static void client_row_desc(const struct client_row *row, char *desc)
{
	strscpy(desc, row->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(client_row, client_rows, client_row_desc);

static const u8 client_mac[ETH_ALEN] = { 2, 0, 0, 0, 0, 1 };

/* What of tags a client may ask for (F-22, O-06, O-07). */
static void client_vlan(struct kunit *test)
{
	const struct client_row *row = test->param_value;
	struct netlink_ext_ack extack = {};
	struct vmq_filter_spec spec = {};
	bool ext = row->mask;
	int err;

	err = vmq_filter_client_spec(&spec, client_mac, row->has_vid, row->vid,
				     row->untagged, &extack);
	KUNIT_EXPECT_EQ(test, row->err, err);
	KUNIT_EXPECT_EQ(test, !!err, !!extack._msg);
	if (err)
		return;
	KUNIT_EXPECT_EQ(test, row->value, ntohs(spec.key.vlan));
	KUNIT_EXPECT_EQ(test, row->mask, ntohs(spec.mask.vlan));
	KUNIT_EXPECT_MEMEQ(test, client_mac, spec.key.dst, ETH_ALEN);
	KUNIT_EXPECT_EQ(test, VMQ_LOC_ANY, spec.location);
	/* and ethtool -n shows the same */
	KUNIT_EXPECT_EQ(test, ETHER_FLOW | (ext ? FLOW_EXT : 0),
			spec.fs.flow_type);
	KUNIT_EXPECT_EQ(test, row->mask, ntohs(spec.fs.m_ext.vlan_tci));
}

/* A MAC filter tests nothing else (F-17). */
static void client_mac_alone(struct kunit *test)
{
	struct vmq_filter_spec spec = {};

	KUNIT_ASSERT_EQ(test, 0,
			vmq_filter_client_spec(&spec, client_mac, false, 0,
					       false, NULL));
	KUNIT_EXPECT_NULL(test, memchr_inv(spec.mask.dst, 0xff, ETH_ALEN));
	memset(spec.mask.dst, 0, ETH_ALEN);
	KUNIT_EXPECT_NULL(test, memchr_inv(&spec.mask, 0, sizeof(spec.mask)));
}

/* Nobody has the address of zeroes (F-10). */
static void client_zero_mac(struct kunit *test)
{
	static const u8 zero[ETH_ALEN];
	struct vmq_filter_spec spec = {};

	KUNIT_EXPECT_EQ(test, -EINVAL,
			vmq_filter_client_spec(&spec, zero, false, 0, true,
					       NULL));
}

static struct kunit_case client_cases[] = {
	KUNIT_CASE_PARAM(client_vlan, client_row_gen_params),
	KUNIT_CASE(client_mac_alone),
	KUNIT_CASE(client_zero_mac),
	{}
};

static struct kunit_suite client_suite = {
	.name = "vmq-filter-client",
	.test_cases = client_cases,
};

kunit_test_suites(&client_suite);

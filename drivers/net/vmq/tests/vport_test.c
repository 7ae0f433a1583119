// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: VPort states, pools of VPorts and queue pairs, and the back channel.
 */
#include <kunit/test.h>

#include "../vf_block.h"
#include "../vport.h"

#define NO	-EINVAL

struct vport_row {
	enum vmq_vport_kind kind;
	enum vmq_vport_state state;
	int next[4];		/* create, activate, deactivate, delete */
};

/* V-13, V-16, V-25: the whole table */
static const struct vport_row vport_rows[] = {
	{ VMQ_VPORT_DEFAULT, VMQ_VPORT_STATE_NONE,
	  { VMQ_VPORT_STATE_ACTIVATED, NO, NO, NO } },
	{ VMQ_VPORT_DEFAULT, VMQ_VPORT_STATE_DEACTIVATED, { NO, NO, NO, NO } },
	{ VMQ_VPORT_DEFAULT, VMQ_VPORT_STATE_ACTIVATED, { NO, NO, NO, NO } },
	{ VMQ_VPORT_PF, VMQ_VPORT_STATE_NONE,
	  { VMQ_VPORT_STATE_DEACTIVATED, NO, NO, NO } },
	{ VMQ_VPORT_PF, VMQ_VPORT_STATE_DEACTIVATED,
	  { NO, VMQ_VPORT_STATE_ACTIVATED, NO, VMQ_VPORT_STATE_NONE } },
	{ VMQ_VPORT_PF, VMQ_VPORT_STATE_ACTIVATED, { NO, NO, NO, VMQ_VPORT_STATE_NONE } },
	{ VMQ_VPORT_VF, VMQ_VPORT_STATE_NONE, { VMQ_VPORT_STATE_ACTIVATED, NO, NO, NO } },
	{ VMQ_VPORT_VF, VMQ_VPORT_STATE_DEACTIVATED, { NO, NO, NO, VMQ_VPORT_STATE_NONE } },
	{ VMQ_VPORT_VF, VMQ_VPORT_STATE_ACTIVATED, { NO, NO, NO, VMQ_VPORT_STATE_NONE } },
};

/* The states of VPorts, row by row (V-16). */
static void vport_table(struct kunit *test)
{
	const struct vport_row *row;
	int event;

	for (row = vport_rows; row < vport_rows + ARRAY_SIZE(vport_rows); row++)
		for (event = 0; event < 4; event++)
			KUNIT_EXPECT_EQ_MSG(test, row->next[event],
					    vmq_vport_next_state(row->kind, row->state, event),
					    "kind %d state %d event %d", row->kind,
					    row->state, event);
}

/* V-35 */
static void vport_pool_valid(struct kunit *test)
{
	const struct vmq_pool good = { 8, 3, 16, 4 };
	struct vmq_pool pool = good;

	KUNIT_EXPECT_TRUE(test, vmq_pool_valid(&pool));
	pool.max_vfs = 7;
	KUNIT_EXPECT_TRUE(test, vmq_pool_valid(&pool));
	pool.max_vfs = 8;
	KUNIT_EXPECT_FALSE(test, vmq_pool_valid(&pool));
	pool = good;
	pool.max_pairs = 8;
	KUNIT_EXPECT_TRUE(test, vmq_pool_valid(&pool));
	pool.max_pairs = 7;
	KUNIT_EXPECT_FALSE(test, vmq_pool_valid(&pool));
	pool = good;
	pool.max_pairs_each = 0;
	KUNIT_EXPECT_FALSE(test, vmq_pool_valid(&pool));
	pool.max_pairs_each = 17;
	KUNIT_EXPECT_FALSE(test, vmq_pool_valid(&pool));
}

/* V-36, O-20 */
static void vport_pool_kinds(struct kunit *test)
{
	struct vmq_pool pool = { 8, 3, 16, 4 };
	struct vmq_pool_use use = { .pairs = 1 };
	int i;

	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, 0, vmq_pool_take(&pool, &use,
						       VMQ_VPORT_PF, 1));
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			vmq_pool_take(&pool, &use, VMQ_VPORT_PF, 1));
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, 0, vmq_pool_take(&pool, &use,
						       VMQ_VPORT_VF, 1));
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			vmq_pool_take(&pool, &use, VMQ_VPORT_VF, 1));
	vmq_pool_give(&use, VMQ_VPORT_VF, 1);
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			vmq_pool_take(&pool, &use, VMQ_VPORT_PF, 1));

	/* one pool: the PF may leave nothing for the VFs */
	pool.single = true;
	use = (struct vmq_pool_use){ .pairs = 1 };
	for (i = 0; i < 7; i++)
		KUNIT_EXPECT_EQ(test, 0, vmq_pool_take(&pool, &use,
						       VMQ_VPORT_PF, 1));
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			vmq_pool_take(&pool, &use, VMQ_VPORT_VF, 1));
	vmq_pool_give(&use, VMQ_VPORT_PF, 1);
	KUNIT_EXPECT_EQ(test, 0, vmq_pool_take(&pool, &use, VMQ_VPORT_VF, 1));
}

/* V-32, V-34: a refusal counts nothing */
static void vport_pool_pairs(struct kunit *test)
{
	const struct vmq_pool pool = { 8, 3, 16, 8 };
	struct vmq_pool_use use = { .pairs = 1 }, before;

	KUNIT_EXPECT_EQ(test, -EINVAL,
			vmq_pool_take(&pool, &use, VMQ_VPORT_PF, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			vmq_pool_take(&pool, &use, VMQ_VPORT_PF, 9));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			vmq_pool_take(&pool, &use, VMQ_VPORT_DEFAULT, 1));
	KUNIT_EXPECT_EQ(test, 0, vmq_pool_take(&pool, &use, VMQ_VPORT_PF, 8));
	before = use;
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			vmq_pool_take(&pool, &use, VMQ_VPORT_VF, 8));
	KUNIT_EXPECT_MEMEQ(test, &before, &use, sizeof(use));
	KUNIT_EXPECT_EQ(test, 0, vmq_pool_take(&pool, &use, VMQ_VPORT_VF, 7));
	KUNIT_EXPECT_EQ(test, use.pairs, pool.max_pairs);
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			vmq_pool_take(&pool, &use, VMQ_VPORT_PF, 1));
}

/* V-19, V-34: more and fewer pairs; a refusal counts nothing */
static void vport_pool_resize(struct kunit *test)
{
	const struct vmq_pool pool = { 8, 3, 16, 8 };
	struct vmq_pool_use use = { .pairs = 1 };

	KUNIT_EXPECT_EQ(test, 0, vmq_pool_take(&pool, &use, VMQ_VPORT_PF, 8));
	KUNIT_EXPECT_EQ(test, 0, vmq_pool_take(&pool, &use, VMQ_VPORT_PF, 4));
	KUNIT_EXPECT_EQ(test, -EINVAL, vmq_pool_resize(&pool, &use, 4, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, vmq_pool_resize(&pool, &use, 4, 9));
	KUNIT_EXPECT_EQ(test, -ENOSPC, vmq_pool_resize(&pool, &use, 4, 8));
	KUNIT_EXPECT_EQ(test, 13, use.pairs);
	KUNIT_EXPECT_EQ(test, 0, vmq_pool_resize(&pool, &use, 4, 7));
	KUNIT_EXPECT_EQ(test, pool.max_pairs, use.pairs);
	KUNIT_EXPECT_EQ(test, 0, vmq_pool_resize(&pool, &use, 8, 2));
	KUNIT_EXPECT_EQ(test, 10, use.pairs);
	vmq_pool_give(&use, VMQ_VPORT_PF, 7);
	vmq_pool_give(&use, VMQ_VPORT_PF, 2);
	KUNIT_EXPECT_EQ(test, 1, use.pairs);
	KUNIT_EXPECT_EQ(test, 0, use.pf_vports);
}

/* S-16, O-45: masks are ORed until they are handed over, then all of them are */
static void vport_block_mask(struct kunit *test)
{
	struct vmq_vf_blocks blocks = {};

	KUNIT_EXPECT_EQ(test, 0, vmq_vf_blocks_take(&blocks));
	vmq_vf_blocks_changed(&blocks, BIT_ULL(0));
	vmq_vf_blocks_changed(&blocks, BIT_ULL(63) | BIT_ULL(5));
	vmq_vf_blocks_changed(&blocks, BIT_ULL(5));
	KUNIT_EXPECT_EQ(test, BIT_ULL(63) | BIT_ULL(5) | BIT_ULL(0),
			vmq_vf_blocks_take(&blocks));
	KUNIT_EXPECT_EQ(test, 0, vmq_vf_blocks_take(&blocks));
	vmq_vf_blocks_changed(&blocks, BIT_ULL(7));
	KUNIT_EXPECT_EQ(test, BIT_ULL(7), vmq_vf_blocks_take(&blocks));
}

/* S-15: the id and the length are checked, a refused write changes nothing */
static void vport_block_bytes(struct kunit *test)
{
	struct vmq_vf_blocks *blocks;
	const struct vmq_vf_block *b;
	u8 *long_one;

	blocks = kunit_kzalloc(test, sizeof(*blocks), GFP_KERNEL);
	long_one = kunit_kzalloc(test, VMQ_VF_BLOCK_MAX + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, blocks);
	KUNIT_ASSERT_NOT_NULL(test, long_one);

	KUNIT_EXPECT_NULL(test, vmq_vf_block_read(blocks, 3));
	KUNIT_EXPECT_EQ(test, 0, vmq_vf_block_write(blocks, 3, "abc", 3));
	KUNIT_EXPECT_EQ(test, -EMSGSIZE,
			vmq_vf_block_write(blocks, 3, long_one,
					   VMQ_VF_BLOCK_MAX + 1));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			vmq_vf_block_write(blocks, VMQ_VF_BLOCKS, "x", 1));
	b = vmq_vf_block_read(blocks, 3);
	KUNIT_ASSERT_NOT_NULL(test, b);
	KUNIT_EXPECT_EQ(test, 3, b->len);
	KUNIT_EXPECT_MEMEQ(test, "abc", b->data, 3);
	KUNIT_EXPECT_NULL(test, vmq_vf_block_read(blocks, VMQ_VF_BLOCKS));
	KUNIT_EXPECT_EQ(test, 0, vmq_vf_block_write(blocks, 3, long_one,
						    VMQ_VF_BLOCK_MAX));
	KUNIT_EXPECT_EQ(test, VMQ_VF_BLOCK_MAX,
			vmq_vf_block_read(blocks, 3)->len);
	KUNIT_EXPECT_EQ(test, 0, vmq_vf_block_write(blocks, 3, "", 0));
	vmq_vf_blocks_free(blocks);
	KUNIT_EXPECT_NULL(test, vmq_vf_block_read(blocks, 3));
}

static struct kunit_case vport_cases[] = {
	KUNIT_CASE(vport_table),
	KUNIT_CASE(vport_pool_valid),
	KUNIT_CASE(vport_pool_kinds),
	KUNIT_CASE(vport_pool_pairs),
	KUNIT_CASE(vport_pool_resize),
	KUNIT_CASE(vport_block_mask),
	KUNIT_CASE(vport_block_bytes),
	{}
};

static struct kunit_suite vport_suite = {
	.name = "vmq-vport",
	.test_cases = vport_cases,
};

kunit_test_suites(&vport_suite);

// SPDX-License-Identifier: GPL-2.0
/*
 * Blocks of the back channel of a VF; netlink_vf.c has the operations.
 */
#include <linux/errno.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "vf_block.h"

/**
 * vmq_vf_block_write() - gives a block other bytes
 * @blocks: of a VF
 * @id: of the block
 * @data: the bytes
 * @len: how many, 0 to VMQ_VF_BLOCK_MAX
 *
 * Context: Process context; the caller's lock.
 * Return: 0, -EINVAL if there is no such block, -EMSGSIZE if it is too long, or
 * -ENOMEM; the block is as it was then.
 */
int vmq_vf_block_write(struct vmq_vf_blocks *blocks, u32 id, const void *data,
		       u32 len)
{
	struct vmq_vf_block *block;

	if (id >= VMQ_VF_BLOCKS)
		return -EINVAL;
	if (len > VMQ_VF_BLOCK_MAX)
		return -EMSGSIZE;
	block = kzalloc(struct_size(block, data, len), GFP_KERNEL_ACCOUNT);
	if (!block)
		return -ENOMEM;
	block->len = len;
	memcpy(block->data, data, len);
	kfree(blocks->block[id]);
	blocks->block[id] = block;
	return 0;
}

/**
 * vmq_vf_block_read() - a block
 * @blocks: of a VF
 * @id: any number
 *
 * Context: Any; the caller's lock.
 * Return: the block, or NULL if there is none or it was never written.
 */
const struct vmq_vf_block *vmq_vf_block_read(const struct vmq_vf_blocks *blocks,
					     u32 id)
{
	return id < VMQ_VF_BLOCKS ? blocks->block[id] : NULL;
}

/**
 * vmq_vf_blocks_changed() - adds to what the VF is to be told (S-16)
 * @blocks: of a VF
 * @mask: a bit for each block
 *
 * Context: Any.
 */
void vmq_vf_blocks_changed(struct vmq_vf_blocks *blocks, u64 mask)
{
	atomic64_or(mask, &blocks->changed);
}

/**
 * vmq_vf_blocks_take() - hands over what the VF is to be told (O-45)
 * @blocks: of a VF
 *
 * Context: Any.
 * Return: all blocks that changed since it was last called.
 */
u64 vmq_vf_blocks_take(struct vmq_vf_blocks *blocks)
{
	return atomic64_xchg(&blocks->changed, 0);
}

/**
 * vmq_vf_blocks_free() - forgets all blocks
 * @blocks: of a VF
 *
 * Context: Process context; the caller's lock.
 */
void vmq_vf_blocks_free(struct vmq_vf_blocks *blocks)
{
	unsigned int i;

	for (i = 0; i < VMQ_VF_BLOCKS; i++) {
		kfree(blocks->block[i]);
		blocks->block[i] = NULL;
	}
	atomic64_set(&blocks->changed, 0);
}

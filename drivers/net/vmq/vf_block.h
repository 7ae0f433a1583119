/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The back channel between an adapter and a VF: blocks of bytes that mean nothing
 * to the kernel, and a mask of those that changed (S-15, S-16).
 */
#ifndef _VMQ_VF_BLOCK_H
#define _VMQ_VF_BLOCK_H

#include <linux/atomic.h>
#include <linux/types.h>

#define VMQ_VF_BLOCKS		64	/* one bit of the mask each */
#define VMQ_VF_BLOCK_MAX	2048	/* bytes */

struct vmq_vf_block {
	u16 len;
	u8 data[] __counted_by(len);
};

struct vmq_vf_blocks {
	struct vmq_vf_block *block[VMQ_VF_BLOCKS];	/* NULL: never written */
	atomic64_t changed;	/* that the VF has not been told of */
};

int vmq_vf_block_write(struct vmq_vf_blocks *blocks, u32 id, const void *data,
		       u32 len);
const struct vmq_vf_block *vmq_vf_block_read(const struct vmq_vf_blocks *blocks,
					     u32 id);
void vmq_vf_blocks_changed(struct vmq_vf_blocks *blocks, u64 mask);
u64 vmq_vf_blocks_take(struct vmq_vf_blocks *blocks);
void vmq_vf_blocks_free(struct vmq_vf_blocks *blocks);

#endif /* _VMQ_VF_BLOCK_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FUZZ_LINUX_SLAB_H
#define _FUZZ_LINUX_SLAB_H

#include <stdlib.h>

#include <linux/types.h>

#define GFP_KERNEL_ACCOUNT	0
#define kzalloc(size, gfp)		calloc(1, size)
#define kvcalloc(n, size, gfp)		calloc(n, size)
#define kvmalloc_array(n, size, gfp)	reallocarray(NULL, n, size)
#define kfree(p)			free(p)
#define kvfree(p)			free(p)
#define struct_size(p, member, n)					\
	(sizeof(*(p)) + sizeof((p)->member[0]) * (n))

#define ERR_PTR(err)	((void *)(long)(err))
#define IS_ERR(p)	((unsigned long)(p) >= -4095UL)

#endif /* _FUZZ_LINUX_SLAB_H */

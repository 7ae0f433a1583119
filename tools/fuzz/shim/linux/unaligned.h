/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FUZZ_LINUX_UNALIGNED_H
#define _FUZZ_LINUX_UNALIGNED_H

#include <linux/types.h>

static inline u16 get_unaligned_be16(const void *from)
{
	const u8 *p = from;

	return p[0] << 8 | p[1];
}

static inline u32 get_unaligned_be24(const void *from)
{
	const u8 *p = from;

	return p[0] << 16 | p[1] << 8 | p[2];
}

static inline u32 get_unaligned_be32(const void *from)
{
	const u8 *p = from;

	return (u32)p[0] << 24 | get_unaligned_be24(p + 1);
}

static inline u16 get_unaligned_le16(const void *from)
{
	const u8 *p = from;

	return p[1] << 8 | p[0];
}

static inline void put_unaligned_le16(u16 value, void *to)
{
	u8 *p = to;

	p[0] = value;
	p[1] = value >> 8;
}

#endif /* _FUZZ_LINUX_UNALIGNED_H */

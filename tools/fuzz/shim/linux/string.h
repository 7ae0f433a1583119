/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FUZZ_LINUX_STRING_H
#define _FUZZ_LINUX_STRING_H

#include <string.h>

#include <linux/types.h>

static inline const void *memchr_inv(const void *p, int c, size_t n)
{
	const u8 *byte = p;

	for (; n; n--, byte++)
		if (*byte != (u8)c)
			return byte;
	return NULL;
}

#endif /* _FUZZ_LINUX_STRING_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FUZZ_LINUX_CRC32C_H
#define _FUZZ_LINUX_CRC32C_H

#include <linux/types.h>

static inline u32 crc32c(u32 crc, const void *data, size_t len)
{
	const u8 *byte = data;
	int bit;

	while (len--) {
		crc ^= *byte++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return crc;
}

#endif /* _FUZZ_LINUX_CRC32C_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FUZZ_LINUX_UUID_H
#define _FUZZ_LINUX_UUID_H

#include <string.h>

#include <linux/types.h>

#define UUID_SIZE	16

typedef struct {
	u8 b[16];
} uuid_t;

static inline void import_uuid(uuid_t *to, const u8 *from)
{
	memcpy(to->b, from, UUID_SIZE);
}

static inline void export_uuid(u8 *to, const uuid_t *from)
{
	memcpy(to, from->b, UUID_SIZE);
}

#endif /* _FUZZ_LINUX_UUID_H */

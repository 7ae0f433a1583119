/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FUZZ_LINUX_UUID_H
#define _FUZZ_LINUX_UUID_H

#include <linux/types.h>

typedef struct {
	u8 b[16];
} uuid_t;

#endif /* _FUZZ_LINUX_UUID_H */

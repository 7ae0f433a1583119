/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vmqctl ext run: an extension made of commands.
 */
#ifndef _VMQCTL_EXT_RUN_H
#define _VMQCTL_EXT_RUN_H

#include <stdint.h>

struct ext_run {
	const char *dev;	/* adapter, or NULL for all of them */
	const char *uuid;
	const char *name;
	const char *save;
	const char *restore;
	const char *undo;	/* or NULL */
	uint32_t timeout;	/* ms; 0: the kernel's own */
	uint16_t version;	/* 0: the kernel's own */
};

int ext_run(const struct ext_run *how);

#endif /* _VMQCTL_EXT_RUN_H */

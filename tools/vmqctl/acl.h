/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What acl.c and acl_add.c share.
 */
#ifndef _VMQCTL_ACL_H
#define _VMQCTL_ACL_H

#include "ext_port.h"

struct args;

/* Words for the values of attributes. */
#define ACL_DIRECTIONS	{ "in", "out" }
#define ACL_ACTIONS	{ "deny", "allow" }
#define ACL_FAMILIES	{ [AF_INET] = "ip", [AF_INET6] = "ipv6" }
/* by bit, as in the header of TCP */
#define ACL_TCP_FLAGS							\
	{ "fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr" }

extern const struct ext_kind acl_ext;

int acl_add(struct args *args);

#endif /* _VMQCTL_ACL_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What acl.c and acl_add.c share.
 */
#ifndef _VMQCTL_ACL_H
#define _VMQCTL_ACL_H

#include "nl.h"

struct args;

/* Words for the values of attributes. */
#define ACL_DIRECTIONS	{ "in", "out" }
#define ACL_ACTIONS	{ "deny", "allow" }
#define ACL_FAMILIES	{ [AF_INET] = "ip", [AF_INET6] = "ipv6" }
/* by bit, as in the header of TCP */
#define ACL_TCP_FLAGS							\
	{ "fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr" }

int acl_request(struct nl_request *req, uint8_t cmd, const char *dev);
struct nlattr *acl_config_start(struct nl_request *req);
int acl_change(struct nl_request *req, const char *dev);
int acl_add(struct args *args);

#endif /* _VMQCTL_ACL_H */

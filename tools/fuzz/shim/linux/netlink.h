/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FUZZ_LINUX_NETLINK_H
#define _FUZZ_LINUX_NETLINK_H

#include <linux/netdevice.h>

struct netlink_ext_ack {
	const char *_msg;
};

#define NL_SET_ERR_MSG(extack, msg)		((void)((extack)->_msg = (msg)))
#define NL_SET_ERR_MSG_FMT(extack, fmt, ...)	((void)((extack)->_msg = (fmt)))

#endif /* _FUZZ_LINUX_NETLINK_H */

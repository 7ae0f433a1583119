/* SPDX-License-Identifier: GPL-2.0 */
/* What the interface of extensions names but the codec does not use. */
#include <linux/types.h>

struct module;
struct net_device;
struct netlink_ext_ack;
struct nlattr;
struct sk_buff;

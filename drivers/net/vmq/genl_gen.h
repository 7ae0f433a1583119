/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/vmq.yaml */
/* YNL-GEN kernel header */
/* To regenerate run: tools/net/ynl/ynl-regen.sh */

#ifndef _LINUX_VMQ_GEN_H
#define _LINUX_VMQ_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/vmq.h>

int vmq_nl_adapter_get_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_adapter_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int vmq_nl_queue_get_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_queue_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int vmq_nl_queue_set_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_filter_get_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_filter_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int vmq_nl_port_get_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_port_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int vmq_nl_ext_get_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_ext_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int vmq_nl_ext_set_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_ext_port_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int vmq_nl_ext_port_set_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_save_begin_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_restore_begin_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_restore_commit_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_abort_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_port_set_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_vf_get_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_vf_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int vmq_nl_vf_reset_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_vf_block_get_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_vf_block_set_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_vf_block_changed_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	VMQ_NLGRP_EVENTS,
};

extern struct genl_family vmq_nl_family;

#endif /* _LINUX_VMQ_GEN_H */

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

/* Common nested types */
extern const struct nla_policy vmq_filter_entry_nl_policy[VMQ_A_FILTER_ENTRY_UNTAGGED + 1];

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
int vmq_nl_queue_new_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_queue_complete_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_queue_del_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_filter_new_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_filter_move_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_filter_del_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_ext_register_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_ext_unregister_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_ext_read_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_ext_answer_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_adapter_set_doit(struct sk_buff *skb, struct genl_info *info);
int vmq_nl_group_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);

enum {
	VMQ_NLGRP_EVENTS,
};

extern struct genl_family vmq_nl_family;

#endif /* _LINUX_VMQ_GEN_H */

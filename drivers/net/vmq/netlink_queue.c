// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink: what changes queues.
 */
#include "netlink.h"

/**
 * vmq_nl_queue_set_doit() - queue-set
 * @skb: the request
 * @info: the request, parsed
 *
 * Context: Process context.
 * Return: 0 or a negative errno, with a message in extack.
 */
int vmq_nl_queue_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vmq_queue_param param;
	struct vmq_adapter *a;
	struct vmq_queue *q;
	u32 mask;
	int err;

	err = vmq_queue_param_parse(info->attrs, &param, &mask, info->extack);
	if (err)
		return err;
	rtnl_lock();
	a = vmq_nl_adapter(info);
	if (IS_ERR(a)) {
		err = PTR_ERR(a);
		goto unlock;
	}
	if (GENL_REQ_ATTR_CHECK(info, VMQ_A_QUEUE_ID)) {
		NL_SET_ERR_MSG(info->extack, "which queue? id is missing");
		err = -EINVAL;
		goto unlock;
	}
	mutex_lock(&a->lock);
	q = vmq_queue_find(a, nla_get_u32(info->attrs[VMQ_A_QUEUE_ID]));
	if (q) {
		err = vmq_queue_set_param(q, &param, mask, info->extack);
	} else {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[VMQ_A_QUEUE_ID],
				    "the queue is not allocated");
		err = -ENOENT;
	}
	mutex_unlock(&a->lock);
unlock:
	rtnl_unlock();
	return err;
}
